//! Numbers, ages and times as they are read on screen. Pure: "now" is an argument, and nothing here rounds up.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::model::Glyphs;
use crate::domain::observation::metric::Unit;

/// How instants are told.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Zone {
    /// UTC, the default: what the logs and the other on-call engineer use.
    #[default]
    Utc,
    /// The person's own.
    Local(TimeZone),
    /// As an age.
    Relative,
}

/// Seconds from `at` to `now`; an instant in the future (clock skew) counts as now.
pub fn seconds_since(now: Timestamp, at: Timestamp) -> i64 {
    now.duration_since(at).as_secs().max(0)
}

/// A span to the second: `4s`, `3m12s`, `2h05m`, `3d04h`.
pub fn span(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3_600 => format!("{}m{:02}s", s / 60, s % 60),
        s @ 3_600..86_400 => format!("{}h{:02}m", s / 3_600, s % 3_600 / 60),
        s => format!("{}d{:02}h", s / 86_400, s % 86_400 / 3_600),
    }
}

/// A span in its largest unit, cut not rounded: `6m`.
pub fn coarse(seconds: i64) -> String {
    match seconds.max(0) {
        s @ 0..60 => format!("{s}s"),
        s @ 60..3_600 => format!("{}m", s / 60),
        s @ 3_600..86_400 => format!("{}h", s / 3_600),
        s => format!("{}d", s / 86_400),
    }
}

/// What a span stays below, in steps that grow with it, so that it is seldom told anew: `<5m`, `<15m`, `<4h`.
pub fn below(seconds: i64) -> String {
    let step = |unit: i64, steps: &[i64]| steps.iter().copied().find(|step| seconds <= step * unit);
    if let Some(minutes) = step(60, &[5, 10, 15, 30]) {
        return format!("<{minutes}m");
    }
    if let Some(hours) = step(3_600, &[1, 2, 4, 8, 24]) {
        return format!("<{hours}h");
    }
    format!("<{}d", seconds.max(0).unsigned_abs().div_ceil(86_400))
}

/// What a span that runs down stays above, in the same steps; to the minute once there are few of them: `>4h`, `>30m`, `9m`.
pub fn above(seconds: i64) -> String {
    let step = |unit: i64, steps: &[i64]| steps.iter().rev().copied().find(|step| seconds > step * unit);
    if let Some(hours) = step(3_600, &[1, 2, 4, 8, 24]) {
        return format!(">{hours}h");
    }
    step(60, &[10, 15, 30]).map_or_else(|| coarse(seconds), |minutes| format!(">{minutes}m"))
}

/// A wait with tenths: `3.2s`, `12s` from ten seconds on.
pub fn wait(from: Timestamp, until: Timestamp) -> String {
    let millis = until.duration_since(from).as_millis().max(0);
    if millis < 10_000 {
        format!("{}.{}s", millis / 1_000, millis % 1_000 / 100)
    } else {
        span((millis / 1_000) as i64)
    }
}

