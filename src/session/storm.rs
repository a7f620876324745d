//! Where the session asks whether incidents began together, with what it has folded of them.

use jiff::Timestamp;

use super::effect::Effect;
use super::event::{Event, IncidentEvent};
use super::incident::{Incident, Phase};
use super::record::IncidentId;
use super::state::Session;
use super::triage::conclude;
use crate::domain::diagnosis::rules;
use crate::domain::diagnosis::storm::{Member, Storm, storm_of};

/// Concludes the storm that an incident is part of, when it is another than the one known.
pub(super) fn seen(session: &Session, id: IncidentId) -> Option<Effect> {
    let incident = session.incidents.get(&id)?;
    let open = session.incidents.values().filter(|other| other.phase != Phase::Closed);
    let members: Vec<Member<'_>> = open
        .map(|other| Member { service: &other.service.name, began: began(session, other), evidence: other.round() })
        .collect();
    let storm = storm_of(&incident.service.name, &members).filter(|storm| incident.storm.as_ref() != Some(storm))?;
    Some(conclude(id, Event::Incident(IncidentEvent::StormSeen { storm: Box::new(storm) })))
}

/// The onset by the evidence, else the first alarm that fires.
fn began(session: &Session, incident: &Incident) -> Timestamp {
    let alarms = incident.alarms.iter().filter_map(|name| session.alarms.get(name)).map(|alarm| alarm.since);
    rules::onset(incident.round()).or_else(|| alarms.min()).unwrap_or(incident.opened_at)
}

/// Remembers a storm on each of its incidents.
pub(super) fn remember(session: &mut Session, storm: &Storm) {
    let members = session.incidents.values_mut().filter(|incident| storm.members.contains(&incident.service.name));
    for incident in members.filter(|incident| incident.phase != Phase::Closed) {
        incident.storm = Some(storm.clone());
    }
}
