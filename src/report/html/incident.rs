//! One incident in the page: verdict, evidence, narrative and gate; then its steps and what was reported.

use std::fmt;

use super::chart::chart;
use super::markup::Page;
use super::steps;
use crate::domain::diagnosis::claim::{Claim, ClaimCheck, Diagnosis, DiagnosisCheck};
use crate::domain::diagnosis::evidence::{Answer, Evidence, Payload, answer_text};
use crate::domain::diagnosis::sufficiency::Sufficiency;
use crate::domain::diagnosis::verdict::{RankedCause, Side, Verdict};
use crate::domain::observation::log::LogLine;
use crate::report::{UNCHECKED, citations, follow_up_line};
use crate::session::header::Origin;
use crate::session::incident::{Incident, Post};
use crate::session::{Record, Session};

/// Writes the incident.
pub(super) fn section(
    page: &mut Page<'_>,
    session: &Session,
    (incident, records): (&Incident, &[Record]),
) -> fmt::Result {
    page.block(("section", ""), |page| {
        let (id, severity, service) = (incident.id, incident.severity.word(), &incident.service.name);
        page.anchor("h2", id, format!("Incident {id}: {severity} {service}"))?;
        let since = incident.closed_at.map_or_else(String::new, |at| format!(" since {at:.0}"));
        let stands = format!("Opened {:.0}; it stands at {}{since}.", incident.opened_at, incident.phase.word());
        page.leaf(("p", ""), stands)?;
        page.leaf(("h3", ""), "Verdict of the rules")?;
        match &incident.verdict {
            Some(found) => verdict(page, incident, found)?,
            None => page.leaf(("p", "warn"), "None was reached.")?,
        }
        evidence(page, incident)?;
        narrative(page, session, incident)?;
        gate(page, incident)?;
        steps::plan(page, session, incident)?;
        steps::decisions(page, incident.id, records)?;
        report(page, incident)
    })
}

fn verdict(page: &mut Page<'_>, incident: &Incident, verdict: &Verdict) -> fmt::Result {
    let settled = if verdict.conclusive { "settled" } else { "NOT settled" };
    let words = format!("{}, confidence {}, {settled}", verdict.words(), verdict.confidence());
    page.leaf(("p", "verdict"), words)?;
    for ranked in &verdict.ranked {
        cause(page, incident, ranked)?;
    }
    page.block(("ul", ""), |page| {
        for missing in &verdict.missing {
            let weight = if missing.decisive { "decisive" } else { "not decisive" };
            page.leaf(("li", ""), format!("missing: {} ({weight}): {}", missing.question.word(), missing.why))?;
        }
        incident.offers.iter().try_for_each(|offer| match &offer.sufficiency {
            Sufficiency::Sufficient { why } => page.leaf(("li", ""), format!("{} may be offered: {why}", offer.remedy)),
            Sufficiency::Refused { reasons } => {
                page.leaf(("li", ""), format!("{} is refused: {}", offer.remedy, reasons.join(" ")))
            }
        })
    })
}

fn cause(page: &mut Page<'_>, incident: &Incident, ranked: &RankedCause) -> fmt::Result {
    page.leaf(("p", ""), format!("{} {}", ranked.words(), ranked.confidence))?;
    page.block(("ul", ""), |page| {
        ranked.findings.iter().try_for_each(|finding| {
            page.block(("li", ""), |page| {
                let (class, side) = match finding.side {
                    Side::Supports => ("good", "for"),
                    Side::Against => ("bad", "against"),
                };
                page.leaf(("span", class), side)?;
                page.text(format!(" ({:.2}) {}{} ", finding.weight, finding.text, citations(finding)))?;
                finding.evidence.iter().try_for_each(|id| page.link(format!("{}-{id}", incident.id), id))
            })
        })
    })
}

fn evidence(page: &mut Page<'_>, incident: &Incident) -> fmt::Result {
    page.leaf(("h3", ""), "Evidence")?;
    if incident.evidence.is_empty() {
        return page.leaf(("p", "warn"), "None was read.");
    }
    page.table(&["", "Question", "Answer", "Completeness", "Read"], |page| {
        incident.evidence.iter().try_for_each(|evidence| page.block(("tr", ""), |page| piece(page, incident, evidence)))
    })
}

