//! The level of a line: from its JSON field, from the word it opens with, else from what it tells.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::super::wording::{automaton, ends_with_escape};
use super::LogLevel;

/// How far into a line a level word is looked for, in bytes: past a date, a host, a thread and a logger.
const HEAD: usize = 160;

/// Level words; the boundaries and the case decide whether a hit counts.
const WORDS: &[(&str, LogLevel)] = &[
    ("emergency", LogLevel::Error),
    ("emerg", LogLevel::Error),
    ("alert", LogLevel::Error),
    ("dpanic", LogLevel::Error),
    ("critical", LogLevel::Error),
    ("severe", LogLevel::Error),
    ("fatal", LogLevel::Error),
    ("panic", LogLevel::Error),
    ("error", LogLevel::Error),
    ("crit", LogLevel::Error),
    ("fail", LogLevel::Error),
    ("erro", LogLevel::Error),
    ("fata", LogLevel::Error),
    ("ftl", LogLevel::Error),
    ("err", LogLevel::Error),
    ("warning", LogLevel::Warn),
    ("warn", LogLevel::Warn),
    ("wrn", LogLevel::Warn),
    ("notice", LogLevel::Info),
    ("info", LogLevel::Info),
    ("verbose", LogLevel::Debug),
    ("debug", LogLevel::Debug),
    ("dbg", LogLevel::Debug),
    ("trace", LogLevel::Debug),
    ("finest", LogLevel::Debug),
    ("fine", LogLevel::Debug),
];

/// What an error says when it names no level.
const LOUD: [&str; 13] = [
    "Traceback (most recent call last)",
    "Exception in thread",
    "Exception:",
    "Unhandled exception",
    "goroutine 1 [",
    "panicked at",
    "Task timed out after",
    TYPED,
    "HTTP/1.0\" 5",
    "HTTP/1.1\" 5",
    "HTTP/2\" 5",
    "HTTP/2.0\" 5",
    "HTTP/3.0\" 5",
];

/// How the words of an access log begin before the status of a request that the server failed to answer.
const FAILED: &str = "HTTP/";

/// The end of an error's type before what it says (`ValueError: ..`), where it is one.
const TYPED: &str = "Error: ";

/// Keys under which JSON loggers write the level.
const KEYS: [&str; 10] = [
    "\"level\"",
    "\"severity\"",
    "\"lvl\"",
    "\"levelname\"",
    "\"log.level\"",
    "\"@level\"",
    "\"Level\"",
    "\"LogLevel\"",
    "\"severity_text\"",
    "\"@l\"",
];

/// Keys under which they write what went wrong; with nothing behind them nothing did.
const WRONG: [&str; 2] = ["\"error\"", "\"err\""];

static WORD_AUTOMATON: LazyLock<AhoCorasick> = LazyLock::new(|| automaton(WORDS.iter().map(|(word, _)| *word)));

#[expect(clippy::expect_used, reason = "constant literals, built in every test")]
static KEY_AUTOMATON: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(KEYS).expect("the literals are constant"));

#[expect(clippy::expect_used, reason = "constant literals, built in every test")]
static LOUD_AUTOMATON: LazyLock<AhoCorasick> =
    LazyLock::new(|| AhoCorasick::new(LOUD).expect("the literals are constant"));

/// The level a line names, or `None`.
///
/// 1. The field of JSON, also behind what a runtime puts before it. A key that merely is a level's word is none, and `error`
///    is one where something stands behind it.
/// 2. The priority of syslog, and the header of Kubernetes' own programs.
/// 3. A level in capitals anywhere in the head; in small letters only where it is written as a field (`[error]`,
///    `level=warn`, `error:`). One that is denied (`ERROR=0`) is none.
pub(super) fn named(text: &str) -> Option<LogLevel> {
    let head = &text[..floor(text, HEAD)];
    let object = head.find('{').filter(|at| *at == 0 || head[*at..].starts_with("{\""));
    let before = object.unwrap_or(head.len());
    let word = |from: usize, to: usize| {
        WORD_AUTOMATON.find_iter(&head[from..to]).find_map(|found| {
            let (_, level) = WORDS.get(found.pattern().as_usize())?;
            is_level_word(head, (from + found.start(), from + found.end()), *level).then_some(*level)
        })
    };
    let ahead = priority(head).or_else(|| klog(head)).or_else(|| word(0, before)).or_else(|| number(&head[..before]));
    ahead.or_else(|| json(&text[object?..])).or_else(|| word(before, head.len()))
}

