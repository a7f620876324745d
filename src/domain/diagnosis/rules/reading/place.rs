//! What the cluster tells: containers that do not come up, kills at the start, signs of trouble in states and events.

use jiff::{SignedDuration, Timestamp};

use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::observation::cluster_sign::{self, ClusterSign, Trouble};
use crate::domain::observation::workload::{ContainerState, Pod, Workload};

/// Restarts from which ends are a loop.
const LOOP: u32 = 3;
/// Restarts from which kills at the start are no accident.
const AGAIN: u32 = 2;
/// A life so short was over before any load came: a process that serves needs longer to fill its memory.
const AT_START: SignedDuration = SignedDuration::from_secs(60);
/// A pod younger than this has its trouble since it was made.
const YOUNG: SignedDuration = SignedDuration::from_hours(6);
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
    pub(in super::super) workload: Workload,
    pub(in super::super) pods: Vec<Pod>,
    pub(in super::super) signs: Vec<ClusterSign>,
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

    /// The containers that do not come up, or that something ends again and again.
    pub(in super::super) fn stuck(&self) -> Vec<&ContainerState> {
        let probed = self.sign(Trouble::Probe).is_some();
        self.present()
            .flat_map(|pod| &pod.containers)
            .filter(|container| {
                !container.ready && STUCK.iter().any(|reason| container.state.contains(reason))
                    || container.restarts >= LOOP && (!container.ready || probed)
            })
            .collect()
    }

    /// The first sign of a kind.
    pub(in super::super) fn sign(&self, trouble: Trouble) -> Option<&ClusterSign> {
        self.signs.iter().find(|sign| sign.trouble == trouble)
    }

    /// The sign told most often among those a question is true of.
    pub(in super::super) fn loudest(&self, is: impl Fn(Trouble) -> bool) -> Option<&ClusterSign> {
        self.signs.iter().find(|sign| is(sign.trouble))
    }

    /// Whether every pod that is wanted is ready.
    pub(in super::super) fn is_whole(&self) -> bool {
        self.workload.replicas > 0 && self.workload.ready >= self.workload.replicas
    }

    /// Containers that were killed for their memory again and again.
    fn killed(&self) -> impl Iterator<Item = (&Pod, &ContainerState)> {
        let was_killed = |container: &ContainerState| {
            let end = container.last_end.as_ref();
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

    /// When containers began not to come up: when their pod was made, or when they last ended in an old pod.
    pub(super) fn stuck_since(&self, until: Timestamp) -> Option<Timestamp> {
        let stuck = self.stuck();
        let waits =
            |pod: &&Pod| pod.containers.iter().any(|container| stuck.iter().any(|one| std::ptr::eq(*one, container)));
        let since = |pod: &Pod| {
            let young = pod.created_at.filter(|at| until.duration_since(*at) < YOUNG);
            let ended = pod.containers.iter().filter_map(|container| container.last_end.as_ref()?.finished_at).min();
            young.or(ended)
        };
        self.present().filter(waits).filter_map(since).min()
    }
}
