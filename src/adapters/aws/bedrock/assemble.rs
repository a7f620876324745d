//! The events of a Converse stream put together into the chunks that the rest of the program knows. Pure.

use std::collections::BTreeMap;

use aws_sdk_bedrockruntime::types::{
    ContentBlockDelta, ContentBlockStart, ConverseStreamMetadataEvent, ConverseStreamOutput,
    ReasoningContentBlockDelta, StopReason as SdkStop, TokenUsage,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use crate::domain::diagnosis::conversation::{Chunk, StopReason, Thinking, ToolUseId, Usage};

/// Puts a stream together. Blocks are kept apart by their index, since nothing promises that they do not interleave.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    blocks: BTreeMap<i32, Open>,
    chars: u64,
    stopped: Option<Stopped>,
}

/// A block that has begun and not ended.
#[derive(Debug)]
enum Open {
    Tool { id: ToolUseId, name: String, input: String },
    Reasoning { text: String, signature: Option<String> },
    Sealed { bytes: Vec<u8> },
}

/// The end of a reply; usage comes after the stop reason, in an event of its own.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stopped {
    pub(super) reason: StopReason,
    usage: Option<Usage>,
    latency_ms: Option<u64>,
}

impl Stopped {
    pub(super) fn into_chunk(self) -> Chunk {
        Chunk::Stopped { reason: self.reason, usage: self.usage, latency_ms: self.latency_ms }
    }
}

impl Assembler {
    /// Takes one event and gives what it completes.
    pub(super) fn take(&mut self, event: ConverseStreamOutput) -> Vec<Chunk> {
        match event {
            ConverseStreamOutput::MessageStart(_) => vec![Chunk::Opened],
            ConverseStreamOutput::ContentBlockStart(start) => {
                self.start(start.content_block_index, start.start);
                Vec::new()
            }
            ConverseStreamOutput::ContentBlockDelta(delta) => {
                delta.delta.and_then(|piece| self.delta(delta.content_block_index, piece)).into_iter().collect()
            }
            ConverseStreamOutput::ContentBlockStop(stop) => {
                self.blocks.remove(&stop.content_block_index).map(close).into_iter().collect()
            }
            ConverseStreamOutput::MessageStop(stop) => {
                self.stopped = Some(Stopped { reason: reason_of(&stop.stop_reason), usage: None, latency_ms: None });
                // A block that the token limit cut off has no end of its own.
                std::mem::take(&mut self.blocks).into_values().map(close).collect()
            }
            ConverseStreamOutput::Metadata(metadata) => {
                self.account(&metadata);
                Vec::new()
            }
            // Citations, images and what later versions add: nothing that the narrative is made of.
            _ => Vec::new(),
        }
    }

    /// Characters of text so far.
    pub(super) fn chars(&self) -> u64 {
        self.chars
    }

    /// Whether the reply is at its end; how much it took may follow.
    pub(super) fn has_stopped(&self) -> bool {
        self.stopped.is_some()
    }

    /// The end of the reply, if the stream told it.
    pub(super) fn finish(self) -> Option<Stopped> {
        self.stopped
    }

    fn start(&mut self, index: i32, start: Option<ContentBlockStart>) {
        if let Some(ContentBlockStart::ToolUse(tool)) = start {
            let open = Open::Tool { id: tool.tool_use_id.into(), name: tool.name, input: String::new() };
            self.blocks.insert(index, open);
        }
    }

    fn delta(&mut self, index: i32, delta: ContentBlockDelta) -> Option<Chunk> {
        match delta {
            ContentBlockDelta::Text(text) if text.is_empty() => None,
            ContentBlockDelta::Text(text) => {
                self.chars += text.chars().count() as u64;
                Some(Chunk::Text { delta: text })
            }
            ContentBlockDelta::ToolUse(piece) => match self.blocks.get_mut(&index) {
                Some(Open::Tool { name, input, .. }) => {
                    input.push_str(&piece.input);
                    Some(Chunk::ToolInput { name: name.clone(), partial: piece.input })
                }
                _ => None,
            },
            ContentBlockDelta::ReasoningContent(piece) => {
                self.reason(index, piece);
                None
            }
            _ => None,
        }
    }

    fn reason(&mut self, index: i32, piece: ReasoningContentBlockDelta) {
        let fresh = match &piece {
            ReasoningContentBlockDelta::RedactedContent(_) => Open::Sealed { bytes: Vec::new() },
            _ => Open::Reasoning { text: String::new(), signature: None },
        };
        match (self.blocks.entry(index).or_insert(fresh), piece) {
            (Open::Reasoning { text, .. }, ReasoningContentBlockDelta::Text(more)) => text.push_str(&more),
            (Open::Reasoning { signature, .. }, ReasoningContentBlockDelta::Signature(more)) => {
                signature.get_or_insert_default().push_str(&more);
            }
            (Open::Sealed { bytes }, ReasoningContentBlockDelta::RedactedContent(more)) => {
                bytes.extend_from_slice(more.as_ref());
            }
            _ => {}
        }
    }

    fn account(&mut self, metadata: &ConverseStreamMetadataEvent) {
        let Some(stopped) = &mut self.stopped else { return };
        stopped.usage = metadata.usage().map(usage_of);
        stopped.latency_ms = metadata.metrics().and_then(|metrics| u64::try_from(metrics.latency_ms()).ok());
    }
}

fn close(block: Open) -> Chunk {
    match block {
        Open::Tool { id, name, input } => {
            // A tool without parameters streams no input at all.
            let text = if input.trim().is_empty() { "{}" } else { input.as_str() };
            match serde_json::from_str::<Value>(text) {
                Ok(input) => Chunk::ToolUse { id, name, input },
                Err(error) => Chunk::ToolGarbled { id, name, why: format!("its input is no JSON: {error}") },
            }
        }
        Open::Reasoning { text, signature } => Chunk::Thinking { thinking: Thinking::Signed { text, signature } },
        Open::Sealed { bytes } => Chunk::Thinking { thinking: Thinking::Redacted { base64: BASE64.encode(bytes) } },
    }
}

fn usage_of(usage: &TokenUsage) -> Usage {
    let count = |tokens: i32| u64::try_from(tokens).unwrap_or_default();
    Usage {
        input: count(usage.input_tokens()),
        output: count(usage.output_tokens()),
        cache_read: count(usage.cache_read_input_tokens().unwrap_or_default()),
        cache_write: count(usage.cache_write_input_tokens().unwrap_or_default()),
    }
}

fn reason_of(reason: &SdkStop) -> StopReason {
    match reason {
        SdkStop::EndTurn => StopReason::EndTurn,
        SdkStop::ToolUse => StopReason::ToolUse,
        SdkStop::MaxTokens => StopReason::MaxTokens,
        SdkStop::StopSequence => StopReason::StopSequence,
        SdkStop::GuardrailIntervened => StopReason::Guardrail,
        SdkStop::ContentFiltered => StopReason::ContentFiltered,
        SdkStop::ModelContextWindowExceeded => StopReason::ContextFull,
        SdkStop::MalformedModelOutput | SdkStop::MalformedToolUse => StopReason::Malformed,
        other => StopReason::Other(other.as_str().to_owned()),
    }
}
