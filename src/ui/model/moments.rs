//! What charts, logs and timeline share: the half hour on screen, and the instants worth marking in it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::diagnosis::evidence::{EvidenceId, Payload, Question};
use crate::domain::observation::alarm::{Alarm, Asked};
use crate::domain::observation::log::LogEventId;
use crate::domain::observation::metric::{MetricId, Series, Unit};
use crate::domain::observation::oom_kill::OomCount;
use crate::domain::observation::scope::{Window, whole_minute};
use crate::domain::observation::workload::Revision;
use crate::session::Session;
use crate::session::incident::Incident;
use crate::ui::model::Pace;

/// Minutes on screen.
pub const MINUTES: i64 = 30;
/// Minutes by which a quiet screen's charts move.
const ROOM_MINUTES: i64 = 30;

/// The last half hour of a series: what is drawn, and what the numbers beside it are computed over. It ends with the
/// newest period, or with the last whole minute where that is older, so that the figures are those of the evidence.
pub fn recent(series: &Series, now: Timestamp) -> (Window, Series) {
    let period = SignedDuration::from_secs(i64::from(series.query.period_s));
    let minute = whole_minute(now);
    let to = series.latest().map_or(minute, |latest| minute.max(latest.at + period));
    let window = Window { from: to - SignedDuration::from_mins(MINUTES), to };
    (window, Series::new(series.query.clone(), series.unit, series.within(window)))
}

/// The half hour that ends with the minute of now.
pub fn half_hour(now: Timestamp) -> Window {
    let to = whole_minute(now) + SignedDuration::from_mins(1);
    Window { from: to - SignedDuration::from_mins(MINUTES), to }
}

/// The window that is drawn where the lively screen draws this one. On a quiet screen it moves by whole spans only, with
/// room for what comes until then: a curve drawn anew each minute would be most of what a quiet screen writes.
pub fn drawn(lively: Window, (now, pace): (Timestamp, Pace)) -> Window {
    match pace {
        Pace::Lively => lively,
        Pace::Quiet => {
            let (span, end) = (ROOM_MINUTES * 60, half_hour(now).to);
            let to = end + SignedDuration::from_secs((-end.as_second()).rem_euclid(span));
            Window { from: to - SignedDuration::from_mins(MINUTES + ROOM_MINUTES), to }
        }
    }
}

/// The constant that a series must not exceed, by the alarm on it; an open incident's before any other. What an alarm on
/// too little is set to, such as one that scales in, is no limit.
pub fn threshold(session: &Session, series: &Series) -> Option<f64> {
    let paged = session.incidents.values().flat_map(|incident| &incident.alarms);
    let paged = paged.filter_map(|name| session.alarms.get(name));
    let ceilings = paged.chain(session.alarms.values()).filter_map(|alarm| alarm.bound_of(&series.query));
    ceilings.into_iter().find(|bound| bound.is_ceiling()).map(|bound| bound.value)
}

/// The series on screen that the alarm compares, else one of the same metric by another statistic; none of what metric math
/// is made of.
pub fn alarm_series<'a>(session: &'a Session, alarm: &Alarm) -> Option<&'a Series> {
    let (metric, _, _) = alarm.compared()?;
    compared_series(session, alarm).or_else(|| series_of(session, metric))
}

/// The series on screen of a metric.
pub fn series_of<'a>(session: &'a Session, metric: &MetricId) -> Option<&'a Series> {
    session.metrics.values().flat_map(|by_role| by_role.values()).find(|series| series.query.metric == *metric)
}

fn compared_series<'a>(session: &'a Session, alarm: &Alarm) -> Option<&'a Series> {
    session.metrics.values().flat_map(|by_role| by_role.values()).find(|series| alarm.compares(&series.query))
}

/// A value with the instant that it is of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Valued {
    /// In the alarm's unit.
    pub value: f64,
    /// Start of its period, or when the alarm changed by it.
    pub at: Timestamp,
}

