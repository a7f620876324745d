//! CloudWatch over Smithy RPC v2 CBOR: alarms, their history, and metrics.

mod alarms;
pub mod cbor;
mod listings;
mod metrics;

use axum::body::{Body, Bytes};
use axum::http::HeaderValue;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::aws::{Call, Fullness, Refusal, typed};
use crate::rehearsal::server::Cloud;
use crate::rehearsal::world::Sight;
use cbor::Value;
pub use listings::Listings;

/// Answers an operation.
pub fn answer(cloud: &Cloud, call: &Call, fullness: Fullness) -> Result<Response, Refusal> {
    // No body at all is a map without members.
    let input = if call.body.is_empty() {
        Value::Map(Vec::new())
    } else {
        cbor::read(&call.body).map_err(|error| Refusal::invalid("SerializationException", error.to_string()))?
    };
    if !matches!(input, Value::Map(_)) {
        return Err(Refusal::invalid("SerializationException", "Expected a map of members"));
    }
    if fullness == Fullness::Nothing {
        return Ok(reply(&Value::Map(Vec::new())));
    }
    let (now, lives) = cloud.lives();
    let sight = cloud.world.at(now, &lives);
    if call.operation == "DescribeAlarms" && fullness == Fullness::Whole {
        let turn = sight.alarms_turn();
        if let Some(known) = cloud.listings.known(&call.body, turn) {
            return Ok(sent(known));
        }
        let answer = Bytes::from(cbor::write(&alarms::describe(&sight, &input)?));
        cloud.listings.keep(&call.body, turn, &answer);
        return Ok(sent(answer));
    }
    let output = operation(&sight, &call.operation, &paged(input, fullness))?;
    Ok(reply(&output))
}

/// The question with its pages made small, where a fault asks for that.
fn paged(input: Value, fullness: Fullness) -> Value {
    let (Fullness::Pages(size), Value::Map(mut members)) = (fullness, input.clone()) else { return input };
    let keys = ["MaxRecords", "MaxDatapoints"];
    members.retain(|(name, _)| !keys.contains(&name.as_str()));
    let sizes = keys.map(|key| {
        let asked = input.int(key).and_then(|asked| usize::try_from(asked).ok()).unwrap_or(size);
        (key.to_owned(), Value::Int(i64::try_from(asked.min(size)).unwrap_or(i64::MAX)))
    });
    Value::Map(members.into_iter().chain(sizes).collect())
}

fn operation(sight: &Sight<'_>, operation: &str, input: &Value) -> Result<Value, Refusal> {
    match operation {
        "DescribeAlarms" => alarms::describe(sight, input),
        "DescribeAlarmHistory" => alarms::history(sight, input),
        "DescribeAlarmsForMetric" => Ok(alarms::for_metric(sight, input)),
        "ListTagsForResource" => alarms::tags(sight, input),
        "GetMetricData" => metrics::data(sight, input),
        "GetMetricStatistics" => metrics::statistics(sight, input),
        "ListMetrics" => metrics::list(sight, input),
        other => Err(Refusal::invalid("UnknownOperationException", format!("{other} is not simulated."))),
    }
}

/// The body and headers of a refusal: `__type` in the body, and the query protocol's code in a header.
pub fn refused(refusal: &Refusal) -> Response {
    let kind = format!("com.amazonaws.cloudwatch#{}", refusal.code);
    let body = Value::map([("__type", Value::text(kind)), ("message", Value::text(&refusal.message))]);
    let mut response = reply(&body);
    if let Ok(code) = HeaderValue::from_str(&format!("{};Sender", refusal.query_code)) {
        response.headers_mut().insert("x-amzn-query-error", code);
    }
    response
}

fn reply(value: &Value) -> Response {
    sent(Bytes::from(cbor::write(value)))
}

fn sent(written: Bytes) -> Response {
    let mut response = typed(Body::from(written), "application/cbor");
    response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    response
}

/// A page of `entries` from where a token points, and the token of the next page.
fn page<T: Clone>(entries: &[T], size: usize, token: Option<&str>) -> Result<(Vec<T>, Option<String>), Refusal> {
    let from = match token {
        None => 0,
        Some(token) => offset(token)
            .filter(|from| *from <= entries.len())
            .ok_or_else(|| Refusal::invalid("InvalidNextToken", "The next token specified is invalid."))?,
    };
    let to = (from + size).min(entries.len());
    Ok((entries[from..to].to_vec(), (to < entries.len()).then(|| token_at(to))))
}

fn token_at(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("page:{offset}"))
}

fn offset(token: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_prefix("page:")?.parse().ok()
}

/// A size parameter between 1 and `most`.
fn size(input: &Value, key: &str, default: usize, most: usize) -> Result<usize, Refusal> {
    match input.int(key) {
        None => Ok(default),
        Some(size) if usize::try_from(size).is_ok_and(|size| (1..=most).contains(&size)) => Ok(size as usize),
        Some(size) => Err(Refusal::invalid("ValidationError", format!("{key} {size} is not between 1 and {most}."))),
    }
}

/// A member that has one of a few values, where it is there.
fn one_of(input: &Value, key: &str, allowed: &[&str]) -> Result<(), Refusal> {
    match input.str(key).filter(|given| !allowed.contains(given)) {
        None => Ok(()),
        Some(given) => {
            Err(not_in_set(key, given, &format!("Member must satisfy enum value set: [{}]", allowed.join(", "))))
        }
    }
}

/// A list of a few values, where it is there.
fn each_of(input: &Value, key: &str, allowed: &[&str]) -> Result<(), Refusal> {
    let given = input.texts(key);
    if given.iter().all(|given| allowed.contains(given)) {
        return Ok(());
    }
    let set = format!("Member must satisfy constraint: [Member must satisfy enum value set: [{}]]", allowed.join(", "));
    Err(not_in_set(key, &format!("[{}]", given.join(", ")), &set))
}

fn not_in_set(key: &str, given: &str, constraint: &str) -> Refusal {
    let (first, rest) = key.split_at(1);
    let message = format!(
        "1 validation error detected: Value '{given}' at '{}{rest}' failed to satisfy constraint: {constraint}",
        first.to_ascii_lowercase()
    );
    Refusal::invalid("ValidationError", message)
}

/// Dimensions as the wire lists them.
fn dimensions<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> Value {
    Value::List(
        pairs.map(|(name, value)| Value::map([("Name", Value::text(name)), ("Value", Value::text(value))])).collect(),
    )
}

/// Dimensions as a request lists them, with values optional.
fn asked_dimensions(input: &Value) -> Vec<(&str, Option<&str>)> {
    let dimensions = input.list("Dimensions").iter();
    dimensions.filter_map(|dimension| Some((dimension.str("Name")?, dimension.str("Value")))).collect()
}
