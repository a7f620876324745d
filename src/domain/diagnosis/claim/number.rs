//! The numbers of a sentence, with what they count and how exactly they were printed.

/// What a number in prose counts, as far as the words beside it tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Percent,
    Minutes,
    Seconds,
    Milliseconds,
    Bytes,
    /// So many times as much.
    Times,
    /// So many times: as much, or on so many occasions.
    Often,
    Plain,
    /// Of a unit that nobody knows, or a magnitude in words: nothing backs it.
    Unknown,
}

/// A number as printed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Quoted {
    pub(super) text: String,
    /// In the measure's base: percent, minutes, seconds, milliseconds, bytes, times.
    pub(super) value: f64,
    pub(super) measure: Measure,
    /// How far the truth may lie from it: half of the last printed digit, or 5 % after "about" and its like.
    pub(super) tolerance: f64,
    /// When it is said to hold, where that is said right behind it.
    pub(super) when: Option<When>,
}

/// Of two levels the one that a number is said to be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// `15 before`.
    Before,
    /// `3.6% now`.
    Now,
}

impl When {
    fn of(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            // What was earlier may be the peak of what it came to.
            "before" | "previously" => Some(Self::Before),
            "now" | "currently" => Some(Self::Now),
            _ => None,
        }
    }
}

/// Words that make a number approximate.
const ABOUT: [&str; 9] = ["about", "around", "roughly", "nearly", "almost", "approximately", "over", "under", "some"];

/// Small numbers in words. `one` is left to the reader: it is as often somebody as a number.
const SPELLED: [(&str, f64); 18] = [
    ("two", 2.0),
    ("three", 3.0),
    ("four", 4.0),
    ("five", 5.0),
    ("six", 6.0),
    ("seven", 7.0),
    ("eight", 8.0),
    ("nine", 9.0),
    ("ten", 10.0),
    ("eleven", 11.0),
    ("twelve", 12.0),
    ("thirteen", 13.0),
    ("fourteen", 14.0),
    ("fifteen", 15.0),
    ("sixteen", 16.0),
    ("seventeen", 17.0),
    ("eighteen", 18.0),
    ("nineteen", 19.0),
];
const TENS: [(&str, f64); 8] = [
    ("twenty", 20.0),
    ("thirty", 30.0),
    ("forty", 40.0),
    ("fifty", 50.0),
    ("sixty", 60.0),
    ("seventy", 70.0),
    ("eighty", 80.0),
    ("ninety", 90.0),
];

/// What evidence counts. A number in words is one before these and before a unit; before anything else (`two things`) it
/// counts what is in the text.
const COUNTED: [&str; 14] = [
    "pods",
    "containers",
    "replicas",
    "kills",
    "restarts",
    "revisions",
    "rollouts",
    "errors",
    "failures",
    "warnings",
    "lines",
    "requests",
    "collections",
    "pauses",
];

/// Words between a number and what it counts: `two of its six pods`.
const BETWEEN: usize = 4;

/// Magnitudes in words.
const MAGNITUDES: [&str; 10] =
    ["hundred", "hundreds", "thousand", "thousands", "million", "millions", "billion", "billions", "dozen", "dozens"];

/// The numbers of a sentence. Citations, clock times, dates, versions, classes of status codes (`5xx`) and names with digits
/// are none. What is glued to digits and is no unit that is known leaves a number that nothing backs.
pub(super) fn numbers(sentence: &str) -> Vec<Quoted> {
    let without = without_citations(sentence);
    let words = without.split_whitespace().flat_map(|word| word.split(['–', '—', '→', '=']));
    let words: Vec<String> = words.flat_map(parts).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut found = Vec::new();
    for (n, word) in words.iter().enumerate() {
        let next = words.get(n + 1).copied().unwrap_or_default();
        let before = n.checked_sub(1).and_then(|n| words.get(n)).copied().unwrap_or_default();
        let number = quoted(word, next, before).or_else(|| in_words(&words, n));
        found.extend(number.map(|number| Quoted { when: when(&words[n + 1..], number.measure), ..number }));
    }
    found
}

