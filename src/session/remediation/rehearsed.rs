//! Rehearsals of steps: when one may be asked for, and what its answer makes of the step.

use super::press::{Press, admits};
use super::preview;
use crate::domain::remediation::request::Bound;
use crate::domain::remediation::step::{Rehearsal, RehearsalOutcome, StepId, StepState};
use crate::session::effect::Effect;
use crate::session::incident::Phase;
use crate::session::record::{IncidentId, Record};
use crate::session::state::Session;

pub(super) fn rehearsal_asked(session: &mut Session, record: &Record, step: StepId) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    if admits(session, record.at, (id, step), Press::Rehearse).is_err() {
        return Vec::new();
    }
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.approval = None;
    if let Some(found) = incident.step_mut(step) {
        found.state = StepState::Rehearsing;
    }
    vec![preview(id, step)]
}

pub(super) fn rehearsed(session: &mut Session, id: IncidentId, step: StepId, rehearsal: &Rehearsal) -> Vec<Effect> {
    let header = session.header.clone();
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let Some(found) = incident.step_mut(step).filter(|step| may_take_rehearsal(&step.state)) else {
        return Vec::new();
    };
    let text = found.text();
    found.digest = rehearsal.request.as_ref().zip(rehearsal.facts.as_ref()).map(|(request, facts)| {
        Bound { text: &text, request, facts, scope: &header.scope, mode: header.mode, policy: &header.policy }.digest()
    });
    found.rehearsal = Some(rehearsal.clone());
    if matches!(found.state, StepState::Proposed | StepState::Rehearsing) {
        found.state = after_rehearsal(rehearsal);
    }
    if incident.asked_step().is_some() && matches!(incident.phase, Phase::Planned) {
        incident.phase = Phase::Asking;
    }
    Vec::new()
}

/// A rehearsal that comes late must not change the request of a step that waits, runs or has run.
fn may_take_rehearsal(state: &StepState) -> bool {
    matches!(state, StepState::Proposed | StepState::Rehearsing | StepState::Locked { .. })
}

pub(super) fn after_rehearsal(rehearsal: &Rehearsal) -> StepState {
    match rehearsal.outcome {
        RehearsalOutcome::Rehearsed => StepState::Rehearsed,
        RehearsalOutcome::Forbidden { .. }
        | RehearsalOutcome::Refused { .. }
        | RehearsalOutcome::LocalOnly { .. }
        | RehearsalOutcome::NotRehearsable { .. } => StepState::Proposed,
    }
}
