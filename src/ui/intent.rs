//! What the person wants, as data. The runtime turns each into events and effects; nothing here acts.

use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::drill::{Drill, Injection, StandingFault};
use crate::domain::observation::alarm::AlarmName;
use crate::domain::remediation::request::Digest;
use crate::domain::remediation::step::StepId;
use crate::session::IncidentId;

/// One wish of the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intent {
    /// Leave the program. Every armed step was stood down by an intent before this one.
    Quit,
    /// Give the terminal back to the shell and stop. Every armed step was stood down by an intent before this one.
    Suspend,
    /// Clear the terminal and draw everything again.
    Repaint,
    /// `A` passed the guard while this digest was on screen. In dry-run it is recorded as "would run"; in live it arms
    /// the step, or approves it where the policy asks for a single key.
    Approve {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
        /// The digest that was on screen.
        digest: Digest,
    },
    /// The right token was typed and Enter passed the guard while this digest was on screen.
    Confirm {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
        /// The digest that was on screen.
        digest: Digest,
    },
    /// Refuse a step.
    Deny {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
        /// Why, in the person's words; never empty.
        reason: String,
    },
    /// Leave a step out.
    Skip {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
    },
    /// Rehearse a step again.
    Rehearse {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
    },
    /// Propose the prepared undo of a step. The undo is a step of its own and is asked like any other.
    Undo {
        /// Of which incident.
        incident: IncidentId,
        /// Which step is to be undone.
        step: StepId,
    },
    /// Disarm a step without a decision.
    StandDown {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
        /// By what, in words.
        why: String,
    },
    /// Call back every step whose request has not left, so that it never does. What was sent goes on.
    CallBack {
        /// By what, in words.
        why: String,
    },
    /// Read the evidence again and ask the model again.
    AskAgain {
        /// For which incident.
        incident: IncidentId,
    },
    /// Stand on the rules alone: a journaled choice.
    StandOnRules {
        /// For which incident.
        incident: IncidentId,
    },
    /// Ask the analyst something in particular.
    Inquire {
        /// For which incident.
        incident: IncidentId,
        /// What; never empty.
        text: String,
    },
    /// Write a note on the timeline.
    Note {
        /// Its text; never empty.
        text: String,
    },
    /// Pin or unpin a piece of evidence.
    TogglePin {
        /// Of which incident.
        incident: IncidentId,
        /// Which.
        evidence: EvidenceId,
    },
    /// Read what is behind an alarm that was opened.
    Inspect {
        /// Which.
        alarm: AlarmName,
    },
    /// Open an incident about an alarm.
    Investigate {
        /// Which.
        alarm: AlarmName,
    },
    /// Ask every feed now rather than at its next turn.
    Refresh,
    /// Stop the model's stream.
    CancelStream {
        /// Of which incident.
        incident: IncidentId,
    },
    /// Put a text on the clipboard.
    Copy {
        /// The text.
        text: String,
    },
    /// Write a text to a file.
    Save {
        /// A plain file name without a folder.
        name: String,
        /// The text.
        text: String,
    },
    /// Write the transcript out.
    Export,
    /// Read the configuration again.
    Reload,
    /// Leave for a rehearsal. Only before anything was read; nothing is armed then.
    TryRehearsal,
    /// Let something go wrong in the simulated cloud. Only a rehearsal can.
    GameDay {
        /// What.
        drill: Drill,
    },
    /// Let a fault loose in the simulated cloud. Only a rehearsal can.
    Inject {
        /// Which, and for how long.
        injection: Injection,
    },
    /// Clear a fault that stands.
    ClearFault {
        /// Which.
        fault: StandingFault,
    },
    /// Look at an uncertain step again and say how it ended.
    SettleUncertain {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
    },
}
