//! Streams recorded from the real service, decoded to the same reply whole, byte by byte, and cut in two.
//!
//! Needs a folder of recordings: `PAGERDECK_DATA/bedrock`, with `*_converse-stream_200.resp` files of raw event-stream
//! bytes. Says `skipped` where it is absent.

use std::path::PathBuf;

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder};
use axum::body::Bytes;
use pagerdeck::adapters::aws::bedrock::{StreamEnd, StreamTimeouts};
use pagerdeck::domain::diagnosis::conversation::{Reply, Usage};
use serde_json::Value;

use super::bedrock::{folded, listen, streamed};
use super::server::{Server, reply};
use crate::skipped::data;

fn recordings(ending: &str) -> Vec<(String, Bytes)> {
    let Some(folder) = data("bedrock") else { return Vec::new() };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(ending));
    paths.sort();
    assert!(!paths.is_empty(), "the folder holds no recording that ends with {ending}");
    paths.iter().map(|path| (path.display().to_string(), std::fs::read(path).unwrap().into())).collect()
}

/// What a stream says, read frame by frame as plain JSON: no part of the SDK's own reading takes part.
#[derive(Debug, Default, PartialEq)]
struct Plain {
    text: String,
    tools: Vec<(String, Value)>,
    stop: String,
    usage: Usage,
}

fn plain(bytes: &Bytes) -> Plain {
    let (mut plain, mut inputs, mut names) = (Plain::default(), std::collections::BTreeMap::new(), Vec::new());
    let (mut decoder, mut rest) = (MessageFrameDecoder::new(), bytes.clone());
    while let DecodedFrame::Complete(frame) = decoder.decode_frame(&mut rest).unwrap() {
        let event: Value = serde_json::from_slice(frame.payload()).unwrap();
        let index = event["contentBlockIndex"].as_u64().unwrap_or_default();
        if let Some(name) = event["start"]["toolUse"]["name"].as_str() {
            names.push((index, name.to_owned()));
        }
        plain.text.push_str(event["delta"]["text"].as_str().unwrap_or_default());
        if let Some(part) = event["delta"]["toolUse"]["input"].as_str() {
            inputs.entry(index).or_insert_with(String::new).push_str(part);
        }
        if let Some(stop) = event["stopReason"].as_str() {
            plain.stop = stop.replace('_', "-");
        }
        if let Some(usage) = event.get("usage") {
            let count = |key: &str| usage[key].as_u64().unwrap_or_default();
            plain.usage = Usage {
                input: count("inputTokens"),
                output: count("outputTokens"),
                cache_read: count("cacheReadInputTokens"),
                cache_write: count("cacheWriteInputTokens"),
            };
        }
    }
    let input = |index: &u64| inputs.get(index).map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
    plain.tools = names.iter().map(|(index, name)| (name.clone(), input(index))).collect();
    plain
}

fn agrees(reply: &Reply, plain: &Plain) {
    assert_eq!(reply.text(), plain.text);
    for (name, input) in &plain.tools {
        assert_eq!(reply.tool_input(name), Some(input));
    }
    assert_eq!(serde_json::to_value(&reply.stopped).unwrap(), Value::String(plain.stop.clone()));
    assert_eq!(reply.usage, Some(plain.usage));
    assert!(reply.garbled.is_empty());
}

#[tokio::test]
async fn recorded_streams_decode_to_the_same_reply_however_they_are_cut() {
    for (name, bytes) in recordings("_converse-stream_200.resp") {
        let source = bytes.clone();
        // Request 0 whole, request 1 byte by byte, the others cut in two at every 61st byte.
        let server = Server::start(move |index, _| {
            streamed(match index {
                0 => vec![source.clone()],
                1 => source.chunks(1).map(Bytes::copy_from_slice).collect(),
                n => vec![source.slice(..(n - 1) * 61), source.slice((n - 1) * 61..)],
            })
        })
        .await;
        let clients = server.clients();
        let (end, whole) = listen(&clients, StreamTimeouts::default()).await;
        assert!(matches!(end, Ok(StreamEnd::Complete { .. })), "{name}: {end:?}");
        agrees(&folded(&whole), &plain(&bytes));
        for request in 1..=(bytes.len() - 1) / 61 {
            let (_, chunks) = listen(&clients, StreamTimeouts::default()).await;
            assert_eq!(chunks, whole, "{name}, request {request}");
        }
    }
}

#[tokio::test]
async fn a_recorded_refusal_is_told_with_its_hint() {
    for (name, bytes) in recordings("_converse_400.resp") {
        let server = Server::start(move |_, _| {
            let mut refusal = reply(400, "application/json", bytes.clone());
            refusal.headers_mut().insert("x-amzn-errortype", "ValidationException".parse().unwrap());
            refusal
        })
        .await;
        let (end, chunks) = listen(&server.clients(), StreamTimeouts::default()).await;
        let fault = end.unwrap_err().fault();
        assert!(fault.hints[0].contains("BEDROCK_MODEL_ID"), "{name}: {fault}");
        assert!(chunks.is_empty());
    }
}
