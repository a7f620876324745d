//! Without colour, without a glyph beyond ASCII, at 80x24: every state is told by a word, and no two states look alike.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use pagerdeck::domain::diagnosis::claim::ClaimCheck;
use pagerdeck::domain::diagnosis::evidence::{Answer, Payload};
use pagerdeck::domain::fault::{Fault, FaultKind};
use pagerdeck::domain::observation::alarm::{AlarmState, Severity};
use pagerdeck::domain::observation::log::Completeness;
use pagerdeck::domain::remediation::gate::{NarrativeStanding, Refusal, RefusalReason, StandsOn};
use pagerdeck::domain::remediation::request::Mode;
use pagerdeck::domain::remediation::step::{CheckState, LeftOut, RehearsalOutcome, Shortfall, StepId, StepState};
use pagerdeck::session::Session;
use pagerdeck::session::feeds::{Feed, FeedHealth, FeedId};
use pagerdeck::session::header::Origin;
use pagerdeck::session::incident::Phase;
use pagerdeck::session::state::Credentials;
use pagerdeck::ui::model::{Colours, Glyphs, Pane, Size, Ui, UiOptions, Zoom};
use pagerdeck::ui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::fixture;

fn dump(session: &Session, (focus, zoom): (Pane, Zoom)) -> String {
    let options = UiOptions { colours: Colours::Mono, glyphs: Glyphs::Ascii, ..UiOptions::default() };
    let mut ui = Ui::new(options, Size { cols: 80, rows: 24 });
    (ui.focus, ui.zoom) = (focus, zoom);
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    terminal.draw(|frame| view::draw(frame, &ui, session, fixture::now())).unwrap();
    let buffer = terminal.backend().buffer().clone();
    let text: Vec<String> = buffer
        .content()
        .chunks(80)
        .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>().trim_end().to_owned())
        .collect();
    let text = text.join("\n");
    assert!(text.is_ascii(), "{text}");
    text
}

