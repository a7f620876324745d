//! The time that a line opens with, in the words of programs that write no ISO 8601: syslog, klog, nginx, Apache.

use jiff::civil::Date;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// How far into a line of an access log its time may begin, in bytes: behind an address and two names.
const ACCESS: usize = 256;
/// A clock may be ahead of the newest time known by so much.
const AHEAD: SignedDuration = SignedDuration::from_hours(24);

/// The time that a line opens with, where it is written in one of these ways; without a zone it is taken as UTC.
///
/// 1. RFC 5424: `<11>1 2026-05-01T09:30:51.003Z host app - - - text`.
/// 2. RFC 3164, with and without a priority: `<11>May  1 09:30:51 host app[12]: text`. It has no year.
/// 3. klog: `E0501 09:30:51.123456       1 reflector.go:1] text`. It has no year.
/// 4. nginx' error log, and Go's `log`: `2026/05/01 09:30:51 [error] text`.
/// 5. Apache's error log: `[Fri May 01 09:30:51.123456 2026] [core:error] text`.
/// 6. The common and combined formats of access logs: `10.0.0.7 - - [01/May/2026:09:30:51 +0000] "GET / HTTP/1.1" 200`.
///
/// A time without a year is of the newest year in which it is not after `newest`, but for a day; without that it is none.
pub fn opens_with(line: &str, newest: Option<Timestamp>) -> Option<Timestamp> {
    let text = line.trim_start();
    match text.bytes().next()? {
        b'<' => {
            let rest = behind_priority(text)?;
            iso(rest).or_else(|| of_year(rest, "%b %d %H:%M:%S", newest))
        }
        b'[' => whole(text, "[%a %b %d %H:%M:%S%.f %Y]").or_else(|| whole(text, "[%a %b %d %H:%M:%S %Y]")),
        b'I' | b'W' | b'E' | b'F' if is_klog(text) => of_year(&text[1..], "%m%d %H:%M:%S%.f", newest),
        b'A'..=b'Z' if is_syslog(text) => of_year(text, "%b %d %H:%M:%S", newest),
        b'0'..=b'9' if text.as_bytes().get(4) == Some(&b'/') => whole(text, "%Y/%m/%d %H:%M:%S"),
        _ => access(text),
    }
}

/// What stands behind `<11>`, or behind `<11>1 ` of the newer format.
fn behind_priority(text: &str) -> Option<&str> {
    let (digits, rest) = text.strip_prefix('<')?.split_once('>')?;
    if digits.is_empty() || digits.len() > 3 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(rest.strip_prefix("1 ").unwrap_or(rest))
}

fn iso(text: &str) -> Option<Timestamp> {
    text.split(' ').next()?.parse().ok()
}

/// `E0501 09:`: a letter and four digits.
fn is_klog(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() > 15 && bytes[1..5].iter().all(u8::is_ascii_digit) && bytes[5] == b' '
}

/// `May  1 09:30:51`: three letters, a day and a time of day in their columns.
fn is_syslog(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 15 && bytes[3] == b' ' && bytes[6] == b' ' && bytes[9] == b':' && bytes[12] == b':'
}

/// The bracket of an access log.
fn access(text: &str) -> Option<Timestamp> {
    let head = text.as_bytes().get(..ACCESS.min(text.len()))?;
    let at = head.windows(2).position(|pair| pair[0] == b'[' && pair[1].is_ascii_digit())?;
    let bracket = text.get(at..)?;
    let is_one = bracket.as_bytes().get(3) == Some(&b'/') && bracket.as_bytes().get(7) == Some(&b'/');
    is_one.then(|| whole(bracket, "[%d/%b/%Y:%H:%M:%S %z]")).flatten()
}

fn parsed(text: &str, format: &str) -> Option<BrokenDownTime> {
    BrokenDownTime::parse_prefix(format, text).ok().map(|(time, _)| time)
}

/// A time with a year, and with a zone or in UTC.
fn whole(text: &str, format: &str) -> Option<Timestamp> {
    let time = parsed(text, format)?;
    if time.offset().is_some() {
        return time.to_timestamp().ok();
    }
    time.to_datetime().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

/// A time without a year, in the newest one that may be meant.
fn of_year(text: &str, format: &str, newest: Option<Timestamp>) -> Option<Timestamp> {
    let time = parsed(text, format)?;
    let (month, day, of_day) = (time.month()?, time.day()?, time.to_time().ok()?);
    let latest = newest?.checked_add(AHEAD).ok()?;
    let last = latest.to_zoned(TimeZone::UTC).year();
    // Four years back, so that the 29th of February has one.
    (0..=4).find_map(|back| {
        let date = Date::new(last - back, month, day).ok()?;
        let at = date.to_datetime(of_day).to_zoned(TimeZone::UTC).ok()?.timestamp();
        (at <= latest).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_many_programs() {
        let newest = "2026-05-01T09:31:00Z".parse().ok();
        for (line, expected) in [
            ("<11>1 2026-05-01T09:30:51.003Z host app 12 ID47 - disk full", Some("2026-05-01T09:30:51.003Z")),
            ("<165>1 2026-05-01T11:30:51+02:00 host app - - - up", Some("2026-05-01T09:30:51Z")),
            ("<11>May  1 09:30:51 host app[12]: disk full", Some("2026-05-01T09:30:51Z")),
            ("May  1 09:30:51 host app[12]: disk full", Some("2026-05-01T09:30:51Z")),
            ("Dec 31 23:59:59 host app: of last year", Some("2025-12-31T23:59:59Z")),
            ("May  2 09:00:00 host app: a clock ahead", Some("2026-05-02T09:00:00Z")),
            ("Feb 29 10:00:00 host app: of a leap year", Some("2024-02-29T10:00:00Z")),
            ("E0501 09:30:51.123456       1 reflector.go:1] failed", Some("2026-05-01T09:30:51.123456Z")),
            ("I0501 09:30:51.123456  123 x.go:1] up", Some("2026-05-01T09:30:51.123456Z")),
            ("2026/05/01 09:30:51 [error] 12#0: *1 upstream timed out", Some("2026-05-01T09:30:51Z")),
            ("[Fri May 01 09:30:51.123456 2026] [core:error] [pid 1] x", Some("2026-05-01T09:30:51.123456Z")),
            ("[Fri May 01 09:30:51 2026] [error] x", Some("2026-05-01T09:30:51Z")),
            (r#"10.0.0.7 - - [01/May/2026:11:30:51 +0200] "GET / HTTP/1.1" 200 612"#, Some("2026-05-01T09:30:51Z")),
            (
                r#"::1 - bob [01/May/2026:09:30:51 +0000] "GET /a HTTP/2.0" 502 157 "-" "curl/8""#,
                Some("2026-05-01T09:30:51Z"),
            ),
            ("E0501 is an error code of ours", None),
            ("May I ask 09:30:51", None),
            ("[main] started", None),
            ("queue [12] is full", None),
            ("<div>text</div>", None),
            ("1234/56 of them", None),
            ("", None),
        ] {
            assert_eq!(opens_with(line, newest), expected.map(|at| at.parse().unwrap()), "{line}");
        }
        for line in ["May  1 09:30:51 host app: x", "E0501 09:30:51.123456       1 x.go:1] y"] {
            assert_eq!(opens_with(line, None), None, "no year is known: {line}");
        }
    }
}
