//! Observations into answers: bounded, ordered, and honest about what was cut.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{Answer, LogDigest, Payload, WholeCount};
use crate::domain::diagnosis::statistics::{self, DaysBefore};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::{BandPoint, Bound};
use crate::domain::observation::change::{Change, ChangeKind};
use crate::domain::observation::cluster_sign::tells_of_trouble;
use crate::domain::observation::collector_log::Collection;
use crate::domain::observation::log::{Completeness, LogLevel};
use crate::domain::observation::log_template::TemplateCount;
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Point, Series, Statistic, Unit};
use crate::domain::observation::oom_kill::{self, KillSource, SourceRead};
use crate::domain::observation::scope::Window;
use crate::domain::observation::workload::{ClusterEvent, Pod, Revision, Workload};

/// Points kept of a series: two days of minutes.
const POINTS: usize = 2_880;
/// Templates, pods, events and revisions kept.
const TEMPLATES: usize = 50;
const PODS: usize = 200;
pub(super) const EVENTS: usize = 50;
const REVISIONS: usize = 50;

/// The answer of a question that was asked and not answered.
pub fn unanswered(fault: Fault) -> Answer {
    match fault.kind {
        FaultKind::Denied | FaultKind::Credentials => Answer::Denied { fault },
        FaultKind::NotConfigured => Answer::NotAsked { why: fault.summary },
        FaultKind::Throttled
        | FaultKind::NotFound
        | FaultKind::Timeout
        | FaultKind::Unreachable
        | FaultKind::Malformed
        | FaultKind::Conflict
        | FaultKind::Unavailable
        | FaultKind::Rejected
        | FaultKind::Cut
        | FaultKind::Storage
        | FaultKind::Usage
        | FaultKind::Internal => Answer::Failed { fault },
    }
}

/// The answer of a metric, with the constant its alarm compares it with: absent without points; the newest 2,880 points
/// where there are more.
pub fn series(mut series: Series, baseline: Option<Series>, bound: Option<Bound>) -> Answer {
    if series.points.is_empty() {
        return Answer::Absent;
    }
    let seen = series.points.len();
    let cut = seen.saturating_sub(POINTS);
    series.points.drain(..cut);
    let baseline = baseline.filter(|baseline| !baseline.points.is_empty());
    let (threshold, side) = (bound.map(|bound| bound.value), bound.and_then(|bound| bound.side));
    let (band, same_hours, earlier_days) = (Vec::new(), None, Vec::new());
    bounded(Payload::Series { series, baseline, threshold, side, band, same_hours, earlier_days }, seen, POINTS)
}

/// The answer of a series that an alarm compares with an anomaly band, with the band of its points.
pub fn banded(answer: Answer, bounds: &[BandPoint]) -> Answer {
    let within = |series: &Series| {
        let of = |at| bounds.iter().find(move |bound| bound.at == at).copied();
        series.points.iter().filter_map(|point| of(point.at)).collect()
    };
    let with = |payload| match payload {
        Payload::Series { series, baseline, threshold, side, same_hours, earlier_days, .. } => {
            let band = within(&series);
            Payload::Series { series, baseline, threshold, side, band, same_hours, earlier_days }
        }
        other @ (Payload::OomKills(_)
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Workload { .. }
        | Payload::Changes { .. }) => other,
    };
    match answer {
        Answer::Observed { payload } => Answer::Observed { payload: with(payload) },
        Answer::Truncated { payload, seen, of } => Answer::Truncated { payload: with(payload), seen, of },
        other @ (Answer::Absent | Answer::Denied { .. } | Answer::Failed { .. } | Answer::NotAsked { .. }) => other,
    }
}

/// Adds to the answer of a metric how it stands to the same hours of the days before, and those days, out of earlier
/// points or of why there are none. The level of now is that of the newest points, as it is against the window before.
pub fn with_same_hours(mut answer: Answer, earlier: Result<&[Point], String>) -> Answer {
    if let Answer::Observed { payload } | Answer::Truncated { payload, .. } = &mut answer
        && let Payload::Series { series, same_hours, earlier_days, .. } = payload
    {
        *earlier_days = statistics::earlier_days(&series.points, earlier.as_deref().unwrap_or_default());
        let late = statistics::late(&series.points);
        *same_hours = Some(match earlier {
            Ok(earlier) => statistics::same_hours(late, earlier).map_or(DaysBefore::TooFew, DaysBefore::Known),
            Err(why) => DaysBefore::Unread { why },
        });
    }
    answer
}

