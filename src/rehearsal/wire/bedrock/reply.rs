//! An answer as the service sends it: block by block in frames with the pauses between them, or in one piece.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Answer, Beat, conversation, frames, refusal};
use crate::rehearsal::scenario::{ChunkSpec, ModelException, ModelSpec};

/// Characters of a tool's input in one frame.
const PIECE: usize = 24;
/// What they count for, and what a thought does that nobody may read. A word of text is one token.
const TOKENS_A_PIECE: u64 = 6;
const TOKENS_REDACTED: u64 = 24;

/// The tokens of a part of an answer.
fn spoken(chunk: &ChunkSpec) -> u64 {
    match chunk {
        ChunkSpec::Text { text } | ChunkSpec::Thinking { text } => words(text).count() as u64,
        ChunkSpec::Redacted => TOKENS_REDACTED,
        ChunkSpec::Tool { input, .. } => input.to_string().chars().count().div_ceil(PIECE) as u64 * TOKENS_A_PIECE,
        ChunkSpec::Pause { .. } | ChunkSpec::Cut | ChunkSpec::Exception { .. } => 0,
    }
}

/// A text as it is streamed.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}

/// An answer as far as `maxTokens` lets it go; what is cut off says so by its stop reason.
pub(super) fn within(answer: Answer, most: Option<u64>) -> Answer {
    let Some(most) = most.filter(|most| answer.chunks.iter().map(spoken).sum::<u64>() > *most) else { return answer };
    let (mut left, mut chunks) = (most, Vec::new());
    for chunk in answer.chunks {
        let length = spoken(&chunk);
        if length > left {
            // A thought without its end has no seal, and a tool's input no meaning: of these nothing is left.
            if let ChunkSpec::Text { text } = chunk {
                chunks.push(ChunkSpec::Text { text: words(&text).take(left as usize).collect() });
            }
            break;
        }
        left -= length;
        chunks.push(chunk);
    }
    Answer { chunks, stop_reason: "max_tokens".to_owned() }
}

/// How fast a model speaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// From the request to the first frame.
    pub(super) first: SignedDuration,
    /// From one token to the next.
    pub(super) token: SignedDuration,
}

impl Pace {
    /// That of a scenario's model.
    pub(super) fn of(model: &ModelSpec) -> Self {
        let token = SignedDuration::from_millis((1_000.0 / model.tokens_per_second.max(0.1)) as i64);
        Self { first: model.first_token, token }
    }
}

/// The frames of an answer.
struct Writer {
    beats: Vec<Beat>,
    pace: Pace,
    /// The block being written, or the next one.
    block: u32,
    /// Text goes on in its block over a pause.
    is_text_open: bool,
    output: u64,
    passed: SignedDuration,
}

/// The frames of an answer with the pauses between them.
pub(super) fn beats(answer: &Answer, pace: Pace, input_tokens: u64) -> Vec<Beat> {
    let mut writer =
        Writer { beats: Vec::new(), pace, block: 0, is_text_open: false, output: 0, passed: SignedDuration::ZERO };
    writer.wait(pace.first);
    writer.frame("messageStart", &json!({ "role": "assistant" }));
    for chunk in &answer.chunks {
        match chunk {
            ChunkSpec::Text { text } => writer.text(text),
            ChunkSpec::Thinking { text } => writer.thinking(text),
            ChunkSpec::Redacted => writer.redacted(),
            ChunkSpec::Tool { name, input } => writer.tool(name, input),
            ChunkSpec::Pause { seconds } => writer.wait(SignedDuration::from_millis((seconds * 1_000.0) as i64)),
            ChunkSpec::Cut => {
                let next = frames::padded("contentBlockDelta", &writer.delta(&json!({ "text": "…" })));
                writer.beats.extend([Beat::Frame(next.slice(..next.len() / 2)), Beat::Cut]);
                return writer.beats;
            }
            ChunkSpec::Exception { exception, message } => {
                let name = exception.frame().unwrap_or("internalServerException");
                let words = message.as_deref().unwrap_or_else(|| exception.words());
                writer.beats.push(Beat::Frame(frames::exception(name, words)));
                return writer.beats;
            }
        }
    }
    writer.end(&answer.stop_reason, input_tokens)
}

impl Writer {
    fn wait(&mut self, length: SignedDuration) {
        self.passed += length;
        self.beats.push(Beat::Pause(length));
    }

    fn frame(&mut self, event: &str, payload: &Value) {
        self.beats.push(Beat::Frame(frames::padded(event, payload)));
    }

    fn delta(&self, delta: &Value) -> Value {
        json!({ "contentBlockIndex": self.block, "delta": delta })
    }

    fn say(&mut self, delta: &Value, tokens: u64) {
        self.output += tokens;
        self.wait(self.pace.token);
        self.frame("contentBlockDelta", &self.delta(delta));
    }

