//! Limit too low: a steady working set that does not fit, under normal load; killed, and full again right after the start.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared;
use crate::domain::count::counted;
use crate::domain::diagnosis::evidence::{Question, bytes, number};
use crate::domain::diagnosis::statistics::Shape;
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::observation::cluster_sign::Trouble;
use crate::domain::observation::workload::ContainerSpec;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::LimitTooLow)
        .test(Question::Memory, 0.35, Need::Essential, brim(reading))
        .test(Question::OomKills, 0.25, Need::Essential, kills(reading))
        .test(Question::Traffic, 0.2, Need::Essential, load(reading))
        .test(Question::Workload, 0.1, Need::Helpful, limit(reading))
        .test(Question::Changes, 0.1, Need::Helpful, shared::no_rollout_before(reading))
}

fn brim(reading: &Reading) -> Outcome {
    if let Some((why, ids)) = shared::killed_at_start(reading) {
        return Outcome::For(why, ids);
    }
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

/// What is killed at the start may be killed at any load, or by the load that waits for it: where requests can be asked
/// for, they must tell. What has no room to start in at all needs no load.
fn load(reading: &Reading) -> Outcome {
    let too_small = reading.workload.as_ref().is_some_and(|place| place.sign(Trouble::LimitTooSmall).is_some());
    let told = shared::killed_at_start(reading).is_some();
    if too_small || told && !reading.was_asked(Question::Traffic) {
        return Outcome::Moot;
    }
    shared::traffic_did_not_rise(reading)
}

fn kills(reading: &Reading) -> Outcome {
    if let Some((why, ids)) = shared::killed_at_start(reading) {
        return Outcome::For(why, ids);
    }
    match &reading.kills {
        Some(kills) if kills.total > 0 => Outcome::For(counted(kills.total, "OOM kill"), vec![kills.id]),
        Some(kills) if kills.sure => Outcome::Against("no container was killed".to_owned(), vec![kills.id]),
        Some(_) | None => Outcome::Open,
    }
}

/// The limit of what was killed, or of any where it is not told. A container that the manifest does not hold has one that
/// is not known here.
fn limit(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let killed: Vec<&str> = place.killed().map(|(_, container)| container.name.as_str()).collect();
    let of_killed = |container: &&ContainerSpec| killed.is_empty() || killed.contains(&container.name.as_str());
    let containers: Vec<&ContainerSpec> = place.workload.containers.iter().filter(of_killed).collect();
    match containers.iter().filter_map(|container| container.memory_limit).min() {
        Some(limit) => Outcome::For(format!("the limit is {}", bytes(limit)), vec![place.id]),
        None if containers.is_empty() => Outcome::Moot,
        None => Outcome::Against("no container has a memory limit".to_owned(), vec![place.id]),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, Stand, table};
    use super::*;

    fn full() -> Incident {
        let brim = |n: u32| if n % 9 == 4 { 62.0 } else { 98.5 };
        Incident::healthy().memory((0..30).map(brim)).kills(14)
    }

    #[test]
    fn a_limit_too_low_is_told_from_a_leak_and_a_surge() {
        let surge = full().traffic((0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 }));
        let metrics = [Question::Cpu, Question::Memory, Question::Traffic, Question::Errors, Question::Latency];
        let cluster_alone = || metrics.into_iter().fold(Incident::healthy(), Incident::never_asked);
        let init = "container init was OOM-killed (memory limit too low?)";
        table(
            weigh,
            &[
                ("full and killed", full(), Stand::Holds),
                ("killed right at each start, no metrics", cluster_alone().killed_after(4), Stand::Holds),
                (
                    "killed while the container was made",
                    cluster_alone().pending(6).event("Pod/my-api-1", "FailedCreatePodSandBox", init),
                    Stand::Holds,
                ),
                (
                    "killed and backed off, for how long it lived nobody knows",
                    cluster_alone().last_end("OOMKilled", 137).kills(9),
                    Stand::Holds,
                ),
                ("killed right at each start, requests as before", full().killed_after(42), Stand::Holds),
                ("killed right at each start of a flood", surge.clone().killed_after(42), Stand::RuledOut),
                (
                    "killed right at each start, requests not read",
                    full().killed_after(42).without(Question::Traffic),
                    Stand::Waits(Question::Traffic),
                ),
                ("killed at the starts of days ago", Incident::healthy().killed_days_ago(), Stand::RuledOut),
                ("full and not killed", full().kills(0), Stand::RuledOut),
                ("memory grows", full().memory((0..30).map(|n| 20.0 + 2.5 * f64::from(n))), Stand::RuledOut),
                (
                    "memory creeps up to its limit",
                    full().memory((0..30).map(|n| 89.0 + 0.3 * f64::from(n))),
                    Stand::Waits(Question::Memory),
                ),
                ("memory has room", full().memory([54.0; 30]), Stand::RuledOut),
                ("requests rose", surge, Stand::RuledOut),
                (
                    "killed after half an hour, no metrics",
                    cluster_alone().killed_after(1_800),
                    Stand::Waits(Question::Memory),
                ),
                ("no memory", full().without(Question::Memory), Stand::Waits(Question::Memory)),
                ("no traffic", full().without(Question::Traffic), Stand::Waits(Question::Traffic)),
                ("no kills", full().without(Question::OomKills), Stand::Waits(Question::OomKills)),
            ],
        );
    }
}
