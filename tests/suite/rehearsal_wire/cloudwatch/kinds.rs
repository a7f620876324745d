//! Alarms of every kind, their history, and the options of their listing.

use std::collections::BTreeMap;

use aws_sdk_cloudwatch::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatch::types::{AlarmHistoryItem, AlarmType, ComparisonOperator, HistoryItemType, ScanBy, StateValue};
use pagerdeck::rehearsal::server::Rehearsal;

use super::super::{after, client, play_with, sdk_time};

/// A metric that leaves its band in the last minute, one without points, one that falls silent, and alarms on them.
const KINDS: &str = r#"
[[metric]]
id = "usual"
namespace = "Shop"
name = "Orders"
history = { shape = "curve", knots = [["-3h", 50.0], ["-2m", 50.0], ["-1m", 90.0]], noise = 1.0 }
[[metric]]
id = "silent"
namespace = "Shop"
name = "Silent"
history = { shape = "empty" }
[[alarm]]
name = "band"
condition = { kind = "anomaly-band", metric = "usual", statistic = "average", deviations = 4.0, side = "above" }
[[alarm]]
name = "band-below"
condition = { kind = "anomaly-band", metric = "usual", statistic = "average", side = "below", evaluation_periods = 3, datapoints_to_alarm = 2 }
[[alarm]]
name = "silent-missing"
condition = { kind = "threshold", metric = "silent", statistic = "sum", comparison = "greater", threshold = 1.0 }
[[alarm]]
name = "silent-breaching"
condition = { kind = "threshold", metric = "silent", statistic = "sum", comparison = "greater", threshold = 1.0, missing = "breaching" }
[[alarm]]
name = "silent-not-breaching"
condition = { kind = "threshold", metric = "silent", statistic = "sum", comparison = "greater", threshold = 1.0, missing = "not-breaching" }
[[alarm]]
name = "silent-ignore"
condition = { kind = "threshold", metric = "silent", statistic = "sum", comparison = "greater", threshold = 1.0, missing = "ignore" }
[[alarm]]
name = "inner"
condition = { kind = "composite", rule = 'ALARM("band") AND NOT (OK("silent-missing") OR FALSE)' }
[[alarm]]
name = "outer"
condition = { kind = "composite", rule = "ALARM(inner) AND INSUFFICIENT_DATA(silent-missing) AND OK(band-below)" }
"#;

async fn states(rehearsal: &Rehearsal) -> BTreeMap<String, StateValue> {
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let ask = client.describe_alarms().alarm_types(AlarmType::MetricAlarm).alarm_types(AlarmType::CompositeAlarm);
    let answer = ask.max_records(100).send().await.unwrap();
    let metric = answer.metric_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
    let composite = answer.composite_alarms().iter().map(|alarm| (alarm.alarm_name(), alarm.state_value()));
    metric.chain(composite).map(|(name, state)| (name.unwrap().to_owned(), state.unwrap().clone())).collect()
}

