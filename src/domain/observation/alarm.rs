//! CloudWatch alarms as the person meets them, and the difference between two listings.

mod bound;
mod calls;
mod composite;
mod detail;
#[cfg(test)]
pub(crate) mod fixture;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::metric::{MetricId, Statistic};

pub use self::bound::{Bound, Side, bound};
pub use self::calls::Calls;
pub use self::composite::{Term, terms};
pub use self::detail::{AlarmDetail, AlarmHistory, Asked, BandPoint, ComparedNow, Reach, Transition};

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

impl AlarmState {
    /// As CloudWatch spells it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
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
        /// What CloudWatch evaluates, to be shown and to be asked as it stands.
        #[serde(default)]
        queries: Vec<MathQuery>,
    },
    /// A rule over other alarms.
    Composite {
        /// The rule, as written.
        rule: String,
    },
}

/// One line of what metric math evaluates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MathQuery {
    /// The name by which other lines use it.
    pub id: String,
    /// What the team calls it; empty without.
    pub label: String,
    /// What it is for.
    pub part: MathPart,
    /// What it is.
    pub term: MathTerm,
}

/// What a line of metric math is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MathPart {
    /// Its result is what the alarm compares.
    Compared,
    /// Its result is the band that is compared with.
    Band,
    /// Another line uses it.
    Input,
}

/// What a line of metric math is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum MathTerm {
    /// An expression over other lines.
    Expression {
        /// As written.
        text: String,
        /// Seconds a point covers, where it says so itself.
        period_s: Option<u32>,
    },
    /// A metric.
    Metric {
        /// Which.
        metric: MetricId,
        /// Its statistic, as written: math knows more of them than we have words for.
        statistic: String,
        /// Seconds a point covers.
        period_s: u32,
    },
}

impl MathTerm {
    /// As a person would write it.
    pub fn text(&self) -> String {
        match self {
            Self::Expression { text, .. } => text.clone(),
            Self::Metric { metric, statistic, period_s } => format!("{statistic} of {metric} over {period_s} s"),
        }
    }
}

/// What CloudWatch makes of periods without a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingData {
    /// They are left out; with too few others the alarm goes to `INSUFFICIENT_DATA`.
    #[default]
    Missing,
    /// The state stays as it is.
    Ignore,
    /// They count as being over the threshold.
    Breaching,
    /// They count as being within.
    NotBreaching,
}

impl MissingData {
    /// In words, for the alarm's detail.
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => "missing points are left out: too few, and it has insufficient data",
            Self::Ignore => "missing points change nothing: the state may be an old one",
            Self::Breaching => "missing points count as over the threshold",
            Self::NotBreaching => "missing points count as within the threshold",
        }
    }
}

/// How many periods decide a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Periods that are looked at.
    pub periods: u32,
    /// How many of them must be over the threshold.
    pub to_alarm: u32,
    /// What those without a point count as.
    pub missing: MissingData,
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
    /// How many periods decide; nothing for a composite.
    #[serde(default)]
    pub evaluation: Option<Evaluation>,
    /// Whom it calls.
    #[serde(default)]
    pub calls: Calls,
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

    /// Seconds of one of the periods that decide its state; a minute where others do.
    pub fn period_s(&self) -> u32 {
        self.evaluation.map_or(60, |evaluation| (self.decided_over_s() / evaluation.periods.max(1)).max(1))
    }

    /// Seconds of points that decide its state: it returns to OK no sooner after the trouble than that. Nothing is known of a
    /// composite, which is decided by others.
    pub fn decided_over_s(&self) -> u32 {
        let of_term = |query: &MathQuery| match &query.term {
            MathTerm::Expression { period_s, .. } => *period_s,
            MathTerm::Metric { period_s, .. } => Some(*period_s),
        };
        let period_s = match &self.rule {
            AlarmRule::Metric { period_s, .. } => *period_s,
            AlarmRule::Math { queries, .. } => queries.iter().filter_map(of_term).max().unwrap_or_default(),
            AlarmRule::Composite { .. } => 0,
        };
        period_s.saturating_mul(self.evaluation.map_or(1, |evaluation| evaluation.periods))
    }

    /// Whether it compares with an anomaly band.
    pub fn has_band(&self) -> bool {
        match &self.rule {
            AlarmRule::Math { queries, .. } => queries.iter().any(|query| query.part == MathPart::Band),
            AlarmRule::Metric { .. } | AlarmRule::Composite { .. } => false,
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

/// Reads a severity from what the team wrote: `P1`–`P4`, `SEV1`–`SEV4`, `severity=2`. The name goes first: a description
/// speaks of other severities as well ("raise to P1 after half an hour"), and of several it names the worst is taken.
/// Without one, P3.
pub fn severity_of(name: &str, description: &str) -> Severity {
    severity_in(name).or_else(|| severity_in(description)).unwrap_or(Severity::P3)
}

fn severity_in(text: &str) -> Option<Severity> {
    let text = text.to_ascii_lowercase();
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
    let all = [('1', Severity::P1), ('2', Severity::P2), ('3', Severity::P3), ('4', Severity::P3)];
    all.into_iter().find(|(digit, _)| word(*digit)).map(|(_, severity)| severity)
}

/// Whether an alarm's name is one that a target tracking policy of Application Auto Scaling gives: it scales, and pages
/// nobody.
pub fn names_scaling(name: &str) -> bool {
    name.starts_with("TargetTracking-")
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
