//! The simulated Kubernetes API as the real kube client sees it, over HTTP on loopback.

use std::future::{Future, IntoFuture};
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use jiff::SignedDuration;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::authorization::v1::SelfSubjectAccessReview;
use k8s_openapi::api::core::v1::{Event, Pod};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams, WatchEvent, WatchParams};
use kube::runtime::watcher;
use kube::{Client, Config};
use pagerdeck::adapters::kubernetes::{Applied, Go, apply, rehearse};
use pagerdeck::domain::observation::workload::{WorkloadKind, WorkloadRef};
use pagerdeck::domain::remediation::step::{Action, RehearsalOutcome};
use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::cluster::Cluster;
use pagerdeck::rehearsal::ledger::{DryRun, Mutates};
use pagerdeck::rehearsal::scenario::{Scenario, load};
use pagerdeck::rehearsal::server::{Cloud, StartOptions};
use pagerdeck::rehearsal::wire::kubernetes::router;
use serde_json::json;
use tokio::time::Instant;

use super::rehearsal_checks::intent;
use super::wire_kubernetes::{connect_to, permit_of, target};

/// Serves a scenario and runs a client against it; both end together.
async fn with_cluster<F: Future<Output = ()>>(scenario: &str, run: impl FnOnce(Client, Arc<Cloud>, String) -> F) {
    with_scenario(load(scenario).unwrap(), run).await;
}

async fn with_scenario<F: Future<Output = ()>>(scenario: Scenario, run: impl FnOnce(Client, Arc<Cloud>, String) -> F) {
    // A second installation answers an error, which only says that another test was first.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let state = Cloud::new(scenario, StartOptions { speed: Speed::Max, seed: None }).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::try_from(Config::new(uri.parse().unwrap())).unwrap();
    let served = state.clone();
    tokio::select! {
        ended = axum::serve(listener, router(state.clone())).into_future() => panic!("the server ended: {ended:?}"),
        () = served.cluster.drive(&served.clock) => panic!("the cluster stopped"),
        () = run(client, state, uri) => {}
    }
}

fn restart() -> Patch<serde_json::Value> {
    Patch::Strategic(json!({"spec": {"template": {"metadata": {"annotations":
        {"kubectl.kubernetes.io/restartedAt": "2026-05-01T09:33:00Z"}}}}}))
}

/// Lets incident time pass in small steps, as the cockpit does at full speed.
fn pass(state: &Arc<Cloud>, seconds: i64) {
    let until = state.clock.now() + SignedDuration::from_secs(seconds);
    while let Some(at) = state.cluster.at(state.clock.now(), |cluster| cluster.next_change()).filter(|at| *at <= until)
    {
        state.clock.jump_to(at);
    }
    state.clock.jump_to(until);
    state.cluster.at(until, |_| ());
}

#[tokio::test]
async fn typed_reads_pages_and_selectors() {
    with_cluster("oom-leak", |client, state, _| async move {
        let pods: Api<Pod> = Api::namespaced(client.clone(), "payments");
        let listed = pods.list(&ListParams::default().labels("app=my-api")).await.unwrap();
        assert_eq!(listed.items.len(), 6);
        let mut names = Vec::new();
        let mut page = ListParams::default().labels("app=my-api").limit(4);
        loop {
            let answer = pods.list(&page).await.unwrap();
            names.extend(answer.items.iter().map(|pod| pod.metadata.name.clone().unwrap()));
            match answer.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => page = page.continue_token(&token),
                None => break,
            }
        }
        assert_eq!(names, listed.items.iter().map(|pod| pod.metadata.name.clone().unwrap()).collect::<Vec<_>>());
        let one = ListParams::default().fields(&format!("metadata.name={}", names[0]));
        assert_eq!(pods.list(&one).await.unwrap().items.len(), 1);
        let events: Api<Event> = Api::namespaced(client.clone(), "payments");
        let kills: i32 = events
            .list(&ListParams::default().fields("reason=OOMKilling"))
            .await
            .unwrap()
            .items
            .iter()
            .filter(|event| event.involved_object.name.as_deref().unwrap().starts_with("my-api-"))
            .map(|event| event.count.unwrap())
            .sum();
        assert_eq!(kills, 14);
        assert_eq!(client.apiserver_version().await.unwrap().minor, "34");
        assert!(client.list_api_groups().await.unwrap().groups.iter().any(|group| group.name == "apps"));
        let apps = client.list_api_group_resources("apps/v1").await.unwrap();
        assert!(apps.resources.iter().any(|resource| resource.name == "deployments/scale"));
        assert_eq!(state.ledger.summary().mutating, 0);
    })
    .await;
}

