//! CloudWatch Logs by `FilterLogEvents` and `DescribeLogGroups`: read to the end, counted, and honest about gaps.

use std::num::NonZeroU32;

use aws_sdk_cloudwatchlogs::types::LogGroup as LogGroupEntry;
use jiff::Timestamp;

use super::call::{CallError, Step};
use super::clients::Clients;
use super::metrics::Rest;
use crate::adapters::budget::Family;
use crate::domain::count::counted;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::log::{Completeness, LogGroup, RawLogEvent};
use crate::domain::observation::scope::{AccountId, Window};

mod early;
mod read;
mod seen;
mod tail;
mod told;

pub use early::{Early, Print, Sight};
pub use read::{Progress, WindowReading, read_window};
pub use seen::Seen;
pub use tail::{Tail, TailPoll};
pub use told::Told;

/// Why logs could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogsError {
    /// A page of a log group could not be read; the pages before it were handed out.
    #[error("page {page} of {group} could not be read; events read before it: {events}")]
    FilterEvents {
        /// Which group.
        group: LogGroup,
        /// From 1.
        page: u32,
        /// Distinct events handed out before.
        events: u64,
        /// Why.
        source: CallError,
    },
    /// The log groups could not be listed.
    #[error("the log groups could not be listed")]
    DescribeGroups(#[source] CallError),
}

impl LogsError {
    /// The class.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::FilterEvents { source, .. } | Self::DescribeGroups(source) => source.kind(),
        }
    }

    /// As a person reads it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::FilterEvents { group, page: 1, source, .. } => {
                let step = Step {
                    summary: &format!("The log group {group} could not be read."),
                    action: "logs:FilterLogEvents",
                };
                match source {
                    CallError::NotFound(_) => source.fault(step).hint(
                        "Correct `log_groups` of the service in the configuration: no such group in this account and region.",
                    ),
                    CallError::Rejected(_) => source.fault(step).hint(
                        "Correct `log_groups` of the service in the configuration: a name, or an ARN that ends with the name.",
                    ),
                    _ => source.fault(step),
                }
            }
            Self::FilterEvents { group, page, events, source } => source.fault(Step {
                summary: &format!(
                    "Reading the log group {group} failed on page {page}, after {}.",
                    counted(*events, "event")
                ),
                action: "logs:FilterLogEvents",
            }),
            Self::DescribeGroups(source) => {
                source.fault(Step { summary: "The log groups could not be listed.", action: "logs:DescribeLogGroups" })
            }
        }
    }
}

/// Which end of a window is read first. It matters only when a limit ends the reading: the other end is then missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadOrder {
    /// As it happened.
    #[default]
    OldestFirst,
    /// The latest first, as far as the service honours `startFromHead`; events within a page are in its order.
    NewestFirst,
}

/// Where reading stops although there is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadLimits {
    /// Distinct events.
    pub events: u64,
    /// Pages.
    pub pages: NonZeroU32,
    /// Events a page, at most 10,000 by the API.
    pub page_size: NonZeroU32,
    /// Pages that a window may have by the look of its first ones: where it seems to have more, reading ends there.
    /// Only for a reading from the oldest on.
    pub estimated: Option<NonZeroU32>,
}

impl Default for ReadLimits {
    /// 200,000 events, 500 pages, 10,000 a page, whatever it looks like.
    fn default() -> Self {
        Self { events: 200_000, pages: at_least_one(500), page_size: at_least_one(10_000), estimated: None }
    }
}

fn at_least_one(n: u32) -> NonZeroU32 {
    NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN)
}

/// One window of one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Which group.
    pub group: LogGroup,
    /// Over which window.
    pub window: Window,
    /// A filter pattern of CloudWatch Logs; none takes every event.
    pub filter: Option<String>,
    /// From which end.
    pub order: ReadOrder,
    /// How much at most.
    pub limits: ReadLimits,
}

impl LogQuery {
    /// Every event of a window, oldest first, within the default limits.
    pub fn all(group: LogGroup, window: Window) -> Self {
        Self { group, window, filter: None, order: ReadOrder::default(), limits: ReadLimits::default() }
    }
}

/// A page as it was read, duplicates left out. An empty page is handed out as well: it shows that reading goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPage {
    /// Which group.
    pub group: LogGroup,
    /// From 1.
    pub page: u32,
    /// In the order of the service.
    pub events: Vec<RawLogEvent>,
    /// Events that had been handed out before.
    pub duplicates: u64,
}

