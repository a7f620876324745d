//! Charts of a service: its newest points, once or twice a minute, while an open incident is about it. What an outage kept
//! from us is read when it is over.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::stop::Stop;
use super::{ENDED, Means};
use crate::adapters::aws::metrics::{Reading, fetch};
use crate::domain::fault::Fault;
use crate::domain::observation::metric::{MetricQuery, Series};
use crate::domain::observation::scope::{Window, whole_minute};
use crate::domain::observation::service::ServiceName;
use crate::runtime::clock::Flight;
use crate::runtime::runner::feeds::Pulse;
use crate::runtime::runner::patience::tell_health;
use crate::runtime::runner::read::{unread, with_zeros};
use crate::runtime::tasks::Tasks;
use crate::session::Session;
use crate::session::event::{Event, FeedEvent, MetricEvent};
use crate::session::feeds::FeedHealth;
use crate::session::incident::{Incident, Phase};

/// Points that came late are read for so long.
const LATE: SignedDuration = SignedDuration::from_mins(5);
/// After an outage no more is read than the half hour on screen and the one before it, which an opened chart lays under it.
const FURTHEST: SignedDuration = SignedDuration::from_mins(60);

/// The charts of one service.
#[derive(Debug)]
pub struct Charted {
    wanted: Wanted,
    stop: Stop,
}

/// What is charted, and to where each of it was read.
type Wanted = Arc<Mutex<BTreeMap<MetricQuery, Timestamp>>>;

impl Charted {
    /// Begins with nothing to read.
    pub fn begin(service: &ServiceName, (means, tasks): (&Means, &Tasks)) -> Self {
        let stop = Stop::new(means.clock.busy());
        let wanted = Wanted::default();
        let flight = means.clock.busy().flight();
        tasks.spawn("charts", follow(means.clone(), service.clone(), (Arc::clone(&wanted), stop.clone()), flight));
        Self { wanted, stop }
    }

    /// Charts what an incident is about as well.
    pub fn add(&self, (session, incident): (&Session, &Incident), now: Timestamp) {
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        for query in incident.service.metrics.values() {
            wanted.entry(query.clone()).or_insert_with(|| read_to((session, &incident.service.name), query, now));
        }
    }

    /// Leaves what no open incident of the service is about, nor a follow-up of a closed one; where nothing is left the charts
    /// end.
    pub fn goes_on(&self, session: &Session, service: &ServiceName) -> bool {
        let all = session.incidents.values();
        let ours: Vec<&Incident> = all.filter(|incident| incident.service.name == *service).collect();
        let wants = |one: &Incident, query: &MetricQuery| {
            let looks = one.phase != Phase::Closed || one.watched_roles().any(|role| role == query.role);
            looks && one.service.metrics.get(&query.role) == Some(query)
        };
        let is_wanted = |query: &MetricQuery| ours.iter().any(|one| wants(one, query));
        let mut wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        wanted.retain(|query, _| is_wanted(query));
        if wanted.is_empty() {
            self.stop.stop();
        }
        !wanted.is_empty()
    }

    #[cfg(test)]
    pub fn is_stopped(&self) -> bool {
        self.stop.token().is_cancelled()
    }

    #[cfg(test)]
    pub fn charted(&self) -> Vec<MetricQuery> {
        self.wanted.lock().unwrap().keys().cloned().collect()
    }
}

/// To where a metric was read: by triage until now, or to the last point of a session that is resumed.
fn read_to((session, service): (&Session, &ServiceName), query: &MetricQuery, now: Timestamp) -> Timestamp {
    let known = session.metrics.get(service).and_then(|charts| charts.get(&query.role));
    let last = known.filter(|known| known.query == *query).and_then(Series::latest);
    last.map_or(now, |last| (last.at + period(query)).min(now))
}

fn period(query: &MetricQuery) -> SignedDuration {
    SignedDuration::from_secs(i64::from(query.period_s.max(1)))
}

