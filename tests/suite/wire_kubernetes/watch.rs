//! The watch at the wire: each change told once, 410, ends in order, silence, refusals.

use std::sync::atomic::{AtomicU32, Ordering};

use pagerdeck::adapters::kubernetes::{WatchError, WatchReport, watch_once};
use pagerdeck::domain::fault::FaultKind;
use pagerdeck::domain::observation::scope::Namespace;
use pagerdeck::domain::observation::workload::ClusterChange;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::{calm, client, pod, status};
use crate::wire_server::{Reply, Seen, Server};

/// Watches until the attempt ends or so many reports came.
async fn watched(server: &Server, most: usize) -> (Vec<WatchReport>, Option<WatchError>) {
    let client = client(server).await;
    let (sender, mut receiver) = mpsc::channel(64);
    let namespaces = [Namespace::new("payments")];
    let mut reports = Vec::new();
    let mut attempt = std::pin::pin!(watch_once(&client, &namespaces, &sender));
    loop {
        tokio::select! {
            biased;
            report = receiver.recv() => {
                reports.extend(report);
                if reports.len() >= most {
                    return (reports, None);
                }
            }
            ended = &mut attempt => {
                while let Ok(report) = receiver.try_recv() {
                    reports.push(report);
                }
                return (reports, ended.err());
            }
        }
    }
}

fn words(reports: &[WatchReport]) -> Vec<String> {
    let word = |report: &WatchReport| match report {
        WatchReport::Unreadable(missing) => format!("unreadable {}", missing.resource),
        WatchReport::Change(ClusterChange::Listed { view, .. }) => format!("listed {} pods", view.pods.len()),
        WatchReport::Change(ClusterChange::Pod { pod }) => {
            format!("pod {} of {:?}", pod.name, pod.owner.as_ref().map(|o| &o.name))
        }
        WatchReport::Change(ClusterChange::PodGone { name, .. }) => format!("gone {name}"),
        WatchReport::Change(other) => format!("{other:?}"),
    };
    reports.iter().map(word).collect()
}

fn is_watch(seen: &Seen) -> bool {
    seen.query.contains("watch=true")
}

fn event(kind: &str, object: &Value) -> Value {
    json!({ "type": kind, "object": object })
}

fn gone() -> Value {
    event(
        "ERROR",
        &json!({ "kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version" }),
    )
}

#[tokio::test]
async fn the_watch_tells_each_change_once_and_lists_again_after_a_410() {
    let rounds = AtomicU32::new(0);
    let script = move |seen: &Seen| match (seen.path.ends_with("/pods"), is_watch(seen)) {
        (true, true) if rounds.fetch_add(1, Ordering::SeqCst) == 0 => Reply::LinesThenSilence(vec![
            event("ADDED", &pod("p1", 101)),
            event("MODIFIED", &pod("p1", 102)),
            event("BOOKMARK", &json!({ "kind": "Pod", "apiVersion": "v1", "metadata": { "resourceVersion": "103" } })),
            event("DELETED", &pod("p1", 104)),
            gone(),
        ]),
        (_, true) => Reply::LinesThenSilence(Vec::new()),
        _ => calm(seen),
    };
    let server = Server::start(script).await;
    let (reports, ended) = watched(&server, 4).await;
    assert_eq!(words(&reports), ["listed 0 pods", "pod p1 of Some(\"my-api\")", "gone p1", "listed 0 pods"]);
    assert_eq!(ended, None);
    let opened = server.seen().into_iter().find(|seen| seen.path.ends_with("/pods") && is_watch(seen)).unwrap();
    assert_eq!(opened.query, "watch=true&allowWatchBookmarks=true&timeoutSeconds=2&resourceVersion=100");
}

