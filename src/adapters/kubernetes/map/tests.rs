//! Objects as a server sends them, and the domain words they become.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;

fn object<T: DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

fn meta(labels: &Value, annotations: &Value) -> ObjectMeta {
    object(json!({ "name": "my-api", "namespace": "payments", "labels": labels, "annotations": annotations }))
}

#[test]
fn a_deployment_with_everything() {
    let workload = deployment(&object(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "my-api", "namespace": "payments", "uid": "u-1", "generation": 7,
            "annotations": { REVISION: "41" }, "creationTimestamp": "2026-04-11T22:10:03Z",
        },
        "spec": {
            "replicas": 6, "paused": true,
            "selector": { "matchLabels": { "app": "my-api" } },
            "strategy": { "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": 1 } },
            "template": {
                "metadata": { "annotations": { "note": "two\nlines" } },
                "spec": { "containers": [{
                    "name": "app", "image": "repo/my-api:1.4.2",
                    "resources": { "limits": { "memory": "512Mi", "cpu": "500m" }, "requests": { "memory": "256Mi" } },
                }] },
            },
        },
        "status": { "observedGeneration": 7, "readyReplicas": 5, "updatedReplicas": 6, "availableReplicas": 4 },
    })));
    assert_eq!(workload.target.key(), "deployment/payments/my-api");
    assert_eq!((workload.generation, workload.observed_generation, workload.revision), (7, 7, Some(41)));
    assert_eq!((workload.replicas, workload.ready, workload.updated, workload.available), (6, 5, 6, 4));
    assert_eq!((workload.max_unavailable.as_str(), workload.max_surge.as_str()), ("1", "25%"));
    assert!(workload.paused);
    let container = &workload.containers[0];
    assert_eq!(container.memory_limit, Some(512 << 20));
    assert_eq!(container.memory_request, Some(256 << 20));
    assert_eq!(container.cpu_limit_milli, Some(500));
}

#[test]
fn defaults_are_those_of_the_api() {
    let bare = json!({ "metadata": { "name": "x" }, "spec": { "selector": {}, "template": {} } });
    let workload = deployment(&object(bare.clone()));
    assert_eq!(workload.replicas, 1);
    assert_eq!((workload.max_unavailable.as_str(), workload.max_surge.as_str()), ("25%", "25%"));
    let mut recreate = bare.clone();
    recreate["spec"]["strategy"] = json!({ "type": "Recreate" });
    let workload = deployment(&object(recreate));
    assert_eq!((workload.max_unavailable.as_str(), workload.max_surge.as_str()), ("100%", "0"));
    let set = stateful_set(&object(bare));
    assert_eq!((set.max_unavailable.as_str(), set.max_surge.as_str(), set.replicas), ("1", "0", 1));
}

#[test]
fn ownership_by_the_strongest_mark() {
    let helm = json!({ "app.kubernetes.io/managed-by": "Helm", "app.kubernetes.io/instance": "shop" });
    let release = json!({ "meta.helm.sh/release-name": "shop-prod" });
    let argo = json!({ "argocd.argoproj.io/tracking-id": "cart:apps/Deployment:payments/my-api" });
    for (labels, annotations, expected) in [
        (json!({}), json!({}), Ownership::Direct),
        (json!({ "app.kubernetes.io/instance": "shop" }), json!({}), Ownership::Direct),
        (helm.clone(), json!({}), Ownership::Helm { release: "shop".into() }),
        (helm.clone(), release.clone(), Ownership::Helm { release: "shop-prod".into() }),
        (helm.clone(), argo, Ownership::ArgoCd { application: "cart".into() }),
        (json!({ "argocd.argoproj.io/instance": "cart" }), release, Ownership::ArgoCd { application: "cart".into() }),
        (json!({ "helm.toolkit.fluxcd.io/name": "hr" }), json!({}), Ownership::Flux { name: "hr".into() }),
        (json!({ "kustomize.toolkit.fluxcd.io/name": "apps" }), json!({}), Ownership::Flux { name: "apps".into() }),
    ] {
        assert_eq!(ownership(&meta(&labels, &annotations)), expected, "{labels} {annotations}");
    }
}

