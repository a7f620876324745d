//! What of an alarm may be held against a series: its constant, where the alarm compares that very series with it.

use serde::{Deserialize, Serialize};

use super::{Alarm, AlarmRule, Comparison, MathPart, MathQuery, MathTerm};
use crate::domain::observation::metric::{MetricId, MetricQuery, Statistic};

/// The side of a constant on which an alarm fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Over it.
    Above,
    /// Under it.
    Below,
}

/// A constant that a series is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bound {
    /// In the unit of the series.
    pub value: f64,
    /// The side that is bad, where that is known.
    pub side: Option<Side>,
}

impl Bound {
    /// How far a value lies on the bad side, negative on the other. Above is the bad side where none is known.
    pub fn excess(self, value: f64) -> f64 {
        match self.side {
            Some(Side::Above) | None => value - self.value,
            Some(Side::Below) => self.value - value,
        }
    }

    /// Whether what is over it is bad, as far as is known.
    pub fn is_ceiling(self) -> bool {
        self.side != Some(Side::Below)
    }
}

/// A constant of which nobody says which side is bad.
impl From<f64> for Bound {
    fn from(value: f64) -> Self {
        Self { value, side: None }
    }
}

impl Comparison {
    /// The side of a constant on which it fires; none for a band.
    pub fn side(self) -> Option<Side> {
        match self {
            Self::Greater | Self::GreaterOrEqual => Some(Side::Above),
            Self::Less | Self::LessOrEqual => Some(Side::Below),
            Self::OutsideBand => None,
        }
    }
}

impl Statistic {
    /// Whether it grows with the length of a period, so that a constant for five minutes says nothing of one.
    fn adds_up(self) -> bool {
        match self {
            Self::Sum | Self::SampleCount => true,
            Self::Average | Self::Maximum | Self::Minimum | Self::Percentile(_) => false,
        }
    }
}

impl Alarm {
    /// The constant it compares the series of a query with: the same metric by the same statistic, and by the same period
    /// where the statistic adds up. The constant of metric math is one for its result, not for what it is made of: unless
    /// the result is one metric as it is, or with its gaps filled.
    pub fn bound_of(&self, query: &MetricQuery) -> Option<Bound> {
        let (comparison, threshold) = match &self.rule {
            AlarmRule::Metric { comparison, threshold, .. }
            | AlarmRule::Math { comparison, threshold: Some(threshold), .. } => (comparison, *threshold),
            AlarmRule::Math { threshold: None, .. } | AlarmRule::Composite { .. } => return None,
        };
        self.compares(query).then_some(Bound { value: threshold, side: comparison.side() })
    }

    /// Whether the points of a query are what it compares, be it with a constant or with a band.
    pub fn compares(&self, query: &MetricQuery) -> bool {
        let Some((metric, statistic, period_s)) = self.compared() else { return false };
        let same = *metric == query.metric && statistic == query.statistic.to_string();
        same && (period_s == query.period_s || !query.statistic.adds_up())
    }

    /// The metric it compares, its statistic and the seconds of a period; none where it is the result of metric math.
    pub fn compared(&self) -> Option<(&MetricId, String, u32)> {
        match &self.rule {
            AlarmRule::Metric { metric, statistic, period_s, .. } => Some((metric, statistic.to_string(), *period_s)),
            AlarmRule::Math { queries, .. } => {
                let (metric, statistic, period_s) = as_it_is(queries)?;
                Some((metric, statistic.to_owned(), period_s))
            }
            AlarmRule::Composite { .. } => None,
        }
    }
}

/// The one metric that math compares: alone, or as `FILL(m1, 0)`, which only says what a gap counts for.
fn as_it_is(queries: &[MathQuery]) -> Option<(&MetricId, &str, u32)> {
    let compared = queries.iter().find(|query| query.part == MathPart::Compared)?;
    let term = match &compared.term {
        MathTerm::Metric { .. } => &compared.term,
        MathTerm::Expression { text, .. } => {
            let id = filled(text).unwrap_or(text.trim());
            &queries.iter().find(|query| query.id == id)?.term
        }
    };
    match term {
        MathTerm::Metric { metric, statistic, period_s } => Some((metric, statistic, *period_s)),
        MathTerm::Expression { .. } => None,
    }
}

