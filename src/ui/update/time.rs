//! The instant that charts, logs and timeline point at together: moving in one of them moves the others.

use jiff::{SignedDuration, Timestamp};

use super::super::format;
use super::super::intent::Intent;
use super::super::keymap::Action;
use super::super::model::log_look::Rows;
use super::super::model::log_view::LogView;
use super::super::model::rows;
use super::super::model::scroll::{Freeze, Scroll};
use super::super::model::{Instants, Pane, Tone, Ui, moments};
use super::log_motion;
use super::motion::Way;
use super::notice::refuse;
use crate::domain::observation::scope::whole_minute;
use crate::session::Session;

/// Where the instant was chosen: that pane stands where the person put it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A log line was selected.
    Logs,
    /// An entry of the timeline was.
    Timeline,
    /// By the keys of the time itself.
    Keys,
}

/// Points at an instant.
pub(super) fn point(ui: &mut Ui, session: &Session, at: Timestamp, origin: Origin) {
    ui.moment = Some(at);
    if origin != Origin::Logs && ui.log.rows != Rows::Templates {
        let place = LogView::new(ui, session).at(at);
        if let Some(place) = place {
            log_motion::hold(ui, session, place);
        }
    }
    if origin != Origin::Timeline {
        let entries = rows::timeline(ui, session);
        let ids: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
        let index = entries.partition_point(|entry| entry.at <= at).saturating_sub(1);
        let rows = ui.layout().rows(Pane::Timeline).max(1);
        ui.timeline.scroll.select(&ids, rows, index);
    }
}

/// Goes back to the present: everything that can follow does.
pub(super) fn present(ui: &mut Ui) {
    ui.moment = None;
    (ui.logs.scroll, ui.timeline.scroll) = (Scroll::Tail, Scroll::Tail);
    (ui.logs.freeze, ui.timeline.freeze) = (Freeze::Running, Freeze::Running);
}

/// Moves the instant.
pub(super) fn act(ui: &mut Ui, action: Action, session: &Session, at: Instants) -> Vec<Intent> {
    let minutes = match action {
        Action::TimeOnward => 1,
        Action::TimeBack => -1,
        Action::TimeLeapOnward => 10,
        Action::TimeLeapBack => -10,
        Action::NextDeploy => return deploy(ui, Way::Onward, session, at),
        _ => return deploy(ui, Way::Backward, session, at),
    };
    let from = ui.moment.unwrap_or(at.now);
    let to = whole_minute(from + SignedDuration::from_mins(minutes));
    // The start of a minute already under way is earlier, and nearer than a whole minute.
    let to = if minutes == -1 && whole_minute(from) < from { whole_minute(from) } else { to };
    if to >= at.now {
        if ui.moment.is_none() {
            return refuse(ui, "This is the present: , points a minute back.", at);
        }
        present(ui);
        ui.tell(Tone::Told, "Back in the present.", at);
        return Vec::new();
    }
    point(ui, session, to, Origin::Keys);
    Vec::new()
}

fn deploy(ui: &mut Ui, way: Way, session: &Session, at: Instants) -> Vec<Intent> {
    let incident = ui.incident(session);
    let deploys = moments::deploys(session, incident);
    let here = ui.moment.unwrap_or(at.now);
    let found = match way {
        Way::Onward if ui.moment.is_some() => deploys.iter().find(|deploy| **deploy > here),
        // From the present the first look goes back, as it does for errors and kills.
        Way::Onward | Way::Backward => deploys.iter().rev().find(|deploy| **deploy < here),
    };
    let Some(deploy) = found.copied() else {
        let side = if way == Way::Onward && ui.moment.is_some() { "after" } else { "before" };
        return refuse(ui, format!("No rollout is known {side} this."), at);
    };
    let number = moments::revisions(session, incident).iter().find(|known| known.created_at == Some(deploy));
    let number = number.map_or_else(String::new, |known| format!(" of revision {}", known.number));
    point(ui, session, deploy, Origin::Keys);
    let age = format::span(format::seconds_since(at.now, deploy));
    ui.tell(Tone::Told, format!("The rollout{number}, {age} ago; f goes back to the present."), at);
    Vec::new()
}
