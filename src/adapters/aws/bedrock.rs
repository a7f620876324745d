//! The model through Bedrock `ConverseStream`: one request, its reply handed out piece by piece as it arrives.
//!
//! It interprets nothing: whether the reply holds is decided in `domain::diagnosis`.

use std::fmt;
use std::time::Duration;

use aws_sdk_bedrockruntime::types::ConverseStreamOutput;
use aws_sdk_bedrockruntime::types::error::ConverseStreamOutputError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::event_stream::RawMessage;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::call::{CallError, Step};
use super::clients::Clients;
use crate::adapters::budget::Family;
use crate::domain::diagnosis::conversation::{Chunk, ModelId, ModelRequest, StopReason};
use crate::domain::fault::{Fault, FaultKind};

mod assemble;
mod hint;
mod request;

/// The system prompt of the analyst.
pub const ANALYST_PROMPT: &str = include_str!("../../../assets/prompts/analyst.md");

const ACTION: &str = "bedrock:InvokeModelWithResponseStream";

/// Once the reply is whole, what it took is waited for this long.
const USAGE_WITHIN: Duration = Duration::from_secs(2);

/// How long the model may be silent. Connecting has the time-out of every other call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamTimeouts {
    /// From the request to the headers, and from there to the first content: thinking comes before speaking.
    pub first_byte: Duration,
    /// Between two pieces after that.
    pub idle: Duration,
}

impl Default for StreamTimeouts {
    /// 60 s each: first tokens were seen after up to 63 s in all, and healthy streams paused for 40 s.
    fn default() -> Self {
        Self { first_byte: Duration::from_mins(1), idle: Duration::from_mins(1) }
    }
}

/// Where a stream was waiting when its time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// The answer's headers.
    Headers,
    /// The first content.
    FirstContent,
    /// The next piece.
    NextPiece,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Headers => "an answer",
            Self::FirstContent => "the first word",
            Self::NextPiece => "the next piece",
        })
    }
}

/// Why the model gave no whole reply. What was handed out before stays valid as text, not as an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BedrockError {
    /// The request could not be put into the API's shape.
    #[error("the request to the model could not be built: {why}")]
    BuildRequest {
        /// What is missing or wrong.
        why: String,
    },
    /// Bedrock refused the request, or could not be reached.
    #[error("the stream from {model} could not be opened")]
    OpenStream {
        /// Which model.
        model: ModelId,
        /// In which region.
        region: String,
        /// Why.
        source: CallError,
    },
    /// The stream broke with an error, perhaps after text.
    #[error("the stream broke after {chars} characters of text")]
    ReadStream {
        /// Characters handed out before.
        chars: u64,
        /// Why.
        source: CallError,
    },
    /// Silence for longer than we grant.
    #[error("no {awaited} from the model for {after:?}")]
    Silent {
        /// What was awaited.
        awaited: Awaited,
        /// For how long.
        after: Duration,
        /// Characters handed out before.
        chars: u64,
    },
    /// The stream ended without saying that the reply is complete.
    #[error("the stream ended early, after {chars} characters of text")]
    EndedEarly {
        /// Characters handed out before.
        chars: u64,
    },
}

impl BedrockError {
    /// The class.
    pub fn kind(&self) -> FaultKind {
        match self {
            Self::BuildRequest { .. } => FaultKind::Internal,
            Self::OpenStream { source, .. } | Self::ReadStream { source, .. } => source.kind(),
            Self::Silent { .. } => FaultKind::Timeout,
            Self::EndedEarly { .. } => FaultKind::Cut,
        }
    }

    /// As a person reads it.
    pub fn fault(&self) -> Fault {
        match self {
            Self::BuildRequest { why } => {
                Fault::new(self.kind(), "The request to the model could not be built.").cause(why.clone())
            }
            Self::OpenStream { model, region, source } => {
                let fault =
                    source.fault(Step { summary: &format!("The model {model} gave no answer."), action: ACTION });
                hint::of_refusal(fault, source, hint::Asked { model: model.as_str(), region })
            }
            Self::ReadStream { chars, source } => source
                .fault(Step { summary: &format!("The narrative broke off after {chars} characters."), action: ACTION }),
            Self::Silent { awaited, after, chars } => Fault::new(
                self.kind(),
                format!("The model was silent for {} s while {awaited} was awaited.", after.as_secs_f64()),
            )
            .cause(format!("{chars} characters had arrived before."))
            .hint("Ask again; the verdict of the rules stands without the model."),
            Self::EndedEarly { chars } => {
                Fault::new(self.kind(), format!("The narrative ended early, after {chars} characters."))
                    .hint("Ask again; what was shown is not a complete answer.")
            }
        }
    }
}

/// How a stream ended without a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// The reply is complete; `Chunk::Stopped` was handed out last.
    Complete {
        /// Why the model stopped.
        reason: StopReason,
        /// Characters of text.
        chars: u64,
    },
    /// The receiver went away: the answer no longer matters.
    Abandoned,
}

