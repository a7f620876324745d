//! Moving in a pane: rows, pages, matches, errors and kills; following and freezing.

use super::super::intent::Intent;
use super::super::keymap::Action;
use super::super::model::log_look::Rows;
use super::super::model::rows;
use super::super::model::scroll::{Freeze, ListView, Scroll, TextView};
use super::super::model::{Instants, Pane, Tone, Ui};
use super::super::search::{Search, Shown};
use super::super::view::narrative_place;
use super::log_motion::{self, jump};
use super::notice::refuse;
use super::rca_motion;
use super::time::{self, Origin};
use crate::domain::observation::alarm::{Alarm, AlarmName};
use crate::domain::observation::log::{LogLevel, LogLine};
use crate::domain::observation::metric::MetricRole;
use crate::domain::remediation::step::StepId;
use crate::session::Session;

/// One movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Motion {
    /// A row down.
    Down,
    /// A row up.
    Up,
    /// The first row.
    Top,
    /// The last row.
    Bottom,
    /// Half a page down.
    HalfDown,
    /// Half a page up.
    HalfUp,
}

impl Motion {
    /// The movement that an action is, if it is one.
    pub fn of(action: Action) -> Option<Self> {
        match action {
            Action::Down => Some(Self::Down),
            Action::Up => Some(Self::Up),
            Action::Top => Some(Self::Top),
            Action::Bottom => Some(Self::Bottom),
            Action::HalfDown => Some(Self::HalfDown),
            Action::HalfUp => Some(Self::HalfUp),
            _ => None,
        }
    }

    /// Where it leads from an index in a list of `len` with pages of `rows`.
    pub(super) fn from(self, index: usize, len: usize, rows: usize) -> usize {
        let half = (rows / 2).max(1);
        let last = len.saturating_sub(1);
        match self {
            Self::Down => (index + 1).min(last),
            Self::Up => index.saturating_sub(1),
            Self::Top => 0,
            Self::Bottom => last,
            Self::HalfDown => (index + half).min(last),
            Self::HalfUp => index.saturating_sub(half),
        }
    }
}

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To what comes later.
    Onward,
    /// To what came before.
    Backward,
}

/// Moves in the focused pane.
pub(super) fn step(ui: &mut Ui, session: &Session, (motion, at): (Motion, Instants)) -> Vec<Intent> {
    let rows = ui.layout().rows(ui.focus).max(1);
    match ui.focus {
        Pane::Alarms => {
            let ids = alarm_ids(&rows::alarms(ui, session));
            shift(&mut ui.alarms, &ids, rows, motion);
        }
        Pane::Metrics => {
            let ids = metric_ids(ui, session);
            shift(&mut ui.metrics, &ids, rows, motion);
        }
        Pane::Logs => log_motion::step(ui, session, (motion, at)),
        Pane::Rca => rca_motion::step(ui, session, (motion, at)),
        Pane::Remediation => {
            let ids: Vec<StepId> = rows::steps(ui, session).iter().map(|step| step.id).collect();
            let here = ui.step(session).and_then(|step| ids.iter().position(|id| *id == step.id)).unwrap_or(0);
            ui.chosen_step = ids.get(motion.from(here, ids.len(), rows)).copied();
        }
        Pane::Timeline => {
            let ids = entry_ids(ui, session);
            shift(&mut ui.timeline, &ids, rows, motion);
            point_at_entry(ui, session);
        }
    }
    Vec::new()
}

/// Points charts and logs at the selected entry of the timeline.
fn point_at_entry(ui: &mut Ui, session: &Session) {
    let entry = selected_entry(ui, session);
    let at = session.timeline.entries().iter().find(|known| Some(known.seq) == entry).map(|known| known.at);
    if let Some(at) = at {
        time::point(ui, session, at, Origin::Timeline);
    }
}

pub(super) fn shift<Id: Clone + PartialEq>(view: &mut ListView<Id>, ids: &[Id], rows: usize, motion: Motion) {
    let Some(cursor) = view.scroll.span(ids, rows).cursor else { return };
    view.scroll.select(ids, rows, motion.from(cursor, ids.len(), rows));
}

