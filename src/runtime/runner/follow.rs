//! Follows the service of an incident: new log lines every two seconds, new metric points every minute.

use std::sync::Arc;

use jiff::SignedDuration;
use tokio::sync::mpsc;

use super::Means;
use super::feeds::Pulse;
use crate::adapters::aws::logs::{LogPage, Tail};
use crate::adapters::aws::metrics::{Reading, fetch};
use crate::domain::fault::Fault;
use crate::domain::observation::log::{BatchSummary, LogGroup, ingest};
use crate::domain::observation::metric::MetricQuery;
use crate::domain::observation::scope::{Window, whole_minute};
use crate::domain::observation::service::Service;
use crate::session::event::{Event, LogEvent, MetricEvent};
use crate::session::feeds::FeedId;

/// Seconds between two polls of the logs.
const LOGS_EVERY_S: i64 = 2;
/// Seconds between two reads of the metrics: they are minute data.
const METRICS_EVERY_S: i64 = 30;
/// Minutes of points read again each time, for those that came late.
const LATE_MINUTES: i64 = 5;

/// Follows logs, metrics and the namespace of a service until the session ends.
pub async fn follow(means: Means, service: Service) {
    if let Some(workload) = &service.workload {
        means.outside.watch_namespace(&workload.namespace);
    }
    let groups = groups(&means, &service);
    let logs = futures::future::join_all(groups.into_iter().map(|group| tail(&means, group)));
    tokio::join!(logs, metrics(&means, &service));
}

/// The groups of a service, with those named on the command line.
pub fn groups(means: &Means, service: &Service) -> Vec<LogGroup> {
    let mut groups = means.outside.log_groups.clone();
    groups.extend(service.log_groups.iter().filter(|group| !means.outside.log_groups.contains(group)).cloned());
    groups
}

async fn tail(means: &Means, group: LogGroup) {
    let mut tail = Tail::new(group.clone(), means.clock.now());
    let mut pulse = Pulse::new(FeedId::Logs);
    loop {
        let flight = means.clock.busy().flight();
        let next = match poll(means, &mut tail, &group).await {
            Ok(()) => {
                pulse.beat(means).await;
                means.clock.now() + SignedDuration::from_secs(LOGS_EVERY_S)
            }
            Err(fault) => pulse.fail(means, fault).await,
        };
        drop(flight);
        drop(means.pause_until(next).await);
    }
}

async fn poll(means: &Means, tail: &mut Tail, group: &LogGroup) -> Result<(), Fault> {
    let clients = means.outside.aws().await?;
    let (sender, mut pages) = mpsc::channel(4);
    let read = async {
        let polled = tail.poll(clients, means.clock.now(), &sender).await.map_err(|error| error.fault());
        drop(sender);
        polled
    };
    let tell = async {
        while let Some(page) = pages.recv().await {
            tell_page(means, group, page).await;
        }
    };
    let (polled, ()) = tokio::join!(read, tell);
    polled.map(drop)
}

/// Cleans and counts a page and tells of it as one batch.
pub async fn tell_page(means: &Means, group: &LogGroup, page: LogPage) {
    let mut summary = BatchSummary { duplicates: page.duplicates, ..BatchSummary::default() };
    let lines: Vec<_> = page.events.into_iter().map(|raw| Arc::new(ingest(raw, group))).collect();
    for line in &lines {
        summary.add(line);
    }
    if summary.lines > 0 {
        means.post.tell(None, Event::Log(LogEvent::Batch { group: group.clone(), summary, lines })).await;
    }
}

async fn metrics(means: &Means, service: &Service) {
    let queries: Vec<MetricQuery> = service.metrics.values().cloned().collect();
    if queries.is_empty() {
        return;
    }
    let mut pulse = Pulse::new(FeedId::Metrics);
    // Triage reads the half hour as the incident opens: the first look here is for what comes after.
    let mut next = means.clock.now() + SignedDuration::from_secs(METRICS_EVERY_S);
    loop {
        let flight = means.pause_until(next).await;
        next = match refresh(means, service, &queries).await {
            Ok(()) => {
                pulse.beat(means).await;
                means.clock.now() + SignedDuration::from_secs(METRICS_EVERY_S)
            }
            Err(fault) => pulse.fail(means, fault).await,
        };
        drop(flight);
    }
}

async fn refresh(means: &Means, service: &Service, queries: &[MetricQuery]) -> Result<(), Fault> {
    let clients = means.outside.aws().await?;
    let window = Window::minutes_before(whole_minute(means.clock.now()), LATE_MINUTES);
    let readings = fetch(clients, queries, window).await.map_err(|error| error.fault())?;
    for reading in readings {
        if let Reading::Complete(series) | Reading::Partial { series, .. } = reading {
            let event = MetricEvent::Read { service: service.name.clone(), series };
            means.post.tell(None, Event::Metric(event)).await;
        }
    }
    Ok(())
}
