//! CPU-bound: the processor is the bottleneck while traffic, memory, collector and rollouts are ordinary.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared::{self, collector_works_hard};
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::verdict::Cause;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::CpuBound)
        .test(Question::Cpu, 0.25, Need::Essential, cpu(reading))
        .test(Question::Traffic, 0.2, Need::Essential, shared::traffic_is_normal(reading))
        .test(Question::Memory, 0.2, Need::Essential, memory(reading))
        .test(Question::Collector, 0.15, Need::Essential, collector(reading))
        .test(Question::OomKills, 0.1, Need::Essential, shared::nothing_was_killed(reading))
        .test(Question::Changes, 0.1, Need::Essential, shared::no_rollout_before(reading))
}

fn cpu(reading: &Reading) -> Outcome {
    let Some(cpu) = &reading.cpu else { return Outcome::Open };
    let text = format!("CPU is at {}% (peak {}%)", number(cpu.latest), number(cpu.peak));
    if cpu.is_high() { Outcome::For(text, vec![cpu.id]) } else { Outcome::Against(text, vec![cpu.id]) }
}

fn memory(reading: &Reading) -> Outcome {
    let Some(memory) = &reading.memory else { return Outcome::Open };
    if memory.is_calm() {
        return Outcome::For(format!("memory is calm (peak {}%)", number(memory.shape.peak)), vec![memory.id]);
    }
    if memory.grows() { Outcome::Against("memory grows".to_owned(), vec![memory.id]) } else { Outcome::Open }
}

fn collector(reading: &Reading) -> Outcome {
    let Some(collector) = &reading.collector else { return Outcome::Open };
    let ids = vec![collector.id];
    match &collector.time {
        Some(time) if collector_works_hard(time) => {
            Outcome::Against(format!("the collector takes {}% of the time", number(time.ratio.now)), ids)
        }
        Some(time) => Outcome::For(format!("collector time is low ({}% now)", number(time.ratio.now)), ids),
        None if collector.whole && collector.pauses + collector.full_collections == 0 => {
            Outcome::For("no collection in the logs".to_owned(), ids)
        }
        None => Outcome::Open,
    }
}
