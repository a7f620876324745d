//! Log files: a line each, or JSON objects with a message; the time is what the line opens with.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::csv::{self, instant};
use crate::domain::observation::log::{Ingest, LogGroup, LogLine, RawLogEvent, clock};

/// The longest line that is read, in bytes: beyond, it is cut.
const LONGEST: usize = 256 << 10;

/// So many lines at a file's end tell what it is near to.
const LAST: usize = 10_000;

/// The lines of a file.
#[derive(Debug)]
pub(super) struct Lines {
    pub(super) lines: Vec<LogLine>,
    /// How many of them have no time, nor has any line before them.
    pub(super) timeless: u64,
}

/// Reads the lines of a file. A line without a time has that of the line before; without any, the newest instant known. `near`
/// is an instant that times without a year are near to.
pub(super) fn read(text: &str, file: &str, (newest, near): (Timestamp, Option<Timestamp>)) -> Lines {
    let group = LogGroup::from(file);
    let (mut at, mut timeless) = (None, 0);
    let mut ingest = Ingest::of(&group);
    let lines = events(text, near)
        .into_iter()
        .zip(1_u64..)
        .map(|((time, stream, message), n)| {
            at = time.or(at);
            timeless += u64::from(at.is_none());
            let raw = RawLogEvent {
                id: n.to_string().into(),
                at: at.unwrap_or(newest),
                stream,
                message: cut(&message).to_owned(),
            };
            ingest.line(raw)
        })
        .collect();
    Lines { lines, timeless }
}

/// The newest instant that a file tells of.
pub(super) fn newest(text: &str, near: Option<Timestamp>) -> Option<Timestamp> {
    events(text, near).into_iter().filter_map(|(time, _, _)| time).max()
}

/// The instant that a file's times without a year are near to: of those known, the one that its last lines end nearest
/// to. Metrics may be of long before the log was written, and a log copied long after.
pub(super) fn near(text: &str, known: [Option<Timestamp>; 2]) -> Option<Timestamp> {
    let off = |near: &Timestamp| {
        let last = text.lines().rev().take(LAST).filter_map(|line| clock::opens_with(line, Some(*near))).max();
        last.map_or(SignedDuration::MAX, |last| near.duration_since(last).abs())
    };
    known.into_iter().flatten().min_by_key(off)
}

type Event = (Option<Timestamp>, String, String);

fn events(text: &str, near: Option<Timestamp>) -> Vec<Event> {
    if text.trim_start().starts_with(['{', '['])
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        let mut events = Vec::new();
        within(&value, &mut events);
        if !events.is_empty() {
            return events;
        }
    }
    let lead = Lead::of(text);
    text.lines().map(|text| line(text, (lead, near))).collect()
}

/// Whether a bare number that a line opens with is its time: where the file's lines do so, and not where a request's id
/// happens to stand first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Epochs,
    Dates,
}

impl Lead {
    /// One line of so many at the least opens with a number where numbers are times.
    const OF: usize = 10;

    fn of(text: &str) -> Self {
        let (mut lines, mut numbers, mut dates) = (0, 0, 0);
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            lines += 1;
            match opening(line) {
                Some((first, _)) if csv::is_number(first) => numbers += 1,
                Some(_) => dates += 1,
                None => {}
            }
        }
        if numbers > dates && numbers * Self::OF >= lines { Self::Epochs } else { Self::Dates }
    }
}

/// What of a line's beginning reads as a time, and that time.
fn opening(text: &str) -> Option<(&str, Timestamp)> {
    let end = |words: usize| text.match_indices(' ').nth(words - 1).map_or(text.len(), |(at, _)| at);
    // The longer one first: a date alone is midnight, and the hour stands behind it.
    let firsts = [2, 1].into_iter().filter_map(|words| text.get(..end(words)));
    firsts
        .filter(|first| !is_date(first))
        .find_map(|first| Some((first, instant(first.trim_end_matches([':', ';', ',']))?)))
}

/// Whether a text is a day and nothing more.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'/'))
        && text.contains(['-', '/'])
}

