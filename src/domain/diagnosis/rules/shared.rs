//! Tests that several causes share, each worded once.

use jiff::SignedDuration;

use super::case::Outcome;
use super::reading::{Level, Reading};
use crate::domain::diagnosis::evidence::{EvidenceId, number};
use crate::domain::diagnosis::statistics::{Onset, lead_minutes};
use crate::domain::observation::workload::Revision;

/// Requests up to so many times the level before are normal.
pub(super) const NORMAL: f64 = 1.5;
/// From so many times on, requests have surged.
pub(super) const SURGE: f64 = 2.0;
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
