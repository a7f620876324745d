//! The story as plain lines, for a run without a screen: one or a few lines for each record that has something to say.

use std::collections::BTreeMap;

use super::sparkline::{Signs, sparkline};
use super::{UNCHECKED, citations, claim_mark, clean, rehearsal_label};
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
    manner: Manner,
}

/// For whom it is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    /// For who reads: details are set off by a rule, checks have marks, and a series is a row of signs.
    Read(Signs),
    /// For who listens: words alone.
    Heard,
}

impl Default for Manner {
    fn default() -> Self {
        Self::Read(Signs::default())
    }
}

impl Manner {
    /// What stands before a detail.
    fn lead(self) -> &'static str {
        match self {
            Self::Read(_) => "         | ",
            Self::Heard => "  ",
        }
    }
}

impl Narrator {
    /// One that has told nothing, and charts series in these signs.
    pub fn new(signs: Signs) -> Self {
        Self { manner: Manner::Read(signs), ..Self::default() }
    }

    /// One that has told nothing, and tells in words alone.
    pub fn heard() -> Self {
        Self { manner: Manner::Heard, ..Self::default() }
    }

    /// The lines of a record, which `session` has folded already. Most records have none.
    pub fn lines(&mut self, record: &Record, session: &Session) -> Vec<String> {
        let mut lines: Vec<String> = label(record).into_iter().collect();
        lines.extend(self.sentences(record, session));
        lines.extend(line_in(record, self.manner));
        lines.extend(details(record, self.manner));
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
        new.iter().map(|claim| sentence(claim, self.manner)).collect()
    }
}

/// What stands before the first line of a rehearsal, so that no copy of it is taken for an incident.
fn label(record: &Record) -> Option<String> {
    let Event::Session(SessionEvent::Started { header }) = &record.event else { return None };
    rehearsal_label(header).map(|label| format!("{label}: nothing below happens in a real account or cluster."))
}

fn sentence(claim: &Claim, manner: Manner) -> String {
    let why = match &claim.check {
        ClaimCheck::Supported => String::new(),
        ClaimCheck::Unchecked => format!("  ({UNCHECKED})"),
        ClaimCheck::Unsupported { why } | ClaimCheck::Contradicted { why } => format!("  ({})", clean::line(why)),
    };
    let mark = match (manner, &claim.check) {
        (Manner::Read(_), check) => claim_mark(check),
        (Manner::Heard, ClaimCheck::Supported) => "supported:",
        (Manner::Heard, ClaimCheck::Unchecked) => "nothing to check:",
        (Manner::Heard, ClaimCheck::Unsupported { .. }) => "UNSUPPORTED:",
        (Manner::Heard, ClaimCheck::Contradicted { .. }) => "CONTRADICTED:",
    };
    format!("{}{mark} {}{why}", manner.lead(), clean::line(&claim.text))
}

/// The one line of a record; `None` for what only moves numbers.
pub fn line(record: &Record) -> Option<String> {
    line_in(record, Manner::default())
}

fn line_in(record: &Record, manner: Manner) -> Option<String> {
    let text = match &record.event {
        Event::Evidence(EvidenceEvent::Answered { evidence }) => {
            let (id, word, text) = (evidence.id, evidence.question.word(), answer_text(evidence));
            match (manner, evidence.answer.completeness()) {
                (Manner::Read(_), complete) => format!("{id} {word} [{complete}] {text}"),
                (Manner::Heard, complete) => format!("{id} {word}, {complete}: {text}"),
            }
        }
        other => timeline::tell(other)?.1,
    };
    let (at, text) = (record.at.strftime("%H:%M:%S"), clean::line(&text));
    let id = record.incident.map(|id| id.to_string());
    Some(match (manner, id) {
        (Manner::Read(_), id) => format!("{at}Z {:>2} {text}", id.as_deref().unwrap_or("--")),
        (Manner::Heard, Some(id)) => format!("{at}Z {id} {text}"),
        (Manner::Heard, None) => format!("{at}Z {text}"),
    })
}

/// What belongs under the line: the chart under a series, findings under a verdict, reasons under a rejected diagnosis,
/// the diff under a rehearsal.
fn details(record: &Record, manner: Manner) -> Vec<String> {
    let lines = match &record.event {
        Event::Evidence(EvidenceEvent::Answered { evidence }) => match manner {
            Manner::Read(signs) => charts(evidence, signs),
            // The answer has said in words what its curve shows.
            Manner::Heard => Vec::new(),
        },
        Event::Evidence(EvidenceEvent::VerdictReached { verdict, .. }) => findings(verdict, manner),
        Event::Remediation(RemediationEvent::GateJudged { report }) => {
            report.refusals.iter().map(|refusal| format!("unlock: {}", refusal.unlock)).collect()
        }
        Event::Remediation(RemediationEvent::StepRehearsed { rehearsal, .. }) => rehearsed(rehearsal, manner),
        Event::Narrative(NarrativeEvent::Broke { fault, .. }) => fault.hints.clone(),
        _ => Vec::new(),
    };
    lines.iter().map(|text| format!("{}{}", manner.lead(), clean::line(text))).collect()
}

/// The series of an evidence as one row with its ends, scale and threshold.
fn charts(evidence: &Evidence, signs: Signs) -> Vec<String> {
    let Some((series, threshold)) = evidence.answer.payload().and_then(Payload::series) else {
        return Vec::new();
    };
    let Some(peak) = series.within(evidence.window).map(|point| point.value).reduce(f64::max) else {
        return Vec::new();
    };
    let at = |instant: jiff::Timestamp| instant.strftime("%H:%MZ").to_string();
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

fn findings(verdict: &Verdict, manner: Manner) -> Vec<String> {
    let (plus, minus, asked) = match manner {
        Manner::Read(_) => ("+", "-", "?"),
        Manner::Heard => ("for it:", "against it:", "missing:"),
    };
    let leading = verdict.leading().map_or(&[][..], |ranked| &ranked.findings);
    let found = leading.iter().map(|finding| {
        let side = match finding.side {
            Side::Supports => plus,
            Side::Against => minus,
        };
        format!("{side} {}{}", finding.text, citations(finding))
    });
    let missing = verdict
        .missing
        .iter()
        .map(|missing| format!("{asked} {} is missing: {}", missing.question.word(), missing.why));
    found.chain(missing).collect()
}

fn rehearsed(rehearsal: &Rehearsal, manner: Manner) -> Vec<String> {
    let request = rehearsal.request.as_ref().map(|request| format!("PATCH {}", request.path));
    let diff = rehearsal.diff.iter().map(|change| {
        let absent = || "(absent)".to_owned();
        let before = change.before.clone().unwrap_or_else(absent);
        let after = change.after.clone().unwrap_or_else(absent);
        format!("{}: {before} -> {after}", change.path)
    });
    let sign = |state| match manner {
        Manner::Read(_) => check_sign(state),
        Manner::Heard => check_word(state),
    };
    let checks = rehearsal.checks.iter().map(|check| format!("{} {}: {}", sign(check.state), check.name, check.text));
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

/// The same in words.
fn check_word(state: CheckState) -> &'static str {
    match state {
        CheckState::Ok => "check passed,",
        CheckState::Warning => "check WARNS,",
        CheckState::Failed => "check FAILED,",
        CheckState::Unknown => "check not known,",
    }
}