/// When a number holds, as the word behind it and its unit says. `10 min before the alarm` says how long before.
fn when(behind: &[&str], measure: Measure) -> Option<When> {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '%').to_owned();
    let unit = behind.first().filter(|word| self::measure(&bare(word)).is_some_and(|(unit, _)| unit == measure));
    let at = usize::from(unit.is_some());
    let word = behind.get(at)?;
    let ends = || {
        let next = behind.get(at + 1).map(|next| bare(next));
        word.ends_with(|c: char| !c.is_alphanumeric()) || next.is_none_or(|next| matches!(&*next, "" | "and" | "but"))
    };
    When::of(&bare(word)).filter(|when| *when == When::Now || ends())
}

/// A number in words, where it counts what evidence counts, or has a unit.
fn in_words(words: &[&str], n: usize) -> Option<Quoted> {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-').to_ascii_lowercase();
    let text = bare(words.get(n)?);
    let value = spelled(&text)?;
    let before = n.checked_sub(1).and_then(|n| words.get(n)).copied().unwrap_or_default();
    // `The last two restarts` are those that somebody speaks of, and not all that were.
    if matches!(before, "last" | "past") {
        return None;
    }
    let behind = words.get(n + 1..).unwrap_or_default();
    let unit = behind.first().and_then(|word| measure(&bare(word)));
    // A span of time in words says, as good as always, where somebody looked.
    if unit.is_some_and(|(unit, _)| matches!(unit, Measure::Minutes | Measure::Seconds | Measure::Milliseconds)) {
        return None;
    }
    let ends = |word: &str| word.ends_with([',', ';', ':', '.', ')']);
    let mut open = !words.get(n).is_some_and(|word| ends(word));
    let mut near = behind.iter().take(BETWEEN).take_while(|word| std::mem::replace(&mut open, !ends(word)));
    let counts = near.any(|word| COUNTED.contains(&bare(word).as_str()));
    let (measure, scale) = unit.or_else(|| counts.then_some((Measure::Plain, 1.0)))?;
    let tolerance = if is_about(before) { (value * 0.05).max(0.5) } else { 0.5 };
    Some(Quoted { text, value: value * scale, measure, tolerance: tolerance * scale * 1.000_001, when: None })
}

/// The value of `seven`, `twelve`, `twenty-two`.
pub(super) fn spelled(word: &str) -> Option<f64> {
    let of =
        |table: &[(&str, f64)], word: &str| table.iter().find(|(known, _)| *known == word).map(|(_, value)| *value);
    let whole = of(&SPELLED, word).or_else(|| of(&TENS, word));
    whole.or_else(|| {
        let (tens, ones) = word.split_once('-')?;
        let ones = if ones == "one" { Some(1.0) } else { of(&SPELLED[..8], ones) };
        Some(of(&TENS, tens)? + ones?)
    })
}

fn is_about(before: &str) -> bool {
    ABOUT.iter().any(|about| about.eq_ignore_ascii_case(before))
}

/// `12/14` is two numbers, and so is `50-60%`, each in percent; a date and a clock time are one word.
fn parts(word: &str) -> Vec<String> {
    let bare = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '%');
    let is_number = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    for joint in ['/', '-'] {
        let (several, last) = (bare.split(joint).collect::<Vec<_>>(), bare.rsplit(joint).next().unwrap_or_default());
        // Three parts with hyphens are a date.
        if several.len() == 2 && several.iter().all(|part| is_number(part)) && !bare.contains(':') {
            let unit = last.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.' || c == ',');
            let whole = |part: &str| {
                if part.ends_with(|c: char| c.is_ascii_digit()) { format!("{part}{unit}") } else { part.to_owned() }
            };
            return several.into_iter().map(whole).collect();
        }
    }
    vec![word.to_owned()]
}

