//! The feeds every session has beside the cluster: who we are, the alarms. Each goes on for ever and says how it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use super::Means;
use super::patience::{Fed, roll, tell_health};
use crate::adapters::aws::alarms::{Listing, describe_all};
use crate::adapters::aws::clients::Clients;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::{Alarm, AlarmChange, AlarmName, changes};
use crate::domain::observation::scope::Scope;
use crate::runtime::clock::Flight;
use crate::session::event::{AlarmEvent, Event, FeedEvent, SessionEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::timers::backoff;

/// Seconds between two looks at who we are and how long the credentials last.
const IDENTITY_EVERY_S: i64 = 60;
/// Failures in a row after which it is told that AWS does not say who we are, while it answers otherwise.
const FAILS_ALONE: u32 = 3;
/// How long before their end the credentials' provider is asked for the next ones.
const NEAR_THE_END: SignedDuration = SignedDuration::from_mins(5);
/// For how long credentials without an end are taken for lasting: the SDK loads them anew after as long.
const LASTING_HOLDS: SignedDuration = SignedDuration::from_mins(15);
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
            let until = now + backoff(self.failures, roll(means));
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

/// Asks who we are, and how long the credentials last.
pub async fn identity(means: Means, mut flight: Flight) {
    let mut last = means.outside.scope();
    let (mut lifetime, mut unknown) = (Lifetime::default(), Unknown::default());
    let mut failures = 0;
    loop {
        let wait = match look(&means, &mut last).await {
            Ok(clients) => {
                (failures, unknown) = (0, Unknown::default());
                read_lifetime(&means, clients, &mut lifetime).await;
                SignedDuration::from_secs(IDENTITY_EVERY_S)
            }
            Err(fault) => {
                failures += 1;
                // While the alarms fail as well they tell of the same failure: here it would only be told twice. Expired
                // credentials fail them in a moment, too.
                let alone = failures >= FAILS_ALONE && means.outside.alarms_answer.load(Ordering::Relaxed);
                if alone
                    && fault.kind != FaultKind::Credentials
                    && let Some(fault) = unknown.news(fault)
                {
                    means.post.tell(None, Event::Session(SessionEvent::Faulted { fault })).await;
                }
                backoff(failures, roll(&means))
            }
        };
        tell_scope(&means, &mut last).await;
        let next = means.clock.now() + wait;
        let pause = means.pause_until(next);
        drop(flight);
        flight = pause.await;
    }
}

async fn look<'a>(means: &'a Means, last: &mut Scope) -> Result<&'a Clients, Fault> {
    let clients = means.outside.aws().await?;
    // Told before anything that may take long: what model is asked may depend on the region.
    means.outside.learn_region(clients.region().clone());
    tell_scope(means, last).await;
    // The cluster's name belongs to the scope as well; without a cluster the rest is still worth knowing.
    if means.outside.has_cluster() {
        drop(means.outside.cluster().await);
    }
    let identity = clients.identity().await.map_err(|error| error.fault())?;
    means.outside.learn_identity(identity.account, identity.arn);
    Ok(clients)
}

async fn tell_scope(means: &Means, last: &mut Scope) {
    let scope = means.outside.scope();
    if scope != *last {
        *last = scope.clone();
        let environment = means.outside.environments.configured(&scope);
        means.post.tell(None, Event::Session(SessionEvent::ScopeLearned { scope, environment })).await;
    }
}

async fn read_lifetime(means: &Means, clients: &Clients, lifetime: &mut Lifetime) {
    let now = means.clock.now();
    if !lifetime.is_due(now) {
        return;
    }
    // Where the provider fails now, the end that it told holds: until then the credentials in use go on.
    let Ok(expires_at) = clients.credentials_expiry().await else {
        lifetime.failed_at = Some(now);
        return;
    };
    if lifetime.learn(now, expires_at) {
        means.post.tell(None, Event::Session(SessionEvent::CredentialsRead { expires_at })).await;
    }
}

