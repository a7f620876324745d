//! A frame: a pure function of the screen's memory, the session and the time. Nothing here can change either.

mod alarms;
mod clusters;
mod contact;
mod evidence;
mod footer;
mod header;
mod kills;
mod logs;
mod look;
mod metrics;
mod overlay;
mod rca;
mod remediation;
mod sheet;
mod small;
mod stamp;
mod strip;
mod timeline;
mod tour;

use jiff::Timestamp;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::text::{Line, Span};

use self::footer::push_search;
use self::look::Look;
use self::sheet::Held;
use super::layout::Form;
use super::model::{Pane, Ui};
use super::theme::Role;
use crate::session::Session;

/// Draws everything. The cursor stays hidden: what is typed carries its own.
pub fn draw(frame: &mut Frame<'_>, ui: &Ui, session: &Session, now: Timestamp) {
    let look = Look::of(ui, now);
    paint(frame.buffer_mut(), (ui, session), &look);
    clusters::settle(frame.buffer_mut());
}

fn paint(buffer: &mut Buffer, (ui, session): (&Ui, &Session), look: &Look) {
    let layout = ui.layout();
    if layout.form == Form::Line {
        small::draw(buffer, (ui, session), look);
        return;
    }
    header::draw(buffer, layout.header, (session, ui.incident(session)), look);
    strip::incidents(buffer, layout.incidents, (ui, session), look);
    strip::tabs(buffer, layout.tabs, (ui, session), look);
    for pane in Pane::ALL {
        let Some(area) = layout.pane(pane) else { continue };
        let held = if ui.focus == pane { Held::Keys } else { Held::Nothing };
        let draw = match pane {
            Pane::Alarms => alarms::draw,
            Pane::Metrics => metrics::draw,
            Pane::Logs => logs::draw,
            Pane::Rca => rca::draw,
            Pane::Remediation => remediation::draw,
            Pane::Timeline => timeline::draw,
        };
        draw(buffer, area, (ui, session), (look, held));
    }
    contact::draw(buffer, (ui, session), look);
    strip::summary(buffer, layout.summary, (ui, session), look);
    footer::draw(buffer, layout.footer, (ui, session), look);
    overlay::draw(buffer, (ui, session), look);
    tour::draw(buffer, (ui, session), look);
}

/// Where the narrative stands: rows of it, rows on screen, and the first of them.
pub fn narrative_place(ui: &Ui, session: &Session, now: Timestamp) -> Option<(usize, usize, usize)> {
    let look = Look::of(ui, now);
    let (total, rows) = rca::narrative_extent(ui, session, &look)?;
    let flow = rca::flow(ui.incident(session)?);
    Some((total, rows.max(1), ui.narrative.first(flow, (total, rows))))
}

/// `[3] LOGS  `, with the number that jumps to it.
fn title(pane: Pane, (look, held): (&Look, Held)) -> Line<'static> {
    let role = if held == Held::Keys { Role::Focus } else { Role::Title };
    let text = format!("[{}] {}", pane.number(), pane.word());
    Line::from(vec![look.span(role, text), Span::raw("  ")])
}
