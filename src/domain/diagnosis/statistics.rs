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
pub use heap::{HeapReading, HeapState, heap_reading, time_by_minute};
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

/// The level of the last third of the window against the window before, or against the first fifth where there is none.
/// `None` with fewer than [`FEWEST`] points.
pub fn level_ratio(points: &[Point], baseline: &[Point]) -> Option<Ratio> {
    if points.len() < FEWEST {
        return None;
    }
    let third = points.len().div_ceil(3);
    let early = if baseline.len() >= FEWEST { baseline } else { points.get(..(points.len() / 5).max(5))? };
    let before = median(early.iter().map(|p| p.value))?;
    let now = median(points.get(points.len() - third..)?.iter().map(|p| p.value))?;
    let times = if before.abs() > f64::EPSILON {
        now / before
    } else if now.abs() <= f64::EPSILON {
        1.0
    } else {
        FROM_ZERO.copysign(now)
    };
    times.is_finite().then_some(Ratio { before, now, times })
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
