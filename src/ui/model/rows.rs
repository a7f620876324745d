//! The rows of each pane, in the order of the screen: what is drawn and what the keys move over are the same list.

use jiff::Timestamp;

use super::super::search::shows;
use super::log_view::LogView;
use super::scroll::{Freeze, Scroll};
use super::{Pane, Ui};
use crate::domain::diagnosis::evidence::{Evidence, EvidenceId, answer_text};
use crate::domain::observation::alarm::{Alarm, AlarmName, AlarmState};
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::log_template::TemplateCount;
use crate::domain::observation::metric::{MetricRole, Series};
use crate::domain::observation::service::ServiceName;
use crate::domain::remediation::request::Request;
use crate::domain::remediation::step::{Step, StepState};
use crate::session::Session;
use crate::session::feeds::FeedHealth;
use crate::session::incident::Incident;
use crate::session::logs::StoredLine;
use crate::session::timeline::Entry;

/// What a scroll in the logs holds on to: the line's number, and its time for when the line has left the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineAnchor {
    /// [`StoredLine::number`]
    pub number: u64,
    /// When it happened.
    pub at: Timestamp,
}

impl LineAnchor {
    /// The anchor of a line.
    pub fn of(stored: &StoredLine) -> Self {
        Self { number: stored.number, at: stored.line.at }
    }
}

/// The log lines on screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogRows<'a> {
    /// From the top.
    pub lines: Vec<&'a StoredLine>,
    /// Which of them is selected.
    pub cursor: Option<usize>,
    /// Lines that came since the pane was frozen.
    pub withheld: u64,
}

/// Pane 1: firing ones first, worst first, then those without data, then the others by name.
pub fn alarms<'a>(ui: &Ui, session: &'a Session) -> Vec<&'a Alarm> {
    let mut rest: Vec<&Alarm> = session.alarms.values().filter(|alarm| alarm.state != AlarmState::Alarm).collect();
    rest.sort_by_key(|alarm| alarm.state == AlarmState::Ok);
    let search = ui.alarms.search.as_ref();
    session
        .firing()
        .into_iter()
        .chain(rest)
        .filter(|alarm| search.is_none() || shows(search, &alarm_text(alarm)))
        .collect()
}

/// What a search looks at in an alarm: what its row shows of it, so that what is not wanted is left out by that alone. The
/// reason of every alarm that fires ends in `OK -> ALARM`.
pub fn alarm_text(alarm: &Alarm) -> String {
    let state = match alarm.state {
        AlarmState::Alarm => alarm.severity.word(),
        AlarmState::Ok => "ok",
        AlarmState::InsufficientData => "no data",
    };
    format!("{state} {}", alarm.name)
}

/// The service whose metrics are on screen: that of the incident, else that of the selected alarm, else any.
pub fn service<'a>(ui: &Ui, session: &'a Session) -> Option<&'a ServiceName> {
    let of_incident = ui.incident(session).map(|incident| &incident.service.name);
    let of_alarm = || selected_alarm(ui, session).and_then(|name| session.services.get(name)).map(|found| &found.name);
    of_incident.or_else(of_alarm).or_else(|| session.metrics.keys().next())
}

/// Pane 2: the charts of the service, in the order of the screen: before all the one that the first alarm of the incident
/// compares, and memory where it counts kills, which stand as marks in every chart. Alarms that join later move no chart.
pub fn metrics<'a>(ui: &Ui, session: &'a Session) -> Vec<(MetricRole, &'a Series)> {
    let Some(by_role) = service(ui, session).and_then(|name| session.metrics.get(name)) else { return Vec::new() };
    let all = MetricRole::ALL.into_iter().filter_map(|role| by_role.get(&role).map(|series| (role, series)));
    let search = ui.metrics.search.as_ref();
    let mut shown: Vec<_> = all.filter(|(role, series)| shows(search, &metric_text(*role, series))).collect();
    let alarms = ui.incident(session).into_iter().flat_map(|incident| &incident.alarms);
    let mut alarms = alarms.filter_map(|name| session.alarms.get(name));
    let compared = alarms.find_map(|alarm| shown.iter().position(|(_, series)| alarm.compares(&series.query)));
    let lead = compared.and_then(|at| {
        let (role, series) = shown[at];
        let counts_kills = role == MetricRole::Alarm && series.query.metric.name.to_ascii_lowercase().contains("oom");
        if counts_kills { shown.iter().position(|(role, _)| *role == MetricRole::Memory) } else { Some(at) }
    });
    if let Some(at) = lead {
        shown[..=at].rotate_right(1);
    }
    shown
}

