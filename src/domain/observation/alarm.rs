//! CloudWatch alarms as the person meets them, and the difference between two listings.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::metric::{MetricId, Statistic};

crate::text_id!(
    /// An alarm's name, unique in an account and region.
    AlarmName
);

/// Where an alarm stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// Within its threshold.
    Ok,
    /// Firing.
    Alarm,
    /// CloudWatch has too few points to say.
    InsufficientData,
}

/// How bad, as the team names it; P1 is worst. CloudWatch has no severity: it is read from tags, name or description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    /// Everything stops.
    P1,
    /// Users are hurt.
    P2,
    /// Worth a look.
    P3,
}

impl Severity {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
        }
    }
}

/// Which way a value must cross the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// Outside an anomaly band on either side.
    OutsideBand,
}

/// What an alarm watches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum AlarmRule {
    /// One metric against a constant.
    Metric {
        /// What is watched.
        metric: MetricId,
        /// How points of a period are combined.
        statistic: Statistic,
        /// Seconds a point covers.
        period_s: u32,
        /// Direction.
        comparison: Comparison,
        /// The constant, in the metric's unit.
        threshold: f64,
    },
    /// Metric math or an anomaly band: no single metric, perhaps no constant threshold.
    Math {
        /// The expression that is compared, as written.
        expression: String,
        /// Direction.
        comparison: Comparison,
        /// The constant, where there is one.
        threshold: Option<f64>,
        /// The metrics it is made of.
        metrics: Vec<MetricId>,
    },
    /// A rule over other alarms.
    Composite {
        /// The rule, as written.
        rule: String,
    },
}

/// An alarm as last read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// Its name.
    pub name: AlarmName,
    /// Its ARN; empty when the source gives none.
    pub arn: String,
    /// What the team wrote about it, sanitised.
    pub description: String,
    /// Where it stands.
    pub state: AlarmState,
    /// Why, in CloudWatch's words, sanitised.
    pub reason: String,
    /// Since when it stands there.
    pub since: Timestamp,
    /// How bad.
    pub severity: Severity,
    /// What it watches.
    pub rule: AlarmRule,
    /// The most recent value that decided the state, where the source tells it.
    pub value: Option<f64>,
}

impl Alarm {
    /// The constant threshold, where there is one.
    pub fn threshold(&self) -> Option<f64> {
        match &self.rule {
            AlarmRule::Metric { threshold, .. } => Some(*threshold),
            AlarmRule::Math { threshold, .. } => *threshold,
            AlarmRule::Composite { .. } => None,
        }
    }

    /// The metrics it is made of; empty for a composite.
    pub fn metrics(&self) -> &[MetricId] {
        match &self.rule {
            AlarmRule::Metric { metric, .. } => std::slice::from_ref(metric),
            AlarmRule::Math { metrics, .. } => metrics,
            AlarmRule::Composite { .. } => &[],
        }
    }
}

/// Reads a severity from what the team wrote: `P1`–`P4`, `SEV1`–`SEV4`, `severity=2`. Without one, P3.
pub fn severity_of(name: &str, description: &str) -> Severity {
    let text = format!("{name} {description}").to_ascii_lowercase();
    let word = |digit: char| {
        ["p", "sev", "sev-", "severity=", "severity:", "severity: "].iter().any(|prefix| {
            let needle = format!("{prefix}{digit}");
            text.match_indices(&needle).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                let after = text[at + needle.len()..].chars().next();
                !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
            })
        })
    };
    if word('1') {
        Severity::P1
    } else if word('2') {
        Severity::P2
    } else {
        Severity::P3
    }
}

/// One change between two listings.
#[derive(Clone, Debug, PartialEq)]
pub enum AlarmChange {
    /// Entered ALARM, or was first seen there.
    Raised(Alarm),
    /// Left ALARM.
    Cleared(Alarm),
    /// First seen and not firing, or moved between OK and `INSUFFICIENT_DATA`, or its text or value changed while it stayed.
    Updated(Alarm),
    /// No longer listed.
    Removed(AlarmName),
}

/// What changed from the alarms known to a whole new listing: worst severity first, then by name.
pub fn changes(known: &BTreeMap<AlarmName, Alarm>, listing: Vec<Alarm>) -> Vec<AlarmChange> {
    let names: BTreeSet<&AlarmName> = listing.iter().map(|alarm| &alarm.name).collect();
    let removed = known.keys().filter(|name| !names.contains(name)).cloned().map(AlarmChange::Removed);
    let mut changes: Vec<AlarmChange> = removed.collect();
    let listed: BTreeMap<(Severity, AlarmName), Alarm> =
        listing.into_iter().map(|alarm| ((alarm.severity, alarm.name.clone()), alarm)).collect();
    for ((_, name), alarm) in listed {
        let was = known.get(&name).map(|alarm| alarm.state);
        match (was, alarm.state) {
            (Some(AlarmState::Alarm), AlarmState::Alarm) if known.get(&name) == Some(&alarm) => {}
            (Some(AlarmState::Alarm), AlarmState::Alarm) => changes.push(AlarmChange::Updated(alarm)),
            (_, AlarmState::Alarm) => changes.push(AlarmChange::Raised(alarm)),
            (Some(AlarmState::Alarm), _) => changes.push(AlarmChange::Cleared(alarm)),
            _ if known.get(&name) == Some(&alarm) => {}
            _ => changes.push(AlarmChange::Updated(alarm)),
        }
    }
    changes
}
