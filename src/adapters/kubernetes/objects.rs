//! Objects as `kubectl get -o json` or `-o yaml` prints them → the domain's words, through the same tables as the API's
//! answers. Pure: what is given is what is known.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1 as core;
use serde_json::Value;

use super::map::{self, Owners};
use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::{
    ClusterEvent, Ownership, Pod, Revision, Workload, WorkloadKind, WorkloadRef,
};

/// What was found among the objects.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Workloads, in the order given; a pod that belongs to none is one of its own.
    pub workloads: Vec<Workload>,
    /// Pods, each with the workload it belongs to.
    pub pods: Vec<Pod>,
    /// Revisions by workload key.
    pub revisions: BTreeMap<String, Vec<Revision>>,
    /// Events.
    pub events: Vec<ClusterEvent>,
    /// Objects of kinds that tell nothing here, or that are not what their kind says.
    pub passed_over: usize,
}

/// Reads objects; lists are opened.
pub fn objects(values: &[Value]) -> Objects {
    let mut flat = Vec::new();
    for value in values {
        flatten(value, &mut flat);
    }
    let mut found = Objects::default();
    let mut owners = Owners::default();
    for object in of_kind::<ReplicaSet>(&flat, "ReplicaSet") {
        owners.learn(&object);
        if let Some((target, revision)) = map::revision(&object) {
            found.revisions.entry(target.key()).or_default().push(revision);
        }
    }
    found.workloads.extend(of_kind(&flat, "Deployment").iter().map(map::deployment));
    found.workloads.extend(of_kind(&flat, "StatefulSet").iter().map(map::stateful_set));
    found.workloads.extend(of_kind(&flat, "DaemonSet").iter().map(map::daemon_set));
    found.events.extend(of_kind(&flat, "Event").iter().map(map::event));
    for object in of_kind::<core::Pod>(&flat, "Pod") {
        let mut pod = map::pod(&object, &owners);
        if pod.owner.is_none() {
            pod.owner = selected(&object, &found.workloads);
        }
        if pod.owner.is_none() {
            let own = lone(&object, &pod);
            pod.owner = Some(own.target.clone());
            found.workloads.push(own);
        }
        found.pods.push(pod);
    }
    let known = ["ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Event", "Pod"];
    found.passed_over = flat.iter().filter(|value| !known.contains(&kind(value))).count();
    found
}

fn flatten<'a>(value: &'a Value, into: &mut Vec<&'a Value>) {
    match (value.get("items").and_then(Value::as_array), value) {
        (Some(items), _) => items.iter().for_each(|item| flatten(item, into)),
        (None, Value::Array(items)) => items.iter().for_each(|item| flatten(item, into)),
        (None, value) => into.push(value),
    }
}

fn kind(value: &Value) -> &str {
    value["kind"].as_str().unwrap_or_default()
}

fn of_kind<T: serde::de::DeserializeOwned>(values: &[&Value], wanted: &str) -> Vec<T> {
    let same = values.iter().filter(|value| kind(value) == wanted);
    same.filter_map(|value| serde_json::from_value((*value).clone()).ok()).collect()
}

/// The workload whose selector asks for a pod: exports often leave owner references out.
fn selected(object: &core::Pod, workloads: &[Workload]) -> Option<WorkloadRef> {
    let labels = object.metadata.labels.as_ref()?;
    let namespace = map::namespace_of(&object.metadata);
    let asks = |workload: &&Workload| {
        workload.target.namespace == namespace
            && !workload.selector.is_empty()
            && workload.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    };
    workloads.iter().find(asks).map(|workload| workload.target.clone())
}

/// A pod without a workload, taken for one with a single replica.
fn lone(object: &core::Pod, pod: &Pod) -> Workload {
    let ready = u32::from(!pod.containers.is_empty() && pod.containers.iter().all(|container| container.ready));
    let containers = object.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
    Workload {
        target: WorkloadRef {
            kind: WorkloadKind::Deployment,
            namespace: Namespace::new(pod.namespace.as_str()),
            name: pod.name.clone(),
        },
        uid: object.metadata.uid.clone().unwrap_or_default(),
        generation: 0,
        observed_generation: 0,
        replicas: 1,
        ready,
        updated: 1,
        available: ready,
        max_unavailable: String::new(),
        max_surge: String::new(),
        revision: None,
        containers: containers.iter().map(map::container_spec).collect(),
        template_annotations: BTreeMap::new(),
        selector: BTreeMap::new(),
        labels: object.metadata.labels.clone().unwrap_or_default(),
        ownership: Ownership::Direct,
        paused: false,
        created_at: pod.created_at,
    }
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
            { "kind": "ConfigMap", "metadata": { "name": "x" } },
        ] });
        let found = objects(&[list]);
        let names: Vec<&str> = found.workloads.iter().map(|workload| workload.target.name.as_str()).collect();
        assert_eq!((names, found.passed_over), (vec!["cart", "alone"], 1));
        assert_eq!((found.workloads[0].replicas, found.workloads[0].ready), (2, 1));
        assert_eq!(found.workloads[0].containers[0].memory_limit, Some(5 << 20));
        assert_eq!(found.pods[0].owner.as_ref(), Some(&found.workloads[0].target));
        assert_eq!(found.pods[0].containers[0].last_end.as_ref().map(|end| end.reason.as_str()), Some("OOMKilled"));
        assert_eq!((found.events.len(), found.events[0].count), (1, 7));
    }

    #[test]
    fn what_is_no_object_is_passed_over() {
        assert_eq!(objects(&[json!(null), json!("x"), json!({ "kind": "Pod", "spec": 3 })]).pods.len(), 0);
    }
}
