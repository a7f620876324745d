//! The story as plain lines, for a run without a screen: one or a few lines for each record that has something to say.

use std::collections::BTreeMap;

use super::sparkline::{Signs, sparkline};
use super::{citations, claim_mark, clean, rehearsal_label};
use crate::domain::diagnosis::claim::{Claim, ClaimCheck};
use crate::domain::diagnosis::evidence::{Evidence, Payload, answer_text};
use crate::domain::diagnosis::verdict::{Side, Verdict};
use crate::domain::fault::Fault;
use crate::domain::remediation::step::{CheckState, Rehearsal, RehearsalOutcome};
use crate::session::event::{Event, EvidenceEvent, NarrativeEvent, RemediationEvent, SessionEvent};
use crate::session::{IncidentId, Record, Session, timeline};

/// Tells records in order; remembers which sentences of the narrative it has told.
#[derive(Clone, Debug, Default)]
pub struct Narrator {
    told: BTreeMap<(IncidentId, u32), usize>,
    signs: Signs,
}

impl Narrator {
    /// One that has told nothing, and charts series in these signs.
    pub fn new(signs: Signs) -> Self {
        Self { signs, ..Self::default() }
    }

    /// The lines of a record, which `session` has folded already. Most records have none.
    pub fn lines(&mut self, record: &Record, session: &Session) -> Vec<String> {
        let mut lines: Vec<String> = label(record).into_iter().collect();
        lines.extend(self.sentences(record, session));
        lines.extend(line(record));
        lines.extend(details(record, self.signs));
        lines
    }

    /// Sentences that were completed since the last call, each with its mark. They are told before the record, so that
    /// the end of a stream comes after its last sentence.
    fn sentences(&mut self, record: &Record, session: &Session) -> Vec<String> {
        let (Event::Narrative(_), Some(id)) = (&record.event, record.incident) else { return Vec::new() };
        let Some(incident) = session.incidents.get(&id) else { return Vec::new() };
        let told = self.told.entry((id, incident.narrative.attempt)).or_default();
        let new = incident.narrative.claims.get(*told..).unwrap_or_default();
        *told = incident.narrative.claims.len().max(*told);
        new.iter().map(sentence).collect()
    }
}

/// What stands before the first line of a rehearsal, so that no copy of it is taken for an incident.
fn label(record: &Record) -> Option<String> {
    let Event::Session(SessionEvent::Started { header }) = &record.event else { return None };
    rehearsal_label(header).map(|label| format!("{label}: nothing below happens in a real account or cluster."))
}

fn sentence(claim: &Claim) -> String {
    let why = match &claim.check {
        ClaimCheck::Supported => String::new(),
        ClaimCheck::Unsupported { why } | ClaimCheck::Contradicted { why } => format!("  ({})", clean::line(why)),
    };
    format!("         | {} {}{why}", claim_mark(&claim.check), clean::line(&claim.text))
}

/// The one line of a record; `None` for what only moves numbers.
pub fn line(record: &Record) -> Option<String> {
    let text = match &record.event {
        Event::Evidence(EvidenceEvent::Answered { evidence }) => {
            format!(
                "{} {} [{}] {}",
                evidence.id,
                evidence.question.word(),
                evidence.answer.completeness(),
                answer_text(evidence)
            )
        }
        other => timeline::tell(other)?.1,
    };
    let incident = record.incident.map_or_else(|| "--".to_owned(), |id| id.to_string());
    Some(format!("{}Z {incident:>2} {}", record.at.strftime("%H:%M:%S"), clean::line(&text)))
}

