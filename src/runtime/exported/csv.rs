//! Metrics as CSV: a time and a value a row, with or without a header.

use std::path::Path;

use jiff::{Timestamp, civil, tz::TimeZone};

use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Point, Series, Statistic, Unit};
use crate::domain::observation::service::role_of;

/// The role a metric's name stands for: its word, or what a metric called so measures.
pub(super) fn role(name: &str) -> Option<MetricRole> {
    let word = MetricRole::ALL.into_iter().find(|role| role.word() == name && *role != MetricRole::Alarm);
    word.or_else(|| role_of(name))
}

/// A metric's name, and the unit that may stand behind it: `latency[ms]`.
pub(super) fn named(text: &str) -> Result<(&str, Option<Unit>), Fault> {
    let Some((name, rest)) = text.split_once('[') else { return Ok((text, None)) };
    let word = rest.strip_suffix(']').unwrap_or(rest);
    let unit = of_word(word).ok_or_else(|| {
        Fault::new(FaultKind::Usage, format!("{word:?} is no unit of the metric {name}."))
            .hint("Units are ms, s, percent, bytes and count, as in `--metric latency[ms]=FILE.csv`.")
    })?;
    Ok((name, Some(unit)))
}

fn of_word(word: &str) -> Option<Unit> {
    match word.to_ascii_lowercase().as_str() {
        "ms" | "milliseconds" => Some(Unit::Milliseconds),
        "s" | "seconds" => Some(Unit::Seconds),
        "percent" | "pct" | "%" => Some(Unit::Percent),
        "bytes" | "b" => Some(Unit::Bytes),
        "count" => Some(Unit::Count),
        _ => None,
    }
}

/// The columns that hold values, by their names without a unit.
const VALUES: [&str; 5] = ["value", "average", "sum", "maximum", "mean"];

/// A column of values.
#[derive(Clone, Copy)]
struct Column {
    place: usize,
    /// The unit that its head ends with: `value_ms`.
    unit: Option<Unit>,
}

impl Column {
    /// The column at a place, where its head says that it holds values.
    fn of((place, head): (usize, &str)) -> Option<Self> {
        let head = head.to_ascii_lowercase();
        if VALUES.contains(&head.as_str()) {
            return Some(Self { place, unit: None });
        }
        let (name, unit) = head.rsplit_once('_')?;
        VALUES.contains(&name).then(|| of_word(unit)).flatten().map(|unit| Self { place, unit: Some(unit) })
    }
}

/// Reads a series. The time is the column called `timestamp`, `time`, `date` or `at`, else the first; the value the one
/// called `value`, `average`, `sum` or `maximum`, with a unit behind it or without (`value_ms`), else the first other.
/// The unit is the one given, else that of the column, else that of the role where a role has but one.
pub(super) fn series(name: &str, given: Option<Unit>, text: &str, path: &Path) -> Result<Series, Fault> {
    let wrong = |line: usize, why: &str| {
        Fault::new(FaultKind::Usage, format!("The file {} is wrong in line {line}.", path.display()))
            .cause(why.to_owned())
            .hint("Each row needs a time (RFC 3339, YYYY-MM-DD HH:MM:SS in UTC, or epoch) and a number.")
    };
    let mut rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).peekable();
    let Some((_, first)) = rows.peek() else { return Err(wrong(1, "It is empty.")) };
    let head = cells(first);
    let called = |names: &[&str]| head.iter().position(|cell| names.contains(&cell.to_ascii_lowercase().as_str()));
    let has_header = head.iter().all(|cell| instant(cell).is_none());
    let time = called(&["timestamp", "time", "date", "at"]).filter(|_| has_header).unwrap_or(0);
    let column = head.iter().enumerate().find_map(|(n, cell)| Column::of((n, cell))).filter(|_| has_header);
    let Column { place: value, unit: headed } = column.unwrap_or(Column { place: usize::from(time == 0), unit: None });
    if has_header {
        rows.next();
    }
    let mut points = Vec::new();
    for (line, row) in rows {
        let row = cells(row);
        let at = row.get(time).and_then(|cell| instant(cell)).ok_or_else(|| wrong(line + 1, "It has no time."))?;
        match row.get(value).map(|cell| cell.trim()) {
            // An empty cell is a hole.
            Some("") => {}
            Some(cell) => {
                let value: f64 = cell.parse().map_err(|_| wrong(line + 1, "It has no number."))?;
                points.push(Point { at, value });
            }
            None => return Err(wrong(line + 1, "It has no value.")),
        }
    }
    let metric = MetricId { namespace: "Files".to_owned(), name: name.to_owned(), ..MetricId::default() };
    let role = role(name).unwrap_or(MetricRole::Alarm);
    let query = MetricQuery { role, metric, statistic: Statistic::Average, period_s: 60 };
    let mut series = Series::new(query, Unit::None, points);
    series.query.period_s = period(&series.points);
    series.unit = given.or(headed).unwrap_or_else(|| unit(name, &series));
    Ok(series)
}

