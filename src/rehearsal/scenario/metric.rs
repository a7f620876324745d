//! Metric series of a scenario: a history by shape or CSV column, and what they follow once the rehearsal runs.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;

use crate::domain::observation::metric::{MetricId, Unit};
use crate::domain::observation::scope::AccountId;

/// A metric CloudWatch holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSpec {
    /// The name alarms of this file refer to it by.
    pub id: String,
    /// Such as `AWS/ECS`.
    pub namespace: String,
    /// Such as `CPUUtilization`.
    pub name: String,
    /// Its dimensions.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// The linked account that has it; the one that is asked where left out.
    #[serde(default)]
    pub account: Option<AccountId>,
    /// The unit of its values.
    #[serde(default)]
    pub unit: Unit,
    /// Decimals its values are rounded to.
    #[serde(default = "two")]
    pub decimals: u8,
    /// The workload whose lives it follows, where it follows any.
    #[serde(default)]
    pub workload: Option<String>,
    /// Its points before start.
    pub history: HistorySpec,
    /// Whether a minute that comes to zero has a point.
    #[serde(default)]
    pub zero: ZeroSpec,
    /// Its points after start; as history where left out.
    #[serde(default)]
    pub after: AfterSpec,
    /// Its points in the days before the history; none where left out.
    #[serde(default)]
    pub days_before: Option<DaysBeforeSpec>,
    /// So many of it, `{n}` in its id, name and dimensions replaced by their number from 1.
    #[serde(default)]
    pub repeat: Option<u32>,
}

impl MetricSpec {
    /// What names it.
    pub fn named(&self) -> MetricId {
        let (namespace, name, account) = (self.namespace.clone(), self.name.clone(), self.account.clone());
        MetricId { namespace, name, dimensions: self.dimensions.clone(), account }
    }

    /// One for each repetition.
    pub(super) fn repeated(self) -> Vec<Self> {
        let numbered = |number: Option<String>| {
            let mut metric = self.clone();
            if let Some(number) = number {
                let fill = |text: &mut String| *text = text.replace("{n}", &number);
                [&mut metric.id, &mut metric.name].into_iter().for_each(fill);
                metric.dimensions.values_mut().for_each(fill);
            }
            metric
        };
        numbers(self.repeat).map(numbered).collect()
    }
}

/// The numbers of repetitions, all as wide as the last; one without a number where nothing is repeated.
pub(super) fn numbers(repeat: Option<u32>) -> impl Iterator<Item = Option<String>> {
    let width = repeat.map_or(0, |count| count.to_string().len());
    (1..=repeat.unwrap_or(1)).map(move |number| repeat.map(|_| format!("{number:0width$}")))
}

fn a_minute_before() -> SignedDuration {
    SignedDuration::from_mins(-1)
}

fn two() -> u8 {
    2
}

/// The points of the days before the history: of each, the minutes of the day that the history has.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DaysBeforeSpec {
    /// How many days.
    pub days: u32,
    /// Their level; that of the same minute of the history where left out.
    #[serde(default)]
    pub value: Option<f64>,
    /// Jitter, plus or minus.
    #[serde(default)]
    pub noise: f64,
}

/// What a minute that comes to zero has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ZeroSpec {
    /// A point of zero.
    #[default]
    Told,
    /// No point, as a load balancer's counts of failures.
    Silent,
}

/// The points before start, one a minute.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "shape", rename_all = "kebab-case", deny_unknown_fields)]
pub enum HistorySpec {
    /// No point at all: the metric is listed and empty.
    Empty,
    /// One value with jitter.
    Constant {
        /// The value.
        value: f64,
        /// Jitter, plus or minus.
        #[serde(default)]
        noise: f64,
    },
    /// Straight lines between knots, with jitter and exact figures where asked.
    Curve {
        /// Instants from start (negative) and values, ascending.
        knots: Vec<Knot>,
        /// Jitter, plus or minus.
        #[serde(default)]
        noise: f64,
        /// Exact figures over the last points.
        #[serde(default)]
        normalise: Option<Normalise>,
    },
    /// Mean memory of the workload's pods in percent of their limit.
    Memory,
    /// Containers of the workload's present pods whose life before ended in an OOM kill, counted with repetition.
    OomTerminations,
    /// Restarts of the containers of the workload's present pods.
    Restarts,
    /// Pods of the workload that run.
    Running,
    /// A column of a CSV file with a time column, re-stamped so that its last row is at `ends`.
    Csv {
        /// The file, from the scenario's folder.
        file: String,
        /// Which columns.
        #[serde(default)]
        columns: Column,
        /// The minute of its last row, from start (negative).
        #[serde(default = "a_minute_before")]
        ends: SignedDuration,
    },
}

/// A point of a curve.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Knot(
    /// When, from start (negative).
    pub SignedDuration,
    /// The value there.
    pub f64,
);

/// The columns of a CSV file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Header of the time column: RFC 3339, `YYYY-MM-DD HH:MM:SS` (UTC) or epoch seconds.
    pub time: String,
    /// Header of the value column.
    pub value: String,
}

impl Default for Column {
    fn default() -> Self {
        Self { time: "timestamp".to_owned(), value: "value".to_owned() }
    }
}

/// Figures a curve is stretched to, over the last `points` before start: the last point is the highest.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normalise {
    /// How many of the last points.
    pub points: usize,
    /// Their highest value, which is also the last.
    pub peak: f64,
    /// Their mean.
    pub mean: f64,
}

/// What a metric follows after start.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(tag = "follows", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AfterSpec {
    /// The history's own rule: the last knot, the constant, the lives.
    #[default]
    History,
    /// The history's own rule, shared out over the workload's running pods: with twice the replicas each has half.
    Load,
    /// The memory pressure of the workload: `healthy` without any, `sick` at the full.
    Pressure {
        /// At none.
        healthy: f64,
        /// At the full.
        sick: f64,
        /// Jitter, plus or minus.
        #[serde(default)]
        noise: f64,
    },
    /// How many of the workload's running pods have an image: `healthy` when none has, `sick` when all have.
    Release {
        /// The image of the release that is sick.
        image: String,
        /// Without it.
        healthy: f64,
        /// With nothing else.
        sick: f64,
        /// Jitter, plus or minus.
        #[serde(default)]
        noise: f64,
    },
    /// One value with jitter.
    Constant {
        /// The value.
        value: f64,
        /// Jitter, plus or minus.
        #[serde(default)]
        noise: f64,
    },
}
