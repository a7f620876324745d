//! Plan, rehearsals, decisions, executions: the states of a step and what each event makes of them.

use jiff::{SignedDuration, Timestamp};

use super::effect::Effect;
use super::event::{Event, Execution, RemediationEvent, ReportEvent, TimerPurpose};
use super::incident::{Incident, Phase, Verification};
use super::record::{IncidentId, Record};
use super::standing::standing;
use super::state::Session;
use super::triage::conclude;
use super::{reporting, verification};
use crate::domain::remediation::approval::{Approval, Decision};
use crate::domain::remediation::gate::{self, GateInput, GateReport, NarrativeStanding};
use crate::domain::remediation::request::{Bound, Digest, Mode};
use crate::domain::remediation::runbook::{self, PlanInput};
use crate::domain::remediation::step::{LeftOut, Plan, Rehearsal, RehearsalOutcome, Step, StepId, StepState};
use crate::domain::remediation::trace::Trace;
use crate::domain::remediation::verification::TestState;

/// Concludes a fresh judgement of the gate.
pub fn judge(session: &Session, id: IncidentId, now: Timestamp) -> Vec<Effect> {
    let Some(report) = report(session, id, now) else { return Vec::new() };
    let event = RemediationEvent::GateJudged { report: Box::new(report) };
    vec![conclude(id, Event::Remediation(event))]
}

/// Judges again because time has passed; concludes only what changed.
pub fn judge_again(session: &Session, id: IncidentId, now: Timestamp) -> Vec<Effect> {
    let was_open = session.incidents.get(&id).is_some_and(Incident::gate_is_open);
    match report(session, id, now) {
        Some(report) if report.is_open() != was_open => {
            let event = RemediationEvent::GateJudged { report: Box::new(report) };
            vec![conclude(id, Event::Remediation(event))]
        }
        Some(_) | None => Vec::new(),
    }
}

fn report(session: &Session, id: IncidentId, now: Timestamp) -> Option<GateReport> {
    // A round that is not answered yet is judged with its verdict.
    let incident = session.incidents.get(&id).filter(|incident| incident.awaited.is_empty())?;
    Some(gate::judge(GateInput {
        verdict: incident.verdict.as_ref()?,
        offers: &incident.offers,
        evidence: incident.round(),
        narrative: incident.narrative.standing,
        claims: &incident.narrative.claims,
        diagnosis: incident.diagnosis.as_ref(),
        stands_on: incident.stands_on,
        target: incident.service.workload.as_ref(),
        policy: &session.header.policy,
        now,
    }))
}

/// Folds an event about remediation.
pub fn fold(session: &mut Session, record: &Record, event: &RemediationEvent) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    match event {
        RemediationEvent::GateJudged { report } => gate_judged(session, id, report, record.at),
        RemediationEvent::PlanProposed { plan } => proposed(session, id, plan),
        RemediationEvent::UndoProposed { of, plan } => undo_proposed(session, id, *of, plan),
        RemediationEvent::RehearsalAsked { step } => rehearsal_asked(session, id, *step),
        RemediationEvent::StepRehearsed { step, rehearsal } => rehearsed(session, id, *step, rehearsal),
        RemediationEvent::StepArmed { step, digest, until } => armed(session, record, *step, digest, *until),
        RemediationEvent::DecisionGiven { step, decision } => decided(session, record, *step, decision),
        RemediationEvent::StepSkipped { step, why } => skipped(session, id, *step, why),
        RemediationEvent::PermitRefused { step, refusal } => {
            disarm(session, id, *step, StepState::StoodDown { why: refusal.text() })
        }
        RemediationEvent::StepStarted { step, .. } => started(session, id, *step),
        RemediationEvent::StepFinished { step, execution } => finished(session, record, *step, execution),
        RemediationEvent::StoodDown { step, why } => {
            disarm(session, id, *step, StepState::StoodDown { why: why.clone() })
        }
        RemediationEvent::Expired { step } => disarm(session, id, *step, StepState::Expired),
        RemediationEvent::UncertaintySettled { step, found, trace } => settled(session, record, *step, (*trace, found)),
    }
}

fn proposed(session: &mut Session, id: IncidentId, plan: &Plan) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.plan = Some(plan.clone());
    incident.last_step = plan.steps.iter().map(|step| step.id.0).fold(incident.last_step, u32::max);
    incident.phase = standing(incident);
    plan.steps.iter().filter(|step| step.rehearsal.is_none()).map(|step| preview(id, step.id)).collect()
}

