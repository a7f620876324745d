//! Feeds: where data comes from, whether it still comes, and how old it is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{Event, FeedEvent};
use crate::domain::fault::Fault;
use crate::domain::observation::scope::Window;
use crate::domain::observation::service::ServiceName;

/// The feeds of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FeedId {
    /// `DescribeAlarms`.
    Alarms,
    /// `GetMetricData`.
    Metrics,
    /// `FilterLogEvents`.
    Logs,
    /// The Kubernetes watch.
    Workloads,
    /// Bedrock.
    Model,
}

impl FeedId {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Alarms => "alarms",
            Self::Metrics => "metrics",
            Self::Logs => "logs",
            Self::Workloads => "workloads",
            Self::Model => "model",
        }
    }
}

/// How a feed is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum FeedHealth {
    /// Not asked: something it needs is not configured or not known.
    Off {
        /// What.
        why: String,
    },
    /// First answer outstanding.
    #[default]
    Connecting,
    /// Answering.
    Live,
    /// Failed, and asked again at a known time.
    Retrying {
        /// Failures in a row.
        attempt: u32,
        /// When it is asked again.
        until: Timestamp,
        /// What failed.
        fault: Fault,
    },
    /// Failed for good, until the person does something.
    Lost {
        /// What failed.
        fault: Fault,
    },
}

/// How the lines of a log group come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Following {
    /// By asking every few seconds.
    #[default]
    Polled,
    /// By asking, because Live Tail does not serve.
    PolledInstead {
        /// Why not, in a few words for the stamp: `live tail denied`.
        why: String,
    },
    /// By Live Tail first, and by asking for the account.
    Tailed,
    /// By Live Tail, which showed a part of what came in a span; that span is being read whole.
    Sampled {
        /// From the first sample that is not made up for to the newest.
        window: Window,
    },
}

/// A feed as folded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Feed {
    /// How it is.
    pub health: FeedHealth,
    /// When it last answered.
    pub answered_at: Option<Timestamp>,
    /// One sentence for each thing it lists and nobody could read.
    #[serde(default)]
    pub unreadable: Vec<String>,
    /// How its lines come; said of log groups alone.
    #[serde(default)]
    pub following: Following,
}

impl Feed {
    /// Its health changed.
    pub fn change(&mut self, health: &FeedHealth, at: Timestamp) {
        if *health == FeedHealth::Live {
            self.answered_at = Some(at);
        }
        self.health = health.clone();
    }

    /// How much there is to worry about, to compare: lost, then failing, then silent; of equals the older answer.
    fn worry(&self) -> (u8, std::cmp::Reverse<Option<Timestamp>>) {
        let rank = match self.health {
            FeedHealth::Off { .. } => 0,
            FeedHealth::Live => 1,
            FeedHealth::Connecting => 2,
            FeedHealth::Retrying { .. } => 3,
            FeedHealth::Lost { .. } => 4,
        };
        (rank, std::cmp::Reverse(self.answered_at))
    }
}

/// The feed that is worst off: what a panel fed by several of them shows.
pub fn worst<'a>(feeds: impl Iterator<Item = &'a Feed>) -> Option<&'a Feed> {
    feeds.max_by_key(|feed| feed.worry())
}

/// All feeds.
pub type Feeds = BTreeMap<FeedId, Feed>;

/// How the metrics of each service are read: one may be of another account, and fail by itself.
pub type ServiceFeeds = BTreeMap<ServiceName, Feed>;

/// Folds an event about a feed.
pub fn fold((feeds, services): (&mut Feeds, &mut ServiceFeeds), event: &FeedEvent, at: Timestamp) {
    match event {
        FeedEvent::ServiceChanged { service, health } => {
            services.entry(service.clone()).or_default().change(health, at);
        }
        FeedEvent::ServiceAnswered { service } => services.entry(service.clone()).or_default().answered_at = Some(at),
        FeedEvent::ServiceUnreadable { service, why } => {
            services.entry(service.clone()).or_default().unreadable.clone_from(why);
        }
        FeedEvent::Changed { feed, health } => feeds.entry(*feed).or_default().change(health, at),
        FeedEvent::Answered { feed } => feeds.entry(*feed).or_default().answered_at = Some(at),
        FeedEvent::Unreadable { feed, why } => feeds.entry(*feed).or_default().unreadable.clone_from(why),
        // The board of the logs keeps these beside the counts of each group.
        FeedEvent::GroupChanged { .. } | FeedEvent::GroupAnswered { .. } | FeedEvent::GroupFollowed { .. } => {}
    }
}

