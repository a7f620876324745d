//! The log lines that are shown at all, walked by their place in the ring: under the pane's filter, template and freeze.

use std::ops::Range;

use jiff::Timestamp;

use super::Ui;
use super::anchors::Anchors;
use super::fold::Fold;
use super::log_look::Rows;
use super::rows::{LineAnchor, log_groups};
use super::scroll::{Freeze, Scroll};
use crate::domain::observation::log::{LogGroup, LogLine};
use crate::session::Session;
use crate::session::logs::{GroupBoard, StoredLine};
use crate::ui::search::{Search, Shown, shows};

/// A line that is held still, in the ring or for who reads it.
pub fn stored<'a>(ui: &'a Ui, session: &'a Session, number: u64) -> Option<&'a StoredLine> {
    let held = session.logs.lines().iter().find(|stored| stored.number == number);
    held.or_else(|| ui.log.kept.line(number))
}

/// Whether the lines that are kept are shown, as the ring has gone over what stands still.
pub fn stands_in(ui: &Ui, session: &Session) -> bool {
    let is_still = ui.logs.freeze != Freeze::Running || matches!(ui.logs.scroll, Scroll::Held { .. });
    is_still && ui.log.kept.stands_in(session.logs.lines())
}

/// The lines that are shown at all, walked by their place in the ring.
pub struct LogView<'a> {
    lines: &'a std::collections::VecDeque<StoredLine>,
    groups: Vec<&'a LogGroup>,
    search: Option<&'a Search>,
    /// The one template whose lines are shown, with who knows them.
    template: Option<(&'a Fold, usize)>,
    /// The lines that can be shown at all, where somebody has met them all: a filter that few lines match must not cost a
    /// frame the whole ring.
    known: Option<&'a Anchors>,
    limit: u64,
    /// How many lines of the groups there are at the most: who has met so many looks no further.
    held: usize,
}

impl<'a> LogView<'a> {
    /// The lines of the incident on screen, under the pane's search and freeze.
    pub fn new(ui: &'a Ui, session: &'a Session) -> Self {
        Self::over(ui, session, stands_in(ui, session))
    }

    /// The same over the ring, whatever is kept.
    pub fn of_ring(ui: &'a Ui, session: &'a Session) -> Self {
        Self::over(ui, session, false)
    }

    fn over(ui: &'a Ui, session: &'a Session, stands_in: bool) -> Self {
        let limit = match ui.logs.freeze {
            Freeze::Running => u64::MAX,
            Freeze::At { number, .. } => number,
        };
        let template = match ui.log.rows {
            Rows::Of(number) => Some((&ui.log.fold, number)),
            Rows::Lines | Rows::Templates => None,
        };
        let (ring, groups, search) = (session.logs.lines(), log_groups(ui, session), ui.logs.search.as_ref());
        let lines = if stands_in { ui.log.kept.lines() } else { ring };
        let known = match (template, search, &ui.log.tally) {
            // What was met goes with the ring.
            _ if stands_in => None,
            (Some((fold, number)), _, _) => fold.lines_of(number),
            (None, Some(search), Some(tally)) if search.shown == Shown::Matches => {
                tally.lines(&session.logs, &groups, search)
            }
            (None, _, _) => None,
        };
        let boards = groups.iter().filter_map(|group| session.logs.group(group));
        let held = if stands_in { u64::MAX } else { boards.map(GroupBoard::held).sum() };
        let held = usize::try_from(held).unwrap_or(usize::MAX);
        Self { lines, groups, search, template, known, limit, held }
    }

    /// The same, whatever the pane is filtered by.
    pub fn unfiltered(ui: &'a Ui, session: &'a Session) -> Self {
        Self { search: None, template: None, known: None, ..Self::new(ui, session) }
    }

    /// The most lines that can be shown at all.
    pub fn held(&self) -> usize {
        self.held
    }

    /// Places in the ring.
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether the ring is empty.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Lines of its groups that came since the pane was frozen.
    pub fn withheld(&self, session: &Session) -> u64 {
        let boards = self.groups.iter().filter_map(|group| session.logs.group(group));
        boards.map(|board| board.received_since(self.limit)).sum()
    }

    fn shows(&self, at: usize) -> bool {
        self.lines.get(at).is_some_and(|stored| {
            let line = stored.line.as_ref();
            let of_template = self.template.is_none_or(|(fold, number)| fold.holds(number, stored));
            let held = stored.number < self.limit && self.groups.contains(&&line.group);
            held && of_template && shows(self.search, &line.text)
        })
    }

    /// The shown place at an instant: of the last line not after it, else of the first one there is.
    pub fn at(&self, at: Timestamp) -> Option<usize> {
        let after = self.lines.partition_point(|stored| stored.line.at <= at);
        self.before(after).or_else(|| self.at_or_after(after))
    }

    /// The place of an anchor: of its line, or of the first line after its time.
    pub fn place(&self, anchor: LineAnchor) -> usize {
        let from = self.lines.partition_point(|stored| stored.line.at < anchor.at);
        let same_time = self.lines.range(from..).take_while(|stored| stored.line.at == anchor.at);
        let offset = same_time.clone().position(|stored| stored.number == anchor.number);
        from + offset.unwrap_or(0)
    }

    /// The place behind that of an anchor, be its line there or not.
    pub fn behind(&self, anchor: LineAnchor) -> usize {
        let place = self.place(anchor);
        place + usize::from(self.line(place).is_some_and(|line| line.number == anchor.number))
    }

    /// The first shown place at or after one.
    pub fn at_or_after(&self, at: usize) -> Option<usize> {
        let first_in = |mut places: Range<usize>| places.find(|place| self.shows(*place));
        let Some(known) = self.known else { return first_in(at..self.lines.len()) };
        let from = self.lines.get(at)?.line.at;
        known.on_from(from).map(|instant| self.places(instant)).find_map(|held| first_in(held.start.max(at)..held.end))
    }

    /// The last shown place before one.
    pub fn before(&self, at: usize) -> Option<usize> {
        let end = at.min(self.lines.len());
        let last_in = |places: Range<usize>| places.rev().find(|place| self.shows(*place));
        let Some(known) = self.known else { return last_in(0..end) };
        let last = self.lines.get(end.checked_sub(1)?)?.line.at;
        known
            .back_from(last)
            .map(|instant| self.places(instant))
            .find_map(|held| last_in(held.start..held.end.min(end)))
    }

    /// The places of an instant.
    fn places(&self, at: Timestamp) -> Range<usize> {
        let from = self.lines.partition_point(|stored| stored.line.at < at);
        from..self.lines.partition_point(|stored| stored.line.at <= at)
    }

    /// The next shown line after a place for which `wanted` holds.
    pub fn find_after(&self, at: usize, wanted: impl Fn(&LogLine) -> bool) -> Option<usize> {
        self.find_from(at + 1, wanted)
    }

    /// The first shown line at or after a place for which `wanted` holds.
    pub fn find_from(&self, at: usize, wanted: impl Fn(&LogLine) -> bool) -> Option<usize> {
        (at..self.lines.len()).find(|at| self.shows(*at) && wanted(&self.lines[*at].line))
    }

    /// The next shown line before a place for which `wanted` holds.
    pub fn find_before(&self, at: usize, wanted: impl Fn(&LogLine) -> bool) -> Option<usize> {
        (0..at.min(self.lines.len())).rev().find(|at| self.shows(*at) && wanted(&self.lines[*at].line))
    }

    /// The line at a place.
    pub fn line(&self, at: usize) -> Option<&'a StoredLine> {
        self.lines.get(at)
    }
}
