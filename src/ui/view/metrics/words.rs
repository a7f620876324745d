//! Pane 2 for who listens: a metric a line, with what its curve would show told in words.

use jiff::{SignedDuration, Timestamp};

use super::{Facts, facts, hole_words, newest};
use crate::domain::count::counted;
use crate::domain::diagnosis::statistics;
use crate::domain::observation::metric::{MetricRole, Series};
use crate::domain::observation::scope::Window;
use crate::session::Session;
use crate::session::feeds::FeedId;
use crate::ui::format;
use crate::ui::model::moments::MINUTES;
use crate::ui::model::{Ui, rows};
use crate::ui::view::look::Look;
use crate::ui::view::stamp;

/// The lines.
pub fn words((ui, session): (&Ui, &Session), look: &Look) -> Vec<String> {
    let feed = session.metric_feed(rows::service(ui, session));
    let service = rows::service(ui, session).map_or("no service", |name| name.as_str());
    let stamp = stamp::stamp_feed(&feed, FeedId::Metrics, look);
    let mut lines = vec![format!("Metrics of {service} over {MINUTES} minutes. Feed: {stamp}.")];
    lines.extend(stamp::words(&feed, FeedId::Metrics, look));
    let facts = facts((ui, session), &feed);
    let all = rows::metrics(ui, session);
    if all.is_empty() {
        let none = match ui.metrics.search {
            Some(_) => "No metric has that in its name.",
            None => "No series yet: they begin with the first incident.",
        };
        lines.push(none.to_owned());
    }
    lines.extend(all.iter().map(|(role, series)| one((*role, series), &facts, look)));
    let silent: Vec<&str> = rows::silent_metrics(ui, session).into_iter().map(rows::role_name).collect();
    if !silent.is_empty() {
        lines.push(format!("No data in the last {MINUTES} minutes: {}.", silent.join(", ")));
    }
    if let Some((_, series)) = all.first() {
        let (window, _) = facts.recent(series, look.now);
        lines.extend(happened("OOM kill", facts.kills, (window, look)));
        lines.extend(happened("rollout", &facts.marks, (window, look)));
    }
    lines
}

/// `CPU: now 97.8%. Average 91.3%. Threshold 85%, above it in 27 of 30 minutes. Between 49.9% and 97.8%, …`.
fn one((role, series): (MetricRole, &Series), facts: &Facts<'_>, look: &Look) -> String {
    let (window, recent) = facts.recent(series, look.now);
    let name = name(role, series);
    let Some(newest) = newest(&recent, (window, facts), look) else {
        let none = if facts.were_asked(window) { "no data" } else { "nothing read" };
        return format!("{name}: {none} in the last {MINUTES} minutes.");
    };
    let tell = |value: f64| format::measure(value, series.unit);
    let newest: String = newest.iter().map(|span| span.content.as_ref()).collect();
    let mut parts = vec![format!("{name}: {}", newest.trim())];
    parts.extend(recent.mean().map(|mean| format!("Average {}", tell(mean))));
    parts.extend(facts.threshold(series).map(|bound| threshold(&recent, bound)));
    if let Some(peak) = recent.peak() {
        let least = recent.points.iter().map(|point| point.value).fold(f64::INFINITY, f64::min);
        let at = format::minute_clock(peak.at, &look.zone);
        parts.push(format!("Between {} and {}, highest at {at}", tell(least), tell(peak.value)));
    }
    parts.extend(trend(&recent));
    parts.extend(hole_words(&recent, look).map(|words| format!("Missing:{words}")));
    parts.join(". ") + "."
}

fn name(role: MetricRole, series: &Series) -> &str {
    match role {
        MetricRole::Cpu => "CPU",
        MetricRole::Memory => "Memory",
        MetricRole::MemoryLimit => "Memory limit",
        MetricRole::Requests => "Requests",
        MetricRole::Errors => "Errors",
        MetricRole::Latency => "Latency",
        MetricRole::Restarts => "Restarts",
        MetricRole::CollectorTime => "Collector time",
        MetricRole::Alarm => &series.query.metric.name,
    }
}

fn threshold(series: &Series, bound: f64) -> String {
    let above = series.points.iter().filter(|point| point.value > bound).count();
    let unit = if series.query.period_s == 60 { "minute" } else { "point" };
    let of = counted(series.points.len(), unit);
    let last = series.points.iter().rev().take_while(|point| point.value > bound).count();
    let now = match last {
        0 if above > 0 => ", not any more".to_owned(),
        0 => String::new(),
        last => format!(", the last {last} without a break"),
    };
    format!("Threshold {}, above it in {above} of {of}{now}", format::measure(bound, series.unit))
}

fn trend(series: &Series) -> Option<String> {
    let trend = statistics::trend(&series.points)?;
    let a_minute = format::mark(trend.per_minute.abs(), series.unit);
    Some(match (trend.rises(f64::MIN_POSITIVE), trend.falls(f64::MIN_POSITIVE)) {
        (true, _) => format!("Trend rising, {a_minute} a minute"),
        (_, true) => format!("Trend falling, {a_minute} a minute"),
        (false, false) => "No clear trend".to_owned(),
    })
}

fn happened(what: &str, times: &[Timestamp], (window, look): (Window, &Look)) -> Option<String> {
    // Points are dated by their beginning: what happened within the last of them is in the window.
    let window = Window { to: window.to + SignedDuration::from_mins(1), ..window };
    let within: Vec<Timestamp> = times.iter().copied().filter(|at| window.contains(*at)).collect();
    let (first, last) = (within.iter().min()?, within.iter().max()?);
    let minute = |at: &Timestamp| format::minute_clock(*at, &look.zone);
    let when = match within.len() {
        1 => format!("at {}", minute(first)),
        _ => format!("the first at {}, the last at {}", minute(first), minute(last)),
    };
    Some(format!("In this time: {}, {when}.", counted(within.len(), what)))
}
