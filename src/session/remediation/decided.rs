//! Decisions of the person: which press counts, and what follows from it for the steps behind.

use jiff::Timestamp;

use super::preview;
use super::rehearsed::after_rehearsal;
use crate::domain::remediation::approval::{Approval, Decision};
use crate::domain::remediation::request::{Digest, Mode};
use crate::domain::remediation::step::{LeftOut, Step, StepId, StepState};
use crate::session::effect::Effect;
use crate::session::event::{Event, RemediationEvent, ReportEvent, TimerPurpose};
use crate::session::incident::{Incident, Phase};
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
    let Some(id) = record.incident.filter(|_| may_decide(session, record)) else { return Vec::new() };
    let Some(found) = waiting(session, record, step, digest) else { return Vec::new() };
    found.state = StepState::Armed { until };
    let purpose = TimerPurpose::ArmExpiry { step, digest: digest.clone() };
    vec![Effect::Schedule { incident: id, purpose, after: until.duration_since(record.at) }]
}

/// Nothing is decided in a session that cannot write it down, or while the gate is locked.
fn may_decide(session: &Session, record: &Record) -> bool {
    let incident = record.incident.and_then(|id| session.incidents.get(&id));
    let gate = incident.and_then(|incident| incident.gate.as_ref());
    session.read_only.is_none() && gate.is_some_and(|gate| gate.holds(&session.header.policy, record.at))
}

/// The step, if it waits for a decision on just this digest.
fn waiting<'a>(session: &'a mut Session, record: &Record, step: StepId, digest: &Digest) -> Option<&'a mut Step> {
    let found = session.incidents.get_mut(&record.incident?)?.step_mut(step)?;
    // The timer may come late; the time does not.
    let waits =
        found.state == StepState::Rehearsed || matches!(found.state, StepState::Armed { until } if record.at < until);
    (waits && found.digest.as_ref() == Some(digest)).then_some(found)
}

pub(super) fn decided(session: &mut Session, record: &Record, step: StepId, decision: &Decision) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    match decision {
        Decision::Approved { digest, confirm, expires_at, .. } => {
            if !may_decide(session, record) {
                return Vec::new();
            }
            let mode = session.header.mode;
            let Some(found) = waiting(session, record, step, digest) else { return Vec::new() };
            found.state = StepState::Approved;
            match mode {
                Mode::DryRun => after_decision(session, id),
                Mode::Live => {
                    let approval = Approval {
                        step,
                        digest: digest.clone(),
                        confirm: *confirm,
                        expires_at: *expires_at,
                        seq: record.seq,
                    };
                    if let Some(incident) = session.incidents.get_mut(&id) {
                        incident.approval = Some(approval);
                    }
                    vec![Effect::Execute { incident: id, step }]
                }
            }
        }
        Decision::Denied { reason, .. } => refuse(session, id, step, StepState::Denied { reason: reason.clone() }),
        Decision::Skipped { .. } => refuse(session, id, step, StepState::Skipped { why: LeftOut::ByPerson }),
    }
}

fn refuse(session: &mut Session, id: IncidentId, step: StepId, state: StepState) -> Vec<Effect> {
    let Some(found) = session.incidents.get_mut(&id).and_then(|incident| incident.step_mut(step)) else {
        return Vec::new();
    };
    if !found.state.is_open_to_refusal() {
        return Vec::new();
    }
    found.state = state;
    after_decision(session, id)
}

pub(super) fn skipped(session: &mut Session, id: IncidentId, step: StepId, why: &LeftOut) -> Vec<Effect> {
    let found = session.incidents.get_mut(&id).and_then(|incident| incident.step_mut(step));
    let Some(found) = found.filter(|step| matches!(step.state, StepState::Locked { .. })) else { return Vec::new() };
    found.state = StepState::Skipped { why: why.clone() };
    after_decision(session, id)
}

/// Concludes that a step which can never come open any more is left out. The next of them follows from that.
pub fn left_out(incident: &Incident) -> Option<Effect> {
    let steps = &incident.plan.as_ref()?.steps;
    let ended = |need: &StepId| {
        let before = steps.iter().find(|step| step.id == *need)?;
        let end = before.state.dead_end()?.to_owned();
        Some(LeftOut::After { step: before.id, end })
    };
    let locked = steps.iter().filter(|step| matches!(step.state, StepState::Locked { .. }));
    let (step, why) = locked.filter_map(|step| Some((step.id, step.needs.iter().find_map(ended)?))).next()?;
    Some(conclude(incident.id, Event::Remediation(RemediationEvent::StepSkipped { step, why })))
}

/// Unlocks what waited for this decision, leaves out what waits in vain, and reports when every step is decided.
fn after_decision(session: &mut Session, id: IncidentId) -> Vec<Effect> {
    let mode = session.header.mode;
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let mut effects = unlock(incident, mode);
    incident.phase = standing(incident);
    effects.extend(left_out(incident));
    if incident.phase == Phase::Closed {
        effects.push(report_drafted(session, id));
    }
    effects
}

fn report_drafted(session: &Session, id: IncidentId) -> Effect {
    let (headline, follow_ups) = reporting::draft(session, id);
    conclude(id, Event::Report(ReportEvent::Drafted { headline, follow_ups }))
}

/// A step is free when all it needs is verified; in a dry-run nothing ever is, so "would run" counts there. Live, its
/// rehearsal was of the target before the step that just ran: it is rehearsed anew.
pub fn unlock(incident: &mut Incident, mode: Mode) -> Vec<Effect> {
    let id = incident.id;
    let Some(plan) = incident.plan.as_mut() else { return Vec::new() };
    let done: Vec<StepId> = plan
        .steps
        .iter()
        .filter(|step| match mode {
            Mode::DryRun => step.state == StepState::Approved,
            Mode::Live => step.state == StepState::Verified,
        })
        .map(|step| step.id)
        .collect();
    let mut effects = Vec::new();
    for step in &mut plan.steps {
        if matches!(step.state, StepState::Locked { .. }) && step.needs.iter().all(|need| done.contains(need)) {
            match mode {
                Mode::DryRun => {
                    step.state = step.rehearsal.as_ref().map_or(StepState::Proposed, after_rehearsal);
                }
                Mode::Live => {
                    step.state = StepState::Rehearsing;
                    effects.push(preview(id, step.id));
                }
            }
        }
    }
    effects
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
