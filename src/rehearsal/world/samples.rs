//! The samples within a minute. A value of a series is their mean; what is above and below it is drawn from the seed, so that
//! the statistics of a period differ as they do of a service: minimum, mean, p99 and maximum in this order, and the sum
//! the mean of all of them times their number.

use std::sync::LazyLock;

use jiff::Timestamp;

use crate::domain::observation::metric::{Statistic, Unit};
use crate::rehearsal::behaviour::unit;
use crate::rehearsal::scenario::{HistorySpec, MetricSpec};

/// How the samples of a minute lie around their mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spread {
    /// One sample: what is counted once a minute.
    Once,
    /// Six, evenly to both sides: what is read every ten seconds.
    Even,
    /// A hundred, most of them below the mean and few far above it: how long requests take.
    Tail,
}

/// Where six samples lie, in parts of the widest: as much above as below.
const EVEN: [f64; 6] = [-1.0, -0.6, -0.1, 0.15, 0.6, 0.95];
/// How far the widest of six lies from a mean, as a part of it, at least and at most.
const WIDTH: (f64, f64) = (0.04, 0.08);
/// How much of a tail a minute shows, at least and at most.
const TAIL_SCALE: (f64, f64) = (0.85, 1.1);
/// The deviation of the logarithm of how long requests take: a p99 of about twice the mean.
const SIGMA: f64 = 0.35;

/// A hundred durations around a mean of one: the quantiles of a log-normal law, ascending.
static TAIL: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let raw: Vec<f64> = (0..100).map(|nth| (SIGMA * probit((f64::from(nth) + 0.5) / 100.0)).exp()).collect();
    let mean = raw.iter().sum::<f64>() / raw.len() as f64;
    raw.into_iter().map(|value| value / mean).collect()
});

/// The quantile of the standard normal law, by Tukey's lambda approximation, good to a hundredth here.
fn probit(p: f64) -> f64 {
    4.91 * (p.powf(0.14) - (1.0 - p).powf(0.14))
}

/// What is asked of the samples of a period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reckoning {
    /// A statistic that alarms may have.
    Plain(Statistic),
    /// A percentile, finer than in tenths.
    Percentile(f64),
    /// One over a part of the samples.
    Part(PartOf, Bound, Bound),
}

impl From<Statistic> for Reckoning {
    fn from(statistic: Statistic) -> Self {
        Self::Plain(statistic)
    }
}

/// A statistic over the samples between two bounds ("CloudWatch statistics definitions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartOf {
    /// `TM`: the mean of those between.
    TrimmedMean,
    /// `WM`: the mean of all, those outside taken for the bound.
    WinsorizedMean,
    /// `TC`: how many are between.
    TrimmedCount,
    /// `TS`: the sum of those between.
    TrimmedSum,
    /// `PR`: how many of a hundred are between.
    PercentileRank,
}

/// A bound of a part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// There is none.
    Open,
    /// At so many of a hundred samples.
    Percent(f64),
    /// At a value: above the lower, up to the upper.
    Value(f64),
}

/// The minutes of one metric's period.
pub(super) struct Minutes<'m> {
    /// The metric.
    pub(super) metric: &'m MetricSpec,
    /// The seed of the rehearsal.
    pub(super) seed: u64,
    /// The minutes that have a value.
    pub(super) values: Vec<(Timestamp, f64)>,
}

