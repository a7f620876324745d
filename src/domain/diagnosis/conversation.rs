//! A conversation with a model as data: what is asked, what streams back, and the reply it adds up to.
//!
//! Pure and free of any wire: the records hold it, so that a session can be resumed and a replay can show it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

crate::text_id!(
    /// A model or inference profile such as `us.anthropic.claude-sonnet-4-20250514-v1:0`.
    ModelId
);
crate::text_id!(
    /// The id the model gives one use of a tool; its result must carry the same.
    ToolUseId
);

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// We.
    User,
    /// The model.
    Assistant,
}

/// The model's own reasoning, opaque to us: it is sent back unchanged or the service refuses the conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Thinking {
    /// Readable reasoning with the seal of the service.
    Signed {
        /// The reasoning.
        text: String,
        /// The seal; absent from models that do not seal.
        signature: Option<String>,
    },
    /// Reasoning the service keeps encrypted.
    Redacted {
        /// The bytes in base64.
        base64: String,
    },
}

/// Whether a tool did what it was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToolOutcome {
    /// It did.
    Success,
    /// It did not; the content says why.
    Error,
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "block", rename_all = "kebab-case")]
pub enum Block {
    /// Plain text.
    Text {
        /// The text.
        text: String,
    },
    /// The model's reasoning.
    Thinking {
        /// Opaque.
        thinking: Thinking,
    },
    /// The model asks for a tool.
    ToolUse {
        /// Its id.
        id: ToolUseId,
        /// Which tool.
        name: String,
        /// With what input.
        input: Value,
    },
    /// Our answer to a tool use.
    ToolResult {
        /// Whose answer.
        id: ToolUseId,
        /// How it went.
        outcome: ToolOutcome,
        /// What it found, as JSON.
        content: Value,
    },
}

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// Its parts in order.
    pub blocks: Vec<Block>,
}

impl Message {
    /// A message of ours that is one text.
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, blocks: vec![Block::Text { text: text.into() }] }
    }
}

/// A tool the model may ask for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// JSON Schema of its input.
    pub schema: Value,
}

/// Everything one request to a model carries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelRequest {
    /// Which model.
    pub model: ModelId,
    /// The standing instruction.
    pub system: String,
    /// The conversation so far; the first and the last message are ours.
    pub messages: Vec<Message>,
    /// The tools on offer; none may be offered.
    pub tools: Vec<ToolSpec>,
    /// Upper bound of tokens in the reply.
    pub max_tokens: u32,
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// It had said what it had to say.
    EndTurn,
    /// It waits for a tool's result.
    ToolUse,
    /// The token bound of the request.
    MaxTokens,
    /// A stop sequence.
    StopSequence,
    /// A guardrail of the account intervened.
    Guardrail,
    /// The service filtered the content.
    ContentFiltered,
    /// The context window is full.
    ContextFull,
    /// The model wrote what the service could not read.
    Malformed,
    /// A word that this version does not know.
    Other(String),
}

impl StopReason {
    /// Whether the reply is whole: it ended by the model's own choice.
    pub fn is_whole(&self) -> bool {
        match self {
            Self::EndTurn | Self::ToolUse | Self::StopSequence => true,
            Self::MaxTokens
            | Self::Guardrail
            | Self::ContentFiltered
            | Self::ContextFull
            | Self::Malformed
            | Self::Other(_) => false,
        }
    }
}

impl fmt::Display for StopReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndTurn => "end of turn",
            Self::ToolUse => "tool use",
            Self::MaxTokens => "token limit",
            Self::StopSequence => "stop sequence",
            Self::Guardrail => "guardrail",
            Self::ContentFiltered => "content filter",
            Self::ContextFull => "context window full",
            Self::Malformed => "malformed output",
            Self::Other(word) => word,
        })
    }
}

/// Tokens counted by the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Read.
    pub input: u64,
    /// Written.
    pub output: u64,
    /// Read from the prompt cache.
    pub cache_read: u64,
    /// Written to the prompt cache.
    pub cache_write: u64,
}

/// One piece of a streamed reply, in the order it arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "chunk", rename_all = "kebab-case")]
pub enum Chunk {
    /// The service accepted the request and the reply began.
    Opened,
    /// Text to be shown at once.
    Text {
        /// What was added.
        delta: String,
    },
    /// A tool's input is being written; for liveness only, it is not yet JSON.
    ToolInput {
        /// Which tool.
        name: String,
        /// What was added.
        partial: String,
    },
    /// A tool use is complete.
    ToolUse {
        /// Its id.
        id: ToolUseId,
        /// Which tool.
        name: String,
        /// Its input.
        input: Value,
    },
    /// A tool use ended and its input is no JSON: cut off, or badly written.
    ToolGarbled {
        /// Its id.
        id: ToolUseId,
        /// Which tool.
        name: String,
        /// Why it cannot be read.
        why: String,
    },
    /// A block of reasoning is complete.
    Thinking {
        /// Opaque.
        thinking: Thinking,
    },
    /// The reply is complete.
    Stopped {
        /// Why.
        reason: StopReason,
        /// What it took; absent when the service did not say.
        usage: Option<Usage>,
        /// By the service's own clock, milliseconds.
        latency_ms: Option<u64>,
    },
}

