//! The operations on alarms: listing, history, alarms of a metric, tags.

use jiff::Timestamp;
use serde_json::json;

use super::cbor::Value;
use super::{asked_dimensions, dimensions, page, size};
use crate::domain::observation::alarm::{AlarmState, Comparison};
use crate::domain::observation::metric::Statistic;
use crate::rehearsal::scenario::{AlarmSpec, ConditionSpec, MathSpec, MetricSpec, Scenario};
use crate::rehearsal::wire::aws::Refusal;
use crate::rehearsal::world::{AlarmNow, Sight, Transition};

/// `DescribeAlarms`: metric alarms only unless `AlarmTypes` asks for composites, 50 a page unless asked otherwise.
pub(super) fn describe(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let (names, types) = (input.texts("AlarmNames"), input.texts("AlarmTypes"));
    let (metric, composite) = (types.is_empty() || types.contains(&"MetricAlarm"), types.contains(&"CompositeAlarm"));
    let mut alarms: Vec<AlarmNow<'_>> = sight.alarms();
    alarms.retain(|alarm| {
        let is_composite = matches!(alarm.spec.condition, ConditionSpec::Composite { .. });
        (if is_composite { composite } else { metric })
            && (names.is_empty() || names.contains(&alarm.spec.name.as_str()))
            && input.str("AlarmNamePrefix").is_none_or(|prefix| alarm.spec.name.starts_with(prefix))
            && input.str("StateValue").is_none_or(|state| state == state_word(alarm.state()))
    });
    alarms.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
    let (alarms, next) = page(&alarms, size(input, "MaxRecords", 50, 100)?, input.str("NextToken"))?;
    let (composites, metrics): (Vec<_>, Vec<_>) =
        alarms.iter().partition(|alarm| matches!(alarm.spec.condition, ConditionSpec::Composite { .. }));
    let list = |alarms: Vec<&AlarmNow<'_>>| {
        Value::List(alarms.into_iter().map(|alarm| described(sight.scenario(), alarm)).collect())
    };
    let output = Value::map([("MetricAlarms", list(metrics)), ("CompositeAlarms", list(composites))]);
    Ok(match next {
        Some(next) => output.with("NextToken", Value::text(next)),
        None => output,
    })
}

/// `DescribeAlarmsForMetric`: the alarms directly on a metric.
pub(super) fn for_metric(sight: &Sight<'_>, input: &Value) -> Value {
    let asked = asked_dimensions(input);
    let scenario = sight.scenario();
    let on = |spec: &AlarmSpec| {
        watched(scenario, spec).is_some_and(|metric| {
            input.str("MetricName") == Some(&metric.name)
                && input.str("Namespace") == Some(&metric.namespace)
                && metric.dimensions.len() == asked.len()
                && asked.iter().all(|(name, value)| metric.dimensions.get(*name).map(String::as_str) == *value)
        })
    };
    let alarms = sight.alarms();
    let found = alarms.iter().filter(|alarm| on(alarm.spec)).map(|alarm| described(scenario, alarm)).collect();
    Value::map([("MetricAlarms", Value::List(found))])
}

/// `DescribeAlarmHistory`: state updates, newest first unless asked otherwise.
pub(super) fn history(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let mut items: Vec<(Timestamp, Value)> = Vec::new();
    if input.str("HistoryItemType").is_none_or(|kind| kind == "StateUpdate") {
        for alarm in sight.alarms() {
            if input.str("AlarmName").is_none_or(|name| name == alarm.spec.name) {
                let pairs = alarm.transitions.windows(2);
                items.extend(pairs.map(|pair| (pair[1].at, item(alarm.spec, &pair[0], &pair[1]))));
            }
        }
    }
    items.retain(|(at, _)| {
        input.time("StartDate").is_none_or(|from| from <= *at) && input.time("EndDate").is_none_or(|to| *at <= to)
    });
    items.sort_by_key(|(at, _)| *at);
    if input.str("ScanBy") != Some("TimestampAscending") {
        items.reverse();
    }
    let items: Vec<Value> = items.into_iter().map(|(_, item)| item).collect();
    let (items, next) = page(&items, size(input, "MaxRecords", 50, 100)?, input.str("NextToken"))?;
    let output = Value::map([("AlarmHistoryItems", Value::List(items))]);
    Ok(match next {
        Some(next) => output.with("NextToken", Value::text(next)),
        None => output,
    })
}

