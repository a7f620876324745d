//! Lines by time and number, for who has met them all: they are found again in the ring without a walk over it.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::rows::LineAnchor;

/// Anchors of lines, ascending.
#[derive(Clone, Debug, Default)]
pub struct Anchors {
    lines: VecDeque<LineAnchor>,
}

impl Anchors {
    /// Adds a line. Late ones are sorted in; nearly all come last.
    pub fn put(&mut self, anchor: LineAnchor) {
        if self.lines.back().is_none_or(|last| key(*last) <= key(anchor)) {
            self.lines.push_back(anchor);
        } else {
            let place = self.lines.partition_point(|other| key(*other) < key(anchor));
            self.lines.insert(place, anchor);
        }
    }

    /// Adds the lines of another.
    pub fn join(&mut self, other: Self) {
        for anchor in other.lines {
            self.put(anchor);
        }
    }

    /// Forgets what is older than an instant.
    pub fn forget_before(&mut self, at: Timestamp) {
        while self.lines.front().is_some_and(|anchor| anchor.at < at) {
            self.lines.pop_front();
        }
    }

    /// Whether a line is among them.
    pub fn holds(&self, anchor: LineAnchor) -> bool {
        self.lines.binary_search_by_key(&key(anchor), |other| key(*other)).is_ok()
    }

    /// Lines after `from` until `to`.
    pub fn between(&self, from: Timestamp, to: Timestamp) -> usize {
        let until = |at| self.lines.partition_point(|anchor| anchor.at <= at);
        until(to).saturating_sub(until(from))
    }

    /// The instants that have a line, from the last one not after `at` backwards.
    pub fn back_from(&self, at: Timestamp) -> impl Iterator<Item = Timestamp> {
        let mut end = self.lines.partition_point(|anchor| anchor.at <= at);
        std::iter::from_fn(move || {
            let instant = self.lines.get(end.checked_sub(1)?)?.at;
            end = self.lines.partition_point(|anchor| anchor.at < instant);
            Some(instant)
        })
    }

    /// The same from the first one not before `at` onwards.
    pub fn on_from(&self, at: Timestamp) -> impl Iterator<Item = Timestamp> {
        let mut start = self.lines.partition_point(|anchor| anchor.at < at);
        std::iter::from_fn(move || {
            let instant = self.lines.get(start)?.at;
            start = self.lines.partition_point(|anchor| anchor.at <= instant);
            Some(instant)
        })
    }
}

fn key(anchor: LineAnchor) -> (Timestamp, u64) {
    (anchor.at, anchor.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn anchor((second, number): (i64, u64)) -> LineAnchor {
        LineAnchor { number, at: Timestamp::from_second(second).unwrap() }
    }

    #[test]
    fn each_instant_comes_once_from_either_side_however_the_lines_came() {
        let mut anchors = Anchors::default();
        for place in [(1, 0), (2, 1), (4, 5), (2, 3), (2, 2), (9, 6)] {
            anchors.put(anchor(place));
        }
        let at = |second| Timestamp::from_second(second).unwrap();
        let seconds =
            |instants: &mut dyn Iterator<Item = Timestamp>| instants.map(Timestamp::as_second).collect::<Vec<_>>();
        assert_eq!(seconds(&mut anchors.back_from(at(3))), [2, 1]);
        assert_eq!(seconds(&mut anchors.on_from(at(2))), [2, 4, 9]);
        assert_eq!(anchors.between(at(1), at(4)), 4);
        assert!(anchors.holds(anchor((2, 3))) && !anchors.holds(anchor((2, 4))));
        anchors.forget_before(at(4));
        assert_eq!(seconds(&mut anchors.back_from(at(99))), [9, 4]);
    }
}
