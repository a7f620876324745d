//! What the cluster itself says is wrong with a workload: signs read from container states and events, each with the
//! object and the words it was read from. A sign of what has passed (a pod that is ready since, or on its way out) is none.

mod placement;
mod wording;

use jiff::{SignedDuration, Timestamp};

use super::workload::{ClusterEvent, ContainerState, Pod, Workload};

/// What may be wrong, as the cluster tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// The image cannot be had.
    Image,
    /// A secret, config map, key, claim or account that the pod names is not there.
    Reference,
    /// The command cannot be run.
    Command,
    /// A liveness or startup probe has the container killed.
    Probe,
    /// A readiness probe asks at a path or port where nothing answers.
    Readiness,
    /// A readiness probe is given no answer in time by a process that runs.
    Unanswered,
    /// An admission check forbids the pod as it is written.
    Forbidden,
    /// A service selects none of the pods.
    Selector,
    /// The memory limit is too small for a container to be made at all.
    LimitTooSmall,
    /// No node fits what the manifest asks for: taints, affinity, selectors, volumes, ports.
    Unplaceable,
    /// No node has room for the pod.
    Unschedulable,
    /// The node sent the pod away.
    Evicted,
    /// The node is short of memory, disk or process ids.
    Node,
    /// The node is not ready, or says nothing any more.
    NodeLost,
    /// A quota or a range of limits forbids new pods.
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
            Self::Readiness => "the readiness probe asks where nothing answers",
            Self::Unanswered => "the readiness probe waits in vain",
            Self::Forbidden => "an admission check forbids the pod",
            Self::Selector => "a service selects none of the pods",
            Self::LimitTooSmall => "the memory limit is too small to start in",
            Self::Unplaceable => "no node fits what the manifest asks for",
            Self::Unschedulable => "no node takes the pod",
            Self::Evicted => "the node evicted pods",
            Self::Node => "the node is under pressure",
            Self::NodeLost => "a node of its pods is not ready",
            Self::Quota => "a quota forbids new pods",
        }
    }

    /// Whether it lies in the manifest of the workload, and not in the place it runs at.
    pub fn is_configuration(self) -> bool {
        match self {
            Self::Image
            | Self::Reference
            | Self::Command
            | Self::Probe
            | Self::Readiness
            | Self::Forbidden
            | Self::Selector => true,
            Self::Unanswered
            | Self::LimitTooSmall
            | Self::Unplaceable
            | Self::Unschedulable
            | Self::Evicted
            | Self::Node
            | Self::NodeLost
            | Self::Quota => false,
        }
    }

    /// Whether it lies between the workload and its place: nodes and quotas.
    pub fn is_of_the_place(self) -> bool {
        match self {
            Self::Unplaceable | Self::Unschedulable | Self::Evicted | Self::Node | Self::NodeLost | Self::Quota => true,
            Self::Image
            | Self::Reference
            | Self::Command
            | Self::Probe
            | Self::Readiness
            | Self::Unanswered
            | Self::Forbidden
            | Self::Selector
            | Self::LimitTooSmall => false,
        }
    }

    /// Whether there is no room for more of it.
    pub fn is_want_of_room(self) -> bool {
        self.is_of_the_place() && self != Self::Unplaceable
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
/// A start may take so long.
const STARTING: SignedDuration = SignedDuration::from_mins(2);
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
            | "TaintManagerEviction"
    )
}