/// Each case is named by its word, and no two dumps are the same.
fn apart(what: &str, place: (Pane, Zoom), cases: impl IntoIterator<Item = (&'static str, Session)>) {
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (word, session) in cases {
        let text = dump(&session, place);
        assert!(text.contains(word), "{what} {word:?} is not named:\n{text}");
        if let Some(other) = seen.insert(text, word) {
            panic!("{what} {word:?} looks like {other:?}");
        }
    }
    assert!(seen.len() > 1, "{what}: nothing to tell apart");
}

fn with(begin: fn() -> Session, change: impl FnOnce(&mut Session)) -> Session {
    let mut session = begin();
    change(&mut session);
    session
}

const STEP: (Pane, Zoom) = (Pane::Remediation, Zoom::Overview);
const RCA: (Pane, Zoom) = (Pane::Rca, Zoom::Zoomed);
const HOME: (Pane, Zoom) = (Pane::Alarms, Zoom::Overview);

fn why() -> String {
    "the quota is used up".to_owned()
}

#[test]
fn where_a_step_stands() {
    let states = [
        StepState::Proposed,
        StepState::Rehearsing,
        StepState::Rehearsed,
        StepState::Armed { until: fixture::now() + SignedDuration::from_secs(47) },
        StepState::Approved,
        StepState::Running,
        StepState::Verifying,
        StepState::Verified,
        StepState::Failed { why: why(), by: Shortfall::NotReached },
        StepState::Failed { why: why(), by: Shortfall::NotMeasured },
        StepState::Failed { why: why(), by: Shortfall::NotKnown },
        StepState::Denied { reason: why() },
        StepState::Skipped { why: LeftOut::ByPerson },
        StepState::Expired,
        StepState::StoodDown { why: why() },
        StepState::Uncertain,
    ];
    for begin in [fixture::gate_open as fn() -> Session, fixture::armed] {
        let of = |state: &StepState| (state.word(), with(begin, |session| fixture::set_step(session, state.clone())));
        apart("step", STEP, states.iter().map(of));
        apart("step at home", HOME, states.iter().map(of));
    }
    let left_out = LeftOut::After { step: StepId(1), end: "denied".to_owned() };
    let skipped = |why| with(fixture::gate_open, |session| fixture::set_step(session, StepState::Skipped { why }));
    apart("skipped", STEP, [("left out by the person", skipped(LeftOut::ByPerson)), ("denied", skipped(left_out))]);
}

#[test]
fn how_a_rehearsal_came_out() {
    let fault = || Fault::new(FaultKind::Rejected, "The webhook said no.");
    let outcomes = [
        ("REHEARSED", RehearsalOutcome::Rehearsed),
        ("FORBIDDEN", RehearsalOutcome::Forbidden { fault: fault() }),
        ("REFUSED", RehearsalOutcome::Refused { fault: fault() }),
        ("LOCAL ONLY", RehearsalOutcome::LocalOnly { why: why() }),
        ("NOT REHEARSABLE", RehearsalOutcome::NotRehearsable { fault: fault() }),
    ];
    let of = |(word, outcome): (&'static str, RehearsalOutcome)| {
        let session = with(fixture::gate_open, |session| {
            let step = &mut fixture::incident(session).plan.as_mut().unwrap().steps[0];
            step.rehearsal.as_mut().unwrap().outcome = outcome;
            step.state = if word == "REHEARSED" { StepState::Rehearsed } else { StepState::Proposed };
        });
        (word, session)
    };
    apart("rehearsal", STEP, outcomes.map(of));
    let checks = [
        ("[ok]", CheckState::Ok),
        ("[!!]", CheckState::Warning),
        ("[no]", CheckState::Failed),
        ("[--]", CheckState::Unknown),
    ];
    let of = |(word, state): (&'static str, CheckState)| {
        let session = with(fixture::gate_open, |session| {
            let step = &mut fixture::incident(session).plan.as_mut().unwrap().steps[0];
            for check in &mut step.rehearsal.as_mut().unwrap().checks {
                check.state = state;
            }
        });
        (word, session)
    };
    apart("check", STEP, checks.map(of));
}

#[test]
fn how_a_feed_is() {
    let fault = || Fault::new(FaultKind::Throttled, "Too many calls.");
    let until = fixture::now() + SignedDuration::from_millis(3_200);
    for (id, place) in [(FeedId::Alarms, HOME), (FeedId::Metrics, (Pane::Metrics, Zoom::Overview))] {
        let feed = |health, age_s: i64| Feed {
            health,
            answered_at: Some(fixture::now() - SignedDuration::from_secs(age_s)),
            ..Feed::default()
        };
        let cases = [
            ("off: ", Feed { health: FeedHealth::Off { why: why() }, ..Feed::default() }),
            ("connecting", Feed::default()),
            ("live", feed(FeedHealth::Live, 4)),
            ("STALE", feed(FeedHealth::Live, 400)),
            ("RETRY", feed(FeedHealth::Retrying { attempt: 2, until, fault: fault() }, 4)),
            ("STALE 6m40s RETRY", feed(FeedHealth::Retrying { attempt: 2, until, fault: fault() }, 400)),
            ("ERR ", feed(FeedHealth::Lost { fault: fault() }, 4)),
            ("UNREADABLE", Feed { unreadable: vec![why()], ..feed(FeedHealth::Live, 4) }),
        ];
        let of = |(word, feed): (&'static str, Feed)| {
            (word, with(fixture::gate_open, |session| drop(session.feeds.insert(id, feed))))
        };
        apart(id.word(), place, cases.map(of));
    }
}

#[test]
fn how_an_alarm_stands() {
    let of = |(word, state, severity): (&'static str, AlarmState, Severity)| {
        let session = with(fixture::gate_open, |session| {
            session.alarms.retain(|name, _| name.as_str() == "my-api-cpu-high");
            session.alarms.values_mut().for_each(|alarm| (alarm.state, alarm.severity) = (state, severity));
        });
        (word, session)
    };
    let cases = [
        ("! P1", AlarmState::Alarm, Severity::P1),
        ("! P2", AlarmState::Alarm, Severity::P2),
        ("! P3", AlarmState::Alarm, Severity::P3),
        (". ok", AlarmState::Ok, Severity::P2),
        ("? no data", AlarmState::InsufficientData, Severity::P2),
    ];
    apart("alarm", HOME, cases.map(of));
    let unread = with(fixture::empty, |_| {});
    let calm = with(fixture::empty, |session| {
        let health = FeedHealth::Live;
        session.feeds.insert(FeedId::Alarms, Feed { health, answered_at: Some(fixture::now()), ..Feed::default() });
    });
    apart("no alarm", HOME, [("? firing", unread), ("0 firing", calm), ("ERR", fixture::denied())]);
}

#[test]
fn how_whole_an_answer_is() {
    let fault = || Fault::new(FaultKind::Denied, "GetMetricData denied.");
    let payload = || Payload::Changes { revisions: Vec::new(), others: Vec::new(), unread: Vec::new() };
    let answers = [
        ("exact", Answer::Observed { payload: payload() }),
        ("truncated", Answer::Truncated { payload: payload(), seen: 10_000, of: None }),
        ("absent", Answer::Absent),
        ("denied", Answer::Denied { fault: fault() }),
        ("failed", Answer::Failed { fault: fault() }),
        ("not-asked", Answer::NotAsked { why: why() }),
    ];
    let of = |(word, answer): (&'static str, Answer)| {
        let session = with(fixture::gate_open, |session| {
            let incident = fixture::incident(session);
            incident.evidence.truncate(1);
            incident.evidence[0].answer = answer;
        });
        (word, session)
    };
    apart("answer", RCA, answers.map(of));
    let counts = [
        ("14 exact", Completeness::Exact),
        (">=14 sampled", Completeness::Sampled { seen: 500 }),
        (">=14 in the first", Completeness::Truncated { seen: 10_000, of: Some(12_000) }),
    ];
    let of = |(word, completeness): (&'static str, Completeness)| {
        let session = with(fixture::gate_open, |session| {
            for evidence in &mut fixture::incident(session).evidence {
                if let Answer::Observed { payload: Payload::OomKills(count) } = &mut evidence.answer {
                    count.completeness = completeness;
                }
            }
        });
        (word, session)
    };
    apart("count", (Pane::Logs, Zoom::Overview), counts.map(of));
}

#[test]
fn what_the_gate_says() {
    let refused = |reason, text: &str| Refusal { reason, text: text.to_owned(), unlock: "r".to_owned() };
    let locked = |reason, text: &'static str| {
        let session = with(fixture::gate_open, |session| {
            let incident = fixture::incident(session);
            incident.gate.as_mut().unwrap().refusals = vec![refused(reason, text)];
            incident.plan = None;
        });
        (text, session)
    };
    let cases = [
        ("GATE OPEN", fixture::gate_open()),
        ("LOCKED, not judged yet", with(fixture::gate_open, |session| fixture::incident(session).gate = None)),
        (
            "rules alone",
            with(fixture::gate_open, |session| {
                let incident = fixture::incident(session);
                incident.stands_on = StandsOn::Rules;
                incident.gate.as_mut().unwrap().stands_on = StandsOn::Rules;
            }),
        ),
        locked(RefusalReason::Stale, "LOCKED: Old"),
        locked(RefusalReason::Inconclusive, "LOCKED: Unsettled"),
        locked(RefusalReason::Contradicted, "LOCKED: Contradicted"),
    ];
    // The refusals' own words are after the sign.
    let cases = cases.map(|(word, mut session)| {
        for refusal in fixture::incident(&mut session).gate.iter_mut().flat_map(|gate| &mut gate.refusals) {
            refusal.text = refusal.text.trim_start_matches("LOCKED: ").to_owned();
        }
        (word, session)
    });
    apart("gate", RCA, cases);
}

