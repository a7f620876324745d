//! The count of kills over a window, exact where its source was read whole, never the sum of different sources.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{ContainerKills, Deaths, KillSighting, KillSource, OomCount};
use crate::domain::observation::log::Completeness;

mod tally;

use tally::{Kills, Tally, tally};

/// How one source was read over the window. A source that was denied or failed is left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceRead {
    /// Which.
    pub source: KillSource,
    /// How completely.
    pub completeness: Completeness,
}

/// Kills by pod (or stream) and container; `None` is that of which the container is not known.
type Matched = BTreeMap<(String, Option<String>), Kills>;

/// Counts kills.
///
/// 1. Within a log or the events, sightings of a container within ten seconds are one kill (the largest of their counts), and
///    a sighting of its pod alone within as much is the same one.
/// 2. Sources are matched by pod and container; a container's kills are the largest count any source tells of it. Different
///    sources are never added up. Where a source tells more of a pod than that comes to, what is over is of the pod alone.
/// 3. No log and no event tells of more kills of a container than its status leaves room for: what is over is left open.
/// 4. Log streams that match no pod are a world of their own: the larger of the two worlds counts, not their sum.
/// 5. The named source is the one whose own count is the total (read whole before read in part, logs before events
///    before statuses), and the completeness is its own. Where bounds are left open the total says `Truncated`: a status
///    keeps two ends, and that others tell of no kill at all does not say how the rest of them came.
///
/// `None` when no source was read at all: then nothing can be said, not even zero.
pub fn count(sightings: &[KillSighting], read: &[SourceRead], deaths: &[Deaths], heap_errors: u64) -> Option<OomCount> {
    let tallies: Vec<(SourceRead, Tally)> =
        in_order(read).into_iter().map(|read| (read, tally(sightings, read.source, deaths))).collect();
    let matched = winners(&tallies, deaths);
    let (source, completeness) = account(&tallies, &matched)?;
    let mut by_container: Vec<ContainerKills> = matched
        .iter()
        .filter(|(_, kills)| kills.told > 0)
        .map(|(place, kills)| ContainerKills { container: shown(place), kills: kills.told })
        .collect();
    by_container.sort_by(|a, b| b.kills.cmp(&a.kills).then_with(|| a.container.cmp(&b.container)));
    let mut at: Vec<Timestamp> = matched.values().flat_map(|kills| kills.at.iter().copied()).collect();
    at.sort_unstable();
    let by_source = tallies.iter().map(|(read, tally)| (read.source, tally.most())).collect();
    let total = matched.values().map(|kills| kills.told).sum();
    Some(OomCount { total, source, completeness, by_container, by_source, heap_errors, at, outside: None })
}

/// `pod/container`, or the pod alone.
fn shown((pod, container): &(String, Option<String>)) -> String {
    container.as_ref().map_or_else(|| pod.clone(), |container| format!("{pod}/{container}"))
}

/// Logs, events, status; one entry a source.
fn in_order(read: &[SourceRead]) -> Vec<SourceRead> {
    [KillSource::Logs, KillSource::Events, KillSource::Status]
        .into_iter()
        .filter_map(|source| read.iter().find(|read| read.source == source).copied())
        .collect()
}

/// The kills by container of rule 2 and 4.
fn winners(tallies: &[(SourceRead, Tally)], deaths: &[Deaths]) -> Matched {
    let told = tallies.iter().filter(|(read, _)| read.source != KillSource::Logs);
    let named = told.flat_map(|(_, tally)| tally.pods.keys().map(String::as_str));
    let known: BTreeSet<&str> = named.chain(deaths.iter().map(|deaths| deaths.pod.as_str())).collect();
    let logs = tallies.iter().find(|(read, _)| read.source == KillSource::Logs).map(|(_, tally)| tally);
    let own = |(pod, rows): (&String, &BTreeMap<Option<String>, Kills>)| {
        let rows = rows.iter().map(|(container, kills)| ((pod.clone(), container.clone()), kills.clone()));
        rows.collect::<Vec<_>>()
    };
    let matched: Matched = known.iter().flat_map(|pod| of_pod(tallies, pod)).collect();
    let total: u64 = matched.values().map(|kills| kills.told).sum();
    match logs {
        Some(logs) if logs.pods.keys().any(|pod| !known.contains(pod.as_str())) && logs.told() >= total => {
            logs.pods.iter().flat_map(own).collect()
        }
        Some(_) | None => matched,
    }
}

/// A pod's kills: each container by the source that tells most of it, then what a source tells of the pod beyond that.
fn of_pod(tallies: &[(SourceRead, Tally)], pod: &str) -> Matched {
    let sources: Vec<&BTreeMap<Option<String>, Kills>> =
        tallies.iter().filter_map(|(_, tally)| tally.pods.get(pod)).collect();
    let containers: BTreeSet<&String> = sources.iter().flat_map(|rows| rows.keys().flatten()).collect();
    let mut matched = Matched::new();
    for container in containers {
        let told = sources.iter().filter_map(|rows| rows.get(&Some(container.clone())));
        // The first of equals: logs before events before statuses. Where none tells of one, the most that is open.
        let most = told.clone().map(|kills| kills.most).max().unwrap_or_default();
        let best = told.rev().max_by_key(|kills| (kills.told, if kills.told == 0 { kills.most } else { 0 }));
        if let Some(kills) = best {
            matched.insert((pod.to_owned(), Some(container.clone())), Kills { most, ..kills.clone() });
        }
    }
    let named: u64 = matched.values().map(|kills| kills.told).sum();
    let whole = |rows: &BTreeMap<Option<String>, Kills>| rows.values().map(|kills| kills.told).sum::<u64>();
    let most = sources.iter().rev().copied().max_by_key(|rows| whole(rows));
    if let Some(rows) = most.filter(|rows| whole(rows) > named)
        && let Some(bare) = rows.get(&None)
    {
        matched.insert((pod.to_owned(), None), bare.last(whole(rows) - named));
    } else if let Some(over) = sources.iter().filter_map(|rows| rows.get(&None)).map(|bare| bare.over).max()
        && over > 0
    {
        // Told of the pod, and more than its statuses leave room for: open, and of no container.
        matched.insert((pod.to_owned(), None), Kills { most: over, over, ..Kills::default() });
    }
    matched
}

/// The source and completeness of rule 5.
fn account(tallies: &[(SourceRead, Tally)], matched: &Matched) -> Option<(KillSource, Completeness)> {
    let total: u64 = matched.values().map(|kills| kills.told).sum();
    let open: u64 = matched.values().map(|kills| kills.most.saturating_sub(kills.told)).sum();
    let whole = |read: &SourceRead| read.completeness == Completeness::Exact;
    let same = || tallies.iter().filter(|(_, tally)| tally.told() == total);
    let (read, tally) = same()
        .find(|(read, tally)| whole(read) && tally.told() == tally.most())
        .or_else(|| same().find(|(read, _)| whole(read)))
        .or_else(|| same().next())
        .or_else(|| tallies.iter().max_by_key(|(_, tally)| tally.told()))?;
    let mixed =
        tally.told() != total && !tallies.iter().filter(|(_, tally)| tally.told() > 0).all(|(read, _)| whole(read));
    let completeness = if open > 0 {
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
