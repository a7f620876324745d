//! What was given to a workload so lately that nobody knows yet what comes of it, whoever gave it.

use jiff::{SignedDuration, Timestamp};

use crate::domain::diagnosis::evidence::{Evidence, Payload};
use crate::domain::observation::change::FieldChange;
use crate::domain::observation::workload::{Revision, Workload};

/// What is so young and did not help forbids the next of its kind.
pub(super) const RECENT: SignedDuration = SignedDuration::from_mins(30);

/// A memory limit that was raised lately.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Raise {
    /// By which revision.
    pub(super) revision: i64,
    /// So many minutes ago.
    pub(super) minutes: i64,
    /// `512Mi -> 768Mi`.
    pub(super) words: String,
    /// Whether the revision changed nothing but resources.
    pub(super) alone: bool,
}

/// The newest raise of a memory limit that still holds, by the revisions of the evidence: what was taken back since was given
/// to nobody who runs.
pub(super) fn raise(evidence: &[Evidence], workload: &Workload, now: Timestamp) -> Option<Raise> {
    let revisions = evidence.iter().find_map(|piece| match piece.answer.payload()? {
        Payload::Changes { revisions, .. } => Some(revisions),
        Payload::Series { .. }
        | Payload::OomKills(_)
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Workload { .. } => None,
    })?;
    let newest = revisions.iter().filter_map(|revision| raised_by(revision, workload, now));
    newest.max_by_key(|raise| raise.revision)
}

fn raised_by(revision: &Revision, workload: &Workload, now: Timestamp) -> Option<Raise> {
    let minutes = minutes_since(revision.created_at?, now)?;
    let words = revision.changed.iter().filter(|change| holds(change, workload)).find_map(raised)?;
    let alone = revision.changed.iter().all(|change| change.field.contains(".resources."));
    Some(Raise { revision: revision.number, minutes, words, alone })
}

fn raised(change: &FieldChange) -> Option<String> {
    let (before, after) = (change.before.as_ref()?, change.after.as_ref()?);
    let is_raise = change.field.ends_with(".resources.limits.memory") && bytes(after)? > bytes(before)?;
    is_raise.then(|| format!("{before} -> {after}"))
}

/// Whether a container's limit is what a change made of it.
fn holds(change: &FieldChange, workload: &Workload) -> bool {
    let name = change.field.strip_prefix("containers.").and_then(|rest| rest.split('.').next());
    let found = workload.containers.iter().find(|container| Some(container.name.as_str()) == name);
    let limit = found.and_then(|container| container.memory_limit);
    limit.zip(change.after.as_deref().and_then(bytes)).is_some_and(|(limit, after)| (limit as f64 - after).abs() < 1.0)
}

/// When somebody set the number of replicas lately, in minutes, and who.
pub(super) fn scaled(workload: &Workload, now: Timestamp) -> Option<(i64, &str)> {
    let scaled = workload.scaled.as_ref()?;
    Some((minutes_since(scaled.at, now)?, &scaled.by))
}

/// Whole minutes since what is recent. A time to come is of a clock ahead of ours.
pub(super) fn minutes_since(at: Timestamp, now: Timestamp) -> Option<i64> {
    let ago = now.duration_since(at);
    (ago.abs() < RECENT).then(|| ago.as_mins().max(0))
}

/// A quantity of memory, in bytes.
fn bytes(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 9] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("", 1.0),
    ];
    let (number, size) = UNITS.iter().find_map(|(unit, size)| Some((text.strip_suffix(unit)?, size)))?;
    number.parse::<f64>().ok().map(|number| number * size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_raised_where_it_is_more_than_before() {
        let limit = "containers.app.resources.limits.memory";
        for (field, before, after, expected) in [
            (limit, Some("512Mi"), Some("768Mi"), true),
            (limit, Some("900M"), Some("1Gi"), true),
            (limit, Some("1Gi"), Some("768Mi"), false),
            (limit, None, Some("768Mi"), false),
            (limit, Some("512Mi"), None, false),
            (limit, Some("much"), Some("more"), false),
            ("containers.app.resources.requests.memory", Some("512Mi"), Some("768Mi"), false),
        ] {
            let [before, after] = [before, after].map(|value| value.map(str::to_owned));
            let change = FieldChange { field: field.to_owned(), before, after };
            assert_eq!(raised(&change).is_some(), expected, "{change:?}");
        }
    }
}
