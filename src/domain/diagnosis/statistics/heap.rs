//! The heap as its collector tells it: the share of time it takes, what survives collections, and whether that grows.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{median, quantile, trend};
use crate::domain::observation::collector_log::{Collection, CollectionKind};
use crate::domain::observation::metric::Point;

/// Fewest collections from which anything is concluded.
const FEWEST: usize = 8;
/// Parts of the time spanned; the floor of each is the least that survived a collection in it.
const PARTS: usize = 12;
/// The first part of a process' life fills caches and is no trend.
const WARM_UP: f64 = 0.2;
/// Growth of the floor, as a share of the heap, below which it is a cache and no leak.
const GROWTH: f64 = 0.1;
/// The floor from which growth has used the heap up, as a share of it. Below, growth may still level off: healthy
/// processes whose floor rose for half a day to a third of their heap are known.
const USED_UP: f64 = 0.7;
/// The share of time from which the collector takes too much.
const PRESSURE: f64 = 0.1;
/// The share of the room left that growth must have taken where it is less than a tenth of the heap.
const ROOM_TAKEN: f64 = 0.5;
/// Full collections from which the floor is known. With fewer, only a heap that young collections empty to a fifth
/// above the floor, and below half of its size, is surely well.
const KNOWN: u64 = 8;
const EMPTIED: f64 = 0.5;
const NEAR_FLOOR: f64 = 1.2;
/// A floor that stands so much higher at the end than in the beginning is not called level, rising in order or not.
const HIGHER: f64 = 1.2;
/// Seconds by which lines of one process may be out of order.
const RESTART_S: f64 = 1.0;

/// What the collector's log says of the heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeapState {
    /// What survives has grown until hardly any room was left.
    Leak,
    /// The collector takes much of the time, and what survives does not grow.
    Pressure,
    /// Little time, no growth.
    Healthy,
    /// It grows with room to spare, or too little was told to say.
    NotEnough,
}

impl HeapState {
    /// The word in findings.
    pub fn words(self) -> &'static str {
        match self {
            Self::Leak => "what survives collections grows until hardly any room is left",
            Self::Pressure => "the collector is under pressure and what survives does not grow",
            Self::Healthy => "the heap is well",
            Self::NotEnough => "not enough to tell a leak from growth that levels off",
        }
    }
}

/// What the largest heap is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeapSize {
    /// The most it may grow to.
    Allowed,
    /// The most that was committed: it may be allowed more.
    #[default]
    Committed,
}

impl HeapSize {
    /// What a share of it is a share of.
    pub fn words(self) -> &'static str {
        match self {
            Self::Allowed => "the heap",
            Self::Committed => "what is committed of the heap",
        }
    }
}

/// The heap over a log.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HeapReading {
    /// Collections that stopped the process.
    pub pauses: u64,
    /// Of them full ones.
    pub full: u64,
    /// Percent of time in pauses, from the first to the end of the last; `None` where the log has no times.
    pub time_percent: Option<f64>,
    /// The largest heap, bytes: the most it may be where that is told, else the most that was committed.
    pub capacity: u64,
    /// Which of the two it is.
    #[serde(default)]
    pub size: HeapSize,
    /// The floor after warming up, percent of the largest heap.
    pub floor_first: f64,
    /// The floor at the end, percent of the largest heap.
    pub floor_last: f64,
    /// What it comes to.
    pub state: HeapState,
    /// Processes that ended before in the same log, and are not read.
    #[serde(default)]
    pub ended_before: u64,
}

/// The collections of the last process of a log, and how many ended before: a process counts its time from its own start,
/// so that where time falls back to less than half another has begun.
pub fn last_process(collections: &[Collection]) -> (&[Collection], u64) {
    let (mut newest, mut from, mut ended) = (0.0_f64, 0, 0);
    for (n, at) in collections.iter().enumerate().filter_map(|(n, one)| Some((n, one.at_s?))) {
        if at + RESTART_S < newest && at < newest / 2.0 {
            (from, ended, newest) = (n, ended + 1, at);
        }
        newest = newest.max(at);
    }
    (collections.get(from..).unwrap_or_default(), ended)
}

