//! What was changed, at the wire: the history of a Helm release from its Secrets, node events, and what may not be asked.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use pagerdeck::domain::observation::change::{Change, of_nodes};
use pagerdeck::domain::observation::workload::{WorkloadKind, WorkloadRef};
use serde_json::{Value, json};

use super::{DEPLOYMENT, calm, client, deployment, list, pod, status, target};
use crate::wire_server::{Reply, Seen, Server};

/// A revision of a release as Helm keeps it: JSON in gzip, twice in base64.
fn secret(version: i64, at: &str, values: &Value) -> Value {
    let release = json!({ "name": "shop", "version": version, "config": values,
        "info": { "last_deployed": at, "description": "Upgrade complete" },
        "chart": { "metadata": { "version": "1.0.0" } } });
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(release.to_string().as_bytes()).unwrap();
    let text = STANDARD.encode(packed.finish().unwrap());
    json!({ "metadata": { "name": format!("sh.helm.release.v1.shop.v{version}"), "namespace": "payments" },
        "type": "helm.sh/release.v1", "data": { "release": STANDARD.encode(text) } })
}

/// The calm cluster, with a deployment that a release owns.
fn owned(seen: &Seen) -> Reply {
    if seen.path != DEPLOYMENT {
        return calm(seen);
    }
    let mut object = deployment(100, 41);
    object["metadata"]["annotations"]["meta.helm.sh/release-name"] = json!("shop");
    Reply::Json(200, object)
}

#[tokio::test]
async fn a_release_is_asked_for_by_its_label_and_told_without_what_is_private() {
    let server = Server::start(|seen| {
        if !seen.path.ends_with("/secrets") {
            return owned(seen);
        }
        let values = |image: &str, password: &str| json!({ "app": { "image": image }, "db": { "password": password } });
        let secrets = json!([
            secret(2, "2026-05-01T09:09:00Z", &values("my-api:4.11.2", "hunter3")),
            secret(1, "2026-04-11T22:10:03Z", &values("my-api:4.11.1", "hunter2")),
        ]);
        Reply::Json(200, list("Secret", "v1", &secrets))
    })
    .await;
    let client = client(&server).await;
    let workload = client.read_workload(&target()).await.unwrap();
    let read = client.read_changes(&workload).await;
    assert!(read.unread.is_empty(), "{:?}", read.unread);
    let told: Vec<String> = read.changes.iter().map(Change::told).collect();
    assert_eq!(
        told,
        [
            "2026-04-11 22:10Z  Helm release shop revision 1, Upgrade complete",
            "2026-05-01 09:09Z  Helm release shop revision 2, Upgrade complete \
             (app.image: my-api:4.11.1 -> my-api:4.11.2, db.password)",
        ]
    );
    assert!(!format!("{:?}", read.changes).contains("hunter"));
    let asked: Vec<Seen> = server.seen().into_iter().filter(|seen| seen.path.ends_with("/secrets")).collect();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].path, "/api/v1/namespaces/payments/secrets");
    assert!(asked[0].query.starts_with("labelSelector=owner%3Dhelm%2Cname%3Dshop"), "{}", asked[0].query);
}

#[tokio::test]
async fn a_history_that_may_not_be_read_is_told_beside_what_may() {
    let server = Server::start(|seen| match seen.path.rsplit('/').next() {
        Some("secrets") => status(403, "Forbidden", "secrets is forbidden"),
        Some("horizontalpodautoscalers") => {
            let scaler = json!({ "metadata": { "name": "my-api", "namespace": "payments" },
                "spec": { "maxReplicas": 6, "scaleTargetRef": { "kind": "Deployment", "name": "my-api" } },
                "status": { "desiredReplicas": 6, "currentReplicas": 4, "lastScaleTime": "2026-05-01T09:12:00Z" } });
            Reply::Json(200, list("HorizontalPodAutoscaler", "autoscaling/v2", &json!([scaler])))
        }
        _ => owned(seen),
    })
    .await;
    let client = client(&server).await;
    let workload = client.read_workload(&target()).await.unwrap();
    let read = client.read_changes(&workload).await;
    let unread: Vec<&str> = read.unread.iter().map(|(what, _)| *what).collect();
    assert_eq!(unread, ["Helm history"]);
    assert_eq!(read.changes.len(), 1, "{:?}", read.changes);
}

