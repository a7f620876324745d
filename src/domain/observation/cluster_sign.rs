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
    /// A volume is there and cannot be attached or mounted.
    Storage,
    /// The network has no address for the pod, or cannot be set up for it.
    Network,
    /// The registry that has the image does not answer, or turns the node away.
    Registry,
    /// The pod wrote more to its disk than it may, and was evicted for that.
    DiskLimit,
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
            Self::Storage => "a volume cannot be attached or mounted",
            Self::Network => "the network takes no further pod",
            Self::Registry => "the registry of the image does not answer",
            Self::DiskLimit => "the pod wrote more to its disk than it may",
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
            | Self::Quota
            | Self::Storage
            | Self::Network
            | Self::Registry
            | Self::DiskLimit => false,
        }
    }

    /// Whether it lies between the workload and its place: nodes, quotas, volumes and the pods' network.
    pub fn is_of_the_place(self) -> bool {
        match self {
            Self::Unplaceable
            | Self::Unschedulable
            | Self::Evicted
            | Self::Node
            | Self::NodeLost
            | Self::Quota
            | Self::Storage
            | Self::Network => true,
            Self::Image
            | Self::Reference
            | Self::Command
            | Self::Probe
            | Self::Readiness
            | Self::Unanswered
            | Self::Forbidden
            | Self::Selector
            | Self::LimitTooSmall
            | Self::Registry
            | Self::DiskLimit => false,
        }
    }

    /// Whether it lies neither in the manifest nor in the containers: what waits for its place or for a registry does not
    /// end by itself, and another manifest waits as long.
    pub fn is_from_outside(self) -> bool {
        self.is_of_the_place() || self == Self::Registry
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
/// A startup probe may fail so long while a process comes up; one that still fails then asks in vain.
const COMING_UP: SignedDuration = SignedDuration::from_mins(10);
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
    let mut told: Vec<Told> = Vec::new();
    for pod in present(workload, pods) {
        let by_own_disk =
            events.iter().any(|event| is_about(event, pod) && wording::of_event(event) == Some(Trouble::DiskLimit));
        if pod.phase == "Evicted" && !by_own_disk {
            told.push((Trouble::Evicted, format!("{} was evicted", pod.name), 1));
        }
        for container in &pod.containers {
            if let Some(trouble) = of_state(container) {
                told.push((trouble, format!("{}: {}", container.name, words(container)), 1));
            }
        }
    }
    let place = Place { workload, pods, events, until };
    for event in events {
        let trouble = wording::of_event(event).filter(|trouble| is_current(*trouble, event, &place));
        if let Some(trouble) = trouble {
            told.push((trouble, format!("{}: {}", event.reason, event.message), u64::from(event.count.max(1))));
        }
    }
    let mut found: Vec<ClusterSign> = Vec::new();
    for (trouble, text, count) in told.iter().filter(|one| !is_echo(one, &told)) {
        add(&mut found, *trouble, text, *count);
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

/// A trouble, the words it was read from, and how often.
type Told = (Trouble, String, u64);

/// Whether a thing is told only as what follows from another that is told as well: an image is not pulled from a registry that
/// does not answer, and a pod whose secret is missing waits for its volumes.
fn is_echo((trouble, text, _): &Told, told: &[Told]) -> bool {
    let beside = |cause: Trouble| told.iter().any(|(other, ..)| *other == cause);
    match trouble {
        Trouble::Image => beside(Trouble::Registry) && !wording::names_a_fault_of_the_image(text),
        Trouble::Storage => beside(Trouble::Reference),
        Trouble::Reference
        | Trouble::Command
        | Trouble::Probe
        | Trouble::Readiness
        | Trouble::Unanswered
        | Trouble::Forbidden
        | Trouble::Selector
        | Trouble::LimitTooSmall
        | Trouble::Unplaceable
        | Trouble::Unschedulable
        | Trouble::Evicted
        | Trouble::Node
        | Trouble::NodeLost
        | Trouble::Quota
        | Trouble::Network
        | Trouble::Registry
        | Trouble::DiskLimit => false,
    }
}

fn add(found: &mut Vec<ClusterSign>, trouble: Trouble, text: &str, count: u64) {
    match found.iter_mut().find(|sign| sign.trouble == trouble) {
        Some(sign) => sign.count += count,
        None => found.push(ClusterSign { trouble, text: text.chars().take(TEXT).collect(), count }),
    }
}

/// Whether a container never ran for want of something outside of it: what it says itself, or, of an image that is not pulled
/// or a container that is not made, what the events say.
pub fn waits_for_what_is_outside(container: &ContainerState, signs: &[ClusterSign]) -> bool {
    let told = |trouble: Trouble| signs.iter().any(|sign| sign.trouble == trouble);
    let waits = |reason: &str| container.state.contains(reason);
    match of_state(container) {
        Some(Trouble::Image) => told(Trouble::Registry) && !told(Trouble::Image),
        Some(trouble) => trouble.is_from_outside(),
        None => waits("CreateContainerError") && told(Trouble::Node),
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

fn words(container: &ContainerState) -> String {
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

/// What events are read against.
struct Place<'a> {
    workload: &'a Workload,
    pods: &'a [Pod],
    events: &'a [ClusterEvent],
    until: Timestamp,
}

impl Place<'_> {
    fn age(&self, event: &ClusterEvent) -> SignedDuration {
        event.last_at.or(event.first_at).map_or(SignedDuration::ZERO, |at| self.until.duration_since(at))
    }
}

/// Whether an event still tells of now.
fn is_current(trouble: Trouble, event: &ClusterEvent, place: &Place<'_>) -> bool {
    let Place { workload, pods, until, .. } = *place;
    let (kind, name) = about(event);
    let age = place.age(event);
    let short = workload.ready < workload.replicas || workload.replicas == 0;
    let counts = |pod: &Pod| present(workload, pods).iter().any(|one| one.name == pod.name);
    let sent_away = matches!(trouble, Trouble::Evicted | Trouble::DiskLimit);
    match (kind, pods.iter().find(|pod| pod.name == name)) {
        // A pod that its node was to give back, and does not: there for good, and no part of the workload any more.
        (_, Some(pod)) if !is_here(pod) && trouble == Trouble::Evicted => short && age <= FRESH,
        (_, Some(pod)) if !counts(pod) => false,
        (_, Some(pod)) if trouble == Trouble::Probe => age <= PROBING && kills(event, pod, place),
        (_, Some(pod)) if trouble == Trouble::Readiness => never_answered(pod, until),
        (_, Some(pod)) => pod.phase == "Evicted" || !is_up(pod),
        ("Pod", None) if pods.is_empty() && trouble == Trouble::Probe => age <= PROBING && killing(event, place),
        ("Pod", None) if pods.is_empty() => short && age <= FRESH,
        ("Pod", None) => sent_away && age <= FRESH && (short || event.count > 1),
        ("Node", None) => age <= FRESH && short,
        ("Service", None) => true,
        (_, None) => short && age <= FRESH,
    }
}

fn about(event: &ClusterEvent) -> (&str, &str) {
    event.about.split_once('/').unwrap_or(("", &event.about))
}

fn is_about(event: &ClusterEvent, pod: &Pod) -> bool {
    about(event) == ("Pod", pod.name.as_str())
}

/// Whether a failing liveness or startup probe has its container killed. That it fails is not enough: a startup probe is made
/// to fail while a process comes up, and a liveness probe may miss an answer or two.
///
/// 1. The kubelet says that it kills for the probe, or
/// 2. the probe failed more than once, and a container ended of late otherwise than for its memory, or
/// 3. a container runs for so long without ever having come up.
fn kills(event: &ClusterEvent, pod: &Pod, place: &Place<'_>) -> bool {
    let of_late = |container: &ContainerState| {
        let end = container.last_end.as_ref();
        let by_memory = end.is_some_and(|end| end.reason.eq_ignore_ascii_case("OOMKilled"));
        let ended = end.and_then(|end| end.finished_at);
        let recent = ended.map_or(!container.ready, |at| place.until.duration_since(at) <= PROBING);
        container.restarts > 0 && !by_memory && recent
    };
    let in_vain = |container: &ContainerState| {
        let ran = container.running_since.map(|since| place.until.duration_since(since));
        !container.ready && container.state == "running" && ran.is_some_and(|ran| ran >= COMING_UP)
    };
    let startup = event.message.to_ascii_lowercase().contains("startup probe");
    killing(event, place)
        || event.count > 1 && pod.containers.iter().any(of_late)
        || startup && pod.containers.iter().any(in_vain)
}

/// Whether the kubelet says, of what an event is about, that a probe has a container killed.
fn killing(event: &ClusterEvent, place: &Place<'_>) -> bool {
    let told = |other: &&ClusterEvent| other.about == event.about && other.reason == "Killing";
    let told = place.events.iter().filter(told);
    told.filter(|other| place.age(other) <= PROBING).any(|other| wording::of_event(other) == Some(Trouble::Probe))
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