async fn follow(means: Means, service: ServiceName, (wanted, stop): (Wanted, Stop), flight: Flight) {
    let mut pulse = Pulse::new(&service);
    let mut unreadable = Vec::new();
    // Triage reads the half hour as the incident opens: the first look here is for what comes after.
    let mut pause = Box::pin(means.pause_until(means.clock.now() + means.outside.poll.metrics));
    drop(flight);
    loop {
        let flight = tokio::select! {
            biased;
            _flight = stop.stopped() => {
                return tell_health(&means, &service, FeedHealth::Off { why: ENDED.to_owned() }).await;
            }
            flight = &mut pause => flight,
        };
        let next = match refresh(&means, &service, &wanted).await {
            Ok(why) => {
                if unreadable != why {
                    unreadable.clone_from(&why);
                    let event = FeedEvent::ServiceUnreadable { service: service.clone(), why };
                    means.post.tell(None, Event::Feed(event)).await;
                }
                pulse.beat(&means).await;
                means.clock.now() + means.outside.poll.metrics
            }
            Err(fault) => pulse.fail(&means, fault).await,
        };
        pause.set(means.pause_until(next));
        drop(flight);
    }
}

/// Reads what came since the last look, and tells it. Gives why single metrics could not be read.
async fn refresh(means: &Means, service: &ServiceName, wanted: &Wanted) -> Result<Vec<String>, Fault> {
    let now = whole_minute(means.now_at_aws());
    let froms = froms(wanted, (now, means.outside.poll.metrics));
    let Some(from) = froms.values().min().copied() else { return Ok(Vec::new()) };
    let clients = means.outside.aws().await?;
    let queries: Vec<MetricQuery> = froms.keys().cloned().collect();
    let readings = fetch(clients, &queries, Window { from, to: now }).await.map_err(|error| error.fault())?;
    let Answers { series, answered, failed } = Answers::of(readings, &froms)?;
    for query in answered {
        if let Some(read_to) = wanted.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&query) {
            *read_to = now;
        }
    }
    for series in series {
        let event = MetricEvent::Read { service: service.clone(), series };
        means.post.tell(None, Event::Metric(event)).await;
    }
    Ok(failed)
}

/// From where each metric is read: as it would have been at the first look that was not answered.
fn froms(wanted: &Wanted, (now, every): (Timestamp, SignedDuration)) -> BTreeMap<MetricQuery, Timestamp> {
    let wanted = wanted.lock().unwrap_or_else(PoisonError::into_inner);
    let from = |read_to: Timestamp| ((read_to + every).min(now) - LATE).max(now - FURTHEST);
    wanted.iter().map(|(query, read_to)| (query.clone(), from(*read_to))).collect()
}

/// What one look at all metrics of a service came to.
#[derive(Debug, Default)]
struct Answers {
    series: Vec<Series>,
    /// Those that are read up to now, whether there was a point or not.
    answered: Vec<MetricQuery>,
    /// Why each of the others was not.
    failed: Vec<String>,
}

impl Answers {
    /// CloudWatch says for each metric by itself whether it may be read. Where it gave points of none and refused one, the
    /// look has failed as a whole.
    fn of(readings: Vec<Reading>, froms: &BTreeMap<MetricQuery, Timestamp>) -> Result<Self, Fault> {
        let mut answers = Self::default();
        let mut first = None;
        for reading in with_zeros(readings) {
            match reading {
                Reading::Complete(series) => {
                    answers.answered.push(series.query.clone());
                    answers.series.push(since(series, froms));
                }
                Reading::Partial { series, .. } => answers.series.push(since(series, froms)),
                Reading::Empty(series) => answers.answered.push(series.query),
                Reading::Failed { query, source } => {
                    let fault = unread(&query, &source);
                    answers.failed.push(format!("{} {source}.", fault.summary));
                    first.get_or_insert(fault);
                }
            }
        }
        match first {
            Some(fault) if answers.series.is_empty() => Err(fault),
            Some(_) | None => Ok(answers),
        }
    }
}

/// One call reads all metrics from the earliest on: of each only what was asked for is told.
fn since(series: Series, froms: &BTreeMap<MetricQuery, Timestamp>) -> Series {
    let Some(from) = froms.get(&series.query) else { return series };
    let Series { query, unit, points } = series;
    let points: Vec<_> = points.into_iter().filter(|point| !query.is_over(point.at, *from)).collect();
    Series { query, unit, points }
}

#[cfg(test)]
mod tests;
