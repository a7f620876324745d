//! Alarms as the SDK gives them, read into the domain's words.

use aws_sdk_cloudwatch::types::{Metric, MetricStat};

use super::*;
use crate::domain::observation::alarm::MathTerm;
use crate::domain::observation::scope::AccountId;

fn base() -> aws_sdk_cloudwatch::types::builders::MetricAlarmBuilder {
    MetricAlarm::builder()
        .alarm_name("my-api-cpu-high")
        .alarm_description("P2: CPU of my-api")
        .state_value(StateValue::Alarm)
        .state_updated_timestamp(DateTime::from_secs(1_777_627_900))
        .state_transitioned_timestamp(DateTime::from_secs(1_777_627_863))
        .comparison_operator(ComparisonOperator::GreaterThanThreshold)
}

fn stat(name: &str) -> MetricStat {
    let dimension = Dimension::builder().name("ServiceName").value("my-api").build();
    let metric = Metric::builder().namespace("AWS/ECS").metric_name(name).dimensions(dimension).build();
    MetricStat::builder().metric(metric).period(60).stat("p99.9").build()
}

#[test]
fn a_plain_metric_alarm_keeps_its_constant_and_its_transition_time() {
    let alarm = base()
        .namespace("AWS/ECS")
        .metric_name("CPUUtilization")
        .statistic(aws_sdk_cloudwatch::types::Statistic::Average)
        .period(60)
        .threshold(85.0)
        .state_reason("Threshold Crossed")
        .state_reason_data(r#"{"version":"1.0","recentDatapoints":[90.0,97.8],"threshold":85.0}"#)
        .build();
    let alarm = metric_alarm(&alarm).unwrap();
    assert_eq!(alarm.threshold(), Some(85.0));
    assert_eq!(alarm.value, Some(97.8));
    assert_eq!(alarm.since.as_second(), 1_777_627_863);
    assert_eq!(alarm.severity.word(), "P2");
    assert_eq!(alarm.metrics()[0].to_string(), "AWS/ECS/CPUUtilization");
}

#[test]
fn one_metric_in_a_list_is_a_plain_metric_too() {
    let query = MetricDataQuery::builder().id("m1").metric_stat(stat("MemoryUtilization")).return_data(true).build();
    let alarm = metric_alarm(&base().metrics(query).threshold(90.0).build()).unwrap();
    assert!(
        matches!(&alarm.rule, AlarmRule::Metric { statistic: Statistic::Percentile(999), threshold, .. } if (*threshold - 90.0).abs() < 1e-9)
    );
}

#[test]
fn math_keeps_the_expression_that_is_compared() {
    let one = MetricDataQuery::builder().id("m1").metric_stat(stat("Errors")).return_data(false).build();
    let two = MetricDataQuery::builder().id("e0").expression("SUM(METRICS())").return_data(false).build();
    let rate = MetricDataQuery::builder().id("e1").expression("100*m1/e0").return_data(true).build();
    let alarm = metric_alarm(&base().metrics(one).metrics(two).metrics(rate).threshold(5.0).build()).unwrap();
    let AlarmRule::Math { expression, threshold, metrics, .. } = &alarm.rule else { panic!("{:?}", alarm.rule) };
    assert_eq!((expression.as_str(), *threshold, metrics.len()), ("100*m1/e0", Some(5.0), 1));
}

#[test]
fn a_metric_of_another_account_keeps_its_account() {
    let other = |id: &str, returned| {
        let entry = MetricDataQuery::builder().id(id).metric_stat(stat("CPUUtilization")).account_id("111122223333");
        entry.return_data(returned).build()
    };
    let single = metric_alarm(&base().metrics(other("m1", true)).threshold(80.0).build()).unwrap();
    assert_eq!(single.metrics()[0].account.as_ref().map(AccountId::as_str), Some("111122223333"));
    let doubled = MetricDataQuery::builder().id("e1").expression("m1 * 2").return_data(true).build();
    let math = metric_alarm(&base().metrics(other("m1", false)).metrics(doubled).threshold(80.0).build()).unwrap();
    let AlarmRule::Math { metrics, queries, .. } = &math.rule else { panic!("{:?}", math.rule) };
    let MathTerm::Metric { metric, .. } = &queries[0].term else { panic!("{queries:?}") };
    assert_eq!((metrics.len(), metric), (1, &metrics[0]));
    assert!(metric.account.is_some());
}

#[test]
fn an_anomaly_band_has_no_constant() {
    let one = MetricDataQuery::builder().id("m1").metric_stat(stat("CPUUtilization")).return_data(true).build();
    let band =
        MetricDataQuery::builder().id("ad1").expression("ANOMALY_DETECTION_BAND(m1, 2)").return_data(true).build();
    let alarm = base()
        .metrics(one)
        .metrics(band)
        .threshold_metric_id("ad1")
        .comparison_operator(ComparisonOperator::LessThanLowerOrGreaterThanUpperThreshold)
        .build();
    let alarm = metric_alarm(&alarm).unwrap();
    assert_eq!(alarm.threshold(), None);
    assert!(matches!(
        &alarm.rule,
        AlarmRule::Math { expression, comparison: Comparison::OutsideBand, .. } if expression == "ANOMALY_DETECTION_BAND(m1, 2)"
    ));
}

#[test]
fn a_statistic_without_a_word_is_told_as_text() {
    let alarm = base().namespace("AWS/ECS").metric_name("Latency").extended_statistic("tm90").threshold(1.0).build();
    let alarm = metric_alarm(&alarm).unwrap();
    assert!(
        matches!(&alarm.rule, AlarmRule::Math { expression, metrics, .. } if expression == "tm90 of Latency" && metrics.len() == 1)
    );
}

#[test]
fn a_composite_keeps_its_rule() {
    let alarm = CompositeAlarm::builder()
        .alarm_name("checkout-down")
        .alarm_rule("ALARM(a) AND ALARM(b)")
        .state_value(StateValue::Ok)
        .state_updated_timestamp(DateTime::from_secs(1))
        .build();
    let alarm = composite_alarm(&alarm).unwrap();
    assert_eq!(alarm.rule, AlarmRule::Composite { rule: "ALARM(a) AND ALARM(b)".into() });
    assert_eq!(alarm.since.as_second(), 1);
}

#[test]
fn what_cannot_be_read_is_told_by_name() {
    let no_state = MetricAlarm::builder().alarm_name("odd").build();
    assert_eq!(metric_alarm(&no_state).unwrap_err(), "The alarm \"odd\" was listed without a known state.");
    assert!(metric_alarm(&MetricAlarm::builder().build()).is_err());
}

#[test]
fn the_newest_evaluated_point_wins_whatever_the_order() {
    let newest_first = r#"{"recentDatapoints":[1.0],"evaluatedDatapoints":[
        {"timestamp":"2026-05-01T09:31:00.000+0000","sampleCount":1.0,"value":97.8},
        {"timestamp":"2026-05-01T09:30:00.000+0000","sampleCount":1.0,"value":96.0}]}"#;
    assert_eq!(latest_value(newest_first), Some(97.8));
    assert_eq!(latest_value("not json"), None);
    assert_eq!(latest_value("{}"), None);
}

