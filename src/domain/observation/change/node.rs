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

/// What ties an event of a node to the pods of a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    /// Its pods are or were on the node, by name.
    Name,
    /// Pods of its name went right after it, and nothing tells which node those were on.
    Time,
}

impl Tie {
    fn words(self) -> &'static str {
        match self {
            Self::Name => "",
            Self::Time => " (tied to its pods by time only)",
        }
    }
}

/// What is known of where the pods of a workload are and were.
struct Whereabouts<'a> {
    nodes: BTreeSet<&'a str>,
    /// When pods were evicted, and when some were stopped and are gone, whose node nothing tells.
    evicted: Vec<Timestamp>,
    stopped: Vec<Timestamp>,
}

impl<'a> Whereabouts<'a> {
    fn of(events: &'a [ClusterEvent], (target, pods): (&WorkloadRef, &'a [Pod])) -> Self {
        let of_pods = || events.iter().filter(|event| event.about.starts_with("Pod/") && event.is_about(target, pods));
        let homes: BTreeMap<&str, &str> =
            of_pods().filter_map(|event| Some((event.about.as_str(), node_of(event)?))).collect();
        let homeless = || of_pods().filter(|event| !homes.contains_key(event.about.as_str()));
        let evicted = homeless().filter(|event| matches!(event.reason.as_str(), "Evicted" | "TaintManagerEviction"));
        let is_there = |about: &str| pods.iter().any(|pod| about.strip_prefix("Pod/") == Some(&pod.name));
        // A drain leaves no other word at its pods than any deletion.
        let stopped =
            homeless().filter(|event| event.reason == "Killing" && event.message.starts_with("Stopping container"));
        let stopped = times(stopped.filter(|event| !is_there(&event.about)));
        let own = pods.iter().filter(|pod| pod.owner.as_ref() == Some(target));
        let nodes = own.filter_map(|pod| pod.node.as_deref()).chain(homes.values().copied()).collect();
        Self { nodes, evicted: times(evicted), stopped }
    }

    /// By what an event of a node is tied to the pods.
    fn tie(&self, node: &str, event: &ClusterEvent) -> Option<Tie> {
        if self.nodes.contains(node) {
            return Some(Tie::Name);
        }
        let at = event.first_at.or(event.last_at)?;
        let follows = |gone: &Timestamp| at <= *gone && gone.duration_since(at) <= FOLLOWS;
        let sent_away =
            self.evicted.iter().any(follows) || is_emptied(&event.reason) && self.stopped.iter().any(follows);
        sent_away.then_some(Tie::Time)
    }
}

/// The node a pod is or was on, as an event about it tells: the scheduler by name, a kubelet by being that of the node.
fn node_of(event: &ClusterEvent) -> Option<&str> {
    // "Successfully assigned payments/my-api-x to ip-10-0-11-23": the node is the last word.
    let placed = || event.message.split_whitespace().next_back().filter(|_| event.reason == "Scheduled");
    event.node.as_deref().or_else(placed)
}

/// The changes of nodes, ascending: of those that the pods are on or were on, by name; and where the node of a pod that went
/// is not told, of those to which something happened right before such pods were evicted, or that were closed right before
/// such pods were stopped and gone, which is said.
pub fn of_nodes(events: &[ClusterEvent], (target, pods): (&WorkloadRef, &[Pod])) -> Vec<Change> {
    let whereabouts = Whereabouts::of(events, (target, pods));
    let told = events.iter().filter_map(|event| {
        let name = event.about.strip_prefix("Node/")?;
        let tie = whereabouts.tie(name, event)?;
        Some(((name, event.reason.as_str()), (event, what(&event.reason)?, tie)))
    });
    // An event that two namespaces were asked for is one.
    let told: BTreeMap<(&str, &str), (&ClusterEvent, &str, Tie)> = told.collect();
    let mut changes: Vec<Change> = told
        .into_iter()
        .map(|((name, _), (event, what, tie))| {
            let times = if event.count > 1 { format!(" ({} times)", event.count) } else { String::new() };
            Change {
                kind: ChangeKind::Node,
                name: name.to_owned(),
                at: event.first_at.or(event.last_at),
                what: format!("{what}{times}{}", tie.words()),
                fields: Vec::new(),
            }
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
            node: None,
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
            name: "my-api-7d9f-1".to_owned(),
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
            event("Pod/my-api-7d9f-4", "Killing", "Stopping container app", 2_560),
            event("Node/node-g", "NodeNotSchedulable", "", 3_500),
            event("Pod/my-api-7d9f-1", "Killing", "Stopping container app", 3_560),
            event("Pod/my-api-7d9f-2", "Evicted", "The node was low on resource: memory.", 660),
            event("Pod/my-api-7d9f-0", "Scheduled", "Successfully assigned payments/my-api-7d9f-0 to node-b", 50),
            event("Pod/my-api-worker-7d9f-0", "Evicted", "The node was low on resource: memory.", 2_060),
            event("Pod/other-0", "Scheduled", "Successfully assigned payments/other-0 to node-x", 50),
        ];
        let told: Vec<String> = of_nodes(&events, (&target, &pods)).iter().map(Change::words).collect();
        assert_eq!(
            told,
            [
                "node node-b was closed to new pods, as before a drain",
                "node node-a became not ready (3 times)",
                "node node-b was removed",
                "node node-c began to evict pods (tied to its pods by time only)",
                "node node-e was closed to new pods, as before a drain (tied to its pods by time only)"
            ]
        );
    }
    /// Two nodes are drained at once: the pods tell which of them they were on, by their kubelet or by their scheduler.
    #[test]
    fn a_drain_is_tied_to_the_node_that_the_pods_were_on() {
        let target =
            WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() };
        let kubelet = |about: &str, reason: &str, message: &str, node: &str, second| ClusterEvent {
            node: Some(node.to_owned()),
            ..event(about, reason, message, second)
        };
        let drains = || ["a", "b", "c"].map(|node| event(&format!("Node/node-{node}"), "NodeNotSchedulable", "", 500));
        let told = |pods: &[ClusterEvent]| {
            let events = [&drains()[..], pods].concat();
            of_nodes(&events, (&target, &[])).iter().map(Change::words).collect::<Vec<_>>()
        };
        let closed = |node: &str| format!("node node-{node} was closed to new pods, as before a drain");
        let stopping = "Stopping container app";
        assert_eq!(told(&[kubelet("Pod/my-api-7d9f-1", "Killing", stopping, "node-a", 520)]), [closed("a")]);
        let placed =
            event("Pod/my-api-7d9f-1", "Scheduled", "Successfully assigned payments/my-api-7d9f-1 to node-b", 100);
        assert_eq!(told(&[placed, event("Pod/my-api-7d9f-1", "Killing", stopping, 520)]), [closed("b")]);
        let by_time = |node: &str| closed(node) + " (tied to its pods by time only)";
        let unknown = event("Pod/my-api-7d9f-2", "Killing", stopping, 520);
        assert_eq!(told(std::slice::from_ref(&unknown)), ["a", "b", "c"].map(by_time));
        let evicted = kubelet("Pod/my-api-7d9f-1", "Evicted", "The node was low on resource: memory.", "node-c", 530);
        assert_eq!(
            told(&[evicted, unknown]),
            [by_time("a"), by_time("b"), closed("c")],
            "of the other pod nothing is told"
        );
    }
}
