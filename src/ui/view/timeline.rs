//! Pane 6: what happened, one line for each thing worth remembering, newest last.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::look::Look;
use super::sheet::{Held, Sheet, frame};
use crate::session::Session;
use crate::session::timeline::{Entry, EntryKind};
use crate::ui::format::grouped;
use crate::ui::model::scroll::Freeze;
use crate::ui::model::{Pane, Ui, rows};
use crate::ui::theme::Role;

/// Draws the pane.
pub fn draw(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), (look, held): (&Look, Held)) {
    let entries = rows::timeline(ui, session);
    let mut title = super::title(Pane::Timeline, (look, held));
    let dropped = session.timeline.dropped();
    let of = if dropped > 0 { format!(" ({} more in the journal)", grouped(dropped)) } else { String::new() };
    title.push_span(look.span(Role::Text, format!("{}{of}", grouped(entries.len() as u64))));
    if let Some(at) = ui.moment {
        title.push_span(look.span(Role::Accent, format!("  @{}", look.instant(at))));
    }
    super::push_search(&mut title, ui.timeline.search.as_ref(), look);
    let texts = entries.iter().map(|entry| entry.text.clone());
    super::push_matches(&mut title, (ui.timeline.search.as_ref(), texts), look);
    let stamp = match ui.timeline.freeze {
        Freeze::Running if ui.timeline.follows() => look.span(Role::Good, "FOLLOW"),
        Freeze::Running => look.span(Role::Accent, "HELD"),
        Freeze::At { .. } => {
            let withheld = rows::timeline_withheld(ui, session) as u64;
            look.span(Role::Warning, format!("PAUSED +{}", grouped(withheld)))
        }
    };
    let inner = frame(buffer, area, (&title, &Line::from(stamp)), (look, held));
    let mut sheet = Sheet::new(buffer, inner, look);
    if entries.is_empty() {
        let words = match ui.timeline.search {
            Some(_) => "No entry matches the filter.  \\ shows all again",
            None => "Nothing yet.  m notes something here",
        };
        sheet.text(Role::Faint, words);
        return;
    }
    let ids: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
    let span = ui.timeline.scroll.span(&ids, sheet.left());
    for (at, entry) in entries.iter().enumerate().take(span.end).skip(span.first) {
        sheet.row(&line(entry, look));
        if held == Held::Keys && span.cursor == Some(at) {
            sheet.select_last();
        }
    }
}

/// An entry as a line.
pub fn line<'a>(entry: &'a Entry, look: &Look) -> Line<'a> {
    let (role, word) = match entry.kind {
        EntryKind::Note => (Role::Faint, "note"),
        EntryKind::Alarm => (Role::Warning, "alarm"),
        EntryKind::Feed => (Role::Faint, "feed"),
        EntryKind::Evidence => (Role::Accent, "evid"),
        EntryKind::Narrative => (Role::Model, "model"),
        EntryKind::Step => (Role::Strong, "step"),
        EntryKind::Verification => (Role::Good, "check"),
        EntryKind::Report => (Role::Faint, "report"),
        EntryKind::Fault => (Role::Danger, "FAULT"),
    };
    look.line([
        (Role::Faint, format!("{} ", look.clock(entry.at)).into()),
        (role, format!("{word:<6} ").into()),
        (Role::Text, entry.text.as_str().into()),
    ])
}
