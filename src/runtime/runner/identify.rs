//! Finds out what firing alarms are about, one after the other, so that the order of incidents is that of the alarms.

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::Means;
use crate::adapters::aws::logs::{GroupSearch, find_groups};
use crate::config::{ConfiguredService, claimant};
use crate::domain::observation::alarm::Alarm;
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::scope::{AccountId, Namespace};
use crate::domain::observation::service::{self, Origin, Service, Surroundings};
use crate::domain::observation::workload::{ClusterView, Workload, WorkloadRef};
use crate::runtime::clock::Flight;
use crate::runtime::outside::PATIENCE;
use crate::session::event::{Event, IncidentEvent};

/// Log groups looked at to find those of a service.
const MOST_GROUPS: usize = 50;
/// What `DescribeLogGroups` takes as a part of a name, characters.
const SHORTEST_PART: usize = 3;
const LONGEST_PART: usize = 24;

/// Alarms to look into, each in flight until it has been.
pub type Queue = mpsc::UnboundedReceiver<(Alarm, Flight)>;

/// Looks into alarms as they come.
pub async fn identify_all(means: Means, services: Vec<ConfiguredService>, mut queue: Queue) {
    let mut looked = Looked::default();
    while let Some((alarm, flight)) = queue.recv().await {
        let service = match claimant(&services, &alarm.name) {
            Some(service) => service.clone(),
            None => infer(&means, &services, &alarm, &mut looked).await,
        };
        let event = IncidentEvent::Identified { alarm: alarm.name, service: Box::new(service) };
        means.post.tell(None, Event::Incident(event)).await;
        drop(flight);
    }
}

/// The cluster as last listed, or that it could not be: the alarms of a storm do not each wait for one that hangs.
#[derive(Default)]
struct Looked {
    last: Option<(Timestamp, Vec<Namespace>, ClusterView)>,
    /// When log groups were asked for last without an answer, and in which account.
    unanswered: Option<(Timestamp, Option<AccountId>)>,
}

impl Looked {
    /// How long a look holds.
    const HOLDS: SignedDuration = SignedDuration::from_secs(10);

    async fn view(&mut self, means: &Means, alarm: &Alarm) -> ClusterView {
        let asked = places(&means.outside.namespaces.borrow(), alarm);
        let now = means.clock.now();
        let holds = |(at, places, _): &(Timestamp, Vec<Namespace>, ClusterView)| {
            *places == asked && now.duration_since(*at) < Self::HOLDS
        };
        if let Some(last) = self.last.take().filter(holds) {
            return self.last.insert(last).2.clone();
        }
        let (begun, view) = (Instant::now(), view(means, alarm).await);
        // What is refused at once may be there for the next alarm; what hangs is not waited for again.
        if view.is_some() || begun.elapsed() >= PATIENCE {
            self.last = Some((means.clock.now(), asked, view.clone().unwrap_or_default()));
        }
        view.unwrap_or_default()
    }

    async fn log_groups(&mut self, means: &Means, name: &str, account: Option<&AccountId>) -> Option<Vec<LogGroup>> {
        let now = means.clock.now();
        let silent = self
            .unanswered
            .as_ref()
            .is_some_and(|(at, of)| of.as_ref() == account && now.duration_since(*at) < Self::HOLDS);
        if name.len() < SHORTEST_PART || silent {
            return None;
        }
        let groups = log_groups(means, name, account).await;
        self.unanswered = groups.is_none().then(|| (means.clock.now(), account.cloned()));
        groups
    }
}

/// Concludes from dimensions, names, workloads and log groups. What cannot be listed in time is done without, and the
/// service shows it by what it lacks. A configured service needs no listing.
async fn infer(means: &Means, services: &[ConfiguredService], alarm: &Alarm, looked: &mut Looked) -> Service {
    let configured: Vec<Service> = services.iter().map(|configured| configured.service.clone()).collect();
    let service = service::infer(alarm, &Surroundings { configured: &configured, ..Surroundings::default() });
    if service.origin == Origin::Configured {
        return service;
    }
    let view = looked.view(means, alarm).await;
    let workloads: Vec<WorkloadRef> = view.workloads.values().map(|workload| workload.target.clone()).collect();
    let labelled: Vec<(String, WorkloadRef)> = view.workloads.values().flat_map(called_by_labels).collect();
    let own = means.outside.scope().account;
    let elsewhere = accounts(alarm).find(|account| own.as_ref() != Some(*account));
    let around = Surroundings {
        configured: &configured,
        workloads: &workloads,
        labelled: &labelled,
        log_groups: None,
        elsewhere,
    };
    let service = service::infer(alarm, &around);
    match service.origin {
        Origin::Configured => service,
        Origin::Inferred { .. } => {
            let log_groups = looked.log_groups(means, service.name.as_str(), elsewhere).await;
            service::infer(alarm, &Surroundings { log_groups: log_groups.as_deref(), ..around })
        }
    }
}

/// The accounts that an alarm names for its metrics. One that watches others may name itself as well.
fn accounts(alarm: &Alarm) -> impl Iterator<Item = &AccountId> {
    alarm.metrics().iter().filter_map(|metric| metric.account.as_ref())
}

/// What a workload's labels call it by.
fn called_by_labels(workload: &Workload) -> impl Iterator<Item = (String, WorkloadRef)> {
    let names = ["app.kubernetes.io/name", "app.kubernetes.io/instance", "app", "k8s-app", "service"];
    names.into_iter().filter_map(|key| Some((workload.labels.get(key)?.clone(), workload.target.clone())))
}

async fn view(means: &Means, alarm: &Alarm) -> Option<ClusterView> {
    let read = Box::pin(async {
        // The namespace of the context is known once there is a connection.
        let client = means.outside.cluster().await.ok()?;
        let namespaces = places(&means.outside.namespaces.borrow(), alarm);
        client.read_view(&namespaces).await.ok().map(|read| read.view)
    });
    in_time(means, read).await
}

/// The namespaces that are watched, and those that the alarm's metrics name.
fn places(watched: &[Namespace], alarm: &Alarm) -> Vec<Namespace> {
    let metrics = alarm.metrics();
    let named = metrics.iter().filter_map(|metric| metric.dimensions.get("Namespace"));
    let mut places = watched.to_vec();
    for namespace in named.map(|name| Namespace::new(name.clone())) {
        if !places.contains(&namespace) {
            places.push(namespace);
        }
    }
    places
}

/// Groups whose names contain a service's name, as far as the API can search for it, in the account that the alarm is about.
/// `None` where nobody answered.
async fn log_groups(means: &Means, name: &str, account: Option<&AccountId>) -> Option<Vec<LogGroup>> {
    let part: String = name.chars().take(LONGEST_PART).collect();
    let read = Box::pin(async {
        let clients = means.outside.aws().await.ok()?;
        let search = match account {
            Some(account) => GroupSearch::ContainingIn { account: account.clone(), part },
            None => GroupSearch::Containing(part),
        };
        find_groups(clients, &search, MOST_GROUPS).await.ok()
    });
    in_time(means, read).await.map(|found| found.groups)
}

/// What comes before patience ends. While time stands still nobody is kept waiting, and how fast the machine is must not
/// show in what is told.
async fn in_time<T>(means: &Means, read: impl Future<Output = Option<T>>) -> Option<T> {
    if means.clock.stands_still() { read.await } else { timeout(PATIENCE, read).await.ok().flatten() }
}

#[cfg(test)]
mod tests;
