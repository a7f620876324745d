//! What the cluster itself says is wrong with a workload: signs read from container states and events, each with the
//! object and the words it was read from. A sign of what has passed (a pod that is ready since, or on its way out) is none.

use jiff::{SignedDuration, Timestamp};

use super::workload::{ClusterEvent, ContainerState, Pod, Workload};

/// What may be wrong, as the cluster tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// The image cannot be had.
    Image,
    /// A secret, config map, key or volume that the pod names is not there.
    Reference,
    /// The command cannot be run.
    Command,
    /// A liveness or startup probe has the container killed.
    Probe,
    /// The memory limit is too small for a container to be made at all.
    LimitTooSmall,
    /// No node takes the pod.
    Unschedulable,
    /// The node sent the pod away.
    Evicted,
    /// The node is short of memory, disk or process ids, or not ready.
    Node,
    /// A quota or an admission check forbids new pods.
    Quota,
}

impl Trouble {
    /// What it is in words, as the subject of a finding.
    pub fn words(self) -> &'static str {
        match self {
            Self::Image => "the image cannot be pulled",
            Self::Reference => "something the pod names is missing",
            Self::Command => "the command cannot be run",
            Self::Probe => "a probe has the container killed",
            Self::LimitTooSmall => "the memory limit is too small to start in",
            Self::Unschedulable => "no node takes the pod",
            Self::Evicted => "the node evicted pods",
            Self::Node => "the node is under pressure",
            Self::Quota => "a quota forbids new pods",
        }
    }

    /// Whether it lies in the manifest of the workload, and not in the place it runs at.
    pub fn is_configuration(self) -> bool {
        match self {
            Self::Image | Self::Reference | Self::Command | Self::Probe => true,
            Self::LimitTooSmall | Self::Unschedulable | Self::Evicted | Self::Node | Self::Quota => false,
        }
    }

    /// Whether it lies in the place: nodes and quotas.
    pub fn is_of_the_place(self) -> bool {
        match self {
            Self::Unschedulable | Self::Evicted | Self::Node | Self::Quota => true,
            Self::Image | Self::Reference | Self::Command | Self::Probe | Self::LimitTooSmall => false,
        }
    }
}

/// A sign of trouble.
#[derive(Clone, Debug, PartialEq)]
pub struct ClusterSign {
    /// What is wrong.
    pub trouble: Trouble,
    /// What it was read from, in the cluster's own words, cut.
    pub text: String,
    /// How often it was told.
    pub count: u64,
}

/// An event so old says nothing of now, unless its pod still waits.
const FRESH: SignedDuration = SignedDuration::from_mins(30);
/// A probe that stopped failing so long ago has stopped.
const PROBING: SignedDuration = SignedDuration::from_mins(15);
/// The longest text of a sign, in characters.
const TEXT: usize = 140;

/// The smallest memory limit a container runtime accepts (6 MiB: Docker and containerd's runc refuse less).
pub const SMALLEST_LIMIT: u64 = 6 << 20;

/// The reasons of events that are told as `Normal` and still tell of trouble.
pub fn tells_of_trouble(reason: &str) -> bool {
    matches!(
        reason,
        "Killing"
            | "Preempted"
            | "NodeNotReady"
            | "NodeHasDiskPressure"
            | "NodeHasInsufficientMemory"
            | "NodeHasInsufficientPID"
            | "EvictionThresholdMet"
    )
}

/// Reads the signs of a workload, by kind of trouble, most often told first among equals.
pub fn signs(workload: &Workload, pods: &[Pod], events: &[ClusterEvent], until: Timestamp) -> Vec<ClusterSign> {
    let mut found: Vec<ClusterSign> = Vec::new();
    for pod in pods.iter().filter(|pod| is_here(pod)) {
        if pod.phase == "Evicted" {
            add(&mut found, Trouble::Evicted, &format!("{} was evicted", pod.name), 1);
        }
        for container in &pod.containers {
            if let Some(trouble) = of_state(container) {
                add(&mut found, trouble, &format!("{}: {}", container.name, told(container)), 1);
            }
        }
    }
    for event in events {
        if let Some(trouble) = of_event(event).filter(|trouble| is_current(*trouble, event, (workload, pods), until)) {
            let text = format!("{}: {}", event.reason, event.message);
            add(&mut found, trouble, &text, u64::from(event.count.max(1)));
        }
    }
    let too_small = |limit: Option<u64>| limit.is_some_and(|limit| limit < SMALLEST_LIMIT);
    if workload.ready < workload.replicas
        && let Some(container) = workload.containers.iter().find(|container| too_small(container.memory_limit))
    {
        add(&mut found, Trouble::LimitTooSmall, &format!("{} may have less than 6Mi", container.name), 1);
    }
    found.sort_by(|a, b| b.count.cmp(&a.count).then(a.trouble.cmp(&b.trouble)));
    found
}

