//! Kills a live rehearsal at every record of its journal, and in the middle of the lines that matter. Invariants 2 and 3:
//! the session loads, nothing is sent twice, what may have run is uncertain, what waited stands down.

use pagerdeck::domain::remediation::approval::Decision;
use pagerdeck::domain::remediation::follow_up::Standing;
use pagerdeck::domain::remediation::step::{Step, StepId, StepState};
use pagerdeck::journal::{End, Writer};
use pagerdeck::session::effect::Effect;
use pagerdeck::session::event::{Event, Execution, RemediationEvent, SessionEvent};
use pagerdeck::session::feeds::FeedId;
use pagerdeck::session::incident::{Incident, Phase};
use pagerdeck::session::{IncidentId, Record, Session, update};

use super::rehearsed::{fold, live};

/// Takes a session up again, as `resume` does.
fn resume(session: &mut Session) -> Vec<Effect> {
    let event = Event::Session(SessionEvent::Resumed { note: "the process before ended".to_owned() });
    update(session, &Record { seq: session.seq + 1, at: session.now, incident: None, event })
}

fn steps(session: &Session) -> Vec<(IncidentId, Step)> {
    let of = |incident: &Incident| {
        let plan = incident.plan.clone();
        let id = incident.id;
        plan.into_iter().flat_map(|plan| plan.steps).map(move |step| (id, step)).collect::<Vec<_>>()
    };
    session.incidents.values().flat_map(of).collect()
}

/// What the records alone say of a step: the fold is not asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Told {
    approved: bool,
    started: bool,
    finished: bool,
}

fn told(records: &[Record], wanted: StepId) -> Told {
    let mut told = Told::default();
    for record in records {
        match &record.event {
            Event::Remediation(RemediationEvent::DecisionGiven { step, decision: Decision::Approved { .. } })
                if *step == wanted =>
            {
                told.approved = true;
            }
            Event::Remediation(RemediationEvent::StepStarted { step, .. }) if *step == wanted => told.started = true,
            Event::Remediation(RemediationEvent::StepFinished { step, .. }) if *step == wanted => told.finished = true,
            _ => {}
        }
    }
    told
}

/// What becomes of one step.
fn check_step(records: &[Record], before: &Step, after: &Step) {
    let told = told(records, before.id);
    let at = records.len();
    match (told.approved, told.started, told.finished) {
        (_, true, false) => assert_eq!(after.state, StepState::Uncertain, "record {at}"),
        (true, false, false) => assert!(matches!(after.state, StepState::StoodDown { .. }), "record {at}: {after:?}"),
        (_, _, true) => assert_eq!(after.state, before.state, "record {at}: how it ended is known"),
        (false, false, false) => match &before.state {
            StepState::Rehearsing | StepState::Rehearsed | StepState::Armed { .. } => {
                assert!(matches!(after.state, StepState::StoodDown { .. }), "record {at}: {after:?}");
            }
            other => assert_eq!(&after.state, other, "record {at}"),
        },
    }
    let state = before.state.clone();
    assert_eq!(&Step { state, ..after.clone() }, before, "record {at}: nothing but the state is touched");
}

/// What no crash may change.
fn known(session: &Session) -> Session {
    let mut known = session.durable();
    known.timeline = pagerdeck::session::timeline::Timeline::default();
    known.ended = None;
    // A new process has been told of no alarm or pod yet.
    known.feeds.retain(|feed, _| !matches!(feed, FeedId::Alarms | FeedId::Workloads));
    for incident in known.incidents.values_mut() {
        incident.plan = None;
        incident.approval = None;
        incident.phase = Phase::Watching;
        incident.narrative.standing = pagerdeck::domain::remediation::gate::NarrativeStanding::NotAsked;
        incident.narrative.fault = None;
        // The gate is judged anew, and a post that was under way is told as not known to have arrived.
        incident.gate = None;
        incident.posts_under_way = 0;
        if let Some(report) = incident.report.as_mut() {
            report.post = pagerdeck::session::incident::Post::Off;
            // What is watched to its end is watched on, where the process comes back in time.
            for follow_up in report.follow_ups.iter_mut().filter(|one| one.standing == Standing::NotWatched) {
                follow_up.standing = Standing::Pending;
            }
        }
    }
    known
}

/// What is done on resuming reads, asks or rehearses; and so does all that its conclusions lead to.
fn check_effects(at: usize, mut session: Session, mut effects: Vec<Effect>) {
    while let Some(effect) = effects.pop() {
        match effect {
            Effect::Conclude { incident, event } => {
                let record = Record { seq: session.seq + 1, at: session.now, incident, event: *event };
                effects.extend(update(&mut session, &record));
            }
            Effect::Execute { .. } => panic!("record {at}: a step is sent again"),
            _ => {}
        }
    }
}

