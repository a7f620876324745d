//! What the session wants done, in the imperative. Neither serializable nor clonable: a replay drops effects, so nothing runs twice.

use super::event::{Event, TimerPurpose, Wait};
use super::record::IncidentId;
use crate::domain::diagnosis::evidence::{EvidenceId, Question};
use crate::domain::observation::alarm::AlarmName;
use crate::domain::observation::scope::Window;
use crate::domain::remediation::step::StepId;

/// One thing to do.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Stamp and commit this event at once: a conclusion of the fold that belongs in the journal.
    Conclude {
        /// The incident it belongs to.
        incident: Option<IncidentId>,
        /// The conclusion.
        event: Box<Event>,
    },
    /// Find out what an alarm is about; answers with `Identified`.
    Identify {
        /// Which alarm.
        alarm: AlarmName,
    },
    /// Read the history of an alarm and what it compares now; answers with `Detailed`.
    Inspect {
        /// Which alarm.
        alarm: AlarmName,
    },
    /// Follow the incident's service: tail its logs, refresh its metrics, watch its namespace.
    Follow {
        /// Which incident.
        incident: IncidentId,
    },
    /// Read evidence; answers with one `Answered` for each ask.
    Observe {
        /// For which incident.
        incident: IncidentId,
        /// Ids and questions.
        asks: Vec<(EvidenceId, Question)>,
        /// Over which window.
        window: Window,
    },
    /// Ask the model; the conversation is in `session::narrative`.
    Ask {
        /// For which incident.
        incident: IncidentId,
        /// Which attempt.
        attempt: u32,
    },
    /// Rehearse a step with `dryRun=All`; answers with `StepRehearsed`.
    Preview {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
    },
    /// Run an approved step. The outbox asks the gate for the permit once the decision is durable.
    Execute {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
    },
    /// Measure the result of a step; answers with `Measured`.
    Measure {
        /// Of which incident.
        incident: IncidentId,
        /// Which step.
        step: StepId,
    },
    /// Post the report to Slack.
    Notify {
        /// Of which incident.
        incident: IncidentId,
    },
    /// Send `TimerEvent::Fired` after a while of incident time.
    Schedule {
        /// For which incident.
        incident: IncidentId,
        /// What for.
        purpose: TimerPurpose,
        /// After how long.
        after: Wait,
    },
}
