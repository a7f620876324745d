//! Kubernetes workloads as far as an incident needs them: deployments, pods, containers, terminations, revisions, events.

mod view;

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::change::FieldChange;
use super::scope::Namespace;

pub use view::{ClusterChange, ClusterView, Listed, ListedKind};

/// The kinds of workload a step may aim at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WorkloadKind {
    /// `apps/v1` Deployment.
    Deployment,
    /// `apps/v1` `StatefulSet`.
    StatefulSet,
    /// `apps/v1` `DaemonSet`.
    DaemonSet,
}

impl WorkloadKind {
    /// As in `deployment/my-api`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Deployment => "deployment",
            Self::StatefulSet => "statefulset",
            Self::DaemonSet => "daemonset",
        }
    }

    /// The resource in a path: `deployments`.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Deployment => "deployments",
            Self::StatefulSet => "statefulsets",
            Self::DaemonSet => "daemonsets",
        }
    }
}

/// A workload by kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadRef {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Its namespace.
    pub namespace: Namespace,
    /// Its name.
    pub name: String,
}

impl fmt::Display for WorkloadRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{} -n {}", self.kind.word(), self.name, self.namespace)
    }
}

/// One container of a template, as declared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Memory limit in bytes.
    pub memory_limit: Option<u64>,
    /// Memory request in bytes.
    pub memory_request: Option<u64>,
    /// CPU limit in thousandths of a core.
    pub cpu_limit_milli: Option<u64>,
}

/// Who owns the truth about a workload: a direct change to a managed one is reverted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Ownership {
    /// Nobody but the API.
    Direct,
    /// A Helm release (labels `app.kubernetes.io/managed-by=Helm` and the release annotations).
    Helm {
        /// The release.
        release: String,
    },
    /// Argo CD.
    ArgoCd {
        /// The application.
        application: String,
    },
    /// Flux.
    Flux {
        /// The kustomization or Helm release object.
        name: String,
    },
    /// Another object, whose controller made this one (`metadata.ownerReferences`).
    Controller {
        /// Its kind.
        kind: String,
        /// Its name.
        name: String,
    },
}

/// A deployment (or another replicated workload) as last read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Workload {
    /// Which one.
    pub target: WorkloadRef,
    /// The object's uid.
    pub uid: String,
    /// `metadata.generation`.
    pub generation: i64,
    /// `status.observedGeneration`.
    pub observed_generation: i64,
    /// Wanted.
    pub replicas: u32,
    /// Ready.
    pub ready: u32,
    /// On the newest template.
    pub updated: u32,
    /// Available.
    pub available: u32,
    /// `maxUnavailable`, as written.
    pub max_unavailable: String,
    /// `maxSurge`, as written.
    pub max_surge: String,
    /// `deployment.kubernetes.io/revision`.
    pub revision: Option<i64>,
    /// Template containers.
    pub containers: Vec<ContainerSpec>,
    /// Template annotations (the restart stamp is one).
    pub template_annotations: BTreeMap<String, String>,
    /// Labels the selector asks for.
    pub selector: BTreeMap<String, String>,
    /// Labels of the object.
    pub labels: BTreeMap<String, String>,
    /// Who owns it.
    pub ownership: Ownership,
    /// Whether rollouts are paused.
    pub paused: bool,
    /// When its number of replicas was set last, and by whom, where that is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaled: Option<Scaled>,
    /// Created.
    pub created_at: Option<Timestamp>,
}

/// That somebody set a number of replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scaled {
    /// When.
    pub at: Timestamp,
    /// The field manager.
    pub by: String,
}

impl Workload {
    /// One of which nothing but its name is known.
    pub fn named(target: WorkloadRef) -> Self {
        Self {
            target,
            uid: String::new(),
            generation: 0,
            observed_generation: 0,
            replicas: 0,
            ready: 0,
            updated: 0,
            available: 0,
            max_unavailable: String::new(),
            max_surge: String::new(),
            revision: None,
            containers: Vec::new(),
            template_annotations: BTreeMap::new(),
            selector: BTreeMap::new(),
            labels: BTreeMap::new(),
            ownership: Ownership::Direct,
            paused: false,
            scaled: None,
            created_at: None,
        }
    }

