//! GetMetricData and `ListMetrics`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::cbor::Value;
use super::{asked_dimensions, dimensions, offset, page, size, token_at};
use crate::domain::observation::metric::{Point, Statistic};
use crate::rehearsal::scenario::MetricSpec;
use crate::rehearsal::wire::aws::Refusal;
use crate::rehearsal::world::Sight;

/// Queries a call may hold (GetMetricData reference).
const MOST_QUERIES: usize = 500;
/// Points a call answers at most (GetMetricData reference).
const MOST_POINTS: usize = 100_800;

/// `GetMetricData`: descending unless asked otherwise, paged by points.
pub(super) fn data(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let (Some(from), Some(to)) = (input.time("StartTime"), input.time("EndTime")) else {
        return Err(Refusal::invalid("ValidationError", "The parameters StartTime and EndTime are required."));
    };
    if from >= to {
        return Err(Refusal::invalid("ValidationError", "The parameter StartTime must be less than EndTime."));
    }
    let queries = input.list("MetricDataQueries");
    if queries.is_empty() || queries.len() > MOST_QUERIES {
        return Err(Refusal::invalid("ValidationError", format!("Between 1 and {MOST_QUERIES} queries are allowed.")));
    }
    let ascending = input.str("ScanBy") == Some("TimestampAscending");
    let mut series = Vec::new();
    for query in queries {
        if query.get("ReturnData") == Some(&Value::Bool(false)) {
            continue;
        }
        let mut points = queried(sight, query, from, to)?;
        if !ascending {
            points.reverse();
        }
        series.push((query, points));
    }
    let most = size(input, "MaxDatapoints", MOST_POINTS, MOST_POINTS)?;
    paged(&series, most, input.str("NextToken"))
}

/// One page over all series: a window of `most` points over their concatenation.
fn paged(series: &[(&Value, Vec<Point>)], most: usize, token: Option<&str>) -> Result<Value, Refusal> {
    let from = match token {
        None => 0,
        Some(token) => {
            offset(token).ok_or_else(|| Refusal::invalid("InvalidNextToken", "The next token specified is invalid."))?
        }
    };
    let to = from + most;
    let mut before = 0;
    let mut results = Vec::new();
    for (query, points) in series {
        let window = from.saturating_sub(before).min(points.len())..to.saturating_sub(before).min(points.len());
        let whole = before + points.len() <= to;
        let begun = before < to || points.is_empty();
        if begun && (before + points.len() > from || from == 0) {
            results.push(result(query, &points[window], if whole { "Complete" } else { "PartialData" }));
        }
        before += points.len();
    }
    let output = Value::map([("MetricDataResults", Value::List(results)), ("Messages", Value::List(Vec::new()))]);
    Ok(if before > to { output.with("NextToken", Value::text(token_at(to))) } else { output })
}

fn result(query: &Value, points: &[Point], status: &str) -> Value {
    let metric = query.get("MetricStat").and_then(|stat| stat.get("Metric"));
    let name = metric.and_then(|metric| metric.str("MetricName")).unwrap_or_default();
    Value::map([
        ("Id", Value::text(query.str("Id").unwrap_or_default())),
        ("Label", Value::text(query.str("Label").unwrap_or(name))),
        ("Timestamps", Value::List(points.iter().map(|point| Value::Time(point.at)).collect())),
        ("Values", Value::List(points.iter().map(|point| Value::Float(point.value)).collect())),
        ("StatusCode", Value::text(status)),
    ])
}

/// The points of a query, ascending. A metric nobody wrote has none, which is an answer and not an error.
fn queried(sight: &Sight<'_>, query: &Value, from: Timestamp, to: Timestamp) -> Result<Vec<Point>, Refusal> {
    let id = query.str("Id").unwrap_or_default();
    let invalid = |why: &str| Refusal::invalid("ValidationError", format!("The query {id:?}: {why}"));
    let Some(stat) = query.get("MetricStat") else {
        return Err(invalid("a rehearsal answers MetricStat queries, it computes no expression."));
    };
    let (Some(metric), Some(period)) = (stat.get("Metric"), stat.int("Period")) else {
        return Err(invalid("Metric and Period are required."));
    };
    if period < 60 || period % 60 != 0 {
        return Err(invalid("Period must be a multiple of 60 for metrics of standard resolution."));
    }
    let statistic = stat.str("Stat").and_then(statistic).ok_or_else(|| invalid("the Stat is not known."))?;
    let asked: BTreeMap<&str, &str> =
        asked_dimensions(metric).into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let found = sight.scenario().metrics.iter().find(|spec| {
        metric.str("Namespace") == Some(&spec.namespace)
            && metric.str("MetricName") == Some(&spec.name)
            && spec.dimensions.len() == asked.len()
            && spec.dimensions.iter().all(|(name, value)| asked.get(name.as_str()) == Some(&value.as_str()))
    });
    Ok(found.map_or_else(Vec::new, |spec| by_period(sight, spec, statistic, (from, to), period)))
}

/// Minutes combined into periods that begin at multiples of their length.
fn by_period(
    sight: &Sight<'_>,
    spec: &MetricSpec,
    statistic: Statistic,
    window: (Timestamp, Timestamp),
    period: i64,
) -> Vec<Point> {
    let mut points = Vec::new();
    let length = SignedDuration::from_secs(period);
    let first = window.0.max(sight.scenario().dawn()).as_second().div_euclid(period) * period;
    let Ok(mut at) = Timestamp::from_second(first) else { return points };
    while at < window.1 && at <= sight.now() {
        if let Some(value) = sight.combined(&spec.id, statistic, at, at + length) {
            points.push(Point { at, value });
        }
        at += length;
    }
    points
}

fn statistic(word: &str) -> Option<Statistic> {
    Some(match word {
        "Average" => Statistic::Average,
        "Maximum" => Statistic::Maximum,
        "Minimum" => Statistic::Minimum,
        "Sum" => Statistic::Sum,
        "SampleCount" => Statistic::SampleCount,
        other => {
            let percent: f64 = other.strip_prefix('p')?.parse().ok()?;
            (0.0..=100.0).contains(&percent).then_some(Statistic::Percentile((percent * 10.0).round() as u16))?
        }
    })
}

/// `ListMetrics`, 500 a page.
pub(super) fn list(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let asked = asked_dimensions(input);
    let metrics: Vec<Value> = sight
        .scenario()
        .metrics
        .iter()
        .filter(|spec| input.str("Namespace").is_none_or(|namespace| namespace == spec.namespace))
        .filter(|spec| input.str("MetricName").is_none_or(|name| name == spec.name))
        .filter(|spec| {
            asked.iter().all(|(name, value)| {
                spec.dimensions.get(*name).is_some_and(|held| value.is_none_or(|value| value == held))
            })
        })
        .map(|spec| {
            Value::map([
                ("Namespace", Value::text(&spec.namespace)),
                ("MetricName", Value::text(&spec.name)),
                ("Dimensions", dimensions(spec.dimensions.iter())),
            ])
        })
        .collect();
    let (metrics, next) = page(&metrics, 500, input.str("NextToken"))?;
    let output = Value::map([("Metrics", Value::List(metrics))]);
    Ok(match next {
        Some(next) => output.with("NextToken", Value::text(next)),
        None => output,
    })
}
