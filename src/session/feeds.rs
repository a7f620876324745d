//! Feeds: where data comes from, whether it still comes, and how old it is.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{Event, FeedEvent};
use crate::domain::fault::Fault;

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

/// A feed as folded.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Feed {
    /// How it is.
    pub health: FeedHealth,
    /// When it last answered.
    pub answered_at: Option<Timestamp>,
}

/// All feeds.
pub type Feeds = BTreeMap<FeedId, Feed>;

/// Folds an event about a feed.
pub fn fold(feeds: &mut Feeds, event: &FeedEvent, at: Timestamp) {
    match event {
        FeedEvent::Changed { feed, health } => {
            let entry = feeds.entry(*feed).or_default();
            if *health == FeedHealth::Live {
                entry.answered_at = Some(at);
            }
            entry.health = health.clone();
        }
        FeedEvent::Answered { feed } => feeds.entry(*feed).or_default().answered_at = Some(at),
    }
}

/// Whether an event tells a feed's health as it stands already: no news for the timeline.
pub fn repeats(feeds: &Feeds, event: &Event) -> bool {
    let Event::Feed(FeedEvent::Changed { feed, health }) = event else { return false };
    feeds.get(feed).is_some_and(|known| known.health == *health)
}
