//! The feed of the cluster: a watch that is begun again whenever it ends, or listings where the clock stands still.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Means;
use super::feeds::Pulse;
use crate::adapters::kubernetes::{Refused, Unreadable, View, WatchReport, watch_once};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::ClusterChange;
use crate::runtime::clock::Flight;
use crate::session::event::{Event, FeedEvent, SessionEvent, WorkloadEvent};
use crate::session::feeds::FeedId;

/// Seconds between two listings of the cluster where it cannot be watched.
const LISTED_EVERY_S: i64 = 30;
/// How long a watch that had failed is followed before the cluster counts as live again.
const FOLLOWED: Duration = Duration::from_secs(3);

/// Watches the cluster; a watch that ends is begun again, told and waited for. `began` are the namespaces that the session
/// began with.
pub async fn workloads(means: Means, flight: Flight, began: Vec<Namespace>) {
    let mut told = Told::of(began);
    if means.clock.stands_still() {
        return listings(means, flight, told).await;
    }
    drop(flight);
    let mut namespaces = means.outside.namespaces.subscribe();
    loop {
        let until = tokio::select! {
            fault = watch(&means, &mut told) => told.pulse.fail(&means, fault).await,
            _ = namespaces.changed() => continue,
        };
        tokio::select! {
            flight = means.pause_until(until) => drop(flight),
            _ = namespaces.changed() => {}
        }
    }
}

/// Lists the cluster again and again instead. Nobody can tell when everything that a standing clock has brought about has
/// come through a watch, so what is told of it would depend on the machine; and runs are compared.
async fn listings(means: Means, mut flight: Flight, mut told: Told) {
    let mut last = View::default();
    loop {
        let next = match list_cluster(&means, &mut told.namespaces).await {
            Ok(listed) => {
                tell_listing((&means, &mut told), &last, &listed).await;
                last = listed;
                told.pulse.beat(&means).await;
                means.clock.now() + SignedDuration::from_secs(LISTED_EVERY_S)
            }
            Err(fault) => told.pulse.fail(&means, fault).await,
        };
        let pause = means.pause_until(next);
        drop(flight);
        flight = pause.await;
    }
}

async fn list_cluster(means: &Means, told: &mut Vec<Namespace>) -> Result<View, Fault> {
    let client = means.outside.cluster().await?;
    let namespaces = watched(means, told).await?;
    client.read_view(&namespaces).await.map_err(|error| error.fault())
}

/// Tells what is another than before.
async fn tell_listing((means, told): (&Means, &mut Told), last: &View, listed: &View) {
    told.refuse(means, listed.unreadable.iter().map(words).collect()).await;
    if (&listed.view, &listed.whole) != (&last.view, &last.whole) {
        let (view, whole) = (Box::new(listed.view.clone()), listed.whole.clone());
        let change = ClusterChange::Listed { view, whole };
        means.post.tell(None, Event::Workload(WorkloadEvent::Changed { change })).await;
    }
}

/// The namespaces that are watched, told where they are others than before: line 1 names them.
async fn watched(means: &Means, told: &mut Vec<Namespace>) -> Result<Vec<Namespace>, Fault> {
    let namespaces = means.outside.namespaces.borrow().clone();
    if namespaces.is_empty() {
        let why = "no namespace is known yet: name one by --namespace or under [[service]]";
        return Err(Fault::new(FaultKind::NotConfigured, why));
    }
    if namespaces != *told {
        told.clone_from(&namespaces);
        let event = SessionEvent::NamespacesLearned { namespaces: namespaces.clone() };
        means.post.tell(None, Event::Session(event)).await;
    }
    Ok(namespaces)
}

async fn watch(means: &Means, told: &mut Told) -> Fault {
    let client = match means.outside.cluster().await {
        Ok(client) => client,
        Err(fault) => return fault,
    };
    let namespaces = match watched(means, &mut told.namespaces).await {
        Ok(namespaces) => namespaces,
        Err(fault) => return fault,
    };
    let (sender, reports) = mpsc::channel(256);
    let tell = tell_reports((means, told), reports, FOLLOWED);
    let run = async move { watch_once(client, &namespaces, &sender).await };
    let (ended, ()) = tokio::join!(run, tell);
    match ended {
        Ok(()) => Fault::new(FaultKind::Cut, "The Kubernetes watch ended."),
        Err(error) => error.fault(),
    }
}

/// What was told of the cluster, from attempt to attempt.
struct Told {
    /// The namespaces that are watched.
    namespaces: Vec<Namespace>,
    pulse: Pulse,
    /// What may not be listed, as last told.
    refused: Vec<String>,
    /// What may be listed and not watched: it is tried again each time all is listed anew, and told once.
    said: BTreeSet<String>,
}

impl Told {
    fn of(namespaces: Vec<Namespace>) -> Self {
        Self { namespaces, pulse: Pulse::new(FeedId::Workloads), refused: Vec::new(), said: BTreeSet::new() }
    }

    /// What may not be listed, where that is news.
    async fn refuse(&mut self, means: &Means, refused: Vec<String>) {
        if refused != self.refused {
            self.refused.clone_from(&refused);
            let event = FeedEvent::Unreadable { feed: FeedId::Workloads, why: refused };
            means.post.tell(None, Event::Feed(event)).await;
        }
    }
}

/// What is refused, and what would allow it.
fn words(missing: &Unreadable) -> String {
    let fault = &missing.fault;
    std::iter::once(&fault.summary).chain(&fault.hints).cloned().collect::<Vec<String>>().join(" ")
}

