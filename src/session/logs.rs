//! The log board: exact counts of everything received, and a byte-capped ring of lines with counted losses.

mod arrivals;
mod histogram;
mod ring;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use self::arrivals::{Numbers, Rate};
use self::ring::Ring;
use super::event::{Event, FeedEvent};
use super::feeds::{Feed, worst};
use crate::domain::observation::log::{BatchSummary, LogGroup, LogLine};
use crate::domain::observation::scope::Window;

pub use self::histogram::{Bucket, Histogram};
pub use self::ring::StoredLine;

/// Bytes the ring holds by default, texts with all that is kept beside them: some 70,000 ordinary lines.
pub const RING_BYTES: usize = 16 << 20;

/// A span that was not read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogGap {
    /// Its group.
    pub group: LogGroup,
    /// The span.
    pub window: Window,
    /// How many events, where that is known.
    pub missed: Option<u64>,
    /// Why.
    pub why: String,
}

/// What was received of one group.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct GroupBoard {
    /// Counts over everything received.
    pub total: BatchSummary,
    /// How it is read; `None` until that was told.
    feed: Option<Feed>,
    /// Lines that fell out of the ring.
    evicted: u64,
    rate: Rate,
    histogram: Histogram,
    numbers: Numbers,
}

/// All that was received of logs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogBoard {
    /// Counts over everything received.
    pub total: BatchSummary,
    /// Spans that were not read.
    pub gaps: Vec<LogGap>,
    /// By group.
    groups: BTreeMap<LogGroup, GroupBoard>,
    /// Lines in time order, newest last.
    ring: Ring,
    /// The next line's number.
    next: u64,
}

impl Default for LogBoard {
    fn default() -> Self {
        Self::with_cap(RING_BYTES)
    }
}

impl LogBoard {
    /// A board whose ring holds at most `cap` bytes.
    pub fn with_cap(cap: usize) -> Self {
        Self {
            total: BatchSummary::default(),
            gaps: Vec::new(),
            groups: BTreeMap::new(),
            ring: Ring::with_cap(cap),
            next: 0,
        }
    }

    /// Folds one page of a group: what it counts, and those of its lines that were not shown early. The page is sorted in
    /// as a whole: its order and how lines are split into pages change nothing but their numbers.
    pub fn fold_batch<L>(&mut self, group: &LogGroup, summary: &BatchSummary, lines: &[L])
    where
        L: Clone + Into<Arc<LogLine>>,
    {
        self.total.merge(summary);
        let board = self.groups.entry(group.clone()).or_default();
        board.total.merge(summary);
        board.numbers.note(self.next, lines.len() as u64);
        let numbered = (self.next..).zip(lines);
        let page: Vec<StoredLine> =
            numbered.map(|(number, line)| StoredLine { number, line: line.clone().into() }).collect();
        board.rate.count(page.iter().map(|stored| stored.line.at));
        board.histogram.count(page.iter().map(|stored| stored.line.as_ref()));
        self.next += page.len() as u64;
        for gone in self.ring.merge(page) {
            if let Some(board) = self.groups.get_mut(&gone.line.group) {
                board.evicted += 1;
            }
        }
    }

    /// Folds lines that are seen before they are counted.
    pub fn fold_early(&mut self, group: &LogGroup, lines: &[Arc<LogLine>]) {
        self.fold_batch(group, &BatchSummary::default(), lines);
    }

    /// Folds what is told of how a group is read.
    pub fn fold_feed(&mut self, event: &FeedEvent, at: Timestamp) {
        match event {
            FeedEvent::GroupChanged { group, health } => {
                let board = self.groups.entry(group.clone()).or_default();
                board.feed.get_or_insert_default().change(health, at);
            }
            FeedEvent::GroupAnswered { group } => {
                // A group says first how it is, and then that it still is.
                if let Some(feed) = self.groups.get_mut(group).and_then(|board| board.feed.as_mut()) {
                    feed.answered_at = Some(at);
                }
            }
            FeedEvent::GroupFollowed { group, following } => {
                let board = self.groups.entry(group.clone()).or_default();
                board.feed.get_or_insert_default().following.clone_from(following);
            }
            FeedEvent::Changed { .. }
            | FeedEvent::Answered { .. }
            | FeedEvent::Unreadable { .. }
            | FeedEvent::ServiceChanged { .. }
            | FeedEvent::ServiceAnswered { .. }
            | FeedEvent::ServiceUnreadable { .. } => {}
        }
    }

    /// Whether an event tells a group's health as it stands already: no news for the timeline.
    pub fn repeats(&self, event: &Event) -> bool {
        let Event::Feed(FeedEvent::GroupChanged { group, health }) = event else { return false };
        self.groups.get(group).and_then(|board| board.feed.as_ref()).is_some_and(|known| known.health == *health)
    }

    /// The groups something was told of.
    pub fn groups(&self) -> impl Iterator<Item = &LogGroup> {
        self.groups.keys()
    }

    /// How the worst off of these groups is read; `None` while nothing was told of any.
    pub fn worst_feed<'a>(&'a self, groups: impl IntoIterator<Item = &'a LogGroup>) -> Option<&'a Feed> {
        worst(groups.into_iter().filter_map(|group| self.groups.get(group)?.feed.as_ref()))
    }

    /// The lines held, in time order.
    pub fn lines(&self) -> &VecDeque<StoredLine> {
        self.ring.lines()
    }

    /// What was received of a group, if anything was.
    pub fn group(&self, group: &LogGroup) -> Option<&GroupBoard> {
        self.groups.get(group)
    }

    /// The number the next line will get: how many lines this process has received.
    pub fn received(&self) -> u64 {
        self.next
    }

    /// Lines that fell out of the ring.
    pub fn evicted(&self) -> u64 {
        self.groups.values().map(GroupBoard::evicted).sum()
    }

    /// Forgets the lines and keeps the counts: what a journal keeps.
    pub fn without_lines(&self) -> Self {
        let counts = |board: &GroupBoard| GroupBoard {
            total: board.total.clone(),
            feed: board.feed.clone().map(|feed| Feed { answered_at: None, ..feed }),
            ..GroupBoard::default()
        };
        Self {
            total: self.total.clone(),
            gaps: self.gaps.clone(),
            groups: self.groups.iter().map(|(group, board)| (group.clone(), counts(board))).collect(),
            ..Self::with_cap(self.ring.cap())
        }
    }
}

impl GroupBoard {
    /// Lines this process has received.
    pub fn received(&self) -> u64 {
        self.numbers.received()
    }

    /// When its lines happened, by level.
    pub fn histogram(&self) -> &Histogram {
        &self.histogram
    }

    /// Lines with a number from `number` on.
    pub fn received_since(&self, number: u64) -> u64 {
        self.numbers.since(number)
    }

    /// Lines that fell out of the ring.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Lines that the ring holds.
    pub fn held(&self) -> u64 {
        self.received().saturating_sub(self.evicted)
    }

    /// Lines that happened in the last `seconds` before `now`, by their own time, held or not.
    pub fn rate(&self, now: Timestamp, seconds: i64) -> u64 {
        self.rate.over(now, seconds)
    }
}

#[cfg(test)]
mod tests;
