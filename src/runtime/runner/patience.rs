//! Attempts at one read: retried while the fault is a passing one, every wait told as the health of what is read.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use super::Means;
use crate::domain::fault::Fault;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::service::ServiceName;
use crate::session::event::{Event, FeedEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::timers::wait_after;

/// Attempts at one piece of evidence before its question counts as failed.
const ATTEMPTS: u32 = 4;

/// Whose health is told: a feed's, or that of one log group or one service's metrics among several.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fed {
    /// A feed.
    By(FeedId),
    /// A log group.
    Group(LogGroup),
    /// The metrics of a service.
    Service(ServiceName),
}

impl From<FeedId> for Fed {
    fn from(feed: FeedId) -> Self {
        Self::By(feed)
    }
}

impl From<&LogGroup> for Fed {
    fn from(group: &LogGroup) -> Self {
        Self::Group(group.clone())
    }
}

impl From<&ServiceName> for Fed {
    fn from(service: &ServiceName) -> Self {
        Self::Service(service.clone())
    }
}

impl Fed {
    /// That its health changed.
    pub fn changed(self, health: FeedHealth) -> Event {
        Event::Feed(match self {
            Self::By(feed) => FeedEvent::Changed { feed, health },
            Self::Group(group) => FeedEvent::GroupChanged { group, health },
            Self::Service(service) => FeedEvent::ServiceChanged { service, health },
        })
    }

    /// That it answered as before.
    pub fn answered(self) -> Event {
        Event::Feed(match self {
            Self::By(feed) => FeedEvent::Answered { feed },
            Self::Group(group) => FeedEvent::GroupAnswered { group },
            Self::Service(service) => FeedEvent::ServiceAnswered { service },
        })
    }
}

/// Whose last told health is not that they answer. Several tasks read the same thing, and each tells what it met: whoever
/// is answered next takes that back, whoever it was that failed.
#[derive(Debug, Default)]
pub struct Failing(Mutex<BTreeSet<Fed>>);

impl Failing {
    fn note(&self, fed: &Fed, health: &FeedHealth) {
        let mut failing = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match health {
            FeedHealth::Live => failing.remove(fed),
            FeedHealth::Off { .. } | FeedHealth::Connecting | FeedHealth::Retrying { .. } | FeedHealth::Lost { .. } => {
                failing.insert(fed.clone())
            }
        };
    }

    /// Whether it was told as failing, and not as live since.
    pub fn has(&self, fed: &Fed) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(fed)
    }
}

/// Tells a health.
pub async fn tell_health(means: &Means, fed: impl Into<Fed>, health: FeedHealth) {
    let fed = fed.into();
    means.failing.note(&fed, &health);
    means.post.tell(None, fed.changed(health)).await;
}

/// A number in `[0, 1)` to spread the panels' retries: the low digits of the wall's milliseconds are enough for that. A
/// clock that stands still has nobody to keep apart, and its runs are compared with each other.
pub fn roll(means: &Means) -> f64 {
    if means.clock.stands_still() {
        return 0.5;
    }
    (means.clock.mono_ms() % 997) as f64 / 997.0
}

/// Tries a read until it succeeds, fails for good, or the attempts are used up. A wait that was told is taken back when
/// the read succeeds after all.
pub async fn persist<T, F, W>(means: &Means, fed: impl Into<Fed>, work: W) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
    W: Fn() -> F,
{
    let fed = fed.into();
    let mut attempt = 1;
    loop {
        match work().await {
            Ok(answer) => {
                if attempt > 1 {
                    tell_health(means, fed, FeedHealth::Live).await;
                }
                return Ok(answer);
            }
            Err(fault) => wait_or_give_up(means, fed.clone(), attempt, fault).await?,
        }
        attempt += 1;
    }
}

/// After failure number `attempt`: waits for the next one, or gives the fault back when there is none. The flight rests
/// meanwhile: what goes on beside it in the same flight must be a part of its own.
pub async fn wait_or_give_up(means: &Means, fed: impl Into<Fed>, attempt: u32, fault: Fault) -> Result<(), Fault> {
    if !fault.kind.is_transient() || attempt >= ATTEMPTS {
        return Err(fault);
    }
    let until = means.clock.now() + wait_after(&fault, attempt, roll(means));
    tell_health(means, fed, FeedHealth::Retrying { attempt, until, fault }).await;
    means.clock.rest_until(until).await;
    Ok(())
}
