//! What charts, logs and timeline share: the half hour on screen, and the instants worth marking in it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::diagnosis::evidence::{EvidenceId, Payload, Question};
use crate::domain::observation::alarm::Alarm;
use crate::domain::observation::log::LogEventId;
use crate::domain::observation::metric::{Series, Unit};
use crate::domain::observation::oom_kill::OomCount;
use crate::domain::observation::scope::{Window, whole_minute};
use crate::domain::observation::workload::Revision;
use crate::session::Session;
use crate::session::incident::Incident;
use crate::ui::model::Pace;

/// Minutes on screen.
pub const MINUTES: i64 = 30;
/// Minutes by which a quiet screen's charts move.
const ROOM_MINUTES: i64 = 10;

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

/// The series on screen that is the alarm's metric.
pub fn alarm_series<'a>(session: &'a Session, alarm: &Alarm) -> Option<&'a Series> {
    let metric = alarm.metrics().first()?;
    session.metrics.values().flat_map(|by_role| by_role.values()).find(|series| series.query.metric == *metric)
}

/// The unit of an alarm's value. CloudWatch tells none with an alarm: that of its series, else percent is said of names
/// that say so themselves.
pub fn unit_of(session: &Session, alarm: &Alarm) -> Unit {
    alarm_series(session, alarm).map_or_else(|| guessed_unit(alarm), |series| series.unit)
}

fn guessed_unit(alarm: &Alarm) -> Unit {
    let name = alarm.metrics().first().map_or("", |metric| metric.name.as_str()).to_ascii_lowercase();
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
    use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Point, Statistic};

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
    fn what_a_quiet_screen_draws_holds_the_half_hour_and_moves_every_ten_minutes() {
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
        assert_eq!(windows.len(), 6);
    }

    #[test]
    fn a_period_that_has_only_begun_is_drawn_and_counts() {
        let from: Timestamp = "2026-05-01T09:00:00Z".parse().unwrap();
        let (window, shown) = recent(&series(from, 31), from + SignedDuration::from_secs(30 * 60 + 7));
        assert_eq!((shown.points.len(), shown.latest().map(|p| p.value)), (30, Some(30.0)));
        assert_eq!(window.to, from + SignedDuration::from_mins(31));
    }
}
