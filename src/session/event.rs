//! Everything that can happen, in the past tense. A record is one of these with a time.

mod analysis;
mod feed;
mod remediation;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::header::Header;
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::diagnosis::storm::Storm;
use crate::domain::drill::DrillChange;
use crate::domain::fault::Fault;
use crate::domain::observation::alarm::{Alarm, AlarmDetail, AlarmName};
use crate::domain::observation::log::{BatchSummary, LogGroup, LogLine};
use crate::domain::observation::metric::Series;
use crate::domain::observation::scope::{Namespace, Scope, Window};
use crate::domain::observation::service::{Service, ServiceName};
use crate::domain::observation::skew::ClockSkew;
use crate::domain::observation::workload::ClusterChange;
use crate::domain::remediation::follow_up::FollowUp;
use crate::domain::remediation::request::Digest;
use crate::domain::remediation::step::StepId;

pub use analysis::{EvidenceEvent, NarrativeEvent};
pub use feed::FeedEvent;
pub use remediation::{Execution, RemediationEvent, VerificationEvent};

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

/// The session itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum SessionEvent {
    /// The first record.
    Started {
        /// What this session is.
        header: Box<Header>,
    },
    /// A journal was taken up again after its process ended.
    Resumed {
        /// Why the process before ended, if known.
        note: String,
    },
    /// Account, identity or cluster became known.
    ScopeLearned {
        /// The scope as now known.
        scope: Scope,
        /// The word for it, where the configuration has one; `None` in journals of before there was one.
        #[serde(default)]
        environment: Option<String>,
    },
    /// Which namespaces are watched became known: the context's own where none was named, or one that an alarm is about.
    NamespacesLearned {
        /// All that are watched now.
        namespaces: Vec<Namespace>,
    },
    /// The credentials' end became known.
    CredentialsRead {
        /// When they expire; `None` for credentials that do not.
        expires_at: Option<Timestamp>,
    },
    /// It was seen that the clock of this machine and that of AWS are apart, or by how much else, or that they are no more.
    ClockCompared {
        /// How far.
        skew: ClockSkew,
    },
    /// The person wrote a note.
    Noted {
        /// Its text, sanitised and redacted.
        text: String,
    },
    /// The person pinned or unpinned evidence.
    PinToggled {
        /// Which.
        evidence: EvidenceId,
    },
    /// Something failed that belongs to no feed.
    Faulted {
        /// What a person reads.
        fault: Fault,
    },
    /// A person let loose or cleared a fault of the simulated cloud.
    GameDay {
        /// What, in words.
        text: String,
        /// What it did to the faults that stand; `None` in journals from before this was kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        change: Option<DrillChange>,
    },
    /// The journal cannot be written: nothing may be decided or run any more.
    BecameReadOnly {
        /// Why.
        fault: Fault,
    },
    /// The session ended in order.
    Ended {
        /// How: quit, signal, done.
        reason: String,
    },
}

/// Alarms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum AlarmEvent {
    /// Entered ALARM, or was found there first.
    Raised {
        /// As read.
        alarm: Box<Alarm>,
    },
    /// Left ALARM.
    Cleared {
        /// As read.
        alarm: Box<Alarm>,
    },
    /// Changed otherwise.
    Updated {
        /// As read.
        alarm: Box<Alarm>,
    },
    /// A person wants an incident about it, whatever its state: it may be one that only scales, or one that is quiet again.
    Chosen {
        /// Its name.
        name: AlarmName,
    },
    /// A person opened it, and what is behind it was read.
    Detailed {
        /// Its name.
        name: AlarmName,
        /// What was read.
        detail: Box<AlarmDetail>,
    },
    /// No longer listed.
    Removed {
        /// Its name.
        name: AlarmName,
    },
}

/// Metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum MetricEvent {
    /// Points that were not known before.
    Read {
        /// Whose.
        service: ServiceName,
        /// The new points with what was asked.
        series: Series,
    },
}

/// Log pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum LogEvent {
    /// One page, counted. The lines are folded into a ring and never written.
    Batch {
        /// Their group.
        group: LogGroup,
        /// The counts.
        summary: BatchSummary,
        /// The lines that were not shown early, absent from a journal. The ring shares them with the event: a line is stored once.
        #[serde(skip)]
        lines: Vec<Arc<LogLine>>,
    },
    /// Live Tail showed lines ahead of the account: to be seen, not to be counted, and never written.
    Early {
        /// Their group.
        group: LogGroup,
        /// The lines. The page that counts them does not carry them again.
        #[serde(skip)]
        lines: Vec<Arc<LogLine>>,
    },
    /// Events of this span were not read.
    Gap {
        /// Their group.
        group: LogGroup,
        /// The span.
        window: Window,
        /// How many, where that is known.
        missed: Option<u64>,
        /// Why.
        why: String,
    },
}

/// The cluster view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum WorkloadEvent {
    /// The watch told a change.
    Changed {
        /// Which.
        change: ClusterChange,
    },
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
    /// The person corrected what the alarm is about.
    ServiceCorrected {
        /// As corrected.
        service: Box<Service>,
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
            Self::Session(event) => session_durability(event),
            Self::Feed(
                FeedEvent::Answered { .. } | FeedEvent::GroupAnswered { .. } | FeedEvent::ServiceAnswered { .. },
            )
            | Self::Log(LogEvent::Early { .. })
            | Self::Workload(WorkloadEvent::Changed { .. }) => Durability::Ephemeral,
            Self::Remediation(event) => remediation_durability(event),
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

fn session_durability(event: &SessionEvent) -> Durability {
    match event {
        SessionEvent::Started { .. } | SessionEvent::Resumed { .. } | SessionEvent::Ended { .. } => Durability::Synced,
        SessionEvent::ScopeLearned { .. }
        | SessionEvent::NamespacesLearned { .. }
        | SessionEvent::CredentialsRead { .. }
        | SessionEvent::ClockCompared { .. }
        | SessionEvent::Noted { .. }
        | SessionEvent::PinToggled { .. }
        | SessionEvent::GameDay { .. }
        | SessionEvent::Faulted { .. } => Durability::Buffered,
        // It tells of a journal that cannot be written, so it cannot be in it.
        SessionEvent::BecameReadOnly { .. } => Durability::Ephemeral,
    }
}

fn remediation_durability(event: &RemediationEvent) -> Durability {
    match event {
        RemediationEvent::StepArmed { .. }
        | RemediationEvent::DecisionGiven { .. }
        | RemediationEvent::PermitRefused { .. }
        | RemediationEvent::StepStarted { .. }
        | RemediationEvent::StepFinished { .. }
        | RemediationEvent::StoodDown { .. }
        | RemediationEvent::Expired { .. }
        | RemediationEvent::UncertaintySettled { .. } => Durability::Synced,
        RemediationEvent::GateJudged { .. }
        | RemediationEvent::PlanProposed { .. }
        | RemediationEvent::StepSkipped { .. }
        | RemediationEvent::RehearsalAsked { .. }
        | RemediationEvent::StepRehearsed { .. }
        | RemediationEvent::UndoProposed { .. } => Durability::Buffered,
    }
}
