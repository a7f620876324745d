//! Pages gathered into readings, without a wire.

use super::*;
use crate::domain::observation::metric::{MetricRole, Statistic, Unit};

fn query(name: &str) -> MetricQuery {
    MetricQuery {
        role: MetricRole::Cpu,
        metric: MetricId { namespace: "AWS/ECS".into(), name: name.into(), ..MetricId::default() },
        statistic: Statistic::Average,
        period_s: 60,
    }
}

fn window() -> Window {
    Window { from: Timestamp::from_second(630).unwrap(), to: Timestamp::from_second(900).unwrap() }
}

fn result(status: StatusCode, points: &[(i64, f64)]) -> MetricDataResult {
    MetricDataResult::builder()
        .id("m0")
        .status_code(status)
        .set_timestamps(Some(points.iter().map(|(at, _)| DateTime::from_secs(*at)).collect()))
        .set_values(Some(points.iter().map(|(_, value)| *value).collect()))
        .build()
}

fn reading(pages: &[MetricDataResult]) -> Reading {
    let mut answers = Answers::default();
    for page in pages {
        gather(&mut answers.by_id, page).unwrap();
    }
    read(&query("CPUUtilization"), ("m0", &answers), window())
}

#[test]
fn descending_pages_become_one_ascending_series() {
    let pages = [
        result(StatusCode::PartialData, &[(840, 4.0), (780, 3.0)]),
        result(StatusCode::Complete, &[(720, 2.0), (660, 1.0), (600, 0.5)]),
    ];
    let Reading::Complete(series) = reading(&pages) else { panic!() };
    let values: Vec<f64> = series.points.iter().map(|point| point.value).collect();
    assert_eq!(values, [0.5, 1.0, 2.0, 3.0, 4.0]);
    assert_eq!(series.unit, Unit::Percent);
}

#[test]
fn points_outside_the_window_are_left_out() {
    let Reading::Complete(series) = reading(&[result(StatusCode::Complete, &[(540, 1.0), (600, 2.0), (900, 3.0)])])
    else {
        panic!()
    };
    assert_eq!(series.points.len(), 1);
}

#[test]
fn a_period_under_way_is_no_point() {
    let mut answers = Answers::default();
    gather(&mut answers.by_id, &result(StatusCode::Complete, &[(300, 5.0), (600, 5.0), (900, 1.0)])).unwrap();
    let five = MetricQuery { period_s: 300, ..query("Errors") };
    let window =
        |end: i64| Window { from: Timestamp::from_second(300).unwrap(), to: Timestamp::from_second(end).unwrap() };
    let seen = |end: i64| match read(&five, ("m0", &answers), window(end)) {
        Reading::Complete(series) => series.points.len(),
        _ => 0,
    };
    assert_eq!((seen(960), seen(1_199), seen(1_200)), (2, 2, 3), "a fifth of a sum is not the latest of it");
}

#[test]
fn each_status_has_its_own_reading() {
    assert!(matches!(reading(&[result(StatusCode::Complete, &[])]), Reading::Empty(_)));
    assert!(matches!(
        reading(&[result(StatusCode::PartialData, &[(660, 1.0)])]),
        Reading::Partial { series, .. } if series.points.len() == 1
    ));
    assert!(matches!(
        reading(&[result(StatusCode::InternalError, &[])]),
        Reading::Failed { source: CallError::Unavailable(_), .. }
    ));
    assert!(matches!(
        reading(&[result(StatusCode::Forbidden, &[])]),
        Reading::Failed { source: CallError::Denied(_), .. }
    ));
    assert!(matches!(reading(&[]), Reading::Failed { source: CallError::Malformed(_), .. }));
}

#[test]
fn times_without_values_are_malformed() {
    let odd = MetricDataResult::builder().id("m0").timestamps(DateTime::from_secs(1)).build();
    assert!(matches!(gather(&mut BTreeMap::new(), &odd), Err(CallError::Malformed(_))));
}

#[test]
fn units_follow_the_name_and_are_never_guessed() {
    let unit = |namespace: &str, name: &str, role| {
        let metric = MetricId { namespace: namespace.into(), name: name.into(), ..MetricId::default() };
        unit_of(&MetricQuery { role, metric, statistic: Statistic::Average, period_s: 60 })
    };
    assert_eq!(unit("ContainerInsights", "pod_memory_utilization_over_pod_limit", MetricRole::Memory), Unit::Percent);
    assert_eq!(unit("ContainerInsights", "pod_memory_working_set", MetricRole::Memory), Unit::Bytes);
    assert_eq!(unit("AWS/ApplicationELB", "TargetResponseTime", MetricRole::Latency), Unit::Seconds);
    assert_eq!(unit("AWS/ApiGateway", "Latency", MetricRole::Latency), Unit::Milliseconds);
    assert_eq!(unit("AWS/ApplicationELB", "RequestCount", MetricRole::Requests), Unit::Count);
    assert_eq!(unit("Custom", "load", MetricRole::Cpu), Unit::None);
}

#[test]
fn a_metric_is_asked_of_the_account_that_has_it() {
    let mut asked = query("CPUUtilization");
    assert_eq!(asked_for(0, &asked).account_id(), None);
    asked.metric.account = Some("111122223333".into());
    assert_eq!(asked_for(0, &asked).account_id(), Some("111122223333"));
    assert!(asked.metric.to_string().ends_with("CPUUtilization of 111122223333"));
}

#[test]
fn what_is_said_of_the_whole_call_tells_why_a_metric_is_left_out() {
    assert_eq!(Answers::default().without("a line").to_string(), "unreadable answer: the answer leaves a line out");
    let said = MessageData::builder().code("MaxMetricsExceeded").value("Maximum number of allowed metrics exceeded");
    let answers = Answers { messages: vec![message(&said.build())], ..Answers::default() };
    assert_eq!(answers.get("m0"), None);
    let why = answers.without("this metric").to_string();
    assert!(why.ends_with("out; MaxMetricsExceeded: Maximum number of allowed metrics exceeded"), "{why}");
}
