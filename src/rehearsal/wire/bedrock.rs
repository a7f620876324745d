//! Bedrock Converse and ConverseStream: the simulated model on the wire, paced by the incident clock. What it says is in
//! `rules` (from the evidence in the request) or in the scenario's script.

pub(super) mod frames;
mod rules;
mod script;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::Stream;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::aws::{Break, Call, Fullness, Refusal, typed};
use crate::rehearsal::clock::SimClock;
use crate::rehearsal::scenario::{ChunkSpec, ModelMode};
use crate::rehearsal::server::Cloud;

/// The id the simulated model signs its metadata with.
pub const MODEL_ID: &str = "simulated.rules-v1";

/// An answer before it is put on the wire.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its parts in order.
    pub chunks: Vec<ChunkSpec>,
    /// `stopReason`.
    pub stop_reason: String,
}

/// Something that happens to a stream, in its turn.
enum Beat {
    /// Bytes go out.
    Frame(Bytes),
    /// Time passes.
    Pause(SignedDuration),
    /// The connection breaks.
    Cut,
}

/// Answers an operation.
pub fn answer(cloud: &Arc<Cloud>, call: &Call, fullness: Fullness) -> Result<Response, Refusal> {
    let answer = said(cloud, call, fullness)?;
    let input_tokens = tokens(call.body.len());
    if call.operation == "Converse" {
        return Ok(typed(Body::from(whole(&answer, input_tokens)?.to_string()), "application/json"));
    }
    Ok(streamed(cloud, beats(cloud, &answer, input_tokens)))
}

/// Answers with a stream that ends before its time; what is not a stream fails as a whole.
pub fn broken(cloud: &Arc<Cloud>, call: &Call, at: &Break) -> Result<Response, Refusal> {
    let answer = said(cloud, call, Fullness::Whole)?;
    if call.operation == "Converse" {
        return Err(Refusal { status: 424, ..Refusal::invalid("ModelErrorException", "The model broke off.") });
    }
    let mut left = at.after_frames;
    let mut kept = Vec::new();
    for beat in beats(cloud, &answer, tokens(call.body.len())) {
        match beat {
            Beat::Frame(bytes) if left == 0 => {
                kept.extend(match &at.exception {
                    Some(name) => vec![Beat::Frame(frames::exception(name, words(name)))],
                    None => vec![Beat::Frame(bytes.slice(..bytes.len() / 2)), Beat::Cut],
                });
                break;
            }
            Beat::Frame(_) => left -= 1,
            Beat::Pause(_) | Beat::Cut => {}
        }
        kept.push(beat);
    }
    Ok(streamed(cloud, kept))
}

/// What the service says with an exception of a stream (API reference, `ConverseStreamOutput`).
fn words(exception: &str) -> &'static str {
    match exception {
        "throttlingException" => "Too many tokens, please wait before trying again.",
        "serviceUnavailableException" => "Bedrock is unable to process your request.",
        "internalServerException" => "An internal server error occurred. Retry your request.",
        "validationException" => "The input fails to satisfy the constraints of the service.",
        _ => "The system encountered an unexpected error during processing. Try your request again.",
    }
}

fn streamed(cloud: &Cloud, beats: Vec<Beat>) -> Response {
    typed(Body::from_stream(paced(Arc::clone(&cloud.clock), beats)), "application/vnd.amazon.eventstream")
}

/// What the model says to a request.
fn said(cloud: &Cloud, call: &Call, fullness: Fullness) -> Result<Answer, Refusal> {
    let input: Value = serde_json::from_slice(&call.body)
        .map_err(|error| Refusal::invalid("ValidationException", format!("The request is not JSON: {error}")))?;
    let messages = input["messages"]
        .as_array()
        .filter(|messages| !messages.is_empty())
        .ok_or_else(|| Refusal::invalid("ValidationException", "A conversation must start with a user message."))?;
    if messages[0]["role"] != "user" {
        return Err(Refusal::invalid("ValidationException", "A conversation must start with a user message."));
    }
    let model = &cloud.scenario.model;
    Ok(match (fullness, model.mode) {
        (Fullness::Nothing, _) => Answer { chunks: Vec::new(), stop_reason: "end_turn".to_owned() },
        (Fullness::Whole | Fullness::Pages(_), ModelMode::Rules) => rules::answer(&input),
        (Fullness::Whole | Fullness::Pages(_), ModelMode::Script) => script::answer(model, messages),
    })
}

/// A rough count of tokens, four bytes each.
fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4)
}

