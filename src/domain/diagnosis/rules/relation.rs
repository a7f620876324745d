//! Numbers that lie between two pieces of evidence: leads of one rise over another. Claims may name them too.

use jiff::Timestamp;

use super::reading::{self, Reading};
use super::shared;
use crate::domain::diagnosis::evidence::{Answer, Evidence, EvidenceId, Fact, FactUnit, Payload};
use crate::domain::diagnosis::statistics::{MemoryShape, Shape};
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::observation::change::{ChangeKind, fields_in_words};
use crate::domain::observation::cluster_sign::Trouble;
use crate::domain::observation::metric::Series;
use crate::domain::observation::workload::{Revision, Workload};

/// A rollout that came right before the trouble.
#[derive(Clone, Debug, PartialEq)]
pub struct SuspectRollout {
    /// The revision it brought.
    pub revision: i64,
    /// Whole minutes from it to the first sign of trouble.
    pub minutes: i64,
    /// The revision that ran before it, by its present number, where there is one to go back to.
    pub previous: Option<i64>,
    /// The revision that runs in its place, where it was rolled back already.
    pub rolled_back_to: Option<i64>,
    /// Whether it runs other images than the one before.
    pub new_images: bool,
    /// What there would be to go back from.
    pub kind: RolloutKind,
    /// The revision that runs by now, where it is not this one, nor this one restarted.
    pub newer: Option<i64>,
}

/// What a rollout was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RolloutKind {
    /// Its pods run by another template than those before.
    Change,
    /// It only started them anew.
    Restart,
    /// It took an older revision again.
    Rollback,
}

/// The rollout that the onset follows, if any: of a bad deploy what is felt, of other causes the first sign of trouble.
pub fn suspect_rollout(evidence: &[Evidence], cause: Cause) -> Option<SuspectRollout> {
    let reading = Reading::of(evidence, Timestamp::MAX);
    let suspect =
        if cause == Cause::BadDeploy { shared::suspect_deploy(&reading) } else { shared::suspect_rollout(&reading) };
    let (revision, minutes) = suspect?;
    let revisions = &reading.changes.as_ref()?.revisions;
    let previous = shared::ran_before(revision, revisions);
    let kind = if shared::is_rollback(revision, revisions) {
        RolloutKind::Rollback
    } else if shared::is_restart(revision, revisions) {
        RolloutKind::Restart
    } else {
        RolloutKind::Change
    };
    let newer = |other: &&Revision| other.number > revision.number && !shared::is_restart(other, revisions);
    Some(SuspectRollout {
        kind,
        newer: revisions.iter().filter(newer).map(|other| other.number).max(),
        revision: revision.number,
        minutes,
        previous: previous.map(|previous| previous.number),
        rolled_back_to: shared::rolled_back_to(revision, revisions).map(|back| back.number),
        new_images: previous.is_some_and(|previous| previous.images != revision.images),
    })
}

/// Whether memory was read, so that what is measured later can be compared.
pub fn reads_memory(evidence: &[Evidence]) -> bool {
    Reading::of(evidence, Timestamp::MAX).memory.is_some()
}

/// The newest point of a memory series in percent of its limit, as the rules read it; `None` where the limit is not known.
pub fn memory_now(series: &Series, workload: Option<&Workload>) -> Option<f64> {
    let containers = workload.map_or(&[][..], |workload| &workload.containers);
    Some(series.latest()?.value * reading::of_memory(series, containers).ok()?)
}

/// The first sign of trouble.
pub fn onset(evidence: &[Evidence]) -> Option<Timestamp> {
    Reading::of(evidence, Timestamp::MAX).trouble()
}

