//! GetMetricData with metric math, and `ListMetrics`.

use std::collections::{BTreeMap, HashSet};

use jiff::{SignedDuration, Timestamp};

mod statistic;
mod statistics;

pub(super) use statistics::statistics;

use super::cbor::Value;
use super::{asked_dimensions, dimensions, offset, one_of, page, size, token_at};
use crate::domain::observation::metric::{Point, Unit};
use crate::rehearsal::scenario::MetricSpec;
use crate::rehearsal::wire::aws::Refusal;
use crate::rehearsal::world::math::{Expression, Line, Outcome, Scope};
use crate::rehearsal::world::{Reckoning, Sight};

/// Queries a call may hold (GetMetricData reference).
const MOST_QUERIES: usize = 500;
/// Points a call answers at most (GetMetricData reference).
const MOST_POINTS: usize = 100_800;
/// Expressions that refer to expressions, one behind the other.
const DEEPEST: usize = 20;

/// The units there are (`MetricDatum` reference).
const UNITS: [&str; 27] = [
    "Seconds",
    "Microseconds",
    "Milliseconds",
    "Bytes",
    "Kilobytes",
    "Megabytes",
    "Gigabytes",
    "Terabytes",
    "Bits",
    "Kilobits",
    "Megabits",
    "Gigabits",
    "Terabits",
    "Percent",
    "Count",
    "Bytes/Second",
    "Kilobytes/Second",
    "Megabytes/Second",
    "Gigabytes/Second",
    "Terabytes/Second",
    "Bits/Second",
    "Kilobits/Second",
    "Megabits/Second",
    "Gigabits/Second",
    "Terabits/Second",
    "Count/Second",
    "None",
];

/// A query that was understood.
struct Query<'a> {
    id: &'a str,
    label: Option<&'a str>,
    period_s: i64,
    is_returned: bool,
    source: Source<'a>,
}

enum Source<'a> {
    /// A metric nobody wrote has no points, which is an answer and not an error.
    Metric(Option<&'a MetricSpec>, Reckoning),
    Expression(Expression),
}

/// A series as answered.
struct Series<'a> {
    id: &'a str,
    label: String,
    points: Vec<Point>,
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::invalid("ValidationError", message)
}

/// `GetMetricData`: descending unless asked otherwise; paged by points, but not where there is an expression.
pub(super) fn data(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let (Some(from), Some(to)) = (input.time("StartTime"), input.time("EndTime")) else {
        return Err(invalid("The parameters StartTime and EndTime are required."));
    };
    if from >= to {
        return Err(invalid("The parameter StartTime must be less than EndTime."));
    }
    if let Some(zone) = input.get("LabelOptions").and_then(|options| options.str("Timezone"))
        && !is_zone(zone)
    {
        return Err(invalid(format!("The Timezone {zone} is not of the form +0130.")));
    }
    one_of(input, "ScanBy", &["TimestampDescending", "TimestampAscending"])?;
    let asked = input.list("MetricDataQueries");
    if asked.is_empty() || asked.len() > MOST_QUERIES {
        return Err(invalid(format!("Between 1 and {MOST_QUERIES} queries are allowed.")));
    }
    let queries: Vec<Query<'_>> = asked.iter().map(|asked| query(sight, asked)).collect::<Result<_, _>>()?;
    let mut ids = HashSet::new();
    if let Some(twice) = queries.iter().find(|query| !ids.insert(query.id)) {
        return Err(invalid(format!("The id {:?} is used twice.", twice.id)));
    }
    let request = Request { sight: *sight, queries: &queries };
    let mut series = Vec::new();
    for query in queries.iter().filter(|query| query.is_returned) {
        series.extend(request.answered(query, from, to)?);
    }
    if input.str("ScanBy") != Some("TimestampAscending") {
        for one in &mut series {
            one.points.reverse();
        }
    }
    let most = size(input, "MaxDatapoints", MOST_POINTS, MOST_POINTS)?;
    let is_math = queries.iter().any(|query| matches!(query.source, Source::Expression(_)));
    paged(&series, if is_math { usize::MAX / 2 } else { most }, input.str("NextToken"))
}

fn is_zone(zone: &str) -> bool {
    let digits = zone.strip_prefix(['+', '-']);
    digits.is_some_and(|digits| digits.len() == 4 && digits.chars().all(|digit| digit.is_ascii_digit()))
}

fn query<'a>(sight: &Sight<'a>, asked: &'a Value) -> Result<Query<'a>, Refusal> {
    let id = asked.str("Id").unwrap_or_default();
    let wrong = |why: String| invalid(format!("Error in the query {id:?}: {why}."));
    let is_id = id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    if !is_id {
        return Err(wrong("an id matches the pattern ^[a-z][a-zA-Z0-9_]*$".to_owned()));
    }
    if let Some(stat) = asked.get("MetricStat") {
        one_of(stat, "Unit", &UNITS)?;
    }
    let (period_s, source) = match (asked.get("MetricStat"), asked.str("Expression")) {
        (Some(stat), None) => metric(sight, stat, asked.str("AccountId")).map_err(wrong)?,
        (None, Some(text)) => {
            let expression = Expression::parse(text).map_err(wrong)?;
            (asked.int("Period").unwrap_or(0), Source::Expression(expression))
        }
        _ => return Err(wrong("exactly one of MetricStat and Expression is required".to_owned())),
    };
    let is_returned = asked.get("ReturnData") != Some(&Value::Bool(false));
    Ok(Query { id, label: asked.str("Label"), period_s, is_returned, source })
}