/// Adds the undo to the plan as it stands now; what the other steps have come to meanwhile is left alone. One undo of a
/// step is enough.
fn undo_proposed(session: &mut Session, id: IncidentId, of: StepId, plan: &Plan) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let Some(undo) = plan.steps.last().filter(|undo| undo.id != of && incident.step(undo.id).is_none()) else {
        return Vec::new();
    };
    let has_run = incident.step(of).is_some_and(|step| step.state.may_have_run());
    let is_offered =
        |step: &Step| incident.undos.contains(&step.id) && step.action == undo.action && !step.state.is_decided();
    if !has_run || incident.plan.iter().flat_map(|plan| &plan.steps).any(is_offered) {
        return Vec::new();
    }
    incident.undos.insert(undo.id);
    incident.last_step = incident.last_step.max(undo.id.0);
    if let Some(plan) = incident.plan.as_mut() {
        plan.steps.push(undo.clone());
    }
    if incident.gate.is_none() {
        // The evidence is being read again and nothing could be decided on it: it is rehearsed when the gate opens.
        return Vec::new();
    }
    incident.phase = standing(incident);
    vec![preview(id, undo.id)]
}

/// Undos that were proposed while there was no judgement to decide them on.
fn rehearse_waiting_undos(session: &mut Session, id: IncidentId) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let undos = &incident.undos;
    let mut effects = Vec::new();
    for step in incident.plan.iter_mut().flat_map(|plan| &mut plan.steps) {
        if undos.contains(&step.id) && step.state == StepState::Proposed && step.rehearsal.is_none() {
            step.state = StepState::Rehearsing;
            effects.push(preview(id, step.id));
        }
    }
    effects
}

fn preview(incident: IncidentId, step: StepId) -> Effect {
    Effect::Preview { incident, step }
}

fn gate_judged(session: &mut Session, id: IncidentId, report: &GateReport, now: Timestamp) -> Vec<Effect> {
    let max_age = i64::from(session.header.policy.evidence_max_age_s);
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.gate = Some(report.clone());
    if matches!(incident.phase, Phase::Triage | Phase::Diagnosing | Phase::Watching)
        && incident.awaited.is_empty()
        && incident.narrative.standing != NarrativeStanding::UnderWay
    {
        incident.phase = match standing(incident) {
            // A new judgement opens it again.
            Phase::Closed => Phase::Planned,
            standing => standing,
        };
    }
    if !report.is_open() {
        return stand_down(session, id, "the gate is locked");
    }
    let left = report.oldest.map_or(max_age, |oldest| max_age - now.duration_since(oldest).as_secs());
    let mut effects = vec![Effect::Schedule {
        incident: id,
        purpose: TimerPurpose::JudgeGate,
        after: SignedDuration::from_secs(left.max(0) + 1),
    }];
    effects.extend(planned(session, id));
    effects.extend(rehearse_waiting_undos(session, id));
    effects
}

fn planned(session: &Session, id: IncidentId) -> Option<Effect> {
    let incident = session.incidents.get(&id).filter(|incident| incident.plan.is_none())?;
    let plan = runbook::plan(PlanInput {
        verdict: incident.verdict.as_ref()?,
        offers: &incident.offers,
        evidence: incident.round(),
        target: incident.service.workload.as_ref()?,
        alarms: &incident.alarms,
        last_step: incident.last_step,
    })?;
    Some(conclude(id, Event::Remediation(RemediationEvent::PlanProposed { plan: Box::new(plan) })))
}

fn rehearsal_asked(session: &mut Session, id: IncidentId, step: StepId) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let open = incident.gate_is_open();
    let Some(found) = incident.step_mut(step) else { return Vec::new() };
    match found.state {
        StepState::Proposed
        | StepState::Rehearsed
        | StepState::Armed { .. }
        | StepState::Expired
        | StepState::StoodDown { .. }
            if open =>
        {
            found.state = StepState::Rehearsing;
            incident.approval = None;
            vec![preview(id, step)]
        }
        StepState::Proposed
        | StepState::Rehearsed
        | StepState::Armed { .. }
        | StepState::Expired
        | StepState::StoodDown { .. }
        | StepState::Locked { .. }
        | StepState::Rehearsing
        | StepState::Approved
        | StepState::Running
        | StepState::Verifying
        | StepState::Verified
        | StepState::Failed { .. }
        | StepState::Denied { .. }
        | StepState::Skipped { .. }
        | StepState::Uncertain => Vec::new(),
    }
}