/// Sends a request and hands out the reply as it arrives. Waits while the receiver is full. Takes one turn of
/// [`Family::Model`]. Dropping the future closes the connection, which ends the model's work.
pub async fn converse_stream(
    clients: &Clients,
    request: &ModelRequest,
    times: StreamTimeouts,
    chunks: &mpsc::Sender<Chunk>,
) -> Result<StreamEnd, BedrockError> {
    let input = request::input(request).map_err(|why| BedrockError::BuildRequest { why })?;
    clients.turn(Family::Model).await;
    let call = clients
        .bedrock
        .converse_stream()
        .model_id(request.model.as_str())
        .set_system(Some(input.system))
        .set_messages(Some(input.messages))
        .set_tool_config(input.tools)
        .inference_config(input.inference);
    let opened = timeout(times.first_byte, call.send()).await.map_err(|_| BedrockError::Silent {
        awaited: Awaited::Headers,
        after: times.first_byte,
        chars: 0,
    })?;
    let answer = opened.map_err(|error| BedrockError::OpenStream {
        model: request.model.clone(),
        region: clients.model_region().to_string(),
        source: CallError::of(&error),
    })?;
    Reading { times, chunks, assembler: assemble::Assembler::default(), content: Content::NotYet }
        .run(answer.stream)
        .await
}

type Events =
    aws_sdk_bedrockruntime::primitives::event_stream::EventReceiver<ConverseStreamOutput, ConverseStreamOutputError>;

/// Whether any content has arrived; until then the model may think for as long as for the first byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    NotYet,
    Flowing,
}

struct Reading<'a> {
    times: StreamTimeouts,
    chunks: &'a mpsc::Sender<Chunk>,
    assembler: assemble::Assembler,
    content: Content,
}

impl Reading<'_> {
    async fn run(mut self, mut events: Events) -> Result<StreamEnd, BedrockError> {
        loop {
            let event = match self.next(&mut events).await {
                Ok(Some(event)) => event,
                Ok(None) => break,
                // The reply is whole, and what fails behind it is its bill alone.
                Err(_) if self.assembler.has_stopped() => break,
                Err(error) => return Err(error),
            };
            if matches!(event, ConverseStreamOutput::ContentBlockDelta(_) | ConverseStreamOutput::ContentBlockStart(_))
            {
                self.content = Content::Flowing;
            }
            for chunk in self.assembler.take(event) {
                if self.chunks.send(chunk).await.is_err() {
                    return Ok(StreamEnd::Abandoned);
                }
            }
        }
        let chars = self.assembler.chars();
        let Some(last) = self.assembler.finish() else { return Err(BedrockError::EndedEarly { chars }) };
        let reason = last.reason.clone();
        match self.chunks.send(last.into_chunk()).await {
            Ok(()) => Ok(StreamEnd::Complete { reason, chars }),
            Err(_) => Ok(StreamEnd::Abandoned),
        }
    }

    async fn next(&self, events: &mut Events) -> Result<Option<ConverseStreamOutput>, BedrockError> {
        let (awaited, after) = match self.content {
            _ if self.assembler.has_stopped() => (Awaited::NextPiece, USAGE_WITHIN.min(self.times.idle)),
            Content::NotYet => (Awaited::FirstContent, self.times.first_byte),
            Content::Flowing => (Awaited::NextPiece, self.times.idle),
        };
        let chars = self.assembler.chars();
        timeout(after, events.recv())
            .await
            .map_err(|_| BedrockError::Silent { awaited, after, chars })?
            .map_err(|error| BedrockError::ReadStream { chars, source: mid_stream(&error) })
    }
}

/// An exception frame names its kind in a header that the SDK turns into a variant and not into a code.
fn mid_stream(error: &SdkError<ConverseStreamOutputError, RawMessage>) -> CallError {
    let SdkError::ServiceError(refusal) = error else { return cut_or(CallError::of(error)) };
    let said = |text: Option<&str>| super::call::clean(text.unwrap_or("no message"));
    match refusal.err() {
        ConverseStreamOutputError::ThrottlingException(e) => CallError::Throttled(said(e.message())),
        ConverseStreamOutputError::ValidationException(e) => CallError::Rejected(said(e.message())),
        ConverseStreamOutputError::InternalServerException(e) => CallError::Unavailable(said(e.message())),
        ConverseStreamOutputError::ServiceUnavailableException(e) => CallError::Unavailable(said(e.message())),
        ConverseStreamOutputError::ModelStreamErrorException(e) => {
            let original = e.original_message().map(|text| format!(" ({text})")).unwrap_or_default();
            CallError::Cut(said(Some(&format!("{}{original}", e.message().unwrap_or("no message")))))
        }
        _ => CallError::of(error),
    }
}

/// Once a stream is open, a connection that fails has cut it.
fn cut_or(error: CallError) -> CallError {
    match error {
        CallError::Unreachable(why) => CallError::Cut(why),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_names_the_tool_and_forbids_commands() {
        assert!(ANALYST_PROMPT.contains(crate::domain::diagnosis::submission::TOOL));
        assert!(ANALYST_PROMPT.contains("Never write a command"));
        assert!(ANALYST_PROMPT.contains("[E1]"));
    }

    #[test]
    fn a_broken_stream_is_worth_asking_again_and_a_refused_one_is_not() {
        let open = |source| BedrockError::OpenStream { model: "m".into(), region: "us-east-1".into(), source };
        assert!(open(CallError::Throttled("429".into())).fault().kind.is_transient());
        assert!(!open(CallError::Denied("no".into())).fault().kind.is_transient());
        assert!(BedrockError::EndedEarly { chars: 3 }.fault().kind.is_transient());
    }
}
