//! What a window of log lines comes to: one pass over all of them, bounded memory, exact counts.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::domain::observation::collector_log::{self, CollectionKind};
use crate::domain::observation::log::{BatchSummary, LogLevel, LogLine, LogStream};
use crate::domain::observation::log_sign::SignTally;
use crate::domain::observation::log_template::Miner;
use crate::domain::observation::oom_kill::KillSign;
use crate::domain::observation::scope::Window;

/// Excerpts kept of a kind.
const EXCERPTS: usize = 20;
/// Kill lines kept, so that each can be given to its pod once the pods are known.
const KILLS: usize = 20_000;
/// Lines of one stream about a heap error closer than this are one: a runtime writes several about each.
const SAME: SignedDuration = SignedDuration::from_secs(10);

/// Lines that were given and lie outside of the window.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outside {
    pub(super) lines: u64,
    /// Of them those that tell of an OOM kill.
    pub(super) kills: u64,
}

/// Folds the lines of a window, in any order and any number of pages, each line once (the caller removes duplicates by
/// event id).
#[derive(Clone, Debug)]
pub struct LogDigest {
    window: Window,
    pub(super) outside: Outside,
    pub(super) summary: BatchSummary,
    pub(super) kills: Vec<LogLine>,
    /// Heap errors, each once however many lines are about it.
    pub(super) heap_errors: u64,
    heap_error_at: BTreeMap<LogStream, Timestamp>,
    pub(super) pauses: u64,
    pub(super) full_collections: u64,
    pub(super) collector_excerpts: Vec<LogLine>,
    pub(super) excerpts: Vec<LogLine>,
    pub(super) miner: Miner,
    pub(super) signs: SignTally,
}

impl LogDigest {
    /// An empty digest of a window; lines outside of it are in none of its counts but `Outside`'s.
    pub fn new(window: Window) -> Self {
        Self {
            window,
            outside: Outside::default(),
            summary: BatchSummary::default(),
            kills: Vec::new(),
            heap_errors: 0,
            heap_error_at: BTreeMap::new(),
            pauses: 0,
            full_collections: 0,
            collector_excerpts: Vec::new(),
            excerpts: Vec::new(),
            miner: Miner::over(window),
            signs: SignTally::default(),
        }
    }

    /// Counts a line.
    pub fn add(&mut self, line: &LogLine) {
        if !self.window.contains(line.at) {
            self.outside.lines += 1;
            self.outside.kills += u64::from(line.kill == Some(KillSign::OomKill));
            return;
        }
        self.summary.add(line);
        self.miner.add(line);
        self.signs.add(line);
        let collection = collector_log::of_line(&line.text).map(|one| one.kind);
        match collection {
            Some(CollectionKind::Partial | CollectionKind::Phase) => self.pauses += 1,
            Some(CollectionKind::Full) => self.full_collections += 1,
            Some(CollectionKind::Cycle) | None => {}
        }
        if line.kill == Some(KillSign::OomKill) && self.kills.len() < KILLS {
            self.kills.push(line.clone());
        }
        if line.kill == Some(KillSign::HeapError) {
            self.add_heap_error(line);
        }
        if collection == Some(CollectionKind::Full) || line.kill == Some(KillSign::HeapError) {
            keep(&mut self.collector_excerpts, line);
        }
        if line.level == LogLevel::Error || line.kill.is_some() {
            keep(&mut self.excerpts, line);
        }
    }

    /// Takes the lines that tell of memory from a search over the whole window, in place of those among the lines that
    /// were read. Lines without a sign, or outside of the window, are left out.
    pub fn adopt_signs(&mut self, lines: &[LogLine]) {
        self.kills.clear();
        (self.summary.kills, self.summary.heap_errors, self.heap_errors) = (0, 0, 0);
        self.heap_error_at.clear();
        let window = self.window;
        for line in lines.iter().filter(|line| window.contains(line.at)) {
            match line.kill {
                Some(KillSign::OomKill) => {
                    self.summary.kills += 1;
                    if self.kills.len() < KILLS {
                        self.kills.push(line.clone());
                    }
                }
                Some(KillSign::HeapError) => {
                    self.summary.heap_errors += 1;
                    self.add_heap_error(line);
                    keep(&mut self.collector_excerpts, line);
                }
                None => {}
            }
        }
    }

    fn add_heap_error(&mut self, line: &LogLine) {
        let known = self.heap_error_at.get(&line.stream);
        if known.is_some_and(|at| line.at.duration_since(*at).abs() < SAME) {
            return;
        }
        self.heap_errors += 1;
        if known.is_some() || self.heap_error_at.len() < KILLS {
            self.heap_error_at.insert(line.stream.clone(), line.at);
        }
    }

    /// What was counted.
    pub fn summary(&self) -> &BatchSummary {
        &self.summary
    }
}

fn keep(excerpts: &mut Vec<LogLine>, line: &LogLine) {
    if excerpts.len() < EXCERPTS {
        excerpts.push(line.clone());
    }
}