#[tokio::test]
async fn a_410_right_after_each_listing_ends_the_attempt() {
    let script = |seen: &Seen| if is_watch(seen) { Reply::Lines(vec![gone()]) } else { calm(seen) };
    let server = Server::start(script).await;
    let (reports, ended) = watched(&server, 9).await;
    assert_eq!(words(&reports), ["listed 0 pods"]);
    assert!(matches!(ended, Some(WatchError::Expired(_))), "{ended:?}");
    assert!(ended.unwrap().fault().kind.is_transient());
}

/// A server that tells of one change and forgets its place each time is listed anew once, and then waited for.
#[tokio::test]
async fn a_place_that_is_forgotten_again_and_again_is_listed_once_and_then_waited_for() {
    let script = |seen: &Seen| match (seen.path.ends_with("/pods"), is_watch(seen)) {
        (true, true) => Reply::LinesThenSilence(vec![event("ADDED", &pod("p1", 101)), gone()]),
        (false, true) => Reply::LinesThenSilence(Vec::new()),
        (_, false) => calm(seen),
    };
    let server = Server::start(script).await;
    let (reports, ended) = watched(&server, 20).await;
    let once = ["listed 0 pods", "pod p1 of Some(\"my-api\")"];
    assert_eq!(words(&reports), [once, once].concat());
    assert!(matches!(ended, Some(WatchError::Expired(_))), "{ended:?}");
}

#[tokio::test]
async fn a_watch_that_ends_in_order_is_opened_again_from_its_place() {
    let rounds = AtomicU32::new(0);
    let script = move |seen: &Seen| match (seen.path.ends_with("/pods"), is_watch(seen)) {
        (true, true) => match rounds.fetch_add(1, Ordering::SeqCst) {
            0 => Reply::Lines(vec![event("ADDED", &pod("p1", 101))]),
            _ => Reply::LinesThenSilence(vec![event("ADDED", &pod("p2", 102))]),
        },
        (_, true) => Reply::LinesThenSilence(Vec::new()),
        _ => calm(seen),
    };
    let server = Server::start(script).await;
    let (reports, _) = watched(&server, 3).await;
    assert_eq!(words(&reports)[1..], ["pod p1 of Some(\"my-api\")", "pod p2 of Some(\"my-api\")"]);
    let versions: Vec<String> = server
        .seen()
        .into_iter()
        .filter(|seen| seen.path.ends_with("/pods") && is_watch(seen))
        .map(|seen| seen.query.rsplit('=').next().unwrap().to_owned())
        .collect();
    assert_eq!(versions, ["100", "101"]);
}

#[tokio::test]
async fn silence_refusal_and_nonsense_end_the_attempt_with_their_class() {
    let cases: [(fn() -> Reply, FaultKind); 5] = [
        (|| Reply::LinesThenSilence(Vec::new()), FaultKind::Timeout),
        (|| Reply::Silence, FaultKind::Timeout),
        (|| Reply::Lines(Vec::new()), FaultKind::Cut),
        (|| status(403, "Forbidden", "cannot watch"), FaultKind::Denied),
        (|| Reply::LinesThenSilence(vec![json!({ "type": "ADDED", "object": 7 })]), FaultKind::Malformed),
    ];
    for (reply, kind) in cases {
        let server = Server::start(move |seen: &Seen| if is_watch(seen) { reply() } else { calm(seen) }).await;
        let (reports, ended) = watched(&server, 9).await;
        let (listed, refused) = (&reports[..1], &reports[1..]);
        assert_eq!(words(listed), ["listed 0 pods"]);
        // Each that may not be watched is told, and the last of them ends the attempt.
        assert_eq!(refused.len(), if kind == FaultKind::Denied { 5 } else { 0 }, "{:?}", words(refused));
        assert_eq!(ended.unwrap().fault().kind, kind);
    }
}

