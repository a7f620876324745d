//! The Slack incoming webhook, with the limits that a real one refuses by (Block Kit reference).

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use super::broken;
use super::line::Line;
use crate::rehearsal::faults::Struck;
use crate::rehearsal::ledger::{Api, Arrival, DryRun, Mutates};
use crate::rehearsal::scenario::{FaultEffect, SlackWord};
use crate::rehearsal::server::Cloud;

/// The path of the one webhook there is.
pub const WEBHOOK: &str = "/services/T00000000/B00000000/rehearsal";

/// Messages a webhook takes in a burst, and then one a second (rate limits of incoming webhooks).
const BURST: f64 = 5.0;
/// Characters of a message's text (`msg_too_long`).
const LONGEST_TEXT: usize = 40_000;
/// Attachments of a message (`too_many_attachments`).
const MOST_ATTACHMENTS: usize = 100;

/// The webhook: the cloud it stands in, and how many messages it would take now.
#[derive(Debug)]
struct Hook {
    cloud: Arc<Cloud>,
    bucket: Mutex<(Timestamp, f64)>,
}

/// The routes of the Slack port.
pub fn router(cloud: Arc<Cloud>) -> Router {
    let hook = Hook { bucket: Mutex::new((cloud.scenario.start, BURST)), cloud };
    Router::new().route("/services/{*rest}", post(receive)).with_state(Arc::new(hook))
}

async fn receive(
    State(hook): State<Arc<Hook>>,
    Path(rest): Path<String>,
    extensions: Extensions,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let cloud = &hook.cloud;
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
    let whole = || hook.judged(&rest, &headers, &body);
    let response = match struck {
        Some(FaultEffect::Silence) => std::future::pending().await,
        Some(FaultEffect::Reset | FaultEffect::Unresolved) => return Line::of(&extensions).reset(),
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
    Some(match effect {
        FaultEffect::Throttled => throttled(30),
        FaultEffect::Denied => word(SlackWord::ActionProhibited),
        FaultEffect::Expired => word(SlackWord::InvalidToken),
        FaultEffect::Unavailable => word(SlackWord::RollupError),
        FaultEffect::Refused { word: said } => word(*said),
        FaultEffect::Malformed => broken::page(),
        _ => return None,
    })
}

fn word(word: SlackWord) -> Response {
    (StatusCode::from_u16(word.status()).unwrap_or(StatusCode::BAD_REQUEST), word.text()).into_response()
}

fn throttled(seconds: u32) -> Response {
    (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds.to_string())], "rate_limited").into_response()
}

impl Hook {
    fn judged(&self, rest: &str, headers: &HeaderMap, body: &Bytes) -> Response {
        if format!("/services/{rest}") != WEBHOOK {
            return word(SlackWord::NoService);
        }
        if !self.takes_another() {
            return throttled(1);
        }
        let json = headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let message = json.then(|| serde_json::from_slice::<Value>(body).ok()).flatten().filter(Value::is_object);
        match message.as_ref().map(refused) {
            None => (StatusCode::BAD_REQUEST, "invalid_payload").into_response(),
            Some(Some(why)) => (StatusCode::BAD_REQUEST, why).into_response(),
            Some(None) => (StatusCode::OK, "ok").into_response(),
        }
    }

    /// One message a second of incident time, with room for a short burst.
    fn takes_another(&self) -> bool {
        let now = self.cloud.clock.now();
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let left = (bucket.1 + now.duration_since(bucket.0).as_secs_f64()).min(BURST);
        let takes = left >= 1.0;
        *bucket = (now, if takes { left - 1.0 } else { left });
        takes
    }
}