impl Minutes<'_> {
    /// One value for the period; `None` where no minute has one.
    pub(super) fn reckoned(&self, reckoning: Reckoning) -> Option<f64> {
        if self.values.is_empty() {
            return None;
        }
        let each = self.spread().samples() as f64;
        let sum: f64 = self.values.iter().map(|(_, value)| value).sum();
        let count = self.values.len() as f64;
        Some(match reckoning {
            Reckoning::Plain(Statistic::Average) => sum / count,
            Reckoning::Plain(Statistic::Sum) => sum * each,
            Reckoning::Plain(Statistic::SampleCount) => count * each,
            Reckoning::Plain(Statistic::Maximum) => self.ends().map(|(_, most)| most).fold(f64::NEG_INFINITY, f64::max),
            Reckoning::Plain(Statistic::Minimum) => self.ends().map(|(least, _)| least).fold(f64::INFINITY, f64::min),
            Reckoning::Plain(Statistic::Percentile(tenths)) => at_rank(&self.samples(), f64::from(tenths) / 10.0),
            Reckoning::Percentile(percent) => at_rank(&self.samples(), percent),
            Reckoning::Part(of, low, high) => part(&self.samples(), of, (low, high))?,
        })
    }

    /// Lives are counted and counts are told once a minute.
    fn spread(&self) -> Spread {
        match (&self.metric.history, self.metric.unit) {
            (HistorySpec::Running | HistorySpec::Restarts | HistorySpec::OomTerminations, _)
            | (_, Unit::Count | Unit::None) => Spread::Once,
            (_, Unit::Percent | Unit::Bytes) => Spread::Even,
            (_, Unit::Seconds | Unit::Milliseconds) => Spread::Tail,
        }
    }

    /// The least and the most of each minute.
    fn ends(&self) -> impl Iterator<Item = (f64, f64)> {
        let spread = self.spread();
        self.values.iter().map(move |(minute, value)| {
            let scale = self.scale(spread, *minute, *value);
            let (least, most) = spread.ends();
            (value + scale * least, value + scale * most)
        })
    }

    /// All samples, ascending.
    fn samples(&self) -> Vec<f64> {
        let spread = self.spread();
        let mut samples = Vec::with_capacity(self.values.len() * spread.samples());
        for (minute, value) in &self.values {
            let scale = self.scale(spread, *minute, *value);
            samples.extend((0..spread.samples()).map(|nth| value + scale * spread.at(nth)));
        }
        samples.sort_by(f64::total_cmp);
        samples
    }

    /// How wide the samples of a minute lie: never below zero, nor above a hundred percent where the mean is not.
    fn scale(&self, spread: Spread, minute: Timestamp, value: f64) -> f64 {
        let between = |(least, most): (f64, f64)| {
            least + (most - least) * unit(self.seed, &self.metric.id, &format!("spread {}", minute.as_second()))
        };
        match spread {
            Spread::Once => 0.0,
            Spread::Tail => value * between(TAIL_SCALE),
            Spread::Even if self.metric.unit == Unit::Percent && value <= 100.0 => {
                (value * between(WIDTH)).min(100.0 - value)
            }
            Spread::Even => value * between(WIDTH),
        }
    }
}

impl Spread {
    fn samples(self) -> usize {
        match self {
            Self::Once => 1,
            Self::Even => EVEN.len(),
            Self::Tail => TAIL.len(),
        }
    }

    /// How far a sample lies from the mean, ascending.
    fn at(self, nth: usize) -> f64 {
        match self {
            Self::Once => 0.0,
            Self::Even => EVEN[nth],
            Self::Tail => TAIL[nth] - 1.0,
        }
    }

    fn ends(self) -> (f64, f64) {
        (self.at(0), self.at(self.samples() - 1))
    }
}

/// The sample at a percentile of those in order: the nearest rank.
fn at_rank(samples: &[f64], percent: f64) -> f64 {
    let rank = (percent / 100.0 * samples.len() as f64).ceil() as usize;
    samples[rank.clamp(1, samples.len()) - 1]
}