fn add(found: &mut Vec<ClusterSign>, trouble: Trouble, text: &str, count: u64) {
    match found.iter_mut().find(|sign| sign.trouble == trouble) {
        Some(sign) => sign.count += count,
        None => found.push(ClusterSign { trouble, text: text.chars().take(TEXT).collect(), count }),
    }
}

/// A pod on its way out is no part of the workload any more.
pub fn is_here(pod: &Pod) -> bool {
    pod.phase != "Terminating" && pod.phase != "Succeeded"
}

fn told(container: &ContainerState) -> String {
    match &container.last_end {
        Some(end) => format!("{}, last end {} (exit code {})", container.state, end.reason, end.exit_code),
        None => container.state.clone(),
    }
}

fn of_state(container: &ContainerState) -> Option<Trouble> {
    if container.ready {
        return None;
    }
    let waits = |reasons: &[&str]| reasons.iter().any(|reason| container.state.contains(reason));
    if waits(&["ImagePull", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable"]) {
        return Some(Trouble::Image);
    }
    if waits(&["CreateContainerConfigError"]) {
        return Some(Trouble::Reference);
    }
    let end = container.last_end.as_ref();
    let unrunnable = end.is_some_and(|end| {
        matches!(end.exit_code, 126 | 127) || matches!(end.reason.as_str(), "StartError" | "ContainerCannotRun")
    });
    (unrunnable || waits(&["RunContainerError"])).then_some(Trouble::Command)
}

/// What an event tells. The order matters: the words of a cause outweigh the reason they are told under.
fn of_event(event: &ClusterEvent) -> Option<Trouble> {
    let text = event.message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["oom-killed (memory limit too low", "minimum memory limit allowed"]) {
        return Some(Trouble::LimitTooSmall);
    }
    if says(&["exceeded quota", "maximum memory usage per", "minimum cpu usage per", "admission webhook"]) {
        return (event.reason == "FailedCreate").then_some(Trouble::Quota);
    }
    match event.reason.as_str() {
        "FailedScheduling" | "NotTriggerScaleUp" => Some(Trouble::Unschedulable),
        "Evicted" | "Preempted" | "Preempting" | "TaintManagerEviction" => Some(Trouble::Evicted),
        "NodeNotReady"
        | "NodeHasDiskPressure"
        | "NodeHasInsufficientMemory"
        | "NodeHasInsufficientPID"
        | "EvictionThresholdMet"
        | "FreeDiskSpaceFailed"
        | "SystemOOM" => Some(Trouble::Node),
        "FailedMount" | "FailedAttachVolume" => Some(Trouble::Reference),
        "InspectFailed" | "ErrImageNeverPull" | "ErrImagePull" | "ImagePullBackOff" => Some(Trouble::Image),
        "Unhealthy" | "Killing" if says(&["liveness probe", "startup probe"]) => Some(Trouble::Probe),
        _ if says(&["pull image", "imagepullbackoff", "errimagepull", "manifest unknown"]) => Some(Trouble::Image),
        _ if says(&["secret \"", "configmap \"", "couldn't find key", "non-existent"])
            && says(&["not found", "find"]) =>
        {
            Some(Trouble::Reference)
        }
        _ if says(&[
            "executable file not found",
            "exec format error",
            "failed to start container",
            "runc create failed",
        ]) =>
        {
            Some(Trouble::Command)
        }
        _ => None,
    }
}

/// Whether an event still tells of now.
fn is_current(trouble: Trouble, event: &ClusterEvent, place: (&Workload, &[Pod]), until: Timestamp) -> bool {
    let (workload, pods) = place;
    let (kind, name) = event.about.split_once('/').unwrap_or(("", &event.about));
    let age = event.last_at.or(event.first_at).map_or(SignedDuration::ZERO, |at| until.duration_since(at));
    let short = workload.ready < workload.replicas || workload.replicas == 0;
    match (kind, pods.iter().find(|pod| pod.name == name)) {
        (_, Some(pod)) if !is_here(pod) => false,
        (_, Some(pod)) if trouble == Trouble::Probe => {
            pod.containers.iter().any(|container| container.restarts > 0 || !container.ready) && age <= PROBING
        }
        (_, Some(pod)) => pod.phase == "Evicted" || !is_up(pod),
        ("Pod", None) => trouble == Trouble::Evicted && age <= FRESH && (short || event.count > 1),
        ("Node", None) => age <= FRESH && short,
        (_, None) => short && age <= FRESH,
    }
}

fn is_up(pod: &Pod) -> bool {
    pod.phase == "Running" && !pod.containers.is_empty() && pod.containers.iter().all(|container| container.ready)
}

#[cfg(test)]
mod tests;
