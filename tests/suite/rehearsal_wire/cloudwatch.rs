//! The simulated alarms and metrics, through the real SDK and on the raw wire; kinds of alarms, and math, in their own
//! files.

mod kinds;
mod math;

use aws_sdk_cloudwatch::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatch::types::{
    AlarmType, Dimension, HistoryItemType, Metric, MetricDataQuery, MetricStat, ScanBy, StandardUnit, StateValue,
    Statistic, StatusCode,
};
use pagerdeck::rehearsal::server::Rehearsal;

use super::{after, client, raw, rehearse, sdk_time};

fn cpu(period: i32) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    query(
        Metric::builder()
            .namespace("AWS/ECS")
            .metric_name("CPUUtilization")
            .dimensions(dimension("ServiceName", "my-api"))
            .dimensions(dimension("ClusterName", "eks-prod")),
        period,
    )
}

fn query(metric: aws_sdk_cloudwatch::types::builders::MetricBuilder, period: i32) -> MetricDataQuery {
    let stat = MetricStat::builder().metric(metric.build()).period(period).stat("Average").build();
    MetricDataQuery::builder().id("q").metric_stat(stat).build()
}

async fn data(
    rehearsal: &Rehearsal,
    query: MetricDataQuery,
) -> aws_sdk_cloudwatch::operation::get_metric_data::GetMetricDataOutput {
    client!(aws_sdk_cloudwatch, rehearsal)
        .get_metric_data()
        .start_time(sdk_time(after(rehearsal, -30 * 60)))
        .end_time(sdk_time(after(rehearsal, 0)))
        .metric_data_queries(query)
        .send()
        .await
        .unwrap()
}