/// A statistic over a part of the samples, which are ascending; `None` for the mean of none.
fn part(samples: &[f64], of: PartOf, (low, high): (Bound, Bound)) -> Option<f64> {
    let all = samples.len();
    let from = match low {
        Bound::Open => 0,
        Bound::Percent(percent) => ((percent / 100.0 * all as f64).floor() as usize).min(all),
        Bound::Value(value) => samples.partition_point(|sample| *sample <= value),
    };
    let to = match high {
        Bound::Open => all,
        Bound::Percent(percent) => ((percent / 100.0 * all as f64).ceil() as usize).min(all),
        Bound::Value(value) => samples.partition_point(|sample| *sample <= value),
    };
    let kept = samples.get(from..to).unwrap_or_default();
    let sum: f64 = kept.iter().sum();
    Some(match of {
        PartOf::TrimmedCount => kept.len() as f64,
        PartOf::TrimmedSum => sum,
        PartOf::PercentileRank => 100.0 * kept.len() as f64 / all as f64,
        PartOf::TrimmedMean if kept.is_empty() => return None,
        PartOf::TrimmedMean => sum / kept.len() as f64,
        PartOf::WinsorizedMean => {
            let (least, most) = (kept.first()?, kept.last()?);
            (sum + least * from as f64 + most * (all - to) as f64) / all as f64
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(unit: &str) -> MetricSpec {
        let text = format!(
            "id = \"m\"\nnamespace = \"AWS/ECS\"\nname = \"M\"\nunit = \"{unit}\"\nhistory = {{ shape = \"constant\", value = 1.0 }}"
        );
        toml::from_str(&text).unwrap()
    }

    fn reckoned(metric: &MetricSpec, values: &[f64], reckoning: impl Into<Reckoning>) -> f64 {
        let minute = |nth: i64| Timestamp::from_second(60 * nth).unwrap();
        let values = (0..).zip(values).map(|(nth, value)| (minute(nth), *value)).collect();
        Minutes { metric, seed: 7, values }.reckoned(reckoning.into()).unwrap()
    }

    #[test]
    fn the_statistics_of_a_minute_differ_and_hold_together() {
        for (unit, each) in [("percent", 6.0), ("seconds", 100.0), ("count", 1.0)] {
            let metric = metric(unit);
            for values in [vec![97.8], vec![0.412, 0.39, 0.44], vec![0.0], vec![100.0, 12.0]] {
                let of = |statistic: Statistic| reckoned(&metric, &values, statistic);
                let (mean, sum, count) = (of(Statistic::Average), of(Statistic::Sum), of(Statistic::SampleCount));
                let (least, most) = (of(Statistic::Minimum), of(Statistic::Maximum));
                let (p50, p99) = (of(Statistic::Percentile(500)), of(Statistic::Percentile(990)));
                assert!((mean - values.iter().sum::<f64>() / values.len() as f64).abs() < 1e-12, "{unit} {values:?}");
                assert!((count - each * values.len() as f64).abs() < 1e-9 && (sum - mean * count).abs() < 1e-9);
                assert!(0.0 <= least && least <= p50 && p50 <= p99 && p99 <= most, "{unit} {values:?}");
                assert!(least <= mean && mean <= most, "{unit} {values:?}: {least} {mean} {most}");
                assert!(unit != "percent" || most <= 100.0, "{values:?}: {most}");
                let all = reckoned(&metric, &values, Reckoning::Part(PartOf::TrimmedMean, Bound::Open, Bound::Open));
                assert!((all - mean).abs() < 1e-9, "the samples have the mean: {all} {mean}");
            }
        }
        let latency = |statistic: Statistic| reckoned(&metric("seconds"), &[0.4], statistic);
        let p99 = latency(Statistic::Percentile(990));
        assert!((0.7..0.96).contains(&p99), "the slowest take about twice as long: {p99}");
        assert!(latency(Statistic::Percentile(500)) < 0.4, "most are faster than the mean");
        assert_eq!(latency(Statistic::Maximum).to_bits(), latency(Statistic::Percentile(1_000)).to_bits());
    }

    #[test]
    fn parts_of_the_samples_are_reckoned_as_they_are_defined() {
        let samples: Vec<f64> = (1..=10).map(f64::from).collect();
        let (low, high) = (Bound::Percent(10.0), Bound::Percent(90.0));
        for (of, bounds, expected) in [
            (PartOf::TrimmedMean, (low, high), 5.5),
            (PartOf::TrimmedCount, (low, high), 8.0),
            (PartOf::TrimmedSum, (Bound::Open, Bound::Value(3.0)), 6.0),
            (PartOf::WinsorizedMean, (Bound::Open, Bound::Percent(50.0)), 4.0),
            (PartOf::PercentileRank, (Bound::Value(2.0), Bound::Value(5.0)), 30.0),
        ] {
            assert_eq!(part(&samples, of, bounds), Some(expected), "{of:?} {bounds:?}");
        }
        assert_eq!(part(&samples, PartOf::TrimmedMean, (Bound::Value(90.0), Bound::Open)), None);
    }
}
