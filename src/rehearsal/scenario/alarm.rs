//! Alarms of a scenario. Their states are not written but evaluated over the series, as CloudWatch does.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;

use crate::domain::observation::alarm::{AlarmState, Comparison};
use crate::domain::observation::metric::Statistic;

mod rule;

pub use rule::CompositeRule;

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
    /// So many of it, `{n}` in its texts and metric replaced by their number from 1.
    #[serde(default)]
    pub repeat: Option<u32>,
}

impl AlarmSpec {
    /// One for each repetition.
    pub(super) fn repeated(self) -> Vec<Self> {
        super::metric::numbers(self.repeat).map(|number| self.clone().numbered(number.as_deref())).collect()
    }

    fn numbered(mut self, number: Option<&str>) -> Self {
        let Some(number) = number else { return self };
        let fill = |text: &mut String| *text = text.replace("{n}", number);
        [&mut self.name, &mut self.description].into_iter().for_each(fill);
        self.tags.values_mut().for_each(fill);
        match &mut self.condition {
            ConditionSpec::Threshold { metric, math, .. } => {
                fill(metric);
                math.iter_mut().flat_map(|math| math.inputs.values_mut()).for_each(fill);
            }
            ConditionSpec::AnomalyBand { metric, .. } | ConditionSpec::Fixed { metric, .. } => fill(metric),
            ConditionSpec::Composite { rule } => fill(rule),
        }
        self
    }

    /// Why it can never be evaluated; `None` when it can. `known` tells metrics by id, `others` alarms by name.
    pub(super) fn contradiction(&self, known: &dyn Fn(&str) -> bool, others: &dyn Fn(&str) -> bool) -> Option<String> {
        let name = &self.name;
        let metrics: Vec<&String> = match &self.condition {
            ConditionSpec::Composite { rule } => {
                return match CompositeRule::parse(rule) {
                    Err(why) => Some(format!("The rule of {name:?} cannot be read: {why}.")),
                    Ok(rule) => rule
                        .names()
                        .into_iter()
                        .find(|child| !others(child) || *child == name)
                        .map(|child| format!("The rule of {name:?} names {child:?}, which is no other alarm here.")),
                };
            }
            ConditionSpec::Threshold { metric, math, .. } => {
                std::iter::once(metric).chain(math.iter().flat_map(|math| math.inputs.values())).collect()
            }
            ConditionSpec::AnomalyBand { metric, .. } | ConditionSpec::Fixed { metric, .. } => vec![metric],
        };
        let missing = metrics.into_iter().find(|id| !known(id))?;
        Some(format!("The alarm {name:?} watches the metric {missing:?}, which is not here."))
    }
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
        /// Metric math: what its inputs come to is compared in place of the metric, and told so on the wire.
        #[serde(default)]
        math: Option<MathSpec>,
        /// What a missing point counts for.
        #[serde(default)]
        missing: MissingWord,
    },
    /// A series of this file against a band around what is usual for it: no constant threshold.
    AnomalyBand {
        /// The `id` of the metric.
        metric: String,
        /// How points of a period are combined.
        statistic: Statistic,
        /// Half the width of the band in standard deviations.
        #[serde(default = "two_deviations")]
        deviations: f64,
        /// On which side of the band a point breaches.
        #[serde(default)]
        side: BandSide,
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
        /// What a missing point counts for.
        #[serde(default)]
        missing: MissingWord,
    },
    /// A rule over other alarms, as CloudWatch takes it: `ALARM`, `OK` and `INSUFFICIENT_DATA` of a name, `AND`, `OR`,
    /// `NOT`, parentheses. The alarms may be composite themselves.
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

/// What a missing point counts for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingWord {
    /// For nothing; without any point the data are insufficient.
    #[default]
    Missing,
    /// For a breach.
    Breaching,
    /// For no breach.
    NotBreaching,
    /// For nothing; without enough points the state stays.
    Ignore,
}

/// On which side of a band a point breaches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BandSide {
    /// On either.
    #[default]
    Outside,
    /// Above it.
    Above,
    /// Below it.
    Below,
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

fn two_deviations() -> f64 {
    2.0
}

fn one() -> u32 {
    1
}

fn three_seconds() -> SignedDuration {
    SignedDuration::from_secs(3)
}
