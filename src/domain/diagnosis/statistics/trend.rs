//! Trend: the Theil–Sen slope with the significance of Mann–Kendall.

use super::{FEWEST, median, minutes, thinned};
use crate::domain::observation::metric::Point;

/// A monotonic trend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trend {
    /// Units a minute: the median of the slopes of all pairs (Theil 1950, Sen 1968). A third of the points may be wild.
    pub per_minute: f64,
    /// The slope times the time spanned.
    pub growth: f64,
    /// Kendall's tau in `[-1, 1]`: the share of pairs that rise less the share that fall.
    pub tau: f64,
    /// Two-sided probability of such order by chance (Mann 1945, Kendall 1975: normal approximation with correction for
    /// ties and continuity). It takes points for independent; neighbours in time are not quite, so a growth of some size
    /// is asked for beside it.
    pub chance: f64,
    /// Minutes spanned.
    pub minutes: f64,
}

impl Trend {
    /// Rises by at least `growth` units, and not by chance (1 in 100).
    pub fn rises(&self, growth: f64) -> bool {
        self.chance < 0.01 && self.growth >= growth
    }

    /// Falls by at least `growth` units, and not by chance.
    pub fn falls(&self, growth: f64) -> bool {
        self.chance < 0.01 && self.growth <= -growth
    }
}

/// The trend of a series; `None` with fewer than eight points or no time between them.
pub fn trend(points: &[Point]) -> Option<Trend> {
    let points = thinned(points);
    if points.len() < FEWEST {
        return None;
    }
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    let mut score = 0_i64;
    for (n, from) in points.iter().enumerate() {
        for to in &points[n + 1..] {
            let apart = minutes(*from, *to);
            if apart > 0.0 {
                slopes.push((to.value - from.value) / apart);
                score += i64::from(to.value > from.value) - i64::from(to.value < from.value);
            }
        }
    }
    let pairs = slopes.len() as f64;
    let per_minute = median(slopes)?;
    let span = minutes(*points.first()?, *points.last()?);
    Some(Trend {
        per_minute,
        growth: per_minute * span,
        tau: score as f64 / pairs,
        chance: chance(score, &points),
        minutes: span,
    })
}

/// The two-sided p of a Mann–Kendall score.
fn chance(score: i64, points: &[Point]) -> f64 {
    let spread = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut values: Vec<f64> = points.iter().map(|p| p.value).collect();
    values.sort_unstable_by(f64::total_cmp);
    let ties: f64 = values.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|same| spread(same.len() as f64)).sum();
    let variance = (spread(points.len() as f64) - ties) / 18.0;
    if variance <= 0.0 {
        return 1.0;
    }
    let z = (score.unsigned_abs() as f64 - 1.0).max(0.0) / variance.sqrt();
    two_sided(z)
}

/// `2 (1 − Φ(z))`, by formula 7.1.26 of Abramowitz and Stegun (absolute error below 2e-7).
pub(super) fn two_sided(z: f64) -> f64 {
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    let series = [0.254_829_592, -0.284_496_736, 1.421_413_741, -1.453_152_027, 1.061_405_429];
    let sum = series.iter().rev().fold(0.0, |sum, term| (sum + term) * t);
    (sum * (-x * x).exp()).clamp(0.0, 1.0)
}
