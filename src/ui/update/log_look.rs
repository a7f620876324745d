//! How the log pane shows its lines: folding, columns, wrapping, shifting, bookmarks.

use crossterm::event::{KeyCode, KeyEvent};
use jiff::Timestamp;

use super::super::intent::Intent;
use super::super::keymap::Action;
use super::super::model::log_look::{Column, Rows, Wrap};
use super::super::model::log_view::LogView;
use super::super::model::overlay::Overlay;
use super::super::model::rows::{self, LineAnchor};
use super::super::model::scroll::{Freeze, Scroll};
use super::super::model::{Instants, Pane, Tone, Ui};
use super::log_motion;
use super::notice::refuse;
use super::time::{self, Origin};
use crate::session::Session;
use crate::ui::search::Shown;

/// Columns a shift moves the text by.
const SHIFT: usize = 20;

/// Does what the key asks.
pub(super) fn act(ui: &mut Ui, action: Action, session: &Session, at: Instants) -> Vec<Intent> {
    // From the palette it may be done in another pane: what it does is seen.
    ui.focus = Pane::Logs;
    match action {
        Action::Fold => fold(ui, session, at),
        Action::Columns => ui.overlay = Some(Overlay::Columns { selected: 0 }),
        Action::Wrap => {
            ui.log.wrap = match ui.log.wrap {
                Wrap::Cut => Wrap::Wrapped,
                Wrap::Wrapped => Wrap::Cut,
            };
            ui.log.shift = 0;
        }
        Action::ShiftRight if ui.log.wrap == Wrap::Wrapped => {
            return refuse(ui, "Wrapped lines have no right end to go to: u cuts them.", at);
        }
        Action::ShiftRight => ui.log.shift += SHIFT,
        Action::ShiftLeft => ui.log.shift = ui.log.shift.saturating_sub(SHIFT),
        Action::Bookmark => return bookmark(ui, session, at),
        _ => return next_bookmark(ui, session, at),
    }
    Vec::new()
}

/// Folds, or goes back to the lines.
fn fold(ui: &mut Ui, session: &Session, at: Instants) {
    ui.log.rows = match ui.log.rows {
        Rows::Lines => Rows::Templates,
        Rows::Templates | Rows::Of(_) => Rows::Lines,
    };
    if ui.log.rows == Rows::Templates {
        refresh(ui, session, at);
        ui.log.fold.sort();
    }
}

/// Takes in the lines that came, where something is counted over them.
pub(super) fn refresh(ui: &mut Ui, session: &Session, at: Instants) {
    let groups = rows::log_groups(ui, session);
    match ui.log.rows {
        Rows::Lines => {}
        // Without the search the template would be one of all lines: they are folded anew.
        Rows::Of(_) if !is_filtered(ui) && ui.log.fold.search().is_some() => {
            ui.log.rows = Rows::Templates;
            ui.log.fold.refresh(&session.logs, (&groups, None), at.mono_ms);
        }
        Rows::Templates => {
            ui.log.fold.refresh(&session.logs, (&groups, ui.logs.search.as_ref()), at.mono_ms);
        }
        // The template was found among the lines that matched then: it is one of those, whatever is searched for in it.
        Rows::Of(_) => {
            let search = ui.log.fold.search().cloned();
            ui.log.fold.refresh(&session.logs, (&groups, search.as_ref()), at.mono_ms);
        }
    }
    match &ui.logs.search {
        Some(search) => ui.log.tally.get_or_insert_default().refresh(&session.logs, &groups, search),
        None => ui.log.tally = None,
    }
    ui.log.lanes.refresh(&session.logs);
    keep(ui, session);
}

fn is_filtered(ui: &Ui) -> bool {
    ui.logs.search.as_ref().is_some_and(|search| search.shown == Shown::Matches)
}

/// Keeps the lines that stand still on screen from the ring, which goes on.
fn keep(ui: &mut Ui, session: &Session) {
    let (ring, kept) = (session.logs.lines(), &mut ui.log.kept);
    match (&ui.logs.scroll, ui.logs.freeze) {
        (Scroll::Held { cursor, .. }, _) => kept.hold(*cursor, ring),
        (Scroll::Tail | Scroll::Head, Freeze::At { number, .. }) if !kept.stands_in(ring) => {
            if let Some(newest) = ring.iter().rfind(|stored| stored.number < number) {
                kept.hold(LineAnchor::of(newest), ring);
            }
        }
        (Scroll::Tail | Scroll::Head, Freeze::At { .. }) => {}
        (Scroll::Tail | Scroll::Head, Freeze::Running) => kept.let_go(),
    }
}

