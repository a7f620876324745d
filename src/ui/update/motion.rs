//! Moving in a pane: rows, pages, matches, errors and kills; following and freezing.

use super::super::intent::Intent;
use super::super::keymap::Action;
use super::super::model::rows::{self, LineAnchor, LogView};
use super::super::model::scroll::{Freeze, ListView, Scroll, TextView};
use super::super::model::{Instants, Pane, Tone, Ui};
use super::super::search::{Search, Shown};
use super::super::view::narrative_place;
use super::notice::refuse;
use super::typing::search_of;
use crate::domain::diagnosis::evidence::EvidenceId;
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
    /// Where it leads from an index in a list of `len` with pages of `rows`.
    fn from(self, index: usize, len: usize, rows: usize) -> usize {
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
enum Way {
    Onward,
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
        Pane::Logs => log_step(ui, session, motion),
        Pane::Rca => rca_step(ui, session, (motion, at)),
        Pane::Remediation => {
            let ids: Vec<StepId> = rows::steps(ui, session).iter().map(|step| step.id).collect();
            let here = ui.step(session).and_then(|step| ids.iter().position(|id| *id == step.id)).unwrap_or(0);
            ui.chosen_step = ids.get(motion.from(here, ids.len(), rows)).copied();
        }
        Pane::Timeline => {
            let ids = entry_ids(ui, session);
            shift(&mut ui.timeline, &ids, rows, motion);
        }
    }
    Vec::new()
}

fn shift<Id: Clone + PartialEq>(view: &mut ListView<Id>, ids: &[Id], rows: usize, motion: Motion) {
    let Some(cursor) = view.scroll.span(ids, rows).cursor else { return };
    view.scroll.select(ids, rows, motion.from(cursor, ids.len(), rows));
}

/// In the analysis single rows move over the evidence, pages over the narrative.
fn rca_step(ui: &mut Ui, session: &Session, (motion, at): (Motion, Instants)) {
    if matches!(motion, Motion::Down | Motion::Up) {
        let ids: Vec<EvidenceId> = rows::evidence(ui, session).iter().map(|evidence| evidence.id).collect();
        let rows = ui.layout().rows(Pane::Rca).max(1);
        return shift(&mut ui.evidence, &ids, rows, motion);
    }
    let Some((total, rows, first)) = narrative_place(ui, session, at.now) else { return };
    ui.narrative = TextView::At(motion.from(first, total.saturating_sub(rows) + 1, rows));
}

fn log_step(ui: &mut Ui, session: &Session, motion: Motion) {
    let rows = ui.layout().rows(Pane::Logs).max(1);
    let Some(here) = log_place(ui, session) else { return };
    let view = LogView::new(ui, session);
    let onward = |from: usize| view.at_or_after(from + 1);
    let repeat = |times: usize, next: &dyn Fn(usize) -> Option<usize>| {
        (0..times).try_fold(here, |at, _| next(at).ok_or(at)).unwrap_or_else(|last| last)
    };
    let half = (rows / 2).max(1);
    let place = match motion {
        Motion::Down => repeat(1, &onward),
        Motion::Up => repeat(1, &|from| view.before(from)),
        Motion::HalfDown => repeat(half, &onward),
        Motion::HalfUp => repeat(half, &|from| view.before(from)),
        Motion::Top => view.at_or_after(0).unwrap_or(here),
        Motion::Bottom => view.before(view.len()).unwrap_or(here),
    };
    hold(ui, session, place);
}

/// The place of the selected line.
fn log_place(ui: &Ui, session: &Session) -> Option<usize> {
    let rows = ui.layout().rows(Pane::Logs).max(1);
    let shown = rows::logs(ui, session, rows);
    let line = shown.cursor.and_then(|cursor| shown.lines.get(cursor).copied())?;
    Some(LogView::new(ui, session).place(LineAnchor::of(line)))
}

