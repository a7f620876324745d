//! The conversation of a request, refused where the real service refuses it: the order of roles, results for every tool
//! use, and thinking that comes back unchanged.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::{Refusal, refusal, tokens as tokens_of};
use crate::rehearsal::behaviour::mixed;
use crate::rehearsal::scenario::ModelException;

/// Reads a request of `Converse` or `ConverseStream`.
pub(super) fn read(body: &[u8]) -> Result<Value, Refusal> {
    let input: Value =
        serde_json::from_slice(body).map_err(|error| invalid(&format!("The request is not JSON: {error}")))?;
    check(&input)?;
    Ok(input)
}

/// The tokens of what a model would read of a request: messages, system and tools.
pub(super) fn tokens(input: &Value) -> u64 {
    let parts = ["messages", "system", "toolConfig"].into_iter().filter_map(|part| input.get(part));
    parts.map(|part| tokens_of(part.to_string().len())).sum()
}

fn invalid(message: &str) -> Refusal {
    refusal(ModelException::Validation, Some(message))
}

fn check(input: &Value) -> Result<(), Refusal> {
    let messages = input["messages"].as_array().map_or(&[][..], Vec::as_slice);
    if messages.first().is_none_or(|first| first["role"] != "user") {
        return Err(invalid(
            "A conversation must start with a user message. Try again with a conversation that starts with a user message.",
        ));
    }
    let mut awaited: Vec<&str> = Vec::new();
    for (index, message) in messages.iter().enumerate() {
        let expected = if index % 2 == 0 { "user" } else { "assistant" };
        if message["role"] != expected {
            return Err(invalid(
                "A conversation must alternate between user and assistant roles. Make sure the conversation alternates \
                 between user and assistant roles and try again.",
            ));
        }
        let content = message["content"].as_array().map_or(&[][..], Vec::as_slice);
        if content.is_empty() {
            return Err(invalid(&format!(
                "The content field in the Message object at messages.{index} is empty. Add a ContentBlock object to the \
                 content field and try again."
            )));
        }
        results(index, content, &awaited)?;
        for (place, block) in content.iter().enumerate() {
            block_of((index, place), block)?;
        }
        awaited = content.iter().filter_map(|block| block["toolUse"]["toolUseId"].as_str()).collect();
    }
    let mut blocks = messages.iter().filter_map(|message| message["content"].as_array()).flatten();
    let uses_tools = blocks.any(|block| !block["toolUse"].is_null() || !block["toolResult"].is_null());
    if uses_tools && input["toolConfig"]["tools"].as_array().is_none_or(Vec::is_empty) {
        return Err(invalid("The toolConfig field must be defined when using toolUse and toolResult content blocks."));
    }
    Ok(())
}

/// Every tool use of the message before needs its result, and nothing else may be one.
fn results(index: usize, content: &[Value], awaited: &[&str]) -> Result<(), Refusal> {
    let given: Vec<&str> = content.iter().filter_map(|block| block["toolResult"]["toolUseId"].as_str()).collect();
    let missing: Vec<&str> = awaited.iter().copied().filter(|id| !given.contains(id)).collect();
    if !missing.is_empty() {
        return Err(invalid(&format!(
            "Expected toolResult blocks at messages.{index}.content for the following Ids: {}",
            missing.join(", ")
        )));
    }
    if given.iter().any(|id| !awaited.contains(id)) {
        return Err(invalid(&format!(
            "The number of toolResult blocks at messages.{index}.content exceeds the number of toolUse blocks of previous turn."
        )));
    }
    Ok(())
}

fn block_of((index, place): (usize, usize), block: &Value) -> Result<(), Refusal> {
    if block["text"].as_str().is_some_and(|text| text.trim().is_empty()) {
        return Err(invalid(&format!(
            "The text field in the ContentBlock object at messages.{index}.content.{place} is blank. Add text to the text \
             field, and try again."
        )));
    }
    let thought = &block["reasoningContent"]["reasoningText"];
    if let (Some(text), Some(seal)) = (thought["text"].as_str(), thought["signature"].as_str())
        && seal != signature(text)
    {
        return Err(invalid(&format!(
            "The model returned the following errors: messages.{index}.content.{place}: Invalid `signature` in `thinking` block"
        )));
    }
    Ok(())
}

/// The seal of a thought: made of its text alone, so that one that was changed does not fit.
pub(super) fn signature(text: &str) -> String {
    let words = [0, 1, 2].map(|part| mixed(part, "thinking", text).to_be_bytes());
    STANDARD.encode(words.concat())
}

/// What stands for a thought that nobody may read.
pub(super) fn redacted(block: u32) -> String {
    let words = [0, 1, 2, 3].map(|part| mixed(part, "redacted", &block.to_string()).to_be_bytes());
    STANDARD.encode(words.concat())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(messages: &Value) -> Option<String> {
        let tools = json!({ "tools": [{ "toolSpec": { "name": "look" } }] });
        check(&json!({ "messages": messages, "toolConfig": tools })).err().map(|refusal| refusal.message)
    }

    #[test]
    fn a_conversation_is_refused_where_the_service_refuses_it() {
        let user = |text: &str| json!({ "role": "user", "content": [{ "text": text }] });
        let model = |block: Value| json!({ "role": "assistant", "content": [block] });
        let use_of = |id: &str| model(json!({ "toolUse": { "toolUseId": id, "name": "look", "input": {} } }));
        let result = |id: &str| json!({ "role": "user", "content": [{ "toolResult": { "toolUseId": id, "content": [{ "text": "x" }] } }] });
        let thought =
            |seal: &str| model(json!({ "reasoningContent": { "reasoningText": { "text": "hm", "signature": seal } } }));
        for (messages, words) in [
            (json!([]), Some("must start with a user message")),
            (json!([model(json!({ "text": "hi" }))]), Some("must start with a user message")),
            (json!([user("a"), user("b")]), Some("must alternate")),
            (json!([user(" ")]), Some("messages.0.content.0 is blank")),
            (json!([{ "role": "user", "content": [] }]), Some("messages.0 is empty")),
            (json!([user("a"), use_of("t1"), user("b")]), Some("Expected toolResult blocks at messages.2.content")),
            (json!([user("a"), use_of("t1"), result("t2")]), Some("for the following Ids: t1")),
            (json!([user("a"), model(json!({ "text": "hi" })), result("t2")]), Some("exceeds the number of toolUse")),
            (json!([user("a"), use_of("t1"), result("t1")]), None),
            (json!([user("a"), thought("bm8="), user("b")]), Some("Invalid `signature`")),
            (json!([user("a"), thought(&signature("hm")), user("b")]), None),
        ] {
            let found = refused(&messages);
            match words {
                Some(words) => assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{words}: {found:?}"),
                None => assert_eq!(found, None, "{messages}"),
            }
        }
        let bare = json!({ "messages": [user("a"), use_of("t1"), result("t1")] });
        assert!(check(&bare).unwrap_err().message.contains("toolConfig field must be defined"));
    }
}
