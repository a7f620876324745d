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
}

/// Words that make a number approximate.
const ABOUT: [&str; 9] = ["about", "around", "roughly", "nearly", "almost", "approximately", "over", "under", "some"];

/// Magnitudes in words. Small numbers in words are left to the reader.
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
        found.extend(quoted(word, next, before));
    }
    found
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
    let about = bare.starts_with(['~', '≈']) || ABOUT.iter().any(|about| about.eq_ignore_ascii_case(before));
    let bare = bare.trim_start_matches(['~', '≈', '-', '+']);
    let unknown =
        |text: &str| Some(Quoted { text: text.to_owned(), value: f64::NAN, measure: Measure::Unknown, tolerance: 0.0 });
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
        assert_eq!(found("5xx of 7d9f8 between 09:14-09:30 and 09:31:05"), []);
        assert_eq!(found("at 09:14 pod my-api-7d9f-0412 (v4.11.2, P2, E99) on 2026-05-01"), []);
    }
}
