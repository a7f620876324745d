//! API objects → the domain's words. Pure: every function here is a table of JSON in, values out.
//! Free text of the cluster is sanitised, redacted and cut here, before anything else sees it.

mod history;

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference, Time};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::patch::FIELD_MANAGER;
use super::quantity;
use crate::domain::observation::redact;
use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::{
    ClusterEvent, ContainerSpec, ContainerState, Ownership, Pod, Scaled, Termination, Workload, WorkloadKind,
    WorkloadRef,
};

pub use history::revision;
pub(super) use history::{controlled, revisions};

/// The annotation in which a deployment and its replica sets keep their revision.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

/// Longest free text kept of one field, in characters.
const LONGEST_TEXT: usize = 1024;

/// Free text of others, made safe: controls escaped, secrets out, cut.
pub fn safe(text: &str) -> String {
    redact::clean(text, LONGEST_TEXT)
}

/// A deployment.
pub fn deployment(object: &Deployment) -> Workload {
    let spec = object.spec.clone().unwrap_or_default();
    let status = object.status.clone().unwrap_or_default();
    let (unavailable, surge) = deployment_budget(&spec);
    let mut workload = base(WorkloadKind::Deployment, &object.metadata, &spec.selector, &spec.template);
    workload.observed_generation = status.observed_generation.unwrap_or_default();
    workload.replicas = count(spec.replicas.unwrap_or(1));
    workload.ready = count(status.ready_replicas.unwrap_or_default());
    workload.updated = count(status.updated_replicas.unwrap_or_default());
    workload.available = count(status.available_replicas.unwrap_or_default());
    workload.max_unavailable = unavailable;
    workload.max_surge = surge;
    workload.paused = spec.paused.unwrap_or_default();
    workload.revision = revision_of(&object.metadata);
    workload
}

/// A stateful set. It has no surge; its partition, if any, holds pods back.
pub fn stateful_set(object: &StatefulSet) -> Workload {
    let spec = object.spec.clone().unwrap_or_default();
    let status = object.status.clone().unwrap_or_default();
    let settled = status.update_revision.is_some() && status.update_revision == status.current_revision;
    let mut workload = base(WorkloadKind::StatefulSet, &object.metadata, &spec.selector, &spec.template);
    workload.observed_generation = status.observed_generation.unwrap_or_default();
    workload.replicas = count(spec.replicas.unwrap_or(1));
    workload.ready = count(status.ready_replicas.unwrap_or_default());
    workload.updated = count(status.updated_replicas.unwrap_or(if settled { status.replicas } else { 0 }));
    workload.available = count(status.available_replicas.unwrap_or_default());
    workload.max_unavailable = spec
        .update_strategy
        .and_then(|strategy| strategy.rolling_update)
        .and_then(|rolling| rolling.max_unavailable)
        .map_or_else(|| "1".to_owned(), |value| written(&value));
    "0".clone_into(&mut workload.max_surge);
    workload
}

/// A daemon set; its replicas are the nodes it should be on.
pub fn daemon_set(object: &DaemonSet) -> Workload {
    let spec = object.spec.clone().unwrap_or_default();
    let status = object.status.clone().unwrap_or_default();
    let rolling = spec.update_strategy.and_then(|strategy| strategy.rolling_update).unwrap_or_default();
    let mut workload = base(WorkloadKind::DaemonSet, &object.metadata, &spec.selector, &spec.template);
    workload.observed_generation = status.observed_generation.unwrap_or_default();
    workload.replicas = count(status.desired_number_scheduled);
    workload.ready = count(status.number_ready);
    workload.updated = count(status.updated_number_scheduled.unwrap_or_default());
    workload.available = count(status.number_available.unwrap_or_default());
    workload.max_unavailable = rolling.max_unavailable.map_or_else(|| "1".to_owned(), |value| written(&value));
    workload.max_surge = rolling.max_surge.map_or_else(|| "0".to_owned(), |value| written(&value));
    workload
}

/// What all three kinds have in common.
fn base(kind: WorkloadKind, meta: &ObjectMeta, selector: &LabelSelector, template: &core::PodTemplateSpec) -> Workload {
    let pod = template.spec.clone().unwrap_or_default();
    let annotations = template.metadata.as_ref().and_then(|meta| meta.annotations.clone()).unwrap_or_default();
    let target = WorkloadRef { kind, namespace: namespace_of(meta), name: meta.name.clone().unwrap_or_default() };
    Workload {
        uid: meta.uid.clone().unwrap_or_default(),
        generation: meta.generation.unwrap_or_default(),
        containers: pod.containers.iter().map(container_spec).collect(),
        template_annotations: annotations.into_iter().map(|(key, value)| (key, safe(&value))).collect(),
        selector: selector.match_labels.clone().unwrap_or_default(),
        labels: meta.labels.clone().unwrap_or_default(),
        ownership: ownership(meta),
        scaled: scaled(meta),
        created_at: at(meta.creation_timestamp.as_ref()),
        ..Workload::named(target)
    }
}