/// The name that `FILL(name, value)` fills.
fn filled(text: &str) -> Option<&str> {
    let inside = text.trim().strip_prefix("FILL(")?.strip_suffix(')')?;
    let (name, value) = inside.split_once(',')?;
    let value = value.trim();
    (matches!(value, "REPEAT" | "LINEAR") || value.parse::<f64>().is_ok()).then(|| name.trim())
}

/// The constant of the first of the alarms that is on the series of a query.
pub fn bound<'a>(alarms: impl IntoIterator<Item = &'a Alarm>, query: &MetricQuery) -> Option<Bound> {
    alarms.into_iter().find_map(|alarm| alarm.bound_of(query))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::alarm::fixture::alarm;
    use crate::domain::observation::metric::{MetricId, MetricRole};

    fn metric(name: &str) -> MetricId {
        MetricId { namespace: "AWS/ECS".into(), name: name.into(), ..MetricId::default() }
    }

    fn on(name: &str, (statistic, period_s): (Statistic, u32), (comparison, threshold): (Comparison, f64)) -> Alarm {
        alarm(name, AlarmRule::Metric { metric: metric("CPU"), statistic, period_s, comparison, threshold })
    }

    fn query(statistic: Statistic, period_s: u32) -> MetricQuery {
        MetricQuery { role: MetricRole::Cpu, metric: metric("CPU"), statistic, period_s }
    }

    #[test]
    fn a_constant_holds_for_the_series_it_is_compared_with_and_for_no_other() {
        use Statistic::{Average, Percentile, Sum};
        let out = on("out", (Average, 60), (Comparison::GreaterOrEqual, 75.0));
        let above = Some(Bound { value: 75.0, side: Some(Side::Above) });
        assert_eq!(out.bound_of(&query(Average, 60)), above);
        assert_eq!(out.bound_of(&query(Average, 300)), above, "a mean over five minutes is still a mean");
        assert_eq!(out.bound_of(&query(Percentile(990), 60)), None);
        assert_eq!(out.bound_of(&MetricQuery { metric: metric("Memory"), ..query(Average, 60) }), None);
        let five = on("count", (Sum, 300), (Comparison::Greater, 50.0));
        assert_eq!((five.bound_of(&query(Sum, 60)), five.bound_of(&query(Sum, 300)).is_some()), (None, true));
        let ratio = AlarmRule::Math {
            expression: "100*m1/m2".into(),
            comparison: Comparison::Greater,
            threshold: Some(1.0),
            metrics: vec![metric("CPU")],
            queries: Vec::new(),
        };
        assert_eq!(alarm("ratio", ratio).bound_of(&query(Average, 60)), None);
    }

    #[test]
    fn math_over_one_metric_as_it_is_holds_for_the_metric() {
        let (metric, statistic) = (metric("CPU"), "Average".to_owned());
        let input = MathTerm::Metric { metric: metric.clone(), statistic, period_s: 60 };
        let over = |text: &str| {
            let query = |id: &str, part, term| MathQuery { id: id.to_owned(), label: String::new(), part, term };
            let whole = MathTerm::Expression { text: text.to_owned(), period_s: None };
            alarm(
                "filled",
                AlarmRule::Math {
                    expression: text.to_owned(),
                    comparison: Comparison::Greater,
                    threshold: Some(75.0),
                    metrics: vec![metric.clone()],
                    queries: vec![query("e1", MathPart::Compared, whole), query("m1", MathPart::Input, input.clone())],
                },
            )
        };
        let bound = |text: &str| over(text).bound_of(&query(Statistic::Average, 60)).map(|bound| bound.value);
        for text in ["m1", " FILL(m1, 0) ", "FILL(m1,REPEAT)"] {
            assert_eq!(bound(text), Some(75.0), "{text}");
        }
        for text in ["100*m1", "FILL(m1, m2)", "FILL(m1, 0) + 1", "m2", "MAX(METRICS())", "FILL(m1"] {
            assert_eq!(bound(text), None, "{text}");
        }
        assert_eq!(over("m1").bound_of(&query(Statistic::Maximum, 60)), None);
    }

    #[test]
    fn the_side_is_that_of_the_comparison() {
        let low = on("in", (Statistic::Average, 60), (Comparison::Less, 30.0)).bound_of(&query(Statistic::Average, 60));
        let low = low.unwrap();
        assert_eq!((low.side, low.is_ceiling()), (Some(Side::Below), false));
        assert!(low.excess(45.0) < 0.0 && low.excess(20.0) > 0.0);
        assert!(Bound::from(30.0).excess(45.0) > 0.0);
    }
}