/// Reads the collections of a log's last process, with the most its heap may be where the log tells that; `None` where none
/// tells its heap.
pub fn heap_reading(collections: &[Collection], allowed: Option<u64>) -> Option<HeapReading> {
    let (collections, ended_before) = last_process(collections);
    // Times and places in the log are two axes: where one time is missing, all are taken by their place.
    let timed = collections.iter().all(|one| one.heap.is_none() || one.at_s.is_some());
    let told: Vec<(f64, u64, CollectionKind)> = collections
        .iter()
        .enumerate()
        .filter_map(|(n, one)| Some((one.at_s.filter(|_| timed).unwrap_or(n as f64), one.heap?.after, one.kind)))
        .filter(|(_, _, kind)| *kind != CollectionKind::Phase)
        .collect();
    let committed =
        collections.iter().filter_map(|one| one.heap).map(|heap| heap.capacity).max().filter(|most| *most > 0)?;
    // A heap that is larger than it may be was told of another process.
    let allowed = allowed.filter(|most| *most >= committed);
    let (capacity, size) = allowed.map_or((committed, HeapSize::Committed), |most| (most, HeapSize::Allowed));
    let floors = floors(&told);
    let share = |bytes: f64| bytes / capacity as f64 * 100.0;
    let lasting: Vec<f64> = floors.iter().skip((PARTS as f64 * WARM_UP).ceil() as usize).flatten().copied().collect();
    let third = lasting.len().div_ceil(3);
    let first = median(lasting.iter().take(third).copied()).unwrap_or_default();
    let last = median(lasting.iter().rev().take(third).copied()).unwrap_or_default();
    let stopped = || collections.iter().filter(|one| one.kind != CollectionKind::Cycle);
    let mut reading = HeapReading {
        pauses: stopped().count() as u64,
        full: stopped().filter(|one| one.kind == CollectionKind::Full).count() as u64,
        time_percent: time_percent(collections),
        capacity,
        size,
        floor_first: share(first),
        floor_last: share(last),
        state: HeapState::NotEnough,
        ended_before,
    };
    reading.state = state(&reading, &told, &lasting);
    Some(reading)
}

/// 1. Fewer than [`FEWEST`] collections tell nothing.
/// 2. A floor that grows in order (by a tenth of the heap, or by half of the room that was left) until [`USED_UP`] is a
///    leak; one that stands higher than it did, with room or out of order, is open.
/// 3. A collector that takes a tenth of the time is under pressure.
/// 4. Otherwise it is well, if the floor is known: by full collections, or because young ones come down to it.
fn state(reading: &HeapReading, told: &[(f64, u64, CollectionKind)], lasting: &[f64]) -> HeapState {
    if told.len() < FEWEST {
        return HeapState::NotEnough;
    }
    let grown = (reading.floor_last - reading.floor_first) / 100.0;
    let much = grown >= GROWTH || grown >= ROOM_TAKEN * (1.0 - reading.floor_first / 100.0);
    if much && reading.floor_last / 100.0 >= USED_UP && rises(lasting) {
        return HeapState::Leak;
    }
    if grown >= GROWTH || reading.floor_last > (reading.floor_first * HIGHER).max(2.0) {
        return HeapState::NotEnough;
    }
    if reading.time_percent.is_some_and(|percent| percent / 100.0 >= PRESSURE) {
        return HeapState::Pressure;
    }
    let high = quantile(told.iter().map(|(_, after, _)| *after as f64), 0.95)
        .map_or(f64::INFINITY, |high| high / reading.capacity as f64);
    let near = high <= (reading.floor_last / 100.0 * NEAR_FLOOR).max(0.02);
    let known = reading.full >= KNOWN || (high < EMPTIED && near);
    if known { HeapState::Healthy } else { HeapState::NotEnough }
}

/// Whether floors rise and not by chance; with fewer than eight of them Mann–Kendall is not fit for use, and nearly all
/// neighbours must rise instead.
fn rises(floors: &[f64]) -> bool {
    let minute = |n: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(n);
    let points: Vec<Point> =
        floors.iter().zip(0_i64..).map(|(value, n)| Point { at: minute(n), value: *value }).collect();
    match trend(&points) {
        Some(trend) => trend.chance < 0.05 && trend.tau >= 0.5,
        None => floors.len() >= 4 && floors.windows(2).filter(|pair| pair[1] > pair[0]).count() + 1 >= floors.len() - 1,
    }
}

