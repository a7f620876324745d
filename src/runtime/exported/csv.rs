//! Metrics as CSV: a time and a value a row, with or without a header.

use std::collections::BTreeMap;
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

/// A file of values: what was read of it, and what a person should know of the rest.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) series: Series,
    pub(super) notes: Vec<String>,
}

/// Reads a series. The time is the column called `timestamp`, `time`, `date` or `at`, else the first; the value the one
/// called `value`, `average`, `sum` or `maximum`, with a unit behind it or without (`value_ms`), else the only other.
/// The unit is the one given, else that of the column, else that of the role where a role has but one.
pub(super) fn series(name: &str, given: Option<Unit>, text: &str, path: &Path) -> Result<Read, Fault> {
    let mut rows = text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()).peekable();
    let Some((first, _)) = rows.peek() else { return Err(wrong(path, 1, "It is empty.")) };
    let parted = separator(first);
    let head = cells(first, parted);
    let called = |names: &[&str]| head.iter().position(|cell| names.contains(&cell.to_ascii_lowercase().as_str()));
    let has_header = head.iter().all(|cell| instant(cell).is_none());
    let time = called(&["timestamp", "time", "date", "at"]).filter(|_| has_header).unwrap_or(0);
    let column = head.iter().enumerate().find_map(|(n, cell)| Column::of((n, cell))).filter(|_| has_header);
    if has_header {
        rows.next();
    }
    if column.is_none() && has_header {
        let others: Vec<usize> = (0..head.len()).filter(|at| *at != time).collect();
        let told = rows.peek().map(|(row, _)| cells(row, parted)).unwrap_or_default();
        one_column(&others, (&head, &told), path)?;
    }
    let Column { place: value, unit: headed } = column.unwrap_or(Column { place: usize::from(time == 0), unit: None });
    let mut table =
        Table { points: BTreeMap::new(), holes: 0, rows: 0, doubled: 0, first_doubled: None, zoneless: false };
    for (row, line) in rows {
        table.row(&cells(row, parted), (time, value), (path, line))?;
    }
    table.one_series(path)?;
    let points: Vec<Point> = table.points.iter().map(|(at, (value, _))| Point { at: *at, value: *value }).collect();
    if points.is_empty() && table.rows > 0 {
        return Err(wrong(path, 1, "No row of it has a number."));
    }
    let metric = MetricId { namespace: "Files".to_owned(), name: name.to_owned(), ..MetricId::default() };
    let role = role(name).unwrap_or(MetricRole::Alarm);
    let query = MetricQuery { role, metric, statistic: Statistic::Average, period_s: 60 };
    let mut series = Series::new(query, Unit::None, points);
    series.query.period_s = period(&series.points);
    series.unit = given.or(headed).unwrap_or_else(|| unit(name, &series));
    Ok(Read { series, notes: table.notes(path) })
}

fn wrong(path: &Path, line: usize, why: &str) -> Fault {
    Fault::new(FaultKind::Usage, format!("The file {} is wrong in line {line}.", path.display()))
        .cause(why.to_owned())
        .hint("Each row needs a time (RFC 3339, YYYY-MM-DD HH:MM:SS in UTC, or epoch) and a number.")
}

/// Refuses a table of several columns of which none is called a value: any of them would be judged, and the rest not.
fn one_column(others: &[usize], (head, row): (&[String], &[String]), path: &Path) -> Result<(), Fault> {
    let numbers = others.iter().filter(|at| row.get(**at).is_some_and(|cell| cell.parse::<f64>().is_ok()));
    let names: Vec<&str> = numbers.filter_map(|at| head.get(*at)).map(String::as_str).collect();
    if names.len() < 2 {
        return Ok(());
    }
    let what = format!("The file {} has several columns of values: {}.", path.display(), names.join(", "));
    Err(Fault::new(FaultKind::Usage, what).hint("Call the one that is meant `value`, or give a file for each."))
}

/// One row of so many may have the time of another.
const MOST_DOUBLED: u64 = 10;

