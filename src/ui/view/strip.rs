//! The strips under line 1: the incidents by severity, and on narrow screens the panes as tabs with their counts.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::kills::Age;
use super::look::Look;
use super::sheet::{ends, put};
use super::{kills, rca, remediation, stamp};
use crate::domain::count::counted;
use crate::domain::remediation::step::StepState;
use crate::session::Session;
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{Incident, Phase};
use crate::ui::format::width;
use crate::ui::model::{Pane, Ui};
use crate::ui::theme::Role;

/// Draws the incident strip.
pub fn incidents(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), look: &Look) {
    let queue = session.queue();
    let shown = ui.incident(session).and_then(|shown| queue.iter().position(|incident| incident.id == shown.id));
    let told = fitted(session, (&queue, shown), (usize::from(area.width), look));
    let widths: Vec<usize> = told.iter().map(wide).collect();
    let (cut, hidden) = cut(&queue, (&widths, shown), usize::from(area.width));
    let between = || look.span(Role::Rule, look.sign(" │ ", " | "));
    let mut spans: Vec<Span<'static>> = Vec::new();
    if cut.before > 0 {
        spans.push(look.span(Role::Accent, format!("+{}", cut.before)));
    }
    for (at, (text, age)) in told.into_iter().enumerate().skip(cut.before) {
        if !spans.is_empty() {
            spans.push(between());
        }
        let role = if Some(at) == shown { Role::Strong } else { Role::Faint };
        let pointer = if Some(at) == shown { look.sign("▸", ">") } else { " " };
        spans.push(look.span(role, format!("{pointer}{text}")));
        spans.extend(age.map(|words| look.span(Role::Warning, words)));
    }
    if spans.is_empty() {
        spans.push(quiet(session, look));
    }
    let mut right = Line::default();
    for words in hidden {
        right.push_span(look.span(Role::Armed, words));
        right.push_span(Span::raw("  "));
    }
    if cut.after > 0 {
        right.push_span(look.span(Role::Accent, format!("+{}  ", cut.after)));
    }
    if queue.len() > 1 {
        right.push_span(look.span(Role::Accent, SWITCH));
    }
    ends(buffer, area, (&Line::from(spans), &right), look);
}

/// An incident in words, and how old what they count is, where that is old.
type Named = (String, Option<String>);

/// The incidents in words: whole where there is room for all of them so, else all but the one on screen by severity and name,
/// so that none is behind a number for as long as it can be named.
fn fitted(
    session: &Session,
    (queue, shown): (&[&Incident], Option<usize>),
    (columns, look): (usize, &Look),
) -> Vec<Named> {
    let whole: Vec<Named> = queue.iter().map(|incident| named(session, incident, look)).collect();
    if Cut::fits(&whole.iter().map(wide).collect::<Vec<_>>(), columns) {
        return whole;
    }
    let short = |(at, (told, incident)): (usize, (Named, &&Incident))| {
        let brief = || {
            let words = moving(incident).or((incident.phase == Phase::Closed).then(|| "closed".to_owned()));
            let words = words.map_or_else(String::new, |words| format!(" {words}"));
            format!("{}{words}", briefly(session, incident, look))
        };
        if Some(at) == shown { told } else { (brief(), told.1) }
    };
    whole.into_iter().zip(queue).enumerate().map(short).collect()
}

/// What stands at the moment in an incident whose step is armed, or whose request may be on its way or is being watched.
fn moving(incident: &Incident) -> Option<String> {
    let armed = incident.asked_step().filter(|step| matches!(step.state, StepState::Armed { .. }));
    match (armed, incident.phase) {
        (Some(step), _) => Some(format!("{} ARMED", step.id)),
        (None, Phase::Uncertain(step)) => Some(format!("UNCERTAIN {step}")),
        (None, phase @ (Phase::Running | Phase::Verifying)) => Some(phase.word().to_owned()),
        (None, _) => None,
    }
}

/// Which incidents have room, and what is said of those that move something and have none.
fn cut(queue: &[&Incident], (widths, shown): (&[usize], Option<usize>), columns: usize) -> (Cut, Vec<String>) {
    let told = |cut: &Cut, columns: usize| {
        let hidden = queue.iter().enumerate().filter(|(at, _)| !cut.shows(widths, *at, columns));
        hidden.filter_map(|(_, one)| Some(format!("{} {}", one.id, moving(one)?))).collect::<Vec<String>>()
    };
    let mut room = columns;
    // What is told at the edge takes room from the others: a second look is of what is left.
    for _ in 0..2 {
        let needed: usize = told(&Cut::of(widths, shown, room), room).iter().map(|words| width(words) + 2).sum();
        room = columns.saturating_sub(needed);
    }
    let cut = Cut::of(widths, shown, room);
    let hidden = told(&cut, room);
    (cut, hidden)
}

fn wide((text, age): &Named) -> usize {
    1 + width(text) + age.as_deref().map_or(0, width)
}

