//! CloudWatch Logs over awsJson 1.1: groups and streams here; events, queries and live sessions in their own files.

mod events;
mod insights;
mod live;
mod pattern;

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::aws::{Break, Call, Fullness, Refusal, typed};
use crate::rehearsal::server::Cloud;
use crate::rehearsal::world::Sight;

/// Accounts of a `DescribeLogGroups` at most (API reference).
const MOST_ACCOUNTS: usize = 20;

/// What the service keeps between requests.
#[derive(Debug, Default)]
pub struct LogSessions {
    queries: insights::Queries,
    tails: live::Seats,
}

/// Answers an operation.
pub fn answer(cloud: &Arc<Cloud>, call: &Call, fullness: Fullness) -> Result<Response, Refusal> {
    let mut input = input(call)?;
    if call.operation == "StartLiveTail" {
        return live::start(cloud, call, &input, live::Course { fullness, at: None });
    }
    if let Fullness::Pages(size) = fullness {
        let asked = input["limit"].as_u64().unwrap_or(u64::MAX);
        input["limit"] = json!(asked.min(size as u64));
    }
    let (now, lives) = cloud.lives();
    let sight = cloud.world.at(now, &lives);
    let output = match (call.operation.as_str(), fullness) {
        (operation, Fullness::Nothing) => nothing(operation)?.to_string().into_bytes(),
        ("FilterLogEvents", _) => events::filter(&sight, &input)?,
        ("GetLogEvents", _) => events::get(&sight, &input)?,
        ("StartQuery", _) => insights::start(&cloud.log_sessions.queries, &sight, &input)?.to_string().into_bytes(),
        ("GetQueryResults", _) => {
            insights::results(&cloud.log_sessions.queries, &sight, &input)?.to_string().into_bytes()
        }
        ("StopQuery", _) => insights::stop(&cloud.log_sessions.queries, &sight, &input)?.to_string().into_bytes(),
        ("DescribeLogGroups", _) => groups(&sight, &input)?.to_string().into_bytes(),
        ("DescribeLogStreams", _) => streams(&sight, &input)?.to_string().into_bytes(),
        (other, _) => return Err(unknown(other)),
    };
    Ok(typed(Body::from(output), "application/x-amz-json-1.1"))
}

/// Answers with a session that ends before its time; what is no session fails as a whole.
pub(super) fn broken(cloud: &Arc<Cloud>, call: &Call, at: Break) -> Result<Response, Refusal> {
    if call.operation == "StartLiveTail" {
        return live::start(cloud, call, &input(call)?, live::Course { fullness: Fullness::Whole, at: Some(at) });
    }
    Err(Refusal { status: 503, ..Refusal::invalid("ServiceUnavailableException", "The service broke off.") })
}

fn input(call: &Call) -> Result<Value, Refusal> {
    let input: Value = serde_json::from_slice(&call.body)
        .map_err(|error| Refusal::invalid("SerializationException", error.to_string()))?;
    if !input.is_object() {
        return Err(Refusal::invalid("SerializationException", "Start of structure or map found where not expected."));
    }
    Ok(input)
}

/// A member that has one of a few values, where it is there.
fn one_of(input: &Value, key: &str, allowed: &[&str]) -> Result<(), Refusal> {
    match input[key].as_str().filter(|given| !allowed.contains(given)) {
        None => Ok(()),
        Some(given) => Err(invalid(format!(
            "1 validation error detected: Value '{given}' at '{key}' failed to satisfy constraint: Member must satisfy enum \
             value set: [{}]",
            allowed.join(", ")
        ))),
    }
}

/// A well-formed answer with nothing in it.
fn nothing(operation: &str) -> Result<Value, Refusal> {
    match operation {
        "FilterLogEvents" => Ok(json!({ "events": [], "searchedLogStreams": [] })),
        "GetLogEvents" => Ok(json!({ "events": [] })),
        "StartQuery" => Ok(json!({ "queryId": insights::NO_QUERY })),
        "GetQueryResults" => Ok(json!({ "results": [], "status": "Complete", "statistics": {} })),
        "StopQuery" => Ok(json!({ "success": false })),
        "DescribeLogGroups" => Ok(json!({ "logGroups": [] })),
        "DescribeLogStreams" => Ok(json!({ "logStreams": [] })),
        other => Err(unknown(other)),
    }
}

fn unknown(operation: &str) -> Refusal {
    Refusal::invalid("UnknownOperationException", format!("{operation} is not simulated."))
}

fn invalid(message: impl Into<String>) -> Refusal {
    Refusal::invalid("InvalidParameterException", message)
}