/// The level of a line that names none: an error where it tells of one, else info.
pub(super) fn told(text: &str) -> LogLevel {
    let is_loud = |(from, to): (usize, usize), word: &str| {
        if word.starts_with(FAILED) {
            let status = text.as_bytes().get(to..to + 2).unwrap_or_default();
            let ends = text.as_bytes().get(to + 2).is_none_or(|byte| *byte == b' ');
            // The time in brackets right before the request: a message that quotes one names a status of somebody else.
            let is_access = text[..from].contains("] \"");
            return is_access && status.len() == 2 && status.iter().all(u8::is_ascii_digit) && ends;
        }
        let kind = text[..from].rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
        word != TYPED || kind.starts_with(|c: char| c.is_ascii_uppercase())
    };
    let mut found = LOUD_AUTOMATON.find_iter(text);
    let place = |hit: &aho_corasick::Match| (hit.start(), hit.end());
    let loud = found.any(|hit| LOUD.get(hit.pattern().as_usize()).is_some_and(|word| is_loud(place(&hit), word)));
    if loud { LogLevel::Error } else { LogLevel::Info }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn is_level_word(text: &str, (start, end): (usize, usize), level: LogLevel) -> bool {
    let bytes = text.as_bytes();
    let before = start.checked_sub(1).and_then(|at| bytes.get(at)).copied();
    let after = bytes.get(end).copied();
    let joins = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/' | b'.' | b'$');
    let escaped = ends_with_escape(&text[..start]);
    let coloured = escaped && before == Some(b'm');
    if (before.is_some_and(joins) && !escaped) || after.is_some_and(joins) {
        return false;
    }
    let shouted = bytes[start..end].iter().all(u8::is_ascii_uppercase);
    let (ahead, behind) = (text[..start].trim_end(), &text[end..]);
    let closed = behind.strip_prefix('\\').unwrap_or(behind).strip_prefix('"');
    if before == Some(b'"') && closed.is_some_and(|rest| rest.trim_start().starts_with(':')) {
        return false;
    }
    // "stack trace: com.foo" and "Debug info: on" are no levels; "my-api error: could not open" is.
    let word = &text[start..end];
    let loud = level >= LogLevel::Warn && !word.eq_ignore_ascii_case("alert");
    let opens = || loud || !ahead.trim_end_matches('Z').ends_with(|c: char| c.is_ascii_alphabetic() || c == ',');
    let enclosed = matches!(before, Some(b'[' | b'=' | b'<' | b'|' | b'(' | b'"'));
    let field = enclosed || matches!(after, Some(b']' | b'>' | b'|')) || after == Some(b':') && opens();
    let is_fail = word.eq_ignore_ascii_case("fail");
    let said = if is_fail { ahead.is_empty() && after == Some(b':') } else { shouted || field || coloured };
    said && !is_denied(ahead, behind)
}

/// Whether the words around it say that there was none: `ERROR=0`, `ERROR: none`, `0 ERROR, 12 OK`.
fn is_denied(ahead: &str, behind: &str) -> bool {
    let ends = |text: &str| text.is_empty() || text.starts_with([',', ';', ')', ']', '}', '"', '\'']);
    if ahead.ends_with('0') && ahead.rsplit(' ').next() == Some("0") && ends(behind) {
        return true;
    }
    let Some(value) = behind.strip_prefix([':', '=']).map(|value| value.trim_start_matches([' ', '"', '\''])) else {
        return false;
    };
    let assigned = behind.starts_with('=');
    ["0", "none", "null", "nil", "false", "<nil>"].iter().any(|word| {
        let is_it = value.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
        is_it && (ends(&value[word.len()..]) || assigned && value[word.len()..].starts_with(' '))
    })
}

/// The priority that syslog writes before a line: `<11>1 2026-..`; its lowest three bits are the severity.
fn priority(head: &str) -> Option<LogLevel> {
    let (digits, _) = head.strip_prefix('<')?.split_once('>')?;
    let number: u32 = digits.parse().ok().filter(|number| *number < 192 && digits.len() <= 3)?;
    Some(severity(number % 8))
}

/// The severities of syslog (RFC 5424): 0 emergency to 3 error, 4 warning, 5 notice, 6 informational, 7 debug.
fn severity(number: u32) -> LogLevel {
    match number {
        0..=3 => LogLevel::Error,
        4 => LogLevel::Warn,
        5 | 6 => LogLevel::Info,
        _ => LogLevel::Debug,
    }
}

/// A number as logfmt has it: `level=50`.
fn number(head: &str) -> Option<LogLevel> {
    let at = head.find('=').and_then(|_| head.find("level="))?;
    let joins = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if head[..at].ends_with(joins) {
        return None;
    }
    let value = &head[at + "level=".len()..];
    let digits = value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len());
    // Below ten it may be any other level: of compression, of a tree.
    of_number(value[..digits].parse().ok().filter(|number| *number >= 10)?)
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
    field(text).or_else(|| {
        let says = |key: &&str| {
            let value = text.split_once(*key).map_or("", |(_, value)| value).trim_start();
            let value = value.strip_prefix(':').map_or("", str::trim_start);
            let nothing = ["null", "\"\"", "false", "0", "{}", "[]", "\"null\"", "\"none\""];
            !value.is_empty() && !nothing.iter().any(|nothing| value.starts_with(nothing))
        };
        WRONG.iter().any(says).then_some(LogLevel::Error)
    })
}