#[test]
fn what_the_model_is_doing_and_how_each_sentence_holds() {
    let narrating = |change: fn(&mut pagerdeck::session::incident::Narrative)| {
        with(fixture::streaming, |session| change(&mut fixture::incident(session).narrative))
    };
    let silent = |narrative: &mut pagerdeck::session::incident::Narrative| {
        narrative.first_text_at = None;
        narrative.last_text_at = None;
        narrative.claims.clear();
        narrative.text.clear();
        narrative.claimed = 0;
    };
    let queued = with(fixture::streaming, |session| {
        let narrative = &mut fixture::incident(session).narrative;
        silent(narrative);
        narrative.opened_at = None;
    });
    let waiting = with(fixture::streaming, |session| silent(&mut fixture::incident(session).narrative));
    let cases = [
        ("not asked", narrating(|it| it.standing = NarrativeStanding::NotAsked)),
        ("queued", queued),
        ("waiting for the first", waiting),
        ("streaming", fixture::streaming()),
        ("stalled", narrating(|it| it.last_text_at = Some(fixture::now() - SignedDuration::from_secs(12)))),
        ("complete", fixture::gate_open()),
        ("INCOMPLETE", fixture::locked()),
    ];
    apart("narrative", RCA, cases);
    let checks = [
        ("+ ", ClaimCheck::Supported),
        ("- ", ClaimCheck::Unchecked),
        ("UNSUPPORTED", ClaimCheck::Unsupported { why: why() }),
        ("CONTRADICTED", ClaimCheck::Contradicted { why: why() }),
    ];
    let of = |(word, check): (&'static str, ClaimCheck)| {
        (word, with(fixture::gate_open, |session| fixture::incident(session).narrative.claims[0].check = check))
    };
    apart("claim", RCA, checks.map(of));
}

