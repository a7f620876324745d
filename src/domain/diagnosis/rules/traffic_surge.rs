//! Traffic surge: requests rise first, the processor follows, memory stays calm. Whether it is a flood or growth is told
//! apart by how it came and by whether requests are turned away; it decides whether more replicas may be offered.

use super::case::{Case, Need, Outcome};
use super::reading::{Level, Reading};
use super::shared::{self, Order, SURGE, days_words, times};
use crate::domain::diagnosis::evidence::{Evidence, Question, number};
use crate::domain::diagnosis::statistics::DaysBefore;
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::observation::log_sign::LogSign;

/// From so many times on within a few minutes, people and campaigns are unlikely to be the reason.
const FLOOD: f64 = 4.0;
/// Minutes in which a flood is at its height.
const SUDDEN: i64 = 6;
/// Lines of requests turned away that count as a sign.
const TURNED_AWAY: u64 = 20;

pub(super) fn weigh(reading: &Reading) -> Case {
    Case::new(Cause::TrafficSurge)
        .test(Question::Traffic, 0.4, Need::Essential, surge(reading))
        .test(Question::Cpu, 0.2, Need::Helpful, order(reading))
        .test(Question::Memory, 0.2, Need::Essential, memory(reading))
        .test(Question::OomKills, 0.1, Need::Helpful, shared::nothing_was_killed(reading))
        .test(Question::Traffic, 0.2, Need::Excluding, hours(reading))
        .test(Question::Traffic, 0.05, Need::Helpful, kind(reading))
        .test(Question::Changes, 0.05, Need::Helpful, shared::no_rollout_before(reading))
        .test(shared::unfelt(reading), 0.1, Need::Excluding, came_first(reading))
        .test(Question::LogPatterns, 0.1, Need::Excluding, no_dependency(reading))
}

fn surge(reading: &Reading) -> Outcome {
    let Some(traffic) = &reading.traffic else { return Outcome::Open };
    let ids = vec![traffic.id];
    if traffic.ratio.times >= SURGE {
        return Outcome::For(format!("requests rose {}", times(traffic)), ids);
    }
    match shared::traffic_did_not_rise(reading) {
        Outcome::For(text, ids) => Outcome::Against(text, ids),
        Outcome::Against(..) | Outcome::Open | Outcome::Moot => Outcome::Open,
    }
}

/// What comes at this hour of every day is no surge.
fn hours(reading: &Reading) -> Outcome {
    let Some(traffic) = reading.traffic.as_ref().filter(|traffic| traffic.ratio.times >= SURGE) else {
        return Outcome::Moot;
    };
    match reading.days_before(Question::Traffic) {
        Some(DaysBefore::Known(hours)) => {
            let words = days_words(hours);
            if hours.is_usual() {
                return Outcome::Against(format!("requests are as at these hours ({words})"), vec![traffic.id]);
            }
            Outcome::For(format!("requests are unlike these hours of other days ({words})"), vec![traffic.id])
        }
        Some(DaysBefore::Unread { .. }) => Outcome::Open,
        Some(DaysBefore::TooFew) | None => Outcome::Moot,
    }
}

