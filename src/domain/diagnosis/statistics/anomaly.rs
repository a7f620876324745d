//! Anomalies of a single series, point by point and without looking ahead: how often, lately, the series went as far from
//! what was usual as it does now.
//!
//! What is usual is the median of a day of points. A point, and the level of the last hour, stand so far from it: their
//! excursions. An excursion is told by how many separate times an excursion nearly as far is remembered: a conformal
//! rank (Laxhammar and Falkman 2015) over episodes and not over points, since neighbours in time are no independent
//! witnesses. Nothing is assumed of how values are spread, and a series that is wild by nature is used to it.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::{median, noise};
use crate::domain::observation::metric::Point;

/// Points that the usual level is taken from: a day of five minutes, five hours of minutes.
const USUAL: usize = 288;
/// Points whose excursions are remembered: a week of five minutes.
const REMEMBERED: usize = 2_016;
/// Points before the first flag: nothing is unusual before something is usual.
const WARM_UP: usize = 144;
/// Points whose median is the present level: one wild point is no change of level.
const LEVEL: usize = 12;
/// Remembered excursions count as nearly as far when this one goes less than so many times farther: of a point, and of a
/// level, which is steadier.
const NEARLY: f64 = 1.3;
const NEARLY_LEVEL: f64 = 1.2;
/// Deviations below which nothing is worth a flag.
const FAR: f64 = 3.0;
/// What happened so many times lately is no news.
const OFTEN: usize = 2;
/// Excursions within so many points of each other are one time, and so is a run that is broken by one point at most.
const APART: usize = 36;
const STRAYS: usize = 2;
/// After a flag so many points belong to the same episode.
const EPISODE: usize = 72;
/// Times counted at most.
const MOST_TIMES: usize = 64;
/// Excursions at the same hour of other days, give or take, are told apart from all others.
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;

/// A point with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The point.
    pub point: Point,
    /// How new what it does is, from 0 to 1: `1 / (1 + times it went as far lately)`; 0 where it does not go far. Within an
    /// open episode its own beginning counts as `OFTEN` times.
    pub score: f64,
    /// Whether an episode begins here.
    pub flagged: bool,
}

/// Scores points as they come.
#[derive(Clone, Debug, Default)]
pub struct Detector {
    usual: VecDeque<f64>,
    level: VecDeque<f64>,
    past: VecDeque<Excursion>,
    seen: usize,
    quiet: usize,
}

/// How far the series was from what was usual.
#[derive(Clone, Copy, Debug)]
struct Excursion {
    at: Timestamp,
    /// Of the point.
    point: f64,
    /// Of the level.
    level: f64,
}

impl Detector {
    /// Scores the next point, and flags it where fewer than `OFTEN` times are remembered and no episode is open.
    pub fn push(&mut self, point: Point) -> Scored {
        if !point.value.is_finite() {
            return Scored { point, score: 0.0, flagged: false };
        }
        keep(&mut self.level, point.value, LEVEL);
        let (now, unit) = self.away(point);
        let mut fewest = None;
        if self.seen >= WARM_UP && now.point > FAR * unit {
            fewest = Some(self.times(now.at, now.point / NEARLY, |past| past.point));
        }
        if self.seen >= WARM_UP && now.level > FAR * unit && fewest.is_none_or(|times| times > 0) {
            let of_level = self.times(now.at, now.level / NEARLY_LEVEL, |past| past.level);
            fewest = Some(fewest.map_or(of_level, |times| times.min(of_level)));
        }
        let flagged = self.quiet == 0 && fewest.is_some_and(|times| times < OFTEN);
        let known = if self.quiet > 0 { OFTEN } else { 0 };
        self.quiet = if flagged { EPISODE } else { self.quiet.saturating_sub(1) };
        keep(&mut self.past, now, REMEMBERED);
        keep(&mut self.usual, point.value, USUAL);
        self.seen += 1;
        Scored { point, score: fewest.map_or(0.0, |times| 1.0 / (1 + times + known) as f64), flagged }
    }

    /// How far the point and the present level stand from the usual one, and how far points usually do.
    fn away(&self, point: Point) -> (Excursion, f64) {
        let usual: Vec<f64> = self.usual.iter().copied().collect();
        let Some(middle) = median(usual.iter().copied()) else {
            return (Excursion { at: point.at, point: 0.0, level: 0.0 }, f64::MAX);
        };
        // A series that never moves has no noise; a thousandth of its size is none either.
        let unit = noise(&usual).unwrap_or(0.0).max(middle.abs() * 1e-3).max(1e-9);
        let level = median(self.level.iter().copied()).unwrap_or(point.value);
        let finite = |far: f64| if far.is_finite() { far } else { f64::MAX };
        let (of_point, of_level) = (finite((point.value - middle).abs()), finite((level - middle).abs()));
        (Excursion { at: point.at, point: of_point, level: of_level }, finite(unit))
    }

