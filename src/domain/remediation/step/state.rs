//! Where a step stands, and what each state allows. The one place where states are sorted.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::StepId;

/// Why a step was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum LeftOut {
    /// The person wanted it so.
    #[default]
    ByPerson,
    /// A step before it came to an end that left nothing to build on, when steps were no alternatives yet.
    After {
        /// Which step.
        step: StepId,
        /// To which end: `denied`, `skipped`, `not verified`, `undone`.
        end: String,
    },
    /// Another remedy of the plan was verified, and leaves this one nothing to do.
    Instead {
        /// Which step.
        step: StepId,
    },
}

impl LeftOut {
    /// As a clause: `#1 before it was denied`.
    pub fn text(&self) -> String {
        match self {
            Self::ByPerson => "left out by the person".to_owned(),
            Self::After { step, end } => format!("{step} before it was {end}"),
            Self::Instead { step } => format!("{step} was verified instead"),
        }
    }
}

/// What a verification fell short by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shortfall {
    /// A test was measured and not reached.
    #[default]
    NotReached,
    /// No test was seen to fail, and one had no measurement till its budget ended.
    NotMeasured,
    /// Whether it ran at all cannot be told any more.
    NotKnown,
    /// Every test passed, and what it had ended began again soon after.
    DidNotLast,
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum StepState {
    /// In the plan, not yet rehearsed. Before steps were alternatives one could be locked until another was verified.
    #[serde(alias = "locked")]
    Proposed,
    /// A rehearsal is on its way.
    Rehearsing,
    /// Rehearsed and waiting for a decision.
    Rehearsed,
    /// Live: approved by key, waiting for the typed confirmation.
    Armed {
        /// Until then.
        until: Timestamp,
    },
    /// Dry-run: approved, recorded as "would run". Live: approved, and on its way through the gate.
    Approved,
    /// A request has left, or is about to.
    Running,
    /// Ran; its result is being watched.
    Verifying,
    /// Ran, and every test passed.
    Verified,
    /// Ran, and failed, made it worse, or could not be verified; undo is offered.
    Failed {
        /// How.
        why: String,
        /// Whether that was seen, or nothing was.
        #[serde(default)]
        by: Shortfall,
    },
    /// Ran, and another step has put back what it changed.
    Undone {
        /// Which.
        by: StepId,
    },
    /// The person said no.
    Denied {
        /// Why.
        reason: String,
    },
    /// It was left out.
    Skipped {
        /// By whom, or why it could not come any more.
        #[serde(default)]
        why: LeftOut,
    },
    /// The approval was not used in time.
    Expired,
    /// Disarmed without a decision.
    StoodDown {
        /// By what.
        why: String,
    },
    /// A request may or may not have left before the program ended.
    Uncertain,
}

