//! The three reads that evidence is made of: metrics, logs, cluster. One read answers several questions.

use tokio::sync::mpsc;

use super::Means;
use super::follow::tell_page;
use super::patience::{persist, tell_health, wait_or_give_up};
use crate::adapters::aws::logs::{LogPage, LogQuery, read_window};
use crate::adapters::aws::metrics::{Reading, fetch};
use crate::domain::diagnosis::evidence::LogDigest;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::log::{Completeness, LogGroup, ingest};
use crate::domain::observation::metric::MetricQuery;
use crate::domain::observation::scope::{Window, whole_minute};
use crate::domain::observation::workload::{ClusterEvent, Pod, Revision, Workload, WorkloadRef};
use crate::session::feeds::{FeedHealth, FeedId};

/// Minutes before the window that are read with it, to compare.
const BASELINE_MINUTES: i64 = 30;

/// Reads every query over the window and the half hour before it, in one call.
pub async fn metrics(means: &Means, queries: &[MetricQuery], window: Window) -> Result<Vec<Reading>, Fault> {
    if queries.is_empty() {
        return Ok(Vec::new());
    }
    let wide = Window {
        from: whole_minute(window.from) - jiff::SignedDuration::from_mins(BASELINE_MINUTES),
        to: whole_minute(window.to),
    };
    let read = persist(means, FeedId::Metrics, || async {
        let clients = means.outside.aws().await?;
        fetch(clients, queries, wide).await.map_err(|error| error.fault())
    })
    .await;
    tell_outcome(means, FeedId::Metrics, &read).await;
    read
}

/// Whether the lines of a read are shown in the log pane as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// The history of a new incident.
    Lines,
    /// They have been shown.
    CountsOnly,
}

/// All lines of a window, counted.
#[derive(Debug)]
pub struct LogRead {
    /// What they come to.
    pub digest: LogDigest,
    /// Whether all were read.
    pub completeness: Completeness,
}

/// Reads all groups to the end. One group that cannot be read makes the whole an error: a count over the rest would
/// look like the whole.
pub async fn logs(means: &Means, groups: &[LogGroup], window: Window, show: Show) -> Result<LogRead, Fault> {
    if groups.is_empty() {
        return Err(Fault::new(FaultKind::NotConfigured, "no log group is known for this service"));
    }
    let mut read = LogRead { digest: LogDigest::new(window), completeness: Completeness::Exact };
    for group in groups {
        let outcome = one_group(means, (group, window), show, &mut read).await;
        tell_outcome(means, FeedId::Logs, &outcome).await;
        outcome?;
    }
    Ok(read)
}

async fn one_group(
    means: &Means,
    (group, window): (&LogGroup, Window),
    show: Show,
    read: &mut LogRead,
) -> Result<(), Fault> {
    let query = LogQuery::all(group.clone(), window);
    let mut shown = match show {
        Show::Lines => 0,
        Show::CountsOnly => u32::MAX,
    };
    let mut attempt = 1;
    loop {
        // Each attempt counts from the start again, so that no page is counted twice.
        let mut digest = read.digest.clone();
        match read_once(means, &query, &mut shown, &mut digest).await {
            Ok(completeness) => {
                read.digest = digest;
                read.completeness = worse(read.completeness, completeness);
                return Ok(());
            }
            Err(fault) => wait_or_give_up(means, FeedId::Logs, attempt, fault).await?,
        }
        attempt += 1;
    }
}

/// Reads a group once. Pages up to number `shown` have been shown by an attempt before.
async fn read_once(
    means: &Means,
    query: &LogQuery,
    shown: &mut u32,
    digest: &mut LogDigest,
) -> Result<Completeness, Fault> {
    let clients = means.outside.aws().await?;
    let (sender, mut pages) = mpsc::channel::<LogPage>(4);
    let reading = async {
        let summary = read_window(clients, query, &sender).await.map_err(|error| error.fault());
        drop(sender);
        summary
    };
    let counting = async {
        while let Some(page) = pages.recv().await {
            for raw in &page.events {
                digest.add(&ingest(raw.clone(), &query.group));
            }
            if page.page > *shown {
                *shown = page.page;
                tell_page(means, &query.group, page).await;
            }
        }
    };
    let (summary, ()) = tokio::join!(reading, counting);
    Ok(summary?.completeness)
}

fn worse(a: Completeness, b: Completeness) -> Completeness {
    match (a, b) {
        (Completeness::Exact, other) | (other, Completeness::Exact) => other,
        (Completeness::Truncated { seen, .. }, Completeness::Truncated { seen: more, .. }) => {
            Completeness::Truncated { seen: seen + more, of: None }
        }
        (
            Completeness::Sampled { seen },
            Completeness::Truncated { seen: more, .. } | Completeness::Sampled { seen: more },
        )
        | (Completeness::Truncated { seen, .. }, Completeness::Sampled { seen: more }) => {
            Completeness::Sampled { seen: seen + more }
        }
    }
}

/// What the cluster says of a workload; each part may be refused by itself.
#[derive(Debug)]
pub struct ClusterRead {
    /// The workload.
    pub workload: Result<Workload, Fault>,
    /// Its pods.
    pub pods: Result<Vec<Pod>, Fault>,
    /// Its revisions.
    pub revisions: Result<Vec<Revision>, Fault>,
    /// Events of its namespace.
    pub events: Result<Vec<ClusterEvent>, Fault>,
}

impl ClusterRead {
    fn refused(fault: &Fault) -> Self {
        Self {
            workload: Err(fault.clone()),
            pods: Err(fault.clone()),
            revisions: Err(fault.clone()),
            events: Err(fault.clone()),
        }
    }
}

/// Reads a workload with its pods, revisions and events.
pub async fn cluster(means: &Means, target: Option<&WorkloadRef>) -> ClusterRead {
    let Some(target) = target else {
        let why = "no workload is known for this service: name it under [[service]]";
        return ClusterRead::refused(&Fault::new(FaultKind::NotConfigured, why));
    };
    let client = match means.outside.cluster().await {
        Ok(client) => client,
        Err(fault) => return ClusterRead::refused(&fault),
    };
    let workload = persist(means, FeedId::Workloads, || async {
        client.read_workload(target).await.map_err(|error| error.fault())
    })
    .await;
    let events = client.read_events(&target.namespace).await.map_err(|error| error.fault());
    let (pods, revisions) = match &workload {
        Ok(workload) => {
            tokio::join!(async { client.read_pods(workload).await.map_err(|error| error.fault()) }, async {
                client.read_revisions(workload).await.map_err(|error| error.fault())
            },)
        }
        Err(fault) => (Err(fault.clone()), Err(fault.clone())),
    };
    ClusterRead { workload, pods, revisions, events }
}

async fn tell_outcome<T>(means: &Means, feed: FeedId, outcome: &Result<T, Fault>) {
    let health = match outcome {
        Ok(_) => FeedHealth::Live,
        Err(fault) => FeedHealth::Lost { fault: fault.clone() },
    };
    tell_health(means, feed, health).await;
}