/// `1st`, `2nd`, `3rd`, `4th`, `11th`.
pub fn ordinal(n: u32) -> String {
    let ending = match (n % 10, n % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{n}{ending}")
}

/// The time of day to the second: `09:31:07Z`, `11:31:07 CEST`, or an age.
pub fn clock(at: Timestamp, zone: &Zone, now: Timestamp) -> String {
    match zone {
        Zone::Utc => format!("{}Z", time_of_day(at, &TimeZone::UTC)),
        Zone::Local(zone) => {
            let zoned = at.to_zoned(zone.clone());
            let name = zoned.strftime("%Z").to_string();
            format!("{} {name}", time_of_day(at, zone))
        }
        Zone::Relative => format!("-{}", span(seconds_since(now, at))),
    }
}

/// The time of day with milliseconds, without the zone's name: the column of the logs.
pub fn stamp(at: Timestamp, zone: &Zone, now: Timestamp) -> String {
    let millis = at.subsec_millisecond().unsigned_abs();
    match zone {
        Zone::Utc => format!("{}.{millis:03}", time_of_day(at, &TimeZone::UTC)),
        Zone::Local(zone) => format!("{}.{millis:03}", time_of_day(at, zone)),
        Zone::Relative => format!("{:>12}", format!("-{}", span(seconds_since(now, at)))),
    }
}

/// The zone that times without a sign of their own are in, where that is not UTC: `CEST`.
pub fn zone_name(zone: &Zone, now: Timestamp) -> Option<String> {
    match zone {
        Zone::Utc | Zone::Relative => None,
        Zone::Local(own) => Some(now.to_zoned(own.clone()).strftime("%Z").to_string()),
    }
}

/// The time of day to the minute, with its zone: `09:31Z`, `11:31 CEST`.
pub fn minute_clock(at: Timestamp, zone: &Zone) -> String {
    match zone {
        Zone::Utc | Zone::Relative => format!("{}Z", minute(at, zone)),
        Zone::Local(own) => format!("{} {}", minute(at, zone), at.to_zoned(own.clone()).strftime("%Z")),
    }
}

/// The date: `2026-05-01`.
pub fn day(at: Timestamp, zone: &Zone) -> String {
    let zone = match zone {
        Zone::Utc | Zone::Relative => &TimeZone::UTC,
        Zone::Local(zone) => zone,
    };
    zone.to_datetime(at).date().to_string()
}

/// Hours and minutes: `09:12`.
pub fn minute(at: Timestamp, zone: &Zone) -> String {
    let zone = match zone {
        Zone::Utc | Zone::Relative => &TimeZone::UTC,
        Zone::Local(zone) => zone,
    };
    let time = zone.to_datetime(at);
    format!("{:02}:{:02}", time.hour(), time.minute())
}

fn time_of_day(at: Timestamp, zone: &TimeZone) -> String {
    let time = zone.to_datetime(at);
    format!("{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second())
}

/// A number with as many digits as a person reads: `97.8`, `412`, `0.021`.
pub fn figure(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        s if !s.is_finite() => return "-".to_owned(),
        s if s >= 1_000_000.0 => return format!("{:.1}M", value / 1_000_000.0),
        s if s >= 10_000.0 => return format!("{:.1}k", value / 1_000.0),
        s if s >= 100.0 => format!("{value:.0}"),
        s if s >= 1.0 || s == 0.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    };
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// A value with its unit: `97.8%`, `412ms`, `512Mi`.
pub fn measure(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Bytes => bytes(value),
        Unit::Percent | Unit::Seconds | Unit::Milliseconds | Unit::Count | Unit::None => {
            format!("{}{}", figure(value), unit.sign())
        }
    }
}

/// The same for a mark of an axis, where zeros at the end say nothing: `0.5s`.
pub fn mark(value: f64, unit: Unit) -> String {
    let told = measure(value, unit);
    let digits = told.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == '%');
    if !digits.contains('.') {
        return told;
    }
    format!("{}{}", digits.trim_end_matches('0').trim_end_matches('.'), &told[digits.len()..])
}

fn bytes(value: f64) -> String {
    let steps = [("Gi", 1_f64 * (1_u64 << 30) as f64), ("Mi", (1_u64 << 20) as f64), ("Ki", 1024.0)];
    let found = steps.into_iter().find(|(_, size)| value.abs() >= *size);
    found.map_or_else(|| format!("{}B", figure(value)), |(unit, size)| format!("{}{unit}", figure(value / size)))
}

/// A count with its thousands apart: `10,000`.
pub fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A text without columns: what two blanks or more set apart is set apart by a comma.
pub fn flowing(text: &str) -> String {
    text.split("  ").map(str::trim).filter(|part| !part.is_empty()).collect::<Vec<&str>>().join(", ")
}

/// Columns a text takes.
pub fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// Cuts a text to `columns`, with a sign where something was cut.
pub fn clip(text: &str, columns: usize, glyphs: Glyphs) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let sign = glyphs.pick("…", "~");
    let mut kept = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let wide = width(grapheme);
        if used + wide + 1 > columns {
            break;
        }
        kept.push_str(grapheme);
        used += wide;
    }
    if columns > 0 {
        kept.push_str(sign);
    }
    Cow::Owned(kept)
}

/// Cuts a text to `columns` from its beginning: of names that begin alike the end tells them apart.
pub fn clip_start(text: &str, columns: usize, glyphs: Glyphs) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    let (mut from, mut used) = (text.len(), 0);
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        used += width(grapheme);
        if used + 1 > columns {
            break;
        }
        from = at;
    }
    Cow::Owned(format!("{}{}", if columns > 0 { glyphs.pick("…", "~") } else { "" }, &text[from..]))
}

/// Breaks a text at blanks into lines of at most `columns`; words that are longer are broken. Line feeds break, too.
pub fn wrap(text: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    for part in text.split('\n') {
        wrap_part(part, columns.max(1), &mut lines);
    }
    lines
}

