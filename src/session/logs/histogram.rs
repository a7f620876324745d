//! How many lines happened when, by level: counted as they come, so that what falls out of the ring stays counted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::domain::observation::log::{LogLevel, LogLine};
use crate::domain::observation::oom_kill::KillSign;
use crate::domain::observation::scope::Window;

/// Seconds of a slot.
const SLOT_S: i64 = 10;
/// Slots that are counted, the newest ones that had a line: six hours of a stream that never pauses.
const SLOTS: usize = 2_160;

/// What was counted in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Bucket {
    /// Lines of any level.
    pub lines: u64,
    /// Lines of level warn.
    pub warnings: u64,
    /// Lines of level error.
    pub errors: u64,
    /// Lines that tell of a kill by the kernel or the platform.
    pub kills: u64,
}

impl Bucket {
    fn add(&mut self, other: Self) {
        self.lines += other.lines;
        self.warnings += other.warnings;
        self.errors += other.errors;
        self.kills += other.kills;
    }

    fn of(line: &LogLine) -> Self {
        Self {
            lines: 1,
            warnings: u64::from(line.level == LogLevel::Warn),
            errors: u64::from(line.level == LogLevel::Error),
            kills: u64::from(line.kill == Some(KillSign::OomKill)),
        }
    }
}

/// Lines by the slot they happened in. Independent of the order they come in, as a rate is.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Histogram {
    by_slot: BTreeMap<i64, Bucket>,
}

impl Histogram {
    /// Counts lines. Those of one slot come together nearly always, and are counted together then.
    pub(super) fn count<'a>(&mut self, lines: impl Iterator<Item = &'a LogLine>) {
        let mut run: Option<(i64, Bucket)> = None;
        for line in lines {
            let slot = line.at.as_second().div_euclid(SLOT_S);
            match &mut run {
                Some((same, bucket)) if *same == slot => bucket.add(Bucket::of(line)),
                run => {
                    let before = run.replace((slot, Bucket::of(line)));
                    self.add(before);
                }
            }
        }
        self.add(run);
    }

    fn add(&mut self, run: Option<(i64, Bucket)>) {
        let Some((slot, bucket)) = run else { return };
        self.by_slot.entry(slot).or_default().add(bucket);
        if self.by_slot.len() > SLOTS {
            self.by_slot.pop_first();
        }
    }

    /// Lines that tell of a kill, of those spans that begin after an instant.
    pub fn kills_after(&self, at: Timestamp) -> u64 {
        let first = at.as_second().div_euclid(SLOT_S) + 1;
        self.by_slot.range(first..).map(|(_, bucket)| bucket.kills).sum()
    }

    /// Adds what happened in a window to the columns it is drawn in.
    pub fn spread(&self, window: Window, columns: &mut [Bucket]) {
        let (from, to) = (window.from.as_second(), window.to.as_second());
        let whole = (to - from).max(1);
        let width = i64::try_from(columns.len()).unwrap_or(1);
        for (slot, bucket) in self.by_slot.range(from.div_euclid(SLOT_S)..) {
            let at = (slot * SLOT_S).max(from);
            if at >= to {
                return;
            }
            let column = usize::try_from((at - from) * width / whole).unwrap_or(0);
            if let Some(column) = columns.get_mut(column) {
                column.add(*bucket);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn line(second: i64, level: LogLevel, kill: Option<KillSign>) -> LogLine {
        LogLine {
            id: "e".into(),
            at: Timestamp::from_second(second).unwrap(),
            group: "/g".into(),
            stream: "s".into(),
            level,
            text: "".into(),
            kill,
        }
    }

    #[test]
    fn lines_are_counted_by_level_in_the_column_of_their_time_in_any_order() {
        let lines = [
            line(3, LogLevel::Info, None),
            line(7, LogLevel::Error, None),
            line(65, LogLevel::Warn, None),
            line(119, LogLevel::Error, Some(KillSign::OomKill)),
            line(130, LogLevel::Info, None),
        ];
        let window = Window { from: Timestamp::UNIX_EPOCH, to: Timestamp::from_second(120).unwrap() };
        let (mut onward, mut backward) = (Histogram::default(), Histogram::default());
        onward.count(lines.iter());
        backward.count(lines.iter().rev());
        assert_eq!(onward, backward);
        let mut columns = [Bucket::default(); 2];
        onward.spread(window, &mut columns);
        assert_eq!(columns[0], Bucket { lines: 2, errors: 1, ..Bucket::default() });
        assert_eq!(columns[1], Bucket { lines: 2, warnings: 1, errors: 1, kills: 1 });
    }

    #[test]
    fn old_slots_go_and_the_newest_stay() {
        let mut histogram = Histogram::default();
        let lines: Vec<LogLine> = (0..3_000).map(|n| line(n * SLOT_S, LogLevel::Info, None)).collect();
        histogram.count(lines.iter());
        assert_eq!(histogram.by_slot.len(), SLOTS);
        assert_eq!(histogram.by_slot.keys().next_back(), Some(&2_999));
    }
}