/// Opens the lines of the selected template.
pub(super) fn open_template(ui: &mut Ui, at: Instants) -> Vec<Intent> {
    let Some(number) = selected_template(ui) else { return refuse(ui, "No template is selected.", at) };
    ui.log.rows = Rows::Of(number);
    ui.tell(Tone::Told, "The lines of this template. q goes back to the list, T to all lines.", at);
    Vec::new()
}

/// The selected template.
pub(super) fn selected_template(ui: &Ui) -> Option<usize> {
    let ids: Vec<usize> = rows::templates(ui).iter().map(|(number, _)| *number).collect();
    let rows = rows::log_height(ui).saturating_sub(1).max(1);
    ui.log.templates.scroll.span(&ids, rows).cursor.and_then(|at| ids.get(at).copied())
}

/// Goes back by one: from a template's lines to the list, from the list to all lines. `false` where there is nothing to
/// go back from.
pub(super) fn back(ui: &mut Ui) -> bool {
    let before = ui.log.rows;
    ui.log.rows = match before {
        Rows::Of(_) => Rows::Templates,
        Rows::Templates | Rows::Lines => Rows::Lines,
    };
    before != ui.log.rows
}

fn bookmark(ui: &mut Ui, session: &Session, at: Instants) -> Vec<Intent> {
    let place = log_motion::place(ui, session).filter(|_| ui.log.rows != Rows::Templates);
    let line = place.and_then(|place| LogView::new(ui, session).line(place));
    let Some(line) = line else { return refuse(ui, "No line is selected.", at) };
    let LineAnchor { at: when, number } = LineAnchor::of(line);
    if ui.log.bookmarks.remove(&(when, number)) {
        ui.tell(Tone::Told, "The mark is gone.", at);
    } else {
        ui.log.bookmarks.insert((when, number));
        ui.tell(Tone::Told, "Marked: B comes back to it.", at);
    }
    Vec::new()
}

fn next_bookmark(ui: &mut Ui, session: &Session, at: Instants) -> Vec<Intent> {
    ui.log.rows = Rows::Lines;
    let here = log_motion::place(ui, session).and_then(|place| LogView::new(ui, session).line(place));
    let here = here.map_or((Timestamp::MIN, 0), |line| (line.line.at, line.number));
    let next = ui.log.bookmarks.range((std::ops::Bound::Excluded(here), std::ops::Bound::Unbounded)).next();
    let Some(&(when, number)) = next.or_else(|| ui.log.bookmarks.first()) else {
        return refuse(ui, "No line is marked: b marks the selected one.", at);
    };
    let view = LogView::unfiltered(ui, session);
    let place = view.place(LineAnchor { at: when, number });
    if view.line(place).is_none_or(|line| line.number != number) {
        ui.log.bookmarks.remove(&(when, number));
        return refuse(ui, "The marked line is not held any more; its mark is gone.", at);
    }
    log_motion::hold(ui, session, place);
    time::point(ui, session, when, Origin::Logs);
    Vec::new()
}

/// Keys of the list of columns.
pub(super) fn columns_key(ui: &mut Ui, key: KeyEvent, selected: usize) {
    let last = Column::ALL.len() - 1;
    let by_letter = |letter: char| Column::ALL.iter().position(|column| column.word().starts_with(letter));
    let selected = match key.code {
        KeyCode::Esc | KeyCode::Char('q') => return,
        KeyCode::Down | KeyCode::Char('j') => (selected + 1).min(last),
        KeyCode::Up | KeyCode::Char('k') => selected.saturating_sub(1),
        KeyCode::Enter | KeyCode::Char(' ') => toggled(ui, selected),
        KeyCode::Char(letter) => by_letter(letter).map_or(selected, |column| toggled(ui, column)),
        _ => selected,
    };
    ui.overlay = Some(Overlay::Columns { selected });
}

fn toggled(ui: &mut Ui, at: usize) -> usize {
    if let Some(column) = Column::ALL.get(at)
        && !ui.log.columns.remove(column)
    {
        ui.log.columns.insert(*column);
    }
    at
}
