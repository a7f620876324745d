//! Follow-ups: what a report promises to watch, with a test that can be run later.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::observation::metric::MetricRole;

/// What a follow-up looks at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "watch", rename_all = "kebab-case")]
pub enum FollowUpTest {
    /// A metric stays below a bound for a time.
    MetricBelow {
        /// Which metric of the service.
        role: MetricRole,
        /// The bound, in its unit.
        bound: f64,
        /// For how long, minutes.
        minutes: u32,
    },
    /// Something only a person can do.
    Person,
}

/// A follow-up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FollowUp {
    /// The promise as a sentence: `watch CPU for 30 minutes`.
    pub text: String,
    /// What is looked at.
    pub test: FollowUpTest,
    /// When it is due.
    pub due_at: Timestamp,
}
