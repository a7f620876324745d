//! Forecast: when a rising series meets a limit, with an interval. Never from a level series, nor from a sawtooth.

use super::{FEWEST, Shape, memory_shape, minutes, quantile, thinned, trend};
use crate::domain::observation::metric::Point;

/// How long until a limit is met, from the last point on, in minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Forecast {
    /// By the median slope.
    pub minutes: f64,
    /// By the steepest slope of the interval: at least so long.
    pub soonest: f64,
    /// By the least slope of the interval; `None` where it does not rise.
    pub latest: Option<f64>,
}

/// A forecast further away is no help to anybody.
const HORIZON: f64 = 24.0 * 60.0;
/// Of a standard normal distribution: 95 % lie within.
const Z95: f64 = 1.96;

/// When a series of percent meets a limit.
///
/// The slope is Theil–Sen's; its interval holds the slopes of the ranks `(N ± C) / 2`, with N the number of slopes and
/// `C = 1.96 · sqrt(n (n − 1)(2n + 5) / 18)` (Sen 1968; Gilbert 1987, section 16.5). `None` unless the series rises over
/// all ([`Shape::Rising`]), is below the limit, and meets it within a day.
pub fn time_to_limit(points: &[Point], limit: f64) -> Option<Forecast> {
    let shape = memory_shape(points, &[])?;
    if shape.shape != Shape::Rising || shape.restarts > 0 || points.len() < FEWEST {
        return None;
    }
    let points = thinned(points);
    let slopes: Vec<f64> = points
        .iter()
        .enumerate()
        .flat_map(|(n, from)| points[n + 1..].iter().map(move |to| (to.value - from.value) / minutes(*from, *to)))
        .filter(|slope| slope.is_finite())
        .collect();
    let (n, all) = (points.len() as f64, slopes.len() as f64);
    let spread = Z95 * (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt() / all;
    let per_minute = trend(&points)?.per_minute;
    let room = limit - points.last()?.value;
    let after = |slope: f64| (slope > 0.0 && room > 0.0).then(|| room / slope).filter(|wait| wait.is_finite());
    let least = quantile(slopes.iter().copied(), (1.0 - spread) / 2.0)?;
    let steepest = quantile(slopes.iter().copied(), f64::midpoint(1.0, spread))?;
    let minutes = after(per_minute).filter(|wait| *wait <= HORIZON)?;
    Some(Forecast { minutes, soonest: after(steepest)?, latest: after(least) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{jitter, points};
    use super::*;

    #[test]
    fn a_ramp_meets_its_limit_and_others_do_not() {
        let ramp = points((0..30).map(|n| 20.0 + 2.0 * n as f64 + 0.4 * jitter(n)));
        let found = time_to_limit(&ramp, 100.0).unwrap();
        assert!((found.minutes - 11.0).abs() < 0.5, "{found:?}");
        assert!(
            found.soonest <= found.minutes && found.latest.is_some_and(|latest| latest >= found.minutes),
            "{found:?}"
        );
        for (name, series) in [
            ("level", points((0..30).map(|n| 50.0 + jitter(n)))),
            ("sawtooth", points((0..30).map(|n| 30.0 + 7.0 * f64::from(n % 10)))),
            ("falling", points((0..30).map(|n| 90.0 - 2.0 * f64::from(n)))),
            ("over already", points((0..30).map(|n| 60.0 + 2.0 * f64::from(n)))),
            ("few", points([10.0, 20.0, 30.0])),
        ] {
            assert_eq!(time_to_limit(&series, 100.0), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_series_is_survived(values in prop::collection::vec(prop_oneof![any::<f64>(), 0.0..100.0f64], 0..60), limit in any::<f64>()) {
            if let Some(found) = time_to_limit(&points(values), limit) {
                prop_assert!(found.minutes.is_finite() && found.minutes > 0.0 && found.soonest > 0.0);
            }
        }
    }
}
