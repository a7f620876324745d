//! Moving in the logs: over lines, over templates, and to the next line worth a look.

use super::super::intent::Intent;
use super::super::model::log_look::Rows;
use super::super::model::log_view::{LogView, stands_in};
use super::super::model::rows::{self, LineAnchor};
use super::super::model::scroll::{Freeze, Scroll};
use super::super::model::{Instants, Pane, Tone, Ui};
use super::motion::{Motion, Way, shift};
use super::notice::refuse;
use super::time::{self, Origin};
use crate::domain::observation::log::LogLine;
use crate::session::Session;
use crate::ui::search::Shown;

/// Moves by a row, a page, or to an end.
pub(super) fn step(ui: &mut Ui, session: &Session, (motion, at): (Motion, Instants)) {
    let rows = rows::log_height(ui);
    if ui.log.rows == Rows::Templates {
        let ids: Vec<usize> = rows::templates(ui).iter().map(|(number, _)| *number).collect();
        return shift(&mut ui.log.templates, &ids, rows.saturating_sub(1).max(1), motion);
    }
    let Some(here) = place(ui, session) else { return };
    let view = LogView::new(ui, session);
    let onward = |from: usize| view.at_or_after(from + 1);
    let repeat = |times: usize, next: &dyn Fn(usize) -> Option<usize>| {
        (0..times).try_fold(here, |at, _| next(at).ok_or(at)).unwrap_or_else(|last| last)
    };
    let half = (rows / 2).max(1);
    let place = match motion {
        Motion::Down => repeat(1, &onward),
        Motion::Up => repeat(1, &|from| view.before(from)),
        Motion::HalfDown => repeat(half, &onward),
        Motion::HalfUp => repeat(half, &|from| view.before(from)),
        Motion::Top => view.at_or_after(0).unwrap_or(here),
        Motion::Bottom => view.before(view.len()).unwrap_or(here),
    };
    let is_onward = matches!(motion, Motion::Down | Motion::HalfDown | Motion::Bottom);
    if is_onward && (motion == Motion::Bottom || place == here) && stands_in(ui, session) {
        let found = beyond(ui, session, |ring, from| match motion {
            Motion::Bottom => ring.before(ring.len()),
            _ => ring.at_or_after(from),
        });
        if let Some(place) = found {
            ui.log.kept.let_go();
            return go(ui, session, place);
        }
        if let Freeze::At { number, .. } = ui.logs.freeze
            && ui.log.kept.ends_before(number)
        {
            ui.tell(Tone::Told, "Of this frozen pane no later line is kept: p lets it go on.", at);
        }
    }
    go(ui, session, place);
}

/// A place in the ring, which holds what came after the lines that are kept. What is frozen stays within those.
fn beyond(ui: &Ui, session: &Session, find: impl Fn(&LogView<'_>, usize) -> Option<usize>) -> Option<usize> {
    if ui.logs.freeze != Freeze::Running || !stands_in(ui, session) {
        return None;
    }
    let here = place(ui, session)?;
    let anchor = LogView::new(ui, session).line(here).map(LineAnchor::of)?;
    let ring = LogView::of_ring(ui, session);
    find(&ring, ring.behind(anchor))
}

/// The place of the selected line.
pub(super) fn place(ui: &Ui, session: &Session) -> Option<usize> {
    let shown = rows::logs(ui, session, rows::log_height(ui));
    let line = shown.cursor.and_then(|cursor| shown.lines.get(cursor).copied())?;
    Some(LogView::new(ui, session).place(LineAnchor::of(line)))
}

/// Selects the line at a place, and points charts and timeline at its time.
pub(super) fn go(ui: &mut Ui, session: &Session, place: usize) {
    hold(ui, session, place);
    let at = LogView::new(ui, session).line(place).map(|stored| stored.line.at);
    if let Some(at) = at {
        time::point(ui, session, at, Origin::Logs);
    }
}

/// Selects the line at a place; scrolls only if it is not on screen: up to it, or down until it is the last.
pub(super) fn hold(ui: &mut Ui, session: &Session, place: usize) {
    let rows = rows::log_height(ui);
    let shown = rows::logs(ui, session, rows);
    let view = LogView::new(ui, session);
    let Some(line) = view.line(place) else { return };
    let visible = shown.lines.iter().any(|shown| shown.number == line.number);
    let first = shown.lines.first().copied();
    let above = first.is_some_and(|first| place < view.place(LineAnchor::of(first)));
    let top = match first.filter(|_| visible) {
        Some(first) => first,
        None if above => line,
        None => {
            let up = (1..rows).try_fold(place, |at, _| view.before(at).ok_or(at)).unwrap_or_else(|last| last);
            view.line(up).unwrap_or(line)
        }
    };
    let (cursor, top) = (LineAnchor::of(line), LineAnchor::of(top));
    ui.logs.scroll = Scroll::Held { cursor, top, place };
}

/// Goes to the next line that is wanted. From the list of templates the lines come back first.
pub(super) fn jump(
    ui: &mut Ui,
    (way, what): (Way, &str),
    wanted: impl Fn(&LogLine) -> bool,
    (session, at): (&Session, Instants),
) -> Vec<Intent> {
    ui.focus = Pane::Logs;
    if ui.log.rows == Rows::Templates {
        ui.log.rows = Rows::Lines;
    }
    // While following, the selected line is the newest: the first look goes back from it, itself included.
    let following = ui.logs.scroll == Scroll::Tail;
    let view = LogView::new(ui, session);
    let found = match (place(ui, session), way) {
        (None, _) => None,
        (Some(_), _) if following => view.find_before(view.len(), &wanted),
        (Some(here), Way::Onward) => view.find_after(here, &wanted),
        (Some(here), Way::Backward) => view.find_before(here, &wanted),
    };
    if found.is_none()
        && way == Way::Onward
        && let Some(place) = beyond(ui, session, |ring, from| ring.find_from(from, &wanted))
    {
        ui.log.kept.let_go();
        go(ui, session, place);
        return Vec::new();
    }
    let Some(place) = found else {
        if rows::counted_alone(ui, session).is_some() {
            return refuse(
                ui,
                "A journal keeps no lines to look through: pane 4 has their templates and excerpts.",
                at,
            );
        }
        let side = if way == Way::Onward && !following { "after" } else { "before" };
        let is_filtered = ui.logs.search.as_ref().is_some_and(|search| search.shown == Shown::Matches);
        let among = match (stands_in(ui, session), is_filtered) {
            (true, _) => " among those that are kept",
            (false, true) => " among those that match",
            (false, false) => "",
        };
        return refuse(ui, format!("No {what} {side} this line{among}."), at);
    };
    go(ui, session, place);
    Vec::new()
}
