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
    pub(super) read: Vec<LogLine>,
    /// How many of them have no time, nor has any line before them.
    pub(super) timeless: u64,
    /// Whether the file ends in the middle of its JSON.
    pub(super) is_cut: bool,
    /// Whether its times leave open in which zone they are.
    pub(super) names_no_zone: bool,
}

/// Reads the lines of a file. A line without a time has that of the line before; without any, the newest instant known. `near`
/// is an instant that times without a year are near to.
pub(super) fn read(text: &str, file: &str, (newest, near): (Timestamp, Option<Timestamp>)) -> Lines {
    let group = LogGroup::from(file);
    let (mut at, mut timeless) = (None, 0);
    let mut ingest = Ingest::of(&group);
    let Events { events, is_cut } = events(text, near);
    let names_no_zone = text.lines().find_map(|line| zone_is_open(line, near)) == Some(true);
    let lines = events
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
    Lines { read: lines, timeless, is_cut, names_no_zone }
}

/// The newest instant that a file tells of.
pub(super) fn newest(text: &str, near: Option<Timestamp>) -> Option<Timestamp> {
    events(text, near).events.into_iter().filter_map(|(time, _, _)| time).max()
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

struct Events {
    events: Vec<Event>,
    /// Whether the file ends in the middle of its JSON.
    is_cut: bool,
}

fn events(text: &str, near: Option<Timestamp>) -> Events {
    if let Some((value, is_cut)) = document(text) {
        let mut events = Vec::new();
        within(&value, &mut events);
        if !events.is_empty() {
            return Events { events, is_cut };
        }
    }
    let lead = Lead::of(text);
    Events { events: text.lines().map(|text| line(text, (lead, near))).collect(), is_cut: false }
}

/// A file that is one JSON document, and whether it ends before its end: then it is what it has whole.
fn document(text: &str) -> Option<(Value, bool)> {
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    match serde_json::from_str::<Value>(text) {
        Ok(value) => Some((value, false)),
        Err(error) if error.is_eof() => serde_json::from_str(&mended(text)?).ok().map(|value| (value, true)),
        Err(_) => None,
    }
}

/// A cut document up to the last object of a list that is whole, with what is open behind it closed.
fn mended(text: &str) -> Option<String> {
    let (mut open, mut whole) = (Vec::new(), None);
    let (mut quoted, mut escaped) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' => open.push('}'),
            b'[' => open.push(']'),
            b'}' | b']' => {
                open.pop();
                if byte == b'}' && open.last() == Some(&']') {
                    whole = Some((at, open.clone()));
                }
            }
            _ => {}
        }
    }
    let (end, open) = whole?;
    Some(text[..=end].chars().chain(open.into_iter().rev()).collect())
}

/// Whether the time that a line opens with, where it opens with one, leaves open in which zone it is.
fn zone_is_open(line: &str, near: Option<Timestamp>) -> Option<bool> {
    match opening(line) {
        Some(opening) => Some(opening.names_no_zone),
        None => clock::opens_with(line, near).map(|_| true),
    }
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
                Some(opening) if opening.is_number => numbers += 1,
                Some(_) => dates += 1,
                None => {}
            }
        }
        if numbers > dates && numbers * Self::OF >= lines { Self::Epochs } else { Self::Dates }
    }
}

/// A line's beginning that reads as a time.
struct Opening {
    at: Timestamp,
    is_number: bool,
    names_no_zone: bool,
}

/// What a line opens with. The longer beginning first: a date alone is midnight, and hour and zone stand behind it.
fn opening(text: &str) -> Option<Opening> {
    let end = |words: usize| text.match_indices(' ').nth(words - 1).map_or(text.len(), |(at, _)| at);
    let (hour, day) = (text.get(..end(2))?, text.get(..end(1))?);
    let zoned = text.get(end(2)..end(3)).and_then(zone).map(|zone| format!("{}{zone}", hour.trim_end_matches(']')));
    let mut firsts = zoned.into_iter().chain([hour.to_owned(), day.to_owned()]).filter(|first| !is_date(first));
    let read = |first: String| {
        let first = first.trim_end_matches([':', ';', ',']);
        Some(Opening {
            at: instant(first)?,
            is_number: csv::is_number(first),
            names_no_zone: csv::names_no_zone(first),
        })
    };
    firsts.find_map(read)
}

