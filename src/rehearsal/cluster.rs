//! A Kubernetes cluster as a pure world: objects, the controllers that move them, and the kubelet that lives pods.
//!
//! No I/O and no clock: time arrives in [`Cluster::advance`], and the same seed and calls give the same world.

pub mod access;
pub mod admission;
pub mod autoscaler;
mod collect;
mod daemon_set;
pub mod defaults;
pub mod deployment;
pub mod dice;
mod endpoints;
pub mod event;
pub mod eviction;
pub mod failure;
pub mod founding;
pub mod helm;
mod history;
mod jobs;
pub mod kind;
pub mod life;
pub mod managed;
pub mod patch;
pub mod pod;
pub mod quantity;
pub mod replica_set;
pub mod schema;
pub mod selector;
pub mod shape;
pub mod shared;
pub mod spec;
mod stateful_set;
pub mod store;
mod taint;
mod template;
pub mod validate;
pub mod write;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use access::{Access, Caller};
use autoscaler::Pilot;
use autoscaler::gauge::Gauge;
use dice::Dice;
use failure::Failure;
use kind::{Kind, row};
use life::Fate;
use pod::PodRun;
use spec::WebhookSpec;
use store::{Key, Store};

use crate::domain::observation::workload::WorkloadRef;
use crate::rehearsal::behaviour::Life;

#[cfg(test)]
mod tests;

/// Namespace and name of a workload.
type Place = (String, String);

/// How fast the pods of a workload come and go.
#[derive(Clone, Copy, Debug)]
struct Tempo {
    ready_after: SignedDuration,
    gone_after: SignedDuration,
}

impl Default for Tempo {
    fn default() -> Self {
        Self { ready_after: SignedDuration::from_secs(12), gone_after: SignedDuration::from_secs(3) }
    }
}

/// The cluster.
#[derive(Debug)]
pub struct Cluster {
    store: Store,
    now: Timestamp,
    dice: Dice,
    fate: Fate,
    /// Who calls.
    user: String,
    webhooks: Vec<WebhookSpec>,
    tempo: BTreeMap<Place, Tempo>,
    /// Pods by uid, as the kubelet runs them.
    runs: BTreeMap<String, PodRun>,
    /// What the kubelet does next: when, to which pod.
    agenda: BTreeSet<(Timestamp, String)>,
    lives: BTreeMap<Place, Vec<Life>>,
    /// Counts what becomes of lives.
    lives_turn: u64,
    /// Replica sets whose pods are as they were exported, with the number wanted then: as long as that is wanted, nobody
    /// touches them.
    still: BTreeMap<String, usize>,
    /// Pods that controllers make at most.
    most_pods: usize,
    /// What the scheduler said to pods by their wants, as long as the seating is that number.
    refused: (u64, BTreeMap<String, String>),
    /// When a replica set whose pods were refused tries again, by uid.
    retries: BTreeMap<String, Timestamp>,
    /// When a rollout without progress is given up, by the deployment's uid.
    deadlines: BTreeMap<String, Timestamp>,
    /// Autoscalers by uid, as their controller flies them.
    pilots: BTreeMap<String, Pilot>,
    /// The metrics server, where there is one.
    gauge: Option<Gauge>,
    /// What was deleted and is held by something still.
    leaving: BTreeSet<Key>,
    /// The revision the controllers last looked at; anything else makes them look again.
    settled: u64,
    /// When the controllers look at a workload that somebody has changed.
    look_at: Option<Timestamp>,
}

/// A controller sees a changed workload a moment after the write was answered, so that a status read at once is of the
/// generation before.
const LAG: SignedDuration = SignedDuration::from_millis(100);

impl Cluster {
    /// Moves the world to an instant, one thing after another. Never back.
    pub fn advance(&mut self, to: Timestamp) {
        if self.look_at.is_none() {
            self.settle();
        }
        while let Some(at) = self.next_change()
            && at <= to
        {
            self.now = self.now.max(at);
            self.retries.retain(|_, due| *due > at);
            let due: Vec<String> =
                self.agenda.iter().take_while(|entry| entry.0 <= at).map(|entry| entry.1.clone()).collect();
            for uid in due {
                self.step_pod(&uid);
            }
            self.run_autoscalers();
            // A deadline may be all that came due: the controllers look even if no object changed.
            self.settled = 0;
            self.settle();
            self.deadlines.retain(|_, due| *due > at);
        }
        self.now = self.now.max(to);
    }

