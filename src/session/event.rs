//! Everything that can happen, in the past tense. A record is one of these with a time.

mod analysis;
mod feed;
mod observation;
mod remediation;
mod session;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::domain::diagnosis::storm::Storm;
use crate::domain::fault::Fault;
use crate::domain::observation::alarm::AlarmName;
use crate::domain::observation::service::Service;
use crate::domain::remediation::follow_up::FollowUp;
use crate::domain::remediation::request::Digest;
use crate::domain::remediation::step::StepId;

pub use analysis::{EvidenceEvent, NarrativeEvent};
pub use feed::FeedEvent;
pub use observation::{AlarmEvent, LogEvent, MetricEvent, WorkloadEvent};
pub use remediation::{Execution, RemediationEvent, VerificationEvent};
pub use session::SessionEvent;

/// How an event is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Folded, never written: heartbeats and views that are read again anyway.
    Ephemeral,
    /// Written; reaches the disk with the next sync.
    Buffered,
    /// Written and fsynced before anything that follows from it happens.
    Synced,
}

/// What happened, by topic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "topic", content = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The session itself.
    Session(SessionEvent),
    /// Alarms.
    Alarm(AlarmEvent),
    /// Feeds' health.
    Feed(FeedEvent),
    /// Metrics for the charts.
    Metric(MetricEvent),
    /// Log pages.
    Log(LogEvent),
    /// The cluster view.
    Workload(WorkloadEvent),
    /// Incidents.
    Incident(IncidentEvent),
    /// Evidence and verdict.
    Evidence(EvidenceEvent),
    /// The model's text and diagnosis.
    Narrative(NarrativeEvent),
    /// Plan, rehearsals, decisions, executions.
    Remediation(RemediationEvent),
    /// Results of steps.
    Verification(VerificationEvent),
    /// Reports and exports.
    Report(ReportEvent),
    /// Timers.
    Timer(TimerEvent),
}

/// Incidents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum IncidentEvent {
    /// It became known what a firing alarm is about.
    Identified {
        /// The alarm.
        alarm: AlarmName,
        /// The service.
        service: Box<Service>,
    },
    /// The first alarm of a service fired.
    Opened {
        /// The service.
        service: Box<Service>,
        /// The alarm.
        alarm: AlarmName,
    },
    /// A further alarm of the same service fired.
    AlarmJoined {
        /// The alarm.
        alarm: AlarmName,
    },
    /// It was seen that incidents began together, or who of them probably moved first.
    StormSeen {
        /// The storm.
        storm: Box<Storm>,
    },
    /// The incident ended.
    Closed {
        /// How.
        reason: String,
    },
}

/// Why a round of questions was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Occasion {
    /// The incident opened, its service was corrected, or the person asked again.
    #[default]
    Incident,
    /// A step ran and failed its verification: what was read before it ran says nothing of now.
    Failed {
        /// Which step.
        step: StepId,
    },
    /// The undo of a step was asked for, and what was known then is too old to decide it on.
    Undo {
        /// Which step is the undo.
        step: StepId,
    },
}

/// Reports and exports.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum ReportEvent {
    /// A report was drafted.
    Drafted {
        /// One line: `P2 my-api: memory leak; rolling restart verified`.
        headline: String,
        /// What is promised.
        follow_ups: Vec<FollowUp>,
    },
    /// A follow-up that was watched came to its end, as its standing says.
    FollowUpEnded {
        /// The follow-up.
        follow_up: Box<FollowUp>,
    },
    /// Slack took it.
    Posted,
    /// Slack did not.
    PostFailed {
        /// Why.
        fault: Fault,
    },
    /// The session ends, and the newest report is certainly not in the channel: a resumed session posts it.
    PostLeft {
        /// What it waited for.
        fault: Fault,
    },
    /// Something was written out.
    Exported {
        /// Where to.
        path: String,
    },
}

/// What a timer is for; a stale one is recognised by the state it meets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "kebab-case")]
pub enum TimerPurpose {
    /// An armed step expires.
    ArmExpiry {
        /// Which step.
        step: StepId,
        /// Armed with this digest.
        digest: Digest,
    },
    /// Measure a running verification again.
    Measure {
        /// Which step.
        step: StepId,
    },
    /// Judge the gate again: evidence has aged.
    JudgeGate,
    /// The time of a follow-up is over.
    FollowUp,
}

/// Timers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum TimerEvent {
    /// It fired.
    Fired {
        /// What for.
        purpose: TimerPurpose,
    },
}

/// A wait, in incident time.
pub type Wait = SignedDuration;

impl Event {
    /// How the event is kept. Decisions and starts are synced.
    pub fn durability(&self) -> Durability {
        match self {
            Self::Session(event) => event.durability(),
            Self::Feed(
                FeedEvent::Answered { .. } | FeedEvent::GroupAnswered { .. } | FeedEvent::ServiceAnswered { .. },
            )
            | Self::Log(LogEvent::Early { .. })
            | Self::Workload(WorkloadEvent::Changed { .. }) => Durability::Ephemeral,
            Self::Remediation(event) => event.durability(),
            Self::Narrative(NarrativeEvent::RulesChosen { .. }) => Durability::Synced,
            Self::Alarm(_)
            | Self::Feed(
                FeedEvent::Changed { .. }
                | FeedEvent::GroupChanged { .. }
                | FeedEvent::GroupFollowed { .. }
                | FeedEvent::ServiceChanged { .. }
                | FeedEvent::ServiceUnreadable { .. }
                | FeedEvent::Unreadable { .. },
            )
            | Self::Metric(_)
            | Self::Log(LogEvent::Batch { .. } | LogEvent::Gap { .. })
            | Self::Incident(_)
            | Self::Evidence(_)
            | Self::Narrative(_)
            | Self::Verification(_)
            | Self::Report(_)
            | Self::Timer(_) => Durability::Buffered,
        }
    }
}
