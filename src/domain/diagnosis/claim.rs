//! Sentences of the narrative checked against the evidence they cite, and the model's structured answer checked whole.

mod advice;
mod check;
mod known;
mod movement;
mod number;
mod proposal;
mod sentence;

use serde::{Deserialize, Serialize};

use super::evidence::EvidenceId;
use super::verdict::{Cause, Confidence};
use crate::domain::observation::workload::WorkloadRef;

pub use check::{check, cites, claim};
pub use known::Known;
pub use proposal::check_proposal;
pub use sentence::{Sentences, sentences};

/// How a claim stands against the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum ClaimCheck {
    /// Every id exists, every number is found in the evidence it cites, and at least one number or movement was held
    /// against it.
    Supported,
    /// It cites, and nothing in it could be held against what it cites: it counts neither for the narrative nor against it.
    Unchecked,
    /// It cites nothing, or states what the cited evidence does not hold.
    Unsupported {
        /// What is not backed.
        why: String,
    },
    /// It says otherwise than the evidence.
    Contradicted {
        /// What the evidence says.
        why: String,
    },
}

/// One sentence of the narrative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// The sentence as it was shown.
    pub text: String,
    /// The evidence it cites, in order.
    pub cites: Vec<EvidenceId>,
    /// How it stands.
    pub check: ClaimCheck,
}

/// The model's structured answer as it was submitted, before it is believed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// The cause it names.
    pub cause: Cause,
    /// Its own confidence; it can only lower ours.
    pub confidence: Confidence,
    /// One or two sentences.
    pub summary: String,
    /// The evidence it rests on.
    pub evidence: Vec<EvidenceId>,
    /// The workload it names.
    pub workload: Option<WorkloadRef>,
    /// Remedies it would consider, by action id; only words from the closed catalogue count.
    pub remedies: Vec<String>,
    /// What it says it does not know.
    pub unknowns: Vec<String>,
}

/// What became of a proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum DiagnosisCheck {
    /// Every check passed.
    Accepted,
    /// Shown as rejected, with every reason.
    Rejected {
        /// One sentence a reason.
        reasons: Vec<String>,
    },
}

/// The model's answer beside the rules' verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Diagnosis {
    /// What the model submitted.
    pub proposal: Proposal,
    /// Whether it holds.
    pub check: DiagnosisCheck,
    /// The lower of the rules' and the model's confidence; 0 when the causes differ.
    pub confidence: Confidence,
}

#[cfg(test)]
mod tests;