    fn stop(&mut self) {
        self.frame("contentBlockStop", &json!({ "contentBlockIndex": self.block }));
        self.block += 1;
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.is_text_open) {
            self.stop();
        }
    }

    fn text(&mut self, text: &str) {
        self.is_text_open = true;
        for word in words(text) {
            self.say(&json!({ "text": word }), 1);
        }
    }

    fn thinking(&mut self, text: &str) {
        self.close();
        for word in words(text) {
            self.say(&json!({ "reasoningContent": { "text": word } }), 1);
        }
        let seal = json!({ "reasoningContent": { "signature": conversation::signature(text) } });
        self.frame("contentBlockDelta", &self.delta(&seal));
        self.stop();
    }

    fn redacted(&mut self) {
        self.close();
        let content = conversation::redacted(self.block);
        self.say(&json!({ "reasoningContent": { "redactedContent": content } }), TOKENS_REDACTED);
        self.stop();
    }

    fn tool(&mut self, name: &str, input: &Value) {
        self.close();
        let start = json!({ "toolUse": { "toolUseId": tool_id(self.block), "name": name } });
        self.frame("contentBlockStart", &json!({ "contentBlockIndex": self.block, "start": start }));
        for piece in pieces(&input.to_string(), PIECE) {
            self.say(&json!({ "toolUse": { "input": piece } }), TOKENS_A_PIECE);
        }
        self.stop();
    }

    fn end(mut self, stop_reason: &str, input_tokens: u64) -> Vec<Beat> {
        self.close();
        self.frame("messageStop", &json!({ "stopReason": stop_reason }));
        let metrics = json!({ "latencyMs": self.passed.as_millis() as u64 });
        let usage = usage(input_tokens, self.output);
        self.frame("metadata", &json!({ "usage": usage, "metrics": metrics }));
        self.beats
    }
}

/// An answer in one piece, and how long it takes to say. A script's break becomes an error, since nothing can break halfway.
pub(super) fn whole(answer: &Answer, pace: Pace, input_tokens: u64) -> Result<(Value, SignedDuration), super::Refusal> {
    let mut content: Vec<Value> = Vec::new();
    let mut length = pace.first;
    for chunk in &answer.chunks {
        let block = content.len() as u32;
        match chunk {
            ChunkSpec::Text { text } => match content.last_mut().and_then(|last| last.get_mut("text")) {
                Some(Value::String(said)) => said.push_str(text),
                _ => content.push(json!({ "text": text })),
            },
            ChunkSpec::Thinking { text } => {
                let signature = conversation::signature(text);
                let thought = json!({ "text": text, "signature": signature });
                content.push(json!({ "reasoningContent": { "reasoningText": thought } }));
            }
            ChunkSpec::Redacted => {
                let content_of = conversation::redacted(block);
                content.push(json!({ "reasoningContent": { "redactedContent": content_of } }));
            }
            ChunkSpec::Tool { name, input } => {
                content.push(json!({ "toolUse": { "toolUseId": tool_id(block), "name": name, "input": input } }));
            }
            ChunkSpec::Pause { seconds } => length += SignedDuration::from_millis((seconds * 1_000.0) as i64),
            ChunkSpec::Cut => return Err(refusal(ModelException::ModelError, None)),
            ChunkSpec::Exception { exception, message } => return Err(refusal(*exception, message.as_deref())),
        }
    }
    let output = answer.chunks.iter().map(spoken).sum();
    length += pace.token * i32::try_from(output).unwrap_or(i32::MAX);
    let whole = json!({
        "output": { "message": { "role": "assistant", "content": content } },
        "stopReason": answer.stop_reason,
        "usage": usage(input_tokens, output),
        "metrics": { "latencyMs": length.as_millis() as u64 },
    });
    Ok((whole, length))
}

fn tool_id(block: u32) -> String {
    format!("tooluse_rehearsal{block:04}")
}

fn usage(input: u64, output: u64) -> Value {
    json!({
        "inputTokens": input, "outputTokens": output, "totalTokens": input + output,
        "cacheReadInputTokens": 0, "cacheWriteInputTokens": 0,
    })
}

fn pieces(text: &str, length: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(length).map(|piece| piece.iter().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_ends_where_it_may_not_go_on() {
        let text = |text: &str| ChunkSpec::Text { text: text.to_owned() };
        let tool = || ChunkSpec::Tool { name: "look".to_owned(), input: json!({ "minutes": 5 }) };
        let answer = |chunks: Vec<ChunkSpec>| Answer { chunks, stop_reason: "tool_use".to_owned() };
        let pace = Pace { first: SignedDuration::ZERO, token: SignedDuration::ZERO };
        for (most, said, stop, tokens) in [
            (None, 2, "tool_use", 9),
            (Some(9), 2, "tool_use", 9),
            (Some(8), 1, "max_tokens", 3),
            (Some(2), 1, "max_tokens", 2),
        ] {
            let kept = within(answer(vec![text("It leaks memory."), tool()]), most);
            let (whole, _) = whole(&kept, pace, 1).unwrap();
            assert_eq!(whole["output"]["message"]["content"].as_array().unwrap().len(), said, "{most:?}");
            assert_eq!((&whole["stopReason"], &whole["usage"]["outputTokens"]), (&json!(stop), &json!(tokens)));
        }
    }
}
