//! The lock. Judges whether a plan may be offered at all; its `admission` alone turns an approval into a permit.

mod admission;
mod aim;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::policy::{Policy, RulesAlone};
use crate::domain::count::{counted, either};
use crate::domain::diagnosis::claim::{Claim, ClaimCheck, Diagnosis, DiagnosisCheck, Proposal};
use crate::domain::diagnosis::evidence::{Answer, Evidence};
use crate::domain::diagnosis::sufficiency::{RemedyOffer, Sufficiency, suffices};
use crate::domain::diagnosis::verdict::{Cause, Confidence, MissingEvidence, Verdict};
use crate::domain::fault::Fault;

pub use admission::{Admission, AdmissionRefusal, Permit, Permitted, admit};
pub use aim::Aim;

/// Share of the narrative's claims that must be supported.
const MIN_SUPPORTED_SHARE: f64 = 0.75;

/// What the gate rests on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StandsOn {
    /// The rules and a checked diagnosis of the model. The default.
    #[default]
    Diagnosis,
    /// The rules alone, by a journaled choice of the person.
    Rules,
}

/// How far the narrative got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NarrativeStanding {
    /// Not asked.
    #[default]
    NotAsked,
    /// Asked or streaming.
    UnderWay,
    /// Ended as it should.
    Complete,
    /// Broke off, was stopped, or the call failed.
    Broken,
}

/// What a step is for: that decides what must be settled before it may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A remedy of the verdict: the whole gate counts, and the test of just this remedy.
    Remedy,
    /// The way back from a step of ours. It rests on that step having run and on nothing else: it is needed just when the
    /// evidence settles no cause any more, or no remedy fits it.
    Undo,
}

/// What keeps the gate locked, for code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// The evidence does not settle a cause.
    Inconclusive,
    /// All that was read is healthy: there is nothing to remedy.
    NothingToDo,
    /// No remedy of the catalogue is sufficient for the cause.
    NoRemedy,
    /// Evidence is too old.
    Stale,
    /// The narrative is not there yet.
    NarrativeUnderWay,
    /// The narrative broke or was never asked.
    NarrativeBroken,
    /// The model submitted no diagnosis.
    NoDiagnosis,
    /// The diagnosis did not pass its checks.
    DiagnosisRejected,
    /// The narrative says otherwise than the evidence.
    Contradicted,
    /// Too few claims are supported.
    Unsupported,
    /// The diagnosis names none of the remedies that the evidence suffices for.
    NotAdvised,
    /// Confidence is below the policy's bound.
    LowConfidence,
    /// The policy does not allow it.
    Policy,
    /// The target of the remedy is not known.
    NoTarget,
    /// What the alarm is about is of another cluster, account or namespace than the target.
    OtherCluster,
    /// The target only has the name of what the alarm is about.
    NameAlone,
}

impl RefusalReason {
    /// Whether it keeps a step of this purpose locked. An undo asks that what is known is fresh; its target is that of the
    /// step it undoes, wherever the alarm is from, and neither a cause nor a remedy nor a narrative is needed to go back.
    fn keeps(self, purpose: Purpose) -> bool {
        match (purpose, self) {
            (Purpose::Remedy, _) | (Purpose::Undo, Self::Stale) => true,
            (
                Purpose::Undo,
                Self::Inconclusive
                | Self::NothingToDo
                | Self::NoRemedy
                | Self::NarrativeUnderWay
                | Self::NarrativeBroken
                | Self::NoDiagnosis
                | Self::DiagnosisRejected
                | Self::Contradicted
                | Self::Unsupported
                | Self::NotAdvised
                | Self::LowConfidence
                | Self::Policy
                | Self::NoTarget
                | Self::OtherCluster
                | Self::NameAlone,
            ) => false,
        }
    }
}

/// One thing that keeps the gate locked, and what would unlock it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// For code.
    pub reason: RefusalReason,
    /// For the person.
    pub text: String,
    /// What would unlock it.
    pub unlock: String,
}

impl Refusal {
    /// As a person reads it: health is no lock.
    pub fn told(&self) -> String {
        if self.reason == RefusalReason::NothingToDo { self.text.clone() } else { format!("LOCKED: {}", self.text) }
    }

    fn new(reason: RefusalReason, text: impl Into<String>, unlock: impl Into<String>) -> Self {
        Self { reason, text: text.into(), unlock: unlock.into() }
    }
}

/// `n` of `m`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many.
    pub n: u32,
    /// Of how many.
    pub of: u32,
}

