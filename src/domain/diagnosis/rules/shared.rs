//! Tests that several causes share, each worded once.

use jiff::SignedDuration;

use super::case::Outcome;
use super::reading::{Cpu, Level, Logs, Reading};
use crate::domain::diagnosis::evidence::{EvidenceId, Question, number};
use crate::domain::diagnosis::statistics::{Onset, Shape, lead_minutes};
use crate::domain::observation::change::Change;
use crate::domain::observation::cluster_sign::Trouble;
use crate::domain::observation::log_sign::LogSign;
use crate::domain::observation::workload::Revision;

/// Requests up to so many times the level before are normal.
pub(super) const NORMAL: f64 = 1.5;
/// From so many times on, requests have surged.
pub(super) const SURGE: f64 = 2.0;
/// Fewer lines of a sign are a hiccup, unless there are hardly any lines.
const LINES: u64 = 5;
const FEW: u64 = 2;
/// A rollout so long before the first sign of trouble may have caused it.
const AFTERMATH: SignedDuration = SignedDuration::from_mins(30);
/// The onset may be dated early by noise, or the replica set late.
const SLACK: SignedDuration = SignedDuration::from_mins(2);

pub(super) fn times(level: &Level) -> String {
    format!("{}, {} before and {} now", level.ratio.words(), number(level.ratio.before), number(level.ratio.now))
}

/// Supports when requests are as before.
pub(super) fn traffic_is_normal(reading: &Reading) -> Outcome {
    let Some(traffic) = &reading.traffic else { return Outcome::Open };
    let ids = vec![traffic.id];
    if traffic.ratio.times < NORMAL {
        Outcome::For(format!("requests did not rise ({})", times(traffic)), ids)
    } else if traffic.ratio.times >= SURGE {
        Outcome::Against(format!("requests rose ({})", times(traffic)), ids)
    } else {
        Outcome::Open
    }
}

/// Supports when no container was killed, and that is sure.
pub(super) fn nothing_was_killed(reading: &Reading) -> Outcome {
    match &reading.kills {
        Some(kills) if kills.total > 0 => Outcome::Against(format!("{} OOM kills", kills.total), vec![kills.id]),
        Some(kills) if kills.sure => Outcome::For("no OOM kill in the window".to_owned(), vec![kills.id]),
        Some(_) | None => Outcome::Open,
    }
}

/// Supports when the newest rollout is well away from the first sign of trouble.
pub(super) fn no_rollout_before(reading: &Reading) -> Outcome {
    let Some(changes) = &reading.changes else { return Outcome::Open };
    match suspect_rollout(reading) {
        Some((revision, minutes)) => Outcome::Against(
            format!("revision {} came {minutes} min before the onset", revision.number),
            vec![changes.id],
        ),
        None => Outcome::For("no rollout in the half hour before the onset".to_owned(), vec![changes.id]),
    }
}

/// The rollout that came right before the first sign of trouble, with the minutes between.
pub(super) fn suspect_rollout(reading: &Reading) -> Option<(&Revision, i64)> {
    let trouble = reading.trouble()?;
    let revisions = &reading.changes.as_ref()?.revisions;
    revisions.iter().rev().find_map(|revision| {
        let before = trouble.duration_since(revision.created_at?);
        (-SLACK <= before && before <= AFTERMATH).then(|| (revision, before.as_mins().max(0)))
    })
}

/// The change beside rollouts that came last before the first sign of trouble, with the minutes between.
pub(super) fn suspect_change(reading: &Reading) -> Option<(&Change, i64)> {
    let trouble = reading.trouble()?;
    let others = &reading.changes.as_ref()?.others;
    others.iter().rev().find_map(|change| {
        let before = trouble.duration_since(change.at?);
        (-SLACK <= before && before <= AFTERMATH).then(|| (change, before.as_mins().max(0)))
    })
}

/// The lead of one rise over another, in whole minutes, where both rose.
pub(super) fn lead(first: Option<Onset>, second: Option<Onset>) -> Option<i64> {
    let rising = |onset: &Onset| onset.after > onset.before;
    let (first, second) = (first.filter(rising)?, second.filter(rising)?);
    Some(lead_minutes(&first, &second).round() as i64)
}

/// The rise of the collector over the processor: the sentence that makes the processor a secondary effect.
pub(super) fn collector_leads(reading: &Reading) -> Option<(i64, Vec<EvidenceId>)> {
    let (collector, cpu) = (reading.collector.as_ref()?, reading.cpu.as_ref()?);
    let minutes = lead(collector.time.as_ref()?.onset, cpu.onset)?;
    Some((minutes, vec![collector.id, cpu.id]))
}

/// Whether the collector's time is out of the ordinary: a fifth of all time, or three times as much as before and a tenth.
pub(super) fn collector_works_hard(time: &Level) -> bool {
    time.ratio.now >= 20.0 || (time.ratio.times >= 3.0 && time.ratio.now >= 10.0)
}

