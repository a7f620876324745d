//! The alarms, asked again and again, and how a feed that is asked so says how it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::Means;
use super::identity::tell_clock;
use super::patience::{Fed, roll, tell_health};
use crate::adapters::aws::alarms::{Listing, describe_all};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::{Alarm, AlarmChange, AlarmName, changes};
use crate::runtime::clock::Flight;
use crate::session::event::{AlarmEvent, Event, FeedEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::timers::wait_after;

/// Seconds until a feed that failed for good is tried once more: the person may have logged in beside.
const LOST_AGAIN_S: i64 = 15;

/// How a feed that is asked again and again stands, and how long to wait after a failure.
pub struct Pulse {
    fed: Fed,
    failures: u32,
    live: bool,
}

impl Pulse {
    /// A feed that has not answered yet.
    pub fn new(fed: impl Into<Fed>) -> Self {
        Self { fed: fed.into(), failures: 0, live: false }
    }

    /// It answered; what failed beside it meanwhile is over as well.
    pub async fn beat(&mut self, means: &Means) {
        let fed = self.fed.clone();
        if self.live && !means.failing.has(&fed) {
            means.post.tell(None, fed.answered()).await;
        } else {
            tell_health(means, fed, FeedHealth::Live).await;
        }
        self.live = true;
        self.failures = 0;
    }

    /// Whether nothing failed since it answered last that may fail again in a moment.
    pub fn is_well(&self) -> bool {
        self.failures == 0
    }

    /// It failed. Returns when to ask again.
    pub async fn fail(&mut self, means: &Means, fault: Fault) -> Timestamp {
        self.live = false;
        let now = means.clock.now();
        let (until, health) = if fault.kind.is_transient() {
            self.failures += 1;
            let until = now + wait_after(&fault, self.failures, roll(means));
            (until, FeedHealth::Retrying { attempt: self.failures, until, fault })
        } else if fault.kind == FaultKind::NotConfigured && self.fed == Fed::By(FeedId::Workloads) {
            // A session without a cluster is whole; one without AWS is not, and its fault says what to set.
            (now + SignedDuration::from_hours(24), FeedHealth::Off { why: fault.summary })
        } else {
            (now + SignedDuration::from_secs(LOST_AGAIN_S), FeedHealth::Lost { fault })
        };
        tell_health(means, self.fed.clone(), health).await;
        until
    }
}

/// Lists the alarms every few seconds and tells what changed, and which of them nobody can read. `before` are those that the
/// session knows from its journal: what is still listed is told anew, the rest is gone.
pub async fn alarms(means: Means, mut before: BTreeSet<AlarmName>, mut flight: Flight) {
    let mut known: BTreeMap<AlarmName, Alarm> = BTreeMap::new();
    let mut unreadable = Vec::new();
    let mut pulse = Pulse::new(FeedId::Alarms);
    loop {
        let listed = list_alarms(&means).await;
        means.outside.alarms_answer.store(listed.is_ok(), Ordering::Relaxed);
        tell_clock(&means).await;
        let next = match listed {
            Ok(listing) => {
                for name in gone(std::mem::take(&mut before), &listing.alarms) {
                    means.post.tell(None, Event::Alarm(AlarmEvent::Removed { name })).await;
                }
                tell_changes(&means, &mut known, (listing.alarms, &listing.scaling)).await;
                if unreadable != listing.unreadable {
                    unreadable.clone_from(&listing.unreadable);
                    let event = FeedEvent::Unreadable { feed: FeedId::Alarms, why: listing.unreadable };
                    means.post.tell(None, Event::Feed(event)).await;
                }
                pulse.beat(&means).await;
                means.clock.now() + means.outside.poll.alarms
            }
            Err(fault) => pulse.fail(&means, fault).await,
        };
        let pause = means.pause_until(next);
        drop(flight);
        flight = pause.await;
    }
}

async fn list_alarms(means: &Means) -> Result<Listing, Fault> {
    let clients = means.outside.aws().await?;
    describe_all(clients).await.map_err(|error| error.fault())
}

/// What was known before and is listed no more.
fn gone(mut before: BTreeSet<AlarmName>, listed: &[Alarm]) -> BTreeSet<AlarmName> {
    for alarm in listed {
        before.remove(&alarm.name);
    }
    before
}

async fn tell_changes(
    means: &Means,
    known: &mut BTreeMap<AlarmName, Alarm>,
    (listing, scaling): (Vec<Alarm>, &BTreeSet<AlarmName>),
) {
    for change in changes(known, listing) {
        match &change {
            AlarmChange::Raised(alarm) | AlarmChange::Cleared(alarm) | AlarmChange::Updated(alarm) => {
                known.insert(alarm.name.clone(), alarm.clone());
            }
            AlarmChange::Removed(name) => drop(known.remove(name)),
        }
        means.post.tell(None, Event::Alarm(told(change, scaling))).await;
    }
}

/// A change as it is told. An alarm that only scales is listed and opens nothing, unless the session is about it.
fn told(change: AlarmChange, scaling: &BTreeSet<AlarmName>) -> AlarmEvent {
    match change {
        AlarmChange::Raised(alarm) | AlarmChange::Cleared(alarm) if scaling.contains(&alarm.name) => {
            AlarmEvent::Updated { alarm: Box::new(alarm) }
        }
        AlarmChange::Raised(alarm) => AlarmEvent::Raised { alarm: Box::new(alarm) },
        AlarmChange::Cleared(alarm) => AlarmEvent::Cleared { alarm: Box::new(alarm) },
        AlarmChange::Updated(alarm) => AlarmEvent::Updated { alarm: Box::new(alarm) },
        AlarmChange::Removed(name) => AlarmEvent::Removed { name },
    }
}

#[cfg(test)]
mod tests {
    use super::super::follow::tests::outside;
    use super::*;
    use crate::runtime::inbox::Inbox;

    /// A read of evidence told that the cluster fails; the watch beside it, which goes on, takes that back.
    #[tokio::test]
    async fn what_failed_beside_a_feed_is_over_when_it_answers() {
        let (means, _tasks, mut inbox) = outside();
        let mut pulse = Pulse::new(FeedId::Workloads);
        pulse.beat(&means).await;
        pulse.beat(&means).await;
        let fault = Fault::new(FaultKind::Unavailable, "It is away.");
        tell_health(&means, FeedId::Workloads, FeedHealth::Lost { fault: fault.clone() }).await;
        pulse.beat(&means).await;
        pulse.beat(&means).await;
        let feed = FeedId::Workloads;
        let changed = |health| Event::Feed(FeedEvent::Changed { feed, health });
        let answered = || Event::Feed(FeedEvent::Answered { feed });
        let told = [
            changed(FeedHealth::Live),
            answered(),
            changed(FeedHealth::Lost { fault }),
            changed(FeedHealth::Live),
            answered(),
        ];
        for expected in told {
            let Ok(Inbox::Event { event, .. }) = inbox.try_recv() else { panic!("nothing was told") };
            assert_eq!(*event, expected);
        }
    }

    #[tokio::test]
    async fn a_feed_is_left_alone_for_as_long_as_the_server_asks() {
        let (means, _tasks, _inbox) = outside();
        let fault = Fault::new(FaultKind::Throttled, "Slow down.").asks_to_wait(SignedDuration::from_secs(20));
        let before = means.clock.now();
        let until = Pulse::new(FeedId::Workloads).fail(&means, fault).await;
        assert!(until >= before + SignedDuration::from_secs(20), "{before} {until}");
    }

    #[test]
    fn an_alarm_of_the_journal_that_is_listed_no_more_is_gone() {
        use crate::domain::observation::alarm::fixture::any;
        let names = |names: &[&str]| names.iter().map(|name| AlarmName::from(*name)).collect::<BTreeSet<_>>();
        let listed = [any("new"), any("stays")];
        assert_eq!(gone(names(&["renamed", "stays"]), &listed), names(&["renamed"]));
        assert_eq!(gone(names(&[]), &listed), names(&[]));
        assert_eq!(gone(names(&["a", "b"]), &[]), names(&["a", "b"]), "of another account, say");
    }
}
