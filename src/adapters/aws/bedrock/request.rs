//! A request in the domain's words, put into the shapes of the Converse API.

use aws_sdk_bedrockruntime::types::{
    ContentBlock, ConversationRole, InferenceConfiguration, Message as SdkMessage, ReasoningContentBlock,
    ReasoningTextBlock, SystemContentBlock, Tool, ToolConfiguration, ToolInputSchema, ToolResultBlock,
    ToolResultContentBlock, ToolResultStatus, ToolSpecification, ToolUseBlock,
};
use aws_smithy_types::{Blob, Document, Number};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use crate::domain::diagnosis::conversation::{Block, Message, ModelRequest, Role, Thinking, ToolOutcome, ToolSpec};

/// The parts of a `ConverseStream` request.
pub(super) struct Input {
    pub(super) system: Vec<SystemContentBlock>,
    pub(super) messages: Vec<SdkMessage>,
    pub(super) tools: Option<ToolConfiguration>,
    pub(super) inference: InferenceConfiguration,
}

/// Builds a request; the error says what the API would refuse.
pub(super) fn input(request: &ModelRequest) -> Result<Input, String> {
    if request.messages.is_empty() {
        return Err("the conversation has no message".to_owned());
    }
    let tools: Vec<Tool> = request.tools.iter().map(tool).collect::<Result<_, _>>()?;
    let tools = if tools.is_empty() {
        None
    } else {
        Some(ToolConfiguration::builder().set_tools(Some(tools)).build().map_err(|error| error.to_string())?)
    };
    let system = &request.system;
    Ok(Input {
        system: if system.is_empty() { Vec::new() } else { vec![SystemContentBlock::Text(system.clone())] },
        messages: request.messages.iter().map(message).collect::<Result<_, _>>()?,
        tools,
        inference: InferenceConfiguration::builder()
            .max_tokens(i32::try_from(request.max_tokens).unwrap_or(i32::MAX))
            .build(),
    })
}

fn tool(spec: &ToolSpec) -> Result<Tool, String> {
    ToolSpecification::builder()
        .name(&spec.name)
        .description(&spec.description)
        .input_schema(ToolInputSchema::Json(document(&spec.schema)))
        .build()
        .map(Tool::ToolSpec)
        .map_err(|error| error.to_string())
}

fn message(message: &Message) -> Result<SdkMessage, String> {
    let role = match message.role {
        Role::User => ConversationRole::User,
        Role::Assistant => ConversationRole::Assistant,
    };
    let blocks = message.blocks.iter().map(block).collect::<Result<_, _>>()?;
    SdkMessage::builder().role(role).set_content(Some(blocks)).build().map_err(|error| error.to_string())
}

fn block(block: &Block) -> Result<ContentBlock, String> {
    match block {
        Block::Text { text } => Ok(ContentBlock::Text(text.clone())),
        Block::Thinking { thinking } => reasoning(thinking).map(ContentBlock::ReasoningContent),
        Block::ToolUse { id, name, input } => ToolUseBlock::builder()
            .tool_use_id(id.as_str())
            .name(name)
            .input(document(input))
            .build()
            .map(ContentBlock::ToolUse)
            .map_err(|error| error.to_string()),
        Block::ToolResult { id, outcome, content } => {
            let status = match outcome {
                ToolOutcome::Success => ToolResultStatus::Success,
                ToolOutcome::Error => ToolResultStatus::Error,
            };
            ToolResultBlock::builder()
                .tool_use_id(id.as_str())
                .status(status)
                .content(tool_content(content))
                .build()
                .map(ContentBlock::ToolResult)
                .map_err(|error| error.to_string())
        }
    }
}

/// The API takes an object as JSON and refuses every other kind of value there; those go as text.
fn tool_content(content: &Value) -> ToolResultContentBlock {
    match content {
        Value::Object(_) => ToolResultContentBlock::Json(document(content)),
        Value::String(text) => ToolResultContentBlock::Text(text.clone()),
        other => ToolResultContentBlock::Text(other.to_string()),
    }
}

fn reasoning(thinking: &Thinking) -> Result<ReasoningContentBlock, String> {
    match thinking {
        Thinking::Signed { text, signature } => ReasoningTextBlock::builder()
            .text(text)
            .set_signature(signature.clone())
            .build()
            .map(ReasoningContentBlock::ReasoningText)
            .map_err(|error| error.to_string()),
        Thinking::Redacted { base64 } => BASE64
            .decode(base64)
            .map(|bytes| ReasoningContentBlock::RedactedContent(Blob::new(bytes)))
            .map_err(|error| format!("a sealed block of reasoning is no base64: {error}")),
    }
}

/// JSON in the SDK's own form.
fn document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(flag) => Document::Bool(*flag),
        Value::Number(number) => Document::Number(if let Some(positive) = number.as_u64() {
            Number::PosInt(positive)
        } else if let Some(negative) = number.as_i64() {
            Number::NegInt(negative)
        } else {
            Number::Float(number.as_f64().unwrap_or_default())
        }),
        Value::String(text) => Document::String(text.clone()),
        Value::Array(entries) => Document::Array(entries.iter().map(document).collect()),
        Value::Object(fields) => {
            Document::Object(fields.iter().map(|(key, value)| (key.clone(), document(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(messages: Vec<Message>) -> ModelRequest {
        ModelRequest {
            model: "m".into(),
            system: "Be brief.".into(),
            messages,
            tools: vec![ToolSpec { name: "t".into(), description: "d".into(), schema: json!({"type": "object"}) }],
            max_tokens: 100,
        }
    }

    #[test]
    fn a_whole_conversation_keeps_its_blocks_in_order() {
        let assistant = Message {
            role: Role::Assistant,
            blocks: vec![
                Block::Thinking { thinking: Thinking::Signed { text: "hm".into(), signature: Some("s".into()) } },
                Block::Thinking { thinking: Thinking::Redacted { base64: "AAE=".into() } },
                Block::ToolUse { id: "1".into(), name: "t".into(), input: json!({"n": -1, "x": 0.5}) },
            ],
        };
        let result = Message {
            role: Role::User,
            blocks: vec![Block::ToolResult { id: "1".into(), outcome: ToolOutcome::Error, content: json!([1]) }],
        };
        let input = input(&request(vec![Message::user("hello"), assistant, result])).unwrap();
        let kinds: Vec<bool> = input.messages[1].content().iter().map(ContentBlock::is_reasoning_content).collect();
        assert_eq!(kinds, [true, true, false]);
        let answer = input.messages[2].content()[0].as_tool_result().unwrap();
        assert_eq!(answer.content()[0].as_text().unwrap(), "[1]");
        assert_eq!(input.tools.unwrap().tools().len(), 1);
    }

    #[test]
    fn what_the_api_would_refuse_is_refused_here() {
        assert!(input(&request(Vec::new())).is_err());
        let bad = Block::Thinking { thinking: Thinking::Redacted { base64: "not base64!".into() } };
        assert!(input(&request(vec![Message { role: Role::Assistant, blocks: vec![bad] }])).is_err());
    }
}
