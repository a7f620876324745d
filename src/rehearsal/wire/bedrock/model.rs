//! Which models the service knows by which id, and the bounds of what is asked of them.
//!
//! Sources: "Supported Regions and models for inference profiles" in the user guide; `Converse`, `InferenceConfiguration`
//! and `ToolSpecification` in the API reference.

use serde_json::Value;

use super::{MODEL_ID, Refusal, refusal};
use crate::domain::diagnosis::inference_profile::geography;
use crate::domain::observation::scope::Region;
use crate::rehearsal::scenario::{ModelException, ScopeSpec};

/// Who makes models that converse.
const VENDORS: [&str; 9] = [
    "ai21.",
    "amazon.nova-",
    "anthropic.claude-",
    "cohere.command-",
    "deepseek.",
    "meta.llama",
    "mistral.",
    "openai.",
    "qwen.",
];

/// Who makes models that embed.
const EMBEDDING: [&str; 2] = ["amazon.titan-embed-", "cohere.embed-"];

/// The Claude models that may be asked without an inference profile; all since 3.7 need one.
const ON_DEMAND: [&str; 6] = [
    "anthropic.claude-instant-",
    "anthropic.claude-v2",
    "anthropic.claude-3-haiku-",
    "anthropic.claude-3-sonnet-",
    "anthropic.claude-3-opus-",
    "anthropic.claude-3-5-",
];

/// Tokens that a model reads at most: the context of the simulated one.
const CONTEXT: u64 = 200_000;

/// The model of a path `/model/ID/…`, with its escapes undone.
pub(super) fn of_path(path: &str) -> String {
    let id = path.strip_prefix("/model/").and_then(|rest| rest.split('/').next()).unwrap_or_default();
    id.replace("%3A", ":").replace("%3a", ":").replace("%2F", "/").replace("%2f", "/")
}

/// Takes a model id that can converse in a place, and refuses every other with the words of the service.
pub(super) fn admitted(id: &str, place: &ScopeSpec) -> Result<(), Refusal> {
    if id == MODEL_ID {
        return Ok(());
    }
    let profile = match id.strip_prefix("arn:") {
        Some(_) => profile_of_arn(id, place).ok_or_else(unknown)?,
        None => id,
    };
    if let Some((prefix, model)) = profile.split_once('.')
        && geographies(&place.region).contains(&prefix)
        && is_of(&VENDORS, model)
    {
        return Ok(());
    }
    if is_of(&EMBEDDING, id) {
        return Err(invalid(
            "This action doesn't support the model that you provided. Try again with a supported text or chat model.",
        ));
    }
    if !is_of(&VENDORS, id) {
        return Err(unknown());
    }
    if id.starts_with("anthropic.") && !is_of(&ON_DEMAND, id) {
        return Err(invalid(&format!(
            "Invocation of model ID {id} with on-demand throughput isn\u{2019}t supported. Retry your request with the ID or ARN \
             of an inference profile that contains this model."
        )));
    }
    Ok(())
}

/// Refuses what is asked of a model beyond its bounds; `tokens` are those of the input.
pub(super) fn bounded(input: &Value, tokens: u64) -> Result<(), Refusal> {
    let config = &input["inferenceConfig"];
    for name in ["temperature", "topP"] {
        if let Some(value) = config[name].as_f64().filter(|value| !(0.0..=1.0).contains(value)) {
            let (word, bound) = if value > 1.0 { ("less", 1) } else { ("greater", 0) };
            return Err(constraint(
                &value.to_string(),
                &format!("inferenceConfig.{name}"),
                &format!("have value {word} than or equal to {bound}"),
            ));
        }
    }
    if config["maxTokens"].as_i64().is_some_and(|most| most < 1) {
        return Err(constraint(
            &config["maxTokens"].to_string(),
            "inferenceConfig.maxTokens",
            "have value greater than or equal to 1",
        ));
    }
    tools(&input["toolConfig"])?;
    if tokens > CONTEXT {
        return Err(invalid("Input is too long for requested model."));
    }
    Ok(())
}

fn tools(config: &Value) -> Result<(), Refusal> {
    let Some(tools) = config["tools"].as_array() else { return Ok(()) };
    if tools.is_empty() {
        return Err(constraint("[]", "toolConfig.tools", "have length greater than or equal to 1"));
    }
    let names: Vec<&str> = tools.iter().filter_map(|tool| tool["toolSpec"]["name"].as_str()).collect();
    for (index, name) in names.iter().enumerate() {
        let is_name = (1..=64).contains(&name.len())
            && name.chars().all(|sign| sign.is_ascii_alphanumeric() || "_-".contains(sign));
        if !is_name {
            let place = format!("toolConfig.tools.{}.member.toolSpec.name", index + 1);
            return Err(constraint(name, &place, "satisfy regular expression pattern: [a-zA-Z0-9_-]+"));
        }
        if names[..index].contains(name) {
            return Err(invalid(&format!("The toolConfig field contains two tools of the name {name}.")));
        }
    }
    match config["toolChoice"]["tool"]["name"].as_str() {
        Some(chosen) if !names.contains(&chosen) => Err(invalid(&format!(
            "The toolChoice field names the tool {chosen}, which toolConfig.tools does not hold."
        ))),
        Some(_) | None => Ok(()),
    }
}

