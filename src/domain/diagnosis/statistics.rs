//! Robust statistics over short, holey series: trend, onset, level, shape. Sources are named at each formula.
//!
//! Points arrive ascending and finite (see `Series::new`), but every function here survives it if they do not. Time is
//! taken from the points, so a hole is a hole and never a zero.

mod anomaly;
mod forecast;
mod heap;
mod hours;
mod limit;
mod onset;
mod shape;
mod steps;
mod trend;

use crate::domain::observation::metric::Point;

pub use anomaly::{Detector, Scored, anomalies};
pub use forecast::{Forecast, time_to_limit};
pub use heap::{HeapReading, HeapSize, HeapState, heap_reading, last_process, time_by_minute};
pub use hours::{DAYS_ASKED, DaysBefore, EarlierDay, MINUTES_AHEAD, SameHours, earlier_days, same_hours};
pub use limit::{Saturation, held_peak, saturation};
pub use onset::{Lead, Onset, lead, onset};
pub use shape::{MemoryShape, Shape, memory_shape};
pub use steps::{Step, steps};
pub use trend::{Trend, trend};

/// Fewest points from which anything is concluded. Below eight the normal approximation of Mann–Kendall is not fit for
/// use (Gilbert 1987, section 16.4).
pub const FEWEST: usize = 8;
/// Makes the median absolute deviation an estimate of the standard deviation of normal noise.
const MAD_TO_SIGMA: f64 = 1.4826;
/// Most points a quadratic estimate is made over; more are thinned evenly.
const MOST: usize = 720;

/// The median; `None` of nothing. What is not a number is left out.
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    quantile(values, 0.5)
}

/// A quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan 1996). Linear in the number of
/// values: no more is put in order than is asked for.
pub fn quantile(values: impl IntoIterator<Item = f64>, q: f64) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
    let last = values.len().checked_sub(1)?;
    let place = q.clamp(0.0, 1.0) * last as f64;
    let (_, low, above) = values.select_nth_unstable_by(place.floor() as usize, f64::total_cmp);
    let low = *low;
    if place.fract() <= 0.0 {
        return Some(low);
    }
    let high = above.iter().copied().min_by(f64::total_cmp)?;
    Some(low + (high - low) * place.fract())
}

/// A robust estimate of noise: the scaled median absolute deviation around the median (Hampel 1974).
pub fn noise(values: &[f64]) -> Option<f64> {
    let middle = median(values.iter().copied())?;
    median(values.iter().map(|value| (value - middle).abs())).map(|mad| mad * MAD_TO_SIGMA)
}

/// What stands for the number of times where the level before was zero.
pub const FROM_ZERO: f64 = 1e6;

/// How a level compares with the one before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The median before.
    pub before: f64,
    /// The median now.
    pub now: f64,
    /// How many times; 1 where both are zero.
    pub times: f64,
}

impl Ratio {
    /// `8.3x`, or `from 0` where no number of times would be true.
    pub fn words(&self) -> String {
        if self.before.abs() <= f64::EPSILON && self.now.abs() > f64::EPSILON {
            return "from 0".to_owned();
        }
        format!("{:.1}x", self.times)
    }
}

/// The level of now ([`late`]) against that of before. `None` with fewer than [`FEWEST`] points.
pub fn level_ratio(points: &[Point], baseline: &[Point]) -> Option<Ratio> {
    if points.len() < FEWEST {
        return None;
    }
    let before = median(early(points, baseline)?.iter().map(|p| p.value))?;
    let now = median(late(points).iter().map(|p| p.value))?;
    let times = if before.abs() > f64::EPSILON {
        now / before
    } else if now.abs() <= f64::EPSILON {
        1.0
    } else {
        FROM_ZERO.copysign(now)
    };
    times.is_finite().then_some(Ratio { before, now, times })
}

/// Points that the level of now is told by: an alarm of a few periods pages while a longer part of the window still shows
/// what was.
const LATE: usize = 5;
/// Points of them that are left where the others lie before a hole.
const LEAST_LATE: usize = 3;

/// The points that tell the level of now, for levels and onsets alike: the newest five, less those that lie more than twice
/// as far back as five periods where three are newer.
pub fn late(points: &[Point]) -> &[Point] {
    let newest = points.get(points.len().saturating_sub(LATE)..).unwrap_or_default();
    let Some(last) = newest.last() else { return newest };
    let far = period(points).unwrap_or_default() * (2 * LATE) as f64;
    let spare = newest.len().saturating_sub(LEAST_LATE);
    let old = newest.iter().take(spare).take_while(|point| minutes(**point, *last) > far).count();
    newest.get(old..).unwrap_or_default()
}

/// The points that tell the level of before: the window before, or the first fifth (at least five points) where there is
/// none.
fn early<'a>(points: &'a [Point], baseline: &'a [Point]) -> Option<&'a [Point]> {
    if baseline.len() >= FEWEST { Some(baseline) } else { points.get(..(points.len() / 5).max(5)) }
}

/// Whether the newest two points both lie above the level before by a share of it and by three times its noise: a rise that
/// is too young to be a level.
pub fn turns_up(points: &[Point], baseline: &[Point], share: f64) -> bool {
    let newest = points.get(points.len().saturating_sub(2)..).unwrap_or_default();
    let levels: Option<Vec<f64>> = early(points, baseline).map(|early| early.iter().map(|p| p.value).collect());
    let known = levels.and_then(|levels| Some((median(levels.iter().copied())?, noise(&levels)?)));
    known.is_some_and(|(before, noise)| {
        newest.len() == 2 && newest.iter().all(|point| point.value - before > (share * before.abs()).max(3.0 * noise))
    })
}

/// Minutes between most neighbours.
fn period(points: &[Point]) -> Option<f64> {
    median(points.windows(2).map(|pair| minutes(pair[0], pair[1])))
}

/// The points, thinned evenly to [`MOST`].
fn thinned(points: &[Point]) -> Vec<Point> {
    let step = points.len().div_ceil(MOST).max(1);
    points.iter().copied().filter(|p| p.value.is_finite()).step_by(step).collect()
}

/// Minutes between two points, signed.
fn minutes(from: Point, to: Point) -> f64 {
    to.at.duration_since(from.at).as_secs_f64() / 60.0
}

#[cfg(test)]
pub(super) mod tests;
