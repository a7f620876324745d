//! An alarm as text: what it compares and how it decides, how that stands now, and how its state went.

use crate::domain::count::counted;
use crate::domain::observation::alarm::{
    Alarm, AlarmDetail, AlarmHistory, AlarmRule, AlarmState, Asked, ComparedNow, MathPart, Reach, Transition, terms,
};
use crate::session::Session;

/// The lines, for reading.
pub(super) fn lines(session: &Session, alarm: &Alarm) -> Vec<String> {
    let mut lines = vec![format!("{} {:?} since {}", alarm.name, alarm.state, alarm.since), alarm.reason.clone()];
    lines.extend([&alarm.description, &alarm.arn].into_iter().filter(|text| !text.is_empty()).cloned());
    lines.extend(alarm.calls.words().map(|words| format!("page: {words}")));
    lines.extend(rule(session, alarm));
    if let Some(evaluation) = &alarm.evaluation {
        let (needed, of) = (evaluation.to_alarm, evaluation.periods);
        lines.push(format!("decides by {needed} of {}; {}", counted(of, "period"), evaluation.missing.words()));
    }
    match session.alarm_details.get(&alarm.name) {
        Some(detail) => lines.extend(told(detail)),
        None => lines.push("history: not read yet".to_owned()),
    }
    lines
}

/// What it compares: each query of an expression, each child of a composite with its state.
pub fn rule(session: &Session, alarm: &Alarm) -> Vec<String> {
    match &alarm.rule {
        AlarmRule::Metric { metric, statistic, period_s, threshold, .. } => {
            vec![format!("compares {statistic} of {metric} over {period_s} s with {threshold}")]
        }
        AlarmRule::Math { expression, threshold, queries, .. } => {
            let with = threshold.map_or_else(|| "a band".to_owned(), |bound| bound.to_string());
            let mut lines = vec![format!("compares {expression} with {with}")];
            lines.extend(queries.iter().map(|query| {
                let part = match query.part {
                    MathPart::Compared => " (compared)",
                    MathPart::Band => " (the band)",
                    MathPart::Input => "",
                };
                let label = if query.label.is_empty() { String::new() } else { format!("  {}", query.label) };
                format!("  {} = {}{part}{label}", query.id, query.term.text())
            }));
            lines
        }
        AlarmRule::Composite { rule } => {
            let mut lines = vec![format!("rule: {rule}")];
            lines.extend(terms(rule).iter().map(|term| {
                let child = session.alarms.get(&term.alarm);
                let state = child.map_or("not listed", |child| child.state.word());
                let since = child.map_or_else(String::new, |child| format!(" since {}", child.since));
                let met = if child.is_some_and(|child| child.state == term.state) { "  <- true" } else { "" };
                format!("  {}({}): {state}{since}{met}", term.state.word(), term.alarm)
            }));
            lines
        }
    }
}

/// How it stands now, and how its state went.
pub fn told(detail: &AlarmDetail) -> Vec<String> {
    let mut lines: Vec<String> = match &detail.now {
        Asked::Read { answer } => vec![now(answer)],
        Asked::Empty => vec!["now: no point in the last periods".to_owned()],
        Asked::Failed { fault } => vec![format!("now: {fault}")],
        Asked::NotAsked => Vec::new(),
    };
    match &detail.history {
        Asked::Read { answer } => lines.extend(history(answer, detail)),
        Asked::Empty | Asked::NotAsked => lines.push("history: none".to_owned()),
        Asked::Failed { fault } => lines.push(format!("history: {fault}")),
    }
    lines
}

fn now(now: &ComparedNow) -> String {
    let band = now.band.map_or_else(String::new, |band| {
        let place = if now.value > band.upper {
            "above"
        } else if now.value < band.lower {
            "below"
        } else {
            "within"
        };
        format!(", {place} its band of {} to {}", rounded(band.lower), rounded(band.upper))
    });
    format!("now: {}{band} (period of {})", rounded(now.value), now.at)
}

/// To four digits behind the point: CloudWatch's own bounds have fifteen.
fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

fn history(history: &AlarmHistory, detail: &AlarmDetail) -> Vec<String> {
    let reach = match history.reach {
        Reach::Whole => "",
        Reach::Cut => ", older ones were not read",
    };
    let changes = counted(history.transitions.len(), "change");
    let mut lines = vec![format!("history: {changes} of state, read {}{reach}", detail.read_at)];
    if history.unreadable > 0 {
        lines.push(format!("  {} could not be read", counted(history.unreadable, "entry")));
    }
    lines.extend(history.transitions.iter().map(transition));
    lines
}

