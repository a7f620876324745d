//! What the watch tells of a step's object while the step is locked, is being rehearsed, or is not looked at.

use super::*;
use crate::domain::observation::workload::{ClusterChange, ClusterView, Listed, ListedKind};
use crate::session::event::WorkloadEvent;

fn stood_down(state: &StepState) -> bool {
    matches!(state, StepState::StoodDown { .. })
}

#[test]
fn a_change_that_is_told_while_the_rehearsal_is_under_way_is_not_lost() {
    for (generation, lost) in [(41, false), (40, false), (42, true)] {
        let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
        story.tell(1, RemediationEvent::RehearsalAsked { step: S1 });
        assert_eq!(story.step(S1).state, StepState::Rehearsing);
        told_of_object(&mut story, "u", generation);
        // Its facts were read before that: generation 41.
        story.rehearse(4, S1, &Action::RolloutRestart);
        assert_eq!(stood_down(&story.step(S1).state), lost, "{generation}: {:?}", story.step(S1).state);
    }
}

#[test]
fn an_object_that_a_listing_does_not_hold_is_gone() {
    let of = |kind| Listed { kind: ListedKind::Workloads(kind), namespace: "payments".into() };
    let elsewhere = Listed { namespace: "shop".into(), ..of(WorkloadKind::Deployment) };
    let pods = Listed { kind: ListedKind::Pods, namespace: "payments".into() };
    for (whole, gone) in [
        (vec![of(WorkloadKind::Deployment)], true),
        (vec![of(WorkloadKind::DaemonSet), elsewhere, pods], false),
        (Vec::new(), false),
    ] {
        let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
        story.rehearse(1, S1, &Action::RolloutRestart);
        let change = ClusterChange::Listed { view: Box::new(ClusterView::default()), whole: whole.clone() };
        let effects = story.commit(3, Event::Workload(WorkloadEvent::Changed { change }));
        settle(&mut story, 3, effects);
        assert_eq!(stood_down(&story.step(S1).state), gone, "{whole:?}");
    }
}

/// Rehearsing it again would only bind it to what the evidence has never seen.
#[test]
fn what_was_changed_since_the_evidence_asks_for_the_evidence_and_not_for_a_rehearsal() {
    use crate::domain::observation::workload::Workload;
    use crate::domain::remediation::step::{AS_PLANNED, Check, CheckState, PlannedOn};
    let running =
        |generation, revision| Workload { uid: "u".to_owned(), generation, revision, ..Workload::named(target()) };
    let story = || {
        let planned_on = Some(PlannedOn::of(&Action::RolloutRestart, &running(41, Some(41))));
        Story::new(vec![Step { planned_on, ..step(S1, Action::RolloutRestart) }])
    };
    let hot_fix = "revision 41 in the evidence, 42 now: read the evidence again with r";
    let scaled = "the object was changed: generation 42, rehearsed on 41";
    for (revision, why) in [(Some(42), hot_fix), (Some(41), scaled)] {
        let mut story = story();
        story.rehearse(1, S1, &Action::RolloutRestart);
        let change = ClusterChange::Workload { workload: Box::new(running(42, revision)) };
        let effects = story.commit(3, Event::Workload(WorkloadEvent::Changed { change }));
        settle(&mut story, 3, effects);
        assert_eq!(story.step(S1).state, StepState::StoodDown { why: why.to_owned() });
    }
    let mut story = story();
    let check = Check { name: AS_PLANNED.to_owned(), state: CheckState::Failed, text: hot_fix.to_owned() };
    let rehearsal = Rehearsal { checks: vec![check], ..*rehearsal(&Action::RolloutRestart) };
    story.tell(1, RemediationEvent::StepRehearsed { step: S1, rehearsal: Box::new(rehearsal), digest: None });
    let digest = story.step(S1).digest.clone().unwrap();
    let at = start() + SignedDuration::from_secs(2);
    let objection = admits(&story.session, at, (I1, S1), Press::Approve(&digest)).unwrap_err();
    assert_eq!(objection.text(), format!("Not counted: #1 must not run: {hot_fix}."));
    assert!(!executes(&story.approve(2, S1)));
}
