//! What a workload shows of each action, and what it must not be taken for.

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::domain::observation::workload::{ContainerSpec, WorkloadKind, WorkloadRef};
use crate::domain::remediation::request::{of_action, undo};
use crate::domain::remediation::step::{Rehearsal, RehearsalOutcome, StepId, StepState, TargetFacts};

const SENT: &str = "2026-05-01T09:32:50Z";

fn target() -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() }
}

fn at() -> Timestamp {
    SENT.parse().unwrap()
}

fn step(action: Action, request: Option<Request>) -> Step {
    let facts = TargetFacts { uid: "u".to_owned(), generation: 41, fields: [].into() };
    let rehearsal = Rehearsal {
        outcome: RehearsalOutcome::Rehearsed,
        at: at(),
        request,
        facts: Some(facts),
        diff: Vec::new(),
        checks: Vec::new(),
        blast: String::new(),
        undo: String::new(),
    };
    let state = StepState::Uncertain;
    Step { rehearsal: Some(rehearsal), state, ..Step::new(StepId(1), action, target()) }
}

fn of(action: Action) -> Step {
    let request = of_action(&action, &target(), at());
    step(action, request)
}

fn workload(generation: i64, stamp: Option<&str>) -> Workload {
    let container = ContainerSpec {
        name: "app".to_owned(),
        image: "my-api:4.2.1".to_owned(),
        memory_limit: Some(512 << 20),
        memory_request: None,
        cpu_limit_milli: None,
    };
    Workload {
        uid: "u".to_owned(),
        generation,
        observed_generation: generation,
        replicas: 6,
        ready: 6,
        updated: 6,
        available: 6,
        max_unavailable: "25%".to_owned(),
        max_surge: "25%".to_owned(),
        revision: Some(41),
        containers: vec![container],
        template_annotations: stamp.map(|at| (RESTARTED_AT.to_owned(), at.to_owned())).into_iter().collect(),
        ..Workload::named(target())
    }
}

#[test]
fn a_restart_has_run_when_the_very_stamp_that_was_sent_is_there() {
    let restart = of(Action::RolloutRestart);
    for (generation, stamp, expected) in [
        (42, Some(SENT), Trace::HasRun),
        (42, Some("2026-05-01T09:32:5"), Trace::HasNotRun),
        (42, Some("2026-05-01T09:40:00Z"), Trace::HasNotRun),
        // An annotation that is there and empty says nothing of a restart of ours.
        (42, Some(""), Trace::HasNotRun),
        (42, None, Trace::HasNotRun),
        (41, Some(SENT), Trace::HasNotRun),
        // It may have run, and a colleague's restart been stamped over it.
        (45, Some("2026-05-01T09:40:00Z"), Trace::Unclear),
        (45, Some(SENT), Trace::HasRun),
    ] {
        let (found, text) = trace(&restart, &workload(generation, stamp));
        assert_eq!(found, expected, "{generation} {stamp:?}: {text}");
    }
}

#[test]
fn what_a_request_sets_is_looked_for_on_the_object_it_was_for() {
    let raise = |bytes| of(Action::SetResources { container: "app".to_owned(), memory_limit: bytes, was: None });
    let scale = |replicas| of(Action::Scale { replicas, was: 4 });
    let undo_to = |image: &str| {
        let template = json!({ "spec": { "containers": [{ "name": "app", "image": image }] } });
        step(Action::RolloutUndo { to_revision: 40 }, Some(undo(&target(), &template)))
    };
    for (step, expected) in [
        (raise(512 << 20), Trace::HasRun),
        (raise(768 << 20), Trace::HasNotRun),
        (scale(6), Trace::HasRun),
        (scale(9), Trace::HasNotRun),
        (undo_to("my-api:4.2.1"), Trace::HasRun),
        (undo_to("my-api:4.1.9"), Trace::HasNotRun),
    ] {
        assert_eq!(trace(&step, &workload(42, None)).0, expected, "{}", step.text());
        let gone = put_back(&step, &workload(44, None));
        assert_eq!(gone.is_none(), expected == Trace::HasRun, "{}: {gone:?}", step.text());
        assert!(gone.is_none_or(|found| found.ends_with("(generation 44)")));
        let other = Workload { uid: "another".to_owned(), ..workload(42, None) };
        assert!(put_back(&step, &other).is_some());
        assert_eq!(trace(&step, &other).0, Trace::HasNotRun, "{}", step.text());
        let unrehearsed = Step { rehearsal: None, ..step };
        assert_eq!(trace(&unrehearsed, &workload(42, None)).0, Trace::Unclear);
    }
}

#[test]
fn what_is_not_there_yet_may_still_arrive_for_a_minute() {
    for (trace, seconds, may) in [
        (Trace::HasNotRun, 1, true),
        (Trace::Unclear, 59, true),
        (Trace::HasNotRun, 60, false),
        (Trace::Unclear, 60, false),
        (Trace::HasRun, 1, false),
    ] {
        assert_eq!(may_still_arrive(trace, SignedDuration::from_secs(seconds)), may, "{trace:?} {seconds}");
    }
}
