//! An alarm as DescribeAlarms and the history tell it: what it watches, and how it stands.

use serde_json::json;

use super::super::cbor::Value;
use super::super::dimensions;
use super::reason::{figures, reason};
use super::{arn, state_word};
use crate::domain::observation::alarm::Comparison;
use crate::domain::observation::metric::Statistic;
use crate::rehearsal::scenario::{AlarmSpec, BandSide, ConditionSpec, MathSpec, MetricSpec, MissingWord, Scenario};
use crate::rehearsal::world::AlarmNow;

/// The id of an anomaly alarm's band among its metrics, and of its metric.
const BAND: &str = "ad1";
const METRIC: &str = "m1";

/// Whom every alarm notifies.
pub(super) fn topic(scenario: &Scenario) -> String {
    format!("arn:aws:sns:{}:{}:oncall", scenario.scope.region, scenario.scope.account)
}

/// An alarm as it stands.
pub(super) fn described(scenario: &Scenario, alarm: &AlarmNow<'_>) -> Value {
    let spec = alarm.spec;
    let since = alarm.last().map_or(scenario.start, |transition| transition.at);
    let value = Value::map([
        ("AlarmName", Value::text(&spec.name)),
        ("AlarmArn", Value::text(arn(scenario, spec))),
        ("AlarmDescription", Value::text(&spec.description)),
        ("AlarmConfigurationUpdatedTimestamp", Value::Time(scenario.dawn())),
        ("ActionsEnabled", Value::Bool(true)),
        ("OKActions", Value::List(Vec::new())),
        ("AlarmActions", Value::List(vec![Value::text(topic(scenario))])),
        ("InsufficientDataActions", Value::List(Vec::new())),
        ("StateValue", Value::text(state_word(alarm.state()))),
        ("StateReason", Value::text(alarm.last().map_or_else(String::new, |last| reason(spec, last)))),
        ("StateUpdatedTimestamp", Value::Time(since)),
        ("StateTransitionedTimestamp", Value::Time(since)),
    ]);
    let value = match alarm.last().and_then(|last| figures(spec, last)) {
        Some(figures) => value.with("StateReasonData", Value::text(figures.to_string())),
        None => value,
    };
    conditioned(scenario, spec, value)
}

/// Adds what the alarm watches.
fn conditioned(scenario: &Scenario, spec: &AlarmSpec, value: Value) -> Value {
    let metric = |id: &str| scenario.metrics.iter().find(|metric| metric.id == id);
    match &spec.condition {
        ConditionSpec::Composite { rule } => value.with("AlarmRule", Value::text(rule)),
        ConditionSpec::Threshold { metric: id, statistic, comparison, threshold, period_s, math, .. } => {
            let value = shared_counts(spec, value)
                .with("Threshold", Value::Float(*threshold))
                .with("ComparisonOperator", Value::text(comparison_word(*comparison)));
            match (math, metric(id)) {
                (Some(math), _) => value.with("Metrics", expression(scenario, math, *statistic, *period_s)),
                (None, Some(metric)) => single(value, metric, *statistic, *period_s),
                (None, None) => value,
            }
        }
        ConditionSpec::AnomalyBand { metric: id, statistic, deviations, side, period_s, .. } => {
            let (band, series) = banded(metric(id), (*statistic, *period_s), *deviations);
            shared_counts(spec, value)
                .with("ComparisonOperator", Value::text(side_word(*side)))
                .with("ThresholdMetricId", Value::text(BAND))
                .with("Metrics", Value::List(series.into_iter().chain([band]).collect()))
        }
        ConditionSpec::Fixed { metric: id, statistic, comparison, threshold, .. } => {
            let value = shared_counts(spec, value)
                .with("Threshold", Value::Float(*threshold))
                .with("ComparisonOperator", Value::text(comparison_word(*comparison)));
            metric(id).map_or(value.clone(), |metric| single(value, metric, *statistic, 60))
        }
    }
}

/// How many points are looked at, and what a missing one counts for.
fn shared_counts(spec: &AlarmSpec, value: Value) -> Value {
    let (periods, to_alarm, missing) = match &spec.condition {
        ConditionSpec::Threshold { evaluation_periods, datapoints_to_alarm, missing, .. }
        | ConditionSpec::AnomalyBand { evaluation_periods, datapoints_to_alarm, missing, .. } => {
            (*evaluation_periods, *datapoints_to_alarm, *missing)
        }
        ConditionSpec::Fixed { .. } | ConditionSpec::Composite { .. } => (1, None, MissingWord::Missing),
    };
    value
        .with("EvaluationPeriods", Value::Int(i64::from(periods)))
        .with("DatapointsToAlarm", Value::Int(i64::from(to_alarm.unwrap_or(periods))))
        .with("TreatMissingData", Value::text(missing_word(missing)))
}

/// The queries of a band and of the series it is around.
fn banded(metric: Option<&MetricSpec>, stat: (Statistic, u32), deviations: f64) -> (Value, Option<Value>) {
    let label = metric.map_or_else(String::new, |metric| format!("{} (expected)", metric.name));
    let band = Value::map([
        ("Id", Value::text(BAND)),
        ("Expression", Value::text(format!("ANOMALY_DETECTION_BAND({METRIC}, {deviations})"))),
        ("Label", Value::text(label)),
        ("ReturnData", Value::Bool(true)),
    ]);
    (band, metric.map(|metric| self::stat(METRIC, metric, stat, true)))
}