/// What stands at the right edge once there is more than one incident.
const SWITCH: &str = "[ ] switch";
/// Columns between two incidents.
const BETWEEN: usize = 3;
/// Columns of the sign `+12` and what parts it from the rest, at either end.
const MORE: usize = 6;

/// How many incidents have no room in the strip, before and after those that have.
#[derive(Debug, PartialEq, Eq)]
struct Cut {
    before: usize,
    after: usize,
}

impl Cut {
    /// The incident on screen is whole in the strip, as far as the strip is wide enough for it.
    fn of(widths: &[usize], shown: Option<usize>, columns: usize) -> Self {
        if Self::fits(widths, columns) {
            return Self { before: 0, after: 0 };
        }
        let wide = Self::together;
        let room = Self::room(widths, columns).saturating_sub(MORE);
        let lead = |before: usize| if before > 0 { MORE } else { 0 };
        let shown = shown.unwrap_or(0);
        let fits = |before: &usize| lead(*before) + wide(&widths[*before..=shown]) <= room;
        let before = (0..=shown).find(fits).unwrap_or(shown);
        // One that is cut at the edge still begins here.
        let begins = |at: &usize| lead(before) + wide(&widths[before..*at]) + BETWEEN < room;
        let after = (before + 1..widths.len()).filter(|at| !begins(at)).count();
        Self { before, after }
    }

    /// Whether an incident is there from its beginning to its end.
    fn shows(&self, widths: &[usize], at: usize, columns: usize) -> bool {
        let is_there = at >= self.before && at + self.after < widths.len();
        let lead = if self.before > 0 { MORE } else { 0 };
        let more = if self.after > 0 { MORE } else { 0 };
        let end = || lead + Self::together(&widths[self.before..=at]);
        is_there && (Self::fits(widths, columns) || end() + more <= Self::room(widths, columns))
    }

    /// Whether all of them have room.
    fn fits(widths: &[usize], columns: usize) -> bool {
        Self::together(widths) <= Self::room(widths, columns)
    }

    fn together(widths: &[usize]) -> usize {
        widths.iter().map(|width| width + BETWEEN).sum::<usize>().saturating_sub(BETWEEN)
    }

    fn room(widths: &[usize], columns: usize) -> usize {
        columns.saturating_sub(if widths.len() > 1 { SWITCH.len() + 1 } else { 0 })
    }
}

/// Nothing open is good news only where the alarms could be read.
fn quiet(session: &Session, look: &Look) -> Span<'static> {
    let feed = session.feeds.get(&FeedId::Alarms);
    let alarms = counted(session.alarms.len(), "alarm");
    match feed.map(|feed| (&feed.health, feed.answered_at)) {
        Some((FeedHealth::Live, _)) => look.span(Role::Faint, format!(" no incident open; watching {alarms}")),
        None | Some((FeedHealth::Connecting, _)) => look.span(Role::Faint, " reading the alarms".to_owned()),
        Some((FeedHealth::Off { .. } | FeedHealth::Retrying { .. } | FeedHealth::Lost { .. }, last)) => {
            let since = last.map_or_else(String::new, |at| format!(" since {}", look.clock(at)));
            look.span(Role::Danger, format!(" ALARMS NOT READ{since}: whether anything fires is not known"))
        }
    }
}

/// `! I2 P3 orders`.
fn briefly(session: &Session, incident: &Incident, look: &Look) -> String {
    let sign = if firing(session, incident) > 0 { "!" } else { look.sign("·", ".") };
    format!("{sign} {} {} {}", incident.id, incident.severity.word(), incident.service.name)
}

fn firing(session: &Session, incident: &Incident) -> usize {
    incident.alarms.iter().filter(|name| is_firing(session, name)).count()
}

/// An incident in words; and where the alarms are no longer read, how old its count of them is.
fn named(session: &Session, incident: &Incident, look: &Look) -> Named {
    let firing = firing(session, incident);
    let brief = briefly(session, incident, look);
    let unread = stamp::stale_since(session, FeedId::Alarms, look);
    let age = unread.map(|at| format!(" ~{}", look.coarse_age(at)));
    if incident.phase == Phase::Closed {
        // Over for us is not over for the alarms: what was approved may not have run, or not have helped yet.
        let since = incident.closed_at.map_or_else(String::new, |at| format!(" {}", look.clock(at)));
        let closed = format!("{brief}  closed{since}");
        return match (firing, unread) {
            (0, None) => (format!("{closed}, nothing fires"), None),
            (0, Some(at)) => (closed, Some(format!(", alarms not read since {}", look.clock(at)))),
            (_, _) => (format!("{closed}, {firing} still firing"), age),
        };
    }
    let phase = incident.phase_words();
    let waits = incident.asked_step().map_or_else(String::new, |step| format!(" {} {}", step.id, step.state.word()));
    let all = incident.alarms.len();
    (format!("{brief}  {phase}{waits}  {firing} of {all} firing"), age)
}

