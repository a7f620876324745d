//! The count of kills over a window, exact where its source was read whole, never the sum of different sources.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Certainty, ContainerKills, KillSighting, KillSource, OomCount};
use crate::domain::observation::log::Completeness;

/// Sightings of one container and source closer than this are one kill: a kernel writes several lines about it, and no
/// container is up again and killed within.
const BUCKET: SignedDuration = SignedDuration::from_secs(10);

/// How one source was read over the window. A source that was denied or failed is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRead {
    /// Which.
    pub source: KillSource,
    /// How completely.
    pub completeness: Completeness,
}

/// Kills of one source: by pod, then by container.
#[derive(Clone, Debug, Default)]
struct Tally {
    pods: BTreeMap<String, BTreeMap<String, Kills>>,
}

#[derive(Clone, Debug, Default)]
struct Kills {
    /// At least.
    told: u64,
    /// At most.
    most: u64,
    at: Vec<Timestamp>,
}

/// Counts kills.
///
/// 1. Within a source and a container, sightings within ten seconds are one kill (the largest of their counts).
/// 2. Sources are matched by pod; a pod's kills are the largest count any source tells of it. Different sources are
///    never added up. An upper bound (`restartCount` of an old pod) counts as one where another source counts higher.
/// 3. Log streams that match no pod are a world of their own: the larger of the two worlds counts, not their sum.
/// 4. The named source is the one whose own count is the total (read whole before read in part, logs before events
///    before statuses), and the completeness is its own. Where bounds are left open the total says `Truncated`.
///
/// `None` when no source was read at all: then nothing can be said, not even zero.
pub fn count(sightings: &[KillSighting], read: &[SourceRead], heap_errors: u64) -> Option<OomCount> {
    let tallies: Vec<(SourceRead, Tally)> =
        in_order(read).into_iter().map(|read| (read, tally(sightings, read.source))).collect();
    let matched = winners(&tallies);
    let (source, completeness) = account(&tallies, &matched)?;
    let mut by_container: Vec<ContainerKills> = matched
        .iter()
        .map(|(container, kills)| ContainerKills { container: container.clone(), kills: kills.told })
        .collect();
    by_container.sort_by(|a, b| b.kills.cmp(&a.kills).then_with(|| a.container.cmp(&b.container)));
    let mut at: Vec<Timestamp> = matched.values().flat_map(|kills| kills.at.iter().copied()).collect();
    at.sort_unstable();
    let by_source = tallies.iter().map(|(read, tally)| (read.source, tally.most())).collect();
    let total = matched.values().map(|kills| kills.told).sum();
    Some(OomCount { total, source, completeness, by_container, by_source, heap_errors, at })
}

/// Logs, events, status; one entry a source.
fn in_order(read: &[SourceRead]) -> Vec<SourceRead> {
    [KillSource::Logs, KillSource::Events, KillSource::Status]
        .into_iter()
        .filter_map(|source| read.iter().find(|read| read.source == source).copied())
        .collect()
}

fn tally(sightings: &[KillSighting], source: KillSource) -> Tally {
    let mut sorted: Vec<&KillSighting> =
        sightings.iter().filter(|seen| seen.source == source && seen.count > 0).collect();
    sorted.sort_by(|a, b| {
        a.container.cmp(&b.container).then_with(|| a.at.cmp(&b.at)).then_with(|| b.count.cmp(&a.count))
    });
    let known: BTreeSet<&str> =
        sightings.iter().filter(|seen| seen.source != KillSource::Logs).map(|seen| pod_of(&seen.container)).collect();
    let mut tally = Tally::default();
    let mut open: Option<(&str, Timestamp, u64)> = None;
    for seen in sorted {
        let bucketed =
            open.filter(|(container, at, _)| *container == seen.container && seen.at.duration_since(*at) < BUCKET);
        let already = bucketed.map_or(0, |(_, _, count)| count);
        let more = seen.count.saturating_sub(already);
        if bucketed.is_none() || more > 0 {
            let pod =
                if source == KillSource::Logs { log_pod(&seen.container, &known) } else { pod_of(&seen.container) };
            let kills = tally.pods.entry(pod.to_owned()).or_default().entry(seen.container.clone()).or_default();
            kills.most += more;
            kills.told += match seen.certainty {
                Certainty::Told => more,
                Certainty::AtMost => u64::from(bucketed.is_none()),
            };
            kills.at.push(seen.at);
        }
        let start = bucketed.map_or(seen.at, |(_, at, _)| at);
        open = Some((&seen.container, start, seen.count.max(already)));
    }
    tally
}

