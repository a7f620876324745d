//! What the cluster tells: containers that do not come up, kills at the start, signs of trouble in states and events.

use jiff::{SignedDuration, Timestamp};

use crate::domain::count::{counted, either};
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::observation::cluster_sign::{self, ClusterSign, Trouble};
use crate::domain::observation::workload::{ContainerState, Pod, Termination, Workload};

/// Restarts from which ends are a loop.
const LOOP: u32 = 3;
/// Restarts from which kills at the start are no accident.
const AGAIN: u32 = 2;
/// A life so short was over before any load came: a process that serves needs longer to fill its memory.
const AT_START: SignedDuration = SignedDuration::from_secs(60);
/// A pod younger than this, of whose ends nothing is told, has its trouble since it was made.
const YOUNG: SignedDuration = SignedDuration::from_hours(6);
/// A first start may take so long: a place, volumes, an image.
const START: SignedDuration = SignedDuration::from_mins(5);
/// The kubelet waits no longer between two starts, in seconds.
const LONGEST_WAIT: i64 = 300;
/// What a container waits for that never comes by itself.
const STUCK: [&str; 9] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
    "ImageInspectError",
];

/// The workload as the cluster told it.
#[derive(Clone, Debug)]
pub(in super::super) struct Workplace {
    pub(in super::super) id: EvidenceId,
    /// The start of the window: what a status tells of before is over.
    pub(in super::super) since: Timestamp,
    pub(in super::super) workload: Workload,
    pub(in super::super) pods: Vec<Pod>,
    pub(in super::super) signs: Vec<ClusterSign>,
    /// What would tell of more signs and was not read.
    pub(in super::super) unread: Vec<String>,
}

impl Workplace {
    /// Pods that count.
    pub(in super::super) fn present(&self) -> impl Iterator<Item = &Pod> {
        cluster_sign::present(&self.workload, &self.pods).into_iter()
    }

    /// Whether any of its pods was given a node.
    pub(in super::super) fn has_a_place(&self) -> bool {
        self.workload.ready > 0 || self.present().any(|pod| pod.node.is_some() || !pod.containers.is_empty())
    }

    /// The containers that do not come up, or that something ends again and again. One that waits for its image while the
    /// registry does not answer, or that its node cannot make, would come up elsewhere.
    pub(in super::super) fn stuck(&self) -> Vec<&ContainerState> {
        let outside = cluster_sign::waits_for_what_is_outside;
        let probed = self.sign(Trouble::Probe).is_some();
        // The count of restarts is of a whole life: three in a year are no loop.
        let lately = |container: &ContainerState| {
            let ended = container.last_end.as_ref().and_then(|end| end.finished_at);
            ended.is_none_or(|at| at >= self.since)
        };
        self.present()
            .flat_map(|pod| &pod.containers)
            .filter(|container| !outside(container, &self.signs))
            .filter(|container| {
                !container.ready && STUCK.iter().any(|reason| container.state.contains(reason))
                    || container.restarts >= LOOP && (!container.ready || probed) && lately(container)
            })
            .collect()
    }

    /// Whether any of its containers was started in the window; `None` where nothing is told of any.
    pub(in super::super) fn started_anew(&self) -> Option<bool> {
        let lately = |at: Option<Timestamp>| at.is_some_and(|at| at >= self.since);
        let anew = |container: &ContainerState| {
            let ended = container.last_end.as_ref().and_then(|end| end.finished_at);
            // Of one that was started again nobody may tell when.
            let untold = container.restarts > 0 && ended.is_none() && container.running_since.is_none();
            lately(container.running_since) || lately(ended) || untold
        };
        let containers = || self.pods.iter().flat_map(|pod| &pod.containers);
        let known = containers().next().is_some();
        known.then(|| self.pods.iter().any(|pod| lately(pod.created_at)) || containers().any(anew))
    }

    /// The first sign of a kind.
    pub(in super::super) fn sign(&self, trouble: Trouble) -> Option<&ClusterSign> {
        self.signs.iter().find(|sign| sign.trouble == trouble)
    }

    /// The sign told most often among those a question is true of.
    pub(in super::super) fn loudest(&self, is: impl Fn(Trouble) -> bool) -> Option<&ClusterSign> {
        self.signs.iter().find(|sign| is(sign.trouble))
    }

    /// How many of its pods are ready, in words. Of a workload that only events tell of, nobody knows.
    pub(in super::super) fn told_ready(&self) -> Option<String> {
        let Workload { ready, replicas, uid, .. } = &self.workload;
        (*replicas > 0 || !uid.is_empty())
            .then(|| format!("{ready} of {} {} ready", counted(*replicas, "pod"), either(*ready, "is", "are")))
    }