#[tokio::test]
async fn each_kind_stands_as_its_series_or_its_children_say() {
    let rehearsal = play_with(KINDS).await;
    let before = states(&rehearsal).await;
    assert_eq!(
        (&before["band"], &before["inner"], &before["outer"]),
        (&StateValue::Ok, &StateValue::Ok, &StateValue::Ok)
    );
    rehearsal.clock.jump_to(after(&rehearsal, 3));
    let now = states(&rehearsal).await;
    for (name, state) in [
        ("band", StateValue::Alarm),
        ("band-below", StateValue::Ok),
        ("silent-missing", StateValue::InsufficientData),
        ("silent-breaching", StateValue::Alarm),
        ("silent-not-breaching", StateValue::Ok),
        ("silent-ignore", StateValue::InsufficientData),
        ("inner", StateValue::Alarm),
        ("outer", StateValue::Alarm),
    ] {
        assert_eq!(now[name], state, "{name}");
    }
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_band_has_no_constant_threshold_and_says_which_edge_was_left() {
    let rehearsal = play_with(KINDS).await;
    rehearsal.clock.jump_to(after(&rehearsal, 3));
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let listed = client.describe_alarms().alarm_names("band").alarm_names("silent-breaching").send().await.unwrap();
    let alarm = &listed.metric_alarms()[0];
    assert_eq!((alarm.threshold(), alarm.metric_name()), (None, None));
    assert_eq!(alarm.comparison_operator(), Some(&ComparisonOperator::GreaterThanUpperThreshold));
    let band = alarm.metrics().iter().find(|query| query.id() == alarm.threshold_metric_id()).unwrap();
    assert_eq!(band.expression(), Some("ANOMALY_DETECTION_BAND(m1, 4)"));
    let stat = alarm.metrics().iter().find_map(|query| query.metric_stat()).unwrap();
    assert_eq!(stat.metric().unwrap().metric_name(), Some("Orders"));
    let reason = alarm.state_reason().unwrap();
    assert!(reason.contains("greater than the upper thresholds [5"), "{reason}");
    let figures: serde_json::Value = serde_json::from_str(alarm.state_reason_data().unwrap()).unwrap();
    assert!(
        figures["threshold"].is_null() && figures["recentUpperThresholds"][0].as_f64().unwrap() < 60.0,
        "{figures}"
    );
    let silent = &listed.metric_alarms()[1];
    assert_eq!(silent.treat_missing_data(), Some("breaching"));
    assert!(silent.state_reason().unwrap().contains("treated as [Breaching]"), "{:?}", silent.state_reason());
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_listing_takes_prefixes_states_families_and_refuses_what_excludes_each_other() {
    let rehearsal = play_with(KINDS).await;
    rehearsal.clock.jump_to(after(&rehearsal, 3));
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let ask = || client.describe_alarms();
    let silent = ask().alarm_name_prefix("silent-").state_value(StateValue::InsufficientData).send().await.unwrap();
    let names: Vec<_> = silent.metric_alarms().iter().filter_map(|alarm| alarm.alarm_name()).collect();
    assert_eq!(names, ["silent-ignore", "silent-missing"]);
    let children = ask().children_of_alarm_name("outer").send().await.unwrap();
    let metric: Vec<_> = children.metric_alarms().iter().filter_map(|alarm| alarm.alarm_name()).collect();
    assert_eq!((metric, children.composite_alarms().len()), (vec!["band-below", "silent-missing"], 1));
    let parents = ask().parents_of_alarm_name("inner").send().await.unwrap();
    assert_eq!(parents.composite_alarms()[0].alarm_name(), Some("outer"));
    for refused in [
        ask().alarm_names("a").alarm_name_prefix("a"),
        ask().max_records(101),
        ask().children_of_alarm_name("outer").state_value(StateValue::Ok),
        ask().set_alarm_names(Some((0..101).map(|n| n.to_string()).collect())),
    ] {
        assert_eq!(refused.send().await.unwrap_err().code(), Some("ValidationError"));
    }
    rehearsal.stop().await;
}

/// All pages of a history, of three items each.
async fn history(rehearsal: &Rehearsal, order: ScanBy) -> Vec<AlarmHistoryItem> {
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let (mut items, mut token) = (Vec::new(), None);
    loop {
        let ask = client.describe_alarm_history().max_records(3).scan_by(order.clone()).set_next_token(token);
        let page = ask.send().await.unwrap();
        items.extend_from_slice(page.alarm_history_items());
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return items;
        }
    }
}

#[tokio::test]
async fn a_history_tells_how_an_alarm_was_made_and_each_change_in_either_order() {
    let rehearsal = play_with(KINDS).await;
    rehearsal.clock.jump_to(after(&rehearsal, 5));
    let mut ascending = history(&rehearsal, ScanBy::TimestampAscending).await;
    let descending = history(&rehearsal, ScanBy::TimestampDescending).await;
    ascending.reverse();
    assert!(ascending.len() > 20 && ascending == descending, "{}", ascending.len());
    assert!(descending.windows(2).all(|pair| pair[0].timestamp() >= pair[1].timestamp()));
    assert!(descending.iter().all(|item| item.alarm_type() == Some(&AlarmType::MetricAlarm)), "unless asked for");
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let ask = || client.describe_alarm_history().alarm_name("band");
    let made = ask().history_item_type(HistoryItemType::ConfigurationUpdate).send().await.unwrap();
    let [made] = made.alarm_history_items() else { panic!("{made:?}") };
    let data: serde_json::Value = serde_json::from_str(made.history_data().unwrap()).unwrap();
    assert_eq!(
        (data["type"].as_str(), data["createdAlarm"]["thresholdMetricId"].as_str()),
        (Some("Create"), Some("ad1"))
    );
    let since = ask()
        .history_item_type(HistoryItemType::StateUpdate)
        .start_date(sdk_time(after(&rehearsal, 0)))
        .send()
        .await
        .unwrap();
    let [change] = since.alarm_history_items() else { panic!("{since:?}") };
    assert_eq!(change.history_summary(), Some("Alarm updated from OK to ALARM"));
    let data: serde_json::Value = serde_json::from_str(change.history_data().unwrap()).unwrap();
    assert_eq!(data["newState"]["stateValue"], "ALARM");
    assert!(data["newState"]["stateReasonData"]["recentDatapoints"].is_array(), "{data}");
    let none = ask().end_date(sdk_time(after(&rehearsal, -4 * 60 * 60))).send().await.unwrap();
    assert!(none.alarm_history_items().is_empty());
    let composite = client.describe_alarm_history().alarm_types(AlarmType::CompositeAlarm).send().await.unwrap();
    assert!(composite.alarm_history_items().iter().any(|item| item.alarm_name() == Some("outer")));
    rehearsal.stop().await;
}

#[tokio::test]
async fn hundreds_of_alarms_come_in_pages_of_a_hundred() {
    let many = r#"
[[metric]]
id = "busy-{n}"
namespace = "Shop"
name = "Busy"
dimensions = { Host = "host-{n}" }
history = { shape = "constant", value = 50.0, noise = 40.0 }
repeat = 400
[[alarm]]
name = "busy-{n}"
condition = { kind = "threshold", metric = "busy-{n}", statistic = "maximum", comparison = "greater", threshold = 60.0 }
repeat = 400
"#;
    let rehearsal = play_with(many).await;
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let (mut names, mut pages, mut token) = (Vec::new(), 0, None);
    loop {
        let ask = client.describe_alarms().alarm_name_prefix("busy-").max_records(100).set_next_token(token);
        let page = ask.send().await.unwrap();
        names.extend(page.metric_alarms().iter().map(|alarm| alarm.alarm_name().unwrap().to_owned()));
        (pages, token) = (pages + 1, page.next_token().map(str::to_owned));
        if token.is_none() {
            break;
        }
    }
    assert_eq!((names.len(), pages), (400, 4));
    assert_eq!((names[0].as_str(), names[399].as_str()), ("busy-001", "busy-400"));
    rehearsal.stop().await;
}
