//! One thing opened: told for reading, or as JSON.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::evidence;
use super::super::look::Look;
use super::super::sheet::Sheet;
use crate::domain::observation::sanitise;
use crate::session::Session;
use crate::ui::format;
use crate::ui::model::overlay::{Item, Telling};
use crate::ui::model::{Ui, telling};
use crate::ui::theme::Role;

/// Draws it.
pub fn draw(
    buffer: &mut Buffer,
    area: Rect,
    (ui, session): (&Ui, &Session),
    (item, telling, top): (&Item, Telling, usize),
    look: &Look,
) {
    let title = look.line([(Role::Focus, format!(" {} ", name(item)).into())]);
    let inner = super::window(buffer, area, (&title, "v raw  y copy  Y save  Esc closes"), look);
    let mut sheet = Sheet::new(buffer, inner, look);
    if let (Item::Evidence(id), Telling::Told) = (item, telling)
        && let Some(found) = ui.incident(session).and_then(|incident| incident.evidence(*id)).filter(|_| top == 0)
    {
        evidence::about(&mut sheet, found);
        sheet.rule();
        if let Some(payload) = found.answer.payload() {
            evidence::payload_rows(&mut sheet, payload);
        }
        return;
    }
    let lines = telling::lines(ui, session, item, telling).unwrap_or_else(|| vec![GONE.to_owned()]);
    let columns = sheet.width();
    let safe: Vec<Cow<'_, str>> = lines.iter().map(|line| sanitise::text(line)).collect();
    let rows: Vec<&str> = safe.iter().flat_map(|line| format::wrap(line, columns)).collect();
    let first = top.min(rows.len().saturating_sub(sheet.left()));
    for row in rows.into_iter().skip(first).take(sheet.left()) {
        sheet.text(Role::Text, row);
    }
}

fn name(item: &Item) -> String {
    match item {
        Item::Alarm(name) => format!("ALARM {name}"),
        Item::Metric(role) => format!("METRIC {}", role.word()),
        Item::Line(number) => format!("LOG LINE {number}"),
        Item::Evidence(id) => format!("EVIDENCE {id}"),
        Item::Step(id) => format!("STEP {id}"),
        Item::Entry(seq) => format!("RECORD {seq}"),
    }
}

const GONE: &str = "It is no longer here: the journal keeps what was recorded of it.";
