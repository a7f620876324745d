//! Plan, rehearsals, decisions, executions: the states of a step and what each event makes of them.

use jiff::{SignedDuration, Timestamp};

use super::effect::Effect;
use super::event::{Event, Execution, RemediationEvent, ReportEvent, TimerPurpose};
use super::incident::{Incident, Phase, Verification};
use super::record::{IncidentId, Record};
use super::state::Session;
use super::triage::conclude;
use super::{reporting, verification};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::remediation::approval::{Approval, Decision};
use crate::domain::remediation::gate::{self, GateInput, GateReport, NarrativeStanding};
use crate::domain::remediation::request::{Bound, Digest, Mode};
use crate::domain::remediation::runbook::{self, PlanInput};
use crate::domain::remediation::step::{Rehearsal, RehearsalOutcome, Step, StepId, StepState};
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
    let incident = session.incidents.get(&id)?;
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
        RemediationEvent::PlanProposed { plan } | RemediationEvent::UndoProposed { plan, .. } => {
            let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
            incident.plan = Some((**plan).clone());
            incident.phase = Phase::Planned;
            plan.steps.iter().filter(|step| step.rehearsal.is_none()).map(|step| preview(id, step.id)).collect()
        }
        RemediationEvent::RehearsalAsked { step } => rehearsal_asked(session, id, *step),
        RemediationEvent::StepRehearsed { step, rehearsal } => rehearsed(session, id, *step, rehearsal),
        RemediationEvent::StepArmed { step, digest, until } => armed(session, record, *step, digest, *until),
        RemediationEvent::DecisionGiven { step, decision } => decided(session, record, *step, decision),
        RemediationEvent::PermitRefused { step, refusal } => {
            disarm(session, id, *step, StepState::StoodDown { why: refusal.text() })
        }
        RemediationEvent::StepStarted { step, .. } => started(session, id, *step),
        RemediationEvent::StepFinished { step, execution } => finished(session, record, *step, execution),
        RemediationEvent::StoodDown { step, why } => {
            disarm(session, id, *step, StepState::StoodDown { why: why.clone() })
        }
        RemediationEvent::Expired { step } => disarm(session, id, *step, StepState::Expired),
        RemediationEvent::UncertaintySettled { step, found } => settled(session, id, *step, found),
    }
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
        incident.phase = Phase::Planned;
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
        | StepState::Skipped
        | StepState::Uncertain => Vec::new(),
    }
}

fn rehearsed(session: &mut Session, id: IncidentId, step: StepId, rehearsal: &Rehearsal) -> Vec<Effect> {
    let header = session.header.clone();
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let Some(found) = incident.step_mut(step) else { return Vec::new() };
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
    let Some(found) = waiting(session, id, step, digest) else { return Vec::new() };
    found.state = StepState::Armed { until };
    let purpose = TimerPurpose::ArmExpiry { step, digest: digest.clone() };
    vec![Effect::Schedule { incident: id, purpose, after: until.duration_since(record.at) }]
}

/// Nothing is decided in a session that cannot write it down, or while the gate is locked.
fn may_decide(session: &Session, record: &Record) -> bool {
    let incident = record.incident.and_then(|id| session.incidents.get(&id));
    session.read_only.is_none() && incident.is_some_and(Incident::gate_is_open)
}

/// The step, if it waits for a decision on just this digest.
fn waiting<'a>(session: &'a mut Session, id: IncidentId, step: StepId, digest: &Digest) -> Option<&'a mut Step> {
    let found = session.incidents.get_mut(&id)?.step_mut(step)?;
    let waits = matches!(found.state, StepState::Rehearsed | StepState::Armed { .. });
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
            let Some(found) = waiting(session, id, step, digest) else { return Vec::new() };
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
        Decision::Skipped { .. } => refuse(session, id, step, StepState::Skipped),
    }
}

fn refuse(session: &mut Session, id: IncidentId, step: StepId, state: StepState) -> Vec<Effect> {
    let Some(found) = session.incidents.get_mut(&id).and_then(|incident| incident.step_mut(step)) else {
        return Vec::new();
    };
    if !is_open_to_refusal(&found.state) {
        return Vec::new();
    }
    found.state = state;
    after_decision(session, id)
}

fn is_open_to_refusal(state: &StepState) -> bool {
    match state {
        StepState::Locked { .. }
        | StepState::Proposed
        | StepState::Rehearsing
        | StepState::Rehearsed
        | StepState::Armed { .. }
        | StepState::Expired
        | StepState::StoodDown { .. } => true,
        StepState::Approved
        | StepState::Running
        | StepState::Verifying
        | StepState::Verified
        | StepState::Failed { .. }
        | StepState::Denied { .. }
        | StepState::Skipped
        | StepState::Uncertain => false,
    }
}

/// Unlocks what waited for this decision, and reports when every step is decided.
fn after_decision(session: &mut Session, id: IncidentId) -> Vec<Effect> {
    let mode = session.header.mode;
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    unlock(incident, mode);
    let steps = incident.plan.as_ref().map(|plan| plan.steps.as_slice()).unwrap_or_default();
    if !steps.iter().all(|step| is_decided(&step.state)) {
        incident.phase = Phase::Asking;
        return Vec::new();
    }
    incident.phase = Phase::Closed;
    vec![report_drafted(session, id)]
}