/// When the credentials end, as last told. Asking makes new ones, whose end is not that of those in use, so it is asked
/// only where the SDK is about to do the same.
#[derive(Debug, Default)]
struct Lifetime {
    told: Option<(Timestamp, Option<Timestamp>)>,
    /// When the provider failed last: a program that waits for a person is not started again each minute.
    failed_at: Option<Timestamp>,
}

impl Lifetime {
    fn is_due(&self, now: Timestamp) -> bool {
        if self.failed_at.is_some_and(|at| now.duration_since(at) < LASTING_HOLDS) {
            return false;
        }
        match self.told {
            None => true,
            Some((_, Some(end))) => end.duration_since(now) < NEAR_THE_END,
            Some((asked, None)) => now.duration_since(asked) >= LASTING_HOLDS,
        }
    }

    /// Takes an answer; whether it is another than the one before.
    fn learn(&mut self, now: Timestamp, end: Option<Timestamp>) -> bool {
        self.failed_at = None;
        let before = self.told.replace((now, end));
        before.map(|(_, end)| end) != Some(end)
    }
}

/// What was told of an identity that cannot be asked: each failure once, until it answers again.
#[derive(Debug, Default)]
struct Unknown {
    told: Option<Fault>,
}

impl Unknown {
    fn news(&mut self, fault: Fault) -> Option<Fault> {
        let same = |told: &Fault| told.kind == fault.kind && told.summary == fault.summary;
        if self.told.as_ref().is_some_and(same) {
            return None;
        }
        self.told = Some(fault.clone());
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::super::follow::tests::outside;
    use super::*;
    use crate::runtime::inbox::Inbox;

    #[test]
    fn a_provider_is_asked_once_and_again_near_the_end() {
        let at = |minutes: i64| Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes);
        let mut lifetime = Lifetime::default();
        assert!(lifetime.is_due(at(0)));
        assert!(lifetime.learn(at(0), Some(at(60))), "the first answer is news");
        for (minute, due) in [(1, false), (54, false), (55, false), (56, true), (61, true)] {
            assert_eq!(lifetime.is_due(at(minute)), due, "minute {minute}");
        }
        assert!(!lifetime.learn(at(56), Some(at(60))), "the provider has no others yet");
        assert!(lifetime.learn(at(57), Some(at(117))));
        assert!(!lifetime.is_due(at(58)));
        assert!(lifetime.learn(at(113), None));
        assert_eq!([at(114), at(128)].map(|now| lifetime.is_due(now)), [false, true], "keys may be exchanged");
        assert!(!lifetime.learn(at(128), None));
        lifetime.failed_at = Some(at(143));
        assert_eq!([at(144), at(158)].map(|now| lifetime.is_due(now)), [false, true], "no prompt a minute");
    }

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

    #[test]
    fn an_alarm_of_the_journal_that_is_listed_no_more_is_gone() {
        use crate::domain::observation::alarm::fixture::any;
        let names = |names: &[&str]| names.iter().map(|name| AlarmName::from(*name)).collect::<BTreeSet<_>>();
        let listed = [any("new"), any("stays")];
        assert_eq!(gone(names(&["renamed", "stays"]), &listed), names(&["renamed"]));
        assert_eq!(gone(names(&[]), &listed), names(&[]));
        assert_eq!(gone(names(&["a", "b"]), &[]), names(&["a", "b"]), "of another account, say");
    }

    #[test]
    fn a_failure_is_told_once_until_it_is_another() {
        let mut unknown = Unknown::default();
        let silent = || Fault::new(FaultKind::Timeout, "AWS did not say who we are.").cause("request 1");
        assert!(unknown.news(silent()).is_some());
        assert_eq!(unknown.news(Fault { causes: vec!["request 2".to_owned()], ..silent() }), None);
        assert!(unknown.news(Fault { kind: FaultKind::Denied, ..silent() }).is_some());
    }
}