fn piece(page: &mut Page<'_>, incident: &Incident, evidence: &Evidence) -> fmt::Result {
    let pin = if incident.pins.contains(&evidence.id) { " (pinned)" } else { "" };
    page.anchor("th", format!("{}-{}", incident.id, evidence.id), evidence.id)?;
    page.leaf(("td", ""), format!("{}{pin}", evidence.question.text()))?;
    page.block(("td", ""), |page| {
        page.text(answer_text(evidence))?;
        chart(page, evidence)?;
        behind(page, evidence)
    })?;
    page.leaf(("td", completeness(&evidence.answer)), evidence.answer.completeness())?;
    page.block(("td", ""), |page| {
        let window = evidence.window;
        page.leaf(("div", "time"), format!("{:.0}", evidence.answered_at))?;
        page.leaf(("div", "faint"), format!("window {:.0} to {:.0}", window.from, window.to))?;
        page.leaf(("code", ""), &evidence.query)
    })
}

/// Only what was read whole looks well.
fn completeness(answer: &Answer) -> &'static str {
    match answer {
        Answer::Observed { .. } => "good",
        Answer::Truncated { .. } | Answer::Absent | Answer::NotAsked { .. } => "warn",
        Answer::Denied { .. } | Answer::Failed { .. } => "bad",
    }
}

/// The lines and counts that an answer rests on, folded away.
fn behind(page: &mut Page<'_>, evidence: &Evidence) -> fmt::Result {
    let (words, lines) = match evidence.answer.payload() {
        Some(Payload::OomKills(count)) => {
            let by = count.by_container.iter().map(|by| format!("{:>6}  {}", by.kills, by.container));
            ("kills by container", by.collect::<Vec<_>>())
        }
        Some(Payload::Collector { excerpts, .. }) => ("lines", excerpts.iter().map(told).collect()),
        Some(Payload::LogPatterns { templates, excerpts, .. }) => {
            let patterns = templates.iter().map(|found| format!("{:>6}  {}", found.count, found.template));
            ("patterns and lines", patterns.chain(excerpts.iter().map(told)).collect())
        }
        Some(Payload::Changes { revisions, others, .. }) => {
            let revisions = revisions.iter().map(|revision| {
                let at = revision.created_at.map_or_else(|| "?".to_owned(), |at| format!("{at:.0}"));
                let images: Vec<&str> = revision.images.values().map(String::as_str).collect();
                format!("{at}  revision {} {}", revision.number, images.join(" "))
            });
            let others = others.iter().map(|change| {
                let at = change.at.map_or_else(|| "?".to_owned(), |at| format!("{at:.0}"));
                format!("{at}  {}", change.words())
            });
            ("changes", revisions.chain(others).collect())
        }
        Some(Payload::Series { .. } | Payload::Workload { .. }) | None => return Ok(()),
    };
    if lines.is_empty() {
        return Ok(());
    }
    page.block(("details", ""), |page| {
        page.leaf(("summary", ""), format!("{} {words}", lines.len()))?;
        page.lines(("pre", ""), &lines.join("\n"))
    })
}

fn told(line: &LogLine) -> String {
    format!("{:.3} {} {}", line.at, line.level.word(), line.text.replace(['\r', '\n'], " "))
}

