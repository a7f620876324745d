//! A scripted model: the scenario's turns, one for each request of a conversation.

use serde_json::Value;

use super::Answer;
use crate::rehearsal::scenario::{ChunkSpec, ModelSpec, TurnSpec};

/// The turn that is due: as many as the model has spoken before; the last is repeated.
pub(super) fn due<'a>(model: &'a ModelSpec, messages: &[Value]) -> Option<&'a TurnSpec> {
    let spoken = messages.iter().filter(|message| message["role"] == "assistant").count();
    model.turns.get(spoken).or(model.turns.last())
}

/// What is said in a turn.
pub(super) fn answer(turn: &TurnSpec) -> Answer {
    let ends_in_tool = turn.chunks.iter().any(|chunk| matches!(chunk, ChunkSpec::Tool { .. }));
    let by_content = if ends_in_tool { "tool_use" } else { "end_turn" };
    let stop_reason = turn.stop_reason.clone().unwrap_or_else(|| by_content.to_owned());
    Answer { chunks: turn.chunks.clone(), stop_reason }
}
