//! What is known of a cluster at a time, by key, and the changes by which a watch keeps it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ClusterEvent, Pod, Revision, Workload, WorkloadKind, WorkloadRef};
use crate::domain::observation::scope::Namespace;

/// Everything known of the cluster, kept by key so that a watch can replace single objects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClusterView {
    /// Workloads.
    pub workloads: BTreeMap<String, Workload>,
    /// Pods by `namespace/name`.
    pub pods: BTreeMap<String, Pod>,
    /// Revisions by workload key.
    pub revisions: BTreeMap<String, Vec<Revision>>,
    /// Recent events by `namespace/name`.
    pub events: BTreeMap<String, ClusterEvent>,
    /// What was listed to the end: of anything else that nothing is held is not that there is none.
    #[serde(default)]
    pub whole: Vec<Listed>,
}

/// A kind of object of a namespace, listed to the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// Of which kind.
    pub kind: ListedKind,
    /// Where.
    pub namespace: Namespace,
}

/// What of a listing somebody may miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListedKind {
    /// Workloads of a kind.
    Workloads(WorkloadKind),
    /// Pods.
    Pods,
}

/// One change of the cluster as the watch tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum ClusterChange {
    /// A whole new listing replaces what was known of what it holds.
    Listed {
        /// The view.
        view: Box<ClusterView>,
        /// What of it is whole, so that what is not in it is not there. Empty in journals from before it was told: the
        /// namespaces that are in the view are whole then.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        whole: Vec<Listed>,
    },
    /// A workload was added or changed.
    Workload {
        /// As read.
        workload: Box<Workload>,
    },
    /// A workload is gone.
    WorkloadGone {
        /// Which one.
        target: WorkloadRef,
    },
    /// A pod was added or changed.
    Pod {
        /// As read.
        pod: Box<Pod>,
    },
    /// A pod is gone.
    PodGone {
        /// Its namespace.
        namespace: Namespace,
        /// Its name.
        name: String,
    },
    /// The revisions of a workload.
    Revisions {
        /// Whose.
        target: WorkloadRef,
        /// Ascending.
        revisions: Vec<Revision>,
    },
    /// An event was added or counted on.
    Event {
        /// As read.
        event: Box<ClusterEvent>,
    },
}
