//! The simulated model, through the real SDK: scripts, rules, broken streams.

use aws_sdk_bedrockruntime::operation::converse_stream::builders::ConverseStreamFluentBuilder;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ContentBlockStart, ConversationRole, ConverseStreamOutput, ConverseTokensRequest,
    CountTokensInput, Message as Said, StopReason, Tool, ToolConfiguration, ToolInputSchema, ToolSpecification,
};
use aws_smithy_types::error::metadata::ProvideErrorMetadata as _;
use aws_smithy_types::{Blob, Document};
use pagerdeck::adapters::aws::bedrock::{StreamTimeouts, converse_stream};
use pagerdeck::adapters::aws::clients::Clients;
use pagerdeck::domain::diagnosis::conversation::{Block, Message, ModelRequest, Reply, Role, Thinking, ToolOutcome};
use pagerdeck::domain::observation::scope::Region;
use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::scenario::{ModelException, load};
use pagerdeck::rehearsal::server::{Rehearsal, StartOptions};
use serde_json::json;
use tokio::sync::mpsc;

use super::{client, play, play_with, raw, rehearse};
use crate::wire_aws::bedrock::question;

fn ours(rehearsal: &Rehearsal) -> Clients {
    pagerdeck::adapters::install_tls_provider();
    Clients::rehearsal(&rehearsal.endpoints.aws, &Region::new("us-east-1")).unwrap()
}

fn asked(rehearsal: &Rehearsal, text: &str) -> ConverseStreamFluentBuilder {
    let message =
        Said::builder().role(ConversationRole::User).content(ContentBlock::Text(text.to_owned())).build().unwrap();
    let tool = ToolSpecification::builder()
        .name("submit_diagnosis")
        .input_schema(ToolInputSchema::Json(Document::Object(std::collections::HashMap::default())))
        .build()
        .unwrap();
    client!(aws_sdk_bedrockruntime, rehearsal)
        .converse_stream()
        .model_id("us.anthropic.claude-sonnet-4-20250514-v1:0")
        .messages(message)
        .tool_config(ToolConfiguration::builder().tools(Tool::ToolSpec(tool)).build().unwrap())
}

#[derive(Debug, Default)]
struct Heard {
    text: String,
    tool: String,
    input: String,
    stop: Option<StopReason>,
    tokens: Option<(i32, i32, i32)>,
    broke: Option<String>,
}

async fn hear(call: ConverseStreamFluentBuilder) -> Heard {
    let mut heard = Heard::default();
    let mut stream = call.send().await.unwrap().stream;
    loop {
        match stream.recv().await {
            Ok(None) => return heard,
            Ok(Some(ConverseStreamOutput::ContentBlockStart(start))) => {
                if let Some(ContentBlockStart::ToolUse(tool)) = start.start {
                    heard.tool = tool.name;
                }
            }
            Ok(Some(ConverseStreamOutput::ContentBlockDelta(delta))) => match delta.delta {
                Some(ContentBlockDelta::Text(text)) => heard.text.push_str(&text),
                Some(ContentBlockDelta::ToolUse(tool)) => heard.input.push_str(&tool.input),
                _ => {}
            },
            Ok(Some(ConverseStreamOutput::MessageStop(stop))) => heard.stop = Some(stop.stop_reason),
            Ok(Some(ConverseStreamOutput::Metadata(metadata))) => {
                heard.tokens =
                    metadata.usage.map(|usage| (usage.input_tokens, usage.output_tokens, usage.total_tokens));
            }
            Ok(Some(_)) => {}
            Err(error) => {
                heard.broke = Some(format!("{error:?}"));
                return heard;
            }
        }
    }
}

#[tokio::test]
async fn the_rules_model_streams_a_narrative_and_submits_from_what_it_was_sent() {
    let rehearsal = rehearse("oom-leak").await;
    let document = json!({
        "service": "my-api", "workload": { "kind": "deployment", "namespace": "payments", "name": "my-api" },
        "evidence": [{ "id": "E2", "question": "oom-kills", "completeness": "exact", "answer": "x",
            "facts": [{ "name": "total", "value": 11, "unit": "count" }] }],
        "verdict": { "ranked": [{ "cause": "memory-leak", "confidence": 0.9,
            "findings": [{ "side": "supports", "evidence": ["E2"] }] }], "missing": [], "conclusive": true },
    });
    let heard = hear(asked(&rehearsal, &format!("<evidence>{document}</evidence>"))).await;
    assert!(heard.text.contains("OOMKilled 11 times [E2]."), "{heard:?}");
    assert_eq!((heard.tool.as_str(), heard.stop), ("submit_diagnosis", Some(StopReason::ToolUse)));
    let input: serde_json::Value = serde_json::from_str(&heard.input).unwrap();
    assert_eq!((&input["cause"], &input["evidence"]), (&json!("memory-leak"), &json!(["E2"])));
    let (input, output, total) = heard.tokens.unwrap();
    assert!(input > 0 && output > 0 && total == input + output);
    rehearsal.stop().await;
}

