//! From an alarm to evidence and a verdict: what is asked, what came back, what the rules say of it.

use jiff::{SignedDuration, Timestamp};

use super::effect::Effect;
use super::event::{Event, EvidenceEvent, IncidentEvent, Occasion};
use super::incident::{Incident, Phase};
use super::record::{IncidentId, Record};
use super::state::Session;
use super::{judgement, lasting, narrative, remediation, standing, storm, update};
use crate::domain::diagnosis::evidence::{Evidence, EvidenceId, Payload, Question};
use crate::domain::observation::alarm::{AlarmName, AlarmRule, AlarmState, Severity};
use crate::domain::observation::metric::Series;
use crate::domain::observation::scope::Window;
use crate::domain::observation::service::{self, Service};
use crate::domain::remediation::gate::StandsOn;
use crate::domain::remediation::step::{Step, StepState};

/// Wraps a conclusion.
pub(super) fn conclude(incident: IncidentId, event: Event) -> Effect {
    Effect::Conclude { incident: Some(incident), event: Box::new(event) }
}

/// Folds an event about an incident.
pub fn incident(session: &mut Session, record: &Record, event: &IncidentEvent) -> Vec<Effect> {
    match event {
        IncidentEvent::Identified { alarm, service } => identified(session, record.at, (alarm, service)),
        IncidentEvent::Opened { service, alarm } => opened(session, record, service, alarm),
        IncidentEvent::AlarmJoined { alarm } => joined(session, record, alarm),
        IncidentEvent::StormSeen { storm } => {
            storm::remember(session, storm);
            remediation::judge_of_storm(session, storm)
        }
        IncidentEvent::Closed { .. } => {
            if let Some(incident) = record.incident.and_then(|id| session.incidents.get_mut(&id)) {
                incident.phase = Phase::Closed;
            }
            Vec::new()
        }
    }
}

fn severity(session: &Session, alarm: &AlarmName) -> Severity {
    session.alarms.get(alarm).map_or(Severity::P3, |alarm| alarm.severity)
}

fn identified(session: &mut Session, now: Timestamp, (alarm, service): (&AlarmName, &Service)) -> Vec<Effect> {
    session.services.insert(alarm.clone(), service.clone());
    if let Some(lapsed) = lasting::fires_again(session, alarm) {
        session.raised.remove(alarm);
        return vec![lapsed];
    }
    let open = session
        .incidents
        .values()
        .find(|incident| incident.service.name == service.name && incident.phase != Phase::Closed);
    match open {
        Some(incident) if incident.alarms.contains(alarm) => {
            let id = incident.id;
            let is_news = is_news(session, id, alarm);
            raise(session, id, alarm);
            if is_news { ask_again(session, id, now) } else { Vec::new() }
        }
        Some(incident) => {
            let event = IncidentEvent::AlarmJoined { alarm: alarm.clone() };
            vec![conclude(incident.id, Event::Incident(event))]
        }
        None => {
            let event = IncidentEvent::Opened { service: Box::new(service.clone()), alarm: alarm.clone() };
            vec![conclude(session.next_incident(), Event::Incident(event))]
        }
    }
}

/// An alarm that fires so soon after the evidence was read tells of what was read: alarms are minutes behind.
const SAME: SignedDuration = SignedDuration::from_mins(5);

/// Whether an alarm has begun to fire since the evidence of an incident was read in which every step is decided: what was
/// decided was not decided on that.
fn is_news(session: &Session, id: IncidentId, alarm: &AlarmName) -> bool {
    let settled = session.incidents.get(&id).filter(|incident| incident.is_settled());
    let fires = session.alarms.get(alarm).filter(|alarm| alarm.state == AlarmState::Alarm);
    let read = settled.and_then(|incident| incident.window).zip(fires);
    read.is_some_and(|(window, alarm)| alarm.since > window.to + SAME)
}