#[test]
fn what_line_one_says() {
    let mode = |mode| with(fixture::gate_open, |session| session.header.mode = mode);
    apart("mode", HOME, [("DRY-RUN", mode(Mode::DryRun)), ("*** LIVE ***", mode(Mode::Live))]);
    let environment = |word: &str| with(fixture::gate_open, |session| word.clone_into(&mut session.header.environment));
    apart("environment", HOME, [("PROD", environment("PROD")), ("STAGING", environment("STAGING"))]);
    let origin = Origin::Rehearsal { scenario: "oom-leak".to_owned(), seed: 7, speed: "1".to_owned() };
    let rehearsal = with(fixture::gate_open, |session| session.header.origin = origin);
    assert!(!dump(&fixture::gate_open(), HOME).contains("REHEARSAL"));
    apart("origin", HOME, [("REHEARSAL", rehearsal), ("PROD", fixture::gate_open())]);
    let credentials = |credentials| with(fixture::gate_open, |session| session.credentials = credentials);
    let ending = |seconds| credentials(Credentials::ExpireAt(fixture::now() + SignedDuration::from_secs(seconds)));
    apart("credentials", HOME, [("creds 9m!", ending(560)), ("creds EXPIRED", ending(-1))]);
    let fault = Fault::new(FaultKind::Storage, "The disk is full.");
    let read_only = with(fixture::gate_open, |session| session.read_only = Some(fault));
    apart("journal", HOME, [("READ-ONLY", read_only), ("DRY-RUN", fixture::gate_open())]);
}

#[test]
fn where_an_incident_stands() {
    let phases = [
        Phase::Watching,
        Phase::Triage,
        Phase::Diagnosing,
        Phase::Planned,
        Phase::Asking,
        Phase::Running,
        Phase::Verifying,
        Phase::Uncertain(StepId(1)),
        Phase::Closed,
    ];
    let of =
        |phase: Phase| (phase.word(), with(fixture::gate_open, |session| fixture::incident(session).phase = phase));
    apart("phase", HOME, phases.map(of));
}
