//! Dependency failing or slow: errors or response times rise, the logs name what does not answer, and the service itself
//! has processor, memory and traffic as usual.

use std::collections::BTreeMap;

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared;
use crate::domain::count::counted;
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::observation::log_sign::{LogSign, sign, whom};

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::DependencyFailing)
        .called(called(reading))
        .test(Question::LogPatterns, 0.4, Need::Essential, named(reading))
        .test(shared::unfelt(reading), 0.2, Need::Essential, hurt(reading))
        .test(Question::Cpu, 0.1, Need::Helpful, cpu(reading))
        .test(Question::Memory, 0.1, Need::Excluding, shared::memory_does_not_grow(reading))
        .test(Question::OomKills, 0.05, Need::Excluding, shared::nothing_was_killed(reading))
        .test(Question::Traffic, 0.1, Need::Excluding, shared::traffic_is_no_reason(reading))
        .test(Question::Changes, 0.1, Need::Helpful, shared::no_rollout_before(reading))
}

/// With the name of what fails: who is to be called is the one thing to know.
fn called(reading: &Reading) -> Option<String> {
    let logs = reading.logs.as_ref().filter(|logs| shared::tell_of(logs, LogSign::Dependency).is_some())?;
    let loud = logs.loud.iter().filter(|template| sign(&template.example, template.level) == Some(LogSign::Dependency));
    let mut named: BTreeMap<&str, u64> = BTreeMap::new();
    for template in loud {
        if let Some(host) = whom(&template.example) {
            *named.entry(host).or_default() += template.count;
        }
    }
    let most = named.into_iter().max_by_key(|(_, lines)| *lines).map(|(host, _)| host);
    let host = most.or_else(|| whom(&logs.sign(LogSign::Dependency)?.example))?;
    Some(format!("{}: {host}", Cause::DependencyFailing.words()))
}

/// The logs name a dependency: often, and in no small part of their errors.
fn named(reading: &Reading) -> Outcome {
    let Some(logs) = &reading.logs else { return Outcome::Open };
    let ids = vec![logs.id];
    if let Some(lines) = shared::tell_of(logs, LogSign::Dependency) {
        return Outcome::For(
            format!("{} a dependency that fails or does not answer", shared::lines(lines, ["names", "name"])),
            ids,
        );
    }
    let lines = logs.sign(LogSign::Dependency).map_or(0, |count| count.lines);
    Outcome::Against(
        format!("hardly any of {} names a failing dependency ({lines})", counted(logs.lines, "log line")),
        ids,
    )
}

/// Requests suffer: by the metrics, or, where there are none, by the errors in the logs. Containers that do not come up
/// for it serve no request.
fn hurt(reading: &Reading) -> Outcome {
    if let Outcome::Against(text, ids) = shared::containers_come_up(reading) {
        return Outcome::For(text, ids);
    }
    match shared::requests_suffer(reading) {
        Some(outcome @ (Outcome::For(..) | Outcome::Against(..) | Outcome::Moot)) => return outcome,
        Some(Outcome::Open) | None => {}
    }
    let missing = |question: &Question| reading.was_asked(*question) && !reading.has(*question);
    let unread = [Question::Errors, Question::Latency].iter().any(missing);
    match &reading.logs {
        Some(logs) if !unread && shared::tell_of(logs, LogSign::Dependency).is_some() && logs.errors > 0 => {
            Outcome::For(format!("{} in the logs", counted(logs.errors, "error")), vec![logs.id])
        }
        Some(_) | None => Outcome::Open,
    }
}

/// A process that waits for another does not compute.
fn cpu(reading: &Reading) -> Outcome {
    let Some(cpu) = &reading.cpu else { return Outcome::Open };
    let text = format!("CPU is at {}% (peak {}%)", number(cpu.latest), number(cpu.peak));
    if cpu.is_high() { Outcome::Against(text, vec![cpu.id]) } else { Outcome::For(text, vec![cpu.id]) }
}

#[cfg(test)]
mod tests {
    use super::super::judge;
    use super::super::tests::fixture::{Incident, Stand, table};
    use super::*;
    use crate::domain::diagnosis::rules::tests::fixture::now;

    #[test]
    fn it_is_called_by_what_fails() {
        let of = |incident: Incident| judge(&incident.evidence(), now()).words().to_owned();
        assert_eq!(of(failing()), "dependency failing", "no line says whom");
        let saying = failing().saying("POST http://ledger.payments.svc/v1: connection refused");
        assert_eq!(of(saying), "dependency failing: ledger.payments.svc");
    }

    fn failing() -> Incident {
        Incident::healthy().errors_from(12, 90.0).signs(&[(LogSign::Dependency, 240)], 250)
    }

    #[test]
    fn a_failing_dependency_is_told_from_what_fails_here() {
        let slow = Incident::healthy().latency_from(12, 2.4).signs(&[(LogSign::Dependency, 31)], 40);
        let only_logs = Incident::healthy().signs(&[(LogSign::Dependency, 31)], 31);
        let only_logs = [Question::Errors, Question::Latency, Question::Cpu, Question::Memory, Question::Traffic]
            .into_iter()
            .fold(only_logs, Incident::never_asked);
        let surge = failing().traffic((0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 }));
        table(
            weigh,
            &[
                ("errors rise and the logs name it", failing(), Stand::Holds),
                ("slow", slow, Stand::Holds),
                ("logs alone, where there are no metrics", only_logs, Stand::Holds),
                ("processor high as well", failing().cpu([97.0; 30]), Stand::Holds),
                (
                    "a few lines were exported",
                    Question::ALL
                        .into_iter()
                        .filter(|question| *question != Question::LogPatterns)
                        .fold(Incident::healthy().few_lines(5, &[(LogSign::Dependency, 2)], 3), Incident::never_asked),
                    Stand::Holds,
                ),
                (
                    "containers end for it",
                    Incident::healthy().last_end("Error", 1).signs(&[(LogSign::Dependency, 60)], 70),
                    Stand::Holds,
                ),
                ("harmless rollout", failing().rollout(6), Stand::Holds),
                (
                    "hardly any line",
                    Incident::healthy().errors_from(12, 90.0).signs(&[(LogSign::Dependency, 2)], 90),
                    Stand::RuledOut,
                ),
                (
                    "a small part of the errors",
                    Incident::healthy().errors_from(12, 90.0).signs(&[(LogSign::Dependency, 9)], 900),
                    Stand::RuledOut,
                ),
                ("nothing suffers", Incident::healthy().signs(&[(LogSign::Dependency, 31)], 31), Stand::RuledOut),
                ("memory grows", failing().memory((0..30).map(|n| 20.0 + 2.5 * f64::from(n))), Stand::RuledOut),
                ("requests rise", surge, Stand::RuledOut),
                (
                    "requests rise after they failed",
                    failing().traffic((0..30).map(|n| if n >= 18 { 3_400.0 } else { 1_240.0 })),
                    Stand::Holds,
                ),
                ("no logs", failing().without(Question::LogPatterns), Stand::Waits(Question::LogPatterns)),
                (
                    "no metrics",
                    failing().without(Question::Errors).without(Question::Latency),
                    Stand::Waits(Question::Errors),
                ),
            ],
        );
    }
}
