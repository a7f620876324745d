//! Following a group by polling: each poll overlaps the one before, and events are told apart by id.
//!
//! A poll never starts at "last + 1 ms": events arrive late and out of order, and two may share a millisecond. Most polls
//! look back a little, for what agents hold back in their batches; now and then one looks back far. At 5,000 lines a
//! second that is a fifth of the lines that looking back far each second would read again.

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
    limits: ReadLimits,
    start: Timestamp,
    covered_to: Timestamp,
    /// The end of the newest window that was looked for with the whole overlap.
    combed_to: Timestamp,
    pending: Option<Pending>,
    seen: Seen,
}

/// A poll that a limit ended: the next one goes on where it stopped, so nothing is left out.
#[derive(Clone, Debug)]
struct Pending {
    look: Look,
    window: Window,
    token: Option<String>,
}

/// How far back a poll looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Near,
    Far,
}

/// What one poll came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailPoll {
    /// The window that was asked for.
    pub window: Window,
    /// What came of it; truncated means that the next poll goes on with the same window.
    pub summary: ReadSummary,
    /// What of the window the service kept back and no poll can ask for.
    pub kept_back: Option<Window>,
}

impl Tail {
    /// Late events are looked for this far back: CloudWatch Logs delivers within two minutes nearly always.
    pub const OVERLAP: SignedDuration = SignedDuration::from_mins(2);
    /// Each poll looks this far back, which is where nearly all events of agents and `awslogs` drivers come in.
    pub const NEAR: SignedDuration = SignedDuration::from_secs(20);
    /// A poll looks back the whole [`Self::OVERLAP`] when none has for so long: the delay that a later event may take.
    pub const COMB_EVERY: SignedDuration = SignedDuration::from_secs(20);

    /// Follows a group from an instant on.
    pub fn new(group: LogGroup, start: Timestamp) -> Self {
        Self {
            group,
            limits: ReadLimits { events: 50_000, ..ReadLimits::default() },
            start,
            covered_to: start,
            combed_to: start,
            pending: None,
            seen: Seen::default(),
        }
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

    /// The clock that the polls so far were timed by was off, and this is now: where it was ahead, they asked for what there was
    /// not yet. The next one looks as far back as they went ahead, and events told already are known by id.
    pub fn timed_anew(&mut self, now: Timestamp) {
        let back = self.covered_to.duration_since(now).max(SignedDuration::ZERO) + Self::OVERLAP;
        let from = now.checked_sub(back).unwrap_or(self.start);
        self.pending = None;
        self.start = self.start.min(from);
        self.covered_to = self.covered_to.min(from);
        self.combed_to = self.combed_to.min(from);
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
        let Pending { look, window, token } = self.pending.clone().unwrap_or_else(|| self.next(now));
        if window.to <= window.from {
            return Ok(TailPoll { window, summary: empty_summary(), kept_back: None });
        }
        let query = LogQuery {
            group: self.group.clone(),
            window,
            filter: None,
            order: ReadOrder::OldestFirst,
            limits: self.limits,
        };
        // A token that has expired or was refused must not be tried for ever: after a failure the window starts anew.
        self.pending = None;
        let seen = self.seen.clone();
        let run = Cursor { clients, query: &query, from: window.from, seen, pages }.read(token).await?;
        let kept_back = match run.rest {
            Unread::From(token) => {
                self.pending = Some(Pending { look, window, token });
                None
            }
            Unread::Nothing => {
                self.cover(look, window.to);
                run.summary.kept_back(window)
            }
        };
        Ok(TailPoll { window, summary: run.summary, kept_back })
    }

    /// What comes within the overlap is found in any case: a far look starts that much before the end of the last one.
    fn next(&self, now: Timestamp) -> Pending {
        let (look, from, back) = if now.duration_since(self.combed_to) >= Self::COMB_EVERY {
            (Look::Far, self.combed_to, Self::OVERLAP)
        } else {
            (Look::Near, self.covered_to, Self::NEAR)
        };
        let from = from.checked_sub(back).unwrap_or(self.start).max(self.start);
        Pending { look, window: Window { from, to: now }, token: None }
    }

    fn cover(&mut self, look: Look, to: Timestamp) {
        self.covered_to = self.covered_to.max(to);
        match look {
            Look::Near => {}
            Look::Far => self.combed_to = self.combed_to.max(to),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        "2026-05-01T09:00:00Z".parse().unwrap()
    }

    #[test]
    fn a_poll_never_looks_before_the_start() {
        let tail = Tail::new("/ecs/my-api".into(), start());
        for seconds in [5, 90] {
            let now = start() + SignedDuration::from_secs(seconds);
            assert_eq!(tail.next(now).window, Window { from: start(), to: now });
        }
    }

    /// Three minutes ahead of the service the polls asked for what it did not have yet; as far behind it they missed the newest.
    #[test]
    fn a_tail_that_was_timed_by_a_clock_that_is_off_leaves_nothing_out() {
        let begun = start() + SignedDuration::from_mins(10);
        for off in [SignedDuration::from_mins(3), SignedDuration::from_mins(-3)] {
            let mut tail = Tail::new("/ecs/my-api".into(), begun - Tail::OVERLAP);
            for second in 0..30 {
                let now = begun + SignedDuration::from_secs(second);
                let look = tail.next(now).look;
                tail.cover(look, now);
            }
            let at_aws = begun + SignedDuration::from_secs(30) - off;
            tail.timed_anew(at_aws);
            let next = tail.next(at_aws).window;
            let read_to = (begun - off).min(tail.covered_to());
            assert!(next.from <= read_to && next.to == at_aws, "{off:?}: {next:?}");
        }
    }

    /// However late within the overlap an event comes in, a poll after that asks for its second.
    #[test]
    fn what_comes_within_the_overlap_is_asked_for_after_it_came() {
        let mut tail = Tail::new("/ecs/my-api".into(), start());
        let (mut polls, mut read) = (Vec::new(), SignedDuration::ZERO);
        for second in 0..1_200 {
            let now = start() + SignedDuration::from_secs(second);
            let next = tail.next(now);
            tail.cover(next.look, now);
            read += now.duration_since(next.window.from);
            polls.push(next.window);
        }
        for event in 0..900 {
            for late in [0, 19, 60, 100, 119] {
                let at = start() + SignedDuration::from_secs(event);
                let came = at + SignedDuration::from_secs(late);
                let found = polls.iter().find(|poll| poll.to >= came && poll.from <= at).expect("a poll finds it");
                let within = if late < Tail::NEAR.as_secs() { SignedDuration::ZERO } else { Tail::COMB_EVERY };
                assert!(found.to <= came + within, "{event} late by {late}: {found:?}");
            }
        }
        assert!(read.as_secs() < 1_200 * 30, "each poll reads {} s", read.as_secs() / 1_200);
    }
}