/// Tells what an attempt reports, until it ends. After a failure a listing is no recovery yet: the server may forget it
/// at once, over and over. What it listed is told, and the feed counts as live when it was followed for a while.
async fn tell_reports(
    (means, told): (&Means, &mut Told),
    mut reports: mpsc::Receiver<WatchReport>,
    followed: Duration,
) {
    let (mut refused, mut holds_at) = (Vec::new(), None);
    loop {
        let failed = !told.pulse.is_well();
        let held = async {
            match holds_at {
                Some(at) if failed => tokio::time::sleep_until(at).await,
                Some(_) | None => std::future::pending().await,
            }
        };
        let report = tokio::select! {
            report = reports.recv() => report,
            () = held => {
                told.pulse.beat(means).await;
                continue;
            }
        };
        match report {
            None => return,
            Some(WatchReport::Change(change)) => {
                if matches!(change, ClusterChange::Listed { .. }) {
                    told.refuse(means, std::mem::take(&mut refused)).await;
                }
                means.post.tell(None, Event::Workload(WorkloadEvent::Changed { change })).await;
                holds_at.get_or_insert_with(|| Instant::now() + followed);
                if told.pulse.is_well() {
                    told.pulse.beat(means).await;
                }
            }
            // These come before the listing that lacks them.
            Some(WatchReport::Unreadable(missing)) if missing.of == Refused::Listing => refused.push(words(&missing)),
            Some(WatchReport::Unreadable(missing)) => {
                if told.said.insert(missing.fault.summary.clone()) {
                    means.post.tell(None, Event::Session(SessionEvent::Faulted { fault: missing.fault })).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::follow::tests::outside;
    use super::*;
    use crate::runtime::inbox::Inbox;
    use crate::session::event::FeedEvent;
    use crate::session::feeds::FeedHealth;

    #[tokio::test]
    async fn a_namespace_that_is_learned_is_told_once() {
        let (means, _, mut inbox) = outside();
        let mut told = Vec::new();
        assert!(watched(&means, &mut told).await.is_err(), "nobody named one");
        for _ in 0..2 {
            means.outside.watch_namespace(&"payments".into());
            assert_eq!(watched(&means, &mut told).await.unwrap(), told);
        }
        means.outside.watch_namespace(&"orders".into());
        watched(&means, &mut told).await.unwrap();
        let mut learned = Vec::new();
        while let Ok(Inbox::Event { event, .. }) = inbox.try_recv() {
            let Event::Session(SessionEvent::NamespacesLearned { namespaces }) = *event else { continue };
            learned.push(namespaces);
        }
        assert_eq!(learned, [vec!["payments".into()], vec!["payments".into(), "orders".into()]] as [Vec<Namespace>; 2]);
    }

    /// The words of what was told of the feed.
    fn said(inbox: &mut mpsc::Receiver<Inbox>) -> Vec<String> {
        let mut said = Vec::new();
        while let Ok(Inbox::Event { event, .. }) = inbox.try_recv() {
            said.extend(match *event {
                Event::Workload(_) => Some("change".to_owned()),
                Event::Feed(FeedEvent::Changed { health: FeedHealth::Live, .. }) => Some("live".to_owned()),
                Event::Feed(FeedEvent::Changed { health: FeedHealth::Retrying { attempt, .. }, .. }) => {
                    Some(format!("retry {attempt}"))
                }
                Event::Feed(FeedEvent::Unreadable { why, .. }) => Some(format!("refused {}", why.join(", "))),
                _ => None,
            });
        }
        said
    }

    fn listed() -> WatchReport {
        WatchReport::Change(ClusterChange::Listed { view: Box::default(), whole: Vec::new() })
    }

    /// Takes in an attempt that ends after these reports.
    async fn ended(means: &Means, told: &mut Told, all: Vec<WatchReport>) {
        let (sender, reports) = mpsc::channel(8);
        for report in all {
            sender.send(report).await.unwrap();
        }
        drop(sender);
        tell_reports((means, told), reports, Duration::from_hours(1)).await;
    }

    #[tokio::test]
    async fn a_server_that_forgets_each_listing_is_never_told_as_live() {
        let (means, _tasks, mut inbox) = outside();
        let mut told = Told::of(Vec::new());
        for _ in 0..3 {
            ended(&means, &mut told, vec![listed()]).await;
            told.pulse.fail(&means, Fault::new(FaultKind::Cut, "gone")).await;
        }
        assert_eq!(said(&mut inbox), ["change", "live", "retry 1", "change", "retry 2", "change", "retry 3"]);
        let (sender, reports) = mpsc::channel(1);
        sender.send(listed()).await.unwrap();
        let live = async {
            while !said(&mut inbox).contains(&"live".to_owned()) {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = tell_reports((&means, &mut told), reports, Duration::ZERO) => panic!("the watch goes on"),
            () = live => {}
        }
        drop(sender);
        assert!(told.pulse.is_well());
    }

    #[tokio::test]
    async fn what_may_not_be_listed_is_told_of_the_feed_until_it_may() {
        let (means, _tasks, mut inbox) = outside();
        let mut told = Told::of(Vec::new());
        let missing = |of| {
            let fault = Fault::new(FaultKind::Denied, "No pods.").hint("Needs a verb.");
            WatchReport::Unreadable(Unreadable { resource: "pods", namespace: "payments".into(), of, fault })
        };
        ended(&means, &mut told, vec![missing(Refused::Listing), listed()]).await;
        ended(&means, &mut told, vec![missing(Refused::Listing), listed(), missing(Refused::Watching)]).await;
        ended(&means, &mut told, vec![listed()]).await;
        let expected = ["refused No pods. Needs a verb.", "change", "live", "change", "refused ", "change"];
        assert_eq!(said(&mut inbox), expected);
    }
}
