//! Room for the pods a step would start: in the namespace's quota, and on the nodes. Pure arithmetic over listings.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Node, Pod, PodSpec, ResourceQuota};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::super::quantity;
use super::{Subject, check, steps};
use crate::domain::remediation::step::{Action, Check, CheckState};

/// What one pod asks for: bytes and thousandths of a core.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Share {
    memory: u64,
    cpu: u64,
}

/// What a step needs beyond what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// Requested by one new pod.
    request: Share,
    /// Memory limit of all pods together, beyond what they have now.
    limit_growth: u64,
    /// Memory limit of one new pod.
    limit: u64,
    /// New pods that exist beside the old ones.
    extra: u32,
}

impl Need {
    /// Reads it off the template and the action.
    pub(super) fn of(subject: &Subject<'_>) -> Self {
        let template = subject.before.pointer("/spec/template/spec").cloned().unwrap_or_default();
        let mut pod: PodSpec = serde_json::from_value(template).unwrap_or_default();
        let limit_before = limit_of(&pod);
        let replicas = subject.workload.replicas;
        let (_, surge) = steps(subject.workload);
        let extra = match subject.action {
            Action::Scale { replicas: wanted, .. } => wanted.saturating_sub(replicas),
            Action::RolloutRestart | Action::SetResources { .. } | Action::RolloutUndo { .. } => surge,
        };
        if let Action::SetResources { container, memory_limit, .. } = subject.action {
            set_limit(&mut pod, container, *memory_limit);
        }
        let limit = limit_of(&pod);
        let limit_growth = limit.saturating_sub(limit_before) * u64::from(replicas);
        Self { request: request_of(&pod), limit_growth, limit, extra }
    }
}

fn set_limit(pod: &mut PodSpec, name: &str, memory: u64) {
    for container in pod.containers.iter_mut().filter(|container| container.name == name) {
        let limits = container.resources.get_or_insert_default().limits.get_or_insert_default();
        limits.insert("memory".to_owned(), Quantity(quantity::from_bytes(memory)));
    }
}

fn limit_of(pod: &PodSpec) -> u64 {
    let limit = |container: &Container| {
        let limits = container.resources.as_ref()?.limits.as_ref()?;
        quantity::bytes(&limits.get("memory")?.0)
    };
    pod.containers.iter().filter_map(limit).sum()
}

/// A request that is not written is the limit, as the API defaults it for pods. Init containers run one after another:
/// the largest counts, if it is larger than all others together.
fn request_of(pod: &PodSpec) -> Share {
    let amount = |container: &Container, key: &str, parse: fn(&str) -> Option<u64>| {
        let resources = container.resources.as_ref()?;
        let written = |map: &Option<BTreeMap<String, Quantity>>| map.as_ref()?.get(key).and_then(|q| parse(&q.0));
        written(&resources.requests).or_else(|| written(&resources.limits))
    };
    let total = |key: &str, parse: fn(&str) -> Option<u64>| {
        let main: u64 = pod.containers.iter().filter_map(|container| amount(container, key, parse)).sum();
        let init = pod.init_containers.iter().flatten().filter_map(|container| amount(container, key, parse)).max();
        main.max(init.unwrap_or_default())
    };
    Share { memory: total("memory", quantity::bytes), cpu: total("cpu", quantity::milli) }
}

/// Whether the namespace's quotas on memory have room for what the step adds.
pub(super) fn in_quota(need: &Need, quotas: &[ResourceQuota]) -> Check {
    let name = "quota";
    let limits = need.limit_growth + need.limit * u64::from(need.extra);
    let requests = need.request.memory * u64::from(need.extra);
    let rooms = quotas.iter().flat_map(|quota| {
        let status = quota.status.clone().unwrap_or_default();
        let (hard, used) = (status.hard.unwrap_or_default(), status.used.unwrap_or_default());
        let wanted = [("limits.memory", limits), ("requests.memory", requests), ("memory", requests)];
        let quota_name = quota.metadata.name.clone().unwrap_or_default();
        wanted.into_iter().filter_map(move |(key, needed)| {
            let read = |map: &BTreeMap<String, Quantity>| map.get(key).and_then(|q| quantity::bytes(&q.0));
            let room = read(&hard)?.saturating_sub(read(&used).unwrap_or_default());
            Some((quota_name.clone(), key, needed, room))
        })
    });
    let tightest = rooms.min_by_key(|(_, _, needed, room)| i128::from(*room) - i128::from(*needed));
    let Some((quota, key, needed, room)) = tightest else {
        return check(name, CheckState::Ok, "none on memory in this namespace");
    };
    let text = format!("{quota} leaves {} of {key}, up to {} needed", size(room), size(needed));
    let state = match (needed > room, need.limit_growth > room && key == "limits.memory") {
        (false, _) => CheckState::Ok,
        // Old pods give back their share one by one, so it may get through with fewer extra pods.
        (true, false) => CheckState::Warning,
        (true, true) => CheckState::Failed,
    };
    check(name, state, text)
}

/// How many of the new pods find room on nodes that take pods, by requests, as the scheduler counts.
/// Taints, affinity and volumes are left out: the text says "by requests alone".
pub(super) fn on_nodes(need: &Need, nodes: &[Node], pods: &[Pod]) -> Check {
    let name = "node headroom";
    let mut used: BTreeMap<&str, Share> = BTreeMap::new();
    for spec in pods.iter().filter(|pod| !is_over(pod)).filter_map(|pod| pod.spec.as_ref()) {
        let Some(node) = spec.node_name.as_deref() else { continue };
        let asked = request_of(spec);
        let sum = used.entry(node).or_default();
        sum.memory += asked.memory;
        sum.cpu += asked.cpu;
    }
    let open: Vec<&Node> = nodes.iter().filter(|node| takes_pods(node)).collect();
    let fits: u64 = open
        .iter()
        .map(|node| {
            let taken = used.get(node.metadata.name.as_deref().unwrap_or_default()).copied().unwrap_or_default();
            fitting(need.request, allocatable(node), taken)
        })
        .fold(0, u64::saturating_add);
    let per_pod = format!("{} and {}m CPU a pod, by requests alone", size(need.request.memory), need.request.cpu);
    let wanted = u64::from(need.extra);
    if fits >= wanted.max(1) {
        let fits = if fits >= 1000 { "1,000 or more".to_owned() } else { fits.to_string() };
        return check(name, CheckState::Ok, format!("room for {fits} more on {} nodes ({per_pod})", open.len()));
    }
    let text = format!("room for {fits} of {} new pods on {} nodes ({per_pod})", wanted.max(1), open.len());
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

fn allocatable(node: &Node) -> Share {
    let map = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
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