fn pod_of(container: &str) -> &str {
    container.split_once('/').map_or(container, |(pod, _)| pod)
}

/// A stream such as `app/my-api/0f9a` is no pod and container: it is cut only where the pod is known elsewhere.
fn log_pod<'a>(container: &'a str, known: &BTreeSet<&str>) -> &'a str {
    let pod = pod_of(container);
    if known.contains(pod) { pod } else { container }
}

impl Tally {
    fn told(&self) -> u64 {
        self.pods.values().flat_map(BTreeMap::values).map(|kills| kills.told).sum()
    }

    fn most(&self) -> u64 {
        self.pods.values().flat_map(BTreeMap::values).map(|kills| kills.most).sum()
    }

    fn told_of(&self, pod: &str) -> u64 {
        self.pods.get(pod).map_or(0, |containers| containers.values().map(|kills| kills.told).sum())
    }
}

/// The kills by container of rule 2 and 3.
fn winners(tallies: &[(SourceRead, Tally)]) -> BTreeMap<String, Kills> {
    let named: BTreeSet<&str> = tallies
        .iter()
        .filter(|(read, _)| read.source != KillSource::Logs)
        .flat_map(|(_, tally)| tally.pods.keys().map(String::as_str))
        .collect();
    let logs = tallies.iter().find(|(read, _)| read.source == KillSource::Logs).map(|(_, tally)| tally);
    let best: BTreeMap<&str, &Tally> = named.iter().filter_map(|pod| Some((*pod, best_of(tallies, pod)?))).collect();
    let total: u64 = best.iter().map(|(pod, tally)| tally.told_of(pod)).sum();
    let strangers = logs.is_some_and(|logs| logs.pods.keys().any(|pod| !named.contains(pod.as_str())));
    if let Some(logs) = logs
        && strangers
        && logs.told() >= total
    {
        return logs.pods.values().flatten().map(|(name, kills)| (name.clone(), kills.clone())).collect();
    }
    best.into_iter()
        .filter_map(|(pod, tally)| tally.pods.get(pod))
        .flatten()
        .map(|(name, kills)| (name.clone(), kills.clone()))
        .collect()
}

/// The source that tells of most kills of a pod; among equals the one that names containers, then the earlier in order.
fn best_of<'a>(tallies: &'a [(SourceRead, Tally)], pod: &str) -> Option<&'a Tally> {
    let names = |tally: &Tally| {
        tally.pods.get(pod).map_or(0, |containers| containers.keys().filter(|c| c.contains('/')).count())
    };
    let mut best: Option<&Tally> = None;
    for (_, tally) in tallies.iter().filter(|(_, tally)| tally.told_of(pod) > 0) {
        let rank = |tally: &Tally| (tally.told_of(pod), names(tally));
        if best.is_none_or(|held| rank(tally) > rank(held)) {
            best = Some(tally);
        }
    }
    best
}

/// The source and completeness of rule 4.
fn account(tallies: &[(SourceRead, Tally)], matched: &BTreeMap<String, Kills>) -> Option<(KillSource, Completeness)> {
    let total: u64 = matched.values().map(|kills| kills.told).sum();
    let open: u64 = matched.values().map(|kills| kills.most - kills.told).sum();
    let whole = |read: &SourceRead| read.completeness == Completeness::Exact;
    let same = || tallies.iter().filter(|(_, tally)| tally.told() == total);
    let (read, tally) = same()
        .find(|(read, tally)| whole(read) && tally.told() == tally.most())
        .or_else(|| same().find(|(read, _)| whole(read)))
        .or_else(|| same().next())
        .or_else(|| tallies.iter().max_by_key(|(_, tally)| tally.told()))?;
    let mixed =
        tally.told() != total && !tallies.iter().filter(|(_, tally)| tally.told() > 0).all(|(read, _)| whole(read));
    let settled = tally.told() == total && tally.told() == tally.most();
    let completeness = if open > 0 && !settled {
        Completeness::Truncated { seen: total, of: Some(total + open) }
    } else if mixed {
        Completeness::Truncated { seen: total, of: None }
    } else {
        read.completeness
    };
    Some((read.source, completeness))
}

#[cfg(test)]
mod tests;
