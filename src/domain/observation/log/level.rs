//! The level of a line: from its JSON field, from the word it opens with, else from what it tells.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::super::wording::automaton;
use super::LogLevel;

/// How far into a line a level word is looked for, in bytes: past a date, a host, a thread and a logger.
const HEAD: usize = 160;

/// Level words; the boundaries and the case decide whether a hit counts.
const WORDS: &[(&str, LogLevel)] = &[
    ("emergency", LogLevel::Error),
    ("critical", LogLevel::Error),
    ("severe", LogLevel::Error),
    ("fatal", LogLevel::Error),
    ("panic", LogLevel::Error),
    ("error", LogLevel::Error),
    ("crit", LogLevel::Error),
    ("err", LogLevel::Error),
    ("warning", LogLevel::Warn),
    ("warn", LogLevel::Warn),
    ("notice", LogLevel::Info),
    ("info", LogLevel::Info),
    ("verbose", LogLevel::Debug),
    ("debug", LogLevel::Debug),
    ("trace", LogLevel::Debug),
    ("finest", LogLevel::Debug),
    ("fine", LogLevel::Debug),
];

/// What an error says when it names no level.
const LOUD: [&str; 5] =
    ["Traceback (most recent call last)", "Exception in thread", "Exception:", "Unhandled exception", "goroutine 1 ["];

/// Keys under which JSON loggers write the level.
const KEYS: [&str; 6] = ["\"level\"", "\"severity\"", "\"lvl\"", "\"levelname\"", "\"log.level\"", "\"@level\""];

static WORD_AUTOMATON: LazyLock<AhoCorasick> = LazyLock::new(|| automaton(WORDS.iter().map(|(word, _)| *word)));

#[expect(clippy::expect_used, reason = "constant literals, built in every test")]
static KEY_AUTOMATON: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(KEYS).expect("the literals are constant"));

#[expect(clippy::expect_used, reason = "constant literals, built in every test")]
static LOUD_AUTOMATON: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(LOUD).expect("the literals are constant"));

/// The level a line names, or `None`. A level in capitals counts anywhere in the head; in small letters only where it is
/// written as a field (`[error]`, `level=warn`, `error:`).
pub(super) fn named(text: &str) -> Option<LogLevel> {
    if text.starts_with('{')
        && let Some(level) = json(text)
    {
        return Some(level);
    }
    let head = &text[..floor(text, HEAD)];
    if let Some(level) = klog(head) {
        return Some(level);
    }
    WORD_AUTOMATON.find_iter(head).find_map(|found| {
        let (_, level) = WORDS.get(found.pattern().as_usize())?;
        is_level_word(head, found.start(), found.end()).then_some(*level)
    })
}

/// The level of a line that names none: an error where it tells of one, else info.
pub(super) fn told(text: &str) -> LogLevel {
    if LOUD_AUTOMATON.is_match(text) { LogLevel::Error } else { LogLevel::Info }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn is_level_word(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    let after = bytes.get(end).copied();
    let joins = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b'.' | b'$');
    let coloured = before == Some(b'm')
        && text[..start].trim_end_matches(|c: char| c == 'm' || c == ';' || c.is_ascii_digit()).ends_with("\\x1b[");
    if (before.is_some_and(joins) && !coloured) || after.is_some_and(joins) {
        return false;
    }
    let shouted = bytes[start..end].iter().all(u8::is_ascii_uppercase);
    let field = matches!(before, Some(b'[' | b'=' | b'<' | b'|' | b'(' | b'"'))
        || matches!(after, Some(b':' | b']' | b'>' | b'|'));
    shouted || field || coloured
}

/// The header of Kubernetes' own programs: `E0721 10:11:12.123456`.
fn klog(head: &str) -> Option<LogLevel> {
    let bytes = head.as_bytes();
    if bytes.len() < 6 || !bytes[1..5].iter().all(u8::is_ascii_digit) || bytes[5] != b' ' {
        return None;
    }
    match bytes[0] {
        b'E' | b'F' => Some(LogLevel::Error),
        b'W' => Some(LogLevel::Warn),
        b'I' => Some(LogLevel::Info),
        _ => None,
    }
}

fn json(text: &str) -> Option<LogLevel> {
    KEY_AUTOMATON.find_iter(text).find_map(|key| {
        let value = text[key.end()..].trim_start().strip_prefix(':')?.trim_start();
        if let Some(word) = value.strip_prefix('"') {
            return of_word(&word[..word.find('"')?]);
        }
        let number: u32 = value[..value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len())].parse().ok()?;
        of_number(number)
    })
}

fn of_word(word: &str) -> Option<LogLevel> {
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
}

/// The numbers of bunyan and pino: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal.
fn of_number(number: u32) -> Option<LogLevel> {
    match number {
        10 | 20 => Some(LogLevel::Debug),
        30 => Some(LogLevel::Info),
        40 => Some(LogLevel::Warn),
        50 | 60 => Some(LogLevel::Error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_many_formats() {
        use LogLevel::{Debug, Error, Info, Warn};
        for (text, expected) in [
            ("2026-05-01T09:30:51.204Z INFO  my-api GET /v1/orders/88121 200 41ms", Some(Info)),
            ("2026-05-01 09:30:51 [http-1] ERROR c.e.Orders - failed", Some(Error)),
            ("[error] 12#0: upstream timed out", Some(Error)),
            ("level=warn msg=\"slow query\"", Some(Warn)),
            ("error: could not open", Some(Error)),
            ("E0721 10:11:12.123456       1 reflector.go:1] failed", Some(Error)),
            ("I0721 10:11:12.123456       1 x.go:1] started", Some(Info)),
            (r#"{"time":"x","level":"error","msg":"INFO is not it"}"#, Some(Error)),
            (r#"{"level":40,"msg":"slow"}"#, Some(Warn)),
            (r#"{"severity":"WARNING","message":"m"}"#, Some(Warn)),
            ("\\x1b[33mWARN\\x1b[0m disk", Some(Warn)),
            ("<debug> cache", Some(Debug)),
            ("GET /error/page 200", None),
            ("12 errors found", None),
            ("ERROR_COUNT=0", None),
            ("an error that is told in passing", None),
            ("", None),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
        assert_eq!(told("Exception in thread \"main\" java.lang.X"), Error);
        assert_eq!(told("hello"), Info);
    }
}
