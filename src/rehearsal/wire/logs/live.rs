//! Live Tail: a session over an event stream that tells once a second of incident time what has come in, 500 events at
//! most, and ends after three hours. Faults that begin while it is open befall it, too.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::events::{Streams, texts};
use super::pattern::Pattern;
use super::{group_of, invalid};
use crate::rehearsal::clock::Speed;
use crate::rehearsal::faults::Struck;
use crate::rehearsal::ledger::Api;
use crate::rehearsal::scenario::FaultEffect;
use crate::rehearsal::server::Cloud;
use crate::rehearsal::wire::aws::{Break, Call, Fullness, Refusal, typed};
use crate::rehearsal::wire::bedrock::frames;
use crate::rehearsal::wire::line::Line;
use crate::rehearsal::world::LogEvent;

/// Groups of a session at most (API reference).
const MOST_GROUPS: usize = 10;
/// Sessions at once (service quotas: concurrent Live Tail sessions of an account).
const MOST_SESSIONS: usize = 15;
/// Events of an update at most (API reference).
const MOST_EVENTS: usize = 500;
/// Updates that wait for a slow reader before the oldest are dropped (API reference).
const BUFFERED: i64 = 10;
/// The message of a session that fails.
const FAILED: &str = "An error occurred on the server side.";
const SECOND: SignedDuration = SignedDuration::from_secs(1);
const LONGEST: SignedDuration = SignedDuration::from_hours(3);

/// The sessions that are open.
#[derive(Debug, Default)]
pub(super) struct Seats(Arc<AtomicUsize>);

/// A session's place among them.
#[derive(Debug)]
struct Seat(Arc<AtomicUsize>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Seats {
    fn take(&self) -> Result<Seat, Refusal> {
        let seat = Seat(Arc::clone(&self.0));
        if self.0.fetch_add(1, Ordering::Relaxed) < MOST_SESSIONS {
            return Ok(seat);
        }
        let message = "The maximum number of concurrent Live Tail sessions has been reached.";
        Err(Refusal::invalid("LimitExceededException", message))
    }
}

/// What a fault makes of a session from its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Course {
    /// Whether its updates have content.
    pub(super) fullness: Fullness,
    /// Where it ends before its time.
    pub(super) at: Option<Break>,
}

/// What is tailed: each group with the identifier it was asked by.
struct Wish {
    groups: Vec<(String, String)>,
    streams: Streams,
    pattern: Pattern,
}

/// `StartLiveTail`.
pub(super) fn start(cloud: &Arc<Cloud>, call: &Call, input: &Value, course: Course) -> Result<Response, Refusal> {
    let wish = wish(cloud, input)?;
    let seat = cloud.log_sessions.tails.take()?;
    let began = cloud.clock.now();
    let mut told = json!({
        "requestId": format!("{:08x}-0000-4000-8000-000000000000", cloud.seed as u32),
        "sessionId": format!("{:08x}-0000-4000-9000-{:012x}", cloud.seed as u32, began.as_millisecond()),
        "logGroupIdentifiers": input["logGroupIdentifiers"],
        "logStreamNames": texts(&input["logStreamNames"]),
        "logStreamNamePrefixes": texts(&input["logStreamNamePrefixes"]),
    });
    if let Some(pattern) = input["logEventFilterPattern"].as_str() {
        told["logEventFilterPattern"] = Value::from(pattern);
    }
    let first = [frames::event("initial-response", &json!({})), frames::event("sessionStart", &told)];
    let was_calm = standing(cloud).is_none() && course == Course { fullness: Fullness::Whole, at: None };
    let session = Session {
        cloud: Arc::clone(cloud),
        line: call.line.clone(),
        wish,
        course,
        was_calm,
        began,
        next: began + SECOND,
        ready: first.into(),
        end: End::Open,
        _seat: seat,
    };
    let pieces =
        futures::stream::unfold(
            session,
            |mut session| async move { session.piece().await.map(|piece| (piece, session)) },
        );
    Ok(typed(Body::from_stream(pieces), "application/vnd.amazon.eventstream"))
}

fn wish(cloud: &Cloud, input: &Value) -> Result<Wish, Refusal> {
    let identifiers = texts(&input["logGroupIdentifiers"]);
    if identifiers.is_empty() || identifiers.len() > MOST_GROUPS {
        return Err(invalid(format!("Between 1 and {MOST_GROUPS} log groups are allowed.")));
    }
    let (now, lives) = cloud.lives();
    let sight = cloud.world.at(now, &lives);
    let mut groups = Vec::new();
    for identifier in &identifiers {
        if !identifier.starts_with("arn:") || identifier.ends_with('*') {
            let why = "must be the ARN of a log group and must not end with an asterisk";
            return Err(invalid(format!("The log group identifier {identifier} {why}.")));
        }
        groups.push((group_of(&sight, identifier)?.to_owned(), identifier.clone()));
    }
    let (names, prefixes) = (texts(&input["logStreamNames"]), texts(&input["logStreamNamePrefixes"]));
    if groups.len() > 1 && (!names.is_empty() || !prefixes.is_empty()) {
        return Err(invalid("Log streams can be named only with one log group."));
    }
    let pattern = Pattern::parse(input["logEventFilterPattern"].as_str().unwrap_or_default()).map_err(invalid)?;
    Ok(Wish { groups, streams: Streams::of(names, prefixes)?, pattern })
}

/// The fault that a session meets now.
fn standing(cloud: &Cloud) -> Option<FaultEffect> {
    let request = Struck { api: Api::Logs, operation: "StartLiveTail", resource: None };
    cloud.faults.standing(request, cloud.clock.now())
}