/// What reading came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadSummary {
    /// Whether every event of the window was read.
    pub completeness: Completeness,
    /// Distinct events handed out.
    pub events: u64,
    /// Events that came more than once.
    pub duplicates: u64,
    /// Events without a time, which cannot be placed and were not handed out.
    pub unreadable: u64,
    /// Pages read.
    pub pages: u32,
    /// How many the window seemed to have, where that ended the reading.
    pub estimated: Option<u32>,
    /// The oldest instant handed out.
    pub first_at: Option<Timestamp>,
    /// The newest instant handed out.
    pub last_at: Option<Timestamp>,
}

impl ReadSummary {
    /// What of a window that was read from its beginning is not in it: what lies behind the newest event.
    pub(super) fn kept_back(&self, window: Window) -> Option<Window> {
        let from = self.last_at.unwrap_or(window.from);
        (self.completeness != Completeness::Exact).then_some(Window { from, ..window })
    }
}

/// Which groups to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupSearch {
    /// Names that begin so.
    Prefix(String),
    /// Names that contain this, 3 to 24 characters by the API.
    Containing(String),
    /// The same in another account, which shares its log groups with this one: they come named by their ARN.
    ContainingIn {
        /// Whose.
        account: AccountId,
        /// What the names contain.
        part: String,
    },
}

impl GroupSearch {
    /// How a group of the answer is read from here.
    fn found(&self, group: &LogGroupEntry) -> Option<LogGroup> {
        match self {
            Self::Prefix(_) | Self::Containing(_) => group.log_group_name().map(LogGroup::from),
            Self::ContainingIn { .. } => {
                group.log_group_arn().or(group.arn()).map(|arn| arn.trim_end_matches(":*").into())
            }
        }
    }
}

/// Groups that exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FoundGroups {
    /// At most as many as asked for.
    pub groups: Vec<LogGroup>,
    /// Whether there are more.
    pub rest: Rest,
}

/// Finds log groups, up to `most`. Takes one turn of [`Family::LogGroups`] a page of 50.
pub async fn find_groups(clients: &Clients, search: &GroupSearch, most: usize) -> Result<FoundGroups, LogsError> {
    let mut found = FoundGroups::default();
    let mut token: Option<String> = None;
    loop {
        clients.turn(Family::LogGroups).await;
        let request = clients.logs.describe_log_groups().set_next_token(token.clone());
        let request = match search {
            GroupSearch::Prefix(prefix) => request.log_group_name_prefix(prefix),
            GroupSearch::Containing(part) => request.log_group_name_pattern(part),
            GroupSearch::ContainingIn { account, part } => {
                request.log_group_name_pattern(part).account_identifiers(account.as_str()).include_linked_accounts(true)
            }
        };
        let answer = request.send().await.map_err(|error| LogsError::DescribeGroups(CallError::of(&error)))?;
        found.groups.extend(answer.log_groups().iter().filter_map(|group| search.found(group)));
        let next = answer.next_token.filter(|next| !next.is_empty());
        if found.groups.len() > most || (found.groups.len() == most && next.is_some()) {
            found.groups.truncate(most);
            found.rest = Rest::More;
            return Ok(found);
        }
        if next.is_none() {
            return Ok(found);
        }
        if next == token {
            return Err(LogsError::DescribeGroups(CallError::Malformed("the same page was offered twice".to_owned())));
        }
        token = next;
    }
}

/// The ARN of a group, in the form without `:*` by which Live Tail names it. Takes one turn of [`Family::LogGroups`].
pub(super) async fn group_arn(clients: &Clients, group: &LogGroup) -> Result<String, LogsError> {
    if let Some(arn) = group.arn() {
        return Ok(arn.to_owned());
    }
    clients.turn(Family::LogGroups).await;
    // Names are listed in order, so of those that begin with it the name itself is the first.
    let request = clients.logs.describe_log_groups().log_group_name_prefix(group.as_str());
    let answer = request.send().await.map_err(|error| LogsError::DescribeGroups(CallError::of(&error)))?;
    let listed = answer.log_groups().iter().find(|listed| listed.log_group_name() == Some(group.as_str()));
    let arn = listed.and_then(|listed| listed.log_group_arn().or(listed.arn()));
    let missing = || LogsError::DescribeGroups(CallError::NotFound(format!("there is no log group {group}")));
    Ok(arn.ok_or_else(missing)?.trim_end_matches(":*").to_owned())
}
