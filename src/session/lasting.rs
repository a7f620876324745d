//! Steps that were verified are held to it for an hour: what begins anew in that time has not been cured.

use jiff::{SignedDuration, Timestamp};

use super::effect::Effect;
use super::event::{Event, Occasion, VerificationEvent};
use super::incident::{ChangeOutcome, Incident, Phase};
use super::record::{IncidentId, Record};
use super::state::Session;
use super::triage::conclude;
use super::{reporting, standing, triage};
use crate::domain::observation::alarm::{AlarmName, AlarmState};
use crate::domain::observation::workload::{ClusterChange, ContainerState, Pod};
use crate::domain::remediation::step::{Shortfall, StepId, StepState};
use crate::domain::remediation::verification::VerificationTest;

/// How long a result has to last.
const HELD: SignedDuration = SignedDuration::from_hours(1);

/// The step of an incident that was verified within the hour before, and when by the clock of AWS. Where another incident of its
/// service is open by now, what begins anew belongs to that one: one service never has two plans.
fn held(session: &Session, incident: &Incident) -> Option<(StepId, Timestamp)> {
    let of_another = |other: &Incident| {
        other.id != incident.id && other.service.name == incident.service.name && other.phase != Phase::Closed
    };
    if session.incidents.values().any(of_another) {
        return None;
    }
    let watched = incident.verification.as_ref()?;
    let ended = watched.ended_at.filter(|at| session.now.duration_since(*at) <= HELD)?;
    let change = incident.changes.iter().rfind(|change| change.step == watched.step)?;
    // An undo brings back what it was taken away from.
    let is_held = change.outcome == ChangeOutcome::Verified && !incident.undos.contains_key(&watched.step);
    is_held.then(|| (watched.step, session.clock.at_aws(ended)))
}

fn lapsed(id: IncidentId, step: StepId, (since, at): (Timestamp, Timestamp), what: &str) -> Effect {
    let minutes = at.duration_since(since).as_mins().max(0);
    let why = format!("{what} {minutes} min after it was verified");
    conclude(id, Event::Verification(VerificationEvent::Lapsed { step, why }))
}

/// Concludes that a step did not last, where an alarm of its incident fires again. `None` where no step answers for it.
pub fn fires_again(session: &Session, alarm: &AlarmName) -> Option<Effect> {
    let fires = session.alarms.get(alarm).filter(|alarm| alarm.state == AlarmState::Alarm)?;
    session.incidents.values().find_map(|incident| {
        let (step, since) = held(session, incident)?;
        let is_its_own = incident.alarms.contains(alarm) && !standing::is_foreign(incident, fires);
        let what = format!("{alarm} fires again");
        (is_its_own && fires.since > since).then(|| lapsed(incident.id, step, (since, fires.since), &what))
    })
}

/// Concludes the same where a container of its workload is OOM killed again, as the watch tells it.
pub fn killed_again(session: &Session, change: &ClusterChange) -> Vec<Effect> {
    let pods: Vec<&Pod> = match change {
        ClusterChange::Pod { pod } => vec![pod],
        ClusterChange::Listed { view, .. } => view.pods.values().collect(),
        ClusterChange::Workload { .. }
        | ClusterChange::WorkloadGone { .. }
        | ClusterChange::PodGone { .. }
        | ClusterChange::Revisions { .. }
        | ClusterChange::Event { .. } => return Vec::new(),
    };
    let of = |incident: &Incident| {
        let (step, since) = held(session, incident)?;
        let found = incident.step(step)?;
        let is_about_kills = |test: &VerificationTest| matches!(test, VerificationTest::NoNewKills { .. });
        found.tests.iter().any(is_about_kills).then_some(())?;
        let of_it = pods.iter().filter(|pod| pod.owner.as_ref() == Some(&found.target));
        let ends = of_it.flat_map(|pod| &pod.containers).flat_map(ContainerState::ends);
        let killed = ends.filter(|end| end.reason == "OOMKilled").filter_map(|end| end.finished_at);
        let first = killed.filter(|at| *at > since).min()?;
        Some(lapsed(incident.id, step, (since, first), "a container was OOM killed again"))
    };
    session.incidents.values().filter_map(of).collect()
}

/// Takes the step for one that fell short, and begins a new round: its undo may be wanted, or another remedy.
pub fn fold(session: &mut Session, record: &Record, step: StepId, why: &str) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let verified = |change: &&super::incident::Change| change.step == step && change.outcome == ChangeOutcome::Verified;
    if incident.changes.iter().find(verified).is_none() {
        return Vec::new();
    }
    incident.note_outcome(step, ChangeOutcome::DidNotLast);
    if let Some(found) = incident.step_mut(step).filter(|step| step.state == StepState::Verified) {
        found.state = StepState::Failed { why: why.to_owned(), by: Shortfall::DidNotLast };
        incident.phase = standing::standing(incident, &session.alarms);
    }
    let mut effects = triage::ask(session, id, record.at, Occasion::Failed { step });
    effects.push(reporting::drafted(session, id));
    effects
}
