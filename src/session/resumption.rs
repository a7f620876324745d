//! Brings a session whose process ended to a state that can go on. Sends nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::effect::Effect;
use super::incident::{Incident, Phase};
use super::record::IncidentId;
use super::state::Session;
use super::{judgement, narrative, remediation, reporting, standing, verification};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::{Alarm, AlarmName};
use crate::domain::remediation::gate::NarrativeStanding;
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::step::StepState;

/// What may have run is uncertain, what waited stands down, what was being read is asked again, and what was judged is
/// judged again: the timer that would have done so ended with the process.
pub fn settle(session: &mut Session, now: Timestamp) -> Vec<Effect> {
    let mode = session.header.mode;
    let mut effects = Vec::new();
    for incident in session.incidents.values_mut() {
        effects.extend(settle_one(incident, (mode, &session.alarms), now));
    }
    let ids: Vec<IncidentId> = session.incidents.keys().copied().collect();
    effects.extend(ids.into_iter().flat_map(|id| go_on(session, id, now)));
    effects
}

fn settle_one(
    incident: &mut Incident,
    (mode, alarms): (Mode, &BTreeMap<AlarmName, Alarm>),
    now: Timestamp,
) -> Vec<Effect> {
    incident.approval = None;
    incident.gate = None;
    let mut effects = settle_steps(incident, mode);
    if matches!(incident.phase, Phase::Running | Phase::Verifying | Phase::Asking | Phase::Uncertain(_)) {
        incident.phase = match standing::standing(incident, alarms) {
            // Only a decision closes an incident, and there was none.
            Phase::Closed => Phase::Asking,
            standing => standing,
        };
    }
    effects.extend(reporting::taken_up(incident, now));
    if incident.phase != Phase::Closed || incident.watched_roles().next().is_some() {
        effects.push(Effect::Follow { incident: incident.id });
    }
    if incident.narrative.standing == NarrativeStanding::UnderWay {
        incident.narrative.standing = NarrativeStanding::Broken;
        incident.narrative.fault = Some(Fault::new(FaultKind::Cut, "The program ended while the model was writing."));
    }
    reporting::lose_post(incident);
    effects.extend(reporting::post_again(incident));
    if let (Some(window), false) = (incident.window, incident.awaited.is_empty()) {
        effects.push(Effect::Observe { incident: incident.id, asks: incident.awaited.clone(), window });
    }
    effects
}

fn settle_steps(incident: &mut Incident, mode: Mode) -> Vec<Effect> {
    let id = incident.id;
    let mut effects = Vec::new();
    for step in incident.plan.iter_mut().flat_map(|plan| &mut plan.steps) {
        match step.state {
            StepState::Running => step.state = StepState::Uncertain,
            StepState::Verifying => effects.push(verification::later(id, step.id)),
            StepState::Armed { .. } | StepState::Rehearsed | StepState::Rehearsing => {
                step.state = StepState::StoodDown { why: "the program ended".to_owned() };
            }
            StepState::Approved if mode == Mode::Live => {
                let why = "the program ended before the approval was used; nothing was sent".to_owned();
                step.state = StepState::StoodDown { why };
            }
            StepState::Approved
            | StepState::Proposed
            | StepState::Verified
            | StepState::Failed { .. }
            | StepState::Undone { .. }
            | StepState::Denied { .. }
            | StepState::Skipped { .. }
            | StepState::Expired
            | StepState::StoodDown { .. }
            | StepState::Uncertain => {}
        }
    }
    effects
}

/// Takes up what the fold would have concluded next.
fn go_on(session: &Session, id: IncidentId, now: Timestamp) -> Vec<Effect> {
    let Some(incident) = session.incidents.get(&id) else { return Vec::new() };
    if incident.phase == Phase::Closed || incident.evidence.is_empty() || !incident.awaited.is_empty() {
        return Vec::new();
    }
    if incident.phase == Phase::Triage {
        return judgement::verdict(session, id);
    }
    if incident.narrative.standing == NarrativeStanding::NotAsked
        && let Some(asked) = narrative::begin(session, id, None)
    {
        return asked;
    }
    remediation::judge(session, id, now)
}