/// The answer of the OOM count, from whichever of logs, statuses and events were read: `logs` with how completely, the
/// pods and the events where the cluster answered. `None` for all three is [`Answer::Absent`]: nobody looked, or nobody
/// could; say which with [`unanswered`] instead where it is known.
pub fn oom_kills(
    logs: Option<(&LogDigest, Completeness)>,
    pods: Option<&[Pod]>,
    events: Option<&[ClusterEvent]>,
    window: Window,
) -> Answer {
    let known = pods.unwrap_or_default();
    let mut sightings = Vec::new();
    let mut read = Vec::new();
    let mut deaths = Vec::new();
    if let Some((digest, completeness)) = logs {
        let lost = digest.summary.kills - (digest.kills.len() as u64).min(digest.summary.kills);
        let cut = Completeness::Truncated { seen: digest.kills.len() as u64, of: Some(digest.summary.kills) };
        sightings.extend(oom_kill::in_lines(&digest.kills, known, window));
        read.push(SourceRead { source: KillSource::Logs, completeness: if lost > 0 { cut } else { completeness } });
    }
    if let Some(events) = events {
        sightings.extend(oom_kill::in_events(events, known, window));
        read.push(SourceRead { source: KillSource::Events, completeness: Completeness::Exact });
    }
    if let Some(pods) = pods {
        sightings.extend(oom_kill::in_pods(pods, window));
        deaths = oom_kill::deaths(pods, window);
        read.push(SourceRead { source: KillSource::Status, completeness: Completeness::Exact });
    }
    let heap_errors = logs.map_or(0, |(digest, _)| digest.heap_errors);
    match oom_kill::count(&sightings, &read, &deaths, heap_errors) {
        None => Answer::Absent,
        Some(count) => match count.completeness {
            Completeness::Exact => Answer::Observed { payload: Payload::OomKills(count) },
            Completeness::Truncated { seen, of } => Answer::Truncated { payload: Payload::OomKills(count), seen, of },
            Completeness::Sampled { seen } => Answer::Truncated { payload: Payload::OomKills(count), seen, of: None },
        },
    }
}

/// The answer of the collector: its series (with the window before it), and what the logs tell. Absent without either.
pub fn collector(series: Option<Series>, baseline: Option<Series>, logs: Option<(&LogDigest, Completeness)>) -> Answer {
    let full = |series: &Series| !series.points.is_empty();
    let (series, baseline) = (series.filter(full), baseline.filter(full));
    if series.is_none() && logs.is_none() {
        return Answer::Absent;
    }
    let digest = logs.map(|(digest, _)| digest);
    let payload = Payload::Collector {
        series,
        baseline,
        pauses: digest.map_or(0, |digest| digest.pauses),
        full_collections: digest.map_or(0, |digest| digest.full_collections),
        heap_errors: digest.map_or(0, |digest| digest.heap_errors),
        heap: None,
        excerpts: digest.map(|digest| digest.collector_excerpts.clone()).unwrap_or_default(),
        unread: Vec::new(),
    };
    of_logs(payload, logs.map_or(Completeness::Exact, |(_, completeness)| completeness))
}

/// The answer of the collector from its own log, read in order: pauses and heap as it writes them, its share of time by
/// the minute from `begin`; `allowed` is the most its heap may be. Absent without a collection.
pub fn collector_file(
    (collections, allowed): (&[Collection], Option<u64>),
    heap_errors: u64,
    begin: Timestamp,
) -> Answer {
    let Some(heap) = statistics::heap_reading(collections, allowed) else { return Answer::Absent };
    let metric = MetricId { name: "pauses".to_owned(), ..MetricId::default() };
    let role = MetricRole::CollectorTime;
    let query = MetricQuery { role, metric, statistic: Statistic::Average, period_s: 60 };
    let mut points = statistics::time_by_minute(collections, begin);
    points.drain(..points.len().saturating_sub(POINTS));
    let series = (!points.is_empty()).then(|| Series::new(query, Unit::Percent, points));
    Answer::Observed {
        payload: Payload::Collector {
            series,
            baseline: None,
            pauses: heap.pauses,
            full_collections: heap.full,
            heap_errors,
            heap: Some(heap),
            excerpts: Vec::new(),
            unread: Vec::new(),
        },
    }
}

/// The answer of the log patterns. Absent without a line.
pub fn log_patterns(digest: &LogDigest, completeness: Completeness) -> Answer {
    if digest.summary.lines == 0 {
        return Answer::Absent;
    }
    let counts = digest.miner.counts();
    let mined = counts.len() as u64;
    let templates = kept(counts);
    let payload = Payload::LogPatterns {
        lines: digest.summary.lines,
        errors: digest.summary.errors,
        warnings: digest.summary.warnings,
        mined,
        templates,
        signs: digest.signs.counts(),
        excerpts: digest.excerpts.clone(),
        whole: None,
        outside: None,
    };
    of_logs(payload, completeness)
}

