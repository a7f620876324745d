//! Level against a limit: how long a series stood at it, and a peak that a lone spike does not make.

use super::{FEWEST, median, minutes};
use crate::domain::observation::metric::Point;

/// From this share of the limit on a series is at it.
const AT: f64 = 0.95;

/// How a series stands to its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Saturation {
    /// The share of points at the limit, 0 to 1.
    pub share: f64,
    /// The longest unbroken run at the limit, in minutes; a hole breaks it.
    pub longest_minutes: f64,
}

/// Reads the saturation against a limit above zero; `None` with fewer than eight points.
pub fn saturation(points: &[Point], limit: f64) -> Option<Saturation> {
    if points.len() < FEWEST || limit <= 0.0 || !limit.is_finite() {
        return None;
    }
    let period = median(points.windows(2).map(|pair| minutes(pair[0], pair[1])).filter(|apart| *apart > 0.0))?;
    let is_at = |point: &Point| point.value >= AT * limit;
    let runs = points.chunk_by(|a, b| is_at(a) == is_at(b) && minutes(*a, *b) <= 1.5 * period);
    let at = |run: &&[Point]| run.first().is_some_and(is_at);
    let longest = runs.filter(at).filter_map(|run| Some(minutes(*run.first()?, *run.last()?) + period));
    Some(Saturation {
        share: points.iter().filter(|point| is_at(point)).count() as f64 / points.len() as f64,
        longest_minutes: longest.fold(0.0, f64::max),
    })
}

/// The highest level held over three neighbours, by their median, with the middle one's time: one wild point makes no
/// peak (a running median, Tukey 1977). `None` with fewer than three points.
pub fn held_peak(points: &[Point]) -> Option<Point> {
    points
        .windows(3)
        .filter_map(|three| Some(Point { at: three[1].at, value: median(three.iter().map(|point| point.value))? }))
        .max_by(|a, b| a.value.total_cmp(&b.value).then(b.at.cmp(&a.at)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{jitter, points};
    use super::*;

    #[test]
    fn runs_at_the_limit_are_measured_and_holes_break_them() {
        let mut series = points((0..40).map(|n| if (10..30).contains(&n) { 97.0 } else { 60.0 + jitter(n) }));
        let found = saturation(&series, 100.0).unwrap();
        assert!((found.share - 0.5).abs() < 1e-9 && (found.longest_minutes - 20.0).abs() < 1e-9, "{found:?}");
        series.drain(15..18);
        assert!((saturation(&series, 100.0).unwrap().longest_minutes - 12.0).abs() < 1e-9);
        assert_eq!(saturation(&series, 1_000.0).unwrap(), Saturation { share: 0.0, longest_minutes: 0.0 });
        assert_eq!((saturation(&series, 0.0), saturation(&series[..3], 100.0)), (None, None));
    }

    #[test]
    fn one_wild_point_is_no_peak() {
        let series = points((0..40).map(|n| match n {
            7 => 900.0,
            20..23 => 80.0,
            _ => 50.0,
        }));
        let peak = held_peak(&series).unwrap();
        assert_eq!((peak.value, peak.at), (80.0, series[20].at));
        assert_eq!(held_peak(&series[..2]), None);
    }
}
