//! Steps whose object has moved since they were rehearsed, as the watch tells it: what waits for the person or for its
//! permit stands down at once, not only when the request would leave.

use super::RemediationEvent;
use crate::domain::observation::workload::{ClusterChange, Workload, WorkloadRef};
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
        ClusterChange::Listed { view } => view.workloads.values().flat_map(|it| of_object(session, it)).collect(),
        ClusterChange::WorkloadGone { target } => {
            stood_down(session, target, |_| Some("the object is gone".to_owned()))
        }
        // A rollout moves pods and revisions all the time; no step is bound to them.
        ClusterChange::Pod { .. }
        | ClusterChange::PodGone { .. }
        | ClusterChange::Revisions { .. }
        | ClusterChange::Event { .. } => Vec::new(),
    }
}

fn of_object(session: &Session, workload: &Workload) -> Vec<Effect> {
    stood_down(session, &workload.target, |step| {
        let facts = step.rehearsal.as_ref()?.facts.as_ref()?;
        if facts.uid != workload.uid {
            return Some("the object was replaced by another of its name".to_owned());
        }
        // A watch may tell late of what the rehearsal has read already: an earlier generation is no news.
        let (then, now) = (facts.generation, workload.generation);
        (now > then).then(|| format!("the object was changed: generation {now}, rehearsed on {then}"))
    })
}

fn stood_down(session: &Session, target: &WorkloadRef, why: impl Fn(&Step) -> Option<String>) -> Vec<Effect> {
    let mode = session.header.mode;
    let mut effects = Vec::new();
    for incident in session.incidents.values() {
        let steps = incident.plan.iter().flat_map(|plan| &plan.steps);
        let waiting = steps.filter(|step| step.target == *target && waits(&step.state, mode));
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
            StepState::Locked { .. }
            | StepState::Proposed
            | StepState::Rehearsing
            | StepState::Running
            | StepState::Verifying
            | StepState::Verified
            | StepState::Failed { .. }
            | StepState::Denied { .. }
            | StepState::Skipped { .. }
            | StepState::Expired
            | StepState::StoodDown { .. }
            | StepState::Uncertain,
            _,
        ) => false,
    }
}
