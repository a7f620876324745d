//! The model's structured answer against the verdict, the evidence and what exists.

use super::advice::{advice, leads_elsewhere};
use super::check::{list, unbacked};
use super::known::Known;
use super::movement::{Told, told};
use super::number::numbers;
use super::{Diagnosis, DiagnosisCheck, Proposal, sentences};
use crate::domain::diagnosis::evidence::{Evidence, EvidenceId};
use crate::domain::diagnosis::verdict::{Cause, Confidence, Verdict};

/// Checks a proposal and collects every reason against it: evidence that does not exist or was not named, a workload
/// that does not exist, a cause that the rules do not lead with, a number or a movement in the summary that the
/// evidence does not hold, advice in it, and a command or a foreign link in what it says it does not know. The confidence is the lower of the two; 0 when the causes differ or the proposal is rejected.
pub fn check_proposal(proposal: Proposal, verdict: &Verdict, evidence: &[Evidence], known: &Known) -> Diagnosis {
    let mut reasons = cited(&proposal, evidence);
    reasons.extend(named(&proposal, known));
    reasons.extend(cause(&proposal, verdict));
    reasons.extend(summary(&proposal, evidence, known));
    let unknowns = proposal.unknowns.iter().filter_map(|unknown| leads_elsewhere(unknown, known));
    reasons.extend(unknowns.map(|why| format!("What it says it does not know holds {why}.")));
    let (check, confidence) = if reasons.is_empty() {
        (DiagnosisCheck::Accepted, verdict.confidence().min(proposal.confidence))
    } else {
        (DiagnosisCheck::Rejected { reasons }, Confidence::default())
    };
    Diagnosis { proposal, check, confidence }
}

fn cited(proposal: &Proposal, evidence: &[Evidence]) -> Vec<String> {
    if proposal.evidence.is_empty() && proposal.cause != Cause::Inconclusive {
        return vec!["It rests on no evidence.".to_owned()];
    }
    let unknown: Vec<EvidenceId> =
        proposal.evidence.iter().filter(|id| !evidence.iter().any(|piece| piece.id == **id)).copied().collect();
    if unknown.is_empty() { Vec::new() } else { vec![format!("It cites {}, which does not exist.", list(&unknown))] }
}

fn named(proposal: &Proposal, known: &Known) -> Vec<String> {
    let mut reasons = Vec::new();
    if let Some(workload) = proposal.workload.as_ref().filter(|workload| !known.has(workload)) {
        reasons.push(format!(
            "It names {}/{} in {}, which does not exist.",
            workload.kind.word(),
            workload.name,
            workload.namespace
        ));
    }
    let already = |name: &String| proposal.workload.as_ref().is_some_and(|workload| workload.name == *name);
    let strangers = known.strangers(&proposal.summary).into_iter().filter(|name| !already(name));
    reasons.extend(strangers.map(|name| format!("Its summary names {name}, which does not exist.")));
    reasons
}

fn cause(proposal: &Proposal, verdict: &Verdict) -> Option<String> {
    let (model, rules) = (proposal.cause, verdict.cause());
    if model == rules {
        return None;
    }
    Some(match rules {
        Cause::Inconclusive => format!("It names {}; the rules settle no cause.", model.words()),
        rules => format!("It names {}; the rules say {} ({}).", model.words(), rules.words(), verdict.confidence()),
    })
}

fn summary(proposal: &Proposal, evidence: &[Evidence], known: &Known) -> Vec<String> {
    let mut reasons = Vec::new();
    for sentence in sentences(&proposal.summary) {
        if let Some(why) = advice(&sentence, known) {
            reasons.push(format!("Its summary holds {why}."));
        }
        if let Told::Otherwise(why) = told(&sentence, evidence) {
            reasons.push(format!("Its summary is contradicted: {why}"));
        }
        if let Some(number) = unbacked(&numbers(&sentence), &proposal.evidence, evidence) {
            reasons.push(format!("Its summary says {}, which is not in the evidence it rests on.", number.text));
        }
    }
    reasons
}
