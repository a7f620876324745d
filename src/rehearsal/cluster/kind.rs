//! The table of resources the simulated API serves: one row a resource, and everything else is driven by it.

/// Whether objects live in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// In a namespace.
    Namespaced,
    /// In the cluster at large.
    Cluster,
}

/// A subresource that has a path of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subresource {
    /// `/status`: the same object, of which only the status is written.
    Status,
    /// `/scale`: an `autoscaling/v1` Scale.
    Scale,
    /// `/log`: what a container wrote, as text.
    Log,
    /// `/eviction`: a deletion that asks the disruption budgets first.
    Eviction,
    /// `/exec`, `/attach`, `/portforward`: a stream to a process, of which there is none.
    Exec,
    /// The same for a process that runs already.
    Attach,
    /// The same for a port.
    PortForward,
}

impl Subresource {
    /// The word in a path.
    pub fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Scale => "scale",
            Self::Log => "log",
            Self::Eviction => "eviction",
            Self::Exec => "exec",
            Self::Attach => "attach",
            Self::PortForward => "portforward",
        }
    }

    /// The verbs it takes.
    pub fn verbs(self) -> &'static [&'static str] {
        match self {
            Self::Status | Self::Scale => &["get", "patch", "update"],
            Self::Log => &["get"],
            Self::Eviction => &["create"],
            Self::Exec | Self::Attach | Self::PortForward => &["create", "get"],
        }
    }

    /// Group, version and kind of what it speaks of, where that is not the object itself.
    pub fn other_kind(self) -> Option<(&'static str, &'static str, &'static str)> {
        match self {
            Self::Status | Self::Log => None,
            Self::Scale => Some(("autoscaling", "v1", "Scale")),
            Self::Eviction => Some(("policy", "v1", "Eviction")),
            Self::Exec => Some(("", "v1", "PodExecOptions")),
            Self::Attach => Some(("", "v1", "PodAttachOptions")),
            Self::PortForward => Some(("", "v1", "PodPortForwardOptions")),
        }
    }
}

/// One resource.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// API group; empty for the core group.
    pub group: &'static str,
    /// Version within the group.
    pub version: &'static str,
    /// Word in a path: `deployments`.
    pub plural: &'static str,
    /// `deployment`.
    pub singular: &'static str,
    /// `Deployment`.
    pub kind: &'static str,
    /// What kubectl also accepts: `deploy`.
    pub short: &'static [&'static str],
    /// Namespaced or not.
    pub reach: Reach,
    /// Subresources served.
    pub subresources: &'static [Subresource],
}

use Reach::{Cluster, Namespaced};
use Subresource::{Attach, Eviction, Exec, Log, PortForward, Scale, Status};

macro_rules! kind {
    ($group:literal $version:literal $plural:literal $singular:literal $kind:literal $short:expr, $reach:expr, $sub:expr) => {
        Kind {
            group: $group,
            version: $version,
            plural: $plural,
            singular: $singular,
            kind: $kind,
            short: &$short,
            reach: $reach,
            subresources: &$sub,
        }
    };
}