/// The gate line of the RCA pane.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateReport {
    /// What it rests on.
    pub stands_on: StandsOn,
    /// The confidence that counts.
    pub confidence: Confidence,
    /// The bound.
    pub needed: Confidence,
    /// Evidence answered, of asked.
    pub evidence: Share,
    /// Claims supported, of those in which anything could be checked.
    pub claims: Share,
    /// When the oldest evidence was answered.
    pub oldest: Option<Timestamp>,
    /// When it was judged.
    pub at: Timestamp,
    /// What keeps it locked; empty means open.
    pub refusals: Vec<Refusal>,
}

impl GateReport {
    /// Whether remediation is unlocked.
    pub fn is_open(&self) -> bool {
        self.is_open_for(Purpose::Remedy)
    }

    /// Whether nothing keeps a step of this purpose locked.
    pub fn is_open_for(&self, purpose: Purpose) -> bool {
        self.refusals.iter().all(|refusal| !refusal.reason.keeps(purpose))
    }

    /// Whether it still stands now: open, and its evidence within the policy's age. A timer judges again when that ends,
    /// but a timer may come late (a suspended machine), and none outlives the process.
    pub fn holds(&self, purpose: Purpose, policy: &Policy, now: Timestamp) -> bool {
        let bound = i64::from(policy.evidence_max_age_s);
        self.is_open_for(purpose) && self.oldest.is_none_or(|oldest| now.duration_since(oldest).as_secs() <= bound)
    }
}

/// What the gate looks at.
#[derive(Clone, Copy, Debug)]
pub struct GateInput<'a> {
    /// The rules' verdict.
    pub verdict: &'a Verdict,
    /// The remedies with their sufficiency tests.
    pub offers: &'a [RemedyOffer],
    /// All evidence.
    pub evidence: &'a [Evidence],
    /// The narrative so far.
    pub narrative: NarrativeStanding,
    /// Why the structured answer that was submitted could not be read, where one was.
    pub unreadable: Option<&'a str>,
    /// Its claims.
    pub claims: &'a [Claim],
    /// The checked diagnosis.
    pub diagnosis: Option<&'a Diagnosis>,
    /// What the person chose to stand on.
    pub stands_on: StandsOn,
    /// What a remedy would aim at.
    pub aim: Aim<'a>,
    /// The policy in force.
    pub policy: &'a Policy,
    /// Now, in incident time.
    pub now: Timestamp,
}

/// Judges the gate. It is open when all hold:
/// 1. the verdict is conclusive and at least one remedy is sufficient, with a target that is known to be what the
///    alarm is about;
/// 2. no evidence is older than the policy allows;
/// 3. standing on the diagnosis: the narrative is complete, its diagnosis accepted, nothing contradicted, and enough
///    of its checked claims supported, one at least; standing on the rules: the policy allows that;
/// 4. the confidence (the lower of rules and model) reaches the bound, also where what was asked and not read speaks against
///    the cause.
pub fn judge(input: GateInput<'_>) -> GateReport {
    let aimed = input.aim.refusal();
    let mut refusals = verdict_refusals(&input);
    // Of another cluster is the evidence as well, whatever it settles; the rest is noise where there is nothing to aim.
    refusals.extend(aimed.filter(|it| refusals.is_empty() || it.reason == RefusalReason::OtherCluster));
    refusals.extend(age_refusal(&input));
    let confidence = match input.stands_on {
        StandsOn::Diagnosis => {
            refusals.extend(narrative_refusals(&input));
            input.diagnosis.map_or(Confidence::default(), |diagnosis| diagnosis.confidence.min(input.verdict.assured()))
        }
        StandsOn::Rules => {
            if input.policy.rules_alone == RulesAlone::Forbidden {
                let text = "The policy forbids standing on the rules alone.";
                refusals.push(Refusal::new(RefusalReason::Policy, text, "ask the model again with r"));
            }
            input.verdict.assured()
        }
    };
    let needed = input.policy.min_confidence;
    if confidence < needed && refusals.is_empty() {
        refusals.push(low_confidence(&input, confidence));
    }
    GateReport {
        stands_on: input.stands_on,
        confidence,
        needed,
        evidence: Share {
            n: input.evidence.iter().filter(|evidence| evidence.answer.payload().is_some()).count() as u32,
            of: input.evidence.len() as u32,
        },
        claims: supported(input.claims),
        oldest: oldest(input.evidence),
        at: input.now,
        refusals,
    }
}

