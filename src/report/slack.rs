//! The report as a Slack message in Block Kit, inside Slack's limits. Every text is washed and escaped here, and verbatim:
//! addresses, channels and names in a line of a log are no links and call nobody.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::{clean, outcome_word, rehearsal_label};
use crate::domain::diagnosis::evidence::answer_text;
use crate::domain::diagnosis::verdict::{Finding, Side};
use crate::domain::observation::alarm::AlarmState;
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::step::Step;
use crate::session::Session;
use crate::session::incident::{Incident, ReportState};

/// Characters of a section's text. Source: Slack, "Section block".
const TEXT_LIMIT: usize = 3_000;
/// Characters of a header's text. Source: Slack, "Header block".
const HEADER_LIMIT: usize = 150;
/// Characters of a field's text, and fields of a section. Source: Slack, "Section block".
const FIELD_LIMIT: usize = 2_000;
const FIELDS: usize = 10;
/// Blocks of a message. Source: Slack, "Blocks".
const BLOCKS: usize = 50;

/// The message of one incident: what an incoming webhook takes.
pub fn message(session: &Session, incident: &Incident) -> Value {
    let headline = headline(session, incident);
    let mut blocks = vec![header(&headline), facts(session, incident)];
    blocks.extend(section("Cause", &cause(incident)));
    blocks.extend(section("Evidence", &evidence(incident)));
    let done = match session.header.mode {
        Mode::DryRun => "What would be done",
        Mode::Live => "What was done",
    };
    blocks.extend(section(done, &steps(session, incident)));
    blocks.extend(section("Follow-ups", &follow_ups(incident)));
    blocks.push(footer(session));
    blocks.truncate(BLOCKS);
    json!({ "text": clean::slack_within(&headline, TEXT_LIMIT), "blocks": blocks })
}

/// Puts a place in the session's journal at the end of a message: who has it later can prove that nothing before it was
/// rewritten or cut off.
pub fn anchor(message: &mut Value, anchor: &str) {
    let text = clean::slack(&format!("Journal so far: anchor {anchor}, for `pagerdeck verify --anchor`."));
    let block = json!({ "type": "context", "elements": [{ "type": "mrkdwn", "verbatim": true, "text": text }] });
    if let Some(blocks) = message.get_mut("blocks").and_then(Value::as_array_mut) {
        blocks.truncate(BLOCKS - 1);
        blocks.push(block);
    }
}

/// `REHEARSAL: P2 my-api: memory leak`. One line, unescaped.
fn headline(session: &Session, incident: &Incident) -> String {
    let what = incident.report.as_ref().map_or_else(
        || {
            let cause = incident.verdict.as_ref().map_or("no verdict yet", |verdict| verdict.words());
            format!("{} {}: {cause}", incident.severity.word(), incident.service.name)
        },
        |report| report.headline.clone(),
    );
    match rehearsal_label(&session.header) {
        Some(_) => format!("REHEARSAL: {what}"),
        None => what,
    }
}

/// A header is plain text: it takes no escapes and shows `&` as itself.
fn header(headline: &str) -> Value {
    let text = clean::cut(&clean::line(headline), HEADER_LIMIT);
    json!({ "type": "header", "text": { "type": "plain_text", "text": text, "emoji": false } })
}

fn facts(session: &Session, incident: &Incident) -> Value {
    let alarms: Vec<&str> = incident.alarms.iter().map(crate::domain::observation::alarm::AlarmName::as_str).collect();
    let workload = incident.service.workload.as_ref().map_or_else(|| "not known".to_owned(), ToString::to_string);
    let began = incident.alarms.iter().filter_map(|name| session.alarms.get(name));
    let began = began.filter(|alarm| alarm.state == AlarmState::Alarm).map(|alarm| alarm.since).min();
    // Since when it is, not since when somebody looked.
    let since = began.map_or(incident.opened_at, |began| began.min(incident.opened_at));
    let since = since.strftime("%Y-%m-%d %H:%M UTC").to_string();
    let fields: Vec<Value> = [
        ("Severity", incident.severity.word().to_owned()),
        ("Since", since),
        ("Service", incident.service.name.to_string()),
        ("Workload", workload),
        ("Where", session.header.scope.to_string()),
        ("Mode", session.header.mode.word().to_owned()),
        ("Alarms", alarms.join(", ")),
    ]
    .into_iter()
    .map(|(name, value)| field(name, &value))
    .take(FIELDS)
    .collect();
    json!({ "type": "section", "fields": fields })
}

