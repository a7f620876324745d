//! Reads for evidence: the whole view, one workload, its pods, its revisions, recent events.
//! A refusal (403) and an absence (404) come back as different errors.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1 as core;

use super::call::{Client, Resource};
use super::changes;
use super::fault::KubeError;
use super::map::{self, Owners};
use super::objects::told::{by_nodes, tell_once};
use super::watch::known::Known;
use super::watch::listing::{Unreadable, read_all, whole};
use crate::domain::fault::FaultKind;
use crate::domain::observation::change::Change;
use crate::domain::observation::cluster_sign::is_up;
use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::{
    ClusterEvent, ClusterView, Listed, Ownership, Pod, Revision, Workload, WorkloadKind, WorkloadRef,
};

/// Everything of the chosen namespaces, with what this credential could not read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct View {
    /// What could be read.
    pub view: ClusterView,
    /// What of it is whole.
    pub whole: Vec<Listed>,
    /// What could not.
    pub unreadable: Vec<Unreadable>,
}

/// Config maps read of one workload.
const MOST_MAPS: usize = 20;

/// Changes beside rollouts, and what of them could not be read.
#[derive(Debug, Default)]
pub struct ChangesRead {
    /// What was changed.
    pub changes: Vec<Change>,
    /// What could not be read, by name, and why.
    pub unread: Vec<(&'static str, KubeError)>,
    /// What was not asked for.
    pub not_looked_at: Vec<String>,
}

impl Client {
    /// Reads the chosen namespaces once, without watching.
    pub async fn read_view(&self, namespaces: &[Namespace]) -> Result<View, KubeError> {
        let mut known = Known::default();
        let (places, unreadable) = read_all(self, namespaces, &mut known).await?;
        Ok(View { view: known.view, whole: whole(&places), unreadable })
    }

    /// Reads one workload.
    pub async fn read_workload(&self, target: &WorkloadRef) -> Result<Workload, KubeError> {
        let (namespace, name) = (&target.namespace, target.name.as_str());
        match target.kind {
            WorkloadKind::Deployment => {
                let object: Deployment = self.get(Resource::DEPLOYMENTS, namespace, name).await?;
                Ok(map::deployment(&object))
            }
            WorkloadKind::StatefulSet => {
                let object: StatefulSet = self.get(Resource::STATEFUL_SETS, namespace, name).await?;
                Ok(map::stateful_set(&object))
            }
            WorkloadKind::DaemonSet => {
                let object: DaemonSet = self.get(Resource::DAEMON_SETS, namespace, name).await?;
                Ok(map::daemon_set(&object))
            }
        }
    }

    /// Reads the pods of a workload: those its selector asks for and that it controls.
    pub async fn read_pods(&self, workload: &Workload) -> Result<Vec<Pod>, KubeError> {
        let target = &workload.target;
        let selector = selector_text(&workload.selector);
        let query = [("labelSelector", selector.as_str())];
        let listing = self.list::<core::Pod>(Resource::PODS, Some(&target.namespace), &query).await?;
        let owners = Owners::default();
        let pods = listing.items.iter().map(|pod| map::pod(pod, &owners));
        Ok(pods.filter(|pod| pod.owner.as_ref() == Some(target)).collect())
    }

    /// Reads the revisions of a workload, ascending: the replica sets that a deployment controls, the controller revisions of
    /// the other kinds.
    pub async fn read_revisions(&self, workload: &Workload) -> Result<Vec<Revision>, KubeError> {
        let target = &workload.target;
        let found = match target.kind {
            WorkloadKind::Deployment => map::revisions(&self.replica_sets(target, &workload.selector).await?),
            WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => {
                let selector = selector_text(&workload.selector);
                let query = [("labelSelector", selector.as_str())];
                let place = Some(&target.namespace);
                let kept = self.list::<ControllerRevision>(Resource::CONTROLLER_REVISIONS, place, &query).await?;
                map::controlled(&kept.items)
            }
        };
        Ok(found.into_iter().filter(|(owner, _)| owner == target).map(|(_, revision)| revision).collect())
    }

    /// Reads what else was changed around a workload: its Helm release, the config maps its pods name, its autoscalers. Each
    /// may be refused by itself; what could not be read is told beside what could.
    pub async fn read_changes(&self, workload: &Workload) -> ChangesRead {
        let target = &workload.target;
        let mut read = ChangesRead::default();
        if let Ownership::Helm { release } = &workload.ownership {
            let selector = format!("owner=helm,name={release}");
            let query = [("labelSelector", selector.as_str())];
            match self.list::<core::Secret>(Resource::SECRETS, Some(&target.namespace), &query).await {
                Ok(listing) => read.changes.extend(changes::helm(&listing.items, release)),
                Err(error) => read.unread.push(("Helm history", error)),
            }
        }
        match self.named_config_maps(target).await {
            Ok((maps, beyond)) => {
                read.changes.extend(maps.iter().filter_map(changes::config_map));
                read.not_looked_at.extend((beyond > 0).then(|| format!("{beyond} further config maps")));
            }
            Err(error) => read.unread.push(("config maps", error)),
        }
        match self.list::<HorizontalPodAutoscaler>(Resource::AUTOSCALERS, Some(&target.namespace), &[]).await {
            Ok(listing) => {
                read.changes.extend(listing.items.iter().flat_map(|scaler| changes::autoscaler(scaler, target)));
            }
            Err(error) => read.unread.push(("autoscalers", error)),
        }
        read
    }

