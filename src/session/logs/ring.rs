//! The newest lines within a cap of bytes, in time order. What comes late is merged in page by page, never line by line.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::domain::observation::log::{LogEventId, LogGroup, LogLine};

/// What each of the two allocations of a line (itself, and its text) costs beside its bytes: the allocator's header and
/// rounding up, or the counts of who holds it. The names of group and stream are shared by all lines.
const ALLOCATIONS: usize = 2 * 16;
/// What a line costs beside its text.
const LINE_OVERHEAD: usize = size_of::<StoredLine>() + size_of::<LogLine>() + ALLOCATIONS;

/// A line with the number it got on arrival: the anchor that scrolling holds on to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredLine {
    /// Ascending by arrival, from 0.
    pub number: u64,
    /// The line.
    #[serde(serialize_with = "by_value")]
    pub line: Arc<LogLine>,
}

impl StoredLine {
    /// What it takes of the ring's cap, bytes.
    pub fn bytes(&self) -> usize {
        self.line.id.bytes_beside() + self.line.text.len() + LINE_OVERHEAD
    }
}

fn by_value<S: Serializer>(line: &Arc<LogLine>, to: S) -> Result<S::Ok, S::Error> {
    line.as_ref().serialize(to)
}

/// Where a line belongs: by its time, then by its id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Place {
    at: Timestamp,
    id: LogEventId,
    group: LogGroup,
}

impl Place {
    fn of(line: &LogLine) -> Self {
        Self { at: line.at, id: line.id.clone(), group: line.group.clone() }
    }

    fn holds_back(&self, line: &LogLine) -> bool {
        key(line) <= (self.at, &self.id, &self.group)
    }
}

fn key(line: &LogLine) -> (Timestamp, &LogEventId, &LogGroup) {
    (line.at, &line.id, &line.group)
}

fn order(a: &StoredLine, b: &StoredLine) -> Ordering {
    key(&a.line).cmp(&key(&b.line))
}

/// The ring. It holds the longest run of newest lines whose bytes fit the cap, whatever the order they came in.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Ring {
    lines: VecDeque<StoredLine>,
    bytes: usize,
    cap: usize,
    /// The newest line that fell out: what is not newer would fall out again, and is not let in.
    floor: Option<Place>,
}

impl Ring {
    pub(super) fn with_cap(cap: usize) -> Self {
        Self { lines: VecDeque::new(), bytes: 0, cap, floor: None }
    }

    pub(super) fn cap(&self) -> usize {
        self.cap
    }

    pub(super) fn lines(&self) -> &VecDeque<StoredLine> {
        &self.lines
    }

    /// Takes a page in and gives back what did not fit. Costs the page and the held lines that are newer than its oldest.
    pub(super) fn merge(&mut self, mut page: Vec<StoredLine>) -> Vec<StoredLine> {
        // Pages come in order nearly always, and sorting what is sorted is one walk.
        page.sort_by(order);
        let floor = self.floor.as_ref();
        let too_old = floor.map_or(0, |floor| page.partition_point(|stored| floor.holds_back(&stored.line)));
        let fresh = page.split_off(too_old);
        let mut out = page;
        self.bytes += fresh.iter().map(StoredLine::bytes).sum::<usize>();
        self.insert(fresh);
        self.evict(&mut out);
        out
    }

    fn insert(&mut self, page: Vec<StoredLine>) {
        let Some(oldest) = page.first() else { return };
        let place = self.lines.partition_point(|held| order(held, oldest).is_le());
        let mut displaced = self.lines.split_off(place);
        for stored in page {
            let earlier = displaced.iter().take_while(|held| order(held, &stored).is_le()).count();
            self.lines.extend(displaced.drain(..earlier));
            self.lines.push_back(stored);
        }
        self.lines.append(&mut displaced);
    }

    fn evict(&mut self, out: &mut Vec<StoredLine>) {
        let kept = out.len();
        while self.bytes > self.cap {
            let Some(gone) = self.lines.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(gone.bytes());
            out.push(gone);
        }
        if let Some(newest) = out.get(kept..).and_then(<[StoredLine]>::last) {
            self.floor = Some(Place::of(&newest.line));
        }
    }
}