/// The newest value of what an alarm compares: of its series, as CloudWatch answered for it, or the one that it changed by,
/// which CloudWatch tells on and on.
pub fn alarm_value(session: &Session, alarm: &Alarm) -> Option<Valued> {
    let changed = alarm.value.map(|value| Valued { value, at: alarm.since });
    let read = compared_series(session, alarm).and_then(Series::latest);
    let read = read.map(|point| Valued { value: point.value, at: point.at });
    let told = match session.alarm_details.get(&alarm.name).map(|detail| &detail.now) {
        Some(Asked::Read { answer }) => Some(Valued { value: answer.value, at: answer.at }),
        Some(Asked::Empty | Asked::Failed { .. } | Asked::NotAsked) | None => None,
    };
    // The period that a value is of begins before the change it leads to.
    let period = SignedDuration::from_secs(alarm.compared().map_or(60, |(_, _, period_s)| i64::from(period_s)));
    let ended = |valued: &Valued| valued.at + period;
    let newest = read.into_iter().chain(told).max_by_key(|valued| valued.at);
    newest.filter(|valued| changed.is_none_or(|changed| ended(valued) >= changed.at)).or(changed)
}

/// The unit of an alarm's value. CloudWatch tells none with an alarm: that of its series, else percent is said of names
/// that say so themselves.
pub fn unit_of(session: &Session, alarm: &Alarm) -> Unit {
    alarm_series(session, alarm).map_or_else(|| guessed_unit(alarm), |series| series.unit)
}

fn guessed_unit(alarm: &Alarm) -> Unit {
    // What metric math makes of a percentage need not be one.
    let name = alarm.compared().map_or("", |(metric, _, _)| metric.name.as_str()).to_ascii_lowercase();
    if name.contains("utilization") || name.contains("percent") { Unit::Percent } else { Unit::None }
}

/// The rollouts of the incident's workload, as evidence tells them, else as they are watched.
pub fn revisions<'a>(session: &'a Session, incident: Option<&'a Incident>) -> &'a [Revision] {
    let told = incident.and_then(|incident| incident.answer_to(Question::Changes)).and_then(|e| e.answer.payload());
    let workload = incident.and_then(|incident| incident.service.workload.as_ref());
    let watched = workload.and_then(|target| session.cluster.revisions.get(&target.key()));
    match (told, watched) {
        (Some(Payload::Changes { revisions, .. }), _) | (_, Some(revisions)) => revisions,
        (_, None) => &[],
    }
}

/// When they were rolled out, ascending.
pub fn deploys(session: &Session, incident: Option<&Incident>) -> Vec<Timestamp> {
    let mut times: Vec<Timestamp> =
        revisions(session, incident).iter().filter_map(|revision| revision.created_at).collect();
    times.sort_unstable();
    times
}

/// The count of OOM kills in the incident's newest evidence.
pub fn kill_count(incident: &Incident) -> Option<&OomCount> {
    match incident.answer_to(Question::OomKills)?.answer.payload()? {
        Payload::OomKills(count) => Some(count),
        _ => None,
    }
}

/// When containers were killed.
pub fn kills(incident: Option<&Incident>) -> &[Timestamp] {
    incident.and_then(kill_count).map_or(&[], |count| count.at.as_slice())
}

/// The ids of lines that evidence of the last round holds as excerpts.
pub fn cited(incident: &Incident) -> impl Iterator<Item = (EvidenceId, &LogEventId)> {
    let excerpts = incident.round().iter().filter_map(|evidence| match evidence.answer.payload()? {
        Payload::Collector { excerpts, .. } | Payload::LogPatterns { excerpts, .. } => Some((evidence.id, excerpts)),
        Payload::Series { .. } | Payload::OomKills(_) | Payload::Workload { .. } | Payload::Changes { .. } => None,
    });
    excerpts.flat_map(|(evidence, excerpts)| excerpts.iter().map(move |line| (evidence, &line.id)))
}

