//! The Slack incoming webhook, with the limits that a real one refuses by (Block Kit reference).

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use serde_json::Value;

use super::broken;
use super::line::Line;
use crate::rehearsal::faults::Struck;
use crate::rehearsal::ledger::{Api, Arrival, DryRun, Mutates};
use crate::rehearsal::scenario::FaultEffect;
use crate::rehearsal::server::Cloud;

/// The path of the one webhook there is.
pub const WEBHOOK: &str = "/services/T00000000/B00000000/rehearsal";

/// The routes of the Slack port.
pub fn router(cloud: Arc<Cloud>) -> Router {
    Router::new().route("/services/{*rest}", post(receive)).with_state(cloud)
}

async fn receive(
    State(cloud): State<Arc<Cloud>>,
    Path(rest): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let now = cloud.clock.now();
    let seq = cloud.ledger.arrived(Arrival {
        at: now,
        api: Api::Slack,
        operation: "post".to_owned(),
        verb: "POST".to_owned(),
        path: format!("/services/{rest}"),
        dry_run: DryRun::No,
        mutating: Mutates::Writes,
        body: body.clone(),
    });
    let struck = cloud.faults.strike(Struck { api: Api::Slack, operation: "post", resource: None }, now);
    if let Some(effect) = &struck {
        cloud.ledger.met(seq, effect.word());
    }
    let whole = || judged(&rest, &headers, &body);
    let response = match struck {
        Some(FaultEffect::Silence) => std::future::pending().await,
        Some(FaultEffect::Reset) => return Line::of(&extensions).reset(),
        Some(FaultEffect::Cut { after_bytes }) => broken::cut(whole(), after_bytes),
        Some(FaultEffect::Latency { delay }) => {
            cloud.clock.pause(delay).await;
            whole()
        }
        Some(effect) => refusal(&effect).unwrap_or_else(whole),
        None => whole(),
    };
    cloud.ledger.answered(seq, response.status().as_u16());
    response
}

/// What Slack says to a message under a fault that it has a word for.
fn refusal(effect: &FaultEffect) -> Option<Response> {
    let throttled = (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "30")], "rate_limited");
    Some(match effect {
        FaultEffect::Throttled => throttled.into_response(),
        FaultEffect::Denied => (StatusCode::FORBIDDEN, "action_prohibited").into_response(),
        FaultEffect::Expired => (StatusCode::FORBIDDEN, "invalid_token").into_response(),
        FaultEffect::Unavailable => (StatusCode::INTERNAL_SERVER_ERROR, "rollup_error").into_response(),
        FaultEffect::Malformed => broken::page(),
        _ => return None,
    })
}

fn judged(rest: &str, headers: &HeaderMap, body: &Bytes) -> Response {
    if format!("/services/{rest}") != WEBHOOK {
        return (StatusCode::NOT_FOUND, "no_service").into_response();
    }
    let json = headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let message = json.then(|| serde_json::from_slice::<Value>(body).ok()).flatten().filter(Value::is_object);
    match message.as_ref().map(refused) {
        None => (StatusCode::BAD_REQUEST, "invalid_payload").into_response(),
        Some(Some(why)) => (StatusCode::BAD_REQUEST, why).into_response(),
        Some(None) => (StatusCode::OK, "ok").into_response(),
    }
}

/// Why Slack would refuse a message, in its word.
pub fn refused(message: &Value) -> Option<&'static str> {
    let text = message["text"].as_str().unwrap_or_default();
    let attachments = message["attachments"].as_array().map_or(0, Vec::len);
    match &message["blocks"] {
        Value::Null if text.is_empty() && attachments == 0 => Some("no_text"),
        Value::Null => None,
        Value::Array(blocks) if blocks.is_empty() && text.is_empty() && attachments == 0 => Some("no_text"),
        Value::Array(blocks) if blocks.len() <= 50 && blocks.iter().all(block_is_valid) => None,
        _ => Some("invalid_blocks"),
    }
}

fn block_is_valid(block: &Value) -> bool {
    let id_fits = block["block_id"].is_null() || fits(&block["block_id"], 1..=255);
    id_fits
        && match block["type"].as_str() {
            Some("divider") => true,
            Some("header") => block["text"]["type"] == "plain_text" && fits(&block["text"]["text"], 1..=150),
            Some("section") => section_is_valid(block),
            Some("context") => {
                let text = |element: &Value| element["type"] == "image" || text_is_valid(element, 3_000);
                elements(block, 10).is_some_and(|elements| elements.iter().all(text))
            }
            Some("actions") => elements(block, 25).is_some_and(|elements| elements.iter().all(button_is_valid)),
            Some("rich_text") => block["elements"].is_array(),
            Some("image") => fits(&block["image_url"], 1..=3_000) && fits(&block["alt_text"], 1..=2_000),
            _ => false,
        }
}

fn section_is_valid(block: &Value) -> bool {
    let text = &block["text"];
    let fields = &block["fields"];
    let fields_fit = match fields {
        Value::Null => !text.is_null(),
        Value::Array(fields) => {
            (1..=10).contains(&fields.len()) && fields.iter().all(|field| text_is_valid(field, 2_000))
        }
        _ => false,
    };
    fields_fit && (text.is_null() || text_is_valid(text, 3_000))
}

fn button_is_valid(element: &Value) -> bool {
    element["type"] != "button"
        || (element["text"]["type"] == "plain_text"
            && fits(&element["text"]["text"], 1..=75)
            && (element["url"].is_null() || fits(&element["url"], 1..=3_000)))
}

fn elements(block: &Value, most: usize) -> Option<&Vec<Value>> {
    block["elements"].as_array().filter(|elements| (1..=most).contains(&elements.len()))
}

fn text_is_valid(text: &Value, most: usize) -> bool {
    matches!(text["type"].as_str(), Some("mrkdwn" | "plain_text")) && fits(&text["text"], 1..=most)
}

fn fits(value: &Value, length: std::ops::RangeInclusive<usize>) -> bool {
    value.as_str().is_some_and(|text| length.contains(&text.chars().count()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_limits_are_those_of_block_kit() {
        let section =
            |length: usize| json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(length) } });
        let header =
            |length: usize| json!({ "type": "header", "text": { "type": "plain_text", "text": "x".repeat(length) } });
        let fields = |count: usize| json!({ "type": "section", "fields": vec![json!({ "type": "mrkdwn", "text": "f" }); count] });
        let button = |length: usize| {
            json!({ "type": "actions", "elements": [
            { "type": "button", "text": { "type": "plain_text", "text": "x".repeat(length) } }] })
        };
        let of = |blocks: Vec<Value>| refused(&json!({ "text": "t", "blocks": blocks }));
        for (fine, wrong) in [
            (section(3_000), section(3_001)),
            (header(150), header(151)),
            (fields(10), fields(11)),
            (button(75), button(76)),
            (json!({ "type": "divider" }), json!({ "type": "table-of-mine" })),
        ] {
            assert_eq!(of(vec![fine.clone()]), None, "{fine}");
            assert_eq!(of(vec![wrong.clone()]), Some("invalid_blocks"), "{wrong}");
        }
        assert_eq!(of(vec![section(1); 50]), None);
        assert_eq!(of(vec![section(1); 51]), Some("invalid_blocks"));
        assert_eq!(refused(&json!({})), Some("no_text"));
        assert_eq!(refused(&json!({ "text": "hello" })), None);
    }
}
