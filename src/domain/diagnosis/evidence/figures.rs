//! The facts of a piece of evidence: every number that an answer, a finding or a claim may name.

use super::build::EVENTS;
use super::fact::{Fact, FactUnit};
use super::patterns::rate_change;
use super::{Answer, Evidence, Payload, Question, told_tokens};
use crate::domain::diagnosis::statistics::{self, DaysBefore, HeapReading, MemoryShape, Onset, Ratio, SameHours};
use crate::domain::observation::alarm::{BandPoint, Bound};
use crate::domain::observation::change::Change;
use crate::domain::observation::log::LogLevel;
use crate::domain::observation::log_template::TemplateCount;
use crate::domain::observation::metric::{Point, Series, Unit};
use crate::domain::observation::oom_kill::OomCount;
use crate::domain::observation::service::{Measure, measure_of};
use crate::domain::observation::workload::{Pod, Revision, Workload};

/// The facts of an answer, each finite, names unique; empty where nothing was found.
pub fn facts(evidence: &Evidence) -> Vec<Fact> {
    let Some(payload) = evidence.answer.payload() else { return Vec::new() };
    let mut facts = match payload {
        Payload::Series { series, baseline, threshold, side, band, same_hours, earlier_days: _ } => {
            let mut facts = of_series(series, baseline.as_ref());
            facts.extend(threshold.iter().flat_map(|value| beyond(series, Bound { value: *value, side: *side })));
            facts.extend(outside(series, band));
            let hours = same_hours.iter().filter_map(DaysBefore::known);
            facts.extend(hours.flat_map(|hours| of_hours(hours, FactUnit::from(series.unit))));
            if evidence.question == Question::Memory {
                facts.extend(of_memory(series, baseline.as_ref()));
            }
            facts
        }
        Payload::OomKills(count) => of_kills(count),
        Payload::Collector { series, baseline, pauses, full_collections, heap_errors, heap, unread, .. } => {
            let mut facts = series.as_ref().map(|series| of_series(series, baseline.as_ref())).unwrap_or_default();
            // Of logs that nobody read no count is known, not even none.
            if !unread.iter().any(|what| what.starts_with("logs")) {
                facts.push(count("pauses", *pauses));
                facts.push(count("full-collections", *full_collections));
                facts.push(count("heap-errors", *heap_errors));
            }
            facts.extend(heap.iter().flat_map(of_heap));
            facts
        }
        Payload::LogPatterns { lines, errors, warnings, mined, templates, signs, whole, .. } => {
            let mut facts = vec![count("lines", *lines), count("errors", *errors), count("warnings", *warnings)];
            facts.push(count("templates", (*mined).max(templates.len() as u64)));
            facts.push(count("tokens", told_tokens(evidence)));
            facts.extend(templates.iter().zip(1..).flat_map(|(template, n)| of_template(template, n, evidence)));
            facts.extend(whole.iter().flat_map(|whole| {
                [count("lines-in-window", whole.lines), count("error-lines-in-window", whole.error_lines)]
            }));
            facts.extend(
                signs.iter().map(|sign| count(format!("{}-lines", sign.sign.word()), sign.lines).at(sign.first_at)),
            );
            facts
        }
        Payload::Workload { workload, pods, events, .. } => {
            let mut facts = of_workload(workload, pods);
            let warnings = events.iter().filter(|event| event.warning).count() as u64;
            // Of those that were cut no count is known.
            facts.extend((events.len() < EVENTS).then(|| count("warnings", warnings)));
            facts
        }
        Payload::Changes { revisions, others, .. } => of_changes(revisions, others),
    };
    if let Answer::Truncated { seen, of, .. } = &evidence.answer {
        facts.push(count("seen", *seen));
        facts.extend(of.map(|of| count("of", of)));
    }
    facts.retain(|fact| fact.value.is_finite());
    facts
}

fn count(name: impl Into<String>, value: u64) -> Fact {
    Fact::new(name, value as f64, FactUnit::Count)
}