/// The evidence that holds a line as an excerpt.
pub fn cited_by(incident: &Incident, line: &LogEventId) -> Option<EvidenceId> {
    cited(incident).find(|(_, id)| *id == line).map(|(evidence, _)| evidence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::alarm::{AlarmDetail, AlarmRule, ComparedNow, fixture};
    use crate::domain::observation::metric::{MetricQuery, MetricRole, Point, Statistic};

    fn at(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    /// CloudWatch tells the value of the change for as long as the state stays; what is read since then is newer.
    #[test]
    fn the_value_of_an_alarm_is_the_newest_that_was_read_of_what_it_compares() {
        let mut session = Session::default();
        let mut alarm = fixture::any("high");
        (alarm.since, alarm.value) = (at(20), Some(3.0));
        let (metric, statistic) = (MetricId { name: "Kills".to_owned(), ..MetricId::default() }, Statistic::Maximum);
        let comparison = crate::domain::observation::alarm::Comparison::Greater;
        alarm.rule = AlarmRule::Metric { metric: metric.clone(), statistic, period_s: 60, comparison, threshold: 2.0 };
        let changed = Some(Valued { value: 3.0, at: at(20) });
        assert_eq!(alarm_value(&session, &alarm), changed);
        let mut reads = |role, statistic, minute| {
            let query = MetricQuery { role, metric: metric.clone(), statistic, period_s: 60 };
            let series = Series::new(query, Unit::Count, [Point { at: at(minute), value: 14.0 }]);
            session.metrics.entry("my-api".into()).or_default().insert(role, series);
            alarm_value(&session, &alarm)
        };
        assert_eq!(reads(MetricRole::Cpu, Statistic::Average, 28), changed, "another statistic is another value");
        assert_eq!(reads(MetricRole::Memory, Statistic::Maximum, 18), changed, "older than the change");
        let read = Some(Valued { value: 14.0, at: at(28) });
        assert_eq!(reads(MetricRole::Memory, Statistic::Maximum, 28), read);
        let now = Asked::Read { answer: ComparedNow { at: at(30), value: 5.0, band: None } };
        let detail = AlarmDetail { read_at: at(31), history: Asked::NotAsked, now };
        session.alarm_details.insert(alarm.name.clone(), detail);
        assert_eq!(alarm_value(&session, &alarm), Some(Valued { value: 5.0, at: at(30) }));
    }

    #[test]
    fn what_metric_math_is_made_of_is_not_taken_for_its_result() {
        let mut session = Session::default();
        let metric = MetricId { name: "Failed".to_owned(), ..MetricId::default() };
        let query =
            MetricQuery { role: MetricRole::Errors, metric: metric.clone(), statistic: Statistic::Sum, period_s: 60 };
        let series = Series::new(query, Unit::Count, [Point { at: at(1), value: 13.0 }]);
        session.metrics.entry("orders".into()).or_default().insert(MetricRole::Errors, series);
        let mut alarm = fixture::any("rate");
        alarm.rule = AlarmRule::Math {
            expression: "100 * failed / all".to_owned(),
            comparison: crate::domain::observation::alarm::Comparison::Greater,
            threshold: Some(1.0),
            metrics: vec![metric.clone()],
            queries: Vec::new(),
        };
        assert_eq!((alarm_series(&session, &alarm), unit_of(&session, &alarm)), (None, Unit::None));
        assert!(series_of(&session, &metric).is_some());
    }

    /// One point a minute, its value the minute's number.
    fn series(from: Timestamp, minutes: i64) -> Series {
        let query = MetricQuery {
            role: MetricRole::Cpu,
            metric: MetricId::default(),
            statistic: Statistic::Average,
            period_s: 60,
        };
        let point = |n: i64| Point { at: from + SignedDuration::from_mins(n), value: n as f64 };
        Series::new(query, Unit::Percent, (0..minutes).map(point))
    }

    #[test]
    fn the_figures_are_over_thirty_whole_periods_at_any_second_of_the_minute() {
        let from: Timestamp = "2026-05-01T09:00:00Z".parse().unwrap();
        let all = series(from, 31);
        for second in 0..60 {
            let now = from + SignedDuration::from_secs(31 * 60 + second);
            let (window, shown) = recent(&all, now);
            assert_eq!((shown.points.len(), window.seconds()), (30, 1_800), "at second {second}");
            assert_eq!(shown.mean(), Some(15.5));
        }
    }

    #[test]
    fn what_a_quiet_screen_draws_holds_the_half_hour_and_moves_every_half_hour() {
        let from: Timestamp = "2026-05-01T09:00:00Z".parse().unwrap();
        let mut windows = Vec::new();
        for second in 0..3_600 {
            let now = from + SignedDuration::from_secs(second);
            let shown = half_hour(now);
            assert_eq!(drawn(shown, (now, Pace::Lively)), shown);
            let quiet = drawn(shown, (now, Pace::Quiet));
            assert!(quiet.from <= shown.from && shown.to <= quiet.to, "{shown:?} {quiet:?}");
            windows.push(quiet);
        }
        windows.dedup();
        assert_eq!(windows.len(), 2);
    }

    #[test]
    fn a_period_that_has_only_begun_is_drawn_and_counts() {
        let from: Timestamp = "2026-05-01T09:00:00Z".parse().unwrap();
        let (window, shown) = recent(&series(from, 31), from + SignedDuration::from_secs(30 * 60 + 7));
        assert_eq!((shown.points.len(), shown.latest().map(|p| p.value)), (30, Some(30.0)));
        assert_eq!(window.to, from + SignedDuration::from_mins(31));
    }
}
