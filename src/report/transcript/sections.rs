//! The sections of one incident in Markdown, in the order of the work: evidence, verdict, narrative, gate, plan,
//! decisions and what came of them, report.

use std::fmt::{self, Write};

use super::super::narration::check_sign;
use super::super::{UNCHECKED, citations, claim_mark, clean, follow_up_line, outcome_word};
use crate::domain::diagnosis::claim::{ClaimCheck, Diagnosis, DiagnosisCheck};
use crate::domain::diagnosis::evidence::answer_text;
use crate::domain::diagnosis::sufficiency::Sufficiency;
use crate::domain::diagnosis::verdict::{RankedCause, Side};
use crate::domain::remediation::follow_up::Standing;
use crate::domain::remediation::step::{Rehearsal, Step};
use crate::session::event::{Event, NarrativeEvent, RemediationEvent, SessionEvent, VerificationEvent};
use crate::session::header::Origin;
use crate::session::incident::{Incident, Post};
use crate::session::{IncidentId, Record, Session, timeline};

pub(super) fn evidence(out: &mut dyn Write, incident: &Incident) -> fmt::Result {
    writeln!(out, "### Evidence\n")?;
    if incident.evidence.is_empty() {
        writeln!(out, "None was read.\n")?;
    }
    for evidence in &incident.evidence {
        let pin = if incident.pins.contains(&evidence.id) { " (pinned)" } else { "" };
        writeln!(out, "- **{}** {}{pin}", evidence.id, evidence.question.text())?;
        writeln!(out, "  - answer ({}): {}", evidence.answer.completeness(), clean::markdown(&answer_text(evidence)))?;
        writeln!(out, "  - query: {}", clean::code(&evidence.query))?;
        writeln!(
            out,
            "  - window: {:.0} to {:.0}, read {:.0}",
            evidence.window.from, evidence.window.to, evidence.answered_at
        )?;
    }
    writeln!(out)
}

pub(super) fn verdict(out: &mut dyn Write, incident: &Incident) -> fmt::Result {
    writeln!(out, "### Verdict of the rules\n")?;
    let Some(verdict) = &incident.verdict else { return writeln!(out, "None was reached.\n") };
    let settled = if verdict.conclusive { "settled" } else { "not settled" };
    writeln!(out, "**{}**, confidence {}, {settled}.\n", verdict.words(), verdict.confidence())?;
    for ranked in &verdict.ranked {
        cause(out, ranked)?;
    }
    for missing in &verdict.missing {
        let weight = if missing.decisive { "decisive" } else { "not decisive" };
        writeln!(out, "- missing: {} ({weight}): {}", missing.question.word(), clean::markdown(&missing.why))?;
    }
    for offer in &incident.offers {
        match &offer.sufficiency {
            Sufficiency::Sufficient { why } => {
                writeln!(out, "- {} may be offered: {}", offer.remedy, clean::markdown(why))?;
            }
            Sufficiency::Refused { reasons } => {
                writeln!(out, "- {} is refused: {}", offer.remedy, clean::markdown(&reasons.join(" ")))?;
            }
        }
    }
    writeln!(out)
}

fn cause(out: &mut dyn Write, ranked: &RankedCause) -> fmt::Result {
    writeln!(out, "- {} {}", ranked.words(), ranked.confidence)?;
    for finding in &ranked.findings {
        let side = match finding.side {
            Side::Supports => "for",
            Side::Against => "against",
        };
        let text = clean::markdown(&format!("{}{}", finding.text, citations(finding)));
        writeln!(out, "  - {side} ({:.2}): {text}", finding.weight)?;
    }
    Ok(())
}

