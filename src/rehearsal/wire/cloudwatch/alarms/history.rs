//! `DescribeAlarmHistory`: how an alarm was made, each change of its state, and whom it notified.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::super::cbor::Value;
use super::super::{each_of, one_of, page, size};
use super::reason::{figures, reason};
use super::{TYPES, kind, shape, state_word};
use crate::domain::observation::alarm::AlarmState;
use crate::rehearsal::scenario::{AlarmSpec, Scenario};
use crate::rehearsal::wire::aws::Refusal;
use crate::rehearsal::world::{AlarmNow, Sight, Transition};

/// An item before it is worded: of which alarm, with which of its transitions, and what of it.
type Item = (Timestamp, usize, usize, Kind);

/// What an item tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    ConfigurationUpdate,
    StateUpdate,
    Action,
}

impl Kind {
    const WORDS: [&str; 5] =
        ["ConfigurationUpdate", "StateUpdate", "Action", "AlarmContributorStateUpdate", "AlarmContributorAction"];

    fn word(self) -> &'static str {
        match self {
            Self::ConfigurationUpdate => "ConfigurationUpdate",
            Self::StateUpdate => "StateUpdate",
            Self::Action => "Action",
        }
    }
}

/// A notification is sent a moment after the change it tells of.
const SENT_AFTER: SignedDuration = SignedDuration::from_millis(38);

/// The items, newest first unless asked otherwise. Without a name those of metric alarms only, unless types are asked for.
pub(in super::super) fn history(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    each_of(input, "AlarmTypes", &TYPES)?;
    one_of(input, "HistoryItemType", &Kind::WORDS)?;
    one_of(input, "ScanBy", &["TimestampDescending", "TimestampAscending"])?;
    let (name, types) = (input.str("AlarmName"), input.texts("AlarmTypes"));
    let is_type = |spec: &AlarmSpec| match types.as_slice() {
        [] => name.is_some() || kind(spec) == "MetricAlarm",
        types => types.contains(&kind(spec)),
    };
    let (from, to) = (input.time("StartDate"), input.time("EndDate"));
    let wanted = input.str("HistoryItemType");
    let alarms = sight.alarms();
    let mut items: Vec<Item> = Vec::new();
    for (index, alarm) in alarms.iter().enumerate() {
        if name.is_some_and(|name| name != alarm.spec.name) || !is_type(alarm.spec) {
            continue;
        }
        let dawn = sight.scenario().dawn();
        for (nth, step) in alarm.transitions.iter().enumerate() {
            if nth == 0 {
                items.push((dawn, index, nth, Kind::ConfigurationUpdate));
                continue;
            }
            items.push((step.at, index, nth, Kind::StateUpdate));
            // Only `AlarmActions` has an entry.
            let notified = step.to == AlarmState::Alarm;
            items.extend(notified.then_some((step.at + SENT_AFTER, index, nth, Kind::Action)));
        }
    }
    items.retain(|(.., kind)| wanted.is_none_or(|wanted| wanted == kind.word()));
    items.retain(|(at, ..)| *at <= sight.now() && from.is_none_or(|from| from <= *at) && to.is_none_or(|to| *at <= to));
    items.sort_unstable();
    if input.str("ScanBy") != Some("TimestampAscending") {
        items.reverse();
    }
    let (items, next) = page(&items, size(input, "MaxRecords", 50, 100)?, input.str("NextToken"))?;
    let told = items.into_iter().filter_map(|item| told(sight.scenario(), &alarms, item));
    let output = Value::map([("AlarmHistoryItems", Value::List(told.collect()))]);
    Ok(match next {
        Some(next) => output.with("NextToken", Value::text(next)),
        None => output,
    })
}

fn told(scenario: &Scenario, alarms: &[AlarmNow<'_>], (at, index, nth, kind): Item) -> Option<Value> {
    let alarm = alarms.get(index)?;
    let spec = alarm.spec;
    let steps = || Some((alarm.transitions.get(nth.checked_sub(1)?)?, alarm.transitions.get(nth)?));
    let (summary, data) = match kind {
        Kind::ConfigurationUpdate => {
            let created =
                json!({ "version": "1.0", "type": "Create", "createdAlarm": shape::configuration(scenario, spec) });
            (format!("Alarm \"{}\" created", spec.name), created)
        }
        Kind::StateUpdate => {
            let (old, new) = steps()?;
            let states = json!({ "version": "1.0", "oldState": side(spec, old), "newState": side(spec, new) });
            (format!("Alarm updated from {} to {}", state_word(old.to), state_word(new.to)), states)
        }
        Kind::Action => {
            let topic = shape::topic(scenario);
            (format!("Successfully executed action {topic}"), sent(scenario, spec, steps()?))
        }
    };
    Some(Value::map([
        ("AlarmName", Value::text(&spec.name)),
        ("AlarmType", Value::text(super::kind(spec))),
        ("Timestamp", Value::Time(at)),
        ("HistoryItemType", Value::text(kind.word())),
        ("HistorySummary", Value::text(summary)),
        ("HistoryData", Value::text(data.to_string())),
    ]))
}

/// What was published to the topic.
fn sent(scenario: &Scenario, spec: &AlarmSpec, (old, new): (&Transition, &Transition)) -> serde_json::Value {
    let message = json!({
        "AlarmName": spec.name,
        "AlarmDescription": spec.description,
        "AWSAccountId": scenario.scope.account.as_str(),
        "NewStateValue": state_word(new.to),
        "NewStateReason": reason(spec, new),
        "StateChangeTime": new.at.strftime("%Y-%m-%dT%H:%M:%S.000+0000").to_string(),
        "Region": scenario.scope.region.as_str(),
        "AlarmArn": super::arn(scenario, spec),
        "OldStateValue": state_word(old.to),
    });
    json!({
        "actionState": "Succeeded",
        "stateUpdateTimestamp": new.at.as_millisecond(),
        "notificationResource": shape::topic(scenario),
        "publishedMessage": json!({ "default": message.to_string() }).to_string(),
    })
}

fn side(spec: &AlarmSpec, transition: &Transition) -> serde_json::Value {
    let mut side = json!({ "stateValue": state_word(transition.to), "stateReason": reason(spec, transition) });
    if let Some(figures) = figures(spec, transition) {
        side["stateReasonData"] = figures;
    }
    side
}
