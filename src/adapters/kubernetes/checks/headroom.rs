//! Room for the pods a step would start: in the namespace's quotas, and on the nodes. Pure arithmetic over listings.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, LimitRange, Node, Pod, PodSpec, ResourceQuota, Taint, Toleration};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use serde_json::Value;

use super::super::quantity;
use super::admitted::{Counts, counts, with_defaults, words};
use super::{Subject, check};
use crate::domain::count::{counted, either};
use crate::domain::remediation::step::{Action, Check, CheckState};

/// Bytes and thousandths of a core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    memory: u64,
    cpu: u64,
}

impl Share {
    fn times(self, many: u32) -> Self {
        let many = u64::from(many);
        Self { memory: self.memory.saturating_mul(many), cpu: self.cpu.saturating_mul(many) }
    }

    fn beyond(self, other: Self) -> Self {
        Self { memory: self.memory.saturating_sub(other.memory), cpu: self.cpu.saturating_sub(other.cpu) }
    }
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bill {
    limit: Share,
    request: Share,
    pods: u32,
}

impl Bill {
    fn of(pod: &PodSpec) -> Self {
        Self { limit: limit_of(pod), request: request_of(pod), pods: 1 }
    }

    fn times(self, many: u32) -> Self {
        Self { limit: self.limit.times(many), request: self.request.times(many), pods: self.pods.saturating_mul(many) }
    }

    /// What makes one pod of this bill out of one of another.
    fn beyond(self, other: Self) -> Self {
        let (limit, request) = (self.limit.beyond(other.limit), self.request.beyond(other.request));
        Self { limit, request, pods: self.pods.saturating_sub(other.pods) }
    }

    /// The amount that counts for a quota's resource; `None` for what is not looked at.
    fn amount(self, resource: &str) -> Option<u64> {
        match resource {
            "limits.memory" => Some(self.limit.memory),
            "limits.cpu" => Some(self.limit.cpu),
            "requests.memory" | "memory" => Some(self.request.memory),
            "requests.cpu" | "cpu" => Some(self.request.cpu),
            "pods" | "count/pods" => Some(u64::from(self.pods)),
            _ => None,
        }
    }
}

/// What a step needs beyond what there is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Need {
    /// Pods as they are made now, and as the step would have them made.
    before: PodSpec,
    after: PodSpec,
    /// How many there are of them when it is done.
    replicas: u32,
    /// One new pod.
    pod: Bill,
    /// What stays when the step is done.
    lasting: Bill,
    /// What is there beside it while pods are replaced.
    passing: Bill,
}

impl Need {
    /// Reads it off the templates before and after the action, with what the limit ranges would add.
    pub(super) fn of(subject: &Subject<'_>, ranges: &[LimitRange]) -> Self {
        let (before, after) = (with_defaults(pod_before(subject), ranges), with_defaults(pod_after(subject), ranges));
        let (old, pod) = (Bill::of(&before), Bill::of(&after));
        let replicas = subject.workload.replicas;
        let (replicas, lasting, passing) = if let Action::Scale { replicas: wanted, .. } = subject.action {
            (*wanted, pod.times(wanted.saturating_sub(replicas)), Bill::default())
        } else {
            let (_, surge) = subject.workload.in_motion();
            (replicas, pod.beyond(old).times(replicas), pod.times(surge))
        };
        Self { before, after, replicas, pod, lasting, passing }
    }

    /// What a quota would count of it, lasting and passing, and whether it would for certain; `None` where its scopes take
    /// no pod of the step.
    fn counted_by(&self, quota: &ResourceQuota) -> Option<(Bill, Bill, Counts)> {
        match (counts(quota, &self.before), counts(quota, &self.after)) {
            (_, Counts::No) => None,
            // Its pods come under the quota one by one, and all of them by the end.
            (Counts::No, Counts::Yes) => Some((self.pod.times(self.replicas), Bill::default(), Counts::Yes)),
            (Counts::Yes, Counts::Yes) => Some((self.lasting, self.passing, Counts::Yes)),
            (Counts::Unknown, _) | (_, Counts::Unknown) => Some((self.lasting, self.passing, Counts::Unknown)),
        }
    }

    /// Whether the pods there are will ask for more.
    fn grows(&self) -> bool {
        self.lasting.pods == 0 && self.lasting.request != Share::default()
    }

