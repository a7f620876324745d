//! Stuck process: it runs, and nobody is answered, nothing is written and nothing computed any more (or it spins), while
//! load, memory, collector and what it calls are ordinary and nothing was rolled out. A new process answers again.
//!
//! The twin that looks alike is a service that nobody asks: requests stop there as well, and none of them fails.

use super::case::{Case, Need, Outcome};
use super::reading::{Reading, Voice};
use super::shared::{self, PINNED, SURGE, collector_works_hard};
use crate::domain::count::{counted, either};
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::observation::cluster_sign::Trouble;
use crate::domain::observation::log_sign::LogSign;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::StuckProcess)
        .test(shared::unfelt(reading), 0.25, Need::Essential, unanswered(reading))
        .test(Question::LogPatterns, 0.25, Need::Essential, silence(reading))
        .test(Question::Cpu, 0.2, Need::Essential, processor(reading))
        .test(Question::Workload, 0.15, Need::Essential, runs(reading))
        .test(Question::Workload, 0.1, Need::Essential, alone(reading))
        .test(Question::Changes, 0.1, Need::Essential, shared::no_rollout_before(reading))
        .test(Question::Traffic, 0.1, Need::Essential, load(reading))
        .test(Question::Memory, 0.1, Need::Excluding, shared::memory_does_not_grow(reading))
        .test(Question::OomKills, 0.05, Need::Excluding, shared::nothing_was_killed(reading))
        .test(Question::Collector, 0.05, Need::Excluding, collector(reading))
        .test(Question::LogPatterns, 0.05, Need::Excluding, no_dependency(reading))
}

/// Somebody asks and waits in vain: a probe, or the callers.
fn unanswered(reading: &Reading) -> Outcome {
    let sign = reading.workload.as_ref().and_then(|place| Some((place.id, place.sign(Trouble::Unanswered)?)));
    if let Some((id, sign)) = sign {
        return Outcome::For(format!("{} ({})", sign.trouble.words(), sign.text), vec![id]);
    }
    shared::requests_suffer(reading).unwrap_or(Outcome::Open)
}

fn silence(reading: &Reading) -> Outcome {
    let Some(logs) = &reading.logs else { return Outcome::Open };
    match logs.voice {
        Voice::Silent(onset) => {
            let lines = either(onset.before, "line", "lines");
            let (before, now) = (format!("{} {lines}", number(onset.before)), number(onset.after));
            let text = format!("the logs fell silent: {before} a minute before, {now} since");
            Outcome::For(format!("{text} {}", onset.at.strftime("%H:%MZ")), vec![logs.id])
        }
        Voice::Heard => Outcome::Against("it goes on writing its logs".to_owned(), vec![logs.id]),
        Voice::Unknown => Outcome::Open,
    }
}

/// It does nothing, or turns in a circle that writes no line.
fn processor(reading: &Reading) -> Outcome {
    let Some(cpu) = &reading.cpu else { return Outcome::Open };
    let ids = vec![cpu.id];
    if let Some(onset) = cpu.went_idle() {
        let (before, after) = (number(onset.before), number(onset.after));
        return Outcome::For(format!("CPU fell from {before}% to {after}%: it computes nothing"), ids);
    }
    let silent = reading.logs.as_ref().is_some_and(|logs| matches!(logs.voice, Voice::Silent(_)));
    if cpu.lately >= PINNED && silent {
        return Outcome::For(format!("CPU stands at {}% without a line: it spins", number(cpu.lately)), ids);
    }
    // One that never did much cannot be seen to stop.
    if cpu.is_at_rest() {
        return Outcome::Open;
    }
    Outcome::Against(format!("CPU is at work ({}%)", number(cpu.lately)), ids)
}

/// Several processes that fall silent together, and that the cluster holds for ready, may be well: a network that is cut and
/// what they all wait for look alike. A probe that waits in vain tells that it is they.
fn alone(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    if let Some(sign) = place.sign(Trouble::Unanswered) {
        return Outcome::For(format!("its own probe tells so ({})", sign.trouble.words()), vec![place.id]);
    }
    let several = place.present().count() > 1;
    if several && place.is_whole() { Outcome::Open } else { Outcome::Moot }
}

/// Its containers run, and none of them was started anew since it began.
fn runs(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let ids = vec![place.id];
    if let Some(sign) = place.loudest(|trouble| trouble != Trouble::Unanswered) {
        return Outcome::Against(format!("{} ({})", sign.trouble.words(), sign.text), ids);
    }
    let trouble = reading.trouble();
    let mut many = 0;
    for container in place.present().flat_map(|pod| &pod.containers) {
        many += 1;
        let ended = container.last_end.as_ref().and_then(|end| end.finished_at);
        if container.state != "running" {
            return Outcome::Against(format!("{} does not run ({})", container.name, container.state), ids);
        }
        if ended.zip(trouble).is_some_and(|(ended, trouble)| ended >= trouble) {
            return Outcome::Against(format!("{} was started anew since", container.name), ids);
        }
    }
    if many == 0 {
        return Outcome::Open;
    }
    Outcome::For(
        format!(
            "{} {}",
            counted(many, "container"),
            either(
                many,
                "runs, and was not started anew since it began",
                "run, and none was started anew since it began"
            )
        ),
        ids,
    )
}

