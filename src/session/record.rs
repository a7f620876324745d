//! The record: time and order enter the session here and nowhere else.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::Event;

/// An incident's number in its session, from 1; shown as `I1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(pub u32);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "I{}", self.0)
    }
}

/// One event with its place and time. Sequence numbers ascend; ephemeral events leave gaps in a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// From 1, ascending.
    pub seq: u64,
    /// Incident time.
    pub at: Timestamp,
    /// The incident it belongs to, where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
    /// What happened.
    pub event: Event,
}