/// What a chart is called on screen.
pub fn metric_name(role: MetricRole, series: &Series) -> &str {
    if role == MetricRole::Alarm { &series.query.metric.name } else { role_name(role) }
}

/// Metrics of the incident's service that were asked for and have no points: they have no chart, and are no less asked for.
pub fn silent_metrics(ui: &Ui, session: &Session) -> Vec<MetricRole> {
    let Some(incident) = ui.incident(session).filter(|_| ui.metrics.search.is_none()) else { return Vec::new() };
    let name = &incident.service.name;
    // What is refused is no silence of its own.
    let feed = session.metric_feed(Some(name));
    if feed.health != FeedHealth::Live || feed.answered_at.is_none() {
        return Vec::new();
    }
    let known = session.metrics.get(name);
    let has_points =
        |role: &MetricRole| known.and_then(|known| known.get(role)).is_some_and(|series| !series.points.is_empty());
    let asked = MetricRole::ALL.into_iter().filter(|role| incident.service.metrics.contains_key(role));
    asked.filter(|role| !has_points(role)).collect()
}

/// What a role is called on screen.
pub fn role_name(role: MetricRole) -> &'static str {
    match role {
        MetricRole::Cpu => "CPU",
        MetricRole::Memory => "MEM",
        MetricRole::MemoryLimit => "LIMIT",
        MetricRole::Requests => "REQ",
        MetricRole::Errors => "ERR",
        MetricRole::Latency => "LAT",
        MetricRole::Restarts => "RESTARTS",
        MetricRole::CollectorTime => "GC TIME",
        MetricRole::Alarm => "ALARM",
    }
}

/// What a search looks at in a chart.
pub fn metric_text(role: MetricRole, series: &Series) -> String {
    format!("{} {} {}", metric_name(role, series), role.word(), series.query.metric)
}

/// Pane 4, right: the evidence of the last round, and what was pinned before it.
pub fn evidence<'a>(ui: &Ui, session: &'a Session) -> Vec<&'a Evidence> {
    let Some(incident) = ui.incident(session) else { return Vec::new() };
    let kept = |evidence: &&Evidence| evidence.id >= incident.round_from || incident.pins.contains(&evidence.id);
    let search = ui.evidence.search.as_ref();
    incident.evidence.iter().filter(kept).filter(|evidence| shows(search, &evidence_text(evidence))).collect()
}

/// What a search looks at in a piece of evidence.
pub fn evidence_text(evidence: &Evidence) -> String {
    format!("{} {} {} {}", evidence.id, evidence.question.text(), answer_text(evidence), evidence.query)
}

/// Pane 5: the steps of the plan.
pub fn steps<'a>(ui: &Ui, session: &'a Session) -> &'a [Step] {
    ui.incident(session).and_then(|incident| incident.plan.as_ref()).map_or(&[], |plan| plan.steps.as_slice())
}

/// What a search looks at in a step: what its screen says of it.
pub fn step_text(step: &Step) -> String {
    let mut parts = vec![step.text(), step.state.word().to_owned(), step.action.equivalent(&step.target)];
    parts.extend(step.why.iter().map(ToString::to_string));
    parts.extend(step.digest.iter().map(ToString::to_string));
    if let Some(rehearsal) = &step.rehearsal {
        parts.extend([rehearsal.blast.clone(), rehearsal.undo.clone()]);
        parts.extend(rehearsal.request.iter().map(Request::shown));
        parts.extend(rehearsal.diff.iter().map(|change| change.path.clone()));
        parts.extend(rehearsal.checks.iter().map(|check| format!("{} {}", check.name, check.text)));
    }
    parts.extend(step.tests.iter().map(crate::domain::remediation::verification::VerificationTest::text));
    parts.join("\n")
}

