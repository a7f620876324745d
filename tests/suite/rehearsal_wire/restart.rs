//! The API server goes away and comes back, as clients with open watches see it.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, ListParams, Patch, PatchParams, WatchEvent, WatchParams};
use kube::runtime::watcher;
use kube::{Client, Config, Resource, ResourceExt as _};
use pagerdeck::domain::drill::{Drill, DrillChange};
use pagerdeck::rehearsal::server::Rehearsal;
use serde_json::json;

use super::{after, play_with, rehearse};

const RESTART: &str =
    "[[fault]]\nservice = \"kubernetes\"\nfrom = \"10s\"\nuntil = \"15s\"\neffect = { kind = \"restart\" }\n";

fn of<K: Resource<Scope = kube::core::NamespaceResourceScope>>(rehearsal: &Rehearsal) -> Api<K>
where
    K::DynamicType: Default,
{
    pagerdeck::adapters::install_tls_provider();
    let config = Config::new(rehearsal.endpoints.kubernetes.parse().unwrap());
    Api::namespaced(Client::try_from(config).unwrap(), "payments")
}

fn touch() -> Patch<serde_json::Value> {
    Patch::Merge(json!({ "metadata": { "annotations": { "touched": "yes" } } }))
}

/// The clock is moved right after the watch was answered: no restart may fall between the answer and its first look.
#[tokio::test]
async fn an_open_watch_breaks_and_old_versions_are_forgotten() {
    let rehearsal = play_with(RESTART).await;
    let (pods, deployments) = (of::<Pod>(&rehearsal), of::<Deployment>(&rehearsal));
    let revision = pods.list(&ListParams::default()).await.unwrap().metadata.resource_version.unwrap();
    let mut watch = pods.watch(&WatchParams::default(), &revision).await.unwrap().boxed();
    rehearsal.clock.jump_to(after(&rehearsal, 10));
    // The library takes a connection that breaks for the end of the watch; what counts is that it ends.
    while let Ok(Some(_)) = watch.try_next().await {}
    assert!(pods.list(&ListParams::default()).await.is_err(), "it is away");
    rehearsal.clock.jump_to(after(&rehearsal, 15));
    deployments.patch("my-api", &PatchParams::default(), &touch()).await.unwrap();
    let mut current = pods.watch(&WatchParams::default(), &revision).await.unwrap().boxed();
    assert!(futures::poll!(current.try_next()).is_pending(), "nothing before this version is lost");
    let long_ago = (revision.parse::<u64>().unwrap() - 1).to_string();
    let mut late = pods.watch(&WatchParams::default(), &long_ago).await.unwrap().boxed();
    match late.try_next().await.unwrap() {
        Some(WatchEvent::Error(status)) => assert_eq!((status.code, status.reason.as_str()), (410, "Expired")),
        other => panic!("{other:?}"),
    }
    let met = rehearsal.ledger.entries().iter().filter(|entry| entry.fault == Some("restart")).count();
    assert_eq!(met, 1, "the list in between");
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_watcher_goes_on_after_a_drill() {
    let rehearsal = rehearse("oom-leak").await;
    let deployments = of::<Deployment>(&rehearsal);
    let mut events = watcher(deployments.clone(), watcher::Config::default().labels("team=payments")).boxed();
    while !matches!(events.try_next().await.unwrap(), Some(watcher::Event::InitDone)) {}
    let now = rehearsal.clock.now();
    let fault = Drill::RestartApiServer.injection().unwrap().at(now);
    rehearsal.faults.change(&DrillChange::Injected { fault }, now);
    assert!(events.next().await.unwrap().is_err(), "it is away");
    // It comes back when its time is over; a watcher without a wait of its own asks until then.
    rehearsal.clock.jump_to(after(&rehearsal, 8));
    deployments.patch("my-api", &PatchParams::default(), &touch()).await.unwrap();
    let seen = loop {
        let next = tokio::time::timeout(Duration::from_mins(2), events.next()).await.expect("the change is told");
        match next.unwrap() {
            Ok(watcher::Event::Apply(one) | watcher::Event::InitApply(one))
                if one.annotations().contains_key("touched") =>
            {
                break one;
            }
            Ok(_) | Err(_) => {}
        }
    };
    assert_eq!(seen.name_any(), "my-api");
    rehearsal.stop().await;
}
