//! `GetMetricStatistics`: one metric, several statistics at once.

use super::super::cbor::Value;
use super::super::one_of;
use super::{UNITS, by_period, invalid, named, statistic, unit_word};
use crate::rehearsal::wire::aws::Refusal;
use crate::rehearsal::world::{Reckoning, Sight};

/// Points a call answers at most (API reference).
const MOST_POINTS: i64 = 1_440;
/// Extended statistics a call may name (API reference).
const MOST_EXTENDED: usize = 10;
const PLAIN: [&str; 5] = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];

/// The statistics of a metric, by period.
pub(in super::super) fn statistics(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let missing = |name: &str| Refusal {
        query_code: "MissingParameter".to_owned(),
        ..Refusal::invalid("MissingRequiredParameterException", format!("The parameter {name} is required."))
    };
    one_of(input, "Unit", &UNITS)?;
    let name = input.str("MetricName").ok_or_else(|| missing("MetricName"))?;
    input.str("Namespace").ok_or_else(|| missing("Namespace"))?;
    let from = input.time("StartTime").ok_or_else(|| missing("StartTime"))?;
    let to = input.time("EndTime").ok_or_else(|| missing("EndTime"))?;
    let period_s = input.int("Period").ok_or_else(|| missing("Period"))?;
    if from >= to {
        return Err(wrong("The parameter StartTime must be less than the parameter EndTime."));
    }
    if period_s < 60 || period_s % 60 != 0 {
        return Err(wrong("The parameter Period must be a multiple of 60 for metrics of standard resolution."));
    }
    let asked = to.duration_since(from).as_secs() / period_s;
    if asked > MOST_POINTS {
        return Err(combination(format!(
            "You have requested up to {asked} datapoints, which exceeds the limit of {MOST_POINTS}. You may reduce the \
             datapoints requested by increasing Period, or decreasing the time range."
        )));
    }
    let wanted = wanted(input)?;
    let spec =
        named(sight, input, None).filter(|spec| input.str("Unit").is_none_or(|unit| unit == unit_word(spec.unit)));
    let Some(spec) = spec else {
        return Ok(Value::map([("Label", Value::text(name)), ("Datapoints", Value::List(Vec::new()))]));
    };
    let series: Vec<_> =
        wanted.iter().map(|(_, reckoning)| by_period(sight, spec, *reckoning, (from, to), period_s)).collect();
    let first = series.first().map(Vec::as_slice).unwrap_or_default();
    let points = first.iter().map(|point| {
        let value = |at: usize| series[at].iter().find(|other| other.at == point.at).map(|found| found.value);
        let (mut members, mut extended) = (vec![("Timestamp".to_owned(), Value::Time(point.at))], Vec::new());
        for (at, (word, _)) in wanted.iter().enumerate() {
            let Some(value) = value(at) else { continue };
            let list = if PLAIN.contains(word) { &mut members } else { &mut extended };
            list.push(((*word).to_owned(), Value::Float(value)));
        }
        members.push(("Unit".to_owned(), Value::text(unit_word(spec.unit))));
        if !extended.is_empty() {
            members.push(("ExtendedStatistics".to_owned(), Value::Map(extended)));
        }
        Value::Map(members)
    });
    Ok(Value::map([("Label", Value::text(&spec.name)), ("Datapoints", Value::List(points.collect()))]))
}

/// The statistics that are asked for: of one of the two kinds.
fn wanted(input: &Value) -> Result<Vec<(&str, Reckoning)>, Refusal> {
    let (plain, extended) = (input.texts("Statistics"), input.texts("ExtendedStatistics"));
    if plain.is_empty() == extended.is_empty() {
        return Err(combination("Exactly one of Statistics and ExtendedStatistics must be specified.".to_owned()));
    }
    if extended.len() > MOST_EXTENDED {
        return Err(wrong("At most 10 ExtendedStatistics are allowed."));
    }
    let read = |word: &str| statistic::parse(word).filter(|_| extended.is_empty() == PLAIN.contains(&word));
    plain
        .iter()
        .chain(&extended)
        .map(|word| Ok((*word, read(word).ok_or_else(|| invalid(format!("The value {word} is no statistic.")))?)))
        .collect()
}

fn wrong(message: &str) -> Refusal {
    refusal("InvalidParameterValue", message)
}

fn combination(message: String) -> Refusal {
    refusal("InvalidParameterCombination", message)
}

/// The shape's name has a word more than the code of the query protocol.
fn refusal(code: &str, message: impl Into<String>) -> Refusal {
    Refusal { query_code: code.to_owned(), ..Refusal::invalid(&format!("{code}Exception"), message) }
}
