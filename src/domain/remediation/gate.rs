//! The lock. Judges whether a plan may be offered at all, and alone turns an approval into a permit.
//!
//! Nothing outside this file can make a [`Permit`]; nothing can move the world without one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::approval::Approval;
use super::policy::{Confirm, Policy, RulesAlone};
use super::request::{Bound, Digest, Mode, Request};
use super::step::{Rehearsal, RehearsalOutcome, Step, StepState, TargetFacts};
use crate::domain::diagnosis::claim::{Claim, ClaimCheck, Diagnosis, DiagnosisCheck};
use crate::domain::diagnosis::evidence::Evidence;
use crate::domain::diagnosis::sufficiency::{RemedyOffer, Sufficiency};
use crate::domain::diagnosis::verdict::{Confidence, Verdict};
use crate::domain::observation::scope::Scope;
use crate::domain::observation::workload::WorkloadRef;

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

/// What keeps the gate locked, for code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// The evidence does not settle a cause.
    Inconclusive,
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
    /// Confidence is below the policy's bound.
    LowConfidence,
    /// The policy does not allow it.
    Policy,
    /// The target of the remedy is not known.
    NoTarget,
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
    /// Claims supported, of made.
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
        self.refusals.is_empty()
    }

    /// Whether it still stands now: open, and its evidence within the policy's age. A timer judges again when that ends,
    /// but a timer may come late (a suspended machine), and none outlives the process.
    pub fn holds(&self, policy: &Policy, now: Timestamp) -> bool {
        let bound = i64::from(policy.evidence_max_age_s);
        self.is_open() && self.oldest.is_none_or(|oldest| now.duration_since(oldest).as_secs() <= bound)
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
    /// Its claims.
    pub claims: &'a [Claim],
    /// The checked diagnosis.
    pub diagnosis: Option<&'a Diagnosis>,
    /// What the person chose to stand on.
    pub stands_on: StandsOn,
    /// The workload a remedy would aim at.
    pub target: Option<&'a WorkloadRef>,
    /// The policy in force.
    pub policy: &'a Policy,
    /// Now, in incident time.
    pub now: Timestamp,
}

/// Judges the gate. It is open when all hold:
/// 1. the verdict is conclusive and at least one remedy is sufficient, with a known target;
/// 2. no evidence is older than the policy allows;
/// 3. standing on the diagnosis: the narrative is complete, its diagnosis accepted, nothing contradicted, and enough
///    of its claims supported; standing on the rules: the policy allows that;
/// 4. the confidence (the lower of rules and model) reaches the bound.
pub fn judge(input: GateInput<'_>) -> GateReport {
    let mut refusals = verdict_refusals(&input);
    refusals.extend(age_refusal(&input));
    let confidence = match input.stands_on {
        StandsOn::Diagnosis => {
            refusals.extend(narrative_refusals(&input));
            input
                .diagnosis
                .map_or(Confidence::default(), |diagnosis| diagnosis.confidence.min(input.verdict.confidence()))
        }
        StandsOn::Rules => {
            if input.policy.rules_alone == RulesAlone::Forbidden {
                let text = "The policy forbids standing on the rules alone.";
                refusals.push(Refusal::new(RefusalReason::Policy, text, "ask the model again with r"));
            }
            input.verdict.confidence()
        }
    };
    let needed = input.policy.min_confidence;
    if confidence < needed && refusals.is_empty() {
        let text = format!("Confidence {confidence} is below {needed}.");
        refusals.push(Refusal::new(RefusalReason::LowConfidence, text, "more evidence: ask again with r"));
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

fn verdict_refusals(input: &GateInput<'_>) -> Vec<Refusal> {
    if !input.verdict.conclusive {
        let missing: Vec<&str> = input
            .verdict
            .missing
            .iter()
            .filter(|missing| missing.decisive)
            .map(|missing| missing.question.word())
            .collect();
        let unlock = if missing.is_empty() {
            "evidence that settles a cause: ask again with r".to_owned()
        } else {
            format!("evidence on {}: ask again with r", missing.join(", "))
        };
        return vec![Refusal::new(RefusalReason::Inconclusive, "The evidence does not settle a cause.", unlock)];
    }
    let sufficient = input.offers.iter().any(|offer| matches!(offer.sufficiency, Sufficiency::Sufficient { .. }));
    if !sufficient {
        let text = format!("No remedy of the catalogue fits {}.", input.verdict.cause().words());
        return vec![Refusal::new(RefusalReason::NoRemedy, text, "a person decides outside pagerdeck")];
    }
    if input.target.is_none() {
        let text = "The workload behind the alarm is not known.";
        let unlock = "name it in the configuration under [[service]]";
        return vec![Refusal::new(RefusalReason::NoTarget, text, unlock)];
    }
    Vec::new()
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
            let text = "The model submitted no structured diagnosis.";
            refusals.push(Refusal::new(RefusalReason::NoDiagnosis, text, again));
        }
        Some(diagnosis) => match &diagnosis.check {
            DiagnosisCheck::Accepted => {}
            DiagnosisCheck::Rejected { reasons } => refusals.extend(
                reasons.iter().map(|reason| Refusal::new(RefusalReason::DiagnosisRejected, reason.clone(), again)),
            ),
        },
    }
    refusals.extend(claim_refusal(input.claims, again));
    refusals
}

