//! What is seen of the world: alarms, metrics, log pages, the cluster.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::observation::alarm::{Alarm, AlarmDetail, AlarmName};
use crate::domain::observation::log::{BatchSummary, LogGroup, LogLine};
use crate::domain::observation::metric::Series;
use crate::domain::observation::scope::Window;
use crate::domain::observation::service::ServiceName;
use crate::domain::observation::workload::ClusterChange;

/// Alarms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum AlarmEvent {
    /// Entered ALARM, or was found there first.
    Raised {
        /// As read.
        alarm: Box<Alarm>,
    },
    /// Left ALARM.
    Cleared {
        /// As read.
        alarm: Box<Alarm>,
    },
    /// Changed otherwise.
    Updated {
        /// As read.
        alarm: Box<Alarm>,
    },
    /// A person wants an incident about it, whatever its state: it may be one that only scales, or one that is quiet again.
    Chosen {
        /// Its name.
        name: AlarmName,
    },
    /// A person opened it, and what is behind it was read.
    Detailed {
        /// Its name.
        name: AlarmName,
        /// What was read.
        detail: Box<AlarmDetail>,
    },
    /// No longer listed.
    Removed {
        /// Its name.
        name: AlarmName,
    },
}

/// Metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum MetricEvent {
    /// Points that were not known before.
    Read {
        /// Whose.
        service: ServiceName,
        /// The new points with what was asked.
        series: Series,
    },
}

/// Log pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum LogEvent {
    /// One page, counted. The lines are folded into a ring and never written.
    Batch {
        /// Their group.
        group: LogGroup,
        /// The counts.
        summary: BatchSummary,
        /// The lines that were not shown early, absent from a journal. The ring shares them with the event: a line is stored once.
        #[serde(skip)]
        lines: Vec<Arc<LogLine>>,
    },
    /// Live Tail showed lines ahead of the account: to be seen, not to be counted, and never written.
    Early {
        /// Their group.
        group: LogGroup,
        /// The lines. The page that counts them does not carry them again.
        #[serde(skip)]
        lines: Vec<Arc<LogLine>>,
    },
    /// Events of this span were not read.
    Gap {
        /// Their group.
        group: LogGroup,
        /// The span.
        window: Window,
        /// How many, where that is known.
        missed: Option<u64>,
        /// Why.
        why: String,
    },
}

/// The cluster view.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum WorkloadEvent {
    /// The watch told a change.
    Changed {
        /// Which.
        change: ClusterChange,
    },
}
