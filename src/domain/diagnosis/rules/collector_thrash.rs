//! Collector thrash without a leak: the collector takes the processor, but memory does not grow and nothing is killed.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared::{self, Order, collector_works_hard};
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::statistics::HeapState;
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
    if let Some(collector) = &reading.collector
        && let Some(heap) = collector.heap_is(HeapState::Leak)
    {
        return Outcome::Against(format!("{}: a leak", heap.state.words()), vec![collector.id]);
    }
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
    match shared::collector_and_cpu(reading) {
        Some((Order::First(minutes), ids)) => {
            Outcome::For(format!("collector time rises {minutes} min before CPU"), ids)
        }
        Some((Order::Second(minutes), ids)) => {
            Outcome::Against(format!("collector time rises {minutes} min after CPU"), ids)
        }
        Some((Order::Together(_), ids)) => {
            Outcome::For("collector time and CPU rise together, as far as it can be told".to_owned(), ids)
        }
        None => Outcome::Open,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, Stand, table};
    use super::*;

    fn thrash() -> Incident {
        Incident::healthy()
            .collector((0..30).map(|n| if n >= 9 { 55.0 } else { 3.0 }))
            .cpu((0..30).map(|n| if n >= 15 { 97.0 } else { 41.0 }))
    }

    #[test]
    fn a_collector_that_thrashes_is_told_from_one_that_works() {
        let surge = thrash().traffic((0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 }));
        table(
            weigh,
            &[
                ("the collector takes the processor", thrash(), Stand::Holds),
                ("memory grows", thrash().memory((0..30).map(|n| 20.0 + 2.5 * f64::from(n))), Stand::RuledOut),
                ("killed", thrash().kills(3), Stand::RuledOut),
                ("requests rose", surge, Stand::RuledOut),
                ("the collector idles", thrash().collector([3.0; 30]), Stand::RuledOut),
                ("no collector", thrash().without(Question::Collector), Stand::Waits(Question::Collector)),
                ("no memory", thrash().without(Question::Memory), Stand::Waits(Question::Memory)),
            ],
        );
    }
}
