//! Where a list or a text stands: anchored to what the person looks at, so that new data never moves it.

use super::super::search::Search;

/// Where a list stands. New data moves only what follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scroll<Id> {
    /// At the first row, not touched yet.
    #[default]
    Head,
    /// Follows: at the last row, whatever comes.
    Tail,
    /// Holds on to two rows by id.
    Held {
        /// The selected row.
        cursor: Id,
        /// The first row on screen.
        top: Id,
        /// The selected row's place when it was last seen, for when it is gone.
        place: usize,
    },
}

/// A part of a list that is on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Index of the first row on screen.
    pub first: usize,
    /// Index of the row after the last one on screen.
    pub end: usize,
    /// Index of the selected row; `None` in an empty list.
    pub cursor: Option<usize>,
}

impl<Id: Clone + PartialEq> Scroll<Id> {
    /// Which part of `ids` is on screen in `rows` rows. The selected row always is.
    pub fn span(&self, ids: &[Id], rows: usize) -> Span {
        let last = ids.len().saturating_sub(1);
        let (cursor, top) = match self {
            Self::Head => (0, 0),
            Self::Tail => (last, ids.len().saturating_sub(rows)),
            Self::Held { cursor, top, place } => {
                let cursor = ids.iter().position(|id| id == cursor).unwrap_or((*place).min(last));
                (cursor, ids.iter().position(|id| id == top).unwrap_or(cursor))
            }
        };
        let first = top.clamp((cursor + 1).saturating_sub(rows.max(1)), cursor);
        Span { first, end: (first + rows).min(ids.len()), cursor: (!ids.is_empty()).then_some(cursor) }
    }

    /// Selects the row at an index and scrolls as little as that needs.
    pub fn select(&mut self, ids: &[Id], rows: usize, index: usize) {
        let Some(id) = ids.get(index.min(ids.len().saturating_sub(1))) else { return };
        let place = index.min(ids.len() - 1);
        let least = (place + 1).saturating_sub(rows.max(1));
        let first = self.span(ids, rows).first.clamp(least, place);
        *self = Self::Held { cursor: id.clone(), top: ids[first].clone(), place };
    }
}

/// Whether what is shown goes on with what comes. What comes is counted either way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Freeze {
    /// It goes on.
    #[default]
    Running,
    /// It shows what there was then.
    At {
        /// Incident time by the clock of AWS, which dates what is shown.
        at: jiff::Timestamp,
        /// The first number not shown: of log lines, or of the session's records.
        number: u64,
    },
}

/// A list in a pane.
#[derive(Clone, Debug)]
pub struct ListView<Id> {
    /// Where it stands.
    pub scroll: Scroll<Id>,
    /// What is searched for.
    pub search: Option<Search>,
    /// Whether it is frozen.
    pub freeze: Freeze,
}

impl<Id> Default for ListView<Id> {
    fn default() -> Self {
        Self::at(Scroll::Head)
    }
}

impl<Id> ListView<Id> {
    /// A list that stands there.
    pub fn at(scroll: Scroll<Id>) -> Self {
        Self { scroll, search: None, freeze: Freeze::Running }
    }

    /// Whether it follows.
    pub fn follows(&self) -> bool {
        matches!(self.scroll, Scroll::Tail) && self.freeze == Freeze::Running
    }
}

/// Where a wrapped text stands. What it holds on to is a place in the text, where streamed text never changes and no width
/// matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TextView {
    /// The last row is on screen while the text grows; once it is settled, its beginning: the conclusion comes first.
    #[default]
    Follow,
    /// The row that begins at this byte, or the next one, is the first on screen, if there are so many.
    At(usize),
}

/// Whether a text still grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// It does.
    Growing,
    /// It is as it will stay.
    Settled,
}

impl TextView {
    /// The first row on screen of a text with `total` rows in a pane with `rows`; `row_of` finds the row of a place.
    pub fn first(self, flow: Flow, (total, rows): (usize, usize), row_of: impl FnOnce(usize) -> usize) -> usize {
        let last_page = total.saturating_sub(rows);
        match self {
            Self::Follow if flow == Flow::Settled => 0,
            Self::Follow => last_page,
            Self::At(place) => row_of(place).min(last_page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_rows_before_and_after_do_not_move_what_is_held() {
        let mut scroll = Scroll::Head;
        let ids: Vec<u32> = (10..30).collect();
        scroll.select(&ids, 5, 12);
        let held = scroll.span(&ids, 5);
        assert_eq!((held.first, held.cursor), (8, Some(12)));
        let more: Vec<u32> = (0..60).collect();
        let span = scroll.span(&more, 5);
        assert_eq!((span.first, span.cursor), (18, Some(22)), "the same ids, ten further down");
    }

    #[test]
    fn only_following_moves_with_new_rows() {
        let ids: Vec<u32> = (0..9).collect();
        assert_eq!(Scroll::Tail.span(&ids, 4), Span { first: 5, end: 9, cursor: Some(8) });
        assert_eq!(Scroll::Head.span(&ids, 4), Span { first: 0, end: 4, cursor: Some(0) });
        assert_eq!(Scroll::<u32>::Tail.span(&[], 4), Span { first: 0, end: 0, cursor: None });
    }

    #[test]
    fn a_row_that_is_gone_leaves_its_place_selected() {
        let mut scroll = Scroll::Head;
        scroll.select(&[1, 2, 3, 4], 3, 2);
        assert_eq!(scroll.span(&[1, 2, 4], 3).cursor, Some(2));
        assert_eq!(scroll.span(&[1], 3).cursor, Some(0));
    }

    #[test]
    fn the_selected_row_is_on_screen_at_any_height() {
        let ids: Vec<u32> = (0..50).collect();
        let mut scroll = Scroll::Head;
        for index in [0, 49, 25, 3, 48, 47, 0] {
            scroll.select(&ids, 7, index);
            for rows in 1..20 {
                let span = scroll.span(&ids, rows);
                assert!(span.cursor.is_some_and(|cursor| (span.first..span.end).contains(&cursor)), "{rows} {span:?}");
            }
        }
    }
}