#[test]
fn percentiles_are_read_to_a_tenth() {
    assert_eq!(statistic_of("p99"), Some(Statistic::Percentile(990)));
    assert_eq!(statistic_of("p99.9"), Some(Statistic::Percentile(999)));
    assert_eq!(statistic_of("p99.99"), None);
    assert_eq!(statistic_of("IQM"), None);
}

#[test]
fn an_alarm_that_only_scales_is_told_from_one_that_pages() {
    let policy =
        "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:6d:resource/ecs/service/p/my-api:policyName/in";
    let topic = "arn:aws:sns:us-east-1:123456789012:oncall";
    let scales = |name: &str, actions: &[&str]| {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        only_scales(&base().alarm_name(name).set_alarm_actions(Some(actions)).build())
    };
    assert!(scales("my-api-in", &[policy]));
    assert!(scales("TargetTracking-service/prod/my-api-AlarmLow-7c", &[]));
    assert!(!scales("my-api-high", &[policy, topic]));
    assert!(!scales("my-api-high", &[]), "an alarm without actions may be looked at all the same");
}

#[test]
fn a_composite_that_another_alarm_holds_back_pages_nobody_for_now() {
    let composite = |enabled: bool, suppressed: bool| {
        let alarm = CompositeAlarm::builder()
            .alarm_name("shop-down")
            .alarm_arn("arn:aws:cloudwatch:us-east-1:123456789012:alarm:shop-down")
            .state_value(StateValue::Alarm)
            .state_transitioned_timestamp(DateTime::from_secs(1_777_600_000))
            .actions_enabled(enabled)
            .alarm_actions("arn:aws:sns:us-east-1:123456789012:oncall");
        let by = suppressed.then_some(aws_sdk_cloudwatch::types::ActionsSuppressedBy::Alarm);
        composite_alarm(&alarm.set_actions_suppressed_by(by).build()).unwrap().calls
    };
    assert_eq!(composite(true, true), Calls::Suppressed);
    assert_eq!(composite(true, false), Calls::Somebody);
    assert_eq!(composite(false, true), Calls::SwitchedOff);
}

