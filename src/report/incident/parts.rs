//! The parts of the incident object, each from the incident alone.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::super::outcome_word;
use crate::domain::diagnosis::claim::{ClaimCheck, DiagnosisCheck, Proposal};
use crate::domain::diagnosis::evidence::{Evidence, EvidenceId, Payload, Question, answer_text};
use crate::domain::fault::Fault;
use crate::domain::observation::alarm::{AlarmName, AlarmState};
use crate::domain::observation::log::Completeness;
use crate::domain::observation::oom_kill::{ContainerKills, OomCount};
use crate::domain::observation::scope::Window;
use crate::domain::remediation::follow_up::FollowUp;
use crate::domain::remediation::gate::Refusal;
use crate::domain::remediation::request::Mode;
use crate::domain::remediation::step::Rehearsal;
use crate::session::Session;
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{Incident, Post};

#[derive(Serialize)]
pub(super) struct AlarmPart<'a> {
    name: &'a AlarmName,
    state: AlarmState,
    severity: &'static str,
    value: Option<f64>,
    threshold: Option<f64>,
    since: Timestamp,
    reason: &'a str,
}

/// The incident's alarms; without an incident, all that fire. `None` where nobody could list them: that is not that there
/// are none.
pub(super) fn alarms<'a>(session: &'a Session, incident: Option<&'a Incident>) -> Option<Vec<AlarmPart<'a>>> {
    if session.alarms.is_empty() && session.feed(FeedId::Alarms).answered_at.is_none() {
        return None;
    }
    let alarms = match incident {
        Some(incident) => incident.alarms.iter().filter_map(|name| session.alarms.get(name)).collect(),
        None => session.firing(),
    };
    let part = |alarm: &'a crate::domain::observation::alarm::Alarm| AlarmPart {
        name: &alarm.name,
        state: alarm.state,
        severity: alarm.severity.word(),
        value: alarm.value,
        threshold: alarm.threshold(),
        since: alarm.since,
        reason: &alarm.reason,
    };
    Some(alarms.into_iter().map(part).collect())
}

#[derive(Serialize)]
pub(super) struct FeedPart<'a> {
    name: &'static str,
    health: &'static str,
    fault: Option<&'a Fault>,
    why: Option<&'a str>,
}

/// Each feed, how it is, and why it is not better.
pub(super) fn feeds(session: &Session) -> Vec<FeedPart<'_>> {
    let all = [FeedId::Alarms, FeedId::Metrics, FeedId::Logs, FeedId::Workloads, FeedId::Model];
    let part = |id: FeedId| {
        let (health, fault, why) = match session.feeds.get(&id).map(|feed| &feed.health) {
            Some(FeedHealth::Off { why }) => ("off", None, Some(why.as_str())),
            Some(FeedHealth::Connecting) | None => ("connecting", None, None),
            Some(FeedHealth::Live) => ("live", None, None),
            Some(FeedHealth::Retrying { fault, .. }) => ("retrying", Some(fault), None),
            Some(FeedHealth::Lost { fault }) => ("lost", Some(fault), None),
        };
        FeedPart { name: id.word(), health, fault, why }
    };
    all.into_iter().map(part).collect()
}

#[derive(Serialize)]
pub(super) struct OomPart<'a> {
    total: Option<u64>,
    completeness: &'static str,
    source: Option<&'static str>,
    by_container: &'a [ContainerKills],
}

pub(super) fn oom_count(evidence: &Evidence) -> Option<&OomCount> {
    match evidence.answer.payload()? {
        Payload::OomKills(count) => Some(count),
        _ => None,
    }
}

pub(super) fn oom_kills(incident: Option<&Incident>) -> OomPart<'_> {
    let evidence = incident.and_then(|incident| incident.answer_to(Question::OomKills));
    let Some(evidence) = evidence else {
        return OomPart { total: None, completeness: "not-asked", source: None, by_container: &[] };
    };
    let Some(count) = oom_count(evidence) else {
        // Asked and answered with nothing is a count, and it is zero; a refusal is none.
        let completeness = evidence.answer.completeness();
        let total = (completeness == "absent").then_some(0);
        return OomPart { total, completeness, source: None, by_container: &[] };
    };
    let completeness = match count.completeness {
        Completeness::Exact => evidence.answer.completeness(),
        Completeness::Truncated { .. } => "truncated",
        Completeness::Sampled { .. } => "sampled",
    };
    let source = Some(count.source.word());
    OomPart { total: Some(count.total), completeness, source, by_container: &count.by_container }
}

#[derive(Serialize)]
pub(super) struct EvidencePart {
    id: EvidenceId,
    question: &'static str,
    answer: Value,
    source: crate::domain::diagnosis::evidence::EvidenceSource,
    window: Window,
}

pub(super) fn evidence(incident: Option<&Incident>) -> Vec<EvidencePart> {
    let part = |evidence: &Evidence| EvidencePart {
        id: evidence.id,
        question: evidence.question.word(),
        answer: json!({ "completeness": evidence.answer.completeness(), "text": answer_text(evidence) }),
        source: evidence.source,
        window: evidence.window,
    };
    incident.map_or_else(Vec::new, |incident| incident.evidence.iter().map(part).collect())
}

/// The verdict; `inconclusive` with confidence 0 leads where none was reached, so that `ranked` is never empty.
pub(super) fn verdict(incident: Option<&Incident>) -> Value {
    let reached = incident.and_then(|incident| incident.verdict.as_ref()).filter(|verdict| !verdict.ranked.is_empty());
    reached.and_then(|verdict| serde_json::to_value(verdict).ok()).unwrap_or_else(|| {
        let ranked = json!([{ "cause": "inconclusive", "confidence": 0.0, "findings": [] }]);
        json!({ "ranked": ranked, "missing": [], "conclusive": false })
    })
}

