//! What conditions and selectors of objects tell, in the words of events: events are kept for an hour, objects stay. No
//! conclusion is drawn here; a message is passed on as it was written.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::super::map::{namespace_of, safe};
use crate::domain::observation::workload::{ClusterEvent, Workload};

/// Pods that no node took or that one sent away, and deployments whose pods were forbidden or that do not get on.
pub(super) fn by_conditions(pods: &[core::Pod], deployments: &[Deployment]) -> Vec<ClusterEvent> {
    let mut events = Vec::new();
    for pod in pods {
        let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        let waits = conditions.iter().find(|one| one.type_ == "PodScheduled" && one.status == "False");
        if let Some(message) = waits.and_then(|one| one.message.as_deref()) {
            let at = waits.and_then(|one| one.last_transition_time.as_ref()).map(|time| time.0);
            events.push(event(&pod.metadata, ("Pod", "FailedScheduling"), message, at));
        }
        // The event of it is gone after an hour, and with it why.
        let sent_away = pod.status.as_ref().filter(|status| status.reason.as_deref() == Some("Evicted"));
        if let Some(message) = sent_away.and_then(|status| status.message.as_deref()) {
            events.push(event(&pod.metadata, ("Pod", "Evicted"), message, None));
        }
    }
    for deployment in deployments {
        let status = deployment.status.as_ref();
        let conditions = status.and_then(|status| status.conditions.as_deref()).unwrap_or_default();
        for one in conditions {
            let told = (one.type_.as_str(), one.status.as_str());
            if !matches!(told, ("ReplicaFailure", "True") | ("Progressing", "False")) {
                continue;
            }
            let at = one.last_update_time.as_ref().or(one.last_transition_time.as_ref()).map(|time| time.0);
            let reason = one.reason.as_deref().unwrap_or("FailedCreate");
            let message = one.message.as_deref().unwrap_or_default();
            events.push(event(&deployment.metadata, ("Deployment", reason), message, at));
        }
    }
    events
}

/// What of its conditions a node is in trouble by, and the reason its event would have.
const OF_NODES: [(&str, &str); 4] = [
    ("Ready", "NodeNotReady"),
    ("MemoryPressure", "NodeHasInsufficientMemory"),
    ("DiskPressure", "NodeHasDiskPressure"),
    ("PIDPressure", "NodeHasInsufficientPID"),
];

/// Nodes that are not ready, or short of something, with their taints. They are so when read: `read_at`, or, of an export, when
/// any of the nodes was last heard of.
pub fn by_nodes(nodes: &[core::Node], read_at: Option<Timestamp>) -> Vec<ClusterEvent> {
    let conditions =
        |node: &core::Node| node.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
    let heard = nodes.iter().flat_map(conditions).filter_map(|one| Some(one.last_heartbeat_time?.0)).max();
    let mut events = Vec::new();
    for node in nodes {
        for one in conditions(node) {
            // What nobody knows of a node's memory is told by its not being ready.
            let troubled = if one.type_ == "Ready" { one.status != "True" } else { one.status == "True" };
            let Some((_, reason)) = OF_NODES.iter().find(|row| row.0 == one.type_).filter(|_| troubled) else {
                continue;
            };
            let why = one.message.or(one.reason).unwrap_or_default();
            let message = format!("{} is {}: {why}{}", one.type_, one.status, tainted(node));
            let since = one.last_transition_time.map(|time| time.0);
            let mut told = event(&node.metadata, ("Node", reason), &message, since);
            told.last_at = read_at.or(heard).max(since);
            events.push(told);
        }
    }
    events
}

/// ` (tainted node.kubernetes.io/unreachable:NoExecute)`.
fn tainted(node: &core::Node) -> String {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_deref()).unwrap_or_default();
    let own: Vec<String> = taints
        .iter()
        .filter(|taint| taint.key.starts_with("node.kubernetes.io/"))
        .map(|taint| format!("{}:{}", taint.key, taint.effect))
        .collect();
    if own.is_empty() { String::new() } else { format!(" (tainted {})", own.join(", ")) }
}

/// Services called like a workload that select none of the pods there are.
pub(super) fn by_selectors(
    services: &[core::Service],
    pods: &[core::Pod],
    workloads: &[Workload],
) -> Vec<ClusterEvent> {
    let none = |service: &&core::Service| {
        let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref());
        let namespace = namespace_of(&service.metadata);
        let there: Vec<&core::Pod> = pods.iter().filter(|pod| namespace_of(&pod.metadata) == namespace).collect();
        let called = workloads.iter().any(|workload| service.metadata.name.as_deref() == Some(&workload.target.name));
        let labelled = |pod: &&core::Pod| pod.metadata.labels.as_ref().is_some_and(|labels| !labels.is_empty());
        let picks = |pod: &&core::Pod| selector.is_some_and(|selector| has(pod, selector));
        selector.is_some_and(|selector| !selector.is_empty())
            && called
            && there.iter().any(labelled)
            && !there.iter().any(picks)
    };
    let told = |service: &core::Service| {
        let selector = service.spec.as_ref().and_then(|spec| spec.selector.clone()).unwrap_or_default();
        let pairs: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let message = format!("its selector {} matches no pod", pairs.join(","));
        event(&service.metadata, ("Service", "NoEndpoints"), &message, None)
    };
    services.iter().filter(none).map(told).collect()
}

/// Adds what is told beside the events, once: what an event says as well is as true as when read.
pub fn tell_once(events: &mut Vec<ClusterEvent>, told: ClusterEvent) {
    match events.iter_mut().rev().find(|other| other.about == told.about && other.reason == told.reason) {
        Some(known) => known.last_at = known.last_at.max(told.last_at),
        None => events.push(told),
    }
}

fn has(pod: &core::Pod, selector: &BTreeMap<String, String>) -> bool {
    let labels = pod.metadata.labels.as_ref();
    selector.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
}

fn event(meta: &ObjectMeta, (kind, reason): (&str, &str), message: &str, at: Option<Timestamp>) -> ClusterEvent {
    let name = meta.name.as_deref().unwrap_or("unknown");
    ClusterEvent {
        name: safe(&format!("{name}.{reason}")),
        namespace: namespace_of(meta),
        warning: true,
        reason: safe(reason),
        message: safe(message),
        about: safe(&format!("{kind}/{name}")),
        node: None,
        count: 1,
        last_at: at,
        first_at: at,
    }
}
