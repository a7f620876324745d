//! The journal's own thread: records go in, acknowledgements come back. The loop never waits for the disk, and hears of
//! every way in which the writing can end.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::inbox::Inbox;
use crate::domain::fault::{Fault, FaultKind};
use crate::journal::{Anchor, JournalError, Store, Writer};
use crate::session::Record;
use crate::session::event::Durability;

/// How long the end of a session waits for its disk. A disk that hangs is not worth a terminal that does.
const LAST_WRITE: Duration = Duration::from_mins(1);

/// The way to the journal's thread.
#[derive(Debug)]
pub struct Scribe {
    records: Option<Sender<Record>>,
    ended: Option<oneshot::Receiver<Result<Anchor, Fault>>>,
    path: PathBuf,
}

impl Scribe {
    /// Starts the thread that writes this journal.
    pub fn start<S: Store + Send + 'static>(
        writer: Writer<S>,
        path: &Path,
        inbox: mpsc::Sender<Inbox>,
    ) -> Result<Self, Fault> {
        let (sender, records) = channel();
        let (end, ended) = oneshot::channel();
        let writing = move || {
            let written = write_all(writer, &records, &inbox);
            // Nobody waits for it any more where the disk took too long.
            let _ = end.send(written);
        };
        std::thread::Builder::new().name("journal".to_owned()).spawn(writing).map_err(|error| {
            Fault::new(FaultKind::Internal, "The journal's thread could not be started.").cause(error.to_string())
        })?;
        Ok(Self { records: Some(sender), ended: Some(ended), path: path.to_owned() })
    }

    /// No journal at all: the session it belongs to is read-only from its start.
    pub fn none(path: &Path) -> Self {
        Self { records: None, ended: None, path: path.to_owned() }
    }

    /// Hands a record over. An ephemeral one is not written.
    pub fn append(&mut self, record: Record) {
        match record.event.durability() {
            Durability::Ephemeral => return,
            Durability::Buffered | Durability::Synced => {}
        }
        if let Some(records) = &self.records {
            // Its end is told to the loop by the thread itself.
            let _ = records.send(record);
        }
    }

    /// Where the journal is.
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Writes what is left, ends the thread, and says up to where everything handed over is on the disk; `None` where there
    /// is no journal, or it was closed before.
    pub async fn close(&mut self) -> Result<Option<Anchor>, Fault> {
        self.close_within(LAST_WRITE).await
    }

    async fn close_within(&mut self, patience: Duration) -> Result<Option<Anchor>, Fault> {
        self.records = None;
        let Some(ended) = self.ended.take() else { return Ok(None) };
        match tokio::time::timeout(patience, ended).await {
            Ok(Ok(written)) => written.map(Some),
            // Its end of the channel went without a word.
            Ok(Err(_)) => Err(crashed()),
            Err(_) => {
                let text = format!("The disk did not take the end of the journal within {} s.", patience.as_secs());
                Err(Fault::new(FaultKind::Storage, text).hint("Look at the disk that the state folder is on."))
            }
        }
    }
}

/// What is said when the thread ended by a defect of ours.
fn crashed() -> Fault {
    Fault::new(FaultKind::Internal, "The writing of the journal crashed.").hint("Please report it with the log file.")
}

/// Tells the loop when the thread unwinds: nothing may wait for an acknowledgement that cannot come.
struct Alarm<'a> {
    inbox: &'a mpsc::Sender<Inbox>,
}

impl Drop for Alarm<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Without a loop there is nobody to wait; `close` tells it then.
            let _ = self.inbox.blocking_send(Inbox::JournalFailed(crashed()));
        }
    }
}

/// Writes batch by batch: whatever has come in meanwhile is written together, told as written, brought to the disk by one
/// sync, and told as that. What only has to be written does not wait for the disk.
fn write_all<S: Store>(
    mut writer: Writer<S>,
    records: &Receiver<Record>,
    inbox: &mpsc::Sender<Inbox>,
) -> Result<Anchor, Fault> {
    let _alarm = Alarm { inbox };
    // What was there before this thread is on the disk.
    let mut synced = writer.last_seq();
    while let Ok(first) = records.recv() {
        let batch = std::iter::once(first).chain(records.try_iter());
        let written = write_batch(&mut writer, batch).and_then(|hidden| {
            // A full inbox hears of it with the sync: the disk never waits for the loop.
            let _ = inbox.try_send(Inbox::Acknowledged { written: writer.last_seq(), synced });
            synced = writer.sync()?;
            Ok(hidden)
        });
        match written {
            Ok(hidden) => {
                if hidden > 0 {
                    let _ = inbox.blocking_send(Inbox::Hidden { secrets: hidden });
                }
                // At the very end nobody reads any more.
                let _ = inbox.blocking_send(Inbox::Acknowledged { written: synced, synced });
            }
            Err(error) => {
                let fault = error.fault();
                // At the very end nobody reads any more: then `close` gives the fault to whoever ends the session.
                let _ = inbox.blocking_send(Inbox::JournalFailed(fault.clone()));
                return Err(fault);
            }
        }
    }
    Ok(writer.anchor())
}

/// Appends all of it, and says how many secrets only the last check before writing found.
fn write_batch<S: Store>(writer: &mut Writer<S>, batch: impl Iterator<Item = Record>) -> Result<u64, JournalError> {
    let mut hidden = 0;
    for record in batch {
        hidden += u64::from(writer.append(&record)?);
    }
    Ok(hidden)
}

#[cfg(test)]
mod tests;
