//! Limit too low: a steady working set that does not fit, under normal load; killed, and full again right after the start.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared;
use crate::domain::diagnosis::evidence::{Question, bytes, number};
use crate::domain::diagnosis::statistics::Shape;
use crate::domain::diagnosis::verdict::Cause;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::LimitTooLow)
        .test(Question::Memory, 0.35, Need::Essential, brim(reading))
        .test(Question::OomKills, 0.25, Need::Essential, kills(reading))
        .test(Question::Traffic, 0.2, Need::Essential, shared::traffic_is_normal(reading))
        .test(Question::Workload, 0.1, Need::Helpful, limit(reading))
        .test(Question::Changes, 0.1, Need::Helpful, shared::no_rollout_before(reading))
}

fn brim(reading: &Reading) -> Outcome {
    let Some(memory) = &reading.memory else { return Outcome::Open };
    let (shape, ids) = (&memory.shape, vec![memory.id]);
    let peak = number(shape.peak);
    match shape.shape {
        Shape::AtTheBrim => {
            let text = format!(
                "memory stands at {}% of its limit (peak {peak}%) and does not grow on the way",
                number(memory.latest)
            );
            Outcome::For(text, ids)
        }
        Shape::Rising | Shape::RisingInEachLife => {
            Outcome::Against("memory grows: a higher limit only delays the kill".to_owned(), ids)
        }
        Shape::Flat | Shape::Falling => Outcome::Against(format!("memory keeps room to its limit (peak {peak}%)"), ids),
        Shape::Unclear => Outcome::Open,
    }
}

fn kills(reading: &Reading) -> Outcome {
    match &reading.kills {
        Some(kills) if kills.total > 0 => Outcome::For(format!("{} OOM kills", kills.total), vec![kills.id]),
        Some(kills) if kills.sure => Outcome::Against("no container was killed".to_owned(), vec![kills.id]),
        Some(_) | None => Outcome::Open,
    }
}

fn limit(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    match place.workload.containers.iter().filter_map(|container| container.memory_limit).min() {
        Some(limit) => Outcome::For(format!("the limit is {}", bytes(limit)), vec![place.id]),
        None => Outcome::Against("no container has a memory limit".to_owned(), vec![place.id]),
    }
}
