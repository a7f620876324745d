//! Meets every line of a log board once: those held from the beginning a few at a time, new ones as they come. What is
//! computed over lines costs a frame the new lines, whatever the ring holds.

use super::rows::LineAnchor;
use crate::session::logs::{LogBoard, StoredLine};

/// How far a walk is.
#[derive(Clone, Debug, Default)]
pub struct Walk {
    begun: Option<Begun>,
}

#[derive(Clone, Debug)]
struct Begun {
    /// Lines from this number on came after the walk began.
    limit: u64,
    /// The last of the lines held then that was met.
    reached: Option<LineAnchor>,
    /// Whether all of them were.
    held: Held,
    /// The first number not met of those that came after.
    next: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Held {
    Going,
    Done,
}

impl Walk {
    /// Whether every line held was met.
    pub fn is_done(&self) -> bool {
        self.begun.as_ref().is_some_and(|begun| begun.held == Held::Done)
    }

    /// Whether every line there is was met, the newest as well.
    pub fn has_met_all(&self, board: &LogBoard) -> bool {
        self.begun.as_ref().is_some_and(|begun| begun.held == Held::Done && begun.next == board.received())
    }

    /// Meets what came since the last time, and at most so many of the lines held at the beginning.
    pub fn on<'a>(&mut self, board: &'a LogBoard, most: usize, mut each: impl FnMut(&'a StoredLine)) {
        let received = board.received();
        let begun =
            self.begun.get_or_insert(Begun { limit: received, reached: None, held: Held::Going, next: received });
        begun.meet_held(board, most, &mut each);
        begun.meet_new(board, &mut each);
    }
}

impl Begun {
    fn meet_held<'a>(&mut self, board: &'a LogBoard, most: usize, each: &mut impl FnMut(&'a StoredLine)) {
        if self.held == Held::Done {
            return;
        }
        let lines = board.lines();
        let from = self.reached.map_or(0, |reached| after(board, reached));
        for stored in lines.range(from..).take(most) {
            if stored.number < self.limit {
                each(stored);
            }
            self.reached = Some(LineAnchor::of(stored));
        }
        if from + most >= lines.len() {
            self.held = Held::Done;
        }
    }

    /// New lines are at the end of the ring but for late pages, so that looking from the end finds them soon.
    fn meet_new<'a>(&mut self, board: &'a LogBoard, each: &mut impl FnMut(&'a StoredLine)) {
        let wanted = usize::try_from(board.received() - self.next).unwrap_or(usize::MAX);
        let new = board.lines().iter().rev().filter(|stored| stored.number >= self.next).take(wanted);
        let found: Vec<&StoredLine> = if wanted == 0 { Vec::new() } else { new.collect() };
        found.into_iter().rev().for_each(each);
        self.next = board.received();
    }
}

/// The place after a line, or after where it was.
fn after(board: &LogBoard, reached: LineAnchor) -> usize {
    let lines = board.lines();
    let from = lines.partition_point(|stored| stored.line.at < reached.at);
    let same_time = lines.range(from..).take_while(|stored| stored.line.at == reached.at);
    let own = same_time.into_iter().position(|stored| stored.number == reached.number);
    own.map_or(from, |own| from + own + 1)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::observation::log::{BatchSummary, LogGroup, LogLevel, LogLine};

    fn line(second: i64, id: usize) -> LogLine {
        LogLine {
            id: format!("{id:09}").into(),
            at: Timestamp::from_second(second).unwrap(),
            group: "/g".into(),
            stream: "s".into(),
            level: LogLevel::Info,
            text: format!("{id}").into(),
            kill: None,
        }
    }

    #[test]
    fn every_line_is_met_once_whenever_it_comes_and_wherever_it_belongs() {
        let group = LogGroup::from("/g");
        let mut board = LogBoard::default();
        let mut walk = Walk::default();
        let mut met: Vec<u64> = Vec::new();
        let mut came = 0;
        for round in 0..40_i64 {
            // Three lines of one instant at the end, and every fifth round a late one far back.
            let late = (round % 5 == 0).then(|| line(1, came + 9));
            let page: Vec<LogLine> = (0..3).map(|n| line(100 + round / 2, came + n)).chain(late).collect();
            came += 10;
            board.fold_batch(&group, &BatchSummary::default(), &page);
            if round >= 10 {
                walk.on(&board, 7, |stored| met.push(stored.number));
            }
        }
        while !walk.is_done() {
            walk.on(&board, 7, |stored| met.push(stored.number));
        }
        met.sort_unstable();
        assert_eq!(met, (0..board.received()).collect::<Vec<_>>());
    }
}
