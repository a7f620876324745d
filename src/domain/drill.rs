//! The drills of a game day: what may be made to go wrong in a rehearsal, in words. Nothing here acts, and no drill has a
//! meaning outside of a rehearsal. Any fault can be composed (`injection`); those with a name of their own are here.

mod arranged;
mod injection;
mod standing;
mod word;

pub use arranged::ArrangedFault;
pub use injection::{Injection, Lasts, reach_word};
pub use standing::{DrillChange, StandingFault, after};
pub use word::{Api, FaultWord};

use Api::{Bedrock, Charts, CloudWatch, Kubernetes, Logs, Slack};

/// Something that a person lets go wrong in the simulated cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Drill {
    /// CloudWatch Logs throttles.
    ThrottleLogs,
    /// CloudWatch throttles alarms and metrics.
    ThrottleMetrics,
    /// CloudWatch Logs takes requests and never answers.
    SilenceLogs,
    /// CloudWatch Logs denies.
    DenyLogs,
    /// Every AWS call says that the credentials have expired.
    ExpireCredentials,
    /// Every AWS answer is three seconds late.
    SlowAws,
    /// The model's stream ends with an exception.
    BreakModel,
    /// The model is throttled.
    ThrottleModel,
    /// The API server of the cluster restarts.
    RestartApiServer,
    /// Every watch is told that its version is too old (410).
    ForgetVersions,
    /// Slack takes no message.
    RefuseSlack,
    /// The names of the AWS endpoints do not resolve.
    HideAws,
    /// The name of the cluster's endpoint does not resolve.
    HideCluster,
    /// Every AWS call says that the clocks are apart.
    SkewClock,
    /// Every AWS service fails on its side.
    FailAws,
    /// CloudWatch Logs resets every connection.
    ResetLogs,
    /// CloudWatch answers with something that is not its own.
    GarbleMetrics,
    /// The model's stream breaks off in mid-frame.
    CutModel,
    /// Logs, metrics and the cluster answer in small pages.
    SmallPages,
    /// The cluster denies everything.
    DenyCluster,
    /// CloudWatch Logs breaks off in the middle of each answer.
    CutLogs,
    /// Every answer of the cluster is three seconds late.
    SlowCluster,
    /// The cluster asks for patience (429).
    ThrottleCluster,
    /// The API server of the cluster fails on its side.
    FailCluster,
    /// The cluster takes requests and never answers.
    SilenceCluster,
    /// The credentials for the cluster have expired (401).
    ExpireCluster,
    /// The repository of Helm charts cannot be reached.
    HideCharts,
    /// All drills end.
    Calm,
}

impl Drill {
    /// Every drill.
    pub const ALL: [Self; 28] = [
        Self::ThrottleLogs,
        Self::ThrottleMetrics,
        Self::SilenceLogs,
        Self::DenyLogs,
        Self::ExpireCredentials,
        Self::SlowAws,
        Self::BreakModel,
        Self::ThrottleModel,
        Self::RestartApiServer,
        Self::ForgetVersions,
        Self::RefuseSlack,
        Self::HideAws,
        Self::HideCluster,
        Self::SkewClock,
        Self::FailAws,
        Self::ResetLogs,
        Self::GarbleMetrics,
        Self::CutModel,
        Self::SmallPages,
        Self::DenyCluster,
        Self::CutLogs,
        Self::SlowCluster,
        Self::ThrottleCluster,
        Self::FailCluster,
        Self::SilenceCluster,
        Self::ExpireCluster,
        Self::HideCharts,
        Self::Calm,
    ];