/// The step shown while none was chosen and none waits: the last that has moved or undoes another, else the first.
pub fn default_step(incident: &Incident) -> Option<&Step> {
    let steps = &incident.plan.as_ref()?.steps;
    let moved = |step: &&Step| incident.undos.contains_key(&step.id) || step.state != StepState::Proposed;
    steps.iter().rev().find(moved).or_else(|| steps.first())
}

/// Pane 6: what happened, oldest first.
pub fn timeline<'a>(ui: &Ui, session: &'a Session) -> Vec<&'a Entry> {
    let limit = match ui.timeline.freeze {
        Freeze::Running => u64::MAX,
        Freeze::At { number, .. } => number,
    };
    let search = ui.timeline.search.as_ref();
    let entries = session.timeline.entries().iter().filter(|entry| entry.seq < limit);
    entries.filter(|entry| search.is_none() || shows(search, &entry_text(entry))).collect()
}

/// What a search looks at in an entry: what its row says.
pub fn entry_text(entry: &Entry) -> String {
    let incident = entry.incident.map_or_else(String::new, |id| format!("{id} "));
    format!("{incident}{} {}", entry.kind.word(), entry.text)
}

/// The incident before an entry, in so many columns as the longest has: none while there is only one.
pub fn entry_incident(entry: &Entry, session: &Session) -> Option<String> {
    let (last, _) = session.incidents.last_key_value().filter(|_| session.incidents.len() > 1)?;
    let wide = last.to_string().len();
    let id = entry.incident.map_or_else(String::new, |id| id.to_string());
    Some(format!("{id:<wide$}"))
}

/// Entries that came since the timeline was frozen.
pub fn timeline_withheld(ui: &Ui, session: &Session) -> usize {
    match ui.timeline.freeze {
        Freeze::Running => 0,
        Freeze::At { number, .. } => {
            session.timeline.entries().iter().rev().take_while(|entry| entry.seq >= number).count()
        }
    }
}

/// The log groups whose lines are on screen: those of the incident; without one, all there are.
pub fn log_groups<'a>(ui: &Ui, session: &'a Session) -> Vec<&'a LogGroup> {
    match ui.incident(session) {
        Some(incident) => session.log_groups(Some(incident)),
        None => session.logs.groups().collect(),
    }
}

/// Lines of the groups on screen, where they were counted and none of them was ever held: a journal keeps the counts alone.
pub fn counted_alone(ui: &Ui, session: &Session) -> Option<u64> {
    let groups = log_groups(ui, session);
    let boards = || groups.iter().filter_map(|group| session.logs.group(group));
    let counted = boards().map(|board| board.total.lines).sum();
    (counted > 0 && boards().all(|board| board.received() == 0)).then_some(counted)
}

/// Rows of the log pane from which the strip over time stands above the lines.
const STRIP_FROM: usize = 12;
/// Rows of that strip.
const STRIP_ROWS: usize = 2;

/// Rows of the strip over time in a log pane of so many rows.
pub fn strip_rows(inside: usize) -> usize {
    if inside >= STRIP_FROM { STRIP_ROWS } else { 0 }
}

/// Rows that lines have in the log pane; at least one, for reckoning.
pub fn log_height(ui: &Ui) -> usize {
    let inside = ui.layout().rows(Pane::Logs);
    inside.saturating_sub(strip_rows(inside)).max(1)
}

/// Pane 3 folded: the templates of the lines under the pane's search, with their numbers.
pub fn templates(ui: &Ui) -> Vec<(usize, &TemplateCount)> {
    ui.log.fold.rows().collect()
}

