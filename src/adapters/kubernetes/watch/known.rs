//! What the watch knows of the cluster, folded from objects; tells only what changed in the domain's eyes.
//! Pure: no network.

use std::collections::BTreeSet;

use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::super::map::{self, Owners, namespace_of};
use crate::domain::observation::workload::{ClusterChange, ClusterView, Revision, Workload, WorkloadKind, WorkloadRef};

/// Most events kept of a listing: the newest. A busy namespace holds thousands for an hour. While it is followed, up to twice
/// as many are.
const MOST_EVENTS: usize = 500;

/// An object came, changed or went.
pub(in super::super) enum Happening<K> {
    /// Added or changed.
    Present(K),
    /// Deleted.
    Gone(K),
}

/// What a feed delivers.
pub(in super::super) enum Seen {
    Deployment(Happening<Deployment>),
    StatefulSet(Happening<StatefulSet>),
    DaemonSet(Happening<DaemonSet>),
    ReplicaSet(Happening<ReplicaSet>),
    Pod(Happening<core::Pod>),
    Event(Happening<core::Event>),
    /// A bookmark: nothing changed, but the feed lives.
    Alive,
}

/// The fold.
#[derive(Default)]
pub(in super::super) struct Known {
    pub(in super::super) view: ClusterView,
    /// Whether anything was heard since the listing.
    pub(in super::super) heard: bool,
    owners: Owners,
}

impl Known {
    /// Folds one happening and says what it changed, if anything that matters.
    pub(in super::super) fn absorb(&mut self, seen: Seen) -> Option<ClusterChange> {
        self.heard = true;
        match seen {
            Seen::Deployment(Happening::Present(object)) => self.workload(map::deployment(&object)),
            Seen::StatefulSet(Happening::Present(object)) => self.workload(map::stateful_set(&object)),
            Seen::DaemonSet(Happening::Present(object)) => self.workload(map::daemon_set(&object)),
            Seen::DaemonSet(Happening::Gone(object)) => self.workload_gone(WorkloadKind::DaemonSet, &object.metadata),
            Seen::Deployment(Happening::Gone(object)) => self.workload_gone(WorkloadKind::Deployment, &object.metadata),
            Seen::StatefulSet(Happening::Gone(object)) => {
                self.workload_gone(WorkloadKind::StatefulSet, &object.metadata)
            }
            Seen::ReplicaSet(Happening::Present(object)) => self.replica_set(&object),
            Seen::ReplicaSet(Happening::Gone(object)) => self.replica_set_gone(&object),
            Seen::Pod(Happening::Present(object)) => self.pod(&object),
            Seen::Pod(Happening::Gone(object)) => self.pod_gone(&object.metadata),
            Seen::Event(Happening::Present(object)) => self.event(&object),
            // An event that expired did happen all the same.
            Seen::Event(Happening::Gone(_)) | Seen::Alive => None,
        }
    }

    fn workload(&mut self, workload: Workload) -> Option<ClusterChange> {
        let key = workload.target.key();
        if self.view.workloads.get(&key) == Some(&workload) {
            return None;
        }
        self.view.workloads.insert(key, workload.clone());
        Some(ClusterChange::Workload { workload: Box::new(workload) })
    }

    fn workload_gone(&mut self, kind: WorkloadKind, meta: &ObjectMeta) -> Option<ClusterChange> {
        let target = WorkloadRef { kind, namespace: namespace_of(meta), name: meta.name.clone()? };
        self.view.revisions.remove(&target.key());
        self.view.workloads.remove(&target.key()).map(|_| ClusterChange::WorkloadGone { target })
    }

    fn replica_set(&mut self, set: &ReplicaSet) -> Option<ClusterChange> {
        self.owners.learn(set);
        let (target, revision) = map::revision(set)?;
        let revisions = self.view.revisions.entry(target.key()).or_default();
        if revisions.contains(&revision) {
            return None;
        }
        revisions.retain(|other| other.replica_set != revision.replica_set);
        revisions.push(revision);
        revisions.sort_by_key(|revision| revision.number);
        Some(ClusterChange::Revisions { target, revisions: revisions.clone() })
    }

    fn replica_set_gone(&mut self, set: &ReplicaSet) -> Option<ClusterChange> {
        self.owners.forget(set);
        let (target, gone) = map::revision(set)?;
        let revisions: &mut Vec<Revision> = self.view.revisions.get_mut(&target.key())?;
        revisions.retain(|other| other.replica_set != gone.replica_set);
        Some(ClusterChange::Revisions { target, revisions: revisions.clone() })
    }

    fn pod(&mut self, object: &core::Pod) -> Option<ClusterChange> {
        let pod = map::pod(object, &self.owners);
        let key = format!("{}/{}", pod.namespace, pod.name);
        if self.view.pods.get(&key) == Some(&pod) {
            return None;
        }
        self.view.pods.insert(key, pod.clone());
        Some(ClusterChange::Pod { pod: Box::new(pod) })
    }

    fn pod_gone(&mut self, meta: &ObjectMeta) -> Option<ClusterChange> {
        let (namespace, name) = (namespace_of(meta), meta.name.clone()?);
        self.view.pods.remove(&format!("{namespace}/{name}"))?;
        Some(ClusterChange::PodGone { namespace, name })
    }

    fn event(&mut self, object: &core::Event) -> Option<ClusterChange> {
        let event = map::event(object);
        let key = format!("{}/{}", event.namespace, event.name);
        if self.view.events.get(&key) == Some(&event) {
            return None;
        }
        self.view.events.insert(key, event.clone());
        // A sort for each event beyond the bound would cost a listing of thousands a minute.
        if self.view.events.len() > 2 * MOST_EVENTS {
            self.drop_old_events();
        }
        Some(ClusterChange::Event { event: Box::new(event) })
    }

    /// Keeps the newest events.
    pub(in super::super) fn drop_old_events(&mut self) {
        if self.view.events.len() <= MOST_EVENTS {
            return;
        }
        let mut by_age: Vec<_> = self.view.events.iter().map(|(key, event)| (event.last_at, key.clone())).collect();
        by_age.sort();
        let excess = by_age.len() - MOST_EVENTS;
        let old: BTreeSet<String> = by_age.into_iter().take(excess).map(|(_, key)| key).collect();
        self.view.events.retain(|key, _| !old.contains(key));
    }
}
