//! Nodes that stopped answering before start: not ready, tainted, their pods given up after what they tolerate.

use jiff::SignedDuration;
use serde_json::json;

use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::event::{self, Occurrence, Tone};
use crate::rehearsal::cluster::kind::row;
use crate::rehearsal::cluster::shape::{self, set, stamp};
use crate::rehearsal::cluster::store::Key;
use crate::rehearsal::scenario::Scenario;

/// How long a pod stays on a node that does not answer (the admission plugin `DefaultTolerationSeconds`).
const TOLERATED: SignedDuration = SignedDuration::from_mins(5);
/// The kubelet posted last so long before its node was called not ready (`--node-monitor-grace-period`).
const SILENT: SignedDuration = SignedDuration::from_secs(50);
/// From giving a pod up to the pod that is made in its place.
const TAKES: SignedDuration = SignedDuration::from_secs(1);

impl Cluster {
    pub(super) fn found_lost(&mut self, scenario: &Scenario) {
        for node in &scenario.nodes {
            let Some(since) = node.not_ready else { continue };
            self.now = scenario.start + since;
            self.lose_node(&node.name);
            let given_up = self.now + TOLERATED;
            let here = self.keys("pods").into_iter().filter_map(|key| self.store.get(&key).cloned());
            let here: Vec<_> =
                here.filter(|pod| shape::text(pod, "/spec/nodeName") == Some(node.name.as_str())).collect();
            for pod in &here {
                // A daemon tolerates its node for ever.
                let daemon = shape::text(pod, "/metadata/ownerReferences/0/kind") == Some("DaemonSet");
                self.lose_pod(shape::uid(pod), (!daemon).then_some(given_up));
            }
            if given_up + TAKES > scenario.start {
                continue;
            }
            for pod in &here {
                self.now = given_up;
                let uid = shape::uid(pod);
                if shape::text(pod, "/metadata/ownerReferences/0/kind") == Some("ReplicaSet") {
                    let workload = self.runs.get(uid).and_then(|run| run.workload.clone());
                    self.give_up_pod(uid);
                    self.now = given_up + TAKES;
                    self.replace_before_start(pod, workload, scenario.start);
                }
            }
        }
    }

    /// What the node controller writes of a node whose kubelet says nothing.
    fn lose_node(&mut self, name: &str) {
        let key = Key::new(row("nodes"), "", name);
        let Some(mut node) = self.store.get(&key).map(|node| (**node).clone()) else { return };
        let (taint, at) = ("node.kubernetes.io/unreachable", stamp(self.now));
        let taints = ["NoSchedule", "NoExecute"].map(|effect| json!({"key": taint, "effect": effect, "timeAdded": at}));
        set(&mut node, &["spec", "taints"], json!(taints));
        let of = |kind: &str| {
            json!({
                "type": kind, "status": "Unknown", "reason": "NodeStatusUnknown",
                "message": "Kubelet stopped posting node status.", "lastTransitionTime": at,
                "lastHeartbeatTime": stamp(self.now - SILENT),
            })
        };
        let conditions = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"].map(of);
        set(&mut node, &["status", "conditions"], json!(conditions));
        let message = format!("Node {name} status is now: NodeNotReady");
        let (tone, reason, source) = (Tone::Normal, "NodeNotReady", "node-controller");
        event::record(&mut self.store, self.now, &Occurrence { about: &node, tone, reason, message, source });
        self.store.put(key, node);
    }
}
