//! Where an incident stands, and who of the relay has it.

use serde::Serialize;

use crate::domain::remediation::step::StepId;

/// Where an incident stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Open, nothing asked yet.
    #[default]
    Watching,
    /// Evidence is being read.
    Triage,
    /// The model is writing.
    Diagnosing,
    /// Judged; there may be a plan, being rehearsed.
    Planned,
    /// A step waits for the person.
    Asking,
    /// A request is under way.
    Running,
    /// A result is being watched.
    Verifying,
    /// A step may or may not have run: see which.
    Uncertain(StepId),
    /// Over.
    Closed,
}

impl Phase {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Watching => "watching",
            Self::Triage => "triage",
            Self::Diagnosing => "diagnosing",
            Self::Planned => "planned",
            Self::Asking => "asking",
            Self::Running => "running",
            Self::Verifying => "verifying",
            Self::Uncertain(_) => "UNCERTAIN",
            Self::Closed => "closed",
        }
    }

    /// Which role has the baton.
    pub fn baton(self) -> Baton {
        match self {
            Self::Watching => Baton::Watch,
            Self::Triage | Self::Diagnosing => Baton::Analyst,
            Self::Planned | Self::Asking | Self::Running | Self::Verifying | Self::Uncertain(_) => Baton::Remediator,
            Self::Closed => Baton::Reporter,
        }
    }
}

/// The four roles of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Baton {
    /// Alarms, metrics, logs, workloads.
    Watch,
    /// Evidence, verdict, narrative.
    Analyst,
    /// Steps.
    Remediator,
    /// Slack, follow-ups, transcript.
    Reporter,
}

impl Baton {
    /// The word in line 1.
    pub fn word(self) -> &'static str {
        match self {
            Self::Watch => "watch",
            Self::Analyst => "analyst",
            Self::Remediator => "remediator",
            Self::Reporter => "reporter",
        }
    }
}
