//! Numbers that lie between two pieces of evidence: leads of one rise over another. Claims may name them too.

use jiff::Timestamp;

use super::reading::Reading;
use super::shared;
use crate::domain::diagnosis::evidence::{Evidence, EvidenceId, Fact, FactUnit};

/// A rollout that came right before the trouble.
#[derive(Clone, Debug, PartialEq)]
pub struct SuspectRollout {
    /// The revision it brought.
    pub revision: i64,
    /// Whole minutes from it to the first sign of trouble.
    pub minutes: i64,
    /// The revision before it, where there is one to go back to.
    pub previous: Option<i64>,
}

/// The rollout that the onset follows, if any.
pub fn suspect_rollout(evidence: &[Evidence]) -> Option<SuspectRollout> {
    let reading = Reading::of(evidence, Timestamp::MAX);
    let (revision, minutes) = shared::suspect_rollout(&reading)?;
    let revisions = &reading.changes.as_ref()?.revisions;
    let previous = revisions.iter().map(|other| other.number).filter(|number| *number < revision.number).max();
    Some(SuspectRollout { revision: revision.number, minutes, previous })
}

/// The leads, each with the evidence it lies between, in minutes without sign.
pub fn relations(evidence: &[Evidence]) -> Vec<(Fact, Vec<EvidenceId>)> {
    let reading = Reading::of(evidence, Timestamp::MAX);
    let mut found = Vec::new();
    let mut push = |name: &str, minutes: i64, ids: Vec<EvidenceId>| {
        found.push((Fact::new(name, minutes.unsigned_abs() as f64, FactUnit::Minutes), ids));
    };
    if let Some((minutes, ids)) = shared::collector_leads(&reading) {
        push("collector-before-cpu", minutes, ids);
    }
    if let (Some(traffic), Some(cpu)) = (&reading.traffic, &reading.cpu)
        && let Some(minutes) = shared::lead(traffic.onset, cpu.onset)
    {
        push("traffic-before-cpu", minutes, vec![traffic.id, cpu.id]);
    }
    if let (Some(memory), Some(cpu)) = (&reading.memory, &reading.cpu)
        && let Some(minutes) = shared::lead(memory.onset, cpu.onset)
    {
        push("memory-before-cpu", minutes, vec![memory.id, cpu.id]);
    }
    if let (Some((_, minutes)), Some(changes)) = (shared::suspect_rollout(&reading), &reading.changes) {
        push("rollout-before-onset", minutes, vec![changes.id]);
    }
    found
}
