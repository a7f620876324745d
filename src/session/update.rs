//! Routes a record to the topic it belongs to. Total: an event that means nothing in a state changes nothing.

use super::effect::Effect;
use super::event::{AlarmEvent, Event, LogEvent, MetricEvent, SessionEvent, TimerEvent, TimerPurpose, WorkloadEvent};
use super::feeds::FeedId;
use super::record::Record;
use super::state::{Credentials, Session};
use super::{
    cluster, feeds, lasting, narrative, place, remediation, reporting, resumption, standing, triage, verification,
};
use crate::domain::drill;
use crate::domain::observation::alarm::AlarmState;
use crate::domain::observation::metric::Series;
use crate::domain::observation::service::ServiceName;
use crate::domain::observation::skew::ClockSkew;

/// Points of a chart that are kept: three hours of minutes.
const MOST_POINTS: usize = 180;

/// Folds one record and says what is to be done about it. Deterministic; does nothing itself.
pub fn update(session: &mut Session, record: &Record) -> Vec<Effect> {
    session.seq = record.seq;
    session.now = record.at;
    let known = (&session.feeds, &session.service_feeds);
    if !feeds::repeats(known, &record.event) && !session.logs.repeats(&record.event) {
        session.timeline.fold(record);
    }
    let effects = route(session, record);
    standing::note_closed(session, record);
    effects
}

fn route(session: &mut Session, record: &Record) -> Vec<Effect> {
    match &record.event {
        Event::Session(event) => session_event(session, record, event),
        Event::Alarm(event) => alarm_event(session, event),
        Event::Feed(event) => {
            let served = session.unusable_credentials().is_none();
            feeds::fold((&mut session.feeds, &mut session.service_feeds), event, record.at);
            session.logs.fold_feed(event, record.at);
            if served { remediation::locked_out(session, record.at) } else { Vec::new() }
        }
        Event::Metric(MetricEvent::Read { service, series }) => {
            chart(session, service, series);
            reporting::watched(session, record.at)
        }
        Event::Log(event) => {
            log_event(session, event);
            Vec::new()
        }
        Event::Workload(WorkloadEvent::Changed { change }) => {
            cluster::fold(&mut session.cluster, change);
            let mut effects = remediation::moved(session, change);
            effects.extend(lasting::killed_again(session, change));
            effects
        }
        Event::Incident(event) => triage::incident(session, record, event),
        Event::Evidence(event) => triage::evidence(session, record, event),
        Event::Narrative(event) => narrative::fold(session, record, event),
        Event::Remediation(event) => remediation::fold(session, record, event),
        Event::Verification(event) => verification::fold(session, record, event),
        Event::Report(event) => reporting::fold(session, record, event),
        Event::Timer(TimerEvent::Fired { purpose }) => timer(session, record, purpose),
    }
}

fn session_event(session: &mut Session, record: &Record, event: &SessionEvent) -> Vec<Effect> {
    match event {
        SessionEvent::Started { header } => session.header = (**header).clone(),
        SessionEvent::Resumed { .. } => {
            (session.ended, session.elsewhere) = (None, None);
            // This process has not been told of any alarm or pod yet, nor been refused any.
            session.feeds.retain(|feed, _| !matches!(feed, FeedId::Alarms | FeedId::Workloads));
            // It may be another machine, and this one's clock may have been set since.
            session.clock = ClockSkew::NONE;
            return resumption::settle(session, record.at);
        }
        SessionEvent::ScopeLearned { scope, environment } => {
            return place::learned(session, (scope, environment.as_deref()));
        }
        SessionEvent::NamespacesLearned { namespaces } => session.header.namespaces.clone_from(namespaces),
        SessionEvent::CredentialsRead { expires_at } => {
            session.credentials = expires_at.map_or(Credentials::Lasting, Credentials::ExpireAt);
        }
        SessionEvent::ClockCompared { skew, lead } => session.clock = skew.led_by(*lead),
        SessionEvent::PinToggled { evidence } => {
            if let Some(incident) = record.incident.and_then(|id| session.incidents.get_mut(&id))
                && !incident.pins.remove(evidence)
            {
                incident.pins.insert(*evidence);
            }
        }
        SessionEvent::BecameReadOnly { fault } => {
            session.read_only = Some(fault.clone());
            return remediation::stand_down_all(session, "the journal cannot be written");
        }
        SessionEvent::GameDay { change, .. } => {
            if let Some(change) = change {
                drill::after(&mut session.drills, change, record.at);
            }
        }
        SessionEvent::Ended { reason } => {
            session.ended = Some(reason.clone());
            session.incidents.values_mut().for_each(reporting::lose_post);
            reporting::left(session);
        }
        // These only have a line in the timeline.
        SessionEvent::Noted { .. } | SessionEvent::Faulted { .. } => {}
    }
    Vec::new()
}