#[tokio::test]
async fn the_script_names_what_does_not_exist() {
    let rehearsal = rehearse("model-hallucinates").await;
    let heard = hear(asked(&rehearsal, "<evidence>{}</evidence>")).await;
    assert!(heard.text.contains("deployment/payments-cache") && heard.text.contains("[E99]"));
    let input: serde_json::Value = serde_json::from_str(&heard.input).unwrap();
    assert_eq!(input["workload"]["name"], "payments-cache");
    assert_eq!(heard.stop, Some(StopReason::ToolUse));
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_script_can_break_a_stream_in_mid_sentence_or_end_it_with_an_exception() {
    let turn = |end: &str| {
        format!(
            "[model]\nmode = \"script\"\n[[model.turn]]\n\
             chunk = [{{ kind = \"text\", text = \"CPU is high \" }}, {end}]\n"
        )
    };
    let cut = play_with(&turn("{ kind = \"cut\" }")).await;
    let heard = hear(asked(&cut, "x")).await;
    assert_eq!((heard.text.as_str(), heard.stop.clone()), ("CPU is high ", None));
    assert!(heard.broke.is_some(), "{heard:?}");
    cut.stop().await;
    let exception = play_with(&turn(
        "{ kind = \"exception\", exception = \"throttlingException\", message = \"Too many tokens\" }",
    ))
    .await;
    let heard = hear(asked(&exception, "x")).await;
    assert_eq!(heard.text, "CPU is high ");
    let broke = heard.broke.unwrap();
    assert!(broke.contains("ThrottlingException") && broke.contains("Too many tokens"), "{broke}");
    exception.stop().await;
}

/// A script of one turn.
fn script(chunks: &str) -> String {
    format!("[model]\nmode = \"script\"\n[[model.turn]]\nchunk = [{chunks}]\n")
}

#[tokio::test]
async fn every_exception_is_typed_in_a_stream_or_before_it() {
    for exception in ModelException::ALL {
        let shape = exception.shape();
        let name = format!("{}{}", shape[..1].to_lowercase(), &shape[1..]);
        let part = format!("{{ kind = \"exception\", exception = \"{name}\" }}");
        let first = play_with(&script(&part)).await;
        let refused = asked(&first, "x").send().await.unwrap_err();
        let status = refused.raw_response().unwrap().status().as_u16();
        assert_eq!((refused.code(), status), (Some(shape), exception.status()));
        assert_eq!(refused.message(), Some(exception.words()), "{shape}");
        first.stop().await;
        if exception.frame().is_none() {
            continue;
        }
        let late = play_with(&script(&format!("{{ kind = \"text\", text = \"So \" }}, {part}"))).await;
        let heard = hear(asked(&late, "x")).await;
        assert_eq!(heard.text, "So ");
        assert!(heard.broke.as_ref().is_some_and(|broke| broke.contains(shape)), "{shape}: {heard:?}");
        late.stop().await;
    }
}

#[tokio::test]
async fn thinking_is_sealed_and_only_taken_back_as_it_was() {
    let parts = "{ kind = \"thinking\", text = \"Memory first.\" }, { kind = \"redacted\" }, \
        { kind = \"text\", text = \"It \" }, { kind = \"pause\", seconds = 1.0 }, { kind = \"text\", text = \"leaks.\" }";
    let rehearsal = play_with(&script(parts)).await;
    let (clients, request) = (ours(&rehearsal), question());
    let (chunks, mut heard) = mpsc::channel(256);
    converse_stream(&clients, &request, StreamTimeouts::default(), &chunks).await.unwrap();
    drop(chunks);
    let mut reply = Reply::default();
    while let Some(chunk) = heard.recv().await {
        reply.absorb(&chunk);
    }
    let [
        Block::Thinking { thinking: Thinking::Signed { text, signature } },
        Block::Thinking { thinking },
        Block::Text { text: said },
    ] = reply.blocks.as_slice()
    else {
        panic!("{:?}", reply.blocks)
    };
    assert_eq!((text.as_str(), said.as_str()), ("Memory first.", "It leaks."));
    assert!(signature.is_some() && matches!(thinking, Thinking::Redacted { .. }));
    let again = async |thought: &str| {
        let thinking = Thinking::Signed { text: thought.to_owned(), signature: signature.clone() };
        let mut request = question();
        request.messages.push(Message { role: Role::Assistant, blocks: vec![Block::Thinking { thinking }] });
        request.messages.push(Message::user("And now?"));
        let (chunks, _held) = mpsc::channel(256);
        converse_stream(&clients, &request, StreamTimeouts::default(), &chunks).await
    };
    assert!(again("Memory first.").await.is_ok());
    let refused = again("Memory last.").await.unwrap_err();
    assert!(refused.fault().to_string().contains("Invalid `signature` in `thinking` block"), "{}", refused.fault());
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_tool_is_used_over_several_turns_and_its_result_is_asked_for() {
    let more = "[model]\nmode = \"script\"\n\
        [[model.turn]]\nchunk = [{ kind = \"tool\", name = \"submit_diagnosis\", input = { minutes = 5 } }]\n\
        [[model.turn]]\nchunk = [{ kind = \"text\", text = \"Seen.\" }]\n";
    let rehearsal = play_with(more).await;
    let clients = ours(&rehearsal);
    let ask = async |request: &ModelRequest| {
        let (chunks, mut heard) = mpsc::channel(256);
        let end = converse_stream(&clients, request, StreamTimeouts::default(), &chunks).await;
        drop(chunks);
        let mut reply = Reply::default();
        while let Some(chunk) = heard.recv().await {
            reply.absorb(&chunk);
        }
        end.map(|_| reply)
    };
    let mut request = question();
    let used = ask(&request).await.unwrap();
    let Some(Block::ToolUse { id, input, .. }) = used.blocks.first() else { panic!("{used:?}") };
    assert_eq!(input, &json!({ "minutes": 5 }));
    request.messages.push(used.message());
    let mut forgetful = request.clone();
    forgetful.messages.push(Message::user("Go on."));
    let refused = ask(&forgetful).await.unwrap_err().fault().to_string();
    assert!(refused.contains("Expected toolResult blocks at messages.2.content"), "{refused}");
    let result = Block::ToolResult { id: id.clone(), outcome: ToolOutcome::Success, content: json!({ "peak": 97.8 }) };
    request.messages.push(Message { role: Role::User, blocks: vec![result] });
    assert_eq!(ask(&request).await.unwrap().text(), "Seen.");
    rehearsal.stop().await;
}

/// What a model says once is recorded from the wire and played again from a file, byte for byte.
#[tokio::test]
async fn a_recorded_answer_is_served_as_it_was() {
    let rehearsal = rehearse("model-hallucinates").await;
    let record = async |rehearsal: &Rehearsal, operation: &str| {
        let url = format!("{}/model/simulated.rules-v1/{operation}", rehearsal.endpoints.aws);
        let body = json!({ "messages": [{ "role": "user", "content": [{ "text": "x" }] }] }).to_string();
        raw::exchange(&url, "POST", &[("content-type", "application/json")], body.as_bytes()).await
    };
    let (stream, whole) = (record(&rehearsal, "converse-stream").await, record(&rehearsal, "converse").await);
    rehearsal.stop().await;
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("stream.bin"), stream.dechunked()).unwrap();
    std::fs::write(home.path().join("whole.json"), whole.dechunked()).unwrap();
    std::fs::write(home.path().join("refusal.json"), r#"{"message":"The provided model identifier is invalid."}"#)
        .unwrap();
    let scenario = |turn: &str| {
        let text = format!(
            "based_on = \"oom-leak\"\nname = \"test\"\ntitle = \"t\"\nteaches = \"t\"\n[model]\nmode = \"script\"\n\
             [[model.turn]]\n{turn}\n[expect]\ncause = \"memory-leak\"\nconclusive = true\n"
        );
        let path = home.path().join("scenario.toml");
        std::fs::write(&path, text).unwrap();
        load(path.to_str().unwrap()).unwrap()
    };
    let played = play(scenario("recorded = \"stream.bin\"")).await;
    assert_eq!(record(&played, "converse-stream").await.dechunked(), stream.dechunked());
    let heard = hear(asked(&played, "x")).await;
    assert!(heard.text.contains("deployment/payments-cache") && heard.stop == Some(StopReason::ToolUse), "{heard:?}");
    assert_eq!(record(&played, "converse").await.status, 424, "a stream is no whole answer");
    played.stop().await;
    let absolute = home.path().join("whole.json");
    let played = play(scenario(&format!("recorded = {absolute:?}"))).await;
    assert_eq!(record(&played, "converse").await.dechunked(), whole.dechunked());
    played.stop().await;
    let played = play(scenario("recorded = \"refusal.json\"\nstatus = 400")).await;
    let refused = asked(&played, "x").send().await.unwrap_err();
    assert_eq!(refused.code(), Some("ValidationException"));
    assert_eq!(refused.message(), Some("The provided model identifier is invalid."));
    played.stop().await;
    let start = StartOptions { speed: Speed::Max, seed: None };
    let missing = pagerdeck::rehearsal::start(scenario("recorded = \"nowhere.bin\""), start).await.unwrap_err();
    assert!(missing.summary.contains("nowhere.bin"), "{missing}");
    let strange = pagerdeck::rehearsal::start(scenario("recorded = \"scenario.toml\""), start).await.unwrap_err();
    assert!(strange.summary.contains("no answer of Bedrock"), "{strange}");
}

#[tokio::test]
async fn embeddings_and_token_counts_are_read_by_the_sdk() {
    let rehearsal = rehearse("oom-leak").await;
    let client = client!(aws_sdk_bedrockruntime, rehearsal);
    let embed = async |model: &str, body: serde_json::Value| {
        let body = Blob::new(body.to_string());
        let answer = client.invoke_model().model_id(model).content_type("application/json").body(body).send().await;
        answer.map(|answer| serde_json::from_slice::<serde_json::Value>(answer.body().as_ref()).unwrap())
    };
    let titan =
        embed("amazon.titan-embed-text-v2:0", json!({ "inputText": "a leak", "dimensions": 256 })).await.unwrap();
    assert_eq!(titan["embedding"].as_array().unwrap().len(), 256);
    assert_eq!(titan["inputTextTokenCount"], 2);
    let texts = json!({ "texts": ["a leak", "a flood"], "input_type": "search_document" });
    let cohere = embed("cohere.embed-english-v3", texts).await.unwrap();
    assert_eq!(
        (cohere["embeddings"].as_array().unwrap().len(), &cohere["response_type"]),
        (2, &json!("embeddings_floats"))
    );
    let refused = embed("amazon.titan-embed-text-v2:0", json!({ "text": "x" })).await.unwrap_err();
    assert_eq!(refused.code(), Some("ValidationException"));
    let message =
        Said::builder().role(ConversationRole::User).content(ContentBlock::Text("x".repeat(400))).build().unwrap();
    let counted = CountTokensInput::Converse(ConverseTokensRequest::builder().messages(message.clone()).build());
    let count = client.count_tokens().model_id("any").input(counted).send().await.unwrap().input_tokens();
    let said = client.converse().model_id("simulated.rules-v1").messages(message).send().await.unwrap();
    assert_eq!(count, said.usage().unwrap().input_tokens(), "what was counted is what is charged");
    rehearsal.stop().await;
}

#[tokio::test]
async fn converse_answers_the_same_in_one_piece() {
    let rehearsal = rehearse("model-hallucinates").await;
    let message =
        Said::builder().role(ConversationRole::User).content(ContentBlock::Text("x".to_owned())).build().unwrap();
    let answer = client!(aws_sdk_bedrockruntime, rehearsal)
        .converse()
        .model_id("simulated.rules-v1")
        .messages(message)
        .send()
        .await
        .unwrap();
    let content = answer.output().unwrap().as_message().unwrap().content();
    assert!(content[0].as_text().unwrap().contains("CPU alarm"));
    assert_eq!(content.last().unwrap().as_tool_use().unwrap().name(), "submit_diagnosis");
    assert_eq!(answer.stop_reason(), &StopReason::ToolUse);
    rehearsal.stop().await;
}
