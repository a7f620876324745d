//! Memory leak: memory grows without traffic until the container is killed; the collector, then the processor, follow.

use super::case::{Case, Need, Outcome};
use super::reading::{Memory, Reading};
use super::shared::{self, Order};
use crate::domain::count::counted;
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::statistics::{HeapState, SameHours, Shape};
use crate::domain::diagnosis::verdict::Cause;

/// Minutes after the processor from which the collector's rise is no reason for it.
const LATE: i64 = 3;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::MemoryLeak)
        .test(Question::Memory, 0.35, Need::Essential, growth(reading))
        .test(Question::Traffic, 0.2, load(reading), shared::traffic_did_not_rise(reading))
        .test(Question::OomKills, 0.15, Need::Helpful, kills(reading))
        .test(Question::Collector, 0.15, Need::Helpful, collector(reading))
        .test(Question::Collector, 0.05, Need::Helpful, heap_errors(reading))
        .test(Question::Changes, 0.1, Need::Helpful, shared::no_rollout_before(reading))
}

fn growth(reading: &Reading) -> Outcome {
    if let Some((why, ids)) = shared::killed_at_start(reading) {
        return Outcome::Against(format!("{why}: too fast for a leak"), ids);
    }
    let Some(memory) = &reading.memory else { return floor(reading) };
    // A leak that is restarted every night looks alike until it kills: where kills may not be known, nothing is said.
    if reading.usual(Question::Memory).is_some() && !reading.kills.as_ref().is_some_and(|kills| kills.sure) {
        return if killed(reading) { rising(memory) } else { Outcome::Open };
    }
    if let Some(hours) = daily(reading) {
        return Outcome::Against(
            format!("memory is as at these hours ({})", shared::days_words(hours)),
            vec![memory.id],
        );
    }
    // Far from its limit and hours from it, growth may be a cache that warms up.
    if memory.is_far() && !killed(reading) { Outcome::Open } else { rising(memory) }
}

fn killed(reading: &Reading) -> bool {
    reading.kills.as_ref().is_some_and(|kills| kills.total > 0)
}

fn rising(memory: &Memory) -> Outcome {
    let (shape, ids) = (&memory.shape, vec![memory.id]);
    let range = format!("from {}% to {}%", number(memory.first), number(memory.latest));
    match shape.shape {
        Shape::Rising => {
            let slope = shape.trend.map_or(0.0, |trend| trend.per_minute);
            Outcome::For(format!("memory rose {} %/min, {range} of its limit", number(slope)), ids)
        }
        Shape::RisingInEachLife => {
            let slope = shape.life_per_minute.unwrap_or_default();
            let text = format!(
                "memory rises up to {} %/min again after {}",
                number(slope),
                match shape.restarts {
                    1 => "a restart".to_owned(),
                    more => format!("each of {more} restarts"),
                }
            );
            Outcome::For(text, ids)
        }
        Shape::AtTheBrim => Outcome::Against(
            format!("memory stands at its limit ({}% at most) without growing into it", number(shape.peak)),
            ids,
        ),
        Shape::Flat | Shape::Falling => {
            Outcome::Against(format!("memory did not grow ({range}, peak {}%)", number(shape.peak)), ids)
        }
        Shape::Unclear => Outcome::Open,
    }
}

/// Memory that rises with the day and kills nobody.
fn daily(reading: &Reading) -> Option<&SameHours> {
    let spared = reading.kills.as_ref().is_some_and(|kills| kills.sure && kills.total == 0);
    reading.usual(Question::Memory).filter(|_| spared)
}

/// Without memory's metric, the collector's own log: what survives full collections is alive, whatever the load.
fn floor(reading: &Reading) -> Outcome {
    let Some(collector) = &reading.collector else { return Outcome::Open };
    let Some(heap) = &collector.heap else { return Outcome::Open };
    let (first, last) = (number(heap.floor_first), number(heap.floor_last));
    let text = format!("{} (from {first}% to {last}%)", heap.state.words());
    match heap.state {
        HeapState::Leak => Outcome::For(text, vec![collector.id]),
        HeapState::Pressure | HeapState::Healthy => Outcome::Against(text, vec![collector.id]),
        HeapState::NotEnough => Outcome::Open,
    }
}

/// Traffic explains memory in use; it does not explain what is alive when the heap is full of it.
fn load(reading: &Reading) -> Need {
    let full = reading.collector.as_ref().is_some_and(|collector| collector.heap_is(HeapState::Leak).is_some());
    if full { Need::Excluding } else { Need::Essential }
}

fn kills(reading: &Reading) -> Outcome {
    match &reading.kills {
        Some(kills) if kills.total > 0 => Outcome::For(counted(kills.total, "OOM kill"), vec![kills.id]),
        Some(kills) if kills.sure => Outcome::Against("no container was killed yet".to_owned(), vec![kills.id]),
        Some(_) | None => Outcome::Open,
    }
}

