//! The pods and events of the workload as Kubernetes writes them, from what was read: nothing that was not looked at, and no
//! secret of a manifest, gets into the folder.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::diagnosis::evidence::Payload;
use crate::domain::observation::workload::{ClusterEvent, ContainerState, Pod, Termination};
use crate::runtime::exported::Exported;

/// A list of them; `None` where no file told of any.
pub(super) fn told(exported: &Exported) -> Option<Value> {
    let found = exported.evidence.iter().find_map(|piece| match piece.answer.payload()? {
        Payload::Workload { pods, events, .. } => Some((pods, events)),
        Payload::Series { .. }
        | Payload::OomKills(_)
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Changes { .. } => None,
    });
    let (pods, events) = found.filter(|(pods, events)| !pods.is_empty() || !events.is_empty())?;
    let until = exported.window.to;
    let items: Vec<Value> = pods.iter().map(|one| pod(one, until)).chain(events.iter().map(event)).collect();
    Some(json!({"apiVersion": "v1", "kind": "List", "items": items}))
}

fn pod(pod: &Pod, until: Timestamp) -> Value {
    // The words that pods are read into: some are a phase, some a reason, some a condition.
    let (phase, reason) = match pod.phase.as_str() {
        "Pending" | "Running" | "Succeeded" | "Failed" => (pod.phase.as_str(), None),
        "Terminating" | "Unknown" => ("Running", None),
        reason => ("Failed", Some(reason)),
    };
    let contained = !pod.containers.is_empty() && pod.containers.iter().all(|container| container.ready);
    let ready = contained && pod.phase == "Running";
    let condition = |kind: &str, holds: bool| json!({"type": kind, "status": if holds { "True" } else { "False" }});
    let mut object = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": pod.name, "namespace": pod.namespace},
        "spec": {},
        "status": {
            "phase": phase, "conditions": [condition("Ready", ready), condition("ContainersReady", contained)],
            "containerStatuses": pod.containers.iter().map(container).collect::<Vec<Value>>(),
        },
    });
    if let Some(at) = pod.created_at {
        object["metadata"]["creationTimestamp"] = json!(at);
    }
    if pod.phase == "Terminating" {
        object["metadata"]["deletionTimestamp"] = json!(until);
    }
    if let Some(node) = &pod.node {
        object["spec"]["nodeName"] = json!(node);
    }
    if let Some(reason) = reason {
        object["status"]["reason"] = json!(reason);
    }
    object
}

fn container(state: &ContainerState) -> Value {
    let (kind, reason) = state.state.split_once(": ").unwrap_or((&state.state, ""));
    let end = state.last_end.as_ref().map(|end| ended(end, state.message.as_deref()));
    let now = match kind {
        "running" => json!({"running": {"startedAt": state.running_since}}),
        "waiting" => json!({"waiting": {"reason": reason, "message": state.message}}),
        "terminated" => json!({"terminated": &end}),
        _ => json!({}),
    };
    let before = match kind {
        "terminated" => state.end_before.as_ref().map(|end| ended(end, None)),
        _ => end,
    };
    let before = before.map_or_else(|| json!({}), |end| json!({"terminated": end}));
    json!({
        "name": state.name, "ready": state.ready, "restartCount": state.restarts, "image": "", "imageID": "",
        "state": now, "lastState": before,
    })
}

fn ended(end: &Termination, message: Option<&str>) -> Value {
    json!({
        "reason": end.reason, "exitCode": end.exit_code, "startedAt": end.started_at, "finishedAt": end.finished_at,
        "message": message,
    })
}

fn event(event: &ClusterEvent) -> Value {
    let (kind, name) = event.about.split_once('/').unwrap_or(("", &event.about));
    let source = event.node.as_ref().map(|node| json!({"component": "kubelet", "host": node}));
    json!({
        "apiVersion": "v1", "kind": "Event", "source": source,
        "metadata": {"name": event.name, "namespace": event.namespace},
        "involvedObject": {"kind": kind, "name": name, "namespace": event.namespace},
        "type": if event.warning { "Warning" } else { "Normal" }, "reason": event.reason, "message": event.message,
        "count": event.count, "firstTimestamp": event.first_at, "lastTimestamp": event.last_at,
    })
}