#[tokio::test]
async fn the_cpu_alarm_fires_three_seconds_in_with_reason_and_history() {
    let rehearsal = rehearse("oom-leak").await;
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let listed = async |state| {
        let answer = client.describe_alarms().state_value(state).send().await.unwrap();
        answer.metric_alarms().iter().map(|alarm| alarm.alarm_name().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(listed(StateValue::Alarm).await, ["my-api-oomkilled", "orders-5xx"]);
    rehearsal.clock.jump_to(after(&rehearsal, 3));
    assert_eq!(listed(StateValue::Alarm).await, ["my-api-cpu-high", "my-api-oomkilled", "orders-5xx"]);
    let one = client.describe_alarms().alarm_names("my-api-cpu-high").send().await.unwrap();
    let alarm = &one.metric_alarms()[0];
    assert_eq!((alarm.threshold(), alarm.period(), alarm.evaluation_periods()), (Some(85.0), Some(60), Some(25)));
    assert_eq!(alarm.dimensions().len(), 2);
    assert!(alarm.state_reason().unwrap().starts_with("Threshold Crossed: 25 out of the last 25 datapoints [97.8 "));
    assert!(alarm.state_reason_data().unwrap().contains("97.8"));
    assert_eq!(alarm.state_transitioned_timestamp(), Some(&sdk_time(after(&rehearsal, 3))));
    let history = client.describe_alarm_history().alarm_name("my-api-cpu-high").send().await.unwrap();
    let newest = &history.alarm_history_items()[0];
    assert_eq!(newest.history_summary(), Some("Alarm updated from OK to ALARM"));
    let tags = client.list_tags_for_resource().resource_arn(alarm.alarm_arn().unwrap()).send().await.unwrap();
    assert!(tags.tags().iter().any(|tag| tag.key() == Some("severity") && tag.value() == Some("P2")));
    rehearsal.stop().await;
}

#[tokio::test]
async fn alarms_come_in_pages_metric_and_composite() {
    let rehearsal = rehearse("oom-leak").await;
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let (mut metric, mut composite, mut pages, mut token) = (0, 0, 0, None);
    loop {
        let page = client
            .describe_alarms()
            .alarm_types(AlarmType::MetricAlarm)
            .alarm_types(AlarmType::CompositeAlarm)
            .max_records(3)
            .set_next_token(token)
            .send()
            .await
            .unwrap();
        (metric, composite) = (metric + page.metric_alarms().len(), composite + page.composite_alarms().len());
        pages += 1;
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!((metric, composite, pages), (8, 1, 3));
    let only_metric = client.describe_alarms().send().await.unwrap();
    assert!(only_metric.composite_alarms().is_empty(), "composites are listed only when asked for");
    let wrong = client.describe_alarms().next_token("nonsense").send().await.unwrap_err();
    assert_eq!(wrong.code(), Some("InvalidNextToken"));
    let math = client.describe_alarms().alarm_names("orders-5xx").send().await.unwrap();
    let alarm = &math.metric_alarms()[0];
    assert_eq!((alarm.metric_name(), alarm.metrics().len()), (None, 3));
    assert_eq!(alarm.metrics()[0].expression(), Some("100 * failed / total"));
    rehearsal.stop().await;
}

#[tokio::test]
async fn metrics_come_descending_with_the_founding_figures() {
    let rehearsal = rehearse("oom-leak").await;
    let answer = data(&rehearsal, cpu(60)).await;
    let result = &answer.metric_data_results()[0];
    assert_eq!((result.values().len(), result.values()[0]), (30, 97.8));
    assert!(result.timestamps().windows(2).all(|pair| pair[0].secs() - pair[1].secs() == 60), "newest first");
    assert_eq!(format!("{:.1}", result.values().iter().sum::<f64>() / 30.0), "91.3");
    assert_eq!(result.status_code(), Some(&StatusCode::Complete));
    let five = data(&rehearsal, cpu(300)).await;
    assert_eq!(five.metric_data_results()[0].values().len(), 7, "the window touches seven aligned periods");
    let nobody = data(&rehearsal, query(Metric::builder().namespace("AWS/ECS").metric_name("Nothing"), 60)).await;
    assert!(nobody.metric_data_results()[0].values().is_empty());
    rehearsal.stop().await;
}

#[tokio::test]
async fn metric_pages_add_up_to_the_whole_and_wrong_questions_are_refused() {
    let rehearsal = rehearse("oom-leak").await;
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let (mut values, mut statuses, mut token) = (Vec::new(), Vec::new(), None);
    loop {
        let page = client
            .get_metric_data()
            .start_time(sdk_time(after(&rehearsal, -30 * 60)))
            .end_time(sdk_time(after(&rehearsal, 0)))
            .metric_data_queries(cpu(60))
            .scan_by(ScanBy::TimestampAscending)
            .max_datapoints(12)
            .set_next_token(token)
            .send()
            .await
            .unwrap();
        values.extend_from_slice(page.metric_data_results()[0].values());
        statuses.push(page.metric_data_results()[0].status_code().unwrap().clone());
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            break;
        }
    }
    assert_eq!((values.len(), *values.last().unwrap()), (30, 97.8));
    assert_eq!(statuses, [StatusCode::PartialData, StatusCode::PartialData, StatusCode::Complete]);
    let expression = MetricDataQuery::builder().id("e").expression("1+1").build();
    let refused = client
        .get_metric_data()
        .start_time(sdk_time(after(&rehearsal, -60)))
        .end_time(sdk_time(after(&rehearsal, 0)))
        .metric_data_queries(expression)
        .send()
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("ValidationError"), "a number is no series");
    let metrics = client.list_metrics().namespace("AWS/ECS").send().await.unwrap();
    assert_eq!(metrics.metrics().len(), 2);
    rehearsal.stop().await;
}

#[tokio::test]
async fn the_answer_on_the_wire_is_cbor_with_the_protocol_named() {
    let rehearsal = rehearse("oom-leak").await;
    let url = format!("{}/service/GraniteServiceVersion20100801/operation/DescribeAlarms", rehearsal.endpoints.aws);
    let headers = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
    let answer = raw::exchange(&url, "POST", &headers, &[0xa0]).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer.head.contains("smithy-protocol: rpc-v2-cbor") && answer.head.contains("content-type: application/cbor")
    );
    assert!(answer.head.contains("\r\ndate: "), "the client shifts its clock by it: {}", answer.head);
    assert_eq!(answer.body[0] >> 5, 5, "a map");
    let unknown = raw::exchange(&url.replace("DescribeAlarms", "DeleteAlarms"), "POST", &headers, &[0xa0]).await;
    assert_eq!(unknown.status, 400);
    assert!(unknown.head.contains("x-amzn-query-error: unknownoperationexception;sender"));
    assert!(unknown.text().contains("__type"));
    rehearsal.stop().await;
}

/// The days before the history are there where a scenario says so: as the history, or at a level of their own.
#[tokio::test]
async fn the_same_minutes_of_the_days_before_are_answered_where_there_are_any() {
    let day = 24 * 60 * 60;
    let on_day = async |scenario: &str, days: i64| {
        let rehearsal = rehearse(scenario).await;
        let answer = client!(aws_sdk_cloudwatch, rehearsal)
            .get_metric_data()
            .start_time(sdk_time(after(&rehearsal, -30 * 60 - days * day)))
            .end_time(sdk_time(after(&rehearsal, -days * day)))
            .metric_data_queries(cpu(60))
            .scan_by(ScanBy::TimestampAscending)
            .send()
            .await
            .unwrap();
        rehearsal.stop().await;
        answer.metric_data_results()[0].values().to_vec()
    };
    let (today, yesterday, fortnight) =
        (on_day("daily-peak", 0).await, on_day("daily-peak", 1).await, on_day("daily-peak", 14).await);
    assert_eq!((today.len(), yesterday.len(), fortnight.len()), (30, 30, 30));
    let apart = |one: &[f64], other: &[f64]| one.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(apart(&today, &yesterday) < 3.0 && apart(&today, &fortnight) < 3.0, "{today:?} {yesterday:?}");
    assert_ne!(today, yesterday);
    assert!(on_day("daily-peak", 15).await.is_empty());
    assert!(on_day("organic-growth", 7).await.iter().all(|value| (34.0..39.0).contains(value)));
    assert!(on_day("oom-leak", 1).await.is_empty());
}