fn of_series(series: &Series, baseline: Option<&Series>) -> Vec<Fact> {
    let unit = FactUnit::from(series.unit);
    let before: &[Point] = baseline.map_or(&[], |baseline| &baseline.points);
    let mut facts = Vec::new();
    let timed = |name: &str, point: Point| Fact::new(name, point.value, unit).at(point.at);
    facts.extend(series.latest().map(|point| timed("latest", point)));
    facts.extend(series.peak().map(|point| timed("peak", point)));
    facts.extend(series.points.first().map(|point| timed("first", *point)));
    facts.extend(series.mean().map(|mean| Fact::new("mean", mean, unit)));
    facts.push(count("points", series.points.len() as u64));
    if let (Some(first), Some(last)) = (series.points.first(), series.points.last()) {
        let span = last.at.duration_since(first.at).as_secs_f64() / 60.0 + f64::from(series.query.period_s) / 60.0;
        facts.push(Fact::new("minutes", span.round(), FactUnit::Minutes));
    }
    if let Some(Ratio { before, now, times }) = statistics::level_ratio(&series.points, before) {
        facts.push(Fact::new("before", before, unit));
        facts.push(Fact::new("now", now, unit));
        facts.push(Fact::new("ratio", times, FactUnit::Times));
        facts.push(Fact::new("change", (times - 1.0) * 100.0, FactUnit::Percent));
    }
    if let Some(Onset { at, before, .. }) = statistics::onset(&series.points, before) {
        facts.push(Fact::new("onset", before, unit).at(at));
    }
    facts.extend(on_the_way(series, unit));
    let holes = series.holes().len() as u64;
    facts.extend((holes > 0).then(|| count("holes", holes)));
    facts
}

/// A template's lines, and when they became more or fewer.
fn of_template(template: &TemplateCount, n: usize, evidence: &Evidence) -> Vec<Fact> {
    let changed = rate_change(template, evidence.window).filter(|_| template.level >= LogLevel::Warn);
    let mut facts = vec![count(format!("template-{n}"), template.count)];
    facts.extend(changed.into_iter().flat_map(|changed| {
        let rate = |what: &str, value: f64| Fact::new(format!("template-{n}-{what}"), value, FactUnit::None);
        [rate("a-minute-before", changed.before), rate("a-minute-since", changed.since).at(changed.at)]
    }));
    facts
}

fn of_hours(hours: &SameHours, unit: FactUnit) -> [Fact; 3] {
    [
        Fact::new("same-hours-usual", hours.usual, unit),
        count("same-hours-days", u64::from(hours.days)),
        Fact::new("same-hours-deviations", hours.deviations(), FactUnit::Times),
    ]
}

/// Steps told of a series: more are a series that has no level.
const STEPS: usize = 4;

/// What a series did on its way: its steps from level to level, the peak it held, and its time at the limit of percent.
fn on_the_way(series: &Series, unit: FactUnit) -> Vec<Fact> {
    let steps = statistics::steps(&series.points);
    let mut facts = vec![count("steps", steps.len() as u64)];
    let told = steps.iter().zip(1..).take(STEPS);
    facts.extend(told.map(|(step, n)| Fact::new(format!("step-{n}"), step.after, unit).at(step.at)));
    let held = statistics::held_peak(&series.points);
    facts.extend(held.map(|point| Fact::new("held-peak", point.value, unit).at(point.at)));
    let saturated = statistics::saturation(&series.points, 100.0).filter(|_| series.unit == Unit::Percent);
    facts.extend(saturated.into_iter().flat_map(|found| {
        [
            Fact::new("at-limit", (found.share * 100.0).round(), FactUnit::Percent),
            Fact::new("minutes-at-limit", found.longest_minutes.round(), FactUnit::Minutes),
        ]
    }));
    facts
}

/// How long a series was on the bad side of its alarm's constant, how often it went over to it, and how far.
fn beyond(series: &Series, bound: Bound) -> Vec<Fact> {
    let is_beyond = |point: &Point| bound.excess(point.value) > 0.0;
    let periods = series.points.iter().filter(|point| is_beyond(point)).count() as f64;
    let minutes = periods * f64::from(series.query.period_s) / 60.0;
    let crossings = series.points.windows(2).filter(|pair| !is_beyond(&pair[0]) && is_beyond(&pair[1]));
    let excess = series.points.iter().map(|point| bound.excess(point.value)).fold(0.0, f64::max) / bound.value.abs();
    let word = if bound.is_ceiling() { "minutes-above" } else { "minutes-below" };
    vec![
        Fact::new("threshold", bound.value, FactUnit::from(series.unit)),
        Fact::new(word, minutes, FactUnit::Minutes),
        count("crossings", crossings.count() as u64),
        Fact::new("beyond", (excess * 100.0).min(1_000.0).round(), FactUnit::Percent),
    ]
}

/// The bounds of the newest period that has a band, and how long the series was outside of its own.
fn outside(series: &Series, band: &[BandPoint]) -> Vec<Fact> {
    let Some(newest) = band.last() else { return Vec::new() };
    let of = |at| band.iter().find(move |bound| bound.at == at);
    let is_out = |point: &&Point| of(point.at).is_some_and(|at| point.value < at.lower || point.value > at.upper);
    let periods = series.points.iter().filter(is_out).count() as f64;
    let unit = FactUnit::from(series.unit);
    vec![
        Fact::new("band-lower", newest.lower, unit).at(newest.at),
        Fact::new("band-upper", newest.upper, unit).at(newest.at),
        Fact::new("minutes-outside", periods * f64::from(series.query.period_s) / 60.0, FactUnit::Minutes),
    ]
}

