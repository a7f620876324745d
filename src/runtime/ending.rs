//! How a run ended: what the command line makes an exit code of.

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It did what was asked.
    Done,
    /// A rehearsal came to what its scenario expects.
    AsExpected,
    /// It did not.
    NotAsExpected {
        /// How it differs.
        why: String,
    },
    /// `investigate` ended with a plan waiting for a person.
    PlanWaiting,
    /// The person left for a rehearsal: the command line begins one.
    ForRehearsal,
    /// What was asked is refused.
    Refused {
        /// Why.
        why: String,
    },
    /// A signal ended it.
    Signalled {
        /// Its number.
        number: u8,
        /// What was not done because of it; empty where a person was looking.
        why: String,
    },
}