fn without_citations(sentence: &str) -> String {
    let mut text = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(open) = rest.find("[E") {
        text.push_str(&rest[..open]);
        let Some(close) = rest[open..].find(']') else { return text };
        text.push(' ');
        rest = &rest[open + close + 1..];
    }
    text + rest
}

fn quoted(word: &str, next: &str, before: &str) -> Option<Quoted> {
    let bare =
        word.trim_matches(|c: char| !c.is_alphanumeric() && c != '%' && c != '×' && c != '~' && c != '≈' && c != '-');
    let about = bare.starts_with(['~', '≈']) || is_about(before);
    let bare = bare.trim_start_matches(['~', '≈', '-', '+']);
    let unknown = |text: &str| {
        let (value, measure) = (f64::NAN, Measure::Unknown);
        Some(Quoted { text: text.to_owned(), value, measure, tolerance: 0.0, when: None })
    };
    if MAGNITUDES.iter().any(|word| word.eq_ignore_ascii_case(bare)) {
        return unknown(bare);
    }
    let end = bare.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(bare.len());
    let (digits, suffix) = bare.split_at(end);
    let plain = digits.replace(',', "");
    if plain.is_empty() || plain.matches('.').count() > 1 || !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let value: f64 = plain.trim_end_matches('.').parse().ok()?;
    let next = next.trim_matches(|c: char| !c.is_alphanumeric() && c != '%');
    let (measure, scale) = match glued(suffix) {
        Glued::Nothing => measure(next).unwrap_or((Measure::Plain, 1.0)),
        Glued::Unit(measure, scale) => (measure, scale),
        Glued::Name => return None,
        Glued::Unknown => return unknown(&format!("{digits}{suffix}")),
    };
    let decimals = plain.trim_end_matches('.').split_once('.').map_or(0, |(_, decimals)| decimals.len().min(12));
    let digit = 0.5 * 10_f64.powf(-(decimals as f64));
    let tolerance = if about { digit.max(value * 0.05) } else { digit };
    Some(Quoted {
        text: format!("{digits}{suffix}"),
        value: value * scale,
        measure,
        tolerance: tolerance * scale * 1.000_001,
        when: None,
    })
}

/// What is glued to digits.
enum Glued {
    Nothing,
    Unit(Measure, f64),
    /// They are part of a name, a clock time, a date, or of a class of status codes.
    Name,
    Unknown,
}

fn glued(suffix: &str) -> Glued {
    let suffix = suffix.trim_matches('+');
    let unit = suffix.split_once('/').filter(|(unit, _)| *unit != "%").map_or(suffix, |(unit, _)| unit);
    match unit {
        "" => return Glued::Nothing,
        // A `m` is a minute, a `M` a million.
        "k" | "K" => return Glued::Unit(Measure::Plain, 1e3),
        "M" => return Glued::Unit(Measure::Plain, 1e6),
        "xx" | "st" | "nd" | "rd" | "th" => return Glued::Name,
        _ => {}
    }
    if let Some((measure, scale)) = measure(unit) {
        return Glued::Unit(measure, scale);
    }
    let has_digits = unit.contains(|c: char| c.is_ascii_digit());
    match unit.strip_prefix(['-', ':', '_', '.']) {
        Some(_) if has_digits => Glued::Name,
        // `6-pod`: so many of what follows.
        Some(_) => Glued::Unit(Measure::Plain, 1.0),
        // `1e9` is a number written to be overlooked, `7d9f` a name.
        None if has_digits && !is_power(unit) => Glued::Name,
        None => Glued::Unknown,
    }
}

fn is_power(suffix: &str) -> bool {
    let power = suffix.strip_prefix(['e', 'E']);
    power.is_some_and(|power| power.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit()))
}