    /// What it lets loose; nothing for the one that ends them all.
    pub fn injection(self) -> Option<Injection> {
        use FaultWord as Kind;
        let of = |apis: &'static [Api], kind| (apis, kind, 60);
        let (apis, kind, seconds) = match self {
            Self::ThrottleLogs => of(&[Logs], Kind::Throttled),
            Self::ThrottleMetrics => of(&[CloudWatch], Kind::Throttled),
            Self::SilenceLogs => of(&[Logs], Kind::Silence),
            Self::DenyLogs => of(&[Logs], Kind::Denied),
            Self::ExpireCredentials => of(&Api::AWS, Kind::Expired),
            Self::SlowAws => of(&Api::AWS, Kind::Latency),
            Self::BreakModel => of(&[Bedrock], Kind::Exception),
            Self::ThrottleModel => of(&[Bedrock], Kind::Throttled),
            Self::RestartApiServer => (&[Kubernetes][..], Kind::Restart, 8),
            Self::ForgetVersions => (&[Kubernetes][..], Kind::Gone, 20),
            Self::RefuseSlack => of(&[Slack], Kind::Throttled),
            Self::HideAws => of(&Api::AWS, Kind::Unresolved),
            Self::HideCluster => of(&[Kubernetes], Kind::Unresolved),
            Self::SkewClock => of(&Api::AWS, Kind::Skewed),
            Self::FailAws => of(&Api::AWS, Kind::Unavailable),
            Self::ResetLogs => of(&[Logs], Kind::Reset),
            Self::GarbleMetrics => of(&[CloudWatch], Kind::Malformed),
            Self::CutModel => of(&[Bedrock], Kind::Stream),
            Self::SmallPages => of(&[CloudWatch, Logs, Kubernetes], Kind::Pages),
            Self::DenyCluster => of(&[Kubernetes], Kind::Denied),
            Self::CutLogs => of(&[Logs], Kind::Cut),
            Self::SlowCluster => of(&[Kubernetes], Kind::Latency),
            Self::ThrottleCluster => of(&[Kubernetes], Kind::Throttled),
            Self::FailCluster => of(&[Kubernetes], Kind::Unavailable),
            Self::SilenceCluster => of(&[Kubernetes], Kind::Silence),
            Self::ExpireCluster => of(&[Kubernetes], Kind::Expired),
            Self::HideCharts => of(&[Charts], Kind::Unresolved),
            Self::Calm => return None,
        };
        Some(Injection { apis, kind, lasts: Lasts::Seconds(seconds) })
    }

    /// What it is, as the timeline and the palette tell it.
    pub fn text(self) -> &'static str {
        match self {
            Self::ThrottleLogs => "logs are throttled for 60 s",
            Self::ThrottleMetrics => "alarms and metrics are throttled for 60 s",
            Self::SilenceLogs => "logs take requests and never answer for 60 s",
            Self::DenyLogs => "logs are denied for 60 s",
            Self::ExpireCredentials => "the AWS credentials are expired for 60 s",
            Self::SlowAws => "every AWS answer is 3 s late for 60 s",
            Self::BreakModel => "the model's stream breaks with an exception for 60 s",
            Self::ThrottleModel => "the model is throttled for 60 s",
            Self::RestartApiServer => "the Kubernetes API server restarts, away for 8 s",
            Self::ForgetVersions => "every watch is told 410 Gone for 20 s",
            Self::RefuseSlack => "Slack takes no message for 60 s",
            Self::HideAws => "the names of the AWS endpoints do not resolve for 60 s",
            Self::HideCluster => "the name of the cluster's endpoint does not resolve for 60 s",
            Self::SkewClock => "the clock of this machine is 10 min ahead of AWS for 60 s",
            Self::FailAws => "every AWS service fails on its side for 60 s",
            Self::ResetLogs => "logs reset every connection for 60 s",
            Self::GarbleMetrics => "alarms and metrics answer with a page that is not theirs for 60 s",
            Self::CutModel => "the model's stream breaks off in mid-frame for 60 s",
            Self::SmallPages => "logs, metrics and the cluster answer in small pages for 60 s",
            Self::DenyCluster => "the cluster denies everything for 60 s",
            Self::CutLogs => "logs break off in mid-answer for 60 s",
            Self::SlowCluster => "every answer of the cluster is 3 s late for 60 s",
            Self::ThrottleCluster => "the cluster is throttled for 60 s",
            Self::FailCluster => "the cluster fails on its side for 60 s",
            Self::SilenceCluster => "the cluster takes requests and never answers for 60 s",
            Self::ExpireCluster => "the credentials for the cluster are expired for 60 s",
            Self::HideCharts => "the chart repository cannot be reached for 60 s",
            Self::Calm => "every drill ends",
        }
    }
}
