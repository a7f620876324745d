//! What the loop waits for, and nothing else.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::mpsc;

use crate::domain::fault::Fault;
use crate::session::IncidentId;
use crate::session::event::Event;
use crate::ui::input::Input;

/// Messages that may wait before those who send them have to.
pub const CAPACITY: usize = 4_096;

/// One message to the loop.
#[derive(Debug)]
pub enum Inbox {
    /// Something happened outside.
    Event {
        /// The incident it belongs to.
        incident: Option<IncidentId>,
        /// What.
        event: Box<Event>,
        /// Who tells it.
        lane: Lane,
    },
    /// The journal has written so far, and so far of it is on the disk.
    Acknowledged {
        /// Highest sequence number written.
        written: u64,
        /// Highest sequence number fsynced.
        synced: u64,
    },
    /// The last check before writing hid what looked like secrets: the journal differs there from what is shown.
    Hidden {
        /// How many.
        secrets: u64,
    },
    /// The journal cannot be written any more.
    JournalFailed(Fault),
    /// The person did something.
    Input {
        /// What.
        input: Input,
        /// When, on the monotonic clock.
        mono_ms: u64,
    },
    /// The system asks us to end or to stop.
    Signal(Signal),
    /// A task of ours panicked.
    TaskPanicked {
        /// Which.
        name: &'static str,
    },
    /// Files were written, or not.
    Saved(Result<Vec<PathBuf>, Fault>),
}

/// Signals that matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal is gone.
    HangUp,
    /// SIGINT, where it is not a key.
    Interrupt,
    /// SIGQUIT.
    Quit,
    /// SIGCONT: the terminal is ours again.
    Continue,
}

impl Signal {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
            Self::Interrupt => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::Continue => "SIGCONT",
        }
    }

    /// Its number, which is the same on every Unix but for the last.
    pub fn number(self) -> u8 {
        match self {
            Self::HangUp => 1,
            Self::Interrupt => 2,
            Self::Quit => 3,
            Self::Terminate => 15,
            Self::Continue => 18,
        }
    }
}

/// Who tells something: the tasks in the order they were begun, and the parts of each in theirs. Answers that come in
/// while time stands still are taken in this order, whichever was the faster, so that two runs tell one story.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lane(Vec<u32>);

/// The way into the loop, for everybody who has something to tell. Each clone is a lane of its own.
#[derive(Debug)]
pub struct Postbox {
    sender: mpsc::Sender<Inbox>,
    lane: Lane,
    parts: AtomicU32,
}

impl Clone for Postbox {
    fn clone(&self) -> Self {
        let part = self.parts.fetch_add(1, Ordering::Relaxed);
        let lane = Lane(self.lane.0.iter().copied().chain([part]).collect());
        Self { sender: self.sender.clone(), lane, parts: AtomicU32::new(0) }
    }
}

impl Postbox {
    /// A postbox of this inbox.
    pub fn new(sender: mpsc::Sender<Inbox>) -> Self {
        Self { sender, lane: Lane::default(), parts: AtomicU32::new(0) }
    }

    /// Tells of an event. Once the loop is gone nobody listens, and there is nobody to be told of that either.
    pub async fn tell(&self, incident: Option<IncidentId>, event: Event) {
        let _ = self.deliver(incident, event).await;
    }

    /// Tells of an event that must not be lost: gives it back where nobody listens any more.
    pub async fn deliver(&self, incident: Option<IncidentId>, event: Event) -> Result<(), Event> {
        let lane = self.lane.clone();
        let message = Inbox::Event { incident, event: Box::new(event), lane };
        match self.sender.send(message).await {
            Err(mpsc::error::SendError(Inbox::Event { event, .. })) => Err(*event),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Sends any message.
    pub async fn send(&self, message: Inbox) {
        let _ = self.sender.send(message).await;
    }
}
