//! Keys while something is open: help, palette, filter, a text area, one thing opened. And pastes.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use tui_textarea::TextArea;

use super::super::help::{self, Ground};
use super::super::intent::Intent;
use super::super::keymap::chord::Chord;
use super::super::model::overlay::{Overlay, Writing};
use super::super::model::{Instants, Pane, Tone, Ui};
use super::super::palette::{self, Choice};
use super::super::search::{Search, Shown};
use super::notice::{IN_A_BURST, refuse};
use super::{keys, log_look, opened, verbs};
use crate::session::Session;

/// The longest text a text area takes, in bytes: a note, not a document.
const TEXT_BYTES: usize = 8 << 10;

/// Whether a chord types a letter.
pub(super) fn is_letter(chord: Chord) -> bool {
    matches!(chord.code, KeyCode::Char(_)) && !chord.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
}

/// An empty text area.
pub(super) fn write(writing: Writing) -> Overlay {
    Overlay::Write { writing, area: Box::new(TextArea::default()) }
}

/// Takes a key for what is open.
pub(super) fn key(ui: &mut Ui, key: KeyEvent, session: &Session, at: Instants) -> Vec<Intent> {
    let Some(overlay) = ui.overlay.take() else { return Vec::new() };
    match overlay {
        Overlay::Help { query, top } => help_key(ui, key, (query, top), session),
        Overlay::Palette { query, selected } => return palette_key(ui, key, (query, selected), (session, at)),
        Overlay::Filter { pane, before, text } => filter_key(ui, key, pane, (before, text)),
        Overlay::Columns { selected } => log_look::columns_key(ui, key, selected),
        Overlay::Write { writing, area } => return area_key(ui, key, (writing, area), at),
        Overlay::Detail(opened) => return opened::key(ui, key, *opened, (session, at)),
    }
    Vec::new()
}

/// Takes a paste: into what is being written, nowhere else, and never into the confirm field.
pub(super) fn paste(ui: &mut Ui, pasted: &str, session: &Session, at: Instants) {
    match ui.overlay.take() {
        Some(Overlay::Write { writing, mut area }) => {
            if room_for(&area, pasted) {
                area.insert_str(pasted.replace("\r\n", "\n").replace('\r', "\n"));
            } else {
                refuse(ui, "The paste is too long for a note.", at);
            }
            ui.overlay = Some(Overlay::Write { writing, area });
        }
        Some(Overlay::Filter { pane, before, text }) => {
            let text = text + pasted.lines().next().unwrap_or_default();
            apply_filter(ui, pane, &text);
            ui.overlay = Some(Overlay::Filter { pane, before, text });
        }
        other => {
            ui.overlay = other;
            let text = if verbs::field_is_open(ui, session) {
                "Paste is refused here: type the name and the digest."
            } else {
                "A paste is never taken as keys."
            };
            refuse(ui, text, at);
        }
    }
}

fn room_for(area: &TextArea<'_>, more: &str) -> bool {
    area.lines().iter().map(|line| line.len() + 1).sum::<usize>() + more.len() <= TEXT_BYTES
}

/// Edits one line of text; `false` if the key is none of editing.
pub(super) fn edit(text: &mut String, key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    match key.code {
        KeyCode::Backspace => drop(text.pop()),
        KeyCode::Char('u') if control => text.clear(),
        KeyCode::Char('w') if control => {
            let kept = text.trim_end().rfind(' ').map_or(0, |space| space + 1);
            text.truncate(kept);
        }
        KeyCode::Char(letter) if is_letter(Chord::of(key)) => text.push(letter),
        _ => return false,
    }
    true
}

fn help_key(ui: &mut Ui, key: KeyEvent, (mut query, top): (String, usize), session: &Session) {
    let most = help::rows(&ui.options.keymap, &query, Ground::of(session)).len().saturating_sub(1);
    let top = match key.code {
        KeyCode::Esc => return,
        KeyCode::Down => (top + 1).min(most),
        KeyCode::Up => top.saturating_sub(1),
        KeyCode::PageDown => (top + 10).min(most),
        KeyCode::PageUp => top.saturating_sub(10),
        // `?` and `q` close a help that is not being searched, as they do in pagers.
        KeyCode::Char('?' | 'q') if query.is_empty() => return,
        _ if edit(&mut query, key) => 0,
        _ => top,
    };
    ui.overlay = Some(Overlay::Help { query, top });
}