/// The offset of a zone that stands behind an hour: as one, or by a name that stands for one alone.
fn zone(word: &str) -> Option<&str> {
    let word = word.trim().trim_end_matches([':', ';', ',', ']']);
    match word {
        "Z" | "UTC" | "GMT" | "WET" => Some("Z"),
        "CET" | "WEST" => Some("+01:00"),
        "CEST" | "EET" => Some("+02:00"),
        "EEST" => Some("+03:00"),
        "JST" => Some("+09:00"),
        "EDT" => Some("-04:00"),
        "EST" | "CDT" => Some("-05:00"),
        "MDT" => Some("-06:00"),
        "MST" | "PDT" => Some("-07:00"),
        "PST" => Some("-08:00"),
        other => {
            let digits = other.strip_prefix(['+', '-'])?;
            let is_offset = matches!(digits.len(), 4 | 5)
                && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b':')
                && digits.find(':').is_none_or(|at| at == 2);
            is_offset.then_some(other)
        }
    }
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
    let time = opening(text).filter(|opening| lead == Lead::Epochs || !opening.is_number).map(|opening| opening.at);
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
            .read
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
            ("2026-05-01 09:30:01.123 CEST [12] FATAL:", "2026-05-01T07:30:01.123Z"),
            ("2026-05-01 09:30:01.123 UTC [12] FATAL:", "2026-05-01T09:30:01.123Z"),
            ("2026-05-01 09:30:01.123 IST [12] FATAL:", "2026-05-01T09:30:01.123Z"),
            ("2026-05-01 09:30:01.123 +02:00 [ERR]", "2026-05-01T07:30:01.123Z"),
            ("2026-05-01 09:30:01,123 -0430 [ERR]", "2026-05-01T14:00:01.123Z"),
            ("[2026-05-01 09:30:01 +0200] [12] [INFO]", "2026-05-01T07:30:01Z"),
            ("2026-05-01 09:30:01 -1 is the answer", "2026-05-01T09:30:01Z"),
            ("2026-05-01T09:30:01Z ERROR", "2026-05-01T09:30:01Z"),
            ("2026-05-01T09:30:01.5+02:00 ERROR", "2026-05-01T07:30:01.5Z"),
        ] {
            let read = read(&format!("{opens} OOMKilled"), "f", (Timestamp::UNIX_EPOCH, None));
            assert_eq!((read.read[0].at, read.timeless), (expected.parse().unwrap(), 0), "{opens}");
        }
        let read = read("2026-05-01 was a Friday", "f", (Timestamp::UNIX_EPOCH, None));
        assert_eq!(read.timeless, 1, "a day alone is no time");
    }

    #[test]
    fn a_document_that_ends_early_is_what_it_has_whole() {
        let whole = r#"{"events":[{"timestamp":1777627800000,"message":"a [b} \" c","tags":[{"x":1}]},{"timestamp":1777627801000,"message":"d"}]}"#;
        let told = |text: &str| {
            let read = read(text, "f", (Timestamp::UNIX_EPOCH, None));
            (read.read.iter().map(|line| line.text.to_string()).collect::<Vec<_>>(), read.is_cut)
        };
        let (first, second) = ("a [b} \" c".to_owned(), "d".to_owned());
        assert_eq!(told(whole), (vec![first.clone(), second.clone()], false));
        assert_eq!(told(&whole[..whole.len() - 1]), (vec![first.clone(), second], true));
        assert_eq!(told(&whole[..whole.len() - 5]), (vec![first], true));
        let lines = "{\"message\":\"a\"}\n{\"message\":\"b";
        assert_eq!(told(lines).0.len(), 2, "a file of a document a line is none that ends early");
        assert_eq!(told("[2026-05-01 09:30:01] INFO a").0, ["[2026-05-01 09:30:01] INFO a"]);
    }

    #[test]
    fn whether_times_name_their_zone_is_known() {
        for (line, expected) in [
            ("2026-05-01 09:30:01 ERROR", true),
            ("2026-05-01 09:30:01 IST ERROR", true),
            ("2026-05-01 09:30:01 CEST ERROR", false),
            ("2026-05-01T09:30:01Z ERROR", false),
            ("1777627800 ERROR", false),
            ("no time at all", false),
        ] {
            assert_eq!(read(line, "f", (Timestamp::UNIX_EPOCH, None)).names_no_zone, expected, "{line}");
        }
    }

    #[test]
    fn lines_of_other_programs_have_their_times() {
        let text = "May  1 09:30:51 host app[12]: up\n  at the next line\nE0501 09:30:52.000001  1 x.go:1] failed\n\
                    2026/05/01 09:30:53 [error] 12#0: upstream timed out\n";
        let near = "2026-05-01T09:31:00Z".parse().ok();
        let read = read(text, "f", (Timestamp::UNIX_EPOCH, near));
        let told: Vec<(i64, LogLevel)> =
            read.read.iter().map(|line| (line.at.as_second() - 1_777_627_800, line.level)).collect();
        let (info, error) = (LogLevel::Info, LogLevel::Error);
        assert_eq!((told, read.timeless), (vec![(51, info), (51, info), (52, error), (53, error)], 0));
        assert_eq!(newest(text, near), "2026-05-01T09:30:53Z".parse().ok());
    }
}
