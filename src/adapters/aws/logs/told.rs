//! What of a group was handed out: what was counted, by id, and what Live Tail showed before it was.

use super::{Early, Seen};

/// The memory of one group. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The account: each event once.
    pub seen: Seen,
    /// What was shown ahead of it.
    pub early: Early,
}