/// Every change that was read, oldest first, each placed against the first sign of trouble.
pub fn changes_by_onset(evidence: &[Evidence]) -> Vec<String> {
    let reading = Reading::of(evidence, Timestamp::MAX);
    let (Some(changes), trouble) = (&reading.changes, reading.trouble()) else { return Vec::new() };
    let revision = |one: &Revision| {
        let fields =
            if one.changed.is_empty() { String::new() } else { format!(" ({})", fields_in_words(&one.changed)) };
        (shared::came_at(&reading, one).or(one.created_at), format!("revision {}{fields}", one.number))
    };
    // An autoscaler of which only its bounds are known changed nothing.
    let told = changes.others.iter().filter(|change| change.at.is_some() || change.kind != ChangeKind::Autoscaler);
    let others = told.map(|change| (change.at, change.words()));
    let mut all: Vec<(Option<Timestamp>, String)> = changes.revisions.iter().map(revision).chain(others).collect();
    all.sort();
    let placed = |(at, words): (Option<Timestamp>, String)| {
        let Some(at) = at else { return format!("{words}, at an unknown time") };
        let when = at.strftime("%Y-%m-%d %H:%MZ");
        match trouble.map(|trouble| trouble.duration_since(at).as_mins()) {
            Some(minutes) if minutes >= 0 => format!("{when} {words}, {minutes} min before the onset"),
            Some(minutes) => format!("{when} {words}, {} min after the onset", -minutes),
            None => format!("{when} {words}"),
        }
    };
    all.into_iter().map(placed).collect()
}

/// How often containers were started anew in the window and how soon each is at its limit again, in whole minutes, where
/// memory rises in each life: what restarts have done so far.
pub fn lives_so_far(evidence: &[Evidence]) -> Option<(usize, i64)> {
    let reading = Reading::of(evidence, Timestamp::MAX);
    let shape = reading.memory.as_ref()?.shape;
    let per_minute = shape.life_per_minute.filter(|slope| *slope > 0.0)?;
    let floor = shape.floor?;
    (shape.shape == Shape::RisingInEachLife).then(|| (shape.restarts, ((100.0 - floor) / per_minute).round() as i64))
}

/// Who sets the number of replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scaler {
    /// Nobody but persons.
    Nobody,
    /// An autoscaler of this name.
    Autoscaler(String),
    /// It was not read, as the words say.
    Unread(String),
}

/// The autoscaler that sets the number of replicas, where the changes tell of one.
pub fn autoscaler(evidence: &[Evidence]) -> Scaler {
    let Some(changes) = Reading::of(evidence, Timestamp::MAX).changes else {
        return Scaler::Unread("the changes were not read".to_owned());
    };
    match changes.others.into_iter().find(|change| change.kind == ChangeKind::Autoscaler) {
        Some(change) => Scaler::Autoscaler(change.name),
        None => {
            changes.unread.into_iter().find(|what| what.contains("autoscaler")).map_or(Scaler::Nobody, Scaler::Unread)
        }
    }
}

/// Whether the place has room for more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Room {
    /// Nothing tells of a want of it.
    Left,
    /// There is none, in the cluster's words.
    Wanting(String),
    /// What would tell was not read.
    Unread(String),
}

/// Whether the place has room for more, as far as the cluster tells.
pub fn room(evidence: &[Evidence]) -> Room {
    let reading = Reading::of(evidence, Timestamp::MAX);
    let Some(place) = reading.workload.as_ref() else { return Room::Unread("the workload".to_owned()) };
    match place.loudest(Trouble::is_want_of_room) {
        Some(sign) => Room::Wanting(format!("{} ({})", sign.trouble.words(), sign.text)),
        None => place.events_unread().map_or(Room::Left, |what| Room::Unread(what.clone())),
    }
}

/// The shape of memory in percent of its limit, as the rules read it.
pub fn memory_shape(evidence: &[Evidence]) -> Option<MemoryShape> {
    Reading::of(evidence, Timestamp::MAX).memory.map(|memory| memory.shape)
}

