//! The scheduler: a pod goes to the node with the most memory that nobody has asked for, or waits and says why.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::event::Tone;
use super::super::kind::row;
use super::super::shape::{self, set};
use super::super::{Cluster, quantity};
use super::{Running, Stay};

/// How long a pod that fits no node waits before it is tried again.
const UNSCHEDULABLE_RETRY: SignedDuration = SignedDuration::from_secs(10);

impl Cluster {
    /// Puts a pod on the node with the most room, or says why it cannot.
    pub(in super::super) fn schedule_pod(&mut self, uid: &str) {
        let Some(key) = self.runs.get(uid).map(|run| run.key.clone()) else { return };
        let Some(pod) = self.store.get(&key).cloned() else { return };
        // A daemon is made for its node.
        let pinned = shape::text(&pod, "/spec/nodeName").map(str::to_owned);
        match pinned.map_or_else(|| self.roomiest_node(&pod), Ok) {
            Ok(node) => {
                let mut placed = (*pod).clone();
                set(&mut placed, &["spec", "nodeName"], json!(node));
                self.store.put(key.clone(), placed);
                let now = self.now;
                if let Some(run) = self.runs.get_mut(uid) {
                    run.stay = Stay::Settled;
                    // A pod that had to wait for room starts from now, not from its birth.
                    let late = now.duration_since(run.born_at);
                    for container in &mut run.containers {
                        if let Running::Creating(at) = &mut container.state {
                            *at += late;
                        }
                    }
                }
                let text = format!("Successfully assigned {}/{} to {node}", key.namespace, key.name);
                self.say(uid, Tone::Normal, "Scheduled", &text);
            }
            Err(why) => {
                let again = self.now + UNSCHEDULABLE_RETRY;
                if let Some(run) = self.runs.get_mut(uid) {
                    run.stay = Stay::Unscheduled(again);
                }
                self.say(uid, Tone::Warning, "FailedScheduling", &why);
            }
        }
        self.show_pod(uid);
    }

    /// The node with the most unrequested memory that a pod fits on. A cluster without nodes takes every pod.
    pub(in super::super) fn roomiest_node(&self, pod: &Value) -> Result<String, String> {
        let wanted = requested_memory(pod);
        let open = |node: &&Arc<Value>| node.pointer("/spec/unschedulable") != Some(&Value::Bool(true));
        let nodes: Vec<_> = self.store.list(row("nodes"), None).map(|entry| entry.1).filter(open).collect();
        let count = nodes.len();
        let nodes: Vec<_> = nodes.into_iter().filter(|node| !is_tainted(node)).collect();
        let mut used = BTreeMap::<&str, u64>::new();
        for (_, other) in self.store.list(row("pods"), None) {
            if let Some(node) = shape::text(other, "/spec/nodeName") {
                *used.entry(node).or_default() += requested_memory(other);
            }
        }
        let room = |node: &Value| {
            let all = shape::text(node, "/status/allocatable/memory").and_then(quantity::bytes).unwrap_or(0);
            all.saturating_sub(used.get(shape::name(node)).copied().unwrap_or(0))
        };
        match nodes.iter().max_by_key(|node| room(node)) {
            None if count == 0 => Ok("node-0".to_owned()),
            Some(node) if room(node) >= wanted => Ok(shape::name(node).to_owned()),
            _ => Err(no_room(nodes.len(), count - nodes.len())),
        }
    }
}

/// Whether a node takes no pod that does not tolerate its trouble; the pods of this simulator tolerate none.
fn is_tainted(node: &Value) -> bool {
    let taints = node.pointer("/spec/taints").and_then(Value::as_array);
    taints.is_some_and(|taints| taints.iter().any(|taint| taint["effect"] == "NoSchedule"))
}

/// The scheduler's words where some nodes are full and others tainted.
fn no_room(full: usize, tainted: usize) -> String {
    let all = full + tainted;
    let said = |full_words: &str, tainted_words: &str| {
        let each = [(tainted, tainted_words), (full, full_words)];
        let told: Vec<String> =
            each.iter().filter(|row| row.0 > 0).map(|(count, words)| format!("{count} {words}")).collect();
        format!("0/{all} nodes are available: {}.", told.join(", "))
    };
    format!(
        "{} preemption: {}",
        said("Insufficient memory", "node(s) had untolerated taint(s)"),
        said("No preemption victims found for incoming pod", "Preemption is not helpful for scheduling")
    )
}

fn requested_memory(pod: &Value) -> u64 {
    let each = shape::containers(&pod["spec"]).iter();
    each.filter_map(|container| {
        let asked = shape::text(container, "/resources/requests/memory")
            .or_else(|| shape::text(container, "/resources/limits/memory"))?;
        quantity::bytes(asked)
    })
    .sum()
}
