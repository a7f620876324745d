//! Workloads and nodes as a scenario writes them, with the memory regime that `behaviour` plays.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::{Ownership, WorkloadKind, WorkloadRef};

/// A quantity in bytes, written as Kubernetes does: `512Mi`, `1Gi`, `200M`, or plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct Quantity(pub u64);

impl TryFrom<String> for Quantity {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const UNITS: [(&str, u64); 6] =
            [("Ki", 1 << 10), ("Mi", 1 << 20), ("Gi", 1 << 30), ("k", 1_000), ("M", 1_000_000), ("G", 1_000_000_000)];
        let (digits, factor) = UNITS
            .iter()
            .find_map(|(unit, factor)| text.strip_suffix(unit).map(|digits| (digits, *factor)))
            .unwrap_or((&text, 1));
        digits
            .parse::<u64>()
            .ok()
            .and_then(|count| count.checked_mul(factor))
            .map(Quantity)
            .ok_or_else(|| format!("{text:?} is not a quantity such as 512Mi"))
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            bytes if bytes > 0 && bytes % (1 << 30) == 0 => write!(f, "{}Gi", bytes >> 30),
            bytes if bytes > 0 && bytes % (1 << 20) == 0 => write!(f, "{}Mi", bytes >> 20),
            bytes => write!(f, "{bytes}"),
        }
    }
}

/// A replicated workload.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkloadSpec {
    /// Its kind.
    #[serde(default = "deployment")]
    pub kind: WorkloadKind,
    /// Its namespace.
    pub namespace: Namespace,
    /// Its name.
    pub name: String,
    /// How many pods are wanted.
    pub replicas: u32,
    /// Labels of the object and its pods, besides `app`.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
    /// Annotations of the object.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// Annotations of the pod template at start, such as an earlier `kubectl.kubernetes.io/restartedAt`.
    #[serde(default)]
    pub template_annotations: BTreeMap<String, String>,
    /// Who owns the truth about it; makes the labels and annotations that tell so.
    #[serde(default = "direct")]
    pub ownership: Ownership,
    /// Containers of the template, the one under the memory regime first.
    #[serde(rename = "container")]
    pub containers: Vec<ContainerShape>,
    /// Rollout history, ascending; the last is the present one.
    #[serde(rename = "revision")]
    pub revisions: Vec<RevisionSpec>,
    /// `strategy.rollingUpdate.maxSurge`.
    #[serde(default = "quarter")]
    pub max_surge: String,
    /// `strategy.rollingUpdate.maxUnavailable`.
    #[serde(default = "quarter")]
    pub max_unavailable: String,
    /// How long a new pod takes from creation to ready.
    #[serde(default = "twenty_seconds")]
    pub ready_after: SignedDuration,
    /// How long a deleted pod takes to be gone.
    #[serde(default = "five_seconds")]
    pub gone_after: SignedDuration,
    /// A disruption budget over its pods.
    #[serde(default)]
    pub disruption_budget: Option<DisruptionBudgetSpec>,
    /// How its memory behaves.
    #[serde(default)]
    pub memory: Regime,
}

impl WorkloadSpec {
    /// Its reference.
    pub fn target(&self) -> WorkloadRef {
        WorkloadRef { kind: self.kind, namespace: self.namespace.clone(), name: self.name.clone() }
    }

    /// The memory limit of the first container as the scenario declares it, in bytes.
    pub fn declared_limit(&self) -> Option<u64> {
        self.containers.first().and_then(|container| container.memory_limit).map(|quantity| quantity.0)
    }
}

fn deployment() -> WorkloadKind {
    WorkloadKind::Deployment
}

fn direct() -> Ownership {
    Ownership::Direct
}

fn quarter() -> String {
    "25%".to_owned()
}

fn twenty_seconds() -> SignedDuration {
    SignedDuration::from_secs(20)
}

fn five_seconds() -> SignedDuration {
    SignedDuration::from_secs(5)
}

/// A container of a template.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContainerShape {
    /// Its name.
    pub name: String,
    /// Its image.
    pub image: String,
    /// Memory limit.
    #[serde(default)]
    pub memory_limit: Option<Quantity>,
    /// Memory request.
    #[serde(default)]
    pub memory_request: Option<Quantity>,
    /// CPU limit as Kubernetes writes it, such as `1` or `500m`.
    #[serde(default)]
    pub cpu_limit: Option<String>,
    /// CPU request as Kubernetes writes it.
    #[serde(default)]
    pub cpu_request: Option<String>,
}

/// One past or present rollout.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevisionSpec {
    /// Its number.
    pub number: i64,
    /// When its replica set was made.
    pub at: Timestamp,
    /// The image of the first container at the time; the present one where left out.
    #[serde(default)]
    pub image: Option<String>,
    /// The memory limit of the first container at the time; the present one where left out.
    #[serde(default)]
    pub memory_limit: Option<Quantity>,
    /// `kubernetes.io/change-cause`.
    #[serde(default)]
    pub change_cause: Option<String>,
}

