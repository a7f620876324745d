//! Live Tail beside the polling of a group: keeps a session open, shows what it tells, and says how it stands.
//!
//! It counts nothing: the polls read everything, each event once by its id, whether a session stands or not. So a
//! session that samples, breaks or ends loses nothing, and its lines are counted when the account reaches them.

use std::sync::Arc;

use jiff::SignedDuration;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::page::ShownGroup;
use crate::adapters::aws::live_tail::{Sampling, TailEnd, TailTimeouts, TailUpdate, live_tail};
use crate::adapters::aws::logs::Sight;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::log::{Ingest, RawLogEvent};
use crate::domain::observation::scope::Window;
use crate::runtime::runner::Means;
use crate::runtime::runner::patience::{Fed, roll};
use crate::session::event::{Event, LogEvent};
use crate::session::feeds::Following;
use crate::session::timers::backoff;

/// Seconds between two polls where nothing else shows the lines, or a sample must be made up for.
const ALONE_S: i64 = 2;
/// Seconds between two polls beside a session: they are the account, and the session shows the lines before.
const BESIDE_S: i64 = 10;
/// Seconds that a poll must reach past a sample to have read it whole: events are found a little after they came.
const SETTLED_S: i64 = 5;
/// Seconds until a session is tried again that failed by credentials: the person may have logged in beside.
const LOGIN_S: i64 = 15;
/// Seconds until a session is tried again that was refused: somebody may have allowed it.
const REFUSED_S: i64 = 300;
/// Updates that may wait to be shown; the service keeps ten more.
const WAITING: usize = 8;

/// How the session of a group stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Live {
    /// None is wanted.
    Off,
    /// None stands.
    Down {
        /// Why, in a few words for the stamp.
        why: String,
    },
    /// One stands.
    Up {
        /// What it showed a part of, and no poll has read whole since.
        sampled: Option<Window>,
    },
}

impl Live {
    /// How the lines come, for the screen.
    pub fn following(&self) -> Following {
        match self {
            Self::Off => Following::Polled,
            Self::Down { why } => Following::PolledInstead { why: why.clone() },
            Self::Up { sampled: None } => Following::Tailed,
            Self::Up { sampled: Some(window) } => Following::Sampled { window: *window },
        }
    }

    /// How long a poll may wait after the one before.
    pub fn poll_every(&self) -> SignedDuration {
        SignedDuration::from_secs(match self {
            Self::Up { sampled: None } => BESIDE_S,
            Self::Off | Self::Down { .. } | Self::Up { sampled: Some(_) } => ALONE_S,
        })
    }

    /// A poll has read everything up to an instant: a sample that lies well before it is made up for. Whether that
    /// changes anything.
    pub fn accounted_to(&mut self, to: jiff::Timestamp) -> bool {
        match self {
            Self::Up { sampled: sampled @ Some(_) } => {
                let made_up = sampled.is_some_and(|window| window.to + SignedDuration::from_secs(SETTLED_S) <= to);
                if made_up {
                    *sampled = None;
                }
                made_up
            }
            Self::Off | Self::Down { .. } | Self::Up { sampled: None } => false,
        }
    }

    fn sample(&mut self, window: Window) {
        let before = match self {
            Self::Up { sampled } => *sampled,
            Self::Off | Self::Down { .. } => None,
        };
        let joined =
            before.map_or(window, |before| Window { from: before.from.min(window.from), to: before.to.max(window.to) });
        *self = Self::Up { sampled: Some(joined) };
    }
}

/// Keeps a session open until nobody follows the group any more.
pub async fn keep_open(means: Means, shown: ShownGroup, live: Arc<watch::Sender<Live>>, stop: CancellationToken) {
    let mut failures = 0;
    // Lines that the account reads while the session opens may come out of it as well.
    shown.told.early.open();
    loop {
        let ended = tokio::select! {
            () = stop.cancelled() => return,
            ended = session(&means, &shown, &live) => ended,
        };
        let stood = matches!(*live.borrow(), Live::Up { .. });
        failures = if stood { 1 } else { failures + 1 };
        let (why, wait) = match ended {
            Ok(TailEnd::Expired) => ("live tail opens anew".to_owned(), SignedDuration::ZERO),
            Ok(TailEnd::Closed | TailEnd::Abandoned) => {
                ("live tail closed".to_owned(), backoff(failures, roll(&means)))
            }
            Err(fault) => (words(fault.kind), patience(&means, &fault, failures)),
        };
        live.send_replace(Live::Down { why });
        if wait > SignedDuration::ZERO {
            tokio::select! {
                () = stop.cancelled() => return,
                flight = means.pause_until(means.clock.now() + wait) => drop(flight),
            }
        }
    }
}