/// Pane 3: the lines on screen in `rows` rows. Looks no further than it must: the ring may hold a hundred thousand.
pub fn logs<'a>(ui: &'a Ui, session: &'a Session, rows: usize) -> LogRows<'a> {
    let view = LogView::new(ui, session);
    let most = rows.min(view.held());
    if most == 0 {
        return LogRows { withheld: view.withheld(session), ..LogRows::default() };
    }
    let (cursor, top) = match &ui.logs.scroll {
        Scroll::Head => (view.at_or_after(0), None),
        Scroll::Tail => (view.before(view.len()), None),
        Scroll::Held { cursor, top, .. } => {
            let at = view.place(*cursor);
            (view.at_or_after(at).or_else(|| view.before(at)), Some(view.place(*top)))
        }
    };
    let withheld = view.withheld(session);
    let Some(cursor) = cursor else { return LogRows { withheld, ..LogRows::default() } };
    // Upwards from the cursor to the top that was held, or as far as there are rows; then downwards while there is room.
    let mut above: Vec<usize> = Vec::new();
    let mut next = view.before(cursor);
    while let Some(at) = next.filter(|at| above.len() + 1 < most && top.is_none_or(|top| *at >= top)) {
        above.push(at);
        next = view.before(at);
    }
    above.reverse();
    let selected = above.len();
    let mut shown = above;
    let mut next = Some(cursor);
    while let Some(at) = next.filter(|_| shown.len() < most) {
        shown.push(at);
        next = view.at_or_after(at + 1);
    }
    let lines: Vec<&StoredLine> = shown.into_iter().filter_map(|at| view.line(at)).collect();
    let cursor = (selected < lines.len()).then_some(selected);
    LogRows { lines, cursor, withheld }
}

/// The selected alarm.
pub fn selected_alarm<'a>(ui: &Ui, session: &'a Session) -> Option<&'a AlarmName> {
    let rows = alarms(ui, session);
    let ids: Vec<AlarmName> = rows.iter().map(|alarm| alarm.name.clone()).collect();
    let cursor = ui.alarms.scroll.span(&ids, ui.layout().rows(Pane::Alarms)).cursor?;
    rows.get(cursor).map(|alarm| &alarm.name)
}

/// The selected evidence.
pub fn selected_evidence(ui: &Ui, session: &Session) -> Option<EvidenceId> {
    let ids: Vec<EvidenceId> = evidence(ui, session).iter().map(|evidence| evidence.id).collect();
    let cursor = ui.evidence.scroll.span(&ids, ui.layout().rows(Pane::Rca)).cursor?;
    ids.get(cursor).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::alarm::{Severity, fixture};
    use crate::domain::observation::metric::{MetricId, MetricQuery, Statistic, Unit};
    use crate::domain::observation::service::Service;
    use crate::session::IncidentId;
    use crate::session::timeline::EntryKind;

    /// A person searches for what is on the row, not for what it is called inside.
    #[test]
    fn what_a_row_shows_is_what_a_search_finds() {
        let query = MetricQuery {
            role: MetricRole::Requests,
            metric: MetricId { name: "RequestCount".to_owned(), ..MetricId::default() },
            statistic: Statistic::Sum,
            period_s: 60,
        };
        let requests = metric_text(MetricRole::Requests, &Series::new(query, Unit::Count, []));
        assert!(requests.starts_with("REQ ") && requests.contains("RequestCount"), "{requests}");
        let entry = Entry {
            seq: 1,
            at: Timestamp::UNIX_EPOCH,
            incident: None,
            kind: EntryKind::Step,
            text: "#1 rehearsed".to_owned(),
            times: 1,
            since: Timestamp::UNIX_EPOCH,
            fault: None,
        };
        assert_eq!(entry_text(&entry), "step #1 rehearsed");
        let of = |id| Entry { incident: Some(IncidentId(id)), ..entry.clone() };
        assert_eq!(entry_text(&of(2)), "I2 step #1 rehearsed");
        let mut session = Session::default();
        for id in [IncidentId(1), IncidentId(12)] {
            assert_eq!(entry_incident(&of(1), &session), None, "there is no other that it could be of");
            let one = Incident::new(id, Service::bare("my-api"), Severity::P2, Timestamp::UNIX_EPOCH);
            session.incidents.insert(id, one);
        }
        assert_eq!(entry_incident(&of(1), &session).as_deref(), Some("I1 "));
        assert_eq!(entry_incident(&entry, &session).as_deref(), Some("   "), "of none");
        let mut alarm = fixture::any("my-api-cpu-high");
        alarm.reason = "Threshold Crossed (minimum 1 datapoint for OK -> ALARM transition).".to_owned();
        assert_eq!(alarm_text(&alarm), "P2 my-api-cpu-high", "what fires is not hidden by /!ok");
        alarm.state = AlarmState::InsufficientData;
        assert!(alarm_text(&alarm).starts_with("no data "), "{}", alarm_text(&alarm));
    }
}
