//! CloudWatch Logs Live Tail: what a group takes in, as it takes it in.
//!
//! An early look and no account: above 500 events a second it is a sample, its events carry no id, and a session ends
//! after three hours. What is counted is read by [`super::logs`]; [`super::logs::Early`] tells which lines both have.

use std::fmt;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::primitives::event_stream::EventReceiver;
use aws_sdk_cloudwatchlogs::types::error::StartLiveTailResponseStreamError as StreamError;
use aws_sdk_cloudwatchlogs::types::{
    LiveTailSessionLogEvent, LiveTailSessionUpdate, StartLiveTailResponseStream as Frame,
};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::event_stream::RawMessage;
use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::call::{CallError, Step, clean};
use super::clients::Clients;
use super::logs::{LogsError, group_arn};
use crate::adapters::budget::Family;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::log::{LogEventId, LogGroup, RawLogEvent};

mod prefix;

const ACTION: &str = "logs:StartLiveTail";

/// How long a session may be silent. Connecting has the time-out of every other call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailTimeouts {
    /// From the request to the headers, and from there to the first event.
    pub start: Duration,
    /// Between two events after that.
    pub idle: Duration,
}

impl Default for TailTimeouts {
    /// 10 s each: an update comes every second even when it holds nothing, so silence is a fault.
    fn default() -> Self {
        Self { start: Duration::from_secs(10), idle: Duration::from_secs(10) }
    }
}

/// Where a session was waiting when its time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The answer's headers.
    Headers,
    /// The first event.
    Start,
    /// The next update.
    Update,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Headers => "an answer",
            Self::Start => "its first event",
            Self::Update => "the next update",
        })
    }
}

/// Why a session could not be opened or broke off. What was handed out before stays valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LiveTailError {
    /// The group's ARN, by which a session names it, could not be found.
    #[error("the ARN of {group} could not be found")]
    FindGroup {
        /// Which group.
        group: LogGroup,
        /// Why.
        source: LogsError,
    },
    /// The session was refused, or the service not reached.
    #[error("a Live Tail session of {group} could not be opened")]
    StartSession {
        /// Which group.
        group: LogGroup,
        /// Why.
        source: CallError,
    },
    /// The session broke.
    #[error("the Live Tail session of {group} broke after {updates} updates")]
    ReadUpdate {
        /// Which group.
        group: LogGroup,
        /// Updates handed out before.
        updates: u64,
        /// Why.
        source: CallError,
    },
    /// Silence for longer than we grant.
    #[error("no {awaited} from the Live Tail session of {group} for {after:?}")]
    Silent {
        /// Which group.
        group: LogGroup,
        /// What was awaited.
        awaited: Awaited,
        /// For how long.
        after: Duration,
    },
}

impl LiveTailError {
    /// The class.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::FindGroup { source, .. } => source.kind(),
            Self::StartSession { source, .. } | Self::ReadUpdate { source, .. } => source.kind(),
            Self::Silent { .. } => FaultKind::Timeout,
        }
    }

    /// As a person reads it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::FindGroup { group, source } => {
                let fault = source.fault();
                Fault { summary: format!("Live Tail of {group} was not opened: {}", fault.summary), ..fault }
            }
            Self::StartSession { group, source } => source
                .fault(Step { summary: &format!("Live Tail of {group} could not be opened."), action: ACTION })
                .hint("The lines are read by polling meanwhile; `log.tail = \"poll\"` leaves Live Tail out."),
            Self::ReadUpdate { group, updates, source } => source.fault(Step {
                summary: &format!("Live Tail of {group} broke off after {updates} updates."),
                action: ACTION,
            }),
            Self::Silent { group, awaited, after } => Fault::new(
                self.kind(),
                format!("Live Tail of {group} was silent for {} s while {awaited} was awaited.", after.as_secs_f64()),
            ),
        }
    }
}

/// Whether an update holds everything that came in its second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sampling {
    /// It does.
    Whole,
    /// More than 500 events came: these are some of them.
    Sampled,
}

/// What a session tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TailUpdate {
    /// It stands: from now on nothing that the group takes in goes by unseen, but for samples.
    Started,
    /// What came in a second; often nothing.
    Lines {
        /// In the order of the service. Their ids are ours, unique in the session: the service gives none.
        events: Vec<RawLogEvent>,
        /// Whether these are all.
        sampling: Sampling,
    },
}

/// How a session ended without a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TailEnd {
    /// After its three hours: a new one may be opened at once.
    Expired,
    /// The service closed it in order, and did not say why.
    Closed,
    /// The receiver went away.
    Abandoned,
}

