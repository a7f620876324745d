//! What is told of the analysis: evidence asked and answered, the verdict, the narrative and its check.

use serde::{Deserialize, Serialize};

use super::Occasion;
use crate::domain::diagnosis::claim::{Diagnosis, Proposal};
use crate::domain::diagnosis::conversation::{StopReason, Usage};
use crate::domain::diagnosis::evidence::{Evidence, EvidenceId, Question};
use crate::domain::diagnosis::sufficiency::RemedyOffer;
use crate::domain::diagnosis::verdict::Verdict;
use crate::domain::fault::Fault;
use crate::domain::observation::scope::Window;

/// Evidence and verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum EvidenceEvent {
    /// Triage, or the person, asked.
    Asked {
        /// Ids and questions.
        asks: Vec<(EvidenceId, Question)>,
        /// Over which window.
        window: Window,
        /// What made it necessary.
        #[serde(default)]
        occasion: Occasion,
    },
    /// An answer, refusal or emptiness came back.
    Answered {
        /// The evidence.
        evidence: Box<Evidence>,
    },
    /// The rules judged.
    VerdictReached {
        /// Their verdict.
        verdict: Box<Verdict>,
        /// What it suffices for.
        offers: Vec<RemedyOffer>,
    },
}

/// The model's text and diagnosis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum NarrativeEvent {
    /// The model was asked.
    Asked {
        /// Which model.
        model: String,
        /// From 1.
        attempt: u32,
        /// What the person wanted to know, if anything in particular.
        inquiry: Option<String>,
        /// The user message as sent, redacted.
        prompt: String,
    },
    /// The stream opened.
    Opened {
        /// Which attempt.
        attempt: u32,
    },
    /// Text arrived.
    TextArrived {
        /// Which attempt.
        attempt: u32,
        /// The text, sanitised and redacted.
        text: String,
    },
    /// The structured answer arrived and could be read.
    Proposed {
        /// Which attempt.
        attempt: u32,
        /// What it says.
        proposal: Box<Proposal>,
    },
    /// The structured answer arrived and could not be read.
    ProposalUnreadable {
        /// Which attempt.
        attempt: u32,
        /// Why.
        why: String,
    },
    /// The stream ended as it should.
    Ended {
        /// Which attempt.
        attempt: u32,
        /// Why the model stopped.
        stop: StopReason,
        /// What it used.
        usage: Usage,
    },
    /// The stream or the call failed; the text so far is kept and marked incomplete.
    Broke {
        /// Which attempt.
        attempt: u32,
        /// How.
        fault: Fault,
    },
    /// The structured answer was checked.
    DiagnosisChecked {
        /// With its check.
        diagnosis: Box<Diagnosis>,
    },
    /// The person chose to stand on the rules alone.
    RulesChosen {
        /// Who.
        by: String,
    },
}
