//! What the fold comes to: the state every panel, report and decision reads.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::feeds::{Feed, FeedHealth, FeedId, Feeds, ServiceFeeds};
use super::header::Header;
use super::incident::{Incident, Phase};
use super::logs::LogBoard;
use super::record::IncidentId;
use super::timeline::Timeline;
use crate::domain::drill::StandingFault;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::{Alarm, AlarmDetail, AlarmName, AlarmState};
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::metric::{MetricRole, Series};
use crate::domain::observation::scope::Scope;
use crate::domain::observation::service::{Service, ServiceName};
use crate::domain::observation::skew::ClockSkew;
use crate::domain::observation::workload::ClusterView;

/// The credentials as far as they are known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Credentials {
    /// Not known yet.
    #[default]
    Unknown,
    /// They do not expire.
    Lasting,
    /// They expire then.
    ExpireAt(Timestamp),
}

/// The session.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Session {
    /// What it is.
    pub header: Header,
    /// The sequence number of the last record folded.
    pub seq: u64,
    /// The time of the last record folded.
    pub now: Timestamp,
    /// All alarms by name.
    pub alarms: BTreeMap<AlarmName, Alarm>,
    /// Those that were raised and that no incident has taken up yet, whether they still fire or not.
    #[serde(skip)]
    pub raised: BTreeSet<AlarmName>,
    /// What was read of alarms that a person opened.
    pub alarm_details: BTreeMap<AlarmName, AlarmDetail>,
    /// Feeds.
    pub feeds: Feeds,
    /// How the metrics of each service are read.
    pub service_feeds: ServiceFeeds,
    /// Metrics of services, by role, for the charts.
    pub metrics: BTreeMap<ServiceName, BTreeMap<MetricRole, Series>>,
    /// Logs.
    pub logs: LogBoard,
    /// The cluster as the watch last told it; read again after a restart, never journaled.
    pub cluster: ClusterView,
    /// What alarms are about, as far as known.
    pub services: BTreeMap<AlarmName, Service>,
    /// Incidents by number.
    pub incidents: BTreeMap<IncidentId, Incident>,
    /// What happened, for the timeline.
    pub timeline: Timeline,
    /// The credentials' end.
    pub credentials: Credentials,
    /// How far the times of this session are off those of AWS.
    pub clock: ClockSkew,
    /// The faults that were let loose on a game day, ended ones among them.
    pub drills: Vec<StandingFault>,
    /// Where this process has turned out to be, where that is not the place of the session: nothing of it holds there.
    pub elsewhere: Option<Box<Scope>>,
    /// Why nothing may be decided or run any more.
    pub read_only: Option<Fault>,
    /// How the session ended.
    pub ended: Option<String>,
}

impl Session {
    /// The alarms that fire, worst first, then longest.
    pub fn firing(&self) -> Vec<&Alarm> {
        let mut firing: Vec<&Alarm> = self.alarms.values().filter(|alarm| alarm.state == AlarmState::Alarm).collect();
        firing.sort_by(|a, b| (a.severity, a.since, &a.name).cmp(&(b.severity, b.since, &b.name)));
        firing
    }

    /// Why nothing of this session may be asked, decided or looked at where this process is.
    pub fn elsewhere(&self) -> Option<Fault> {
        let here = self.elsewhere.as_deref()?;
        let (there, here) = self.header.scope.told_apart(here)?;
        let text = format!("This session is of {there}, and this is {here}: nothing of it is asked or decided here.");
        let hint = "Begin a new session here, or resume this one with the --context and --profile that it had.";
        Some(Fault::new(FaultKind::Usage, text).hint(hint))
    }

    /// Every incident: those that are not closed before those that are, of either worst first, then oldest.
    pub fn queue(&self) -> Vec<&Incident> {
        let mut queue: Vec<&Incident> = self.incidents.values().collect();
        queue.sort_by_key(|incident| (incident.phase == Phase::Closed, incident.severity, incident.id));
        queue
    }