fn pod_json(owner: &str, kind: &str, statuses: &Value) -> Value {
    json!({
        "metadata": {
            "name": "my-api-7d9f-x2x4", "namespace": "payments", "labels": { "pod-template-hash": "7d9f" },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": "u", "controller": true }],
        },
        "spec": { "nodeName": "ip-10-0-0-1", "containers": [] },
        "status": { "phase": "Running", "containerStatuses": statuses },
    })
}

fn replica_set(name: &str, owner: &str, number: &str) -> ReplicaSet {
    object(json!({
        "metadata": {
            "name": name, "namespace": "payments", "annotations": { REVISION: number },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "Deployment", "name": owner, "uid": "u", "controller": true }],
        },
        "spec": { "replicas": 6, "selector": {}, "template": { "spec": { "containers": [{ "name": "app", "image": "repo/my-api:1" }] } } },
    }))
}

#[test]
fn a_pod_finds_its_workload() {
    let mut owners = Owners::default();
    owners.learn(&replica_set("oddly-named", "my-api", "41"));
    let owner = |kind: &str, name: &str| pod(&object(pod_json(name, kind, &json!([]))), &owners).owner;
    let name = |found: Option<WorkloadRef>| found.map(|target| format!("{target}"));
    assert_eq!(name(owner("ReplicaSet", "oddly-named")).as_deref(), Some("deployment/my-api -n payments"));
    assert_eq!(name(owner("ReplicaSet", "unread-7d9f")).as_deref(), Some("deployment/unread -n payments"));
    assert_eq!(name(owner("ReplicaSet", "no-hash-of-ours")), None);
    assert_eq!(name(owner("StatefulSet", "db")).as_deref(), Some("statefulset/db -n payments"));
    assert_eq!(name(owner("Job", "nightly")), None);
}

#[test]
fn the_end_of_a_container_is_the_present_one_first() {
    let ended =
        |reason: &str, code: i32| json!({ "reason": reason, "exitCode": code, "finishedAt": "2026-05-01T09:30:52Z" });
    let status = |state: Value, last: Value| json!([{ "name": "app", "image": "i", "imageID": "", "ready": false, "restartCount": 3, "state": state, "lastState": last }]);
    let of = |state: Value, last: Value| {
        pod(&object(pod_json("x", "Job", &status(state, last))), &Owners::default()).containers.remove(0)
    };
    let dead = of(json!({ "terminated": ended("OOMKilled", 137) }), json!({ "terminated": ended("Error", 1) }));
    assert_eq!(dead.state, "terminated: OOMKilled");
    assert_eq!(dead.last_end.unwrap().reason, "OOMKilled");
    let waiting =
        of(json!({ "waiting": { "reason": "CrashLoopBackOff" } }), json!({ "terminated": ended("OOMKilled", 137) }));
    assert_eq!((waiting.state.as_str(), waiting.restarts), ("waiting: CrashLoopBackOff", 3));
    assert_eq!(waiting.last_end.unwrap().exit_code, 137);
    let fresh = of(json!({ "running": { "startedAt": "2026-05-01T09:00:00Z" } }), json!({}));
    assert_eq!((fresh.state.as_str(), fresh.last_end), ("running", None));
    assert!(fresh.running_since.is_some());
}

#[test]
fn an_evicted_or_leaving_pod_says_so() {
    let mut evicted = pod_json("x", "Job", &json!([]));
    evicted["status"] = json!({ "phase": "Failed", "reason": "Evicted" });
    assert_eq!(pod(&object(evicted), &Owners::default()).phase, "Evicted");
    let mut leaving = pod_json("x", "Job", &json!([]));
    leaving["metadata"]["deletionTimestamp"] = json!("2026-05-01T09:30:52Z");
    assert_eq!(pod(&object(leaving), &Owners::default()).phase, "Terminating");
}

#[test]
fn a_pod_whose_node_says_nothing_any_more_is_unknown() {
    let phase = |ready: &str, contained: &str, gates: Value| {
        let mut lost = pod_json("x", "Job", &json!([]));
        lost["status"]["conditions"] =
            json!([{ "type": "Ready", "status": ready }, { "type": "ContainersReady", "status": contained }]);
        lost["spec"]["readinessGates"] = gates;
        pod(&object(lost), &Owners::default()).phase
    };
    assert_eq!(phase("False", "True", json!(null)), "Unknown", "the node controller took its readiness away");
    assert_eq!(phase("True", "True", json!(null)), "Running");
    assert_eq!(phase("False", "False", json!(null)), "Running", "its kubelet says that it is not ready");
    let gate = json!([{ "conditionType": "target-health.elbv2.k8s.aws/x" }]);
    assert_eq!(phase("False", "True", gate), "Running", "a gate holds it back");
}