    /// The config maps that the pods of a workload name, and how many more it names than are read. One that is not there is no
    /// change.
    async fn named_config_maps(&self, target: &WorkloadRef) -> Result<(Vec<core::ConfigMap>, usize), KubeError> {
        let spec = self.pod_spec(target).await?;
        let names = spec.as_ref().map(changes::config_maps_of).unwrap_or_default();
        let mut maps = Vec::new();
        for name in names.iter().take(MOST_MAPS) {
            match self.get(Resource::CONFIG_MAPS, &target.namespace, name).await {
                Ok(map) => maps.push(map),
                Err(error) if error.fault().kind == FaultKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok((maps, names.len().saturating_sub(MOST_MAPS)))
    }

    async fn pod_spec(&self, target: &WorkloadRef) -> Result<Option<core::PodSpec>, KubeError> {
        let (namespace, name) = (&target.namespace, target.name.as_str());
        Ok(match target.kind {
            WorkloadKind::Deployment => {
                let object: Deployment = self.get(Resource::DEPLOYMENTS, namespace, name).await?;
                object.spec.and_then(|spec| spec.template.spec)
            }
            WorkloadKind::StatefulSet => {
                let object: StatefulSet = self.get(Resource::STATEFUL_SETS, namespace, name).await?;
                object.spec.and_then(|spec| spec.template.spec)
            }
            WorkloadKind::DaemonSet => {
                let object: DaemonSet = self.get(Resource::DAEMON_SETS, namespace, name).await?;
                object.spec.and_then(|spec| spec.template.spec)
            }
        })
    }

    /// The replica sets that a deployment controls, as the API holds them.
    pub(super) async fn replica_sets(
        &self,
        target: &WorkloadRef,
        selector: &BTreeMap<String, String>,
    ) -> Result<Vec<ReplicaSet>, KubeError> {
        let selector = selector_text(selector);
        let query = [("labelSelector", selector.as_str())];
        let listing = self.list::<ReplicaSet>(Resource::REPLICA_SETS, Some(&target.namespace), &query).await?;
        let mine = |set: &ReplicaSet| map::revision(set).is_some_and(|(owner, _)| owner == *target);
        Ok(listing.items.into_iter().filter(mine).collect())
    }

    /// Reads the events of a namespace that the API still keeps (an hour by default), oldest first.
    pub async fn read_events(&self, namespace: &Namespace) -> Result<Vec<ClusterEvent>, KubeError> {
        let listing = self.list::<core::Event>(Resource::EVENTS, Some(namespace), &[]).await?;
        let mut events: Vec<ClusterEvent> = listing.items.iter().map(map::event).collect();
        events.sort_by_key(|event| event.last_at);
        Ok(events)
    }

    /// Reads the events about nodes, which are in no namespace and so are kept in `default`, oldest first.
    pub async fn read_node_events(&self) -> Result<Vec<ClusterEvent>, KubeError> {
        let query = [("fieldSelector", "involvedObject.kind=Node")];
        let listing = self.list::<core::Event>(Resource::EVENTS, Some(&Namespace::new("default")), &query).await?;
        let mut events: Vec<ClusterEvent> = listing.items.iter().map(map::event).collect();
        events.sort_by_key(|event| event.last_at);
        Ok(events)
    }

    /// Adds to events what the nodes of pods that are not up tell of themselves: a node that went away an hour ago has no
    /// event left. Nobody is asked where every pod is up.
    pub async fn tell_of_nodes(
        &self,
        events: &mut Vec<ClusterEvent>,
        (pods, at): (&[Pod], Timestamp),
    ) -> Result<(), KubeError> {
        let down = pods.iter().filter(|pod| !is_up(pod));
        let names: BTreeSet<&str> = down.filter_map(|pod| pod.node.as_deref()).collect();
        if names.is_empty() {
            return Ok(());
        }
        let listing = self.list::<core::Node>(Resource::NODES, None, &[]).await?;
        let theirs = |node: &core::Node| node.metadata.name.as_deref().is_some_and(|name| names.contains(name));
        let nodes: Vec<core::Node> = listing.items.into_iter().filter(theirs).collect();
        for told in by_nodes(&nodes, Some(at)) {
            tell_once(events, told);
        }
        Ok(())
    }
}

/// `app=my-api,tier=web`. Expressions beside the labels are not sent; who asks filters by owner.
fn selector_text(labels: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join(",")
}
