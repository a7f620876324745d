//! The data files of a scenario's folder, re-stamped to the rehearsal's clock.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use jiff::{SignedDuration, Timestamp, civil, tz::TimeZone};
use serde_json::Value;

use super::minute_of;
use crate::domain::fault::{Fault, FaultKind};
use crate::rehearsal::scenario::{Column, Scenario};

/// A column by the minute: the last row falls into the minute that is `ends` from start, the others keep their distance to
/// it. Several rows of a minute are averaged.
pub(super) fn csv(
    scenario: &Scenario,
    file: &str,
    columns: &Column,
    ends: SignedDuration,
) -> Result<BTreeMap<Timestamp, f64>, Fault> {
    let text = read(scenario, file)?;
    let wrong = |line: usize, why: String| {
        Fault::new(FaultKind::Usage, format!("The file {file} of the scenario is wrong in line {line}.")).cause(why)
    };
    let mut rows = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let header: Vec<&str> = rows.next().map_or_else(Vec::new, |(_, line)| cells(line));
    let place = |name: &str| {
        header
            .iter()
            .position(|column| *column == name)
            .ok_or_else(|| wrong(1, format!("There is no column {name:?} among {}.", header.join(", "))))
    };
    let (time, value) = (place(&columns.time)?, place(&columns.value)?);
    let mut points: Vec<(Timestamp, f64)> = Vec::new();
    for (index, line) in rows {
        let cells = cells(line);
        let at = cells.get(time).and_then(|cell| instant(cell));
        let number = cells.get(value).and_then(|cell| cell.parse::<f64>().ok()).filter(|number| number.is_finite());
        match (at, number) {
            (Some(at), Some(number)) => points.push((at, number)),
            _ => return Err(wrong(index + 1, "It needs a time and a number.".to_owned())),
        }
    }
    let Some(last) = points.iter().map(|point| point.0).max() else { return Ok(BTreeMap::new()) };
    let shift = minute_of(scenario.start + ends).duration_since(minute_of(last));
    let mut minutes: BTreeMap<Timestamp, (f64, u32)> = BTreeMap::new();
    for (at, number) in points {
        let sum = minutes.entry(minute_of(at) + shift).or_default();
        *sum = (sum.0 + number, sum.1 + 1);
    }
    Ok(minutes.into_iter().map(|(at, (sum, count))| (at, sum / f64::from(count))).collect())
}

/// The cells of a row; quotes around one are left away.
fn cells(line: &str) -> Vec<&str> {
    line.split(',').map(|cell| cell.trim().trim_matches('"')).collect()
}

/// Lines with a timestamp before each, or as JSON with a time in it; one without continues the line before it. Or the
/// events that the AWS CLI exports. The last falls `ends` from start.
pub(super) fn lines(scenario: &Scenario, file: &str, ends: SignedDuration) -> Result<Vec<(Timestamp, String)>, Fault> {
    let text = read(scenario, file)?;
    let mut lines = match exported(&text) {
        Some(lines) => lines,
        None => stamped(file, &text)?,
    };
    lines.sort_by_key(|line| line.0);
    let Some(last) = lines.last().map(|line| line.0) else { return Ok(lines) };
    let shift = (scenario.start + ends).duration_since(last);
    Ok(lines.into_iter().map(|(at, text)| (at + shift, text)).collect())
}

/// The events of `aws logs filter-log-events` or `get-log-events`: each with its `timestamp` and `message`.
fn exported(text: &str) -> Option<Vec<(Timestamp, String)>> {
    let document: Value = serde_json::from_str(text).ok()?;
    let events = document["events"].as_array()?;
    let told = |event: &Value| {
        let at = Timestamp::from_millisecond(event["timestamp"].as_i64()?).ok()?;
        Some((at, event["message"].as_str()?.trim_end().to_owned()))
    };
    Some(events.iter().filter_map(told).collect())
}

/// The time of a line that is a JSON object, by the names that loggers use. The line stays whole: that is what the
/// service wrote.
fn of_json(line: &str) -> Option<Timestamp> {
    let object: Value = line.starts_with('{').then(|| serde_json::from_str(line).ok()).flatten()?;
    ["timestamp", "@timestamp", "time", "ts", "datetime", "t"].iter().find_map(|name| match &object[*name] {
        Value::String(text) => instant(text),
        // Some write seconds with a fraction.
        Value::Number(number) => number.as_f64().and_then(|number| instant(&format!("{number:.0}"))),
        _ => None,
    })
}

fn stamped(file: &str, text: &str) -> Result<Vec<(Timestamp, String)>, Fault> {
    let mut lines: Vec<(Timestamp, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(at) = of_json(line) {
            lines.push((at, line.to_owned()));
            continue;
        }
        let stamped = [1, 2].into_iter().find_map(|words| {
            let end = line.match_indices(' ').nth(words - 1).map_or(line.len(), |(at, _)| at);
            Some((instant(line.get(..end)?)?, line.get(end..)?.trim_start()))
        });
        match (stamped, lines.last_mut()) {
            (Some((at, rest)), _) => lines.push((at, rest.to_owned())),
            (None, Some(last)) => last.1 = format!("{}\n{line}", last.1),
            (None, None) => {
                let summary = format!("The file {file} of the scenario has no timestamp in line {}.", index + 1);
                return Err(Fault::new(FaultKind::Usage, summary).hint(
                    "Begin each line with an RFC 3339 time or epoch milliseconds, or give JSON with a timestamp.",
                ));
            }
        }
    }
    Ok(lines)
}

/// RFC 3339 (also with a numeric zone without colon), `YYYY-MM-DD HH:MM:SS` taken as UTC, epoch seconds or milliseconds.
fn instant(text: &str) -> Option<Timestamp> {
    let text = text.trim_matches(['[', ']']);
    if let Ok(number) = text.parse::<i64>() {
        return if number > 100_000_000_000 {
            Timestamp::from_millisecond(number).ok()
        } else {
            (number > 100_000_000).then(|| Timestamp::from_second(number).ok()).flatten()
        };
    }
    let civil = |text: &str| {
        let time: civil::DateTime = text.parse().ok()?;
        time.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    };
    text.parse().ok().or_else(|| civil(text))
}

fn read(scenario: &Scenario, file: &str) -> Result<String, Fault> {
    let Some(folder) = &scenario.folder else {
        return Err(Fault::new(FaultKind::Usage, format!("A built-in scenario has no folder to read {file} from.")));
    };
    if Path::new(file).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Err(Fault::new(FaultKind::Usage, format!("The file {file} lies outside the scenario's folder.")));
    }
    let path = folder.join(file);
    let unread = |why: String| {
        Fault::new(FaultKind::Storage, format!("The file {file} of the scenario could not be read.")).cause(why)
    };
    let kind = std::fs::metadata(&path).map_err(|error| unread(error.to_string()))?;
    if !kind.is_file() {
        return Err(unread("It is no file: a pipe or a device may never end.".to_owned()));
    }
    let bytes = std::fs::read(&path).map_err(|error| unread(error.to_string()))?;
    // A spreadsheet begins its export with a byte order mark.
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
    // Logs of other times and places have a byte that is not UTF-8: it is shown as such, as the service would.
    Ok(String::from_utf8_lossy(bytes).into_owned())
}