/// The floor of each part of the time spanned; of full collections alone where there are enough of them, since only
/// they tell what is really alive.
fn floors(told: &[(f64, u64, CollectionKind)]) -> Vec<Option<f64>> {
    let (Some(start), Some(end)) = (told.first().map(|one| one.0), told.last().map(|one| one.0)) else {
        return Vec::new();
    };
    let full = told.iter().filter(|(_, _, kind)| *kind == CollectionKind::Full).count();
    let only_full = full >= PARTS;
    let width = ((end - start) / PARTS as f64).max(f64::MIN_POSITIVE);
    let mut floors = vec![None; PARTS];
    for (at, after, kind) in told {
        if only_full && *kind != CollectionKind::Full {
            continue;
        }
        let part = (((at - start) / width).max(0.0) as usize).min(PARTS - 1);
        if let Some(floor) = floors.get_mut(part) {
            *floor = Some(floor.map_or(*after as f64, |least: f64| least.min(*after as f64)));
        }
    }
    floors
}

/// Percent of the time from the first collection to the end of the last that the process stood still.
fn time_percent(collections: &[Collection]) -> Option<f64> {
    let mut timed = collections.iter().filter_map(|one| Some((one.at_s?, one.pause_s)));
    let (start, first) = timed.next()?;
    let (end, last) = timed.next_back().unwrap_or((start, first));
    let span = end + last - start;
    let paused: f64 = collections.iter().map(|one| one.pause_s).sum();
    (span > 0.0 && span.is_finite()).then(|| (paused / span * 100.0).clamp(0.0, 100.0))
}

/// The share of time in pauses of the last process by the minute, percent, as a series that begins at an instant; minutes
/// without a collection are zero, for a collector that logs is known to have rested.
pub fn time_by_minute(collections: &[Collection], begin: Timestamp) -> Vec<Point> {
    let mut minutes: Vec<f64> = Vec::new();
    let (collections, _) = last_process(collections);
    let times = || collections.iter().filter_map(|one| Some((one.at_s.filter(|at| at.is_finite())?, one.pause_s)));
    // The first time may be of an epoch: only what has passed since counts.
    let start = times().map(|(at, _)| at).next().unwrap_or_default();
    for (at, pause_s) in times() {
        let minute = ((at - start).max(0.0) / 60.0) as usize;
        if minute >= MOST_MINUTES {
            break;
        }
        if minutes.len() <= minute {
            minutes.resize(minute + 1, 0.0);
        }
        minutes[minute] += pause_s;
    }
    let at = |n: i64| begin.checked_add(SignedDuration::from_mins(n)).unwrap_or(begin);
    minutes.iter().zip(0_i64..).map(|(s, n)| Point { at: at(n), value: (s / 60.0 * 100.0).min(100.0) }).collect()
}

