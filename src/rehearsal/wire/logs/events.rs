//! The events of a group: `FilterLogEvents` in pages that may be empty, `GetLogEvents` of one stream.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde::Serialize;
use serde_json::Value;

use super::pattern::Pattern;
use super::{existing_group, instant, invalid, limit};
use crate::rehearsal::wire::aws::Refusal;
use crate::rehearsal::world::{LogEvent, Order, Place, Sight, Tape};

/// Events a page answers at most (API reference).
const MOST_EVENTS: usize = 10_000;
/// Bytes of a page at most (API reference: 1 MB), each event counted with 26 bytes of its own.
const MOST_BYTES: usize = 1 << 20;
const OVERHEAD: usize = 26;
/// Bytes that an event takes on the wire beside its message and its stream: names, times and id.
const AROUND: usize = 180;
/// Events that a page passes over at most, so that one with a rare pattern may be empty and still have a next token, as
/// the real one; in a flood more.
const MOST_PASSED: usize = 1_500;
const MOST_PASSED_IN_A_FLOOD: usize = 50_000;
/// The latest first is only for windows from then on (API reference).
const DESCENDING_SINCE: i64 = 1_704_067_200;
const ONE_MILLISECOND: SignedDuration = SignedDuration::from_millis(1);

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Filtered<'e> {
    events: Vec<FilteredEvent<'e>>,
    searched_log_streams: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FilteredEvent<'e> {
    log_stream_name: &'e str,
    timestamp: i64,
    message: &'e str,
    ingestion_time: i64,
    event_id: String,
}

/// `FilterLogEvents`: both ends of the window are inclusive, in milliseconds; streams are always interleaved.
pub(super) fn filter(sight: &Sight<'_>, input: &Value) -> Result<Vec<u8>, Refusal> {
    let group = existing_group(sight, input)?;
    let limit = limit(input, MOST_EVENTS)?;
    let pattern = Pattern::parse(input["filterPattern"].as_str().unwrap_or_default()).map_err(invalid)?;
    let streams = Streams::asked(input)?;
    if !streams.names.is_empty() {
        let known = sight.log_streams(group);
        if !streams.names.iter().all(|name| known.iter().any(|stream| *stream.name == **name)) {
            return Err(Refusal::invalid("ResourceNotFoundException", "The specified log stream does not exist."));
        }
    }
    let tape = asked(sight, group, input)?;
    let most_passed = if sight.is_flooded(group) { MOST_PASSED_IN_A_FLOOD } else { MOST_PASSED };
    let (mut events, mut bytes, mut passed, mut next_token) = (Vec::new(), 0, 0, None);
    let order = tape.order();
    for event in tape {
        if events.len() == limit || bytes >= MOST_BYTES || passed == most_passed {
            next_token = Some(token(order, &event.place));
            break;
        }
        if !streams.take(&event.stream) || !pattern.matches(&event.message) {
            passed += 1;
            continue;
        }
        bytes += event.message.len() + OVERHEAD;
        events.push(event);
    }
    let room = events.iter().map(|event| event.message.len() + event.stream.len() + AROUND).sum();
    let events = events.iter().map(|event| FilteredEvent {
        log_stream_name: &event.stream,
        timestamp: event.place.at.as_millisecond(),
        message: &event.message,
        ingestion_time: event.place.ingested.as_millisecond(),
        event_id: event.place.id(),
    });
    written(&Filtered { events: events.collect(), searched_log_streams: [], next_token }, room)
}

/// The window that is asked for, from the place of a token on, in the token's direction.
fn asked<'a>(sight: &Sight<'a>, group: &str, input: &Value) -> Result<Tape<'a>, Refusal> {
    let from = instant(&input["startTime"])?.unwrap_or(sight.scenario().dawn());
    let to = instant(&input["endTime"])?.unwrap_or(sight.now());
    let tape = sight.log_tape(group, from, to + ONE_MILLISECOND);
    if let Some(token) = input["nextToken"].as_str() {
        let (order, place) = place(token).ok_or_else(|| invalid("The specified nextToken is invalid."))?;
        let tape = if order == Order::Backward { tape.backward() } else { tape };
        return Ok(tape.from_place(place));
    }
    if input["startFromHead"] != false {
        return Ok(tape);
    }
    if instant(&input["startTime"])?.is_none_or(|from| from.as_second() < DESCENDING_SINCE) {
        return Err(invalid("startFromHead can be false only with a startTime on or after 2024-01-01T00:00:00Z."));
    }
    Ok(tape.backward())
}

/// Which streams are asked for.
pub(super) struct Streams {
    names: Vec<String>,
    prefixes: Vec<String>,
}

