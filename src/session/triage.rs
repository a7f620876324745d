//! From an alarm to evidence and a verdict: what is asked, what came back, what the rules say of it.

use jiff::Timestamp;

use super::effect::Effect;
use super::event::{Event, EvidenceEvent, IncidentEvent, Occasion};
use super::incident::{Incident, Phase};
use super::record::{IncidentId, Record};
use super::state::Session;
use super::{judgement, narrative, remediation, standing, storm, update};
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
        IncidentEvent::Identified { alarm, service } => identified(session, alarm, service),
        IncidentEvent::Opened { service, alarm } => opened(session, record, service, alarm),
        IncidentEvent::AlarmJoined { alarm } => joined(session, record, alarm),
        IncidentEvent::ServiceCorrected { service } => {
            let Some(id) = record.incident else { return Vec::new() };
            if let Some(incident) = session.incidents.get_mut(&id) {
                incident.service = (**service).clone();
            }
            ask_again(session, id, record.at)
        }
        IncidentEvent::StormSeen { storm } => {
            storm::remember(session, storm);
            Vec::new()
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

fn identified(session: &mut Session, alarm: &AlarmName, service: &Service) -> Vec<Effect> {
    session.services.insert(alarm.clone(), service.clone());
    let open = session
        .incidents
        .values()
        .find(|incident| incident.service.name == service.name && incident.phase != Phase::Closed);
    match open {
        Some(incident) if incident.alarms.contains(alarm) => {
            let id = incident.id;
            raise(session, id, alarm);
            Vec::new()
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
    let told = session.services.get(alarm).cloned();
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
    if known(&incident.service) == before {
        return Vec::new();
    }
    let id = incident.id;
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
    let Some(incident) = session.incidents.get(&id) else { return Vec::new() };
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
        EvidenceEvent::Answered { evidence } => answered(session, id, evidence),
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
    let mut effects = remediation::stand_down(session, id, "the evidence is being read again");
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
mod tests {
    use super::*;
    use crate::domain::observation::alarm::{Alarm, Comparison, fixture};
    use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};
    use crate::domain::observation::service::{Certainty, Origin};
    use crate::session::event::{AlarmEvent, SessionEvent};

    fn latency() -> MetricId {
        MetricId { namespace: "AWS/ApplicationELB".into(), name: "TargetResponseTime".into(), ..MetricId::default() }
    }

    fn alarm(name: &str, metric: MetricId, (statistic, period_s): (Statistic, u32)) -> Alarm {
        let rule = AlarmRule::Metric { metric, statistic, period_s, comparison: Comparison::Greater, threshold: 1.0 };
        fixture::alarm(name, rule)
    }

    fn asked(effects: &[Effect]) -> Vec<Question> {
        let questions = effects.iter().find_map(|effect| match effect {
            Effect::Conclude { event, .. } => match event.as_ref() {
                Event::Evidence(EvidenceEvent::Asked { asks, .. }) => Some(asks.iter().map(|(_, of)| *of).collect()),
                _ => None,
            },
            _ => None,
        });
        questions.unwrap_or_default()
    }

    #[test]
    fn what_the_alarm_compares_is_read_unless_a_role_reads_just_that() {
        let query =
            MetricQuery { role: MetricRole::Latency, metric: latency(), statistic: Statistic::Average, period_s: 60 };
        for (compared, own) in [
            ((Statistic::Average, 60), false),
            ((Statistic::Average, 300), true),
            ((Statistic::Percentile(990), 60), true),
        ] {
            let mut session = Session::default();
            let found = alarm("slow", latency(), compared);
            session.alarms.insert(found.name.clone(), found);
            let service = Service { metrics: [(MetricRole::Latency, query.clone())].into(), ..Service::bare("my-api") };
            let mut incident = Incident::new(IncidentId(1), service, Severity::P2, Timestamp::UNIX_EPOCH);
            incident.alarms.push("slow".into());
            session.incidents.insert(incident.id, incident);
            let asks = asked(&ask_again(&session, IncidentId(1), Timestamp::UNIX_EPOCH));
            assert_eq!(asks.contains(&Question::AlarmMetric), own, "{compared:?}");
        }
    }
    fn inferred(name: &str, role: MetricRole) -> Service {
        let metric = MetricId { name: role.word().to_owned(), ..MetricId::default() };
        let query = MetricQuery { role, metric, statistic: Statistic::Sum, period_s: 60 };
        let origin = Origin::Inferred { reasons: Vec::new(), certainty: Certainty::Likely };
        Service { metrics: [(role, query)].into(), origin, ..Service::bare(name) }
    }

    #[test]
    fn an_alarm_that_joins_brings_what_it_knows_of_the_service() {
        let mut session = Session::default();
        let mut seq = 0;
        let mut fold = |incident: Option<IncidentId>, event: IncidentEvent| {
            seq += 1;
            let record = Record { seq, at: Timestamp::UNIX_EPOCH, incident, event: Event::Incident(event) };
            update::update(&mut session, &record)
        };
        let identified = |alarm: &str, role| IncidentEvent::Identified {
            alarm: alarm.into(),
            service: Box::new(inferred("my-api", role)),
        };
        let first = Some(IncidentId(1));
        fold(None, identified("cpu", MetricRole::Cpu));
        let service = Box::new(inferred("my-api", MetricRole::Cpu));
        fold(first, IncidentEvent::Opened { service, alarm: "cpu".into() });
        let concluded = fold(None, identified("5xx", MetricRole::Errors));
        let join = IncidentEvent::AlarmJoined { alarm: "5xx".into() };
        assert_eq!(concluded, [conclude(IncidentId(1), Event::Incident(join.clone()))]);
        let effects = fold(first, join);
        assert!(effects.contains(&Effect::Follow { incident: IncidentId(1) }));
        assert!(asked(&effects).contains(&Question::Errors), "{effects:?}");
        fold(None, identified("5xx-slow", MetricRole::Errors));
        let told_nothing_new = fold(first, IncidentEvent::AlarmJoined { alarm: "5xx-slow".into() });
        assert!(told_nothing_new.is_empty(), "{told_nothing_new:?}");
        let roles: Vec<MetricRole> = session.incidents[&IncidentId(1)].service.metrics.keys().copied().collect();
        assert_eq!(roles, [MetricRole::Cpu, MetricRole::Errors]);
    }

    fn told(session: &mut Session, event: Event) -> Vec<Effect> {
        let record = Record { seq: session.seq + 1, at: Timestamp::UNIX_EPOCH, incident: None, event };
        update::update(session, &record)
    }

    /// A quiet alarm that a person looks into is no page: the incident is as bad as what fires.
    #[test]
    fn an_alarm_that_does_not_fire_raises_no_severity_until_it_does() {
        let mut session = Session::default();
        let service = || Box::new(inferred("my-api", MetricRole::Cpu));
        let of =
            |name: &str, severity, state| Alarm { state, severity, ..alarm(name, latency(), (Statistic::Average, 60)) };
        let listed = |alarm| Event::Alarm(AlarmEvent::Updated { alarm: Box::new(alarm) });
        told(&mut session, listed(of("cpu", Severity::P2, AlarmState::Alarm)));
        told(&mut session, listed(of("no-pods", Severity::P1, AlarmState::Ok)));
        let mut fold = |event: Event| {
            let incident = Some(IncidentId(1));
            let record = Record { seq: session.seq + 1, at: Timestamp::UNIX_EPOCH, incident, event };
            update::update(&mut session, &record);
            session.incidents[&IncidentId(1)].severity
        };
        let opened = IncidentEvent::Opened { service: service(), alarm: "cpu".into() };
        assert_eq!(fold(Event::Incident(opened)), Severity::P2);
        let joined = IncidentEvent::AlarmJoined { alarm: "no-pods".into() };
        assert_eq!(fold(Event::Incident(joined)), Severity::P2, "it is looked into, and is OK");
        let alarm = Box::new(of("no-pods", Severity::P1, AlarmState::Alarm));
        fold(Event::Alarm(AlarmEvent::Raised { alarm }));
        let identified = IncidentEvent::Identified { alarm: "no-pods".into(), service: service() };
        assert_eq!(fold(Event::Incident(identified)), Severity::P1, "now it fires");
    }

    /// An alarm may have cleared before it is known what it is about: it fired all the same.
    #[test]
    fn an_alarm_that_cleared_before_it_joined_counts_by_its_severity_once() {
        let mut session = Session::default();
        let service = || Box::new(inferred("my-api", MetricRole::Cpu));
        let of = |name: &str, severity, state| {
            Box::new(Alarm { state, severity, ..alarm(name, latency(), (Statistic::Average, 60)) })
        };
        let mut fold = |incident: Option<u32>, event: Event| {
            let incident = incident.map(IncidentId);
            let record = Record { seq: session.seq + 1, at: Timestamp::UNIX_EPOCH, incident, event };
            update::update(&mut session, &record);
            incident.map(|id| session.incidents[&id].severity)
        };
        let identified =
            |name: &str| Event::Incident(IncidentEvent::Identified { alarm: name.into(), service: service() });
        let joined = |name: &str| Event::Incident(IncidentEvent::AlarmJoined { alarm: name.into() });
        let opened = |name: &str| Event::Incident(IncidentEvent::Opened { service: service(), alarm: name.into() });
        fold(None, Event::Alarm(AlarmEvent::Raised { alarm: of("cpu", Severity::P2, AlarmState::Alarm) }));
        assert_eq!(fold(Some(1), opened("cpu")), Some(Severity::P2));
        fold(None, Event::Alarm(AlarmEvent::Raised { alarm: of("no-pods", Severity::P1, AlarmState::Alarm) }));
        fold(None, Event::Alarm(AlarmEvent::Cleared { alarm: of("no-pods", Severity::P1, AlarmState::Ok) }));
        fold(None, identified("no-pods"));
        assert_eq!(fold(Some(1), joined("no-pods")), Some(Severity::P1), "it has fired");
        fold(Some(2), opened("cpu"));
        assert_eq!(fold(Some(2), joined("no-pods")), Some(Severity::P2), "not for this one: it is looked into");
    }

    /// One that only scales is told as updated, however it stands: it opens nothing by itself.
    #[test]
    fn an_alarm_that_opens_nothing_is_looked_into_for_whom_it_was_named_or_chosen() {
        let identify = || vec![Effect::Identify { alarm: "TargetTracking-low".into() }];
        for state in [AlarmState::Ok, AlarmState::Alarm] {
            let found = Alarm { state, ..alarm("TargetTracking-low", latency(), (Statistic::Average, 60)) };
            let updated = || Event::Alarm(AlarmEvent::Updated { alarm: Box::new(found.clone()) });
            let mut session = Session::default();
            session.header.focus = Some("TargetTracking-low".to_owned());
            assert_eq!(told(&mut session, updated()), identify(), "named on the command line, {state:?}");
            assert_eq!(told(&mut session, updated()), [], "once");
            let mut session = Session::default();
            assert_eq!(told(&mut session, updated()), []);
            let chosen = |name: &str| Event::Alarm(AlarmEvent::Chosen { name: name.into() });
            assert_eq!(told(&mut session, chosen("TargetTracking-low")), identify());
            assert_eq!(told(&mut session, chosen("gone")), []);
        }
    }

    #[test]
    fn namespaces_are_learned_without_standing_anything_down() {
        let mut session = Session::default();
        let namespaces = vec!["payments".into()];
        let event = SessionEvent::NamespacesLearned { namespaces: namespaces.clone() };
        assert_eq!(told(&mut session, Event::Session(event)), []);
        assert_eq!(session.header.namespaces, namespaces);
    }
}
