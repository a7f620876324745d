//! The level of a series: how it stands to the one before, whether it moves, and what is worse by it. What counts as worse
//! depends on the unit, and where none is told little is concluded.

use jiff::{SignedDuration, Timestamp};

use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::diagnosis::statistics::{self, Onset, Ratio};
use crate::domain::observation::metric::{Point, Series, Unit};

/// What is left of a level that went to nothing, as a share of it.
const NOTHING: f64 = 0.1;
/// A change by a fifth is one: `ln 1.2`.
const RESTLESS: f64 = 0.182;
/// `ln 3`.
const FAR: f64 = 1.099;
/// How many times as many failures are a rise.
const MORE: f64 = 2.5;
/// And how many times as long a response time.
const LONGER: f64 = 2.0;
/// The share of requests whose failing is no sign.
const FEW: f64 = 0.002;
/// Seconds longer that nobody feels.
const UNFELT: f64 = 0.02;
/// How much more is a rise too young to be a level: what is normal no more.
const YOUNG: f64 = 0.5;

/// A series by its level.
#[derive(Clone, Debug)]
pub(in super::super) struct Level {
    pub(in super::super) id: EvidenceId,
    pub(in super::super) ratio: Ratio,
    pub(in super::super) onset: Option<Onset>,
    pub(in super::super) peak: f64,
    /// Whether its newest points rise, as yet too few for a level.
    pub(in super::super) turns_up: bool,
    /// The end of its newest period.
    pub(in super::super) until: Timestamp,
    unit: Unit,
    /// Seconds of a period.
    period_s: f64,
    /// Whether any value is no whole number, so that it counts nothing.
    is_broken: bool,
    /// How far it is from standing still.
    unrest: f64,
}

/// Whether a level rose by what somebody feels, as far as its unit lets it be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Rise {
    /// It did.
    Sure,
    /// It rose, and whether anybody feels it is not known.
    Perhaps,
    /// It did not.
    No,
}

impl Level {
    /// Reads a series with the points before it; `None` where there are too few.
    pub(super) fn of(id: EvidenceId, (series, before): (&Series, &[Point])) -> Option<Self> {
        let period = SignedDuration::from_secs(i64::from(series.query.period_s));
        Some(Self {
            id,
            ratio: statistics::level_ratio(&series.points, before)?,
            onset: statistics::onset(&series.points, before),
            peak: series.peak()?.value,
            turns_up: statistics::turns_up(&series.points, before, YOUNG),
            until: series.latest()?.at.checked_add(period).ok()?,
            unit: series.unit,
            period_s: f64::from(series.query.period_s.max(1)),
            is_broken: series.points.iter().chain(before).any(|point| point.value.fract().abs() > f64::EPSILON),
            unrest: unrest(&series.points, before),
        })
    }

    /// Failed requests: more than twice as many, and so many more that it is no matter of one or two.
    pub(in super::super) fn failures(&self) -> Rise {
        let more = self.ratio.now - self.ratio.before;
        let rose = self.ratio.times >= MORE;
        if rose && more >= self.least_failures() {
            Rise::Sure
        } else if rose && self.rises() && !self.is_told() {
            Rise::Perhaps
        } else {
            Rise::No
        }
    }

    /// The rise that counts: half a percent, or three a period. Where nobody tells whether it is a share or a rate, what is
    /// many either way: up to one it is one in twenty, or three a minute of what is told by the second.
    fn least_failures(&self) -> f64 {
        if self.unit == Unit::Percent || !self.is_told() && self.peak > 1.0 {
            0.5
        } else if self.is_told() {
            3.0
        } else {
            0.05
        }
    }

    /// Whether it is known what its values are: percent, or whole numbers. A count that is averaged is a share or a rate.
    fn is_told(&self) -> bool {
        self.unit == Unit::Percent || !self.is_broken
    }

    /// Whether failures are known to have risen, beside requests where those were read: two of a thousand that fail are what
    /// services of any size live with.
    pub(in super::super) fn errors_rose(&self, requests: Option<&Self>) -> bool {
        let rate = |level: &Self| level.ratio.now / level.period_s;
        let few = |requests: &Self| self.unit != Unit::Percent && rate(self) < FEW * rate(requests);
        self.failures() == Rise::Sure && !requests.is_some_and(few)
    }

    /// Response time: twice as long, and not for a moment, and by what can be felt.
    pub(in super::super) fn response(&self) -> Rise {
        let more = self.ratio.now - self.ratio.before;
        let least = if self.unit == Unit::Milliseconds { UNFELT * 1_000.0 } else { UNFELT };
        if self.ratio.times < LONGER || !self.rises() {
            Rise::No
        } else if more >= least {
            Rise::Sure
        } else {
            Rise::Perhaps
        }
    }

