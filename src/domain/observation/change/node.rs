//! What happened to the nodes that the pods of a workload are on, or were put on: short of something, not ready, drained.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Change, ChangeKind};
use crate::domain::observation::workload::{ClusterEvent, Pod, WorkloadRef};

/// What an event about a node tells, in a few words; `None` of what is no change.
fn what(reason: &str) -> Option<&'static str> {
    Some(match reason {
        "NodeNotReady" => "became not ready",
        "NodeReady" => "became ready",
        "NodeHasInsufficientMemory" => "ran short of memory",
        "NodeHasDiskPressure" => "ran short of disk",
        "NodeHasInsufficientPID" => "ran short of process ids",
        "EvictionThresholdMet" => "began to evict pods",
        "SystemOOM" => "killed a process of its own for memory",
        "NodeNotSchedulable" => "was closed to new pods, as before a drain",
        "NodeSchedulable" => "takes new pods again",
        "ScaleDown" => "was drained by the autoscaler",
        "Rebooted" => "was rebooted",
        "RemovingNode" | "DeletingNode" => "was removed",
        _ => return None,
    })
}

/// Whether a node is about to have its pods moved elsewhere.
fn is_emptied(reason: &str) -> bool {
    matches!(reason, "NodeNotSchedulable" | "ScaleDown" | "RemovingNode" | "DeletingNode")
}

fn times<'a>(events: impl Iterator<Item = &'a ClusterEvent>) -> Vec<Timestamp> {
    events.filter_map(|event| event.first_at.or(event.last_at)).collect()
}

/// An eviction follows what happened to its node within so long: what pods tolerate of a node that is not ready, and a little.
const FOLLOWS: SignedDuration = SignedDuration::from_mins(6);

/// The changes of nodes, ascending: of those that the pods are on, and of those that have none of them any more: that the
/// scheduler put pods of that name on before, or to which something happened right before pods of that name were evicted, or
/// that were closed right before pods of that name were stopped and gone.
pub fn of_nodes(events: &[ClusterEvent], (target, pods): (&WorkloadRef, &[Pod])) -> Vec<Change> {
    let made_by_it = format!("Pod/{}-", target.name);
    let of_pods =
        || events.iter().filter(|event| event.namespace == target.namespace && event.about.starts_with(&made_by_it));
    let gone = of_pods().filter(|event| matches!(event.reason.as_str(), "Evicted" | "TaintManagerEviction"));
    let is_there = |about: &str| pods.iter().any(|pod| about.strip_prefix("Pod/") == Some(&pod.name));
    // A drain leaves no other word at its pods than any deletion.
    let stopped =
        of_pods().filter(|event| event.reason == "Killing" && event.message.starts_with("Stopping container"));
    let stopped = times(stopped.filter(|event| !is_there(&event.about)));
    let gone = times(gone);
    let sent_away = |event: &ClusterEvent| {
        let follows = |at: Timestamp, gone: &Timestamp| at <= *gone && gone.duration_since(at) <= FOLLOWS;
        let at = event.first_at.or(event.last_at);
        let of_it = |all: &[Timestamp]| at.is_some_and(|at| all.iter().any(|gone| follows(at, gone)));
        of_it(&gone) || is_emptied(&event.reason) && of_it(&stopped)
    };
    let placed = of_pods().filter(|event| event.reason == "Scheduled");
    // "Successfully assigned payments/my-api-x to ip-10-0-11-23": the node is the last word.
    let placed = placed.filter_map(|event| event.message.split_whitespace().next_back());
    let own = pods.iter().filter(|pod| pod.owner.as_ref() == Some(target));
    let nodes: BTreeSet<&str> = own.filter_map(|pod| pod.node.as_deref()).chain(placed).collect();
    let told = events.iter().filter_map(|event| {
        let name = event.about.strip_prefix("Node/").filter(|name| nodes.contains(name) || sent_away(event))?;
        Some(((name, event.reason.as_str()), (event, what(&event.reason)?)))
    });
    // An event that two namespaces were asked for is one.
    let told: BTreeMap<(&str, &str), (&ClusterEvent, &str)> = told.collect();
    let mut changes: Vec<Change> = told
        .into_iter()
        .map(|((name, _), (event, what))| Change {
            kind: ChangeKind::Node,
            name: name.to_owned(),
            at: event.first_at.or(event.last_at),
            what: if event.count > 1 { format!("{what} ({} times)", event.count) } else { what.to_owned() },
            fields: Vec::new(),
        })
        .collect();
    changes.sort_by_key(|change| change.at);
    changes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::workload::WorkloadKind;

    fn event(about: &str, reason: &str, message: &str, second: i64) -> ClusterEvent {
        ClusterEvent {
            name: format!("{about}.{reason}"),
            namespace: if about.starts_with("Node") { "default" } else { "payments" }.into(),
            warning: true,
            reason: reason.to_owned(),
            message: message.to_owned(),
            about: about.to_owned(),
            count: if reason == "NodeNotReady" { 3 } else { 1 },
            last_at: Timestamp::from_second(second + 100).ok(),
            first_at: Timestamp::from_second(second).ok(),
        }
    }

    #[test]
    fn nodes_of_the_workload_tell_what_happened_to_them_and_others_do_not() {
        let target =
            WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() };
        let pod = |owner: Option<&WorkloadRef>, node: &str| Pod {
            name: "my-api-1".to_owned(),
            namespace: "payments".into(),
            owner: owner.cloned(),
            phase: "Running".to_owned(),
            node: Some(node.to_owned()),
            containers: Vec::new(),
            created_at: None,
        };
        let pods = [pod(Some(&target), "node-a"), pod(None, "node-x")];
        let events = [
            event("Node/node-b", "NodeNotSchedulable", "", 300),
            event("Node/node-b", "RemovingNode", "", 500),
            event("Node/node-a", "NodeNotReady", "", 400),
            event("Node/node-a", "NodeNotReady", "", 400),
            event("Node/node-a", "Starting", "Starting kubelet.", 10),
            event("Node/node-x", "NodeNotReady", "", 100),
            event("Node/node-c", "EvictionThresholdMet", "", 600),
            event("Node/node-d", "NodeNotReady", "", 2_000),
            event("Node/node-e", "NodeNotSchedulable", "", 2_500),
            event("Node/node-f", "NodeHasDiskPressure", "", 2_500),
            event("Pod/my-api-4", "Killing", "Stopping container app", 2_560),
            event("Node/node-g", "NodeNotSchedulable", "", 3_500),
            event("Pod/my-api-1", "Killing", "Stopping container app", 3_560),
            event("Pod/my-api-2", "Evicted", "The node was low on resource: memory.", 660),
            event("Pod/my-api-0", "Scheduled", "Successfully assigned payments/my-api-0 to node-b", 50),
            event("Pod/other-0", "Scheduled", "Successfully assigned payments/other-0 to node-x", 50),
        ];
        let told: Vec<String> = of_nodes(&events, (&target, &pods)).iter().map(Change::words).collect();
        assert_eq!(
            told,
            [
                "node node-b was closed to new pods, as before a drain",
                "node node-a became not ready (3 times)",
                "node node-b was removed",
                "node node-c began to evict pods",
                "node node-e was closed to new pods, as before a drain"
            ]
        );
    }
}