fn alarm_event(session: &mut Session, event: &AlarmEvent) -> Vec<Effect> {
    match event {
        AlarmEvent::Raised { alarm } => {
            session.alarms.insert(alarm.name.clone(), (**alarm).clone());
            session.raised.insert(alarm.name.clone());
            vec![Effect::Identify { alarm: alarm.name.clone() }]
        }
        AlarmEvent::Cleared { alarm } | AlarmEvent::Updated { alarm } => {
            let before = session.alarms.insert(alarm.name.clone(), (**alarm).clone()).map(|before| before.state);
            // What lost its metric, or cleared while no process ran, is back at OK with no word of its own.
            let is_back = alarm.state == AlarmState::Ok && before.is_some_and(|before| before != AlarmState::Ok);
            let mut effects = standing::over(session, &alarm.name);
            if is_back || matches!(event, AlarmEvent::Cleared { .. }) {
                effects.extend(standing::recovered(session, &alarm.name));
            }
            // The alarm the session was started for is looked into even when it does not fire any more.
            if before.is_none() && session.is_focus(&alarm.name) {
                effects.push(Effect::Identify { alarm: alarm.name.clone() });
            }
            effects
        }
        AlarmEvent::Chosen { name } => {
            let known = session.alarms.contains_key(name);
            known.then(|| Effect::Identify { alarm: name.clone() }).into_iter().collect()
        }
        AlarmEvent::Detailed { name, detail } => {
            session.alarm_details.insert(name.clone(), (**detail).clone());
            Vec::new()
        }
        AlarmEvent::Removed { name } => {
            session.alarms.remove(name);
            session.raised.remove(name);
            session.alarm_details.remove(name);
            standing::over(session, name)
        }
    }
}

fn log_event(session: &mut Session, event: &LogEvent) {
    match event {
        LogEvent::Batch { group, summary, lines } => session.logs.fold_batch(group, summary, lines),
        LogEvent::Early { group, lines } => session.logs.fold_early(group, lines),
        LogEvent::Gap { group, window, missed, why } => session.logs.gaps.push(super::logs::LogGap {
            group: group.clone(),
            window: *window,
            missed: *missed,
            why: why.clone(),
        }),
    }
}

/// Merges new points of a series into the charts of a service.
pub(super) fn chart(session: &mut Session, service: &ServiceName, series: &Series) {
    let by_role = session.metrics.entry(service.clone()).or_default();
    let role = series.query.role;
    let known = by_role.remove(&role).filter(|known| known.query == series.query);
    let before = known.map(|known| known.points).unwrap_or_default();
    let mut merged = Series::new(series.query.clone(), series.unit, before.into_iter().chain(series.points.clone()));
    let surplus = merged.points.len().saturating_sub(MOST_POINTS);
    merged.points.drain(..surplus);
    by_role.insert(role, merged);
}

fn timer(session: &mut Session, record: &Record, purpose: &TimerPurpose) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    match purpose {
        TimerPurpose::ArmExpiry { step, digest } => remediation::arm_expired(session, id, *step, digest),
        TimerPurpose::Measure { step } => verification::measure_again(session, id, *step),
        TimerPurpose::JudgeGate => remediation::judge_again(session, id, record.at),
        TimerPurpose::FollowUp => reporting::watched(session, record.at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::drill::{Drill, DrillChange};

    fn folded(session: &mut Session, event: SessionEvent) {
        let record = Record { seq: session.seq + 1, at: session.now, incident: None, event: Event::Session(event) };
        assert_eq!(update(session, &record), []);
    }

    #[test]
    fn a_game_day_is_folded_and_one_of_an_older_journal_is_told_alone() {
        let mut session = Session::default();
        let old = r#"{"is":"game-day","text":"logs are throttled for 60 s"}"#;
        folded(&mut session, serde_json::from_str(old).unwrap());
        assert_eq!((session.timeline.entries().len(), session.drills.len()), (1, 0));
        let fault = Drill::ThrottleLogs.injection().unwrap().at(session.now);
        let change = Some(DrillChange::Injected { fault: fault.clone() });
        let event = SessionEvent::GameDay { text: "logs".to_owned(), change };
        let kept = serde_json::to_value(&event).unwrap();
        assert_eq!(kept["change"]["fault"]["services"], serde_json::json!(["logs"]));
        assert_eq!(
            (&kept["change"]["fault"]["kind"], &kept["change"]["is"]),
            (&"throttled".into(), &"injected".into())
        );
        assert_eq!(kept["change"]["fault"]["until"], "1970-01-01T00:01:00Z");
        folded(&mut session, serde_json::from_value(kept).unwrap());
        assert_eq!(session.drills, [fault]);
        let change = Some(DrillChange::AllCleared);
        folded(&mut session, SessionEvent::GameDay { text: "calm".to_owned(), change });
        assert_eq!(session.drills, []);
    }
}
