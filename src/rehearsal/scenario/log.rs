//! Log lines of a scenario: generators that write them by the minute, or text files with timestamps.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde::Deserialize;

/// A source of lines in one log group.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSpec {
    /// The group, such as `/ecs/my-api`.
    pub group: String,
    /// The workload whose pods write it: each living container is a stream.
    #[serde(default)]
    pub workload: Option<String>,
    /// The stream, where no workload writes it.
    #[serde(default)]
    pub stream: Option<String>,
    /// When lines come.
    pub cadence: Cadence,
    /// No line before it, from start.
    #[serde(default)]
    pub from: Option<SignedDuration>,
    /// No line from then on, from start.
    #[serde(default)]
    pub until: Option<SignedDuration>,
    /// Lines that come in long after their own time.
    #[serde(default)]
    pub late: Option<LateSpec>,
    /// Templates; one is taken for each line. `{pod}`, `{container}`, `{time}`, `{restarts}` and the names in `fields`
    /// are filled in. Empty for a file.
    #[serde(default)]
    pub templates: Vec<String>,
    /// Values for the names in the templates.
    #[serde(default)]
    pub fields: BTreeMap<String, FieldSpec>,
}

/// Lines that the service has later than others: it lists them by their own time, behind what was read before.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LateSpec {
    /// How many of them, 0 to 1.
    pub share: f64,
    /// How late at most; at least half of it.
    pub by: SignedDuration,
}

fn a_second_before() -> SignedDuration {
    SignedDuration::from_secs(-1)
}

/// When lines come.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Cadence {
    /// All the time.
    Steady {
        /// Lines a minute. From 1,000 on they are spread evenly over each second and written anew for each reader, so
        /// that 300,000 a minute cost no memory.
        per_minute: f64,
    },
    /// As a metric of this file goes: none at `low`, `per_minute` at `high`.
    Metric {
        /// The `id` of the metric.
        metric: String,
        /// The value with no lines.
        low: f64,
        /// The value with all lines.
        high: f64,
        /// Lines a minute at `high`.
        per_minute: f64,
    },
    /// One line for each OOM kill of the workload, so long after it.
    EachKill {
        /// How long after.
        #[serde(default)]
        after: SignedDuration,
    },
    /// One line for each container start of the workload.
    EachStart {
        /// How long after.
        #[serde(default)]
        after: SignedDuration,
    },
    /// At these instants from start, each once.
    Once {
        /// The instants.
        at: Vec<SignedDuration>,
    },
    /// A text file from the scenario's folder, a timestamp before each line, re-stamped so that its last line is at `ends`.
    File {
        /// The file.
        file: String,
        /// When its last line was written, from start (negative).
        #[serde(default = "a_second_before")]
        ends: SignedDuration,
    },
}

/// How a field of a template is filled.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FieldSpec {
    /// A whole number from `min` to `max`.
    Int {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// One of a list.
    Pick {
        /// The list.
        of: Vec<String>,
    },
    /// Hexadecimal digits.
    Hex {
        /// How many.
        digits: u8,
    },
    /// The value of a metric of this file at the time.
    Metric {
        /// The `id` of the metric.
        metric: String,
    },
}