pub(super) fn container_spec(container: &core::Container) -> ContainerSpec {
    let resources = container.resources.clone().unwrap_or_default();
    let limits = resources.limits.unwrap_or_default();
    let requests = resources.requests.unwrap_or_default();
    let read = |map: &BTreeMap<String, Quantity>, key: &str, parse: fn(&str) -> Option<u64>| {
        map.get(key).and_then(|value| parse(&value.0))
    };
    ContainerSpec {
        name: container.name.clone(),
        image: container.image.as_deref().map(safe).unwrap_or_default(),
        memory_limit: read(&limits, "memory", quantity::bytes),
        memory_request: read(&requests, "memory", quantity::bytes),
        cpu_limit_milli: read(&limits, "cpu", quantity::milli),
    }
}

/// `maxUnavailable` and `maxSurge` as written, with the API's defaults. `Recreate` takes all pods down first.
fn deployment_budget(spec: &k8s_openapi::api::apps::v1::DeploymentSpec) -> (String, String) {
    let strategy = spec.strategy.clone().unwrap_or_default();
    if strategy.type_.as_deref() == Some("Recreate") {
        return ("100%".to_owned(), "0".to_owned());
    }
    let rolling = strategy.rolling_update.unwrap_or_default();
    let or_default = |value: Option<IntOrString>| value.map_or_else(|| "25%".to_owned(), |value| written(&value));
    (or_default(rolling.max_unavailable), or_default(rolling.max_surge))
}

fn written(value: &IntOrString) -> String {
    match value {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(text) => safe(text),
    }
}

/// Who would revert a direct change. A delivery tool wins over Helm: both Argo CD and Flux can deliver charts. What another
/// object made carries that one's labels, and is put back by its controller.
/// 0. The controller among its owners.
/// 1. Argo CD: annotation `argocd.argoproj.io/tracking-id` (`APP:GROUP/KIND:NS/NAME`) or label
///    `argocd.argoproj.io/instance`.
/// 2. Flux: label `helm.toolkit.fluxcd.io/name` or `kustomize.toolkit.fluxcd.io/name`.
/// 3. Helm: annotation `meta.helm.sh/release-name`, or `managed-by=Helm` with `app.kubernetes.io/instance`.
///
/// `app.kubernetes.io/instance` alone says nothing: charts, Argo CD and people all set it.
pub fn ownership(meta: &ObjectMeta) -> Ownership {
    let label = |key: &str| meta.labels.as_ref().and_then(|labels| labels.get(key)).map(|value| safe(value));
    let annotation = |key: &str| meta.annotations.as_ref().and_then(|all| all.get(key)).map(|value| safe(value));
    if let Some(OwnerReference { kind, name, .. }) = controller_of(meta) {
        return Ownership::Controller { kind: safe(kind), name: safe(name) };
    }
    let tracked = annotation("argocd.argoproj.io/tracking-id")
        .map(|id| id.split(':').next().unwrap_or_default().to_owned())
        .filter(|name| !name.is_empty());
    if let Some(application) = tracked.or_else(|| label("argocd.argoproj.io/instance")) {
        return Ownership::ArgoCd { application };
    }
    if let Some(name) = label("helm.toolkit.fluxcd.io/name").or_else(|| label("kustomize.toolkit.fluxcd.io/name")) {
        return Ownership::Flux { name };
    }
    if let Some(release) = annotation("meta.helm.sh/release-name") {
        return Ownership::Helm { release };
    }
    match (label("app.kubernetes.io/managed-by").as_deref(), label("app.kubernetes.io/instance")) {
        (Some("Helm"), Some(release)) => Ownership::Helm { release },
        _ => Ownership::Direct,
    }
}

