//! The functions of metric math that alarms and dashboards use. What is not among them is refused by its name.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Expression, Line, Outcome, Scope};
use crate::domain::observation::metric::Point;
use crate::rehearsal::world::band;

/// What a function comes to.
pub(super) fn call(name: &str, arguments: &[Expression], scope: &Scope<'_>) -> Result<Outcome, String> {
    match (name, arguments) {
        ("METRICS", _) => metrics(arguments, scope),
        ("IF", [condition, then]) => chosen(condition, then, None, scope),
        ("IF", [condition, then, other]) => chosen(condition, then, Some(other), scope),
        ("FILL", [of, filler]) => each(of.evaluate(scope)?, |line| fill(line, filler, scope)),
        ("PERIOD", [Expression::Id(id)]) => match (scope.lines)(id, scope.from, scope.to)? {
            Outcome::One(line) => Ok(Outcome::Scalar(line.period_s as f64)),
            Outcome::Scalar(_) | Outcome::Many(_) => Err("PERIOD takes a metric".to_owned()),
        },
        ("TIME_SERIES", [value]) => match value.evaluate(scope)? {
            Outcome::Scalar(value) => Ok(Outcome::One(constant(value, scope))),
            Outcome::One(_) | Outcome::Many(_) => Err("TIME_SERIES takes a number".to_owned()),
        },
        ("ANOMALY_DETECTION_BAND", [of]) => banded(of, 2.0, scope),
        ("ANOMALY_DETECTION_BAND", [of, Expression::Number(deviations)]) => banded(of, *deviations, scope),
        (_, [of]) => of_one(name, of.evaluate(scope)?),
        _ => Err(format!("{name} is not known or takes other arguments")),
    }
}

/// Functions of one argument.
fn of_one(name: &str, of: Outcome) -> Result<Outcome, String> {
    let mapped = |of, value: fn(f64) -> f64| each(of, |line| Ok(line.map(|point| Some(value(point.value)))));
    match (name, of) {
        ("ABS", of) => mapped(of, f64::abs),
        ("CEIL", of) => mapped(of, f64::ceil),
        ("FLOOR", of) => mapped(of, f64::floor),
        ("LOG", of) => mapped(of, f64::ln),
        ("LOG10", of) => mapped(of, f64::log10),
        ("DIFF", of) => each(of, |line| Ok(steps(line, |before, now, _| now - before))),
        ("DIFF_TIME", of) => each(of, |line| Ok(steps(line, |_, _, seconds| seconds))),
        ("RATE", of) => each(of, |line| Ok(steps(line, |before, now, seconds| (now - before) / seconds))),
        ("RUNNING_SUM", of) => each(of, |line| {
            let sum = std::cell::Cell::new(0.0);
            Ok(line.map(|point| {
                sum.set(sum.get() + point.value);
                Some(sum.get())
            }))
        }),
        ("AVG" | "MAX" | "MIN" | "SUM" | "STDDEV" | "DATAPOINT_COUNT", of) => statistic(name, of),
        ("METRIC_COUNT", Outcome::Many(lines)) => Ok(Outcome::Scalar(lines.len() as f64)),
        ("FIRST", Outcome::Many(lines)) => nth(lines.into_iter().next()),
        ("LAST", Outcome::Many(lines)) => nth(lines.into_iter().next_back()),
        ("REMOVE_EMPTY", Outcome::Many(lines)) => {
            Ok(Outcome::Many(lines.into_iter().filter(|line| !line.points.is_empty()).collect()))
        }
        _ => Err(format!("{name} is not known or takes other arguments")),
    }
}

fn nth(line: Option<Line>) -> Result<Outcome, String> {
    line.map(Outcome::One).ok_or_else(|| "there is no series to take".to_owned())
}

/// A function of a series over each of several.
fn each(of: Outcome, function: impl Fn(&Line) -> Result<Line, String>) -> Result<Outcome, String> {
    match of {
        Outcome::Scalar(_) => Err("a series is expected, not a number".to_owned()),
        Outcome::One(line) => function(&line).map(Outcome::One),
        Outcome::Many(lines) => lines.iter().map(function).collect::<Result<_, _>>().map(Outcome::Many),
    }
}

/// The metrics of the request, all or those with a text in their id.
fn metrics(arguments: &[Expression], scope: &Scope<'_>) -> Result<Outcome, String> {
    let part = match arguments {
        [] => "",
        [Expression::Text(part)] => part,
        _ => return Err("METRICS takes a text or nothing".to_owned()),
    };
    let ids = scope.metrics.iter().filter(|id| id.contains(part));
    let lists = ids.map(|id| Expression::Id(id.clone()));
    Expression::List(lists.collect()).evaluate(scope)
}

