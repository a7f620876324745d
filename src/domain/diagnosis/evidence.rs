//! Evidence: a question, how it was asked, and an answer that says how complete it is.

mod build;
mod digest;
mod document;
mod fact;
mod figures;
mod patterns;
mod text;
mod whole;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::statistics::{DaysBefore, EarlierDay, HeapReading};
use crate::domain::fault::Fault;
use crate::domain::observation::alarm::{BandPoint, Side};
use crate::domain::observation::change::Change;
use crate::domain::observation::log::LogLine;
use crate::domain::observation::log_sign::SignCount;
use crate::domain::observation::log_template::TemplateCount;
use crate::domain::observation::metric::Series;
use crate::domain::observation::oom_kill::OomCount;
use crate::domain::observation::scope::Window;
use crate::domain::observation::workload::{ClusterEvent, Pod, Revision, Workload};

pub use build::{
    OtherChanges, banded, changes, collector, collector_file, counted_whole, in_part, log_patterns, oom_kills, series,
    unanswered, with_outside, with_same_hours, workload,
};
pub use digest::LogDigest;
pub use document::{DocumentAlarm, DocumentEvidence, EvidenceDocument, document};
pub use fact::{Fact, FactUnit, bytes, number};
pub use figures::facts;
pub use patterns::{SentTemplate, sent, told_tokens};
pub use text::answer_text;
pub use whole::WholeCount;

/// The number behind `E7`; unique in an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct EvidenceId(pub u32);

impl fmt::Display for EvidenceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E{}", self.0)
    }
}

impl From<EvidenceId> for String {
    fn from(id: EvidenceId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for EvidenceId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.strip_prefix('E')
            .and_then(|digits| digits.parse().ok())
            .map(EvidenceId)
            .ok_or_else(|| format!("{text:?} is not an evidence id such as E7"))
    }
}

/// What triage asks of every incident. The order is the order of the ids E1, E2, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// How did memory develop against its limit?
    Memory,
    /// How many OOM kills, of which containers?
    OomKills,
    /// Does the collector eat the processor? (collector time, GC lines, heap errors)
    Collector,
    /// Did traffic change?
    Traffic,
    /// How did the processor develop against the alarm?
    Cpu,
    /// What state is the workload in? (pods, terminations, limits)
    Workload,
    /// What changed lately? (rollouts, Helm releases, config maps, autoscalers, nodes)
    Changes,
    /// What do the logs say, by template?
    LogPatterns,
    /// Do more requests fail?
    Errors,
    /// Do answers take longer?
    Latency,
    /// The metric of the alarm itself, when it has none of the roles above.
    AlarmMetric,
}

impl Question {
    /// Every question in the order asked.
    pub const ALL: [Self; 11] = [
        Self::Memory,
        Self::OomKills,
        Self::Collector,
        Self::Traffic,
        Self::Cpu,
        Self::Workload,
        Self::Changes,
        Self::LogPatterns,
        Self::Errors,
        Self::Latency,
        Self::AlarmMetric,
    ];

    /// The kebab-case id.
    pub fn word(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::OomKills => "oom-kills",
            Self::Collector => "collector",
            Self::Traffic => "traffic",
            Self::Cpu => "cpu",
            Self::Workload => "workload",
            Self::Changes => "changes",
            Self::LogPatterns => "log-patterns",
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::AlarmMetric => "alarm-metric",
        }
    }

    /// The question as a person would ask it.
    pub fn text(self) -> &'static str {
        match self {
            Self::Memory => "How did memory develop against its limit?",
            Self::OomKills => "How many OOM kills, and of which containers?",
            Self::Collector => "Does the garbage collector eat the processor?",
            Self::Traffic => "Did traffic change?",
            Self::Cpu => "How did CPU develop against its threshold?",
            Self::Workload => "What state is the workload in?",
            Self::Changes => "What changed before the alarm?",
            Self::LogPatterns => "What do the logs say, by template?",
            Self::Errors => "Do more requests fail?",
            Self::Latency => "Do answers take longer?",
            Self::AlarmMetric => "How did the alarm's own metric develop?",
        }
    }
}

/// Where an answer was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceSource {
    /// `GetMetricData`.
    CloudwatchMetrics,
    /// `FilterLogEvents`.
    CloudwatchLogs,
    /// The Kubernetes API.
    Kubernetes,
    /// More than one of them.
    Combined,
    /// Files given on the command line.
    Files,
}

