//! What is done with the selected thing: open, pin, raw, copy, save.

use std::sync::Arc;

use super::super::intent::Intent;
use super::super::keymap::Action;
use super::super::model::log_look::Rows;
use super::super::model::overlay::{Item, Opened, Overlay, Telling};
use super::super::model::{Instants, Pane, Tone, Ui, Zoom, log_view, moments, rows, telling};
use super::notice::refuse;
use super::{log_look, motion};
use crate::session::Session;
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{Incident, Phase};

/// Does an action to what is selected.
pub(super) fn act(ui: &mut Ui, action: Action, session: &Session, at: Instants) -> Vec<Intent> {
    if ui.focus == Pane::Logs && ui.log.rows == Rows::Templates {
        return template(ui, action, at);
    }
    let Some(item) = selected(ui, session) else {
        return match hints(ui, session).filter(|_| action == Action::Copy) {
            Some(text) => vec![Intent::Copy { text }],
            None => refuse(ui, "Nothing is selected here.", at),
        };
    };
    match action {
        Action::Open => open(ui, item),
        Action::Raw => show(ui, item, Telling::Raw),
        Action::Pin => pin(ui, &item, session, at),
        Action::Save => {
            let text = telling::lines(ui, session, &item, Telling::Told).unwrap_or_default().join("\n");
            vec![Intent::Save { name: telling::file_name(&item, Telling::Told), text }]
        }
        _ => {
            let text = telling::lines(ui, session, &item, Telling::Told).unwrap_or_default().join("\n");
            vec![Intent::Copy { text }]
        }
    }
}

/// What an empty pane says of its feed and what would help: its copy is what `y` promises there.
fn hints(ui: &Ui, session: &Session) -> Option<String> {
    let feed = match ui.focus {
        Pane::Alarms => session.feed(FeedId::Alarms),
        Pane::Metrics => session.metric_feed(rows::service(ui, session)),
        Pane::Logs => session.log_feed(ui.incident(session)),
        Pane::Rca => session.feed(FeedId::Model),
        Pane::Remediation | Pane::Timeline => return None,
    };
    match feed.health {
        FeedHealth::Lost { fault } | FeedHealth::Retrying { fault, .. } => {
            let rows = std::iter::once(&fault.summary).chain(&fault.causes).chain(&fault.hints);
            Some(rows.map(String::as_str).collect::<Vec<_>>().join("\n"))
        }
        FeedHealth::Off { .. } | FeedHealth::Connecting | FeedHealth::Live => None,
    }
}

/// The list of templates: opened to lines, copied as text.
fn template(ui: &mut Ui, action: Action, at: Instants) -> Vec<Intent> {
    match action {
        Action::Open => log_look::open_template(ui, at),
        Action::Copy => {
            let found = log_look::selected_template(ui).and_then(|number| ui.log.fold.template(number));
            let text = found.map(|found| found.template.clone()).unwrap_or_default();
            vec![Intent::Copy { text }]
        }
        _ => {
            refuse(ui, "Enter opens the lines of this template; one of them can be pinned, saved, or seen as JSON.", at)
        }
    }
}

/// A step opens to the whole screen first, where it may be decided; anything else opens over the panes.
fn open(ui: &mut Ui, item: Item) -> Vec<Intent> {
    match item {
        Item::Step(_) if ui.zoom == Zoom::Overview => {
            ui.zoom = Zoom::Zoomed;
            Vec::new()
        }
        item => show(ui, item, Telling::Told),
    }
}

/// Opens the verdict of the incident on screen.
pub(super) fn terms(ui: &mut Ui, session: &Session, at: Instants) -> Vec<Intent> {
    match ui.incident(session).and_then(|incident| incident.verdict.as_ref()) {
        Some(_) => show(ui, Item::Verdict, Telling::Told),
        None => refuse(ui, "There is no verdict yet: the evidence is not in.", at),
    }
}

fn show(ui: &mut Ui, item: Item, telling: Telling) -> Vec<Intent> {
    // What is listed is shown at once; what is behind it is read when it is opened, and only then.
    let inspected = match &item {
        Item::Alarm(alarm) => vec![Intent::Inspect { alarm: alarm.clone() }],
        _ => Vec::new(),
    };
    ui.overlay = Some(Overlay::Detail(Box::new(Opened::new(item, telling))));
    inspected
}

/// Asks for an incident about the selected alarm, or goes to the one it has.
pub(super) fn investigate(ui: &mut Ui, session: &Session, at: Instants) -> Vec<Intent> {
    let Some(alarm) = rows::selected_alarm(ui, session).cloned() else {
        return refuse(ui, "No alarm is selected: press 1, then j and k.", at);
    };
    let open = |incident: &&Incident| incident.phase != Phase::Closed && incident.alarms.contains(&alarm);
    if let Some(incident) = session.incidents.values().find(open) {
        let text = format!("{alarm} is in {} already: [ and ] go from incident to incident.", incident.id);
        return refuse(ui, text, at);
    }
    let service = session.services.get(&alarm).map(|service| &service.name);
    let same = |incident: &&Incident| incident.phase != Phase::Closed && Some(&incident.service.name) == service;
    let text = match session.incidents.values().find(same) {
        Some(incident) => format!("{alarm} is looked into: it is about the service of {}, and joins it.", incident.id),
        None => format!("{alarm} is looked into: its incident is opened, or one of its service takes it in."),
    };
    ui.tell(Tone::Told, text, at);
    vec![Intent::Investigate { alarm }]
}

/// Opens the workload of the incident on screen, else the only one that is watched.
pub(super) fn workload(ui: &mut Ui, session: &Session, at: Instants) -> Vec<Intent> {
    let of_incident = ui.incident(session).and_then(|incident| incident.service.workload.clone());
    let mut watched = session.cluster.workloads.values().map(|workload| &workload.target);
    let only = watched.next().filter(|_| watched.next().is_none()).cloned();
    match of_incident.or(only) {
        Some(target) => show(ui, Item::Workload(target), Telling::Told),
        None => refuse(ui, "No workload is known for this incident.", at),
    }
}

pub(super) fn pin(ui: &mut Ui, item: &Item, session: &Session, at: Instants) -> Vec<Intent> {
    match (item, ui.incident(session)) {
        (Item::Evidence(evidence), Some(incident)) => {
            vec![Intent::TogglePin { incident: incident.id, evidence: *evidence }]
        }
        (Item::Line(number), incident) => {
            let stored = log_view::stored(ui, session, *number);
            let Some(line) = stored.map(|stored| Arc::clone(&stored.line)) else {
                return refuse(ui, "It is not held any more.", at);
            };
            let cited = incident.and_then(|incident| Some((incident.id, moments::cited_by(incident, &line.id)?)));
            if let Some((incident, evidence)) = cited {
                ui.tell(Tone::Told, format!("{evidence} cites this line: its pin was changed."), at);
                return vec![Intent::TogglePin { incident, evidence }];
            }
            ui.tell(Tone::Told, "Pinned on the timeline, and in the journal.", at);
            vec![Intent::Note { text: format!("pinned {} {}: {}", line.at, line.stream, line.text) }]
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
            let shown = rows::logs(ui, session, rows::log_height(ui));
            let line = shown.cursor.and_then(|cursor| shown.lines.get(cursor).copied());
            line.map(|stored| Item::Line(stored.number))
        }
        Pane::Rca => rows::selected_evidence(ui, session).map(Item::Evidence),
        Pane::Remediation => ui.step(session).map(|step| Item::Step(step.id)),
        Pane::Timeline => motion::selected_entry(ui, session).map(Item::Entry),
    }
}
