//! What is asked of which alarm, what joins an incident, and how old its evidence is.

use super::*;
use crate::domain::diagnosis::evidence::{Answer, EvidenceSource};
use crate::domain::observation::alarm::{Alarm, Comparison, fixture};
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};
use crate::domain::observation::service::{Certainty, Origin};
use crate::domain::remediation::step::Plan;
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
    for (compared, own) in
        [((Statistic::Average, 60), false), ((Statistic::Average, 300), true), ((Statistic::Percentile(990), 60), true)]
    {
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
    let identified = |name: &str| Event::Incident(IncidentEvent::Identified { alarm: name.into(), service: service() });
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

/// Every step was decided, on what was known then. A listing tells anew what fires when the program starts again.
#[test]
fn what_begins_to_fire_after_every_step_was_decided_begins_a_new_round() {
    let minute = |n| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_mins(n);
    let service = || Box::new(inferred("my-api", MetricRole::Cpu));
    for (name, since, begins) in [("cpu", 40, true), ("cpu", 5, false), ("5xx", 40, true), ("5xx", 5, false)] {
        let mut session = Session::default();
        let mut incident = Incident::new(IncidentId(1), *service(), Severity::P2, minute(10));
        incident.alarms = vec!["cpu".into(), "memory".into()];
        incident.window = Some(Window::minutes_before(minute(10), 30));
        incident.plan = Some(Plan { runbook: "leak/default".to_owned(), steps: Vec::new() });
        incident.phase = Phase::Watching;
        session.incidents.insert(incident.id, incident);
        let known = Alarm { since: minute(since), ..alarm(name, latency(), (Statistic::Average, 60)) };
        told(&mut session, Event::Alarm(AlarmEvent::Raised { alarm: Box::new(known) }));
        let identified = IncidentEvent::Identified { alarm: name.into(), service: service() };
        let mut effects = told(&mut session, Event::Incident(identified));
        if let [Effect::Conclude { incident, event }] = &effects[..]
            && matches!(**event, Event::Incident(_))
        {
            let at = Timestamp::UNIX_EPOCH;
            let joins = Record { seq: session.seq + 1, at, incident: *incident, event: (**event).clone() };
            effects = update::update(&mut session, &joins);
        }
        assert_eq!(!asked(&effects).is_empty(), begins, "{name} since minute {since}: {effects:?}");
    }
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

/// The clock of the machine was set back by an hour: what is read now is as old as its record, and not an hour old.
#[test]
fn evidence_is_as_old_as_its_record() {
    let mut session = Session::default();
    let at = |second: i64| Timestamp::from_second(1_777_627_860 + second).unwrap();
    let mut incident = Incident::new(IncidentId(1), Service::bare("my-api"), Severity::P2, at(0));
    incident.awaited = vec![(EvidenceId(1), Question::Memory), (EvidenceId(2), Question::Cpu)];
    session.incidents.insert(incident.id, incident);
    let evidence = Box::new(Evidence {
        id: EvidenceId(1),
        question: Question::Memory,
        source: EvidenceSource::CloudwatchMetrics,
        query: String::new(),
        window: Window::minutes_before(at(0), 30),
        asked_at: at(-3_600),
        answered_at: at(-3_598),
        answer: Answer::Absent,
    });
    let event = Event::Evidence(EvidenceEvent::Answered { evidence });
    update::update(&mut session, &Record { seq: 1, at: at(5), incident: Some(IncidentId(1)), event });
    let known = &session.incidents[&IncidentId(1)].evidence[0];
    assert_eq!((known.asked_at, known.answered_at), (at(3), at(5)));
}
