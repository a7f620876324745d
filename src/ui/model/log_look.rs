//! How the log pane shows its lines: which columns, wrapped or cut, as lines or folded by template; and its bookmarks.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::anchors::Anchors;
use super::fold::Fold;
use super::kept::Kept;
use super::lanes::Lanes;
use super::rows::LineAnchor;
use super::scroll::ListView;
use super::walk::Walk;
use crate::domain::observation::log::LogGroup;
use crate::session::logs::{LogBoard, StoredLine};
use crate::ui::search::Search;

/// A column before the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// When.
    Time,
    /// How loud.
    Level,
    /// The pod, task or container, in a colour of its own.
    Container,
    /// The whole name of the stream.
    Stream,
}

impl Column {
    /// Every column from the left.
    pub const ALL: [Self; 4] = [Self::Time, Self::Level, Self::Container, Self::Stream];

    /// Its word; its first letter is its key.
    pub fn word(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Level => "level",
            Self::Container => "container",
            Self::Stream => "stream",
        }
    }
}

/// What becomes of a line longer than the pane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wrap {
    /// It is cut; the text can be shifted.
    #[default]
    Cut,
    /// It goes on in the next row.
    Wrapped,
}

/// What the rows of the pane are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rows {
    /// Lines.
    #[default]
    Lines,
    /// Templates, each with its count.
    Templates,
    /// The lines of one template.
    Of(usize),
}

/// How the pane shows its lines.
#[derive(Clone, Debug)]
pub struct LogLook {
    /// Which columns stand before the text.
    pub columns: BTreeSet<Column>,
    /// Long lines.
    pub wrap: Wrap,
    /// Columns that the text is shifted to the left by.
    pub shift: usize,
    /// What the rows are.
    pub rows: Rows,
    /// Lines by template; empty until they were asked for.
    pub fold: Fold,
    /// Where the list of templates stands.
    pub templates: ListView<usize>,
    /// Lines worth coming back to, by time and number.
    pub bookmarks: BTreeSet<(Timestamp, u64)>,
    /// How many lines match what is searched for.
    pub tally: Option<Tally>,
    /// The lines around what is held or frozen.
    pub kept: Kept,
    /// How containers are told apart.
    pub lanes: Lanes,
}

impl Default for LogLook {
    fn default() -> Self {
        Self {
            columns: BTreeSet::from([Column::Time, Column::Level, Column::Container]),
            wrap: Wrap::default(),
            shift: 0,
            rows: Rows::default(),
            fold: Fold::default(),
            templates: ListView::default(),
            bookmarks: BTreeSet::new(),
            tally: None,
            kept: Kept::default(),
            lanes: Lanes::default(),
        }
    }
}

impl LogLook {
    /// Whether a line has a bookmark.
    pub fn is_marked(&self, stored: &StoredLine) -> bool {
        let anchor = LineAnchor::of(stored);
        self.bookmarks.contains(&(anchor.at, anchor.number))
    }
}

/// Lines counted between two frames at most, of those held when the search began.
const MOST: usize = 10_000;

/// Matches of a search, counted over every line that is or was held since it began.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    text: String,
    groups: Vec<LogGroup>,
    walk: Walk,
    lines: Anchors,
    /// Lines that match.
    pub matched: u64,
    /// Lines looked at.
    pub met: u64,
}

impl Tally {
    /// Takes in what came since the last time. Another search or other groups begin anew.
    pub fn refresh(&mut self, board: &LogBoard, groups: &[&LogGroup], search: &Search) {
        if self.text != search.text() || !self.groups.iter().eq(groups.iter().copied()) {
            let groups = groups.iter().map(|group| (*group).clone()).collect();
            *self = Self { text: search.text().to_owned(), groups, ..Self::default() };
        }
        let Self { groups, walk, lines, matched, met, .. } = self;
        walk.on(board, MOST, |stored| {
            if groups.contains(&stored.line.group) {
                *met += 1;
                if search.matches(&stored.line.text) {
                    *matched += 1;
                    lines.put(LineAnchor::of(stored));
                }
            }
        });
        if let Some(first) = board.lines().front() {
            lines.forget_before(first.line.at);
        }
    }

    /// Whether every line held was looked at.
    pub fn is_done(&self) -> bool {
        self.walk.is_done()
    }

    /// The lines that match, if every line of these groups was looked at for this search.
    pub fn lines(&self, board: &LogBoard, groups: &[&LogGroup], search: &Search) -> Option<&Anchors> {
        let is_of = self.text == search.text() && self.groups.iter().eq(groups.iter().copied());
        (is_of && self.walk.has_met_all(board)).then_some(&self.lines)
    }
}
