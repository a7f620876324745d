//! A scripted model: the scenario's turns, one for each request of a conversation.

use serde_json::Value;

use super::Answer;
use crate::rehearsal::scenario::{ChunkSpec, ModelSpec};

/// The turn that is due: as many as the model has spoken before; the last is repeated.
pub(super) fn answer(model: &ModelSpec, messages: &[Value]) -> Answer {
    let spoken = messages.iter().filter(|message| message["role"] == "assistant").count();
    let Some(turn) = model.turns.get(spoken).or(model.turns.last()) else {
        return Answer { chunks: Vec::new(), stop_reason: "end_turn".to_owned() };
    };
    let ends_in_tool = turn.chunks.iter().any(|chunk| matches!(chunk, ChunkSpec::Tool { .. }));
    let by_content = if ends_in_tool { "tool_use" } else { "end_turn" };
    let stop_reason = turn.stop_reason.clone().unwrap_or_else(|| by_content.to_owned());
    Answer { chunks: turn.chunks.clone(), stop_reason }
}
