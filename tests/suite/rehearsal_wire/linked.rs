//! A linked account, as a monitoring account sees it: its metrics by its number, its log groups by their ARN.

use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat};
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;
use pagerdeck::rehearsal::server::Rehearsal;

use super::{after, client, rehearse, sdk_time};

const LINKED: &str = "111122223333";
const OWN: &str = "123456789012";
const GROUP: &str = "arn:aws:logs:us-east-1:111122223333:log-group:/ecs/my-api";

fn errors(account: Option<&str>) -> MetricDataQuery {
    let dimension = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
    let metric = Metric::builder()
        .namespace("AWS/ApplicationELB")
        .metric_name("HTTPCode_Target_5XX_Count")
        .dimensions(dimension("LoadBalancer", "app/payments/50dc6c495c0c9188"))
        .dimensions(dimension("TargetGroup", "targetgroup/my-api/73e2d6bc24d8a067"))
        .build();
    let stat = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
    MetricDataQuery::builder().id("m1").metric_stat(stat).set_account_id(account.map(str::to_owned)).build()
}

async fn points(rehearsal: &Rehearsal, account: Option<&str>) -> usize {
    let answer = client!(aws_sdk_cloudwatch, rehearsal)
        .get_metric_data()
        .metric_data_queries(errors(account))
        .start_time(sdk_time(after(rehearsal, -600)))
        .end_time(sdk_time(after(rehearsal, 0)))
        .send()
        .await
        .unwrap();
    answer.metric_data_results()[0].values().len()
}

#[tokio::test]
async fn a_metric_of_a_linked_account_is_answered_to_who_asks_that_account_and_its_alarm_names_it() {
    let rehearsal = rehearse("linked-account").await;
    assert!(points(&rehearsal, Some(LINKED)).await > 5);
    assert_eq!((points(&rehearsal, None).await, points(&rehearsal, Some(OWN)).await), (0, 0));
    let client = client!(aws_sdk_cloudwatch, rehearsal);
    let listed = client.list_metrics().include_linked_accounts(true).owning_account(LINKED).send().await.unwrap();
    assert_eq!(
        (listed.metrics().len(), listed.owning_accounts()),
        (3, [LINKED, LINKED, LINKED].map(str::to_owned).as_slice())
    );
    let own = client.list_metrics().metric_name("HTTPCode_Target_5XX_Count").send().await.unwrap();
    let groups = own.metrics().iter().flat_map(Metric::dimensions).filter_map(Dimension::value);
    assert!(
        groups.clone().count() > 0 && !groups.into_iter().any(|group| group.contains("my-api")),
        "not among its own"
    );
    let told = client.describe_alarms().alarm_names("prod-payments-5xx").send().await.unwrap();
    let alarm = &told.metric_alarms()[0];
    assert_eq!((alarm.metric_name(), alarm.metrics()[0].account_id()), (None, Some(LINKED)));
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_log_group_of_a_linked_account_is_found_by_its_account_and_read_by_its_arn() {
    let rehearsal = rehearse("linked-account").await;
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let found = async |accounts: Option<&str>| {
        let request = client.describe_log_groups().log_group_name_pattern("my-api");
        let request = match accounts {
            Some(account) => request.include_linked_accounts(true).account_identifiers(account),
            None => request,
        };
        let answer = request.send().await.unwrap();
        answer.log_groups().iter().filter_map(|group| group.log_group_arn().map(str::to_owned)).collect::<Vec<_>>()
    };
    assert_eq!(found(Some(LINKED)).await, [GROUP]);
    assert_eq!((found(None).await, found(Some(OWN)).await), (Vec::new(), Vec::new()));
    let linked = client.describe_log_groups().include_linked_accounts(true).send().await.unwrap();
    assert!(linked.log_groups().iter().any(|group| group.log_group_name() == Some("/ecs/my-api")), "{linked:?}");
    let since = after(&rehearsal, -60).as_millisecond();
    let read = client.filter_log_events().log_group_identifier(GROUP).start_time(since).send().await.unwrap();
    assert!(!read.events().is_empty());
    let by_name = client.filter_log_events().log_group_name("/ecs/my-api").send().await.unwrap_err();
    assert_eq!(by_name.code(), Some("ResourceNotFoundException"), "a name is one of the account that is asked");
    rehearsal.stop().await;
}

/// Nobody configured the service: what the alarm says of its account leads to its metrics and its logs.
#[test]
fn an_incident_of_a_linked_account_is_read_across() {
    let run = crate::rehearsed::story(&["linked-account"]);
    assert_eq!(run.code, Some(0), "{:#}", run.object);
    let told = String::from_utf8(run.journal).unwrap();
    assert!(told.contains(GROUP), "the group by its ARN");
    let evidence = run.object["evidence"].as_array().unwrap();
    for question in ["log-patterns", "errors"] {
        let piece = evidence.iter().find(|piece| piece["question"] == question).unwrap();
        assert_eq!(piece["answer"]["completeness"], "exact", "{piece:#}");
    }
}
