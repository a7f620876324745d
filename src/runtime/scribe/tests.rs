//! Every way in which the writing can end, over stores that fail on demand.

use std::io::{self, Write};

use jiff::Timestamp;

use super::*;
use crate::domain::remediation::approval::Decision;
use crate::domain::remediation::step::StepId;
use crate::journal::Preamble;
use crate::session::event::{Event, RemediationEvent, SessionEvent};

/// What a store does from its n-th write on.
#[derive(Clone, Copy)]
enum Ill {
    Never,
    Full,
    Panics,
    /// The disk answers no more.
    Hangs,
}

struct Paper {
    ill: Ill,
    from: usize,
    writes: usize,
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        match self.ill {
            Ill::Full if self.writes > self.from => Err(io::Error::new(io::ErrorKind::StorageFull, "no space left")),
            Ill::Panics if self.writes > self.from => panic!("a defect of the writer"),
            Ill::Hangs if self.writes > self.from => loop {
                std::thread::park();
            },
            Ill::Never | Ill::Full | Ill::Panics | Ill::Hangs => Ok(bytes.len()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Store for Paper {
    fn persist(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn cut(&mut self, _length: u64) -> io::Result<()> {
        Ok(())
    }
}

fn scribe(ill: Ill) -> (Scribe, mpsc::Receiver<Inbox>) {
    let (sender, inbox) = mpsc::channel(16);
    // The first write is the preamble.
    let writer = Writer::begin(Paper { ill, from: 2, writes: 0 }, &Preamble::new("s")).unwrap();
    (Scribe::start(writer, Path::new("journal.jsonl"), sender).unwrap(), inbox)
}

fn note(seq: u64, text: &str) -> Record {
    let event = Event::Session(SessionEvent::Noted { text: text.to_owned() });
    Record { seq, at: Timestamp::UNIX_EPOCH, incident: None, event }
}

/// A record that is to be on the disk before anything follows from it.
fn decided(seq: u64) -> Record {
    let decision = Decision::Skipped { by: "oncall".to_owned() };
    let event = Event::Remediation(RemediationEvent::DecisionGiven { step: StepId(1), decision });
    assert_eq!(event.durability(), Durability::Synced);
    Record { event, ..note(seq, "") }
}

fn closed(scribe: &mut Scribe) -> Result<Option<Anchor>, Fault> {
    closed_within(scribe, Duration::from_mins(1))
}

fn closed_within(scribe: &mut Scribe, patience: Duration) -> Result<Option<Anchor>, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(scribe.close_within(patience))
}

/// The next message that is no acknowledgement.
fn word(inbox: &mut mpsc::Receiver<Inbox>) -> Option<Inbox> {
    loop {
        match inbox.blocking_recv()? {
            Inbox::Acknowledged { .. } => {}
            other => return Some(other),
        }
    }
}

#[test]
fn what_is_written_is_acknowledged_and_what_was_hidden_is_told() {
    let (mut scribe, mut inbox) = scribe(Ill::Never);
    scribe.append(note(1, "plain"));
    scribe.append(note(2, "password=hunter2 and token=abcdef1234567890"));
    // The first line and the two notes.
    assert_eq!(closed(&mut scribe).map(|anchor| anchor.map(|anchor| anchor.lines)), Ok(Some(3)));
    assert_eq!(closed(&mut scribe), Ok(None));
    drop(scribe);
    match word(&mut inbox) {
        Some(Inbox::Hidden { secrets }) => assert_eq!(secrets, 2),
        other => panic!("{other:?}"),
    }
}

/// A disk that syncs when it is told to.
struct Slow {
    turns: std::sync::mpsc::Receiver<()>,
    syncs: Sender<()>,
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Store for Slow {
    fn persist(&mut self) -> io::Result<()> {
        let _ = self.syncs.send(());
        self.turns.recv().map_err(io::Error::other)
    }

    fn cut(&mut self, _length: u64) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_written_is_told_before_the_disk_has_it_and_one_sync_is_for_all_that_came_meanwhile() {
    let ((turn, turns), (syncs, synced)) = (channel(), channel());
    turn.send(()).unwrap();
    let writer = Writer::begin(Slow { turns, syncs }, &Preamble::new("s")).unwrap();
    let (sender, mut inbox) = mpsc::channel(16);
    let mut scribe = Scribe::start(writer, Path::new("journal.jsonl"), sender).unwrap();
    let mut told = || match inbox.blocking_recv() {
        Some(Inbox::Acknowledged { written, synced }) => (written, synced),
        other => panic!("{other:?}"),
    };
    scribe.append(decided(1));
    assert_eq!(told(), (1, 0), "an approval is not on the disk yet");
    for seq in 2..=4 {
        scribe.append(decided(seq));
    }
    turn.send(()).unwrap();
    assert_eq!(told(), (1, 1));
    assert_eq!(told(), (4, 1));
    turn.send(()).unwrap();
    assert_eq!(told(), (4, 4));
    assert!(closed(&mut scribe).is_ok());
    assert_eq!(synced.iter().count(), 3, "the first line, the first decision, and the three behind it");
}

#[test]
fn a_last_write_that_fails_is_told_to_whoever_ends_the_session() {
    let (mut scribe, inbox) = scribe(Ill::Full);
    scribe.append(note(1, "fits"));
    // The loop is gone: nobody reads the inbox any more.
    drop(inbox);
    scribe.append(note(2, "does not"));
    let fault = closed(&mut scribe).unwrap_err();
    assert!(fault.to_string().contains("journal"), "{fault}");
}

#[test]
fn a_writer_that_crashes_is_told_at_once() {
    let (mut scribe, mut inbox) = scribe(Ill::Panics);
    scribe.append(note(1, "fits"));
    assert!(matches!(inbox.blocking_recv(), Some(Inbox::Acknowledged { written: 1, .. })));
    scribe.append(note(2, "does not"));
    match word(&mut inbox) {
        Some(Inbox::JournalFailed(fault)) => assert!(fault.summary.contains("crashed"), "{fault}"),
        other => panic!("{other:?}"),
    }
    assert!(closed(&mut scribe).is_err());
}

#[test]
fn a_disk_that_hangs_keeps_nobody_from_leaving() {
    let (mut scribe, _inbox) = scribe(Ill::Hangs);
    scribe.append(note(1, "fits"));
    scribe.append(note(2, "does not"));
    let fault = closed_within(&mut scribe, Duration::from_millis(1)).unwrap_err();
    assert_eq!(fault.kind, FaultKind::Storage);
    assert!(fault.summary.contains("did not take the end of the journal"), "{fault}");
}
