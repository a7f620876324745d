//! How plans end: undone, failed, left out, uncertain; and what that leaves open.

use super::*;
use crate::domain::observation::alarm::{Alarm, AlarmRule, AlarmState, fixture};
use crate::domain::remediation::gate::{Refusal, RefusalReason};
use crate::domain::remediation::runbook;
use crate::domain::remediation::trace::Trace;
use crate::domain::remediation::verification::{Measurement, RolloutFacts, VerificationTest};
use crate::session::event::{AlarmEvent, FeedEvent, TimerEvent, TimerPurpose};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{Change, ChangeOutcome};

#[test]
fn an_undo_is_added_once_beside_what_runs_and_outlives_a_new_round() {
    let mut story = Story::new(vec![step(S1, raise())]);
    story.rehearse(1, S1, &raise());
    let early = runbook::with_undo(story.incident().plan.as_ref().unwrap(), S1, 1).unwrap();
    story.tell(1, RemediationEvent::UndoProposed { of: S1, plan: Box::new(early.clone()) });
    assert_eq!(story.incident().plan.as_ref().unwrap().steps.len(), 1, "nothing has run yet");
    story.run(2, S1);
    story.tell(3, RemediationEvent::UndoProposed { of: S1, plan: Box::new(early) });
    assert_eq!(story.step(S1).state, StepState::Verifying, "the plan of before does not overwrite what runs");
    assert_eq!(story.incident().phase, Phase::Verifying);
    let again = runbook::with_undo(story.incident().plan.as_ref().unwrap(), S1, 2).unwrap();
    story.tell(4, RemediationEvent::UndoProposed { of: S1, plan: Box::new(again) });
    assert_eq!(story.incident().plan.as_ref().unwrap().steps.len(), 2);
    let tests = vec![TestState::Failed];
    story.commit(600, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
    story.ask_again(601);
    assert!(story.incident().step(S2).is_some(), "the undo is still to be decided");
}

#[test]
fn after_a_failed_verification_the_undo_waits_for_fresh_evidence_and_for_no_key() {
    let mut story = Story::new(vec![step(S1, raise())]);
    story.rehearse(1, S1, &raise());
    story.run(2, S1);
    let tests = vec![TestState::Failed];
    let ended = story.commit(902, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
    let left = settle(&mut story, 902, ended);
    assert!(left.iter().any(|effect| matches!(effect, Effect::Observe { .. })), "{left:?}");
    assert!(!left.iter().any(|effect| matches!(effect, Effect::Preview { .. })), "nothing to decide it on yet");
    assert_eq!((story.incident().phase, &story.incident().gate), (Phase::Triage, &None));
    assert_eq!(story.step(S2).state, StepState::Proposed);
    story.session.incidents.get_mut(&I1).unwrap().awaited.clear();
    let judged = GateReport { oldest: Some(start() + SignedDuration::from_secs(905)), ..gate() };
    let effects = story.tell(910, RemediationEvent::GateJudged { report: Box::new(judged) });
    assert!(effects.contains(&Effect::Preview { incident: I1, step: S2 }), "{effects:?}");
    assert_eq!(story.incident().phase, Phase::Asking);
    let Action::SetResources { memory_limit, .. } = story.step(S2).action.clone() else { panic!("an undo") };
    assert_eq!(memory_limit, 512 << 20);
    let undo = story.step(S2).action.clone();
    story.rehearse(912, S2, &undo);
    assert!(executes(&story.approve(915, S2)), "the gate is fresh: no `r` in between");
}

#[test]
fn what_failed_and_has_no_undo_stays_on_screen_while_the_evidence_is_read_again() {
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
    story.rehearse(1, S1, &Action::RolloutRestart);
    story.run(2, S1);
    let tests = vec![TestState::Failed];
    let ended = story.commit(902, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
    settle(&mut story, 902, ended);
    assert!(matches!(story.step(S1).state, StepState::Failed { .. }));
    story.ask_again(1_000);
    assert_eq!(story.incident().plan, None, "the person wants another plan");
    let (headline, _) = crate::session::reporting::draft(&story.session, I1);
    assert!(headline.contains("rollout restart ran and failed verification"), "what ran is not forgotten: {headline}");
}

/// The alarm's metric has vanished: that is no failure that was seen, and never a success.
#[test]
fn what_nobody_could_measure_is_unverified_and_no_undo_is_pushed() {
    let mut story = Story::new(vec![step(S1, raise())]);
    story.rehearse(1, S1, &raise());
    story.run(2, S1);
    let missing = "could not be verified: memory has no point since the step";
    let tests = vec![TestState::Unmeasured];
    let test = VerificationTest::MemoryBelow { percent: 80.0, within_s: 900 };
    story.session.incidents.get_mut(&I1).unwrap().step_mut(S1).unwrap().tests = vec![test];
    let ended = story.commit(902, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
    settle(&mut story, 902, ended);
    let state = &story.step(S1).state;
    assert_eq!(*state, StepState::Failed { why: missing.to_owned(), by: Shortfall::NotMeasured });
    assert_eq!(state.word(), "UNVERIFIED");
    assert!(story.incident().step(S2).is_none(), "nobody saw that it made anything worse");
    assert!(story.step(S1).state.can_be_undone(), "the person may want it all the same");
    assert_eq!(story.incident().changes[0].outcome, ChangeOutcome::Unverified);
    let (headline, _) = crate::session::reporting::draft(&story.session, I1);
    assert!(headline.contains(&format!("set resources ran and {missing}")), "{headline}");
}

/// One test ends the watch of all: what was still waited for then is told as that.
#[test]
fn what_was_still_pending_when_a_test_failed_is_not_told_as_failed() {
    let mut story = Story::new(vec![step(S1, raise())]);
    story.rehearse(1, S1, &raise());
    story.run(2, S1);
    let alarm = VerificationTest::AlarmCleared { alarm: "my-api-cpu-high".to_owned(), within_s: 900 };
    let all = vec![VerificationTest::NoNewKills { within_s: 900 }, alarm];
    story.session.incidents.get_mut(&I1).unwrap().step_mut(S1).unwrap().tests = all;
    let tests = vec![TestState::Failed, TestState::Waiting];
    story.commit(30, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
    let StepState::Failed { why, by } = &story.step(S1).state else { panic!("it failed") };
    let said = "a container that started after the step was OOM killed; 1 other test not settled by then";
    assert_eq!((why.as_str(), *by), (said, Shortfall::NotReached));
}

#[test]
fn an_uncertain_step_that_has_run_goes_on_to_its_verification() {
    for (trace, expected) in [
        (Trace::HasRun, StepState::Verifying),
        (Trace::HasNotRun, StepState::StoodDown { why: "seen".to_owned() }),
        (Trace::Unclear, StepState::Failed { why: "seen".to_owned(), by: Shortfall::NotKnown }),
    ] {
        let mut story = Story::new(vec![step(S1, raise())]);
        story.rehearse(1, S1, &raise());
        story.approve(2, S1);
        let digest = story.step(S1).digest.clone().unwrap();
        story.tell(2, RemediationEvent::StepStarted { step: S1, digest });
        story.commit(900, Event::Session(SessionEvent::Resumed { note: String::new() }));
        let settled = RemediationEvent::UncertaintySettled { step: S1, found: "seen".to_owned(), trace };
        let effects = story.tell(910, settled.clone());
        assert_eq!(story.step(S1).state, expected);
        let measured = effects == [Effect::Measure { incident: I1, step: S1 }];
        assert_eq!(measured, trace == Trace::HasRun, "{effects:?}");
        if trace == Trace::HasRun {
            let watched = story.incident().verification.as_ref().unwrap();
            let at = |second| start() + SignedDuration::from_secs(second);
            assert_eq!(watched.watch.since, at(910), "its budgets begin with what was found");
            assert_eq!(watched.started_at, at(2), "its pods are those since the request left");
        }
        if trace == Trace::Unclear {
            let outcomes: Vec<ChangeOutcome> = story.incident().changes.iter().map(|change| change.outcome).collect();
            assert_eq!(outcomes, [ChangeOutcome::Unknown], "nobody says that nothing was changed");
            settle(&mut story, 910, effects);
            let report = |story: &Story| story.incident().report.as_ref().map(|report| report.headline.clone());
            assert!(report(&story).unwrap().ends_with("set resources may or may not have run (seen)"));
            story.session.incidents.get_mut(&I1).unwrap().plan = None;
            let (headline, _) = crate::session::reporting::draft(&story.session, I1);
            assert!(
                headline.ends_with("set resources may or may not have run"),
                "of a plan that is no more: {headline}"
            );
        }
        assert_eq!(story.tell(911, settled), [], "it is settled once");
    }
}

#[test]
fn a_plan_of_which_every_step_is_refused_ends_and_is_reported() {
    let by = || "who".to_owned();
    let denied = Decision::Denied { reason: "not now".to_owned(), by: by() };
    for (decision, end) in [(denied, "denied"), (Decision::Skipped { by: by() }, "skipped")] {
        for mode in [Mode::DryRun, Mode::Live] {
            let mut story = alternatives();
            story.session.header.mode = mode;
            for (second, id) in [(2, S1), (3, S2)] {
                assert_eq!(story.incident().report, None);
                let told = RemediationEvent::DecisionGiven { step: id, decision: decision.clone() };
                let decided = story.tell(second, told);
                settle(&mut story, second, decided);
            }
            assert_eq!(story.incident().phase, Phase::Closed);
            assert_eq!(story.incident().closed_at, Some(start() + SignedDuration::from_secs(3)));
            let headline = &story.incident().report.as_ref().expect("a report").headline;
            assert!(headline.contains(&format!("rollout restart was {end}")), "{headline}");
        }
    }
}

/// A step that was put back while it was watched, with an alarm that stands so.
fn undone(alarm: AlarmState) -> Story {
    let mut story = Story::new(vec![step(S1, raise())]);
    let rule = AlarmRule::Composite { rule: String::new() };
    let known = Alarm { state: alarm, ..fixture::alarm("high-cpu", rule) };
    story.session.incidents.get_mut(&I1).unwrap().alarms.push(known.name.clone());
    story.session.alarms.insert(known.name.clone(), known);
    story.rehearse(1, S1, &raise());
    story.run(2, S1);
    let plan = runbook::with_undo(story.incident().plan.as_ref().unwrap(), S1, 1).unwrap();
    story.tell(3, RemediationEvent::UndoProposed { of: S1, plan: Box::new(plan) });
    assert_eq!(story.step(S1).state, StepState::Verifying, "it is proposed, and nothing was put back yet");
    let undo = story.step(S2).action.clone();
    story.rehearse(4, S2, &undo);
    story.run(5, S2);
    assert_eq!(story.step(S1).state, StepState::Undone { by: S2 });
    assert!(!story.step(S1).state.can_be_undone());
    let tests = vec![TestState::Passed];
    let ended = story.commit(65, Event::Verification(VerificationEvent::Ended { step: S2, tests }));
    settle(&mut story, 65, ended);
    story
}

/// What did not help is not worse than before: whether it is put back is for the person to weigh.
#[test]
fn an_undo_is_offered_at_once_where_something_got_worse_and_nobody_else_put_it_back() {
    let rollout = VerificationTest::RolloutComplete { within_s: 600 };
    let memory = VerificationTest::MemoryBelow { percent: 80.0, within_s: 900 };
    let kills = VerificationTest::NoNewKills { within_s: 900 };
    let alarm = VerificationTest::AlarmCleared { alarm: "a".to_owned(), within_s: 900 };
    let put_back = || Some("the limit is 512Mi (generation 43)".to_owned());
    for (test, put_back, offered) in [
        (rollout.clone(), None, true),
        (kills, None, true),
        (memory, None, false),
        (alarm, None, false),
        (rollout, put_back(), false),
    ] {
        let mut story = Story::new(vec![step(S1, raise())]);
        story.session.incidents.get_mut(&I1).unwrap().step_mut(S1).unwrap().tests = vec![test.clone()];
        story.rehearse(1, S1, &raise());
        story.run(2, S1);
        let measurement = Measurement { put_back, ..Measurement::default() };
        story.session.incidents.get_mut(&I1).unwrap().verification.as_mut().unwrap().last = Some(measurement);
        let tests = vec![TestState::Failed];
        let ended = story.commit(902, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
        settle(&mut story, 902, ended);
        assert_eq!(story.incident().step(S2).is_some(), offered, "{test:?}");
    }
}

/// It recovered by itself while the person read the card.
#[test]
fn what_waits_stands_down_when_no_alarm_of_the_incident_fires_any_more() {
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
    for name in ["one", "two"] {
        let alarm = fixture::any(name);
        story.session.incidents.get_mut(&I1).unwrap().alarms.push(alarm.name.clone());
        story.session.alarms.insert(alarm.name.clone(), alarm);
    }
    story.rehearse(1, S1, &Action::RolloutRestart);
    let ok = |name: &str| Alarm { state: AlarmState::Ok, ..fixture::any(name) };
    cleared(&mut story, 2, ok("one"));
    assert_eq!(story.step(S1).state, StepState::Rehearsed, "the other fires");
    cleared(&mut story, 3, ok("two"));
    assert!(matches!(&story.step(S1).state, StepState::StoodDown { why } if why.contains("no alarm")));
    let mut again = story.step(S1).clone();
    again.state = StepState::Rehearsed;
    story.session.incidents.get_mut(&I1).unwrap().plan.as_mut().unwrap().steps[0] = again;
    let updated = AlarmEvent::Updated { alarm: Box::new(ok("two")) };
    assert_eq!(story.commit(4, Event::Alarm(updated)), [], "who rehearses it again knows");
}

/// Another test goes on for longer, and the leak fills it up again meanwhile.
#[test]
fn memory_that_fell_below_its_bound_in_its_time_has_passed() {
    let mut restart = step(S1, Action::RolloutRestart);
    restart.tests = vec![
        VerificationTest::MemoryBelow { percent: 80.0, within_s: 900 },
        VerificationTest::AlarmCleared { alarm: "slow".to_owned(), within_s: 1_800 },
    ];
    let mut story = Story::new(vec![restart]);
    story.rehearse(1, S1, &Action::RolloutRestart);
    story.run(2, S1);
    let rollout = RolloutFacts { replicas: 1, updated: 1, available: 1, observed: true, ..RolloutFacts::default() };
    for (second, memory) in [(10, 95.0), (60, 40.0), (1_200, 95.0)] {
        let alarms = [("slow".to_owned(), AlarmState::Alarm)].into();
        let measurement =
            Measurement { rollout: Some(rollout), memory: Some(memory), alarms, ..Measurement::default() };
        story.commit(second, Event::Verification(VerificationEvent::Measured { step: S1, measurement }));
    }
    let watched = story.incident().verification.as_ref().unwrap();
    assert_eq!(watched.tests, [TestState::Passed, TestState::Waiting]);
}

/// A step that starves the pods makes the metric go, not the trouble.
#[test]
fn an_alarm_that_loses_its_metric_neither_stands_a_step_down_nor_closes_an_incident() {
    let lost = Alarm { state: AlarmState::InsufficientData, since: start(), ..fixture::any("high-cpu") };
    let ok = Alarm { state: AlarmState::Ok, ..lost.clone() };
    let mut story = undone(AlarmState::Alarm);
    assert_eq!(cleared(&mut story, 70, lost.clone()), Phase::Asking);
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
    let alarm = fixture::any("high-cpu");
    story.session.incidents.get_mut(&I1).unwrap().alarms.push(alarm.name.clone());
    story.session.alarms.insert(alarm.name.clone(), alarm);
    story.rehearse(1, S1, &Action::RolloutRestart);
    cleared(&mut story, 2, lost);
    assert_eq!(story.step(S1).state, StepState::Rehearsed);
    let effects = story.commit(3, Event::Alarm(AlarmEvent::Updated { alarm: Box::new(ok) }));
    settle(&mut story, 3, effects);
    assert!(matches!(story.step(S1).state, StepState::StoodDown { .. }), "it is back at OK");
}

/// Its alarms may have cleared while no process ran.
#[test]
fn what_is_watched_on_is_measured_when_this_process_was_told_of_the_alarms() {
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
    let live = || Event::Feed(FeedEvent::Changed { feed: FeedId::Alarms, health: FeedHealth::Live });
    story.commit(0, live());
    story.rehearse(1, S1, &Action::RolloutRestart);
    story.run(2, S1);
    let timer = || Event::Timer(TimerEvent::Fired { purpose: TimerPurpose::Measure { step: S1 } });
    let later = [crate::session::verification::later(I1, S1)];
    let effects = story.commit(9_000, Event::Session(SessionEvent::Resumed { note: String::new() }));
    assert!(effects.contains(&later[0]) && !effects.iter().any(|effect| matches!(effect, Effect::Measure { .. })));
    assert_eq!(story.commit(9_005, timer()), later);
    story.commit(9_006, live());
    assert_eq!(story.commit(9_010, timer()), [Effect::Measure { incident: I1, step: S1 }]);
}

/// Nobody measures for two steps: what was put back while it was watched has come to its end with that.
#[test]
fn what_is_undone_while_it_is_watched_ends_as_undone_and_is_reported_so() {
    let story = undone(AlarmState::Ok);
    assert_eq!(story.incident().phase, Phase::Closed);
    let outcomes: Vec<ChangeOutcome> = story.incident().changes.iter().map(|change| change.outcome).collect();
    assert_eq!(outcomes, [ChangeOutcome::Undone, ChangeOutcome::Verified]);
    let report = story.incident().report.as_ref().expect("a report");
    let told = "set resources ran and was put back by #2, undo of #1: set resources ran and was verified";
    assert!(report.headline.ends_with(told), "{}", report.headline);
    assert!(put_back(&story), "its follow-up is not to write the new limit down");
}

fn put_back(story: &Story) -> bool {
    story.incident().was_put_back(RemedyKind::SetResources)
}

/// What an undo of the undo sets is in force again, whatever else runs behind it.
#[test]
fn an_undo_of_an_undo_sets_again_what_was_put_back() {
    let mut story = undone(AlarmState::Ok);
    for (step, of, expected) in [(3, S2, false), (4, StepId(3), true)] {
        let plan = runbook::with_undo(story.incident().plan.as_ref().unwrap(), of, step - 1).unwrap();
        story.tell(70, RemediationEvent::UndoProposed { of, plan: Box::new(plan) });
        let id = StepId(step);
        let action = story.step(id).action.clone();
        story.rehearse(71, id, &action);
        story.run(72, id);
        assert_eq!(put_back(&story), expected, "{id} undoes {of}");
    }
    let change = Change { step: StepId(5), remedy: RemedyKind::RolloutRestart, outcome: ChangeOutcome::Watched };
    story.session.incidents.get_mut(&I1).unwrap().changes.push(change);
    assert!(put_back(&story), "a restart brings no limit back");
}

/// Nothing of ours is left, and it is as bad as before: somebody has to decide what now.
#[test]
fn what_is_undone_while_the_alarm_fires_leaves_the_incident_open_until_it_clears() {
    let mut story = undone(AlarmState::Alarm);
    assert_eq!((story.incident().phase, story.incident().closed_at), (Phase::Asking, None));
    assert!(story.incident().report.is_some(), "it is told how it stands");
    let other = Alarm { state: AlarmState::Ok, ..fixture::any("other") };
    assert_eq!(cleared(&mut story, 70, other), Phase::Asking, "no alarm of it");
    let own = Alarm { state: AlarmState::Ok, ..fixture::any("high-cpu") };
    assert_eq!(cleared(&mut story, 80, own), Phase::Closed);
    assert_eq!(story.incident().closed_at, Some(start() + SignedDuration::from_secs(80)));
    let told = story.session.timeline.entries().back().map(|entry| entry.text.clone());
    assert_eq!(told.as_deref(), Some("incident closed: every step is decided, and no alarm of it fires any more"));
}

/// Where an incident stands once an alarm has cleared.
fn cleared(story: &mut Story, second: i64, alarm: Alarm) -> Phase {
    let effects = story.commit(second, Event::Alarm(AlarmEvent::Cleared { alarm: Box::new(alarm) }));
    settle(story, second, effects);
    story.incident().phase
}

/// Nothing was sent, and the alarm fires as before: it is reported, and goes on being watched.
#[test]
fn what_would_run_leaves_the_incident_open_while_its_alarm_fires() {
    for denied in [None, Some("not now")] {
        let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
        story.session.header.mode = Mode::DryRun;
        let alarm = Alarm { state: AlarmState::Alarm, ..fixture::any("high-cpu") };
        story.session.incidents.get_mut(&I1).unwrap().alarms.push(alarm.name.clone());
        story.session.alarms.insert(alarm.name.clone(), alarm.clone());
        story.rehearse(1, S1, &Action::RolloutRestart);
        let effects = match denied {
            None => story.approve(2, S1),
            Some(reason) => {
                let decision = Decision::Denied { reason: reason.to_owned(), by: "who".to_owned() };
                story.tell(2, RemediationEvent::DecisionGiven { step: S1, decision })
            }
        };
        settle(&mut story, 2, effects);
        assert_eq!((story.incident().phase, story.incident().closed_at), (Phase::Watching, None), "{denied:?}");
        assert!(story.incident().report.is_some() && story.incident().is_settled());
        let old = Refusal { reason: RefusalReason::Stale, text: "Old.".to_owned(), unlock: "r".to_owned() };
        let stale = GateReport { refusals: vec![old], ..gate() };
        story.tell(900, RemediationEvent::GateJudged { report: Box::new(stale) });
        assert_eq!(story.incident().phase, Phase::Watching, "that the evidence ages changes nothing");
        assert_eq!(cleared(&mut story, 910, Alarm { state: AlarmState::Ok, ..alarm }), Phase::Closed);
    }
}

/// The kills that have not come yet are not counted as a test that passed, and hold up no end.
#[test]
fn what_has_to_hold_counts_as_passed_at_the_end_alone() {
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
    let kills = VerificationTest::NoNewKills { within_s: 900 };
    story.session.incidents.get_mut(&I1).unwrap().step_mut(S1).unwrap().tests.push(kills);
    story.rehearse(1, S1, &Action::RolloutRestart);
    story.run(2, S1);
    let mut measured = |second: i64, observed| {
        // Set back by an hour while it is watched: that prolongs nothing.
        let at = start() + SignedDuration::from_secs(second - 3_600);
        let rollout = RolloutFacts { replicas: 6, updated: 6, available: 6, observed, ..RolloutFacts::default() };
        let measurement = Measurement { at, rollout: Some(rollout), new_kills: Some(0), ..Measurement::default() };
        let effects = story.commit(second, Event::Verification(VerificationEvent::Measured { step: S1, measurement }));
        settle(&mut story, second, effects);
        (story.incident().verification.as_ref().unwrap().tests.clone(), story.step(S1).state.clone())
    };
    let looked = |waits| (vec![waits, TestState::Waiting], StepState::Verifying);
    assert_eq!(measured(3, false), looked(TestState::Waiting));
    assert_eq!(measured(8, true), looked(TestState::Passed), "seconds are no watch");
    assert_eq!(measured(607, true), looked(TestState::Passed));
    assert_eq!(measured(608, true), (vec![TestState::Passed; 2], StepState::Verified));
}

/// Two remedies, of which either can be had.
fn alternatives() -> Story {
    let undo = Action::RolloutUndo { to_revision: 40 };
    let mut story = Story::new(vec![step(S1, undo.clone()), step(S2, Action::RolloutRestart)]);
    // Any request will do: what counts is which step it is of.
    story.rehearse(1, S1, &Action::RolloutRestart);
    story.rehearse(1, S2, &Action::RolloutRestart);
    story
}

fn waits_for_evidence(state: &StepState) -> bool {
    *state == StepState::StoodDown { why: "#1 goes first: read the evidence again with r after it".to_owned() }
}

#[test]
fn what_is_denied_or_skipped_takes_no_alternative_away() {
    let by = || "who".to_owned();
    for no in [Decision::Denied { by: by(), reason: "why".to_owned() }, Decision::Skipped { by: by() }] {
        let mut story = alternatives();
        let effects = story.tell(2, RemediationEvent::DecisionGiven { step: S1, decision: no });
        settle(&mut story, 2, effects);
        assert_eq!(story.incident().asked_step().map(|step| step.id), Some(S2));
        assert!(executes(&story.approve(3, S2)));
    }
}

#[test]
fn one_of_the_alternatives_goes_at_a_time_and_the_others_ask_for_fresh_evidence() {
    let mut story = alternatives();
    let digest = story.step(S2).digest.clone().unwrap();
    assert!(executes(&story.approve(2, S1)));
    let at = start() + SignedDuration::from_secs(2);
    let objection = admits(&story.session, at, (I1, S2), Press::Approve(&digest)).unwrap_err();
    assert_eq!(objection, Objection::Busy { step: S2, other: S1 });
    assert!(!executes(&story.approve(2, S2)), "its permit is not given yet");
    story.run(2, S1);
    assert!(waits_for_evidence(&story.step(S2).state), "{:?}", story.step(S2).state);
    let tests = vec![TestState::Failed];
    let ended = story.commit(900, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
    settle(&mut story, 900, ended);
    assert!(waits_for_evidence(&story.step(S2).state), "the next thing to do is not taken away");
}

#[test]
fn a_verified_rollback_leaves_nothing_to_restart_and_a_verified_restart_may_leave_a_rollback() {
    for (first, second, left) in [
        (Action::RolloutUndo { to_revision: 40 }, Action::RolloutRestart, false),
        (Action::RolloutRestart, Action::RolloutUndo { to_revision: 40 }, true),
    ] {
        let mut story = Story::new(vec![step(S1, first), step(S2, second)]);
        story.rehearse(1, S1, &Action::RolloutRestart);
        story.rehearse(1, S2, &Action::RolloutRestart);
        story.run(2, S1);
        let tests = vec![TestState::Passed];
        let ended = story.commit(60, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
        settle(&mut story, 60, ended);
        let state = &story.step(S2).state;
        if left {
            assert!(waits_for_evidence(state), "{state:?}");
            assert_eq!(story.incident().phase, Phase::Asking);
        } else {
            assert_eq!(*state, StepState::Skipped { why: LeftOut::Instead { step: S1 } });
            assert_eq!(story.incident().phase, Phase::Closed);
        }
    }
}
