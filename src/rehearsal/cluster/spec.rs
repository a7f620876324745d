//! `[cluster]` of a scenario: who may do what, quotas, autoscalers, webhooks, and any other objects.

use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::Value;

use crate::rehearsal::scenario::Quantity;

/// The rules and furniture of a cluster, beside the workloads and nodes that a scenario lists by themselves.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterSpec {
    /// What the caller may do, written into the cluster as roles and bindings. An empty list allows everything, unless
    /// `objects` has bindings of its own.
    pub access: Vec<AccessRule>,
    /// Limits on what a namespace may hold.
    pub quotas: Vec<QuotaSpec>,
    /// Whether there is a metrics server: without one autoscalers only hold their bounds.
    pub metrics_server: MetricsServer,
    /// Horizontal autoscalers.
    pub autoscalers: Vec<AutoscalerSpec>,
    /// Admission webhooks that have a say.
    pub webhooks: Vec<WebhookSpec>,
    /// Any other objects, whole, as `kubectl get -o json` prints them.
    pub objects: Vec<Value>,
}

/// One rule of a role. `*` stands for all; an empty `groups` or `namespaces` stands for all too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessRule {
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`.
    pub verbs: Vec<String>,
    /// API groups; the core group is the empty text.
    pub groups: Vec<String>,
    /// Plurals, with `/status` or `/scale` for a subresource.
    pub resources: Vec<String>,
    /// Namespaces it is bound in.
    pub namespaces: Vec<String>,
}

/// A `ResourceQuota` on memory limits and pods.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaSpec {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `limits.memory`.
    pub memory_limits: Option<Quantity>,
    /// `pods`.
    pub pods: Option<u64>,
}

/// Whether a metrics server measures the pods.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricsServer {
    /// It does.
    #[default]
    Present,
    /// Nobody does.
    Absent,
}

/// A `HorizontalPodAutoscaler` on the processor, on memory, or on both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AutoscalerSpec {
    /// Its namespace.
    pub namespace: String,
    /// The workload it scales; it bears the same name.
    pub workload: String,
    /// `minReplicas`.
    pub min: u32,
    /// `maxReplicas`.
    pub max: u32,
    /// Target utilisation of the processor, percent of what is requested; 80 where no target is named at all.
    pub cpu_percent: Option<u32>,
    /// Target utilisation of memory, percent of what is requested.
    pub memory_percent: Option<u32>,
    /// When it scaled last, from start (negative): to the replicas that the workload has.
    pub last_scale: Option<SignedDuration>,
}

/// What a webhook does about a request it is asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WebhookSays {
    /// No.
    #[default]
    Denies,
    /// Yes, but it has side effects, so it cannot be asked in a dry run.
    AllowsWithSideEffects,
}

/// A validating webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WebhookSpec {
    /// Its qualified name: `policy.example.com`.
    pub name: String,
    /// Which requests it is asked about.
    pub rule: AccessRule,
    /// What it does.
    pub says: WebhookSays,
    /// Its words.
    pub message: String,
}