/// The answer of kills or log patterns with what the logs hold outside of the window: the counts are those of the window
/// alone, and a file tells of more.
pub fn with_outside(mut answer: Answer, digest: &LogDigest) -> Answer {
    match &mut answer {
        Answer::Observed { payload } | Answer::Truncated { payload, .. } => match payload {
            Payload::OomKills(count) => count.outside = Some(digest.outside.kills).filter(|kills| *kills > 0),
            Payload::LogPatterns { outside, .. } => *outside = Some(digest.outside.lines).filter(|lines| *lines > 0),
            Payload::Series { .. } | Payload::Collector { .. } | Payload::Workload { .. } | Payload::Changes { .. } => {
            }
        },
        Answer::Absent | Answer::Denied { .. } | Answer::Failed { .. } | Answer::NotAsked { .. } => {}
    }
    answer
}

/// The answer of log patterns that were read in part, with the count of the whole window.
pub fn counted_whole(answer: Answer, count: WholeCount) -> Answer {
    match answer {
        Answer::Truncated {
            payload: Payload::LogPatterns { lines, errors, warnings, mined, templates, signs, excerpts, outside, .. },
            seen,
            of,
        } => {
            let of = of.unwrap_or(count.lines).max(seen);
            let whole = Some(count);
            let payload =
                Payload::LogPatterns { lines, errors, warnings, mined, templates, signs, excerpts, whole, outside };
            Answer::Truncated { payload, seen, of: Some(of) }
        }
        // What was read whole needs no other count.
        other @ (Answer::Observed { .. }
        | Answer::Truncated { .. }
        | Answer::Absent
        | Answer::Denied { .. }
        | Answer::Failed { .. }
        | Answer::NotAsked { .. }) => other,
    }
}

/// The answer of the workload: its own pods, and the warnings about it, its replica sets, its pods and their nodes, newest
/// first. Of more than are kept it says how many pods and warnings there are together.
pub fn workload(workload: Workload, pods: &[Pod], events: &[ClusterEvent]) -> Answer {
    let own: Vec<Pod> = pods.iter().filter(|pod| pod.owner.as_ref() == Some(&workload.target)).cloned().collect();
    let about = |event: &&ClusterEvent| {
        let (kind, name) = event.about.split_once('/').unwrap_or(("", &event.about));
        let mine = match kind {
            "Node" => own.iter().any(|pod| pod.node.as_deref() == Some(name)),
            _ => event.is_about(&workload.target, pods),
        };
        mine && (event.warning || tells_of_trouble(&event.reason))
    };
    let events: Vec<ClusterEvent> = events.iter().filter(about).cloned().collect();
    let there = own.len() + events.len();
    let (pods, events): (Vec<Pod>, _) = (own.into_iter().take(PODS).collect(), newest(events));
    let kept = pods.len() + events.len();
    bounded(Payload::Workload { workload: Box::new(workload), pods, events, unread: Vec::new() }, there, kept)
}

/// The newest events, those first that are the newest of their reason: what every pod tells must not crowd out what its node
/// told once.
fn newest(mut events: Vec<ClusterEvent>) -> Vec<ClusterEvent> {
    let by_age = |event: &ClusterEvent| std::cmp::Reverse(event.last_at);
    events.sort_by_key(by_age);
    let mut reasons = BTreeSet::new();
    let (mut kept, rest): (Vec<_>, Vec<_>) = events.into_iter().partition(|event| {
        let kind = event.about.split('/').next().unwrap_or_default().to_owned();
        reasons.insert((kind, event.reason.clone()))
    });
    kept.extend(rest);
    kept.truncate(EVENTS);
    kept.sort_by_key(by_age);
    kept
}

/// The answer of the workload or the collector with what could not be read of it.
pub fn in_part(mut answer: Answer, unread: Vec<String>) -> Answer {
    if let Answer::Observed { payload } | Answer::Truncated { payload, .. } = &mut answer
        && let Payload::Workload { unread: told, .. } | Payload::Collector { unread: told, .. } = payload
    {
        *told = unread;
    }
    answer
}

/// Changes beside rollouts, and what of them could not be read.
#[derive(Clone, Debug, Default)]
pub struct OtherChanges {
    /// What was changed.
    pub changes: Vec<Change>,
    /// What could not be read, and why.
    pub unread: Vec<String>,
}

/// The answer of the changes: rollouts ascending, the newest 50, and the newest 50 of the others with every autoscaler, as
/// that is no news but a rule. Absent without any, where everything was read.
pub fn changes(mut revisions: Vec<Revision>, others: OtherChanges) -> Answer {
    let OtherChanges { changes: mut others, unread } = others;
    if revisions.is_empty() && others.is_empty() && unread.is_empty() {
        return Answer::Absent;
    }
    revisions.sort_by_key(|revision| revision.number);
    let seen = revisions.len();
    revisions.drain(..seen.saturating_sub(REVISIONS));
    others.sort_by_key(|change| change.at);
    let (mut cut, seen) = (others.len().saturating_sub(REVISIONS), seen.max(others.len()));
    others.retain(|change| {
        let goes = cut > 0 && change.kind != ChangeKind::Autoscaler;
        cut -= usize::from(goes);
        !goes
    });
    bounded(Payload::Changes { revisions, others, unread }, seen, REVISIONS)
}

