//! What happens to steps: plans, rehearsals, decisions, executions, and how their results come out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Durability;
use crate::domain::fault::Fault;
use crate::domain::remediation::approval::Decision;
use crate::domain::remediation::gate::{AdmissionRefusal, GateReport};
use crate::domain::remediation::request::Digest;
use crate::domain::remediation::step::{LeftOut, Plan, Rehearsal, StepId};
use crate::domain::remediation::trace::Trace;
use crate::domain::remediation::verification::{Measurement, TestState};

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Execution {
    /// The server took the request.
    Applied {
        /// The object's generation after it.
        generation: i64,
    },
    /// Nothing was changed.
    NotApplied {
        /// Why.
        fault: Fault,
    },
    /// The request left and no answer came back.
    Unknown {
        /// Why.
        fault: Fault,
    },
}

/// Plan, rehearsals, decisions, executions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum RemediationEvent {
    /// The gate was judged.
    GateJudged {
        /// Its report.
        report: Box<GateReport>,
    },
    /// A runbook made a plan.
    PlanProposed {
        /// The plan.
        plan: Box<Plan>,
    },
    /// A rehearsal was asked for.
    RehearsalAsked {
        /// Of which step.
        step: StepId,
    },
    /// A rehearsal came back.
    StepRehearsed {
        /// Of which step.
        step: StepId,
        /// What it was. In the journal the body of a request has no values of the environment.
        rehearsal: Box<Rehearsal>,
        /// What an approval of it binds to, of the very bytes that would be sent. Made when the event is stamped; a
        /// journal from before there was this field has the bytes themselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        digest: Option<Digest>,
    },
    /// Live: the person pressed the approval key; the typed confirmation is awaited.
    StepArmed {
        /// Which step.
        step: StepId,
        /// The digest that was on screen.
        digest: Digest,
        /// Until when.
        until: Timestamp,
    },
    /// The person decided.
    DecisionGiven {
        /// On which step.
        step: StepId,
        /// What.
        decision: Decision,
    },
    /// A step was left out, because one before it had ended. Of journals from before steps were alternatives.
    StepSkipped {
        /// Which step.
        step: StepId,
        /// Because of what.
        why: LeftOut,
    },
    /// The gate gave no permit.
    PermitRefused {
        /// For which step.
        step: StepId,
        /// Why.
        refusal: AdmissionRefusal,
    },
    /// A request is about to leave. Fsynced before it does.
    StepStarted {
        /// Which step.
        step: StepId,
        /// Its digest.
        digest: Digest,
    },
    /// The start is on the disk, or others wrote in between: the target is looked at once more before the request leaves.
    LookBegan {
        /// Of which step.
        step: StepId,
    },
    /// The request left, and cannot be called back any more.
    RequestLeft {
        /// Of which step.
        step: StepId,
    },
    /// An execution ended.
    StepFinished {
        /// Which step.
        step: StepId,
        /// How.
        execution: Execution,
    },
    /// An armed or rehearsed step was disarmed without a decision.
    StoodDown {
        /// Which step.
        step: StepId,
        /// By what.
        why: String,
    },
    /// The approval was not used in time.
    Expired {
        /// Which step.
        step: StepId,
    },
    /// A step was added that undoes another.
    UndoProposed {
        /// Which it undoes.
        of: StepId,
        /// The plan with the undo as its last step.
        plan: Box<Plan>,
    },
    /// An uncertain step was looked at again on the person's wish.
    UncertaintySettled {
        /// Which step.
        step: StepId,
        /// What was found, in words.
        found: String,
        /// Whether that shows that the step has run.
        #[serde(default)]
        trace: Trace,
    },
}

impl RemediationEvent {
    /// How the event is kept. Decisions and starts are synced.
    pub fn durability(&self) -> Durability {
        match self {
            Self::StepArmed { .. }
            | Self::DecisionGiven { .. }
            | Self::PermitRefused { .. }
            | Self::StepStarted { .. }
            | Self::StepFinished { .. }
            | Self::StoodDown { .. }
            | Self::Expired { .. }
            | Self::UncertaintySettled { .. } => Durability::Synced,
            Self::GateJudged { .. }
            | Self::PlanProposed { .. }
            | Self::StepSkipped { .. }
            | Self::RehearsalAsked { .. }
            | Self::LookBegan { .. }
            | Self::RequestLeft { .. }
            | Self::StepRehearsed { .. }
            | Self::UndoProposed { .. } => Durability::Buffered,
        }
    }
}

/// Results of steps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum VerificationEvent {
    /// Measurements after a step.
    Measured {
        /// Which step.
        step: StepId,
        /// What was measured.
        measurement: Measurement,
    },
    /// The tests came out.
    Ended {
        /// Which step.
        step: StepId,
        /// Each test in the step's order.
        tests: Vec<TestState>,
    },
    /// What a verified step had ended began again within the hour.
    Lapsed {
        /// Which step.
        step: StepId,
        /// What began again, and when.
        why: String,
    },
}
