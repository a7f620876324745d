//! Rehearsals of steps: when one may be asked for, and what its answer makes of the step.

use super::moved::freed;
use super::press::{Press, counts};
use super::preview;
use crate::domain::remediation::request::{Bound, Digest};
use crate::domain::remediation::step::{Rehearsal, RehearsalOutcome, Step, StepId, StepState};
use crate::session::effect::Effect;
use crate::session::event::{Event, RemediationEvent};
use crate::session::incident::Phase;
use crate::session::record::{IncidentId, Record};
use crate::session::state::Session;

pub(super) fn rehearsal_asked(session: &mut Session, record: &Record, step: StepId) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    if counts(session, record.at, (id, step), Press::Rehearse).is_err() {
        return Vec::new();
    }
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.approval = None;
    if let Some(found) = incident.step_mut(step) {
        found.state = StepState::Rehearsing;
    }
    vec![preview(id, step)]
}

/// Puts the digest into a rehearsal that is about to be stamped: made of the bytes that would be sent, it is the same for
/// who folds the event from the journal, where their secrets are not.
pub fn bind(session: &Session, incident: Option<IncidentId>, event: &mut Event) {
    let Event::Remediation(RemediationEvent::StepRehearsed { step, rehearsal, digest }) = event else { return };
    let found = incident.and_then(|id| session.incidents.get(&id)?.step(*step));
    *digest = found.and_then(|found| digest_of(session, found, rehearsal));
}

fn digest_of(session: &Session, step: &Step, rehearsal: &Rehearsal) -> Option<Digest> {
    let header = &session.header;
    let (request, facts) = rehearsal.request.as_ref().zip(rehearsal.facts.as_ref())?;
    let (text, scope, mode, policy) = (step.text(), &header.scope, header.mode, &header.policy);
    Some(Bound { text: &text, request, facts, scope, mode, policy }.digest())
}

pub(super) fn rehearsed(
    session: &mut Session,
    id: IncidentId,
    step: StepId,
    (rehearsal, digest): (&Rehearsal, Option<&Digest>),
) -> Vec<Effect> {
    let known = session.incidents.get(&id).and_then(|incident| incident.step(step));
    let digest = digest.cloned().or_else(|| digest_of(session, known?, rehearsal));
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let Some(found) = incident.step_mut(step).filter(|step| may_take_rehearsal(&step.state)) else {
        return Vec::new();
    };
    found.digest = digest;
    found.rehearsal = Some(rehearsal.clone());
    found.state = freed(found, &session.cluster);
    if incident.asked_step().is_some() && matches!(incident.phase, Phase::Planned) {
        incident.phase = Phase::Asking;
    }
    Vec::new()
}

/// A rehearsal that comes late must not change the request of a step that waits, runs or has run.
fn may_take_rehearsal(state: &StepState) -> bool {
    matches!(state, StepState::Proposed | StepState::Rehearsing)
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
