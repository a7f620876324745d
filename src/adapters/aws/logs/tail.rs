//! Following a group by polling: each poll overlaps the one before, and events are told apart by id.
//!
//! A poll never starts at "last + 1 ms": events arrive late and out of order, and two may share a millisecond.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::read::{Cursor, Unread, empty_summary};
use super::seen::Seen;
use super::{LogPage, LogQuery, LogsError, ReadLimits, ReadOrder, ReadSummary};
use crate::adapters::aws::clients::Clients;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::scope::Window;

/// A group being followed. The caller decides when to poll and says what time it is.
#[derive(Debug)]
pub struct Tail {
    group: LogGroup,
    filter: Option<String>,
    limits: ReadLimits,
    overlap: SignedDuration,
    start: Timestamp,
    covered_to: Timestamp,
    pending: Option<Pending>,
    seen: Seen,
}

/// A poll that a limit ended: the next one goes on where it stopped, so nothing is left out.
#[derive(Clone, Debug)]
struct Pending {
    window: Window,
    token: Option<String>,
}

/// What one poll came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailPoll {
    /// The window that was asked for.
    pub window: Window,
    /// What came of it; truncated means that the next poll goes on with the same window.
    pub summary: ReadSummary,
}

impl Tail {
    /// Late events are looked for this far back: CloudWatch Logs delivers within two minutes nearly always.
    pub const OVERLAP: SignedDuration = SignedDuration::from_mins(2);

    /// Follows a group from an instant on.
    pub fn new(group: LogGroup, start: Timestamp) -> Self {
        Self {
            group,
            filter: None,
            limits: ReadLimits { events: 50_000, ..ReadLimits::default() },
            overlap: Self::OVERLAP,
            start,
            covered_to: start,
            pending: None,
            seen: Seen::default(),
        }
    }

    /// Takes only events that match a filter pattern of CloudWatch Logs.
    pub fn filtered(mut self, pattern: impl Into<String>) -> Self {
        self.filter = Some(pattern.into());
        self
    }

    /// Ends a poll at these limits.
    pub fn limited(mut self, limits: ReadLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Shares the memory of what was handed out with others who read the group: of all of them each event comes once.
    pub fn sharing(mut self, seen: Seen) -> Self {
        self.seen = seen;
        self
    }

    /// Everything before this instant has been asked for at least once.
    pub fn covered_to(&self) -> Timestamp {
        self.covered_to
    }

    /// Reads what is new. After a failure the next poll covers the same ground again: no gap, and no event twice.
    pub async fn poll(
        &mut self,
        clients: &Clients,
        now: Timestamp,
        pages: &mpsc::Sender<LogPage>,
    ) -> Result<TailPoll, LogsError> {
        let (window, token) = match self.pending.clone() {
            Some(pending) => (pending.window, pending.token),
            None => (self.next_window(now), None),
        };
        if window.to <= window.from {
            return Ok(TailPoll { window, summary: empty_summary() });
        }
        let query = LogQuery {
            group: self.group.clone(),
            window,
            filter: self.filter.clone(),
            order: ReadOrder::OldestFirst,
            limits: self.limits,
        };
        // A token that has expired or was refused must not be tried for ever: after a failure the window starts anew.
        self.pending = None;
        let run = Cursor { clients, query: &query, from: window.from, seen: &self.seen, pages }.read(token).await?;
        match run.rest {
            Unread::From(token) => self.pending = Some(Pending { window, token }),
            Unread::Nothing => self.covered_to = self.covered_to.max(window.to),
        }
        Ok(TailPoll { window, summary: run.summary })
    }

    fn next_window(&self, now: Timestamp) -> Window {
        let back = self.covered_to.checked_sub(self.overlap).unwrap_or(self.start);
        Window { from: back.max(self.start), to: now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_looks_back_by_the_overlap_but_never_before_the_start() {
        let start: Timestamp = "2026-05-01T09:00:00Z".parse().unwrap();
        let mut tail = Tail::new("/ecs/my-api".into(), start);
        let now = start + SignedDuration::from_secs(5);
        assert_eq!(tail.next_window(now), Window { from: start, to: now });
        tail.covered_to = start + SignedDuration::from_mins(10);
        let now = start + SignedDuration::from_mins(11);
        assert_eq!(tail.next_window(now).from, start + SignedDuration::from_mins(8));
    }
}