/// The templates with most lines. Half of the room is for errors and warnings: what went wrong is rarely what is written
/// most.
fn kept(counts: Vec<TemplateCount>) -> Vec<TemplateCount> {
    let (loud, quiet): (Vec<_>, Vec<_>) = counts.into_iter().partition(|count| count.level >= LogLevel::Warn);
    let room = TEMPLATES.saturating_sub(loud.len().min(TEMPLATES / 2)).min(quiet.len());
    let mut kept: Vec<TemplateCount> =
        quiet.into_iter().take(room).chain(loud.into_iter().take(TEMPLATES - room)).collect();
    kept.sort_by(|a, b| b.count.cmp(&a.count).then(b.level.cmp(&a.level)).then_with(|| a.template.cmp(&b.template)));
    kept
}

fn bounded(payload: Payload, seen: usize, most: usize) -> Answer {
    if seen > most {
        return Answer::Truncated { payload, seen: most as u64, of: Some(seen as u64) };
    }
    Answer::Observed { payload }
}

fn of_logs(payload: Payload, completeness: Completeness) -> Answer {
    match completeness {
        Completeness::Exact => Answer::Observed { payload },
        Completeness::Truncated { seen, of } => Answer::Truncated { payload, seen, of },
        Completeness::Sampled { seen } => Answer::Truncated { payload, seen, of: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::change::ChangeKind;
    use crate::domain::observation::workload::{WorkloadKind, WorkloadRef};

    fn change(kind: ChangeKind, second: i64) -> Change {
        let at = Timestamp::from_second(second).ok();
        Change { kind, name: "payments".to_owned(), at, what: "edited".to_owned(), fields: Vec::new() }
    }

    #[test]
    fn changes_that_were_not_read_are_not_absent() {
        let none = |unread: Vec<String>| changes(Vec::new(), OtherChanges { changes: Vec::new(), unread });
        assert_eq!(none(Vec::new()), Answer::Absent);
        assert_eq!(none(vec!["autoscalers (denied)".to_owned()]).completeness(), "truncated");
    }

    #[test]
    fn events_beyond_the_cut_are_told_and_the_one_of_a_reason_is_kept() {
        let target =
            WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".into() };
        let pod = Pod {
            name: "my-api-1".to_owned(),
            namespace: "payments".into(),
            owner: Some(target.clone()),
            phase: "Running".to_owned(),
            node: Some("node-a".to_owned()),
            containers: Vec::new(),
            created_at: None,
        };
        let event = |about: &str, reason: &str, second: i64| ClusterEvent {
            name: format!("{about}-{second}"),
            namespace: "payments".into(),
            warning: true,
            reason: reason.to_owned(),
            message: String::new(),
            about: about.to_owned(),
            node: None,
            count: 1,
            last_at: Timestamp::from_second(second).ok(),
            first_at: None,
        };
        let answer = |backoffs: i64| {
            let told = (1..=backoffs).map(|second| event("Pod/my-api-1", "BackOff", second));
            let all: Vec<_> = [event("Node/node-a", "NodeNotReady", 0)].into_iter().chain(told).collect();
            workload(Workload::named(target.clone()), std::slice::from_ref(&pod), &all)
        };
        assert!(matches!(answer(49), Answer::Observed { .. }));
        let Answer::Truncated { payload: Payload::Workload { events, .. }, seen: 51, of: Some(72) } = answer(70) else {
            unreachable!("{:?}", answer(70))
        };
        assert_eq!((events.len(), events[0].last_at), (50, Timestamp::from_second(70).ok()));
        assert_eq!(events.last().map(|event| event.reason.as_str()), Some("NodeNotReady"));
    }

    #[test]
    fn an_old_autoscaler_is_kept_and_what_is_cut_is_told() {
        let many = (1..80).map(|second| change(ChangeKind::ConfigMap, second));
        let all = [change(ChangeKind::Autoscaler, 0)].into_iter().chain(many).collect();
        let answer = changes(Vec::new(), OtherChanges { changes: all, unread: Vec::new() });
        let Answer::Truncated { payload: Payload::Changes { others, .. }, of: Some(80), .. } = answer else {
            unreachable!("{answer:?}")
        };
        assert_eq!(others.len(), 50);
        assert_eq!(others.first().map(|change| change.kind), Some(ChangeKind::Autoscaler));
    }
}