    /// Whether response times are known to have risen.
    pub(in super::super) fn latency_rose(&self) -> bool {
        self.response() == Rise::Sure
    }

    fn rises(&self) -> bool {
        self.onset.is_some_and(|onset| onset.after > onset.before)
    }

    /// The fall to next to nothing, where it fell so.
    pub(in super::super) fn stopped(&self) -> Option<Onset> {
        fall_to_nothing(self.onset)
    }

    /// Is not what it was, or not one thing.
    pub(in super::super) fn moved(&self) -> bool {
        self.unrest >= RESTLESS
    }
}

/// How far a series is from standing still, as a logarithm: the largest of
/// 1. a lasting change of level,
/// 2. its growth or fall by trend, where that is no chance, against its median,
/// 3. how far a point lies off its median, from three times or a third on.
pub fn unrest(points: &[Point], before: &[Point]) -> f64 {
    let apart = |times: f64| times.max(f64::MIN_POSITIVE).ln().abs();
    let level = statistics::level_ratio(points, before).filter(|_| statistics::onset(points, before).is_some());
    let level = level.map_or(0.0, |ratio| apart(ratio.times));
    let Some(middle) = statistics::median(points.iter().map(|point| point.value)).filter(|middle| *middle > 0.0) else {
        return level;
    };
    let slope = statistics::trend(points).filter(|trend| trend.rises(0.0) || trend.falls(0.0));
    let slope = slope.map_or(0.0, |trend| (1.0 + trend.growth.abs() / middle).ln());
    let farthest = points.iter().map(|point| apart(point.value / middle)).fold(0.0, f64::max);
    level.max(slope).max(if farthest >= FAR { farthest } else { 0.0 })
}

/// The fall of a level to next to nothing.
pub(super) fn fall_to_nothing(onset: Option<Onset>) -> Option<Onset> {
    onset.filter(|onset| onset.before > 0.0 && onset.after <= NOTHING * onset.before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnosis::statistics::tests::{jitter, points};
    use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};

    fn step(unit: Unit, from: f64, to: f64) -> Level {
        let query = MetricQuery {
            role: MetricRole::Errors,
            metric: MetricId::default(),
            statistic: Statistic::Average,
            period_s: 60,
        };
        let values = (0..30).map(|n| if n >= 10 { to } else { from });
        Level::of(EvidenceId(1), (&Series::new(query, unit, points(values)), &[])).unwrap()
    }

    #[test]
    fn failures_rise_by_what_their_unit_makes_many() {
        for (name, unit, from, to, expected) in [
            ("a handful", Unit::Count, 2.0, 90.0, Rise::Sure),
            ("one or two", Unit::Count, 0.0, 2.0, Rise::No),
            ("twice as many", Unit::Count, 20.0, 40.0, Rise::No),
            ("percent", Unit::Percent, 0.2, 3.0, Rise::Sure),
            ("a little of percent", Unit::Percent, 0.1, 0.4, Rise::No),
            ("half of all, as a share of one", Unit::Count, 0.0, 0.5, Rise::Sure),
            ("one in twenty-five, as a share of one", Unit::Count, 0.001, 0.04, Rise::Perhaps),
            ("a rate of no unit", Unit::None, 0.2, 3.0, Rise::Sure),
            ("a small rate of no unit", Unit::None, 1.02, 3.06, Rise::Sure),
            ("steady, of no unit", Unit::None, 0.2, 0.3, Rise::No),
        ] {
            assert_eq!(step(unit, from, to).failures(), expected, "{name}");
        }
    }

    #[test]
    fn a_response_time_is_longer_where_it_can_be_felt() {
        for (unit, from, to, expected) in [
            (Unit::Seconds, 0.04, 1.9, Rise::Sure),
            (Unit::Seconds, 0.001, 0.002_1, Rise::Perhaps),
            (Unit::Milliseconds, 40.0, 95.0, Rise::Sure),
            (Unit::Milliseconds, 1.0, 2.1, Rise::Perhaps),
            (Unit::None, 0.001, 0.002_1, Rise::Perhaps),
            (Unit::Seconds, 0.04, 0.06, Rise::No),
        ] {
            assert_eq!(step(unit, from, to).response(), expected, "{from} to {to}");
        }
    }

    #[test]
    fn a_level_ends_with_its_newest_period() {
        let level = step(Unit::Count, 1.0, 1.0);
        assert_eq!(level.until, points([0.0; 31])[30].at);
        assert!((0..30).all(|n| jitter(n).abs() <= 1.0) && !level.turns_up);
    }
}
