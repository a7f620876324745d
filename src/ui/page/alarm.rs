//! An alarm opened: what it watches and why it stands where it stands, its curve, what became of it, and where to read on.

use super::{Desk, Page, Plot, addresses, console_note, metric};
use crate::domain::count::counted;
use crate::domain::observation::alarm::{Alarm, AlarmRule, AlarmState, Calls, Comparison};
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::metric::MetricId;
use crate::session::incident::Incident;
use crate::session::timeline::EntryKind;
use crate::ui::console;
use crate::ui::format;
use crate::ui::model::{moments, telling};
use crate::ui::theme::Role;

/// Entries of the history shown at most, the newest ones.
const HISTORY: usize = 20;

/// The page.
pub(super) fn page(alarm: &Alarm, desk: Desk<'_>) -> Page {
    let mut page = Page::default();
    let (role, word) = match alarm.state {
        AlarmState::Alarm => (Role::Danger, "! FIRING"),
        AlarmState::Ok => (Role::Good, ". ok"),
        AlarmState::InsufficientData => (Role::Warning, "? no data"),
    };
    page.toned("state", role, format!("{word} {}  since {}", alarm.severity.word(), desk.look.moment(alarm.since)));
    if let Some(words) = alarm.calls.words() {
        let role = match alarm.calls {
            Calls::Nobody | Calls::SwitchedOff | Calls::Suppressed => Role::Warning,
            Calls::Unknown | Calls::Somebody | Calls::Scaling => Role::Text,
        };
        page.toned("page", role, words);
    }
    page.field("reason", alarm.reason.clone());
    page.field("description", alarm.description.clone());
    page.field("account", account(alarm, desk));
    rule(&mut page, alarm, desk);
    curve(&mut page, alarm, desk);
    belongs(&mut page, alarm, desk);
    history(&mut page, alarm, desk);
    links(&mut page, alarm, desk);
    page
}

/// The half hour of what it compares. Of metric math no result is kept: it is that of a metric it is made of, and says so.
fn curve(page: &mut Page, alarm: &Alarm, desk: Desk<'_>) {
    let of = incident(alarm, desk);
    let compared = moments::alarm_series(desk.session, alarm).map(|series| (series, ""));
    let part = || alarm.metrics().iter().find_map(|metric| moments::series_of(desk.session, metric));
    let part = || part().map(|series| (series, ": a part of what it compares, not the result"));
    let Some((series, words)) = compared.or_else(part) else { return };
    let mut plot = Plot::of(series, (of, desk));
    if !words.is_empty() {
        plot.threshold = None;
    }
    let (minutes, metric) = (moments::MINUTES, &series.query.metric.name);
    page.head(format!("LAST {minutes} MINUTES OF {metric} ({}){words}", series.query.statistic));
    page.plot(plot.clone());
    metric::legend(page, &plot, (of, desk));
}

/// The incident that the alarm belongs to, which need not be the one on screen.
fn incident<'a>(alarm: &Alarm, desk: Desk<'a>) -> Option<&'a Incident> {
    desk.session.incidents.values().find(|incident| incident.alarms.contains(&alarm.name))
}

/// Whose alarm it is, by its address, and where; else what the credentials read.
fn account(alarm: &Alarm, desk: Desk<'_>) -> String {
    let mut parts = alarm.arn.split(':').skip(3);
    match (parts.next(), parts.next()) {
        (Some(region), Some(account)) if !region.is_empty() && !account.is_empty() => format!("{account} {region}"),
        _ => {
            let scope = &desk.session.header.scope;
            let account = scope.account.as_ref().map_or("not known", |account| account.as_str());
            format!("{account} {}", scope.region)
        }
    }
}

