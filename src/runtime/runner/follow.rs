//! Follows what open incidents are about: new log lines every few seconds, new metric points once or twice a minute.
//!
//! A log group has one tail and one memory of what was shown, however many incidents read it, and a service one chart
//! feed: a line is told once, whoever reads it first.

mod charts;
mod live;
mod page;
mod stop;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};

use self::charts::Charted;
use self::live::{Live, keep_open};
use self::stop::Stop;
use super::Means;
use super::feeds::Pulse;
use super::identity::tell_clock;
use super::patience::tell_health;
use crate::adapters::aws::logs::{LogPage, Tail, Told};
use crate::config::LogTail;
use crate::domain::fault::Fault;
use crate::domain::observation::log::{Ingest, LogGroup};
use crate::domain::observation::service::ServiceName;
use crate::runtime::clock::Flight;
use crate::runtime::tasks::Tasks;
use crate::session::event::{Event, FeedEvent, LogEvent};
use crate::session::feeds::{FeedHealth, Following as Way};
use crate::session::incident::{Incident, Phase};
use crate::session::{IncidentId, Session};

pub use self::page::{Page, ShownGroup};

/// Why nothing of a group or a service is read any more.
const ENDED: &str = "its last incident is closed";

/// What is followed, and for which incidents.
#[derive(Debug, Default)]
pub struct Following {
    tails: BTreeMap<LogGroup, Followed>,
    /// Stays when a tail ends: an incident that is opened again must not see the same lines as new ones.
    told: BTreeMap<LogGroup, Told>,
    charts: BTreeMap<ServiceName, Charted>,
}

#[derive(Debug)]
struct Followed {
    incidents: BTreeSet<IncidentId>,
    stop: Stop,
}

impl Followed {
    fn begin(shown: ShownGroup, from: Timestamp, (means, tasks): (&Means, &Tasks)) -> Self {
        let stop = Stop::new(means.clock.busy());
        let tail = Tail::new(shown.group.clone(), from).sharing(shown.told.seen.clone());
        let wanted = wanted(means);
        let opens = matches!(wanted, Live::Down { .. }) && !means.clock.stands_still();
        let live = Arc::new(watch::Sender::new(wanted));
        if opens {
            tasks.spawn("live tail", keep_open(means.clone(), shown.clone(), Arc::clone(&live), stop.token()));
        }
        // In flight before it is spawned: a standing clock must not jump while it waits for its first turn.
        let flight = means.clock.busy().flight();
        tasks.spawn("tail", follow_group(means.clone(), (shown, tail), (live, stop.clone()), flight));
        Self { incidents: BTreeSet::new(), stop }
    }
}

/// Whether Live Tail is wanted. A clock that jumps leaves no second between two updates, and its runs are compared.
fn wanted(means: &Means) -> Live {
    let down = |why: &str| Live::Down { why: why.to_owned() };
    match means.outside.logs.tail {
        LogTail::Poll => Live::Off,
        LogTail::Live if means.clock.stands_still() => down("live tail needs a running clock"),
        LogTail::Live => down("live tail opens"),
    }
}

impl Following {
    /// A group with what was shown of it so far.
    pub fn told(&mut self, group: &LogGroup) -> ShownGroup {
        ShownGroup { group: group.clone(), told: self.told.entry(group.clone()).or_default().clone() }
    }

    /// Follows what an incident is about, as far as nobody does yet.
    pub fn begin(&mut self, (session, incident): (&Session, &Incident), (means, tasks): (&Means, &Tasks)) {
        if let Some(workload) = &incident.service.workload {
            means.outside.watch_namespace(&workload.namespace);
        }
        let service = &incident.service.name;
        if !incident.service.metrics.is_empty() {
            let begin = || Charted::begin(service, (means, tasks));
            let charted = self.charts.entry(service.clone()).or_insert_with(begin);
            charted.add((session, incident), means.now_at_aws());
        }
        if incident.phase == Phase::Closed {
            return;
        }
        let from = tail_start(session, incident, means.now_at_aws());
        for group in session.log_groups(Some(incident)) {
            let shown = self.told(group);
            let followed =
                self.tails.entry(group.clone()).or_insert_with(|| Followed::begin(shown, from, (means, tasks)));
            followed.incidents.insert(incident.id);
        }
    }

