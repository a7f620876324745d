//! The model's stream: the same reply however the bytes are cut, and typed failures wherever it breaks.

use std::time::Duration;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message as Frame};
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::StreamExt;
use futures::stream;
use pagerdeck::adapters::aws::bedrock::{Awaited, BedrockError, StreamEnd, StreamTimeouts, converse_stream};
use pagerdeck::adapters::aws::call::CallError;
use pagerdeck::adapters::aws::clients::Clients;
use pagerdeck::domain::diagnosis::conversation::{
    Block, Chunk, Message, ModelRequest, Reply, Role, StopReason, Thinking, ToolOutcome, ToolSpec, Usage,
};
use pagerdeck::domain::fault::FaultKind;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::server::{Server, reply};

const EVENT_STREAM: &str = "application/vnd.amazon.eventstream";

pub(crate) fn question() -> ModelRequest {
    ModelRequest {
        model: "simulated.rules-v1".into(),
        system: "Speak from evidence.".into(),
        messages: vec![Message::user("<evidence>{}</evidence>")],
        tools: vec![ToolSpec {
            name: "submit_diagnosis".into(),
            description: "d".into(),
            schema: json!({"type": "object"}),
        }],
        max_tokens: 500,
    }
}

fn frame(kind: &str, name: &str, payload: &Value) -> Vec<u8> {
    let type_header = if kind == "event" { ":event-type" } else { ":exception-type" };
    let header = |name: &'static str, value: String| Header::new(name, HeaderValue::String(value.into()));
    let frame = Frame::new(payload.to_string())
        .add_header(header(":message-type", kind.to_owned()))
        .add_header(header(type_header, name.to_owned()))
        .add_header(header(":content-type", "application/json".to_owned()));
    let mut bytes = Vec::new();
    write_message_to(&frame, &mut bytes).unwrap();
    bytes
}

fn event(name: &str, payload: &Value) -> Vec<u8> {
    frame("event", name, payload)
}

fn delta(index: u32, delta: &Value) -> Vec<u8> {
    event("contentBlockDelta", &json!({"contentBlockIndex": index, "delta": delta, "p": "abc"}))
}

fn text(index: u32, text: &str) -> Vec<u8> {
    delta(index, &json!({"text": text}))
}

fn opening() -> Vec<u8> {
    event("messageStart", &json!({"role": "assistant"}))
}

fn stop(index: u32) -> Vec<u8> {
    event("contentBlockStop", &json!({"contentBlockIndex": index}))
}

fn ending(reason: &str) -> Vec<u8> {
    [
        event("messageStop", &json!({"stopReason": reason})),
        event(
            "metadata",
            &json!({"usage": {"inputTokens": 812, "outputTokens": 64, "totalTokens": 876,
            "cacheReadInputTokens": 7}, "metrics": {"latencyMs": 1234}}),
        ),
    ]
    .concat()
}

/// Reasoning, text with a character of three bytes, and a tool use whose input is cut in the middle of words.
fn whole_stream() -> Vec<u8> {
    let tool = json!({"toolUse": {"toolUseId": "t1", "name": "submit_diagnosis"}});
    [
        opening(),
        delta(0, &json!({"reasoningContent": {"text": "Let me "}})),
        delta(0, &json!({"reasoningContent": {"text": "think."}})),
        delta(0, &json!({"reasoningContent": {"signature": "c2VhbA=="}})),
        stop(0),
        delta(1, &json!({"reasoningContent": {"redactedContent": "AAEC"}})),
        stop(1),
        text(2, "Memory climbs [E1] "),
        text(2, "…"),
        text(2, " CPU follows [E5]."),
        stop(2),
        event("contentBlockStart", &json!({"contentBlockIndex": 3, "start": tool})),
        delta(3, &json!({"toolUse": {"input": ""}})),
        delta(3, &json!({"toolUse": {"input": "{\"cause\": \"mem"}})),
        delta(3, &json!({"toolUse": {"input": "ory-leak\"}"}})),
        stop(3),
        ending("tool_use"),
    ]
    .concat()
}

/// An event stream whose body goes out in these parts, one HTTP chunk each.
pub(crate) fn streamed(parts: Vec<Bytes>) -> Response {
    reply(200, EVENT_STREAM, Body::from_stream(stream::iter(parts.into_iter().map(Ok::<_, std::io::Error>))))
}

/// The parts, and then silence with the connection open.
fn then_silent(parts: Vec<u8>) -> Response {
    let head = stream::iter([Ok::<_, std::io::Error>(Bytes::from(parts))]);
    reply(200, EVENT_STREAM, Body::from_stream(head.chain(stream::pending())))
}

pub(crate) type Heard = (Result<StreamEnd, BedrockError>, Vec<Chunk>);

pub(crate) async fn listen(clients: &Clients, times: StreamTimeouts) -> Heard {
    let (sender, mut receiver) = mpsc::channel(1_000);
    let request = question();
    let (end, chunks) = futures::join!(
        async {
            let end = converse_stream(clients, &request, times, &sender).await;
            drop(sender);
            end
        },
        async {
            let mut chunks = Vec::new();
            while let Some(chunk) = receiver.recv().await {
                chunks.push(chunk);
            }
            chunks
        }
    );
    (end, chunks)
}

