//! Hand-made series, and hostile ones.

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;

/// One point a minute from a fixed instant.
pub(crate) fn points(values: impl IntoIterator<Item = f64>) -> Vec<Point> {
    let at = |n: i64| Timestamp::from_second(1_777_600_000 + n * 60).unwrap();
    values.into_iter().zip(0..).map(|(value, n)| Point { at: at(n), value }).collect()
}

/// Noise without randomness: a fixed, mixed-up sequence in `[-1, 1]`.
pub(crate) fn jitter(n: usize) -> f64 {
    ((n * 7919 + 13) % 101) as f64 / 50.0 - 1.0
}

fn ramp(from: f64, per_minute: f64, n: usize) -> Vec<Point> {
    points((0..n).map(|k| from + per_minute * k as f64 + 0.4 * jitter(k)))
}

#[test]
fn a_ramp_has_its_slope_and_an_outlier_does_not_bend_it() {
    let mut ramp = ramp(10.0, 3.1, 29);
    ramp[7].value = 400.0;
    let found = trend(&ramp).unwrap();
    assert!((found.per_minute - 3.1).abs() < 0.1, "{found:?}");
    assert!(found.rises(80.0) && found.chance < 1e-6);
}

#[test]
fn noise_has_no_trend() {
    let found = trend(&points((0..30).map(|n| 50.0 + 3.0 * jitter(n)))).unwrap();
    assert!(!found.rises(1.0) && !found.falls(1.0), "{found:?}");
    assert!(trend(&points([50.0; 30])).unwrap().chance >= 1.0);
    assert_eq!(trend(&points([1.0, 2.0, 3.0])), None);
}

#[test]
fn an_onset_is_found_and_leads_are_measured() {
    let step = |at: usize, high: f64| points((0..40).map(move |n| if n >= at { high } else { 3.0 } + 0.2 * jitter(n)));
    let (collector, cpu) = (onset(&step(15, 60.0), &[]).unwrap(), onset(&step(21, 95.0), &[]).unwrap());
    assert_eq!(collector.at, points([0.0; 16])[15].at);
    let led = lead(&collector, &cpu);
    assert!((led.minutes - 6.0).abs() < 0.1);
    assert!(led.is_sure() && led.certainty > 0.99, "{led:?}");
    let back = lead(&cpu, &collector);
    assert!((back.minutes + led.minutes).abs() < 1e-9 && (back.certainty - led.certainty).abs() < 1e-9);
    let together = lead(&collector, &collector);
    assert!(!together.is_sure() && (together.certainty - 0.5).abs() < 1e-6, "{together:?}");
    assert_eq!(onset(&points((0..40).map(|n| 50.0 + jitter(n))), &[]), None);
}

#[test]
fn a_window_that_is_high_throughout_has_its_onset_against_the_baseline() {
    let baseline = points((0..30).map(|n| 43.0 + jitter(n)));
    let window: Vec<Point> = points((0..60).map(|n| 97.0 + 0.3 * jitter(n))).split_off(30);
    assert_eq!(onset(&window, &[]), None);
    assert_eq!(onset(&window, &baseline).unwrap().at, window[0].at);
    assert!((level_ratio(&window, &baseline).unwrap().times - 2.25).abs() < 0.1);
}

#[test]
fn shapes_of_memory() {
    let cycle = |n: usize, life: usize| (n % life) as f64;
    for (name, values, expected) in [
        ("leak", (0..29).map(|n| 10.0 + 3.1 * n as f64 + 0.4 * jitter(n)).collect::<Vec<_>>(), Shape::Rising),
        (
            "leak that is killed",
            (0..30).map(|n| 30.0 + 7.0 * cycle(n, 10) + 0.5 * jitter(n)).collect(),
            Shape::RisingInEachLife,
        ),
        (
            "full again a minute after",
            (0..30).map(|n| if n % 9 == 4 { 62.0 } else { 98.5 + 0.5 * jitter(n) }).collect(),
            Shape::AtTheBrim,
        ),
        ("at the brim", (0..30).map(|n| 98.0 + jitter(n)).collect(), Shape::AtTheBrim),
        (
            "stepped to the brim",
            (0..30).map(|n| if n < 5 { 71.0 } else { 99.0 } + 0.4 * jitter(n)).collect(),
            Shape::AtTheBrim,
        ),
        ("calm", (0..30).map(|n| 54.0 + 1.2 * jitter(n)).collect(), Shape::Flat),
        ("slow drift", (0..30).map(|n| 54.0 + 0.1 * n as f64 + jitter(n)).collect(), Shape::Flat),
        ("falling", (0..30).map(|n| 90.0 - 2.0 * f64::from(n)).collect(), Shape::Falling),
        ("wild", (0..30).map(|n| 50.0 + 40.0 * jitter(n)).collect(), Shape::Unclear),
    ] {
        let found = memory_shape(&points(values), &[]).unwrap();
        assert_eq!(found.shape, expected, "{name}: {found:?}");
    }
}