#[tokio::test]
async fn what_may_be_listed_and_not_watched_does_not_take_the_rest_down() {
    let script = |seen: &Seen| match (is_watch(seen), seen.path.rsplit('/').next()) {
        (true, Some("events")) => status(403, "Forbidden", "cannot watch events"),
        (true, Some("pods")) => Reply::LinesThenSilence(vec![event("ADDED", &pod("my-api-7d9f-1", 101))]),
        (true, _) => Reply::LinesThenSilence(Vec::new()),
        (false, _) => calm(seen),
    };
    let server = Server::start(script).await;
    let (reports, ended) = watched(&server, 3).await;
    let mut told = words(&reports);
    told[1..].sort();
    assert_eq!(told, ["listed 0 pods", "pod my-api-7d9f-1 of Some(\"my-api\")", "unreadable events"]);
    assert_eq!(ended, None);
}

#[tokio::test]
async fn what_may_not_be_read_is_told_and_the_rest_is_watched() {
    let script = |seen: &Seen| match (seen.path.ends_with("/pods"), is_watch(seen)) {
        (true, _) => status(403, "Forbidden", "cannot list pods"),
        (false, true) => Reply::LinesThenSilence(Vec::new()),
        (false, false) => calm(seen),
    };
    let server = Server::start(script).await;
    let (reports, _) = watched(&server, 2).await;
    assert_eq!(words(&reports), ["unreadable pods", "listed 0 pods"]);
    let none = Server::start(|_: &Seen| status(403, "Forbidden", "no")).await;
    let (reports, ended) = watched(&none, 9).await;
    assert_eq!(reports, []);
    let ended = ended.unwrap();
    assert!(matches!(ended, WatchError::NothingReadable(_)) && !ended.fault().kind.is_transient());
}

/// A step may aim at a daemon set: it is listed and followed, so that what waits on it learns of its changes.
#[tokio::test]
async fn a_daemon_set_is_listed_and_followed_like_any_workload() {
    let agent = |version: u32, generation: u32| {
        json!({
            "kind": "DaemonSet", "apiVersion": "apps/v1",
            "metadata": { "name": "agent", "namespace": "payments", "uid": "u-9", "generation": generation,
                          "resourceVersion": version.to_string() },
            "spec": { "selector": { "matchLabels": { "app": "agent" } },
                      "template": { "metadata": { "labels": { "app": "agent" } }, "spec": { "containers": [] } } },
            "status": { "desiredNumberScheduled": 3, "currentNumberScheduled": 3, "numberMisscheduled": 0, "numberReady": 3 },
        })
    };
    let script = move |seen: &Seen| match (seen.path.ends_with("/daemonsets"), is_watch(seen)) {
        (true, true) => {
            Reply::LinesThenSilence(vec![event("MODIFIED", &agent(101, 8)), event("DELETED", &agent(102, 8))])
        }
        (true, false) => Reply::Json(200, super::list("DaemonSet", "apps/v1", &json!([agent(99, 7)]))),
        (false, true) => Reply::LinesThenSilence(Vec::new()),
        (false, false) => calm(seen),
    };
    let server = Server::start(script).await;
    let (reports, _) = watched(&server, 3).await;
    let generations: Vec<String> = reports
        .iter()
        .map(|report| match report {
            WatchReport::Change(ClusterChange::Listed { view, whole }) => {
                format!(
                    "listed {:?} of {}",
                    view.workloads.values().map(|one| one.generation).collect::<Vec<_>>(),
                    whole.len()
                )
            }
            WatchReport::Change(ClusterChange::Workload { workload }) => format!("{}", workload.generation),
            WatchReport::Change(ClusterChange::WorkloadGone { target }) => format!("gone {target}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(generations, ["listed [7] of 4", "8", "gone daemonset/agent -n payments"]);
}

#[tokio::test]
async fn nobody_listening_ends_the_attempt_in_order() {
    let server = Server::start(|seen: &Seen| if is_watch(seen) { Reply::Silence } else { calm(seen) }).await;
    let client = client(&server).await;
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    assert_eq!(watch_once(&client, &[Namespace::new("payments")], &sender).await, Ok(()));
    assert_eq!(watch_once(&client, &[], &sender).await, Err(WatchError::NoNamespace));
}