/// Takes up what these records came to.
fn check_taken_up(before: &Session, records: &[Record]) -> Session {
    let mut after = before.clone();
    let effects = resume(&mut after);
    let at = records.len();
    check_effects(at, after.clone(), effects);
    assert!(known(before) == known(&after), "record {at}: what was known is not what it was");
    let (steps_before, steps_after) = (steps(before), steps(&after));
    assert_eq!(steps_before.len(), steps_after.len(), "record {at}");
    for ((_, before), (id, after_step)) in steps_before.iter().zip(&steps_after) {
        check_step(records, before, after_step);
        let incident = &after.incidents[id];
        assert_eq!(incident.approval, None, "record {at}: an approval does not outlive its process");
        let uncertain = after_step.state == StepState::Uncertain;
        assert_eq!(incident.phase == Phase::Uncertain(after_step.id), uncertain, "record {at}");
    }
    after
}

#[test]
fn killed_at_every_record_of_a_live_rehearsal_it_loads_and_sends_nothing_twice() {
    let records = live().records();
    let mut states = std::collections::BTreeSet::new();
    let mut before = Session::default();
    for length in 0..=records.len() {
        if let Some(last) = length.checked_sub(1) {
            drop(update(&mut before, &records[last]));
        }
        let after = check_taken_up(&before, &records[..length]);
        states.extend(steps(&after).into_iter().map(|(_, step)| step.state.word()));
    }
    for met in ["STOOD DOWN", "UNCERTAIN", "VERIFYING", "VERIFIED"] {
        assert!(states.contains(met), "{met} was never met: {states:?}");
    }
}

/// After a crash, what the old process decided counts no more: its own records, folded once more, release nothing.
#[test]
fn an_old_decision_releases_nothing_after_a_crash() {
    let records = live().records();
    let is_decision = |record: &Record| {
        matches!(
            &record.event,
            Event::Remediation(RemediationEvent::DecisionGiven { decision: Decision::Approved { .. }, .. })
        )
    };
    let decided = records.iter().position(is_decision).expect("the rehearsal approves a step");
    let mut before = fold(&records[..decided]);
    for length in decided..=records.len() {
        if let Some(last) = records[decided..length].last() {
            drop(update(&mut before, last));
        }
        let mut session = before.clone();
        drop(resume(&mut session));
        for old in &records[decided..] {
            let effects = update(&mut session, old);
            let executes = effects.iter().any(|effect| matches!(effect, Effect::Execute { .. }));
            assert!(!executes, "killed at {length}, record {} executes again", old.seq);
        }
    }
}

/// The lines around which a crash matters, and where the live rehearsal wrote them.
fn lines_that_matter(bytes: &[u8], records: &[Record]) -> Vec<(usize, usize, usize)> {
    let mut ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    // The first line is the preamble.
    let mut from = ends.next().unwrap();
    let mut lines = Vec::new();
    for ((at, record), end) in records.iter().enumerate().zip(ends) {
        let matters = matches!(
            &record.event,
            Event::Remediation(
                RemediationEvent::StepArmed { .. }
                    | RemediationEvent::DecisionGiven { .. }
                    | RemediationEvent::StepStarted { .. }
                    | RemediationEvent::StepFinished { execution: Execution::Applied { .. }, .. }
            )
        );
        if matters {
            lines.push((at, from, end));
        }
        from = end;
    }
    lines
}

#[test]
fn a_file_cut_inside_a_line_that_matters_counts_as_never_written() {
    let run = live();
    let records = run.records();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.jsonl");
    let lines = lines_that_matter(&run.journal, &records);
    assert_eq!(lines.len(), 4, "armed, decided, started, finished");
    for (at, from, end) in lines {
        let length = end - from;
        for cut in [0, 1, length / 4, length / 2, length - 2, length - 1, length] {
            std::fs::write(&path, &run.journal[..from + cut]).unwrap();
            let mut seen = Vec::new();
            let (writer, resumed) = Writer::resume(&path, |record| seen.push(record)).unwrap();
            drop(writer);
            let whole = at + usize::from(cut == length);
            assert_eq!(seen, records[..whole], "cut {cut} bytes into record {at}");
            assert_eq!(resumed.end == End::Whole, cut == 0 || cut == length, "cut {cut} bytes into record {at}");
            check_taken_up(&fold(&seen), &seen);
        }
    }
}
