//! Nothing wrong: what was asked is in, and all of it is healthy. An answer that is missing leaves it open: health is never
//! concluded from silence. What nobody could ask (a service without such a metric) lowers the confidence instead.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared;
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::verdict::Cause;

/// Fewer errors in a window of logs are everyday life: this many among four times as many lines, or one line in fifty.
const EVERYDAY: u64 = 5;

pub(super) fn weigh(reading: &Reading) -> Case {
    let need = |question| if reading.was_asked(question) { Need::Essential } else { Need::Excluding };
    // Outside of a cluster nothing but logs tells of kills, and their silence is not sure.
    let counted = if reading.was_asked(Question::Workload) { need(Question::OomKills) } else { Need::Excluding };
    Case::new(Cause::NothingWrong)
        .test(Question::Workload, 0.2, Need::Essential, looked_at(reading))
        .test(Question::Cpu, 0.2, need(Question::Cpu), cpu(reading))
        .test(Question::Memory, 0.2, need(Question::Memory), memory(reading))
        .test(Question::OomKills, 0.2, counted, shared::nothing_was_killed(reading))
        .test(Question::Traffic, 0.2, need(Question::Traffic), shared::traffic_is_normal(reading))
        .test(Question::Workload, 0.2, need(Question::Workload), pods(reading))
        .test(Question::Errors, 0.1, Need::Excluding, shared::requests_are_well(reading))
        .test(Question::LogPatterns, 0.1, Need::Excluding, logs(reading))
        .test(Question::AlarmMetric, 0.2, need(Question::AlarmMetric), alarm(reading))
        .test(Question::Changes, 0.05, Need::Helpful, shared::no_rollout_before(reading))
}

/// Of two things at least one was looked at: the cluster, or what users feel; of a thing that serves no requests, what
/// it is watched by.
fn looked_at(reading: &Reading) -> Outcome {
    let felt = reading.errors.is_some() || reading.latency.is_some() || reading.traffic.is_some();
    let felt = felt || reading.own.is_some();
    match (&reading.workload, &reading.cpu) {
        (Some(place), _) if place.workload.replicas > 0 => Outcome::Moot,
        (_, Some(_)) if felt => Outcome::Moot,
        _ => Outcome::Open,
    }
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
    if let Some(sign) = place.signs.first() {
        return Outcome::Against(format!("{} ({})", sign.trouble.words(), sign.text), vec![place.id]);
    }
    if let Some(first) = place.stuck().first() {
        return Outcome::Against(format!("{} does not come up ({})", first.name, first.state), vec![place.id]);
    }
    shared::pods_are_ready(reading)
}

fn logs(reading: &Reading) -> Outcome {
    let Some(logs) = &reading.logs else { return Outcome::Open };
    let text = format!("{} errors in {} log lines", logs.errors, logs.lines);
    let few = logs.errors <= EVERYDAY && logs.errors * 4 <= logs.lines;
    if few || logs.errors * 50 <= logs.lines {
        Outcome::For(text, vec![logs.id])
    } else {
        Outcome::Against(text, vec![logs.id])
    }
}

fn alarm(reading: &Reading) -> Outcome {
    if let Some(own) = reading.own.as_ref().filter(|own| own.moved()) {
        return Outcome::Against(format!("another metric moved ({})", shared::times(own)), vec![own.id]);
    }
    let Some(alarmed) = &reading.alarmed else {
        return match &reading.own {
            Some(own) => Outcome::For(format!("no other metric moved ({})", shared::times(own)), vec![own.id]),
            None => Outcome::Open,
        };
    };
    let text = format!("the alarm's series is {} its threshold", if alarmed.breaches { "beyond" } else { "within" });
    if alarmed.breaches || alarmed.flaps() {
        Outcome::Against(text, vec![alarmed.id])
    } else {
        Outcome::For(text, vec![alarmed.id])
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, Stand, table};
    use super::*;

    #[test]
    fn cases() {
        let metrics = [Question::Cpu, Question::Memory, Question::Traffic, Question::Errors, Question::Latency];
        let cluster_alone = || metrics.into_iter().fold(Incident::healthy(), Incident::never_asked);
        let hot = || Incident::healthy().cpu((0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 }));
        let database = |values: [f64; 30]| {
            let cpu = Incident::healthy().cpu([17.0; 30]).own(values);
            let asked = [Question::Cpu, Question::AlarmMetric];
            Question::ALL.into_iter().filter(|question| !asked.contains(question)).fold(cpu, Incident::never_asked)
        };
        table(
            weigh,
            &[
                ("all is read and well", Incident::healthy(), Stand::Holds),
                ("a service without metrics, pods and logs well", cluster_alone().signs(&[], 0), Stand::Holds),
                (
                    "a service outside of the cluster, metrics well",
                    Incident::healthy().never_asked(Question::Workload).never_asked(Question::Memory),
                    Stand::Holds,
                ),
                ("a database, its metrics level", database([93.0; 30]), Stand::Holds),
                (
                    "a database, one of its metrics moves",
                    database(std::array::from_fn(|n| 90.0 + 14.0 * n as f64)),
                    Stand::RuledOut,
                ),
                ("processor high", hot(), Stand::RuledOut),
                ("requests fail", Incident::healthy().errors_from(12, 90.0), Stand::RuledOut),
                ("a container loops", Incident::healthy().crash_loop("waiting: CrashLoopBackOff"), Stand::RuledOut),
                ("errors in the logs", Incident::healthy().signs(&[], 900), Stand::RuledOut),
                (
                    "memory could not be read",
                    Incident::healthy().without(Question::Memory),
                    Stand::Waits(Question::Memory),
                ),
                (
                    "cluster could not be read",
                    Incident::healthy().without(Question::Workload),
                    Stand::Waits(Question::Workload),
                ),
                (
                    "nothing was asked",
                    Question::ALL.into_iter().fold(Incident::healthy(), Incident::never_asked),
                    Stand::Waits(Question::Workload),
                ),
            ],
        );
    }
}