#[tokio::test]
async fn a_rehearsed_restart_is_counted_apart_and_a_meant_one_rolls() {
    with_cluster("oom-leak", |client, state, _| async move {
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), "payments");
        let before = deployments.get("my-api").await.unwrap();
        let dry = PatchParams { dry_run: true, ..PatchParams::default() };
        let rehearsed = deployments.patch("my-api", &dry, &restart()).await.unwrap();
        assert_ne!(rehearsed.spec, before.spec);
        assert_eq!(deployments.get("my-api").await.unwrap(), before);
        assert_eq!((state.ledger.summary().mutating, state.ledger.summary().dry_run), (0, 1));
        deployments.patch("my-api", &PatchParams::default(), &restart()).await.unwrap();
        pass(&state, 180);
        let after = deployments.get("my-api").await.unwrap();
        let status = after.status.unwrap();
        assert_eq!((status.updated_replicas, status.available_replicas), (Some(6), Some(6)));
        assert_eq!(status.observed_generation, after.metadata.generation);
        let sets: Api<ReplicaSet> = Api::namespaced(client, "payments");
        let serving = sets.list(&ListParams::default().labels("app=my-api")).await.unwrap();
        assert_eq!(serving.items.iter().filter(|set| set.spec.as_ref().unwrap().replicas == Some(6)).count(), 1);
        assert_eq!(state.ledger.summary().mutating, 1);
        let written = state.ledger.entries().into_iter().find(|entry| entry.dry_run == DryRun::All).unwrap();
        assert_eq!(
            (written.operation.as_str(), written.mutating, written.status),
            ("patch deployments", Mutates::Writes, 200)
        );
    })
    .await;
}

