//! The daemon set controller: one pod a node, replaced node by node within what may be unavailable.

use std::sync::Arc;

use serde_json::{Value, json};

use super::deployment::share;
use super::event::Tone;
use super::history::{HASH, History};
use super::kind::row;
use super::replica_set::is_ready;
use super::shape::{self, set};
use super::stateful_set::hash_of;
use super::store::Key;
use super::{Cluster, admission, taint};

impl Cluster {
    pub(super) fn run_daemon_sets(&mut self) {
        for key in self.keys("daemonsets") {
            let Some(owner) = self.store.get(&key).cloned().filter(|owner| !shape::is_leaving(owner)) else { continue };
            let history = self.history_of(&owner);
            if self.retries.contains_key(shape::uid(&owner)) {
                continue;
            }
            let nodes = self.nodes_for(&owner);
            if !self.stands_still(&owner, &history.hash) {
                self.step_daemon_set(&owner, &nodes, &history);
            }
            self.show_daemon_set(&key, nodes.len(), &history);
        }
    }

    /// The nodes that its node selector takes and whose taints it bears, cordoned ones among them.
    fn nodes_for(&self, owner: &Value) -> Vec<String> {
        let wanted = owner.pointer("/spec/template/spec/nodeSelector").and_then(Value::as_object);
        let nodes = self.store.list(row("nodes"), None).map(|entry| entry.1);
        let pods = self.owned("pods", shape::namespace(owner), shape::uid(owner));
        let template = &owner["spec"]["template"];
        let taken = nodes.filter(|node| {
            let labels = &node["metadata"]["labels"];
            let is_there = pods.iter().any(|pod| shape::text(pod, "/spec/nodeName") == Some(shape::name(node)));
            wanted.is_none_or(|wanted| wanted.iter().all(|(key, value)| labels.get(key) == Some(value)))
                && taint::takes_daemon(node, template, is_there)
        });
        taken.map(|node| shape::name(node).to_owned()).collect()
    }

    fn step_daemon_set(&mut self, owner: &Arc<Value>, nodes: &[String], history: &History) {
        let pods = self.owned("pods", shape::namespace(owner), shape::uid(owner));
        let here = |node: &str| pods.iter().find(|pod| shape::text(pod, "/spec/nodeName") == Some(node));
        for pod in &pods {
            let node = shape::text(pod, "/spec/nodeName").unwrap_or_default();
            if !nodes.iter().any(|known| known == node) {
                self.dismiss_daemon(owner, pod);
            }
        }
        for node in nodes.iter().filter(|node| here(node).is_none()) {
            self.make_daemon(owner, node, &history.hash);
        }
        let bound = owner.pointer("/spec/updateStrategy/rollingUpdate/maxUnavailable").cloned();
        let most = share(&bound.unwrap_or_else(|| json!(1)), nodes.len().cast_signed() as i64, f64::ceil).max(1);
        let ready = |pod: &&Arc<Value>| is_ready(pod) && !shape::is_leaving(pod);
        let missing = nodes.len() - nodes.iter().filter(|node| here(node).as_ref().is_some_and(ready)).count();
        let mut budget = usize::try_from(most).unwrap_or(1).saturating_sub(missing);
        if shape::text(owner, "/spec/updateStrategy/type") == Some("OnDelete") {
            return;
        }
        for pod in pods.iter().filter(|pod| hash_of(pod) != history.hash && !shape::is_leaving(pod)) {
            if is_ready(pod) {
                if budget == 0 {
                    continue;
                }
                budget -= 1;
            }
            self.dismiss_daemon(owner, pod);
        }
    }

    fn dismiss_daemon(&mut self, owner: &Value, pod: &Value) {
        self.dismiss_pod(&Key::of(row("pods"), pod));
        self.tell_of(owner, (Tone::Normal, "SuccessfulDelete"), format!("Deleted pod: {}", shape::name(pod)));
    }

    fn make_daemon(&mut self, owner: &Arc<Value>, node: &str, hash: &str) {
        let mut pod = self.pod_of(owner);
        set(&mut pod, &["metadata", "labels", HASH], json!(hash));
        set(&mut pod, &["spec", "nodeName"], json!(node));
        let name = shape::name(&pod).to_owned();
        match admission::quota(&self.store, row("pods"), &pod) {
            Ok(()) => {
                self.store.put(Key::of(row("pods"), &pod), pod);
                self.tell_of(owner, (Tone::Normal, "SuccessfulCreate"), format!("Created pod: {name}"));
            }
            Err(refused) => {
                self.tell_of(owner, (Tone::Warning, "FailedCreate"), format!("Error creating: {}", refused.message));
                self.try_again(shape::uid(owner));
            }
        }
    }

    fn show_daemon_set(&mut self, key: &Key, nodes: usize, history: &History) {
        let Some(owner) = self.store.get(key).cloned() else { return };
        let mut pods = self.owned("pods", &key.namespace, shape::uid(&owner));
        pods.retain(|pod| !shape::is_leaving(pod));
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        let updated = pods.iter().filter(|pod| hash_of(pod) == history.hash).count();
        let mut status = json!({
            "desiredNumberScheduled": nodes, "currentNumberScheduled": pods.len(), "numberMisscheduled": 0,
            "numberReady": ready, "observedGeneration": owner["metadata"]["generation"],
        });
        let counts = [
            ("numberAvailable", ready),
            ("updatedNumberScheduled", updated),
            ("numberUnavailable", nodes.saturating_sub(ready)),
        ];
        for (name, count) in counts.into_iter().filter(|row| row.1 > 0) {
            status[name] = json!(count);
        }
        let mut shown = (*owner).clone();
        shown["status"] = status;
        self.store.put(key.clone(), shown);
    }
}