/// The reply as it stands: chunks folded into the blocks a later request sends back.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The blocks so far.
    pub blocks: Vec<Block>,
    /// Why it ended; `None` while it streams, or when it broke off.
    pub stopped: Option<StopReason>,
    /// What it took.
    pub usage: Option<Usage>,
    /// Tool uses that could not be read.
    pub garbled: Vec<String>,
}

impl Reply {
    /// Adds a chunk. Text that follows text belongs to the same block.
    pub fn absorb(&mut self, chunk: &Chunk) {
        match chunk {
            Chunk::Opened | Chunk::ToolInput { .. } => {}
            Chunk::Text { delta } => match self.blocks.last_mut() {
                Some(Block::Text { text }) => text.push_str(delta),
                Some(Block::Thinking { .. } | Block::ToolUse { .. } | Block::ToolResult { .. }) | None => {
                    self.blocks.push(Block::Text { text: delta.clone() });
                }
            },
            Chunk::ToolUse { id, name, input } => {
                self.blocks.push(Block::ToolUse { id: id.clone(), name: name.clone(), input: input.clone() });
            }
            Chunk::ToolGarbled { name, why, .. } => self.garbled.push(format!("{name}: {why}")),
            Chunk::Thinking { thinking } => self.blocks.push(Block::Thinking { thinking: thinking.clone() }),
            Chunk::Stopped { reason, usage, .. } => {
                self.stopped = Some(reason.clone());
                self.usage = *usage;
            }
        }
    }

    /// All its text in order.
    pub fn text(&self) -> String {
        self.blocks
            .iter()
            .map(|block| match block {
                Block::Text { text } => text.as_str(),
                Block::Thinking { .. } | Block::ToolUse { .. } | Block::ToolResult { .. } => "",
            })
            .collect()
    }

    /// The input of the last use of a tool.
    pub fn tool_input(&self, tool: &str) -> Option<&Value> {
        self.blocks.iter().rev().find_map(|block| match block {
            Block::ToolUse { name, input, .. } => (name == tool).then_some(input),
            Block::Text { .. } | Block::Thinking { .. } | Block::ToolResult { .. } => None,
        })
    }

    /// The message to send back in a later request.
    pub fn message(&self) -> Message {
        Message { role: Role::Assistant, blocks: self.blocks.clone() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn text(delta: &str) -> Chunk {
        Chunk::Text { delta: delta.into() }
    }

    fn tool(input: Value) -> Chunk {
        Chunk::ToolUse { id: "t1".into(), name: "submit_diagnosis".into(), input }
    }

    #[test]
    fn chunks_fold_into_blocks_in_order() {
        let thinking = Thinking::Signed { text: "hm".into(), signature: Some("seal".into()) };
        let mut reply = Reply::default();
        for chunk in [
            Chunk::Opened,
            Chunk::Thinking { thinking: thinking.clone() },
            text("Memory "),
            text("climbs."),
            Chunk::ToolInput { name: "submit_diagnosis".into(), partial: "{".into() },
            tool(json!({"cause": "memory-leak"})),
            text("Done."),
            Chunk::Stopped { reason: StopReason::ToolUse, usage: Some(Usage::default()), latency_ms: None },
        ] {
            reply.absorb(&chunk);
        }
        assert_eq!(reply.text(), "Memory climbs.Done.");
        assert_eq!(reply.tool_input("submit_diagnosis"), Some(&json!({"cause": "memory-leak"})));
        assert_eq!(reply.tool_input("other"), None);
        assert_eq!(reply.stopped, Some(StopReason::ToolUse));
        assert_eq!(reply.blocks.len(), 4);
        assert_eq!(reply.blocks[0], Block::Thinking { thinking });
        assert_eq!(reply.message().role, Role::Assistant);
    }

    #[test]
    fn a_garbled_tool_use_is_told_and_never_sent_back() {
        let mut reply = Reply::default();
        reply.absorb(&Chunk::ToolGarbled { id: "t1".into(), name: "submit_diagnosis".into(), why: "cut off".into() });
        assert_eq!(reply.garbled, ["submit_diagnosis: cut off"]);
        assert!(reply.message().blocks.is_empty());
    }

    #[test]
    fn only_the_models_own_choice_makes_a_whole_reply() {
        assert!(StopReason::EndTurn.is_whole() && StopReason::ToolUse.is_whole());
        assert!(!StopReason::MaxTokens.is_whole() && !StopReason::Other("new".into()).is_whole());
    }
}