/// An incident is as bad as the worst of its alarms that fires or has fired: one that is only looked into raises nothing.
/// One may have cleared before it was known what it is about.
fn raise(session: &mut Session, id: IncidentId, alarm: &AlarmName) {
    let has_fired = session.raised.remove(alarm);
    let fires = has_fired || session.alarms.get(alarm).is_some_and(|alarm| alarm.state == AlarmState::Alarm);
    let severity = severity(session, alarm);
    if let Some(incident) = session.incidents.get_mut(&id).filter(|_| fires) {
        incident.severity = incident.severity.min(severity);
    }
}

fn opened(session: &mut Session, record: &Record, service: &Service, alarm: &AlarmName) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    let mut incident = Incident::new(id, service.clone(), severity(session, alarm), record.at);
    incident.alarms.push(alarm.clone());
    session.incidents.insert(id, incident);
    session.raised.remove(alarm);
    let mut effects = vec![Effect::Follow { incident: id }];
    effects.extend(ask_again(session, id, record.at));
    effects
}

/// A further alarm of the service. What it tells of an inferred one (metrics, log groups, the workload) is added, and is
/// asked about unless a step is armed or on its way: the person may ask again then.
fn joined(session: &mut Session, record: &Record, alarm: &AlarmName) -> Vec<Effect> {
    // A service of that name in another cluster is another one.
    let is_elsewhere =
        |service: &Service| remediation::is_elsewhere(session, service.metrics.values().map(|query| &query.metric));
    let told = session.services.get(alarm).filter(|told| !is_elsewhere(told)).cloned();
    let is_news = record.incident.is_some_and(|id| is_news(session, id, alarm));
    if let Some(id) = record.incident {
        raise(session, id, alarm);
    }
    let Some(incident) = record.incident.and_then(|id| session.incidents.get_mut(&id)) else { return Vec::new() };
    if !incident.alarms.contains(alarm) {
        incident.alarms.push(alarm.clone());
    }
    let known = |service: &Service| (service.metrics.len(), service.log_groups.len(), service.workload.is_some());
    let before = known(&incident.service);
    if let Some(told) = told {
        service::merge(&mut incident.service, told);
    }
    let id = incident.id;
    if known(&incident.service) == before {
        return if is_news { ask_again(session, id, record.at) } else { Vec::new() };
    }
    let armed = |step: &Step| matches!(step.state, StepState::Armed { .. });
    let is_busy = standing::is_in_flight(incident) || incident.asked_step().is_some_and(armed);
    let mut effects = vec![Effect::Follow { incident: id }];
    if !is_busy {
        effects.extend(ask_again(session, id, record.at));
    }
    effects
}

/// Concludes a new round of questions over the half hour before now.
pub fn ask_again(session: &Session, id: IncidentId, now: Timestamp) -> Vec<Effect> {
    ask(session, id, now, Occasion::Incident)
}

/// The same, for what made it necessary.
pub(super) fn ask(session: &Session, id: IncidentId, now: Timestamp, occasion: Occasion) -> Vec<Effect> {
    let Some(incident) = session.incidents.get(&id).filter(|_| session.elsewhere.is_none()) else { return Vec::new() };
    let first = incident.evidence.iter().map(|e| e.id.0).chain(incident.awaited.iter().map(|(id, _)| id.0)).max();
    let questions = Question::ALL.into_iter().filter(|question| match question {
        Question::AlarmMetric => has_metric_of_its_own(session, incident),
        Question::Memory
        | Question::OomKills
        | Question::Collector
        | Question::Traffic
        | Question::Cpu
        | Question::Workload
        | Question::Changes
        | Question::LogPatterns
        | Question::Errors
        | Question::Latency => true,
    });
    let asks = (first.unwrap_or(0) + 1..).map(EvidenceId).zip(questions).collect();
    let now = session.clock.at_aws(now);
    let window = Window::minutes_before(now, i64::from(session.header.window_minutes.max(1)));
    vec![conclude(id, Event::Evidence(EvidenceEvent::Asked { asks, window, occasion }))]
}

