//! The stateful set controller: pods with numbers, made upwards, replaced and removed downwards, one at a time.

use std::sync::Arc;

use serde_json::{Value, json};

use super::event::{self, Occurrence, Tone};
use super::history::{HASH, History};
use super::kind::row;
use super::replica_set::is_ready;
use super::shape::{self, set};
use super::store::Key;
use super::{Cluster, admission};

impl Cluster {
    pub(super) fn run_stateful_sets(&mut self) {
        for key in self.keys("statefulsets") {
            let Some(owner) = self.store.get(&key).cloned().filter(|owner| !shape::is_leaving(owner)) else { continue };
            let history = self.history_of(&owner);
            if self.retries.contains_key(shape::uid(&owner)) {
                continue;
            }
            if !self.stands_still(&owner, &history.hash) {
                self.step_stateful_set(&owner, &history);
            }
            self.show_stateful_set(&key, &history);
        }
    }

    /// One move: the lowest missing pod is made once all below it are ready; a surplus or outdated pod goes from the top.
    fn step_stateful_set(&mut self, owner: &Arc<Value>, history: &History) {
        let wanted = shape::number(owner, "/spec/replicas").unwrap_or(1);
        let namespace = shape::namespace(owner);
        let is_parallel = shape::text(owner, "/spec/podManagementPolicy") == Some("Parallel");
        for ordinal in 0..wanted {
            let name = format!("{}-{ordinal}", shape::name(owner));
            match self.store.get(&Key::new(row("pods"), namespace, &name)) {
                None => {
                    self.make_numbered(owner, (name, ordinal), history);
                    if !is_parallel {
                        return;
                    }
                }
                Some(pod) if !is_parallel && (shape::is_leaving(pod) || !is_ready(pod)) => return,
                Some(_) => {}
            }
        }
        let mut pods = self.owned("pods", namespace, shape::uid(owner));
        pods.sort_by_key(|pod| std::cmp::Reverse(ordinal_of(pod)));
        if pods.iter().any(|pod| shape::is_leaving(pod) || (!is_ready(pod) && ordinal_of(pod) < wanted)) {
            return;
        }
        let updates = shape::text(owner, "/spec/updateStrategy/type") != Some("OnDelete");
        let partition = shape::number(owner, "/spec/updateStrategy/rollingUpdate/partition").unwrap_or(0);
        let outdated = |pod: &Arc<Value>| updates && ordinal_of(pod) >= partition && hash_of(pod) != history.hash;
        if let Some(pod) = pods.iter().find(|pod| ordinal_of(pod) >= wanted || outdated(pod)) {
            self.dismiss_pod(&Key::of(row("pods"), pod));
            let message = format!("delete Pod {} in StatefulSet {} successful", shape::name(pod), shape::name(owner));
            self.tell_of(owner, (Tone::Normal, "SuccessfulDelete"), message);
        }
    }

    fn make_numbered(&mut self, owner: &Arc<Value>, (name, ordinal): (String, i64), history: &History) {
        let pod = self.numbered_pod(owner, (&name, ordinal), &history.hash);
        match admission::quota(&self.store, row("pods"), &pod) {
            Ok(()) => {
                self.store.put(Key::of(row("pods"), &pod), pod);
                let message = format!("create Pod {name} in StatefulSet {} successful", shape::name(owner));
                self.tell_of(owner, (Tone::Normal, "SuccessfulCreate"), message);
            }
            Err(refused) => {
                let message = format!(
                    "create Pod {name} in StatefulSet {} failed error: {}",
                    shape::name(owner),
                    refused.message
                );
                self.tell_of(owner, (Tone::Warning, "FailedCreate"), message);
                self.try_again(shape::uid(owner));
            }
        }
    }

    /// A new pod of a number.
    pub(super) fn numbered_pod(&self, owner: &Value, (name, ordinal): (&str, i64), hash: &str) -> Value {
        let mut pod = self.pod_of(owner);
        let turn = self.store.revision().to_string();
        let uid = self.dice.uid(&["numbered", shape::uid(owner), name, &turn]);
        set(&mut pod, &["metadata", "name"], json!(name));
        set(&mut pod, &["metadata", "uid"], json!(uid));
        set(&mut pod, &["metadata", "labels", HASH], json!(hash));
        set(&mut pod, &["metadata", "labels", "statefulset.kubernetes.io/pod-name"], json!(name));
        set(&mut pod, &["metadata", "labels", "apps.kubernetes.io/pod-index"], json!(ordinal.to_string()));
        pod
    }

    fn show_stateful_set(&mut self, key: &Key, history: &History) {
        let Some(owner) = self.store.get(key).cloned() else { return };
        let mut pods = self.owned("pods", &key.namespace, shape::uid(&owner));
        pods.retain(|pod| !shape::is_leaving(pod));
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        let updated = pods.iter().filter(|pod| hash_of(pod) == history.hash).count();
        let wanted = usize::try_from(shape::number(&owner, "/spec/replicas").unwrap_or(1)).unwrap_or(0);
        let is_done = updated == wanted && ready == wanted && pods.len() == wanted;
        let before = shape::text(&owner, "/status/currentRevision").unwrap_or(&history.name);
        let current = if is_done { &history.name } else { before };
        let mut status = json!({
            "replicas": pods.len(), "availableReplicas": ready, "observedGeneration": owner["metadata"]["generation"],
            "currentRevision": current, "updateRevision": history.name, "collisionCount": 0,
        });
        let old = if is_done { updated } else { pods.len() - updated };
        for (name, count) in [("readyReplicas", ready), ("updatedReplicas", updated), ("currentReplicas", old)] {
            if count > 0 {
                status[name] = json!(count);
            }
        }
        let mut shown = (*owner).clone();
        shown["status"] = status;
        self.store.put(key.clone(), shown);
    }

    /// Records an event of the controller of a stateful set or daemon set.
    pub(super) fn tell_of(&mut self, about: &Value, (tone, reason): (Tone, &str), message: String) {
        let source = if about["kind"] == "DaemonSet" { "daemonset-controller" } else { "statefulset-controller" };
        event::record(&mut self.store, self.now, &Occurrence { about, tone, reason, message, source });
    }
}

/// The template a pod was made from.
pub(super) fn hash_of(pod: &Value) -> &str {
    pod["metadata"]["labels"][HASH].as_str().unwrap_or_default()
}

fn ordinal_of(pod: &Value) -> i64 {
    shape::name(pod).rsplit('-').next().and_then(|text| text.parse().ok()).unwrap_or(0)
}