impl Streams {
    fn asked(input: &Value) -> Result<Self, Refusal> {
        let names = texts(&input["logStreamNames"]);
        let prefixes: Vec<String> = input["logStreamNamePrefix"].as_str().map(str::to_owned).into_iter().collect();
        Self::of(names, prefixes)
    }

    /// By name or by prefix, not both.
    pub(super) fn of(names: Vec<String>, prefixes: Vec<String>) -> Result<Self, Refusal> {
        if names.len() > 100 || prefixes.len() > 100 {
            return Err(invalid("At most 100 log streams can be named."));
        }
        if !names.is_empty() && !prefixes.is_empty() {
            return Err(invalid("Log streams can be asked for by name or by prefix, not by both."));
        }
        Ok(Self { names, prefixes })
    }

    pub(super) fn take(&self, stream: &str) -> bool {
        (self.names.is_empty() && self.prefixes.is_empty())
            || self.names.iter().any(|name| name == stream)
            || self.prefixes.iter().any(|prefix| stream.starts_with(prefix.as_str()))
    }
}

/// The texts of a list.
pub(super) fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Got<'e> {
    events: Vec<GotEvent<'e>>,
    next_forward_token: String,
    next_backward_token: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GotEvent<'e> {
    timestamp: i64,
    message: &'e str,
    ingestion_time: i64,
}

/// `GetLogEvents`: one stream, ascending within a page, the end of the window excluded. A token that comes back
/// unchanged is the end of its direction.
pub(super) fn get(sight: &Sight<'_>, input: &Value) -> Result<Vec<u8>, Refusal> {
    let group = existing_group(sight, input)?;
    let limit = limit(input, MOST_EVENTS)?;
    let stream = input["logStreamName"].as_str().ok_or_else(|| invalid("logStreamName is required."))?;
    if !sight.log_streams(group).iter().any(|known| *known.name == *stream) {
        return Err(Refusal::invalid("ResourceNotFoundException", "The specified log stream does not exist."));
    }
    let from = instant(&input["startTime"])?.unwrap_or(sight.scenario().dawn());
    let to = instant(&input["endTime"])?.unwrap_or(sight.now() + ONE_MILLISECOND);
    let tape = sight.log_tape(group, from, to);
    let given = input["nextToken"].as_str();
    let begin = match given {
        None => None,
        Some(token) => Some(place(token).ok_or_else(|| invalid("The specified nextToken is invalid."))?),
    };
    let is_forward = begin.map_or(input["startFromHead"] == true, |(order, _)| order == Order::Forward);
    let tape = if is_forward { tape } else { tape.backward() };
    let tape = begin.map_or(tape.clone(), |(_, place)| tape.from_place(place));
    // A token names the last event that was given, which does not come again.
    let own = tape.filter(|event| *event.stream == *stream && begin.is_none_or(|(_, place)| event.place != place));
    let mut bytes = 0;
    let mut events: Vec<LogEvent> = own
        .take(limit)
        .take_while(|event| {
            bytes += event.message.len() + OVERHEAD;
            bytes <= MOST_BYTES
        })
        .collect();
    if !is_forward {
        events.reverse();
    }
    let ends = |order: Order, event: Option<&LogEvent>| match (event, given) {
        (Some(event), _) => token(order, &event.place),
        // The other direction goes on from the same place.
        (None, Some(given)) => place(given).map_or_else(|| given.to_owned(), |(_, place)| token(order, &place)),
        (None, None) => token(order, &Place::at(from)),
    };
    let next_forward_token = ends(Order::Forward, events.last());
    let next_backward_token = ends(Order::Backward, events.first());
    let events = events.iter().map(|event| GotEvent {
        timestamp: event.place.at.as_millisecond(),
        message: &event.message,
        ingestion_time: event.place.ingested.as_millisecond(),
    });
    written(&Got { events: events.collect(), next_forward_token, next_backward_token }, bytes)
}

/// An answer as it is sent, about so many bytes long.
fn written(answer: &impl Serialize, room: usize) -> Result<Vec<u8>, Refusal> {
    let mut text = Vec::with_capacity(room);
    let written = serde_json::to_writer(&mut text, answer);
    written.map_err(|error| Refusal::invalid("ServiceUnavailableException", error.to_string()))?;
    Ok(text)
}

/// The token of the page that begins at an event.
fn token(order: Order, place: &Place) -> String {
    let direction = if order == Order::Forward { 'f' } else { 'b' };
    URL_SAFE_NO_PAD.encode(format!("{direction}/{}", place.token()))
}

fn place(token: &str) -> Option<(Order, Place)> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (direction, place) = std::str::from_utf8(&bytes).ok()?.split_once('/')?;
    let order = match direction {
        "f" => Order::Forward,
        "b" => Order::Backward,
        _ => return None,
    };
    Some((order, Place::of_token(place)?))
}
