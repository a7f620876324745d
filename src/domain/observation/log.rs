//! Log lines as ingested: sanitised, redacted, classified. Raw telemetry never gets past `ingest`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::oom_kill::KillSign;

crate::text_id!(
    /// A CloudWatch log group such as `/ecs/my-api`.
    LogGroup
);
crate::text_id!(
    /// The id CloudWatch gives a log event; unique in its group, the key for removing duplicates.
    LogEventId
);

/// How loud a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// Trace and debug.
    Debug,
    /// Info, and anything that names no level.
    Info,
    /// Warning.
    Warn,
    /// Error and worse.
    Error,
}

impl LogLevel {
    /// The column word, five wide at most.
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// An event as an adapter read it, before it is cleaned. Never stored, never shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLogEvent {
    /// The id CloudWatch gave it.
    pub id: LogEventId,
    /// When it happened, by its own account.
    pub at: Timestamp,
    /// The stream: usually a task, pod or container.
    pub stream: String,
    /// The text as received.
    pub message: String,
}

/// A line fit to be shown: no control characters, no secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// The id CloudWatch gave it.
    pub id: LogEventId,
    /// When it happened.
    pub at: Timestamp,
    /// Its group.
    pub group: LogGroup,
    /// Its stream.
    pub stream: String,
    /// Its level.
    pub level: LogLevel,
    /// The sanitised and redacted text.
    pub text: String,
    /// The sign of a kill or a heap error, where it carries one.
    pub kill: Option<KillSign>,
}

/// How much of a window has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Completeness {
    /// Every event of the window was read.
    Exact,
    /// Reading stopped at a limit of ours; `of` where the source tells the whole.
    Truncated {
        /// Read.
        seen: u64,
        /// Of how many, if known.
        of: Option<u64>,
    },
    /// The source dropped some on its side (Live Tail above 500 events a second).
    Sampled {
        /// Read.
        seen: u64,
    },
}

/// What one page of log events came to, counted by code; journaled where the lines are not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchSummary {
    /// Lines received, duplicates left out.
    pub lines: u64,
    /// Lines that were already known by id.
    pub duplicates: u64,
    /// Lines of level warn.
    pub warnings: u64,
    /// Lines of level error.
    pub errors: u64,
    /// Lines that tell of a kill by the kernel or the platform.
    pub kills: u64,
    /// Lines that tell of a heap error inside the process.
    pub heap_errors: u64,
    /// Bytes of text kept.
    pub bytes: u64,
    /// Lines in which something was redacted.
    pub redacted: u64,
    /// The oldest instant in the batch.
    pub first_at: Option<Timestamp>,
    /// The newest instant in the batch.
    pub last_at: Option<Timestamp>,
}
