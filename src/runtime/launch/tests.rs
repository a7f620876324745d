//! Whole runs, assembled as the program does: what a journal folds to, and what happens without one.

mod keys;

use jiff::SignedDuration;

use super::*;
use crate::config::{AskedSurface, Environment, Flags, World as Where, resolve};
use crate::domain::remediation::request::Digest;
use crate::domain::remediation::step::StepState;
use crate::journal::Reader;
use crate::report::narration::Narrator;
use crate::runtime::desk::{self, Hands, Wish};
use crate::session::IncidentId;
use crate::ui::intent::Intent;

fn config(home: &Path, mode: Mode) -> Config {
    let flags = Flags { mode, surface: AskedSurface::Headless(OutputForm::Jsonl), ..Flags::default() };
    let home = home.to_str().unwrap();
    resolve(&flags, &Environment::of([("HOME", home)]), Where::Rehearsal).unwrap()
}

/// Rehearses as fast as it goes and gives the core as it was at the end of the story.
async fn rehearsed(config: &Config, scenario: &str) -> Core {
    let scenario = crate::rehearsal::scenario::load(scenario).unwrap();
    let options = StartOptions { speed: Speed::Max, seed: None };
    let rehearsal = crate::rehearsal::start(scenario, options).await.unwrap();
    let world = rehearsed_world(config, &rehearsal, (Speed::Max, 1), &[]).unwrap();
    let Run { mut core, mut inbox } = assemble(config, world, Watched::ByPrinter);
    let mut headless = Headless {
        form: OutputForm::Jsonl,
        narrator: Narrator::default(),
        lasting: config.limit,
        operator: None,
        waits: Waits::default(),
    };
    let told = headless::run(&mut core, &mut inbox, &mut headless, &mut std::io::sink()).await.unwrap();
    assert_eq!(told.0, Ended::Told);
    rehearsal.stop().await;
    core
}

fn folded(path: &Path) -> Session {
    let mut session = Session::default();
    for record in Reader::open(path).unwrap() {
        drop(update(&mut session, &record.unwrap()));
    }
    session
}

/// Invariant 2: the live session without what no journal keeps is the one folded from disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_live_session_is_the_fold_of_its_journal() {
    for scenario in ["oom-leak", "no-data"] {
        let home = tempfile::tempdir().unwrap();
        let mut core = rehearsed(&config(home.path(), Mode::DryRun), scenario).await;
        core.end("the test is over").await;
        let (live, disk) = (core.session.durable(), folded(&core.journal_path()).durable());
        assert!(!live.incidents.is_empty() && !live.timeline.entries().is_empty());
        assert_eq!(live.header, disk.header);
        assert_eq!(live.incidents, disk.incidents, "{scenario}");
        assert_eq!(live.timeline, disk.timeline, "{scenario}");
        assert!(live == disk, "{scenario}: metrics, logs, alarms or feeds differ");
    }
}

/// Invariant 5: without a journal every wish to decide is answered with the reason, and none is recorded.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_journal_no_press_decides_and_each_is_answered() {
    for mode in [Mode::DryRun, Mode::Live] {
        let home = tempfile::tempdir().unwrap();
        let config = config(home.path(), mode);
        std::fs::create_dir_all(&config.paths.state).unwrap();
        std::fs::write(&config.paths.sessions, "a file where the folder should be").unwrap();
        let mut core = rehearsed(&config, "oom-leak").await;
        assert!(core.session.read_only.is_some());
        assert!(!core.journal_path().exists());
        let incident = IncidentId(1);
        let step = core.session.incidents[&incident].plan.as_ref().unwrap().steps[0].clone();
        let digest = step.digest.clone().unwrap();
        let (id, reason) = (step.id, "no".to_owned());
        let wishes = [
            Intent::Approve { incident, step: id, digest: digest.clone() },
            Intent::Confirm { incident, step: id, digest },
            Intent::Deny { incident, step: id, reason },
            Intent::Skip { incident, step: id },
        ];
        for wish in wishes {
            let seq = core.session.seq;
            let answer = desk::apply(&mut core, Hands::Script, wish);
            assert!(matches!(&answer, Wish::Tell(text) if text.starts_with("Nothing can be decided")), "{answer:?}");
            assert_eq!(core.session.seq, seq, "no record of a decision that cannot be kept");
        }
        let after = core.session.incidents[&incident].step(id).unwrap().state.clone();
        assert_eq!(after, step.state);
        assert!(!matches!(after, StepState::Approved | StepState::Armed { .. }));
        core.end("the test is over").await;
    }
}

