//! Nothing wrong: all evidence is in, and all of it is healthy. Any gap leaves it open: health is never concluded from
//! silence.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared;
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::verdict::Cause;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::NothingWrong)
        .test(Question::Cpu, 0.2, Need::Essential, cpu(reading))
        .test(Question::Memory, 0.2, Need::Essential, memory(reading))
        .test(Question::OomKills, 0.2, Need::Essential, shared::nothing_was_killed(reading))
        .test(Question::Traffic, 0.2, Need::Essential, shared::traffic_is_normal(reading))
        .test(Question::Workload, 0.2, Need::Essential, pods(reading))
        .test(Question::Changes, 0.05, Need::Helpful, shared::no_rollout_before(reading))
}

fn cpu(reading: &Reading) -> Outcome {
    let Some(cpu) = &reading.cpu else { return Outcome::Open };
    let text = format!("CPU is at {}% (peak {}%)", number(cpu.latest), number(cpu.peak));
    if cpu.peak > cpu.high_from { Outcome::Against(text, vec![cpu.id]) } else { Outcome::For(text, vec![cpu.id]) }
}

fn memory(reading: &Reading) -> Outcome {
    let Some(memory) = &reading.memory else { return Outcome::Open };
    let text = format!("memory is at {}% (peak {}%)", number(memory.latest), number(memory.shape.peak));
    if memory.is_calm() { Outcome::For(text, vec![memory.id]) } else { Outcome::Against(text, vec![memory.id]) }
}

fn pods(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let text = format!("{} of {} pods are ready", place.workload.ready, place.workload.replicas);
    if place.workload.replicas > 0 && place.workload.ready >= place.workload.replicas {
        Outcome::For(text, vec![place.id])
    } else {
        Outcome::Against(text, vec![place.id])
    }
}
