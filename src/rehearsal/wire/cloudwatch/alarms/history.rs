//! `DescribeAlarmHistory`: how an alarm was made, and each change of its state.

use jiff::Timestamp;
use serde_json::json;

use super::super::cbor::Value;
use super::super::{page, size};
use super::reason::{figures, reason};
use super::{kind, shape, state_word};
use crate::rehearsal::scenario::{AlarmSpec, Scenario};
use crate::rehearsal::wire::aws::Refusal;
use crate::rehearsal::world::{AlarmNow, Sight, Transition};

/// An item before it is worded: of which alarm, and with which of its transitions; the first made it.
type Item = (Timestamp, usize, usize);

/// The items, newest first unless asked otherwise. Without a name those of metric alarms only, unless types are asked for.
pub(in super::super) fn history(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let (name, types) = (input.str("AlarmName"), input.texts("AlarmTypes"));
    let is_type = |spec: &AlarmSpec| match types.as_slice() {
        [] => name.is_some() || kind(spec) == "MetricAlarm",
        types => types.contains(&kind(spec)),
    };
    let (from, to) = (input.time("StartDate"), input.time("EndDate"));
    let wanted = |word: &str| input.str("HistoryItemType").is_none_or(|kind| kind == word);
    let (configurations, updates) = (wanted("ConfigurationUpdate"), wanted("StateUpdate"));
    let alarms = sight.alarms();
    let mut items: Vec<Item> = Vec::new();
    for (index, alarm) in alarms.iter().enumerate() {
        if name.is_some_and(|name| name != alarm.spec.name) || !is_type(alarm.spec) {
            continue;
        }
        let steps = alarm.transitions.iter().enumerate();
        let own = steps.map(|(nth, step)| (if nth == 0 { sight.scenario().dawn() } else { step.at }, index, nth));
        items.extend(own.filter(|(_, _, nth)| if *nth == 0 { configurations } else { updates }));
    }
    items.retain(|(at, ..)| from.is_none_or(|from| from <= *at) && to.is_none_or(|to| *at <= to));
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

fn told(scenario: &Scenario, alarms: &[AlarmNow<'_>], (at, index, nth): Item) -> Option<Value> {
    let alarm = alarms.get(index)?;
    let spec = alarm.spec;
    let (word, summary, data) = match nth.checked_sub(1) {
        None => {
            let created =
                json!({ "version": "1.0", "type": "Create", "createdAlarm": shape::configuration(scenario, spec) });
            ("ConfigurationUpdate", format!("Alarm \"{}\" created", spec.name), created)
        }
        Some(before) => {
            let (old, new) = (alarm.transitions.get(before)?, alarm.transitions.get(nth)?);
            let states = json!({ "version": "1.0", "oldState": side(spec, old), "newState": side(spec, new) });
            ("StateUpdate", format!("Alarm updated from {} to {}", state_word(old.to), state_word(new.to)), states)
        }
    };
    Some(Value::map([
        ("AlarmName", Value::text(&spec.name)),
        ("AlarmType", Value::text(kind(spec))),
        ("Timestamp", Value::Time(at)),
        ("HistoryItemType", Value::text(word)),
        ("HistorySummary", Value::text(summary)),
        ("HistoryData", Value::text(data.to_string())),
    ]))
}

fn side(spec: &AlarmSpec, transition: &Transition) -> serde_json::Value {
    let mut side = json!({ "stateValue": state_word(transition.to), "stateReason": reason(spec, transition) });
    if let Some(figures) = figures(spec, transition) {
        side["stateReasonData"] = figures;
    }
    side
}
