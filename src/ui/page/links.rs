//! Where the console shows what a page tells: the graph of a metric, the query of log lines, the workload, the alarm.

use super::Desk;
use crate::domain::diagnosis::evidence::{Evidence, EvidenceSource, Payload, Question};
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::metric::Series;
use crate::domain::observation::scope::{Region, Window};
use crate::session::incident::Incident;
use crate::ui::console;

/// A name, and the address.
type Link = (&'static str, String);

/// Alarms told of at most.
const ALARMS: usize = 3;
/// All lines, as `FilterLogEvents` reads them.
const LINES: &str = "fields @timestamp, @logStream, @message | sort @timestamp asc | limit 10000";
/// Of them those that may tell of a kill: more than the wordings that are counted, in a row that can be read.
const KILLS: &str = " | filter @message like /(?i)(oom.?kill|system oom|out of memory: kill|killed due to memory)/ | ";

/// The graph of a metric, and the alarms that compare it.
pub(super) fn of_metric(series: &Series, window: Window, desk: Desk<'_>) -> Vec<Link> {
    let Some(region) = region(desk) else { return Vec::new() };
    let alarms = desk.session.alarms.values().filter(|alarm| alarm.compares(&series.query)).take(ALARMS);
    let alarms = alarms.map(|alarm| ("alarm", console::alarm(region, &alarm.name)));
    graph(series, (region, window)).into_iter().chain(alarms).collect()
}

/// What was asked, over its window. What was read from files is on no page of the console.
pub(super) fn of_evidence(evidence: &Evidence, desk: Desk<'_>) -> Vec<Link> {
    let Some((region, incident)) = region(desk).zip(desk.ui.incident(desk.session)) else { return Vec::new() };
    if evidence.source == EvidenceSource::Files {
        return Vec::new();
    }
    let series = evidence.answer.payload().and_then(Payload::series);
    let mut links: Vec<Link> =
        series.and_then(|(series, _)| graph(series, (region, evidence.window))).into_iter().collect();
    match evidence.source {
        EvidenceSource::CloudwatchMetrics if evidence.question == Question::AlarmMetric => {
            let alarms = incident.alarms.iter().take(ALARMS);
            links.extend(alarms.map(|name| ("alarm", console::alarm(region, name))));
        }
        EvidenceSource::CloudwatchMetrics | EvidenceSource::Files => {}
        EvidenceSource::CloudwatchLogs => links.extend(of_lines(evidence, (region, incident), desk)),
        EvidenceSource::Kubernetes => links.extend(of_workload(incident, desk)),
        EvidenceSource::Combined => {
            links.extend(of_lines(evidence, (region, incident), desk));
            if evidence.question == Question::OomKills {
                links.extend(of_workload(incident, desk));
            }
        }
    }
    links
}

fn region(desk: Desk<'_>) -> Option<&Region> {
    Some(&desk.session.header.scope.region).filter(|region| !region.as_str().is_empty())
}

/// The result of an expression is no metric that the console could find by a name.
fn graph(series: &Series, (region, window): (&Region, Window)) -> Option<Link> {
    let is_one = series.query.metric.namespace != "math";
    is_one.then(|| ("graph", console::metric(region, &series.query, window)))
}

fn of_workload(incident: &Incident, desk: Desk<'_>) -> Option<Link> {
    let target = incident.service.workload.as_ref()?;
    console::workload(&desk.session.header.scope, target).map(|url| ("workload", url))
}

/// The groups that its query names, with the query that counted them, where one did, and with the lines.
fn of_lines(evidence: &Evidence, (region, incident): (&Region, &Incident), desk: Desk<'_>) -> Vec<Link> {
    let asked = |group: &&LogGroup| evidence.query.split([',', ';', ' ']).any(|word| word == group.as_str());
    let groups: Vec<&LogGroup> = desk.session.log_groups(Some(incident)).into_iter().filter(asked).collect();
    if groups.is_empty() {
        return Vec::new();
    }
    let counted = match evidence.answer.payload() {
        Some(Payload::LogPatterns { whole, .. }) => whole.as_ref().map(|whole| ("counted", whole.query.clone())),
        Some(_) | None => None,
    };
    let lines = match evidence.question {
        Question::OomKills => ("kills", LINES.replacen(" | ", KILLS, 1)),
        _ => ("lines", LINES.to_owned()),
    };
    let link = |(name, query): (&'static str, String)| {
        (name, console::insights(region, groups.iter().copied(), (&query, evidence.window)))
    };
    counted.into_iter().chain([lines]).map(link).collect()
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;
    use crate::domain::observation::oom_kill::{KillSign, sign, wordings};

    #[test]
    fn no_line_that_is_counted_as_a_kill_is_left_out() {
        let (_, pattern) = KILLS.split_once('/').unwrap();
        let pattern = Regex::new(pattern.rsplit_once('/').unwrap().0).unwrap();
        let mut met = 0;
        for wording in wordings().filter(|wording| sign(wording) == Some(KillSign::OomKill)) {
            assert!(pattern.is_match(wording), "{wording}");
            met += 1;
        }
        assert!(met > 5);
    }
}
