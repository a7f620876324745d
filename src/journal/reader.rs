//! Reads a journal as a stream of records, checking the chain on the way. Never writes; may read beside a writer.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SCHEMA;
use super::chain::{self, Flaw, Hash, Part};
use super::fault::JournalError;
use crate::session::Record;
use crate::session::event::{Event, SessionEvent};

/// No line of ours is nearly as long, and what has no end of a line is not read into memory to the end of the file.
const MOST_LINE: u64 = 64 << 20;

/// What the first line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preamble {
    /// The schema of the lines that follow.
    pub schema: u32,
    /// The program's version that began the file.
    pub program: String,
    /// The session's id.
    pub session: String,
}

impl Preamble {
    /// The preamble of a new journal.
    pub fn new(session: impl Into<String>) -> Self {
        Self { schema: SCHEMA, program: env!("CARGO_PKG_VERSION").to_owned(), session: session.into() }
    }
}

/// The schema of a first line, looked at alone: a later one may have other fields.
#[derive(Deserialize)]
struct Schema {
    schema: u32,
}

/// How a file ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With a whole line.
    Whole,
    /// In the middle of a line, as after a crash or a full disk: that line was never acknowledged.
    Torn {
        /// How many bytes of it there are.
        bytes: u64,
    },
}

/// The first line that is not what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Which line, from 1.
    pub line: u64,
    /// Why.
    pub flaw: Flaw,
}

/// A place in a chain, to be kept outside of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Lines up to there, the first included.
    pub lines: u64,
    /// The hash of the last of them.
    pub hash: Hash,
}

/// `LINES:HASH`, as a session prints it at its end.
impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.lines, self.hash)
    }
}

impl Anchor {
    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<Self> {
        let (lines, hash) = text.trim().split_once(':')?;
        Some(Self { lines: lines.parse().ok()?, hash: Hash::parse(hash)? })
    }
}

/// Records of a journal, one by one. After a torn end it is exhausted; as an iterator after an error as well, while
/// [`Reader::next_record`] goes on behind a line that cannot be read.
pub struct Reader<R> {
    source: R,
    /// Where it is, for what a person reads.
    path: PathBuf,
    preamble: Preamble,
    at: Anchor,
    last_seq: u64,
    bytes: u64,
    end: Option<End>,
    buffer: Vec<u8>,
}

impl Reader<BufReader<File>> {
    /// Opens a file.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let file = File::open(path).map_err(|source| JournalError::File {
            doing: "opening",
            path: path.to_owned(),
            source,
        })?;
        Self::begin(BufReader::with_capacity(1 << 16, file), path)
    }
}

impl<R: BufRead> Reader<R> {
    /// Reads the first line.
    pub fn new(source: R) -> Result<Self, JournalError> {
        Self::begin(source, Path::new("the journal"))
    }

    fn begin(source: R, path: &Path) -> Result<Self, JournalError> {
        let mut reader = Self {
            source,
            path: path.to_owned(),
            preamble: Preamble::new(""),
            at: Anchor { lines: 0, hash: Hash::GENESIS },
            last_seq: 0,
            bytes: 0,
            end: None,
            buffer: Vec::new(),
        };
        let first = reader.line(Part::Preamble)?.ok_or(JournalError::NoPreamble)?;
        let unreadable =
            |error: serde_json::Error| JournalError::Broken { line: 1, flaw: Flaw::Unreadable(error.to_string()) };
        let Schema { schema } = serde_json::from_str(&first).map_err(unreadable)?;
        if schema > SCHEMA {
            return Err(JournalError::LaterSchema { found: schema, ours: SCHEMA });
        }
        reader.preamble = serde_json::from_str(&first).map_err(unreadable)?;
        Ok(reader)
    }

    /// What the first line says.
    pub fn preamble(&self) -> &Preamble {
        &self.preamble
    }

    /// The place after the last line read.
    pub fn anchor(&self) -> Anchor {
        self.at
    }

