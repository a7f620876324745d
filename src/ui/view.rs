//! A frame: a pure function of the screen's memory, the session and the time. Nothing here can change either.

mod alarms;
mod clusters;
mod contact;
mod evidence;
mod footer;
mod header;
mod kills;
mod links;
mod logs;
pub(super) mod look;
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

use self::footer::{in_force, push_matches, push_search};
pub use self::links::{Link, links};
use self::look::Look;
use self::sheet::Held;
pub use self::stamp::Freshness;
use super::layout::Form;
use super::model::overlay::{Item, Opened, Telling};
use super::model::{Pane, Ui};
use super::narrative::{Measure, Rows};
use super::page::{self, Desk, Laid};
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

/// A pane in words, a thing a line and each after its name, for who listens to it: nothing is drawn, laid out or cut. Of
/// what goes on without end the newest so many are told.
pub fn words(pane: Pane, (ui, session): (&Ui, &Session), (now, most): (Timestamp, usize)) -> Vec<String> {
    let look = &Look::of(ui, now);
    match pane {
        Pane::Alarms => alarms::words((ui, session), (most, look)),
        Pane::Metrics => metrics::words((ui, session), look),
        Pane::Logs => logs::words((ui, session), (most, look)),
        Pane::Rca => rca::words((ui, session), look),
        Pane::Remediation => remediation::words((ui, session), look),
        Pane::Timeline => timeline::words((ui, session), (most, look)),
    }
}

/// One thing in words, with everything that is known of it; nothing once it is gone.
pub fn item_words(item: &Item, (ui, session): (&Ui, &Session), now: Timestamp) -> Option<Vec<String>> {
    let look = Look::of(ui, now);
    page::of(item, Telling::Told, Desk { ui, session, look: &look }).map(|page| page.words())
}

/// What a frame of this session says of its feeds at an instant.
pub fn freshness(session: &Session, now: Timestamp) -> Freshness {
    Freshness::of(session, &Look::of(&Ui::default(), now))
}

/// The rows of what is opened, as they are on screen, and how many of them fit.
pub fn opened_rows(ui: &Ui, session: &Session, (opened, now): (&Opened, Timestamp)) -> (Vec<Laid>, usize) {
    let look = Look::of(ui, now);
    overlay::detail::rows(Desk { ui, session, look: &look }, opened, ui.layout().overlay(u16::MAX, u16::MAX))
}

/// Where the narrative stands: all of its rows, rows on screen, and the first of them.
pub struct NarrativePlace<'a> {
    /// The rows of the text.
    pub rows: Rows<'a>,
    /// How many there are, the words about its end included.
    pub total: usize,
    /// Rows on screen.
    pub high: usize,
    /// The first of them.
    pub first: usize,
}

/// Where the narrative stands on screen.
pub fn narrative_place<'a>(ui: &'a Ui, session: &Session, now: Timestamp) -> Option<NarrativePlace<'a>> {
    let look = Look::of(ui, now);
    let incident = ui.incident(session)?;
    let area = rca::narrative_area(ui, session, &look)?;
    let (columns, high) = (usize::from(area.width), usize::from(area.height));
    let rows = rca::rows(ui, incident, (columns, &look));
    let total = rca::height(ui, incident, (columns, &look));
    let first = ui.narrative.first(rca::flow(incident), (total, high), |place| rows.at(place));
    Some(NarrativePlace { rows, total, high: high.max(1), first })
}

/// For what the narrative is laid out, if it is on screen.
pub fn narrative_measure(ui: &Ui, now: Timestamp) -> Option<Measure> {
    rca::narrative_columns(ui).map(|columns| rca::measure(columns, &Look::of(ui, now)))
}

/// `[3] LOGS  `, with the number that jumps to it.
fn title(pane: Pane, (look, held): (&Look, Held)) -> Line<'static> {
    let role = if held == Held::Keys { Role::Focus } else { Role::Title };
    let text = format!("[{}] {}", pane.number(), pane.word());
    Line::from(vec![look.span(role, text), Span::raw("  ")])
}