/// The field of the level. A database's log writes its letter under `"s"`.
fn field(text: &str) -> Option<LogLevel> {
    if text.starts_with("{\"t\":{\"$date\"")
        && let Some((_, severity)) = text.split_once("\"s\":\"")
    {
        return of_letter(severity.as_bytes().first().copied()?);
    }
    KEY_AUTOMATON.find_iter(text).find_map(|key| {
        let value = text[key.end()..].trim_start().strip_prefix(':')?.trim_start();
        if let Some(word) = value.strip_prefix('"') {
            let word = &word[..word.find('"')?];
            return of_word(word).or_else(|| of_letter(word.bytes().next().filter(|_| word.len() == 1)?));
        }
        let number: u32 = value[..value.find(|c: char| !c.is_ascii_digit()).unwrap_or(value.len())].parse().ok()?;
        of_number(number)
    })
}

fn of_word(word: &str) -> Option<LogLevel> {
    WORDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, level)| *level)
}

/// One letter for a level.
fn of_letter(letter: u8) -> Option<LogLevel> {
    match letter {
        b'F' | b'E' => Some(LogLevel::Error),
        b'W' => Some(LogLevel::Warn),
        b'I' => Some(LogLevel::Info),
        b'D' => Some(LogLevel::Debug),
        _ => None,
    }
}

