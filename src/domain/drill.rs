//! The drills of a game day: what may be made to go wrong in a rehearsal, in words. Nothing here acts, and no drill has a
//! meaning outside of a rehearsal.

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
    /// All drills end.
    Calm,
}

impl Drill {
    /// Every drill.
    pub const ALL: [Self; 12] = [
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
        Self::Calm,
    ];

    /// How long it lasts, in seconds of incident time.
    pub fn seconds(self) -> u32 {
        match self {
            Self::RestartApiServer => 8,
            Self::ForgetVersions => 20,
            Self::Calm => 0,
            Self::ThrottleLogs
            | Self::ThrottleMetrics
            | Self::SilenceLogs
            | Self::DenyLogs
            | Self::ExpireCredentials
            | Self::SlowAws
            | Self::BreakModel
            | Self::ThrottleModel
            | Self::RefuseSlack => 60,
        }
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
            Self::Calm => "every drill ends",
        }
    }
}
