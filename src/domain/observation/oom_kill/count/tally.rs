//! What one source alone tells: its sightings grouped into kills, by pod and container, within what the statuses leave room for.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::observation::oom_kill::{Deaths, KillSighting, KillSource};

/// Sightings of one container and source closer than this are one kill: a kernel writes several lines about it, and no
/// container is up again and killed within.
const BUCKET: SignedDuration = SignedDuration::from_secs(10);

/// Kills of one source: by pod (or stream), then by container.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) pods: BTreeMap<String, BTreeMap<Option<String>, Kills>>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Kills {
    /// At least.
    pub(super) told: u64,
    /// At most.
    pub(super) most: u64,
    /// What was told of beyond what the status leaves room for; within `most`, not within `told`.
    pub(super) over: u64,
    pub(super) at: Vec<Timestamp>,
}

/// The kills of a source.
pub(super) fn tally(sightings: &[KillSighting], source: KillSource, deaths: &[Deaths]) -> Tally {
    let mut pods: BTreeMap<&str, Vec<&KillSighting>> = BTreeMap::new();
    for seen in sightings.iter().filter(|seen| seen.source == source && seen.count > 0) {
        pods.entry(&seen.pod).or_default().push(seen);
    }
    let mut tally = Tally::default();
    for (pod, mut seen) in pods {
        seen.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| b.count.cmp(&a.count)));
        tally.pods.insert(pod.to_owned(), of_pod(&seen, source));
    }
    match source {
        KillSource::Logs | KillSource::Events => tally.leave_room(deaths),
        KillSource::Status => tally.leave_open(deaths),
    }
    tally
}

/// The kills of one pod, from its sightings in their order.
fn of_pod(seen: &[&KillSighting], source: KillSource) -> BTreeMap<Option<String>, Kills> {
    // Each end of a status is one of its own, however close the ends are.
    let bucket = if source == KillSource::Status { SignedDuration::ZERO } else { BUCKET };
    let mut rows: BTreeMap<Option<String>, Kills> = BTreeMap::new();
    let mut named: BTreeMap<&str, Vec<&KillSighting>> = BTreeMap::new();
    for one in seen {
        if let Some(container) = &one.container {
            named.entry(container).or_default().push(one);
        }
    }
    let mut at = Vec::new();
    for (container, sightings) in named {
        let kills = bucketed(sightings.iter().map(|one| (one.at, one.count, one.most)), bucket);
        at.extend_from_slice(&kills.at);
        rows.insert(Some(container.to_owned()), kills);
    }
    at.sort_unstable();
    let is_known = |when: Timestamp| {
        let next = at.partition_point(|known| *known <= when);
        let before = next.checked_sub(1).and_then(|before| at.get(before));
        before.into_iter().chain(at.get(next)).any(|known| when.duration_since(*known).abs() < bucket)
    };
    let bare = seen.iter().filter(|one| one.container.is_none()).filter_map(|one| {
        let same = u64::from(is_known(one.at));
        (one.count > same).then(|| (one.at, one.count - same, one.most - same))
    });
    let bare = bucketed(bare, bucket);
    if bare.most > 0 {
        rows.insert(None, bare);
    }
    rows
}

/// Sightings of one place in their order of time, as kills.
fn bucketed(sightings: impl Iterator<Item = (Timestamp, u64, u64)>, bucket: SignedDuration) -> Kills {
    let mut kills = Kills::default();
    let mut open: Option<(Timestamp, u64, u64)> = None;
    for (at, count, most) in sightings {
        let same = open.filter(|(start, _, _)| at.duration_since(*start) < bucket);
        let (start, counted, counted_most) = same.unwrap_or((at, 0, 0));
        let more = count.saturating_sub(counted);
        if more > 0 {
            kills.at.push(at);
        }
        kills.told += more;
        kills.most += most.saturating_sub(counted_most);
        open = Some((start, count.max(counted), most.max(counted_most)));
    }
    kills
}

impl Kills {
    /// The newest of them, so many.
    pub(super) fn last(&self, told: u64) -> Self {
        let skipped = self.at.len().saturating_sub(usize::try_from(told).unwrap_or(usize::MAX));
        let at = self.at.get(skipped..).unwrap_or_default().to_vec();
        let most = told + self.most.saturating_sub(self.told);
        Self { told, most, over: self.over, at }
    }

    /// Lets no more stand as told than there is room for.
    fn cut(&mut self, room: u64) {
        if self.told > room {
            self.over = self.told - room;
            *self = Self { most: self.most, over: self.over, ..self.last(room) };
        }
    }
}

impl Tally {
    pub(super) fn rows(&self) -> impl Iterator<Item = &Kills> {
        self.pods.values().flat_map(BTreeMap::values)
    }

    pub(super) fn told(&self) -> u64 {
        self.rows().map(|kills| kills.told).sum()
    }

    /// What it says by itself: what it leaves open of containers it tells no kill of is left out.
    pub(super) fn most(&self) -> u64 {
        self.rows().filter(|kills| kills.told + kills.over > 0).map(|kills| kills.most).sum()
    }

    /// Cuts what is told of containers to the deaths their statuses leave room for. What was told before a pod was made is of
    /// another one of its name, which left no status.
    fn leave_room(&mut self, deaths: &[Deaths]) {
        let mut by_pod: BTreeMap<&str, Vec<&Deaths>> = BTreeMap::new();
        for one in deaths {
            by_pod.entry(&one.pod).or_default().push(one);
        }
        for (pod, rows) in &mut self.pods {
            let Some(deaths) = by_pod.get(pod.as_str()) else { continue };
            let since = deaths.iter().filter_map(|deaths| deaths.since).max();
            let is_of_it = |kills: &Kills| since.is_none_or(|since| kills.at.iter().all(|at| *at >= since));
            let mut named = 0;
            for (container, kills) in rows.iter_mut().filter(|(container, _)| container.is_some()) {
                let status = deaths.iter().find(|deaths| Some(&deaths.container) == container.as_ref());
                if let Some(status) = status.filter(|_| is_of_it(kills)) {
                    kills.cut(status.most);
                }
                named += kills.told;
            }
            if let Some(bare) = rows.get_mut(&None).filter(|kills| is_of_it(kills)) {
                bare.cut(deaths.iter().map(|deaths| deaths.most).sum::<u64>().saturating_sub(named));
            }
        }
    }

    /// Adds the deaths that the statuses keep no reason of, as open.
    fn leave_open(&mut self, deaths: &[Deaths]) {
        for one in deaths.iter().filter(|deaths| deaths.unread > 0) {
            let rows = self.pods.entry(one.pod.clone()).or_default();
            rows.entry(Some(one.container.clone())).or_default().most += one.unread;
        }
    }
}
