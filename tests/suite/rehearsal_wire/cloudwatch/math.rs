//! Metric math, bands, units and labels of GetMetricData.

use aws_sdk_cloudwatch::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatch::types::builders::MetricDataQueryBuilder;
use aws_sdk_cloudwatch::types::{
    Dimension, LabelOptions, Metric, MetricDataQuery, MetricDataResult, MetricStat, StandardUnit,
};
use pagerdeck::rehearsal::server::Rehearsal;

use super::super::{after, client, play_with, rehearse, sdk_time};

fn id(id: &str) -> MetricDataQueryBuilder {
    MetricDataQuery::builder().id(id)
}

fn stat(name: &str, (statistic, period): (&str, i32), unit: Option<StandardUnit>) -> MetricStat {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace("AWS/ECS")
        .metric_name(name)
        .dimensions(dimension("ServiceName", "my-api"))
        .dimensions(dimension("ClusterName", "eks-prod"));
    MetricStat::builder().metric(metric.build()).period(period).stat(statistic).set_unit(unit).build()
}

fn cpu(statistic: &str, period: i32) -> MetricStat {
    stat("CPUUtilization", (statistic, period), None)
}

async fn asked(rehearsal: &Rehearsal, queries: Vec<MetricDataQuery>) -> Result<Vec<MetricDataResult>, String> {
    let ask = client!(aws_sdk_cloudwatch, rehearsal).get_metric_data().set_metric_data_queries(Some(queries));
    let ask = ask.start_time(sdk_time(after(rehearsal, -30 * 60))).end_time(sdk_time(after(rehearsal, 0)));
    let answer = ask.send().await.map_err(|error| error.code().unwrap_or_default().to_owned())?;
    Ok(answer.metric_data_results.unwrap_or_default())
}

#[tokio::test]
async fn expressions_are_computed_over_metrics_that_are_not_returned() {
    let rehearsal = rehearse("oom-leak").await;
    let results = asked(
        &rehearsal,
        vec![
            id("m1").metric_stat(cpu("Average", 60)).return_data(false).build(),
            id("e1").expression("m1 - MIN(m1) + e2 * 0").label("above the least").build(),
            id("e2").expression("IF(m1 > 90, 1, 0)").build(),
            id("e3").expression("SUM(METRICS())").build(),
        ],
    )
    .await
    .unwrap();
    assert_eq!(results.iter().filter_map(|result| result.id()).collect::<Vec<_>>(), ["e1", "e2", "e3"]);
    assert_eq!(results[0].label(), Some("above the least"));
    let (above, hot, sum) = (results[0].values(), results[1].values(), results[2].values());
    assert_eq!((above.len(), hot[0], sum[0]), (30, 1.0, 97.8), "the latest first");
    let least = sum.iter().copied().fold(f64::INFINITY, f64::min);
    assert!(above.iter().zip(sum).all(|(above, cpu)| (cpu - least - above).abs() < 1e-9));
    assert!(hot.iter().zip(sum).all(|(hot, cpu)| (*hot > 0.0) == (*cpu > 90.0)));
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_band_comes_as_two_series_of_one_id_and_the_alarm_agrees_with_the_expression() {
    let rehearsal = rehearse("oom-leak").await;
    let band = id("ad1").expression("ANOMALY_DETECTION_BAND(m1, 2)").label("usual").build();
    let results = asked(&rehearsal, vec![id("m1").metric_stat(cpu("Average", 60)).return_data(false).build(), band])
        .await
        .unwrap();
    let [upper, lower] = results.as_slice() else { panic!("{results:?}") };
    assert_eq!((upper.id(), lower.id()), (Some("ad1"), Some("ad1")));
    assert!(
        upper.values().len() == 30 && upper.values().iter().zip(lower.values()).all(|(upper, lower)| upper > lower)
    );
    assert!(upper.label().unwrap().starts_with("usual ") && upper.label() != lower.label());
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let listed = client.describe_alarms().alarm_names("orders-5xx").send().await.unwrap();
    let alarm = &listed.metric_alarms()[0];
    let math = asked(&rehearsal, alarm.metrics().to_vec()).await.unwrap();
    assert!(math[0].values()[0] > 1.0, "in ALARM by what it comes to: {math:?}");
    rehearsal.stop().await;
}

#[tokio::test]
async fn percentiles_units_and_wrong_questions() {
    let rehearsal = play_with("").await;
    let ask = async |stat: MetricStat| asked(&rehearsal, vec![id("m1").metric_stat(stat).build()]).await;
    let (half, most) = (ask(cpu("p50", 1_800)).await.unwrap(), ask(cpu("p99.9", 1_800)).await.unwrap());
    assert!(half[0].values().last() < most[0].values().last());
    let unit = async |unit| ask(stat("CPUUtilization", ("Average", 60), Some(unit))).await.unwrap()[0].values().len();
    assert_eq!((unit(StandardUnit::Percent).await, unit(StandardUnit::Bytes).await), (30, 0));
    let refused = Err("ValidationError".to_owned());
    let math = |text: &str| id("e1").expression(text).build();
    for queries in [
        vec![math("AVG([e1])")],
        vec![math("nobody * 2")],
        vec![math("SEARCH('x', 'Sum', 60)")],
        vec![math("SELECT AVG(CPUUtilization) FROM SCHEMA(\"AWS/ECS\")")],
        vec![id("M1").metric_stat(cpu("Average", 60)).build()],
        vec![id("m1").metric_stat(cpu("Average", 60)).build(), id("m1").metric_stat(cpu("Sum", 60)).build()],
        vec![id("m1").metric_stat(cpu("Average", 45)).build()],
        vec![id("m1").metric_stat(cpu("p101", 60)).build()],
        vec![id("m1").build()],
        (0..501).map(|n| id(&format!("m{n}")).metric_stat(cpu("Average", 60)).build()).collect(),
    ] {
        assert_eq!(asked(&rehearsal, queries.clone()).await, refused, "{:?}", queries[0]);
    }
    let zone = LabelOptions::builder().timezone("Berlin").build();
    let ask = client!(aws_sdk_cloudwatch, rehearsal).get_metric_data().label_options(zone);
    let ask = ask.start_time(sdk_time(after(&rehearsal, -60))).end_time(sdk_time(after(&rehearsal, 0)));
    let wrong = ask.metric_data_queries(id("m1").metric_stat(cpu("Average", 60)).build()).send().await.unwrap_err();
    assert_eq!(wrong.code(), Some("ValidationError"));
    rehearsal.stop().await;
}