fn transition(change: &Transition) -> String {
    let from = change.from.map_or("?", AlarmState::word);
    format!("  {} {from} -> {}: {}", change.at, change.to.word(), change.reason)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::{Fault, FaultKind};
    use crate::domain::observation::alarm::{
        AlarmName, BandPoint, Calls, Comparison, Evaluation, MathQuery, MathTerm, MissingData, Severity,
    };
    use crate::domain::observation::metric::MetricId;

    fn alarm(name: &str, state: AlarmState, rule: AlarmRule) -> Alarm {
        Alarm {
            name: name.into(),
            arn: String::new(),
            description: String::new(),
            state,
            reason: "because".to_owned(),
            since: jiff::Timestamp::UNIX_EPOCH,
            severity: Severity::P2,
            rule,
            value: None,
            evaluation: None,
            calls: Calls::default(),
        }
    }

    fn all(session: &Session, name: &str) -> String {
        lines(session, &session.alarms[&AlarmName::from(name)]).join("\n")
    }

    #[test]
    fn a_composite_shows_which_child_makes_it_fire() {
        let mut session = Session::default();
        let rule = |rule: &str| AlarmRule::Composite { rule: rule.to_owned() };
        for alarm in [
            alarm("down", AlarmState::Alarm, rule("ALARM(cpu) OR ALARM(oom) OR ALARM(gone)")),
            alarm("cpu", AlarmState::Ok, rule("FALSE")),
            alarm("oom", AlarmState::Alarm, rule("TRUE")),
        ] {
            session.alarms.insert(alarm.name.clone(), alarm);
        }
        let text = all(&session, "down");
        assert!(text.contains("rule: ALARM(cpu) OR ALARM(oom) OR ALARM(gone)"), "{text}");
        assert!(text.contains("  ALARM(cpu): OK since 1970-01-01T00:00:00Z\n"), "{text}");
        assert!(text.contains("  ALARM(oom): ALARM since 1970-01-01T00:00:00Z  <- true"), "{text}");
        assert!(text.contains("  ALARM(gone): not listed"), "{text}");
    }

    #[test]
    fn a_band_shows_its_lines_and_where_the_value_stands() {
        let metric =
            MetricId { namespace: "AWS/ECS".to_owned(), name: "CPUUtilization".to_owned(), ..MetricId::default() };
        let query = |id: &str, part, term| MathQuery { id: id.to_owned(), label: String::new(), part, term };
        let text = "ANOMALY_DETECTION_BAND(m1, 2)".to_owned();
        let mut band = alarm(
            "odd",
            AlarmState::InsufficientData,
            AlarmRule::Math {
                expression: text.clone(),
                comparison: Comparison::OutsideBand,
                threshold: None,
                metrics: vec![metric.clone()],
                queries: vec![
                    query(
                        "m1",
                        MathPart::Compared,
                        MathTerm::Metric { metric, statistic: "Average".to_owned(), period_s: 60 },
                    ),
                    query("ad1", MathPart::Band, MathTerm::Expression { text, period_s: None }),
                ],
            },
        );
        band.evaluation = Some(Evaluation { periods: 5, to_alarm: 3, missing: MissingData::Missing });
        let at = jiff::Timestamp::from_second(60).unwrap();
        let point = BandPoint { at, lower: 12.000_04, upper: 61.25 };
        let now = Asked::Read { answer: ComparedNow { at, value: 97.8, band: Some(point) } };
        let fault = Fault::new(FaultKind::Denied, "The history of the alarm odd could not be read (page 1).");
        let detail = AlarmDetail { read_at: at, history: Asked::Failed { fault }, now };
        let mut session = Session::default();
        session.alarm_details.insert("odd".into(), detail);
        session.alarms.insert("odd".into(), band);
        let text = all(&session, "odd");
        for expected in [
            "compares ANOMALY_DETECTION_BAND(m1, 2) with a band",
            "  m1 = Average of AWS/ECS/CPUUtilization over 60 s (compared)",
            "  ad1 = ANOMALY_DETECTION_BAND(m1, 2) (the band)",
            "decides by 3 of 5 periods; missing points are left out",
            "now: 97.8, above its band of 12 to 61.25",
            "history: The history of the alarm odd could not be read (page 1).",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }
}