/// The rows of a table as they are read.
struct Table {
    /// Values with the lines they stand in.
    points: BTreeMap<Timestamp, (f64, usize)>,
    /// Rows that say that there is no number.
    holes: u64,
    rows: u64,
    /// Rows with the time of another and another value, and the first of them.
    doubled: u64,
    first_doubled: Option<(Timestamp, usize, usize)>,
    zoneless: bool,
}

impl Table {
    fn row(
        &mut self,
        row: &[String],
        (time, value): (usize, usize),
        (path, line): (&Path, usize),
    ) -> Result<(), Fault> {
        let told = row.get(time).map(String::as_str).unwrap_or_default();
        let at = instant(told).ok_or_else(|| wrong(path, line, "It has no time."))?;
        self.rows += 1;
        self.zoneless |= names_no_zone(told);
        let cell = row.get(value).ok_or_else(|| wrong(path, line, "It has no value."))?;
        // An empty cell is a hole, and so is what exporters write for one.
        if ["", "-", "null", "none", "n/a"].contains(&cell.to_ascii_lowercase().as_str()) {
            self.holes += 1;
            return Ok(());
        }
        let decimal = cell.replace(',', ".");
        let value: f64 = decimal.parse().map_err(|_| wrong(path, line, "It has no number."))?;
        if !value.is_finite() {
            self.holes += 1;
            return Ok(());
        }
        if let Some((before, first)) = self.points.insert(at, (value, line))
            && before.total_cmp(&value).is_ne()
        {
            self.doubled += 1;
            self.first_doubled.get_or_insert((at, first, line));
        }
        Ok(())
    }

    /// Refuses what is more than one series: of many instants with several values any could be judged, and the rest not. A clock
    /// that was set back doubles a few, of which the later in the file counts.
    fn one_series(&self, path: &Path) -> Result<(), Fault> {
        match self.first_doubled {
            Some((at, first, line)) if self.doubled * MOST_DOUBLED > self.rows => {
                let path = path.display();
                let what = format!("The file {path} has several values at {at}: in lines {first} and {line}.");
                Err(Fault::new(FaultKind::Usage, what)
                    .hint("A file holds one series: export the sum or the average over the pods, or a file for each."))
            }
            Some(_) | None => Ok(()),
        }
    }

    fn notes(&self, path: &Path) -> Vec<String> {
        let (holes, rows, path) = (self.holes, self.rows, path.display());
        let holes = (holes > 0).then(|| format!("{path}: {holes} of {rows} rows hold no number and are left out"));
        let zone = self.zoneless.then(|| format!("{path}: its times name no zone and are taken as UTC"));
        let doubled = (self.doubled > 0)
            .then(|| format!("{path}: {} of {rows} rows have the time of another; the later one counts", self.doubled));
        holes.into_iter().chain(doubled).chain(zone).collect()
    }
}

/// What stands between the cells: a semicolon where somebody's decimals have commas, a tab, else a comma.
fn separator(first: &str) -> char {
    let outside: String = first.split('"').step_by(2).collect();
    [';', '\t'].into_iter().find(|sign| outside.contains(*sign)).unwrap_or(',')
}

/// The cells of a row; what parts them parts none between quotes, and a quote inside of quotes is written twice (RFC 4180).
fn cells(line: &str, parted: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            sign if sign == parted && !quoted => cells.push(std::mem::take(&mut cell)),
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

/// RFC 3339 (also with a numeric zone without colon), `YYYY-MM-DD HH:MM:SS` or `YYYY/MM/DD HH:MM:SS` taken as UTC, or time since the epoch in
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
    let text = plain(text);
    let civil = |text: &str| {
        let time: civil::DateTime = text.parse().ok()?;
        time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(|| civil(&text))
}

/// A time with its day parted by hyphens, and a dot before its fraction.
fn plain(text: &str) -> String {
    let is_slashed = matches!(text.as_bytes(), [_, _, _, _, b'/', _, _, b'/', ..]);
    let day = if is_slashed { text.replacen('/', "-", 2) } else { text.to_owned() };
    day.replace(',', ".")
}

/// Whether a text that reads as a time leaves open in which zone.
pub(super) fn names_no_zone(text: &str) -> bool {
    let text = text.trim().trim_matches(['[', ']', '"']);
    !is_number(text) && plain(text).parse::<Timestamp>().is_err()
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