pub(super) fn narrative(out: &mut dyn Write, session: &Session, incident: &Incident) -> fmt::Result {
    let narrative = &incident.narrative;
    writeln!(out, "### Narrative\n")?;
    if narrative.attempt == 0 {
        return writeln!(out, "No model was asked.\n");
    }
    let simulated = match session.header.origin {
        Origin::Real => "",
        Origin::Rehearsal { .. } => " (simulated)",
    };
    let (model, attempt) = (clean::markdown(&narrative.model), narrative.attempt);
    writeln!(
        out,
        "Text of {model}{simulated}, attempt {attempt}; untrusted, each sentence checked against the evidence.\n"
    )?;
    if let Some(inquiry) = &narrative.inquiry {
        writeln!(out, "Asked by the person: {}\n", clean::markdown(inquiry))?;
    }
    for claim in &narrative.claims {
        let why = match &claim.check {
            ClaimCheck::Supported => String::new(),
            ClaimCheck::Unchecked => format!(" ({UNCHECKED})"),
            ClaimCheck::Unsupported { why } | ClaimCheck::Contradicted { why } => {
                format!(" ({})", clean::markdown(why))
            }
        };
        writeln!(out, "- `{}` {}{why}", claim_mark(&claim.check), clean::markdown(&claim.text))?;
    }
    if let Some(fault) = &narrative.fault {
        writeln!(out, "\nINCOMPLETE: {}", clean::markdown(&fault.to_string()))?;
    }
    if let Some(why) = &narrative.unreadable {
        writeln!(out, "\nThe structured answer could not be read: {}", clean::markdown(why))?;
    }
    if let Some(checked) = &incident.diagnosis {
        diagnosis(out, checked)?;
    }
    writeln!(out)
}

fn diagnosis(out: &mut dyn Write, diagnosis: &Diagnosis) -> fmt::Result {
    let (cause, confidence) = (diagnosis.proposal.cause.words(), diagnosis.confidence);
    let summary = clean::markdown(&diagnosis.proposal.summary);
    match &diagnosis.check {
        DiagnosisCheck::Accepted => writeln!(out, "\nDiagnosis accepted: {cause} {confidence}. {summary}"),
        DiagnosisCheck::Rejected { reasons } => {
            writeln!(out, "\nDiagnosis REJECTED ({cause}): {}", clean::markdown(&reasons.join(" ")))
        }
    }
}

pub(super) fn gate(out: &mut dyn Write, incident: &Incident) -> fmt::Result {
    writeln!(out, "### Gate\n")?;
    let Some(gate) = &incident.gate else { return writeln!(out, "It was not judged.\n") };
    let state = if gate.is_open() { "OPEN" } else { "LOCKED" };
    let (evidence, claims) = (gate.evidence, gate.claims);
    writeln!(
        out,
        "**{state}** at {:.0}: confidence {} (needed {}), evidence {}/{}, claims {}/{}.\n",
        gate.at, gate.confidence, gate.needed, evidence.n, evidence.of, claims.n, claims.of
    )?;
    for refusal in &gate.refusals {
        writeln!(out, "- {} Unlock: {}", clean::markdown(&refusal.text), clean::markdown(&refusal.unlock))?;
    }
    writeln!(out)
}

pub(super) fn plan(out: &mut dyn Write, session: &Session, incident: &Incident) -> fmt::Result {
    writeln!(out, "### Plan\n")?;
    let Some(plan) = &incident.plan else { return writeln!(out, "There is none.\n") };
    writeln!(out, "Runbook {}.\n", clean::code(&plan.runbook))?;
    for step in &plan.steps {
        one_step(out, session, step)?;
    }
    writeln!(out)
}