    /// So many pods of the new size need room beside what there is: the growth of all that stay is counted in such pods.
    fn pods(&self) -> u64 {
        let (grown, one) = (self.lasting.request, self.pod.request);
        let of = |all: u64, one: u64| if one == 0 { 0 } else { all.div_ceil(one) };
        let grown = of(grown.memory, one.memory).max(of(grown.cpu, one.cpu)).max(u64::from(self.lasting.pods));
        grown.saturating_add(u64::from(self.passing.pods))
    }
}

fn pod_before(subject: &Subject<'_>) -> PodSpec {
    spec_of(subject.before.pointer("/spec/template"))
}

/// A pod as the step would have it made.
pub(super) fn pod_after(subject: &Subject<'_>) -> PodSpec {
    match subject.action {
        Action::SetResources { container, memory_limit, .. } => {
            let mut pod = pod_before(subject);
            set_limit(&mut pod, container, *memory_limit);
            pod
        }
        Action::RolloutUndo { .. } if subject.put_back.is_some() => spec_of(subject.put_back),
        Action::RolloutRestart | Action::RolloutUndo { .. } | Action::Scale { .. } => pod_before(subject),
    }
}

fn spec_of(template: Option<&Value>) -> PodSpec {
    let spec = template.and_then(|template| template.get("spec")).cloned().unwrap_or_default();
    serde_json::from_value(spec).unwrap_or_default()
}

fn set_limit(pod: &mut PodSpec, name: &str, memory: u64) {
    for container in pod.containers.iter_mut().filter(|container| container.name == name) {
        let limits = container.resources.get_or_insert_default().limits.get_or_insert_default();
        limits.insert("memory".to_owned(), Quantity(quantity::from_bytes(memory)));
    }
}

/// The amount of a resource in a list of them: thousandths of a core, bytes, or a count.
pub(super) fn amount(amounts: Option<&BTreeMap<String, Quantity>>, resource: &str) -> Option<u64> {
    let text = &amounts?.get(resource)?.0;
    if resource.ends_with("cpu") { quantity::milli(text) } else { quantity::bytes(text) }
}

/// The same for a person.
pub(super) fn shown(amount: u64, resource: &str) -> String {
    match resource {
        "pods" | "count/pods" => amount.to_string(),
        resource if resource.ends_with("cpu") => format!("{amount}m"),
        _ => size(amount),
    }
}

/// What a container is limited to.
pub(super) fn limit(container: &Container, resource: &str) -> Option<u64> {
    amount(container.resources.as_ref()?.limits.as_ref(), resource)
}

/// What a container asks for. A request that is not written is the limit, as the API defaults it for pods.
pub(super) fn request(container: &Container, resource: &str) -> Option<u64> {
    amount(container.resources.as_ref()?.requests.as_ref(), resource).or_else(|| limit(container, resource))
}

/// What the containers of a pod take together.
///
/// 1. Main containers run beside the sidecars: init containers that stay (`restartPolicy: Always`).
/// 2. Other init containers run one after another, each beside the sidecars that were started before it; the largest counts,
///    if it is larger than all of 1.
/// 3. What the pod asks for as a whole counts, if it is more.
/// 4. The overhead of the pod's runtime class comes on top.
///
/// Source: KEP-753, sidecar containers, KEP-2837, pod level resources, and KEP-688, pod overhead.
pub(super) fn taken(pod: &PodSpec, resource: &str, of: fn(&Container, &str) -> Option<u64>) -> u64 {
    let sum = |total: u64, container: &Container| total.saturating_add(of(container, resource).unwrap_or_default());
    let (mut sidecars, mut starting) = (0, 0_u64);
    for container in pod.init_containers.iter().flatten() {
        let beside = sum(sidecars, container);
        starting = starting.max(beside);
        if container.restart_policy.as_deref() == Some("Always") {
            sidecars = beside;
        }
    }
    let running = pod.containers.iter().fold(sidecars, sum);
    let whole = Container { resources: pod.resources.clone(), ..Container::default() };
    let whole = of(&whole, resource).unwrap_or_default();
    running.max(starting).max(whole).saturating_add(amount(pod.overhead.as_ref(), resource).unwrap_or_default())
}