#[tokio::test]
async fn an_average_a_percentile_and_a_maximum_of_one_minute_differ() {
    use Statistic::{Average, Maximum, Minimum, SampleCount, Sum};

    let rehearsal = rehearse("oom-leak").await;
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let asked = |statistics: &[Statistic], extended: &[&str], period: i32| {
        client
            .get_metric_statistics()
            .namespace("AWS/ECS")
            .metric_name("CPUUtilization")
            .set_dimensions(cpu(60).metric_stat().unwrap().metric().unwrap().dimensions.clone())
            .start_time(sdk_time(after(&rehearsal, -60)))
            .end_time(sdk_time(after(&rehearsal, 0)))
            .period(period)
            .set_statistics((!statistics.is_empty()).then(|| statistics.to_vec()))
            .set_extended_statistics(
                (!extended.is_empty()).then(|| extended.iter().map(|word| (*word).to_owned()).collect()),
            )
            .send()
    };
    let answer = asked(&[Average, Maximum, Minimum, Sum, SampleCount], &[], 60).await.unwrap();
    let [point] = answer.datapoints() else { panic!("one minute: {answer:?}") };
    let (mean, count) = (point.average().unwrap(), point.sample_count().unwrap());
    assert_eq!((mean, count, point.unit()), (97.8, 6.0, Some(&StandardUnit::Percent)));
    assert!((point.sum().unwrap() - mean * count).abs() < 1e-9);
    let (least, most) = (point.minimum().unwrap(), point.maximum().unwrap());
    assert!(least < mean && mean < most && most <= 100.0, "{least} {mean} {most}");
    let answer = asked(&[], &["p99.9", "TM(10%:90%)"], 60).await.unwrap();
    let extended = answer.datapoints()[0].extended_statistics().unwrap();
    assert_eq!(extended.get("p99.9"), Some(&most));
    assert!((least..=most).contains(&extended["TM(10%:90%)"]));
    let refused: [(&[_], &[_], i32); 3] = [(&[], &[], 60), (&[Average], &["p99"], 60), (&[Average], &[], 90)];
    for (statistics, extended, period) in refused {
        let refused = asked(statistics, extended, period).await.unwrap_err();
        assert!(refused.code().unwrap().starts_with("InvalidParameter"), "{refused:?}");
    }
    rehearsal.stop().await;
}

#[tokio::test]
async fn the_history_tells_whom_an_alarm_notified_and_unknown_words_are_refused() {
    let rehearsal = rehearse("oom-leak").await;
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    rehearsal.clock.jump_to(after(&rehearsal, 5));
    let history =
        client.describe_alarm_history().alarm_name("my-api-cpu-high").history_item_type(HistoryItemType::Action);
    let history = history.send().await.unwrap();
    let [item] = history.alarm_history_items() else { panic!("one notification: {history:?}") };
    let summary = item.history_summary().unwrap();
    assert!(
        summary.starts_with("Successfully executed action arn:aws:sns:") && summary.ends_with(":oncall"),
        "{summary}"
    );
    let data: serde_json::Value = serde_json::from_str(item.history_data().unwrap()).unwrap();
    assert!(data["publishedMessage"].as_str().unwrap().contains("my-api-cpu-high"), "{data}");
    let all = client.describe_alarm_history().alarm_name("my-api-cpu-high").send().await.unwrap();
    let kinds: Vec<_> = all.alarm_history_items().iter().filter_map(|item| item.history_item_type()).collect();
    assert_eq!(kinds[..2], [&HistoryItemType::Action, &HistoryItemType::StateUpdate], "newest first");
    let refused = client.describe_alarms().state_value(StateValue::from("FOO")).send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ValidationError"));
    let message = refused.message().unwrap();
    assert!(
        message.contains("Value 'FOO' at 'stateValue' failed to satisfy constraint: Member must satisfy enum"),
        "{message}"
    );
    let refused = client.describe_alarms().alarm_types(AlarmType::from("Foo")).send().await.unwrap_err();
    assert!(refused.message().unwrap().contains("Value '[Foo]' at 'alarmTypes'"));
    let refused = client.describe_alarm_history().scan_by(ScanBy::from("x")).send().await.unwrap_err();
    assert!(refused.message().unwrap().contains("'scanBy'"));
    rehearsal.stop().await;
}