/// The frames of an answer with the pauses between them.
fn beats(cloud: &Cloud, answer: &Answer, input_tokens: u64) -> Vec<Beat> {
    let model = &cloud.scenario.model;
    let token = SignedDuration::from_millis((1_000.0 / model.tokens_per_second.max(0.1)) as i64);
    let frame = |event: &str, payload: Value| Beat::Frame(frames::event(event, &payload));
    let mut output = 0;
    let mut beats = vec![Beat::Pause(model.first_token), frame("messageStart", json!({ "role": "assistant" }))];
    for (index, chunk) in answer.chunks.iter().enumerate() {
        let delta = |delta: Value| frame("contentBlockDelta", json!({ "contentBlockIndex": index, "delta": delta }));
        match chunk {
            ChunkSpec::Text { text } => {
                for word in text.split_inclusive(' ') {
                    output += 1;
                    beats.extend([Beat::Pause(token), delta(json!({ "text": word }))]);
                }
            }
            ChunkSpec::Tool { name, input } => {
                let id = format!("tooluse_rehearsal{index:04}");
                let start = json!({ "toolUse": { "toolUseId": id, "name": name } });
                beats.push(frame("contentBlockStart", json!({ "contentBlockIndex": index, "start": start })));
                for piece in pieces(&input.to_string(), 24) {
                    output += 6;
                    beats.extend([Beat::Pause(token), delta(json!({ "toolUse": { "input": piece } }))]);
                }
            }
            ChunkSpec::Pause { seconds } => {
                beats.push(Beat::Pause(SignedDuration::from_millis((seconds * 1_000.0) as i64)));
                continue;
            }
            ChunkSpec::Cut => {
                let next = frames::event(
                    "contentBlockDelta",
                    &json!({ "contentBlockIndex": index, "delta": { "text": "…" } }),
                );
                beats.extend([Beat::Frame(next.slice(..next.len() / 2)), Beat::Cut]);
                return beats;
            }
            ChunkSpec::Exception { exception, message } => {
                beats.push(Beat::Frame(frames::exception(exception, message)));
                return beats;
            }
        }
        beats.push(frame("contentBlockStop", json!({ "contentBlockIndex": index })));
    }
    let passed = model.first_token.as_millis() as u64 + output * token.as_millis() as u64;
    beats.push(frame("messageStop", json!({ "stopReason": answer.stop_reason })));
    beats.push(frame("metadata", json!({ "usage": usage(input_tokens, output), "metrics": { "latencyMs": passed } })));
    beats
}

/// An answer in one piece. A script's break becomes an error, since nothing can break halfway.
fn whole(answer: &Answer, input_tokens: u64) -> Result<Value, Refusal> {
    let mut content = Vec::new();
    for (index, chunk) in answer.chunks.iter().enumerate() {
        match chunk {
            ChunkSpec::Text { text } => content.push(json!({ "text": text })),
            ChunkSpec::Tool { name, input } => {
                let id = format!("tooluse_rehearsal{index:04}");
                content.push(json!({ "toolUse": { "toolUseId": id, "name": name, "input": input } }));
            }
            ChunkSpec::Pause { .. } => {}
            ChunkSpec::Cut => {
                return Err(Refusal { status: 424, ..Refusal::invalid("ModelErrorException", "The model broke off.") });
            }
            ChunkSpec::Exception { message, .. } => {
                return Err(Refusal { status: 424, ..Refusal::invalid("ModelErrorException", message) });
            }
        }
    }
    let output = tokens(Value::from(content.clone()).to_string().len());
    Ok(json!({
        "output": { "message": { "role": "assistant", "content": content } },
        "stopReason": answer.stop_reason,
        "usage": usage(input_tokens, output),
        "metrics": { "latencyMs": 900 },
    }))
}

fn usage(input: u64, output: u64) -> Value {
    json!({ "inputTokens": input, "outputTokens": output, "totalTokens": input + output })
}

fn pieces(text: &str, length: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(length).map(|piece| piece.iter().collect()).collect()
}

/// The bytes of a stream as the clock lets them out.
fn paced(clock: Arc<SimClock>, beats: Vec<Beat>) -> impl Stream<Item = Result<Bytes, std::io::Error>> {
    futures::stream::unfold((clock, beats.into_iter()), |(clock, mut beats)| async move {
        loop {
            match beats.next()? {
                Beat::Frame(bytes) => return Some((Ok(bytes), (clock, beats))),
                Beat::Pause(length) => clock.pause(length).await,
                Beat::Cut => {
                    // What was sent before the break must be on its way, and hyper flushes when a body has to wait.
                    tokio::task::yield_now().await;
                    let broken = std::io::Error::new(std::io::ErrorKind::ConnectionReset, "cut by the scenario");
                    return Some((Err(broken), (clock, Vec::new().into_iter())));
                }
            }
        }
    })
}
