//! What can go wrong with a journal, named by the step, and how a person reads it.

use std::io;
use std::path::PathBuf;

use super::chain::Flaw;
use crate::domain::fault::{Fault, FaultKind};

/// A failure of the journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file or its folder could not be made, opened, locked or measured.
    #[error("{doing} {path}: {source}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// Another process is writing it.
    #[error("{0} is being written by another process")]
    Locked(PathBuf),
    /// A line could not be written, or not brought to the disk.
    #[error("the journal cannot be written: {0}")]
    Write(io::Error),
    /// A write failed before; the file is left as it was then.
    #[error("the journal was closed by an earlier write error")]
    Closed,
    /// The record's number does not follow the last.
    #[error("record {seq} does not follow {last}")]
    OutOfOrder {
        /// The last number written.
        last: u64,
        /// The number given.
        seq: u64,
    },
    /// The record could not be put into JSON.
    #[error("a record could not be put into JSON: {0}")]
    Encode(serde_json::Error),
    /// There is no whole first line.
    #[error("the journal has no whole first line")]
    NoPreamble,
    /// It was written by a later version.
    #[error("the journal has schema {found}, this program reads up to {ours}")]
    LaterSchema {
        /// The file's.
        found: u32,
        /// The latest we read.
        ours: u32,
    },
    /// A line is not what was written.
    #[error("line {line}: {flaw}")]
    Broken {
        /// Which line, from 1.
        line: u64,
        /// Why.
        flaw: Flaw,
    },
}

impl JournalError {
    /// What a person reads.
    pub fn fault(&self) -> Fault {
        let told = |kind, summary: &str| Fault::new(kind, summary).cause(format!("{self}."));
        match self {
            Self::File { source, .. } => {
                disk_hint(told(FaultKind::Storage, "The journal could not be opened."), source)
            }
            Self::Locked(_) => told(FaultKind::Storage, "The journal belongs to a running session.")
                .hint("End the other pagerdeck first; `replay` and `export` can read along."),
            Self::Write(source) => disk_hint(
                told(FaultKind::Storage, "The journal cannot be written: this session is read-only from here on."),
                source,
            ),
            Self::Closed => told(FaultKind::Storage, "The journal is closed: this session is read-only.")
                .hint("Start a new session."),
            Self::OutOfOrder { .. } | Self::Encode(_) => told(FaultKind::Internal, "A record did not fit the journal."),
            Self::NoPreamble => {
                told(FaultKind::Storage, "The journal ends before its first line: nothing was recorded.")
                    .hint("The session ended while it was starting; the file can be deleted.")
            }
            Self::LaterSchema { .. } => {
                told(FaultKind::Usage, "The journal was written by a later version of pagerdeck.")
                    .hint("Read it with that version, or a later one.")
            }
            Self::Broken { flaw: Flaw::Unreadable(_), .. } => {
                told(FaultKind::Usage, "The journal holds what this version of pagerdeck does not know.")
                    .hint("A later version wrote it: read it with that one.")
            }
            Self::Broken { .. } => told(FaultKind::Storage, "The journal is not as it was written.")
                .hint("`pagerdeck verify` says where; restore the file from a copy."),
        }
    }
}

impl From<JournalError> for Fault {
    fn from(error: JournalError) -> Self {
        error.fault()
    }
}

fn disk_hint(fault: Fault, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::WriteZero => {
            fault.hint("The disk is full: make room, then start a new session.")
        }
        io::ErrorKind::FileTooLarge => {
            fault.hint("A limit holds for the size of files (`ulimit -f`): raise it, then start a new session.")
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            fault.hint("Give a folder that can be written, by PAGERDECK_STATE.")
        }
        io::ErrorKind::NotFound => fault.hint("`pagerdeck sessions` lists the journals there are."),
        io::ErrorKind::AlreadyExists => fault.hint("A journal is never written over: take it up again by `resume`."),
        _ => fault,
    }
}