/// Selects the line at a place; scrolls only if it is not on screen: up to it, or down until it is the last.
fn hold(ui: &mut Ui, session: &Session, place: usize) {
    let rows = ui.layout().rows(Pane::Logs).max(1);
    let shown = rows::logs(ui, session, rows);
    let view = LogView::new(ui, session);
    let Some(line) = view.line(place) else { return };
    let visible = shown.lines.iter().any(|shown| shown.number == line.number);
    let first = shown.lines.first().copied();
    let above = first.is_some_and(|first| place < view.place(LineAnchor::of(first)));
    let top = match first.filter(|_| visible) {
        Some(first) => first,
        None if above => line,
        None => {
            let up = (1..rows).try_fold(place, |at, _| view.before(at).ok_or(at)).unwrap_or_else(|last| last);
            view.line(up).unwrap_or(line)
        }
    };
    let (cursor, top) = (LineAnchor::of(line), LineAnchor::of(top));
    ui.logs.scroll = Scroll::Held { cursor, top, place };
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
        Action::NextOom => jump(ui, (Way::Onward, "OOM kill"), kill, (session, at)),
        Action::PreviousOom => jump(ui, (Way::Backward, "OOM kill"), kill, (session, at)),
        Action::NextMatch => next_match(ui, Way::Onward, session, at),
        Action::PreviousMatch => next_match(ui, Way::Backward, session, at),
        Action::Clear => clear(ui, at),
        Action::Follow => follow(ui, session, at),
        _ => freeze(ui, session, at),
    }
}

fn jump(
    ui: &mut Ui,
    (way, what): (Way, &str),
    wanted: impl Fn(&LogLine) -> bool,
    (session, at): (&Session, Instants),
) -> Vec<Intent> {
    ui.focus = Pane::Logs;
    // While following, the selected line is the newest: the first look goes back from it, itself included.
    let following = ui.logs.scroll == Scroll::Tail;
    let view = LogView::new(ui, session);
    let found = match (log_place(ui, session), way) {
        (None, _) => None,
        (Some(_), _) if following => view.find_before(view.len(), wanted),
        (Some(here), Way::Onward) => view.find_after(here, wanted),
        (Some(here), Way::Backward) => view.find_before(here, wanted),
    };
    let Some(place) = found else {
        let side = if way == Way::Onward && !following { "after" } else { "before" };
        return refuse(ui, format!("No {what} {side} this line."), at);
    };
    hold(ui, session, place);
    Vec::new()
}

fn next_match(ui: &mut Ui, way: Way, session: &Session, at: Instants) -> Vec<Intent> {
    let Some(search) = search_of(ui, ui.focus).and_then(|search| search.clone()) else {
        return refuse(ui, "Nothing is searched for in this pane: / begins.", at);
    };
    let rows = ui.layout().rows(ui.focus).max(1);
    let found = match ui.focus {
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
        Pane::Rca => {
            let evidence = rows::evidence(ui, session);
            let texts: Vec<String> = evidence.iter().map(|evidence| rows::evidence_text(evidence)).collect();
            let ids: Vec<EvidenceId> = evidence.iter().map(|evidence| evidence.id).collect();
            pick(&mut ui.evidence, &ids, (&texts, &search), (rows, way))
        }
        Pane::Metrics | Pane::Remediation | Pane::Timeline => {
            let texts: Vec<String> = rows::timeline(ui, session).iter().map(|entry| entry.text.clone()).collect();
            let ids = entry_ids(ui, session);
            pick(&mut ui.timeline, &ids, (&texts, &search), (rows, way))
        }
    };
    match found {
        Some(()) => Vec::new(),
        None => refuse(ui, format!("No further match of {:?} this way.", search.text()), at),
    }
}

fn pick<Id: Clone + PartialEq>(
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
    let cleared = match search_of(ui, ui.focus) {
        Some(Some(search)) if search.shown == Shown::Matches => {
            search.shown = Shown::Everything;
            "All rows again; n and N go to the matches, \\ forgets them."
        }
        Some(search @ Some(_)) => {
            *search = None;
            "The search is forgotten."
        }
        Some(None) | None => return refuse(ui, "Nothing is searched for in this pane.", at),
    };
    ui.tell(Tone::Told, cleared, at);
    Vec::new()
}

fn follow(ui: &mut Ui, session: &Session, at: Instants) -> Vec<Intent> {
    match ui.focus {
        Pane::Logs => {
            ui.logs.freeze = Freeze::Running;
            match ui.logs.scroll {
                Scroll::Tail => log_step(ui, session, Motion::Bottom),
                Scroll::Head | Scroll::Held { .. } => ui.logs.scroll = Scroll::Tail,
            }
        }
        Pane::Timeline => {
            ui.timeline.freeze = Freeze::Running;
            match ui.timeline.scroll {
                Scroll::Tail => drop(step(ui, session, (Motion::Bottom, at))),
                Scroll::Head | Scroll::Held { .. } => ui.timeline.scroll = Scroll::Tail,
            }
        }
        Pane::Rca => {
            let first = narrative_place(ui, session, at.now).map_or(0, |(_, _, first)| first);
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
        Freeze::Running => Freeze::At { at: at.now, number },
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
