//! Change points: where a series steps from one level to another, any number of times.

use jiff::Timestamp;

use super::{FEWEST, median, noise, thinned};
use crate::domain::observation::metric::Point;

/// A step between two levels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The first point of the new level.
    pub at: Timestamp,
    /// The level before, back to the step before.
    pub before: f64,
    /// The level after, up to the next step.
    pub after: f64,
    /// The probability of so uneven an order of ranks by chance.
    pub chance: f64,
}

/// The probability from which an uneven order is none by chance.
const CHANCE: f64 = 0.01;
/// Fewest points of a level: less is a spike.
const LEVEL: usize = 5;
/// A step is three times as high as the noise of both its levels, and a tenth of the level before.
const NOISES: f64 = 3.0;
const SHARE: f64 = 0.1;

/// Finds the steps of a series, ascending.
///
/// The series is cut where the ranks before and after differ most (Pettitt 1979: `K = max |U_t|`, with
/// `p ≈ 2 exp(−6 K² / (n³ + n²))`), and each part again (binary segmentation, Scott and Knott 1974), as long as the cut
/// is not by chance; of these cuts the ones are told at which the level steps by what a person would see. Ranks make it
/// deaf to how far a spike goes.
pub fn steps(points: &[Point]) -> Vec<Step> {
    let points = thinned(points);
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let mut cuts = Vec::new();
    cut(&values, 0, &mut cuts);
    cuts.sort_unstable_by_key(|(at, _)| *at);
    seen(&values, &mut cuts);
    let edges: Vec<usize> = cuts.iter().map(|(at, _)| *at).collect();
    let level = |from: usize, to: usize| values.get(from..to).and_then(|part| median(part.iter().copied()));
    cuts.iter()
        .enumerate()
        .filter_map(|(n, (at, chance))| {
            let from = n.checked_sub(1).and_then(|n| edges.get(n)).copied().unwrap_or(0);
            let to = edges.get(n + 1).copied().unwrap_or(values.len());
            Some(Step { at: points.get(*at)?.at, before: level(from, *at)?, after: level(*at, to)?, chance: *chance })
        })
        .collect()
}

/// Cuts a part in two where its ranks are most uneven, and each half again.
fn cut(values: &[f64], offset: usize, cuts: &mut Vec<(usize, f64)>) {
    if values.len() < FEWEST.max(2 * LEVEL) {
        return;
    }
    let ranks = ranks(values);
    let n = values.len() as f64;
    let (mut sum, mut best) = (0.0, (0, 0.0_f64));
    for (at, rank) in ranks.iter().enumerate().take(values.len() - LEVEL) {
        sum += rank;
        let uneven = (2.0 * sum - (at + 1) as f64 * (n + 1.0)).abs();
        if at + 1 >= LEVEL && uneven > best.1 {
            best = (at + 1, uneven);
        }
    }
    let chance = (2.0 * (-6.0 * best.1 * best.1 / (n * n * n + n * n)).exp()).min(1.0);
    if best.0 == 0 || chance >= CHANCE {
        return;
    }
    let (left, right) = values.split_at(best.0);
    cut(left, offset, cuts);
    cuts.push((offset + best.0, chance));
    cut(right, offset + best.0, cuts);
}

/// Ranks from 1; equal values share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_unstable_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut next = 1;
    for same in order.chunk_by(|a, b| values[*a].total_cmp(&values[*b]).is_eq()) {
        let mean = next as f64 + (same.len() - 1) as f64 / 2.0;
        for at in same {
            ranks[*at] = mean;
        }
        next += same.len();
    }
    ranks
}

/// Drops the cuts that nobody would see, the least first, since each changes the levels of its neighbours: a slow rise is
/// cut many times and steps nowhere.
fn seen(values: &[f64], cuts: &mut Vec<(usize, f64)>) {
    loop {
        let heights: Vec<f64> = (0..cuts.len()).map(|n| height(values, cuts, n)).collect();
        let least = heights.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map(|(n, height)| (n, *height));
        match least {
            Some((n, height)) if height < 1.0 => {
                cuts.remove(n);
            }
            Some(_) | None => return,
        }
    }
}

/// How high a step is, in units of the least that is seen.
fn height(values: &[f64], cuts: &[(usize, f64)], n: usize) -> f64 {
    let edge = |n: Option<usize>| n.and_then(|n| cuts.get(n)).map(|(at, _)| *at);
    let Some(at) = edge(Some(n)) else { return 0.0 };
    let (from, to) = (edge(n.checked_sub(1)).unwrap_or(0), edge(Some(n + 1)).unwrap_or(values.len()));
    let (Some(left), Some(right)) = (values.get(from..at), values.get(at..to)) else { return 0.0 };
    let (Some(before), Some(after)) = (median(left.iter().copied()), median(right.iter().copied())) else { return 0.0 };
    let around = noise(left).unwrap_or_default().max(noise(right).unwrap_or_default());
    let least = (NOISES * around).max(SHARE * before.abs()).max(1e-9);
    ((after - before) / least).abs()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{jitter, points};
    use super::*;

    #[test]
    fn each_step_is_found_where_it_is_and_nothing_else() {
        let level = |n: usize| match n {
            0..20 => 40.0,
            20..45 => 75.0,
            _ => 55.0,
        };
        let series = points((0..70).map(|n| if n == 10 { 400.0 } else { level(n) + jitter(n) }));
        let found = steps(&series);
        let at: Vec<Timestamp> = found.iter().map(|step| step.at).collect();
        assert_eq!(at, [series[20].at, series[45].at], "{found:?}");
        assert!((found[0].before - 40.0).abs() < 1.0 && (found[0].after - 75.0).abs() < 1.0, "{found:?}");
        assert!((found[1].after - 55.0).abs() < 1.0 && found[1].chance < 0.01, "{found:?}");
        for calm in [points((0..70).map(|n| 50.0 + jitter(n))), points([50.0; 40]), points([1.0, 2.0, 3.0])] {
            assert_eq!(steps(&calm), []);
        }
    }

    proptest! {
        #[test]
        fn any_series_is_survived(values in prop::collection::vec(prop_oneof![any::<f64>(), 0.0..100.0f64], 0..120)) {
            let found = steps(&points(values));
            prop_assert!(found.windows(2).all(|pair| pair[0].at < pair[1].at));
        }
    }
}
