//! Keys while one thing is opened: scrolling, searching in it, choosing an address, copying, as JSON and back.

use crossterm::event::{KeyCode, KeyEvent};

use super::super::intent::Intent;
use super::super::keymap::chord::Chord;
use super::super::keymap::{Action, Meaning};
use super::super::model::overlay::{Item, Opened, Overlay, Telling};
use super::super::model::{Instants, Tone, Ui, telling};
use super::super::page::{self, Desk, Laid};
use super::super::search::Search;
use super::super::view::look::Look;
use super::super::view::opened_rows;
use super::notice::refuse;
use super::{selection, time, typing};
use crate::session::Session;

/// Takes a key. What is opened stays so unless the key closes it.
pub(super) fn key(ui: &mut Ui, key: KeyEvent, mut opened: Opened, (session, at): (&Session, Instants)) -> Vec<Intent> {
    if let Some(text) = opened.typing.take() {
        search_key(&mut opened, key, text);
        if opened.typing.is_none() && opened.search.is_some() {
            to_match(ui, session, (&mut opened, at), Seek::Here);
        }
        ui.overlay = Some(Overlay::Detail(Box::new(opened)));
        return Vec::new();
    }
    let Meaning::Is(action) = meaning(ui, key) else {
        // `g` begins `g g`: there is nothing else it could begin here.
        if Chord::of(key).code == KeyCode::Char('g') {
            opened.top = 0;
        }
        ui.overlay = Some(Overlay::Detail(Box::new(opened)));
        return Vec::new();
    };
    if action == Action::Back {
        return Vec::new();
    }
    let intents = act(ui, &mut opened, action, (session, at));
    ui.overlay = Some(Overlay::Detail(Box::new(opened)));
    intents
}

fn meaning(ui: &Ui, key: KeyEvent) -> Meaning {
    ui.options.keymap.meaning(&[Chord::of(key)], ui.focus)
}

fn act(ui: &mut Ui, opened: &mut Opened, action: Action, (session, at): (&Session, Instants)) -> Vec<Intent> {
    match action {
        Action::Raw => {
            opened.telling = match opened.telling {
                Telling::Told => Telling::Raw,
                Telling::Raw => Telling::Told,
            };
            (opened.top, opened.link, opened.found) = (0, None, None);
        }
        Action::Filter => opened.typing = Some(String::new()),
        Action::Clear => opened.search = None,
        Action::NextMatch => to_match(ui, session, (opened, at), Seek::After),
        Action::PreviousMatch => to_match(ui, session, (opened, at), Seek::Before),
        Action::NextPane => choose(ui, session, (opened, at), 1),
        Action::PreviousPane => choose(ui, session, (opened, at), usize::MAX),
        Action::Pin => return selection::pin(ui, &opened.item, session, at),
        // Its chart shows where they point.
        Action::TimeOnward | Action::TimeBack | Action::TimeLeapOnward | Action::TimeLeapBack
            if matches!(opened.item, Item::Metric(_)) =>
        {
            return time::act(ui, action, session, at);
        }
        Action::Copy | Action::Save => return take_along(ui, opened, action, (session, at)),
        _ => scroll(ui, session, (opened, at), action),
    }
    Vec::new()
}

fn search_key(opened: &mut Opened, key: KeyEvent, mut text: String) {
    match key.code {
        KeyCode::Enter => return,
        KeyCode::Esc => {
            opened.search = None;
            return;
        }
        KeyCode::Backspace if text.is_empty() => return,
        _ => {}
    }
    typing::edit(&mut text, key);
    opened.search = (!text.is_empty()).then(|| Search::filter(text.clone()));
    opened.typing = Some(text);
}

/// Where to look for a match from the first row on screen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seek {
    Here,
    After,
    Before,
}

fn to_match(ui: &mut Ui, session: &Session, (opened, at): (&mut Opened, Instants), seek: Seek) {
    let Some(search) = opened.search.clone() else {
        refuse(ui, "Nothing is searched for here: / begins.", at);
        return;
    };
    let (rows, high) = opened_rows(ui, session, (opened, at.now));
    let matches = |at: &usize| rows.get(*at).is_some_and(|row| search.matches(&row.text()));
    let from = opened.found.unwrap_or(opened.top).min(rows.len());
    let found = match seek {
        Seek::Here => (opened.top..rows.len()).chain(0..opened.top).find(matches),
        Seek::After => (from + 1..rows.len()).find(matches),
        Seek::Before => (0..from).rev().find(matches),
    };
    match found {
        Some(row) => {
            opened.found = Some(row);
            if row < opened.top || row >= opened.top + high {
                opened.top = row.min(rows.len().saturating_sub(high));
            }
        }
        None => drop(refuse(ui, "No further match this way.", at)),
    }
}

/// Chooses the next address, around the end, and brings it on screen.
fn choose(ui: &mut Ui, session: &Session, (opened, at): (&mut Opened, Instants), steps: usize) {
    let (rows, high) = opened_rows(ui, session, (opened, at.now));
    let Some(count) = rows.iter().filter_map(|row| row.link).max().map(|last| last + 1) else {
        refuse(ui, "There is no address on this page.", at);
        return;
    };
    let next = match opened.link {
        None if steps == 1 => 0,
        None => count - 1,
        Some(link) if steps == 1 => (link + 1) % count,
        Some(link) => (link + count - 1) % count,
    };
    opened.link = Some(next);
    let Some(row) = rows.iter().position(|row: &Laid| row.link == Some(next)) else { return };
    if row < opened.top || row >= opened.top + high {
        opened.top = (row + 1).saturating_sub(high.max(1));
    }
}

/// The chosen address, else the whole page; a file always gets the page.
fn take_along(ui: &mut Ui, opened: &Opened, action: Action, (session, at): (&Session, Instants)) -> Vec<Intent> {
    let look = Look::of(ui, at.now);
    let Some(page) = page::of(&opened.item, opened.telling, Desk { ui, session, look: &look }) else {
        return refuse(ui, "It is no longer here.", at);
    };
    let chosen = opened.link.and_then(|link| page.links().get(link).map(|url| (*url).to_owned()));
    match (action, chosen) {
        (Action::Save, _) => {
            vec![Intent::Save { name: telling::file_name(&opened.item, opened.telling), text: page.plain() }]
        }
        (_, Some(url)) => {
            ui.tell(Tone::Told, format!("The address is copied: {url}"), at);
            vec![Intent::Copy { text: url }]
        }
        (_, None) => vec![Intent::Copy { text: page.plain() }],
    }
}

fn scroll(ui: &Ui, session: &Session, (opened, at): (&mut Opened, Instants), action: Action) {
    let (rows, high) = opened_rows(ui, session, (opened, at.now));
    let last = rows.len().saturating_sub(high);
    let half = (high / 2).max(1);
    let top = opened.top.min(last);
    opened.found = None;
    opened.top = match action {
        Action::Down => top + 1,
        Action::Up => top.saturating_sub(1),
        Action::HalfDown => top + half,
        Action::HalfUp => top.saturating_sub(half),
        Action::Top => 0,
        Action::Bottom => last,
        _ => top,
    }
    .min(last);
}
