//! Steps whose object has moved since they were rehearsed, as the watch tells it: what waits for the person or for its
//! permit stands down at once, not only when the request would leave, and what is rehearsed is held against what it told.

use super::RemediationEvent;
use super::rehearsed::after_rehearsal;
use crate::domain::observation::workload::{ClusterChange, ClusterView, Listed, ListedKind, Workload, WorkloadRef};
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::step::{Step, StepState};
use crate::session::effect::Effect;
use crate::session::event::Event;
use crate::session::state::Session;
use crate::session::triage::conclude;

/// Concludes that every step which waits and whose object is no longer what it was rehearsed on stands down.
pub fn moved(session: &Session, change: &ClusterChange) -> Vec<Effect> {
    match change {
        ClusterChange::Workload { workload } => of_object(session, workload),
        ClusterChange::Listed { view, whole } => {
            let seen = view.workloads.values().flat_map(|it| of_object(session, it));
            seen.chain(missing(session, view, whole)).collect()
        }
        ClusterChange::WorkloadGone { target } => {
            stood_down(session, |step| (step.target == *target).then(|| GONE.to_owned()))
        }
        // A rollout moves pods and revisions all the time; no step is bound to them.
        ClusterChange::Pod { .. }
        | ClusterChange::PodGone { .. }
        | ClusterChange::Revisions { .. }
        | ClusterChange::Event { .. } => Vec::new(),
    }
}

const GONE: &str = "the object is gone";

fn of_object(session: &Session, workload: &Workload) -> Vec<Effect> {
    stood_down(session, |step| outdated_by(step, workload))
}

/// Deleted while the watch was cut: a listing that would hold the object does not.
fn missing(session: &Session, view: &ClusterView, whole: &[Listed]) -> Vec<Effect> {
    let would_hold = |target: &WorkloadRef| {
        let kind = ListedKind::Workloads(target.kind);
        whole.iter().any(|listed| listed.kind == kind && listed.namespace == target.namespace)
    };
    stood_down(session, |step| {
        let absent = would_hold(&step.target) && !view.workloads.contains_key(&step.target.key());
        absent.then(|| GONE.to_owned())
    })
}

/// Why the rehearsal of a step is of another object than the one last seen.
fn outdated_by(step: &Step, workload: &Workload) -> Option<String> {
    let facts = step.rehearsal.as_ref()?.facts.as_ref().filter(|_| step.target == workload.target)?;
    if facts.uid != workload.uid {
        return Some("the object was replaced by another of its name".to_owned());
    }
    // A watch may tell late of what the rehearsal has read already: an earlier generation is no news.
    let (then, now) = (facts.generation, workload.generation);
    let changed = || format!("the object was changed: generation {now}, rehearsed on {then}");
    let planned_on = step.planned_on.as_ref();
    (now > then).then(|| planned_on.and_then(|on| on.moved(workload)).unwrap_or_else(changed))
}

/// Where a step stands once it is rehearsed: what the watch has told while the rehearsal was under way counts.
pub(super) fn freed(step: &Step, view: &ClusterView) -> StepState {
    let Some(rehearsal) = &step.rehearsal else { return StepState::Proposed };
    let outdated = view.workloads.get(&step.target.key()).and_then(|seen| outdated_by(step, seen));
    match (after_rehearsal(rehearsal), outdated) {
        (StepState::Rehearsed, Some(why)) => StepState::StoodDown { why },
        (state, _) => state,
    }
}

fn stood_down(session: &Session, why: impl Fn(&Step) -> Option<String>) -> Vec<Effect> {
    let mode = session.header.mode;
    let mut effects = Vec::new();
    for incident in session.incidents.values() {
        let steps = incident.plan.iter().flat_map(|plan| &plan.steps);
        let waiting = steps.filter(|step| waits(&step.state, mode));
        effects.extend(waiting.filter_map(|step| {
            let event = RemediationEvent::StoodDown { step: step.id, why: why(step)? };
            Some(conclude(incident.id, Event::Remediation(event)))
        }));
    }
    effects
}

/// Live, an approved step waits for its permit; in a dry-run it is decided and recorded.
fn waits(state: &StepState, mode: Mode) -> bool {
    match (state, mode) {
        (StepState::Rehearsed | StepState::Armed { .. }, _) | (StepState::Approved, Mode::Live) => true,
        (StepState::Approved, Mode::DryRun)
        | (
            StepState::Proposed
            | StepState::Rehearsing
            | StepState::Running
            | StepState::Verifying
            | StepState::Verified
            | StepState::Failed { .. }
            | StepState::Undone { .. }
            | StepState::Denied { .. }
            | StepState::Skipped { .. }
            | StepState::Expired
            | StepState::StoodDown { .. }
            | StepState::Uncertain,
            _,
        ) => false,
    }
}