/// Whether the alarm compares something that none of the service's roles reads: a metric of its own, another statistic or
/// period of one that is read, or the result of metric math.
fn has_metric_of_its_own(session: &Session, incident: &Incident) -> bool {
    let roles = || incident.service.metrics.values();
    incident.alarms.first().and_then(|name| session.alarms.get(name)).is_some_and(|alarm| match &alarm.rule {
        AlarmRule::Math { queries, .. } if !queries.is_empty() => true,
        AlarmRule::Metric { metric, statistic, period_s, .. } => {
            !roles().any(|query| (&query.metric, &query.statistic, &query.period_s) == (metric, statistic, period_s))
        }
        AlarmRule::Math { .. } | AlarmRule::Composite { .. } => {
            alarm.metrics().iter().any(|metric| !roles().any(|query| query.metric == *metric))
        }
    })
}

/// Folds an event about evidence.
pub fn evidence(session: &mut Session, record: &Record, event: &EvidenceEvent) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    match event {
        EvidenceEvent::Asked { asks, window, occasion } => {
            if let Some(incident) = session.incidents.get_mut(&id) {
                incident.occasion = *occasion;
            }
            asked(session, id, asks, *window)
        }
        EvidenceEvent::Answered { evidence } => {
            // Its age is held against records, whose time nobody can set back.
            let took = evidence.answered_at.duration_since(evidence.asked_at);
            let (asked_at, answered_at) = (record.at - took, record.at);
            answered(session, id, &Evidence { asked_at, answered_at, ..(**evidence).clone() })
        }
        EvidenceEvent::VerdictReached { verdict, offers } => {
            let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
            incident.verdict = Some((**verdict).clone());
            incident.offers.clone_from(offers);
            let mut effects =
                narrative::begin(session, id, None).unwrap_or_else(|| remediation::judge(session, id, record.at));
            effects.extend(storm::seen(session, id));
            effects
        }
    }
}

fn asked(session: &mut Session, id: IncidentId, asks: &[(EvidenceId, Question)], window: Window) -> Vec<Effect> {
    remediation::undos_wait(session, id);
    // Told of a step for as long as it stands so: by then the evidence may have come.
    let mut effects = remediation::stand_down(session, id, "the evidence was asked for again");
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.awaited = asks.to_vec();
    incident.window = Some(window);
    incident.round_from = asks.first().map_or(incident.round_from, |(id, _)| *id);
    // Whatever was judged or chosen stood on the evidence before.
    incident.gate = None;
    incident.stands_on = StandsOn::Diagnosis;
    standing::reopen(incident, Phase::Triage);
    effects.push(Effect::Observe { incident: id, asks: asks.to_vec(), window });
    effects
}

fn answered(session: &mut Session, id: IncidentId, evidence: &Evidence) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let awaited = incident.awaited.len();
    incident.awaited.retain(|(awaited, _)| *awaited != evidence.id);
    if incident.awaited.len() == awaited {
        // Not asked, or answered before: the first answer stands.
        return Vec::new();
    }
    let at = incident.evidence.partition_point(|known| known.id < evidence.id);
    incident.evidence.insert(at, evidence.clone());
    let service = incident.service.name.clone();
    let complete = incident.awaited.is_empty();
    for series in charted(evidence) {
        update::chart(session, &service, series);
    }
    if complete { judgement::verdict(session, id) } else { Vec::new() }
}

fn charted(evidence: &Evidence) -> Vec<&Series> {
    match evidence.answer.payload() {
        Some(Payload::Series { series, .. }) => vec![series],
        Some(Payload::Collector { series, .. }) => series.iter().collect(),
        Some(
            Payload::OomKills(_) | Payload::LogPatterns { .. } | Payload::Workload { .. } | Payload::Changes { .. },
        )
        | None => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