async fn hear(bytes: Vec<u8>) -> Heard {
    let server = Server::start(move |_, _| streamed(vec![bytes.clone().into()])).await;
    listen(&server.clients(), StreamTimeouts::default()).await
}

pub(crate) fn folded(chunks: &[Chunk]) -> Reply {
    let mut reply = Reply::default();
    for chunk in chunks {
        reply.absorb(chunk);
    }
    reply
}

#[tokio::test]
async fn a_reply_streams_as_chunks_and_folds_into_blocks() {
    let (end, chunks) = hear(whole_stream()).await;
    assert_eq!(end.unwrap(), StreamEnd::Complete { reason: StopReason::ToolUse, chars: 38 });
    assert_eq!(chunks[0], Chunk::Opened);
    let partial: Vec<&Chunk> = chunks.iter().filter(|chunk| matches!(chunk, Chunk::ToolInput { .. })).collect();
    assert_eq!(partial.len(), 3);
    let reply = folded(&chunks);
    assert_eq!(reply.text(), "Memory climbs [E1] … CPU follows [E5].");
    assert_eq!(reply.tool_input("submit_diagnosis"), Some(&json!({"cause": "memory-leak"})));
    assert_eq!(reply.usage, Some(Usage { input: 812, output: 64, cache_read: 7, cache_write: 0 }));
    let signed = Thinking::Signed { text: "Let me think.".into(), signature: Some("c2VhbA==".into()) };
    assert_eq!(reply.blocks[0], Block::Thinking { thinking: signed });
    assert_eq!(reply.blocks[1], Block::Thinking { thinking: Thinking::Redacted { base64: "AAEC".into() } });
    let last = Chunk::Stopped { reason: StopReason::ToolUse, usage: reply.usage, latency_ms: Some(1234) };
    assert_eq!(chunks.last(), Some(&last));
}

#[tokio::test]
async fn the_reply_is_the_same_wherever_the_bytes_are_cut() {
    let bytes = Bytes::from(whole_stream());
    let whole = hear(bytes.to_vec()).await;
    let source = bytes.clone();
    // Request 0 cuts the stream at every byte; the others cut it once, each 13 bytes further on.
    let server = Server::start(move |index, _| {
        streamed(match index {
            0 => source.chunks(1).map(Bytes::copy_from_slice).collect(),
            n => vec![source.slice(..n * 13), source.slice(n * 13..)],
        })
    })
    .await;
    let clients = server.clients();
    for index in 0..=(bytes.len() - 1) / 13 {
        assert_eq!(listen(&clients, StreamTimeouts::default()).await, whole, "cut {index}");
    }
}

#[tokio::test]
async fn an_exception_in_mid_stream_is_typed_and_the_text_before_it_was_handed_out() {
    let cases = [
        ("throttlingException", FaultKind::Throttled),
        ("serviceUnavailableException", FaultKind::Unavailable),
        ("internalServerException", FaultKind::Unavailable),
        ("modelStreamErrorException", FaultKind::Cut),
        ("validationException", FaultKind::Rejected),
    ];
    for (name, kind) in cases {
        let broken = [opening(), text(0, "Memory climbs"), frame("exception", name, &json!({"message": "no more"}))];
        let (end, chunks) = hear(broken.concat()).await;
        let error = end.unwrap_err();
        assert_eq!(error.kind(), kind, "{name}");
        assert!(matches!(&error, BedrockError::ReadStream { chars: 13, .. }), "{error:?}");
        assert!(error.fault().causes[0].contains("no more"), "{}", error.fault());
        assert_eq!(folded(&chunks).text(), "Memory climbs");
    }
}

#[tokio::test]
async fn a_stream_that_ends_anywhere_before_its_stop_is_never_taken_for_whole() {
    let bytes = Bytes::from([opening(), text(0, "Memory climbs"), stop(0)].concat());
    let source = bytes.clone();
    let server = Server::start(move |index, _| streamed(vec![source.slice(..=index)])).await;
    let clients = server.clients();
    for cut in 0..bytes.len() {
        let (end, _) = listen(&clients, StreamTimeouts::default()).await;
        let error = end.unwrap_err();
        assert!(matches!(error, BedrockError::EndedEarly { .. } | BedrockError::ReadStream { .. }), "{cut}: {error:?}");
    }
}

/// Behind its stop comes the bill alone: what becomes of that takes nothing from a reply that is whole.
#[tokio::test]
async fn a_reply_is_whole_with_its_stop_whatever_comes_after() {
    let stopped = || {
        [opening(), text(0, "Memory climbs"), stop(0), event("messageStop", &json!({"stopReason": "end_turn"}))]
            .concat()
    };
    let broken = frame("exception", "internalServerException", &json!({"message": "no more"}));
    let soon = StreamTimeouts { idle: Duration::from_millis(60), ..StreamTimeouts::default() };
    let silent = Server::start(move |_, _| then_silent(stopped())).await;
    let ends = [listen(&silent.clients(), soon).await, hear([stopped(), broken].concat()).await];
    for (end, chunks) in ends {
        assert_eq!(end.unwrap(), StreamEnd::Complete { reason: StopReason::EndTurn, chars: 13 });
        assert_eq!((folded(&chunks).text().as_str(), folded(&chunks).usage), ("Memory climbs", None));
    }
}

