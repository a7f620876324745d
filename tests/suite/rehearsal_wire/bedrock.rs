//! The simulated model, through the real SDK: scripts, rules, broken streams.

use aws_sdk_bedrockruntime::operation::converse_stream::builders::ConverseStreamFluentBuilder;
use aws_sdk_bedrockruntime::types::{
    ContentBlock, ContentBlockDelta, ContentBlockStart, ConversationRole, ConverseStreamOutput, Message, StopReason,
    Tool, ToolConfiguration, ToolInputSchema, ToolSpecification,
};
use aws_smithy_types::Document;
use pagerdeck::rehearsal::server::Rehearsal;
use serde_json::json;

use super::{client, play_with, rehearse};

fn asked(rehearsal: &Rehearsal, text: &str) -> ConverseStreamFluentBuilder {
    let message =
        Message::builder().role(ConversationRole::User).content(ContentBlock::Text(text.to_owned())).build().unwrap();
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

#[tokio::test]
async fn converse_answers_the_same_in_one_piece() {
    let rehearsal = rehearse("model-hallucinates").await;
    let message =
        Message::builder().role(ConversationRole::User).content(ContentBlock::Text("x".to_owned())).build().unwrap();
    let answer =
        client!(aws_sdk_bedrockruntime, rehearsal).converse().model_id("any").messages(message).send().await.unwrap();
    let content = answer.output().unwrap().as_message().unwrap().content();
    assert!(content[0].as_text().unwrap().contains("CPU alarm"));
    assert_eq!(content.last().unwrap().as_tool_use().unwrap().name(), "submit_diagnosis");
    assert_eq!(answer.stop_reason(), &StopReason::ToolUse);
    rehearsal.stop().await;
}
