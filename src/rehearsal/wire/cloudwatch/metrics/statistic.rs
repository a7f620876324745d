//! The statistics as requests write them: `Average`, `p99.9`, `tm90`, `TM(10%:90%)`, `PR(:300)`, `IQM`.

use crate::domain::observation::metric::Statistic;
use crate::rehearsal::world::{Bound, PartOf, Reckoning};

/// What a word asks for; `None` for one that is no statistic.
pub(super) fn parse(word: &str) -> Option<Reckoning> {
    Some(match word {
        "Average" => Statistic::Average.into(),
        "Maximum" => Statistic::Maximum.into(),
        "Minimum" => Statistic::Minimum.into(),
        "Sum" => Statistic::Sum.into(),
        "SampleCount" => Statistic::SampleCount.into(),
        "IQM" => Reckoning::Part(PartOf::TrimmedMean, Bound::Percent(25.0), Bound::Percent(75.0)),
        other => return extended(other),
    })
}

fn extended(word: &str) -> Option<Reckoning> {
    if let Some(percent) = word.strip_prefix('p') {
        return Some(Reckoning::Percentile(percentage(percent)?));
    }
    let of = match word.get(..2)?.to_ascii_uppercase().as_str() {
        "TM" => PartOf::TrimmedMean,
        "WM" => PartOf::WinsorizedMean,
        "TC" => PartOf::TrimmedCount,
        "TS" => PartOf::TrimmedSum,
        "PR" => PartOf::PercentileRank,
        _ => return None,
    };
    let rest = word.get(2..)?;
    let Some(inside) = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) else {
        // `tm90` leaves out what is above the 90th percentile; a rank needs values.
        let high = Bound::Percent(percentage(rest)?);
        return (of != PartOf::PercentileRank).then_some(Reckoning::Part(of, Bound::Open, high));
    };
    let (low, high) = inside.split_once(':')?;
    let (low, high) = (bound(low)?, bound(high)?);
    let is_open = low == Bound::Open && high == Bound::Open;
    let is_mixed = matches!((low, high), (Bound::Percent(_), Bound::Value(_)) | (Bound::Value(_), Bound::Percent(_)));
    let is_rank_of_percent =
        of == PartOf::PercentileRank && [low, high].iter().any(|bound| matches!(bound, Bound::Percent(_)));
    (!is_open && !is_mixed && !is_rank_of_percent).then_some(Reckoning::Part(of, low, high))
}

fn bound(text: &str) -> Option<Bound> {
    match (text, text.strip_suffix('%')) {
        ("", _) => Some(Bound::Open),
        (_, Some(percent)) => percentage(percent).map(Bound::Percent),
        (value, None) => value.parse().ok().filter(|value: &f64| value.is_finite()).map(Bound::Value),
    }
}

/// Digits with up to ten decimals, from 0 to 100.
fn percentage(text: &str) -> Option<f64> {
    let is_number = text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && text.split_once('.').is_none_or(|(_, decimals)| (1..=10).contains(&decimals.len()));
    let percent: f64 = text.parse().ok().filter(|_| is_number)?;
    (0.0..=100.0).contains(&percent).then_some(percent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_are_read_as_they_are_documented() {
        let part = |of, low, high| Some(Reckoning::Part(of, low, high));
        for (word, expected) in [
            ("Average", Some(Reckoning::Plain(Statistic::Average))),
            ("p99", Some(Reckoning::Percentile(99.0))),
            ("p99.99", Some(Reckoning::Percentile(99.99))),
            ("tm90", part(PartOf::TrimmedMean, Bound::Open, Bound::Percent(90.0))),
            ("TM(10%:90%)", part(PartOf::TrimmedMean, Bound::Percent(10.0), Bound::Percent(90.0))),
            ("wm(:95%)", part(PartOf::WinsorizedMean, Bound::Open, Bound::Percent(95.0))),
            ("TC(0.005:0.03)", part(PartOf::TrimmedCount, Bound::Value(0.005), Bound::Value(0.03))),
            ("ts(80%:)", part(PartOf::TrimmedSum, Bound::Percent(80.0), Bound::Open)),
            ("PR(:300)", part(PartOf::PercentileRank, Bound::Open, Bound::Value(300.0))),
            ("IQM", part(PartOf::TrimmedMean, Bound::Percent(25.0), Bound::Percent(75.0))),
        ] {
            assert_eq!(parse(word), expected, "{word}");
        }
        for word in
            ["average", "p101", "p", "p9x", "p+9", "tm", "TM(:)", "TM(5%:9)", "PR99", "PR(5%:)", "tm(5)", "MAX", "ä"]
        {
            assert_eq!(parse(word), None, "{word}");
        }
    }
}