fn collector(reading: &Reading) -> Outcome {
    let Some(collector) = &reading.collector else { return Outcome::Open };
    let Some(time) = &collector.time else {
        return match collector.full_collections {
            0 => Outcome::Open,
            full => Outcome::For(format!("{full} full collections in the logs"), vec![collector.id]),
        };
    };
    if let Some(heap) = collector.heap_is(HeapState::Leak) {
        let text = format!("what survives collections stands at {}% of {}", number(heap.floor_last), heap.size.words());
        return Outcome::For(text, vec![collector.id]);
    }
    if !shared::collector_works_hard(time) {
        return Outcome::Against(
            format!("collector time stayed low ({}% now)", number(time.ratio.now)),
            vec![collector.id],
        );
    }
    match shared::collector_and_cpu(reading) {
        Some((Order::First(minutes), ids)) => {
            Outcome::For(format!("CPU is secondary: collector time rises {minutes} min before CPU"), ids)
        }
        Some((Order::Second(minutes), ids)) if minutes >= LATE => {
            Outcome::Against(format!("collector time rises {minutes} min after CPU"), ids)
        }
        Some((Order::Together(minutes), ids)) if minutes >= 1 => {
            let text = "CPU is likely secondary: collector time rises";
            Outcome::For(format!("{text} {minutes} min before CPU, too little to be sure of"), ids)
        }
        Some((Order::Second(_) | Order::Together(_), _)) | None => {
            let text = format!(
                "the collector takes {}% of the time, {} against before",
                number(time.ratio.now),
                time.ratio.words()
            );
            Outcome::For(text, vec![collector.id])
        }
    }
}

fn heap_errors(reading: &Reading) -> Outcome {
    match &reading.collector {
        Some(collector) if collector.heap_errors > 0 => {
            Outcome::For(format!("{} in the logs", counted(collector.heap_errors, "heap error")), vec![collector.id])
        }
        // They only ever speak for it.
        Some(_) | None => Outcome::Moot,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, Stand, table};
    use super::super::tests::leak;
    use super::*;

    /// From 24 % to 41 % in half an hour: at this pace its limit is hours away.
    fn warming() -> Incident {
        Incident::healthy().memory((0..30).map(|n| 24.0 + 0.57 * f64::from(n)))
    }

    #[test]
    fn a_leak_holds_for_memory_that_grows_alone() {
        let lives = leak().memory((0..30).map(|n| 30.0 + 7.0 * f64::from(n % 10)));
        let brim = leak().memory((0..30).map(|n| if n % 9 == 4 { 62.0 } else { 98.5 }));
        let surge = leak().traffic((0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 }));
        let warm = Incident::healthy().memory((0..30).map(|n| 40.0 + 0.1 * f64::from(n)));
        let slow = leak().memory((0..30).map(|n| 89.0 + 0.3 * f64::from(n)));
        table(
            weigh,
            &[
                ("grows and is killed", leak(), Stand::Holds),
                ("grows in each life", lives, Stand::Holds),
                ("grows and is not killed yet", leak().kills(0), Stand::Holds),
                ("without a collector", leak().without(Question::Collector), Stand::Holds),
                ("stands at the limit", brim, Stand::RuledOut),
                ("a healthy drift", warm, Stand::RuledOut),
                ("slow, at the top of its limit", slow, Stand::Waits(Question::Memory)),
                ("level", leak().memory([54.0; 30]), Stand::RuledOut),
                ("requests rose", surge, Stand::RuledOut),
                ("killed right at each start", leak().killed_after(4), Stand::RuledOut),
                ("killed at the starts of days ago", leak().killed_days_ago(), Stand::Holds),
                ("no memory", leak().without(Question::Memory), Stand::Waits(Question::Memory)),
                ("no traffic", leak().without(Question::Traffic), Stand::Waits(Question::Traffic)),
            ],
        );
    }

    #[test]
    fn growth_that_need_not_be_a_leak() {
        let lives = || leak().memory((0..30).map(|n| 30.0 + 7.0 * f64::from(n % 10)));
        let sawtooth = || leak().kills(0).memory((0..30).map(|n| 32.0 + 3.3 * f64::from(n % 10)));
        table(
            weigh,
            &[
                ("a sawtooth of a heap, and nothing was started anew", sawtooth(), Stand::RuledOut),
                ("grows in each life, and nothing was started anew", lives().kills(0), Stand::Waits(Question::Memory)),
                ("grows in each life that was started anew", lives().kills(0).started_at(20), Stand::Holds),
                (
                    "grows in each life, cluster denied",
                    lives().kills(0).denied(Question::Workload),
                    Stand::Waits(Question::Memory),
                ),
                ("warms up, hours from its limit", warming(), Stand::Waits(Question::Memory)),
                ("warms up, and is killed", warming().kills(3), Stand::Holds),
                (
                    "rises with the day, kills not known",
                    leak().usually(Question::Memory, 85.0).denied(Question::OomKills),
                    Stand::Waits(Question::Memory),
                ),
            ],
        );
    }
}
