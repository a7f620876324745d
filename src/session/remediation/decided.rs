//! Decisions of the person: which press counts, and what follows from it.

use jiff::Timestamp;

use super::press::{Press, counts};
use crate::domain::remediation::approval::{Approval, Decision};
use crate::domain::remediation::request::{Digest, Mode};
use crate::domain::remediation::step::{Action, LeftOut, Step, StepId, StepState};
use crate::session::effect::Effect;
use crate::session::event::{Event, RemediationEvent, TimerPurpose};
use crate::session::incident::Incident;
use crate::session::record::{IncidentId, Record};
use crate::session::reporting;
use crate::session::standing::standing;
use crate::session::state::Session;
use crate::session::triage::conclude;

pub(super) fn armed(
    session: &mut Session,
    record: &Record,
    step: StepId,
    digest: &Digest,
    until: Timestamp,
) -> Vec<Effect> {
    let Some((id, found)) = admitted(session, record, step, Press::Approve(digest)) else { return Vec::new() };
    found.state = StepState::Armed { until };
    let purpose = TimerPurpose::ArmExpiry { step, digest: digest.clone() };
    vec![Effect::Schedule { incident: id, purpose, after: until.duration_since(record.at) }]
}

/// The step, if a press on it counts.
fn admitted<'a>(
    session: &'a mut Session,
    record: &Record,
    step: StepId,
    press: Press<'_>,
) -> Option<(IncidentId, &'a mut Step)> {
    let id = record.incident?;
    counts(session, record.at, (id, step), press).ok()?;
    Some((id, session.incidents.get_mut(&id)?.step_mut(step)?))
}

pub(super) fn decided(session: &mut Session, record: &Record, step: StepId, decision: &Decision) -> Vec<Effect> {
    let mode = session.header.mode;
    let Some((id, found)) = admitted(session, record, step, Press::of(decision)) else { return Vec::new() };
    match decision {
        Decision::Approved { digest, confirm, expires_at, .. } => {
            found.state = StepState::Approved;
            if let Some(incident) = session.incidents.get_mut(&id)
                && let Some(ground) = incident.ground(record.at)
            {
                incident.grounds.insert(step, ground);
            }
            match mode {
                Mode::DryRun => after_decision(session, id),
                Mode::Live => {
                    let (digest, expires_at) = (digest.clone(), *expires_at);
                    let approval = Approval { step, digest, confirm: *confirm, expires_at, seq: record.seq };
                    if let Some(incident) = session.incidents.get_mut(&id) {
                        incident.approval = Some(approval);
                    }
                    vec![Effect::Execute { incident: id, step }]
                }
            }
        }
        Decision::Denied { reason, .. } => {
            found.state = StepState::Denied { reason: reason.clone() };
            after_decision(session, id)
        }
        Decision::Skipped { .. } => {
            found.state = StepState::Skipped { why: LeftOut::ByPerson };
            after_decision(session, id)
        }
    }
}

pub(super) fn skipped(session: &mut Session, id: IncidentId, step: StepId, why: &LeftOut) -> Vec<Effect> {
    let found = session.incidents.get_mut(&id).and_then(|incident| incident.step_mut(step));
    let Some(found) = found.filter(|step| step.state.is_open_to_refusal()) else { return Vec::new() };
    found.state = StepState::Skipped { why: why.clone() };
    after_decision(session, id)
}

/// Reports when every step is decided.
fn after_decision(session: &mut Session, id: IncidentId) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.phase = standing(incident, &session.alarms);
    if incident.is_settled() { vec![reporting::drafted(session, id)] } else { Vec::new() }
}

/// A rollback that was verified has taken away what the other remedies are for; after any other, a rollback may still be
/// due, and fresh evidence says so.
pub fn leave_out_alternatives(incident: &mut Incident) {
    let Incident { plan: Some(plan), undos, .. } = incident else { return };
    let is_done = |step: &&Step| step.state == StepState::Verified && !undos.contains_key(&step.id);
    let rolled_back = |step: &&Step| matches!(step.action, Action::RolloutUndo { .. });
    let Some(by) = plan.steps.iter().filter(is_done).find(rolled_back).map(|step| step.id) else { return };
    let others = plan.steps.iter_mut().filter(|step| step.id != by && !undos.contains_key(&step.id));
    for step in others.filter(|step| step.state.is_open_to_refusal()) {
        step.state = StepState::Skipped { why: LeftOut::Instead { step: by } };
    }
}

/// Concludes that an armed step expired, if it is still armed with this digest.
pub fn arm_expired(session: &Session, id: IncidentId, step: StepId, digest: &Digest) -> Vec<Effect> {
    let found = session.incidents.get(&id).and_then(|incident| incident.step(step));
    match found {
        Some(found) if matches!(found.state, StepState::Armed { .. }) && found.digest.as_ref() == Some(digest) => {
            vec![conclude(id, Event::Remediation(RemediationEvent::Expired { step }))]
        }
        Some(_) | None => Vec::new(),
    }
}
