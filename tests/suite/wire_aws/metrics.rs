//! Alarms and metrics: every page, every kind, each query answered for itself.

use pagerdeck::adapters::aws::alarms::{AlarmsError, describe_all};
use pagerdeck::adapters::aws::call::CallError;
use pagerdeck::adapters::aws::metrics::{MetricSearch, Reading, Rest, fetch, find};
use pagerdeck::domain::observation::alarm::{AlarmRule, AlarmState};
use pagerdeck::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};
use pagerdeck::domain::observation::scope::Window;
use serde_json::{Value, json};

use super::server::{Server, cbor};

fn metric_alarm(name: &str) -> Value {
    json!({
        "AlarmName": name, "AlarmDescription": "P2", "StateValue": "ALARM", "StateReason": "Threshold Crossed",
        "StateReasonData": "{\"recentDatapoints\":[97.8]}", "StateUpdatedTimestamp": {"$at": 1_777_627_863},
        "MetricName": "CPUUtilization", "Namespace": "AWS/ECS", "Statistic": "Average", "Period": 60,
        "Dimensions": [{"Name": "ServiceName", "Value": "my-api"}],
        "Threshold": 85.0, "ComparisonOperator": "GreaterThanThreshold"
    })
}

#[tokio::test]
async fn alarms_follow_every_page_and_include_composites() {
    let server = Server::start(|index, _| match index {
        0 => cbor(200, &json!({"MetricAlarms": [metric_alarm("a"), {"AlarmName": "odd"}], "NextToken": "t1"})),
        1 => cbor(200, &json!({"MetricAlarms": [], "NextToken": "t2"})),
        _ => cbor(
            200,
            &json!({"MetricAlarms": [metric_alarm("b")], "CompositeAlarms": [{
                "AlarmName": "c", "AlarmRule": "ALARM(a)", "StateValue": "OK",
                "StateUpdatedTimestamp": {"$at": 1_777_627_863}}]}),
        ),
    })
    .await;
    let listing = describe_all(&server.clients()).await.unwrap();
    let names: Vec<&str> = listing.alarms.iter().map(|alarm| alarm.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    assert_eq!(listing.unreadable, ["The alarm \"odd\" was listed without a known state."]);
    assert_eq!((listing.alarms[0].state, listing.alarms[0].value), (AlarmState::Alarm, Some(97.8)));
    assert_eq!(listing.alarms[0].since.to_string(), "2026-05-01T09:31:03Z");
    assert!(matches!(&listing.alarms[2].rule, AlarmRule::Composite { rule } if rule == "ALARM(a)"));
    let asked = server.asked();
    assert_eq!(asked.iter().map(|asked| asked.operation.as_str()).collect::<Vec<_>>(), ["DescribeAlarms"; 3]);
    assert!(asked[0].says("CompositeAlarm") && asked[0].says("MetricAlarm"));
    assert!(asked[1].says("t1") && asked[2].says("t2"));
}

#[tokio::test]
async fn a_page_offered_twice_ends_the_listing_as_malformed() {
    let server = Server::start(|_, _| cbor(200, &json!({"MetricAlarms": [], "NextToken": "again"}))).await;
    let error = describe_all(&server.clients()).await.unwrap_err();
    assert!(matches!(error, AlarmsError::DescribePage { page: 2, source: CallError::Malformed(_) }));
    assert!(!error.fault().kind.is_transient());
}

fn query(n: usize) -> MetricQuery {
    MetricQuery {
        role: MetricRole::Cpu,
        metric: MetricId {
            namespace: "AWS/ECS".into(),
            name: "CPUUtilization".into(),
            dimensions: [("ServiceName".to_owned(), format!("s{n}"))].into(),
            account: None,
        },
        statistic: Statistic::Average,
        period_s: 60,
    }
}

fn window() -> Window {
    Window { from: "2026-05-01T09:00:30Z".parse().unwrap(), to: "2026-05-01T09:05:00Z".parse().unwrap() }
}

const NINE: i64 = 1_777_626_000;

fn points(id: &str, status: &str, minutes: &[i64]) -> Value {
    let times: Vec<Value> = minutes.iter().map(|minute| json!({"$at": NINE + 60 * minute})).collect();
    let values: Vec<f64> = minutes.iter().map(|minute| *minute as f64).collect();
    json!({"Id": id, "Label": id, "StatusCode": status, "Timestamps": times, "Values": values})
}

#[tokio::test]
async fn descending_pages_become_an_ascending_series_and_each_query_has_its_own_end() {
    let server = Server::start(|index, _| match index {
        0 => cbor(
            200,
            &json!({"NextToken": "t1", "MetricDataResults": [
            points("m0", "PartialData", &[4, 3]), points("m1", "Complete", &[]), points("m2", "InternalError", &[])]}),
        ),
        _ => cbor(
            200,
            &json!({"MetricDataResults": [
            points("m0", "Complete", &[2, 1, 0]), points("m3", "PartialData", &[1])]}),
        ),
    })
    .await;
    let queries: Vec<MetricQuery> = (0..5).map(query).collect();
    let readings = fetch(&server.clients(), &queries, window()).await.unwrap();
    let Reading::Complete(series) = &readings[0] else { panic!("{:?}", readings[0]) };
    let values: Vec<f64> = series.points.iter().map(|point| point.value).collect();
    assert_eq!(values, [0.0, 1.0, 2.0, 3.0, 4.0]);
    assert!(matches!(&readings[1], Reading::Empty(series) if series.query == queries[1]));
    assert!(matches!(&readings[2], Reading::Failed { source: CallError::Unavailable(_), .. }));
    assert!(matches!(&readings[3], Reading::Partial { series, .. } if series.points.len() == 1));
    assert!(matches!(&readings[4], Reading::Failed { source: CallError::Malformed(_), .. }));
    assert!(server.asked()[1].says("t1"));
}

#[tokio::test]
async fn more_than_five_hundred_queries_go_in_batches() {
    let server = Server::start(|_, _| cbor(200, &json!({"MetricDataResults": [points("m0", "Complete", &[1])]}))).await;
    let queries: Vec<MetricQuery> = (0..501).map(query).collect();
    let readings = fetch(&server.clients(), &queries, window()).await.unwrap();
    assert_eq!((readings.len(), server.asked().len()), (501, 2));
    assert!(matches!(&readings[500], Reading::Complete(series) if series.query == queries[500]));
    assert!(server.asked()[0].says("m499") && !server.asked()[1].says("m1"));
}

#[tokio::test]
async fn metrics_are_found_page_by_page_up_to_the_limit() {
    let page = |names: &[&str], token: Option<&str>| {
        let metrics: Vec<Value> =
            names.iter().map(|name| json!({"Namespace": "ContainerInsights", "MetricName": name})).collect();
        cbor(200, &json!({"Metrics": metrics, "NextToken": token}))
    };
    let server = Server::start(move |index, _| match index % 2 {
        0 => page(&["a", "b"], Some("t")),
        _ => page(&["c"], None),
    })
    .await;
    let search = MetricSearch { namespace: Some("ContainerInsights".into()), ..MetricSearch::default() };
    let all = find(&server.clients(), &search, 10).await.unwrap();
    assert_eq!((all.metrics.len(), all.rest), (3, Rest::None));
    let some = find(&server.clients(), &search, 2).await.unwrap();
    assert_eq!((some.metrics.len(), some.rest), (2, Rest::More));
}
