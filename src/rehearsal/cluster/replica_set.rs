//! The replica set controller, and the small keepers beside it: orphans, disruption budgets, quotas.

use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::event::{self, Occurrence, Tone};
use super::failure::Failure;
use super::kind::row;
use super::shape::{self, set, stamp};
use super::store::Key;
use super::{Cluster, admission, deployment, selector};

/// How long a replica set waits after its pods were refused.
const REFUSED_RETRY: SignedDuration = SignedDuration::from_secs(15);

/// What the API server says when its store is full.
fn full() -> Failure {
    let message = "etcdserver: mvcc: database space exceeded".to_owned();
    Failure { code: 500, reason: "InternalError", message, details: Value::Null }
}

impl Cluster {
    pub(super) fn run_replica_sets(&mut self) {
        for key in self.keys("replicasets") {
            let Some(owner) = self.store.get(&key).cloned() else { continue };
            let mut pods = self.owned("pods", &key.namespace, shape::uid(&owner));
            pods.retain(|pod| !shape::is_leaving(pod));
            let wanted = wanted_pods(&owner);
            let mut refused = None;
            if self.still.get(shape::uid(&owner)) == Some(&wanted) || shape::is_leaving(&owner) {
                // As it was exported, with what it lacked or had too much of; or on its way out.
            } else if pods.len() < wanted {
                refused = self.make_pods(&owner, wanted - pods.len());
            } else if pods.len() > wanted {
                let excess = pods.len() - wanted;
                self.drop_pods(&owner, pods, excess);
            }
            self.show_replica_set(&key, refused);
        }
    }

    /// Creates pods as long as admission lets it.
    fn make_pods(&mut self, owner: &Arc<Value>, count: usize) -> Option<Failure> {
        let uid = shape::uid(owner).to_owned();
        if self.retries.contains_key(&uid) {
            return None;
        }
        let room = self.most_pods.saturating_sub(self.store.list(row("pods"), None).count());
        for nth in 0..count {
            let mut pod = self.pod_of(owner);
            let admitted = if nth < room { admission::limit_ranges(&self.store, &mut pod) } else { Err(full()) };
            if let Err(refusal) = admitted.and_then(|()| admission::quota(&self.store, row("pods"), &pod)) {
                let message = format!("Error creating: {}", refusal.message);
                self.tell(owner, Tone::Warning, "FailedCreate", message);
                self.try_again(&uid);
                return Some(refusal);
            }
            let name = shape::name(&pod).to_owned();
            self.store.put(Key::of(row("pods"), &pod), pod);
            self.tell(owner, Tone::Normal, "SuccessfulCreate", format!("Created pod: {name}"));
        }
        None
    }

    /// Lets a controller whose pod was refused wait before it tries again.
    pub(super) fn try_again(&mut self, uid: &str) {
        self.retries.insert(uid.to_owned(), self.now + REFUSED_RETRY);
    }