/// The measure behind a unit; `None` for letters that are none.
fn measure(unit: &str) -> Option<(Measure, f64)> {
    let unit = unit.trim_start_matches('-').to_ascii_lowercase();
    let mib = 1_048_576.0;
    Some(match unit.as_str() {
        "%" | "percent" | "%/min" | "%/minute" | "pp" => (Measure::Percent, 1.0),
        "m" | "min" | "mins" | "minute" | "minutes" => (Measure::Minutes, 1.0),
        "h" | "hour" | "hours" => (Measure::Minutes, 60.0),
        "s" | "sec" | "second" | "seconds" => (Measure::Seconds, 1.0),
        "ms" | "milliseconds" => (Measure::Milliseconds, 1.0),
        "x" | "×" | "fold" => (Measure::Times, 1.0),
        "times" => (Measure::Often, 1.0),
        "ki" | "kib" | "kb" => (Measure::Bytes, 1_024.0),
        "mi" | "mib" | "mb" => (Measure::Bytes, mib),
        "gi" | "gib" | "gb" => (Measure::Bytes, mib * 1_024.0),
        "bytes" => (Measure::Bytes, 1.0),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_from_names_times_and_citations() {
        let found = |text: &str| numbers(text).into_iter().map(|n| (n.value, n.measure)).collect::<Vec<_>>();
        assert_eq!(
            found("CPU peaked at 97.8 % (mean 91.3%) [E5]."),
            [(97.8, Measure::Percent), (91.3, Measure::Percent)]
        );
        assert_eq!(found("14 OOM kills of 6 pods"), [(14.0, Measure::Plain), (6.0, Measure::Plain)]);
        assert_eq!(found("rose 3.1 %/min for 30 minutes"), [(3.1, Measure::Percent), (30.0, Measure::Minutes)]);
        assert_eq!(
            found("limit 512Mi, 8x traffic, 1,240 requests"),
            [(536_870_912.0, Measure::Bytes), (8.0, Measure::Times), (1_240.0, Measure::Plain)]
        );
        assert_eq!(
            found("12/14 pods, 50-60% of them"),
            [(12.0, Measure::Plain), (14.0, Measure::Plain), (50.0, Measure::Percent), (60.0, Measure::Percent)]
        );
        assert_eq!(
            found("95k requests/min, 9000ms/req"),
            [(95_000.0, Measure::Plain), (9_000.0, Measure::Milliseconds)]
        );
        assert_eq!(found("2,000+/min of a 6-pod deployment"), [(2_000.0, Measure::Plain), (6.0, Measure::Plain)]);
        let unknown =
            |text: &str| numbers(text).iter().all(|n| n.measure == Measure::Unknown) && !numbers(text).is_empty();
        assert!(["950rps", "1e9 lines", "fourteen million users", "five hundred times"].into_iter().all(unknown));
        assert_eq!(
            found("Two of its six pods, twenty-two OOM kills within ten minutes; two things, one pod after another"),
            [(2.0, Measure::Plain), (6.0, Measure::Plain), (22.0, Measure::Plain)]
        );
        let times = |text: &str| numbers(text).into_iter().map(|n| n.when).collect::<Vec<_>>();
        assert_eq!(times("1,240 before and 9,900 now"), [Some(When::Before), Some(When::Now)]);
        assert_eq!(times("at 3.6 % now, 59.9% peak"), [Some(When::Now), None]);
        assert_eq!(
            times("10 min before the alarm, 15 before, 2 % before [E3]"),
            [None, Some(When::Before), Some(When::Before)]
        );
        assert_eq!(found("5xx of 7d9f8 between 09:14-09:30 and 09:31:05"), []);
        assert_eq!(found("at 09:14Z, and from 2026-05-01 09:14Z to 09:30Z"), []);
        assert_eq!(found("at 09:14 pod my-api-7d9f-0412 (v4.11.2, P2, E99) on 2026-05-01"), []);
    }
}