/// Looks for something, or changes whether the pane goes on.
pub(super) fn look(ui: &mut Ui, action: Action, session: &Session, at: Instants) -> Vec<Intent> {
    let error = |line: &LogLine| line.level == LogLevel::Error;
    let warning = |line: &LogLine| line.level == LogLevel::Warn;
    let kill = |line: &LogLine| line.kill.is_some();
    match action {
        Action::NextError => jump(ui, (Way::Onward, "error"), error, (session, at)),
        Action::PreviousError => jump(ui, (Way::Backward, "error"), error, (session, at)),
        Action::NextWarning => jump(ui, (Way::Onward, "warning"), warning, (session, at)),
        Action::PreviousWarning => jump(ui, (Way::Backward, "warning"), warning, (session, at)),
        Action::NextOom => jump(ui, (Way::Onward, "OOM kill or heap error"), kill, (session, at)),
        Action::PreviousOom => jump(ui, (Way::Backward, "OOM kill or heap error"), kill, (session, at)),
        Action::NextMatch => next_match(ui, Way::Onward, session, at),
        Action::PreviousMatch => next_match(ui, Way::Backward, session, at),
        Action::Clear => clear(ui, at),
        Action::Follow => follow(ui, session, at),
        _ => freeze(ui, session, at),
    }
}

fn next_match(ui: &mut Ui, way: Way, session: &Session, at: Instants) -> Vec<Intent> {
    let Some(search) = ui.search_of(ui.focus).clone() else {
        return refuse(ui, "Nothing is searched for in this pane: / begins.", at);
    };
    let rows = ui.layout().rows(ui.focus).max(1);
    let found = match ui.focus {
        // Of lines that match, every template has one.
        Pane::Logs if ui.log.rows == Rows::Templates && ui.log.fold.search().is_some() => {
            let motion = if way == Way::Onward { Motion::Down } else { Motion::Up };
            return step(ui, session, (motion, at));
        }
        Pane::Logs if ui.log.rows == Rows::Templates => {
            let found: Vec<(usize, String)> =
                rows::templates(ui).iter().map(|(number, found)| (*number, found.template.clone())).collect();
            let (ids, texts): (Vec<usize>, Vec<String>) = found.into_iter().unzip();
            pick(&mut ui.log.templates, &ids, (&texts, &search), (rows, way))
        }
        Pane::Logs => {
            let matches = |line: &LogLine| search.matches(&line.text);
            return jump(ui, (way, "match"), matches, (session, at));
        }
        Pane::Alarms => {
            let alarms = rows::alarms(ui, session);
            let texts: Vec<String> = alarms.iter().map(|alarm| rows::alarm_text(alarm)).collect();
            let ids = alarm_ids(&alarms);
            pick(&mut ui.alarms, &ids, (&texts, &search), (rows, way))
        }
        Pane::Rca => rca_motion::next_match(ui, &search, (way, session, at)),
        Pane::Metrics => {
            let metrics = rows::metrics(ui, session);
            let texts: Vec<String> = metrics.iter().map(|(role, series)| rows::metric_text(*role, series)).collect();
            let ids = metric_ids(ui, session);
            pick(&mut ui.metrics, &ids, (&texts, &search), (rows, way))
        }
        Pane::Remediation => next_step(ui, session, (&search, way)),
        Pane::Timeline => {
            let texts: Vec<String> = rows::timeline(ui, session).iter().map(|entry| rows::entry_text(entry)).collect();
            let ids = entry_ids(ui, session);
            let found = pick(&mut ui.timeline, &ids, (&texts, &search), (rows, way));
            point_at_entry(ui, session);
            found
        }
    };
    match found {
        Some(()) => Vec::new(),
        None => refuse(ui, "No further match this way.", at),
    }
}

/// Goes to the next step of the plan that matches. No step is ever hidden by a search.
fn next_step(ui: &mut Ui, session: &Session, (search, way): (&Search, Way)) -> Option<()> {
    let steps = rows::steps(ui, session);
    let here = ui.step(session).and_then(|step| steps.iter().position(|other| other.id == step.id))?;
    let matches = |at: &usize| search.matches(&rows::step_text(&steps[*at]));
    let next = match way {
        Way::Onward => (here + 1..steps.len()).find(matches),
        Way::Backward => (0..here).rev().find(matches),
    }?;
    ui.chosen_step = Some(steps[next].id);
    Some(())
}

