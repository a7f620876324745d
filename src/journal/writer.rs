//! Appends records: one write a line, one hash a line, and an acknowledgement only for what is on the disk.
//! After the first failed write nothing more is written: the session is read-only from there on.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use serde_json::Value;

use super::chain::{self, Hash, Part};
use super::fault::JournalError;
use super::make_folder;
use super::reader::{Anchor, End, Preamble, Reader};
use crate::domain::observation::redact;
use crate::session::Record;
use crate::session::event::Durability;

/// What a journal is written to. A file; in tests something smaller.
pub trait Store: Write {
    /// Brings what was written to the disk.
    fn persist(&mut self) -> io::Result<()>;

    /// Cuts off everything behind a length.
    fn cut(&mut self, length: u64) -> io::Result<()>;
}

impl Store for File {
    fn persist(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }
}

/// What taking up a journal found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// How the file ended; a torn line has been cut off.
    pub end: End,
    /// The last record.
    pub last_seq: u64,
}

enum Health {
    Fine,
    Closed,
}

/// The one writer of a journal. Holds an exclusive lock on the file for as long as it lives.
pub struct Writer<S> {
    store: S,
    at: Anchor,
    length: u64,
    last_seq: u64,
    health: Health,
}

impl Writer<File> {
    /// Begins a journal: a new file (mode 0600, its missing folders 0700), locked, with its first line on the disk.
    /// Never writes over a file.
    pub fn create(path: &Path, preamble: &Preamble) -> Result<Self, JournalError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        make_folder(folder).map_err(file("making the folder", folder))?;
        let file_made =
            OpenOptions::new().append(true).create_new(true).mode(0o600).open(path).map_err(file("making", path))?;
        lock(&file_made, path)?;
        let writer = Self::begin(file_made, preamble)?;
        // The name of a new file is only on the disk once its folder is.
        File::open(folder).and_then(|folder| folder.sync_all()).map_err(file("syncing the folder", folder))?;
        Ok(writer)
    }

    /// Takes up a journal after its process ended: locks it, gives each record to `each`, cuts off a torn last line,
    /// and goes on behind the last whole one. A chain that does not hold is refused.
    pub fn resume(path: &Path, mut each: impl FnMut(Record)) -> Result<(Self, Resumed), JournalError> {
        let opened = OpenOptions::new().append(true).read(true).open(path).map_err(file("opening", path))?;
        lock(&opened, path)?;
        let source = opened.try_clone().map_err(file("opening", path))?;
        let mut reader = Reader::new(BufReader::with_capacity(1 << 16, source))?;
        while let Some(record) = reader.next_record()? {
            each(record);
        }
        let end = reader.end().unwrap_or(End::Whole);
        let mut writer = Self {
            store: opened,
            at: reader.anchor(),
            length: reader.whole_bytes(),
            last_seq: reader.last_seq(),
            health: Health::Fine,
        };
        if let End::Torn { .. } = end {
            writer.store.cut(writer.length).map_err(JournalError::Write)?;
        }
        // What was read may still only be in the system's memory, if the process alone had died.
        writer.store.persist().map_err(JournalError::Write)?;
        Ok((writer, Resumed { end, last_seq: reader.last_seq() }))
    }
}

impl<S: Store> Writer<S> {
    /// Begins a journal on an empty store.
    pub fn begin(store: S, preamble: &Preamble) -> Result<Self, JournalError> {
        let mut writer =
            Self { store, at: Anchor { lines: 0, hash: Hash::GENESIS }, length: 0, last_seq: 0, health: Health::Fine };
        let payload = serde_json::to_string(preamble).map_err(JournalError::Encode)?;
        writer.write(Part::Preamble, &payload)?;
        writer.sync()?;
        Ok(writer)
    }

    /// Appends a record, which reaches the system, and the disk with the next [`sync`](Self::sync); an ephemeral one has no
    /// line. Says how many secrets only this last check before writing found: the record as written then differs from the
    /// one folded.
    pub fn append(&mut self, record: &Record) -> Result<u32, JournalError> {
        if record.seq <= self.last_seq {
            return Err(JournalError::OutOfOrder { last: self.last_seq, seq: record.seq });
        }
        match record.event.durability() {
            Durability::Ephemeral => return Ok(0),
            Durability::Buffered | Durability::Synced => {}
        }
        let mut value = serde_json::to_value(record).map_err(JournalError::Encode)?;
        let redacted = hide_secrets(&mut value);
        self.write(Part::Record, &value.to_string())?;
        self.last_seq = record.seq;
        Ok(redacted)
    }

    /// The last record appended: the system has it, the disk perhaps not yet.
    pub fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// Brings everything appended so far to the disk, and says up to which record.
    pub fn sync(&mut self) -> Result<u64, JournalError> {
        self.check_open()?;
        if let Err(error) = self.store.persist() {
            // After a failed sync nobody knows which pages were lost: nothing more may be promised.
            self.health = Health::Closed;
            return Err(JournalError::Write(error));
        }
        Ok(self.last_seq)
    }

    /// The place after the last line, for a report to print.
    pub fn anchor(&self) -> Anchor {
        self.at
    }

    fn write(&mut self, part: Part, payload: &str) -> Result<(), JournalError> {
        self.check_open()?;
        let (line, hash) = chain::seal(part, payload, self.at.hash);
        if let Err(error) = self.store.write_all(line.as_bytes()).and_then(|()| self.store.flush()) {
            self.health = Health::Closed;
            // Part of the line may be there. If it cannot be cut off now, a reader tells it as torn.
            let _ = self.store.cut(self.length);
            return Err(JournalError::Write(error));
        }
        self.length += line.len() as u64;
        self.at = Anchor { lines: self.at.lines + 1, hash };
        Ok(())
    }

    fn check_open(&self) -> Result<(), JournalError> {
        match self.health {
            Health::Fine => Ok(()),
            Health::Closed => Err(JournalError::Closed),
        }
    }
}

/// The last check before writing: redacts every text inside a value, and counts what it had to hide.
fn hide_secrets(value: &mut Value) -> u32 {
    match value {
        Value::String(text) => {
            let (hidden, count) = redact::redact_borrowed(text);
            if count > 0 {
                *text = hidden.into_owned();
            }
            count
        }
        Value::Array(items) => items.iter_mut().map(hide_secrets).sum(),
        Value::Object(fields) => fields.values_mut().map(hide_secrets).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

fn lock(file_held: &File, path: &Path) -> Result<(), JournalError> {
    match file_held.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(JournalError::Locked(path.to_owned())),
        Err(TryLockError::Error(source)) => Err(file("locking", path)(source)),
    }
}

fn file(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::File { doing, path, source }
}
