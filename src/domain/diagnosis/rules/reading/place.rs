//! What the cluster tells: containers that do not come up, kills at the start, signs of trouble in states and events.

use jiff::{SignedDuration, Timestamp};

use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::observation::cluster_sign::{ClusterSign, Trouble, is_here};
use crate::domain::observation::workload::{ContainerState, Pod, Workload};

/// Restarts from which ends are a loop.
const LOOP: u32 = 3;
/// A life so short was over before any load came: a process that serves needs longer to fill its memory.
const AT_START: SignedDuration = SignedDuration::from_secs(60);
/// A pod younger than this has its trouble since it was made.
const YOUNG: SignedDuration = SignedDuration::from_hours(6);
/// What a container waits for that never comes by itself.
const STUCK: [&str; 8] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "ErrImageNeverPull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

/// The workload as the cluster told it.
#[derive(Debug)]
pub(in super::super) struct Workplace {
    pub(in super::super) id: EvidenceId,
    pub(in super::super) workload: Workload,
    pub(in super::super) pods: Vec<Pod>,
    pub(in super::super) signs: Vec<ClusterSign>,
}

impl Workplace {
    /// Pods that are not on their way out.
    pub(in super::super) fn present(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| is_here(pod))
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

    /// The longest life of containers that were killed for their memory right at the start, again and again.
    pub(in super::super) fn killed_at_start(&self) -> Option<SignedDuration> {
        let killed: Vec<SignedDuration> = self
            .present()
            .flat_map(|pod| &pod.containers)
            .filter(|container| container.restarts >= LOOP)
            .filter_map(|container| container.last_end.as_ref())
            .filter(|end| end.reason.eq_ignore_ascii_case("OOMKilled"))
            .map(|end| Some(end.finished_at?.duration_since(end.started_at?)))
            .collect::<Option<_>>()?;
        killed.into_iter().max().filter(|life| *life <= AT_START)
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
