//! `DescribeAlarmHistory`: the changes of an alarm's state, newest first, asked for when a person opens the alarm.

use aws_sdk_cloudwatch::types::{AlarmHistoryItem, AlarmType, HistoryItemType, ScanBy, StateValue};
use serde_json::Value;

use super::{instant, state_of, tidy};
use crate::adapters::aws::call::{CallError, Step};
use crate::adapters::aws::clients::Clients;
use crate::adapters::budget::Family;
use crate::domain::fault::Fault;
use crate::domain::observation::alarm::{AlarmHistory, AlarmName, AlarmState, Reach, Transition};

/// Items a page may hold, by the API.
const PAGE: i32 = 100;

/// Why the history could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// A page could not be read.
    #[error("page {page} of the history of {alarm} could not be read")]
    DescribePage {
        /// Whose.
        alarm: AlarmName,
        /// From 1.
        page: u32,
        /// Why.
        source: CallError,
    },
}

impl HistoryError {
    /// As a person reads it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::DescribePage { alarm, page, source } => source.fault(Step {
                summary: &format!("The history of the alarm {alarm} could not be read (page {page})."),
                action: "cloudwatch:DescribeAlarmHistory",
            }),
        }
    }
}

/// Reads the newest changes of state, up to `most`. Takes one turn of [`Family::AlarmHistory`] a page.
pub async fn describe(clients: &Clients, alarm: &AlarmName, most: usize) -> Result<AlarmHistory, HistoryError> {
    let mut history = AlarmHistory::default();
    let mut token: Option<String> = None;
    for page in 1_u32.. {
        clients.turn(Family::AlarmHistory).await;
        let request = clients
            .cloudwatch
            .describe_alarm_history()
            .alarm_name(alarm.as_str())
            // Without these, composites have none.
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .history_item_type(HistoryItemType::StateUpdate)
            .scan_by(ScanBy::TimestampDescending)
            .max_records(PAGE)
            .set_next_token(token.clone());
        let failed = |source| HistoryError::DescribePage { alarm: alarm.clone(), page, source };
        let answer = request.send().await.map_err(|error| failed(CallError::of(&error)))?;
        for item in answer.alarm_history_items() {
            match transition(item) {
                Some(transition) => history.transitions.push(transition),
                None => history.unreadable += 1,
            }
        }
        let next = answer.next_token.filter(|next| !next.is_empty());
        if history.transitions.len() > most || (history.transitions.len() == most && next.is_some()) {
            history.reach = Reach::Cut;
            break;
        }
        if next.is_none() {
            break;
        }
        if next == token {
            return Err(failed(CallError::Malformed("the same page was offered twice".to_owned())));
        }
        token = next;
    }
    history.transitions.sort_by_key(|transition| std::cmp::Reverse(transition.at));
    history.transitions.truncate(most);
    Ok(history)
}

/// The states are in the JSON beside the summary; without it the summary says them: `Alarm updated from OK to ALARM`.
fn transition(item: &AlarmHistoryItem) -> Option<Transition> {
    let at = item.timestamp().and_then(instant)?;
    let data: Value = item.history_data().and_then(|data| serde_json::from_str(data).ok()).unwrap_or_default();
    let told = |side: &str| word(data[side]["stateValue"].as_str()?);
    let summary = item.history_summary().unwrap_or_default();
    let (from, to) = if let Some(to) = told("newState") {
        (told("oldState"), to)
    } else {
        let (before, after) = summary.rsplit_once(" to ")?;
        (before.rsplit_once(" from ").and_then(|(_, from)| word(from)), word(after)?)
    };
    let reason = data["newState"]["stateReason"].as_str();
    Some(Transition { at, from, to, reason: tidy(reason.or(Some(summary))) })
}

fn word(text: &str) -> Option<AlarmState> {
    state_of(&StateValue::from(text.trim()))
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudwatch::primitives::DateTime;

    use super::*;

    #[test]
    fn states_come_from_the_data_and_else_from_the_summary() {
        let item = |data: Option<&str>, summary: &str| {
            let item = AlarmHistoryItem::builder().timestamp(DateTime::from_secs(5)).history_summary(summary);
            transition(&item.set_history_data(data.map(str::to_owned)).build())
        };
        let data = r#"{"oldState":{"stateValue":"INSUFFICIENT_DATA"},
            "newState":{"stateValue":"ALARM","stateReason":"Threshold Crossed\u001b[2J"}}"#;
        let found = item(Some(data), "Alarm updated from OK to ALARM").unwrap();
        assert_eq!((found.from, found.to), (Some(AlarmState::InsufficientData), AlarmState::Alarm));
        assert_eq!(found.reason, "Threshold Crossed\\x1b[2J");
        let found = item(None, "Alarm updated from ALARM to OK").unwrap();
        assert_eq!((found.from, found.to), (Some(AlarmState::Alarm), AlarmState::Ok));
        assert_eq!(found.reason, "Alarm updated from ALARM to OK");
        assert_eq!(item(Some("not json"), "Alarm \"x\" created"), None);
    }
}
