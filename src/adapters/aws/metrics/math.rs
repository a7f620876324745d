//! Metric math and anomaly bands, evaluated by CloudWatch from the very lines an alarm has.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};
use jiff::{SignedDuration, Timestamp};

use super::{Gathered, MetricsError, aligned, every_page};
use crate::adapters::aws::call::CallError;
use crate::adapters::aws::clients::Clients;
use crate::domain::observation::alarm::{BandPoint, ComparedNow, MathPart, MathQuery, MathTerm};
use crate::domain::observation::metric::{MetricId, Point};
use crate::domain::observation::scope::Window;

/// Points of less than a minute are kept for three hours; the start of a window is rounded down, and a call takes a while.
const SHORT_KEPT_MINUTES: i64 = 175;

/// What an alarm compares, over a window. Points ascend, one a period.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluated {
    /// The values that are compared.
    pub compared: Vec<Point>,
    /// The band they are compared with; empty without one.
    pub band: Vec<BandPoint>,
}

impl Evaluated {
    /// The newest value, with the band of its period.
    pub fn now(&self) -> Option<ComparedNow> {
        let point = self.compared.last()?;
        let band = self.band.iter().find(|band| band.at == point.at).copied();
        Some(ComparedNow { at: point.at, value: point.value, band })
    }
}

/// Evaluates the lines of an alarm over a window, whose start is rounded down to the period. Nothing comes of an alarm
/// without lines. Takes one turn of the metric budget a page.
pub async fn evaluate(clients: &Clients, queries: &[MathQuery], window: Window) -> Result<Evaluated, MetricsError> {
    let failed = |(page, source)| MetricsError::Evaluate { page, source };
    let period = period_of(queries);
    let asked: Vec<MetricDataQuery> = queries.iter().map(asked_for).collect();
    let wide = Window { from: aligned(window.from, period), to: window.to };
    if !queries.iter().any(|query| query.part == MathPart::Compared) {
        return Ok(Evaluated::default());
    }
    let answers = every_page(clients, asked, wide).await.map_err(failed)?;
    let of = |part: MathPart| {
        let query = queries.iter().find(|query| query.part == part);
        let read = query.map(|query| match answers.get(&query.id) {
            Some(gathered) => points(gathered, (wide, period)),
            None => Err(answers.without("a line")),
        });
        read.transpose().map_err(|source| failed((1, source)))
    };
    let ascending: BTreeMap<Timestamp, f64> =
        of(MathPart::Compared)?.unwrap_or_default().iter().map(|point| (point.at, point.value)).collect();
    Ok(Evaluated {
        compared: ascending.into_iter().map(|(at, value)| Point { at, value }).collect(),
        band: band(&of(MathPart::Band)?.unwrap_or_default()),
    })
}

/// Seconds a point of the result covers: the longest period of the lines, as CloudWatch has it.
pub fn period_of(queries: &[MathQuery]) -> u32 {
    let periods = queries.iter().filter_map(|query| match &query.term {
        MathTerm::Expression { period_s, .. } => *period_s,
        MathTerm::Metric { period_s, .. } => Some(*period_s),
    });
    periods.max().unwrap_or(60)
}

/// Since when points of all lines are kept: those of less than a minute for three hours.
pub fn kept_since(queries: &[MathQuery], now: Timestamp) -> Timestamp {
    let is_short = |query: &MathQuery| matches!(&query.term, MathTerm::Metric { period_s, .. } if *period_s < 60);
    let kept = SignedDuration::from_mins(SHORT_KEPT_MINUTES);
    let since = queries.iter().any(is_short).then(|| now.checked_sub(kept).ok()).flatten();
    since.unwrap_or(Timestamp::MIN)
}

/// The points of the periods that are over by the window's end.
fn points(gathered: &Gathered, (window, period_s): (Window, u32)) -> Result<Vec<Point>, CallError> {
    let why = gathered.messages.join("; ");
    match &gathered.status {
        Some(StatusCode::InternalError) => Err(CallError::Unavailable(format!("InternalError: {why}"))),
        Some(StatusCode::Forbidden) => Err(CallError::Denied(format!("Forbidden: {why}"))),
        _ => {
            let period = SignedDuration::from_secs(i64::from(period_s));
            let is_whole = |point: &Point| window.from <= point.at && window.to.duration_since(point.at) >= period;
            Ok(gathered.points.iter().copied().filter(is_whole).collect())
        }
    }
}

