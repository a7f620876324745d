//! What is behind an alarm: its history page by page, and what metric math and an anomaly band come to.

use jiff::{SignedDuration, Timestamp};
use pagerdeck::adapters::aws::alarms::describe_all;
use pagerdeck::adapters::aws::alarms::history::{HistoryError, describe};
use pagerdeck::adapters::aws::call::CallError;
use pagerdeck::adapters::aws::metrics::{MetricsError, evaluate};
use pagerdeck::domain::fault::FaultKind;
use pagerdeck::domain::observation::alarm::{
    AlarmRule, AlarmState, Evaluation, MathPart, MathQuery, MissingData, Reach,
};
use pagerdeck::domain::observation::scope::Window;
use serde_json::{Value, json};

use super::server::{Server, cbor, impatient_clients, reply};

const NINE: i64 = 1_777_626_000;

fn change(minute: i64, from: &str, to: &str) -> Value {
    let data = json!({"version": "1.0", "oldState": {"stateValue": from},
        "newState": {"stateValue": to, "stateReason": format!("went to {to}")}});
    json!({"AlarmName": "cpu", "AlarmType": "MetricAlarm", "Timestamp": {"$at": NINE + 60 * minute},
        "HistoryItemType": "StateUpdate", "HistorySummary": format!("Alarm updated from {from} to {to}"),
        "HistoryData": data.to_string()})
}

#[tokio::test]
async fn a_history_is_read_newest_first_and_says_where_it_ends() {
    let server = Server::start(|index, _| match index {
        0 => cbor(200, &json!({"AlarmHistoryItems": [change(9, "OK", "ALARM")], "NextToken": "t1"})),
        1 => cbor(200, &json!({"AlarmHistoryItems": [], "NextToken": "t2"})),
        _ => cbor(200, &json!({"AlarmHistoryItems": [change(3, "INSUFFICIENT_DATA", "OK"), {"AlarmName": "cpu"}]})),
    })
    .await;
    let history = describe(&server.clients(), &"cpu".into(), 50).await.unwrap();
    let states: Vec<_> = history.transitions.iter().map(|change| (change.from, change.to)).collect();
    assert_eq!(
        states,
        [(Some(AlarmState::Ok), AlarmState::Alarm), (Some(AlarmState::InsufficientData), AlarmState::Ok)]
    );
    assert_eq!(
        (history.transitions[0].reason.as_str(), history.unreadable, history.reach),
        ("went to ALARM", 1, Reach::Whole)
    );
    let asked = server.asked();
    assert_eq!(asked.iter().map(|asked| asked.operation.as_str()).collect::<Vec<_>>(), ["DescribeAlarmHistory"; 3]);
    assert!(asked[0].says("CompositeAlarm") && asked[0].says("StateUpdate") && asked[0].says("TimestampDescending"));
    let page = json!({"AlarmHistoryItems": [change(9, "OK", "ALARM"), change(3, "ALARM", "OK")]});
    let server = Server::start(move |_, _| cbor(200, &page)).await;
    let cut = describe(&server.clients(), &"cpu".into(), 1).await.unwrap();
    assert_eq!((cut.transitions.len(), cut.reach), (1, Reach::Cut));
}

#[tokio::test]
async fn a_history_that_is_not_to_be_had_names_what_it_needs() {
    for (status, code, kind) in [
        (403, "AccessDenied", FaultKind::Denied),
        (400, "Throttling", FaultKind::Throttled),
        (403, "ExpiredToken", FaultKind::Credentials),
        (400, "InvalidNextToken", FaultKind::Rejected),
        (500, "InternalServiceFault", FaultKind::Unavailable),
    ] {
        let body = json!({"__type": format!("com.amazonaws.cloudwatch#{code}"), "message": "said so"});
        let server = Server::start(move |_, _| cbor(status, &body)).await;
        let error = describe(&server.clients(), &"cpu".into(), 50).await.unwrap_err();
        assert_eq!(error.fault().kind, kind, "{code}");
        assert!(error.fault().summary.contains("The history of the alarm cpu"), "{}", error.fault());
        if kind == FaultKind::Denied {
            assert!(error.fault().hints[0].contains("cloudwatch:DescribeAlarmHistory"), "{}", error.fault());
        }
    }
    let server = Server::start(|_, _| cbor(200, &json!({"AlarmHistoryItems": [], "NextToken": "again"}))).await;
    let error = describe(&server.clients(), &"cpu".into(), 50).await.unwrap_err();
    assert!(matches!(error, HistoryError::DescribePage { page: 2, source: CallError::Malformed(_), .. }));
    let server = Server::start(|_, _| reply(200, "application/cbor", "<html>")).await;
    assert_eq!(describe(&server.clients(), &"cpu".into(), 50).await.unwrap_err().fault().kind, FaultKind::Malformed);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = impatient_clients(&format!("http://{}", listener.local_addr().unwrap()));
    assert_eq!(describe(&silent, &"cpu".into(), 50).await.unwrap_err().fault().kind, FaultKind::Timeout);
}

fn stat(id: &str, name: &str, returns: bool) -> Value {
    json!({"Id": id, "ReturnData": returns, "MetricStat": {"Period": 60, "Stat": "tm90",
        "Metric": {"Namespace": "AWS/ECS", "MetricName": name, "Dimensions": [{"Name": "ServiceName", "Value": "my-api"}]}}})
}

fn alarm(name: &str, metrics: &Value, more: &Value) -> Value {
    let mut alarm = json!({"AlarmName": name, "StateValue": "INSUFFICIENT_DATA", "EvaluationPeriods": 5,
        "DatapointsToAlarm": 3, "TreatMissingData": "notBreaching", "StateUpdatedTimestamp": {"$at": NINE},
        "Metrics": metrics});
    for (key, value) in more.as_object().unwrap() {
        alarm[key] = value.clone();
    }
    alarm
}