#[test]
fn events_count_in_both_styles() {
    let base = json!({
        "metadata": { "name": "e1", "namespace": "payments", "creationTimestamp": "2026-05-01T09:00:00Z" },
        "involvedObject": { "kind": "Pod", "name": "my-api-0412" },
        "reason": "OOMKilling", "type": "Warning", "message": "Memory cgroup out of memory",
    });
    let mut old = base.clone();
    old["count"] = json!(5);
    old["firstTimestamp"] = json!("2026-05-01T09:01:00Z");
    old["lastTimestamp"] = json!("2026-05-01T09:20:00Z");
    let old = event(&object(old));
    assert_eq!((old.count, old.about.as_str(), old.warning), (5, "Pod/my-api-0412", true));
    assert_eq!(old.last_at.unwrap().to_string(), "2026-05-01T09:20:00Z");
    let mut new = base.clone();
    new["eventTime"] = json!("2026-05-01T09:02:00.000000Z");
    new["series"] = json!({ "count": 9, "lastObservedTime": "2026-05-01T09:21:00.000000Z" });
    let new = event(&object(new));
    assert_eq!(new.count, 9);
    assert_eq!(new.last_at.unwrap().to_string(), "2026-05-01T09:21:00Z");
    assert_eq!(new.first_at.unwrap().to_string(), "2026-05-01T09:02:00Z");
    assert_eq!(event(&object(base)).count, 1);
}

#[test]
fn a_revision_needs_a_deployment_and_a_number() {
    let (owner, found) = revision(&replica_set("my-api-7d9f", "my-api", "41")).unwrap();
    assert_eq!((owner.name.as_str(), found.number, found.replicas), ("my-api", 41, Some(6)));
    assert_eq!(found.images["app"], "repo/my-api:1");
    assert!(revision(&replica_set("my-api-7d9f", "my-api", "not a number")).is_none());
    let mut again = replica_set("my-api-7d9f", "my-api", "42");
    again
        .metadata
        .annotations
        .as_mut()
        .unwrap()
        .insert("deployment.kubernetes.io/revision-history".to_owned(), "38,40".to_owned());
    assert_eq!((found.earlier, revision(&again).unwrap().1.earlier), (vec![], vec![38, 40]));
    assert!(revision(&object(json!({ "metadata": { "annotations": { REVISION: "1" } } }))).is_none());
}

/// Only what sets the number of replicas and nothing else tells when that was done.
#[test]
fn who_scaled_it_is_told_by_who_set_that_field_alone() {
    let entry = |manager: &str, subresource: Option<&str>, time: &str, spec: Value| {
        let mut entry =
            json!({ "manager": manager, "operation": "Update", "time": time, "fieldsV1": { "f:spec": spec } });
        if let Some(subresource) = subresource {
            entry["subresource"] = json!(subresource);
        }
        entry
    };
    let by = |entries: Value| {
        let found = scaled(&object(json!({ "name": "my-api", "managedFields": entries })));
        found.map(|scaled| (scaled.by, scaled.at.to_string()))
    };
    let (early, late) = ("2026-05-01T09:00:00Z", "2026-05-01T09:10:00Z");
    let whole = || entry("kubectl-client-side-apply", None, late, json!({ "f:replicas": {}, "f:template": {} }));
    let number = || json!({ "f:replicas": {} });
    assert_eq!(by(json!([])), None);
    assert_eq!(by(json!([whole()])), None);
    let scale = entry("kubectl", Some("scale"), early, number());
    assert_eq!(by(json!([whole(), scale.clone()])), Some(("kubectl".to_owned(), early.to_owned())));
    let ours = entry("pagerdeck", None, late, json!({ "f:replicas": {}, "f:template": {} }));
    assert_eq!(by(json!([scale, ours])), Some(("pagerdeck".to_owned(), late.to_owned())));
    assert_eq!(by(json!([entry("pagerdeck", None, late, json!({ "f:template": {} }))])), None);
}
