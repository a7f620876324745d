//! Nothing wrong: what was asked is in, and all of it is healthy. An answer that is missing leaves it open: health is never
//! concluded from silence. What nobody could ask (a service without such a metric) lowers the confidence instead.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared;
use crate::domain::count::counted;
use crate::domain::diagnosis::evidence::{EvidenceId, Question, number};
use crate::domain::diagnosis::statistics::SameHours;
use crate::domain::diagnosis::verdict::Cause;

/// Percent below which memory has room, whatever way it goes.
const ROOMY: f64 = 85.0;
/// Fewer errors in a window of logs are everyday life: this many among four times as many lines, or one line in fifty.
const EVERYDAY: u64 = 5;

pub(super) fn weigh(reading: &Reading) -> Case {
    let need = |question| if reading.was_asked(question) { Need::Essential } else { Need::Excluding };
    // Outside of a cluster nothing but logs tells of kills, and their silence is not sure.
    let counted = if reading.was_asked(Question::Workload) { need(Question::OomKills) } else { Need::Excluding };
    let felt = if shared::perhaps_they_suffer(reading) { Need::Essential } else { Need::Excluding };
    Case::new(Cause::NothingWrong)
        .test(Question::Workload, 0.2, Need::Essential, looked_at(reading))
        .test(Question::Cpu, 0.2, need(Question::Cpu), cpu(reading))
        .test(Question::Memory, 0.2, need(Question::Memory), memory(reading))
        .test(Question::OomKills, 0.2, counted, shared::nothing_was_killed(reading))
        .test(Question::Traffic, 0.2, need(Question::Traffic), traffic(reading))
        .test(Question::Workload, 0.2, need(Question::Workload), pods(reading))
        .test(Question::Errors, 0.1, felt, shared::requests_are_well(reading))
        .test(Question::LogPatterns, 0.1, Need::Excluding, logs(reading))
        .test(Question::AlarmMetric, 0.2, need(Question::AlarmMetric), alarm(reading))
        .test(Question::Traffic, 0.1, Need::Helpful, hours(reading))
        .test(Question::Changes, 0.05, Need::Helpful, shared::no_rollout_before(reading))
}

/// Of two things at least one was looked at: the cluster, or what users feel; of a thing that serves no requests, what
/// it is watched by.
fn looked_at(reading: &Reading) -> Outcome {
    let felt = reading.errors.is_some() || reading.latency.is_some() || reading.traffic.is_some();
    let felt = felt || reading.own.is_some();
    let placed = reading.workload.as_ref().is_some_and(|place| place.workload.replicas > 0);
    if placed || (felt && reading.cpu.is_some()) { Outcome::Moot } else { Outcome::Open }
}

fn cpu(reading: &Reading) -> Outcome {
    let Some(cpu) = &reading.cpu else { return Outcome::Open };
    if let Some(hours) = shared::daily_peak(reading) {
        return Outcome::For(format!("CPU is as at these hours ({})", shared::days_words(hours)), vec![cpu.id]);
    }
    let text = format!("CPU is at {}% (peak {}%)", number(cpu.latest), number(cpu.peak));
    if cpu.peak > cpu.high_from { Outcome::Against(text, vec![cpu.id]) } else { Outcome::For(text, vec![cpu.id]) }
}

fn memory(reading: &Reading) -> Outcome {
    let Some(memory) = &reading.memory else { return Outcome::Open };
    if let Some(hours) = reading.usual(Question::Memory).filter(|_| memory.shape.peak < ROOMY) {
        return Outcome::For(format!("memory is as at these hours ({})", shared::days_words(hours)), vec![memory.id]);
    }
    let text = format!("memory is at {}% (peak {}%)", number(memory.latest), number(memory.shape.peak));
    if memory.is_calm() { Outcome::For(text, vec![memory.id]) } else { Outcome::Against(text, vec![memory.id]) }
}

/// Requests as before, or as at these hours; where they stopped, something is wrong on the way to the service.
fn traffic(reading: &Reading) -> Outcome {
    let stopped = reading.traffic.as_ref().filter(|traffic| traffic.stopped().is_some());
    match stopped.filter(|_| reading.usual(Question::Traffic).is_none()) {
        Some(traffic) => Outcome::Against(format!("requests stopped ({})", shared::times(traffic)), vec![traffic.id]),
        None => shared::traffic_is_normal(reading),
    }
}

fn pods(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    if let Some(sign) = place.signs.first() {
        return Outcome::Against(format!("{} ({})", sign.trouble.words(), sign.text), vec![place.id]);
    }
    if let Some(first) = place.stuck().first() {
        return Outcome::Against(format!("{} does not come up ({})", first.name, first.state), vec![place.id]);
    }
    match shared::pods_are_ready(reading) {
        Outcome::For(..) if place.events_unread().is_some() => Outcome::Open,
        outcome @ (Outcome::For(..) | Outcome::Against(..) | Outcome::Open | Outcome::Moot) => outcome,
    }
}

