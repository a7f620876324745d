//! Crash loop: containers end again and again for another reason than memory.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use crate::domain::diagnosis::evidence::Question;
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::observation::workload::ContainerState;

/// Restarts from which ends are a loop.
const LOOP: u32 = 3;
/// What a container waits for that never comes by itself.
const STUCK: [&str; 7] = [
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "InvalidImageName",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::CrashLoop)
        .test(Question::Workload, 0.45, Need::Essential, stuck(reading))
        .test(Question::Workload, 0.3, Need::Essential, not_memory(reading))
        .test(Question::Workload, 0.15, Need::Helpful, unready(reading))
        .test(Question::Traffic, 0.1, Need::Helpful, super::shared::traffic_is_normal(reading))
}

fn is_stuck(container: &ContainerState) -> bool {
    STUCK.iter().any(|reason| container.state.contains(reason)) || (!container.ready && container.restarts >= LOOP)
}

fn is_killed(container: &ContainerState) -> bool {
    container.last_end.as_ref().is_some_and(|end| end.reason.eq_ignore_ascii_case("OOMKilled"))
}

fn stuck(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let containers: Vec<&ContainerState> =
        place.pods.iter().flat_map(|pod| &pod.containers).filter(|c| is_stuck(c)).collect();
    match containers.first() {
        Some(first) => Outcome::For(
            format!("{} containers do not come up ({}: {})", containers.len(), first.name, first.state),
            vec![place.id],
        ),
        None => Outcome::Against("every container came up".to_owned(), vec![place.id]),
    }
}

fn not_memory(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let mut stuck = place.pods.iter().flat_map(|pod| &pod.containers).filter(|c| is_stuck(c)).peekable();
    if stuck.peek().is_none() {
        return Outcome::Moot;
    }
    if let Some(kills) = reading.kills.as_ref().filter(|kills| kills.total > 0) {
        return Outcome::Against(format!("{} OOM kills", kills.total), vec![kills.id]);
    }
    if stuck.any(is_killed) {
        return Outcome::Against("its containers last ended by an OOM kill".to_owned(), vec![place.id]);
    }
    Outcome::For("none of them was last ended by an OOM kill".to_owned(), vec![place.id])
}

fn unready(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let text = format!("{} of {} pods are ready", place.workload.ready, place.workload.replicas);
    if place.workload.ready < place.workload.replicas {
        Outcome::For(text, vec![place.id])
    } else {
        Outcome::Against(text, vec![place.id])
    }
}