fn rule(page: &mut Page, alarm: &Alarm, desk: Desk<'_>) {
    page.head("WHAT IT WATCHES");
    let unit = moments::unit_of(desk.session, alarm);
    let tell = |value: f64| format::measure(value, unit);
    match &alarm.rule {
        AlarmRule::Metric { metric, statistic, period_s, comparison, threshold } => {
            metric_rows(page, metric);
            page.field("statistic", format!("{statistic} over {period_s}s"));
            page.field("fires when", format!("{} {}", sign(*comparison), tell(*threshold)));
        }
        AlarmRule::Math { comparison, threshold, metrics, .. } => {
            lines(page, telling::alarm::rule(desk.session, alarm));
            let bound = match (threshold, comparison) {
                (Some(bound), _) => format!("{} {}", sign(*comparison), tell(*bound)),
                (None, Comparison::OutsideBand) => "it leaves its anomaly band: no constant threshold".to_owned(),
                (None, _) => format!("{} another series: no constant threshold", sign(*comparison)),
            };
            page.field("fires when", bound);
            for metric in metrics {
                metric_rows(page, metric);
            }
        }
        AlarmRule::Composite { .. } => lines(page, telling::alarm::rule(desk.session, alarm)),
    }
    if let Some(evaluation) = &alarm.evaluation {
        let (needed, of) = (evaluation.to_alarm, evaluation.periods);
        page.field("decides by", format!("{needed} of {}; {}", counted(of, "period"), evaluation.missing.words()));
    }
    let newest = moments::alarm_value(desk.session, alarm);
    let told = |valued: moments::Valued| format!("{}  of {}", tell(valued.value), desk.look.instant(valued.at));
    page.field("value", newest.map_or_else(|| "not told".to_owned(), told));
    if let Some(value) = alarm.value.filter(|_| newest.is_some_and(|newest| newest.at != alarm.since)) {
        page.field("changed by", format!("{}  at {}", tell(value), desk.look.instant(alarm.since)));
    }
}

fn lines(page: &mut Page, lines: Vec<String>) {
    for line in lines {
        page.text(Role::Text, line);
    }
}

fn metric_rows(page: &mut Page, metric: &MetricId) {
    page.field("metric", format!("{} {}", metric.namespace, metric.name));
    for (name, value) in &metric.dimensions {
        page.field("dimension", format!("{name} = {value}"));
    }
}

fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::OutsideBand => "outside",
    }
}

/// Which service and incident it belongs to, and how that came to be known.
fn belongs(page: &mut Page, alarm: &Alarm, desk: Desk<'_>) {
    use crate::domain::observation::service::Origin;
    let incident = incident(alarm, desk);
    let service = desk.session.services.get(&alarm.name).or(incident.map(|incident| &incident.service));
    page.head("WHAT IT IS ABOUT");
    match incident {
        Some(found) => page.field("incident", format!("{} {}", found.id, found.phase_words())),
        None => page.text(Role::Faint, "No incident is open about it. Back in pane 1, I opens one."),
    }
    let Some(service) = service else { return };
    page.field("service", service.name.to_string());
    page.field("workload", service.workload.as_ref().map_or_else(String::new, ToString::to_string));
    let groups: Vec<&str> = service.log_groups.iter().map(LogGroup::as_str).collect();
    page.field("log groups", groups.join(", "));
    match &service.origin {
        Origin::Configured => page.field("known", "by the configuration"),
        Origin::Inferred { reasons, certainty } => {
            page.field("inferred", format!("{}: {}", certainty.word(), reasons.join(" ")));
        }
    }
}

fn history(page: &mut Page, alarm: &Alarm, desk: Desk<'_>) {
    page.head("HISTORY (as CloudWatch tells it)");
    match desk.session.alarm_details.get(&alarm.name) {
        Some(detail) => lines(page, telling::alarm::told(detail)),
        None => page.text(Role::Faint, "not read yet"),
    }
    page.head("SINCE THIS SESSION BEGAN");
    let name = alarm.name.as_str();
    let about = |text: &str| text.split_whitespace().any(|word| word.trim_matches([':', ',']) == name);
    let entries = desk.session.timeline.entries().iter().rev();
    let entries = entries.filter(|entry| entry.kind == EntryKind::Alarm && about(&entry.text)).take(HISTORY);
    let mut none = true;
    for entry in entries {
        none = false;
        page.parts([(Role::Faint, format!("{}  ", desk.look.clock(entry.at))), (Role::Text, entry.text.clone())]);
    }
    if none {
        page.text(Role::Faint, "No change.");
    }
}

fn links(page: &mut Page, alarm: &Alarm, desk: Desk<'_>) {
    page.head("LINKS (Tab chooses, y copies)");
    for address in addresses(&alarm.description) {
        page.link("description", address);
    }
    for link in desk.session.services.get(&alarm.name).map_or(&[][..], |service| &service.links) {
        page.link("service", link.clone());
    }
    page.link("console", console::alarm(&desk.session.header.scope.region, &alarm.name));
    page.field("arn", alarm.arn.clone());
    console_note(page, desk);
}