#[derive(Serialize)]
pub(super) struct DiagnosisPart<'a> {
    accepted: bool,
    reasons: &'a [String],
    confidence: f64,
    #[serde(flatten)]
    proposal: ProposalPart<'a>,
}

/// The proposal without its own confidence: the lower of the two stands beside it.
#[derive(Serialize)]
struct ProposalPart<'a> {
    cause: &'static str,
    proposed_confidence: f64,
    summary: &'a str,
    evidence: &'a [EvidenceId],
    workload: Option<String>,
    remedies: &'a [String],
    unknowns: &'a [String],
}

pub(super) fn diagnosis(incident: Option<&Incident>) -> Option<DiagnosisPart<'_>> {
    let diagnosis = incident?.diagnosis.as_ref()?;
    let (accepted, reasons): (bool, &[String]) = match &diagnosis.check {
        DiagnosisCheck::Accepted => (true, &[]),
        DiagnosisCheck::Rejected { reasons } => (false, reasons),
    };
    Some(DiagnosisPart {
        accepted,
        reasons,
        confidence: diagnosis.confidence.value(),
        proposal: proposal(&diagnosis.proposal),
    })
}

fn proposal(proposal: &Proposal) -> ProposalPart<'_> {
    ProposalPart {
        cause: proposal.cause.id(),
        proposed_confidence: proposal.confidence.value(),
        summary: &proposal.summary,
        evidence: &proposal.evidence,
        workload: proposal.workload.as_ref().map(ToString::to_string),
        remedies: &proposal.remedies,
        unknowns: &proposal.unknowns,
    }
}

#[derive(Serialize)]
pub(super) struct NarrativePart<'a> {
    text: &'a str,
    claims: Vec<ClaimPart<'a>>,
}

#[derive(Serialize)]
struct ClaimPart<'a> {
    text: &'a str,
    cites: &'a [EvidenceId],
    check: &'static str,
    why: Option<&'a str>,
}

pub(super) fn narrative(incident: Option<&Incident>) -> NarrativePart<'_> {
    let Some(incident) = incident else { return NarrativePart { text: "", claims: Vec::new() } };
    let claims = incident.narrative.claims.iter().map(|claim| {
        let (check, why) = match &claim.check {
            ClaimCheck::Supported => ("supported", None),
            ClaimCheck::Unchecked => ("unchecked", None),
            ClaimCheck::Unsupported { why } => ("unsupported", Some(why.as_str())),
            ClaimCheck::Contradicted { why } => ("contradicted", Some(why.as_str())),
        };
        ClaimPart { text: &claim.text, cites: &claim.cites, check, why }
    });
    NarrativePart { text: &incident.narrative.text, claims: claims.collect() }
}

#[derive(Serialize)]
pub(super) struct GatePart<'a> {
    open: bool,
    refusals: &'a [Refusal],
}

pub(super) fn gate(incident: Option<&Incident>) -> GatePart<'_> {
    match incident.and_then(|incident| incident.gate.as_ref()) {
        Some(gate) => GatePart { open: gate.is_open(), refusals: &gate.refusals },
        None => GatePart { open: false, refusals: &[] },
    }
}

#[derive(Serialize)]
pub(super) struct StepPart {
    action: &'static str,
    target: String,
    text: String,
    digest: Option<String>,
    rehearsal: Option<Value>,
    decision: Option<&'static str>,
    outcome: String,
}

pub(super) fn plan(incident: Option<&Incident>, mode: Mode) -> Vec<StepPart> {
    let steps = incident.and_then(|incident| incident.plan.as_ref()).map_or(&[][..], |plan| &plan.steps);
    let part = |step: &crate::domain::remediation::step::Step| StepPart {
        action: step.action.kind().id(),
        target: step.target.to_string(),
        text: step.text(),
        digest: step.digest.as_ref().map(|digest| digest.as_str().to_owned()),
        rehearsal: step.rehearsal.as_ref().map(rehearsal),
        decision: step.state.decision_word(),
        outcome: outcome_word(step, mode),
    };
    steps.iter().map(part).collect()
}

fn rehearsal(rehearsal: &Rehearsal) -> Value {
    json!({
        "outcome": rehearsal.outcome.word(),
        "at": rehearsal.at,
        "request": rehearsal.request,
        "diff": rehearsal.diff,
        "checks": rehearsal.checks,
        "blast": rehearsal.blast,
        "undo": rehearsal.undo,
    })
}

#[derive(Serialize)]
pub(super) struct ReportPart<'a> {
    headline: &'a str,
    follow_ups: Vec<Value>,
    post: &'static str,
}

pub(super) fn report(incident: Option<&Incident>) -> Option<ReportPart<'_>> {
    let report = incident?.report.as_ref()?;
    let promise = |follow_up: &FollowUp| json!({ "text": follow_up.text, "due_at": follow_up.due_at, "standing": follow_up.standing.word() });
    let post = match report.post {
        Post::Off => "off",
        Post::Sending => "sending",
        Post::Posted { .. } => "posted",
        Post::Failed { .. } | Post::Left { .. } => "failed",
    };
    Some(ReportPart { headline: &report.headline, follow_ups: report.follow_ups.iter().map(promise).collect(), post })
}
