//! What may happen in a session, what is decided before one begins, and the weaknesses that are planted to see them seen.

use crossterm::event::KeyEvent;

use super::verdicts::Offered;
use crate::domain::remediation::policy::Confirm;
use crate::domain::remediation::request::Mode;
use crate::ui::input::Focus;

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// A key, stamped so many milliseconds before it is taken in.
    Key(KeyEvent, u64),
    Paste(String),
    /// A paste without brackets: its keys in one read.
    Burst(String),
    Focus(Focus),
    Resize(u16, u16),
    /// A frame reaches the screen.
    Draw,
    Tick,
    /// Both clocks go on, milliseconds.
    Pass(u64),
    /// The monotonic clock alone jumps; back is what no such clock does, and helps nobody.
    MonotonicJumps(i64),
    /// Incident time alone jumps, seconds.
    IncidentJumps(i64),
    /// The journal tells how far it has come, less so many records.
    Acknowledged {
        behind: u64,
        synced: bool,
    },
    JournalFails,
    /// A rehearsal comes back: of the object as it is, of a later generation, of another object.
    Rehearsed(Object),
    RehearsalRefused,
    /// The watch tells of the object.
    Watched(Object),
    GateLocks,
    GateOpens,
    /// A verdict that suffices for the step's remedy, or for others alone.
    Verdict(Offered),
    PolicyChanges,
    ScopeChanges,
    /// The credentials expire, and are renewed.
    FeedFails,
    FeedAnswers,
    TaskPanics,
    ArmTimerFires,
    WorseIncident,
    Finished,
    /// The task that was handed a permit has looked at the object once more, and its request would leave.
    Departs,
    /// A signal, or the end of the terminal's input: the program leaves.
    Leaves(&'static str),
}

/// Of which object something is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Object {
    Same,
    Changed,
    Another,
}

/// What is decided before a session begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wishes {
    pub(super) mode: Mode,
    pub(super) confirm: Confirm,
}

/// A weakness planted at the desk, to see that it is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Planted {
    Nothing,
    /// `y` approves what is on screen.
    YesApproves,
    /// Enter confirms, whatever was typed.
    EnterConfirms,
    /// A paste of the token confirms.
    PasteConfirms,
    /// Letters that came all at once are taken as if they had been typed.
    SpeedUnseen,
    /// The journal is taken at its word before it has spoken.
    DiskBelieved,
    /// A press is taken as if it came after a long pause.
    HasteCounts,
    /// A verdict that refuses the remedy is taken as if it offered it.
    OldVerdictStands,
    /// The wall's clock is not looked at, so that a sleep of the machine goes unnoticed.
    SleepUnseen,
    /// What has not left is not called back.
    CallLost,
    /// That the credentials expired goes by.
    ExpiryUnseen,
    /// What was called back while the object was looked at once more leaves all the same.
    CallUnheard,
}

impl Planted {
    pub(super) const WEAKNESSES: [Self; 11] = [
        Self::YesApproves,
        Self::EnterConfirms,
        Self::PasteConfirms,
        Self::SpeedUnseen,
        Self::DiskBelieved,
        Self::HasteCounts,
        Self::OldVerdictStands,
        Self::SleepUnseen,
        Self::CallLost,
        Self::CallUnheard,
        Self::ExpiryUnseen,
    ];
}