/// The prefixes of inference profiles that can be asked in a region.
fn geographies(region: &Region) -> Vec<&'static str> {
    let narrower = match region.as_str() {
        "ap-northeast-1" | "ap-northeast-3" => Some("jp"),
        "ap-southeast-2" | "ap-southeast-4" => Some("au"),
        _ => None,
    };
    [geography(region), "global"].into_iter().chain(narrower).collect()
}

/// The profile that an ARN of this place names.
fn profile_of_arn<'a>(arn: &'a str, place: &ScopeSpec) -> Option<&'a str> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let [_, _, "bedrock", region, account, resource] = parts[..] else { return None };
    let is_here = region == place.region.as_str() && account == place.account.as_str();
    resource.strip_prefix("inference-profile/").filter(|_| is_here)
}

fn is_of(makers: &[&str], model: &str) -> bool {
    makers.iter().any(|maker| model.starts_with(maker))
}

fn unknown() -> Refusal {
    invalid("The provided model identifier is invalid.")
}

fn invalid(message: &str) -> Refusal {
    refusal(ModelException::Validation, Some(message))
}

fn constraint(value: &str, place: &str, must: &str) -> Refusal {
    invalid(&format!(
        "1 validation error detected: Value '{value}' at '{place}' failed to satisfy constraint: Member must {must}"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rehearsal::scenario::load;

    #[test]
    fn a_model_is_known_by_its_profile_in_its_region() {
        let place = load("oom-leak").unwrap().scope;
        for (id, words) in [
            (MODEL_ID, None),
            ("us.anthropic.claude-sonnet-4-20250514-v1:0", None),
            ("global.anthropic.claude-sonnet-4-20250514-v1:0", None),
            (
                "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
                None,
            ),
            ("anthropic.claude-3-haiku-20240307-v1:0", None),
            ("amazon.nova-lite-v1:0", None),
            ("anthropic.claude-sonnet-4-20250514-v1:0", Some("on-demand throughput isn\u{2019}t supported")),
            ("eu.anthropic.claude-sonnet-4-20250514-v1:0", Some("model identifier is invalid")),
            ("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/us.anthropic.claude-x", Some("is invalid")),
            ("arn:aws:bedrock:us-east-1:210987654321:inference-profile/us.anthropic.claude-x", Some("is invalid")),
            ("amazon.titan-embed-text-v2:0", Some("doesn't support the model")),
            ("nope", Some("model identifier is invalid")),
        ] {
            let found = admitted(id, &place).err().map(|refusal| refusal.message);
            match words {
                Some(words) => assert!(found.as_ref().is_some_and(|found| found.contains(words)), "{id}: {found:?}"),
                None => assert_eq!(found, None, "{id}"),
            }
        }
        assert_eq!(of_path("/model/arn%3Aaws%3Abedrock%2Fx/converse"), "arn:aws:bedrock/x");
    }

    #[test]
    fn what_is_beyond_the_bounds_is_refused() {
        let tool = |name: &str| json!({ "toolSpec": { "name": name } });
        for (input, tokens, words) in [
            (json!({ "inferenceConfig": { "temperature": 1.0, "topP": 0, "maxTokens": 1 } }), 200_000, ""),
            (json!({ "inferenceConfig": { "temperature": 2 } }), 1, "less than or equal to 1"),
            (json!({ "inferenceConfig": { "topP": -0.5 } }), 1, "greater than or equal to 0"),
            (json!({ "inferenceConfig": { "maxTokens": 0 } }), 1, "greater than or equal to 1"),
            (json!({ "toolConfig": { "tools": [] } }), 1, "length greater"),
            (json!({ "toolConfig": { "tools": [tool("bad name!")] } }), 1, "pattern"),
            (json!({ "toolConfig": { "tools": [tool("a"), tool("a")] } }), 1, "two tools"),
            (
                json!({ "toolConfig": { "tools": [tool("a")], "toolChoice": { "tool": { "name": "b" } } } }),
                1,
                "does not hold",
            ),
            (json!({ "toolConfig": { "tools": [tool("a")], "toolChoice": { "tool": { "name": "a" } } } }), 1, ""),
            (json!({}), 200_001, "too long"),
        ] {
            let found = bounded(&input, tokens).err().map(|refusal| refusal.message).unwrap_or_default();
            assert!(found.contains(words) && found.is_empty() == words.is_empty(), "{input}: {found:?}");
        }
    }
}
