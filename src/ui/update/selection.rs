//! What is done with the selected thing: open, pin, raw, copy, save.

use super::super::intent::Intent;
use super::super::keymap::Action;
use super::super::model::overlay::{Item, Overlay, Telling};
use super::super::model::{Instants, Pane, Ui, Zoom, rows, telling};
use super::motion;
use super::notice::refuse;
use crate::session::Session;

/// Does an action to what is selected.
pub(super) fn act(ui: &mut Ui, action: Action, session: &Session, at: Instants) -> Vec<Intent> {
    let opened = match &ui.overlay {
        Some(Overlay::Detail { item, telling, .. }) => Some((item.clone(), *telling)),
        _ => None,
    };
    let Some((item, telling)) = opened.or_else(|| selected(ui, session).map(|item| (item, Telling::Told))) else {
        return refuse(ui, "Nothing is selected here.", at);
    };
    match action {
        Action::Open => open(ui, item),
        Action::Raw => show(ui, item, Telling::Raw),
        Action::Pin => pin(ui, &item, session, at),
        Action::Save => {
            let text = telling::lines(ui, session, &item, telling).unwrap_or_default().join("\n");
            vec![Intent::Save { name: telling::file_name(&item, telling), text }]
        }
        _ => {
            let text = telling::lines(ui, session, &item, telling).unwrap_or_default().join("\n");
            vec![Intent::Copy { text }]
        }
    }
}

/// A chart and a step open to the whole screen; anything else opens over the panes.
fn open(ui: &mut Ui, item: Item) -> Vec<Intent> {
    match item {
        Item::Metric(_) | Item::Step(_) if ui.zoom == Zoom::Overview => {
            ui.zoom = Zoom::Zoomed;
            Vec::new()
        }
        // A whole step stays what it is: Enter does nothing to it, least of all approve.
        Item::Step(_) => Vec::new(),
        item => show(ui, item, Telling::Told),
    }
}

fn show(ui: &mut Ui, item: Item, telling: Telling) -> Vec<Intent> {
    // What is listed is shown at once; what is behind it is read when it is opened, and only then.
    let inspected = match &item {
        Item::Alarm(alarm) => vec![Intent::Inspect { alarm: alarm.clone() }],
        _ => Vec::new(),
    };
    ui.overlay = Some(Overlay::Detail { item, telling, top: 0 });
    inspected
}

fn pin(ui: &mut Ui, item: &Item, session: &Session, at: Instants) -> Vec<Intent> {
    match (item, ui.incident(session)) {
        (Item::Evidence(evidence), Some(incident)) => {
            vec![Intent::TogglePin { incident: incident.id, evidence: *evidence }]
        }
        _ => refuse(ui, "Evidence is pinned in pane 4: press 4, select it with j and k, then Space.", at),
    }
}

/// What is selected in the focused pane.
pub(super) fn selected(ui: &Ui, session: &Session) -> Option<Item> {
    match ui.focus {
        Pane::Alarms => rows::selected_alarm(ui, session).cloned().map(Item::Alarm),
        Pane::Metrics => motion::selected_metric(ui, session).map(Item::Metric),
        Pane::Logs => {
            let shown = rows::logs(ui, session, ui.layout().rows(Pane::Logs).max(1));
            let line = shown.cursor.and_then(|cursor| shown.lines.get(cursor).copied());
            line.map(|stored| Item::Line(stored.number))
        }
        Pane::Rca => rows::selected_evidence(ui, session).map(Item::Evidence),
        Pane::Remediation => ui.step(session).map(|step| Item::Step(step.id)),
        Pane::Timeline => motion::selected_entry(ui, session).map(Item::Entry),
    }
}