#[tokio::test]
async fn a_stateful_set_tells_its_controller_revisions_and_its_config_maps() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/apis/apps/v1/namespaces/payments/statefulsets/db" => Reply::Json(
            200,
            json!({ "kind": "StatefulSet", "apiVersion": "apps/v1", "metadata": { "name": "db", "namespace": "payments" },
                "spec": { "serviceName": "db", "selector": {}, "template": { "spec": { "containers": [
                    { "name": "app", "envFrom": [{ "configMapRef": { "name": "settings" } }] }] } } } }),
        ),
        "/api/v1/namespaces/payments/configmaps/settings" => Reply::Json(
            200,
            json!({ "kind": "ConfigMap", "apiVersion": "v1", "metadata": { "name": "settings", "namespace": "payments",
                "managedFields": [{ "manager": "kubectl-edit", "operation": "Update", "time": "2026-05-01T09:10:00Z",
                    "fieldsV1": { "f:data": { "f:pool": {} } } }] } }),
        ),
        "/apis/apps/v1/namespaces/payments/controllerrevisions" => {
            let kept = |owner: &str, number: i64| {
                json!({ "metadata": { "name": format!("{owner}-{number}"), "namespace": "payments",
                        "creationTimestamp": format!("2026-05-01T09:0{number}:00Z"), "ownerReferences": [
                            { "apiVersion": "apps/v1", "kind": "StatefulSet", "name": owner, "uid": "u", "controller": true }] },
                    "revision": number, "data": { "spec": { "template": { "$patch": "replace", "spec": { "containers": [
                        { "name": "app", "image": format!("db:{number}") }] } } } } })
            };
            let all = json!([kept("db", 2), kept("db", 1), kept("other", 3)]);
            Reply::Json(200, list("ControllerRevision", "apps/v1", &all))
        }
        _ => calm(seen),
    })
    .await;
    let client = client(&server).await;
    let target = WorkloadRef { kind: WorkloadKind::StatefulSet, name: "db".to_owned(), ..target() };
    let workload = client.read_workload(&target).await.unwrap();
    let read = client.read_changes(&workload).await;
    assert!(read.not_looked_at.is_empty(), "{:?}", read.not_looked_at);
    let revisions = client.read_revisions(&workload).await.unwrap();
    let told: Vec<(i64, &str)> = revisions.iter().map(|kept| (kept.number, kept.images["app"].as_str())).collect();
    assert_eq!(told, [(1, "db:1"), (2, "db:2")]);
    let told: Vec<String> = read.changes.iter().map(Change::words).collect();
    assert_eq!(told, ["config map settings edited by kubectl-edit (pool)"]);
}

#[tokio::test]
async fn events_of_nodes_are_asked_for_where_they_are_kept() {
    let server = Server::start(|seen| match seen.path.as_str() {
        "/api/v1/namespaces/default/events" => {
            let event = |name: &str, node: &str, reason: &str| {
                json!({ "metadata": { "name": name, "namespace": "default" }, "type": "Normal", "reason": reason,
                    "involvedObject": { "kind": "Node", "name": node }, "message": "", "count": 1,
                    "firstTimestamp": "2026-05-01T09:05:00Z", "lastTimestamp": "2026-05-01T09:05:00Z" })
            };
            let events = json!([event("a", "node-a", "NodeNotReady"), event("b", "node-b", "NodeNotReady")]);
            Reply::Json(200, list("Event", "v1", &events))
        }
        "/api/v1/namespaces/payments/pods" => {
            let mut placed = pod("my-api-7d9f-1", 1);
            placed["spec"]["nodeName"] = json!("node-a");
            Reply::Json(200, list("Pod", "v1", &json!([placed])))
        }
        _ => owned(seen),
    })
    .await;
    let client = client(&server).await;
    let events = client.read_node_events().await.unwrap();
    let workload = client.read_workload(&target()).await.unwrap();
    let pods = client.read_pods(&workload).await.unwrap();
    let told: Vec<String> = of_nodes(&events, (&target(), &pods)).iter().map(Change::told).collect();
    assert_eq!(told, ["2026-05-01 09:05Z  node node-a became not ready"]);
    let asked = server.seen().into_iter().find(|seen| seen.path.ends_with("/default/events")).unwrap();
    assert!(asked.query.starts_with("fieldSelector=involvedObject.kind%3DNode"), "{}", asked.query);
}