fn report_drafted(session: &Session, id: IncidentId) -> Effect {
    let (headline, follow_ups) = reporting::draft(session, id);
    conclude(id, Event::Report(ReportEvent::Drafted { headline, follow_ups }))
}

fn is_decided(state: &StepState) -> bool {
    match state {
        StepState::Approved
        | StepState::Verified
        | StepState::Failed { .. }
        | StepState::Denied { .. }
        | StepState::Skipped => true,
        StepState::Locked { .. }
        | StepState::Proposed
        | StepState::Rehearsing
        | StepState::Rehearsed
        | StepState::Armed { .. }
        | StepState::Running
        | StepState::Verifying
        | StepState::Expired
        | StepState::StoodDown { .. }
        | StepState::Uncertain => false,
    }
}

/// A step is free when all it needs is verified; in a dry-run nothing ever is, so "would run" counts there.
pub(super) fn unlock(incident: &mut Incident, mode: Mode) {
    let Some(plan) = incident.plan.as_mut() else { return };
    let done: Vec<StepId> = plan
        .steps
        .iter()
        .filter(|step| match mode {
            Mode::DryRun => step.state == StepState::Approved,
            Mode::Live => step.state == StepState::Verified,
        })
        .map(|step| step.id)
        .collect();
    for step in &mut plan.steps {
        if matches!(step.state, StepState::Locked { .. }) && step.needs.iter().all(|need| done.contains(need)) {
            step.state = step.rehearsal.as_ref().map_or(StepState::Proposed, after_rehearsal);
        }
    }
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
        Execution::Applied { .. } => {
            found.state = StepState::Verifying;
            let tests = vec![TestState::Waiting; found.tests.len()];
            incident.verification = Some(Verification { step, since: record.at, tests, last: None });
            incident.phase = Phase::Verifying;
            vec![verification::measure(id, step)]
        }
        Execution::NotApplied { fault } => {
            found.state = StepState::StoodDown { why: fault.to_string() };
            incident.phase = Phase::Asking;
            Vec::new()
        }
        Execution::Unknown { .. } => {
            found.state = StepState::Uncertain;
            incident.phase = Phase::Uncertain(step);
            Vec::new()
        }
    }
}

fn settled(session: &mut Session, id: IncidentId, step: StepId, found: &str) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    if let Some(step) = incident.step_mut(step).filter(|step| step.state == StepState::Uncertain) {
        step.state = StepState::StoodDown { why: format!("settled by the person: {found}") };
        incident.phase = Phase::Planned;
    }
    Vec::new()
}

/// Takes a step out of waiting. One that has left already stays as it is: standing down stops no cluster.
fn disarm(session: &mut Session, id: IncidentId, step: StepId, state: StepState) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.approval = None;
    if let Some(found) = incident.step_mut(step).filter(|step| can_stand_down(&step.state)) {
        found.state = state;
    }
    Vec::new()
}

fn can_stand_down(state: &StepState) -> bool {
    matches!(state, StepState::Rehearsed | StepState::Armed { .. } | StepState::Approved | StepState::Rehearsing)
}

/// Whether a request of this incident may be on its way: its plan must not be forgotten.
pub fn is_in_flight(incident: &Incident) -> bool {
    let steps = incident.plan.iter().flat_map(|plan| &plan.steps);
    incident.approval.is_some()
        || steps
            .into_iter()
            .any(|step| matches!(step.state, StepState::Running | StepState::Verifying | StepState::Uncertain))
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

/// Brings a session whose process ended to a state that can go on: what may have run is uncertain, what waited stands
/// down, what was being read or written is asked again. Nothing is sent.
pub fn settle_after_crash(session: &mut Session) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (id, incident) in &mut session.incidents {
        incident.approval = None;
        effects.push(Effect::Follow { incident: *id });
        let mut uncertain = None;
        for step in incident.plan.iter_mut().flat_map(|plan| &mut plan.steps) {
            match step.state {
                StepState::Running => uncertain = Some(step.id),
                StepState::Verifying => effects.push(verification::measure(*id, step.id)),
                StepState::Armed { .. } | StepState::Rehearsed | StepState::Rehearsing => {
                    step.state = StepState::StoodDown { why: "the program ended".to_owned() };
                }
                StepState::Approved if session.header.mode == Mode::Live => {
                    let why = "the program ended before the approval was used; nothing was sent".to_owned();
                    step.state = StepState::StoodDown { why };
                }
                StepState::Approved
                | StepState::Locked { .. }
                | StepState::Proposed
                | StepState::Verified
                | StepState::Failed { .. }
                | StepState::Denied { .. }
                | StepState::Skipped
                | StepState::Expired
                | StepState::StoodDown { .. }
                | StepState::Uncertain => {}
            }
            if uncertain == Some(step.id) {
                step.state = StepState::Uncertain;
            }
        }
        if let Some(step) = uncertain {
            incident.phase = Phase::Uncertain(step);
        }
        if incident.narrative.standing == NarrativeStanding::UnderWay {
            incident.narrative.standing = NarrativeStanding::Broken;
            incident.narrative.fault =
                Some(Fault::new(FaultKind::Cut, "The program ended while the model was writing."));
        }
        if let (Some(window), false) = (incident.window, incident.awaited.is_empty()) {
            effects.push(Effect::Observe { incident: *id, asks: incident.awaited.clone(), window });
        }
    }
    effects
}