impl StepState {
    /// The word on screen and in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Proposed => "PROPOSED",
            Self::Rehearsing => "REHEARSING",
            Self::Rehearsed => "REHEARSED",
            Self::Armed { .. } => "ARMED",
            Self::Approved => "APPROVED",
            Self::Running => "RUNNING",
            Self::Verifying => "VERIFYING",
            Self::Verified => "VERIFIED",
            Self::Failed { by: Shortfall::NotReached, .. } => "FAILED",
            Self::Failed { by: Shortfall::NotMeasured, .. } => "UNVERIFIED",
            Self::Failed { by: Shortfall::NotKnown, .. } => "NOT KNOWN",
            Self::Failed { by: Shortfall::DidNotLast, .. } => "RELAPSED",
            Self::Undone { .. } => "UNDONE",
            Self::Denied { .. } => "DENIED",
            Self::Skipped { .. } => "SKIPPED",
            Self::Expired => "EXPIRED",
            Self::StoodDown { .. } => "STOOD DOWN",
            Self::Uncertain => "UNCERTAIN",
        }
    }

    /// Whether nothing more is asked of the person about it.
    pub fn is_decided(&self) -> bool {
        match self {
            Self::Approved
            | Self::Verified
            | Self::Failed { .. }
            | Self::Undone { .. }
            | Self::Denied { .. }
            | Self::Skipped { .. } => true,
            Self::Proposed
            | Self::Rehearsing
            | Self::Rehearsed
            | Self::Armed { .. }
            | Self::Running
            | Self::Verifying
            | Self::Expired
            | Self::StoodDown { .. }
            | Self::Uncertain => false,
        }
    }

    /// Whether a person may still deny or skip it.
    pub fn is_open_to_refusal(&self) -> bool {
        match self {
            Self::Proposed
            | Self::Rehearsing
            | Self::Rehearsed
            | Self::Armed { .. }
            | Self::Expired
            | Self::StoodDown { .. } => true,
            Self::Approved
            | Self::Running
            | Self::Verifying
            | Self::Verified
            | Self::Failed { .. }
            | Self::Undone { .. }
            | Self::Denied { .. }
            | Self::Skipped { .. }
            | Self::Uncertain => false,
        }
    }

    /// Whether it may be rehearsed, or rehearsed again: nothing of it is decided or under way.
    pub fn is_open_to_rehearsal(&self) -> bool {
        match self {
            Self::Proposed | Self::Rehearsed | Self::Armed { .. } | Self::Expired | Self::StoodDown { .. } => true,
            Self::Rehearsing
            | Self::Approved
            | Self::Running
            | Self::Verifying
            | Self::Verified
            | Self::Failed { .. }
            | Self::Undone { .. }
            | Self::Denied { .. }
            | Self::Skipped { .. }
            | Self::Uncertain => false,
        }
    }

    /// Whether it waits for something and can be taken out of waiting.
    pub fn can_stand_down(&self) -> bool {
        matches!(self, Self::Rehearsed | Self::Armed { .. } | Self::Approved | Self::Rehearsing)
    }

    /// Whether a request may be on its way or its result is not settled: the step must not be forgotten.
    pub fn is_in_flight(&self) -> bool {
        matches!(self, Self::Running | Self::Verifying | Self::Uncertain)
    }

    /// Whether its request may have reached the cluster, so that there may be something to undo.
    pub fn may_have_run(&self) -> bool {
        self.is_in_flight() || matches!(self, Self::Verified | Self::Failed { .. })
    }

    /// Whether an undo of it may be proposed: it ran, and its request is no longer under way.
    pub fn can_be_undone(&self) -> bool {
        self.may_have_run() && *self != Self::Running
    }

    /// Where an undo that has run leaves it: nothing of it is watched any more. A failure that was seen stays one.
    pub fn undone(&self, by: StepId) -> Option<Self> {
        match self {
            Self::Verifying | Self::Verified | Self::Uncertain => Some(Self::Undone { by }),
            Self::Proposed
            | Self::Rehearsing
            | Self::Rehearsed
            | Self::Armed { .. }
            | Self::Approved
            | Self::Running
            | Self::Failed { .. }
            | Self::Undone { .. }
            | Self::Denied { .. }
            | Self::Skipped { .. }
            | Self::Expired
            | Self::StoodDown { .. } => None,
        }
    }

    /// What the person decided, as far as the state tells: `approved`, `denied`, `skipped`.
    pub fn decision_word(&self) -> Option<&'static str> {
        match self {
            Self::Approved
            | Self::Running
            | Self::Verifying
            | Self::Verified
            | Self::Failed { .. }
            | Self::Undone { .. }
            | Self::Uncertain => Some("approved"),
            Self::Denied { .. } => Some("denied"),
            Self::Skipped { why: LeftOut::ByPerson } => Some("skipped"),
            Self::Skipped { why: LeftOut::After { .. } | LeftOut::Instead { .. } }
            | Self::Proposed
            | Self::Rehearsing
            | Self::Rehearsed
            | Self::Armed { .. }
            | Self::Expired
            | Self::StoodDown { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_waited_for_another_in_an_older_journal_is_an_alternative() {
        let old = r#"{"is":"locked","why":"needs #1 verified"}"#;
        assert_eq!(serde_json::from_str::<StepState>(old).unwrap(), StepState::Proposed);
        let now = serde_json::to_value(StepState::Proposed).unwrap();
        assert_eq!(now, serde_json::json!({ "is": "proposed" }));
    }
}
