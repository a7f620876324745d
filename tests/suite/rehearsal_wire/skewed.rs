//! A machine whose clock is not that of AWS, over the real client: what shows it, what is silent by it, and what is asked by
//! the clock of AWS all the same.

use jiff::{SignedDuration, Timestamp};
use pagerdeck::adapters::aws::alarms::describe_all;
use pagerdeck::adapters::aws::clients::Clients;
use pagerdeck::adapters::aws::logs::{LogQuery, read_window};
use pagerdeck::adapters::aws::metrics::{Reading, fetch};
use pagerdeck::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};
use pagerdeck::domain::observation::scope::Window;
use pagerdeck::domain::observation::skew::ClockSkew;
use pagerdeck::rehearsal::server::Rehearsal;
use tokio::sync::mpsc;

use super::play_with;
use super::typed::aws;

async fn skewed(by: &str) -> Rehearsal {
    let fault =
        |service| format!("[[fault]]\nservice = \"{service}\"\neffect = {{ kind = \"skewed\", by = \"{by}\" }}\n");
    play_with(&["cloudwatch", "logs", "bedrock", "sts"].map(fault).concat()).await
}

/// The times of the events in the minute before an instant.
async fn last_minute(clients: &Clients, to: Timestamp) -> Vec<Timestamp> {
    let window = Window { from: to - SignedDuration::from_mins(1), to };
    let (pages, mut read) = mpsc::channel(64);
    let query = LogQuery::all("/ecs/my-api".into(), window);
    read_window(clients, &query, &pages).await.unwrap();
    drop(pages);
    let mut times = Vec::new();
    while let Some(page) = read.recv().await {
        times.extend(page.events.into_iter().map(|event| event.at));
    }
    times
}

async fn newest_point(clients: &Clients, now: Timestamp) -> Option<Timestamp> {
    let dimensions = [("ServiceName", "my-api"), ("ClusterName", "eks-prod")];
    let metric = MetricId {
        namespace: "AWS/ECS".to_owned(),
        name: "CPUUtilization".to_owned(),
        dimensions: dimensions.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        account: None,
    };
    let query = MetricQuery { role: MetricRole::Cpu, metric, statistic: Statistic::Average, period_s: 60 };
    let window = Window { from: now - SignedDuration::from_mins(10), to: now };
    match fetch(clients, &[query], window).await.unwrap().pop() {
        Some(Reading::Complete(series)) => series.latest().map(|point| point.at),
        _ => None,
    }
}

#[tokio::test]
async fn a_machine_that_is_ahead_sees_nothing_new_but_by_the_clock_of_aws() {
    let rehearsal = skewed("3m").await;
    let (clients, now) = (aws(&rehearsal), rehearsal.clock.now());
    assert_eq!(clients.clock().skew(), None);
    let listed = describe_all(&clients).await.unwrap();
    let skew = clients.clock().skew().unwrap();
    assert_eq!(skew.to_string(), "3 min ahead of AWS");
    assert_eq!(last_minute(&clients, now).await, [], "its own clock asks for what is still to come");
    let at_aws = skew.at_aws(now);
    let found = last_minute(&clients, at_aws).await;
    assert!(!found.is_empty() && found.iter().all(|at| *at < at_aws), "{found:?}");
    assert!(listed.alarms.iter().all(|alarm| alarm.since < at_aws), "alarms are dated by it as well");
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_machine_that_is_behind_misses_the_newest_but_by_the_clock_of_aws() {
    let rehearsal = skewed("-3m").await;
    let (clients, now) = (aws(&rehearsal), rehearsal.clock.now());
    clients.identity().await.unwrap();
    let skew = clients.clock().skew().unwrap();
    assert_eq!(skew.to_string(), "3 min behind AWS");
    assert!(!last_minute(&clients, skew.at_aws(now)).await.is_empty());
    assert!(newest_point(&clients, now).await < newest_point(&clients, skew.at_aws(now)).await);
    rehearsal.stop().await;
}

/// Beyond five minutes a signature is refused, once: the time is taken from the refusal, and the call repeated at once.
#[tokio::test]
async fn a_machine_that_is_far_off_is_refused_once_and_asks_again_with_the_right_time() {
    for (by, told) in [("12m", "12 min ahead of AWS"), ("-12m", "12 min behind AWS")] {
        let rehearsal = skewed(by).await;
        let clients = aws(&rehearsal);
        clients.identity().await.unwrap();
        assert_eq!(clients.clock().skew().unwrap().to_string(), told);
        describe_all(&clients).await.unwrap();
        let asked =
            rehearsal.ledger.entries().into_iter().filter(|entry| entry.operation == "GetCallerIdentity").count();
        assert_eq!(asked, 2, "once refused, once answered");
        rehearsal.stop().await;
    }
}

#[tokio::test]
async fn a_rehearsal_has_the_time_of_its_machine_whatever_time_it_is_in_the_scenario() {
    let rehearsal = play_with("").await;
    let clients = aws(&rehearsal);
    clients.identity().await.unwrap();
    rehearsal.clock.jump_to(rehearsal.clock.now() + SignedDuration::from_hours(2));
    describe_all(&clients).await.unwrap();
    assert_eq!(clients.clock().skew(), Some(ClockSkew::NONE));
    rehearsal.stop().await;
}
