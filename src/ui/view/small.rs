//! The one line of a terminal too small for a cockpit: it still says where, how many alarms, and whether something is armed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::sheet::put;
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::step::StepState;
use crate::session::Session;
use crate::session::header::Origin;
use crate::ui::layout::{LEAST_COLS, LEAST_ROWS};
use crate::ui::theme::Role;

/// Draws the line, and below it, where there are rows, what size would help.
pub fn draw(buffer: &mut Buffer, session: &Session, look: &Look) {
    let area = buffer.area;
    put(buffer, Rect { height: area.height.min(1), ..area }, &line(session, look), look);
    if area.height > 1 {
        let text = format!(
            "{}x{} is too small: {LEAST_COLS}x{LEAST_ROWS} shows the cockpit. q quits",
            area.width, area.height
        );
        let below = Rect { y: area.y + 1, height: 1, ..area };
        put(buffer, below, &Line::from(look.span(Role::Faint, text)), look);
    }
}

fn line(session: &Session, look: &Look) -> Line<'static> {
    let header = &session.header;
    let mut spans: Vec<Span<'static>> = Vec::new();
    let moving = session.incidents.values().filter_map(|incident| incident.plan.as_ref()).flat_map(|plan| &plan.steps);
    let (mut armed, mut running) = (false, false);
    for step in moving {
        armed |= matches!(step.state, StepState::Armed { .. });
        running |= matches!(step.state, StepState::Running | StepState::Uncertain);
    }
    match (armed, running) {
        (true, _) => spans.push(look.span(Role::Armed, " ARMED ")),
        (false, true) => spans.push(look.span(Role::Armed, " RUNNING ")),
        (false, false) => spans.push(look.span(Role::Good, "not armed")),
    }
    let firing = session.firing().len();
    let role = if firing > 0 { Role::Danger } else { Role::Good };
    spans.push(look.span(role, format!(" {firing} firing/{} ", session.alarms.len())));
    if let Origin::Rehearsal { .. } = header.origin {
        spans.push(look.span(Role::Rehearsal, " REHEARSAL "));
    }
    spans.push(look.span(Role::Production, format!(" {} ", header.environment)));
    let role = match header.mode {
        Mode::DryRun => Role::DryRun,
        Mode::Live => Role::Live,
    };
    spans.push(look.span(role, format!(" {}", header.mode.word())));
    Line::from(spans)
}
