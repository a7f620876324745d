//! What an expression comes to over a span of time: a number, a series, or several.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{Expression, Operator, functions};
use crate::domain::observation::metric::Point;

/// A series with its period.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Whose it is.
    pub label: String,
    /// Seconds a point covers.
    pub period_s: i64,
    /// Ascending.
    pub points: Vec<Point>,
}

/// What an expression comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// A number.
    Scalar(f64),
    /// A series.
    One(Line),
    /// Several.
    Many(Vec<Line>),
}

/// What an id stands for over a span of time.
pub type Lines<'l> = dyn Fn(&str, Timestamp, Timestamp) -> Result<Outcome, String> + 'l;

/// What an expression is evaluated over.
#[derive(Clone, Copy)]
pub struct Scope<'s> {
    /// Beginning of the span.
    pub from: Timestamp,
    /// Its end, excluded.
    pub to: Timestamp,
    /// Seconds a point covers where no series says so.
    pub period_s: i64,
    /// What ids stand for.
    pub lines: &'s Lines<'s>,
    /// The ids of metrics, for `METRICS()`.
    pub metrics: &'s [String],
}

impl Line {
    /// The value at an instant.
    pub(super) fn at(&self, at: Timestamp) -> Option<f64> {
        self.points.binary_search_by_key(&at, |point| point.at).ok().map(|index| self.points[index].value)
    }

    /// The same with other values; those that are no numbers are dropped.
    pub(super) fn map(&self, value: impl Fn(&Point) -> Option<f64>) -> Self {
        let points = self.points.iter().filter_map(|point| Some(Point { at: point.at, value: value(point)? }));
        Self { points: points.filter(|point| point.value.is_finite()).collect(), ..self.clone() }
    }
}

impl Scope<'_> {
    /// The instants of the span at a period, from its beginning on.
    pub(super) fn grid(&self, period_s: i64) -> impl Iterator<Item = Timestamp> + use<> {
        let (mut at, to, step) = (self.from, self.to, SignedDuration::from_secs(period_s.max(1)));
        std::iter::from_fn(move || {
            let next = (at < to).then_some(at);
            at += step;
            next
        })
    }

    /// The same over a span that begins earlier.
    pub(super) fn since(&self, from: Timestamp) -> Self {
        Self { from, ..*self }
    }
}

impl Expression {
    /// What it comes to.
    ///
    /// # Errors
    /// What it asks that metric math does not have, without a period.
    pub fn evaluate(&self, scope: &Scope<'_>) -> Result<Outcome, String> {
        match self {
            Self::Number(number) => Ok(Outcome::Scalar(*number)),
            Self::Id(id) => (scope.lines)(id, scope.from, scope.to),
            Self::Text(text) | Self::Word(text) => Err(format!("{text:?} is no series")),
            Self::List(all) => {
                let mut lines = Vec::new();
                for one in all {
                    match one.evaluate(scope)? {
                        Outcome::Scalar(_) => return Err("a list holds series only".to_owned()),
                        Outcome::One(line) => lines.push(line),
                        Outcome::Many(more) => lines.extend(more),
                    }
                }
                Ok(Outcome::Many(lines))
            }
            Self::Negative(inner) => joined(&Outcome::Scalar(0.0), Operator::Minus, &inner.evaluate(scope)?),
            Self::Binary(left, operator, right) => joined(&left.evaluate(scope)?, *operator, &right.evaluate(scope)?),
            Self::Call(name, arguments) => functions::call(name, arguments, scope),
        }
    }
}

/// Two joined by an operator. A missing point of one of two series counts for 0; a division by 0 drops the point.
fn joined(left: &Outcome, operator: Operator, right: &Outcome) -> Result<Outcome, String> {
    let of = |left, right| value(left, operator, right);
    Ok(match (left, right) {
        (Outcome::Scalar(left), Outcome::Scalar(right)) => {
            Outcome::Scalar(of(*left, *right).ok_or("a number is divided by 0")?)
        }
        (Outcome::One(line), Outcome::Scalar(right)) => Outcome::One(line.map(|point| of(point.value, *right))),
        (Outcome::Scalar(left), Outcome::One(line)) => Outcome::One(line.map(|point| of(*left, point.value))),
        (Outcome::One(left), Outcome::One(right)) => Outcome::One(merged(left, right, &of)),
        (Outcome::Many(lines), other) if !matches!(other, Outcome::Many(_)) => {
            many(lines.iter().map(|line| joined(&Outcome::One(line.clone()), operator, other)))?
        }
        (other, Outcome::Many(lines)) if !matches!(other, Outcome::Many(_)) => {
            many(lines.iter().map(|line| joined(other, operator, &Outcome::One(line.clone()))))?
        }
        _ => return Err("two arrays of series cannot be joined".to_owned()),
    })
}

fn many(outcomes: impl Iterator<Item = Result<Outcome, String>>) -> Result<Outcome, String> {
    let mut lines = Vec::new();
    for outcome in outcomes {
        if let Outcome::One(line) = outcome? {
            lines.push(line);
        }
    }
    Ok(Outcome::Many(lines))
}

/// The points of both, a missing one of either as 0.
fn merged(left: &Line, right: &Line, of: &dyn Fn(f64, f64) -> Option<f64>) -> Line {
    let mut pairs: BTreeMap<Timestamp, (f64, f64)> = BTreeMap::new();
    for point in &left.points {
        pairs.entry(point.at).or_default().0 = point.value;
    }
    for point in &right.points {
        pairs.entry(point.at).or_default().1 = point.value;
    }
    let points = pairs.into_iter().filter_map(|(at, (left, right))| Some(Point { at, value: of(left, right)? }));
    Line { points: points.collect(), ..left.clone() }
}

fn value(left: f64, operator: Operator, right: f64) -> Option<f64> {
    let truth = |holds: bool| f64::from(u8::from(holds));
    let value = match operator {
        Operator::Or => truth(left != 0.0 || right != 0.0),
        Operator::And => truth(left != 0.0 && right != 0.0),
        Operator::Equal => truth(left.total_cmp(&right).is_eq()),
        Operator::NotEqual => truth(left.total_cmp(&right).is_ne()),
        Operator::LessOrEqual => truth(left <= right),
        Operator::GreaterOrEqual => truth(left >= right),
        Operator::Less => truth(left < right),
        Operator::Greater => truth(left > right),
        Operator::Plus => left + right,
        Operator::Minus => left - right,
        Operator::Times => left * right,
        Operator::Over => left / right,
        Operator::Power => left.powf(right),
    };
    value.is_finite().then_some(value)
}