fn patience(means: &Means, fault: &Fault, failures: u32) -> SignedDuration {
    if fault.kind.is_transient() {
        backoff(failures, roll(means))
    } else if fault.kind == FaultKind::Credentials {
        SignedDuration::from_secs(LOGIN_S)
    } else {
        SignedDuration::from_secs(REFUSED_S)
    }
}

/// Why there is no session, for the stamp. The whole fault is one of the session's own only where polling fails as well.
fn words(kind: FaultKind) -> String {
    let what = match kind {
        FaultKind::Denied => "denied",
        FaultKind::Throttled => "throttled",
        FaultKind::Rejected => "not supported",
        FaultKind::Timeout => "silent",
        FaultKind::Cut => "cut",
        FaultKind::Credentials => "without credentials",
        FaultKind::Unreachable => "unreachable",
        FaultKind::Unavailable => "unavailable",
        FaultKind::NotFound => "finds no such group",
        FaultKind::Malformed => "unreadable",
        FaultKind::Conflict
        | FaultKind::Storage
        | FaultKind::Usage
        | FaultKind::NotConfigured
        | FaultKind::Internal => "failed",
    };
    format!("live tail {what}")
}

async fn session(means: &Means, shown: &ShownGroup, live: &watch::Sender<Live>) -> Result<TailEnd, Fault> {
    let clients = means.outside.aws().await?;
    let (sender, mut updates) = mpsc::channel(WAITING);
    let tailing = async move {
        // The sender goes with this block, which ends the showing.
        live_tail(clients, &shown.group, TailTimeouts::default(), &sender).await
    };
    let showing = async {
        while let Some(update) = updates.recv().await {
            match update {
                TailUpdate::Started => drop(live.send_replace(Live::Up { sampled: None })),
                TailUpdate::Lines { events, sampling } => {
                    if sampling == Sampling::Sampled {
                        let window = span(means, &events);
                        live.send_modify(|state| state.sample(window));
                    }
                    show(means, shown, events).await;
                }
            }
        }
    };
    let (ended, ()) = tokio::join!(tailing, showing);
    ended.map_err(|error| error.fault())
}

/// What a sample is of: from the oldest of its events, and at least the second before now.
fn span(means: &Means, events: &[RawLogEvent]) -> Window {
    let now = means.now_at_aws();
    let second_ago = now - SignedDuration::from_secs(1);
    let from = events.iter().map(|event| event.at).min().map_or(second_ago, |oldest| oldest.min(second_ago));
    Window { from, to: now }
}

/// Shows lines that the account has not shown yet. An update without any is a sign of life all the same.
async fn show(means: &Means, shown: &ShownGroup, events: Vec<RawLogEvent>) {
    let fresh = events.into_iter().filter(|event| shown.told.early.tailed(event) == Sight::First);
    let mut ingest = Ingest::of(&shown.group);
    let lines: Vec<_> = fresh.map(|raw| Arc::new(ingest.line(raw))).collect();
    if !lines.is_empty() {
        let event = LogEvent::Early { group: shown.group.clone(), lines };
        means.post.tell(None, Event::Log(event)).await;
    }
    means.post.tell(None, Fed::from(&shown.group).answered()).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(from: i64, to: i64) -> Window {
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        Window { from: at(from), to: at(to) }
    }

    #[test]
    fn samples_join_until_a_poll_has_read_well_past_them() {
        let mut live = Live::Up { sampled: None };
        assert_eq!(live.poll_every().as_secs(), BESIDE_S);
        live.sample(window(100, 101));
        live.sample(window(101, 103));
        assert_eq!(live.following(), Following::Sampled { window: window(100, 103) });
        assert_eq!(live.poll_every().as_secs(), ALONE_S, "a sample is made up for at once");
        assert!(!live.accounted_to(window(0, 107).to), "the newest of it may not be found yet");
        assert!(live.accounted_to(window(0, 108).to));
        assert_eq!(live.following(), Following::Tailed);
        assert!(!live.accounted_to(window(0, 200).to), "nothing is left to make up for");
    }

    #[test]
    fn a_session_that_does_not_stand_is_told_with_its_reason() {
        let down = Live::Down { why: words(FaultKind::Denied) };
        assert_eq!(down.following(), Following::PolledInstead { why: "live tail denied".to_owned() });
        assert_eq!(down.poll_every(), Live::Off.poll_every());
        assert_eq!(Live::Off.following(), Following::Polled);
    }
}
