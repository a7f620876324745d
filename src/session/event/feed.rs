//! What is told of feeds: how they are, and what they hold that nobody can read.

use serde::{Deserialize, Serialize};

use crate::domain::observation::log::LogGroup;
use crate::domain::observation::service::ServiceName;
use crate::session::feeds::{FeedHealth, FeedId, Following};

/// Feeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum FeedEvent {
    /// A feed's health changed.
    Changed {
        /// Which.
        feed: FeedId,
        /// To what.
        health: FeedHealth,
    },
    /// A feed answered as before: its data is as old as this record.
    Answered {
        /// Which.
        feed: FeedId,
    },
    /// The health of one log group changed.
    GroupChanged {
        /// Which.
        group: LogGroup,
        /// To what.
        health: FeedHealth,
    },
    /// A log group answered as before.
    GroupAnswered {
        /// Which.
        group: LogGroup,
    },
    /// The lines of a log group come another way than before.
    GroupFollowed {
        /// Which.
        group: LogGroup,
        /// How.
        following: Following,
    },
    /// The health of one service's metrics changed.
    ServiceChanged {
        /// Which.
        service: ServiceName,
        /// To what.
        health: FeedHealth,
    },
    /// A service's metrics answered as before.
    ServiceAnswered {
        /// Which.
        service: ServiceName,
    },
    /// Which metrics of a service could not be read, while others could, changed.
    ServiceUnreadable {
        /// Which service.
        service: ServiceName,
        /// One sentence each; empty when everything can be read again.
        why: Vec<String>,
    },
    /// What a feed lists and nobody could read changed: those are missing from its panel.
    Unreadable {
        /// Which.
        feed: FeedId,
        /// One sentence each; empty when everything can be read again.
        why: Vec<String>,
    },
}
