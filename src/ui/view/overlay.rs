//! What lies over the panes: help, palette, a text area, one thing opened. Each clears what is under it.

pub(super) mod detail;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget};
use tui_textarea::TextArea;

use super::look::Look;
use super::sheet::{Held, Sheet, frame};
use crate::session::Session;
use crate::ui::help::{self, Ground, HelpRow};
use crate::ui::model::log_look::Column;
use crate::ui::model::overlay::{Overlay, Writing};
use crate::ui::model::{Typed, Ui};
use crate::ui::palette::{Choice, choices};
use crate::ui::theme::Role;

/// Draws what is open.
pub fn draw(buffer: &mut Buffer, (ui, session): (&Ui, &Session), look: &Look) {
    let layout = ui.layout();
    match &ui.overlay {
        None | Some(Overlay::Filter { .. }) => {}
        Some(Overlay::Help { query, top }) => {
            let rows = help::rows(&ui.options.keymap, query, Ground::of(session));
            keys(buffer, layout.overlay(84, 40), (&rows, query, *top), look);
        }
        Some(Overlay::Palette { query, selected }) => {
            let found = choices(&ui.options.keymap, (session, look.now), query);
            palette(buffer, layout.overlay(72, 22), (&found, query, *selected), look);
        }
        Some(Overlay::Columns { selected }) => columns(buffer, layout.overlay(46, 6), (ui, *selected), look),
        Some(Overlay::Write { writing, area }) => write(buffer, layout.overlay(76, 9), (*writing, area), look),
        Some(Overlay::Detail(opened)) => {
            let area = layout.overlay(u16::MAX, u16::MAX);
            detail::draw(buffer, area, (ui, session), opened, look);
        }
    }
}

/// Clears a rectangle and frames it.
fn window(buffer: &mut Buffer, area: Rect, (title, foot): (&Line<'_>, &str), look: &Look) -> Rect {
    Clear.render(area, buffer);
    let stamp = Line::from(look.span(Role::Faint, foot.to_owned()));
    frame(buffer, area, (title, &stamp), (look, Held::Keys))
}

fn keys(buffer: &mut Buffer, area: Rect, (rows, query, top): (&[HelpRow], &str, usize), look: &Look) {
    let typed = format!(" /{}_", look.typed(query));
    let title = look.line([(Role::Focus, " HELP ".into()), (Role::Strong, typed.into())]);
    let inner = window(buffer, area, (&title, "type to search  Esc closes"), look);
    let mut sheet = Sheet::new(buffer, inner, look);
    if rows.is_empty() {
        sheet.text(Role::Faint, "No key is described by these words.");
    }
    let top = top.min(rows.len().saturating_sub(sheet.left()));
    for row in rows.iter().skip(top) {
        let left = look.line([(Role::Accent, format!("{:<16} ", row.keys).into()), (Role::Text, row.words.into())]);
        let right = look.line([(Role::Faint, format!("{} {}", row.place, row.id).into())]);
        sheet.ends(&left, &right);
    }
}

fn palette(buffer: &mut Buffer, area: Rect, (found, query, selected): (&[Choice<'_>], &str, usize), look: &Look) {
    let typed = format!(" {}_", look.typed(query));
    let title = look.line([(Role::Focus, " : ".into()), (Role::Strong, typed.into())]);
    let inner = window(buffer, area, (&title, "Enter does it  Esc closes"), look);
    let mut sheet = Sheet::new(buffer, inner, look);
    if found.is_empty() {
        sheet.text(Role::Faint, "No action has these letters in this order.");
        return;
    }
    let selected = selected.min(found.len() - 1);
    let first = (selected + 1).saturating_sub(sheet.left());
    for (at, choice) in found.iter().enumerate().skip(first) {
        let left = look.line([(Role::Text, choice.words()), (Role::Faint, format!("  {}", choice.id()).into())]);
        let keys = match choice {
            Choice::Inject(_) if at != selected => String::new(),
            choice => choice.keys_text(),
        };
        sheet.ends(&left, &Line::from(look.span(Role::Accent, keys)));
        if at == selected {
            sheet.select_last();
        }
    }
}

fn columns(buffer: &mut Buffer, area: Rect, (ui, selected): (&Ui, usize), look: &Look) {
    let title = look.line([(Role::Focus, " COLUMNS ".into())]);
    let inner = window(buffer, area, (&title, "Space changes  q closes"), look);
    let mut sheet = Sheet::new(buffer, inner, look);
    for (at, column) in Column::ALL.into_iter().enumerate() {
        let mark = if ui.log.columns.contains(&column) { "[x]" } else { "[ ]" };
        let letter = column.word().get(..1).unwrap_or_default();
        let left = look.line([(Role::Text, format!("{mark} {}", column.word()).into())]);
        sheet.ends(&left, &Line::from(look.span(Role::Accent, letter)));
        if at == selected {
            sheet.select_last();
        }
    }
}

fn write(buffer: &mut Buffer, area: Rect, (writing, text): (Writing, &TextArea<'static>), look: &Look) {
    let (word, what) = match writing {
        Writing::Note => ("NOTE", "on the timeline".to_owned()),
        Writing::Inquiry(incident) => ("INQUIRE", format!("the analyst is asked about {incident}")),
        Writing::DenyReason(_, step) => ("DENY", format!("why is {step} denied?")),
    };
    let title = look.line([(Role::Focus, format!(" {word} ").into()), (Role::Text, format!(" {what}").into())]);
    // The last line tells all of the keys.
    let whole = "Enter sends  Alt-Enter new line  Esc closes";
    let keys = if title.width() + whole.len() + 6 <= usize::from(area.width) { whole } else { "Esc closes" };
    let inner = window(buffer, area, (&title, keys), look);
    match look.typed {
        Typed::Shown => text.render(inner, buffer),
        Typed::Hidden => Sheet::new(buffer, inner, look).text(Role::Faint, "(what is written here is not recorded)"),
    }
}
