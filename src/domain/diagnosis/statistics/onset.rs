//! Onset: when a series left its early level, and which of two left first.

use jiff::{SignedDuration, Timestamp};

use super::trend::two_sided;
use super::{FEWEST, early, late, median, minutes, noise, period, quantile};
use crate::domain::observation::metric::Point;

/// A lasting change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Onset {
    /// The first point that left the early level and did not come back. A point stands for the period that begins with it.
    pub at: Timestamp,
    /// Minutes of that period: the series left its level somewhere within.
    pub period_minutes: f64,
    /// When half of the change was reached, between points by straight line. Noise and a slow start move it little, so
    /// leads are measured by it.
    pub half_at: Timestamp,
    /// The level before.
    pub before: f64,
    /// The level after.
    pub after: f64,
    /// Minutes by which `half_at` may be off, one standard deviation: half a period, since a point stands for its period,
    /// and a quarter of the time from the first sign to the half, since a slow rise has no sharp middle.
    pub unsure_minutes: f64,
}

/// Finds the onset of a rise or fall, over the baseline and the window as one series.
///
/// 1. The early level is the median of the baseline, or of the first fifth (at least five points) without one.
/// 2. The late level is the median of the newest points ([`late`]).
/// 3. They must differ by three times the early noise and by a tenth of the early level (and by more than nothing).
/// 4. The onset is the first point of the last unbroken run (one point may stray) beyond early level ± the larger of
///    three times the noise and a tenth of the change.
pub fn onset(points: &[Point], baseline: &[Point]) -> Option<Onset> {
    if points.len() < FEWEST {
        return None;
    }
    let with_baseline = baseline.len() >= FEWEST;
    let all: Vec<Point> =
        if with_baseline { baseline.iter().chain(points).copied().collect() } else { points.to_vec() };
    let early: Vec<f64> = early(points, baseline)?.iter().map(|p| p.value).collect();
    let before = median(early.iter().copied())?;
    let after = median(late(points).iter().map(|p| p.value))?;
    let sigma = noise(&early)?;
    let change = after - before;
    if change.abs() <= (3.0 * sigma).max(0.1 * before.abs()).max(1e-9) {
        return None;
    }
    let margin = (3.0 * sigma).max(0.1 * change.abs());
    let first = lasting(&all, |value| (value - before) * change.signum() > margin)?;
    let half = lasting(&all, |value| (value - before) * change.signum() >= change.abs() / 2.0)?;
    let (at, half_at) = (all.get(first)?.at, crossing(&all, half, before + change / 2.0)?);
    let period_minutes = period(&all).unwrap_or_default();
    let slow = half_at.duration_since(at).as_secs_f64() / 60.0;
    let unsure_minutes = (period_minutes / 2.0).hypot(slow / 4.0);
    Some(Onset { at, period_minutes, half_at, before, after, unsure_minutes })
}

/// The index where the last run begins in which at most one point in a row strays.
fn lasting(points: &[Point], beyond: impl Fn(f64) -> bool) -> Option<usize> {
    let mut start = None;
    let mut strays = 0;
    for (n, point) in points.iter().enumerate().rev() {
        if beyond(point.value) {
            start = Some(n);
            strays = 0;
        } else {
            strays += 1;
            if strays > 1 {
                break;
            }
        }
    }
    start
}

/// When the straight line into point `n` met a level.
fn crossing(points: &[Point], n: usize, level: f64) -> Option<Timestamp> {
    let to = *points.get(n)?;
    let Some(from) = n.checked_sub(1).and_then(|n| points.get(n)) else { return Some(to.at) };
    let share = (level - from.value) / (to.value - from.value);
    if !share.is_finite() || !(0.0..=1.0).contains(&share) {
        return Some(to.at);
    }
    let back = minutes(*from, to) * 60_000.0 * (1.0 - share);
    to.at.checked_sub(SignedDuration::from_millis(back as i64)).ok()
}

/// Which of two series changed first, by how much, and how surely.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lead {
    /// Minutes by which the first changed before the second; negative when after.
    pub minutes: f64,
    /// The probability that the one named first by the sign did change first, from 0.5 (nobody knows) to 1: the normal
    /// distribution of the difference of two times that are each known within [`Onset::unsure_minutes`].
    pub certainty: f64,
}

impl Lead {
    /// The certainty from which an order is told: 19 of 20.
    pub const SURE: f64 = 0.95;

    /// Whether the order may be told.
    pub fn is_sure(&self) -> bool {
        self.certainty >= Self::SURE
    }
}

/// Compares the times at which two changes were half done.
pub fn lead(first: &Onset, second: &Onset) -> Lead {
    let minutes = second.half_at.duration_since(first.half_at).as_secs_f64() / 60.0;
    let unsure = first.unsure_minutes.hypot(second.unsure_minutes).max(f64::MIN_POSITIVE);
    Lead { minutes, certainty: 1.0 - two_sided(minutes.abs() / unsure) / 2.0 }
}

/// The level a series held most of the time at its top: the share of points within `band` of the 95th percentile.
pub(super) fn plateau_share(points: &[Point], band: f64) -> f64 {
    let Some(top) = quantile(points.iter().map(|p| p.value), 0.95) else { return 0.0 };
    points.iter().filter(|p| p.value >= top - band).count() as f64 / points.len().max(1) as f64
}