fn of_memory(series: &Series, baseline: Option<&Series>) -> Vec<Fact> {
    let before: &[Point] = baseline.map_or(&[], |baseline| &baseline.points);
    let Some(MemoryShape { trend, restarts, life_per_minute, .. }) = statistics::memory_shape(&series.points, before)
    else {
        return Vec::new();
    };
    let percent = series.unit == Unit::Percent;
    let rate = if percent { FactUnit::PercentPerMinute } else { FactUnit::None };
    let mut facts = vec![count("restarts", restarts as u64)];
    if let Some(trend) = trend {
        facts.push(Fact::new("slope", trend.per_minute, rate));
        facts.push(Fact::new("growth", trend.growth, FactUnit::from(series.unit)));
    }
    let of_limit = percent && measure_of(&series.query.metric.name) != Measure::ShareOfNode;
    facts.extend(statistics::time_to_limit(&series.points, 100.0).filter(|_| of_limit).into_iter().flat_map(
        |forecast| {
            let minutes = |name: &str, minutes: f64| Fact::new(name, minutes.round(), FactUnit::Minutes);
            [minutes("minutes-to-limit", forecast.minutes), minutes("minutes-to-limit-at-least", forecast.soonest)]
        },
    ));
    facts.extend(life_per_minute.map(|slope| Fact::new("slope-in-life", slope, rate)));
    facts
}

fn of_heap(heap: &HeapReading) -> Vec<Fact> {
    let mut facts = vec![
        Fact::new("heap-floor-first", heap.floor_first, FactUnit::Percent),
        Fact::new("heap-floor-last", heap.floor_last, FactUnit::Percent),
        Fact::new("heap-size", heap.capacity as f64, FactUnit::Bytes),
    ];
    facts.extend(heap.time_percent.map(|percent| Fact::new("collection-time", percent, FactUnit::Percent)));
    facts
}

fn of_kills(kills: &OomCount) -> Vec<Fact> {
    let mut facts = vec![count("total", kills.total), count("heap-errors", kills.heap_errors)];
    facts.push(count("containers", kills.by_container.len() as u64));
    facts.extend(kills.by_source.iter().map(|(source, kills)| count(format!("from-{}", source.word()), *kills)));
    facts.extend(kills.by_container.iter().map(|of| count(format!("kills-of-{}", of.container), of.kills)));
    if let (Some(first), Some(last)) = (kills.at.first(), kills.at.last()) {
        facts.push(count("first-kill", 1).at(*first));
        facts.push(count("last-kill", 1).at(*last));
    }
    facts.extend(kills.outside.map(|outside| count("outside", outside)));
    facts
}

fn of_workload(workload: &Workload, pods: &[Pod]) -> Vec<Fact> {
    let containers = || pods.iter().flat_map(|pod| &pod.containers);
    let killed =
        containers().filter(|container| container.ends().any(|end| end.reason.eq_ignore_ascii_case("OOMKilled")));
    let mut facts = vec![
        count("replicas", u64::from(workload.replicas)),
        count("ready", u64::from(workload.ready)),
        count("updated", u64::from(workload.updated)),
        count("available", u64::from(workload.available)),
        count("pods", pods.len() as u64),
        count("restarts", containers().map(|container| u64::from(container.restarts)).sum()),
        count("oom-killed", killed.count() as u64),
    ];
    let lacking = u64::from(workload.replicas.saturating_sub(workload.ready));
    facts.extend((lacking > 0).then(|| count("not-ready", lacking)));
    facts.extend(workload.revision.map(|revision| Fact::new("revision", revision as f64, FactUnit::None)));
    for container in &workload.containers {
        let of =
            |what: &str, value: u64| Fact::new(format!("{what}-{}", container.name), value as f64, FactUnit::Bytes);
        facts.extend(container.memory_limit.map(|limit| of("memory-limit", limit)));
        facts.extend(container.memory_request.map(|request| of("memory-request", request)));
    }
    facts
}

fn of_changes(revisions: &[Revision], others: &[Change]) -> Vec<Fact> {
    let mut facts = vec![count("revisions", revisions.len() as u64)];
    if !others.is_empty() {
        facts.push(count("other-changes", others.len() as u64));
    }
    let placed = others.iter().rev().zip(1..).filter_map(|(change, n)| Some((change.at?, n)));
    facts.extend(placed.map(|(at, n): (_, u32)| count(format!("change-{n}"), 1).at(at)));
    let newest = revisions.last().map(|revision| revision.number);
    facts.extend(revisions.iter().map(|revision| {
        let number = revision.number;
        let name = if newest == Some(number) { "revision".to_owned() } else { format!("revision-{number}") };
        let fact = Fact::new(name, number as f64, FactUnit::None);
        revision.created_at.map_or(fact.clone(), |at| fact.at(at))
    }));
    facts
}