/// `ListTagsForResource`, for alarms.
pub(super) fn tags(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let scenario = sight.scenario();
    let wanted = input.str("ResourceARN").unwrap_or_default();
    let alarm = scenario.alarms.iter().find(|spec| arn(scenario, spec) == wanted).ok_or_else(|| Refusal {
        status: 404,
        ..Refusal::invalid("ResourceNotFoundException", format!("Resource {wanted} does not exist"))
    })?;
    let tags =
        alarm.tags.iter().map(|(key, value)| Value::map([("Key", Value::text(key)), ("Value", Value::text(value))]));
    Ok(Value::map([("Tags", Value::List(tags.collect()))]))
}

fn item(spec: &AlarmSpec, from: &Transition, to: &Transition) -> Value {
    let side = |transition: &Transition| {
        json!({
            "stateValue": state_word(transition.to),
            "stateReason": reason(spec, transition),
            "stateReasonData": reason_figures(spec, transition),
        })
    };
    let figures = json!({ "version": "1.0", "oldState": side(from), "newState": side(to) });
    let summary = format!("Alarm updated from {} to {}", state_word(from.to), state_word(to.to));
    let kind = if matches!(spec.condition, ConditionSpec::Composite { .. }) { "CompositeAlarm" } else { "MetricAlarm" };
    Value::map([
        ("AlarmName", Value::text(&spec.name)),
        ("AlarmType", Value::text(kind)),
        ("Timestamp", Value::Time(to.at)),
        ("HistoryItemType", Value::text("StateUpdate")),
        ("HistorySummary", Value::text(summary)),
        ("HistoryData", Value::text(figures.to_string())),
    ])
}

fn described(scenario: &Scenario, alarm: &AlarmNow<'_>) -> Value {
    let spec = alarm.spec;
    let since = alarm.last().map_or(scenario.start, |transition| transition.at);
    let topic = format!("arn:aws:sns:{}:{}:oncall", scenario.scope.region, scenario.scope.account);
    let value = Value::map([
        ("AlarmName", Value::text(&spec.name)),
        ("AlarmArn", Value::text(arn(scenario, spec))),
        ("AlarmDescription", Value::text(&spec.description)),
        ("AlarmConfigurationUpdatedTimestamp", Value::Time(scenario.dawn())),
        ("ActionsEnabled", Value::Bool(true)),
        ("OKActions", Value::List(Vec::new())),
        ("AlarmActions", Value::List(vec![Value::text(topic)])),
        ("InsufficientDataActions", Value::List(Vec::new())),
        ("StateValue", Value::text(state_word(alarm.state()))),
        ("StateReason", Value::text(alarm.last().map_or_else(String::new, |last| reason(spec, last)))),
        ("StateUpdatedTimestamp", Value::Time(since)),
        ("StateTransitionedTimestamp", Value::Time(since)),
    ]);
    let value = match alarm.last().and_then(|last| reason_figures(spec, last)) {
        Some(figures) => value.with("StateReasonData", Value::text(figures.to_string())),
        None => value,
    };
    conditioned(scenario, spec, value)
}

/// Adds what the alarm watches.
fn conditioned(scenario: &Scenario, spec: &AlarmSpec, value: Value) -> Value {
    let (statistic, comparison, threshold) = match &spec.condition {
        ConditionSpec::Composite { rule } => return value.with("AlarmRule", Value::text(rule)),
        ConditionSpec::Threshold { statistic, comparison, threshold, .. }
        | ConditionSpec::Fixed { statistic, comparison, threshold, .. } => (*statistic, *comparison, *threshold),
    };
    let (period, periods, to_alarm, math) = match &spec.condition {
        ConditionSpec::Threshold { period_s, evaluation_periods, datapoints_to_alarm, math, .. } => {
            (*period_s, *evaluation_periods, datapoints_to_alarm.unwrap_or(*evaluation_periods), math.as_ref())
        }
        _ => (60, 1, 1, None),
    };
    let value = value
        .with("EvaluationPeriods", Value::Int(i64::from(periods)))
        .with("DatapointsToAlarm", Value::Int(i64::from(to_alarm)))
        .with("Threshold", Value::Float(threshold))
        .with("ComparisonOperator", Value::text(comparison_word(comparison)))
        .with("TreatMissingData", Value::text("missing"));
    match (math, watched(scenario, spec)) {
        (Some(math), _) => value.with("Metrics", expression(scenario, math, statistic, period)),
        (None, Some(metric)) => {
            let key = if matches!(statistic, Statistic::Percentile(_)) { "ExtendedStatistic" } else { "Statistic" };
            value
                .with("Namespace", Value::text(&metric.namespace))
                .with("MetricName", Value::text(&metric.name))
                .with("Dimensions", dimensions(metric.dimensions.iter()))
                .with("Period", Value::Int(i64::from(period)))
                .with(key, Value::text(statistic.to_string()))
        }
        (None, None) => value,
    }
}