/// One number over a series, or one series over several. Missing points of several count for 0 in a sum and a mean.
fn statistic(name: &str, of: Outcome) -> Result<Outcome, String> {
    let figure = |values: &[f64], count: f64| {
        let sum: f64 = values.iter().sum();
        match name {
            "AVG" => sum / count,
            "MAX" => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            "MIN" => values.iter().copied().fold(f64::INFINITY, f64::min),
            "SUM" => sum,
            "STDDEV" => (values.iter().map(|value| (value - sum / count).powi(2)).sum::<f64>() / count).sqrt(),
            _ => values.len() as f64,
        }
    };
    match of {
        Outcome::Scalar(_) => Err(format!("{name} takes series")),
        Outcome::One(line) => {
            let values: Vec<f64> = line.points.iter().map(|point| point.value).collect();
            let figure = figure(&values, values.len() as f64);
            if figure.is_finite() { Ok(Outcome::Scalar(figure)) } else { Ok(Outcome::Scalar(0.0)) }
        }
        Outcome::Many(lines) => {
            let mut instants: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
            for point in lines.iter().flat_map(|line| &line.points) {
                instants.entry(point.at).or_default().push(point.value);
            }
            let count = lines.len() as f64;
            let points = instants.into_iter().map(|(at, values)| Point { at, value: figure(&values, count) });
            let period_s = lines.first().map_or(60, |line| line.period_s);
            Ok(Outcome::One(Line { label: name.to_owned(), period_s, points: points.collect() }))
        }
    }
}

/// Each point by the one before it and the seconds between.
fn steps(line: &Line, of: impl Fn(f64, f64, f64) -> f64) -> Line {
    let pairs = line.points.windows(2);
    let points = pairs.map(|pair| {
        let seconds = pair[1].at.duration_since(pair[0].at).as_secs_f64();
        Point { at: pair[1].at, value: of(pair[0].value, pair[1].value, seconds) }
    });
    Line { points: points.collect(), ..line.clone() }
}

fn constant(value: f64, scope: &Scope<'_>) -> Line {
    let points = scope.grid(scope.period_s).map(|at| Point { at, value });
    Line { label: value.to_string(), period_s: scope.period_s, points: points.collect() }
}

/// Missing points by a number, another series, the value before (`REPEAT`) or a straight line (`LINEAR`).
fn fill(line: &Line, filler: &Expression, scope: &Scope<'_>) -> Result<Line, String> {
    let with = match filler {
        Expression::Word(word) if word == "REPEAT" || word == "LINEAR" => None,
        other => Some(other.evaluate(scope)?),
    };
    let missing = |at: Timestamp| {
        let before = line.points.iter().rev().find(|point| point.at < at);
        let after = line.points.iter().find(|point| point.at > at);
        match (&with, before, after) {
            (Some(Outcome::Scalar(value)), _, _) => Some(*value),
            (Some(Outcome::One(other)), _, _) => other.at(at),
            (None, Some(before), Some(after)) if *filler == Expression::Word("LINEAR".to_owned()) => {
                let share =
                    at.duration_since(before.at).as_secs_f64() / after.at.duration_since(before.at).as_secs_f64();
                Some(before.value + (after.value - before.value) * share)
            }
            (None, Some(before), _) if *filler == Expression::Word("REPEAT".to_owned()) => Some(before.value),
            (Some(Outcome::Many(_)) | None, _, _) => None,
        }
    };
    let points = scope.grid(line.period_s).filter_map(|at| {
        let value = line.at(at).or_else(|| missing(at))?;
        Some(Point { at, value })
    });
    Ok(Line { points: points.collect(), ..line.clone() })
}

/// `IF`: by point where the condition is a series. What is missing behind a true condition counts for 0; behind a false
/// one the point is dropped.
fn chosen(
    condition: &Expression,
    then: &Expression,
    other: Option<&Expression>,
    scope: &Scope<'_>,
) -> Result<Outcome, String> {
    let (condition, then) = (condition.evaluate(scope)?, then.evaluate(scope)?);
    let other = other.map(|other| other.evaluate(scope)).transpose()?;
    let value = |outcome: &Outcome, at| match outcome {
        Outcome::Scalar(value) => Some(*value),
        Outcome::One(line) => line.at(at),
        Outcome::Many(_) => None,
    };
    match condition {
        Outcome::One(line) => Ok(Outcome::One(line.map(|point| {
            if point.value == 0.0 {
                other.as_ref().and_then(|other| value(other, point.at))
            } else {
                Some(value(&then, point.at).unwrap_or(0.0))
            }
        }))),
        Outcome::Scalar(0.0) => Ok(other.unwrap_or(Outcome::One(Line { points: Vec::new(), ..constant(0.0, scope) }))),
        Outcome::Scalar(_) => Ok(then),
        Outcome::Many(_) => Err("IF takes a series or a number".to_owned()),
    }
}

/// The band around what is usual for a series, its upper edge first.
fn banded(of: &Expression, deviations: f64, scope: &Scope<'_>) -> Result<Outcome, String> {
    let Outcome::One(learnt) = of.evaluate(&scope.since(scope.from - band::LEARNT))? else {
        return Err("ANOMALY_DETECTION_BAND takes one series".to_owned());
    };
    let edges: Vec<(Timestamp, band::Band)> =
        scope.grid(learnt.period_s).filter_map(|at| Some((at, band::band(&learnt.points, at, deviations)?))).collect();
    let edge = |label: &str, value: fn(&band::Band) -> f64| Line {
        label: format!("{} ({label})", learnt.label),
        period_s: learnt.period_s,
        points: edges.iter().map(|(at, band)| Point { at: *at, value: value(band) }).collect(),
    };
    Ok(Outcome::Many(vec![edge("expected, upper", |band| band.upper), edge("expected, lower", |band| band.lower)]))
}