/// `DescribeLogGroups`.
fn groups(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    let prefix = input["logGroupNamePrefix"].as_str();
    let part = input["logGroupNamePattern"].as_str();
    if prefix.is_some() && part.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    one_of(input, "logGroupClass", &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"])?;
    let of_class = input["logGroupClass"].as_str().is_none_or(|class| class == "STANDARD");
    let named = events::texts(&input["logGroupIdentifiers"]);
    let is_named = |group: &str| {
        named.is_empty()
            || named.iter().any(|given| *given == name(group) || given.trim_end_matches(":*") == arn(sight, group))
    };
    let accounts = linked(sight, input)?;
    let groups: Vec<Value> = sight
        .log_groups()
        .into_iter()
        .filter(|group| accounts.hold(owner(sight, group)))
        .filter(|group| of_class && is_named(group))
        .filter(|group| prefix.is_none_or(|prefix| name(group).starts_with(prefix)))
        .filter(|group| part.is_none_or(|part| name(group).contains(part)))
        .map(|group| {
            json!({
                "logGroupName": name(group),
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

/// The accounts whose groups are asked for.
enum Accounts {
    /// All that are linked, and its own.
    Linked,
    /// These.
    Named(Vec<String>),
}

impl Accounts {
    fn hold(&self, account: &str) -> bool {
        match self {
            Self::Linked => true,
            Self::Named(accounts) => accounts.iter().any(|named| named == account),
        }
    }
}

/// The accounts that a request names. They count with `includeLinkedAccounts` alone; without it only its own is meant.
fn linked(sight: &Sight<'_>, input: &Value) -> Result<Accounts, Refusal> {
    let accounts = events::texts(&input["accountIdentifiers"]);
    let is_account = |account: &String| account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    if accounts.len() > MOST_ACCOUNTS || !accounts.iter().all(is_account) {
        return Err(invalid(format!("accountIdentifiers takes at most {MOST_ACCOUNTS} accounts of 12 digits.")));
    }
    Ok(match (input["includeLinkedAccounts"] == true, accounts.is_empty()) {
        (false, _) => Accounts::Named(vec![sight.scenario().scope.account.to_string()]),
        (true, true) => Accounts::Linked,
        (true, false) => Accounts::Named(accounts),
    })
}

/// `DescribeLogStreams`: by name, or by the last event.
fn streams(sight: &Sight<'_>, input: &Value) -> Result<Value, Refusal> {
    one_of(input, "orderBy", &["LogStreamName", "LastEventTime"])?;
    let group = existing_group(sight, input)?;
    let prefix = input["logStreamNamePrefix"].as_str().unwrap_or_default();
    let mut streams = sight.log_streams(group);
    streams.retain(|stream| stream.name.starts_with(prefix));
    if input["orderBy"] == "LastEventTime" {
        if !prefix.is_empty() {
            return Err(invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
        }
        streams.sort_by_key(|stream| stream.last);
    }
    if input["descending"] == true {
        streams.reverse();
    }
    let streams: Vec<Value> = streams
        .into_iter()
        .map(|stream| {
            let (first, last) = (stream.first.as_millisecond(), stream.last.as_millisecond());
            json!({
                "logStreamName": *stream.name,
                "creationTime": first,
                "firstEventTimestamp": first,
                "lastEventTimestamp": last,
                "lastIngestionTime": last + 420,
                "arn": format!("{}:log-stream:{}", arn(sight, group), stream.name),
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
    let (name, identifier) = (input["logGroupName"].as_str(), input["logGroupIdentifier"].as_str());
    let given = name.xor(identifier);
    let given = given.ok_or_else(|| invalid("Exactly one of logGroupName and logGroupIdentifier is required."))?;
    group_of(sight, given)
}

/// A group by name or ARN; one of a linked account has no other name than its ARN.
fn group_of<'a>(sight: &Sight<'a>, given: &str) -> Result<&'a str, Refusal> {
    let is_given = |group: &&str| match given.strip_prefix("arn:") {
        Some(_) => arn(sight, group) == given.trim_end_matches(":*"),
        None => *group == given,
    };
    sight
        .log_groups()
        .into_iter()
        .find(is_given)
        .ok_or_else(|| Refusal::invalid("ResourceNotFoundException", "The specified log group does not exist."))
}

fn instant(value: &Value) -> Result<Option<Timestamp>, Refusal> {
    match value {
        Value::Null => Ok(None),
        given if given.as_i64().is_some_and(|millis| millis < 0) => Err(invalid(format!(
            "1 validation error detected: Value '{given}' failed to satisfy constraint: Member must have value greater than or \
             equal to 0"
        ))),
        given => given
            .as_i64()
            .and_then(|millis| Timestamp::from_millisecond(millis).ok())
            .map(Some)
            .ok_or_else(|| invalid(format!("{given} is not a time in milliseconds."))),
    }
}

/// The account that has a group.
fn owner<'a>(sight: &Sight<'a>, group: &'a str) -> &'a str {
    let of_arn = group.strip_prefix("arn:").and_then(|arn| arn.split(':').nth(3));
    of_arn.unwrap_or(sight.scenario().scope.account.as_str())
}

/// The name of a group within its account.
fn name(group: &str) -> &str {
    group.split_once(":log-group:").map_or(group, |(_, name)| name)
}

/// Its ARN: as the scenario names one of a linked account.
fn arn(sight: &Sight<'_>, group: &str) -> String {
    if group.starts_with("arn:") {
        return group.to_owned();
    }
    let scope = &sight.scenario().scope;
    format!("arn:aws:logs:{}:{}:log-group:{group}", scope.region, scope.account)
}