/// Reads the signs of a workload, by kind of trouble, most often told first among equals.
pub fn signs(workload: &Workload, pods: &[Pod], events: &[ClusterEvent], until: Timestamp) -> Vec<ClusterSign> {
    let mut found: Vec<ClusterSign> = Vec::new();
    for pod in present(workload, pods) {
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
        let told = wording::of_event(event);
        if let Some(trouble) = told.filter(|trouble| is_current(*trouble, event, (workload, pods), until)) {
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

/// The pods that count: without those on their way out, and without what a finished rollout has left behind (not ready,
/// beyond the number wanted, older than every pod that is ready, in a workload that has all it wants).
pub fn present<'a>(workload: &Workload, pods: &'a [Pod]) -> Vec<&'a Pod> {
    let here: Vec<&Pod> = pods.iter().filter(|pod| is_here(pod)).collect();
    let (up, down): (Vec<&Pod>, Vec<&Pod>) = here.iter().copied().partition(|pod| is_up(pod));
    let oldest_up = up.iter().map(|pod| pod.created_at).min().flatten();
    let whole = workload.replicas > 0 && up.len() >= workload.replicas as usize;
    let left_behind = |pod: &Pod| match (pod.created_at, oldest_up) {
        (Some(made), Some(oldest)) => whole && made < oldest,
        (None, _) | (_, None) => false,
    };
    up.into_iter().chain(down.into_iter().filter(|pod| !left_behind(pod))).collect()
}

fn told(container: &ContainerState) -> String {
    let state = match &container.last_end {
        Some(end) => format!("{}, last end {} (exit code {})", container.state, end.reason, end.exit_code),
        None => container.state.clone(),
    };
    container.message.as_ref().map_or(state.clone(), |message| format!("{state}: {message}"))
}

/// What a container's state tells; the kubelet's words outweigh the reason they are told under.
fn of_state(container: &ContainerState) -> Option<Trouble> {
    if container.ready {
        return None;
    }
    let waits = |reasons: &[&str]| reasons.iter().any(|reason| container.state.contains(reason));
    if let Some(trouble) = container.message.as_deref().and_then(wording::of_container) {
        return Some(trouble);
    }
    if waits(&["ImagePull", "InvalidImageName", "ErrImageNeverPull", "RegistryUnavailable", "ImageInspectError"]) {
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

/// Whether an event still tells of now.
fn is_current(trouble: Trouble, event: &ClusterEvent, place: (&Workload, &[Pod]), until: Timestamp) -> bool {
    let (workload, pods) = place;
    let (kind, name) = event.about.split_once('/').unwrap_or(("", &event.about));
    let age = event.last_at.or(event.first_at).map_or(SignedDuration::ZERO, |at| until.duration_since(at));
    let short = workload.ready < workload.replicas || workload.replicas == 0;
    let counts = |pod: &Pod| present(workload, pods).iter().any(|one| one.name == pod.name);
    match (kind, pods.iter().find(|pod| pod.name == name)) {
        // A pod that its node was to give back, and does not: there for good, and no part of the workload any more.
        (_, Some(pod)) if !is_here(pod) && trouble == Trouble::Evicted => short && age <= FRESH,
        (_, Some(pod)) if !counts(pod) => false,
        (_, Some(pod)) if trouble == Trouble::Probe => {
            pod.containers.iter().any(|container| container.restarts > 0 || !container.ready) && age <= PROBING
        }
        (_, Some(pod)) if trouble == Trouble::Readiness => never_answered(pod, until),
        (_, Some(pod)) => pod.phase == "Evicted" || !is_up(pod),
        ("Pod", None) if pods.is_empty() => short && age <= FRESH,
        ("Pod", None) => trouble == Trouble::Evicted && age <= FRESH && (short || event.count > 1),
        ("Node", None) => age <= FRESH && short,
        ("Service", None) => true,
        (_, None) => short && age <= FRESH,
    }
}

/// Whether a container has run for minutes, without a restart, and is not ready: it is up, and what asks it asks elsewhere.
fn never_answered(pod: &Pod, until: Timestamp) -> bool {
    let settled = |container: &ContainerState| {
        let ran = container.running_since.map_or(STARTING, |since| until.duration_since(since));
        !container.ready && container.restarts == 0 && container.state == "running" && ran >= STARTING
    };
    pod.containers.iter().any(settled)
}

/// Whether a pod runs and every container of it is ready.
pub fn is_up(pod: &Pod) -> bool {
    pod.phase == "Running" && !pod.containers.is_empty() && pod.containers.iter().all(|container| container.ready)
}

#[cfg(test)]
mod tests;
