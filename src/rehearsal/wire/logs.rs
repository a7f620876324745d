//! CloudWatch Logs over awsJson 1.1: groups, streams, and events filtered and paged.

mod pattern;

use std::collections::BTreeMap;

use axum::body::Body;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::aws::{Call, Fullness, Refusal, typed};
use crate::rehearsal::server::Cloud;
use crate::rehearsal::world::{LogEvent, Sight};
use pattern::Pattern;

/// Events a FilterLogEvents page answers at most (API reference).
const MOST_EVENTS: usize = 10_000;
/// Bytes of a page at most (API reference: 1 MB).
const MOST_BYTES: usize = 1 << 20;
/// Events looked at for a page: with a rare pattern a page may be empty and still have a next token, as the real one.
const MOST_SCANNED: usize = 1_500;

/// Answers an operation.
pub fn answer(cloud: &Cloud, call: &Call, fullness: Fullness) -> Result<Response, Refusal> {
    let mut input: Value = serde_json::from_slice(&call.body)
        .map_err(|error| Refusal::invalid("SerializationException", error.to_string()))?;
    if let Fullness::Pages(size) = fullness {
        let asked = input["limit"].as_u64().unwrap_or(u64::MAX);
        input["limit"] = json!(asked.min(size as u64));
    }
    let lives = cloud.lives();
    let sight = cloud.world.at(cloud.clock.now(), &lives);
    let output = match (call.operation.as_str(), fullness) {
        ("FilterLogEvents", Fullness::Nothing) => json!({ "events": [], "searchedLogStreams": [] }),
        ("FilterLogEvents", _) => filter(&sight, &input)?,
        ("DescribeLogGroups", Fullness::Nothing) => json!({ "logGroups": [] }),
        ("DescribeLogGroups", _) => groups(&sight, &input)?,
        ("DescribeLogStreams", Fullness::Nothing) => json!({ "logStreams": [] }),
        ("DescribeLogStreams", _) => streams(&sight, &input)?,
        (other, _) => {
            return Err(Refusal::invalid("UnknownOperationException", format!("{other} is not simulated.")));
        }
    };
    Ok(typed(Body::from(output.to_string()), "application/x-amz-json-1.1"))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::invalid("InvalidParameterException", message)
}

/// `FilterLogEvents`: both ends of the window are inclusive, in milliseconds.
fn filter(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let group = existing_group(sight, input)?;
    let limit = limit(input, MOST_EVENTS)?;
    let pattern = Pattern::parse(input["filterPattern"].as_str().unwrap_or_default()).map_err(invalid)?;
    let dawn = sight.scenario().dawn();
    let from = instant(&input["startTime"])?.unwrap_or(dawn).max(dawn);
    let to = instant(&input["endTime"])?.unwrap_or(sight.now());
    let begin = match input["nextToken"].as_str() {
        None => (from, String::new()),
        Some(token) => position(token).ok_or_else(|| invalid("The specified nextToken is invalid."))?,
    };
    let streams: Option<Vec<&str>> =
        input["logStreamNames"].as_array().map(|names| names.iter().filter_map(Value::as_str).collect());
    let prefix = input["logStreamNamePrefix"].as_str();
    let wanted = |event: &LogEvent| {
        streams.as_ref().is_none_or(|streams| streams.contains(&event.stream.as_str()))
            && prefix.is_none_or(|prefix| event.stream.starts_with(prefix))
            && pattern.matches(&event.message)
    };
    let mut events = Vec::new();
    let mut bytes = 0;
    let mut next = None;
    let all = sight.log_events(group, begin.0.max(from), to + SignedDuration::from_millis(1));
    for (scanned, event) in all.iter().filter(|event| (event.at, &event.id) >= (begin.0, &begin.1)).enumerate() {
        if events.len() == limit || bytes > MOST_BYTES || scanned == MOST_SCANNED {
            next = Some(token_at(event));
            break;
        }
        if wanted(event) {
            bytes += event.message.len() + 26;
            events.push(json!({
                "logStreamName": event.stream,
                "timestamp": event.at.as_millisecond(),
                "message": event.message,
                "ingestionTime": event.at.as_millisecond() + 420,
                "eventId": event.id,
            }));
        }
    }
    let mut output = json!({ "events": events, "searchedLogStreams": [] });
    if let Some(next) = next {
        output["nextToken"] = Value::String(next);
    }
    Ok(output)
}