fn band_alarm() -> Value {
    let band =
        json!({"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "Label": "expected", "ReturnData": true});
    alarm(
        "odd",
        &json!([stat("m1", "CPUUtilization", true), band]),
        &json!({"ThresholdMetricId": "ad1",
        "ComparisonOperator": "LessThanLowerOrGreaterThanUpperThreshold"}),
    )
}

fn math_alarm() -> Value {
    let rate = json!({"Id": "e1", "Expression": "100*m1/m2", "Label": "failing", "ReturnData": true, "Period": 300});
    alarm(
        "rate",
        &json!([stat("m1", "Errors", false), stat("m2", "Requests", false), rate]),
        &json!({"Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold"}),
    )
}

async fn queries_of(alarm: Value) -> (Vec<MathQuery>, Option<Evaluation>) {
    let server = Server::start(move |_, _| cbor(200, &json!({"MetricAlarms": [alarm]}))).await;
    let mut listing = describe_all(&server.clients()).await.unwrap();
    let alarm = listing.alarms.remove(0);
    let AlarmRule::Math { queries, .. } = alarm.rule else { unreachable!("{:?}", alarm.rule) };
    (queries, alarm.evaluation)
}

fn parts(queries: &[MathQuery]) -> Vec<(&str, MathPart)> {
    queries.iter().map(|query| (query.id.as_str(), query.part)).collect()
}

fn window() -> Window {
    let at = |second| Timestamp::from_second(second).unwrap();
    Window { from: at(NINE), to: at(NINE + 180) }
}

#[tokio::test]
async fn a_band_comes_with_the_value_it_is_drawn_around() {
    let (queries, evaluation) = queries_of(band_alarm()).await;
    assert_eq!(parts(&queries), [("m1", MathPart::Compared), ("ad1", MathPart::Band)]);
    let missing = MissingData::NotBreaching;
    assert_eq!(evaluation, Some(Evaluation { periods: 5, to_alarm: 3, missing }));
    let at = |minute: i64| json!({"$at": NINE + 60 * minute});
    let result = move |id: &str, label: &str, values: [f64; 2]| json!({"Id": id, "Label": label, "Timestamps": [at(2), at(0)], "Values": values, "StatusCode": "Complete"});
    let server = Server::start(move |_, _| {
        cbor(
            200,
            &json!({"MetricDataResults": [result("m1", "CPU", [97.8, 40.0]),
            result("ad1", "expected High", [61.5, 60.5]), result("ad1", "expected Low", [12.5, 11.5])]}),
        )
    })
    .await;
    let evaluated = evaluate(&server.clients(), &queries, window()).await.unwrap();
    let now = evaluated.now().unwrap();
    assert_eq!((now.at.as_second(), now.value), (NINE + 120, 97.8));
    let band = now.band.unwrap();
    assert_eq!((band.lower, band.upper), (12.5, 61.5));
    assert_eq!((evaluated.compared.len(), evaluated.band.len()), (2, 2));
    let asked = &server.asked()[0];
    assert!(asked.says("ANOMALY_DETECTION_BAND(m1, 2)") && asked.says("tm90"), "asked as the alarm has it");
}

#[tokio::test]
async fn an_expression_is_evaluated_by_the_service_from_its_inputs() {
    let (queries, _) = queries_of(math_alarm()).await;
    assert_eq!(parts(&queries), [("m1", MathPart::Input), ("m2", MathPart::Input), ("e1", MathPart::Compared)]);
    assert_eq!((queries[2].label.as_str(), queries[2].term.text().as_str()), ("failing", "100*m1/m2"));
    let server = Server::start(|_, _| {
        cbor(
            200,
            &json!({"MetricDataResults": [
            {"Id": "e1", "Timestamps": [{"$at": NINE}], "Values": [7.5], "StatusCode": "Complete"}]}),
        )
    })
    .await;
    let evaluated = evaluate(&server.clients(), &queries, window()).await.unwrap();
    assert!(evaluated.now().is_none(), "a period of 300 s that began 180 s ago is not over");
    let whole = Window { to: window().from + SignedDuration::from_mins(5), ..window() };
    let evaluated = evaluate(&server.clients(), &queries, whole).await.unwrap();
    assert_eq!(evaluated.now().map(|now| (now.value, now.band)), Some((7.5, None)));
    for (result, kind) in [
        (json!({"Id": "e1", "Timestamps": [], "Values": [], "StatusCode": "InternalError"}), FaultKind::Unavailable),
        (json!({"Id": "e1", "Timestamps": [], "Values": [], "StatusCode": "Forbidden"}), FaultKind::Denied),
        (json!({"Id": "else", "Timestamps": [], "Values": []}), FaultKind::Malformed),
        (json!({"Id": "e1", "Timestamps": [{"$at": NINE}], "Values": []}), FaultKind::Malformed),
    ] {
        let server = Server::start(move |_, _| cbor(200, &json!({"MetricDataResults": [result]}))).await;
        let error = evaluate(&server.clients(), &queries, window()).await.unwrap_err();
        assert!(matches!(error, MetricsError::Evaluate { page: 1, .. }), "{error:?}");
        assert_eq!(error.fault().kind, kind, "{error:?}");
    }
    let refusal = json!({"__type": "com.amazonaws.cloudwatch#ValidationError", "message": "Error in expression"});
    let server = Server::start(move |_, _| cbor(400, &refusal)).await;
    let fault = evaluate(&server.clients(), &queries, window()).await.unwrap_err().fault();
    assert_eq!(
        (fault.kind, fault.summary.as_str()),
        (FaultKind::Rejected, "What the alarm compares could not be evaluated.")
    );
}
