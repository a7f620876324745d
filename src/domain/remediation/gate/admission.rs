//! Turns one approval into one permit, or says why not. Nothing outside this file can make a [`Permit`]; nothing can move
//! the world without one.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{GateReport, Purpose};
use crate::domain::diagnosis::sufficiency::{RemedyOffer, suffices};
use crate::domain::observation::scope::Scope;
use crate::domain::observation::workload::WorkloadRef;
use crate::domain::remediation::approval::Approval;
use crate::domain::remediation::policy::{Confirm, Policy};
use crate::domain::remediation::request::{Bound, Digest, Mode, Request};
use crate::domain::remediation::step::{Rehearsal, RehearsalOutcome, Step, StepState, TargetFacts};

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
    /// The credentials fail: what was read with them may be so no more.
    LockedOut,
    /// The evidence of now does not suffice for this remedy, whatever it did when the step was planned.
    NotOffered,
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
            Self::LockedOut => "The credentials failed; nothing was sent.".to_owned(),
            Self::NotOffered => "The evidence of now does not suffice for this remedy; nothing was sent.".to_owned(),
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
    /// The remedies of the present verdict with their tests.
    pub offers: &'a [RemedyOffer],
    /// What the step is for.
    pub purpose: Purpose,
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
    let Admission { mode, scope, policy, step, approval, purpose, now, .. } = admission;
    match mode {
        Mode::DryRun => return Err(AdmissionRefusal::DryRun),
        Mode::Live => {}
    }
    if admission.durable_seq < approval.seq {
        return Err(AdmissionRefusal::NotDurable);
    }
    if !admission.gate.holds(purpose, policy, now) {
        return Err(AdmissionRefusal::Locked);
    }
    match purpose {
        Purpose::Remedy if !suffices(admission.offers, step.action.kind()) => return Err(AdmissionRefusal::NotOffered),
        Purpose::Remedy | Purpose::Undo => {}
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
    match rehearsal.failed_check() {
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