#[tokio::test]
async fn refusals_arrive_as_typed_status() {
    with_cluster("oom-leak", |client, _, _| async move {
        let deployments: Api<Deployment> = Api::namespaced(client, "payments");
        let stale = Patch::Merge(json!({"metadata": {"resourceVersion": "7"}, "spec": {"replicas": 3}}));
        let invalid = Patch::Merge(json!({"spec": {"replicas": -3}}));
        for (name, patch, code, reason) in [
            ("my-api", &stale, 409, "Conflict"),
            ("my-api", &invalid, 422, "Invalid"),
            ("payments-cache", &stale, 404, "NotFound"),
        ] {
            match deployments.patch(name, &PatchParams::default(), patch).await {
                Err(kube::Error::Api(status)) => assert_eq!((status.code, status.reason.as_str()), (code, reason)),
                other => panic!("{name}: {other:?}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_scenario_denies_is_denied_and_its_review_says_so() {
    with_cluster("no-data", |client, state, _| async move {
        let pods: Api<Pod> = Api::namespaced(client.clone(), "payments");
        match pods.list(&ListParams::default()).await {
            Err(kube::Error::Api(status)) => {
                assert_eq!((status.code, status.reason.as_str()), (403, "Forbidden"));
                assert!(
                    status.message.contains("cannot list resource \"pods\" in API group \"\""),
                    "{}",
                    status.message
                );
            }
            other => panic!("{other:?}"),
        }
        let reviews: Api<SelfSubjectAccessReview> = Api::all(client);
        for (resource, group, allowed) in [("pods", "", false), ("deployments", "apps", true)] {
            let ask: SelfSubjectAccessReview = serde_json::from_value(json!({"spec": {"resourceAttributes":
                {"verb": "list", "group": group, "resource": resource, "namespace": "payments"}}}))
            .unwrap();
            let answer = reviews.create(&PostParams::default(), &ask).await.unwrap();
            assert_eq!(answer.status.unwrap().allowed, allowed, "{resource}");
        }
        assert_eq!(state.ledger.summary().mutating, 0);
    })
    .await;
}

#[tokio::test]
async fn a_watch_follows_a_rollout_and_a_compacted_one_is_gone() {
    with_cluster("oom-leak", |client, state, _| async move {
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), "payments");
        let listed = deployments.list(&ListParams::default()).await.unwrap();
        let revision = listed.metadata.resource_version.unwrap();
        let mut watch = deployments.watch(&WatchParams::default(), &revision).await.unwrap().boxed();
        deployments.patch("my-api", &PatchParams::default(), &restart()).await.unwrap();
        let Some(WatchEvent::Modified(seen)) = watch.try_next().await.unwrap() else { panic!("no change") };
        assert_eq!(seen.metadata.name.as_deref(), Some("my-api"));
        state.cluster.at(state.clock.now(), Cluster::compact);
        let mut late = deployments.watch(&WatchParams::default(), &revision).await.unwrap().boxed();
        match late.try_next().await.unwrap() {
            Some(WatchEvent::Error(status)) => assert_eq!((status.code, status.reason.as_str()), (410, "Expired")),
            other => panic!("{other:?}"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_of_a_revision_that_is_gone_is_http_410() {
    with_cluster("oom-leak", |client, state, uri| async move {
        let pods: Api<Pod> = Api::namespaced(client, "payments");
        let first = pods.list(&ListParams::default().limit(1)).await.unwrap();
        let token = first.metadata.continue_.unwrap();
        let deployments: Api<Deployment> = Api::namespaced(pods.clone().into_client(), "payments");
        deployments.patch("my-api", &PatchParams::default(), &restart()).await.unwrap();
        state.cluster.at(state.clock.now(), Cluster::compact);
        let url = format!("{uri}/api/v1/namespaces/payments/pods?limit=1&continue={token}");
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 410);
        assert_eq!(answer.json::<serde_json::Value>().await.unwrap()["reason"], "Expired");
    })
    .await;
}

#[tokio::test]
async fn a_streaming_list_ends_its_beginning_with_a_bookmark() {
    with_cluster("oom-leak", |client, state, _| async move {
        let pods: Api<Pod> = Api::namespaced(client, "payments");
        for config in [watcher::Config::default().streaming_lists(), watcher::Config::default().page_size(2)] {
            let mut events = watcher(pods.clone(), config.labels("app=my-api")).boxed();
            let mut seen = 0;
            loop {
                match events.try_next().await.unwrap().unwrap() {
                    watcher::Event::Init => {}
                    watcher::Event::InitApply(_) => seen += 1,
                    watcher::Event::InitDone => break,
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!(seen, 6);
        }
        let mut events = watcher(pods.clone(), watcher::Config::default().labels("app=my-api")).boxed();
        while !matches!(events.try_next().await.unwrap(), Some(watcher::Event::InitDone)) {}
        let deployments: Api<Deployment> = Api::namespaced(pods.clone().into_client(), "payments");
        deployments.patch("my-api", &PatchParams::default(), &restart()).await.unwrap();
        pass(&state, 5);
        let Some(watcher::Event::Apply(pod)) = events.try_next().await.unwrap() else { panic!("no pod") };
        assert!(pod.metadata.name.unwrap().starts_with("my-api-"));
    })
    .await;
}

/// The whole way of a restart, through our own adapters: rehearsed, permitted, sent, and its rollout read to its end.
#[tokio::test]
async fn a_restart_rolls_a_stateful_set_and_a_daemon_set() {
    for kind in [WorkloadKind::StatefulSet, WorkloadKind::DaemonSet] {
        let mut scenario = load("oom-leak").unwrap();
        scenario.workloads.iter_mut().find(|spec| spec.name == "my-api").unwrap().kind = kind;
        let target = WorkloadRef { kind, ..target() };
        with_scenario(scenario, |_, state, uri| async move {
            let client = connect_to(&uri).await;
            let workload = client.read_workload(&target).await.unwrap();
            let rollouts = client.read_revisions(&workload).await.unwrap();
            let rehearsal =
                Box::pin(rehearse(&client, intent(&Action::RolloutRestart, &target), state.clock.now())).await;
            assert_eq!(rehearsal.outcome, RehearsalOutcome::Rehearsed, "{kind:?}");
            assert_eq!(rehearsal.failed_check(), None, "{kind:?}");
            assert_eq!(state.ledger.summary().mutating, 0);
            let permit = permit_of((Action::RolloutRestart, target.clone()), rehearsal);
            let applied =
                apply(&client, permit, Instant::now() + Duration::from_mins(1), |_| std::future::ready(Go::On)).await;
            assert!(matches!(applied, Applied::Done { attempts: 1, .. }), "{kind:?}: {applied:?}");
            let begun = client.read_rollout(&target).await.unwrap();
            assert!(!begun.is_complete() && begun.replicas > 0, "{kind:?}: {begun:?}");
            pass(&state, 600);
            let ended = client.read_rollout(&target).await.unwrap();
            assert!(ended.is_complete(), "{kind:?}: {ended:?}");
            assert_eq!((ended.updated, ended.old), (begun.replicas, 0), "{kind:?}");
            let since = client.read_revisions(&workload).await.unwrap();
            assert_eq!(since.len(), rollouts.len() + 1, "{kind:?}: a restart is a rollout: {since:?}");
            let (new, old) = (since.last().unwrap(), rollouts.last().unwrap());
            assert!(new.created_at > old.created_at && new.images == old.images, "{since:?}");
        })
        .await;
    }
}

/// Requests that a careful client never makes, with the code and the words that each is answered with.
#[tokio::test]
async fn requests_are_held_against_what_an_api_server_takes() {
    const PODS: &str = "/api/v1/namespaces/payments/pods";
    const TEXT: &str = "text/plain";
    let partial = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
    with_cluster("oom-leak", |client, _, url| async move {
        let pods: Api<Pod> = Api::namespaced(client, "payments");
        let name = pods.list(&ListParams::default()).await.unwrap().items.remove(0).metadata.name.unwrap();
        let http = reqwest::Client::new();
        for (method, path, accept, code, words) in [
            ("GET", format!("{PODS}?limit=abc"), "", 400, "strconv.ParseInt: parsing \\\"abc\\\": invalid syntax"),
            (
                "GET",
                format!("{PODS}?resourceVersionMatch=Exact"),
                "",
                422,
                "forbidden unless resourceVersion is provided",
            ),
            (
                "GET",
                format!("{PODS}?resourceVersion=5&resourceVersionMatch=Foo"),
                "",
                422,
                "Unsupported value: \\\"Foo\\\"",
            ),
            ("GET", format!("{PODS}?sendInitialEvents=true"), "", 422, "sendInitialEvents is forbidden for list"),
            ("GET", format!("{PODS}?continue=x&resourceVersion=5"), "", 400, "not allowed when using continue"),
            ("GET", PODS.to_owned(), TEXT, 406, "only the following media types are accepted"),
            ("GET", PODS.to_owned(), partial, 200, "\"kind\":\"PartialObjectMetadataList\""),
            ("GET", format!("{PODS}/{name}/log?tailLines=-1"), "", 422, "tailLines: Invalid value: -1"),
            ("GET", format!("{PODS}/{name}/log?sinceSeconds=0"), "", 422, "PodLogOptions \\\"\\\" is invalid"),
            ("GET", format!("{PODS}/{name}/exec?command=ls"), "", 500, "error dialing backend"),
            ("GET", format!("{PODS}/nobody/exec?command=ls"), "", 404, "not found"),
            ("POST", format!("{PODS}/{name}"), "", 405, "does not allow this method"),
            ("PUT", PODS.to_owned(), "", 405, "does not allow this method"),
            ("DELETE", format!("{PODS}?labelSelector=app=orders&dryRun=All"), "", 200, "\"kind\":\"PodList\""),
            ("GET", format!("{PODS}/{name}?watch=true&timeoutSeconds=1"), "", 200, "\"type\":\"ADDED\""),
        ] {
            let request = http.request(method.parse().unwrap(), format!("{url}{path}"));
            let request = if accept.is_empty() { request } else { request.header("accept", accept) };
            let answer = request.send().await.unwrap();
            let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
            assert_eq!(status, code, "{method} {path}: {text}");
            assert!(text.contains(words), "{method} {path}: {text}");
        }
    })
    .await;
}

/// The pages of a list, and a list of an exact revision, show the past; a token that is too old comes with one that is not.
#[tokio::test]
async fn pages_are_of_the_revision_that_the_first_began_at() {
    const MAPS: &str = "/api/v1/namespaces/payments/configmaps";
    with_cluster("oom-leak", |client, state, url| async move {
        let maps: Api<k8s_openapi::api::core::v1::ConfigMap> = Api::namespaced(client, "payments");
        let map = |name: &str| serde_json::from_value(json!({"metadata": {"name": name}})).unwrap();
        for name in ["a", "b", "c"] {
            maps.create(&PostParams::default(), &map(name)).await.unwrap();
        }
        let http = reqwest::Client::new();
        let list = async |query: String| -> serde_json::Value {
            http.get(format!("{url}{MAPS}?{query}")).send().await.unwrap().json().await.unwrap()
        };
        let names = |list: &serde_json::Value| {
            let items = list["items"].as_array().unwrap().iter();
            items.map(|item| item["metadata"]["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let first = list("limit=1".to_owned()).await;
        let (token, began) = (&first["metadata"]["continue"], &first["metadata"]["resourceVersion"]);
        let (token, began) = (token.as_str().unwrap(), began.as_str().unwrap());
        maps.delete("c", &kube::api::DeleteParams::default()).await.unwrap();
        assert_eq!(names(&list(format!("continue={token}")).await), ["b", "c"]);
        let exact = format!("resourceVersion={began}&resourceVersionMatch=Exact");
        assert_eq!(names(&list(exact).await), ["a", "b", "c"]);
        state.cluster.at(state.clock.now(), Cluster::compact);
        let expired = list(format!("continue={token}")).await;
        assert_eq!((&expired["code"], &expired["reason"]), (&json!(410), &json!("Expired")));
        let fresh = expired["metadata"]["continue"].as_str().unwrap();
        assert_eq!(names(&list(format!("continue={fresh}")).await), ["b"]);
    })
    .await;
}