fn low_confidence(input: &GateInput<'_>, confidence: Confidence) -> Refusal {
    let (needed, stated) = (input.policy.min_confidence, input.verdict.confidence());
    let unread = |why: &str| !why.starts_with("not asked") && !why.starts_with("absent");
    let gaps: Vec<&MissingEvidence> = input.verdict.missing.iter().filter(|missing| unread(&missing.why)).collect();
    if confidence == input.verdict.assured() && confidence < stated && !gaps.is_empty() {
        let text = format!(
            "Confidence {stated} falls to {confidence}, below {needed}, if what was not read ({}) speaks against it.",
            words(&gaps)
        );
        let unlock = format!("{}, then ask again with r", lacks(&gaps));
        return Refusal::new(RefusalReason::LowConfidence, text, unlock);
    }
    let text = format!("Confidence {confidence} is below {needed}.");
    Refusal::new(RefusalReason::LowConfidence, text, "more evidence: ask again with r")
}

fn words(gaps: &[&MissingEvidence]) -> String {
    gaps.iter().map(|missing| missing.question.word()).collect::<Vec<_>>().join(", ")
}

/// What gaps lack: a right, where it was refused, and else the rest of an answer.
fn lacks(gaps: &[&MissingEvidence]) -> String {
    let is_refused = |why: &str| why.starts_with("denied") || why.starts_with("in part: not read");
    let (refused, rest): (Vec<&MissingEvidence>, Vec<_>) = gaps.iter().partition(|missing| is_refused(&missing.why));
    let right = (!refused.is_empty()).then(|| format!("the right to read {}", words(&refused)));
    let whole = (!rest.is_empty()).then(|| format!("a whole answer on {}", words(&rest)));
    right.into_iter().chain(whole).collect::<Vec<_>>().join(" and ")
}

fn verdict_refusals(input: &GateInput<'_>) -> Vec<Refusal> {
    if !input.verdict.conclusive {
        let unlock = unlock_by_evidence(input);
        return vec![Refusal::new(RefusalReason::Inconclusive, "The evidence does not settle a cause.", unlock)];
    }
    let sufficient = input.offers.iter().any(|offer| matches!(offer.sufficiency, Sufficiency::Sufficient { .. }));
    if input.verdict.cause() == Cause::NothingWrong {
        let text = "Nothing to do: all that was read is healthy.";
        return vec![Refusal::new(RefusalReason::NothingToDo, text, "if the alarm goes on, read again with r")];
    }
    if !sufficient {
        let text = format!("No remedy of the catalogue fits this cause: {}.", input.verdict.words());
        return vec![Refusal::new(RefusalReason::NoRemedy, text, "a person decides outside pagerdeck")];
    }
    Vec::new()
}