fn is_firing(session: &Session, name: &crate::domain::observation::alarm::AlarmName) -> bool {
    use crate::domain::observation::alarm::AlarmState;
    session.alarms.get(name).is_some_and(|alarm| alarm.state == AlarmState::Alarm)
}

/// Draws the panes as tabs.
pub fn tabs(buffer: &mut Buffer, area: Rect, (ui, session): (&Ui, &Session), look: &Look) {
    let texts = Pane::ALL.map(|pane| {
        let (word, count) = (tab_word(pane, area.width), tab_count(pane, (ui, session), (area.width, look)));
        format!(" {} {word}{count} ", pane.number())
    });
    let wide: usize = texts.iter().map(|text| width(text)).sum();
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (pane, text) in Pane::ALL.into_iter().zip(texts) {
        // One blank between two tabs is enough where there is no room for two.
        let text = if wide > usize::from(area.width) { text.trim_end().to_owned() } else { text };
        let old = pane == Pane::Alarms && stamp::stale_since(session, FeedId::Alarms, look).is_some();
        let role = match (pane == ui.focus, old) {
            (true, _) => Role::Focus,
            (false, true) => Role::Warning,
            (false, false) => Role::Title,
        };
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

fn tab_count(pane: Pane, (ui, session): (&Ui, &Session), (columns, look): (u16, &Look)) -> String {
    let incident = ui.incident(session);
    match pane {
        Pane::Alarms if !stamp::has_answered(session, FeedId::Alarms) => " ?".to_owned(),
        Pane::Alarms => {
            let firing = session.firing().len();
            match stamp::stale_since(session, FeedId::Alarms, look) {
                None => format!(" {firing}!"),
                Some(_) if columns < 80 => format!(" {firing}~"),
                Some(at) => format!(" {firing}! ~{}", look.coarse_age(at)),
            }
        }
        Pane::Logs => {
            let old = kills::counted_at(session, incident, look).is_some_and(|(age, _)| age == Age::Old);
            let sign = if old { "~" } else { " " };
            incident.and_then(kills::exact).map_or_else(String::new, |total| format!(" OOM{sign}{total}"))
        }
        Pane::Rca if columns < 70 => String::new(),
        Pane::Rca => incident.and_then(Incident::confidence).map_or_else(String::new, |found| format!(" {found}")),
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::observation::alarm::Severity;
    use crate::domain::observation::service::Service;
    use crate::session::IncidentId;

    #[test]
    fn whatever_moves_something_is_in_the_strip_or_told_at_its_edge() {
        let all: Vec<Incident> = (1..=6)
            .map(|id| {
                let mut one =
                    Incident::new(IncidentId(id), Service::bare("my-api"), Severity::P2, Timestamp::UNIX_EPOCH);
                one.phase = if id == 2 { Phase::Verifying } else { Phase::Triage };
                one
            })
            .collect();
        let queue: Vec<&Incident> = all.iter().collect();
        let widths = [30; 6];
        for shown in 0..6 {
            for columns in 60..300 {
                let (cut, hidden) = cut(&queue, (&widths, Some(shown)), columns);
                let taken: usize = hidden.iter().map(|words| width(words) + 2).sum();
                let there = cut.shows(&widths, 1, columns - taken);
                assert_eq!(
                    hidden,
                    if there { vec![] } else { vec!["I2 verifying".to_owned()] },
                    "{shown} at {columns}"
                );
            }
        }
        assert_eq!(cut(&queue, (&widths, Some(0)), 400).1, [""; 0], "all of them have room");
    }

    #[test]
    fn the_incident_on_screen_is_in_the_strip_whole_and_the_rest_is_counted() {
        let storm = [45; 6];
        for shown in 0..6 {
            for columns in 70..400 {
                let Cut { before, after } = Cut::of(&storm, Some(shown), columns);
                assert!(before <= shown && shown < 6 - after, "{shown} at {columns}: {before} {after}");
                let start = if before > 0 { MORE } else { 0 } + (shown - before) * (45 + BETWEEN);
                let right = SWITCH.len() + 1 + if after > 0 { "+9  ".len() } else { 0 };
                assert!(start + 45 <= columns - right, "{shown} at {columns} begins at {start}");
            }
        }
        assert_eq!(Cut::of(&storm, Some(0), 120), Cut { before: 0, after: 3 }, "the third begins and is cut");
        assert_eq!(Cut::of(&storm, Some(5), 120), Cut { before: 4, after: 0 });
        assert_eq!(Cut::of(&storm, Some(5), 300), Cut { before: 0, after: 0 });
        assert_eq!(Cut::of(&[45], Some(0), 20), Cut { before: 0, after: 0 }, "there is nothing beside it");
        assert_eq!(Cut::of(&[], None, 20), Cut { before: 0, after: 0 });
    }
}