fn metric<'a>(sight: &Sight<'a>, stat: &'a Value, account: Option<&str>) -> Result<(i64, Source<'a>), String> {
    let (Some(metric), Some(period_s)) = (stat.get("Metric"), stat.int("Period")) else {
        return Err("Metric and Period are required".to_owned());
    };
    if period_s < 60 || period_s % 60 != 0 {
        return Err("Period must be a multiple of 60 for metrics of standard resolution".to_owned());
    }
    let word = stat.str("Stat").unwrap_or_default();
    let statistic = statistic::parse(word).ok_or_else(|| format!("the Stat {word:?} is not known"))?;
    let found = named(sight, metric, account);
    // Data of another unit are not found: nothing is converted.
    let found = found.filter(|spec| stat.str("Unit").is_none_or(|unit| unit == unit_word(spec.unit)));
    Ok((period_s, Source::Metric(found, statistic)))
}

/// The metric of a name and exactly these dimensions.
fn named<'a>(sight: &Sight<'a>, metric: &Value, account: Option<&str>) -> Option<&'a MetricSpec> {
    let asked: BTreeMap<&str, &str> =
        asked_dimensions(metric).into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    sight.scenario().metrics.iter().find(|spec| {
        owner(sight, spec) == account.unwrap_or(sight.scenario().scope.account.as_str())
            && metric.str("Namespace") == Some(&spec.namespace)
            && metric.str("MetricName") == Some(&spec.name)
            && spec.dimensions.len() == asked.len()
            && spec.dimensions.iter().all(|(name, value)| asked.get(name.as_str()) == Some(&value.as_str()))
    })
}

/// The account that has a metric.
fn owner<'a>(sight: &Sight<'a>, spec: &'a MetricSpec) -> &'a str {
    spec.account.as_ref().unwrap_or(&sight.scenario().scope.account).as_str()
}

/// The queries of a call, which may refer to each other.
#[derive(Clone, Copy)]
struct Request<'r, 'a> {
    sight: Sight<'a>,
    queries: &'r [Query<'a>],
}

impl<'a> Request<'_, 'a> {
    /// The series of a query: several where its expression comes to an array.
    fn answered(&self, query: &Query<'a>, from: Timestamp, to: Timestamp) -> Result<Vec<Series<'a>>, Refusal> {
        let wrong = |why: String| invalid(format!("Error in expression {:?}: {why}.", query.id));
        let series = |line: Line, label: String| Series { id: query.id, label, points: line.points };
        let own = |line: &Line| query.label.map_or_else(|| line.label.clone(), str::to_owned);
        match self.outcome(query, from, to, 0).map_err(wrong)? {
            Outcome::Scalar(_) => Err(wrong("it comes to a number, not to a series".to_owned())),
            Outcome::One(line) => {
                let label = own(&line);
                Ok(vec![series(line, label)])
            }
            Outcome::Many(lines) => Ok(lines
                .into_iter()
                .map(|line| {
                    let label = query.label.map_or_else(|| line.label.clone(), |own| format!("{own} {}", line.label));
                    series(line, label)
                })
                .collect()),
        }
    }

    fn outcome(&self, query: &Query<'a>, from: Timestamp, to: Timestamp, depth: usize) -> Result<Outcome, String> {
        if depth > DEEPEST {
            return Err("it refers to itself".to_owned());
        }
        let expression = match &query.source {
            Source::Metric(spec, statistic) => {
                let points = spec
                    .map_or_else(Vec::new, |spec| by_period(&self.sight, spec, *statistic, (from, to), query.period_s));
                let label = spec.map_or_else(|| query.id.to_owned(), |spec| spec.name.clone());
                return Ok(Outcome::One(Line { label, period_s: query.period_s, points }));
            }
            Source::Expression(expression) => expression,
        };
        let lines = |id: &str, from: Timestamp, to: Timestamp| {
            let other = self.queries.iter().find(|query| query.id == id);
            self.outcome(other.ok_or_else(|| format!("{id:?} is no query of the request"))?, from, to, depth + 1)
        };
        let is_metric = |query: &&Query<'_>| matches!(query.source, Source::Metric(..));
        let metrics: Vec<String> = self.queries.iter().filter(is_metric).map(|query| query.id.to_owned()).collect();
        let period_s = self.period(query, expression);
        let scope = Scope {
            from: aligned(from, period_s),
            to: to.min(self.sight.now()),
            period_s,
            lines: &lines,
            metrics: &metrics,
        };
        let outcome = expression.evaluate(&scope)?;
        Ok(match outcome {
            Outcome::One(line) => Outcome::One(Line { label: query.id.to_owned(), ..line }),
            other => other,
        })
    }

    /// The period of an expression: as asked, else that of the metrics it refers to.
    fn period(&self, query: &Query<'_>, expression: &Expression) -> i64 {
        if query.period_s > 0 {
            return query.period_s;
        }
        let ids = expression.ids();
        let own = self.queries.iter().filter(|query| ids.is_empty() || ids.contains(&query.id));
        own.map(|query| query.period_s).filter(|period| *period > 0).max().unwrap_or(60)
    }
}