/// How a session goes on after what is ready has been sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// With the next update.
    Open,
    /// Not at all.
    Over,
    /// The connection breaks.
    Broken,
}

struct Session {
    cloud: Arc<Cloud>,
    line: Line,
    wish: Wish,
    course: Course,
    /// Whether it began without a fault: one that struck at its start has done what it does.
    was_calm: bool,
    began: Timestamp,
    /// The end of the second that the next update tells of.
    next: Timestamp,
    ready: VecDeque<Bytes>,
    end: End,
    _seat: Seat,
}

impl Session {
    /// The next bytes on the wire; none when the session is over.
    async fn piece(&mut self) -> Option<io::Result<Bytes>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(Ok(self.counted(frame)));
            }
            match self.end {
                End::Over => return None,
                End::Broken => {
                    self.end = End::Over;
                    // What was sent before the break must be on its way, and hyper flushes when a body has to wait.
                    tokio::task::yield_now().await;
                    return Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, "cut by the scenario")));
                }
                End::Open => {}
            }
            self.cloud.clock.reached(self.next).await;
            self.go_on().await;
        }
    }

    /// A frame, unless the scenario breaks the session off here.
    fn counted(&mut self, frame: Bytes) -> Bytes {
        let Some(at) = &mut self.course.at else { return frame };
        if at.after_frames > 0 {
            at.after_frames -= 1;
            return frame;
        }
        self.ready.clear();
        if let Some(name) = at.exception.take() {
            self.end = End::Over;
            return frames::exception(&name, FAILED);
        }
        self.end = End::Broken;
        frame.slice(..frame.len() / 2)
    }

    /// Makes the next update ready, or ends.
    async fn go_on(&mut self) {
        let now = self.cloud.clock.now();
        if now >= self.began + LONGEST {
            let message = "The session has been open for three hours.";
            self.ready.push_back(frames::exception("SessionTimeoutException", message));
            self.end = End::Over;
            return;
        }
        match standing(&self.cloud).filter(|_| self.was_calm) {
            Some(FaultEffect::Silence) => return self.cloud.clock.reached(now + SECOND).await,
            Some(FaultEffect::Cut { .. } | FaultEffect::Malformed) => return self.end = End::Broken,
            Some(FaultEffect::Reset) => {
                // The answer of a reset is none; this one is under way and breaks with its connection.
                drop(self.line.reset());
                return self.end = End::Broken;
            }
            Some(FaultEffect::Unavailable) => {
                self.ready.push_back(frames::exception("SessionStreamingException", FAILED));
                return self.end = End::Over;
            }
            // The rest strikes requests, and this one has been answered.
            _ => {}
        }
        self.fall_behind(now);
        let update = self.update();
        // A clock that jumps passes over seconds in which nothing happened.
        if update.is_some() || self.next + SECOND > now {
            self.ready.push_back(frames::event(
                "sessionUpdate",
                &update.unwrap_or_else(|| shown(&[], (false, SignedDuration::ZERO))),
            ));
        }
        self.next += SECOND;
    }

    /// Drops the oldest updates where the reader was too slow. A clock that jumps is no slow reader.
    fn fall_behind(&mut self, now: Timestamp) {
        let oldest = now - SignedDuration::from_secs(BUFFERED);
        if self.cloud.clock.speed() != Speed::Max && self.next < oldest {
            let behind = oldest.duration_since(self.next).as_secs();
            self.next += SignedDuration::from_secs(behind);
        }
    }

    /// What came in during the second; `None` where nothing did.
    fn update(&self) -> Option<Value> {
        if self.course.fullness == Fullness::Nothing {
            return None;
        }
        let (now, lives) = self.cloud.lives();
        let sight = self.cloud.world.at(now, &lives);
        let mut events: Vec<(&str, LogEvent)> = Vec::new();
        for (group, identifier) in &self.wish.groups {
            let arrived = sight.log_arrivals(group, self.next - SECOND, self.next);
            let own = arrived.filter(|event| self.wish.streams.take(&event.stream));
            let matching = own.filter(|event| self.wish.pattern.matches(&event.message));
            events.extend(matching.map(|event| (identifier.as_str(), event)));
        }
        events.sort_by_key(|(_, event)| (event.place.ingested, event.place));
        let count = events.len();
        if count <= MOST_EVENTS {
            return (count > 0).then(|| shown(&events, (false, self.apart())));
        }
        let sample: Vec<_> = (0..MOST_EVENTS).map(|nth| events[nth * count / MOST_EVENTS].clone()).collect();
        Some(shown(&sample, (true, self.apart())))
    }

    /// How far the machine that asks is ahead of the clock that events are dated by.
    fn apart(&self) -> SignedDuration {
        match standing(&self.cloud) {
            Some(FaultEffect::Skewed { by }) => by,
            _ => SignedDuration::ZERO,
        }
    }
}

fn shown(events: &[(&str, LogEvent)], (is_sampled, apart): (bool, SignedDuration)) -> Value {
    let results: Vec<Value> = events
        .iter()
        .map(|(identifier, event)| {
            json!({
                "logStreamName": *event.stream,
                "logGroupIdentifier": identifier,
                "message": &*event.message,
                "timestamp": (event.place.at - apart).as_millisecond(),
                "ingestionTime": (event.place.ingested - apart).as_millisecond(),
            })
        })
        .collect();
    json!({ "sessionMetadata": { "sampled": is_sampled }, "sessionResults": results })
}

#[cfg(test)]
mod tests;