#[test]
fn a_leak_of_hours_is_neither_a_ceiling_nor_a_level() {
    let line = |from: f64, per_minute: f64| move |n: usize| from + per_minute * n as f64 + 0.2 * jitter(n);
    let shape = |value: &dyn Fn(usize) -> f64| {
        let all = points((0..60).map(value));
        let (before, window) = all.split_at(30);
        (memory_shape(window, before).unwrap().shape, memory_shape(window, &[]).unwrap().shape)
    };
    for (name, value, with_before, alone) in [
        ("at the top", &line(80.0, 0.3) as &dyn Fn(usize) -> f64, Shape::Rising, Shape::Unclear),
        ("with room", &line(40.0, 0.2), Shape::Unclear, Shape::Unclear),
        ("full in a day", &line(40.0, 0.04), Shape::Flat, Shape::Flat),
        (
            "a step up to the top",
            &|n| if n < 45 { 92.0 } else { 97.0 } + 0.2 * jitter(n),
            Shape::AtTheBrim,
            Shape::AtTheBrim,
        ),
        ("a step", &|n| if n < 45 { 50.0 } else { 55.0 } + 0.2 * jitter(n), Shape::Flat, Shape::Flat),
        ("filled before", &|n| line(40.0, 0.5)(n.min(20)), Shape::Flat, Shape::Flat),
    ] {
        assert_eq!(shape(value), (with_before, alone), "{name}");
    }
}

#[test]
fn the_level_of_now_is_that_of_the_newest_points_and_of_no_point_before_a_hole() {
    let young = points((0..30).map(|n| if n >= 26 { 9_900.0 } else { 1_240.0 } + 20.0 * jitter(n)));
    assert!((level_ratio(&young, &[]).unwrap().times - 8.0).abs() < 0.1);
    assert_eq!(level_ratio(&young, &[]).unwrap().now.to_bits(), onset(&young, &[]).unwrap().after.to_bits());
    let over = points((0..30).map(|n| if (10..27).contains(&n) { 97.0 } else { 43.0 }));
    assert!((level_ratio(&over, &[]).unwrap().times - 1.0).abs() < 1e-9);
    let mut holed = points((0..30).map(f64::from));
    holed.drain(12..27);
    assert_eq!(late(&holed).iter().map(|point| point.value).collect::<Vec<_>>(), [27.0, 28.0, 29.0]);
    holed.pop();
    assert_eq!(late(&holed).iter().map(|point| point.value).collect::<Vec<_>>(), [11.0, 27.0, 28.0]);
    assert!(late(&[]).is_empty());
}

#[test]
fn a_rise_of_two_points_is_told_and_one_of_a_point_is_not() {
    let from =
        |minute: usize| points((0..30).map(move |n| if n >= minute { 9_900.0 } else { 1_240.0 } + 20.0 * jitter(n)));
    let told: Vec<bool> = [26, 28, 29, 30].map(|minute| turns_up(&from(minute), &[], 0.5)).to_vec();
    assert_eq!(told, [true, true, false, false]);
    let noisy = points((0..30).map(|n| 3.0 + 2.0 * jitter(n)));
    assert!(!turns_up(&noisy, &[], 0.5) && !turns_up(&[], &[], 0.5));
}

proptest! {
    #[test]
    fn hostile_points_are_survived(
        raw in prop::collection::vec((-5_000i64..5_000, prop_oneof![any::<f64>(), -10.0..110.0f64]), 0..60),
    ) {
        let points: Vec<Point> = raw
            .into_iter()
            .map(|(second, value)| Point { at: Timestamp::from_second(second).unwrap(), value })
            .collect();
        let (early, late) = points.split_at(points.len() / 2);
        let _ = (trend(&points), onset(&points, &[]), onset(late, early), memory_shape(late, early));
        let _ = (level_ratio(late, early), quantile(points.iter().map(|p| p.value), 0.9), steps(&points));
        let _ = (same_hours(late, early), saturation(&points, 100.0), held_peak(&points), time_to_limit(&points, 100.0));
        prop_assert_eq!(anomalies(&points).len(), points.len());
        if let (Some(first), Some(second)) = (onset(early, &[]), onset(late, &[])) {
            prop_assert!((0.0..=1.0).contains(&lead(&first, &second).certainty));
        }
    }
}