/// Opens a session on a group and hands out what it tells until it ends. Waits while the receiver is full; the service
/// keeps ten updates and forgets older ones, which the account has all the same. Takes one turn of
/// [`Family::LogGroups`] and one of [`Family::LiveTail`]. A session is charged by the minute; dropping the future ends it.
pub async fn live_tail(
    clients: &Clients,
    group: &LogGroup,
    times: TailTimeouts,
    updates: &mpsc::Sender<TailUpdate>,
) -> Result<TailEnd, LiveTailError> {
    let named = group_arn(clients, group).await;
    let arn = named.map_err(|source| LiveTailError::FindGroup { group: group.clone(), source })?;
    clients.turn(Family::LiveTail).await;
    // The session outlives every time-out of a call, and a quiet one trickles below every minimum: our own stand around
    // the opening and each event.
    let call = clients
        .logs
        .start_live_tail()
        .log_group_identifiers(arn)
        .customize()
        .config_override(clients.without_time_limits())
        .interceptor(prefix::OwnHost);
    let silent = |awaited| LiveTailError::Silent { group: group.clone(), awaited, after: times.start };
    let opened = timeout(times.start, call.send()).await.map_err(|_| silent(Awaited::Headers))?;
    let refused = |source| LiveTailError::StartSession { group: group.clone(), source };
    let answer = opened.map_err(|error| refused(CallError::of(&error)))?;
    Session { group, times, updates, told: 0, lines: 0, stage: Stage::Opening, name: "session".to_owned() }
        .run(answer.response_stream)
        .await
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Opening,
    Running,
}

struct Session<'a> {
    group: &'a LogGroup,
    times: TailTimeouts,
    updates: &'a mpsc::Sender<TailUpdate>,
    told: u64,
    lines: u64,
    stage: Stage,
    name: String,
}

impl Session<'_> {
    async fn run(mut self, mut frames: EventReceiver<Frame, StreamError>) -> Result<TailEnd, LiveTailError> {
        loop {
            let frame = match self.next(&mut frames).await? {
                Next::Frame(frame) => frame,
                Next::End(end) => return Ok(end),
            };
            let update = match frame {
                Frame::SessionStart(start) => {
                    self.name = start.session_id.unwrap_or(self.name);
                    Some(TailUpdate::Started)
                }
                Frame::SessionUpdate(update) => Some(self.read(update)),
                // The protocol's own opening, and whatever is new: a sign of life.
                _ => None,
            };
            let Some(update) = update else { continue };
            self.stage = Stage::Running;
            if self.updates.send(update).await.is_err() {
                return Ok(TailEnd::Abandoned);
            }
        }
    }

    async fn next(&self, frames: &mut EventReceiver<Frame, StreamError>) -> Result<Next, LiveTailError> {
        let (awaited, after) = match self.stage {
            Stage::Opening => (Awaited::Start, self.times.start),
            Stage::Running => (Awaited::Update, self.times.idle),
        };
        let silent = |_| LiveTailError::Silent { group: self.group.clone(), awaited, after };
        match timeout(after, frames.recv()).await.map_err(silent)? {
            Ok(Some(frame)) => Ok(Next::Frame(frame)),
            Ok(None) => Ok(Next::End(TailEnd::Closed)),
            Err(error) if has_expired(&error) => Ok(Next::End(TailEnd::Expired)),
            Err(error) => Err(LiveTailError::ReadUpdate {
                group: self.group.clone(),
                updates: self.told,
                source: mid_stream(&error),
            }),
        }
    }

    fn read(&mut self, update: LiveTailSessionUpdate) -> TailUpdate {
        self.told += 1;
        let sampled = update.session_metadata.is_some_and(|about| about.sampled);
        let events = update.session_results.unwrap_or_default();
        TailUpdate::Lines {
            events: events.into_iter().filter_map(|event| self.raw(event)).collect(),
            sampling: if sampled { Sampling::Sampled } else { Sampling::Whole },
        }
    }

    /// An event without a time cannot be placed, here as in the account.
    fn raw(&mut self, event: LiveTailSessionLogEvent) -> Option<RawLogEvent> {
        let at = Timestamp::from_millisecond(event.timestamp?).ok()?;
        self.lines += 1;
        Some(RawLogEvent {
            id: LogEventId::new(format!("{}/{}", self.name, self.lines)),
            at,
            stream: event.log_stream_name.unwrap_or_default(),
            message: event.message.unwrap_or_default(),
        })
    }
}

enum Next {
    Frame(Frame),
    End(TailEnd),
}

fn has_expired(error: &SdkError<StreamError, RawMessage>) -> bool {
    matches!(error, SdkError::ServiceError(refusal) if matches!(refusal.err(), StreamError::SessionTimeoutException(_)))
}

/// An exception frame names its kind in a header that the SDK turns into a variant and not into a code.
fn mid_stream(error: &SdkError<StreamError, RawMessage>) -> CallError {
    match error {
        SdkError::ServiceError(refusal) => match refusal.err() {
            StreamError::SessionStreamingException(e) => {
                CallError::Cut(clean(&format!("SessionStreamingException: {}", e.message().unwrap_or("no message"))))
            }
            _ => CallError::of(error),
        },
        // Once a session is open, a connection that fails has cut it.
        _ => match CallError::of(error) {
            CallError::Unreachable(why) => CallError::Cut(why),
            other => other,
        },
    }
}
