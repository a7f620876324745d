//! A series as one row of signs, for places where text is all there is. Holes stay blank; the scale begins at zero.

use crate::domain::observation::metric::Series;
use crate::domain::observation::scope::Window;

/// Which signs may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signs {
    /// Eighths of a block.
    #[default]
    Blocks,
    /// For a locale that is not UTF-8.
    Ascii,
}

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const STEPS: [char; 8] = ['_', '.', ',', '-', '~', '=', '*', '#'];
/// No row is longer.
const MOST_COLUMNS: usize = 60;

impl Signs {
    /// The sign of a share of the scale; what lies outside 0 to 1 is drawn at its edge.
    pub fn level(self, share: f64) -> char {
        let levels = match self {
            Self::Blocks => BLOCKS,
            Self::Ascii => STEPS,
        };
        levels[((share.clamp(0.0, 1.0) * 7.0).round() as usize).min(7)]
    }
}

/// A column for each period of the window, at most 60, each as high as the largest value in it; the scale ends at the
/// largest value of all.
pub fn sparkline(series: &Series, window: Window, signs: Signs) -> String {
    let whole = window.to.duration_since(window.from).as_millis().max(1);
    let periods = whole / (i128::from(series.query.period_s.max(1)) * 1_000);
    let mut columns = vec![None; usize::try_from(periods).unwrap_or(MOST_COLUMNS).clamp(1, MOST_COLUMNS)];
    let last = columns.len() - 1;
    for point in series.within(window) {
        let part = point.at.duration_since(window.from).as_millis().max(0);
        let column = (part * columns.len() as i128 / whole) as usize;
        let held: &mut Option<f64> = &mut columns[column.min(last)];
        *held = Some(held.map_or(point.value, |value| value.max(point.value)));
    }
    let top = columns.iter().flatten().copied().fold(0.0, f64::max);
    let share = |value: f64| if top > 0.0 { value / top } else { 0.0 };
    columns.into_iter().map(|value| value.map_or(' ', |value| signs.level(share(value)))).collect()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Point, Statistic, Unit};

    fn drawn(values: &[Option<f64>], minutes: i64) -> String {
        let (role, metric) = (MetricRole::Cpu, MetricId::default());
        let query = MetricQuery { role, metric, statistic: Statistic::Average, period_s: 60 };
        let at = |n: i64| Timestamp::from_second(n * 60).unwrap();
        let points = (0..).zip(values).filter_map(|(n, value)| value.map(|value| Point { at: at(n), value }));
        let series = Series::new(query, Unit::Percent, points);
        sparkline(&series, Window { from: at(0), to: at(minutes) }, Signs::Ascii)
    }

    #[test]
    fn holes_stay_blank_and_the_scale_begins_at_zero() {
        assert_eq!(drawn(&[Some(0.0), Some(50.0), None, Some(100.0)], 6), "_~ #  ");
        assert_eq!(drawn(&[Some(0.12), Some(0.12)], 2), "##", "a small value is not noise blown up");
        assert_eq!(drawn(&[Some(0.0)], 1), "_");
        assert_eq!(drawn(&[], 3), "   ");
    }

    #[test]
    fn a_long_window_keeps_its_peaks() {
        let mut values = vec![Some(1.0); 600];
        values[300] = Some(10.0);
        let drawn = drawn(&values, 600);
        assert_eq!(drawn.chars().count(), 60);
        assert_eq!(drawn.find('#'), Some(30));
    }
}
