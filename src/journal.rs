//! The journal: an append-only file of hash-chained JSON lines, and the truth of a session.
//! Synchronous and free of network and runtime: whoever owns a thread for it drives it.
//!
//! # The file
//! One JSON object a line. The first is `{"journal":{…},"prev":HASH,"hash":HASH}` and names the schema; each later one
//! is `{"record":{…},"prev":HASH,"hash":HASH}`. `hash` is SHA-256 over the very bytes of the line before `,"hash":`,
//! `prev` is the hash of the line before (64 zeros in the first). Lines are checked as bytes, before they are parsed.
//!
//! # What the chain shows, and what it cannot
//! A changed, added, removed or moved line is found, with its number and the reason. Two things no chain can show by
//! itself: that whole lines are missing at the end, and that somebody wrote the whole file anew. Both are found against
//! an [`Anchor`] kept elsewhere (a report prints one), and [`Verification::ended`] tells whether the last record says
//! that the session ended in order.
//!
//! # Versions
//! Journals of every released version load. Within a schema, fields may be added: they must have a default, and unknown
//! ones are passed over. A new kind of record, or a changed meaning, raises [`SCHEMA`]; a later schema than ours is
//! refused with the advice to upgrade, for a half-understood journal would fold to a session that never was.

mod chain;
mod fault;
mod reader;
mod writer;

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

pub use chain::{Flaw, Hash};
pub use fault::JournalError;
pub use reader::{Anchor, Broken, End, Preamble, Reader, Verification, verify};
pub use writer::{Resumed, Store, Writer};

/// The schema this program writes, and the latest it reads.
pub const SCHEMA: u32 = 1;

/// Makes a folder, with those it lies in, for its owner alone: names of sessions and exports tell of incidents.
///
/// # Errors
/// It is not there and cannot be made.
pub fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
