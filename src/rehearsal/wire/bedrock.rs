//! The Bedrock runtime: `Converse`, `ConverseStream`, `InvokeModel` for embeddings, and `CountTokens`. The simulated model on the
//! wire, paced by the incident clock; what it says is in `rules` (from the evidence in the request) or in the scenario's
//! script.

mod conversation;
mod embedding;
pub(super) mod frames;
mod model;
mod recorded;
mod reply;
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
use crate::rehearsal::scenario::{ChunkSpec, ModelException, ModelMode};
use crate::rehearsal::server::Cloud;
pub use recorded::Recordings;

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

/// What a model says.
enum Said {
    /// What is written here or made from the request.
    Parts(Answer),
    /// What a real model said once.
    Recorded(recorded::Recording),
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
    match call.operation.as_str() {
        "InvokeModel" => embedding::answer(call, fullness),
        "CountTokens" => counted(call),
        "Converse" | "ConverseStream" => conversed(cloud, call, fullness),
        other => Err(refusal(ModelException::Validation, Some(&format!("The rehearsal does not simulate {other}.")))),
    }
}

/// What is asked of a model, refused where the real service refuses it.
fn asked(cloud: &Cloud, call: &Call) -> Result<Value, Refusal> {
    model::admitted(&model::of_path(&call.path), &cloud.scenario.scope)?;
    let input = conversation::read(&call.body)?;
    model::bounded(&input, conversation::tokens(&input))?;
    Ok(input)
}

fn conversed(cloud: &Arc<Cloud>, call: &Call, fullness: Fullness) -> Result<Response, Refusal> {
    let input = asked(cloud, call)?;
    let is_stream = call.operation == "ConverseStream";
    let pace = reply::Pace::of(&cloud.scenario.model);
    match said(cloud, &input, fullness)? {
        Said::Recorded(recording) => {
            let beats = recording.beats(is_stream, pace)?;
            Ok(recording.answered(Body::from_stream(paced(Arc::clone(&cloud.clock), beats))))
        }
        Said::Parts(answer) => {
            if let Some(ChunkSpec::Exception { exception, message }) = answer.chunks.first() {
                return Err(refusal(*exception, message.as_deref()));
            }
            let answer = reply::within(answer, input["inferenceConfig"]["maxTokens"].as_u64());
            let tokens = conversation::tokens(&input);
            if is_stream {
                return Ok(streamed(cloud, reply::beats(&answer, pace, tokens)));
            }
            let (whole, length) = reply::whole(&answer, pace, tokens)?;
            let beats = vec![Beat::Pause(length), Beat::Frame(Bytes::from(whole.to_string()))];
            Ok(typed(Body::from_stream(paced(Arc::clone(&cloud.clock), beats)), "application/json"))
        }
    }
}

/// Answers with a stream that ends before its time; what is not a stream fails as a whole.
pub fn broken(cloud: &Arc<Cloud>, call: &Call, at: &Break) -> Result<Response, Refusal> {
    let exception = at.exception.as_deref().and_then(ModelException::of_frame);
    if call.operation != "ConverseStream" {
        return Err(refusal(exception.unwrap_or(ModelException::ModelError), None));
    }
    let input = asked(cloud, call)?;
    let pace = reply::Pace::of(&cloud.scenario.model);
    let whole = match said(cloud, &input, Fullness::Whole)? {
        Said::Recorded(recording) => recording.beats(true, pace)?,
        Said::Parts(answer) => reply::beats(&answer, pace, conversation::tokens(&input)),
    };
    // One that is shorter breaks in its last frame: a fault that leaves an answer whole would be none.
    let frames = whole.iter().filter(|beat| matches!(beat, Beat::Frame(_))).count();
    let mut left = at.after_frames.min(frames.saturating_sub(1));
    let mut kept = Vec::new();
    for beat in whole {
        match beat {
            Beat::Frame(bytes) if left == 0 => {
                kept.extend(match exception.and_then(|exception| Some((exception.frame()?, exception.words()))) {
                    Some((name, words)) => vec![Beat::Frame(frames::exception(name, words))],
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

/// An exception as an HTTP error.
pub(super) fn refusal(exception: ModelException, message: Option<&str>) -> Refusal {
    let message = message.unwrap_or_else(|| exception.words());
    Refusal { status: exception.status(), ..Refusal::invalid(exception.shape(), message) }
}

fn streamed(cloud: &Cloud, beats: Vec<Beat>) -> Response {
    typed(Body::from_stream(paced(Arc::clone(&cloud.clock), beats)), "application/vnd.amazon.eventstream")
}

/// What the model says to a request.
fn said(cloud: &Cloud, input: &Value, fullness: Fullness) -> Result<Said, Refusal> {
    let model = &cloud.scenario.model;
    Ok(match (fullness, model.mode) {
        (Fullness::Nothing, _) => Said::Parts(Answer { chunks: Vec::new(), stop_reason: "end_turn".to_owned() }),
        (Fullness::Whole | Fullness::Pages(_), ModelMode::Rules) => Said::Parts(rules::answer(input)),
        (Fullness::Whole | Fullness::Pages(_), ModelMode::Script) => {
            let messages = input["messages"].as_array().map_or(&[][..], Vec::as_slice);
            match script::due(model, messages) {
                Some(turn) => match &turn.recorded {
                    Some(file) => Said::Recorded(cloud.recordings.of(file, turn.status)?),
                    None => Said::Parts(script::answer(turn)),
                },
                None => Said::Parts(Answer { chunks: Vec::new(), stop_reason: "end_turn".to_owned() }),
            }
        }
    })
}

/// `CountTokens`: what a request of the same content would be told in its usage.
fn counted(call: &Call) -> Result<Response, Refusal> {
    let input: Value = serde_json::from_slice(&call.body)
        .map_err(|error| refusal(ModelException::Validation, Some(&format!("The request is not JSON: {error}"))))?;
    let count = match (&input["input"]["converse"], input["input"]["invokeModel"]["body"].as_str()) {
        (converse @ Value::Object(_), None) => conversation::tokens(converse),
        (Value::Null, Some(body)) => embedding::tokens_of_body(body)?,
        _ => {
            let why = "The input must hold one of converse and invokeModel.";
            return Err(refusal(ModelException::Validation, Some(why)));
        }
    };
    Ok(typed(Body::from(json!({ "inputTokens": count }).to_string()), "application/json"))
}

/// A rough count of tokens, four bytes each.
fn tokens(bytes: usize) -> u64 {
    (bytes as u64).div_ceil(4)
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