/// Every resource served, core group first.
pub static KINDS: &[Kind] = &[
    kind!("" "v1" "configmaps" "configmap" "ConfigMap" ["cm"], Namespaced, []),
    kind!("" "v1" "endpoints" "endpoints" "Endpoints" ["ep"], Namespaced, []),
    kind!("" "v1" "events" "event" "Event" ["ev"], Namespaced, []),
    kind!("" "v1" "limitranges" "limitrange" "LimitRange" ["limits"], Namespaced, []),
    kind!("" "v1" "namespaces" "namespace" "Namespace" ["ns"], Cluster, [Status]),
    kind!("" "v1" "nodes" "node" "Node" ["no"], Cluster, [Status]),
    kind!("" "v1" "persistentvolumeclaims" "persistentvolumeclaim" "PersistentVolumeClaim" ["pvc"], Namespaced, [Status]),
    kind!("" "v1" "pods" "pod" "Pod" ["po"], Namespaced, [Attach, Eviction, Exec, Log, PortForward, Status]),
    kind!("" "v1" "replicationcontrollers" "replicationcontroller" "ReplicationController" ["rc"], Namespaced, [Status, Scale]),
    kind!("" "v1" "resourcequotas" "resourcequota" "ResourceQuota" ["quota"], Namespaced, [Status]),
    kind!("" "v1" "secrets" "secret" "Secret" [], Namespaced, []),
    kind!("" "v1" "serviceaccounts" "serviceaccount" "ServiceAccount" ["sa"], Namespaced, []),
    kind!("" "v1" "services" "service" "Service" ["svc"], Namespaced, [Status]),
    kind!("admissionregistration.k8s.io" "v1" "mutatingwebhookconfigurations" "mutatingwebhookconfiguration" "MutatingWebhookConfiguration" [], Cluster, []),
    kind!("admissionregistration.k8s.io" "v1" "validatingwebhookconfigurations" "validatingwebhookconfiguration" "ValidatingWebhookConfiguration" [], Cluster, []),
    kind!("apps" "v1" "controllerrevisions" "controllerrevision" "ControllerRevision" [], Namespaced, []),
    kind!("apps" "v1" "daemonsets" "daemonset" "DaemonSet" ["ds"], Namespaced, [Status]),
    kind!("apps" "v1" "deployments" "deployment" "Deployment" ["deploy"], Namespaced, [Status, Scale]),
    kind!("apps" "v1" "replicasets" "replicaset" "ReplicaSet" ["rs"], Namespaced, [Status, Scale]),
    kind!("apps" "v1" "statefulsets" "statefulset" "StatefulSet" ["sts"], Namespaced, [Status, Scale]),
    kind!("autoscaling" "v2" "horizontalpodautoscalers" "horizontalpodautoscaler" "HorizontalPodAutoscaler" ["hpa"], Namespaced, [Status]),
    kind!("batch" "v1" "cronjobs" "cronjob" "CronJob" ["cj"], Namespaced, [Status]),
    kind!("batch" "v1" "jobs" "job" "Job" [], Namespaced, [Status]),
    kind!("coordination.k8s.io" "v1" "leases" "lease" "Lease" [], Namespaced, []),
    kind!("discovery.k8s.io" "v1" "endpointslices" "endpointslice" "EndpointSlice" [], Namespaced, []),
    kind!("networking.k8s.io" "v1" "ingressclasses" "ingressclass" "IngressClass" [], Cluster, []),
    kind!("networking.k8s.io" "v1" "ingresses" "ingress" "Ingress" ["ing"], Namespaced, [Status]),
    kind!("networking.k8s.io" "v1" "networkpolicies" "networkpolicy" "NetworkPolicy" ["netpol"], Namespaced, []),
    kind!("policy" "v1" "poddisruptionbudgets" "poddisruptionbudget" "PodDisruptionBudget" ["pdb"], Namespaced, [Status]),
    kind!("rbac.authorization.k8s.io" "v1" "clusterrolebindings" "clusterrolebinding" "ClusterRoleBinding" [], Cluster, []),
    kind!("rbac.authorization.k8s.io" "v1" "clusterroles" "clusterrole" "ClusterRole" [], Cluster, []),
    kind!("rbac.authorization.k8s.io" "v1" "rolebindings" "rolebinding" "RoleBinding" [], Namespaced, []),
    kind!("rbac.authorization.k8s.io" "v1" "roles" "role" "Role" [], Namespaced, []),
    kind!("scheduling.k8s.io" "v1" "priorityclasses" "priorityclass" "PriorityClass" ["pc"], Cluster, []),
    kind!("storage.k8s.io" "v1" "storageclasses" "storageclass" "StorageClass" ["sc"], Cluster, []),
];

/// Groups and versions served without stored objects of their own: they only answer reviews.
const REVIEW_GROUPS: [(&str, &str); 2] = [("authentication.k8s.io", "v1"), ("authorization.k8s.io", "v1")];

impl Kind {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }

    /// Whether `kubectl get all` means it too.
    pub fn is_in_all(&self) -> bool {
        const ALL: [&str; 10] = [
            "pods",
            "replicationcontrollers",
            "services",
            "daemonsets",
            "deployments",
            "replicasets",
            "statefulsets",
            "cronjobs",
            "jobs",
            "horizontalpodautoscalers",
        ];
        ALL.contains(&self.plural)
    }

    /// `pods` or `deployments.apps`, as messages name a resource.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_owned() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// `Pod` or `Deployment.apps`, as messages name a kind.
    pub fn qualified(&self) -> String {
        if self.group.is_empty() { self.kind.to_owned() } else { format!("{}.{}", self.kind, self.group) }
    }
}

/// The row of a group, version and plural.
pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.group == group && kind.version == version && kind.plural == plural)
}

/// The row of a plural that is known to be served; the first row stands in for a word that is not.
pub fn row(plural: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.plural == plural).unwrap_or(&KINDS[0])
}

/// Groups with their version, in order, without the core group.
pub fn groups() -> Vec<(&'static str, &'static str)> {
    let mut groups: Vec<_> =
        KINDS.iter().map(|kind| (kind.group, kind.version)).filter(|group| !group.0.is_empty()).collect();
    groups.extend(REVIEW_GROUPS);
    groups.sort_unstable();
    groups.dedup();
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_no_two_rows_of_a_name() {
        for (index, kind) in KINDS.iter().enumerate() {
            assert_eq!(row(kind.plural), kind);
            assert!(KINDS[index + 1..].iter().all(|other| other.plural != kind.plural), "{}", kind.plural);
            assert_eq!(find(kind.group, kind.version, kind.plural), Some(kind));
        }
        assert_eq!(row("deployments").qualified(), "Deployment.apps");
        assert_eq!(row("pods").resource(), "pods");
    }
}
