//! What is read of an alarm when a person opens it: how its state went, and how what it compares stands now.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::AlarmState;
use crate::domain::fault::Fault;

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transition {
    /// When.
    pub at: Timestamp,
    /// From which state, where that is told.
    pub from: Option<AlarmState>,
    /// To which.
    pub to: AlarmState,
    /// Why, in CloudWatch's words, sanitised.
    pub reason: String,
}

/// The changes of state, newest first. CloudWatch keeps 30 days.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmHistory {
    /// As many as were asked for.
    pub transitions: Vec<Transition>,
    /// Items that could not be read as a change of state.
    #[serde(default)]
    pub unreadable: u64,
    /// Whether older ones were left unread.
    #[serde(default)]
    pub reach: Reach,
}

/// How far back something was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reach {
    /// To its beginning.
    #[default]
    Whole,
    /// To a limit of ours.
    Cut,
}

/// The bounds of an anomaly band in one period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BandPoint {
    /// Start of the period.
    pub at: Timestamp,
    /// Below it is an anomaly.
    pub lower: f64,
    /// Above it is one.
    pub upper: f64,
}

/// What an alarm compares, in its newest period.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComparedNow {
    /// Start of the period.
    pub at: Timestamp,
    /// The value that is compared.
    pub value: f64,
    /// The band it is compared with, where there is one and it has a value for the period.
    #[serde(default)]
    pub band: Option<BandPoint>,
}

/// One thing that was asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Asked<T> {
    /// Answered.
    Read {
        /// With this.
        answer: T,
    },
    /// Answered, and there is nothing.
    Empty,
    /// Not answered.
    Failed {
        /// Why.
        fault: Fault,
    },
    /// Not asked: this kind of alarm has no such thing.
    NotAsked,
}

/// What was read of an alarm beside its listing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmDetail {
    /// When.
    pub read_at: Timestamp,
    /// How its state went.
    pub history: Asked<AlarmHistory>,
    /// How what it compares stands.
    pub now: Asked<ComparedNow>,
}