/// Objects with a message, however deep: `{"events": [...]}`, `{"logs": [...]}`, a bare array.
fn within(value: &Value, events: &mut Vec<Event>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| within(item, events)),
        Value::Object(fields) => match event(value) {
            Some(event) => events.push(event),
            None => fields.values().for_each(|value| within(value, events)),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn event(value: &Value) -> Option<Event> {
    let first = |keys: &[&str]| keys.iter().find_map(|key| value.get(*key));
    let message = first(&["message", "msg", "log"])?;
    let time = first(&["timestamp", "time", "@timestamp", "ts", "date"]).and_then(|time| match time {
        Value::String(text) => instant(text),
        Value::Number(number) => instant(&number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    });
    let stream = first(&["logStreamName", "host", "pod", "stream"]).and_then(Value::as_str).unwrap_or("main");
    let message = match message {
        Value::String(text) => text.clone(),
        // A message that is an object itself; without a time it is what others are within.
        Value::Object(_) if time.is_some() => message.to_string(),
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return None,
    };
    let told = match first(&["level", "status", "severity"]) {
        Some(Value::String(level)) => format!("[{}] {message}", level.to_ascii_uppercase()),
        Some(Value::Number(level)) if value.get("level").is_some() => format!("level={level} {message}"),
        Some(_) | None => message,
    };
    Some((time, stream.to_owned(), told))
}

fn line(text: &str, (lead, near): (Lead, Option<Timestamp>)) -> Event {
    if text.starts_with('{')
        && let Ok(value) = serde_json::from_str::<Value>(text)
        && let Some((time, stream, _)) = event(&value)
    {
        return (time, stream, text.to_owned());
    }
    let time = opening(text).filter(|(first, _)| lead == Lead::Epochs || !csv::is_number(first)).map(|(_, at)| at);
    let time = time.or_else(|| clock::opens_with(text, near));
    (time, "main".to_owned(), text.to_owned())
}

fn cut(text: &str) -> &str {
    let end = (0..=LONGEST.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::log::LogLevel;

    #[test]
    fn objects_tell_their_level_by_word_or_number_and_none_is_lost() {
        let text = r#"[{"time":1777627800000,"level":50,"msg":"pino"},{"time":"2026-05-01T09:30:01Z","level":"warn","msg":"x"},
            {"ts":"2026-05-01T09:30:01Z","message":{"a":1}}]"#;
        let told: Vec<(LogLevel, String)> = read(text, "f", (Timestamp::UNIX_EPOCH, None))
            .lines
            .into_iter()
            .map(|line| (line.level, line.text.into()))
            .collect();
        let expected = [
            (LogLevel::Error, "level=50 pino".to_owned()),
            (LogLevel::Warn, "[WARN] x".to_owned()),
            (LogLevel::Info, r#"{"a":1}"#.to_owned()),
        ];
        assert_eq!(told, expected);
    }

    #[test]
    fn a_day_and_an_hour_are_one_time_however_they_are_written() {
        for (opens, expected) in [
            ("2026-05-01 09:30:01,123 ERROR", "2026-05-01T09:30:01.123Z"),
            ("2026-05-01 09:30:01.123 ERROR", "2026-05-01T09:30:01.123Z"),
            ("2026-05-01 09:30:01 ERROR", "2026-05-01T09:30:01Z"),
            ("2026-05-01 09:30:01: ERROR", "2026-05-01T09:30:01Z"),
            ("[2026-05-01 09:30:01,123] ERROR", "2026-05-01T09:30:01.123Z"),
            ("2026-05-01 09:30:01.123 CEST [12] FATAL:", "2026-05-01T09:30:01.123Z"),
            ("2026-05-01T09:30:01Z ERROR", "2026-05-01T09:30:01Z"),
            ("2026-05-01T09:30:01.5+02:00 ERROR", "2026-05-01T07:30:01.5Z"),
        ] {
            let read = read(&format!("{opens} OOMKilled"), "f", (Timestamp::UNIX_EPOCH, None));
            assert_eq!((read.lines[0].at, read.timeless), (expected.parse().unwrap(), 0), "{opens}");
        }
        let read = read("2026-05-01 was a Friday", "f", (Timestamp::UNIX_EPOCH, None));
        assert_eq!(read.timeless, 1, "a day alone is no time");
    }

    #[test]
    fn lines_of_other_programs_have_their_times() {
        let text = "May  1 09:30:51 host app[12]: up\n  at the next line\nE0501 09:30:52.000001  1 x.go:1] failed\n\
                    2026/05/01 09:30:53 [error] 12#0: upstream timed out\n";
        let near = "2026-05-01T09:31:00Z".parse().ok();
        let read = read(text, "f", (Timestamp::UNIX_EPOCH, near));
        let told: Vec<(i64, LogLevel)> =
            read.lines.iter().map(|line| (line.at.as_second() - 1_777_627_800, line.level)).collect();
        let (info, error) = (LogLevel::Info, LogLevel::Error);
        assert_eq!((told, read.timeless), (vec![(51, info), (51, info), (52, error), (53, error)], 0));
        assert_eq!(newest(text, near), "2026-05-01T09:30:53Z".parse().ok());
    }
}
