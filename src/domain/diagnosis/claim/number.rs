//! The numbers of a sentence, with what they count and how exactly they were printed.

/// What a number in prose counts, as far as the words beside it tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Percent,
    Minutes,
    Seconds,
    Milliseconds,
    Bytes,
    Times,
    Plain,
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

/// The numbers of a sentence. Citations, clock times, dates, versions and names with digits are none.
pub(super) fn numbers(sentence: &str) -> Vec<Quoted> {
    let without = without_citations(sentence);
    let words: Vec<&str> = without.split_whitespace().flat_map(|word| word.split(['–', '—', '→', '='])).collect();
    let mut found = Vec::new();
    for (n, word) in words.iter().enumerate() {
        let next = words.get(n + 1).copied().unwrap_or_default();
        let before = n.checked_sub(1).and_then(|n| words.get(n)).copied().unwrap_or_default();
        found.extend(quoted(word, next, before));
    }
    found
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
    let end = bare.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(bare.len());
    let (digits, suffix) = bare.split_at(end);
    let plain = digits.replace(',', "");
    if plain.is_empty() || plain.matches('.').count() > 1 || !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let value: f64 = plain.trim_end_matches('.').parse().ok()?;
    let next = next.trim_matches(|c: char| !c.is_alphanumeric() && c != '%');
    let (measure, scale) =
        if suffix.is_empty() { measure(next).unwrap_or((Measure::Plain, 1.0)) } else { measure(suffix)? };
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

/// The measure behind a unit; `None` for letters that are no unit, so that the word is a name.
fn measure(unit: &str) -> Option<(Measure, f64)> {
    let unit = unit.trim_start_matches('-').to_ascii_lowercase();
    let mib = 1_048_576.0;
    Some(match unit.as_str() {
        "%" | "percent" | "%/min" | "%/minute" | "pp" => (Measure::Percent, 1.0),
        "m" | "min" | "mins" | "minute" | "minutes" => (Measure::Minutes, 1.0),
        "h" | "hour" | "hours" => (Measure::Minutes, 60.0),
        "s" | "sec" | "second" | "seconds" => (Measure::Seconds, 1.0),
        "ms" | "milliseconds" => (Measure::Milliseconds, 1.0),
        "x" | "×" | "times" | "fold" => (Measure::Times, 1.0),
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
        assert_eq!(found("at 09:14 pod my-api-7d9f-0412 (v4.11.2, P2, E99) on 2026-05-01"), []);
    }
}