fn claim_refusal(claims: &[Claim], again: &str) -> Option<Refusal> {
    let contradicted = claims.iter().filter(|c| matches!(c.check, ClaimCheck::Contradicted { .. })).count();
    if contradicted > 0 {
        let text = format!("{contradicted} of {} sentences contradict the evidence.", claims.len());
        return Some(Refusal::new(RefusalReason::Contradicted, text, again));
    }
    let share = supported(claims);
    (f64::from(share.n) < f64::from(share.of) * MIN_SUPPORTED_SHARE).then(|| {
        let text = format!("Only {} of {} sentences are supported by evidence.", share.n, share.of);
        Refusal::new(RefusalReason::Unsupported, text, again)
    })
}

fn supported(claims: &[Claim]) -> Share {
    let n = claims.iter().filter(|claim| claim.check == ClaimCheck::Supported).count();
    Share { n: n as u32, of: claims.len() as u32 }
}

fn oldest(evidence: &[Evidence]) -> Option<Timestamp> {
    evidence.iter().filter(|e| e.answer.payload().is_some()).map(|e| e.answered_at).min()
}

/// Leave to send one request once. Neither clonable nor (de)serializable; its fields are private to this file.
#[derive(Debug)]
pub struct Permit {
    target: WorkloadRef,
    request: Request,
    facts: TargetFacts,
    digest: Digest,
    usable_until: Timestamp,
}

/// What a permit allows, once it has been consumed.
#[derive(Debug)]
pub struct Permitted {
    /// The workload.
    pub target: WorkloadRef,
    /// The bytes to send.
    pub request: Request,
    /// The facts that must still hold.
    pub facts: TargetFacts,
    /// The approved digest.
    pub digest: Digest,
}

impl Permit {
    /// Uses the permit up.
    pub fn consume(self) -> Permitted {
        Permitted { target: self.target, request: self.request, facts: self.facts, digest: self.digest }
    }

    /// The digest it was given for.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The incident time after which it must not be used.
    pub fn usable_until(&self) -> Timestamp {
        self.usable_until
    }
}

/// Why no permit is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum AdmissionRefusal {
    /// The session is a dry-run: the decision is recorded and nothing runs.
    DryRun,
    /// The journal has not acknowledged the decision.
    NotDurable,
    /// The gate is locked.
    Locked,
    /// The step waits for nothing, or was never rehearsed by the server.
    NotRehearsed,
    /// A check before the step failed.
    CheckFailed {
        /// Which one.
        name: String,
    },
    /// The approval was given for another digest.
    OtherDigest,
    /// The approval is too old.
    Expired,
    /// The step is not waiting for this approval (already used, denied, stood down).
    NotWaiting,
    /// The policy does not allow it, or asks for a typed confirmation that was not given.
    Policy {
        /// Its words.
        text: String,
    },
}