/// What the rules say of memory in percent of its limit, where it is measured in bytes: the limit is in another piece.
fn memory_of_limit(reading: &Reading) -> Vec<(Fact, Vec<EvidenceId>)> {
    let Some(memory) = reading.memory.as_ref().filter(|memory| memory.in_bytes) else { return Vec::new() };
    let shape = &memory.shape;
    let mut facts = vec![
        Fact::new("memory-first", memory.first, FactUnit::Percent),
        Fact::new("memory-latest", memory.latest, FactUnit::Percent),
        Fact::new("memory-peak", shape.peak, FactUnit::Percent),
    ];
    let slopes = [shape.trend.map(|trend| trend.per_minute), shape.life_per_minute];
    let slopes = slopes.into_iter().flatten();
    facts.extend(slopes.map(|slope| Fact::new("memory-slope", slope, FactUnit::PercentPerMinute)));
    facts.into_iter().map(|fact| (fact, vec![memory.id])).collect()
}

/// Whether the revisions of a workload were read, whatever else of its changes was not: nodes, Helm, configuration.
pub fn tells_of_rollouts(piece: &Evidence) -> bool {
    let Answer::Observed { payload: Payload::Changes { unread, .. } } = &piece.answer else { return false };
    !unread.iter().any(|what| what.starts_with("revisions"))
}

/// Whether a piece of evidence was read so that what it does not hold is not there.
pub fn tells_of_none(piece: &Evidence) -> bool {
    reading::tells_of_none(piece)
}

/// The leads, each with the evidence it lies between, in minutes without sign.
pub fn relations(evidence: &[Evidence]) -> Vec<(Fact, Vec<EvidenceId>)> {
    let reading = Reading::of(evidence, Timestamp::MAX);
    let mut found = memory_of_limit(&reading);
    let mut push = |name: &str, minutes: i64, ids: Vec<EvidenceId>| {
        found.push((Fact::new(name, minutes.unsigned_abs() as f64, FactUnit::Minutes), ids));
    };
    if let Some((order, ids)) = shared::collector_and_cpu(&reading) {
        push("collector-before-cpu", order.minutes(), ids);
    }
    if let (Some(traffic), Some(cpu)) = (&reading.traffic, &reading.cpu)
        && let Some(order) = shared::order(traffic.onset, cpu.onset)
    {
        push("traffic-before-cpu", order.minutes(), vec![traffic.id, cpu.id]);
    }
    if let (Some(memory), Some(cpu)) = (&reading.memory, &reading.cpu)
        && let Some(order) = shared::order(memory.onset, cpu.onset)
    {
        push("memory-before-cpu", order.minutes(), vec![memory.id, cpu.id]);
    }
    for (felt, _) in shared::felt(&reading) {
        if let Some(traffic) = &reading.traffic
            && let Some(order) = shared::order(felt.onset, traffic.onset)
        {
            push("trouble-before-traffic", order.minutes(), vec![felt.id, traffic.id]);
        }
    }
    if let Some(changes) = &reading.changes {
        for minutes in shared::minutes_from_rollouts(&reading) {
            push("rollout-before-onset", minutes, vec![changes.id]);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::tests::fixture::workload;
    use super::*;
    use crate::domain::diagnosis::statistics::tests::points;
    use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic, Unit};

    #[test]
    fn memory_after_a_step_is_read_as_the_rules_read_it() {
        let query = MetricQuery {
            role: MetricRole::Memory,
            metric: MetricId::default(),
            statistic: Statistic::Average,
            period_s: 60,
        };
        let series = |unit: Unit, value: f64| Series::new(query.clone(), unit, points([value]));
        let mut known = workload(6);
        known.containers[0].memory_limit = Some(800 << 20);
        let half = series(Unit::Bytes, f64::from(400 << 20));
        assert_eq!(memory_now(&half, Some(&known)), Some(50.0), "of the limit that the step has set");
        assert_eq!(memory_now(&half, None), None);
        assert_eq!(memory_now(&series(Unit::Percent, 61.0), None), Some(61.0));
        assert_eq!(memory_now(&series(Unit::Count, 61.0), Some(&known)), None);
    }
}