/// When somebody set the number of replicas, and nothing else: by the subresource that is for it, or by a patch of that field.
/// What declares the whole object (`kubectl apply`) tells of no scaling. We patch other fields as well, and date them alike.
pub fn scaled(meta: &ObjectMeta) -> Option<Scaled> {
    let entries = meta.managed_fields.as_deref().unwrap_or_default().iter();
    let told = entries.filter_map(|entry| {
        let spec = entry.fields_v1.as_ref()?.0.get("f:spec")?.as_object()?;
        let manager = entry.manager.as_deref().unwrap_or("somebody");
        let alone = spec.len() == 1 || entry.subresource.as_deref() == Some("scale") || manager == FIELD_MANAGER;
        let at = entry.time.as_ref()?.0;
        (spec.contains_key("f:replicas") && alone).then(|| Scaled { at, by: safe(manager) })
    });
    told.max_by_key(|scaled| scaled.at)
}

/// The deployments behind replica sets, by `namespace/replica-set`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Owners(BTreeMap<String, WorkloadRef>);

impl Owners {
    /// Learns from a replica set.
    pub fn learn(&mut self, set: &ReplicaSet) {
        if let Some(owner) = replica_set_owner(set) {
            self.0.insert(set_key(&set.metadata), owner);
        }
    }

    /// Forgets a replica set.
    pub fn forget(&mut self, set: &ReplicaSet) {
        self.0.remove(&set_key(&set.metadata));
    }

    /// The workload a pod belongs to, through its controller.
    /// A replica set we may not read still names its deployment: `NAME-HASH`, the hash being a label of the pod.
    fn of_pod(&self, meta: &ObjectMeta) -> Option<WorkloadRef> {
        let namespace = namespace_of(meta);
        let controller = controller_of(meta)?;
        let by_kind = |kind| Some(WorkloadRef { kind, namespace: namespace.clone(), name: controller.name.clone() });
        match controller.kind.as_str() {
            "StatefulSet" => by_kind(WorkloadKind::StatefulSet),
            "DaemonSet" => by_kind(WorkloadKind::DaemonSet),
            "ReplicaSet" => self.0.get(&format!("{namespace}/{}", controller.name)).cloned().or_else(|| {
                let hash = meta.labels.as_ref()?.get("pod-template-hash")?;
                let name = controller.name.strip_suffix(hash.as_str())?.strip_suffix('-')?;
                let kind = WorkloadKind::Deployment;
                Some(WorkloadRef { kind, namespace: namespace.clone(), name: name.to_owned() })
            }),
            _ => None,
        }
    }
}

/// A pod, its owner through what is known of replica sets.
pub fn pod(object: &core::Pod, owners: &Owners) -> Pod {
    let meta = &object.metadata;
    let status = object.status.clone().unwrap_or_default();
    let main = status.container_statuses.unwrap_or_default();
    let init = status.init_container_statuses.unwrap_or_default();
    let in_turn = |state: &ContainerState| matches!(state.state.as_str(), "running" | "waiting: PodInitializing");
    let troubled = init.iter().map(container_state).filter(|state| {
        let failed = state.ends().any(|end| end.reason != "Completed");
        state.restarts > 0 || failed || state.last_end.is_none() && !in_turn(state)
    });
    let conditions = status.conditions.as_deref().unwrap_or_default();
    let gated =
        object.spec.as_ref().and_then(|spec| spec.readiness_gates.as_ref()).is_some_and(|gates| !gates.is_empty());
    let holds = |kind: &str, word: &str| conditions.iter().any(|one| one.type_ == kind && one.status == word);
    let phase = if meta.deletion_timestamp.is_some() {
        "Terminating".to_owned()
    } else if holds("Ready", "False") && holds("ContainersReady", "True") && !gated {
        // The kubelet writes both together. Readiness is taken away alone by the node controller, of a pod whose node says
        // nothing any more: what its containers are, nobody knows.
        "Unknown".to_owned()
    } else {
        // An evicted pod is `Failed` with the reason apart; the reason is the word people know.
        safe(status.reason.as_deref().or(status.phase.as_deref()).unwrap_or("Unknown"))
    };
    Pod {
        name: meta.name.clone().unwrap_or_default(),
        namespace: namespace_of(meta),
        owner: owners.of_pod(meta),
        phase,
        node: object.spec.as_ref().and_then(|spec| spec.node_name.clone()),
        containers: main.iter().map(container_state).chain(troubled).collect(),
        created_at: at(meta.creation_timestamp.as_ref().or(status.start_time.as_ref())),
    }
}

