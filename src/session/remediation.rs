//! Plan, rehearsals, decisions, executions: routes each event to what it makes of the steps, and stands steps down.

mod decided;
mod executed;
mod judged;
mod moved;
mod press;
mod rehearsed;

use jiff::Timestamp;

use super::effect::Effect;
use super::event::{Event, RemediationEvent};
use super::incident::{Phase, Way};
use super::record::{IncidentId, Record};
use super::standing::standing;
use super::state::Session;
use super::triage::conclude;
use crate::domain::remediation::step::{Step, StepId, StepState};

pub use decided::arm_expired;
pub(super) use decided::leave_out_alternatives;
pub use judged::{is_elsewhere, judge, judge_again, judge_of_storm, undos_wait};
pub use moved::moved;
pub use press::{Objection, Press, admits};
pub use rehearsed::bind;

/// Folds an event about remediation.
pub fn fold(session: &mut Session, record: &Record, event: &RemediationEvent) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    match event {
        RemediationEvent::GateJudged { report } => judged::gate_judged(session, id, report, record.at),
        RemediationEvent::PlanProposed { plan } => judged::proposed(session, id, plan),
        RemediationEvent::UndoProposed { of, plan } => judged::undo_proposed(session, (id, record.at), *of, plan),
        RemediationEvent::RehearsalAsked { step } => rehearsed::rehearsal_asked(session, record, *step),
        RemediationEvent::StepRehearsed { step, rehearsal, digest } => {
            rehearsed::rehearsed(session, id, *step, (rehearsal, digest.as_ref()))
        }
        RemediationEvent::StepArmed { step, digest, until } => decided::armed(session, record, *step, digest, *until),
        RemediationEvent::DecisionGiven { step, decision } => decided::decided(session, record, *step, decision),
        RemediationEvent::StepSkipped { step, why } => decided::skipped(session, id, *step, why),
        RemediationEvent::PermitRefused { step, refusal } => {
            disarm(session, id, *step, StepState::StoodDown { why: refusal.text() })
        }
        RemediationEvent::StepStarted { step, .. } => executed::started(session, record, *step),
        RemediationEvent::LookBegan { step } => {
            executed::on_its_way(session, record, *step, Way::Looking { since: record.at })
        }
        RemediationEvent::RequestLeft { step } => {
            executed::on_its_way(session, record, *step, Way::Sent { at: record.at })
        }
        RemediationEvent::StepFinished { step, execution } => executed::finished(session, record, *step, execution),
        RemediationEvent::StoodDown { step, why } => {
            disarm(session, id, *step, StepState::StoodDown { why: why.clone() })
        }
        RemediationEvent::Expired { step } => disarm(session, id, *step, StepState::Expired),
        RemediationEvent::UncertaintySettled { step, found, trace } => {
            executed::settled(session, record, *step, (*trace, found))
        }
    }
}

fn preview(incident: IncidentId, step: StepId) -> Effect {
    Effect::Preview { incident, step }
}

/// Takes a step out of waiting. One that has left already stays as it is: standing down stops no cluster.
fn disarm(session: &mut Session, id: IncidentId, step: StepId, state: StepState) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.approval = None;
    if let Some(found) = incident.step_mut(step).filter(|step| step.state.can_stand_down()) {
        found.state = state;
        if incident.phase == Phase::Running {
            // It may have been this approval that was under way.
            incident.phase = standing(incident, &session.alarms);
        }
    }
    Vec::new()
}

/// Concludes that every step of an incident that waits for the person stands down.
pub fn stand_down(session: &Session, id: IncidentId, why: &str) -> Vec<Effect> {
    stand_down_where(session, id, why, |_| true)
}

/// The same for the steps that a condition names.
pub(super) fn stand_down_where(
    session: &Session,
    id: IncidentId,
    why: &str,
    falls: impl Fn(&Step) -> bool,
) -> Vec<Effect> {
    let Some(incident) = session.incidents.get(&id) else { return Vec::new() };
    let steps = incident.plan.iter().flat_map(|plan| &plan.steps);
    steps
        .filter(|step| (incident.is_primed(step) || step.state == StepState::Rehearsed) && falls(step))
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

/// The same where the credentials do not serve any more.
pub fn locked_out(session: &Session, at: Timestamp) -> Vec<Effect> {
    let failed = session.unusable_credentials();
    let why = failed.map(|(whose, _)| format!("the {whose} credentials failed at {}", at.strftime("%H:%M:%SZ")));
    why.map_or_else(Vec::new, |why| stand_down_all(session, &why))
}

#[cfg(test)]
mod tests;