/// One metric, named on the alarm itself; one of another account is a query with that account in it.
fn single(value: Value, metric: &MetricSpec, statistic: Statistic, period_s: u32) -> Value {
    if metric.account.is_some() {
        return value.with("Metrics", Value::List(vec![stat(METRIC, metric, (statistic, period_s), true)]));
    }
    let key = if matches!(statistic, Statistic::Percentile(_)) { "ExtendedStatistic" } else { "Statistic" };
    value
        .with("Namespace", Value::text(&metric.namespace))
        .with("MetricName", Value::text(&metric.name))
        .with("Dimensions", dimensions(metric.dimensions.iter()))
        .with("Period", Value::Int(i64::from(period_s)))
        .with(key, Value::text(statistic.to_string()))
}

/// An expression and its inputs.
fn expression(scenario: &Scenario, math: &MathSpec, statistic: Statistic, period_s: u32) -> Value {
    let result = Value::map([
        ("Id", Value::text("result")),
        ("Expression", Value::text(&math.expression)),
        ("ReturnData", Value::Bool(true)),
    ]);
    let inputs = math.inputs.iter().filter_map(|(name, id)| {
        let metric = scenario.metrics.iter().find(|metric| metric.id == *id)?;
        Some(stat(name, metric, (statistic, period_s), false))
    });
    Value::List(std::iter::once(result).chain(inputs).collect())
}

/// A metric among the queries of an alarm.
fn stat(id: &str, metric: &MetricSpec, (statistic, period_s): (Statistic, u32), is_returned: bool) -> Value {
    let named = Value::map([
        ("Namespace", Value::text(&metric.namespace)),
        ("MetricName", Value::text(&metric.name)),
        ("Dimensions", dimensions(metric.dimensions.iter())),
    ]);
    let stat = Value::map([
        ("Metric", named),
        ("Period", Value::Int(i64::from(period_s))),
        ("Stat", Value::text(statistic.to_string())),
    ]);
    let query = Value::map([("Id", Value::text(id)), ("MetricStat", stat), ("ReturnData", Value::Bool(is_returned))]);
    match &metric.account {
        Some(account) => query.with("AccountId", Value::text(account.as_str())),
        None => query,
    }
}

/// The metric an alarm is directly on: none for metric math, bands and composites.
pub(super) fn watched<'a>(scenario: &'a Scenario, spec: &AlarmSpec) -> Option<&'a MetricSpec> {
    let (ConditionSpec::Threshold { metric, math: None, .. } | ConditionSpec::Fixed { metric, .. }) = &spec.condition
    else {
        return None;
    };
    scenario.metrics.iter().find(|candidate| candidate.id == *metric)
}

/// How an alarm was made, as its history tells it.
pub(super) fn configuration(scenario: &Scenario, spec: &AlarmSpec) -> serde_json::Value {
    let mut made = json!({
        "alarmName": spec.name,
        "alarmArn": arn(scenario, spec),
        "alarmDescription": spec.description,
        "actionsEnabled": true,
        "alarmActions": [topic(scenario)],
    });
    let own = match &spec.condition {
        ConditionSpec::Composite { rule } => json!({ "alarmRule": rule }),
        ConditionSpec::Threshold { comparison, threshold, period_s, evaluation_periods, missing, .. } => json!({
            "comparisonOperator": comparison_word(*comparison),
            "threshold": threshold,
            "period": period_s,
            "evaluationPeriods": evaluation_periods,
            "treatMissingData": missing_word(*missing),
        }),
        ConditionSpec::AnomalyBand { side, period_s, evaluation_periods, missing, .. } => json!({
            "comparisonOperator": side_word(*side),
            "thresholdMetricId": BAND,
            "period": period_s,
            "evaluationPeriods": evaluation_periods,
            "treatMissingData": missing_word(*missing),
        }),
        ConditionSpec::Fixed { comparison, threshold, .. } => {
            json!({ "comparisonOperator": comparison_word(*comparison), "threshold": threshold })
        }
    };
    if let (Some(made), serde_json::Value::Object(own)) = (made.as_object_mut(), own) {
        made.extend(own);
    }
    made
}

fn comparison_word(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Greater => "GreaterThanThreshold",
        Comparison::GreaterOrEqual => "GreaterThanOrEqualToThreshold",
        Comparison::Less => "LessThanThreshold",
        Comparison::LessOrEqual => "LessThanOrEqualToThreshold",
        Comparison::OutsideBand => "LessThanLowerOrGreaterThanUpperThreshold",
    }
}

fn side_word(side: BandSide) -> &'static str {
    match side {
        BandSide::Outside => "LessThanLowerOrGreaterThanUpperThreshold",
        BandSide::Above => "GreaterThanUpperThreshold",
        BandSide::Below => "LessThanLowerThreshold",
    }
}

fn missing_word(missing: MissingWord) -> &'static str {
    match missing {
        MissingWord::Missing => "missing",
        MissingWord::Breaching => "breaching",
        MissingWord::NotBreaching => "notBreaching",
        MissingWord::Ignore => "ignore",
    }
}
