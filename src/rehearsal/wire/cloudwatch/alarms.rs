//! The operations on alarms: listing, alarms of a metric, tags. Their history, shape and reasons are in their own files.

mod history;
mod reason;
mod shape;

use super::cbor::Value;
use super::{asked_dimensions, each_of, one_of, page, size};
use crate::domain::observation::alarm::AlarmState;
use crate::rehearsal::scenario::{AlarmSpec, CompositeRule, ConditionSpec, Scenario};
use crate::rehearsal::wire::aws::Refusal;
use crate::rehearsal::world::{AlarmNow, Sight};

pub(super) use history::history;

use shape::{described, watched};

/// Alarms that a request may name (API reference).
const MOST_NAMES: usize = 100;

const TYPES: [&str; 2] = ["CompositeAlarm", "MetricAlarm"];

/// Which alarms a listing is of.
struct Wanted<'v> {
    names: Vec<&'v str>,
    types: Vec<&'v str>,
    prefix: Option<&'v str>,
    state: Option<&'v str>,
    action: Option<&'v str>,
    children_of: Option<&'v str>,
    parents_of: Option<&'v str>,
}

impl<'v> Wanted<'v> {
    fn of(input: &'v Value) -> Result<Self, Refusal> {
        each_of(input, "AlarmTypes", &TYPES)?;
        one_of(input, "StateValue", &["INSUFFICIENT_DATA", "ALARM", "OK"])?;
        let wanted = Self {
            names: input.texts("AlarmNames"),
            types: input.texts("AlarmTypes"),
            prefix: input.str("AlarmNamePrefix"),
            state: input.str("StateValue"),
            action: input.str("ActionPrefix"),
            children_of: input.str("ChildrenOfAlarmName"),
            parents_of: input.str("ParentsOfAlarmName"),
        };
        if wanted.names.len() > MOST_NAMES {
            return Err(invalid(format!("At most {MOST_NAMES} AlarmNames are allowed.")));
        }
        if !wanted.names.is_empty() && wanted.prefix.is_some() {
            return Err(invalid("AlarmNames and AlarmNamePrefix cannot be combined."));
        }
        let is_family = wanted.children_of.is_some() || wanted.parents_of.is_some();
        let others = [wanted.prefix, wanted.state, wanted.action];
        let is_filtered = !wanted.names.is_empty() || !wanted.types.is_empty() || others.iter().any(Option::is_some);
        if is_family && (is_filtered || wanted.children_of.is_some() == wanted.parents_of.is_some()) {
            return Err(invalid("ChildrenOfAlarmName or ParentsOfAlarmName takes no other filter."));
        }
        Ok(wanted)
    }

    /// Metric alarms only, unless types are asked for.
    fn takes(&self, scenario: &Scenario, alarm: &AlarmNow<'_>) -> bool {
        let spec = alarm.spec;
        let named = |parent: &AlarmSpec, child: &str| children(parent).iter().any(|name| name == child);
        if let Some(parent) = self.children_of {
            return scenario.alarms.iter().any(|spec| spec.name == parent && named(spec, &alarm.spec.name));
        }
        if let Some(child) = self.parents_of {
            return named(spec, child);
        }
        let is_type =
            if self.types.is_empty() { kind(spec) == "MetricAlarm" } else { self.types.contains(&kind(spec)) };
        is_type
            && (self.names.is_empty() || self.names.contains(&spec.name.as_str()))
            && self.prefix.is_none_or(|prefix| spec.name.starts_with(prefix))
            && self.state.is_none_or(|state| state == state_word(alarm.state()))
            && self.action.is_none_or(|prefix| shape::topic(scenario).starts_with(prefix))
    }
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::invalid("ValidationError", message)
}

/// The type of an alarm.
fn kind(spec: &AlarmSpec) -> &'static str {
    match &spec.condition {
        ConditionSpec::Composite { .. } => "CompositeAlarm",
        ConditionSpec::Threshold { .. } | ConditionSpec::AnomalyBand { .. } | ConditionSpec::Fixed { .. } => {
            "MetricAlarm"
        }
    }
}

/// The alarms that a composite one names.
fn children(spec: &AlarmSpec) -> Vec<String> {
    let ConditionSpec::Composite { rule } = &spec.condition else { return Vec::new() };
    CompositeRule::parse(rule).map(|rule| rule.names().into_iter().cloned().collect()).unwrap_or_default()
}

/// `DescribeAlarms`: by name, 50 a page unless asked otherwise.
pub(super) fn describe(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let (wanted, scenario) = (Wanted::of(input)?, sight.scenario());
    let mut alarms: Vec<AlarmNow<'_>> = sight.alarms();
    alarms.retain(|alarm| wanted.takes(scenario, alarm));
    alarms.sort_by(|a, b| a.spec.name.cmp(&b.spec.name));
    let (alarms, next) = page(&alarms, size(input, "MaxRecords", 50, 100)?, input.str("NextToken"))?;
    let list = |kind: &str| {
        let own = alarms.iter().filter(|alarm| self::kind(alarm.spec) == kind);
        Value::List(own.map(|alarm| described(scenario, alarm)).collect())
    };
    let output = Value::map([("MetricAlarms", list("MetricAlarm")), ("CompositeAlarms", list("CompositeAlarm"))]);
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