fn field(name: &str, value: &str) -> Value {
    let name = format!("*{name}*\n");
    let text = clean::slack_within(value, FIELD_LIMIT - name.chars().count());
    json!({ "type": "mrkdwn", "verbatim": true, "text": name + &text })
}

/// A section of lines; lines that do not fit are counted, never cut in the middle of an escape.
fn section(title: &str, lines: &[String]) -> Option<Value> {
    if lines.is_empty() {
        return None;
    }
    let mut text = format!("*{title}*");
    for (at, line) in lines.iter().enumerate() {
        // Cut before escaping, so that no escape is cut apart; the worst escape makes five characters of one.
        let line = format!("\n• {}", clean::slack(&clean::cut(&clean::line(line), 500)));
        let left = lines.len() - at;
        if text.chars().count() + line.chars().count() + 32 > TEXT_LIMIT {
            let _ = write!(text, "\n… and {left} more in the transcript");
            break;
        }
        text.push_str(&line);
    }
    Some(json!({ "type": "section", "text": { "type": "mrkdwn", "verbatim": true, "text": text } }))
}

fn cause(incident: &Incident) -> Vec<String> {
    let Some(verdict) = &incident.verdict else { return vec!["The rules have not judged yet.".to_owned()] };
    let settled = if verdict.conclusive { "" } else { " (not settled)" };
    let (rules, counts) = (verdict.confidence(), incident.confidence().unwrap_or_default());
    let rules = if rules == counts { String::new() } else { format!(" (rules {rules}, the lower counts)") };
    let mut lines = vec![format!("{}, confidence {counts}{rules}{settled}", verdict.words())];
    let findings: &[Finding] = verdict.leading().map_or(&[], |ranked| &ranked.findings);
    lines.extend(findings.iter().take(6).map(|finding| match finding.side {
        Side::Supports => finding.text.clone(),
        Side::Against => format!("against it: {}", finding.text),
    }));
    lines.extend(
        verdict.missing.iter().take(4).map(|missing| format!("missing: {} ({})", missing.question.word(), missing.why)),
    );
    lines
}

fn evidence(incident: &Incident) -> Vec<String> {
    let line = |evidence: &crate::domain::diagnosis::evidence::Evidence| {
        let (id, how) = (evidence.id, evidence.answer.completeness());
        format!("{id} {} [{how}] {}", evidence.question.word(), answer_text(evidence))
    };
    incident.round().iter().map(line).collect()
}

fn steps(session: &Session, incident: &Incident) -> Vec<String> {
    let steps: &[Step] = incident.plan.as_ref().map_or(&[], |plan| &plan.steps);
    let line = |step: &Step| {
        let decision = step.state.decision_word().unwrap_or("not decided");
        let rehearsed = step.rehearsal.as_ref().map_or("not rehearsed", |rehearsal| rehearsal.outcome.word());
        let outcome = outcome_word(step, session.header.mode);
        format!("{} {}: {rehearsed}, {decision}, {outcome}", step.id, step.text())
    };
    if steps.is_empty() {
        let reasons = incident.gate.iter().flat_map(|gate| &gate.refusals).map(|refusal| refusal.text.clone());
        return std::iter::once("Nothing is offered.".to_owned()).chain(reasons).collect();
    }
    steps.iter().map(line).collect()
}

fn follow_ups(incident: &Incident) -> Vec<String> {
    let lines = |report: &ReportState| {
        report.follow_ups.iter().map(|promise| super::follow_up_line(promise, report.drafted_at)).collect()
    };
    incident.report.as_ref().map(lines).unwrap_or_default()
}

fn footer(session: &Session) -> Value {
    let label = rehearsal_label(&session.header).map_or_else(String::new, |label| format!("{label}. "));
    let by = session.header.scope.identity.as_deref().unwrap_or("identity unknown");
    let text =
        format!("{label}pagerdeck session {} as {by}. Counts and verdict are computed by rules.", session.header.id);
    json!({ "type": "context", "elements": [{ "type": "mrkdwn", "verbatim": true, "text": clean::slack(&clean::cut(&text, 500)) }] })
}
