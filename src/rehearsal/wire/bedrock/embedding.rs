//! `InvokeModel` for embeddings, in the shapes of Amazon Titan and of Cohere. A vector is made of the text alone: its words
//! and their letters in threes are hashed into dimensions, so that like texts lie near each other.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Refusal, model, refusal, tokens};
use crate::rehearsal::behaviour::mixed;
use crate::rehearsal::scenario::ModelException;
use crate::rehearsal::wire::aws::{Call, Fullness, typed};

/// What Titan takes of one text.
const TITAN_TOKENS: u64 = 8_192;
/// What Cohere takes in one request.
const COHERE_TEXTS: usize = 96;

/// Whose shapes a model speaks.
enum Family {
    Titan { sizes: &'static [u64], default: u64 },
    Cohere { sizes: &'static [u64], default: u64 },
}

/// Answers with the vectors of the texts in a request.
pub(super) fn answer(call: &Call, fullness: Fullness) -> Result<Response, Refusal> {
    let model = model::of_path(&call.path);
    let family = family(&model).ok_or_else(|| unknown(&model))?;
    let input: Value = serde_json::from_slice(&call.body)
        .map_err(|error| malformed(&format!("{error}, please reformat your input")))?;
    let (body, count) = match family {
        Family::Titan { sizes, default } => titan(&input, size(&input, "dimensions", sizes, default)?, fullness)?,
        Family::Cohere { sizes, default } => {
            cohere(&input, size(&input, "output_dimension", sizes, default)?, fullness)?
        }
    };
    let mut response = typed(Body::from(body.to_string()), "application/json");
    response.headers_mut().insert("x-amzn-bedrock-input-token-count", HeaderValue::from(count));
    Ok(response)
}

/// The tokens of a body of `InvokeModel`, as `CountTokens` carries it.
pub(super) fn tokens_of_body(body: &str) -> Result<u64, Refusal> {
    let bytes = STANDARD.decode(body).map_err(|_| malformed("the body is not base64"))?;
    let body: Value = serde_json::from_slice(&bytes).map_err(|_| malformed("the body is not JSON"))?;
    Ok(tokens(body.to_string().len()))
}

fn family(model: &str) -> Option<Family> {
    let is = |name: &str| model.contains(name);
    if is("amazon.titan-embed-text-v2") {
        return Some(Family::Titan { sizes: &[256, 512, 1024], default: 1024 });
    }
    if is("amazon.titan-embed-text-v1") || is("amazon.titan-embed-g1-text") {
        return Some(Family::Titan { sizes: &[1536], default: 1536 });
    }
    if is("cohere.embed-v4") {
        return Some(Family::Cohere { sizes: &[256, 512, 1024, 1536], default: 1536 });
    }
    (is("cohere.embed-english-v3") || is("cohere.embed-multilingual-v3"))
        .then_some(Family::Cohere { sizes: &[1024], default: 1024 })
}

fn unknown(model: &str) -> Refusal {
    let talks = ["anthropic.", "amazon.nova", "meta.llama"].iter().any(|vendor| model.contains(vendor));
    let why = if talks {
        "This rehearsal simulates InvokeModel for embedding models; talk to this model by Converse."
    } else {
        "The provided model identifier is invalid."
    };
    refusal(ModelException::Validation, Some(why))
}

fn malformed(why: &str) -> Refusal {
    refusal(
        ModelException::Validation,
        Some(&format!("Malformed input request: {why}, please reformat your input and try again.")),
    )
}

fn size(input: &Value, key: &str, sizes: &[u64], default: u64) -> Result<u64, Refusal> {
    match &input[key] {
        Value::Null => Ok(default),
        asked => asked
            .as_u64()
            .filter(|asked| sizes.contains(asked))
            .ok_or_else(|| malformed(&format!("#/{key}: {asked} is not a valid enum value"))),
    }
}

fn titan(input: &Value, size: u64, fullness: Fullness) -> Result<(Value, u64), Refusal> {
    let text = match &input["inputText"] {
        Value::Null => return Err(malformed("#: required key [inputText] not found")),
        Value::String(text) if text.is_empty() => {
            return Err(malformed("#/inputText: expected minLength: 1, actual: 0"));
        }
        Value::String(text) => text,
        other => return Err(malformed(&format!("#/inputText: expected type: String, found: {other}"))),
    };
    let count = tokens(text.len());
    if count > TITAN_TOKENS {
        let why = format!(
            "400 Bad Request: Too many input tokens. Max input tokens: {TITAN_TOKENS}, request input token count: {count}"
        );
        return Err(refusal(ModelException::Validation, Some(&why)));
    }
    let vector = if fullness == Fullness::Nothing { Vec::new() } else { vector(text, size) };
    Ok((json!({ "embedding": vector, "embeddingsByType": { "float": vector }, "inputTextTokenCount": count }), count))
}

fn cohere(input: &Value, size: u64, fullness: Fullness) -> Result<(Value, u64), Refusal> {
    let Some(texts) = input["texts"].as_array() else { return Err(malformed("#: required key [texts] not found")) };
    if !(1..=COHERE_TEXTS).contains(&texts.len()) {
        return Err(malformed(&format!("#/texts: expected 1 to {COHERE_TEXTS} items, found: {}", texts.len())));
    }
    let texts: Vec<&str> = texts
        .iter()
        .map(|text| text.as_str().ok_or_else(|| malformed(&format!("#/texts: expected type: String, found: {text}"))))
        .collect::<Result<_, _>>()?;
    let purposes = ["search_document", "search_query", "classification", "clustering"];
    if input["input_type"].as_str().is_none_or(|purpose| !purposes.contains(&purpose)) {
        return Err(malformed("#: required key [input_type] not found"));
    }
    let count = texts.iter().map(|text| tokens(text.len())).sum();
    let vectors: Vec<Vec<f64>> = match fullness {
        Fullness::Nothing => Vec::new(),
        Fullness::Whole | Fullness::Pages(_) => texts.iter().map(|text| vector(text, size)).collect(),
    };
    let by_type = input["embedding_types"].is_array();
    let (kind, embeddings) = if by_type {
        ("embeddings_by_type", json!({ "float": vectors }))
    } else {
        ("embeddings_floats", json!(vectors))
    };
    let id = format!("{:016x}", mixed(0, "cohere", &texts.join("\n")));
    Ok((json!({ "id": id, "texts": texts, "response_type": kind, "embeddings": embeddings }), count))
}

/// A unit vector of a text.
fn vector(text: &str, size: u64) -> Vec<f64> {
    let lower = text.to_lowercase();
    let mut vector = vec![0.0; size as usize];
    let mut add = |gram: &str, weight: f64| {
        let bits = mixed(0, "embedding", gram);
        vector[(bits % size) as usize] += if bits >> 63 == 0 { weight } else { -weight };
    };
    for word in lower.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()) {
        add(word, 1.0);
        let edged: Vec<char> = std::iter::once('^').chain(word.chars()).chain(std::iter::once('$')).collect();
        for three in edged.windows(3) {
            add(&three.iter().collect::<String>(), 0.4);
        }
    }
    // A text without a word still lies somewhere.
    add(&lower, 0.1);
    let length = vector.iter().map(|part| part * part).sum::<f64>().sqrt();
    vector.iter().map(|part| (part / length * 1e8).round() / 1e8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(one: &str, other: &str) -> f64 {
        vector(one, 256).iter().zip(vector(other, 256)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn a_vector_is_of_the_text_alone_and_like_texts_are_near() {
        let text = "memory leak in the cache of my-api";
        assert_eq!(vector(text, 1024), vector(text, 1024));
        assert!((near(text, text) - 1.0).abs() < 1e-6, "of length one");
        assert!(
            near(text, "the cache of my-api leaks memory") > near(text, "certificate of the gateway expired") + 0.3
        );
        assert!((near("!!", "!!") - 1.0).abs() < 1e-6);
    }

    #[test]
    fn each_family_has_its_shape_and_its_refusals() {
        let call = |model: &str, body: Value| Call {
            api: crate::rehearsal::ledger::Api::Bedrock,
            operation: "InvokeModel".to_owned(),
            path: format!("/model/{model}/invoke"),
            body: body.to_string().into(),
            signed_at: None,
            line: crate::rehearsal::wire::line::Line::default(),
        };
        let refused = |model, body| answer(&call(model, body), Fullness::Whole).err().map(|refusal| refusal.message);
        let titan = "amazon.titan-embed-text-v2%3A0";
        let cohere = "cohere.embed-english-v3";
        assert_eq!(refused(titan, json!({ "inputText": "x", "dimensions": 512 })), None);
        assert_eq!(refused(cohere, json!({ "texts": ["x"], "input_type": "search_query" })), None);
        for (model, body, words) in [
            (titan, json!({}), "required key [inputText] not found"),
            (titan, json!({ "inputText": "" }), "expected minLength: 1"),
            (titan, json!({ "inputText": "x", "dimensions": 100 }), "#/dimensions: 100"),
            (titan, json!({ "inputText": "x".repeat(40_000) }), "Too many input tokens"),
            (cohere, json!({ "texts": [], "input_type": "search_query" }), "expected 1 to 96 items"),
            (cohere, json!({ "texts": ["x"] }), "required key [input_type] not found"),
            ("nobody.embeds", json!({}), "model identifier is invalid"),
            ("us.anthropic.claude-sonnet-4-20250514-v1%3A0", json!({}), "talk to this model by Converse"),
        ] {
            let found = refused(model, body).unwrap_or_default();
            assert!(found.contains(words), "{words}: {found}");
        }
    }
}
