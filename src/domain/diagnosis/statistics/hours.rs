//! Seasonality: whether a window is unlike the same hours of the days before. Hours are those of UTC: for some days after
//! clocks were changed, those of services that follow people are an hour off, which only widens what is usual.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::{median, noise, quantile};
use crate::domain::observation::metric::Point;

/// Days looked back at most: two weeks hold every day of the week twice.
const DAYS: i64 = 14;
/// Fewest days from which hours have a usual level.
const FEWEST_DAYS: usize = 3;
/// Fewest points from which a level is told.
const FEWEST: usize = 3;

/// The days that are asked for where each costs a request: yesterday and the day before for what comes every day, the same
/// day of the last two weeks for what comes on this one.
pub const DAYS_ASKED: [i64; 4] = [1, 2, 7, 14];
/// Minutes kept beyond the window: what the days before were like while an incident goes on.
pub const MINUTES_AHEAD: i64 = 30;
/// Points kept of a day, the most that a screen can tell apart by.
const POINTS: usize = 120;
/// Deviations from which a level is unlike the days before.
const UNLIKE: f64 = 4.0;
/// And the least share of the usual level that makes a difference to anybody.
const SHARE: f64 = 0.15;

/// A window against the same hours before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SameHours {
    /// Days with points at these hours.
    pub days: u32,
    /// The usual level: the median over the days of their medians.
    pub usual: f64,
    /// How much days differ among themselves: the scaled median absolute deviation of their medians.
    pub spread: f64,
    /// The level now, by median.
    pub now: f64,
    /// The lowest and the highest level of a day; absent in records from before it was kept.
    #[serde(default)]
    pub range: Option<[f64; 2]>,
}

impl SameHours {
    /// How far the level is from the usual one, in spreads of days; a hundredth of the level is the least spread.
    pub fn deviations(&self) -> f64 {
        (self.now - self.usual) / self.spread.max(self.usual.abs() * 0.01).max(1e-9)
    }

    /// Whether these hours are like the days before: a peak that comes every day is no incident. Where days differ much, as
    /// weekends do, their spread excuses nothing that no day has seen.
    pub fn is_usual(&self) -> bool {
        let seen = self.range.is_none_or(|[lowest, highest]| {
            lowest - SHARE * lowest.abs() <= self.now && self.now <= highest + SHARE * highest.abs()
        });
        let is_near = (self.now - self.usual).abs() < SHARE * self.usual.abs();
        seen && (self.deviations().abs() < UNLIKE || is_near)
    }
}

/// How a series stands to the days before, and how well that is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum DaysBefore {
    /// There are enough days to compare with.
    Known(SameHours),
    /// Asked and answered: too few of the days have points at these hours.
    TooFew,
    /// Asked, and not answered.
    Unread {
        /// Why.
        why: String,
    },
}

/// One of the days before, to be drawn under a window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlierDay {
    /// How many days before the window.
    pub days: u32,
    /// Its points at their own time: the minutes of the window and as many as an incident lasts, 120 at most. Of more, each
    /// is the mean of several, at the time of the first.
    pub points: Vec<Point>,
}

impl DaysBefore {
    /// The comparison, where it is known.
    pub fn known(&self) -> Option<&SameHours> {
        match self {
            Self::Known(hours) => Some(hours),
            Self::TooFew | Self::Unread { .. } => None,
        }
    }
}

/// Compares a window with the same hours of up to fourteen days before, out of the points before it; `None` with fewer
/// than three such days, or too few points in the window. A day counts where it has at least half as many points.
pub fn same_hours(window: &[Point], earlier: &[Point]) -> Option<SameHours> {
    let (first, last) = (window.first()?.at, window.last()?.at);
    if window.len() < FEWEST {
        return None;
    }
    let levels: Vec<f64> = (1..=DAYS)
        .filter_map(|day| {
            let back = SignedDuration::from_hours(24 * day);
            let (from, to) = (first.checked_sub(back).ok()?, last.checked_sub(back).ok()?);
            let inside = || earlier.iter().filter(|point| from <= point.at && point.at <= to && point.at < first);
            (2 * inside().count() >= window.len()).then(|| median(inside().map(|point| point.value))).flatten()
        })
        .collect();
    if levels.len() < FEWEST_DAYS {
        return None;
    }
    let now = median(window.iter().map(|point| point.value))?;
    let (usual, spread) = (median(levels.iter().copied())?, noise(&levels)?);
    let range = Some([quantile(levels.iter().copied(), 0.0)?, quantile(levels.iter().copied(), 1.0)?]);
    let found = SameHours { days: levels.len() as u32, usual, spread, now, range };
    [usual, spread, now].iter().all(|value| value.is_finite()).then_some(found)
}