fn share(pod: &PodSpec, of: fn(&Container, &str) -> Option<u64>) -> Share {
    Share { memory: taken(pod, "memory", of), cpu: taken(pod, "cpu", of) }
}

fn limit_of(pod: &PodSpec) -> Share {
    share(pod, limit)
}

fn request_of(pod: &PodSpec) -> Share {
    share(pod, request)
}

/// What a quota leaves of a resource, against what the step needs of it.
struct Room {
    quota: String,
    resource: String,
    left: u64,
    lasting: u64,
    needed: u64,
    /// Whether it counts the pods of the step.
    counts: Counts,
}

impl Room {
    fn all(need: &Need, quota: &ResourceQuota) -> Vec<Self> {
        let status = quota.status.clone().unwrap_or_default();
        let (hard, used) = (status.hard.unwrap_or_default(), status.used.unwrap_or_default());
        let Some((lasting, passing, counts)) = need.counted_by(quota) else { return Vec::new() };
        let name = quota.metadata.name.clone().unwrap_or_default();
        let scopes = Some(words(quota)).filter(|scopes| !scopes.is_empty());
        let name = scopes.map_or_else(|| name.clone(), |scopes| format!("{name} (of {scopes})"));
        let of = |resource: &String| {
            let (lasting, passing) = (lasting.amount(resource)?, passing.amount(resource)?);
            let taken = amount(Some(&used), resource).unwrap_or_default();
            Some(Self {
                quota: name.clone(),
                resource: resource.clone(),
                left: amount(Some(&hard), resource)?.saturating_sub(taken),
                lasting,
                needed: lasting.saturating_add(passing),
                counts,
            })
        };
        hard.keys().filter_map(of).collect()
    }

    /// Old pods give back their share one by one, so what is needed only meanwhile may get through with fewer extra pods.
    fn state(&self) -> CheckState {
        match (self.needed > self.left, self.lasting > self.left && self.counts == Counts::Yes) {
            (false, _) => CheckState::Ok,
            (true, false) => CheckState::Warning,
            (true, true) => CheckState::Failed,
        }
    }

    /// The worst first, then the tightest.
    fn rank(&self) -> (u8, u64) {
        let state = match self.state() {
            CheckState::Failed => 0,
            CheckState::Warning => 1,
            CheckState::Ok | CheckState::Unknown => 2,
        };
        (state, self.left.saturating_mul(1_000).checked_div(self.needed).unwrap_or(u64::MAX))
    }

    fn text(&self) -> String {
        let Self { quota, resource, left, needed, .. } = self;
        format!("{quota} leaves {} of {resource}, up to {} needed", shown(*left, resource), shown(*needed, resource))
    }
}

/// Whether the namespace's quotas on memory, CPU and pods have room for what the step adds.
pub(super) fn in_quota(need: &Need, quotas: &[ResourceQuota]) -> Check {
    let name = "quota";
    match quotas.iter().flat_map(|quota| Room::all(need, quota)).min_by_key(Room::rank) {
        None if quotas.iter().any(|quota| need.counted_by(quota).is_none()) => {
            check(name, CheckState::Ok, "none counts the memory, CPU or number of these pods")
        }
        None => check(name, CheckState::Ok, "none on memory, CPU or pods in this namespace"),
        Some(room) => check(name, room.state(), room.text()),
    }
}

