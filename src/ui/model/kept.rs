//! Log lines that somebody holds on screen, kept aside: the ring goes over what stands still while others come.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::rows::LineAnchor;
use crate::session::logs::StoredLine;

/// Lines kept on either side of the held one. Both sides take about a megabyte.
const AROUND: usize = 2_000;

/// Lines before the held one that a screen may show: once the ring has gone over the first of them, the kept ones stand in.
const SHOWN: usize = 200;

/// The lines around a held one.
#[derive(Clone, Debug, Default)]
pub struct Kept {
    lines: VecDeque<StoredLine>,
    /// The first line whose loss a screen would show.
    first: Option<LineAnchor>,
}

impl Kept {
    /// Keeps what is around a line of the ring, as long as the ring has it.
    pub fn hold(&mut self, anchor: LineAnchor, ring: &VecDeque<StoredLine>) {
        if self.stands_in(ring) || self.is_around(anchor) {
            return;
        }
        let place = place(anchor, ring);
        let first = place.saturating_sub(AROUND);
        self.lines = ring.range(first..ring.len().min(place + AROUND)).cloned().collect();
        self.first = self.lines.get((place - first).saturating_sub(SHOWN)).map(LineAnchor::of);
    }

    /// Lets them go.
    pub fn let_go(&mut self) {
        *self = Self::default();
    }

    /// In the order of the ring.
    pub fn lines(&self) -> &VecDeque<StoredLine> {
        &self.lines
    }

    /// Whether the ring has gone over what was held, so that these are to be shown.
    pub fn stands_in(&self, ring: &VecDeque<StoredLine>) -> bool {
        let key = |anchor: LineAnchor| (anchor.at, anchor.number);
        match (self.first, ring.front().map(LineAnchor::of)) {
            (Some(first), Some(oldest)) => key(oldest) > key(first),
            (Some(_), None) => true,
            (None, _) => false,
        }
    }

    /// Whether lines below a number came after the last one that was kept.
    pub fn ends_before(&self, number: u64) -> bool {
        self.lines.iter().map(|stored| stored.number).max().is_some_and(|last| last + 1 < number)
    }

    /// A line by its number.
    pub fn line(&self, number: u64) -> Option<&StoredLine> {
        self.lines.iter().find(|stored| stored.number == number)
    }

    /// Whether the held line is so far from both ends that nothing new has to be kept.
    fn is_around(&self, anchor: LineAnchor) -> bool {
        let at = |place: usize| self.lines.get(place).map(|stored| stored.line.at);
        let far: [Option<Timestamp>; 2] = [at(AROUND / 2), at(self.lines.len().saturating_sub(AROUND / 2))];
        matches!(far, [Some(from), Some(to)] if from <= anchor.at && anchor.at <= to)
    }
}

/// The place of a line, or of the first one after its time.
fn place(anchor: LineAnchor, lines: &VecDeque<StoredLine>) -> usize {
    let from = lines.partition_point(|stored| stored.line.at < anchor.at);
    let offset = lines.range(from..).take_while(|stored| stored.line.at == anchor.at);
    from + offset.into_iter().position(|stored| stored.number == anchor.number).unwrap_or(0)
}