/// Supports when memory keeps its level; against it when memory grows or stands at the limit.
pub(super) fn memory_does_not_grow(reading: &Reading) -> Outcome {
    let Some(memory) = &reading.memory else { return Outcome::Open };
    let (peak, ids) = (number(memory.shape.peak), vec![memory.id]);
    match memory.shape.shape {
        Shape::Rising | Shape::RisingInEachLife => Outcome::Against("memory grows".to_owned(), ids),
        Shape::AtTheBrim => Outcome::Against(format!("memory stands at its limit (peak {peak}%)"), ids),
        Shape::Flat | Shape::Falling => Outcome::For(format!("memory does not grow (peak {peak}%)"), ids),
        Shape::Unclear => Outcome::Open,
    }
}

/// Whether the processor is high now. One that comes back below its threshold each time is not: its alarm flaps.
pub(super) fn cpu_is_high(reading: &Reading) -> bool {
    let flaps = reading
        .alarmed
        .as_ref()
        .is_some_and(|alarmed| alarmed.question == Question::Cpu && alarmed.flaps() && alarmed.stays_near());
    !flaps && reading.cpu.as_ref().is_some_and(Cpu::is_high)
}

/// What requests feel: supports when failures or response times rose, against it when both are known not to have.
/// `None` where neither was read.
pub(super) fn requests_suffer(reading: &Reading) -> Option<Outcome> {
    let (errors, latency) = (reading.errors.as_ref(), reading.latency.as_ref());
    if let Some(errors) = errors.filter(|errors| errors.errors_rose()) {
        return Some(Outcome::For(format!("failed requests rose ({})", times(errors)), vec![errors.id]));
    }
    if let Some(latency) = latency.filter(|latency| latency.latency_rose()) {
        return Some(Outcome::For(format!("answers take longer ({})", times(latency)), vec![latency.id]));
    }
    let ids: Vec<EvidenceId> = errors.iter().chain(latency.iter()).map(|level| level.id).collect();
    // Half of the answer is none: answers in time may be failures, and what was asked and is missing may be what suffers.
    let unread = |read: Option<&Level>, question| read.is_none() && reading.was_asked(question);
    if errors.is_none() || unread(latency, Question::Latency) {
        return (!ids.is_empty()).then_some(Outcome::Open);
    }
    (!ids.is_empty()).then(|| Outcome::Against("requests do not suffer".to_owned(), ids))
}

/// Which of the two that requests feel is asked and not answered; failures where both are, or none.
pub(super) fn unfelt(reading: &Reading) -> Question {
    let missing = |question| reading.was_asked(question) && !reading.has(question);
    if !missing(Question::Errors) && missing(Question::Latency) { Question::Latency } else { Question::Errors }
}

/// The same from the other side: supports when requests do not suffer.
pub(super) fn requests_are_well(reading: &Reading) -> Outcome {
    match requests_suffer(reading) {
        Some(Outcome::For(text, ids)) => Outcome::Against(text, ids),
        Some(Outcome::Against(text, ids)) => Outcome::For(text, ids),
        Some(outcome @ (Outcome::Open | Outcome::Moot)) => outcome,
        None => Outcome::Open,
    }
}

/// Supports when every pod that is wanted is ready.
pub(super) fn pods_are_ready(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    let text = format!("{} of {} pods are ready", place.workload.ready, place.workload.replicas);
    if place.is_whole() { Outcome::For(text, vec![place.id]) } else { Outcome::Against(text, vec![place.id]) }
}

/// Supports when every container that is wanted comes up and stays.
pub(super) fn containers_come_up(reading: &Reading) -> Outcome {
    let Some(place) = &reading.workload else { return Outcome::Open };
    match place.stuck().first() {
        Some(first) => Outcome::Against(format!("{} does not come up ({})", first.name, first.state), vec![place.id]),
        None => Outcome::For("every container came up".to_owned(), vec![place.id]),
    }
}

/// What tells that containers are killed before they could serve: too fast for a leak, whatever the traffic.
pub(super) fn killed_at_start(reading: &Reading) -> Option<(String, Vec<EvidenceId>)> {
    let place = reading.workload.as_ref()?;
    if let Some(sign) = place.sign(Trouble::LimitTooSmall) {
        return Some((format!("{} ({})", sign.trouble.words(), sign.text), vec![place.id]));
    }
    if let Some(life) = place.killed_at_start() {
        return Some((
            format!("containers are killed within {} s of each start", life.as_secs().max(1)),
            vec![place.id],
        ));
    }
    let restarts = place.killed_and_backed_off().filter(|_| !reading.was_asked(Question::Memory))?;
    let text =
        format!("containers were killed for their memory {restarts} times, each time within minutes of the start");
    Some((text, vec![place.id]))
}

/// Lines of a sign that count: so many, or, of an export of a few lines, two and no small part of them.
pub(super) fn tell_of(logs: &Logs, sign: LogSign) -> Option<u64> {
    let lines = logs.sign(sign).map_or(0, |count| count.lines);
    let many = lines >= LINES && lines * 5 >= logs.errors;
    let of_few = lines >= FEW && lines * 2 >= logs.errors && lines * 5 >= logs.lines;
    (many || of_few).then_some(lines)
}