/// A `PodDisruptionBudget`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DisruptionBudgetSpec {
    /// Pods that must stay available.
    pub min_available: u32,
}

/// A node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeSpec {
    /// Its name.
    pub name: String,
    /// Allocatable memory.
    pub memory: Quantity,
    /// Allocatable processors, as Kubernetes writes it.
    pub cpu: String,
    /// Since when it is short of memory, from start (negative): its pods were evicted then, and it takes no new ones.
    #[serde(default)]
    pub memory_pressure: Option<SignedDuration>,
    /// Since when it is not ready, from start (negative): its kubelet says nothing any more, its pods serve nobody, and five
    /// minutes later they are given up and made again elsewhere.
    #[serde(default)]
    pub not_ready: Option<SignedDuration>,
    /// Since when it is drained, from start (negative): its pods were moved to the other nodes then, and it takes no new ones.
    #[serde(default)]
    pub drained: Option<SignedDuration>,
}

/// How the memory of a workload's first container behaves. Percentages are of the limit the scenario declares.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Regime {
    /// Steady at a level; never killed.
    Flat {
        /// Percent of the declared limit.
        level: f64,
        /// Jitter, plus or minus, in points.
        #[serde(default)]
        noise: f64,
    },
    /// Grows without end, until kills set in near the limit.
    Leak {
        /// Percent held by a fresh pod.
        floor: f64,
        /// Points a minute.
        rate: f64,
        /// When the growth set in, from start (negative): pods older than it began to grow then.
        onset: SignedDuration,
        /// The image that leaks; any, where none is named.
        #[serde(default)]
        image: Option<String>,
        /// Jitter, plus or minus, in points.
        #[serde(default)]
        noise: f64,
        /// What a container restart inside the pod frees.
        retained: Retained,
        /// The kills before start and the pace after.
        kills: KillSpec,
    },
    /// A steady working set that does not fit the limit: full again soon after every start, then killed.
    Ceiling {
        /// The working set it needs, in percent of the declared limit: above 100 it is killed, again and again.
        demand: f64,
        /// Percent right after a container started.
        fresh: f64,
        /// How long a start takes to fill it.
        fill: SignedDuration,
        /// When it came to need so much, from start (negative).
        onset: SignedDuration,
        /// What it needed before, in percent.
        before: f64,
        /// Jitter, plus or minus, in points.
        #[serde(default)]
        noise: f64,
        /// The kills before start and the pace after.
        kills: KillSpec,
    },
    /// Steady memory in a process that stops answering: its liveness probe fails and the kubelet kills it, exit code 137.
    Hangs {
        /// Percent of the declared limit.
        level: f64,
        /// Jitter, plus or minus, in points.
        #[serde(default)]
        noise: f64,
        /// The kills before start and the pace after.
        kills: KillSpec,
    },
    /// Steady memory in processes that stopped at an instant and that no probe has killed: a new process works. What
    /// follows the pressure is at the full as long as they run.
    Stuck {
        /// Percent of the declared limit.
        level: f64,
        /// Jitter, plus or minus, in points.
        #[serde(default)]
        noise: f64,
        /// When they stopped, from start (negative).
        since: SignedDuration,
        /// What asks them whether they are well.
        #[serde(default)]
        probe: Probe,
    },
}

impl Regime {
    /// The kills of a regime that has some.
    pub fn kills(&self) -> Option<&KillSpec> {
        match self {
            Self::Flat { .. } | Self::Stuck { .. } => None,
            Self::Leak { kills, .. } | Self::Ceiling { kills, .. } | Self::Hangs { kills, .. } => Some(kills),
        }
    }
}

impl Default for Regime {
    fn default() -> Self {
        Self::Flat { level: 40.0, noise: 1.0 }
    }
}

/// What asks a container whether it is well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Probe {
    /// Nothing does: what runs counts as ready.
    #[default]
    None,
    /// A readiness probe, which waits in vain from then on.
    Readiness,
}

/// Where leaked memory survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retained {
    /// In the container: a kill frees it.
    Container,
    /// In the pod (a spill file in an `emptyDir` is loaded again): only a new pod frees it.
    Pod,
}

/// Kills before start, and their pace after it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KillSpec {
    /// Exactly how many before start.
    pub count: u32,
    /// Not before, from start (negative).
    pub from: SignedDuration,
    /// Not after, from start (negative).
    pub to: SignedDuration,
    /// No kill for so long after start.
    pub quiet: SignedDuration,
    /// Shortest time between two kills of one container.
    pub gap_min: SignedDuration,
    /// Longest time between two kills of one container.
    pub gap_max: SignedDuration,
}
