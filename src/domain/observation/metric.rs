//! Metrics: what is asked for, and the points that came back, always ascending, holes kept as holes.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::scope::Window;

/// What a metric means for a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetricRole {
    /// Processor use, percent.
    Cpu,
    /// Memory in use: percent of the limit or of the reservation.
    Memory,
    /// The memory limit, bytes.
    MemoryLimit,
    /// Requests per period (sum) or per second.
    Requests,
    /// Failed requests per period.
    Errors,
    /// Response time.
    Latency,
    /// Container restarts, cumulative or per period.
    Restarts,
    /// Share of time the collector ran, percent.
    CollectorTime,
    /// What the incident's alarm watches, where it plays none of the other roles.
    Alarm,
}

impl MetricRole {
    /// Every role, in the order of the screen.
    pub const ALL: [Self; 9] = [
        Self::Cpu,
        Self::Memory,
        Self::Requests,
        Self::CollectorTime,
        Self::Errors,
        Self::Latency,
        Self::Restarts,
        Self::MemoryLimit,
        Self::Alarm,
    ];

    /// The kebab-case word used in configuration, scenarios and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::MemoryLimit => "memory-limit",
            Self::Requests => "requests",
            Self::Errors => "errors",
            Self::Latency => "latency",
            Self::Restarts => "restarts",
            Self::CollectorTime => "collector-time",
            Self::Alarm => "alarm",
        }
    }
}

/// How CloudWatch combines the samples of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// Mean.
    Average,
    /// Largest.
    Maximum,
    /// Smallest.
    Minimum,
    /// Total.
    Sum,
    /// Number of samples.
    SampleCount,
    /// A percentile in tenths: 999 is p99.9.
    Percentile(u16),
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Average => f.write_str("Average"),
            Self::Maximum => f.write_str("Maximum"),
            Self::Minimum => f.write_str("Minimum"),
            Self::Sum => f.write_str("Sum"),
            Self::SampleCount => f.write_str("SampleCount"),
            Self::Percentile(tenths) if tenths % 10 == 0 => write!(f, "p{}", tenths / 10),
            Self::Percentile(tenths) => write!(f, "p{}.{}", tenths / 10, tenths % 10),
        }
    }
}

/// A CloudWatch metric: namespace, name and dimensions.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricId {
    /// Such as `AWS/ECS`.
    pub namespace: String,
    /// Such as `CPUUtilization`.
    pub name: String,
    /// Sorted, so that two spellings are one metric.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
}

impl fmt::Display for MetricId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)?;
        for (key, value) in &self.dimensions {
            write!(f, " {key}={value}")?;
        }
        Ok(())
    }
}

/// One series to ask for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MetricQuery {
    /// What it means.
    pub role: MetricRole,
    /// What to read.
    pub metric: MetricId,
    /// How to combine.
    pub statistic: Statistic,
    /// Seconds a point covers.
    pub period_s: u32,
}

/// The unit of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// 0–100.
    Percent,
    /// Bytes.
    Bytes,
    /// A count per period.
    Count,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Not told.
    #[default]
    None,
}

impl Unit {
    /// The sign after a number.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Percent => "%",
            Self::Bytes => "B",
            Self::Seconds => "s",
            Self::Milliseconds => "ms",
            Self::Count | Self::None => "",
        }
    }
}

/// One sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Start of its period.
    pub at: Timestamp,
    /// The value, finite.
    pub value: f64,
}

/// A series as answered: ascending, one point an instant, finite values only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    /// What was asked.
    pub query: MetricQuery,
    /// The unit of its values.
    pub unit: Unit,
    /// The points, ascending. A missing period is a missing point, never a zero.
    pub points: Vec<Point>,
}

impl Series {
    /// Sorts, drops values that are not finite, and keeps the last of equal instants. CloudWatch answers descending by default.
    pub fn new(query: MetricQuery, unit: Unit, points: impl IntoIterator<Item = Point>) -> Self {
        let by_time: BTreeMap<Timestamp, f64> =
            points.into_iter().filter(|p| p.value.is_finite()).map(|p| (p.at, p.value)).collect();
        let points = by_time.into_iter().map(|(at, value)| Point { at, value }).collect();
        Self { query, unit, points }
    }

    /// The newest point.
    pub fn latest(&self) -> Option<Point> {
        self.points.last().copied()
    }

    /// The highest value and its time.
    pub fn peak(&self) -> Option<Point> {
        self.points.iter().copied().max_by(|a, b| a.value.total_cmp(&b.value))
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> Option<f64> {
        (!self.points.is_empty()).then(|| self.points.iter().map(|p| p.value).sum::<f64>() / self.points.len() as f64)
    }

    /// The points inside a window.
    pub fn within(&self, window: Window) -> impl Iterator<Item = Point> + '_ {
        self.points.iter().copied().filter(move |p| window.contains(p.at))
    }

    /// Holes longer than one period: from the end of the last point before to the start of the first after.
    pub fn holes(&self) -> Vec<Window> {
        let period = jiff::SignedDuration::from_secs(i64::from(self.query.period_s.max(1)));
        self.points
            .windows(2)
            .filter(|pair| pair[1].at.duration_since(pair[0].at) > period)
            .map(|pair| Window { from: pair[0].at + period, to: pair[1].at })
            .collect()
    }
}