impl AdmissionRefusal {
    /// What to tell the person.
    pub fn text(&self) -> String {
        match self {
            Self::DryRun => "This session is a dry-run: recorded as \"would run\", nothing was changed.".to_owned(),
            Self::NotDurable => "The journal has not acknowledged the decision; nothing was sent.".to_owned(),
            Self::Locked => "The gate is locked; nothing was sent.".to_owned(),
            Self::NotRehearsed => "The step has no rehearsal that the server accepted; nothing was sent.".to_owned(),
            Self::CheckFailed { name } => format!("The check \"{name}\" failed; nothing was sent."),
            Self::OtherDigest => "What would be sent is no longer what was approved; nothing was sent.".to_owned(),
            Self::Expired => "The approval expired before it was used; nothing was sent.".to_owned(),
            Self::NotWaiting => "The step is not waiting for an approval; nothing was sent.".to_owned(),
            Self::Policy { text } => format!("{text} Nothing was sent."),
        }
    }
}

/// What admission looks at. Everything is read from the fold, but for the journal's receipt.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    /// Dry-run or live.
    pub mode: Mode,
    /// Account, region, cluster.
    pub scope: &'a Scope,
    /// The policy in force.
    pub policy: &'a Policy,
    /// The gate as last judged.
    pub gate: &'a GateReport,
    /// The step as folded.
    pub step: &'a Step,
    /// The approval.
    pub approval: &'a Approval,
    /// The highest sequence number the journal has fsynced.
    pub durable_seq: u64,
    /// Now, in incident time.
    pub now: Timestamp,
}

/// Turns an approval into a permit, or says why not. Called from the outbox alone (the tidy test checks).
pub fn admit(admission: Admission<'_>) -> Result<Permit, AdmissionRefusal> {
    let Admission { mode, scope, policy, step, approval, now, .. } = admission;
    match mode {
        Mode::DryRun => return Err(AdmissionRefusal::DryRun),
        Mode::Live => {}
    }
    if admission.durable_seq < approval.seq {
        return Err(AdmissionRefusal::NotDurable);
    }
    if !admission.gate.holds(policy, now) {
        return Err(AdmissionRefusal::Locked);
    }
    if step.id != approval.step || step.state != StepState::Approved {
        return Err(AdmissionRefusal::NotWaiting);
    }
    if now >= approval.expires_at {
        return Err(AdmissionRefusal::Expired);
    }
    let (request, facts) = rehearsed(step)?;
    check_policy(&admission)?;
    let digest = Bound { text: &step.text(), request, facts, scope, mode, policy }.digest();
    if digest != approval.digest || step.digest.as_ref() != Some(&digest) {
        return Err(AdmissionRefusal::OtherDigest);
    }
    Ok(Permit {
        target: step.target.clone(),
        request: request.clone(),
        facts: facts.clone(),
        digest,
        usable_until: approval.expires_at.min(now + SignedDuration::from_secs(60)),
    })
}

fn rehearsed(step: &Step) -> Result<(&Request, &TargetFacts), AdmissionRefusal> {
    let Some(rehearsal) = &step.rehearsal else { return Err(AdmissionRefusal::NotRehearsed) };
    let Rehearsal { outcome: RehearsalOutcome::Rehearsed, request: Some(request), facts: Some(facts), .. } = rehearsal
    else {
        return Err(AdmissionRefusal::NotRehearsed);
    };
    match rehearsal.checks.iter().find(|check| check.state == super::step::CheckState::Failed) {
        Some(check) => Err(AdmissionRefusal::CheckFailed { name: check.name.clone() }),
        None => Ok((request, facts)),
    }
}

fn check_policy(admission: &Admission<'_>) -> Result<(), AdmissionRefusal> {
    let Admission { scope, policy, step, approval, .. } = admission;
    let rule = policy
        .live_rule(scope, &step.target.namespace, step.action.kind())
        .map_err(|refusal| AdmissionRefusal::Policy { text: refusal.0 })?;
    match (rule.confirm, approval.confirm) {
        (Confirm::Typed, Confirm::Key) => {
            Err(AdmissionRefusal::Policy { text: "The policy asks for a typed confirmation here.".to_owned() })
        }
        (Confirm::Typed | Confirm::Key, Confirm::Typed) | (Confirm::Key, Confirm::Key) => Ok(()),
    }
}