    /// Pods that may be missing and pods that may be extra during a rollout. Percentages as the controller rounds them:
    /// `maxUnavailable` down, `maxSurge` up, and never both zero.
    /// Source: <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment>.
    pub fn in_motion(&self) -> (u32, u32) {
        let replicas = u64::from(self.replicas);
        let part = |text: &str, up: u64| match text.strip_suffix('%') {
            Some(digits) => replicas.saturating_mul(digits.parse().unwrap_or_default()).saturating_add(up) / 100,
            None => text.parse().unwrap_or_default(),
        };
        let extra = part(&self.max_surge, 99);
        let down = part(&self.max_unavailable, 0).min(replicas);
        let down = if extra == 0 && replicas > 0 { down.max(1) } else { down };
        (u32::try_from(down).unwrap_or(u32::MAX), u32::try_from(extra).unwrap_or(u32::MAX))
    }
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Termination {
    /// `reason`, such as `OOMKilled`, `Error`, `Completed`.
    pub reason: String,
    /// Exit code. 137 alone is not an OOM kill.
    pub exit_code: i32,
    /// Started.
    pub started_at: Option<Timestamp>,
    /// Ended.
    pub finished_at: Option<Timestamp>,
}

/// A container of a running pod.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContainerState {
    /// Its name.
    pub name: String,
    /// Ready.
    pub ready: bool,
    /// `restartCount`.
    pub restarts: u32,
    /// The present state in a word: `running`, `waiting: CrashLoopBackOff`, `terminated: OOMKilled`.
    pub state: String,
    /// When the present life began, if running.
    pub running_since: Option<Timestamp>,
    /// The last end: of the present state if terminated, else `lastState`.
    pub last_end: Option<Termination>,
    /// The end before that one, where the status still keeps it: `lastState` of one that has terminated again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_before: Option<Termination>,
    /// What the kubelet says of the present state or, where it says nothing, of the last end; sanitised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl ContainerState {
    /// The ends that its status keeps, the last first.
    pub fn ends(&self) -> impl Iterator<Item = &Termination> {
        self.last_end.iter().chain(&self.end_before)
    }
}

/// A pod as last read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its namespace.
    pub namespace: Namespace,
    /// The workload it belongs to, through its replica set; `None` for a bare pod.
    pub owner: Option<WorkloadRef>,
    /// Phase in a word.
    pub phase: String,
    /// Its node.
    pub node: Option<String>,
    /// Its containers.
    pub containers: Vec<ContainerState>,
    /// Created.
    pub created_at: Option<Timestamp>,
}

/// A Kubernetes event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClusterEvent {
    /// Identity of the event object.
    pub name: String,
    /// Its namespace.
    pub namespace: Namespace,
    /// `Normal` or `Warning`.
    pub warning: bool,
    /// `reason`.
    pub reason: String,
    /// Sanitised text.
    pub message: String,
    /// The object it is about: `Pod/my-api-7d9f-x2x4`.
    pub about: String,
    /// The node that tells it, where a kubelet does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// How often.
    pub count: u32,
    /// Last seen.
    pub last_at: Option<Timestamp>,
    /// First seen.
    pub first_at: Option<Timestamp>,
}

impl ClusterEvent {
    /// Whether it is about a workload: itself, one of its own pods, or what is named as its replica sets and pods are, since
    /// those of an hour ago may be gone. Of an event on a node, whether it names one of the pods. The pods of another workload
    /// whose name begins with this one's (`my-api-worker`) are not its own.
    pub fn is_about(&self, target: &WorkloadRef, pods: &[Pod]) -> bool {
        let (kind, name) = self.about.split_once('/').unwrap_or(("", &self.about));
        let own = |pod: &&Pod| pod.owner.as_ref() == Some(target);
        if kind == "Node" {
            return pods.iter().filter(own).any(|pod| self.message.contains(&pod.name));
        }
        let known = pods.iter().find(|pod| pod.name == name && pod.namespace == self.namespace);
        match known {
            Some(pod) => pod.owner.as_ref() == Some(target),
            None => self.namespace == target.namespace && (name == target.name || target.may_have_made(kind, name)),
        }
    }
}