fn narrative(page: &mut Page<'_>, session: &Session, incident: &Incident) -> fmt::Result {
    let narrative = &incident.narrative;
    page.leaf(("h3", ""), "Narrative")?;
    if narrative.attempt == 0 {
        return page.leaf(("p", ""), "No model was asked.");
    }
    let simulated = match session.header.origin {
        Origin::Real => "",
        Origin::Rehearsal { .. } => " (SIMULATED)",
    };
    let (model, attempt) = (&narrative.model, narrative.attempt);
    let words = format!(
        "Text of {model}{simulated}, attempt {attempt}; untrusted, each sentence checked against the evidence."
    );
    page.leaf(("p", "faint"), words)?;
    if let Some(inquiry) = &narrative.inquiry {
        page.leaf(("p", ""), format!("Asked by the person: {inquiry}"))?;
    }
    page.block(("ul", ""), |page| narrative.claims.iter().try_for_each(|it| claim(page, incident, it)))?;
    if let Some(fault) = &narrative.fault {
        page.leaf(("p", "bad"), format!("INCOMPLETE: {fault}"))?;
    }
    if let Some(why) = &narrative.unreadable {
        page.leaf(("p", "bad"), format!("The structured answer could not be read: {why}"))?;
    }
    incident.diagnosis.as_ref().map_or(Ok(()), |checked| diagnosis(page, checked))
}

fn claim(page: &mut Page<'_>, incident: &Incident, claim: &Claim) -> fmt::Result {
    let (class, word, why) = match &claim.check {
        ClaimCheck::Supported => ("good", "supported", None),
        ClaimCheck::Unchecked => ("faint", UNCHECKED, None),
        ClaimCheck::Unsupported { why } => ("warn", "UNSUPPORTED", Some(why)),
        ClaimCheck::Contradicted { why } => ("bad", "CONTRADICTED", Some(why)),
    };
    page.block(("li", ""), |page| {
        page.leaf(("span", class), word)?;
        page.text(format!(" {} ", claim.text))?;
        claim.cites.iter().try_for_each(|id| page.link(format!("{}-{id}", incident.id), id))?;
        why.map_or(Ok(()), |why| page.leaf(("span", "faint"), why))
    })
}

fn diagnosis(page: &mut Page<'_>, diagnosis: &Diagnosis) -> fmt::Result {
    let cause = diagnosis.proposal.cause.words();
    match &diagnosis.check {
        DiagnosisCheck::Accepted => {
            let (confidence, summary) = (diagnosis.confidence, &diagnosis.proposal.summary);
            page.leaf(("p", ""), format!("Diagnosis accepted: {cause} {confidence}. {summary}"))
        }
        DiagnosisCheck::Rejected { reasons } => {
            page.leaf(("p", "bad"), format!("Diagnosis REJECTED ({cause}): {}", reasons.join(" ")))
        }
    }
}

fn gate(page: &mut Page<'_>, incident: &Incident) -> fmt::Result {
    page.leaf(("h3", ""), "Gate")?;
    let Some(gate) = &incident.gate else { return page.leaf(("p", ""), "It was not judged.") };
    let (class, state) = if gate.is_open() { ("good", "OPEN") } else { ("warn", "LOCKED") };
    page.block(("p", ""), |page| {
        page.leaf(("span", class), state)?;
        let (evidence, claims) = (gate.evidence, gate.claims);
        page.text(format!(
            " at {:.0}: confidence {} (needed {}), evidence {}/{}, claims {}/{}.",
            gate.at, gate.confidence, gate.needed, evidence.n, evidence.of, claims.n, claims.of
        ))
    })?;
    page.block(("ul", ""), |page| {
        gate.refusals
            .iter()
            .try_for_each(|refusal| page.leaf(("li", ""), format!("{} Unlock: {}", refusal.text, refusal.unlock)))
    })
}

fn report(page: &mut Page<'_>, incident: &Incident) -> fmt::Result {
    page.leaf(("h3", ""), "Report and follow-ups")?;
    let Some(report) = &incident.report else { return page.leaf(("p", ""), "None was drafted.") };
    let post = match &report.post {
        Post::Off => "Slack is not configured".to_owned(),
        Post::Sending => "on its way to Slack".to_owned(),
        Post::Posted { at } => format!("posted to Slack {at:.0}"),
        Post::Failed { fault } | Post::Left { fault } => format!("not posted: {fault}"),
    };
    page.leaf(("p", ""), format!("{} ({post}).", report.headline))?;
    page.block(("ul", ""), |page| {
        report
            .follow_ups
            .iter()
            .try_for_each(|promise| page.leaf(("li", ""), follow_up_line(promise, report.drafted_at)))
    })
}