/// Why Slack would refuse a message, in its word.
pub fn refused(message: &Value) -> Option<&'static str> {
    let text = message["text"].as_str().unwrap_or_default();
    let attachments = message["attachments"].as_array().map_or(0, Vec::len);
    if text.chars().count() > LONGEST_TEXT {
        return Some("msg_too_long");
    }
    if attachments > MOST_ATTACHMENTS {
        return Some("too_many_attachments");
    }
    match &message["blocks"] {
        Value::Null if text.is_empty() && attachments == 0 => Some("no_text"),
        Value::Null => None,
        Value::Array(blocks) if blocks.is_empty() && text.is_empty() && attachments == 0 => Some("no_text"),
        Value::Array(blocks) if blocks.len() <= 50 && blocks.iter().all(block_is_valid) && names_differ(blocks) => None,
        Value::Array(_) => Some("invalid_blocks"),
        _ => Some("invalid_blocks_format"),
    }
}

/// No two blocks may bear one id.
fn names_differ(blocks: &[Value]) -> bool {
    let mut ids: Vec<&str> = blocks.iter().filter_map(|block| block["block_id"].as_str()).collect();
    let named = ids.len();
    ids.sort_unstable();
    ids.dedup();
    ids.len() == named
}

/// Texts in which Slack would take a bare `&`, `<` or `>` for one of its own marks. It refuses none of them: it shows them
/// wrongly, which is worse.
pub fn unescaped(message: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = vec![message];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(fields) if fields.get("type").is_some_and(|kind| kind == "mrkdwn") => {
                let text = fields.get("text").and_then(Value::as_str).unwrap_or_default();
                if is_unescaped(text) {
                    found.push(text.to_owned());
                }
            }
            Value::Object(fields) => rest.extend(fields.values()),
            Value::Array(entries) => rest.extend(entries),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    found.extend(message["text"].as_str().filter(|text| is_unescaped(text)).map(str::to_owned));
    found
}

fn is_unescaped(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>']) {
        let (before, marked) = rest.split_at(at);
        let escapes = ["&amp;", "&lt;", "&gt;"];
        let links = ["<http://", "<https://", "<mailto:", "<@", "<#", "<!"];
        let begins_line = before.is_empty() || before.ends_with('\n');
        let is_quote = marked.starts_with('>') && begins_line;
        let passed = if escapes.iter().any(|escape| marked.starts_with(escape)) || is_quote {
            1
        } else if links.iter().any(|link| marked.starts_with(link)) {
            match marked.find('>') {
                Some(end) => end + 1,
                None => return true,
            }
        } else {
            return true;
        };
        rest = &marked[passed..];
    }
    false
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
            Some("markdown") => fits(&block["text"], 1..=12_000),
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
            && ["url", "value", "action_id"]
                .into_iter()
                .zip([3_000, 2_000, 255])
                .all(|(key, most)| element[key].is_null() || fits(&element[key], 1..=most)))
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
        let named = |id: &str| json!({ "type": "divider", "block_id": id });
        assert_eq!(of(vec![named("a"), named("b")]), None);
        assert_eq!(of(vec![named("a"), named("a")]), Some("invalid_blocks"));
        assert_eq!(refused(&json!({ "text": "x".repeat(40_001) })), Some("msg_too_long"));
        assert_eq!(refused(&json!({ "attachments": vec![json!({}); 101] })), Some("too_many_attachments"));
        assert_eq!(refused(&json!({ "blocks": "x" })), Some("invalid_blocks_format"));
        assert_eq!(refused(&json!({})), Some("no_text"));
        assert_eq!(refused(&json!({ "text": "hello" })), None);
    }

    #[test]
    fn a_mark_that_was_not_meant_is_found() {
        for text in ["a &amp; b", "see <https://x.example/?a=1&amp;b=2|here>", "> quoted", "<!here> 1 &lt; 2", "*bold*"]
        {
            assert!(!is_unescaped(text), "{text}");
        }
        for text in ["a & b", "p99 < 3 s", "a -> b", "<script>", "<https://x.example"] {
            assert!(is_unescaped(text), "{text}");
        }
        let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": "a < b" } });
        let plain = json!({ "type": "header", "text": { "type": "plain_text", "text": "a < b" } });
        assert_eq!(unescaped(&json!({ "text": "x", "blocks": [plain, section] })), ["a < b"]);
    }
}
