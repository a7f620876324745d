//! The strips under line 1: the incidents by severity, and on narrow screens the panes as tabs with their counts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::look::Look;
use super::sheet::{ends, put};
use super::{kills, rca, remediation, stamp};
use crate::domain::remediation::step::StepState;
use crate::session::Session;
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{Incident, Phase};
use crate::ui::model::{Pane, Ui};
use crate::ui::theme::Role;

/// Draws the incident strip.
pub fn incidents(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), look: &Look) {
    let queue = session.queue();
    let shown = ui.incident(session).map(|incident| incident.id);
    let mut spans: Vec<Span<'static>> = Vec::new();
    for incident in &queue {
        if !spans.is_empty() {
            spans.push(look.span(Role::Rule, look.sign(" │ ", " | ")));
        }
        let text = named(session, incident, look);
        let role = if Some(incident.id) == shown { Role::Strong } else { Role::Faint };
        let pointer = if Some(incident.id) == shown { look.sign("▸", ">") } else { " " };
        spans.push(look.span(role, format!("{pointer}{text}")));
    }
    if spans.is_empty() {
        spans.push(quiet(session, look));
    }
    let right = if queue.len() > 1 { Line::from(look.span(Role::Accent, "[ ] switch")) } else { Line::default() };
    ends(buffer, area, (&Line::from(spans), &right), look);
}

/// Nothing open is good news only where the alarms could be read.
fn quiet(session: &Session, look: &Look) -> Span<'static> {
    let feed = session.feeds.get(&FeedId::Alarms);
    let alarms = session.alarms.len();
    match feed.map(|feed| (&feed.health, feed.answered_at)) {
        Some((FeedHealth::Live, _)) => look.span(Role::Faint, format!(" no incident open; watching {alarms} alarms")),
        None | Some((FeedHealth::Connecting, _)) => look.span(Role::Faint, " reading the alarms".to_owned()),
        Some((FeedHealth::Off { .. } | FeedHealth::Retrying { .. } | FeedHealth::Lost { .. }, last)) => {
            let since = last.map_or_else(String::new, |at| format!(" since {}", look.clock(at)));
            look.span(Role::Danger, format!(" ALARMS NOT READ{since}: whether anything fires is not known"))
        }
    }
}

fn named(session: &Session, incident: &Incident, look: &Look) -> String {
    let firing = incident.alarms.iter().filter(|name| is_firing(session, name)).count();
    let (id, severity, service) = (incident.id, incident.severity.word(), &incident.service.name);
    let sign = if firing > 0 { "!" } else { look.sign("·", ".") };
    if incident.phase == Phase::Closed {
        // Over for us is not over for the alarms: what was approved may not have run, or not have helped yet.
        let since = incident.closed_at.map_or_else(String::new, |at| format!(" {}", look.clock(at)));
        let alarms = if firing > 0 { format!("{firing} still firing") } else { "nothing fires".to_owned() };
        return format!("{sign} {id} {severity} {service}  closed{since}, {alarms}");
    }
    let phase = match incident.phase {
        Phase::Uncertain(step) => format!("UNCERTAIN {step}"),
        phase => phase.word().to_owned(),
    };
    let waits = incident.asked_step().map_or_else(String::new, |step| format!(" {} {}", step.id, step.state.word()));
    format!("{sign} {id} {severity} {service}  {phase}{waits}  {firing} of {} firing", incident.alarms.len())
}

fn is_firing(session: &Session, name: &crate::domain::observation::alarm::AlarmName) -> bool {
    use crate::domain::observation::alarm::AlarmState;
    session.alarms.get(name).is_some_and(|alarm| alarm.state == AlarmState::Alarm)
}

/// Draws the panes as tabs.
pub fn tabs(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), look: &Look) {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for pane in Pane::ALL {
        let word = tab_word(pane, area.width);
        let count = tab_count(pane, (ui, session), area.width);
        let text = format!(" {} {word}{count} ", pane.number());
        let role = if pane == ui.focus { Role::Focus } else { Role::Title };
        spans.push(look.span(role, text));
    }
    put(buffer, area, &Line::from(spans), look);
}

fn tab_word(pane: Pane, columns: u16) -> &'static str {
    match pane {
        Pane::Alarms => "Alarms",
        Pane::Metrics if columns < 80 => "Met",
        Pane::Metrics => "Metrics",
        Pane::Logs if columns < 80 => "Log",
        Pane::Logs => "Logs",
        Pane::Rca => "RCA",
        Pane::Remediation if columns < 100 => "Fix",
        Pane::Remediation => "Remediation",
        Pane::Timeline if columns < 100 => "Time",
        Pane::Timeline => "Timeline",
    }
}

fn tab_count(pane: Pane, (ui, session): (&Ui, &Session), columns: u16) -> String {
    let incident = ui.incident(session);
    match pane {
        Pane::Alarms if !stamp::has_answered(session, FeedId::Alarms) => " ?".to_owned(),
        Pane::Alarms => format!(" {}!", session.firing().len()),
        Pane::Logs => incident.and_then(kills::exact).map_or_else(String::new, |total| format!(" OOM {total}")),
        Pane::Rca if columns < 70 => String::new(),
        Pane::Rca => incident.and_then(rca::confidence).map_or_else(String::new, |found| format!(" {found}")),
        Pane::Remediation => {
            let step = incident.and_then(Incident::asked_step);
            step.map_or_else(String::new, |step| match step.state {
                StepState::Armed { .. } => " ARMED".to_owned(),
                _ => format!(" {}!", step.id),
            })
        }
        Pane::Metrics | Pane::Timeline => String::new(),
    }
}

/// Draws the two lines that stand for panes 4 and 5 where there is no room for them.
pub fn summary(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), look: &Look) {
    let incident = ui.incident(session);
    let lines = [rca::summary(session, incident, look), remediation::summary(session, incident, look)];
    for (line, y) in lines.iter().zip(area.top()..area.bottom()) {
        put(buffer, Rect { y, height: 1, ..area }, line, look);
    }
}
