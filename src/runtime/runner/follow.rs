//! Follows what open incidents are about: new log lines every two seconds, new metric points every half minute.
//!
//! A log group has one tail and one memory of what was shown, however many incidents read it, and a service one chart
//! feed: a line is told once, whoever reads it first.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Means;
use super::feeds::Pulse;
use super::patience::tell_health;
use crate::adapters::aws::logs::{LogPage, Seen, Tail};
use crate::adapters::aws::metrics::{Reading, fetch};
use crate::domain::fault::Fault;
use crate::domain::observation::log::{BatchSummary, LogGroup, LogLine, ingest};
use crate::domain::observation::metric::MetricQuery;
use crate::domain::observation::scope::{Window, whole_minute};
use crate::domain::observation::service::{Service, ServiceName};
use crate::runtime::clock::Flight;
use crate::runtime::tasks::Tasks;
use crate::session::event::{Event, LogEvent, MetricEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::incident::{Incident, Phase};
use crate::session::{IncidentId, Session};

/// Seconds between two polls of the logs.
const LOGS_EVERY_S: i64 = 2;
/// Seconds between two reads of the metrics: they are minute data.
const METRICS_EVERY_S: i64 = 30;
/// Minutes of points read again each time, for those that came late.
const LATE_MINUTES: i64 = 5;

/// What is followed, and for which incidents.
#[derive(Debug, Default)]
pub struct Following {
    tails: BTreeMap<LogGroup, Followed>,
    /// Stays when a tail ends: an incident that is opened again must not see the same lines as new ones.
    told: BTreeMap<LogGroup, Seen>,
    charts: BTreeSet<ServiceName>,
}

#[derive(Debug)]
struct Followed {
    incidents: BTreeSet<IncidentId>,
    stop: CancellationToken,
}

impl Following {
    /// What was shown of a group so far.
    pub fn told(&mut self, group: &LogGroup) -> Seen {
        self.told.entry(group.clone()).or_default().clone()
    }

    /// Follows what an incident is about, as far as nobody does yet.
    pub fn begin(&mut self, (session, incident): (&Session, &Incident), (means, tasks): (&Means, &Tasks)) {
        if let Some(workload) = &incident.service.workload {
            means.outside.watch_namespace(&workload.namespace);
        }
        if self.charts.insert(incident.service.name.clone()) {
            let flight = means.clock.busy().flight();
            tasks.spawn("charts", charts(means.clone(), incident.service.clone(), flight));
        }
        let from = tail_start(session, incident, means.clock.now());
        for group in session.log_groups(Some(incident)) {
            let told = self.told(group);
            let followed = self.tails.entry(group.clone()).or_insert_with(|| {
                let stop = CancellationToken::new();
                let tail = Tail::new(group.clone(), from).sharing(told);
                // In flight before it is spawned: a standing clock must not jump while it waits for its first turn.
                let flight = means.clock.busy().flight();
                tasks.spawn("tail", follow_group(means.clone(), (group.clone(), tail), stop.clone(), flight));
                Followed { incidents: BTreeSet::new(), stop }
            });
            followed.incidents.insert(incident.id);
        }
    }

    /// Ends the tails that no open incident needs.
    pub fn end_idle(&mut self, session: &Session) {
        let needs = |id: &IncidentId, group: &LogGroup| {
            let incident = session.incidents.get(id);
            incident.is_some_and(|incident| {
                incident.phase != Phase::Closed && session.log_groups(Some(incident)).contains(&group)
            })
        };
        self.tails.retain(|group, followed| {
            followed.incidents.retain(|id| needs(id, group));
            if followed.incidents.is_empty() {
                followed.stop.cancel();
            }
            !followed.incidents.is_empty()
        });
    }
}

/// Where the tail of an incident's groups begins: at the end of the history that the incident reads, less the overlap for
/// events that come late; but never before the history that a person is shown, however old a resumed incident is.
fn tail_start(session: &Session, incident: &Incident, now: Timestamp) -> Timestamp {
    let history_ends = incident.window.map_or(now, |window| window.to);
    let minutes = i64::from(session.header.window_minutes.max(1));
    (history_ends - Tail::OVERLAP).max(now - SignedDuration::from_mins(minutes))
}

/// Polls a group until it is told to stop. A poll under way is finished first, so that no page is read and not shown.
async fn follow_group(means: Means, (group, mut tail): (LogGroup, Tail), stop: CancellationToken, mut flight: Flight) {
    let mut pulse = Pulse::new(&group);
    loop {
        let next = match poll(&means, &mut tail, &group).await {
            Ok(()) => {
                pulse.beat(&means).await;
                means.clock.now() + SignedDuration::from_secs(LOGS_EVERY_S)
            }
            Err(fault) => pulse.fail(&means, fault).await,
        };
        let pause = means.pause_until(next);
        drop(flight);
        flight = tokio::select! {
            () = stop.cancelled() => break,
            flight = pause => flight,
        };
    }
    let why = "its last incident is closed".to_owned();
    tell_health(&means, &group, FeedHealth::Off { why }).await;
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
        while let Some(LogPage { events, duplicates, .. }) = pages.recv().await {
            let lines = events.into_iter().map(|raw| Arc::new(ingest(raw, group))).collect();
            tell_lines(means, group, lines, duplicates).await;
        }
    };
    let (polled, ()) = tokio::join!(read, tell);
    polled.map(drop)
}

/// Counts lines that were not shown before and tells of them as one batch.
pub async fn tell_lines(means: &Means, group: &LogGroup, lines: Vec<Arc<LogLine>>, duplicates: u64) {
    let mut summary = BatchSummary { duplicates, ..BatchSummary::default() };
    for line in &lines {
        summary.add(line);
    }
    if summary.lines > 0 {
        means.post.tell(None, Event::Log(LogEvent::Batch { group: group.clone(), summary, lines })).await;
    }
}

async fn charts(means: Means, service: Service, flight: Flight) {
    let queries: Vec<MetricQuery> = service.metrics.values().cloned().collect();
    if queries.is_empty() {
        return;
    }
    let mut pulse = Pulse::new(FeedId::Metrics);
    // Triage reads the half hour as the incident opens: the first look here is for what comes after.
    let mut pause = means.pause_until(means.clock.now() + SignedDuration::from_secs(METRICS_EVERY_S));
    drop(flight);
    loop {
        let flight = pause.await;
        let next = match refresh(&means, &service, &queries).await {
            Ok(()) => {
                pulse.beat(&means).await;
                means.clock.now() + SignedDuration::from_secs(METRICS_EVERY_S)
            }
            Err(fault) => pulse.fail(&means, fault).await,
        };
        pause = means.pause_until(next);
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

#[cfg(test)]
mod tests;