    /// A new pod of a controller's template.
    pub(super) fn pod_of(&self, owner: &Value) -> Value {
        let turn = self.store.revision().to_string();
        let name = format!("{}-{}", shape::name(owner), self.dice.suffix(5, &["pod", shape::uid(owner), &turn]));
        let template = &owner["spec"]["template"];
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "generateName": format!("{}-", shape::name(owner)),
                "namespace": shape::namespace(owner), "creationTimestamp": stamp(self.now),
                "uid": self.dice.uid(&["pod", shape::uid(owner), &name]),
                "labels": template["metadata"]["labels"], "ownerReferences": shape::owned_by(owner),
            },
            "spec": template["spec"],
            "status": {"phase": "Pending", "qosClass": "Burstable"},
        });
        if let Some(notes) = template.pointer("/metadata/annotations") {
            set(&mut pod, &["metadata", "annotations"], notes.clone());
        }
        admission::default_pod(&mut pod);
        pod
    }

    /// Dismisses the pods that are worth the least: not ready first, then the most restarted, then the youngest.
    fn drop_pods(&mut self, owner: &Arc<Value>, mut pods: Vec<Arc<Value>>, count: usize) {
        pods.sort_by_key(|pod| {
            let restarts = shape::number(pod, "/status/containerStatuses/0/restartCount").unwrap_or(0);
            let born = shape::text(pod, "/metadata/creationTimestamp").unwrap_or_default().to_owned();
            (is_ready(pod), std::cmp::Reverse(restarts), std::cmp::Reverse(born))
        });
        for pod in pods.into_iter().take(count) {
            self.dismiss_pod(&Key::of(row("pods"), &pod));
            self.tell(owner, Tone::Normal, "SuccessfulDelete", format!("Deleted pod: {}", shape::name(&pod)));
        }
    }

    fn show_replica_set(&mut self, key: &Key, refused: Option<Failure>) {
        let Some(owner) = self.store.get(key).cloned() else { return };
        let mut pods = self.owned("pods", &key.namespace, shape::uid(&owner));
        pods.retain(|pod| !shape::is_leaving(pod));
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        let mut status = json!({"replicas": pods.len(), "observedGeneration": owner["metadata"]["generation"]});
        for (name, count) in
            [("fullyLabeledReplicas", pods.len()), ("readyReplicas", ready), ("availableReplicas", ready)]
        {
            if count > 0 {
                status[name] = json!(count);
            }
        }
        let is_short = pods.len() < wanted_pods(&owner);
        if let Some(refusal) = refused {
            status["conditions"] = json!([{
                "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": refusal.message,
                "lastTransitionTime": stamp(self.now),
            }]);
        } else if let Some(known) = owner.pointer("/status/conditions").filter(|_| is_short) {
            status["conditions"] = known.clone();
        }
        let mut shown = (*owner).clone();
        shown["status"] = status;
        self.store.put(key.clone(), shown);
    }

    fn tell(&mut self, about: &Value, tone: Tone, reason: &str, message: String) {
        let occurrence = Occurrence { about, tone, reason, message, source: "replicaset-controller" };
        event::record(&mut self.store, self.now, &occurrence);
    }

    /// Keeps the status of disruption budgets and quotas.
    pub(super) fn run_budgets_and_quotas(&mut self) {
        for key in self.keys("poddisruptionbudgets") {
            let Some(budget) = self.store.get(&key).cloned() else { continue };
            let status = self.budget_status(&budget);
            self.show(&key, &budget, status);
        }
        for key in self.keys("resourcequotas") {
            let Some(quota) = self.store.get(&key).cloned() else { continue };
            let status = admission::quota_status(&self.store, &quota);
            self.show(&key, &quota, status);
        }
    }

    fn budget_status(&self, budget: &Value) -> Value {
        let chosen = &budget["spec"]["selector"];
        let namespace = shape::namespace(budget);
        let pods: Vec<_> = self
            .store
            .list(row("pods"), Some(namespace))
            .map(|entry| entry.1)
            .filter(|pod| selector::label_selector_matches(chosen, &pod["metadata"]["labels"]))
            .collect();
        let wanted: std::collections::BTreeMap<&str, i64> = pods
            .iter()
            .filter_map(|pod| shape::controller(pod))
            .filter_map(|uid| {
                let mut sets = ["replicasets", "statefulsets"]
                    .into_iter()
                    .flat_map(|plural| self.store.list(row(plural), Some(namespace)))
                    .map(|entry| entry.1);
                let owner = sets.find(|set| shape::uid(set) == uid)?;
                Some((uid, deployment::replicas(owner)))
            })
            .collect();
        let expected: i64 = wanted.values().sum();
        let healthy: i64 = pods.iter().filter(|pod| is_ready(pod) && !shape::is_leaving(pod)).map(|_| 1).sum();
        let least = match (budget.pointer("/spec/minAvailable"), budget.pointer("/spec/maxUnavailable")) {
            (Some(least), _) => deployment::share(least, expected, f64::ceil),
            (None, Some(most)) => expected - deployment::share(most, expected, f64::ceil),
            (None, None) => expected,
        };
        json!({
            "currentHealthy": healthy, "desiredHealthy": least, "expectedPods": expected,
            "disruptionsAllowed": (healthy - least).max(0), "observedGeneration": budget["metadata"]["generation"],
        })
    }

    fn show(&mut self, key: &Key, object: &Value, status: Value) {
        let mut shown = object.clone();
        shown["status"] = status;
        self.store.put(key.clone(), shown);
    }
}

/// Whether the pod's Ready condition is true.
pub fn is_ready(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    conditions.is_some_and(|all| all.iter().any(|one| one["type"] == "Ready" && one["status"] == "True"))
}

fn wanted_pods(set: &Value) -> usize {
    usize::try_from(deployment::replicas(set)).unwrap_or(0)
}