/// Whether a part of a name was drawn by the cluster: without vowels, so that it is no word, or with a digit.
fn is_drawn(part: &str) -> bool {
    let is_own = part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let is_word = part.contains(['a', 'e', 'i', 'o', 'u']) && !part.contains(|c: char| c.is_ascii_digit());
    !part.is_empty() && is_own && !is_word
}

/// One revision of a workload: a deployment's replica set, or a controller revision of another kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revision {
    /// Its number.
    pub number: i64,
    /// When the object that keeps it was created.
    pub created_at: Option<Timestamp>,
    /// Images by container.
    pub images: BTreeMap<String, String>,
    /// Replicas now; `None` where that is not kept by revision.
    pub replicas: Option<u32>,
    /// The name of the object that keeps it.
    pub replica_set: String,
    /// What its template changed against the revision before, where both were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<FieldChange>,
    /// Numbers it had before rollbacks gave it others (`deployment.kubernetes.io/revision-history`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<i64>,
}

impl Revision {
    /// Every number under which it ran.
    pub fn numbers(&self) -> impl Iterator<Item = i64> + '_ {
        self.earlier.iter().copied().chain([self.number])
    }
}

impl WorkloadRef {
    /// The key in a [`ClusterView`]: `deployment/payments/my-api`.
    pub fn key(&self) -> String {
        format!("{}/{}/{}", self.kind.word(), self.namespace, self.name)
    }

    /// Whether an object is named as the ones that this workload makes: `NAME-HASH` for a replica set, `NAME-HASH-RANDOM`,
    /// `NAME-ORDINAL` or `NAME-RANDOM` for a pod.
    pub fn may_have_made(&self, kind: &str, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(self.name.as_str()).and_then(|rest| rest.strip_prefix('-')) else {
            return false;
        };
        let parts: Vec<&str> = rest.split('-').collect();
        match (self.kind, kind, parts.as_slice()) {
            (WorkloadKind::Deployment, "ReplicaSet", [hash]) => is_drawn(hash),
            (WorkloadKind::Deployment, "Pod", [hash, random]) => is_drawn(hash) && is_drawn(random),
            (WorkloadKind::StatefulSet, "Pod", [ordinal]) => ordinal.bytes().all(|b| b.is_ascii_digit()),
            (WorkloadKind::DaemonSet, "Pod", [random]) => is_drawn(random),
            (WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet, _, _) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_about_the_workload_whose_objects_are_named_so_and_not_about_a_longer_name() {
        let target = |kind| WorkloadRef { kind, namespace: "shop".into(), name: "my-api".to_owned() };
        let event = |about: &str| ClusterEvent {
            name: "e".to_owned(),
            namespace: "shop".into(),
            warning: true,
            reason: "OOMKilling".to_owned(),
            message: String::new(),
            about: about.to_owned(),
            node: None,
            count: 1,
            last_at: None,
            first_at: None,
        };
        let is_about = |kind, about: &str| event(about).is_about(&target(kind), &[]);
        for about in ["Deployment/my-api", "ReplicaSet/my-api-7d9f8c", "Pod/my-api-7d9f8c-x2x4q"] {
            assert!(is_about(WorkloadKind::Deployment, about), "{about}");
        }
        for about in [
            "Pod/my-api-worker-7d9f8c-x2x4q",
            "Pod/my-api-worker-0",
            "Pod/my-api-worker-x2x4q",
            "ReplicaSet/my-api-worker-7d9f8c",
            "Pod/worker-7d9f-bbbbb",
            "Node/my-api",
        ] {
            assert!(!is_about(WorkloadKind::Deployment, about), "{about}");
        }
        assert!(
            is_about(WorkloadKind::StatefulSet, "Pod/my-api-0")
                && is_about(WorkloadKind::DaemonSet, "Pod/my-api-x2x4q")
        );
        assert!(!is_about(WorkloadKind::StatefulSet, "Pod/my-api-worker-0"));
    }
}