/// What evidence would settle a cause. Asking again brings none of what this credential may not read, nor of what nobody
/// could ask for: that has to be granted or named first.
fn unlock_by_evidence(input: &GateInput<'_>) -> String {
    let (mut asked, mut denied, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    let mut lacking: Vec<String> = Vec::new();
    for missing in input.verdict.missing.iter().filter(|missing| missing.decisive) {
        let question = missing.question;
        match input.evidence.iter().rev().find(|evidence| evidence.question == question).map(|found| &found.answer) {
            Some(Answer::NotAsked { .. }) => unknown.push(question.word()),
            Some(Answer::Denied { fault }) => {
                denied.push(question.word());
                let lacks = lacked(fault);
                if !lacking.contains(&lacks) {
                    lacking.push(lacks);
                }
            }
            Some(Answer::Observed { .. } | Answer::Truncated { .. } | Answer::Absent | Answer::Failed { .. })
            | None => {
                asked.push(question.word());
            }
        }
    }
    let ways = [
        (asked, "ask again with r".to_owned()),
        (denied, format!("{}; then r", lacking.join(", "))),
        (unknown, "say under [[service]] where it is read".to_owned()),
    ];
    let ways: Vec<String> = ways
        .into_iter()
        .filter(|(questions, _)| !questions.is_empty())
        .map(|(questions, way)| format!("on {}: {way}", questions.join(", ")))
        .collect();
    if ways.is_empty() {
        "evidence that settles a cause: ask again with r".to_owned()
    } else {
        format!("evidence {}", ways.join("; "))
    }
}

/// What a denial says is lacking: `the identity lacks logs:FilterLogEvents`.
fn lacked(fault: &Fault) -> String {
    let Some(hint) = fault.hints.first() else { return "the right to read it is lacking".to_owned() };
    let hint = hint.trim_end_matches('.').replace('`', "");
    let mut letters = hint.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn age_refusal(input: &GateInput<'_>) -> Option<Refusal> {
    let age = input.now.duration_since(oldest(input.evidence)?).as_secs();
    let bound = i64::from(input.policy.evidence_max_age_s);
    (age > bound).then(|| {
        let text = format!("The oldest evidence is {age} s old; {bound} s is the bound.");
        Refusal::new(RefusalReason::Stale, text, "ask again with r")
    })
}

fn narrative_refusals(input: &GateInput<'_>) -> Vec<Refusal> {
    let again = "ask again with r, or stand on the rules with R";
    match input.narrative {
        NarrativeStanding::NotAsked | NarrativeStanding::Broken => {
            let text = "There is no complete narrative.";
            return vec![Refusal::new(RefusalReason::NarrativeBroken, text, again)];
        }
        NarrativeStanding::UnderWay => {
            let text = "The narrative is under way.";
            return vec![Refusal::new(RefusalReason::NarrativeUnderWay, text, "wait, or stand on the rules with R")];
        }
        NarrativeStanding::Complete => {}
    }
    let mut refusals = Vec::new();
    match input.diagnosis {
        None => {
            let text = input.unreadable.map_or_else(
                || "The model submitted no structured diagnosis.".to_owned(),
                |why| format!("The structured diagnosis that the model submitted is unreadable: {why}"),
            );
            refusals.push(Refusal::new(RefusalReason::NoDiagnosis, text, again));
        }
        Some(diagnosis) => match &diagnosis.check {
            DiagnosisCheck::Accepted => refusals.extend(advice_refusal(&diagnosis.proposal, input.offers)),
            DiagnosisCheck::Rejected { reasons } => refusals.extend(
                reasons.iter().map(|reason| Refusal::new(RefusalReason::DiagnosisRejected, reason.clone(), again)),
            ),
        },
    }
    refusals.extend(claim_refusal(input.claims, again));
    refusals
}

/// The model may only lower what counts: one that explains the cause and advises no remedy is not passed over.
fn advice_refusal(proposal: &Proposal, offers: &[RemedyOffer]) -> Option<Refusal> {
    let advised = |offer: &RemedyOffer| proposal.remedies.iter().any(|id| id == offer.remedy.id());
    let sufficient: Vec<&RemedyOffer> = offers.iter().filter(|offer| suffices(offers, offer.remedy)).collect();
    let is_passed_over = !sufficient.is_empty() && !sufficient.iter().any(|offer| advised(offer));
    is_passed_over.then(|| {
        let words: Vec<&str> = sufficient.iter().map(|offer| offer.remedy.words()).collect();
        let text = format!("The model does not advise {}.", words.join(" or "));
        Refusal::new(
            RefusalReason::NotAdvised,
            text,
            "read what it says; ask again with r, or stand on the rules with R",
        )
    })
}

fn claim_refusal(claims: &[Claim], again: &str) -> Option<Refusal> {
    let contradicted = claims.iter().filter(|c| matches!(c.check, ClaimCheck::Contradicted { .. })).count();
    if contradicted > 0 {
        let text = format!(
            "{contradicted} of {} {} the evidence.",
            counted(claims.len(), "sentence"),
            either(contradicted, "contradicts", "contradict")
        );
        return Some(Refusal::new(RefusalReason::Contradicted, text, again));
    }
    let share = supported(claims);
    if share.of == 0 {
        let text = "No sentence of the narrative says what could be checked.";
        return Some(Refusal::new(RefusalReason::Unsupported, text, again));
    }
    (f64::from(share.n) < f64::from(share.of) * MIN_SUPPORTED_SHARE).then(|| {
        let text = format!(
            "Only {} of {} {} supported by evidence.",
            share.n,
            counted(share.of, "sentence"),
            either(share.n, "is", "are")
        );
        Refusal::new(RefusalReason::Unsupported, text, again)
    })
}

fn supported(claims: &[Claim]) -> Share {
    let n = claims.iter().filter(|claim| claim.check == ClaimCheck::Supported).count();
    let checked = claims.iter().filter(|claim| claim.check != ClaimCheck::Unchecked).count();
    Share { n: n as u32, of: checked as u32 }
}

fn oldest(evidence: &[Evidence]) -> Option<Timestamp> {
    evidence.iter().filter(|e| e.answer.payload().is_some()).map(|e| e.answered_at).min()
}
