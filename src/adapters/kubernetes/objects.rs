//! Objects as `kubectl get -o json` or `-o yaml` prints them → the domain's words, through the same tables as the API's
//! answers. Pure: what is given is what is known.

mod adopted;
pub(super) mod told;

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{ControllerRevision, Deployment, ReplicaSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::changes;
use super::map::{self, Owners};
use crate::domain::observation::change::{Change, of_nodes};
use crate::domain::observation::workload::{ClusterEvent, Ownership, Pod, Revision, Workload};

/// What was found among the objects.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Workloads, in the order given; those that only their pods or events tell of come last.
    pub workloads: Vec<Workload>,
    /// Pods, each with the workload it belongs to.
    pub pods: Vec<Pod>,
    /// Revisions by workload key.
    pub revisions: BTreeMap<String, Vec<Revision>>,
    /// Events, and what conditions and selectors of other objects tell in the words of events.
    pub events: Vec<ClusterEvent>,
    /// Changes beside rollouts by workload key.
    pub changes: BTreeMap<String, Vec<Change>>,
    /// Objects of kinds that tell nothing here, or that are not what their kind says.
    pub passed_over: usize,
}

/// The kinds that are read.
const READ: [&str; 12] = [
    "ReplicaSet",
    "ControllerRevision",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "Event",
    "Pod",
    "Service",
    "Secret",
    "ConfigMap",
    "HorizontalPodAutoscaler",
    "Node",
];

/// Reads objects; lists are opened.
pub fn objects(values: &[Value]) -> Objects {
    let mut flat = Vec::new();
    for value in values {
        flatten(value, &mut flat);
    }
    let mut found = Objects::default();
    let mut owners = Owners::default();
    let sets: Vec<ReplicaSet> = of_kind(&flat, "ReplicaSet");
    for set in &sets {
        owners.learn(set);
    }
    let kept: Vec<ControllerRevision> = of_kind(&flat, "ControllerRevision");
    for (target, revision) in map::revisions(&sets).into_iter().chain(map::controlled(&kept)) {
        found.revisions.entry(target.key()).or_default().push(revision);
    }
    let deployments: Vec<Deployment> = of_kind(&flat, "Deployment");
    found.workloads.extend(deployments.iter().map(map::deployment));
    found.workloads.extend(of_kind(&flat, "StatefulSet").iter().map(map::stateful_set));
    found.workloads.extend(of_kind(&flat, "DaemonSet").iter().map(map::daemon_set));
    found.events.extend(events(&flat).iter().map(map::event));
    let pods: Vec<core::Pod> = of_kind(&flat, "Pod");
    adopted::pods(&pods, &owners, &mut found);
    let told = told::by_conditions(&pods, &deployments)
        .into_iter()
        .chain(told::by_selectors(&of_kind(&flat, "Service"), &pods, &found.workloads))
        .chain(told::by_nodes(&of_kind(&flat, "Node"), None));
    for event in told {
        told::tell_once(&mut found.events, event);
    }
    adopted::by_events(&mut found);
    found.changes = changed(&flat, &deployments, &found);
    found.passed_over = flat.iter().filter(|value| !READ.contains(&kind(value))).count();
    found
}

/// What Helm's Secrets, the config maps that a deployment names, its autoscalers and its nodes' events remember of changes.
fn changed(flat: &[&Value], deployments: &[Deployment], read: &Objects) -> BTreeMap<String, Vec<Change>> {
    let Objects { workloads, pods, events, .. } = read;
    let secrets: Vec<core::Secret> = of_kind(flat, "Secret");
    let maps: Vec<core::ConfigMap> = of_kind(flat, "ConfigMap");
    let scalers: Vec<HorizontalPodAutoscaler> = of_kind(flat, "HorizontalPodAutoscaler");
    let mut found = BTreeMap::new();
    for workload in workloads {
        let target = &workload.target;
        let here = |meta: &ObjectMeta| map::namespace_of(meta) == target.namespace;
        let mut all = Vec::new();
        if let Ownership::Helm { release } = &workload.ownership {
            all.extend(changes::helm(&secrets, release));
        }
        let object = deployments.iter().find(|one| map::deployment(one).target == *target);
        let spec = object.and_then(|one| one.spec.as_ref()?.template.spec.as_ref());
        let named = spec.map(changes::config_maps_of).unwrap_or_default();
        let is_named = |map: &&core::ConfigMap| {
            here(&map.metadata) && map.metadata.name.as_ref().is_some_and(|name| named.contains(name))
        };
        all.extend(maps.iter().filter(is_named).filter_map(changes::config_map));
        let scaled = scalers.iter().filter(|scaler| here(&scaler.metadata));
        all.extend(scaled.flat_map(|scaler| changes::autoscaler(scaler, target)));
        all.extend(of_nodes(events, (target, pods)));
        if !all.is_empty() {
            found.insert(target.key(), all);
        }
    }
    found
}