fn palette_key(
    ui: &mut Ui,
    key: KeyEvent,
    (mut query, selected): (String, usize),
    (session, at): (&Session, Instants),
) -> Vec<Intent> {
    let keymap = ui.options.keymap.clone();
    let found = palette::choices(&keymap, (session, at.now), &query);
    let most = found.len().saturating_sub(1);
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    let selected = match key.code {
        KeyCode::Esc => return Vec::new(),
        KeyCode::Backspace if query.is_empty() => return Vec::new(),
        KeyCode::Enter if found.get(selected).is_some_and(leaves_a_trace) && ui.prompt.is_in_a_burst(at.mono_ms) => {
            refuse(ui, IN_A_BURST, at);
            selected
        }
        KeyCode::Enter => return found.get(selected).map_or_else(Vec::new, |choice| choose(ui, choice, session, at)),
        KeyCode::Tab if found.iter().any(|choice| matches!(choice, Choice::Inject(_))) => {
            query = palette::with_next_time(&query);
            selected
        }
        KeyCode::Down => (selected + 1).min(most),
        KeyCode::Up => selected.saturating_sub(1),
        KeyCode::Char('n') if control => (selected + 1).min(most),
        KeyCode::Char('p') if control => selected.saturating_sub(1),
        _ if edit(&mut query, key) => 0,
        _ => selected,
    };
    ui.overlay = Some(Overlay::Palette { query, selected });
    Vec::new()
}

fn leaves_a_trace(choice: &Choice<'_>) -> bool {
    match choice {
        Choice::Action(binding) => binding.row.action.leaves_a_trace(),
        Choice::Inject(_) | Choice::Clear(_) => true,
    }
}

/// An approval is never chosen from a list: its key, its pane, its moment.
fn choose(ui: &mut Ui, choice: &Choice<'_>, session: &Session, at: Instants) -> Vec<Intent> {
    let action = match choice {
        Choice::Action(binding) => binding.row.action,
        Choice::Inject(injection) => return vec![Intent::Inject { injection: *injection }],
        Choice::Clear(fault) => return vec![Intent::ClearFault { fault: (*fault).clone() }],
    };
    if action.is_verb() {
        ui.focus = Pane::Remediation;
        let key = ui.options.keymap.binding(action).map(super::super::keymap::Binding::first_key).unwrap_or_default();
        return refuse(ui, format!("Read the step, then press {key}: a decision is never taken from a list."), at);
    }
    keys::act(ui, action, session, at)
}

fn filter_key(ui: &mut Ui, key: KeyEvent, pane: Pane, (before, mut text): (Option<Search>, String)) {
    match key.code {
        KeyCode::Enter => return,
        KeyCode::Esc => return put_back(ui, pane, before),
        KeyCode::Backspace if text.is_empty() => return put_back(ui, pane, before),
        _ => {}
    }
    if edit(&mut text, key) {
        apply_filter(ui, pane, &text);
    }
    ui.overlay = Some(Overlay::Filter { pane, before, text });
}

fn put_back(ui: &mut Ui, pane: Pane, before: Option<Search>) {
    *ui.search_of(pane) = before;
    if pane == Pane::Rca {
        ui.hit = None;
    }
}

fn apply_filter(ui: &mut Ui, pane: Pane, text: &str) {
    let mut search = (!text.is_empty()).then(|| Search::filter(text));
    if let (Pane::Remediation, Some(search)) = (pane, search.as_mut()) {
        // No step is ever hidden: what matches is marked, and n goes there.
        search.shown = Shown::Everything;
    }
    put_back(ui, pane, search);
}

fn area_key(
    ui: &mut Ui,
    key: KeyEvent,
    (writing, mut area): (Writing, Box<TextArea<'static>>),
    at: Instants,
) -> Vec<Intent> {
    // The ends of the lines of a paste without brackets end no text: what follows them would become commands.
    let newline =
        key.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SHIFT) || ui.prompt.is_in_a_burst(at.mono_ms);
    match key.code {
        KeyCode::Esc => return Vec::new(),
        KeyCode::Enter if !newline => {
            let text = area.lines().join("\n").trim().to_owned();
            if !text.is_empty() {
                return submit(ui, writing, text, at);
            }
            let what = match writing {
                Writing::DenyReason(..) => "A denial needs a reason. Esc takes it back.",
                Writing::Note | Writing::Inquiry(_) => "Nothing is written yet. Esc closes.",
            };
            refuse(ui, what, at);
        }
        KeyCode::Enter => area.insert_newline(),
        KeyCode::Char(_) if !room_for(&area, " ") => drop(refuse(ui, "That is long enough for a note.", at)),
        _ => drop(area.input(key)),
    }
    ui.overlay = Some(Overlay::Write { writing, area });
    Vec::new()
}

fn submit(ui: &mut Ui, writing: Writing, text: String, at: Instants) -> Vec<Intent> {
    match writing {
        Writing::Note => {
            ui.tell(Tone::Told, "Noted on the timeline.", at);
            vec![Intent::Note { text }]
        }
        Writing::Inquiry(incident) => {
            ui.focus = Pane::Rca;
            vec![Intent::Inquire { incident, text }]
        }
        Writing::DenyReason(incident, step) => vec![Intent::Deny { incident, step, reason: text }],
    }
}
