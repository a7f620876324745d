//! What a person reads when something outside failed: a summary, its causes, and what to do next.

use std::fmt;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// The class of a failure. Decides the word on screen, whether a retry helps, and the colour; never parsed from text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// Credentials are missing, expired or of the wrong account.
    Credentials,
    /// The caller is known but may not do this.
    Denied,
    /// The service asked to slow down.
    Throttled,
    /// The thing asked for does not exist.
    NotFound,
    /// No answer within the time we grant.
    Timeout,
    /// No connection: DNS, refused, reset, TLS.
    Unreachable,
    /// An answer that could not be read.
    Malformed,
    /// Somebody else changed the object first (HTTP 409).
    Conflict,
    /// The service failed on its side (HTTP 5xx).
    Unavailable,
    /// The service understood the request and refused it (validation, admission, quota).
    Rejected,
    /// A stream ended before it was complete.
    Cut,
    /// The disk: the journal or an export could not be written or read.
    Storage,
    /// What the person gave us is wrong: a flag, a file, a scenario.
    Usage,
    /// Not configured, so never asked.
    NotConfigured,
    /// A defect of ours.
    Internal,
}

impl FaultKind {
    /// Whether asking again, later and unchanged, may succeed.
    pub fn is_transient(self) -> bool {
        match self {
            Self::Throttled | Self::Timeout | Self::Unreachable | Self::Conflict | Self::Unavailable | Self::Cut => {
                true
            }
            Self::Credentials
            | Self::Denied
            | Self::NotFound
            | Self::Malformed
            | Self::Rejected
            | Self::Storage
            | Self::Usage
            | Self::NotConfigured
            | Self::Internal => false,
        }
    }

    /// One word for a freshness stamp: `ERR AccessDenied`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Credentials => "Credentials",
            Self::Denied => "AccessDenied",
            Self::Throttled => "Throttled",
            Self::NotFound => "NotFound",
            Self::Timeout => "Timeout",
            Self::Unreachable => "Unreachable",
            Self::Malformed => "Malformed",
            Self::Conflict => "Conflict",
            Self::Unavailable => "Unavailable",
            Self::Rejected => "Rejected",
            Self::Cut => "Cut",
            Self::Storage => "Storage",
            Self::Usage => "Usage",
            Self::NotConfigured => "NotConfigured",
            Self::Internal => "Internal",
        }
    }
}

/// A failure as a person reads it. Sentences end with a period; the next action is in a hint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The class, for code.
    pub kind: FaultKind,
    /// What happened, one sentence, named by the step that failed.
    pub summary: String,
    /// Why, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// How long the other side asks to be left alone, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait: Option<SignedDuration>,
}

impl Fault {
    /// A fault with a summary alone.
    pub fn new(kind: FaultKind, summary: impl Into<String>) -> Self {
        Self { kind, summary: summary.into(), causes: Vec::new(), hints: Vec::new(), wait: None }
    }

    /// Adds a cause.
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Adds how long the other side asks to wait.
    pub fn asks_to_wait(mut self, wait: SignedDuration) -> Self {
        self.wait = Some(wait);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.summary)?;
        for cause in &self.causes {
            write!(f, " Cause: {cause}")?;
        }
        for hint in &self.hints {
            write!(f, " Hint: {hint}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}
