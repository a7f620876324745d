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
    /// A process runs and does nothing any more: it answers nobody, writes nothing, computes nothing.
    StuckProcess,
    /// Something the service needs fails or is slow.
    DependencyFailing,
    /// The place has no room: the node, a quota, or what gives volumes and addresses.
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
    pub const ALL: [Self; 13] = [
        Self::MemoryLeak,
        Self::LimitTooLow,
        Self::TrafficSurge,
        Self::CollectorThrash,
        Self::CpuBound,
        Self::BadDeploy,
        Self::CrashLoop,
        Self::StuckProcess,
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
            Self::StuckProcess => "stuck-process",
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
            Self::StuckProcess => "stuck process",
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
    /// Where its lasting fix usually lies; what the evidence says of a case is in [`super::rules::fix`].
    pub fn fix(self) -> FixClass {
        match self {
            Self::MemoryLeak | Self::CollectorThrash | Self::StuckProcess => FixClass::Code,
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

/// The terms that a confidence comes from: sums of weights, and what caps it.
///
/// With S, A and U the weights of the tests that support the cause, speak against it, and are open,
///
/// ```text
/// agreement  = S / (S + A)
/// coverage   = (S + A) / (S + A + U)
/// confidence = min(cap, 0.95 · agreement · (0.6 + 0.4 · coverage))
/// ```
///
/// 0.95, because rules are wrong one time in twenty even when all of them agree. What is open takes away at most two
/// fifths: a cause that all that was read speaks for is likelier than not, however little was read. The cap is 0.15 where
/// a test that rules the cause out speaks against it, 0.5 where one that it needs is open, else 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConfidenceTerms {
    /// Sum of the weights of the tests that support it.
    pub supports: f64,
    /// Of those that speak against it.
    pub against: f64,
    /// Of those that are open.
    pub open: f64,
    /// The most it can come to.
    pub cap: f64,
    /// Of what is open, the weight of what was asked and not read, or not whole: denied, failed, truncated.
    #[serde(default)]
    pub unread: f64,
    /// The most it can come to where that speaks against the cause: 0.15 where it would rule the cause out.
    #[serde(default = "uncapped")]
    pub cap_at_worst: f64,
}

fn uncapped() -> f64 {
    1.0
}

/// Rules are wrong one time in twenty even when all agree.
const AT_MOST: f64 = 0.95;
/// What is left of a confidence when nothing is covered.
const UNCOVERED: f64 = 0.6;

impl ConfidenceTerms {
    /// The share of what was weighed that supports it; 0 where nothing was.
    pub fn agreement(&self) -> f64 {
        let weighed = self.supports + self.against;
        if weighed > 0.0 { self.supports / weighed } else { 0.0 }
    }

    /// The share of the tests, by weight, that were answered; 0 where none was.
    pub fn coverage(&self) -> f64 {
        let weighed = self.supports + self.against;
        if weighed > 0.0 { weighed / (weighed + self.open) } else { 0.0 }
    }

    /// The confidence they come to.
    pub fn confidence(&self) -> Confidence {
        let covered = UNCOVERED + (1.0 - UNCOVERED) * self.coverage();
        Confidence::new((AT_MOST * self.agreement() * covered).min(self.cap))
    }

    /// The confidence where all that was asked and not read speaks against the cause. It is never above the one that the
    /// answers themselves would have come to: a read that is refused makes nobody surer.
    pub fn at_worst(&self) -> Confidence {
        let (against, open) = (self.against + self.unread, (self.open - self.unread).max(0.0));
        let cap = self.cap.min(self.cap_at_worst);
        Self { against, open, cap, ..*self }.confidence().min(self.confidence())
    }
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
    /// What the confidence comes from; `None` for a cause that is not weighed, and in journals of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<ConfidenceTerms>,
    /// What it is called, where the evidence tells more closely than the cause: a volume that is not mounted is no pressure on
    /// a node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub called: Option<String>,
}

impl RankedCause {
    /// The words on screen.
    pub fn words(&self) -> &str {
        self.called.as_deref().unwrap_or(self.cause.words())
    }
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
    /// The questions whose answers it stands on: without any one of them it would be another.
    #[serde(default)]
    pub rests_on: Vec<Question>,
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

    /// The words of the leading cause.
    pub fn words(&self) -> &str {
        self.leading().map_or(Cause::Inconclusive.words(), RankedCause::words)
    }

    /// The confidence that a decision may rest on: that in the leading cause where what was asked and not read speaks
    /// against it.
    pub fn assured(&self) -> Confidence {
        let worst = self.leading().and_then(|ranked| ranked.terms).map(|terms| terms.at_worst());
        worst.map_or(self.confidence(), |worst| worst.min(self.confidence()))
    }

    /// The confidence in the leading cause.
    pub fn confidence(&self) -> Confidence {
        self.leading().map_or(Confidence::default(), |ranked| ranked.confidence)
    }
}