pub(super) fn pick<Id: Clone + PartialEq>(
    view: &mut ListView<Id>,
    ids: &[Id],
    (texts, search): (&[String], &Search),
    (rows, way): (usize, Way),
) -> Option<()> {
    let cursor = view.scroll.span(ids, rows).cursor?;
    let matches = |at: &usize| texts.get(*at).is_some_and(|text| search.matches(text));
    let index = match way {
        Way::Onward => (cursor + 1..ids.len()).find(matches),
        Way::Backward => (0..cursor).rev().find(matches),
    }?;
    view.scroll.select(ids, rows, index);
    Some(())
}

fn clear(ui: &mut Ui, at: Instants) -> Vec<Intent> {
    let search = ui.search_of(ui.focus);
    let cleared = match search {
        Some(found) if found.shown == Shown::Matches => {
            found.shown = Shown::Everything;
            "All rows again; n and N go to the matches, \\ forgets them."
        }
        Some(_) => {
            *search = None;
            ui.hit = None;
            "The search is forgotten."
        }
        None => return refuse(ui, "Nothing is searched for in this pane.", at),
    };
    ui.tell(Tone::Told, cleared, at);
    Vec::new()
}

fn follow(ui: &mut Ui, session: &Session, at: Instants) -> Vec<Intent> {
    // What is told as the way back to the present is one wherever the way there is.
    if ui.moment.is_some() && ui.focus != Pane::Rca {
        time::present(ui);
        return Vec::new();
    }
    match ui.focus {
        Pane::Logs => match ui.logs.scroll {
            Scroll::Tail if ui.logs.freeze == Freeze::Running => log_motion::step(ui, session, (Motion::Bottom, at)),
            Scroll::Tail | Scroll::Head | Scroll::Held { .. } => time::present(ui),
        },
        Pane::Timeline => match ui.timeline.scroll {
            Scroll::Tail if ui.timeline.freeze == Freeze::Running => {
                drop(step(ui, session, (Motion::Bottom, at)));
            }
            Scroll::Tail | Scroll::Head | Scroll::Held { .. } => time::present(ui),
        },
        Pane::Rca => {
            let first = narrative_place(ui, session, at.now).map_or(0, |place| place.rows.place(place.first));
            ui.narrative = match ui.narrative {
                TextView::Follow => TextView::At(first),
                TextView::At(_) => TextView::Follow,
            };
        }
        Pane::Alarms | Pane::Metrics | Pane::Remediation => {
            return refuse(ui, "Nothing runs on in this pane: logs, RCA and timeline can follow.", at);
        }
    }
    Vec::new()
}

fn freeze(ui: &mut Ui, session: &Session, at: Instants) -> Vec<Intent> {
    let (freeze, number) = match ui.focus {
        Pane::Logs => (&mut ui.logs.freeze, session.logs.received()),
        Pane::Metrics => (&mut ui.metrics.freeze, session.seq + 1),
        Pane::Timeline => (&mut ui.timeline.freeze, session.seq + 1),
        Pane::Alarms | Pane::Rca | Pane::Remediation => {
            return refuse(ui, "This pane is never held back: logs, metrics and timeline can be frozen.", at);
        }
    };
    *freeze = match *freeze {
        Freeze::Running => Freeze::At { at: session.clock.at_aws(at.now), number },
        Freeze::At { .. } => Freeze::Running,
    };
    Vec::new()
}

fn alarm_ids(alarms: &[&Alarm]) -> Vec<AlarmName> {
    alarms.iter().map(|alarm| alarm.name.clone()).collect()
}

fn metric_ids(ui: &Ui, session: &Session) -> Vec<MetricRole> {
    rows::metrics(ui, session).into_iter().map(|(role, _)| role).collect()
}

fn entry_ids(ui: &Ui, session: &Session) -> Vec<u64> {
    rows::timeline(ui, session).iter().map(|entry| entry.seq).collect()
}

/// The selected chart.
pub fn selected_metric(ui: &Ui, session: &Session) -> Option<MetricRole> {
    let ids = metric_ids(ui, session);
    let cursor = ui.metrics.scroll.span(&ids, ui.layout().rows(Pane::Metrics)).cursor?;
    ids.get(cursor).copied()
}

/// The selected timeline entry.
pub fn selected_entry(ui: &Ui, session: &Session) -> Option<u64> {
    let ids = entry_ids(ui, session);
    let cursor = ui.timeline.scroll.span(&ids, ui.layout().rows(Pane::Timeline)).cursor?;
    ids.get(cursor).copied()
}
