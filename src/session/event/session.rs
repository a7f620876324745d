//! What happens to the session itself: its beginnings and ends, what becomes known of where it is, and what a person notes.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::Durability;
use crate::domain::diagnosis::evidence::EvidenceId;
use crate::domain::drill::DrillChange;
use crate::domain::fault::Fault;
use crate::domain::observation::scope::{Namespace, Scope};
use crate::domain::observation::skew::ClockSkew;
use crate::session::header::Header;

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
        /// How far the times of this session are ahead of its machine's clock: that was set back, and what runs out must not
        /// be prolonged. Made when the event is stamped.
        #[serde(default, skip_serializing_if = "SignedDuration::is_zero")]
        lead: SignedDuration,
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

impl SessionEvent {
    /// How the event is kept.
    pub fn durability(&self) -> Durability {
        match self {
            Self::Started { .. } | Self::Resumed { .. } | Self::Ended { .. } => Durability::Synced,
            Self::ScopeLearned { .. }
            | Self::NamespacesLearned { .. }
            | Self::CredentialsRead { .. }
            | Self::ClockCompared { .. }
            | Self::Noted { .. }
            | Self::PinToggled { .. }
            | Self::GameDay { .. }
            | Self::Faulted { .. } => Durability::Buffered,
            // It tells of a journal that cannot be written, so it cannot be in it.
            Self::BecameReadOnly { .. } => Durability::Ephemeral,
        }
    }
}
