//! Taints: which pods a node keeps away or throws out, and the taint that a cordon brings.

use serde_json::{Value, json};

use super::Cluster;
use super::event::{self, Occurrence, Tone};
use super::kind::row;
use super::shape::{self, set, stamp};
use super::store::Key;

/// The taint of a cordoned node.
pub(super) const CORDON: &str = "node.kubernetes.io/unschedulable";

/// What every pod tolerates for a while (admission plugin `DefaultTolerationSeconds`); a node that has stopped answering
/// gives its pods up by itself.
const TROUBLE: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];

/// What every daemon tolerates (Kubernetes documentation, "`DaemonSet`", taints and tolerations).
const DAEMONS: [&str; 6] = [
    TROUBLE[0],
    TROUBLE[1],
    CORDON,
    "node.kubernetes.io/disk-pressure",
    "node.kubernetes.io/memory-pressure",
    "node.kubernetes.io/pid-pressure",
];

/// The taints of a node.
pub(super) fn of(node: &Value) -> &[Value] {
    node.pointer("/spec/taints").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether a taint keeps new pods away.
pub(super) fn shuts_out(taint: &Value) -> bool {
    taint["effect"] == "NoSchedule" || taint["effect"] == "NoExecute"
}

/// Whether a pod, or a pod's template, tolerates a taint.
pub(super) fn tolerates(pod: &Value, taint: &Value) -> bool {
    let all = pod.pointer("/spec/tolerations").and_then(Value::as_array);
    all.into_iter().flatten().any(|toleration| {
        let part = |name: &str| shape::text(toleration, &format!("/{name}")).filter(|text| !text.is_empty());
        let is_key = part("key").is_none_or(|key| taint["key"] == key);
        let is_effect = part("effect").is_none_or(|effect| taint["effect"] == effect);
        let value = part("value").unwrap_or_default();
        let is_value = part("operator") == Some("Exists") || taint["value"].as_str().unwrap_or_default() == value;
        is_key && is_effect && is_value
    })
}

/// Whether a node takes the daemons of a template: those that are there stay through a `NoSchedule`, new ones do not come.
pub(super) fn takes_daemon(node: &Value, template: &Value, is_there: bool) -> bool {
    of(node).iter().all(|taint| {
        let is_borne = taint["key"].as_str().is_some_and(|key| DAEMONS.contains(&key)) || tolerates(template, taint);
        is_borne || !(taint["effect"] == "NoExecute" || (taint["effect"] == "NoSchedule" && !is_there))
    })
}

impl Cluster {
    /// Keeps the taint of cordoned nodes, and takes away the pods that do not tolerate a `NoExecute`.
    pub(super) fn run_taints(&mut self) {
        for key in self.keys("nodes") {
            let Some(node) = self.store.get(&key).cloned() else { continue };
            let is_shut = node.pointer("/spec/unschedulable") == Some(&Value::Bool(true));
            let is_marked = of(&node).iter().any(|taint| taint["key"] == CORDON);
            if is_shut != is_marked {
                let mut taints: Vec<Value> = of(&node).iter().filter(|taint| taint["key"] != CORDON).cloned().collect();
                if is_shut {
                    taints.push(json!({"key": CORDON, "effect": "NoSchedule", "timeAdded": stamp(self.now)}));
                }
                let mut marked = (*node).clone();
                set(&mut marked, &["spec", "taints"], json!(taints));
                if let Some(spec) = marked["spec"].as_object_mut().filter(|_| taints.is_empty()) {
                    spec.remove("taints");
                }
                self.store.put(key.clone(), marked);
            }
            let throws = |taint: &&Value| {
                taint["effect"] == "NoExecute" && taint["key"].as_str().is_none_or(|key| !TROUBLE.contains(&key))
            };
            let taints: Vec<&Value> = of(&node).iter().filter(throws).collect();
            if !taints.is_empty() {
                self.throw_out(&key.name, &taints);
            }
        }
    }

    fn throw_out(&mut self, node: &str, taints: &[&Value]) {
        let pods = self.store.list(row("pods"), None).map(|entry| entry.1);
        let here = pods.filter(|pod| shape::text(pod, "/spec/nodeName") == Some(node) && !shape::is_leaving(pod));
        let gone: Vec<_> = here.filter(|pod| taints.iter().any(|taint| !tolerates(pod, taint))).cloned().collect();
        for pod in gone {
            let message = format!("Marking for deletion Pod {}/{}", shape::namespace(&pod), shape::name(&pod));
            let (tone, reason, source) = (Tone::Normal, "TaintManagerEviction", "taint-eviction-controller");
            event::record(&mut self.store, self.now, &Occurrence { about: &pod, tone, reason, message, source });
            self.dismiss_pod(&Key::of(row("pods"), &pod));
        }
    }
}