fn flatten<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
    match (value.get("items").and_then(Value::as_array), value) {
        (Some(items), _) => items.iter().for_each(|item| flatten(item, into)),
        (None, Value::Array(items)) => items.iter().for_each(|item| flatten(item, into)),
        (None, value) => into.push(value),
    }
}

/// What `events.k8s.io/v1` calls what the core's events have: the API serves each event under both.
const RENAMED: [(&str, &str); 5] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("deprecatedCount", "count"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
];

fn events(flat: &[&Value]) -> Vec<core::Event> {
    let told: Vec<Value> = flat.iter().filter(|value| kind(value) == "Event").map(|value| as_of_core(value)).collect();
    of_kind(&told.iter().collect::<Vec<_>>(), "Event")
}

fn as_of_core(event: &Value) -> Value {
    let mut event = event.clone();
    let renamed = event["apiVersion"].as_str().is_some_and(|version| version.starts_with("events.k8s.io/"));
    if let Some(fields) = event.as_object_mut().filter(|_| renamed) {
        for (new, old) in RENAMED {
            if let Some(told) = fields.remove(new) {
                fields.insert(old.to_owned(), told);
            }
        }
        fields.insert("apiVersion".to_owned(), Value::from("v1"));
    }
    event
}

fn kind(value: &Value) -> &str {
    value["kind"].as_str().unwrap_or_default()
}

