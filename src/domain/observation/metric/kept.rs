//! For how long CloudWatch keeps points of which period, and what that makes of a query for older ones.

use jiff::SignedDuration;

use super::{MetricQuery, Point, Series, Statistic};

/// The shortest period of points that are so many hours old at most (`GetMetricData`, the period of a `MetricStat`: three
/// hours, 15, 63 and 455 days). A window that begins before them gets no points of a shorter period at all.
const SHORTEST: [(i64, u32); 3] = [(3, 1), (15 * 24, 60), (63 * 24, 300)];
/// Of all that are older.
const OLDEST: u32 = 3_600;
/// What is nearly as old is asked for as if it were: the window's start is rounded down, and a call takes a while.
const NEARLY: SignedDuration = SignedDuration::from_mins(5);

impl MetricQuery {
    /// The query for a window that began so long ago: by its own period where that is kept, else by the next longer one.
    pub fn kept_for(&self, age: SignedDuration) -> Self {
        let is_kept = |(hours, _): &&(i64, u32)| age + NEARLY < SignedDuration::from_hours(*hours);
        let shortest = SHORTEST.iter().find(is_kept).map_or(OLDEST, |(_, period)| *period);
        Self { period_s: self.period_s.max(1).div_ceil(shortest) * shortest, ..self.clone() }
    }
}

impl Series {
    /// The series in the measure of a query of a shorter period: what adds up over a longer one is told as the mean of the
    /// shorter, so that it may be held against what is told of that.
    pub fn in_measure_of(mut self, own: &MetricQuery) -> Self {
        let share = f64::from(own.period_s.max(1)) / f64::from(self.query.period_s.max(1));
        let adds_up = matches!(self.query.statistic, Statistic::Sum | Statistic::SampleCount);
        if adds_up && share < 1.0 {
            self.points = self.points.iter().map(|point| Point { value: point.value * share, ..*point }).collect();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::observation::metric::{MetricId, MetricRole, Unit};

    fn query(statistic: Statistic, period_s: u32) -> MetricQuery {
        MetricQuery { role: MetricRole::Alarm, metric: MetricId::default(), statistic, period_s }
    }

    #[test]
    fn what_is_not_kept_by_its_period_is_asked_for_by_the_next_longer_one() {
        for (period, hours, asked) in [
            (10, 1, 10),
            (10, 3, 60),
            (30, 14 * 24, 60),
            (60, 2, 60),
            (60, 14 * 24 + 23, 60),
            (60, 15 * 24, 300),
            (60, 16 * 24, 300),
            (360, 16 * 24, 600),
            (60, 64 * 24, 3_600),
            (86_400, 400 * 24, 86_400),
            (60, 500 * 24, 3_600),
        ] {
            let found = query(Statistic::Average, period).kept_for(SignedDuration::from_hours(hours));
            assert_eq!(found.period_s, asked, "{period} s, {hours} h ago");
        }
        let nearly = SignedDuration::from_mins(178);
        assert_eq!(query(Statistic::Sum, 10).kept_for(nearly).period_s, 60, "its window begins a little earlier");
    }

    #[test]
    fn what_adds_up_is_told_by_the_shorter_period() {
        let series = |statistic| {
            let points = [Point { at: Timestamp::UNIX_EPOCH, value: 60.0 }];
            Series::new(query(statistic, 60), Unit::None, points).in_measure_of(&query(statistic, 10)).points[0].value
        };
        for (statistic, told) in [(Statistic::Sum, 10.0), (Statistic::Average, 60.0), (Statistic::Maximum, 60.0)] {
            let found: f64 = series(statistic);
            assert!((found - told).abs() < 1e-9, "{statistic}: {found}");
        }
    }
}