    /// Ends the tails and the charts that no open incident needs.
    pub fn end_idle(&mut self, session: &Session) {
        self.charts.retain(|service, charted| charted.goes_on(session, service));
        let needs = |id: &IncidentId, group: &LogGroup| {
            let incident = session.incidents.get(id);
            incident.is_some_and(|incident| {
                incident.phase != Phase::Closed && session.log_groups(Some(incident)).contains(&group)
            })
        };
        self.tails.retain(|group, followed| {
            followed.incidents.retain(|id| needs(id, group));
            if followed.incidents.is_empty() {
                followed.stop.stop();
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
async fn follow_group(
    means: Means,
    (shown, mut tail): (ShownGroup, Tail),
    (live, stop): (Arc<watch::Sender<Live>>, Stop),
    mut flight: Flight,
) {
    if means.clock.stands_still() {
        // Runs are compared here: the history that is read as an incident opens comes first, so that a line of both is told
        // by the same reader each time.
        let pause = means.pause_until(means.clock.now() + means.outside.poll.logs);
        drop(flight);
        flight = tokio::select! {
            biased;
            _flight = stop.stopped() => return tell_off(&means, &shown.group).await,
            flight = pause => flight,
        };
    }
    let mut pulse = Pulse::new(&shown.group);
    let mut states = live.subscribe();
    let mut way = Way::Polled;
    let mut clock = means.outside.clock();
    loop {
        let asked_at = means.clock.now();
        if std::mem::replace(&mut clock, means.outside.clock()) != clock {
            tail.timed_anew(means.now_at_aws());
        }
        let polled = poll(&means, &mut tail, &shown).await;
        tell_clock(&means).await;
        let soon = polled.is_ok();
        let mut next = match polled {
            Ok(()) => {
                live.send_if_modified(|state| state.accounted_to(tail.covered_to()));
                pulse.beat(&means).await;
                means.clock.now() + live.borrow().poll_every().max(means.outside.poll.logs)
            }
            Err(fault) => pulse.fail(&means, fault).await,
        };
        let pause = means.pause_until(next);
        let state = states.borrow_and_update().clone();
        tell_way(&means, &shown.group, &mut way, &state).await;
        drop(flight);
        let mut pause = Box::pin(pause);
        flight = loop {
            tokio::select! {
                biased;
                _flight = stop.stopped() => return tell_off(&means, &shown.group).await,
                flight = &mut pause => break flight,
                Ok(()) = states.changed() => {
                    let state = states.borrow_and_update().clone();
                    tell_way(&means, &shown.group, &mut way, &state).await;
                    // A session that broke or samples is made up for at once, but never against a wait of the service.
                    if soon && asked_at + state.poll_every() < next {
                        next = asked_at + state.poll_every();
                        pause.set(means.pause_until(next));
                    }
                }
            }
        };
    }
}

async fn tell_off(means: &Means, group: &LogGroup) {
    tell_health(means, group, FeedHealth::Off { why: ENDED.to_owned() }).await;
}

/// Tells how the lines come, when that became another. A sample that grows is no news.
async fn tell_way(means: &Means, group: &LogGroup, known: &mut Way, live: &Live) {
    let following = live.following();
    let same = match (&*known, &following) {
        (Way::Sampled { .. }, Way::Sampled { .. }) => true,
        (before, now) => before == now,
    };
    if !same {
        known.clone_from(&following);
        let event = FeedEvent::GroupFollowed { group: group.clone(), following };
        means.post.tell(None, Event::Feed(event)).await;
    }
}

async fn poll(means: &Means, tail: &mut Tail, shown: &ShownGroup) -> Result<(), Fault> {
    let clients = means.outside.aws().await?;
    // One page is read while another one is taken in: more of them waiting would only be held.
    let (sender, mut pages) = mpsc::channel(1);
    let read = async {
        let polled = tail.poll(clients, means.now_at_aws(), &sender).await.map_err(|error| error.fault());
        drop(sender);
        polled
    };
    let tell = async {
        let mut ingest = Ingest::of(&shown.group);
        while let Some(LogPage { events, duplicates, .. }) = pages.recv().await {
            let mut page = Page::new(shown, duplicates);
            for raw in events {
                page.add(shown.told.early.print(&raw), ingest.line(raw));
            }
            page.tell(means).await;
        }
    };
    let (polled, ()) = tokio::join!(read, tell);
    if let Some(window) = polled?.kept_back {
        let (group, why) = (shown.group.clone(), "CloudWatch Logs gave no more of them".to_owned());
        means.post.tell(None, Event::Log(LogEvent::Gap { group, window, missed: None, why })).await;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests;
#[cfg(test)]
mod tests_of_rehearsed_tails;
#[cfg(test)]
mod tests_of_tails;
