//! OOM kills: the words that tell of one, and the exact count by container without adding up different sources.

mod count;
mod deaths;
mod names;
mod sighting;
mod sign;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::log::Completeness;

pub use count::{SourceRead, count};
pub use deaths::{Deaths, deaths};
pub use sighting::{in_events, in_lines, in_pods};
pub use sign::{sign, wordings};

/// What a text says about memory running out. A kill by the kernel and a heap error inside the process are different facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KillSign {
    /// The kernel or the platform killed a container for its memory.
    OomKill,
    /// The runtime inside reports an exhausted heap (`java.lang.OutOfMemoryError`, `JavaScript heap out of memory`).
    HeapError,
}

/// Where a kill was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KillSource {
    /// Container statuses (`lastState.terminated.reason`).
    Status,
    /// Kubernetes events, with their counts.
    Events,
    /// Log lines.
    Logs,
}

impl KillSource {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Events => "events",
            Self::Logs => "logs",
        }
    }
}

/// One sighting of kills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KillSighting {
    /// Where it was read.
    pub source: KillSource,
    /// The pod that was hit, or the log stream where no pod is named.
    pub pod: String,
    /// The container of it, or the control group of a stream, where it is named.
    pub container: Option<String>,
    /// When.
    pub at: Timestamp,
    /// How many kills it tells of, inside the window.
    pub count: u64,
    /// How many it may stand for: more than it tells of where it began before the window.
    pub most: u64,
}

/// Kills of one container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerKills {
    /// The container.
    pub container: String,
    /// Kills.
    pub kills: u64,
}

/// The count, with where it comes from and how complete it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OomCount {
    /// Kills in the window.
    pub total: u64,
    /// The source the total was taken from.
    pub source: KillSource,
    /// How complete that source was read.
    pub completeness: Completeness,
    /// By container, most first, then by name.
    pub by_container: Vec<ContainerKills>,
    /// What each source alone says, for the person to compare.
    pub by_source: Vec<(KillSource, u64)>,
    /// Heap errors inside processes, counted apart.
    pub heap_errors: u64,
    /// The times of kills, ascending, as marks on charts.
    pub at: Vec<Timestamp>,
    /// Kills that the logs tell of outside of the window, in none of the counts, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<u64>,
}

#[cfg(test)]
mod tests;
