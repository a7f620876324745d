//! Slack by an incoming webhook. The webhook's address is a secret: it is in no error, no log and no debug output.
//! Error words: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde_json::Value;

use crate::adapters::names::Names;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::sanitise;

/// How long a post may take, connection included.
pub const POST_TIMEOUT: Duration = Duration::from_secs(10);

/// Until a post is tried for the second time where Slack does not say when; each further wait is twice as long.
const AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Longest answer of an error that is read; Slack's are a word.
const LONGEST_ANSWER: usize = 256;

/// A webhook.
#[derive(Clone)]
pub struct Webhook {
    client: reqwest::Client,
    address: Url,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhook(address hidden)")
    }
}

/// Why a post failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlackError {
    /// The address is not one that may be posted to.
    Address(&'static str),
    /// The client could not be built.
    Client,
    /// 400 `invalid_blocks`, `invalid_payload`, `no_text`, …: the message breaks a limit of Slack.
    InvalidMessage(String),
    /// 403 or 404 `no_service`, `no_active_hooks`, `invalid_token`, `channel_not_found`, …: the webhook was revoked, or its channel is gone.
    Revoked(String),
    /// 410 `channel_is_archived`.
    Archived,
    /// 429, with the wait that Slack asks for.
    Throttled(Option<Duration>),
    /// 5xx.
    Unavailable(u16),
    /// Another status.
    Unexpected(u16),
    /// No answer in time. It may have been posted.
    TimedOut,
    /// No connection, so that nothing was posted.
    Unreachable,
    /// The connection broke. It may have been posted.
    Cut,
}

impl SlackError {
    /// How long to wait before the same is posted again, after so many posts; `None` where that may not help, or where
    /// the message may be in the channel already.
    pub fn again_after(&self, posts: u32) -> Option<Duration> {
        let doubled = AGAIN_AFTER.saturating_mul(1 << posts.saturating_sub(1).min(10));
        match self {
            Self::Throttled(wait) => Some(wait.unwrap_or(doubled)),
            // What failed on Slack's side is not in the channel: it says so. Of what a gateway gave up on nobody knows.
            Self::Unreachable | Self::Unavailable(500 | 503) => Some(doubled),
            Self::Address(_)
            | Self::Client
            | Self::InvalidMessage(_)
            | Self::Revoked(_)
            | Self::Archived
            | Self::Unavailable(_)
            | Self::Unexpected(_)
            | Self::TimedOut
            | Self::Cut => None,
        }
    }

    /// The class.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::Address(_) => FaultKind::Usage,
            Self::Client => FaultKind::Internal,
            Self::InvalidMessage(_) | Self::Unexpected(_) => FaultKind::Rejected,
            Self::Revoked(_) | Self::Archived => FaultKind::Denied,
            Self::Throttled(_) => FaultKind::Throttled,
            Self::Unavailable(_) => FaultKind::Unavailable,
            Self::TimedOut => FaultKind::Timeout,
            Self::Unreachable => FaultKind::Unreachable,
            Self::Cut => FaultKind::Cut,
        }
    }

    /// What a person reads.
    pub fn fault(&self) -> Fault {
        let fault = |summary: &str| Fault::new(self.kind(), summary);
        match self {
            Self::Address(why) => fault("The Slack webhook address cannot be used.").cause(*why).hint(
                "Set SLACK_WEBHOOK_URL to the address of an incoming webhook, https://hooks.slack.com/services/… .",
            ),
            Self::Client => fault("The client for Slack could not be built."),
            Self::InvalidMessage(word) => fault("Slack refused the message.").cause(format!("Slack says: {word}.")),
            Self::Revoked(word) => fault("Slack does not accept this webhook.")
                .cause(format!("Slack says: {word}."))
                .hint("The webhook was revoked or its channel is gone: make a new one in the Slack app's settings."),
            Self::Archived => {
                fault("The channel of the Slack webhook is archived.").hint("Make a webhook for another channel.")
            }
            Self::Throttled(wait) => {
                let fault = fault("Slack asks us to slow down.");
                match wait {
                    Some(wait) => fault.hint(format!("It asks to wait {} s.", wait.as_secs())),
                    None => fault,
                }
            }
            Self::Unavailable(code) => fault("Slack failed on its side.").cause(format!("Status {code}.")),
            Self::Unexpected(code) => fault("Slack gave an answer we do not know.").cause(format!("Status {code}.")),
            Self::TimedOut => {
                fault("Slack did not answer in time.").hint("Look into the channel before posting again.")
            }
            Self::Cut => fault("The connection to Slack broke.").hint("Look into the channel before posting again."),
            Self::Unreachable => {
                fault("Slack cannot be reached.").hint("Check the network and its DNS, and the proxy if there is one.")
            }
        }
    }
}

