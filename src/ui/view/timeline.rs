//! Pane 6: what happened, one line for each thing worth remembering, newest last.

mod words;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::look::Look;
use super::sheet::{Held, Sheet, frame, rows_shown};
use crate::domain::count::counted;
use crate::session::Session;
use crate::session::timeline::{Entry, EntryKind};
use crate::ui::format::{coarse, grouped, width};
use crate::ui::model::scroll::Freeze;
use crate::ui::model::{Pane, Ui, rows};
use crate::ui::theme::Role;

pub use self::words::words;

/// Columns of what stands in the title beside the faults: the frame, how many more there are, and `PAUSED +999`.
const BESIDE_DRILLS: usize = 24;

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
    push_drills(&mut title, session, (area.width, look));
    super::push_search(&mut title, ui.timeline.search.as_ref(), look);
    let texts = entries.iter().map(|entry| rows::entry_text(entry));
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
        sheet.row(&line((entry, session), look));
        if held == Held::Keys && span.cursor == Some(at) {
            sheet.select_last();
        }
    }
    rows_shown(buffer, area, (span.first..span.end, entries.len()), look);
}

/// Adds the faults of a game day that strike now, with what is left of each: as many as have room, and how many more.
fn push_drills(title: &mut Line<'_>, session: &Session, (columns, look): (u16, &Look)) {
    let told: Vec<String> = session
        .drills_at(look.now)
        .map(|fault| match fault.until {
            Some(until) => format!("  {} {}", fault.word(), coarse(look.seconds_left(until))),
            None => format!("  {} until cleared", fault.word()),
        })
        .collect();
    let room = usize::from(columns).saturating_sub(title.width() + BESIDE_DRILLS);
    let wide = told.iter().scan(0, |sum, text| {
        *sum += width(text);
        Some(*sum)
    });
    let shown = wide.take_while(|wide| *wide <= room).count();
    let more = match (shown, told.len() - shown) {
        (_, 0) => String::new(),
        (0, all) => format!("  {} on", counted(all, "fault")),
        (_, more) => format!("  +{more}"),
    };
    title.push_span(look.span(Role::Warning, told[..shown].concat() + &more));
}

/// An entry as a line.
pub fn line<'a>((entry, session): (&'a Entry, &Session), look: &Look) -> Line<'a> {
    let role = match entry.kind {
        EntryKind::Note | EntryKind::Feed | EntryKind::Report => Role::Faint,
        EntryKind::Alarm => Role::Warning,
        EntryKind::Evidence => Role::Accent,
        EntryKind::Narrative => Role::Model,
        EntryKind::Step => Role::Strong,
        EntryKind::Verification => Role::Good,
        EntryKind::Fault => Role::Danger,
    };
    let incident = rows::entry_incident(entry, session).map_or_else(String::new, |id| format!("{id} "));
    look.line([
        (Role::Faint, format!("{} ", look.clock(entry.at)).into()),
        (Role::Accent, incident.into()),
        (role, format!("{:<6} ", entry.kind.word()).into()),
        (Role::Text, entry.text.as_str().into()),
    ])
}
