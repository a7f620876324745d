//! The log board: exact counts of everything received, and a byte-capped ring of lines with counted losses.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::observation::log::{BatchSummary, LogGroup, LogLevel, LogLine};
use crate::domain::observation::oom_kill::KillSign;
use crate::domain::observation::scope::Window;

/// Bytes of text the ring holds by default.
pub const RING_BYTES: usize = 32 << 20;
/// What a line costs beside its text.
const LINE_OVERHEAD: usize = 160;

/// A line with the number it got on arrival: the anchor that scrolling holds on to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredLine {
    /// Ascending by arrival, from 0.
    pub number: u64,
    /// The line.
    pub line: LogLine,
}

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

/// All that was received of logs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogBoard {
    /// Counts over everything received.
    pub total: BatchSummary,
    /// Spans that were not read.
    pub gaps: Vec<LogGap>,
    /// Lines in time order, newest last.
    ring: VecDeque<StoredLine>,
    /// Text bytes in the ring.
    ring_bytes: usize,
    /// Lines that fell out of the ring.
    evicted: u64,
    /// The next line's number.
    next: u64,
    /// Most bytes the ring may hold.
    cap: usize,
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
            ring: VecDeque::new(),
            ring_bytes: 0,
            evicted: 0,
            next: 0,
            cap,
        }
    }

    /// Folds one page.
    pub fn fold_batch(&mut self, summary: &BatchSummary, lines: &[LogLine]) {
        self.total.merge(summary);
        for line in lines {
            self.insert(line.clone());
        }
        while self.ring_bytes > self.cap {
            let Some(gone) = self.ring.pop_front() else { break };
            self.ring_bytes = self.ring_bytes.saturating_sub(cost(&gone.line));
            self.evicted += 1;
        }
    }

    fn insert(&mut self, line: LogLine) {
        self.ring_bytes += cost(&line);
        let stored = StoredLine { number: self.next, line };
        self.next += 1;
        // Pages come in order and mostly after what is there: the search starts at the end.
        let late = self.ring.iter().rev().take_while(|other| other.line.at > stored.line.at).count();
        self.ring.insert(self.ring.len() - late, stored);
    }

    /// The lines held, in time order.
    pub fn lines(&self) -> &VecDeque<StoredLine> {
        &self.ring
    }

    /// The number the next line will get: how many lines this process has received.
    pub fn received(&self) -> u64 {
        self.next
    }

    /// Lines that fell out of the ring.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Forgets the lines and keeps the counts: what a journal keeps.
    pub fn without_lines(&self) -> Self {
        Self { total: self.total.clone(), gaps: self.gaps.clone(), ..Self::with_cap(self.cap) }
    }

    /// Lines that arrived in the last `seconds` before `now`, by their own time.
    pub fn rate(&self, now: Timestamp, seconds: i64) -> u64 {
        let from = now - jiff::SignedDuration::from_secs(seconds);
        self.ring.iter().rev().take_while(|stored| stored.line.at >= from).count() as u64
    }

    /// How many held lines are of a level or carry a sign; for the pane's title.
    pub fn held(&self, wanted: impl Fn(LogLevel, Option<KillSign>) -> bool) -> usize {
        self.ring.iter().filter(|stored| wanted(stored.line.level, stored.line.kill)).count()
    }
}

fn cost(line: &LogLine) -> usize {
    line.text.len() + line.stream.len() + LINE_OVERHEAD
}
