//! Traffic surge: requests rise first, the processor follows, memory stays calm.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared::{self, NORMAL, SURGE, times};
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::verdict::Cause;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::TrafficSurge)
        .test(Question::Traffic, 0.4, Need::Essential, surge(reading))
        .test(Question::Cpu, 0.2, Need::Helpful, order(reading))
        .test(Question::Memory, 0.2, Need::Essential, memory(reading))
        .test(Question::OomKills, 0.1, Need::Helpful, shared::nothing_was_killed(reading))
        .test(Question::Changes, 0.05, Need::Helpful, shared::no_rollout_before(reading))
}

fn surge(reading: &Reading) -> Outcome {
    let Some(traffic) = &reading.traffic else { return Outcome::Open };
    let ids = vec![traffic.id];
    if traffic.ratio.times >= SURGE {
        Outcome::For(format!("requests rose {}", times(traffic)), ids)
    } else if traffic.ratio.times < NORMAL {
        Outcome::Against(format!("requests did not rise ({})", times(traffic)), ids)
    } else {
        Outcome::Open
    }
}

fn order(reading: &Reading) -> Outcome {
    let (Some(traffic), Some(cpu)) = (&reading.traffic, &reading.cpu) else { return Outcome::Open };
    let ids = vec![traffic.id, cpu.id];
    match shared::lead(traffic.onset, cpu.onset) {
        Some(minutes) if minutes >= 1 => Outcome::For(format!("requests rise {minutes} min before CPU"), ids),
        Some(0) => Outcome::For("requests and CPU rise together".to_owned(), ids),
        Some(minutes) => Outcome::Against(format!("requests rise {} min after CPU", -minutes), ids),
        None => Outcome::Open,
    }
}

fn memory(reading: &Reading) -> Outcome {
    let Some(memory) = &reading.memory else { return Outcome::Open };
    let ids = vec![memory.id];
    if memory.grows() {
        return Outcome::Against("memory grows as well".to_owned(), ids);
    }
    if memory.is_calm() {
        return Outcome::For(format!("memory is calm (peak {}%)", number(memory.shape.peak)), ids);
    }
    Outcome::Open
}