    /// What of its own events was not read. Those of nodes are told beside them: without them only pressure is not known.
    pub(in super::super) fn events_unread(&self) -> Option<&String> {
        self.unread.iter().find(|what| !what.starts_with("node"))
    }

    /// Whether every pod that is wanted is ready.
    pub(in super::super) fn is_whole(&self) -> bool {
        self.workload.replicas > 0 && self.workload.ready >= self.workload.replicas
    }

    /// Containers that were killed for their memory again and again, and lately: in the window, or so that they are down.
    pub(in super::super) fn killed(&self) -> impl Iterator<Item = (&Pod, &ContainerState)> {
        let of_now = |container: &ContainerState, end: &Termination| {
            container.state != "running" || end.finished_at.is_some_and(|at| at >= self.since)
        };
        let was_killed = move |container: &ContainerState| {
            let end = container.last_end.as_ref().filter(|end| of_now(container, end));
            container.restarts >= AGAIN && end.is_some_and(|end| end.reason.eq_ignore_ascii_case("OOMKilled"))
        };
        let all = self.present().flat_map(|pod| pod.containers.iter().map(move |container| (pod, container)));
        all.filter(move |(_, container)| was_killed(container))
    }

    /// The longest life of containers that were killed for their memory right at the start, again and again.
    pub(in super::super) fn killed_at_start(&self) -> Option<SignedDuration> {
        let life = |container: &ContainerState| {
            let end = container.last_end.as_ref()?;
            Some(end.finished_at?.duration_since(end.started_at?))
        };
        let lives: Vec<SignedDuration> = self.killed().map(|(_, container)| life(container)).collect::<Option<_>>()?;
        lives.into_iter().max().filter(|life| *life <= AT_START)
    }

    /// The most restarts of containers killed for their memory that the kubelet backs off from, where nothing tells how
    /// long they lived. It forgets its back-off after ten minutes of life: each life was shorter.
    pub(in super::super) fn killed_and_backed_off(&self) -> Option<u32> {
        let untold = |container: &ContainerState| {
            let end = container.last_end.as_ref();
            end.is_some_and(|end| end.started_at.is_none() || end.finished_at.is_none())
        };
        let backed_off = self.killed().all(|(_, one)| untold(one) && one.state.contains("CrashLoopBackOff"));
        self.killed().map(|(_, container)| container.restarts).max().filter(|restarts| backed_off && *restarts >= LOOP)
    }

    /// When containers began not to come up, the earliest of them.
    pub(super) fn stuck_since(&self, until: Timestamp) -> Option<Timestamp> {
        let stuck = self.stuck();
        let is_stuck = |container: &&ContainerState| stuck.iter().any(|one| std::ptr::eq(*one, *container));
        let of_pod = |pod: &'_ Pod| {
            let each = pod.containers.iter().filter(is_stuck).filter_map(|one| down_since(pod.created_at, one, until));
            each.min()
        };
        self.present().filter_map(of_pod).min()
    }
}

/// When a container began not to come up:
/// 1. when its pod was made, where it never ran, or where its restarts, with the waits between them, fill the time since;
/// 2. else so long before its last end as its restarts took at most: it ran well until then;
/// 3. where nothing tells of its ends, when a young pod was made.
fn down_since(made: Option<Timestamp>, container: &ContainerState, until: Timestamp) -> Option<Timestamp> {
    let Some(ended) = container.last_end.as_ref().and_then(|end| end.finished_at) else {
        return made.filter(|at| container.restarts == 0 || until.duration_since(*at) < YOUNG);
    };
    let began = ended.checked_sub(longest_loop(container)).ok()?;
    Some(made.map_or(began, |made| made.max(began)))
}

/// The longest that so many restarts take: each life as long as the last, each wait twice the one before from ten seconds
/// up to five minutes (the kubelet's back-off), a quarter more, and a start.
fn longest_loop(container: &ContainerState) -> SignedDuration {
    let life = container.last_end.as_ref().and_then(|end| Some(end.finished_at?.duration_since(end.started_at?)));
    let lives = life.unwrap_or(AT_START).as_secs().max(0).saturating_mul(i64::from(container.restarts) + 1);
    let wait = |n: u32| if n < 5 { 10 << n } else { LONGEST_WAIT };
    let waits: i64 = (0..container.restarts.min(5)).map(wait).sum();
    let waits = waits + LONGEST_WAIT * i64::from(container.restarts.saturating_sub(5));
    let loops = lives.saturating_add(waits);
    SignedDuration::from_secs(loops.saturating_add(loops / 4)).saturating_add(START)
}
