//! Attempts at one read: retried while the fault is a passing one, every wait told as the health of its feed.

use std::future::Future;

use super::Means;
use crate::domain::fault::Fault;
use crate::session::event::{Event, FeedEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::timers::backoff;

/// Attempts at one piece of evidence before its question counts as failed.
const ATTEMPTS: u32 = 4;

/// Tells a feed's health.
pub async fn tell_health(means: &Means, feed: FeedId, health: FeedHealth) {
    means.post.tell(None, Event::Feed(FeedEvent::Changed { feed, health })).await;
}

/// A number in `[0, 1)` to spread the panels' retries: the low digits of the wall's milliseconds are enough for that.
pub fn roll(means: &Means) -> f64 {
    (means.clock.mono_ms() % 997) as f64 / 997.0
}

/// Tries a read until it succeeds, fails for good, or the attempts are used up.
pub async fn persist<T, F, W>(means: &Means, feed: FeedId, work: W) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
    W: Fn() -> F,
{
    let mut attempt = 1;
    loop {
        match work().await {
            Ok(answer) => return Ok(answer),
            Err(fault) => wait_or_give_up(means, feed, attempt, fault).await?,
        }
        attempt += 1;
    }
}

/// After failure number `attempt`: waits for the next one, or gives the fault back when there is none.
pub async fn wait_or_give_up(means: &Means, feed: FeedId, attempt: u32, fault: Fault) -> Result<(), Fault> {
    if !fault.kind.is_transient() || attempt >= ATTEMPTS {
        return Err(fault);
    }
    let until = means.clock.now() + backoff(attempt, roll(means));
    tell_health(means, feed, FeedHealth::Retrying { attempt, until, fault }).await;
    // We are in flight, so a standing clock would wait for us while we wait for it: there the wait is skipped.
    if !means.clock.stands_still() {
        drop(means.clock.sleep_until(until).await);
    }
    Ok(())
}