/// The days before, out of the points before a window, for those of [`DAYS_ASKED`] that have any.
pub fn earlier_days(window: &[Point], earlier: &[Point]) -> Vec<EarlierDay> {
    let (Some(first), Some(last)) = (window.first(), window.last()) else { return Vec::new() };
    let ahead = SignedDuration::from_mins(MINUTES_AHEAD);
    let day = |days: i64| {
        let back = SignedDuration::from_hours(24 * days);
        let (from, to) = (first.at.checked_sub(back).ok()?, last.at.checked_sub(back - ahead).ok()?);
        let inside = |point: &&Point| from <= point.at && point.at <= to && point.at < first.at;
        let points: Vec<Point> = earlier.iter().filter(inside).copied().collect();
        let days = u32::try_from(days).ok()?;
        (!points.is_empty()).then(|| EarlierDay { days, points: thinned(&points) })
    };
    DAYS_ASKED.into_iter().filter_map(day).collect()
}

fn thinned(points: &[Point]) -> Vec<Point> {
    let mean = |chunk: &[Point]| {
        let sum: f64 = chunk.iter().map(|point| point.value).sum();
        chunk.first().map(|first| Point { at: first.at, value: sum / chunk.len() as f64 })
    };
    points.chunks(points.len().div_ceil(POINTS).max(1)).filter_map(mean).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::tests::jitter;
    use super::*;

    /// Ten minutes a point, high from the 60th to the 90th point of each day.
    fn days(days: usize, high: impl Fn(usize) -> f64) -> Vec<Point> {
        let value = |n: usize| if (60..90).contains(&(n % 144)) { high(n / 144) } else { 20.0 } + jitter(n);
        let at = (1_777_600_000_i64..).step_by(600).map(|second| Timestamp::from_second(second).unwrap());
        (0..144 * days).zip(at).map(|(n, at)| Point { at, value: value(n) }).collect()
    }

    fn judged(high: impl Fn(usize) -> f64) -> Option<SameHours> {
        let points = days(6, high);
        let window = 144 * 5 + 60..144 * 5 + 90;
        same_hours(&points[window.clone()], &points[..window.start])
    }

    #[test]
    fn a_peak_that_comes_every_day_is_usual_and_one_that_is_higher_is_not() {
        let daily = judged(|_| 80.0).unwrap();
        assert!(daily.is_usual() && daily.days == 5 && (daily.usual - 80.0).abs() < 1.0, "{daily:?}");
        let higher = judged(|day| if day == 5 { 120.0 } else { 80.0 }).unwrap();
        assert!(!higher.is_usual() && higher.deviations() > UNLIKE, "{higher:?}");
        let missing = judged(|day| if day == 5 { 20.0 } else { 80.0 }).unwrap();
        assert!(!missing.is_usual() && missing.deviations() < -UNLIKE, "{missing:?}");
    }

    #[test]
    fn days_that_differ_excuse_nothing_that_none_of_them_has_seen() {
        let weekend = [300.0, 320.0, 760.0, 1_200.0, 1_250.0];
        let monday = |now: f64| judged(move |day| weekend.get(day).copied().unwrap_or(now)).unwrap();
        assert!(monday(1_240.0).is_usual() && monday(1_400.0).is_usual(), "{:?}", monday(1_240.0));
        assert!(!monday(3_200.0).is_usual() && !monday(100.0).is_usual(), "{:?}", monday(3_200.0));
        let recorded = r#"{"days":4,"usual":760.0,"spread":667.0,"now":1240.0}"#;
        assert!(serde_json::from_str::<SameHours>(recorded).unwrap().is_usual());
    }

    #[test]
    fn the_days_asked_for_are_kept_with_what_came_after_and_no_more_than_can_be_drawn() {
        let points = days(16, |day| 40.0 + day as f64);
        let window = 144 * 15 + 60..144 * 15 + 90;
        let kept = earlier_days(&points[window.clone()], &points[..window.start]);
        assert_eq!(kept.iter().map(|day| day.days).collect::<Vec<_>>(), [1, 2, 7, 14]);
        for day in &kept {
            let begins = points[window.start].at - SignedDuration::from_hours(24 * i64::from(day.days));
            assert_eq!((day.points[0].at, day.points.len()), (begins, 33), "half an hour more than the window");
            let level = median(day.points[..30].iter().map(|point| point.value)).unwrap();
            assert!((level - (55.0 - f64::from(day.days))).abs() < 1.0, "{} days before: {level}", day.days);
        }
        let second = |n: i64| Timestamp::from_second(1_777_600_000 + n).unwrap();
        let dense: Vec<Point> = (0..1_800).map(|n| Point { at: second(n), value: n as f64 }).collect();
        let window = [Point { at: second(86_400), value: 0.0 }, Point { at: second(86_400 + 1_799), value: 0.0 }];
        let thin = &earlier_days(&window, &dense)[0].points;
        assert_eq!((thin.len(), thin[0], thin[119].value), (120, Point { at: second(0), value: 7.0 }, 1_792.0));
        assert_eq!(earlier_days(&[], &dense), []);
    }

    #[test]
    fn two_days_are_no_season() {
        let points = days(3, |_| 80.0);
        assert_eq!(same_hours(&points[144 * 2 + 60..144 * 2 + 90], &points[..144 * 2 + 60]), None);
        assert_eq!(same_hours(&points[..4], &points), None);
        assert_eq!(same_hours(&[], &[]), None);
    }
}