/// What belongs under the line: the chart under a series, findings under a verdict, reasons under a rejected diagnosis,
/// the diff under a rehearsal.
fn details(record: &Record, signs: Signs) -> Vec<String> {
    let lines = match &record.event {
        Event::Evidence(EvidenceEvent::Answered { evidence }) => charts(evidence, signs),
        Event::Evidence(EvidenceEvent::VerdictReached { verdict, .. }) => findings(verdict),
        Event::Remediation(RemediationEvent::GateJudged { report }) => {
            report.refusals.iter().map(|refusal| format!("unlock: {}", refusal.unlock)).collect()
        }
        Event::Remediation(RemediationEvent::StepRehearsed { rehearsal, .. }) => rehearsed(rehearsal),
        Event::Narrative(NarrativeEvent::Broke { fault, .. }) => fault.hints.clone(),
        _ => Vec::new(),
    };
    lines.iter().map(|text| format!("         | {}", clean::line(text))).collect()
}

/// The series of an evidence as one row with its ends, scale and threshold.
fn charts(evidence: &Evidence, signs: Signs) -> Vec<String> {
    let Some((series, threshold)) = evidence.answer.payload().and_then(Payload::series) else {
        return Vec::new();
    };
    let Some(peak) = series.within(evidence.window).map(|point| point.value).reduce(f64::max) else {
        return Vec::new();
    };
    let at = |instant: jiff::Timestamp| instant.strftime("%H:%M").to_string();
    let row = sparkline(series, evidence.window, signs);
    let threshold = threshold.map_or_else(String::new, |value| format!(", threshold {value}"));
    let (from, to, unit) = (at(evidence.window.from), at(evidence.window.to), series.unit.sign());
    vec![format!("{from} |{row}| {to}  0 to {}{unit}{threshold}", figure(peak))]
}

/// Three digits that count; whole numbers from a thousand on.
fn figure(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}

fn findings(verdict: &Verdict) -> Vec<String> {
    let leading = verdict.leading().map_or(&[][..], |ranked| &ranked.findings);
    let found = leading.iter().map(|finding| {
        let side = match finding.side {
            Side::Supports => "+",
            Side::Against => "-",
        };
        format!("{side} {}{}", finding.text, citations(finding))
    });
    let missing =
        verdict.missing.iter().map(|missing| format!("? {} is missing: {}", missing.question.word(), missing.why));
    found.chain(missing).collect()
}

fn rehearsed(rehearsal: &Rehearsal) -> Vec<String> {
    let request = rehearsal.request.as_ref().map(|request| format!("PATCH {}", request.path));
    let diff = rehearsal.diff.iter().map(|change| {
        let absent = || "(absent)".to_owned();
        let before = change.before.clone().unwrap_or_else(absent);
        let after = change.after.clone().unwrap_or_else(absent);
        format!("{}: {before} -> {after}", change.path)
    });
    let checks =
        rehearsal.checks.iter().map(|check| format!("{} {}: {}", check_sign(check.state), check.name, check.text));
    let frame = [("blast", &rehearsal.blast), ("undo", &rehearsal.undo)].into_iter();
    let frame = frame.filter(|(_, text)| !text.is_empty()).map(|(word, text)| format!("{word}: {text}"));
    request.into_iter().chain(why(&rehearsal.outcome)).chain(diff).chain(checks).chain(frame).collect()
}

/// What the server said where it did not accept the request, each sentence on a line of its own.
fn why(outcome: &RehearsalOutcome) -> Vec<String> {
    let told = |fault: &Fault| {
        let hints = fault.hints.iter().map(|hint| format!("hint: {hint}"));
        std::iter::once(fault.summary.clone()).chain(fault.causes.iter().cloned()).chain(hints).collect()
    };
    match outcome {
        RehearsalOutcome::Rehearsed => Vec::new(),
        RehearsalOutcome::LocalOnly { why } => vec![why.clone()],
        RehearsalOutcome::Forbidden { fault }
        | RehearsalOutcome::Refused { fault }
        | RehearsalOutcome::NotRehearsable { fault } => told(fault),
    }
}

/// The sign of a check before a step.
pub(super) fn check_sign(state: CheckState) -> &'static str {
    match state {
        CheckState::Ok => "[ok]",
        CheckState::Warning => "[!!]",
        CheckState::Failed => "[no]",
        CheckState::Unknown => "[--]",
    }
}