#[test]
fn a_severity_in_the_name_outweighs_what_the_description_speaks_of() {
    for (name, description, expected) in [
        ("my-api-P3-latency", "raise to P1 after 30 min", "P3"),
        ("my-api-latency", "severity: 2", "P2"),
        ("SEV1 my-api", "", "P1"),
        ("my-api-P4-latency", "P2", "P3"),
        ("my-api", "p50 of latency", "P3"),
    ] {
        assert_eq!(severity_of(name, description).word(), expected, "{name}");
    }
}

#[test]
fn a_secret_that_a_mark_without_width_is_put_into_is_hidden() {
    let told = tidy(Some("pass\u{200b}word=hunter2 on the bastion"));
    assert!(!told.contains("hunter2"), "{told}");
}

#[test]
fn an_alarm_says_whether_a_page_would_come() {
    let policy =
        "arn:aws:autoscaling:us-east-1:123456789012:scalingPolicy:6d:resource/ecs/service/p/my-api:policyName/in";
    let topic = "arn:aws:sns:us-east-1:123456789012:oncall";
    let tracking = "TargetTracking-service/prod/my-api-AlarmHigh-7c";
    for (name, enabled, actions, expected) in [
        ("my-api-high", Some(true), &[topic][..], Calls::Somebody),
        ("my-api-high", None, &[policy, topic], Calls::Somebody),
        ("my-api-high", Some(true), &[policy], Calls::Scaling),
        ("my-api-high", Some(true), &[], Calls::Nobody),
        ("my-api-high", Some(false), &[topic], Calls::SwitchedOff),
        ("my-api-high", Some(false), &[], Calls::SwitchedOff),
        ("my-api-TargetTracking-high", None, &[topic], Calls::Somebody),
        (tracking, None, &[topic], Calls::Scaling),
        (tracking, Some(true), &[policy], Calls::Scaling),
        (tracking, Some(true), &[], Calls::Nobody),
        (tracking, Some(false), &[topic], Calls::SwitchedOff),
    ] {
        let actions = actions.iter().map(|action| (*action).to_owned()).collect();
        let alarm = base().alarm_name(name).set_actions_enabled(enabled).set_alarm_actions(Some(actions)).build();
        assert_eq!(metric_alarm(&alarm).unwrap().calls, expected, "{name}, {enabled:?}");
    }
}
