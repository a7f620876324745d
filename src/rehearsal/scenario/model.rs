//! What the simulated model says: `rules` writes up the evidence it was sent, a script says what is written here.

use jiff::SignedDuration;
use serde::Deserialize;

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
    #[serde(rename = "chunk")]
    pub chunks: Vec<ChunkSpec>,
    /// `stopReason`; by the last part where left out.
    #[serde(default)]
    pub stop_reason: Option<String>,
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
    /// An exception frame ends the stream.
    Exception {
        /// Such as `modelStreamErrorException` or `throttlingException`.
        exception: String,
        /// Its message.
        message: String,
    },
}
