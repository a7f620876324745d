//! Bad deploy: the trouble began right after a rollout, at ordinary traffic.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared;
use crate::domain::diagnosis::evidence::Question;
use crate::domain::diagnosis::verdict::Cause;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::BadDeploy)
        .test(Question::Changes, 0.45, Need::Essential, rollout(reading))
        .test(Question::Traffic, 0.2, Need::Essential, shared::traffic_is_normal(reading))
        .test(Question::Memory, 0.1, Need::Essential, no_leak(reading))
        .test(Question::Changes, 0.1, Need::Helpful, image(reading))
        .test(Question::Workload, 0.2, Need::Helpful, suffering(reading))
}

fn rollout(reading: &Reading) -> Outcome {
    let Some(changes) = &reading.changes else { return Outcome::Open };
    if reading.trouble().is_none() {
        return Outcome::Open;
    }
    match shared::suspect_rollout(reading) {
        Some((revision, minutes)) => {
            Outcome::For(format!("revision {} came {minutes} min before the onset", revision.number), vec![changes.id])
        }
        None => Outcome::Against("no rollout in the half hour before the onset".to_owned(), vec![changes.id]),
    }
}

/// Memory that grows is a leak, whoever brought it; the rollout then speaks for the rollback among its remedies.
fn no_leak(reading: &Reading) -> Outcome {
    match &reading.memory {
        Some(memory) if memory.grows() => {
            Outcome::Against("memory grows: a leak, whoever brought it".to_owned(), vec![memory.id])
        }
        Some(memory) => Outcome::For("memory does not grow".to_owned(), vec![memory.id]),
        None => Outcome::Open,
    }
}

fn image(reading: &Reading) -> Outcome {
    let Some(changes) = &reading.changes else { return Outcome::Open };
    let Some((suspect, _)) = shared::suspect_rollout(reading) else { return Outcome::Moot };
    let before = changes.revisions.iter().filter(|revision| revision.number < suspect.number).max_by_key(|r| r.number);
    match before {
        Some(before) if before.images != suspect.images => {
            Outcome::For(format!("it changed the image of revision {}", before.number), vec![changes.id])
        }
        Some(before) => Outcome::Against(format!("it runs the images of revision {}", before.number), vec![changes.id]),
        None => Outcome::Against("there is no earlier revision".to_owned(), vec![changes.id]),
    }
}

fn suffering(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let (ready, replicas) = (place.workload.ready, place.workload.replicas);
    if ready < replicas {
        return Outcome::For(format!("{ready} of {replicas} pods are ready"), vec![place.id]);
    }
    match &reading.cpu {
        Some(cpu) if cpu.is_high() => Outcome::For("CPU is high since".to_owned(), vec![cpu.id]),
        Some(_) | None => Outcome::Against(format!("{ready} of {replicas} pods are ready"), vec![place.id]),
    }
}