    /// Whether the session was started for this alarm, named as a page carries it: by name or by ARN.
    pub fn is_focus(&self, alarm: &AlarmName) -> bool {
        self.header.focus.as_deref().is_some_and(|focus| {
            focus == alarm.as_str() || self.alarms.get(alarm).is_some_and(|known| known.arn == focus)
        })
    }

    /// The incident of the alarm the session was started for.
    pub fn focused(&self) -> Option<&Incident> {
        self.incidents.values().find(|incident| incident.alarms.iter().any(|alarm| self.is_focus(alarm)))
    }

    /// The faults of a game day that strike at an instant.
    pub fn drills_at(&self, now: Timestamp) -> impl Iterator<Item = &StandingFault> {
        self.drills.iter().filter(move |fault| fault.holds_at(now))
    }

    /// A feed, as it is before anything is known of it.
    pub fn feed(&self, id: FeedId) -> Feed {
        self.feeds.get(&id).cloned().unwrap_or_default()
    }

    /// Why the credentials do not serve, whatever is known of their end: with them the alarms are asked for every few seconds.
    pub fn credentials_fault(&self) -> Option<&Fault> {
        self.refused(FeedId::Alarms)
    }

    /// Whose credentials do not serve, and why: what is read with them may have become another thing meanwhile, so that
    /// nothing is decided until they do.
    pub fn unusable_credentials(&self) -> Option<(&'static str, &Fault)> {
        let of = |feed, whose| Some((whose, self.refused(feed)?));
        of(FeedId::Alarms, "AWS").or_else(|| of(FeedId::Workloads, "Kubernetes"))
    }

    /// Why a feed is not let in.
    fn refused(&self, feed: FeedId) -> Option<&Fault> {
        match &self.feeds.get(&feed)?.health {
            FeedHealth::Lost { fault } | FeedHealth::Retrying { fault, .. } => {
                Some(fault).filter(|fault| fault.kind == FaultKind::Credentials)
            }
            FeedHealth::Off { .. } | FeedHealth::Connecting | FeedHealth::Live => None,
        }
    }

    /// How the metrics of a service are read; as metrics are at all while nothing was told of its own.
    pub fn metric_feed(&self, service: Option<&ServiceName>) -> Feed {
        let own = service.and_then(|service| self.service_feeds.get(service));
        own.cloned().unwrap_or_else(|| self.feed(FeedId::Metrics))
    }

    /// How the logs of an incident are read: as the worst off of its groups.
    pub fn log_feed(&self, incident: Option<&Incident>) -> Feed {
        let worst = self.logs.worst_feed(self.log_groups(incident));
        worst.cloned().unwrap_or_else(|| self.feed(FeedId::Logs))
    }

    /// The log groups read for an incident: those named on the command line, then those of its service.
    pub fn log_groups<'a>(&'a self, incident: Option<&'a Incident>) -> Vec<&'a LogGroup> {
        let own = incident.map_or(&[][..], |incident| incident.service.log_groups.as_slice());
        let further = own.iter().filter(|group| !self.header.log_groups.contains(group));
        self.header.log_groups.iter().chain(further).collect()
    }

    /// The next incident's number.
    pub fn next_incident(&self) -> IncidentId {
        IncidentId(self.incidents.keys().next_back().map_or(1, |last| last.0 + 1))
    }

    /// The session without what no journal keeps: what a fold from disk comes to.
    pub fn durable(&self) -> Self {
        let mut durable = self.clone();
        durable.logs = durable.logs.without_lines();
        durable.cluster = ClusterView::default();
        durable.read_only = None;
        for feed in durable.feeds.values_mut().chain(durable.service_feeds.values_mut()) {
            feed.answered_at = None;
        }
        durable.seq = 0;
        durable.now = Timestamp::UNIX_EPOCH;
        durable
    }
}
