//! The verdict of the rules: ranked causes with weighed findings and what is missing. No model takes part.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::evidence::{EvidenceId, Question};

/// The causes the rules can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// Memory grows without traffic until the container is killed.
    MemoryLeak,
    /// A steady working set does not fit the limit.
    LimitTooLow,
    /// More requests than the service can take.
    TrafficSurge,
    /// The collector works hard without a leak.
    CollectorThrash,
    /// The processor is the bottleneck at normal traffic.
    CpuBound,
    /// It began with a rollout.
    BadDeploy,
    /// A container cannot start.
    CrashLoop,
    /// Something the service needs fails or is slow.
    DependencyFailing,
    /// The node has no room.
    NodePressure,
    /// The alarm goes up and down and nothing else moves.
    FlappingAlarm,
    /// All evidence is in, and all of it is healthy.
    NothingWrong,
    /// The evidence does not settle it.
    Inconclusive,
}

impl Cause {
    /// Every cause a rule can argue for; `Inconclusive` is what remains.
    pub const ALL: [Self; 12] = [
        Self::MemoryLeak,
        Self::LimitTooLow,
        Self::TrafficSurge,
        Self::CollectorThrash,
        Self::CpuBound,
        Self::BadDeploy,
        Self::CrashLoop,
        Self::DependencyFailing,
        Self::NodePressure,
        Self::FlappingAlarm,
        Self::NothingWrong,
        Self::Inconclusive,
    ];

    /// The id in JSON, scenarios and the model's answer.
    pub fn id(self) -> &'static str {
        match self {
            Self::MemoryLeak => "memory-leak",
            Self::LimitTooLow => "limit-too-low",
            Self::TrafficSurge => "traffic-surge",
            Self::CollectorThrash => "collector-thrash",
            Self::CpuBound => "cpu-bound",
            Self::BadDeploy => "bad-deploy",
            Self::CrashLoop => "crash-loop",
            Self::DependencyFailing => "dependency-failing",
            Self::NodePressure => "node-pressure",
            Self::FlappingAlarm => "flapping-alarm",
            Self::NothingWrong => "nothing-wrong",
            Self::Inconclusive => "inconclusive",
        }
    }

    /// The words on screen.
    pub fn words(self) -> &'static str {
        match self {
            Self::MemoryLeak => "memory leak",
            Self::LimitTooLow => "memory limit too low",
            Self::TrafficSurge => "traffic surge",
            Self::CollectorThrash => "collector thrash",
            Self::CpuBound => "CPU bound",
            Self::BadDeploy => "bad deploy",
            Self::CrashLoop => "crash loop",
            Self::DependencyFailing => "dependency failing",
            Self::NodePressure => "node pressure",
            Self::FlappingAlarm => "flapping alarm",
            Self::NothingWrong => "nothing wrong",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Where the lasting fix of a cause lies, as a person would file it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FixClass {
    /// In the code; a restart or a rollback buys time.
    Code,
    /// In the resources that the manifest gives.
    Limit,
    /// In the manifest: image, command, probe, references.
    Configuration,
    /// In the room that nodes, quotas and replicas give.
    Capacity,
    /// In the revision that was rolled out.
    Rollback,
    /// With another service.
    Elsewhere,
    /// In the alarm.
    Alarm,
    /// Nothing is to be fixed, or it is not known what.
    None,
}

impl Cause {
    /// Where its lasting fix lies.
    pub fn fix(self) -> FixClass {
        match self {
            Self::MemoryLeak | Self::CollectorThrash => FixClass::Code,
            Self::LimitTooLow => FixClass::Limit,
            Self::CrashLoop => FixClass::Configuration,
            Self::TrafficSurge | Self::CpuBound | Self::NodePressure => FixClass::Capacity,
            Self::BadDeploy => FixClass::Rollback,
            Self::DependencyFailing => FixClass::Elsewhere,
            Self::FlappingAlarm => FixClass::Alarm,
            Self::NothingWrong | Self::Inconclusive => FixClass::None,
        }
    }
}

/// A degree of belief in `[0, 1]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Confidence(f64);

impl Confidence {
    /// Clamps to `[0, 1]`; what is not a number is 0.
    pub fn new(value: f64) -> Self {
        Self(if value.is_nan() { 0.0 } else { value.clamp(0.0, 1.0) })
    }

    /// The value.
    pub fn value(self) -> f64 {
        self.0
    }

    /// The lower of two: a model may lower confidence, never raise it.
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.0)
    }
}

/// Which way a finding pulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// For the cause.
    Supports,
    /// Against it.
    Against,
}

/// One thing a rule found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// One sentence with its numbers.
    pub text: String,
    /// Which way it pulls.
    pub side: Side,
    /// How hard, in `[0, 1]`.
    pub weight: f64,
    /// The evidence it rests on.
    pub evidence: Vec<EvidenceId>,
}

/// A cause with what speaks for and against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RankedCause {
    /// The cause.
    pub cause: Cause,
    /// How sure the rules are.
    pub confidence: Confidence,
    /// Why.
    pub findings: Vec<Finding>,
}

/// Evidence that is not there and would matter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MissingEvidence {
    /// The question.
    pub question: Question,
    /// Why there is no answer: denied, failed, absent, not asked, truncated.
    pub why: String,
    /// Whether its answer could change the verdict.
    pub decisive: bool,
}

/// What the rules conclude.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Best first, never empty; `Inconclusive` leads when nothing is settled.
    pub ranked: Vec<RankedCause>,
    /// What is missing.
    pub missing: Vec<MissingEvidence>,
    /// Whether the first cause is settled by the stated rules.
    pub conclusive: bool,
}

impl Verdict {
    /// The first cause.
    pub fn leading(&self) -> Option<&RankedCause> {
        self.ranked.first()
    }

    /// The leading cause, or `Inconclusive`.
    pub fn cause(&self) -> Cause {
        self.leading().map_or(Cause::Inconclusive, |ranked| ranked.cause)
    }

    /// The confidence in the leading cause.
    pub fn confidence(&self) -> Confidence {
        self.leading().map_or(Confidence::default(), |ranked| ranked.confidence)
    }
}