/// The person hears why a press does not count, and the journal has no decision that was none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_press_that_does_not_count_is_told_and_not_written() {
    let home = tempfile::tempdir().unwrap();
    let mut core = rehearsed(&config(home.path(), Mode::DryRun), "oom-leak").await;
    let incident = IncidentId(1);
    let step = core.session.incidents[&incident].plan.as_ref().unwrap().steps[0].clone();
    let (id, digest) = (step.id, step.digest.clone().unwrap());
    let other = crate::domain::remediation::request::Bound {
        text: "another",
        request: step.rehearsal.as_ref().unwrap().request.as_ref().unwrap(),
        facts: step.rehearsal.as_ref().unwrap().facts.as_ref().unwrap(),
        scope: &core.session.header.scope,
        mode: Mode::DryRun,
        policy: &core.session.header.policy,
    }
    .digest();
    let mut press = |intent: Intent| {
        let seq = core.session.seq;
        let wish = desk::apply(&mut core, Hands::Script, intent);
        (wish, core.session.seq - seq)
    };
    let approve = |digest: &Digest| Intent::Approve { incident, step: id, digest: digest.clone() };
    let told = |text: &str| (Wish::Tell(text.to_owned()), 0);
    let undone = press(Intent::Undo { incident, step: id });
    assert_eq!(undone, told("#1 is REHEARSED: it changed nothing that could be undone."));
    let (wish, records) = press(approve(&other));
    assert_eq!((wish, records), told("Not counted: #1 is no longer what was on screen. Read it, then press again."));
    let (wish, records) = press(approve(&digest));
    assert!(wish == Wish::Done && records > 0, "the right press counts: {wish:?}");
    for intent in [
        approve(&digest),
        Intent::Deny { incident, step: id, reason: "late".to_owned() },
        Intent::Skip { incident, step: id },
        Intent::Rehearse { incident, step: id },
    ] {
        assert_eq!(press(intent), told("Not counted: #1 is APPROVED and waits for no such key."));
    }
    core.end("the test is over").await;
}

/// The clock of the machine was ten minutes ahead and is set back: what runs out is not prolonged, and what is asked of AWS is
/// asked by its time all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_moves_no_window_into_the_future() {
    use crate::domain::observation::skew::ClockSkew;
    use crate::session::effect::Effect;
    use crate::session::event::EvidenceEvent;
    let home = tempfile::tempdir().unwrap();
    let mut core = rehearsed(&config(home.path(), Mode::DryRun), "oom-leak").await;
    let now = core.clock.now();
    core.session.now = now + SignedDuration::from_mins(10);
    assert_eq!(core.now(), core.session.now, "time goes on from the last record");
    let compared = SessionEvent::ClockCompared { skew: ClockSkew::NONE, lead: SignedDuration::ZERO };
    for told in [Some(compared), None] {
        core.session.clock = ClockSkew::NONE;
        let step = told.as_ref().map_or("the session is resumed", |_| "AWS was asked");
        match told {
            Some(compared) => drop(core.commit(None, Event::Session(compared))),
            None => core.compare_clock(),
        }
        assert_eq!(core.session.clock.short(), "+10m", "{step}");
        let asked = crate::session::triage::ask_again(&core.session, IncidentId(1), core.now());
        let Some(Effect::Conclude { event, .. }) = asked.first() else { panic!("{asked:?}") };
        let Event::Evidence(EvidenceEvent::Asked { window, .. }) = event.as_ref() else { panic!("{event:?}") };
        assert_eq!(window.to, now, "{step}");
    }
    core.end("the test is over").await;
}

