//! What the simulated model says: `rules` writes up the evidence it was sent, a script says what is written here.

use jiff::SignedDuration;
use serde::Deserialize;

use super::ModelException;

/// The simulated model.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelSpec {
    /// Which of the two.
    #[serde(default)]
    pub mode: ModelMode,
    /// From the request to the first frame.
    #[serde(default = "first_token")]
    pub first_token: SignedDuration,
    /// Pace of the text.
    #[serde(default = "pace")]
    pub tokens_per_second: f64,
    /// The answers of a script, one a request of a conversation; the last is repeated.
    #[serde(default, rename = "turn")]
    pub turns: Vec<TurnSpec>,
}

impl Default for ModelSpec {
    fn default() -> Self {
        Self { mode: ModelMode::default(), first_token: first_token(), tokens_per_second: pace(), turns: Vec::new() }
    }
}

fn first_token() -> SignedDuration {
    SignedDuration::from_millis(900)
}

fn pace() -> f64 {
    60.0
}

/// Where the words come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelMode {
    /// From the evidence in the request.
    #[default]
    Rules,
    /// From the turns of this file.
    Script,
}

/// One answer of a script.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TurnSpec {
    /// Its parts in order.
    #[serde(default, rename = "chunk")]
    pub chunks: Vec<ChunkSpec>,
    /// `stopReason`; by the last part where left out.
    #[serde(default)]
    pub stop_reason: Option<String>,
    /// In place of parts: a file with the bytes of an answer of the real service, an event stream or JSON; from the
    /// scenario's folder, or with a whole path.
    #[serde(default)]
    pub recorded: Option<String>,
    /// The HTTP status that was recorded; 200 where left out.
    #[serde(default)]
    pub status: Option<u16>,
}

/// A part of an answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum ChunkSpec {
    /// Text, streamed word by word.
    Text {
        /// The text.
        text: String,
    },
    /// Thinking, streamed word by word and sealed with a signature.
    Thinking {
        /// The text.
        text: String,
    },
    /// Thinking that the provider encrypted.
    Redacted,
    /// Silence.
    Pause {
        /// How long.
        seconds: f64,
    },
    /// A tool call.
    Tool {
        /// The tool.
        name: String,
        /// Its input.
        input: serde_json::Value,
    },
    /// The connection breaks here, in mid-frame.
    Cut,
    /// An exception frame ends the stream; as the first part of a turn it is the HTTP error of the same shape.
    Exception {
        /// Such as `modelStreamErrorException` or `throttlingException`.
        exception: ModelException,
        /// Its message; that of the service where left out.
        #[serde(default)]
        message: Option<String>,
    },
}

impl ModelSpec {
    /// Why it cannot be played; `None` when it can.
    pub(super) fn contradiction(&self) -> Option<String> {
        if self.mode == ModelMode::Rules && !self.turns.is_empty() {
            return Some("The model has turns, and its mode is not \"script\".".to_owned());
        }
        self.turns.iter().enumerate().find_map(|(index, turn)| {
            let number = index + 1;
            if turn.recorded.is_some() != turn.chunks.is_empty() {
                return Some(format!("The turn {number} of the model needs either chunks or a recorded answer."));
            }
            if turn.status.is_some() && turn.recorded.is_none() {
                return Some(format!("The turn {number} of the model has a status, which only a recorded answer has."));
            }
            let late = turn.chunks.iter().skip(1).find_map(|chunk| match chunk {
                ChunkSpec::Exception { exception, .. } if exception.frame().is_none() => Some(exception.shape()),
                _ => None,
            });
            late.map(|shape| format!("A {shape} can only come before everything else of its turn ({number})."))
        })
    }
}
