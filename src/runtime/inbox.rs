//! What the loop waits for, and nothing else.

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
    },
    /// The journal has written and fsynced so far.
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
    /// A file was written, or not.
    Saved(Result<String, Fault>),
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

/// The way into the loop, for everybody who has something to tell.
#[derive(Clone, Debug)]
pub struct Postbox(mpsc::Sender<Inbox>);

impl Postbox {
    /// A postbox of this inbox.
    pub fn new(sender: mpsc::Sender<Inbox>) -> Self {
        Self(sender)
    }

    /// Tells of an event. Once the loop is gone nobody listens, and there is nobody to be told of that either.
    pub async fn tell(&self, incident: Option<IncidentId>, event: Event) {
        let _ = self.0.send(Inbox::Event { incident, event: Box::new(event) }).await;
    }

    /// Sends any message.
    pub async fn send(&self, message: Inbox) {
        let _ = self.0.send(message).await;
    }
}
