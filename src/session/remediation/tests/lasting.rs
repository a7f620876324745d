//! Steps that were verified, and what begins again after them.

use super::*;
use crate::domain::observation::alarm::{Alarm, AlarmState, fixture};
use crate::domain::observation::workload::{ClusterChange, ContainerState, Pod, Termination};
use crate::session::event::{AlarmEvent, IncidentEvent, WorkloadEvent};
use crate::session::incident::ChangeOutcome;

fn at(second: i64) -> Timestamp {
    start() + SignedDuration::from_secs(second)
}

fn high_cpu(state: AlarmState, since: i64) -> Alarm {
    Alarm { state, since: at(since), ..fixture::any("high-cpu") }
}

/// A raised limit that was verified after a minute, and its incident over.
fn verified() -> Story {
    let mut story = Story::new(vec![step(S1, raise())]);
    let incident = story.session.incidents.get_mut(&I1).unwrap();
    incident.alarms.push("high-cpu".into());
    incident.step_mut(S1).unwrap().tests.push(VerificationTest::NoNewKills { within_s: 900 });
    story.session.alarms.insert("high-cpu".into(), high_cpu(AlarmState::Ok, 40));
    story.rehearse(1, S1, &raise());
    story.run(2, S1);
    let ended = VerificationEvent::Ended { step: S1, tests: vec![TestState::Passed; 2] };
    let effects = story.commit(60, Event::Verification(ended));
    settle(&mut story, 60, effects);
    assert_eq!(story.incident().phase, Phase::Closed);
    story
}

fn killed(story: &mut Story, second: i64, owner: WorkloadRef) {
    let end =
        Termination { reason: "OOMKilled".to_owned(), exit_code: 137, started_at: None, finished_at: Some(at(second)) };
    let container = ContainerState {
        name: "app".to_owned(),
        ready: false,
        restarts: 1,
        state: "running".to_owned(),
        running_since: None,
        last_end: Some(end),
        end_before: None,
        message: None,
    };
    let (name, phase) = ("my-api-1".to_owned(), "Running".to_owned());
    let (namespace, containers) = (owner.namespace.clone(), vec![container]);
    let pod = Pod { name, namespace, owner: Some(owner), phase, node: None, containers, created_at: None };
    let change = ClusterChange::Pod { pod: Box::new(pod) };
    let effects = story.commit(second + 1, Event::Workload(WorkloadEvent::Changed { change }));
    settle(story, second + 1, effects);
}

/// What is concluded where an alarm fires again, and it is known what it is about.
fn fires(story: &mut Story, since: i64) -> Vec<Effect> {
    let alarm = Box::new(high_cpu(AlarmState::Alarm, since));
    story.commit(since + 1, Event::Alarm(AlarmEvent::Raised { alarm }));
    let service = Box::new(story.incident().service.clone());
    story.commit(since + 2, Event::Incident(IncidentEvent::Identified { alarm: "high-cpu".into(), service }))
}

fn lasted(story: &Story) -> bool {
    story.incident().changes[0].outcome == ChangeOutcome::Verified && story.step(S1).state == StepState::Verified
}

#[test]
fn what_is_killed_again_within_the_hour_did_not_last_and_is_open_again() {
    let mut story = verified();
    killed(&mut story, 400, target());
    assert_eq!(story.incident().changes[0].outcome, ChangeOutcome::DidNotLast);
    assert_eq!((story.incident().phase, story.incident().closed_at), (Phase::Triage, None), "a new round");
    assert!(story.step(S1).state.can_be_undone());
    let why = "a container was OOM killed again 5 min after it was verified";
    assert_eq!(story.step(S1).state, StepState::Failed { why: why.to_owned(), by: Shortfall::DidNotLast });
    let headline = story.incident().report.as_ref().unwrap().headline.clone();
    assert!(headline.ends_with(&format!("set resources ran, was verified, and did not last ({why})")), "{headline}");
    killed(&mut story, 500, target());
    assert_eq!(story.step(S1).state, StepState::Failed { why: why.to_owned(), by: Shortfall::DidNotLast }, "told once");
}

#[test]
fn what_fires_again_within_the_hour_opens_its_incident_and_no_other() {
    let mut story = verified();
    let effects = fires(&mut story, 1_200);
    settle(&mut story, 1_202, effects);
    let StepState::Failed { why, by: Shortfall::DidNotLast } = &story.step(S1).state else { panic!("it relapsed") };
    assert_eq!(why, "high-cpu fires again 19 min after it was verified");
}

#[test]
fn what_is_of_another_workload_or_comes_after_the_hour_takes_nothing_back() {
    let mut story = verified();
    killed(&mut story, 400, WorkloadRef { name: "other".to_owned(), ..target() });
    killed(&mut story, 59, target());
    assert!(lasted(&story), "{:?}", story.step(S1).state);
    killed(&mut story, 3_661, target());
    assert!(lasted(&story), "{:?}", story.step(S1).state);
    let effects = fires(&mut story, 3_700);
    let opens = |effect: &Effect| {
        matches!(effect, Effect::Conclude { incident: Some(IncidentId(2)), event }
            if matches!(event.as_ref(), Event::Incident(IncidentEvent::Opened { .. })))
    };
    assert!(effects.iter().all(opens), "it is another incident by then: {effects:?}");
}

#[test]
fn what_begins_again_belongs_to_the_incident_of_its_service_that_is_open() {
    let mut story = verified();
    let other = IncidentId(I1.0 + 1);
    let mut open = story.incident().clone();
    (open.id, open.phase, open.changes) = (other, Phase::Planned, Vec::new());
    open.verification = None;
    story.session.incidents.insert(other, open);
    assert!(fires(&mut story, 300).iter().all(|effect| !format!("{effect:?}").contains("Lapsed")));
    killed(&mut story, 400, target());
    assert!(lasted(&story) && story.incident().phase == Phase::Closed);
}
