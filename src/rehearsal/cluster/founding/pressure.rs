//! Nodes that ran short of memory before start: they evicted their pods, and the ones made in their place wait for room.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::event::{self, Occurrence, Tone};
use crate::rehearsal::cluster::kind::row;
use crate::rehearsal::cluster::shape::{self, set, stamp};
use crate::rehearsal::cluster::store::Key;
use crate::rehearsal::scenario::Scenario;

/// How long the kubelet takes to choose whom to evict, and the controller to make another.
const TAKES: SignedDuration = SignedDuration::from_secs(2);

impl Cluster {
    pub(super) fn found_pressure(&mut self, scenario: &Scenario) {
        for node in &scenario.nodes {
            let Some(since) = node.memory_pressure else { continue };
            let at = scenario.start + since;
            self.press(&node.name, at);
            let here: Vec<Key> =
                self.keys("pods").into_iter().filter(|key| self.is_evictable(key, &node.name)).collect();
            for key in here {
                self.evict_before_start(&key, at + TAKES, scenario.start);
            }
        }
    }

    /// Marks a node, and tells of it.
    fn press(&mut self, name: &str, at: Timestamp) {
        let key = Key::new(row("nodes"), "", name);
        let Some(mut node) = self.store.get(&key).map(|node| (**node).clone()) else { return };
        let taint = "node.kubernetes.io/memory-pressure";
        set(&mut node, &["spec", "taints"], json!([{"key": taint, "effect": "NoSchedule", "timeAdded": stamp(at)}]));
        if let Some(conditions) = node.pointer_mut("/status/conditions").and_then(serde_json::Value::as_array_mut) {
            conditions.push(json!({
                "type": "MemoryPressure", "status": "True", "reason": "KubeletHasInsufficientMemory",
                "message": "kubelet has insufficient memory available", "lastTransitionTime": stamp(at),
                "lastHeartbeatTime": stamp(at),
            }));
        }
        for (tone, reason, message) in [
            (Tone::Warning, "EvictionThresholdMet", "Attempting to reclaim memory".to_owned()),
            (
                Tone::Normal,
                "NodeHasInsufficientMemory",
                format!("Node {name} status is now: NodeHasInsufficientMemory"),
            ),
        ] {
            event::record(&mut self.store, at, &Occurrence { about: &node, tone, reason, message, source: "kubelet" });
        }
        self.store.put(key, node);
    }

    /// A daemon of a node belongs to it and is made again at once; all others go.
    fn is_evictable(&self, key: &Key, node: &str) -> bool {
        self.store.get(key).is_some_and(|pod| {
            shape::text(pod, "/spec/nodeName") == Some(node)
                && shape::text(pod, "/metadata/ownerReferences/0/kind") == Some("ReplicaSet")
        })
    }

    /// Takes a pod away as the kubelet did, and leaves the one that was made in its place where the scheduler has it.
    fn evict_before_start(&mut self, key: &Key, at: Timestamp, start: Timestamp) {
        let Some(pod) = self.store.get(key).cloned() else { return };
        let container = shape::text(&pod, "/spec/containers/0/name").unwrap_or_default();
        let message = format!(
            "The node was low on resource: memory. Threshold quantity: 100Mi, available: 84672Ki. Container {container} was \
             using more memory than it requested."
        );
        let told = Occurrence { about: &pod, tone: Tone::Warning, reason: "Evicted", message, source: "kubelet" };
        event::record(&mut self.store, at, &told);
        self.now = at;
        let uid = shape::uid(&pod).to_owned();
        let workload = self.runs.get(&uid).and_then(|run| run.workload.clone());
        self.forget_pod(&uid);
        self.store.remove(key);
        self.now = at + TAKES;
        self.replace_before_start(&pod, workload, start);
    }
}