    /// The earliest instant at which something happens by itself.
    pub fn next_change(&self) -> Option<Timestamp> {
        let kubelet = self.agenda.first().map(|entry| entry.0);
        let waits = self.retries.values().chain(self.deadlines.values()).copied();
        kubelet.into_iter().chain(waits).chain(self.look_at).chain(self.next_pass()).min()
    }

    /// The instant the world stands at.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Every life of the containers of a workload, past and present, in order of their start.
    pub fn lives(&self, workload: &WorkloadRef) -> &[Life] {
        self.lives_in(workload.namespace.as_str(), &workload.name)
    }

    /// Another number than before whenever a life began or ended since.
    pub fn lives_turn(&self) -> u64 {
        self.lives_turn
    }

    /// The same by namespace and name.
    pub fn lives_in(&self, namespace: &str, workload: &str) -> &[Life] {
        self.lives.get(&(namespace.to_owned(), workload.to_owned())).map_or(&[], Vec::as_slice)
    }

    /// The workload of a pod and the lives of the pod's containers, in order of their start.
    pub fn lives_of_pod(&self, namespace: &str, pod: &str) -> (Option<String>, Vec<Life>) {
        let mut runs = self.runs.values();
        let run = runs.find(|run| run.key.namespace == namespace && run.key.name == pod);
        let Some(place) = run.and_then(|run| run.workload.as_ref()) else { return (None, Vec::new()) };
        let lives = self.lives_in(&place.0, &place.1).iter().filter(|life| life.pod == pod);
        (Some(place.1.clone()), lives.cloned().collect())
    }

    /// The memory limit in bytes that the template of a workload now gives to a container.
    pub fn memory_limit(&self, workload: &WorkloadRef, container: &str) -> Option<u64> {
        let key = Key::new(row(workload.kind.plural()), workload.namespace.as_str(), &workload.name);
        let object = self.store.get(&key)?;
        let all = shape::containers(object.pointer("/spec/template/spec")?);
        let found = all.iter().find(|candidate| shape::text(candidate, "/name") == Some(container))?;
        quantity::bytes(shape::text(found, "/resources/limits/memory")?)
    }

    /// An object.
    pub fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.store.get(key)
    }

    /// An object, or the 404.
    pub fn require(&self, kind: &Kind, namespace: &str, name: &str) -> Result<Arc<Value>, Failure> {
        let found = self.store.get(&Key::new(kind, namespace, name)).cloned();
        found.ok_or_else(|| Failure::not_found(kind, name))
    }

    /// The objects, for lists and watches.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The rules in force.
    pub fn access(&self) -> Access {
        self.access_of(self.user.as_str().into())
    }

    /// The rules in force for somebody.
    pub fn access_of(&self, caller: Caller) -> Access {
        Access::of(&self.store, caller)
    }

    /// Forgets past changes, so that every watch behind now is answered 410, as after a compaction of etcd.
    pub fn compact(&mut self) {
        self.store.compact();
    }

    /// Lets the controllers act until nothing changes any more.
    fn settle(&mut self) {
        self.look_at = None;
        // A controller pass that never comes to rest is a defect; the bound turns it into a visible standstill.
        for _ in 0..64 {
            if self.settled == self.store.revision() {
                return;
            }
            self.settled = self.store.revision();
            self.run_taints();
            self.adopt_pods();
            self.run_departures();
            self.collect_orphans();
            self.run_deployments();
            self.run_replica_sets();
            self.run_stateful_sets();
            self.run_daemon_sets();
            self.run_jobs();
            self.run_services();
            self.run_namespaces();
            self.run_budgets_and_quotas();
            self.note_autoscalers();
        }
    }

    fn keys(&self, plural: &'static str) -> Vec<Key> {
        self.store.list(row(plural), None).map(|entry| entry.0.clone()).collect()
    }

    /// The objects of a resource that a controller's uid owns.
    fn owned(&self, plural: &'static str, namespace: &str, uid: &str) -> Vec<Arc<Value>> {
        self.store.owned(row(plural), namespace, uid).map(Arc::clone).collect()
    }
}