fn expression(scenario: &Scenario, math: &MathSpec, statistic: Statistic, period: u32) -> Value {
    let mut queries = vec![Value::map([
        ("Id", Value::text("result")),
        ("Expression", Value::text(&math.expression)),
        ("ReturnData", Value::Bool(true)),
    ])];
    for (name, id) in &math.inputs {
        let Some(metric) = scenario.metrics.iter().find(|metric| metric.id == *id) else { continue };
        let stat = Value::map([
            (
                "Metric",
                Value::map([
                    ("Namespace", Value::text(&metric.namespace)),
                    ("MetricName", Value::text(&metric.name)),
                    ("Dimensions", dimensions(metric.dimensions.iter())),
                ]),
            ),
            ("Period", Value::Int(i64::from(period))),
            ("Stat", Value::text(statistic.to_string())),
        ]);
        queries.push(Value::map([("Id", Value::text(name)), ("MetricStat", stat), ("ReturnData", Value::Bool(false))]));
    }
    Value::List(queries)
}

/// The metric an alarm is directly on: none for metric math and composites.
fn watched<'a>(scenario: &'a Scenario, spec: &AlarmSpec) -> Option<&'a MetricSpec> {
    let (ConditionSpec::Threshold { metric, math: None, .. } | ConditionSpec::Fixed { metric, .. }) = &spec.condition
    else {
        return None;
    };
    scenario.metrics.iter().find(|candidate| candidate.id == *metric)
}

/// The reason as CloudWatch words it.
fn reason(spec: &AlarmSpec, transition: &Transition) -> String {
    let ConditionSpec::Threshold { comparison, threshold, evaluation_periods, datapoints_to_alarm, .. } =
        &spec.condition
    else {
        return match transition.to {
            AlarmState::Ok => format!("{} transitioned to OK", spec.name),
            AlarmState::Alarm => format!("{} transitioned to ALARM", spec.name),
            AlarmState::InsufficientData => "Unchecked: Initial alarm creation".to_owned(),
        };
    };
    if transition.points.is_empty() {
        return format!("Insufficient Data: {evaluation_periods} datapoints were unknown.");
    }
    let to_alarm = datapoints_to_alarm.unwrap_or(*evaluation_periods);
    let (count, direction) = match transition.to {
        AlarmState::Alarm => (transition.breaching, "OK -> ALARM"),
        _ => (transition.points.len() - transition.breaching, "ALARM -> OK"),
    };
    let shown: Vec<String> = transition
        .points
        .iter()
        .take(5)
        .map(|point| format!("{} ({})", figure(point.value), point.at.strftime("%d/%m/%y %H:%M:%S")))
        .collect();
    let (verb, plural) = if transition.points.len() == 1 { ("was", "") } else { ("were", "s") };
    let negated = if transition.to == AlarmState::Alarm { "" } else { "not " };
    format!(
        "Threshold Crossed: {count} out of the last {} datapoint{plural} [{}] {verb} {negated}{} the threshold ({}) \
         (minimum {to_alarm} datapoint{} for {direction} transition).",
        transition.points.len(),
        shown.join(", "),
        comparison_text(*comparison),
        figure(*threshold),
        if to_alarm == 1 { "" } else { "s" },
    )
}

/// `StateReasonData`: the figures behind the reason.
fn reason_figures(spec: &AlarmSpec, transition: &Transition) -> Option<serde_json::Value> {
    let ConditionSpec::Threshold { statistic, threshold, period_s, .. } = &spec.condition else { return None };
    let newest = transition.points.first()?;
    let oldest = transition.points.last()?;
    let stamp = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string();
    Some(json!({
        "version": "1.0",
        "queryDate": stamp(transition.at),
        "startDate": stamp(oldest.at),
        "statistic": statistic.to_string(),
        "period": period_s,
        "recentDatapoints": transition.points.iter().rev().map(|point| point.value).collect::<Vec<f64>>(),
        "threshold": threshold,
        "evaluatedDatapoints": [{ "timestamp": stamp(newest.at), "sampleCount": 1.0, "value": newest.value }],
    }))
}

fn figure(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.1}") } else { value.to_string() }
}

fn arn(scenario: &Scenario, spec: &AlarmSpec) -> String {
    format!("arn:aws:cloudwatch:{}:{}:alarm:{}", scenario.scope.region, scenario.scope.account, spec.name)
}

fn state_word(state: AlarmState) -> &'static str {
    match state {
        AlarmState::Ok => "OK",
        AlarmState::Alarm => "ALARM",
        AlarmState::InsufficientData => "INSUFFICIENT_DATA",
    }
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

fn comparison_text(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Greater | Comparison::OutsideBand => "greater than",
        Comparison::GreaterOrEqual => "greater than or equal to",
        Comparison::Less => "less than",
        Comparison::LessOrEqual => "less than or equal to",
    }
}
