//! Where an incident stands by the states of its steps, and what a new round does to its plan.

use std::collections::BTreeMap;

use super::effect::Effect;
use super::event::{Event, IncidentEvent, Occasion};
use super::incident::{Incident, Phase};
use super::record::Record;
use super::remediation;
use super::state::Session;
use super::triage::conclude;
use crate::domain::count::either;
use crate::domain::observation::alarm::{Alarm, AlarmName, AlarmState};
use crate::domain::observation::metric::MetricId;
use crate::domain::observation::service::tells_of_workload;
use crate::domain::remediation::gate::Purpose;
use crate::domain::remediation::step::{LeftOut, Step, StepState};
use crate::domain::remediation::verification::VerificationTest;

/// Where the steps of an incident leave it: what may be on its way comes before what waits for the person.
pub fn standing(incident: &Incident, alarms: &BTreeMap<AlarmName, Alarm>) -> Phase {
    let steps = || incident.plan.iter().flat_map(|plan| &plan.steps);
    if let Some(step) = steps().find(|step| step.state == StepState::Uncertain) {
        return Phase::Uncertain(step.id);
    }
    if incident.approval.is_some() || steps().any(|step| step.state == StepState::Running) {
        return Phase::Running;
    }
    if steps().any(|step| step.state == StepState::Verifying) {
        return Phase::Verifying;
    }
    if steps().next().is_some() && steps().all(|step| step.state.is_decided()) {
        return match (ends_open(incident, alarms), fires(incident, alarms)) {
            (true, _) => Phase::Asking,
            // What was decided is no end of it: what was approved may only have been rehearsed.
            (false, true) => Phase::Watching,
            (false, false) => Phase::Closed,
        };
    }
    if incident.asked_step().is_some() || steps().any(|step| step.state.is_decided()) {
        return Phase::Asking;
    }
    Phase::Planned
}

/// A step that failed leaves the incident open until somebody has decided what now; what was left out because of it is no
/// such decision. One that was put back has helped as little while an alarm fires.
fn ends_open(incident: &Incident, alarms: &BTreeMap<AlarmName, Alarm>) -> bool {
    let follows = |step: &&Step| {
        matches!(step.state, StepState::Skipped { why: LeftOut::After { .. } | LeftOut::Instead { .. } })
    };
    let mut steps = incident.plan.iter().flat_map(|plan| &plan.steps).rev();
    let Some(last) = steps.find(|step| !follows(step)) else { return false };
    let is_undo_done = last.state == StepState::Verified && incident.undos.contains_key(&last.id);
    matches!(last.state, StepState::Failed { .. }) || (is_undo_done && fires(incident, alarms))
}

/// Whether an alarm of it fires, or has lost its metric since it opened: what it watches may be as bad as before.
fn fires(incident: &Incident, alarms: &BTreeMap<AlarmName, Alarm>) -> bool {
    let fires = |alarm: &Alarm| match alarm.state {
        AlarmState::Alarm => true,
        AlarmState::InsufficientData => alarm.since >= incident.opened_at,
        AlarmState::Ok => false,
    };
    let known = incident.alarms.iter().filter_map(|name| alarms.get(name));
    known.filter(|alarm| !is_foreign(incident, alarm)).any(fires)
}

/// Whether an alarm has joined by the name of the service alone: no step is tested by it, and none of its metrics is one of the
/// service's or measures what the rules speak of. It keeps nothing open.
pub fn is_foreign(incident: &Incident, alarm: &Alarm) -> bool {
    let tests = incident.plan.iter().flat_map(|plan| &plan.steps).flat_map(|step| &step.tests);
    let tests_it = |test: &VerificationTest| matches!(test, VerificationTest::AlarmCleared { alarm: of, .. } if *of == *alarm.name.as_str());
    let is_own = |metric: &MetricId| {
        tells_of_workload(&metric.name) || incident.service.metrics.values().any(|query| query.metric == *metric)
    };
    let metrics = alarm.metrics();
    incident.alarms.first() != Some(&alarm.name)
        && !metrics.is_empty()
        && !metrics.iter().any(is_own)
        && !tests.into_iter().any(tests_it)
}

/// The alarms that fire on and are of nothing that the incident is about, as a clause.
pub fn foreign(incident: &Incident, alarms: &BTreeMap<AlarmName, Alarm>) -> Option<String> {
    let known = incident.alarms.iter().filter_map(|name| alarms.get(name));
    let firing = known.filter(|alarm| alarm.state == AlarmState::Alarm && is_foreign(incident, alarm));
    let names: Vec<&str> = firing.map(|alarm| alarm.name.as_str()).collect();
    let fire = either(names.len(), "fires", "fire");
    (!names.is_empty()).then(|| format!("{} still {fire}, of something else", names.join(", ")))
}

/// Concludes that the steps against what has cleared by itself stand down. The way back from a step of ours is for no alarm.
pub fn recovered(session: &Session, alarm: &AlarmName) -> Vec<Effect> {
    let quiet = session
        .incidents
        .values()
        .filter(|incident| incident.alarms.contains(alarm) && !fires(incident, &session.alarms));
    let why = "no alarm of this incident fires any more: r reads it again";
    let stood_down = |incident: &Incident| {
        let of = |step: &Step| incident.purpose(step.id) == Purpose::Remedy;
        remediation::stand_down_where(session, incident.id, why, of)
    };
    quiet.flat_map(stood_down).collect()
}

/// Concludes which incidents of an alarm are over with it: every step was decided before, and none of their alarms fires any
/// more.
pub fn over(session: &Session, alarm: &AlarmName) -> Vec<Effect> {
    let is_over = |incident: &&Incident| {
        matches!(incident.phase, Phase::Asking | Phase::Watching)
            && incident.alarms.contains(alarm)
            && standing(incident, &session.alarms) == Phase::Closed
    };
    let closed = |incident: &Incident| {
        let mut reason = "every step is decided, and no alarm of it fires any more".to_owned();
        if let Some(foreign) = foreign(incident, &session.alarms) {
            reason = format!("{reason}; {foreign}");
        }
        conclude(incident.id, Event::Incident(IncidentEvent::Closed { reason }))
    };
    session.incidents.values().filter(is_over).map(closed).collect()
}

/// Notes since when incidents are over: a record that closes one, or opens one again, may come from any topic.
pub fn note_closed(session: &mut Session, record: &Record) {
    for incident in session.incidents.values_mut() {
        incident.closed_at = match incident.phase {
            Phase::Closed => incident.closed_at.or(Some(record.at)),
            Phase::Watching
            | Phase::Triage
            | Phase::Diagnosing
            | Phase::Planned
            | Phase::Asking
            | Phase::Running
            | Phase::Verifying
            | Phase::Uncertain(_) => None,
        };
    }
}

/// Begins a new round: the plan goes, unless a request may be on its way, the undo of one is still to be decided, or the
/// round was asked because a step of this very plan failed.
pub fn reopen(incident: &mut Incident, phase: Phase) {
    if is_in_flight(incident) {
        return;
    }
    incident.phase = phase;
    let is_needed = match incident.occasion {
        Occasion::Failed { .. } | Occasion::Undo { .. } => true,
        Occasion::Incident => incident.has_open_undo(),
    };
    if !is_needed {
        incident.plan = None;
    }
}

/// Whether a request of this incident may be on its way: its plan must not be forgotten.
pub fn is_in_flight(incident: &Incident) -> bool {
    let steps = incident.plan.iter().flat_map(|plan| &plan.steps);
    incident.approval.is_some() || steps.into_iter().any(|step| step.state.is_in_flight())
}