fn rehearsed(session: &mut Session, id: IncidentId, step: StepId, rehearsal: &Rehearsal) -> Vec<Effect> {
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

fn after_rehearsal(rehearsal: &Rehearsal) -> StepState {
    match rehearsal.outcome {
        RehearsalOutcome::Rehearsed => StepState::Rehearsed,
        RehearsalOutcome::Forbidden { .. }
        | RehearsalOutcome::Refused { .. }
        | RehearsalOutcome::LocalOnly { .. }
        | RehearsalOutcome::NotRehearsable { .. } => StepState::Proposed,
    }
}

fn armed(session: &mut Session, record: &Record, step: StepId, digest: &Digest, until: Timestamp) -> Vec<Effect> {
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

fn decided(session: &mut Session, record: &Record, step: StepId, decision: &Decision) -> Vec<Effect> {
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

fn skipped(session: &mut Session, id: IncidentId, step: StepId, why: &LeftOut) -> Vec<Effect> {
    let found = session.incidents.get_mut(&id).and_then(|incident| incident.step_mut(step));
    let Some(found) = found.filter(|step| matches!(step.state, StepState::Locked { .. })) else { return Vec::new() };
    found.state = StepState::Skipped { why: why.clone() };
    after_decision(session, id)
}

/// Concludes that a step which can never come open any more is left out. The next of them follows from that.
pub(super) fn left_out(incident: &Incident) -> Option<Effect> {
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
pub(super) fn unlock(incident: &mut Incident, mode: Mode) -> Vec<Effect> {
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

fn started(session: &mut Session, id: IncidentId, step: StepId) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.approval = None;
    if let Some(found) = incident.step_mut(step).filter(|step| step.state == StepState::Approved) {
        found.state = StepState::Running;
        incident.phase = Phase::Running;
    }
    Vec::new()
}

fn finished(session: &mut Session, record: &Record, step: StepId, execution: &Execution) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let Some(found) = incident.step_mut(step) else { return Vec::new() };
    if !matches!(found.state, StepState::Running | StepState::Uncertain) {
        return Vec::new();
    }
    match execution {
        Execution::Applied { .. } => verify(incident, step, record.at),
        Execution::NotApplied { fault } => {
            found.state = StepState::StoodDown { why: fault.to_string() };
            incident.phase = standing(incident);
            Vec::new()
        }
        Execution::Unknown { .. } => {
            found.state = StepState::Uncertain;
            incident.phase = Phase::Uncertain(step);
            Vec::new()
        }
    }
}

/// Watches the result of a step that has run, from `since` on.
fn verify(incident: &mut Incident, step: StepId, since: Timestamp) -> Vec<Effect> {
    let Some(found) = incident.step_mut(step) else { return Vec::new() };
    found.state = StepState::Verifying;
    let tests = vec![TestState::Waiting; found.tests.len()];
    incident.verification = Some(Verification { step, since, tests, last: None });
    incident.phase = Phase::Verifying;
    vec![verification::measure(incident.id, step)]
}

/// A step that has run after all is watched like any other that has; its budgets begin with what was found.
fn settled(session: &mut Session, record: &Record, step: StepId, (trace, text): (Trace, &str)) -> Vec<Effect> {
    let Some(incident) = record.incident.and_then(|id| session.incidents.get_mut(&id)) else { return Vec::new() };
    let Some(found) = incident.step_mut(step).filter(|step| step.state == StepState::Uncertain) else {
        return Vec::new();
    };
    match trace {
        Trace::HasRun => verify(incident, step, record.at),
        Trace::HasNotRun | Trace::Unclear => {
            found.state = StepState::StoodDown { why: text.to_owned() };
            incident.phase = standing(incident);
            Vec::new()
        }
    }
}

/// Takes a step out of waiting. One that has left already stays as it is: standing down stops no cluster.
fn disarm(session: &mut Session, id: IncidentId, step: StepId, state: StepState) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.approval = None;
    if let Some(found) = incident.step_mut(step).filter(|step| step.state.can_stand_down()) {
        found.state = state;
    }
    Vec::new()
}

/// Concludes that every step of an incident that waits for the person stands down.
pub fn stand_down(session: &Session, id: IncidentId, why: &str) -> Vec<Effect> {
    let steps = session.incidents.get(&id).and_then(|incident| incident.plan.as_ref()).map(|plan| &plan.steps);
    steps
        .into_iter()
        .flatten()
        .filter(|step| matches!(step.state, StepState::Armed { .. } | StepState::Rehearsed))
        .map(|step| {
            let event = RemediationEvent::StoodDown { step: step.id, why: why.to_owned() };
            conclude(id, Event::Remediation(event))
        })
        .collect()
}

/// The same for every incident.
pub fn stand_down_all(session: &Session, why: &str) -> Vec<Effect> {
    session.incidents.keys().flat_map(|id| stand_down(session, *id, why)).collect()
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

#[cfg(test)]
mod tests;
