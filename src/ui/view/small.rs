//! The one line of a terminal too small for a cockpit: it still says where, how many alarms, and whether something is armed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::sheet::{Sheet, put};
use super::{rca, remediation, stamp};
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::step::StepState;
use crate::session::Session;
use crate::session::feeds::FeedId;
use crate::session::header::Origin;
use crate::ui::format;
use crate::ui::layout::{LEAST_COLS, LEAST_ROWS};
use crate::ui::model::{Showing, Ui};
use crate::ui::theme::Role;

/// Draws the line, and below it, where there are rows, what size would help and what is most pressing.
pub fn draw(buffer: &mut Buffer, (ui, session): (&Ui, &Session), look: &Look) {
    let area = buffer.area;
    put(buffer, Rect { height: area.height.min(1), ..area }, &line(session, (usize::from(area.width), look)), look);
    let below = Rect { y: area.y + area.height.min(1), height: area.height.saturating_sub(1), ..area };
    let mut sheet = Sheet::new(buffer, below, look);
    if let Some(at) = stamp::stale_since(session, FeedId::Alarms, look) {
        sheet.text(Role::Warning, &format!("alarms not read since {}", look.clock(at)));
    }
    let (cols, rows) = (area.width, area.height);
    let text = format!(
        "{cols}x{rows} is too small: {LEAST_COLS}x{LEAST_ROWS} shows the panes and a step to decide. \
         Ctrl-C twice leaves"
    );
    sheet.wrapped(Role::Faint, &text, 0);
    // What is most pressing, as far as there are rows.
    let Some(incident) = ui.incident(session) else { return };
    let (id, severity, name) = (incident.id, incident.severity.word(), &incident.service.name);
    sheet.text(Role::Strong, &format!("{id} {severity} {name}  {}", incident.phase.word()));
    for summary in [rca::summary(session, Some(incident), look), remediation::summary(session, Some(incident), look)] {
        let text: String = summary.spans.iter().map(|span| span.content.as_ref()).collect();
        sheet.wrapped(Role::Text, &text, 2);
    }
}

fn line(session: &Session, (columns, look): (usize, &Look)) -> Line<'static> {
    let header = &session.header;
    let mut rest: Vec<Span<'static>> = Vec::new();
    if look.showing == Showing::Journal {
        rest.push(look.span(Role::Replay, " REPLAY "));
    }
    if let Origin::Rehearsal { .. } = header.origin {
        rest.push(look.span(Role::Rehearsal, " REHEARSAL "));
    }
    let role = match header.mode {
        Mode::DryRun => Role::DryRun,
        Mode::Live => Role::Live,
    };
    rest.push(look.span(role, format!(" {} ", header.mode.word())));
    rest.push(look.span(Role::Production, format!(" {} ", header.environment)));
    let first = armed(session, look);
    let room = columns.saturating_sub(first.width() + rest.iter().map(Span::width).sum::<usize>());
    let count = firing(session, (room, look));
    [first, count].into_iter().chain(rest).collect()
}

fn armed(session: &Session, look: &Look) -> Span<'static> {
    let moving = session.incidents.values().filter_map(|incident| incident.plan.as_ref()).flat_map(|plan| &plan.steps);
    let (mut armed, mut running) = (false, false);
    for step in moving {
        armed |= matches!(step.state, StepState::Armed { .. });
        running |= matches!(step.state, StepState::Running | StepState::Uncertain);
    }
    match (armed, running) {
        (true, _) => look.span(Role::Armed, " ARMED "),
        (false, true) => look.span(Role::Armed, " RUNNING "),
        (false, false) => look.span(Role::Good, "not armed"),
    }
}

/// ` 3 firing/41`, with ` ~31m` behind it where that is as old; ` ~3 firing` where there is no room.
fn firing(session: &Session, (columns, look): (usize, &Look)) -> Span<'static> {
    if !stamp::has_answered(session, FeedId::Alarms) {
        return look.span(Role::Warning, " ? firing");
    }
    let firing = session.firing().len();
    let text = format!(" {firing} firing/{}", session.alarms.len());
    let Some(at) = stamp::stale_since(session, FeedId::Alarms, look) else {
        return look.span(if firing > 0 { Role::Danger } else { Role::Good }, text);
    };
    let old = format!("{text} ~{}", look.coarse_age(at));
    let fits = format::width(&old) <= columns;
    look.span(Role::Warning, if fits { old } else { format!(" ~{firing} firing") })
}
