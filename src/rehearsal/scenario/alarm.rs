//! Alarms of a scenario. Their states are not written but evaluated over the series, as CloudWatch does.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;

use crate::domain::observation::alarm::{AlarmState, Comparison};
use crate::domain::observation::metric::Statistic;

/// An alarm.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmSpec {
    /// Its name.
    pub name: String,
    /// Its description, as the team wrote it.
    #[serde(default)]
    pub description: String,
    /// Its tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// What it watches.
    pub condition: ConditionSpec,
}

/// What an alarm watches.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ConditionSpec {
    /// A series of this file against a constant.
    Threshold {
        /// The `id` of the metric; with `math`, the one that holds the result.
        metric: String,
        /// How points of a period are combined.
        statistic: Statistic,
        /// Direction.
        comparison: Comparison,
        /// The constant.
        threshold: f64,
        /// Seconds a point covers; a multiple of 60.
        #[serde(default = "minute")]
        period_s: u32,
        /// Points looked at.
        #[serde(default = "one")]
        evaluation_periods: u32,
        /// Of them so many must breach; all where left out.
        #[serde(default)]
        datapoints_to_alarm: Option<u32>,
        /// How long after a minute its point is evaluated.
        #[serde(default = "three_seconds")]
        delay: SignedDuration,
        /// Told as metric math: the wire shows the expression and its inputs in place of the metric.
        #[serde(default)]
        math: Option<MathSpec>,
    },
    /// A rule over other alarms, told as written; in ALARM when any of those it names is (`ALARM(x) OR ALARM(y)`), or
    /// all where it says `AND`.
    Composite {
        /// The rule.
        rule: String,
    },
    /// A fixed state since an instant: for alarms that only fill the list.
    Fixed {
        /// The state.
        state: AlarmState,
        /// Since when, from start (negative).
        since: SignedDuration,
        /// The `id` of the metric it names.
        metric: String,
        /// How points of a period are combined.
        statistic: Statistic,
        /// Direction.
        comparison: Comparison,
        /// The constant.
        threshold: f64,
    },
}

/// How a result came about.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MathSpec {
    /// The expression over the inputs' names, as written.
    pub expression: String,
    /// The name of each input in the expression, and its metric's `id`.
    pub inputs: BTreeMap<String, String>,
}

fn minute() -> u32 {
    60
}

fn one() -> u32 {
    1
}

fn three_seconds() -> SignedDuration {
    SignedDuration::from_secs(3)
}
