//! Executions: a request left, how it ended, and the watch over a step that has run.

use jiff::Timestamp;

use crate::domain::observation::skew::ClockSkew;
use crate::domain::remediation::step::{Shortfall, StepId, StepState};
use crate::domain::remediation::trace::Trace;
use crate::domain::remediation::verification::{TestState, Watch};
use crate::session::effect::Effect;
use crate::session::event::Execution;
use crate::session::incident::{Change, ChangeOutcome, Incident, Phase, Started, Verification, Way};
use crate::session::record::Record;
use crate::session::reporting;
use crate::session::standing::standing;
use crate::session::state::Session;
use crate::session::verification;

pub(super) fn started(session: &mut Session, record: &Record, step: StepId) -> Vec<Effect> {
    let Some(incident) = record.incident.and_then(|id| session.incidents.get_mut(&id)) else { return Vec::new() };
    incident.approval = None;
    if let Some(found) = incident.step_mut(step).filter(|step| step.state == StepState::Approved) {
        found.state = StepState::Running;
        incident.phase = Phase::Running;
        incident.started = Some(Started { step, at_aws: session.clock.at_aws(record.at), way: Way::ToDisk });
        others_wait(incident, step);
    }
    Vec::new()
}

/// How far the request of a running step has come. What came of it is counted from when it left.
pub(super) fn on_its_way(session: &mut Session, record: &Record, step: StepId, way: Way) -> Vec<Effect> {
    let at_aws = session.clock.at_aws(record.at);
    let Some(incident) = record.incident.and_then(|id| session.incidents.get_mut(&id)) else { return Vec::new() };
    // Who called it back may have told its end before this was read.
    let is_open = |state: &StepState| matches!(state, StepState::Running | StepState::Uncertain);
    if incident.step(step).is_none_or(|found| !is_open(&found.state)) {
        return Vec::new();
    }
    if let Some(started) = incident.started.as_mut().filter(|started| started.step == step) {
        started.way = match (started.way, way) {
            (Way::Sent { .. } | Way::LookingAgain { .. }, Way::Looking { since }) => Way::LookingAgain { since },
            (Way::ToDisk | Way::Looking { .. } | Way::Sent { .. } | Way::LookingAgain { .. }, way) => way,
        };
        match way {
            Way::ToDisk | Way::Looking { .. } | Way::LookingAgain { .. } => {}
            Way::Sent { .. } => started.at_aws = at_aws,
        }
    }
    Vec::new()
}

/// What one step does to the object, the others were neither planned nor rehearsed on.
fn others_wait(incident: &mut Incident, started: StepId) {
    let steps = incident.plan.iter_mut().flat_map(|plan| &mut plan.steps);
    for step in steps.filter(|step| step.id != started && step.state.can_stand_down()) {
        let why = format!("{started} goes first: read the evidence again with r after it");
        step.state = StepState::StoodDown { why };
    }
}

pub(super) fn finished(session: &mut Session, record: &Record, step: StepId, execution: &Execution) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let Some(found) = incident.step_mut(step) else { return Vec::new() };
    if !matches!(found.state, StepState::Running | StepState::Uncertain) {
        return Vec::new();
    }
    match execution {
        Execution::Applied { .. } => verify(incident, step, (record.at, session.clock)),
        Execution::NotApplied { fault } => {
            found.state = StepState::StoodDown { why: fault.to_string() };
            incident.phase = standing(incident, &session.alarms);
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
fn verify(incident: &mut Incident, step: StepId, (since, clock): (Timestamp, ClockSkew)) -> Vec<Effect> {
    let Some(found) = incident.step_mut(step) else { return Vec::new() };
    found.state = StepState::Verifying;
    let change = Change { step, remedy: found.action.kind(), outcome: ChangeOutcome::Watched };
    let tests = vec![TestState::Waiting; found.tests.len()];
    let started = incident.started.filter(|started| started.step == step);
    let started_at = started.map_or_else(|| clock.at_aws(since), |started| started.at_aws);
    let watch = Watch::from(since);
    incident.verification = Some(Verification { step, watch, started_at, tests, last: None, ended_at: None });
    incident.changes.push(change);
    undone(incident, step);
    incident.phase = Phase::Verifying;
    vec![verification::measure(incident.id, step)]
}

/// A step that another has put back: what its tests wait for will not come, and nobody watches it any more.
fn undone(incident: &mut Incident, by: StepId) {
    let Some(of) = incident.undos.get(&by).copied() else { return };
    let Some(found) = incident.step_mut(of) else { return };
    let Some(state) = found.state.undone(by) else { return };
    found.state = state;
    incident.note_outcome(of, ChangeOutcome::Undone);
}

/// A step that has run after all is watched like any other that has; its budgets begin with what was found.
pub(super) fn settled(
    session: &mut Session,
    record: &Record,
    step: StepId,
    (trace, text): (Trace, &str),
) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let Some(found) = incident.step_mut(step).filter(|step| step.state == StepState::Uncertain) else {
        return Vec::new();
    };
    match trace {
        Trace::HasRun => verify(incident, step, (record.at, session.clock)),
        Trace::HasNotRun => {
            found.state = StepState::StoodDown { why: text.to_owned() };
            incident.phase = standing(incident, &session.alarms);
            Vec::new()
        }
        // It is never told as if it had not run.
        Trace::Unclear => {
            found.state = StepState::Failed { why: text.to_owned(), by: Shortfall::NotKnown };
            let remedy = found.action.kind();
            incident.changes.push(Change { step, remedy, outcome: ChangeOutcome::Unknown });
            incident.phase = standing(incident, &session.alarms);
            vec![reporting::drafted(session, id)]
        }
    }
}