fn wrap_part<'a>(part: &'a str, columns: usize, lines: &mut Vec<&'a str>) {
    let mut rest = part;
    let before = lines.len();
    while width(rest) > columns {
        let mut used = 0;
        let mut blank = None;
        let mut cut = rest.len();
        for (at, grapheme) in rest.grapheme_indices(true) {
            let wide = width(grapheme);
            if used + wide > columns {
                cut = at;
                break;
            }
            if grapheme == " " && at > 0 {
                blank = Some(at);
            }
            used += wide;
        }
        // A grapheme wider than the column would never fit: take it, the buffer clips it.
        let cut = if cut == 0 { rest.graphemes(true).next().map_or(rest.len(), str::len) } else { cut };
        let end = if rest[cut..].starts_with(' ') { cut } else { blank.unwrap_or(cut) };
        lines.push(&rest[..end]);
        rest = rest[end..].trim_start_matches(' ');
    }
    if !rest.is_empty() || lines.len() == before {
        lines.push(rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_cut_never_rounded_up() {
        let told: Vec<String> = [-5, 4, 59, 60, 192, 3_599, 7_500, 86_399, 273_600].into_iter().map(span).collect();
        assert_eq!(told, ["0s", "4s", "59s", "1m00s", "3m12s", "59m59s", "2h05m", "23h59m", "3d04h"]);
        assert_eq!(coarse(3_599), "59m");
        let bounds: Vec<String> = [0, 60, 61, 300, 301, 1_801, 3_600, 7_201, 86_401].into_iter().map(below).collect();
        let floors: Vec<String> =
            [90_000, 14_401, 14_400, 3_601, 1_801, 1_800, 600, 59].into_iter().map(above).collect();
        assert_eq!(floors, [">24h", ">4h", ">2h", ">1h", ">30m", ">15m", "10m", "59s"]);
        assert_eq!(bounds, ["<5m", "<5m", "<5m", "<5m", "<10m", "<1h", "<1h", "<4h", "<2d"]);
    }

    #[test]
    fn numbers_keep_what_a_person_reads() {
        let told: Vec<String> = [97.84, 98.0, 412.3, 0.0213, 0.0, 12_345.0, 2.5e6, f64::NAN].map(figure).to_vec();
        assert_eq!(told, ["97.8", "98", "412", "0.021", "0", "12.3k", "2.5M", "-"]);
        assert_eq!(measure(536_870_912.0, Unit::Bytes), "512Mi");
        let marks = [(0.5, Unit::Seconds), (0.25, Unit::None), (50.0, Unit::Percent), (2.5e6, Unit::Count)];
        assert_eq!(marks.map(|(value, unit)| mark(value, unit)), ["0.5s", "0.25", "50%", "2.5M"]);
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!([1, 2, 3, 4, 11, 22].map(ordinal), ["1st", "2nd", "3rd", "4th", "11th", "22nd"]);
    }

    #[test]
    fn a_cut_text_fits_and_says_that_it_was_cut() {
        assert_eq!(clip("payments", 8, Glyphs::Unicode), "payments");
        assert_eq!(clip("payments", 5, Glyphs::Ascii), "paym~");
        assert_eq!(clip("日本語", 4, Glyphs::Unicode), "日…");
        assert_eq!(clip("x", 0, Glyphs::Unicode), "");
        assert_eq!(clip_start("pod_oom_killed", 8, Glyphs::Unicode), "…_killed");
        assert_eq!(clip_start("日本語", 4, Glyphs::Ascii), "~語");
        assert_eq!([clip_start("short", 8, Glyphs::Ascii), clip_start("x", 0, Glyphs::Ascii)], ["short", ""]);
    }

    #[test]
    fn wrapping_loses_nothing_but_blanks() {
        assert_eq!(wrap("memory grew for thirty minutes", 12), ["memory grew", "for thirty", "minutes"]);
        assert_eq!(wrap("a\n\nb", 9), ["a", "", "b"]);
        assert_eq!(wrap("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(wrap("日本", 1), ["日", "本"]);
    }

    #[test]
    fn times_are_utc_unless_asked() {
        let at: Timestamp = "2026-05-01T09:31:07.204Z".parse().unwrap();
        let now: Timestamp = "2026-05-01T09:32:10Z".parse().unwrap();
        assert_eq!(clock(at, &Zone::Utc, now), "09:31:07Z");
        assert_eq!(stamp(at, &Zone::Utc, now), "09:31:07.204");
        assert_eq!(clock(at, &Zone::Relative, now), "-1m02s");
        let fixed = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(stamp(at, &Zone::Local(fixed.clone()), now), "11:31:07.204");
        assert_eq!(zone_name(&Zone::Local(fixed), now).as_deref(), Some("+02"));
        assert_eq!(zone_name(&Zone::Utc, now), None);
        let soon: Timestamp = "2026-05-01T09:31:10.404Z".parse().unwrap();
        assert_eq!(wait(at, soon), "3.2s");
    }
}