#[tokio::test]
async fn a_damaged_frame_is_malformed() {
    let mut bytes = [opening(), text(0, "Memory climbs"), ending("end_turn")].concat();
    let middle = opening().len() + 40;
    bytes[middle] ^= 0xff;
    let (end, _) = hear(bytes).await;
    assert!(matches!(end, Err(BedrockError::ReadStream { source: CallError::Malformed(_), .. })), "{end:?}");
}

#[tokio::test]
async fn silence_is_told_by_what_was_awaited() {
    let soon = StreamTimeouts { first_byte: Duration::from_millis(60), idle: Duration::from_millis(60) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (end, _) = listen(&super::server::clients(&url), soon).await;
    assert!(matches!(end, Err(BedrockError::Silent { awaited: Awaited::Headers, .. })), "{end:?}");

    let server = Server::start(|_, _| then_silent(opening())).await;
    let (end, _) = listen(&server.clients(), soon).await;
    assert!(matches!(end, Err(BedrockError::Silent { awaited: Awaited::FirstContent, .. })), "{end:?}");

    let server = Server::start(|_, _| then_silent([opening(), text(0, "Hm")].concat())).await;
    let (end, chunks) = listen(&server.clients(), soon).await;
    let error = end.unwrap_err();
    assert!(matches!(error, BedrockError::Silent { awaited: Awaited::NextPiece, chars: 2, .. }), "{error:?}");
    assert!(error.fault().kind.is_transient());
    assert_eq!(folded(&chunks).text(), "Hm");
}

#[tokio::test]
async fn a_reply_cut_by_the_token_limit_says_so_and_its_tool_use_is_garbled() {
    let tool = json!({"toolUse": {"toolUseId": "t1", "name": "submit_diagnosis"}});
    let bytes = [
        opening(),
        event("contentBlockStart", &json!({"contentBlockIndex": 0, "start": tool})),
        delta(0, &json!({"toolUse": {"input": "{\"cause\": \"mem"}})),
        event("messageStop", &json!({"stopReason": "max_tokens"})),
    ];
    let (end, chunks) = hear(bytes.concat()).await;
    assert_eq!(end.unwrap(), StreamEnd::Complete { reason: StopReason::MaxTokens, chars: 0 });
    let reply = folded(&chunks);
    assert_eq!((reply.tool_input("submit_diagnosis"), reply.garbled.len()), (None, 1));
    assert_eq!(reply.usage, None, "what the service did not count is not zero");
}

#[tokio::test]
async fn a_receiver_that_went_away_ends_the_stream() {
    let server = Server::start(|_, _| streamed(vec![whole_stream().into()])).await;
    let (sender, receiver) = mpsc::channel(1);
    drop(receiver);
    let end = converse_stream(&server.clients(), &question(), StreamTimeouts::default(), &sender).await;
    assert_eq!(end.unwrap(), StreamEnd::Abandoned);
}

#[tokio::test]
async fn the_request_carries_the_whole_conversation() {
    let server = Server::start(|_, _| streamed(vec![whole_stream().into()])).await;
    let mut request = question();
    let thinking = Thinking::Signed { text: "hm".into(), signature: Some("seal".into()) };
    let asked = Block::ToolUse { id: "t1".into(), name: "look".into(), input: json!({"minutes": 5}) };
    let told = Block::ToolResult { id: "t1".into(), outcome: ToolOutcome::Success, content: json!({"peak": 97.8}) };
    request.messages.push(Message { role: Role::Assistant, blocks: vec![Block::Thinking { thinking }, asked] });
    request.messages.push(Message { role: Role::User, blocks: vec![told] });
    let (chunks, _held) = mpsc::channel(100);
    converse_stream(&server.clients(), &request, StreamTimeouts::default(), &chunks).await.unwrap();
    let body = server.asked()[0].json();
    assert_eq!(body["system"], json!([{"text": "Speak from evidence."}]));
    assert_eq!(body["inferenceConfig"], json!({"maxTokens": 500}));
    assert_eq!(body["toolConfig"]["tools"][0]["toolSpec"]["inputSchema"]["json"], json!({"type": "object"}));
    let assistant = &body["messages"][1]["content"];
    assert_eq!(assistant[0]["reasoningContent"]["reasoningText"], json!({"text": "hm", "signature": "seal"}));
    assert_eq!(assistant[1]["toolUse"]["input"], json!({"minutes": 5}));
    let result = &body["messages"][2]["content"][0]["toolResult"];
    assert_eq!((&result["status"], &result["content"]), (&json!("success"), &json!([{"json": {"peak": 97.8}}])));
}
