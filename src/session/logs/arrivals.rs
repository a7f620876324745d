//! When lines happened and when they came, counted as they come: what falls out of the ring stays counted.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;
use serde::Serialize;

/// Seconds that are counted, the newest ones that had a line.
const SECONDS: usize = 128;
/// Runs of numbers that are remembered. Pages of one group in a row are one run, so it takes two groups and hours of a
/// frozen pane to forget one.
const RUNS: usize = 8_192;

/// Lines of a group by the second they happened in.
///
/// Independent of the order they come in: a second that was forgotten is older than every counted one for ever.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Rate {
    by_second: BTreeMap<i64, u64>,
}

impl Rate {
    /// Counts lines. Those of one second come together nearly always, and are counted together then.
    pub(super) fn count(&mut self, times: impl Iterator<Item = Timestamp>) {
        let mut run: Option<(i64, u64)> = None;
        for at in times {
            let second = at.as_second();
            run = match run {
                Some((same, count)) if same == second => Some((same, count + 1)),
                other => {
                    self.add(other);
                    Some((second, 1))
                }
            };
        }
        self.add(run);
    }

    fn add(&mut self, run: Option<(i64, u64)>) {
        let Some((second, count)) = run else { return };
        *self.by_second.entry(second).or_default() += count;
        if self.by_second.len() > SECONDS {
            self.by_second.pop_first();
        }
    }

    /// Lines that happened in the `seconds` whole seconds before the one of `now`, which is not over.
    pub(super) fn over(&self, now: Timestamp, seconds: i64) -> u64 {
        let end = now.as_second();
        self.by_second.range(end.saturating_sub(seconds)..end).map(|(_, count)| count).sum()
    }
}

/// Which numbers a group's lines got.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(super) struct Numbers {
    runs: VecDeque<Run>,
    received: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Run {
    first: u64,
    length: u64,
}

impl Numbers {
    /// Notes that `length` lines got the numbers from `first` on.
    pub(super) fn note(&mut self, first: u64, length: u64) {
        if length == 0 {
            return;
        }
        self.received += length;
        match self.runs.back_mut() {
            Some(last) if last.first + last.length == first => last.length += length,
            Some(_) | None => self.runs.push_back(Run { first, length }),
        }
        if self.runs.len() > RUNS {
            self.runs.pop_front();
        }
    }

    /// How many lines came.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// How many lines got a number from `number` on.
    pub(super) fn since(&self, number: u64) -> u64 {
        let later = self.runs.iter().rev().map_while(|run| {
            let end = run.first + run.length;
            (end > number).then(|| end - run.first.max(number))
        });
        later.sum()
    }
}