/// How many of the new pods find room on nodes that take them, as the scheduler counts: by requests, the number of pods a node
/// takes, its taints and the labels asked for. Affinity and volumes are left out, which the text says.
pub(super) fn on_nodes(need: &Need, nodes: &[Node], pods: &[Pod]) -> Check {
    let name = "node headroom";
    let mut used: BTreeMap<&str, (Share, u64)> = BTreeMap::new();
    for spec in pods.iter().filter(|pod| !is_over(pod)).filter_map(|pod| pod.spec.as_ref()) {
        let Some(node) = spec.node_name.as_deref() else { continue };
        let asked = request_of(spec);
        let (sum, many) = used.entry(node).or_default();
        sum.memory = sum.memory.saturating_add(asked.memory);
        sum.cpu = sum.cpu.saturating_add(asked.cpu);
        *many += 1;
    }
    let open: Vec<&Node> = nodes.iter().filter(|node| takes_pods(node) && takes(node, &need.after)).collect();
    let fits: u64 = open
        .iter()
        .map(|node| {
            let (taken, many) =
                used.get(node.metadata.name.as_deref().unwrap_or_default()).copied().unwrap_or_default();
            // A node takes no more pods than it may (an EKS node: those its network interfaces have addresses for).
            let places = amount(allocatable_of(node), "pods").map_or(u64::MAX, |most| most.saturating_sub(many));
            fitting(need.pod.request, allocatable(node), taken).min(places)
        })
        .fold(0, u64::saturating_add);
    let one = need.pod.request;
    let per_pod = format!("{} and {}m CPU a pod; affinity and volumes not counted", size(one.memory), one.cpu);
    let wanted = need.pods();
    if fits >= wanted.max(1) {
        let fits = if fits >= 1000 { "1,000 or more".to_owned() } else { fits.to_string() };
        return check(
            name,
            CheckState::Ok,
            format!("room for {fits} more on {} ({per_pod})", counted(open.len(), "node")),
        );
    }
    let these = if need.grows() {
        either(wanted.max(1), "more pod of its size", "more pods of its size")
    } else {
        either(wanted.max(1), "new pod", "new pods")
    };
    let text = format!("room for {fits} of {} {these} on {} ({per_pod})", wanted.max(1), counted(open.len(), "node"));
    check(name, CheckState::Warning, text)
}

fn is_over(pod: &Pod) -> bool {
    let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
    matches!(phase, Some("Succeeded" | "Failed"))
}

fn takes_pods(node: &Node) -> bool {
    let cordoned = node.spec.as_ref().and_then(|spec| spec.unschedulable).unwrap_or_default();
    let conditions = node.status.as_ref().and_then(|status| status.conditions.as_ref());
    let ready =
        conditions.into_iter().flatten().any(|condition| condition.type_ == "Ready" && condition.status == "True");
    !cordoned && ready
}

/// Whether a pod may be put on a node: it tolerates every taint that forbids it, and the node has the labels it asks for.
fn takes(node: &Node, pod: &PodSpec) -> bool {
    let tolerations = pod.tolerations.as_deref().unwrap_or_default();
    let has = |(key, value): (&String, &String)| {
        node.metadata.labels.as_ref().and_then(|labels| labels.get(key)) == Some(value)
    };
    if !pod.node_selector.iter().flatten().all(has) {
        return false;
    }
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    let forbids = |taint: &&Taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute");
    taints.filter(forbids).all(|taint| tolerations.iter().any(|one| tolerates(one, taint)))
}

/// An empty key with `Exists` tolerates every taint, and an empty effect every effect.
fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let exists = toleration.operator.as_deref() == Some("Exists");
    let key = toleration.key.as_deref().unwrap_or_default();
    let effect = toleration.effect.as_deref().unwrap_or_default();
    let value = |value: &Option<String>| value.clone().unwrap_or_default();
    (key == taint.key || key.is_empty() && exists)
        && (effect.is_empty() || effect == taint.effect)
        && (exists || value(&toleration.value) == value(&taint.value))
}

fn allocatable_of(node: &Node) -> Option<&BTreeMap<String, Quantity>> {
    node.status.as_ref().and_then(|status| status.allocatable.as_ref())
}

fn allocatable(node: &Node) -> Share {
    let map = allocatable_of(node);
    let read = |key: &str, parse: fn(&str) -> Option<u64>| map.and_then(|map| parse(&map.get(key)?.0));
    Share {
        memory: read("memory", quantity::bytes).unwrap_or_default(),
        cpu: read("cpu", quantity::milli).unwrap_or_default(),
    }
}

/// How many pods of this size fit beside what is taken. A pod that asks for nothing always fits.
fn fitting(size: Share, all: Share, taken: Share) -> u64 {
    let times = |one: u64, free: u64| free.checked_div(one).unwrap_or(u64::MAX);
    times(size.memory, all.memory.saturating_sub(taken.memory)).min(times(size.cpu, all.cpu.saturating_sub(taken.cpu)))
}

/// Bytes in whole mebibytes, for a person.
fn size(bytes: u64) -> String {
    format!("{}Mi", bytes.div_ceil(1 << 20))
}
