//! The feeds every session has: who we are, the alarms, the cluster. Each goes on for ever and says how it is.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use tokio::sync::mpsc;

use super::Means;
use super::patience::{Fed, roll, tell_health};
use crate::adapters::aws::alarms::{Listing, describe_all};
use crate::adapters::kubernetes::{WatchReport, watch_once};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::{Alarm, AlarmChange, AlarmName, changes};
use crate::domain::observation::scope::Scope;
use crate::runtime::clock::Flight;
use crate::session::event::{AlarmEvent, Event, FeedEvent, SessionEvent, WorkloadEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::timers::backoff;

/// Seconds between two looks at who we are and how long the credentials last.
const IDENTITY_EVERY_S: i64 = 60;
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

    /// It answered.
    pub async fn beat(&mut self, means: &Means) {
        let fed = self.fed.clone();
        let event = if self.live { fed.answered() } else { fed.changed(FeedHealth::Live) };
        self.live = true;
        self.failures = 0;
        means.post.tell(None, event).await;
    }

    /// It failed. Returns when to ask again.
    pub async fn fail(&mut self, means: &Means, fault: Fault) -> jiff::Timestamp {
        self.failures += 1;
        self.live = false;
        let now = means.clock.now();
        let (until, health) = if fault.kind.is_transient() {
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

/// Lists the alarms every few seconds and tells what changed, and which of them nobody can read.
pub async fn alarms(means: Means, mut flight: Flight) {
    let mut known: BTreeMap<AlarmName, Alarm> = BTreeMap::new();
    let mut unreadable = Vec::new();
    let mut pulse = Pulse::new(FeedId::Alarms);
    loop {
        let next = match list_alarms(&means).await {
            Ok(listing) => {
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
    let mut expiry = None;
    let mut failures = 0;
    loop {
        // Told before anything that may take long: what model is asked may depend on the region.
        if let Ok(clients) = means.outside.aws().await {
            means.outside.learn_region(clients.region().clone());
            tell_scope(&means, &mut last).await;
        }
        let wait = if let Ok(expires_at) = look(&means).await {
            failures = 0;
            if expiry != Some(expires_at) {
                expiry = Some(expires_at);
                means.post.tell(None, Event::Session(SessionEvent::CredentialsRead { expires_at })).await;
            }
            SignedDuration::from_secs(IDENTITY_EVERY_S)
        } else {
            // The alarm feed tells of the same failure with its hint; here it would only be told twice.
            failures += 1;
            backoff(failures, roll(&means))
        };
        tell_scope(&means, &mut last).await;
        let next = means.clock.now() + wait;
        let pause = means.pause_until(next);
        drop(flight);
        flight = pause.await;
    }
}

async fn tell_scope(means: &Means, last: &mut Scope) {
    let scope = means.outside.scope();
    if scope != *last {
        *last = scope.clone();
        let environment = means.outside.environments.configured(&scope);
        means.post.tell(None, Event::Session(SessionEvent::ScopeLearned { scope, environment })).await;
    }
}

async fn look(means: &Means) -> Result<Option<jiff::Timestamp>, Fault> {
    let clients = means.outside.aws().await?;
    // The cluster's name belongs to the scope as well; without a cluster the rest is still worth knowing.
    if means.outside.has_cluster() {
        drop(means.outside.cluster().await);
    }
    let identity = clients.identity().await.map_err(|error| error.fault())?;
    means.outside.learn_identity(identity.account, identity.arn);
    clients.credentials_expiry().await.map_err(|error| error.fault())
}

/// Watches the cluster; a watch that ends is begun again, told and waited for.
pub async fn workloads(means: Means) {
    let mut pulse = Pulse::new(FeedId::Workloads);
    let mut namespaces = means.outside.namespaces.subscribe();
    loop {
        let until = tokio::select! {
            fault = watch(&means, &mut pulse) => pulse.fail(&means, fault).await,
            _ = namespaces.changed() => continue,
        };
        tokio::select! {
            flight = means.pause_until(until) => drop(flight),
            _ = namespaces.changed() => {}
        }
    }
}

async fn watch(means: &Means, pulse: &mut Pulse) -> Fault {
    let client = match means.outside.cluster().await {
        Ok(client) => client,
        Err(fault) => return fault,
    };
    let namespaces = means.outside.namespaces.borrow().clone();
    if namespaces.is_empty() {
        let why = "no namespace is known yet: name one by --namespace or under [[service]]";
        return Fault::new(FaultKind::NotConfigured, why);
    }
    let (sender, mut reports) = mpsc::channel(256);
    let tell = async {
        while let Some(report) = reports.recv().await {
            match report {
                WatchReport::Change(change) => {
                    means.post.tell(None, Event::Workload(WorkloadEvent::Changed { change })).await;
                    pulse.beat(means).await;
                }
                WatchReport::Unreadable(missing) => {
                    means.post.tell(None, Event::Session(SessionEvent::Faulted { fault: missing.fault })).await;
                }
            }
        }
    };
    let run = async move { watch_once(client, &namespaces, &sender).await };
    let (ended, ()) = tokio::join!(run, tell);
    match ended {
        Ok(()) => Fault::new(FaultKind::Cut, "The Kubernetes watch ended."),
        Err(error) => error.fault(),
    }
}