/// Whether an event tells a feed's health as it stands already: no news for the timeline.
pub fn repeats((feeds, services): (&Feeds, &ServiceFeeds), event: &Event) -> bool {
    let Event::Feed(event) = event else { return false };
    let (known, health) = match event {
        FeedEvent::Changed { feed, health } => (feeds.get(feed), health),
        FeedEvent::ServiceChanged { service, health } => (services.get(service), health),
        // The board of the logs knows of its groups; answers have no line, and what cannot be read is told when it changed.
        FeedEvent::GroupChanged { .. }
        | FeedEvent::GroupAnswered { .. }
        | FeedEvent::GroupFollowed { .. }
        | FeedEvent::Answered { .. }
        | FeedEvent::Unreadable { .. }
        | FeedEvent::ServiceAnswered { .. }
        | FeedEvent::ServiceUnreadable { .. } => return false,
    };
    known.is_some_and(|known| known.health == *health)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;

    fn feed(health: FeedHealth, second: Option<i64>) -> Feed {
        Feed { health, answered_at: second.and_then(|at| Timestamp::from_second(at).ok()), ..Feed::default() }
    }

    #[test]
    fn what_one_service_answers_is_no_answer_of_another() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let lost = || FeedHealth::Lost { fault: Fault::new(FaultKind::Denied, "no") };
        let (a, b) = (|| ServiceName::from("a"), || ServiceName::from("b"));
        let told = [
            (FeedEvent::ServiceChanged { service: a(), health: FeedHealth::Live }, 1),
            (FeedEvent::ServiceChanged { service: b(), health: FeedHealth::Live }, 1),
            (FeedEvent::ServiceChanged { service: a(), health: lost() }, 2),
            (FeedEvent::ServiceAnswered { service: b() }, 9),
            (FeedEvent::ServiceUnreadable { service: b(), why: vec!["one".to_owned()] }, 9),
        ];
        let (mut feeds, mut services) = (Feeds::default(), ServiceFeeds::default());
        for (event, second) in &told {
            fold((&mut feeds, &mut services), event, at(*second));
        }
        assert_eq!(services[&a()], feed(lost(), Some(1)));
        let unreadable = vec!["one".to_owned()];
        assert_eq!(services[&b()], Feed { unreadable, ..feed(FeedHealth::Live, Some(9)) });
        let again = |service, health| Event::Feed(FeedEvent::ServiceChanged { service, health });
        assert!(
            repeats((&feeds, &services), &again(a(), lost())) && !repeats((&feeds, &services), &again(b(), lost()))
        );
    }

    #[test]
    fn of_several_feeds_the_worst_is_shown() {
        let fault = Fault::new(FaultKind::Denied, "no");
        let off = feed(FeedHealth::Off { why: "over".to_owned() }, Some(1));
        let (old, new) = (feed(FeedHealth::Live, Some(5)), feed(FeedHealth::Live, Some(9)));
        let connecting = feed(FeedHealth::Connecting, None);
        let retrying =
            feed(FeedHealth::Retrying { attempt: 1, until: Timestamp::UNIX_EPOCH, fault: fault.clone() }, Some(8));
        let lost = feed(FeedHealth::Lost { fault }, None);
        let ascending = [off, new, old, connecting, retrying, lost];
        for end in 1..=ascending.len() {
            assert_eq!(worst(ascending[..end].iter()), ascending[..end].last());
            assert_eq!(worst(ascending[..end].iter().rev()), ascending[..end].last());
        }
        assert_eq!(worst([].iter()), None);
    }
}