/// The band comes as two series of one id, the upper and the lower bound, in no documented order: of two values of a
/// period the smaller is the lower bound. A period with one value alone has no band.
fn band(points: &[Point]) -> Vec<BandPoint> {
    let mut by_time: BTreeMap<Timestamp, Vec<f64>> = BTreeMap::new();
    for point in points {
        by_time.entry(point.at).or_default().push(point.value);
    }
    let bounds = by_time.into_iter().filter_map(|(at, values)| match values[..] {
        [one, other] => Some(BandPoint { at, lower: one.min(other), upper: one.max(other) }),
        _ => None,
    });
    bounds.collect()
}

fn asked_for(query: &MathQuery) -> MetricDataQuery {
    let returned = match query.part {
        MathPart::Compared | MathPart::Band => true,
        MathPart::Input => false,
    };
    let asked = MetricDataQuery::builder().id(&query.id).return_data(returned);
    match &query.term {
        MathTerm::Expression { text, period_s } => {
            let period = period_s.and_then(|seconds| i32::try_from(seconds).ok());
            asked.expression(text).set_period(period).build()
        }
        MathTerm::Metric { metric, statistic, period_s } => {
            let period = i32::try_from(*period_s).unwrap_or(60);
            asked
                .metric_stat(MetricStat::builder().metric(named(metric)).period(period).stat(statistic).build())
                .set_account_id(metric.account.as_ref().map(ToString::to_string))
                .build()
        }
    }
}

pub(super) fn named(metric: &MetricId) -> Metric {
    let dimension = |(name, value): (&String, &String)| Dimension::builder().name(name).value(value).build();
    Metric::builder()
        .namespace(&metric.namespace)
        .metric_name(&metric.name)
        .set_dimensions(Some(metric.dimensions.iter().map(dimension).collect()))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_band_is_made_of_two_series_in_either_order() {
        let point = |second, value| Point { at: at(second), value };
        let found = band(&[point(120, 40.0), point(60, 80.0), point(120, 90.0), point(60, 30.0), point(180, 7.0)]);
        let bound = |second, lower, upper| BandPoint { at: at(second), lower, upper };
        assert_eq!(found, [bound(60, 30.0, 80.0), bound(120, 40.0, 90.0)]);
    }

    #[test]
    fn the_period_under_way_has_no_result() {
        let gathered = Gathered {
            points: vec![Point { at: at(0), value: 1.0 }, Point { at: at(300), value: 0.2 }],
            ..Gathered::default()
        };
        let seen = |end| points(&gathered, (Window { from: at(0), to: at(end) }, 300)).unwrap().len();
        assert_eq!((seen(360), seen(600)), (1, 2));
    }

    #[test]
    fn lines_of_seconds_are_asked_for_as_long_as_they_are_kept() {
        let line = |period_s| {
            let term = MathTerm::Metric { metric: MetricId::default(), statistic: "Sum".to_owned(), period_s };
            MathQuery { id: "m1".to_owned(), label: String::new(), part: MathPart::Input, term }
        };
        let now = at(100_000);
        assert_eq!(kept_since(&[line(60), line(10)], now), at(100_000 - 175 * 60));
        assert_eq!(kept_since(&[line(60)], now), Timestamp::MIN);
    }

    #[test]
    fn a_line_of_another_account_is_asked_of_it() {
        let line = |account: Option<&str>| {
            let metric = MetricId { account: account.map(Into::into), ..MetricId::default() };
            let term = MathTerm::Metric { metric, statistic: "Sum".to_owned(), period_s: 60 };
            asked_for(&MathQuery { id: "m1".to_owned(), label: String::new(), part: MathPart::Input, term })
        };
        assert_eq!(line(None).account_id(), None);
        assert_eq!(line(Some("111122223333")).account_id(), Some("111122223333"));
    }

    #[test]
    fn now_is_the_newest_value_with_the_band_of_its_own_period() {
        let compared = vec![Point { at: at(60), value: 1.0 }, Point { at: at(120), value: 2.0 }];
        let band = vec![BandPoint { at: at(60), lower: 0.0, upper: 3.0 }];
        let evaluated = Evaluated { compared, band };
        assert_eq!(evaluated.now(), Some(ComparedNow { at: at(120), value: 2.0, band: None }));
        assert_eq!(Evaluated::default().now(), None);
    }
}