/// The cells of a row; a comma between quotes parts none, and a quote inside of quotes is written twice (RFC 4180).
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

/// Seconds between most neighbours, at least one.
fn period(points: &[Point]) -> u32 {
    let mut gaps: Vec<i64> = points.windows(2).map(|pair| pair[1].at.duration_since(pair[0].at).as_secs()).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).and_then(|gap| u32::try_from(*gap).ok()).unwrap_or(60).max(1)
}

/// Up to here a share of one and of a hundred look alike, and beyond the second it is no share. Memory from a million on is
/// bytes; between, it may be KiB or MiB.
const SHARES: std::ops::RangeInclusive<f64> = 1.5..=105.0;
const BYTES: f64 = 1e6;

/// The unit that a role's values are in, as far as the values tell. Times are exported in seconds and in milliseconds, and
/// failures as counts, rates and shares: a wrong unit is worse than none.
fn unit(name: &str, series: &Series) -> Unit {
    let peak = series.peak().map_or(0.0, |point| point.value);
    let counts = series.points.iter().all(|point| point.value.fract().abs() <= f64::EPSILON);
    match role(name) {
        Some(MetricRole::Memory) if peak > BYTES => Unit::Bytes,
        Some(MetricRole::Cpu | MetricRole::Memory | MetricRole::CollectorTime) => {
            if SHARES.contains(&peak) {
                Unit::Percent
            } else {
                Unit::None
            }
        }
        Some(MetricRole::MemoryLimit) => Unit::Bytes,
        Some(MetricRole::Errors) if !counts => Unit::None,
        Some(MetricRole::Requests | MetricRole::Errors | MetricRole::Restarts) => Unit::Count,
        Some(MetricRole::Latency | MetricRole::Alarm) | None => Unit::None,
    }
}

/// RFC 3339 (also with a numeric zone without colon), `YYYY-MM-DD HH:MM:SS` taken as UTC, or time since the epoch in
/// seconds, also with a fraction, milliseconds, microseconds or nanoseconds, told apart by their size.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim().trim_matches(['[', ']', '"']);
    if let Ok(number) = text.parse::<i64>() {
        return Timestamp::from_nanosecond(i128::from(number) * scale(number.unsigned_abs())?).ok();
    }
    if text.starts_with(|c: char| c.is_ascii_digit())
        && is_number(text)
        && let Ok(number) = text.parse::<f64>()
    {
        // A float holds the microseconds of our age and no more.
        let whole = number.trunc();
        let scale = scale(whole as u64)?;
        let rest = ((number - whole) * 1e6).round() as i128 * (scale / 1_000_000);
        return Timestamp::from_nanosecond(whole as i128 * scale + rest).ok();
    }
    if !text.starts_with(|c: char| c.is_ascii_digit()) || text.len() < 10 {
        return None;
    }
    let civil = |text: &str| {
        let time: civil::DateTime = text.replace(',', ".").parse().ok()?;
        time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(|| civil(text))
}

/// Whether a text that reads as a time is a bare number.
pub(super) fn is_number(text: &str) -> bool {
    text.trim().trim_matches(['[', ']', '"']).chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+'))
}

/// Nanoseconds of the unit that a time since the epoch is in: each covers the years from 1973 to 5138. Smaller numbers are
/// no times.
fn scale(number: u64) -> Option<i128> {
    match number {
        0..=100_000_000 => None,
        100_000_001..=100_000_000_000 => Some(1_000_000_000),
        100_000_000_001..=100_000_000_000_000 => Some(1_000_000),
        100_000_000_000_001..=100_000_000_000_000_000 => Some(1_000),
        _ => Some(1),
    }
}