    /// How many separate times the series went so far.
    ///
    /// 1. Going back in time, a point as far begins a time unless it is near one counted, or goes on with its run.
    /// 2. Where most times came at the same hour of other days, that hour explains them: they speak of a point at that hour
    ///    (it is no news), and of no other.
    fn times(&self, now: Timestamp, far: f64, of: impl Fn(&Excursion) -> f64) -> usize {
        let mut times: Vec<Timestamp> = Vec::new();
        let (mut begun, mut last) = (0, 0);
        for (back, past) in self.past.iter().rev().enumerate() {
            if of(past) < far {
                continue;
            }
            if times.is_empty() || (back - begun > APART && back - last > STRAYS) {
                times.push(past.at);
                begun = back;
            }
            last = back;
            if times.len() >= MOST_TIMES {
                break;
            }
        }
        if times.len() < OFTEN {
            return times.len();
        }
        let daily = |time: &Timestamp| {
            let same = times.iter().filter(|other| other_day(*time, **other)).count();
            same >= 2 && 2 * same >= times.len() - 1
        };
        let (daily, others): (Vec<Timestamp>, Vec<Timestamp>) = times.iter().partition(|time| daily(time));
        if daily.iter().any(|time| off_the_hour(*time, now) <= HOUR_S) { times.len() } else { others.len() }
    }
}

/// Seconds by which two instants differ in their time of day.
fn off_the_hour(a: Timestamp, b: Timestamp) -> i64 {
    let apart = (a.as_second() - b.as_second()).rem_euclid(DAY_S);
    apart.min(DAY_S - apart)
}

/// Whether two instants are at the same hour of different days.
fn other_day(a: Timestamp, b: Timestamp) -> bool {
    (a.as_second() - b.as_second()).abs() > DAY_S / 2 && off_the_hour(a, b) <= HOUR_S
}

fn keep<T>(queue: &mut VecDeque<T>, value: T, most: usize) {
    queue.push_back(value);
    while queue.len() > most {
        queue.pop_front();
    }
}

/// Scores a series.
pub fn anomalies(points: &[Point]) -> Vec<Scored> {
    let mut detector = Detector::default();
    points.iter().map(|point| detector.push(*point)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::{jitter, points};
    use super::*;

    fn flags(values: impl IntoIterator<Item = f64>) -> Vec<usize> {
        let scored = anomalies(&points(values));
        scored.iter().enumerate().filter(|(_, scored)| scored.flagged).map(|(n, _)| n).collect()
    }

    #[test]
    fn a_spike_and_a_step_are_seen_once_each_and_noise_is_not() {
        assert_eq!(flags((0..800).map(|n| 50.0 + jitter(n))), [] as [usize; 0]);
        assert_eq!(flags((0..800).map(|n| if n == 600 { 95.0 } else { 50.0 + jitter(n) })), [600]);
        let step = flags((0..900).map(|n| if n >= 600 { 80.0 } else { 50.0 } + jitter(n)));
        assert_eq!(step.first(), Some(&600));
        assert!(step.len() <= 2, "{step:?}");
        assert_eq!(flags((0..100).map(|n| if n == 60 { 95.0 } else { 50.0 })), [] as [usize; 0]);
    }

    #[test]
    fn what_comes_every_day_at_its_hour_is_no_news_then_and_explains_no_other_hour() {
        // Half an hour a point: a day has 48 of them.
        let at = |n: i64| Timestamp::from_second(1_777_600_000 + n * 1_800).unwrap();
        let value = |n: i64| match n {
            n if n % 48 == 10 => 90.0,
            n if n == 48 * 15 + 30 => 70.0,
            n => 50.0 + jitter(n as usize),
        };
        let points: Vec<Point> = (0..48 * 18).map(|n| Point { at: at(n), value: value(n) }).collect();
        let scored = anomalies(&points);
        let flagged: Vec<usize> = (0..scored.len()).filter(|n| scored[*n].flagged).collect();
        assert_eq!(flagged, [48 * 15 + 30]);
        assert!(scored[48 * 16 + 10].score < 0.2, "{:?}", scored[48 * 16 + 10]);
    }

    #[test]
    fn nothing_is_known_ahead() {
        let values: Vec<f64> = (0..450).map(|n| 50.0 + jitter(n) + if n > 300 { 30.0 } else { 0.0 }).collect();
        let whole = anomalies(&points(values.iter().copied()));
        let part = anomalies(&points(values.iter().copied().take(350)));
        assert_eq!(part.as_slice(), &whole[..350]);
    }

    proptest! {
        #[test]
        fn any_series_is_survived(values in prop::collection::vec(prop_oneof![any::<f64>(), 0.0..1.0f64], 0..200)) {
            for scored in anomalies(&points(values)) {
                prop_assert!((0.0..=1.0).contains(&scored.score));
            }
        }
    }
}
