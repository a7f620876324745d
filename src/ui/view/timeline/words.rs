//! Pane 6 for who listens: the newest entries, newest last.

use crate::session::Session;
use crate::session::timeline::EntryKind;
use crate::ui::format::{coarse, grouped};
use crate::ui::model::{Ui, rows};
use crate::ui::view::look::Look;

/// The lines, so many entries at the most.
pub fn words((ui, session): (&Ui, &Session), (most, look): (usize, &Look)) -> Vec<String> {
    let entries = rows::timeline(ui, session);
    let before = entries.len().saturating_sub(most);
    let mut lines = vec![match before {
        0 => "Timeline, oldest first:".to_owned(),
        more => format!("Timeline, oldest first; {} before these:", grouped(more as u64)),
    }];
    for fault in session.drills_at(look.now) {
        let left = fault.until.map_or_else(|| "until cleared".to_owned(), |at| coarse(look.seconds_left(at)) + " left");
        lines.push(format!("A fault strikes: {}, {left}.", fault.word()));
    }
    if entries.is_empty() {
        let none = if ui.timeline.search.is_some() { "No entry has that in it." } else { "Nothing yet." };
        lines.push(none.to_owned());
    }
    let told = entries[before..].iter();
    lines.extend(told.map(|entry| {
        let incident = entry.incident.map_or_else(String::new, |id| format!("{id} "));
        format!("{} {incident}{}: {}", look.clock(entry.at), kind(entry.kind), entry.text)
    }));
    lines
}

fn kind(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Evidence => "evidence",
        EntryKind::Fault => "fault",
        kind => kind.word(),
    }
}