fn order(reading: &Reading) -> Outcome {
    let (Some(traffic), Some(cpu)) = (&reading.traffic, &reading.cpu) else { return Outcome::Open };
    let ids = vec![traffic.id, cpu.id];
    match shared::order(traffic.onset, cpu.onset) {
        Some(Order::First(minutes)) => Outcome::For(format!("requests rise {minutes} min before CPU"), ids),
        Some(Order::Second(minutes)) => Outcome::Against(format!("requests rise {minutes} min after CPU"), ids),
        Some(Order::Together(_)) => {
            Outcome::For("requests and CPU rise together, as far as it can be told".to_owned(), ids)
        }
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

/// What fails before more is asked is no matter of how much is asked: its callers try again.
fn came_first(reading: &Reading) -> Outcome {
    if let Some((text, ids)) = shared::retried(reading) {
        return Outcome::Against(text, ids);
    }
    if reading.traffic.as_ref().is_none_or(|traffic| traffic.ratio.times < SURGE) {
        return Outcome::Moot;
    }
    let withheld = [Question::Errors, Question::Latency].into_iter().any(|question| reading.is_withheld(question));
    if withheld || shared::perhaps_retried(reading) { Outcome::Open } else { Outcome::Moot }
}

/// Calls to what fails are made again and again: more replicas make more of them.
fn no_dependency(reading: &Reading) -> Outcome {
    let Some(logs) = &reading.logs else {
        return if reading.is_withheld(Question::LogPatterns) { Outcome::Open } else { Outcome::Moot };
    };
    match shared::tell_of(logs, LogSign::Dependency) {
        Some(lines) => {
            Outcome::Against(format!("{} a failing dependency", shared::lines(lines, ["names", "name"])), vec![logs.id])
        }
        None => Outcome::Moot,
    }
}

fn kind(reading: &Reading) -> Outcome {
    let Some(traffic) = reading.traffic.as_ref().filter(|traffic| traffic.ratio.times >= SURGE) else {
        return Outcome::Moot;
    };
    let ids = vec![traffic.id];
    match came(reading, traffic) {
        Came::AsFlood(why) => Outcome::For(format!("it has signs of a flood: {why}"), ids),
        Came::AtOnce => Outcome::For("it came within minutes: whether it is wanted is not known".to_owned(), ids),
        Came::OverAWhile => Outcome::For("it grew over a while, as the usual traffic does".to_owned(), ids),
    }
}

/// How a surge came.
enum Came {
    /// With the signs of a flood or of abuse: a multiple within minutes, or requests turned away.
    AsFlood(String),
    /// Within minutes, or nobody knows in how many.
    AtOnce,
    /// Over more than that.
    OverAWhile,
}

fn came(reading: &Reading, traffic: &Level) -> Came {
    let turned_away = reading.logs.as_ref().and_then(|logs| logs.sign(LogSign::Flood)).map_or(0, |count| count.lines);
    if turned_away >= TURNED_AWAY {
        return Came::AsFlood(format!("{} of requests turned away", shared::lines(turned_away, ["tells", "tell"])));
    }
    // Half of the way after the first departure: a ramp that doubles the time to its middle is over.
    let climb = traffic.onset.map(|onset| onset.half_at.duration_since(onset.at).as_mins().abs() * 2);
    match climb {
        Some(minutes) if minutes > SUDDEN => Came::OverAWhile,
        Some(_) if traffic.ratio.times >= FLOOD => Came::AsFlood(format!("{} within minutes", traffic.ratio.words())),
        Some(_) | None => Came::AtOnce,
    }
}

/// Whether a surge grew without any sign of a flood, in logs that were read whole. `None` where traffic was not read or did
/// not surge.
pub fn grew_without_signs_of_a_flood(evidence: &[Evidence]) -> Option<bool> {
    let reading = Reading::of(evidence, jiff::Timestamp::MAX);
    let traffic = reading.traffic.as_ref().filter(|traffic| traffic.ratio.times >= SURGE)?;
    let whole = reading.logs.as_ref().is_some_and(|logs| logs.whole);
    Some(whole && matches!(came(&reading, traffic), Came::OverAWhile))
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::{Incident, Stand, table};
    use super::*;

    fn flood() -> Incident {
        let hot = (0..30).map(|n| if n >= 8 { 97.0 } else { 43.0 });
        Incident::healthy().cpu(hot).traffic((0..30).map(|n| if n >= 5 { 9_900.0 } else { 1_240.0 }))
    }

    fn climb() -> Incident {
        let ramp = |n: u32| 1_240.0 + 140.0 * f64::from(n.saturating_sub(11));
        Incident::healthy().traffic((0..30).map(ramp))
    }

    fn flood_late() -> Incident {
        Incident::healthy().traffic((0..30).map(|n| if n >= 14 { 3_400.0 } else { 1_240.0 }))
    }

    fn growth() -> Incident {
        let ramp = |from: f64, to: f64| (0..30).map(move |n| from + (to - from) * f64::from(n.min(26)) / 26.0);
        Incident::healthy().cpu(ramp(43.0, 92.0)).traffic(ramp(1_240.0, 3_400.0))
    }

    #[test]
    fn a_surge_is_told_from_traffic_as_usual() {
        let full = |n: u32| if n.is_multiple_of(9) { 62.0 } else { 98.5 };
        table(
            weigh,
            &[
                ("flood", flood(), Stand::Holds),
                ("growth", growth(), Stand::Holds),
                ("flood with failing requests", flood().errors_from(8, 400.0), Stand::Holds),
                ("a flood unlike other days", flood().usually(Question::Traffic, 1_200.0), Stand::Holds),
                ("other days could not be read", growth().days_unread(Question::Traffic), Stand::Holds),
                ("requests failed before more came", climb().errors_from(5, 900.0), Stand::RuledOut),
                ("answers took long before more came", flood_late().latency_from(8, 2.4), Stand::RuledOut),
                ("its logs name a dependency", growth().signs(&[(LogSign::Dependency, 240)], 250), Stand::RuledOut),
                ("as every day", growth().usually(Question::Traffic, 3_400.0), Stand::RuledOut),
                ("ordinary traffic", Incident::healthy().cpu([97.0; 30]), Stand::RuledOut),
                ("memory grows too", flood().memory((0..30).map(|n| 20.0 + 2.5 * f64::from(n))), Stand::RuledOut),
                ("memory at the limit", flood().memory((0..30).map(full)), Stand::Waits(Question::Memory)),
                (
                    "half as much again",
                    flood().traffic((0..30).map(|n| if n >= 5 { 2_100.0 } else { 1_240.0 })),
                    Stand::Waits(Question::Traffic),
                ),
                (
                    "requests turn up just now",
                    Incident::healthy().traffic((0..30).map(|n| if n >= 28 { 9_900.0 } else { 1_240.0 })),
                    Stand::Waits(Question::Traffic),
                ),
                ("no traffic", flood().without(Question::Traffic), Stand::Waits(Question::Traffic)),
                ("no memory", flood().without(Question::Memory), Stand::Waits(Question::Memory)),
            ],
        );
    }

    #[test]
    fn a_flood_is_told_from_growth() {
        let told = |incident: &Incident| grew_without_signs_of_a_flood(&incident.evidence());
        assert_eq!(told(&flood()), Some(false));
        assert_eq!(told(&growth()), Some(true));
        assert_eq!(told(&growth().signs(&[(LogSign::Flood, 300)], 300)), Some(false));
        assert_eq!(told(&growth().without(Question::LogPatterns)), Some(false));
        assert_eq!(told(&Incident::healthy()), None);
    }
}
