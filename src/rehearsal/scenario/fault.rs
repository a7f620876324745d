//! Faults on the wire: which requests, in which window of incident time, and what they meet.

use jiff::SignedDuration;
use serde::Deserialize;

use super::ModelException;
use crate::domain::drill::{Api, FaultWord};

/// A fault.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultSpec {
    /// Which API.
    pub service: Api,
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

impl FaultSpec {
    /// Why it can strike nothing; `None` when it can.
    pub fn contradiction(&self) -> Option<String> {
        let (word, api) = (self.effect.word(), self.service);
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
    /// The clock of the service is not that of the machine that asks: it dates and keeps by its own, and refuses signatures
    /// that are more than five minutes off.
    Skewed {
        /// How far the machine is ahead of it; behind where negative.
        #[serde(default = "usual_skew")]
        by: SignedDuration,
    },
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
    /// Its kind.
    pub fn kind(&self) -> FaultWord {
        match self {
            Self::Latency { .. } => FaultWord::Latency,
            Self::Throttled => FaultWord::Throttled,
            Self::Denied => FaultWord::Denied,
            Self::Expired => FaultWord::Expired,
            Self::Unavailable => FaultWord::Unavailable,
            Self::Cut { .. } => FaultWord::Cut,
            Self::Silence => FaultWord::Silence,
            Self::Empty => FaultWord::Empty,
            Self::Gone => FaultWord::Gone,
            Self::Reset => FaultWord::Reset,
            Self::Malformed => FaultWord::Malformed,
            Self::Pages { .. } => FaultWord::Pages,
            Self::Skewed { .. } => FaultWord::Skewed,
            Self::Stream { exception: None, .. } => FaultWord::Stream,
            Self::Stream { exception: Some(_), .. } => FaultWord::Exception,
            Self::Restart => FaultWord::Restart,
            Self::Unresolved => FaultWord::Unresolved,
            Self::Refused { .. } => FaultWord::Refused,
        }
    }

    /// The word in the ledger, and in the scenario but for an exception, which is a `stream` there.
    pub fn word(&self) -> &'static str {
        self.kind().word()
    }

    /// Whether an API knows it.
    pub fn is_of(&self, api: Api) -> bool {
        self.kind().is_of(api)
    }

    /// What a fault of a kind is where nothing more is said, as on a game day.
    pub fn usual(kind: FaultWord, api: Api) -> Self {
        match kind {
            FaultWord::Latency => Self::Latency { delay: SignedDuration::from_secs(3) },
            FaultWord::Throttled => Self::Throttled,
            FaultWord::Denied => Self::Denied,
            FaultWord::Expired => Self::Expired,
            FaultWord::Skewed => Self::Skewed { by: usual_skew() },
            FaultWord::Unavailable => Self::Unavailable,
            FaultWord::Cut => Self::Cut { after_bytes: bytes_before_a_cut(api) },
            FaultWord::Reset => Self::Reset,
            FaultWord::Silence => Self::Silence,
            FaultWord::Malformed => Self::Malformed,
            FaultWord::Empty => Self::Empty,
            FaultWord::Pages => Self::Pages { size: small_page(api) },
            FaultWord::Stream => Self::Stream { after_frames: frames_before_a_break(api), exception: None },
            FaultWord::Exception => {
                let exception = match api {
                    Api::Logs => "SessionStreamingException",
                    _ => "modelStreamErrorException",
                };
                Self::Stream { after_frames: frames_before_a_break(api), exception: Some(exception.to_owned()) }
            }
            FaultWord::Gone => Self::Gone,
            FaultWord::Refused => Self::Refused { word: SlackWord::ChannelIsArchived },
            FaultWord::Restart => Self::Restart,
            FaultWord::Unresolved => Self::Unresolved,
        }
    }
}

/// Far enough that signatures are refused, until the client has learned by how much.
fn usual_skew() -> SignedDuration {
    SignedDuration::from_mins(10)
}

/// Enough to have begun, and less than the shortest answer: Slack says `ok`.
fn bytes_before_a_cut(api: Api) -> usize {
    match api {
        Api::Slack => 1,
        Api::Logs => 200,
        Api::CloudWatch | Api::Bedrock | Api::Sts | Api::Kubernetes | Api::Charts => 20,
    }
}

/// Small enough that what a cockpit reads has several pages.
fn small_page(api: Api) -> usize {
    match api {
        Api::Logs => 50,
        Api::Kubernetes => 2,
        Api::CloudWatch | Api::Bedrock | Api::Sts | Api::Slack | Api::Charts => 20,
    }
}

/// In the middle of what a model says; of Live Tail the start of the session and an update.
fn frames_before_a_break(api: Api) -> usize {
    match api {
        Api::Logs => 2,
        Api::CloudWatch | Api::Bedrock | Api::Sts | Api::Kubernetes | Api::Slack | Api::Charts => 40,
    }
}