/// The beginning of the period that an instant lies in.
fn aligned(at: Timestamp, period_s: i64) -> Timestamp {
    Timestamp::from_second(at.as_second().div_euclid(period_s) * period_s).unwrap_or(at)
}

/// One page over all series: a window of `most` points over their concatenation.
fn paged(series: &[Series<'_>], most: usize, token: Option<&str>) -> Result<Value, Refusal> {
    let from = match token {
        None => 0,
        Some(token) => {
            offset(token).ok_or_else(|| Refusal::invalid("InvalidNextToken", "The next token specified is invalid."))?
        }
    };
    let to = from + most;
    let mut before = 0;
    let mut results = Vec::new();
    for one in series {
        let points = &one.points;
        let window = from.saturating_sub(before).min(points.len())..to.saturating_sub(before).min(points.len());
        let whole = before + points.len() <= to;
        let begun = before < to || points.is_empty();
        if begun && (before + points.len() > from || from == 0) {
            results.push(result(one, &points[window], if whole { "Complete" } else { "PartialData" }));
        }
        before += points.len();
    }
    let output = Value::map([("MetricDataResults", Value::List(results)), ("Messages", Value::List(Vec::new()))]);
    Ok(if before > to { output.with("NextToken", Value::text(token_at(to))) } else { output })
}

fn result(series: &Series<'_>, points: &[Point], status: &str) -> Value {
    Value::map([
        ("Id", Value::text(series.id)),
        ("Label", Value::text(&series.label)),
        ("Timestamps", Value::List(points.iter().map(|point| Value::Time(point.at)).collect())),
        ("Values", Value::List(points.iter().map(|point| Value::Float(point.value)).collect())),
        ("StatusCode", Value::text(status)),
    ])
}

/// Minutes combined into periods that begin at multiples of their length.
fn by_period(
    sight: &Sight<'_>,
    spec: &MetricSpec,
    statistic: Reckoning,
    window: (Timestamp, Timestamp),
    period_s: i64,
) -> Vec<Point> {
    let mut points = Vec::new();
    let length = SignedDuration::from_secs(period_s);
    let mut at = aligned(window.0.max(sight.first_day(spec)), period_s);
    while at < window.1 && at <= sight.now() {
        if let Some(value) = sight.combined(&spec.id, statistic, (at, at + length)) {
            points.push(Point { at, value });
        }
        at += length;
    }
    points
}

/// The word of a unit on the wire.
fn unit_word(unit: Unit) -> &'static str {
    match unit {
        Unit::Percent => "Percent",
        Unit::Bytes => "Bytes",
        Unit::Count => "Count",
        Unit::Seconds => "Seconds",
        Unit::Milliseconds => "Milliseconds",
        Unit::None => "None",
    }
}

/// `ListMetrics`, 500 a page; those of linked accounts where they are asked for, each with its account beside it.
pub(super) fn list(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let asked = asked_dimensions(input);
    let includes_linked = input.get("IncludeLinkedAccounts") == Some(&Value::Bool(true));
    let owning = input.str("OwningAccount").filter(|_| includes_linked);
    let found: Vec<(&MetricSpec, Value)> = sight
        .scenario()
        .metrics
        .iter()
        .filter(|spec| includes_linked || owner(sight, spec) == sight.scenario().scope.account.as_str())
        .filter(|spec| owning.is_none_or(|owning| owning == owner(sight, spec)))
        .filter(|spec| input.str("Namespace").is_none_or(|namespace| namespace == spec.namespace))
        .filter(|spec| input.str("MetricName").is_none_or(|name| name == spec.name))
        .filter(|spec| {
            asked.iter().all(|(name, value)| {
                spec.dimensions.get(*name).is_some_and(|held| value.is_none_or(|value| value == held))
            })
        })
        .map(|spec| {
            let told = Value::map([
                ("Namespace", Value::text(&spec.namespace)),
                ("MetricName", Value::text(&spec.name)),
                ("Dimensions", dimensions(spec.dimensions.iter())),
            ]);
            (spec, told)
        })
        .collect();
    let (found, next) = page(&found, 500, input.str("NextToken"))?;
    let accounts = found.iter().map(|(spec, _)| Value::text(owner(sight, spec))).collect();
    let metrics = found.into_iter().map(|(_, told)| told).collect();
    let output = Value::map([("Metrics", Value::List(metrics))]);
    let output = if includes_linked { output.with("OwningAccounts", Value::List(accounts)) } else { output };
    Ok(match next {
        Some(next) => output.with("NextToken", Value::text(next)),
        None => output,
    })
}
