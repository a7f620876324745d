//! Metrics: what is asked for, and the points that came back, always ascending, holes kept as holes.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::scope::{AccountId, Window};

mod kept;

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
    /// The account that has it, where that is another than the one that is asked: a monitoring account watches several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
}

impl fmt::Display for MetricId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)?;
        for (key, value) in &self.dimensions {
            write!(f, " {key}={value}")?;
        }
        if let Some(account) = &self.account {
            write!(f, " of {account}")?;
        }
        Ok(())
    }
}

/// One series to ask for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
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

/// Periods that a series is judged over at least, and that are read before them at least.
const PERIODS: i32 = 24;
const PERIODS_BEFORE: i32 = 12;
/// Minutes before a window that are read with it at least, to compare.
const MINUTES_BEFORE: i64 = 30;

impl MetricQuery {
    /// Its period.
    fn period(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.period_s.max(1)))
    }

    /// The window it is judged over: the one asked about, or a longer one with its end where that holds too few periods
    /// to say anything. Half an hour is six points of an alarm by five minutes.
    pub fn judged_over(&self, window: Window) -> Window {
        let from = window.to.checked_sub(self.period() * PERIODS).unwrap_or(window.from);
        Window { from: window.from.min(from), to: window.to }
    }

    /// What is read for that, by whole minutes: the window it is judged over, and what came before, to compare.
    pub fn read_over(&self, window: Window) -> Window {
        let judged = self.judged_over(window).whole_minutes();
        let before = SignedDuration::from_mins(MINUTES_BEFORE).max(self.period() * PERIODS_BEFORE);
        Window { from: judged.from.checked_sub(before).unwrap_or(judged.from), to: judged.to }
    }

    /// Whether it is zero where it has no point and requests have one: a load balancer publishes its counts of failures
    /// when they are not zero, and `RequestCount` while it is asked (metric tables of the Application Load Balancer,
    /// "Reporting criteria"). Only beside requests to the very same thing, so that a metric that does not exist is not
    /// taken for a service without failures.
    pub fn is_zero_beside(&self, requests: &Self) -> bool {
        let told_when_nonzero = matches!(self.metric.namespace.as_str(), "AWS/ApplicationELB" | "AWS/NetworkELB");
        let counts_failures =
            self.role == MetricRole::Errors || self.role == MetricRole::Alarm && self.is_a_failure_count();
        counts_failures
            && self.statistic == Statistic::Sum
            && told_when_nonzero
            && (&self.metric.namespace, &self.metric.dimensions, self.period_s)
                == (&requests.metric.namespace, &requests.metric.dimensions, requests.period_s)
    }

    /// Whether its name is that of a count of failures: what an alarm is on has no role that says so.
    fn is_a_failure_count(&self) -> bool {
        let name = self.metric.name.as_str();
        name.starts_with("HTTPCode_") || name.ends_with("ErrorCount") || name == "RejectedConnectionCount"
    }

    /// The requests by its own period that tell where it is zero, where anything does: an alarm may count its failures by
    /// another period than the service's requests are read by.
    pub fn beside(&self, requests: &Self) -> Option<Self> {
        let own = Self { period_s: self.period_s, ..requests.clone() };
        self.is_zero_beside(&own).then_some(own)
    }

    /// Whether the period that began then is over by an instant. One under way is known in part: a sum of it is too small.
    pub fn is_over(&self, began: Timestamp, by: Timestamp) -> bool {
        by.duration_since(began) >= self.period()
    }
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

    /// The same with a zero wherever it has no point and requests have one, if that is what the silence means.
    pub fn with_zeros(&self, requests: &Self) -> Option<Self> {
        let zeros = requests.points.iter().map(|point| Point { value: 0.0, ..*point });
        let whole = || Self::new(self.query.clone(), self.unit, zeros.chain(self.points.iter().copied()));
        self.query.is_zero_beside(&requests.query).then(whole)
    }

    /// Holes longer than one period: from the end of the last point before to the start of the first after.
    pub fn holes(&self) -> Vec<Window> {
        let period = self.query.period();
        self.points
            .windows(2)
            .filter(|pair| pair[1].at.duration_since(pair[0].at) > period)
            .map(|pair| Window { from: pair[0].at + period, to: pair[1].at })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(period_s: u32) -> MetricQuery {
        MetricQuery { role: MetricRole::Alarm, metric: MetricId::default(), statistic: Statistic::Sum, period_s }
    }

    #[test]
    fn a_longer_period_is_read_over_enough_of_them() {
        let to: Timestamp = "2026-05-01T09:31:20Z".parse().unwrap();
        let window = Window::minutes_before(to, 30);
        let minutes = |window: Window| window.seconds() / 60;
        for (period_s, judged, read) in [(60, 30, 60), (300, 120, 180), (3_600, 1_440, 2_160)] {
            let query = query(period_s);
            assert_eq!(query.judged_over(window).to, to);
            assert_eq!((minutes(query.judged_over(window)), minutes(query.read_over(window))), (judged, read));
        }
        assert_eq!(query(60).judged_over(window), window);
        assert_eq!(query(60).read_over(window).to, "2026-05-01T09:31:00Z".parse().unwrap());
    }
    #[test]
    fn a_count_told_only_when_it_is_not_zero_is_zero_where_requests_are_told() {
        let of = |role, dimension: &str, values: &[(i64, f64)]| {
            let dimensions = [("TargetGroup".to_owned(), dimension.to_owned())].into();
            let metric =
                MetricId { namespace: "AWS/ApplicationELB".into(), name: "n".into(), dimensions, account: None };
            let points = values
                .iter()
                .map(|(minute, value)| Point { at: Timestamp::from_second(minute * 60).unwrap(), value: *value });
            Series::new(MetricQuery { role, metric, ..query(60) }, Unit::Count, points)
        };
        let requests = of(MetricRole::Requests, "a", &[(1, 900.0), (2, 900.0), (3, 880.0), (5, 910.0)]);
        let values = |series: &Series| series.points.iter().map(|point| point.value).collect::<Vec<_>>();
        let errors = of(MetricRole::Errors, "a", &[(3, 40.0), (4, 7.0)]).with_zeros(&requests).unwrap();
        assert_eq!(values(&errors), [0.0, 0.0, 40.0, 7.0, 0.0]);
        let none = of(MetricRole::Errors, "a", &[]).with_zeros(&requests).unwrap();
        assert_eq!(values(&none), [0.0; 4]);
        assert_eq!(of(MetricRole::Errors, "b", &[]).with_zeros(&requests), None, "of another thing");
        assert_eq!(of(MetricRole::Latency, "a", &[]).with_zeros(&requests), None);
    }

    #[test]
    fn the_count_of_failures_that_an_alarm_is_on_is_zero_by_its_own_period() {
        let of = |role, name: &str, period_s| {
            let metric = MetricId { namespace: "AWS/ApplicationELB".into(), name: name.into(), ..MetricId::default() };
            MetricQuery { role, metric, ..query(period_s) }
        };
        let requests = of(MetricRole::Requests, "RequestCount", 60);
        let alarm = |name: &str, period_s| of(MetricRole::Alarm, name, period_s);
        let five = alarm("HTTPCode_Target_5XX_Count", 300).beside(&requests);
        assert_eq!(five, Some(of(MetricRole::Requests, "RequestCount", 300)));
        assert_eq!(alarm("HTTPCode_Target_5XX_Count", 60).beside(&requests), Some(requests.clone()));
        assert_eq!(alarm("TargetConnectionErrorCount", 60).beside(&requests), Some(requests.clone()));
        assert_eq!(alarm("HealthyHostCount", 60).beside(&requests), None, "told when it is zero, too");
        let mean = MetricQuery { statistic: Statistic::Average, ..alarm("HTTPCode_Target_5XX_Count", 60) };
        assert_eq!(mean.beside(&requests), None);
    }
}