fn one_step(out: &mut dyn Write, session: &Session, step: &Step) -> fmt::Result {
    let outcome = outcome_word(step, session.header.mode);
    let decision = step.state.decision_word().unwrap_or("none");
    writeln!(out, "- **{} {}**: decision {decision}, outcome {outcome}", step.id, clean::markdown(&step.text()))?;
    writeln!(out, "  - known as {}", clean::code(&step.action.equivalent(&step.target)))?;
    let why: Vec<String> = step.why.iter().map(ToString::to_string).collect();
    writeln!(out, "  - why: {}; risk: {}", why.join(", "), step.action.risk())?;
    if let Some(digest) = &step.digest {
        writeln!(out, "  - digest {}", clean::code(digest.as_str()))?;
    }
    for test in &step.tests {
        writeln!(out, "  - verified when {}", clean::markdown(&test.text()))?;
    }
    step.rehearsal.as_ref().map_or(Ok(()), |it| rehearsal(out, it))
}

fn rehearsal(out: &mut dyn Write, rehearsal: &Rehearsal) -> fmt::Result {
    writeln!(out, "  - rehearsal at {:.0}: {}", rehearsal.at, rehearsal.outcome.word())?;
    if let Some(request) = &rehearsal.request {
        writeln!(out, "    - request: {}", clean::code(&format!("PATCH {} {}", request.path, request.shown())))?;
    }
    for change in &rehearsal.diff {
        let absent = || "(absent)".to_owned();
        let before = change.before.clone().unwrap_or_else(absent);
        let after = change.after.clone().unwrap_or_else(absent);
        writeln!(out, "    - {}", clean::code(&format!("{}: {before} -> {after}", change.path)))?;
    }
    for check in &rehearsal.checks {
        let text = clean::markdown(&format!("{}: {}", check.name, check.text));
        writeln!(out, "    - `{}` {text}", check_sign(check.state))?;
    }
    writeln!(out, "    - blast: {}; undo: {}", clean::markdown(&rehearsal.blast), clean::markdown(&rehearsal.undo))
}

/// Every decision, permit refused, execution and verification, from the records: the fold keeps only the last.
pub(super) fn decisions(out: &mut dyn Write, id: IncidentId, records: &[Record]) -> fmt::Result {
    writeln!(out, "### Decisions and executions\n")?;
    let mut none = true;
    let told = records.iter().filter(|record| record.incident == Some(id) && decides(&record.event));
    for record in told {
        let Some((_, text)) = timeline::tell(&record.event) else { continue };
        writeln!(out, "- `{:.3}` record {}: {}", record.at, record.seq, clean::markdown(&text))?;
        none = false;
    }
    if none {
        writeln!(out, "Nothing was decided.")?;
    }
    writeln!(out)
}

/// Whether a record belongs among the decisions.
pub(in crate::report) fn decides(event: &Event) -> bool {
    match event {
        Event::Remediation(event) => !matches!(
            event,
            RemediationEvent::GateJudged { .. }
                | RemediationEvent::PlanProposed { .. }
                | RemediationEvent::RehearsalAsked { .. }
        ),
        Event::Verification(VerificationEvent::Ended { .. } | VerificationEvent::Lapsed { .. })
        | Event::Narrative(NarrativeEvent::RulesChosen { .. })
        | Event::Session(SessionEvent::Noted { .. }) => true,
        _ => false,
    }
}

pub(super) fn report(out: &mut dyn Write, incident: &Incident) -> fmt::Result {
    writeln!(out, "### Report and follow-ups\n")?;
    let Some(report) = &incident.report else { return writeln!(out, "None was drafted.\n") };
    let post = match &report.post {
        Post::Off => "Slack is not configured".to_owned(),
        Post::Sending => "on its way to Slack".to_owned(),
        Post::Posted { at } => format!("posted to Slack {at}"),
        Post::Failed { fault } | Post::Left { fault } => format!("not posted: {fault}"),
    };
    writeln!(out, "{} ({}).\n", clean::markdown(&report.headline), clean::markdown(&post))?;
    for follow_up in &report.follow_ups {
        let done = if matches!(follow_up.standing, Standing::Held { .. }) { "x" } else { " " };
        writeln!(out, "- [{done}] {}", clean::markdown(&follow_up_line(follow_up, report.drafted_at)))?;
    }
    writeln!(out)
}