/// What was found. Each payload is bounded, so that the journal can carry it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Payload {
    /// A metric over the window and, where asked, over the window before it.
    Series {
        /// The window.
        series: Series,
        /// The same length right before the window.
        baseline: Option<Series>,
        /// The alarm's threshold, for the series the alarm is on.
        threshold: Option<f64>,
        /// The side of the threshold on which the alarm fires, where that is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        side: Option<Side>,
        /// The anomaly band that the alarm compares the series with, where it does.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        band: Vec<BandPoint>,
        /// The end of the window against the same hours of the days before; `None` where nobody asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        same_hours: Option<DaysBefore>,
        /// Those days themselves, to be drawn under the window.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        earlier_days: Vec<EarlierDay>,
    },
    /// The OOM count.
    OomKills(OomCount),
    /// The collector: its time series where there is one, and what the logs say.
    Collector {
        /// Percent of time in collection.
        series: Option<Series>,
        /// The same length right before the window.
        #[serde(default)]
        baseline: Option<Series>,
        /// Lines that tell of a collection pause.
        pauses: u64,
        /// Lines that tell of a full collection.
        full_collections: u64,
        /// Lines that tell of an exhausted heap.
        heap_errors: u64,
        /// What the collector's own log says of the heap, where it was read in order and from one process.
        #[serde(default)]
        heap: Option<HeapReading>,
        /// Excerpts, at most 20.
        excerpts: Vec<LogLine>,
        /// What of it could not be read, and why.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unread: Vec<String>,
    },
    /// Log lines by template.
    LogPatterns {
        /// Lines read.
        lines: u64,
        /// Of them errors.
        errors: u64,
        /// Of them warnings.
        warnings: u64,
        /// Templates found, kept or not.
        #[serde(default)]
        mined: u64,
        /// The templates with most lines, at most 50; of errors and warnings at least the loudest half of them.
        templates: Vec<TemplateCount>,
        /// Lines that tell of a dependency, a configuration or a flood.
        #[serde(default)]
        signs: Vec<SignCount>,
        /// Excerpts that evidence cites, at most 20.
        excerpts: Vec<LogLine>,
        /// The whole window, where more lines are in it than were read.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whole: Option<WholeCount>,
        /// Lines that were given and lie outside of the window, in none of the counts, where there are any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outside: Option<u64>,
    },
    /// The workload and its pods.
    Workload {
        /// The workload.
        workload: Box<Workload>,
        /// Its pods, at most 200.
        pods: Vec<Pod>,
        /// Warning events about them, newest first, at most 50.
        events: Vec<ClusterEvent>,
        /// What else would tell of them and could not be read, and why.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        unread: Vec<String>,
    },
    /// Rollouts and other changes.
    Changes {
        /// Revisions, ascending.
        revisions: Vec<Revision>,
        /// Changes beside rollouts, ascending by time: Helm releases, config maps, autoscalers, nodes.
        #[serde(default)]
        others: Vec<Change>,
        /// What of them could not be read, and why.
        #[serde(default)]
        unread: Vec<String>,
    },
}

impl Payload {
    /// The series to draw, with the threshold it is held against where one is known.
    pub fn series(&self) -> Option<(&Series, Option<f64>)> {
        match self {
            Self::Series { series, threshold, .. } => Some((series, *threshold)),
            Self::Collector { series, .. } => series.as_ref().map(|series| (series, None)),
            Self::OomKills(_) | Self::LogPatterns { .. } | Self::Workload { .. } | Self::Changes { .. } => None,
        }
    }

    /// What belongs to it and could not be read.
    pub fn unread(&self) -> &[String] {
        match self {
            Self::Collector { unread, .. } | Self::Workload { unread, .. } | Self::Changes { unread, .. } => unread,
            Self::Series { .. } | Self::OomKills(_) | Self::LogPatterns { .. } => &[],
        }
    }
}

/// The answer to a question, with its completeness.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Answer {
    /// Read whole.
    Observed {
        /// What was found.
        payload: Payload,
    },
    /// Read, but only in part.
    Truncated {
        /// What was found.
        payload: Payload,
        /// Items read.
        seen: u64,
        /// Of how many, if known.
        of: Option<u64>,
    },
    /// Asked, answered, and there is nothing.
    Absent,
    /// This credential may not ask.
    Denied {
        /// Why.
        fault: Fault,
    },
    /// Asked, and no usable answer came.
    Failed {
        /// Why.
        fault: Fault,
    },
    /// Not asked, because something it needs is not known.
    NotAsked {
        /// What is not known.
        why: String,
    },
}

impl Answer {
    /// What was found, whole or in part.
    pub fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Observed { payload } | Self::Truncated { payload, .. } => Some(payload),
            Self::Absent | Self::Denied { .. } | Self::Failed { .. } | Self::NotAsked { .. } => None,
        }
    }

    /// The word of completeness on screen, in JSON and in the transcript.
    pub fn completeness(&self) -> &'static str {
        match self {
            Self::Observed { payload } if !payload.unread().is_empty() => "truncated",
            Self::Observed { .. } => "exact",
            Self::Truncated { .. } => "truncated",
            Self::Absent => "absent",
            Self::Denied { .. } => "denied",
            Self::Failed { .. } => "failed",
            Self::NotAsked { .. } => "not-asked",
        }
    }
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its id in the incident.
    pub id: EvidenceId,
    /// What was asked.
    pub question: Question,
    /// Where.
    pub source: EvidenceSource,
    /// The query as a person could repeat it.
    pub query: String,
    /// Over which window.
    pub window: Window,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// When the answer was in.
    pub answered_at: Timestamp,
    /// The answer.
    pub answer: Answer,
}