fn of_kind<T: serde::de::DeserializeOwned>(values: &[&Value], wanted: &str) -> Vec<T> {
    let same = values.iter().filter(|value| kind(value) == wanted);
    same.filter_map(|value| serde_json::from_value((*value).clone()).ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_listing_is_read_into_workloads_pods_and_events() {
        let list = json!({ "kind": "List", "items": [
            { "kind": "Deployment", "metadata": { "name": "cart", "namespace": "shop" },
              "spec": { "replicas": 2, "selector": { "matchLabels": { "app": "cart" } }, "template": {
                  "spec": { "containers": [{ "name": "app", "image": "cart:2", "resources": { "limits": { "memory": "5Mi" } } }] } } },
              "status": { "readyReplicas": 1 } },
            { "kind": "Pod", "metadata": { "name": "cart-1", "namespace": "shop", "labels": { "app": "cart" } },
              "status": { "phase": "Running", "containerStatuses": [{ "name": "app", "ready": false, "restartCount": 4,
                  "image": "", "imageID": "", "state": { "waiting": { "reason": "CrashLoopBackOff" } },
                  "lastState": { "terminated": { "reason": "OOMKilled", "exitCode": 137 } } }] } },
            { "kind": "Pod", "metadata": { "name": "alone", "namespace": "shop" }, "status": { "phase": "Pending" } },
            { "kind": "Event", "metadata": { "name": "e" }, "involvedObject": { "kind": "Pod", "name": "cart-1" },
              "type": "Warning", "reason": "BackOff", "message": "Back-off", "count": 7 },
            { "kind": "Pod", "metadata": { "name": "shelf-7d9f8c6b5-aaaaa", "namespace": "shop" }, "status": { "phase": "Running" } },
            { "kind": "Pod", "metadata": { "name": "shelf-7d9f8c6b5-bbbbb", "namespace": "shop" }, "status": { "phase": "Running" } },
            { "kind": "Pod", "metadata": { "name": "cart-9c1d2e3f4-ccccc", "namespace": "shop" }, "status": { "phase": "Pending",
              "conditions": [{ "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes are available" }] } },
            { "kind": "Service", "metadata": { "name": "cart", "namespace": "shop" }, "spec": { "selector": { "app": "basket" } } },
            { "kind": "Ingress", "metadata": { "name": "x" } },
        ] });
        let found = objects(&[list]);
        let names: Vec<&str> = found.workloads.iter().map(|workload| workload.target.name.as_str()).collect();
        assert_eq!((names, found.passed_over), (vec!["cart", "alone", "shelf"], 1));
        assert_eq!((found.workloads[0].replicas, found.workloads[0].ready), (2, 1));
        assert_eq!(found.workloads[0].containers[0].memory_limit, Some(5 << 20));
        assert_eq!(found.pods[0].owner.as_ref(), Some(&found.workloads[0].target));
        assert_eq!(found.pods[0].containers[0].last_end.as_ref().map(|end| end.reason.as_str()), Some("OOMKilled"));
        assert_eq!(found.workloads[2].replicas, 2);
        assert_eq!(
            found.pods.iter().find(|pod| pod.name == "cart-9c1d2e3f4-ccccc").unwrap().owner.as_ref(),
            Some(&found.workloads[0].target)
        );
        let told: Vec<(&str, &str)> =
            found.events.iter().map(|event| (event.reason.as_str(), event.about.as_str())).collect();
        assert_eq!(
            told,
            [
                ("BackOff", "Pod/cart-1"),
                ("FailedScheduling", "Pod/cart-9c1d2e3f4-ccccc"),
                ("NoEndpoints", "Service/cart")
            ]
        );
    }

    #[test]
    fn a_node_tells_how_it_is_and_an_event_that_says_the_same_is_as_true() {
        let of = |kind: &str, status: &str, heard: &str| {
            json!({ "type": kind, "status": status, "message": "Kubelet stopped posting node status.",
                    "lastTransitionTime": "2026-05-01T09:00:00Z", "lastHeartbeatTime": heard })
        };
        let taint = json!({ "key": "node.kubernetes.io/unreachable", "effect": "NoExecute" });
        let found = objects(&[
            json!({ "kind": "Node", "metadata": { "name": "gone" }, "spec": { "taints": [taint] }, "status": { "conditions": [
                of("Ready", "Unknown", "2026-05-01T08:59:10Z"), of("MemoryPressure", "Unknown", "2026-05-01T08:59:10Z")] } }),
            json!({ "kind": "Node", "metadata": { "name": "full" }, "status": { "conditions": [
                of("Ready", "True", "2026-05-01T10:00:00Z"), of("DiskPressure", "True", "2026-05-01T10:00:00Z")] } }),
            json!({ "kind": "Event", "metadata": { "name": "e" }, "involvedObject": { "kind": "Node", "name": "full" },
                    "reason": "NodeHasDiskPressure", "lastTimestamp": "2026-05-01T09:00:00Z" }),
        ]);
        let told: Vec<String> = found.events.iter().map(|event| format!("{} {}", event.about, event.reason)).collect();
        assert_eq!(told, ["Node/full NodeHasDiskPressure", "Node/gone NodeNotReady"]);
        assert!(found.events.iter().all(|event| event.last_at == "2026-05-01T10:00:00Z".parse().ok()), "{found:?}");
        let words =
            "Ready is Unknown: Kubelet stopped posting node status. (tainted node.kubernetes.io/unreachable:NoExecute)";
        assert_eq!(found.events[1].message, words);
    }

    fn pod_of_a_replica_set(name: &str, ready: bool) -> Value {
        json!({ "kind": "Pod", "metadata": { "name": name, "namespace": "shop", "labels": { "pod-template-hash": "7d9f" },
                    "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "cart-7d9f", "uid": "r", "controller": true }] },
                "spec": { "containers": [{ "name": "app", "image": "cart:2" }] },
                "status": { "phase": "Running", "containerStatuses": [{ "name": "app", "ready": ready, "restartCount": 4,
                    "image": "", "imageID": "", "lastState": { "terminated": { "reason": "OOMKilled", "exitCode": 137 } } }] } })
    }

    #[test]
    fn pods_without_their_deployment_make_it_known() {
        let found = objects(&[json!({ "kind": "List", "items": [
            pod_of_a_replica_set("cart-7d9f-aaaaa", true), pod_of_a_replica_set("cart-7d9f-bbbbb", false)] })]);
        let [made] = found.workloads.as_slice() else { panic!("{:?}", found.workloads) };
        assert_eq!((made.target.key().as_str(), made.replicas, made.ready), ("deployment/shop/cart", 2, 1));
        assert!(found.pods.iter().all(|pod| pod.owner.as_ref() == Some(&made.target)));
        assert_eq!(made.containers.len(), 1);
    }

    #[test]
    fn events_alone_make_known_what_they_are_about() {
        let about = |kind: &str, name: &str, reason: &str, tone: &str| {
            json!({ "kind": "Event", "metadata": { "name": name, "namespace": "shop" }, "reason": reason, "type": tone,
                    "involvedObject": { "kind": kind, "name": name, "namespace": "shop" }, "message": "m" })
        };
        let of = |events: &[Value]| {
            let found = objects(events);
            found.workloads.iter().map(|made| (made.target.key(), made.replicas)).collect::<Vec<_>>()
        };
        let cart = || vec![("deployment/shop/cart".to_owned(), 0)];
        assert_eq!(of(&[about("Pod", "cart-7d9f8c6b5-x2x4q", "FailedScheduling", "Warning")]), cart());
        assert_eq!(of(&[about("ReplicaSet", "cart-7d9f8c6b5", "FailedCreate", "Warning")]), cart());
        assert_eq!(of(&[about("Pod", "cart-7d9f8c6b5-x2x4q", "Scheduled", "Normal")]), []);
        assert_eq!(of(&[about("Pod", "db-0", "FailedScheduling", "Warning")]), []);
        assert_eq!(of(&[about("Node", "ip-10-0-0-1", "NodeNotReady", "Normal")]), []);
        let known = pod_of_a_replica_set("cart-7d9f-aaaaa", true);
        let gone = about("Pod", "cart-7d9f-zzzzz", "Evicted", "Warning");
        assert_eq!(of(&[known, gone]), [("deployment/shop/cart".to_owned(), 1)]);
    }

    #[test]
    fn an_event_of_the_newer_group_is_the_same_event() {
        let found = objects(&[json!({ "apiVersion": "events.k8s.io/v1", "kind": "Event", "type": "Warning",
            "metadata": { "name": "e", "namespace": "shop" }, "reason": "FailedScheduling", "note": "3 Insufficient memory.",
            "regarding": { "kind": "Pod", "name": "cart-1" }, "deprecatedCount": 7,
            "deprecatedLastTimestamp": "2026-05-01T09:00:00Z" })]);
        let [event] = found.events.as_slice() else { panic!("{:?}", found.events) };
        assert_eq!((event.about.as_str(), event.message.as_str()), ("Pod/cart-1", "3 Insufficient memory."));
        assert_eq!((event.count, event.last_at), (7, "2026-05-01T09:00:00Z".parse().ok()));
    }

    #[test]
    fn a_pod_that_was_sent_away_says_why() {
        let found = objects(&[
            json!({ "kind": "Pod", "metadata": { "name": "cart-1", "namespace": "shop" }, "status": {
            "phase": "Failed", "reason": "Evicted", "message": "Usage of EmptyDir volume \"tmp\" exceeds the limit" } }),
        ]);
        let told: Vec<&str> = found.events.iter().map(|event| event.message.as_str()).collect();
        assert_eq!(told, ["Usage of EmptyDir volume \"tmp\" exceeds the limit"]);
    }

    #[test]
    fn what_is_no_object_is_passed_over() {
        assert_eq!(objects(&[json!(null), json!("x"), json!({ "kind": "Pod", "spec": 3 })]).pods.len(), 0);
    }
}
