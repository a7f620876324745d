//! CPU-bound: the processor is the bottleneck while traffic, memory, collector and rollouts are ordinary.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared::{self, PINNED, collector_works_hard};
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::observation::log_sign::LogSign;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::CpuBound)
        .test(Question::Cpu, 0.25, Need::Essential, cpu(reading))
        .test(Question::Traffic, 0.2, Need::Essential, shared::traffic_is_normal(reading))
        .test(Question::Memory, 0.2, Need::Essential, memory(reading))
        .test(Question::Collector, 0.15, Need::Essential, collector(reading))
        .test(Question::OomKills, 0.1, Need::Essential, shared::nothing_was_killed(reading))
        .test(Question::Changes, 0.1, Need::Essential, shared::no_rollout_before(reading))
        .test(Question::Workload, 0.05, Need::Helpful, throttled(reading))
        .test(Question::Workload, 0.05, Need::Excluding, shared::containers_come_up(reading))
        .test(Question::LogPatterns, 0.1, Need::Helpful, no_dependency(reading))
}

fn cpu(reading: &Reading) -> Outcome {
    let Some(cpu) = &reading.cpu else { return Outcome::Open };
    if let Some(hours) = shared::daily_peak(reading) {
        return Outcome::Against(format!("CPU is as at these hours ({})", shared::days_words(hours)), vec![cpu.id]);
    }
    let text = format!("CPU is at {}% (peak {}%)", number(cpu.latest), number(cpu.peak));
    if shared::cpu_is_high(reading) { Outcome::For(text, vec![cpu.id]) } else { Outcome::Against(text, vec![cpu.id]) }
}

fn memory(reading: &Reading) -> Outcome {
    let Some(memory) = &reading.memory else { return Outcome::Open };
    if memory.is_calm() {
        return Outcome::For(format!("memory is calm (peak {}%)", number(memory.shape.peak)), vec![memory.id]);
    }
    // Hours from its limit, growth costs no processor time.
    let matters = memory.grows() && !memory.is_far();
    if matters { Outcome::Against("memory grows".to_owned(), vec![memory.id]) } else { Outcome::Open }
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

/// A processor that stands at its limit is throttled there (CFS quota): the plateau is the limit's, not the work's.
fn throttled(reading: &Reading) -> Outcome {
    let (Some(cpu), Some(place)) = (&reading.cpu, &reading.workload) else { return Outcome::Open };
    let limit = place.workload.containers.iter().filter_map(|container| container.cpu_limit_milli).min();
    match limit {
        Some(_) if cpu.lately >= PINNED => {
            Outcome::For("it stands at its CPU limit and is throttled there".to_owned(), vec![cpu.id, place.id])
        }
        Some(_) | None => Outcome::Moot,
    }
}

/// Waiting is no work: a process that waits for another is not bound by the processor.
fn no_dependency(reading: &Reading) -> Outcome {
    let Some(logs) = &reading.logs else { return Outcome::Open };
    match logs.sign(LogSign::Dependency).filter(|count| count.lines * 5 >= logs.errors.max(25)) {
        Some(count) => Outcome::Against(
            format!("{} a failing dependency", shared::lines(count.lines, ["names", "name"])),
            vec![logs.id],
        ),
        None => Outcome::Moot,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, Stand, now, table};
    use super::*;

    fn busy() -> Incident {
        Incident::healthy().cpu((0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 }))
    }

    #[test]
    fn a_flood_of_any_age_is_no_normal_load() {
        for minute in 3..30 {
            let hot = (0..30).map(|n| if n >= minute { 97.0 } else { 43.0 });
            let surge = (0..30).map(|n| if n >= minute { 9_900.0 } else { 1_240.0 });
            let later = (0..30).map(|n| if n > minute { 9_900.0 } else { 1_240.0 });
            let ended = (0..minute.max(8)).map(|n| if n >= minute { 9_900.0 } else { 1_240.0 });
            for traffic in [surge.collect::<Vec<_>>(), later.collect(), ended.collect()] {
                let case =
                    weigh(&Reading::of(&Incident::healthy().cpu(hot.clone()).traffic(traffic).evidence(), now()));
                assert!(!case.essentials_hold(), "from minute {minute}: {case:#?}");
            }
        }
    }

    #[test]
    fn the_processor_is_to_blame_where_nothing_else_explains_it() {
        let surge = busy().traffic((0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 }));
        let always = || Incident::healthy().cpu([97.0; 30]);
        let collects = busy().collector((0..30).map(|n| if n >= 6 { 55.0 } else { 3.0 }));
        table(
            weigh,
            &[
                ("the processor alone", busy(), Stand::Holds),
                ("slow besides", busy().latency_from(9, 2.0), Stand::Holds),
                ("requests rose", surge, Stand::RuledOut),
                (
                    "memory warms up far from its limit",
                    busy().memory((0..30).map(|n| 24.0 + 0.57 * f64::from(n))),
                    Stand::Waits(Question::Memory),
                ),
                ("memory grows", busy().memory((0..30).map(|n| 20.0 + 2.5 * f64::from(n))), Stand::RuledOut),
                ("the collector works", collects, Stand::RuledOut),
                ("after a rollout", busy().rollout(6), Stand::RuledOut),
                (
                    "after a rollout, and a small rise before that",
                    Incident::healthy().rollout(6).cpu((0..30).map(|n| {
                        if n >= 8 {
                            97.0
                        } else if n >= 3 {
                            49.0
                        } else {
                            43.0
                        }
                    })),
                    Stand::RuledOut,
                ),
                ("after a rollback", busy().rolled_back(4), Stand::RuledOut),
                (
                    "after a rollback of a time that nobody knows",
                    busy().rolled_back(4).undated(),
                    Stand::Waits(Question::Changes),
                ),
                ("killed", busy().kills(3), Stand::RuledOut),
                (
                    "to and fro",
                    Incident::healthy().cpu((0..30).map(|n| if n % 5 < 2 { 87.5 } else { 82.0 })),
                    Stand::RuledOut,
                ),
                (
                    "high for longer than was read, rolled out an hour before",
                    always().rollout(-45),
                    Stand::Waits(Question::Changes),
                ),
                ("high for longer than was read, rolled out long ago", always(), Stand::Holds),
                ("the collector's metric refused", busy().collector_unread(), Stand::Waits(Question::Collector)),
                ("no processor", busy().without(Question::Cpu), Stand::Waits(Question::Cpu)),
                ("no rollouts", busy().without(Question::Changes), Stand::Waits(Question::Changes)),
            ],
        );
    }
}