impl fmt::Display for SlackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

impl std::error::Error for SlackError {}

impl From<SlackError> for Fault {
    fn from(error: SlackError) -> Self {
        error.fault()
    }
}

impl Webhook {
    /// Takes an address: https, or http to this machine (a rehearsal). The TLS provider must be installed.
    pub fn new(address: &str) -> Result<Self, SlackError> {
        Self::with_timeout(address, POST_TIMEOUT)
    }

    /// [`Webhook::new`] with a time for a whole post of the caller's choice.
    pub fn with_timeout(address: &str, timeout: Duration) -> Result<Self, SlackError> {
        Self::made(address, timeout, None)
    }

    /// The webhook of a rehearsal, asked for by a name that these alone answer, in place of its address.
    pub fn named(address: &str, timeout: Duration, (host, names): (&str, Names)) -> Result<Self, SlackError> {
        let mut webhook = Self::made(address, timeout, Some(names))?;
        webhook.address.set_host(Some(host)).map_err(|_| SlackError::Address("Its name is not a host."))?;
        Ok(webhook)
    }

    fn made(address: &str, timeout: Duration, names: Option<Names>) -> Result<Self, SlackError> {
        let address = Url::parse(address.trim()).map_err(|_| SlackError::Address("It is not a URL."))?;
        let host = address.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let loopback = host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        match address.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(SlackError::Address("It is not https: the address itself is the secret.")),
            _ => return Err(SlackError::Address("It is not an https address.")),
        }
        let client = reqwest::Client::builder();
        let client = match names {
            // A proxy would be asked for the name in its turn.
            Some(names) => client.dns_resolver(names).no_proxy(),
            None => client,
        };
        let client = client
            .timeout(timeout)
            .connect_timeout(timeout)
            // A redirect would carry the message, and with it what we know of an incident, somewhere else.
            .redirect(reqwest::redirect::Policy::none())
            .https_only(!loopback)
            .build()
            .map_err(|_| SlackError::Client)?;
        Ok(Self { client, address })
    }

    /// Posts a message (`{"text": …, "blocks": […]}`) once.
    pub async fn post(&self, message: &Value) -> Result<(), SlackError> {
        let sent = self.client.post(self.address.clone()).json(message).send().await;
        let answer = sent.map_err(|error| classify(&error))?;
        let status = answer.status();
        if status.is_success() {
            // A page of something in between is no post, whatever its status.
            let is_page = beginning(answer).await.trim_start().starts_with('<');
            return if is_page { Err(SlackError::Unexpected(status.as_u16())) } else { Ok(()) };
        }
        let wait = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        Err(refused(status, wait, &told(&beginning(answer).await)))
    }
}

/// The beginning of an answer, no longer than what we would tell of it.
async fn beginning(mut answer: reqwest::Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() <= LONGEST_ANSWER {
        match answer.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The library's own message holds the address, so only the class is taken.
fn classify(error: &reqwest::Error) -> SlackError {
    match (error.is_connect(), error.is_timeout()) {
        (true, _) => SlackError::Unreachable,
        (false, true) => SlackError::TimedOut,
        (false, false) => SlackError::Cut,
    }
}

fn refused(status: StatusCode, wait: Option<Duration>, word: &str) -> SlackError {
    match status.as_u16() {
        400 => SlackError::InvalidMessage(word.to_owned()),
        401 | 403 | 404 => SlackError::Revoked(word.to_owned()),
        410 => SlackError::Archived,
        429 => SlackError::Throttled(wait),
        code if code >= 500 => SlackError::Unavailable(code),
        code => SlackError::Unexpected(code),
    }
}

/// Slack's word. Something in between could answer with a page that repeats the address: then nothing of it is told.
fn told(answer: &str) -> String {
    let answer = answer.trim();
    if answer.len() > LONGEST_ANSWER || answer.contains("://") || answer.contains("/services/") {
        return "an answer that is not Slack's".to_owned();
    }
    sanitise::line(answer).into_owned()
}