/// The person leaves in the moment in which the report was drafted: the journal and the last lines say that it is not posted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_that_is_not_posted_at_the_end_is_told() {
    use crate::session::event::ReportEvent;
    use crate::session::incident::Post;
    let home = tempfile::tempdir().unwrap();
    let mut core = rehearsed(&config(home.path(), Mode::DryRun), "oom-leak").await;
    assert!(!core.kept().contains("slack"));
    let (headline, follow_ups) = ("P2 my-api".to_owned(), Vec::new());
    core.commit(Some(IncidentId(1)), Event::Report(ReportEvent::Drafted { headline, follow_ups }));
    core.end("the person left").await;
    let folded = folded(&core.journal_path());
    let post = &folded.incidents[&IncidentId(1)].report.as_ref().unwrap().post;
    assert!(matches!(post, Post::Left { fault } if fault.summary.contains("before the report was sent")), "{post:?}");
    let told = "\nslack    I1 P2 my-api NOT posted: The session ended before the report was sent to Slack.";
    assert!(core.kept().ends_with(told), "{}", core.kept());
    core.session.header.origin = Origin::Real;
    let again = format!(" `pagerdeck resume {}` posts it.", core.session.header.id);
    assert!(core.kept().ends_with(&format!("{told}{again}")), "{}", core.kept());
}

/// What the next decision is signed with, and where its request would go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_taken_up_as_who_takes_it_up() {
    let home = tempfile::tempdir().unwrap();
    let mut core = rehearsed(&config(home.path(), Mode::DryRun), "oom-leak").await;
    let here = core.session.header.scope.clone();
    assert!(here.identity.is_some());
    let ana = || Some("arn:aws:sts::123456789012:assumed-role/readonly/ana".to_owned());
    let scope = &mut core.session.header.scope;
    (scope.identity, scope.cluster_user) = (ana(), ana());
    take_up(&mut core, "the process before ended".to_owned());
    assert_eq!(core.session.header.scope, here);
    core.end("the test is over").await;
}

#[test]
fn a_run_that_did_not_come_to_its_end_is_a_fault() {
    assert_eq!((Ended::Told.cut_short(), Ended::TimeUp.cut_short()), (None, None));
    assert_eq!(Ended::Unread.cut_short(), Some(Ok(Ending::Done)), "a reader that has seen enough is no fault");
    let gave_up = Ended::GaveUp.cut_short().unwrap();
    assert_eq!(gave_up.map_err(|fault| fault.kind), Err(FaultKind::Timeout));
    let signalled = Ended::Signalled(inbox::Signal::Interrupt).cut_short();
    assert!(matches!(signalled, Some(Ok(Ending::Signalled { number: 2, why })) if why.contains("SIGINT")));
}

#[test]
fn a_live_session_is_taken_up_only_by_the_flag_and_under_its_own_policy() {
    let home = tempfile::tempdir().unwrap();
    let (dry, live) = (config(home.path(), Mode::DryRun), config(home.path(), Mode::Live));
    let mut session = Session::default();
    session.header.policy = live.policy.clone();
    assert_eq!(may_not_go_on_live(&session, &dry), None);
    assert!(may_not_go_on_live(&session, &live).is_some_and(|why| why.contains("stays one")), "and who asks is told");
    session.header.mode = Mode::Live;
    assert!(may_not_go_on_live(&session, &dry).is_some_and(|why| why.contains("--live")));
    assert_eq!(may_not_go_on_live(&session, &live), None);
    session.header.policy.approval_ttl_s += 1;
    assert!(may_not_go_on_live(&session, &live).is_some_and(|why| why.contains("policy")));
}
