//! Faults on the wire: which requests, in which window of incident time, and what they meet.

use jiff::SignedDuration;
use serde::Deserialize;

use super::ModelException;
use crate::rehearsal::ledger::Api;

/// A fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Which API.
    pub service: ServiceWord,
    /// Which operation, such as `FilterLogEvents`; for Kubernetes the verb, such as `list`. Any where left out.
    #[serde(default)]
    pub operation: Option<String>,
    /// Which resource, for Kubernetes, such as `pods`. Any where left out.
    #[serde(default)]
    pub resource: Option<String>,
    /// Since when, from start.
    #[serde(default)]
    pub from: Option<SignedDuration>,
    /// Until when, from start.
    #[serde(default)]
    pub until: Option<SignedDuration>,
    /// Only the first so many requests that it meets; those of one instant count as one.
    #[serde(default)]
    pub times: Option<u64>,
    /// What happens.
    pub effect: FaultEffect,
}

/// The APIs by the words of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceWord {
    /// CloudWatch alarms and metrics.
    Cloudwatch,
    /// CloudWatch Logs.
    Logs,
    /// Bedrock runtime.
    Bedrock,
    /// STS.
    Sts,
    /// Kubernetes.
    Kubernetes,
    /// Slack.
    Slack,
    /// The repository of Helm charts.
    Charts,
}

impl FaultSpec {
    /// Why it can strike nothing; `None` when it can.
    pub fn contradiction(&self) -> Option<String> {
        let (word, api) = (self.effect.word(), self.service.api());
        if !self.effect.is_of(api) {
            return Some(format!("The fault {word:?} does not exist for {}.", api.word()));
        }
        if let FaultEffect::Stream { exception: Some(exception), .. } = &self.effect
            && api == Api::Bedrock
            && ModelException::of_frame(exception).is_none()
        {
            return Some(format!("A stream of {} has no exception {exception:?}.", api.word()));
        }
        if self.from.zip(self.until).is_some_and(|(from, until)| from >= until) {
            return Some(format!("The fault {word:?} of {} ends before it begins.", api.word()));
        }
        if self.resource.is_some() && api != Api::Kubernetes {
            return Some(format!("The fault {word:?} of {} names a resource, which only Kubernetes has.", api.word()));
        }
        None
    }
}

impl ServiceWord {
    /// The API it names.
    pub fn api(self) -> Api {
        match self {
            Self::Cloudwatch => Api::CloudWatch,
            Self::Logs => Api::Logs,
            Self::Bedrock => Api::Bedrock,
            Self::Sts => Api::Sts,
            Self::Kubernetes => Api::Kubernetes,
            Self::Slack => Api::Slack,
            Self::Charts => Api::Charts,
        }
    }
}

/// What a request meets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum FaultEffect {
    /// A late answer, by incident time.
    Latency {
        /// How late.
        delay: SignedDuration,
    },
    /// The service's own throttling error (429 for Bedrock, Kubernetes and Slack).
    Throttled,
    /// Access denied, in the service's words.
    Denied,
    /// The credentials have expired.
    Expired,
    /// The service fails on its side.
    Unavailable,
    /// The connection closes after so many bytes of the body.
    Cut {
        /// Bytes sent before.
        #[serde(default)]
        after_bytes: usize,
    },
    /// The connection is accepted and nothing is ever said.
    Silence,
    /// A well-formed answer with nothing in it.
    Empty,
    /// A watch is told that its resource version is too old (410).
    Gone,
    /// The connection is reset before a byte of the answer.
    Reset,
    /// A 200 whose body is not the service's: the page of something in between, or bytes that no parser takes.
    Malformed,
    /// A page holds so few entries at most, and says where the next one begins.
    Pages {
        /// Entries a page.
        size: usize,
    },
    /// The signature is refused because the clocks are too far apart.
    Skewed,
    /// A stream of a model or of Live Tail breaks after so many frames: in the middle of the next one, or with an
    /// exception frame.
    Stream {
        /// Frames sent whole.
        after_frames: usize,
        /// The exception, such as `modelStreamErrorException` or `SessionStreamingException`; without one the connection
        /// breaks.
        #[serde(default)]
        exception: Option<String>,
    },
    /// The API server is away: connections are reset, open watches break, and afterwards no old version is known.
    Restart,
    /// The name of the endpoint does not resolve; a connection that was kept open is reset.
    Unresolved,
    /// Slack refuses the message with one of its words.
    Refused {
        /// Which.
        word: SlackWord,
    },
}

/// What an incoming webhook refuses with, beside what is wrong with a message itself (Slack, "Handling errors").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlackWord {
    /// 403: an administrator has restricted the channel or the app.
    ActionProhibited,
    /// 410: the channel is archived.
    ChannelIsArchived,
    /// 404: the channel is gone.
    ChannelNotFound,
    /// 403: the token in the address is not valid.
    InvalidToken,
    /// 404: the webhook was disabled, removed or never was.
    NoService,
    /// 403: the webhook posts to the general channel, where it may not.
    PostingToGeneralChannelDenied,
    /// 500: Slack's own failure.
    RollupError,
    /// 403: the workspace is not active any more.
    TeamDisabled,
    /// 404: the user is gone.
    UserNotFound,
}

impl SlackWord {
    /// Its text.
    pub fn text(self) -> &'static str {
        match self {
            Self::ActionProhibited => "action_prohibited",
            Self::ChannelIsArchived => "channel_is_archived",
            Self::ChannelNotFound => "channel_not_found",
            Self::InvalidToken => "invalid_token",
            Self::NoService => "no_service",
            Self::PostingToGeneralChannelDenied => "posting_to_general_channel_denied",
            Self::RollupError => "rollup_error",
            Self::TeamDisabled => "team_disabled",
            Self::UserNotFound => "user_not_found",
        }
    }

    /// Its HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::ActionProhibited | Self::InvalidToken | Self::PostingToGeneralChannelDenied | Self::TeamDisabled => {
                403
            }
            Self::ChannelNotFound | Self::NoService | Self::UserNotFound => 404,
            Self::ChannelIsArchived => 410,
            Self::RollupError => 500,
        }
    }
}

impl FaultEffect {
    /// The word in the scenario and in the ledger.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Throttled => "throttled",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Unavailable => "unavailable",
            Self::Cut { .. } => "cut",
            Self::Silence => "silence",
            Self::Empty => "empty",
            Self::Gone => "gone",
            Self::Reset => "reset",
            Self::Malformed => "malformed",
            Self::Pages { .. } => "pages",
            Self::Skewed => "skewed",
            Self::Stream { .. } => "stream",
            Self::Restart => "restart",
            Self::Unresolved => "unresolved",
            Self::Refused { .. } => "refused",
        }
    }

    /// Whether an API knows it.
    pub fn is_of(&self, api: Api) -> bool {
        match self {
            Self::Gone | Self::Restart => api == Api::Kubernetes,
            Self::Stream { .. } => matches!(api, Api::Bedrock | Api::Logs),
            Self::Refused { .. } => api == Api::Slack,
            Self::Skewed | Self::Expired if api == Api::Charts => false,
            Self::Skewed => !matches!(api, Api::Kubernetes | Api::Slack),
            Self::Pages { .. } => matches!(api, Api::CloudWatch | Api::Logs | Api::Kubernetes),
            Self::Empty => !matches!(api, Api::Sts | Api::Slack),
            Self::Latency { .. }
            | Self::Throttled
            | Self::Denied
            | Self::Expired
            | Self::Unavailable
            | Self::Cut { .. }
            | Self::Silence
            | Self::Reset
            | Self::Unresolved
            | Self::Malformed => true,
        }
    }
}
