//! Flapping alarm: the series goes over its threshold and comes back, again and again and never far, and nothing suffers.

use super::case::{Case, Need, Outcome};
use super::reading::Reading;
use super::shared;
use crate::domain::diagnosis::evidence::{Question, number};
use crate::domain::diagnosis::statistics::DaysBefore;
use crate::domain::diagnosis::verdict::Cause;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::FlappingAlarm)
        .test(Question::AlarmMetric, 0.4, Need::Essential, flaps(reading))
        .test(Question::AlarmMetric, 0.15, Need::Essential, near(reading))
        .test(Question::Errors, 0.15, Need::Excluding, shared::requests_are_well(reading))
        .test(Question::Memory, 0.1, Need::Excluding, shared::memory_does_not_grow(reading))
        .test(Question::OomKills, 0.1, Need::Excluding, shared::nothing_was_killed(reading))
        .test(Question::Traffic, 0.1, Need::Excluding, shared::traffic_is_normal(reading))
        .test(Question::Workload, 0.1, Need::Excluding, shared::pods_are_ready(reading))
        .test(Question::AlarmMetric, 0.1, Need::Helpful, hours(reading))
        .test(Question::Changes, 0.05, Need::Helpful, shared::no_rollout_before(reading))
}

fn flaps(reading: &Reading) -> Outcome {
    let Some(alarmed) = &reading.alarmed else {
        // A metric that was read and that no constant threshold watches has nothing to flap around.
        return match &reading.own {
            Some(own) => Outcome::Against("no constant threshold watches it".to_owned(), vec![own.id]),
            None => Outcome::Open,
        };
    };
    let over = if alarmed.bound.is_ceiling() { "over" } else { "under" };
    let times = if alarmed.crossings == 1 { "once".to_owned() } else { format!("{} times", alarmed.crossings) };
    let text = format!("it went {over} {} {times}", number(alarmed.bound.value));
    if alarmed.flaps() { Outcome::For(text, vec![alarmed.id]) } else { Outcome::Against(text, vec![alarmed.id]) }
}

fn near(reading: &Reading) -> Outcome {
    let Some(alarmed) = &reading.alarmed else { return Outcome::Open };
    let text = format!("at most {}% beyond the threshold", number((alarmed.excess * 100.0).min(1_000.0).round()));
    if alarmed.stays_near() { Outcome::For(text, vec![alarmed.id]) } else { Outcome::Against(text, vec![alarmed.id]) }
}

/// A threshold that the usual level of the hour meets is set where nothing is wrong.
fn hours(reading: &Reading) -> Outcome {
    let Some(alarmed) = &reading.alarmed else { return Outcome::Moot };
    match reading.days_before(alarmed.question) {
        Some(DaysBefore::Known(hours)) => {
            let words = shared::days_words(hours);
            if hours.is_usual() {
                return Outcome::For(format!("its level is the usual one at these hours ({words})"), vec![alarmed.id]);
            }
            Outcome::Against(format!("its level is not that of other days at these hours ({words})"), vec![alarmed.id])
        }
        Some(DaysBefore::Unread { .. }) => Outcome::Open,
        Some(DaysBefore::TooFew) | None => Outcome::Moot,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, Stand, table};
    use super::*;

    #[test]
    fn an_alarm_that_flaps_is_told_from_one_that_stays() {
        let flapping = || Incident::healthy().cpu((0..30).map(|n| if n % 5 < 2 { 87.5 } else { 82.0 }));
        let doubled = || (0..30).map(|n| if n < 10 { 1_240.0 } else { 2_480.0 });
        table(
            weigh,
            &[
                ("to and fro at the threshold", flapping(), Stand::Holds),
                ("at the level of other days", flapping().usually(Question::Cpu, 83.0), Stand::Holds),
                (
                    "its requests rise every day",
                    flapping().traffic(doubled()).usually(Question::Traffic, 2_480.0),
                    Stand::Holds,
                ),
                (
                    "its requests rise today",
                    flapping().traffic(doubled()).usually(Question::Traffic, 1_240.0),
                    Stand::RuledOut,
                ),
                ("without traffic's metric", flapping().never_asked(Question::Traffic), Stand::Holds),
                ("steady above", Incident::healthy().cpu([97.0; 30]), Stand::RuledOut),
                ("below throughout", Incident::healthy(), Stand::RuledOut),
                (
                    "far beyond",
                    Incident::healthy().cpu((0..30).map(|n| if n % 5 < 2 { 99.5 } else { 40.0 })),
                    Stand::RuledOut,
                ),
                ("requests fail", flapping().errors_from(12, 90.0), Stand::RuledOut),
                ("killed", flapping().kills(2), Stand::RuledOut),
                ("no threshold", Incident::healthy().never_asked(Question::Cpu).own([7.0; 30]), Stand::RuledOut),
                (
                    "no series of the alarm",
                    Incident::healthy().never_asked(Question::Cpu),
                    Stand::Waits(Question::AlarmMetric),
                ),
            ],
        );
    }
}
