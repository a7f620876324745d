//! Nodes that were drained before start: closed to new pods, their pods moved to the others in good order.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::domain::observation::workload::WorkloadKind;
use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::event::{self, Occurrence, Tone};
use crate::rehearsal::cluster::kind::row;
use crate::rehearsal::cluster::shape::{self, set, stamp};
use crate::rehearsal::cluster::store::Key;

/// A drain moves one pod after another.
const APART: SignedDuration = SignedDuration::from_secs(4);

/// Where a pod is from its founding on.
pub(super) struct Home {
    pub(super) node: String,
    /// When it was made there in place of one on a node that was drained.
    pub(super) moved: Option<Timestamp>,
    /// The node it was on before that.
    pub(super) from: String,
}

impl Cluster {
    /// Closes a node to new pods, as the first step of a drain does.
    pub(super) fn found_drained(&mut self, name: &str, at: Timestamp) {
        let key = Key::new(row("nodes"), "", name);
        let Some(mut node) = self.store.get(&key).map(|node| (**node).clone()) else { return };
        let taint = "node.kubernetes.io/unschedulable";
        set(&mut node, &["spec", "unschedulable"], json!(true));
        set(&mut node, &["spec", "taints"], json!([{"key": taint, "effect": "NoSchedule", "timeAdded": stamp(at)}]));
        let message = format!("Node {name} status is now: NodeNotSchedulable");
        let (tone, reason, source) = (Tone::Normal, "NodeNotSchedulable", "kubelet");
        event::record(&mut self.store, at, &Occurrence { about: &node, tone, reason, message, source });
        self.store.put(key, node);
    }

    /// The home of the nth pod of a workload: nodes are taken in turn, and what was on a drained one is on another since.
    pub(super) fn home(&self, kind: WorkloadKind, index: usize) -> Home {
        let nodes: Vec<(&Key, &Value)> =
            self.store.list(row("nodes"), None).map(|(key, node)| (key, node.as_ref())).collect();
        let (key, node) = nodes[index % nodes.len()];
        let open: Vec<&Key> =
            nodes.iter().filter(|(_, node)| drained_at(node).is_none()).map(|(key, _)| *key).collect();
        // A drain leaves daemons where they are.
        let moved = drained_at(node).filter(|_| kind != WorkloadKind::DaemonSet && !open.is_empty());
        let from = key.name.clone();
        let node = if moved.is_some() { &open[index % open.len()].name } else { &key.name };
        Home { node: node.clone(), from, moved: moved.map(|at| at + APART * i32::try_from(index).unwrap_or(0)) }
    }

    /// The pod that was there before a drain moved it: its kubelet stopped it, and it is gone.
    pub(super) fn stop_drained(&mut self, owner: &Value, (node, at): (&str, Timestamp)) {
        let mut before = self.pod_of(owner);
        set(&mut before, &["spec", "nodeName"], json!(node));
        for container in shape::containers(&before["spec"]) {
            let message = format!("Stopping container {}", shape::text(container, "/name").unwrap_or_default());
            let (tone, reason, source) = (Tone::Normal, "Killing", "kubelet");
            event::record(&mut self.store, at, &Occurrence { about: &before, tone, reason, message, source });
        }
    }
}

/// When a node was closed.
fn drained_at(node: &Value) -> Option<Timestamp> {
    let shut = node.pointer("/spec/unschedulable") == Some(&Value::Bool(true));
    shape::text(node, "/spec/taints/0/timeAdded")?.parse().ok().filter(|_| shut)
}