    /// Bytes of whole lines read so far.
    pub fn whole_bytes(&self) -> u64 {
        self.bytes
    }

    /// The number of the last record read.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// How the file ends, once that was seen.
    pub fn end(&self) -> Option<End> {
        self.end
    }

    /// The next record; `None` at the end of the whole lines.
    pub fn next_record(&mut self) -> Result<Option<Record>, JournalError> {
        let Some(payload) = self.line(Part::Record)? else { return Ok(None) };
        let line = self.at.lines;
        let record: Record = serde_json::from_str(&payload)
            .map_err(|error| JournalError::Broken { line, flaw: Flaw::Unreadable(error.to_string()) })?;
        if record.seq <= self.last_seq {
            let flaw = Flaw::OutOfOrder { before: self.last_seq, seq: record.seq };
            return Err(JournalError::Broken { line, flaw });
        }
        self.last_seq = record.seq;
        Ok(Some(record))
    }

    /// The payload of the next whole line whose chain holds.
    fn line(&mut self, part: Part) -> Result<Option<String>, JournalError> {
        if self.end.is_some() {
            return Ok(None);
        }
        self.buffer.clear();
        let within = self.source.by_ref().take(MOST_LINE + 1).read_until(b'\n', &mut self.buffer);
        let failed = |source| JournalError::File { doing: "reading", path: self.path.clone(), source };
        let read = within.map_err(failed)? as u64;
        if read > MOST_LINE {
            return Err(JournalError::Broken { line: self.at.lines + 1, flaw: Flaw::Malformed });
        }
        let Some(line) = self.buffer.strip_suffix(b"\n") else {
            self.end = Some(if read == 0 { End::Whole } else { End::Torn { bytes: read } });
            return Ok(None);
        };
        let number = self.at.lines + 1;
        let opened =
            chain::open(part, line, self.at.hash).map_err(|flaw| JournalError::Broken { line: number, flaw })?;
        let payload = opened.payload.to_owned();
        self.at = Anchor { lines: number, hash: opened.hash };
        self.bytes += read;
        Ok(Some(payload))
    }
}

impl<R: BufRead> Iterator for Reader<R> {
    type Item = Result<Record, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_record().transpose();
        if matches!(next, Some(Err(_))) {
            self.end.get_or_insert(End::Whole);
        }
        next
    }
}

/// What a check of the whole chain found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The first line that is not what was written; `None` means that all whole lines are.
    pub broken: Option<Broken>,
    /// The last good place. Keep it elsewhere to prove later that nothing was cut off.
    pub anchor: Anchor,
    /// How the file ends.
    pub end: End,
    /// Whether the last record says that the session ended in order. Without it the chain cannot tell a crash from
    /// lines cut off at the end.
    pub ended: bool,
    /// Whether the anchor given was met on the way; `None` when none was given.
    pub anchor_met: Option<bool>,
}

impl Verification {
    /// Whether everything that can be proven holds.
    pub fn is_intact(&self) -> bool {
        self.broken.is_none() && self.anchor_met != Some(false)
    }
}

/// Checks a whole chain, against an anchor kept elsewhere where there is one.
pub fn verify<R: BufRead>(source: R, kept: Option<Anchor>) -> Result<Verification, JournalError> {
    let mut reader = Reader::new(source)?;
    let mut met = kept.map(|anchor| anchor == reader.anchor());
    let mut ended = false;
    let broken = loop {
        match reader.next_record() {
            Ok(Some(record)) => {
                ended = matches!(record.event, Event::Session(SessionEvent::Ended { .. }));
                if kept == Some(reader.anchor()) {
                    met = Some(true);
                }
            }
            Ok(None) => break None,
            Err(JournalError::Broken { line, flaw }) => break Some(Broken { line, flaw }),
            Err(error) => return Err(error),
        }
    };
    let end = reader.end().unwrap_or(End::Whole);
    Ok(Verification { broken, anchor: reader.anchor(), end, ended: ended && end == End::Whole, anchor_met: met })
}