/// Minutes drawn at most: a month.
const MOST_MINUTES: usize = 44_640;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::observation::collector_log::HeapChange;

    fn collections(count: usize, after: impl Fn(usize) -> f64, pause_s: f64) -> Vec<Collection> {
        let one = |n: usize| Collection {
            kind: if n.is_multiple_of(4) { CollectionKind::Full } else { CollectionKind::Partial },
            at_s: Some(n as f64 * 2.0),
            pause_s,
            heap: Some(HeapChange { before: 100, after: (after(n) * 1e6) as u64, capacity: 100_000_000 }),
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn heaps_are_told_apart() {
        for (name, after, pause, expected) in [
            (
                "grows until full",
                Box::new(|n: usize| 20.0 + 0.6 * n as f64) as Box<dyn Fn(usize) -> f64>,
                0.2,
                HeapState::Leak,
            ),
            ("grows with room", Box::new(|n| 10.0 + 0.2 * n as f64), 0.01, HeapState::NotEnough),
            ("fills in the beginning", Box::new(|n| (10.0 + 8.0 * n as f64).min(92.0)), 0.5, HeapState::Pressure),
            ("level and busy", Box::new(|n| 40.0 + (n % 3) as f64), 0.5, HeapState::Pressure),
            ("level", Box::new(|n| 40.0 + (n % 3) as f64), 0.01, HeapState::Healthy),
            (
                "grew and gave it back",
                Box::new(|n| if n < 90 { 10.0 + n as f64 * 0.6 } else { 12.0 }),
                0.01,
                HeapState::Healthy,
            ),
        ] {
            let reading = heap_reading(&collections(120, after, pause), None).unwrap();
            assert_eq!(reading.state, expected, "{name}: {reading:?}");
        }
        assert_eq!(heap_reading(&collections(5, |_| 40.0, 0.01), None).unwrap().state, HeapState::NotEnough);
        assert_eq!(heap_reading(&[], None), None);
    }

    #[test]
    fn a_heap_that_may_grow_is_held_against_what_it_may_be() {
        let grows = collections(120, |n| 20.0 + 0.6 * n as f64, 0.01);
        let of = |allowed| {
            heap_reading(&grows, allowed).map(|read| (read.state, read.size, read.floor_last.round())).unwrap()
        };
        assert_eq!(of(None), (HeapState::Leak, HeapSize::Committed, 80.0));
        assert_eq!(of(Some(800_000_000)), (HeapState::NotEnough, HeapSize::Allowed, 10.0));
        assert_eq!(of(Some(50_000_000)), of(None), "told of another process");
    }

    #[test]
    fn the_share_of_time_is_that_of_the_pauses() {
        let reading = heap_reading(&collections(101, |_| 40.0, 0.1), None).unwrap();
        let expected = 101.0 * 0.1 / 200.1 * 100.0;
        assert!((reading.time_percent.unwrap() - expected).abs() < 1e-9, "{reading:?}");
        assert_eq!((reading.pauses, reading.full), (101, 26));
        let minutes = time_by_minute(&collections(61, |_| 40.0, 0.6), Timestamp::UNIX_EPOCH);
        assert_eq!(minutes.len(), 3);
        assert!((minutes[0].value - 30.0).abs() < 1e-9, "{minutes:?}");
    }

    #[test]
    fn a_log_over_a_restart_is_read_from_its_last_start_on() {
        let of = |count: usize, from_s: f64, pause_s: f64| {
            let later = move |one: Collection| Collection { at_s: one.at_s.map(|at| at + from_s), ..one };
            collections(count, |_| 40.0, pause_s).into_iter().map(later).collect::<Vec<_>>()
        };
        let (hours, fresh) = (of(1_800, 1.0, 0.005), of(30, 1.0, 0.005));
        let both: Vec<Collection> = hours.iter().chain(&fresh).copied().collect();
        let reading = heap_reading(&both, None).unwrap();
        assert_eq!((reading.pauses, reading.ended_before), (30, 1), "{reading:?}");
        assert!(reading.time_percent.unwrap() < 0.3, "{reading:?}");
        assert_eq!(time_by_minute(&both, Timestamp::UNIX_EPOCH).len(), 1);
        assert_eq!(last_process(&hours), (hours.as_slice(), 0));
    }

    #[test]
    fn dates_are_times_as_well_and_a_time_that_is_missing_makes_none_of_places() {
        let later = |one: Collection| Collection { at_s: one.at_s.map(|at| at + 1.777e9), ..one };
        let dates: Vec<Collection> = collections(61, |_| 40.0, 0.6).into_iter().map(later).collect();
        let minutes = time_by_minute(&dates, Timestamp::UNIX_EPOCH);
        assert_eq!((minutes.len(), minutes[0].value.round()), (3, 30.0), "{minutes:?}");
        let leak = |n: usize| 20.0 + 0.6 * n as f64;
        let mut cut = collections(120, leak, 0.2);
        cut.iter_mut().skip(90).for_each(|one| one.at_s = None);
        assert_eq!(heap_reading(&cut, None).unwrap().state, HeapState::Leak);
    }

    proptest! {
        #[test]
        fn any_collections_are_survived(
            rows in prop::collection::vec((prop::option::of(any::<f64>()), any::<f64>(), any::<u64>(), any::<u64>(), 0u8..4), 0..200)
        ) {
            let kinds = [CollectionKind::Full, CollectionKind::Partial, CollectionKind::Phase, CollectionKind::Cycle];
            let collections: Vec<Collection> = rows
                .into_iter()
                .map(|(at_s, pause_s, after, capacity, kind)| Collection {
                    kind: kinds[usize::from(kind)],
                    at_s,
                    pause_s,
                    heap: Some(HeapChange { before: after, after, capacity }),
                })
                .collect();
            let _ = heap_reading(&collections, Some(100));
            prop_assert!(time_by_minute(&collections, Timestamp::UNIX_EPOCH).len() <= MOST_MINUTES);
        }
    }
}