/// `DescribeLogGroups`.
fn groups(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let prefix = input["logGroupNamePrefix"].as_str();
    let part = input["logGroupNamePattern"].as_str();
    let groups: Vec<Value> = sight
        .log_groups()
        .into_iter()
        .filter(|group| prefix.is_none_or(|prefix| group.starts_with(prefix)))
        .filter(|group| part.is_none_or(|part| group.contains(part)))
        .map(|group| {
            json!({
                "logGroupName": group,
                "logGroupArn": arn(sight, group),
                "arn": format!("{}:*", arn(sight, group)),
                "creationTime": sight.scenario().dawn().as_millisecond(),
                "retentionInDays": 30,
                "metricFilterCount": 0,
                "storedBytes": 0,
                "logGroupClass": "STANDARD",
            })
        })
        .collect();
    paged("logGroups", &groups, input)
}

/// `DescribeLogStreams`: by name, or by the last event.
fn streams(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let group = existing_group(sight, input)?;
    let prefix = input["logStreamNamePrefix"].as_str().unwrap_or_default();
    let mut ends: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for event in sight.log_events(group, sight.scenario().dawn(), sight.now()) {
        let at = event.at.as_millisecond();
        ends.entry(event.stream).and_modify(|ends| ends.1 = at).or_insert((at, at));
    }
    let mut streams: Vec<(String, (i64, i64))> =
        ends.into_iter().filter(|(stream, _)| stream.starts_with(prefix)).collect();
    if input["orderBy"] == "LastEventTime" {
        if !prefix.is_empty() {
            return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
        }
        streams.sort_by_key(|(_, ends)| ends.1);
    }
    if input["descending"] == true {
        streams.reverse();
    }
    let streams: Vec<Value> = streams
        .into_iter()
        .map(|(stream, (first, last))| {
            json!({
                "logStreamName": stream,
                "creationTime": first,
                "firstEventTimestamp": first,
                "lastEventTimestamp": last,
                "lastIngestionTime": last + 420,
                "arn": format!("{}:log-stream:{stream}", arn(sight, group)),
                "storedBytes": 0,
            })
        })
        .collect();
    paged("logStreams", &streams, input)
}

fn paged(member: &str, entries: &[Value], input: &Value) -> Result<Value, Refusal> {
    let size = limit(input, 50)?;
    let from = match input["nextToken"].as_str() {
        None => 0,
        Some(token) => token
            .parse::<usize>()
            .ok()
            .filter(|from| *from <= entries.len())
            .ok_or_else(|| invalid("The specified nextToken is invalid."))?,
    };
    let to = (from + size).min(entries.len());
    let mut output = json!({ member: entries[from..to] });
    if to < entries.len() {
        output["nextToken"] = Value::String(to.to_string());
    }
    Ok(output)
}

fn limit(input: &Value, most: usize) -> Result<usize, Refusal> {
    match &input["limit"] {
        Value::Null => Ok(most),
        given => {
            given.as_u64().map(|limit| limit as usize).filter(|limit| (1..=most).contains(limit)).ok_or_else(|| {
                invalid(format!(
                    "1 validation error detected: Value '{given}' at 'limit' failed to satisfy constraint: Member must \
                     have value between 1 and {most}"
                ))
            })
        }
    }
}

/// The group a request names, by name or ARN.
fn existing_group<'a>(sight: &Sight<'a>, input: &Value) -> Result<&'a str, Refusal> {
    let given = input["logGroupName"].as_str().or(input["logGroupIdentifier"].as_str());
    let given = given.ok_or_else(|| invalid("Exactly one of logGroupName and logGroupIdentifier is required."))?;
    let name = given.split_once(":log-group:").map_or(given, |(_, name)| name.trim_end_matches(":*"));
    sight
        .log_groups()
        .into_iter()
        .find(|group| *group == name)
        .ok_or_else(|| Refusal::invalid("ResourceNotFoundException", "The specified log group does not exist."))
}

fn instant(value: &Value) -> Result<Option<Timestamp>, Refusal> {
    match value {
        Value::Null => Ok(None),
        given => given
            .as_i64()
            .and_then(|millis| Timestamp::from_millisecond(millis).ok())
            .map(Some)
            .ok_or_else(|| invalid(format!("{given} is not a time in milliseconds."))),
    }
}

fn arn(sight: &Sight<'_>, group: &str) -> String {
    let scope = &sight.scenario().scope;
    format!("arn:aws:logs:{}:{}:log-group:{group}", scope.region, scope.account)
}

/// The token of the page that begins with an event.
fn token_at(event: &LogEvent) -> String {
    URL_SAFE_NO_PAD.encode(format!("{}:{}", event.at.as_millisecond(), event.id))
}

fn position(token: &str) -> Option<(Timestamp, String)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (millis, id) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some((Timestamp::from_millisecond(millis.parse().ok()?).ok()?, id.to_owned()))
}