fn container_state(status: &core::ContainerStatus) -> ContainerState {
    let now = status.state.clone().unwrap_or_default();
    let before = status.last_state.clone().unwrap_or_default();
    let reason = |reason: Option<&String>, otherwise: &str| safe(reason.map_or(otherwise, String::as_str));
    let state = match (&now.running, &now.waiting, &now.terminated) {
        (Some(_), _, _) => "running".to_owned(),
        (None, Some(waiting), _) => format!("waiting: {}", reason(waiting.reason.as_ref(), "unknown")),
        (None, None, Some(ended)) => format!("terminated: {}", reason(ended.reason.as_ref(), "unknown")),
        (None, None, None) => "unknown".to_owned(),
    };
    ContainerState {
        name: status.name.clone(),
        ready: status.ready,
        restarts: count(status.restart_count),
        state,
        running_since: now.running.as_ref().and_then(|running| at(running.started_at.as_ref())),
        message: now
            .waiting
            .as_ref()
            .and_then(|waiting| waiting.message.as_ref())
            .filter(|message| !message.starts_with("back-off"))
            .or_else(|| now.terminated.as_ref().or(before.terminated.as_ref())?.message.as_ref())
            .map(|message| safe(message)),
        last_end: now.terminated.as_ref().or(before.terminated.as_ref()).map(termination),
        end_before: now.terminated.as_ref().and(before.terminated.as_ref()).map(termination),
    }
}

fn termination(ended: &core::ContainerStateTerminated) -> Termination {
    Termination {
        reason: safe(ended.reason.as_deref().unwrap_or("unknown")),
        exit_code: ended.exit_code,
        started_at: at(ended.started_at.as_ref()),
        finished_at: at(ended.finished_at.as_ref()),
    }
}

/// An event. A repeated one counts in `count` (old style) or in `series` (new style).
pub fn event(object: &core::Event) -> ClusterEvent {
    let about = &object.involved_object;
    let series = object.series.as_ref();
    let times = [
        series.and_then(|series| series.last_observed_time.as_ref()).map(|time| time.0),
        at(object.last_timestamp.as_ref()),
        object.event_time.as_ref().map(|time| time.0),
        at(object.metadata.creation_timestamp.as_ref()),
    ];
    let times_seen = series.and_then(|series| series.count).or(object.count).unwrap_or(1);
    ClusterEvent {
        name: object.metadata.name.clone().unwrap_or_default(),
        namespace: namespace_of(&object.metadata),
        warning: object.type_.as_deref() == Some("Warning"),
        reason: safe(object.reason.as_deref().unwrap_or_default()),
        message: safe(object.message.as_deref().unwrap_or_default()),
        about: safe(&format!(
            "{}/{}",
            about.kind.as_deref().unwrap_or("unknown"),
            about.name.as_deref().unwrap_or("unknown")
        )),
        node: told_by(object),
        count: count(times_seen).max(1),
        last_at: times.into_iter().flatten().next(),
        first_at: at(object.first_timestamp.as_ref())
            .or_else(|| object.event_time.as_ref().map(|time| time.0))
            .or_else(|| at(object.metadata.creation_timestamp.as_ref())),
    }
}

/// The node whose kubelet tells an event: the host of its source (old style), or the instance that reports it (new style).
fn told_by(object: &core::Event) -> Option<String> {
    let source = object.source.as_ref();
    let component = source.and_then(|source| source.component.as_deref()).or(object.reporting_component.as_deref());
    let host = source.and_then(|source| source.host.as_deref()).or(object.reporting_instance.as_deref());
    host.filter(|host| component == Some("kubelet") && !host.is_empty()).map(safe)
}

fn replica_set_owner(set: &ReplicaSet) -> Option<WorkloadRef> {
    let controller = controller_of(&set.metadata).filter(|owner| owner.kind == "Deployment")?;
    let kind = WorkloadKind::Deployment;
    Some(WorkloadRef { kind, namespace: namespace_of(&set.metadata), name: controller.name.clone() })
}

fn controller_of(meta: &ObjectMeta) -> Option<&OwnerReference> {
    meta.owner_references.as_ref()?.iter().find(|owner| owner.controller == Some(true))
}

fn set_key(meta: &ObjectMeta) -> String {
    format!("{}/{}", namespace_of(meta), meta.name.as_deref().unwrap_or_default())
}

fn revision_of(meta: &ObjectMeta) -> Option<i64> {
    meta.annotations.as_ref()?.get(REVISION)?.parse().ok()
}

pub(super) fn namespace_of(meta: &ObjectMeta) -> Namespace {
    Namespace::new(meta.namespace.clone().unwrap_or_default())
}

fn at(time: Option<&Time>) -> Option<Timestamp> {
    time.map(|time| time.0)
}

fn count(number: i32) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests;
