//! Collector thrash without a leak: the collector takes the processor, but memory does not grow and nothing is killed.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared::{self, collector_works_hard};
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::verdict::Cause;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::CollectorThrash)
        .test(Question::Collector, 0.35, Need::Essential, collector(reading))
        .test(Question::Memory, 0.25, Need::Essential, memory(reading))
        .test(Question::OomKills, 0.2, Need::Essential, shared::nothing_was_killed(reading))
        .test(Question::Traffic, 0.1, Need::Essential, shared::traffic_is_normal(reading))
        .test(Question::Cpu, 0.1, Need::Helpful, order(reading))
}

fn collector(reading: &Reading) -> Outcome {
    let Some(collector) = &reading.collector else { return Outcome::Open };
    let ids = vec![collector.id];
    match &collector.time {
        Some(time) if collector_works_hard(time) => {
            Outcome::For(format!("the collector takes {}% of the time", number(time.ratio.now)), ids)
        }
        Some(time) => Outcome::Against(format!("collector time is low ({}% at most)", number(time.peak)), ids),
        None if collector.whole && collector.pauses + collector.full_collections == 0 => {
            Outcome::Against("no collection in the logs".to_owned(), ids)
        }
        None => Outcome::Open,
    }
}

fn memory(reading: &Reading) -> Outcome {
    let Some(memory) = &reading.memory else { return Outcome::Open };
    if memory.grows() {
        return Outcome::Against("memory grows: the collector works against a leak".to_owned(), vec![memory.id]);
    }
    if memory.is_calm() {
        return Outcome::For(format!("memory does not grow (peak {}%)", number(memory.shape.peak)), vec![memory.id]);
    }
    Outcome::Open
}

fn order(reading: &Reading) -> Outcome {
    match shared::collector_leads(reading) {
        Some((minutes, ids)) if minutes >= 0 => {
            Outcome::For(format!("collector time rises {minutes} min before CPU"), ids)
        }
        Some((minutes, ids)) => Outcome::Against(format!("collector time rises {} min after CPU", -minutes), ids),
        None => Outcome::Open,
    }
}
