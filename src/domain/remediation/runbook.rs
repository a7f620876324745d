//! Runbooks: from a verdict and the remedies it suffices for to a plan of steps. Chosen by code from the closed catalogue.

mod budget;

use super::step::{Action, Plan, PlannedOn, Step, StepId, StepState};
use super::verification::VerificationTest;
use crate::domain::diagnosis::evidence::{Evidence, EvidenceId, Payload};
use crate::domain::diagnosis::rules::{reads_memory, suspect_rollout};
use crate::domain::diagnosis::sufficiency::{RemedyKind, RemedyOffer, Sufficiency, killed, to_raise};
use crate::domain::diagnosis::verdict::{Cause, Verdict};
use crate::domain::observation::alarm::AlarmName;
use crate::domain::observation::oom_kill::ContainerKills;
use crate::domain::observation::workload::{Workload, WorkloadRef};

/// A raised limit is one and a half times the old one: room for the peak that was cut off by the kill, without
/// doubling what the nodes must hold.
const RAISE_FACTOR_PERCENT: u64 = 150;
/// Limits are set in whole multiples of this.
const LIMIT_GRAIN: u64 = 64 << 20;

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct PlanInput<'a> {
    /// The verdict.
    pub verdict: &'a Verdict,
    /// The remedies and their tests.
    pub offers: &'a [RemedyOffer],
    /// The evidence.
    pub evidence: &'a [Evidence],
    /// The workload.
    pub target: &'a WorkloadRef,
    /// The alarms that must clear.
    pub alarms: &'a [Clearing],
    /// The highest step number that is taken: numbers are never given twice in an incident.
    pub last_step: u32,
}

/// An alarm that must clear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clearing {
    /// Which.
    pub alarm: AlarmName,
    /// Seconds of points that decide its state.
    pub decided_over_s: u32,
}

/// Makes the plan: one step for each sufficient remedy that can be made concrete. They are alternatives, of which none
/// needs another. A rollback suffices only where the onset follows a rollout: what caused it goes back before anything else
/// is given to what it brought.
pub fn plan(input: PlanInput<'_>) -> Option<Plan> {
    let mut actions: Vec<Action> = input
        .offers
        .iter()
        .filter(|offer| matches!(offer.sufficiency, Sufficiency::Sufficient { .. }))
        .filter_map(|offer| concrete(offer.remedy, (input.evidence, input.verdict.cause())))
        .collect();
    actions.sort_by_key(|action| !matches!(action, Action::RolloutUndo { .. }));
    let steps: Vec<Step> =
        (input.last_step + 1..).zip(actions).map(|(number, action)| step(number, action, &input)).collect();
    (!steps.is_empty()).then(|| Plan { runbook: format!("{}/default", input.verdict.cause().id()), steps })
}

/// The action that undoes another. A restart has none worth offering: what it replaced was the broken state.
pub fn undo_of(action: &Action) -> Option<Action> {
    match action {
        Action::SetResources { container, memory_limit, was: Some(was) } => {
            Some(Action::SetResources { container: container.clone(), memory_limit: *was, was: Some(*memory_limit) })
        }
        Action::Scale { replicas, was } => Some(Action::Scale { replicas: *was, was: *replicas }),
        Action::RolloutRestart | Action::SetResources { was: None, .. } | Action::RolloutUndo { .. } => None,
    }
}

/// The plan with a further step that undoes `of`; `None` where the action has no undo of its own.
pub fn with_undo(plan: &Plan, of: StepId, last_step: u32) -> Option<Plan> {
    let undone = plan.steps.iter().find(|step| step.id == of)?;
    let action = undo_of(&undone.action)?;
    let mut undo = undone.clone();
    undo.id = StepId(last_step + 1);
    undo.action = action;
    undo.planned_on = undo.planned_on.as_ref().map(PlannedOn::object_alone);
    undo.tests.retain(|test| matches!(test, VerificationTest::RolloutComplete { .. }));
    undo.rehearsal = None;
    undo.digest = None;
    undo.state = StepState::Proposed;
    let mut plan = plan.clone();
    plan.steps.push(undo);
    Some(plan)
}

fn step(number: u32, action: Action, input: &PlanInput<'_>) -> Step {
    Step {
        tests: tests(&action, input),
        planned_on: workload(input.evidence).map(|found| PlannedOn::of(&action, found)),
        why: cited(input.verdict),
        ..Step::new(StepId(number), action, input.target.clone())
    }
}

fn cited(verdict: &Verdict) -> Vec<EvidenceId> {
    let mut ids: Vec<EvidenceId> =
        verdict.leading().into_iter().flat_map(|ranked| &ranked.findings).flat_map(|f| f.evidence.clone()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn tests(action: &Action, input: &PlanInput<'_>) -> Vec<VerificationTest> {
    let mut tests = vec![VerificationTest::RolloutComplete { within_s: budget::of_rollout(workload(input.evidence)) }];
    match action {
        Action::RolloutRestart | Action::SetResources { .. } => {
            let within_s = budget::SETTLING_S;
            if is_about_memory(input.verdict.cause()) && reads_memory(input.evidence) {
                tests.push(VerificationTest::MemoryBelow { percent: 80.0, within_s });
            }
            tests.push(VerificationTest::NoNewKills { within_s });
        }
        Action::RolloutUndo { .. } | Action::Scale { .. } => {}
    }
    tests.extend(input.alarms.iter().map(|clearing| VerificationTest::AlarmCleared {
        alarm: clearing.alarm.as_str().to_owned(),
        within_s: budget::of_alarm(clearing),
    }));
    tests
}

/// Whether the remedy of a cause must bring memory down: a process that is stuck may stand high all its life.
fn is_about_memory(cause: Cause) -> bool {
    matches!(cause, Cause::MemoryLeak | Cause::LimitTooLow)
}

fn concrete(remedy: RemedyKind, (evidence, cause): (&[Evidence], Cause)) -> Option<Action> {
    match remedy {
        RemedyKind::RolloutRestart => Some(Action::RolloutRestart),
        RemedyKind::SetResources => raise(workload(evidence)?, killed(evidence)),
        RemedyKind::RolloutUndo => {
            // The revision that the sufficiency test approved, not the one before the newest: a restart or a rollback since
            // then has made another revision, and one back from it would be the suspect again.
            let to_revision = suspect_rollout(evidence, cause)?.previous?;
            Some(Action::RolloutUndo { to_revision })
        }
        RemedyKind::Scale => {
            let was = workload(evidence)?.replicas;
            Some(Action::Scale { replicas: was + was.div_ceil(2), was })
        }
        // A Helm rollback needs the release's history, which is read by the Helm adapter alone.
        RemedyKind::HelmRollback => None,
    }
}

fn raise(workload: &Workload, killed: &[ContainerKills]) -> Option<Action> {
    let container = to_raise(&workload.containers, killed).ok()?;
    let was = container.memory_limit?;
    let raised = (was.saturating_mul(RAISE_FACTOR_PERCENT) / 100).div_ceil(LIMIT_GRAIN) * LIMIT_GRAIN;
    Some(Action::SetResources { container: container.name.clone(), memory_limit: raised, was: Some(was) })
}

fn workload(evidence: &[Evidence]) -> Option<&Workload> {
    evidence.iter().rev().find_map(|evidence| match evidence.answer.payload()? {
        Payload::Workload { workload, .. } => Some(workload.as_ref()),
        Payload::Series { .. }
        | Payload::OomKills(_)
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Changes { .. } => None,
    })
}

#[cfg(test)]
mod tests;
