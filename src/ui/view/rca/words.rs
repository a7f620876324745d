//! Pane 4 for who listens: the verdict, each sentence with its check, each piece of evidence, what else was considered, and
//! the gate.

use super::narrative::{end_words, standing};
use super::{alternatives, gate_line, head_rows};
use crate::domain::diagnosis::claim::ClaimCheck;
use crate::domain::diagnosis::evidence::{Evidence, answer_text};
use crate::domain::diagnosis::verdict::{Finding, Side};
use crate::report::citations;
use crate::session::Session;
use crate::session::incident::Incident;
use crate::ui::format;
use crate::ui::model::{Ui, rows};
use crate::ui::view::look::Look;

/// The lines.
pub fn words((ui, session): (&Ui, &Session), look: &Look) -> Vec<String> {
    let Some(incident) = ui.incident(session) else {
        return vec!["No incident: an analysis begins when an alarm fires.".to_owned()];
    };
    let whole = (usize::MAX, look);
    let mut lines: Vec<String> = head_rows((session, incident), whole).iter().map(ToString::to_string).collect();
    let leading = incident.verdict.as_ref().and_then(|verdict| verdict.leading());
    lines.extend(leading.into_iter().flat_map(|leading| &leading.findings).map(finding));
    let standing: String =
        standing(session, Some(incident), look).iter().map(|span| span.content.to_string()).collect();
    lines.push(format!("Model, untrusted: {}", format::flowing(&standing)));
    for claim in &incident.narrative.claims {
        let (check, why) = match &claim.check {
            ClaimCheck::Supported => ("Supported", String::new()),
            ClaimCheck::Unchecked => ("Nothing to check", String::new()),
            ClaimCheck::Unsupported { why } => ("Unsupported", format!(" ({why})")),
            ClaimCheck::Contradicted { why } => ("Contradicted", format!(" ({why})")),
        };
        lines.push(format!("{check}: {}{why}", claim.text));
    }
    lines.extend(end_words(incident, usize::MAX));
    lines.extend(evidence((ui, session, incident), look));
    lines.extend(alternatives(incident).into_iter().map(|(_, text)| text));
    lines.extend(gate_line(incident, whole).iter().map(|line| format::flowing(&line.to_string())));
    lines
}

fn finding(finding: &Finding) -> String {
    let side = match finding.side {
        Side::Supports => "For it",
        Side::Against => "Against it",
    };
    format!("{side}: {}{}", finding.text, citations(finding))
}

fn evidence((ui, session, incident): (&Ui, &Session, &Incident), look: &Look) -> Vec<String> {
    let one = |evidence: &&Evidence| {
        let pinned = if incident.pins.contains(&evidence.id) { ", pinned" } else { "" };
        let (id, word, whole) = (evidence.id, evidence.question.word(), evidence.answer.completeness());
        let age = look.coarse_age(evidence.answered_at);
        format!("Evidence {id}, {word}, {whole}{pinned}, read {age} ago: {}", answer_text(evidence))
    };
    let waiting = incident.awaited.iter().map(|(id, question)| format!("Evidence {id}, {}: waiting", question.word()));
    rows::evidence(ui, session).iter().map(one).chain(waiting).collect()
}