fn logs(reading: &Reading) -> Outcome {
    let Some(logs) = &reading.logs else { return Outcome::Open };
    let text = format!("{} in {}", counted(logs.errors, "error"), counted(logs.lines, "log line"));
    let few = logs.errors <= EVERYDAY && logs.errors * 4 <= logs.lines;
    if few || logs.errors * 50 <= logs.lines {
        Outcome::For(text, vec![logs.id])
    } else {
        Outcome::Against(text, vec![logs.id])
    }
}

/// The hours of other days, where they are known: nothing is as healthy as what is as always.
fn hours(reading: &Reading) -> Outcome {
    let traffic = reading.traffic.as_ref().map(|traffic| (Question::Traffic, traffic.id));
    let cpu = reading.cpu.as_ref().map(|cpu| (Question::Cpu, cpu.id));
    let known = |(question, id)| Some((question, id, reading.days_before(question)?.known()?));
    let all: Vec<(Question, EvidenceId, &SameHours)> = [traffic, cpu].into_iter().flatten().filter_map(known).collect();
    match all.iter().find(|(_, _, hours)| !hours.is_usual()) {
        Some((question, id, hours)) => {
            let (word, words) = (question.word(), shared::days_words(hours));
            Outcome::Against(format!("{word} is not that of other days at these hours ({words})"), vec![*id])
        }
        None if all.is_empty() => Outcome::Moot,
        None => {
            let ids = all.iter().map(|(_, id, _)| *id).collect();
            Outcome::For("it is as at these hours of other days".to_owned(), ids)
        }
    }
}

fn alarm(reading: &Reading) -> Outcome {
    let watched = reading.alarmed.as_ref().map(|alarmed| (alarmed.id, alarmed.question));
    let usual = watched.and_then(|(id, question)| Some((id, reading.usual(question)?)));
    let well = matches!(shared::requests_are_well(reading), Outcome::For(..));
    if let Some((id, hours)) = usual.filter(|_| well) {
        let words = shared::days_words(hours);
        return Outcome::For(format!("the alarm's series is as at these hours ({words})"), vec![id]);
    }
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
    fn nothing_wrong_holds_where_all_is_read_and_well_alone() {
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
                (
                    "requests stopped",
                    Incident::healthy().traffic((0..30).map(|n| if n >= 18 { 0.0 } else { 1_240.0 })),
                    Stand::RuledOut,
                ),
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
                ("the events could not be read", Incident::healthy().events_unread(), Stand::Waits(Question::Workload)),
                (
                    "nothing was asked",
                    Question::ALL.into_iter().fold(Incident::healthy(), Incident::never_asked),
                    Stand::Waits(Question::Workload),
                ),
            ],
        );
    }

    #[test]
    fn cases_of_units_and_of_points_that_end() {
        table(
            weigh,
            &[
                (
                    "requests fail, in percent",
                    Incident::healthy().errors((0..30).map(|n| if n >= 10 { 3.0 } else { 0.2 })),
                    Stand::RuledOut,
                ),
                (
                    "requests fail more often, in what nobody knows",
                    Incident::healthy().errors((0..30).map(|n| if n >= 10 { 0.04 } else { 0.001 })),
                    Stand::Waits(Question::Errors),
                ),
                (
                    "requests ended a quarter of an hour ago",
                    Incident::healthy().traffic([1_240.0; 17]),
                    Stand::Waits(Question::Traffic),
                ),
                (
                    "memory grows slowly and steadily",
                    Incident::healthy().memory((0..30).map(|n| 40.0 + 0.3 * f64::from(n))),
                    Stand::RuledOut,
                ),
            ],
        );
    }

    #[test]
    fn cases_of_the_same_hours() {
        let peak = || Incident::healthy().cpu((0..30).map(|n| if n >= 8 { 88.0 } else { 43.0 }));
        let surge = || (0..30).map(|n| if n >= 6 { 3_700.0 } else { 1_240.0 });
        table(
            weigh,
            &[
                ("a peak that comes every day", peak().usually(Question::Cpu, 88.0), Stand::Holds),
                (
                    "a peak that comes every day, with its requests",
                    peak().traffic(surge()).usually(Question::Cpu, 88.0).usually(Question::Traffic, 3_700.0),
                    Stand::Holds,
                ),
                (
                    "a peak that comes every day, with its few failures of thousands",
                    peak()
                        .usually(Question::Cpu, 88.0)
                        .errors((0..30).map(|n| if n >= 12 { 4.0 } else { 0.0 }))
                        .traffic((0..30).map(|n| if n >= 12 { 3_480.0 } else { 1_240.0 }))
                        .usually(Question::Traffic, 3_480.0),
                    Stand::Holds,
                ),
                ("a peak unlike other days", peak().usually(Question::Cpu, 45.0), Stand::RuledOut),
                (
                    "a peak that comes every day and hurts today",
                    peak().usually(Question::Cpu, 88.0).errors_from(12, 90.0),
                    Stand::RuledOut,
                ),
                (
                    "a peak that comes every day, and nobody knows who suffers",
                    peak().usually(Question::Cpu, 88.0).without(Question::Errors),
                    Stand::RuledOut,
                ),
            ],
        );
    }
}