/// Requests as before, or stopped with it: callers give up on what does not answer.
fn load(reading: &Reading) -> Outcome {
    let Some(traffic) = &reading.traffic else { return Outcome::Open };
    if traffic.ratio.times >= SURGE {
        return Outcome::Against(format!("requests rose ({})", shared::times(traffic)), vec![traffic.id]);
    }
    Outcome::For(format!("requests did not rise ({})", shared::times(traffic)), vec![traffic.id])
}

fn collector(reading: &Reading) -> Outcome {
    let Some(collector) = &reading.collector else {
        return if reading.is_withheld(Question::Collector) { Outcome::Open } else { Outcome::Moot };
    };
    match &collector.time {
        Some(time) if collector_works_hard(time) => {
            Outcome::Against(format!("the collector takes {}% of the time", number(time.ratio.now)), vec![collector.id])
        }
        Some(_) | None => Outcome::Moot,
    }
}

/// What waits for another is freed when that answers.
fn no_dependency(reading: &Reading) -> Outcome {
    let Some(logs) = &reading.logs else { return Outcome::Moot };
    match shared::tell_of(logs, LogSign::Dependency) {
        Some(lines) => Outcome::Against(
            format!("{} a dependency that fails", shared::lines(lines, ["names", "name"])),
            vec![logs.id],
        ),
        None => Outcome::Moot,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, Stand, cut, stuck, table};
    use super::*;

    #[test]
    fn a_stuck_process_is_told_from_a_busy_one() {
        let spins = stuck().cpu((0..30).map(|n| if n >= 18 { 99.0 } else { 41.0 }));
        let gives_up = stuck().traffic((0..30).map(|n| if n >= 19 { 20.0 } else { 1_240.0 }));
        let retried = stuck().errors([2.0; 30]).latency([0.04; 30]);
        let retried = retried.traffic((0..30).map(|n| if n >= 18 { 190.0 } else { 1_240.0 }));
        let nobody_asks = cut().traffic((0..30).map(|n| if n >= 19 { 20.0 } else { 1_240.0 }));
        let nobody_asks = nobody_asks.errors([2.0; 30]).latency([0.04; 30]);
        let in_vain = "Readiness probe failed: Get \"http://10.0.0.7:8080/ready\": context deadline exceeded";
        let probed = nobody_asks.clone().unready().event("Pod/my-api-1", "Unhealthy", in_vain);
        let busy = stuck().cpu([43.0; 30]);
        let surge = stuck().traffic((0..30).map(|n| if n >= 18 { 9_900.0 } else { 1_240.0 }));
        table(
            weigh,
            &[
                ("answers nobody, writes nothing, computes nothing", stuck(), Stand::Holds),
                ("all are ready, and silent together", cut(), Stand::Waits(Question::Workload)),
                ("the only one is ready and silent", cut().replicas(1), Stand::Holds),
                ("spins without a line", spins, Stand::Holds),
                ("its callers give up", gives_up, Stand::Holds),
                ("a probe waits in vain", probed, Stand::Holds),
                (
                    "a probe waits in vain, and some go on asking",
                    retried.clone().unready().event("Pod/my-api-1", "Unhealthy", in_vain),
                    Stand::Holds,
                ),
                (
                    "rolled out before, and nothing but the silence tells when it began",
                    retried.unready().event("Pod/my-api-1", "Unhealthy", in_vain).rollout(15),
                    Stand::RuledOut,
                ),
                ("nobody asks", nobody_asks, Stand::RuledOut),
                ("goes on writing", stuck().lines_until(30), Stand::RuledOut),
                ("is at work", busy, Stand::RuledOut),
                ("requests rose", surge, Stand::RuledOut),
                ("rolled out before", stuck().rollout(12), Stand::RuledOut),
                ("does not come up", stuck().crash_loop("waiting: CrashLoopBackOff"), Stand::RuledOut),
                ("was killed", stuck().kills(3), Stand::RuledOut),
                ("memory grows", stuck().memory((0..30).map(|n| 20.0 + 2.5 * f64::from(n))), Stand::RuledOut),
                (
                    "waits for another",
                    stuck().signs(&[(LogSign::Dependency, 90)], 100).lines_until(18),
                    Stand::RuledOut,
                ),
                ("healthy", Incident::healthy(), Stand::RuledOut),
                ("never did much", stuck().cpu([3.0; 30]), Stand::Waits(Question::Cpu)),
                ("no logs", stuck().without(Question::LogPatterns), Stand::Waits(Question::LogPatterns)),
                ("no processor", stuck().without(Question::Cpu), Stand::Waits(Question::Cpu)),
                ("cluster denied", stuck().without(Question::Workload), Stand::Waits(Question::Workload)),
                ("no changes", stuck().without(Question::Changes), Stand::Waits(Question::Changes)),
            ],
        );
    }
}
