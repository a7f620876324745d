//! Anomalies of a single series, point by point and without looking ahead: how far a point stands from what was usual,
//! in units of how far points usually stood, and whether that is worth waking somebody.

use std::collections::VecDeque;

use super::{median, noise};
use crate::domain::observation::metric::Point;

/// Points that the usual level is taken from: a day of five minutes, five hours of minutes.
const USUAL: usize = 288;
/// Points whose excursions are remembered: what came again within a week of five minutes is usual as well.
const REMEMBERED: usize = 2_016;
/// Points before the first flag: nothing is unusual before something is usual.
const WARM_UP: usize = 144;
/// Points whose median is the present level: one wild point is no change of level.
const LEVEL: usize = 12;
/// An excursion is new when it goes so many times as far as any remembered.
const NEW: f64 = 1.3;
/// The same of a change of level, which is steadier.
const NEW_LEVEL: f64 = 1.3;
/// Deviations below which nothing is worth a flag, of a point and of a level.
const FAR: f64 = 4.0;
const FAR_LEVEL: f64 = 2.0;
/// After a flag so many points belong to the same episode.
const EPISODE: usize = 288;

/// A point with its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scored {
    /// The point.
    pub point: Point,
    /// How unusual it is: deviations of what is usual, from 0.
    pub score: f64,
    /// Whether an episode begins here.
    pub flagged: bool,
}

/// Scores points as they come.
#[derive(Clone, Debug, Default)]
pub struct Detector {
    usual: VecDeque<f64>,
    level: VecDeque<f64>,
    excursions: Memory,
    shifts: Memory,
    seen: usize,
    quiet: usize,
}

impl Detector {
    /// Scores the next point: how far it goes beyond the farthest excursion remembered, or the present level beyond the
    /// farthest change remembered, whichever is newer; 1 is as far as ever before.
    pub fn push(&mut self, point: Point) -> Scored {
        if !point.value.is_finite() {
            return Scored { point, score: 0.0, flagged: false };
        }
        keep(&mut self.level, point.value, LEVEL);
        let (excursion, shift, unit) = self.away(point.value);
        let of_point = excursion / self.excursions.farthest().max(unit);
        let of_level = shift / self.shifts.farthest().max(unit);
        let is_new = (of_point > NEW && excursion > FAR * unit) || (of_level > NEW_LEVEL && shift > FAR_LEVEL * unit);
        let flagged = is_new && self.seen >= WARM_UP && self.quiet == 0;
        self.quiet = if flagged { EPISODE } else { self.quiet.saturating_sub(1) };
        let when = if self.quiet > 0 { When::InEpisode } else { When::Everyday };
        self.excursions.remember(excursion, when);
        self.shifts.remember(shift, when);
        keep(&mut self.usual, point.value, USUAL);
        self.seen += 1;
        Scored { point, score: of_point.max(of_level).min(1e6), flagged }
    }

    /// How far the point and the present level stand from the usual one, and how far points usually do.
    fn away(&self, value: f64) -> (f64, f64, f64) {
        let usual: Vec<f64> = self.usual.iter().copied().collect();
        let Some(middle) = median(usual.iter().copied()) else { return (0.0, 0.0, f64::MAX) };
        // A series that never moves has no noise; a thousandth of its size is none either.
        let unit = noise(&usual).unwrap_or(0.0).max(middle.abs() * 1e-3).max(1e-9);
        let level = median(self.level.iter().copied()).unwrap_or(value);
        let finite = |far: f64| if far.is_finite() { far } else { f64::MAX };
        (finite((value - middle).abs()), finite((level - middle).abs()), finite(unit))
    }
}

/// How far a series went. What happened in one episode alone is not usual yet: it counts once it came again.
#[derive(Clone, Debug, Default)]
struct Memory {
    everyday: VecDeque<f64>,
    /// The farthest of each episode, with the points since.
    episodes: VecDeque<(f64, usize)>,
    last: When,
}

/// Whether a point belongs to an episode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum When {
    #[default]
    Everyday,
    InEpisode,
}

impl Memory {
    fn remember(&mut self, far: f64, when: When) {
        keep(&mut self.everyday, if when == When::InEpisode { 0.0 } else { far }, REMEMBERED);
        self.episodes.iter_mut().for_each(|(_, age)| *age += 1);
        self.episodes.retain(|(_, age)| *age <= REMEMBERED);
        match (when, self.last, self.episodes.back_mut()) {
            (When::InEpisode, When::InEpisode, Some(last)) => *last = (last.0.max(far), 0),
            (When::InEpisode, _, _) => self.episodes.push_back((far, 0)),
            (When::Everyday, _, _) => {}
        }
        self.last = when;
    }

    fn farthest(&self) -> f64 {
        let mut episodes: Vec<f64> = self.episodes.iter().map(|(far, _)| *far).collect();
        episodes.sort_unstable_by(|a, b| b.total_cmp(a));
        self.everyday.iter().copied().fold(episodes.get(1).copied().unwrap_or(0.0), f64::max)
    }
}

fn keep(queue: &mut VecDeque<f64>, value: f64, most: usize) {
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
                prop_assert!(scored.score.is_finite() && scored.score >= 0.0);
            }
        }
    }
}