/// The numbers of bunyan and pino (10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal, and those between), and below
/// them those of syslog.
fn of_number(number: u32) -> Option<LogLevel> {
    match number {
        0..=7 => Some(severity(number)),
        10..=29 => Some(LogLevel::Debug),
        30..=39 => Some(LogLevel::Info),
        40..=49 => Some(LogLevel::Warn),
        50..=69 => Some(LogLevel::Error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_names_its_level_in_a_field_and_by_no_other_key() {
        use LogLevel::{Error, Info, Warn};
        for (text, expected) in [
            (r#"{"msg":"request done","status":200,"error":null}"#, None),
            (r#"{"msg":"done","err":"","warning":false}"#, None),
            (r#"{"trace":"9f8e7d","status":200}"#, None),
            (r#"{"msg":"no level","error":"connection refused"}"#, Some(Error)),
            (r#"{"msg":"ERROR cannot open"}"#, Some(Error)),
            (r#"{"msg":"ERROR: cannot open"}"#, Some(Error)),
            ("Prometheus alert: fired", None),
            ("[alert] 12#0: worker exited", Some(Error)),
            (r#"{"level":"alert"}"#, Some(Error)),
            (r#"{"severity":"emerg"}"#, Some(Error)),
            (r#"{"level":"dpanic"}"#, Some(Error)),
            (r#"{"level":3}"#, Some(Error)),
            (r#"{"level":"E"}"#, Some(Error)),
            (r#"{"@l":"Warning"}"#, Some(Warn)),
            (r#"{"t":{"$date":"2026-05-01"},"s":"E","msg":"m"}"#, Some(Error)),
            (r#"2026-05-01T09:30:00Z stdout F {"level":50,"msg":"INFO"}"#, Some(Error)),
            (r#"INFO sent {"error":"x"}"#, Some(Info)),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
    }

    #[test]
    fn levels_of_many_formats() {
        use LogLevel::{Debug, Error, Info, Warn};
        for (text, expected) in [
            ("2026-05-01T09:30:51.204Z INFO  my-api GET /v1/orders/88121 200 41ms", Some(Info)),
            ("2026-05-01 09:30:51 [http-1] ERROR c.e.Orders - failed", Some(Error)),
            ("[error] 12#0: upstream timed out", Some(Error)),
            ("level=warn msg=\"slow query\"", Some(Warn)),
            ("error: could not open", Some(Error)),
            ("2026/05/01 09:30:51 [crit] 12#0: no live upstreams", Some(Error)),
            ("[Fri May 01 09:30:51.123456 2026] [core:error] [pid 1] x", Some(Error)),
            ("[Fri May 01 09:30:51 2026] [ssl:warn] [pid 1] x", Some(Warn)),
            ("<12>May  1 09:30:51 host app[12]: disk", Some(Warn)),
            ("E0721 10:11:12.123456       1 reflector.go:1] failed", Some(Error)),
            ("I0721 10:11:12.123456       1 x.go:1] started", Some(Info)),
            (r#"{"time":"x","level":"error","msg":"INFO is not it"}"#, Some(Error)),
            (r#"{"level":40,"msg":"slow"}"#, Some(Warn)),
            (r#"{"severity":"WARNING","message":"m"}"#, Some(Warn)),
            ("\\x1b[33mWARN\\x1b[0m disk", Some(Warn)),
            ("<debug> cache", Some(Debug)),
            ("level=50 msg=x", Some(Error)),
            ("<11>1 2026-05-01T09:30:00Z host app - disk", Some(Error)),
            ("<14>May  1 host app: up", Some(Info)),
            ("fail: Orders.Controller[0] could not place", Some(Error)),
            ("did not fail: once", None),
            ("ERRO[0001] cannot open", Some(Error)),
            ("FATA[0000] cannot start", Some(Error)),
            ("10:00:00 WRN slow", Some(Warn)),
            ("EMERG: gone", Some(Error)),
            ("Payment failed: connection refused, stack trace: com.foo", None),
            ("Debug info: on", None),
            ("trace: entered", Some(Debug)),
            ("2026-05-01T09:30:00Z debug: entered", Some(Debug)),
            ("imported 12 rows, ERROR: none", None),
            ("errors: 0, ERROR=0 WARN=0", None),
            ("import finished: 0 ERROR, 12 OK", None),
            ("my-api error: could not open", Some(Error)),
            ("ERROR: none of the replicas answers", Some(Error)),
            ("dump:\\nERROR it is", Some(Error)),
            ("GET /error/page 200", None),
            ("12 errors found", None),
            ("ERROR_COUNT=0", None),
            ("an error that is told in passing", None),
            ("", None),
        ] {
            assert_eq!(named(text), expected, "{text}");
        }
        assert_eq!(told("Exception in thread \"main\" java.lang.X"), Error);
        let access =
            |status: &str| format!(r#"10.0.0.7 - - [01/May/2026:09:30:51 +0000] "GET / HTTP/1.1" {status} 157"#);
        assert_eq!([told(&access("502")), told(&access("404")), told(&access("5020"))], [Error, Info, Info]);
        assert_eq!(told(r#"called upstream "GET /x HTTP/1.1" 502 will retry"#), Info);
        for text in ["ValueError: x", "thread 'main' panicked at src/main.rs:4:5", "Task timed out after 3.00 seconds"]
        {
            assert_eq!(told(text), Error, "{text}");
        }
        for text in ["hello", "lastError: none", "an Error: "] {
            assert_eq!(told(text), Info, "{text}");
        }
    }
}
