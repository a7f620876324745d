//! `/log`: the lines of one container's life, present or previous, followed as incident time passes.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::path::Objects;
use super::{Call, KubernetesState};
use crate::rehearsal::behaviour::Life;
use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::failure::{Failure, FieldFault};
use crate::rehearsal::cluster::kind::row;
use crate::rehearsal::cluster::shape;

/// How often a followed log is looked at, in incident time.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// What a request wants of a log.
struct Wanted {
    since: Timestamp,
    tail: Option<usize>,
    bytes: Option<usize>,
    is_stamped: bool,
}

/// Whose lines are read: a life, the workload it belongs to, and how far it was read.
struct Source {
    state: KubernetesState,
    namespace: String,
    workload: String,
    life: Life,
    from: Timestamp,
}

/// Answers a request for a container's log.
pub(super) fn read(state: &KubernetesState, objects: &Objects, call: &Call) -> Result<Response, Failure> {
    let now = state.clock.now();
    let (workload, life) = state.cluster.at(now, |cluster| life_of(cluster, objects, call))?;
    let wanted = wanted(call, &life, now)?;
    let Some(workload) = workload else { return Ok(text(Body::empty())) };
    let from = wanted.since.max(life.started_at);
    let namespace = objects.namespace.clone();
    let mut source = Source { state: Arc::clone(state), namespace, workload, life, from };
    let mut lines = source.lines(now, wanted.is_stamped);
    if let Some(tail) = wanted.tail {
        lines.drain(..lines.len().saturating_sub(tail));
    }
    let mut said: Vec<u8> = lines.concat();
    if let Some(bytes) = wanted.bytes {
        said.truncate(bytes);
    }
    if !matches!(call.parameter("follow"), "1" | "true") {
        return Ok(text(Body::from(said)));
    }
    let left = wanted.bytes.unwrap_or(usize::MAX);
    let start = (source, VecDeque::from([Bytes::from(said)]), left);
    let is_stamped = wanted.is_stamped;
    Ok(text(Body::from_stream(stream::unfold(start, move |(mut source, mut ready, left)| async move {
        loop {
            if let Some(chunk) = ready.pop_front() {
                let chunk = chunk.slice(..chunk.len().min(left));
                let left = left - chunk.len();
                return Some((Ok::<_, Infallible>(chunk), (source, ready, left)));
            }
            if left == 0 || source.life.ended_at.is_some() {
                return None;
            }
            let next = source.state.clock.now() + LOOK_EVERY;
            source.state.clock.sleep_until(next).await;
            source.refresh();
            ready.extend(source.lines(source.state.clock.now(), is_stamped).into_iter().map(Bytes::from));
        }
    }))))
}

fn text(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

impl Source {
    /// The lines after the last look, each with its line feed.
    fn lines(&mut self, now: Timestamp, is_stamped: bool) -> Vec<Vec<u8>> {
        let until = self.life.ended_at.map_or(now + SignedDuration::from_millis(1), |ended| ended.min(now));
        let ((_, lives), scenario) = (self.state.lives(), &self.state.scenario);
        let sight = self.state.world.at(now, &lives);
        let stream = format!("{}/{}", self.life.pod, self.life.container);
        let own = scenario.logs.iter().filter(|log| log.workload.as_deref() == Some(self.workload.as_str()));
        let mut groups: Vec<&str> = own.map(|log| log.group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        let mut events: Vec<_> = groups.iter().flat_map(|group| sight.log_events(group, self.from, until)).collect();
        events.retain(|event| *event.stream == *stream);
        events.sort_by_key(|event| event.place);
        self.from = self.from.max(until);
        let written = events.into_iter().map(|event| {
            let mut line = String::new();
            if is_stamped {
                // A String takes every write.
                let _ = write!(line, "{} ", event.place.at.strftime("%Y-%m-%dT%H:%M:%S%.9fZ"));
            }
            line.push_str(&event.message);
            line.push('\n');
            line.into_bytes()
        });
        written.collect()
    }

    /// Looks whether the life has ended since.
    fn refresh(&mut self) {
        let (pod, container, began) = (&self.life.pod, &self.life.container, self.life.started_at);
        let ended = self.state.cluster.at(self.state.clock.now(), |cluster| {
            let lives = cluster.lives_in(&self.namespace, &self.workload).iter();
            let mut same = lives.filter(|life| life.pod == *pod && life.container == *container);
            same.find(|life| life.started_at == began).and_then(|life| life.ended_at)
        });
        self.life.ended_at = ended;
    }
}

/// The life that a request means, with the name of its workload where it has one.
fn life_of(cluster: &mut Cluster, objects: &Objects, call: &Call) -> Result<(Option<String>, Life), Failure> {
    let pod = cluster.require(objects.kind, &objects.namespace, &objects.name)?;
    let container = container_of(&pod, call.parameter("container"))?;
    let (workload, lives) = cluster.lives_of_pod(&objects.namespace, &objects.name);
    let mut own: Vec<Life> = lives.into_iter().filter(|life| life.container == container).collect();
    let running = own.last().filter(|life| life.ended_at.is_none()).cloned();
    let found = if matches!(call.parameter("previous"), "1" | "true") {
        own.retain(|life| life.ended_at.is_some());
        own.pop().ok_or_else(|| {
            let name = &objects.name;
            format!("previous terminated container \"{container}\" in pod \"{name}\" not found")
        })
    } else {
        running.or_else(|| own.pop()).ok_or_else(|| {
            let name = &objects.name;
            format!("container \"{container}\" in pod \"{name}\" is waiting to start: ContainerCreating")
        })
    };
    found.map(|life| (workload, life)).map_err(Failure::bad_request)
}

/// The container that is named, or the only one.
fn container_of(pod: &Value, asked: &str) -> Result<String, Failure> {
    let all: Vec<&str> =
        shape::containers(&pod["spec"]).iter().filter_map(|container| shape::text(container, "/name")).collect();
    let name = shape::name(pod);
    match (asked, all.as_slice()) {
        ("", [only]) => Ok((*only).to_owned()),
        ("", _) => {
            let choice = all.join(" ");
            let why = format!("a container name must be specified for pod {name}, choose one of: [{choice}]");
            Err(Failure::bad_request(why))
        }
        (asked, all) if all.contains(&asked) => Ok(asked.to_owned()),
        (asked, _) => Err(Failure::bad_request(format!("container {asked} is not valid for pod {name}"))),
    }
}

fn wanted(call: &Call, life: &Life, now: Timestamp) -> Result<Wanted, Failure> {
    let number = |name: &str| {
        let text = call.parameter(name);
        let invalid = |_| Failure::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"));
        (!text.is_empty()).then(|| text.parse::<i64>().map_err(invalid)).transpose()
    };
    let (seconds, tail, bytes) = (number("sinceSeconds")?, number("tailLines")?, number("limitBytes")?);
    check([("tailLines", tail, 0), ("limitBytes", bytes, 1), ("sinceSeconds", seconds, 1)], call)?;
    let since = match (seconds, call.parameter("sinceTime")) {
        (Some(seconds), _) => now.saturating_sub(SignedDuration::from_secs(seconds)).unwrap_or(life.started_at),
        (None, "") => life.started_at,
        (None, time) => time.parse().map_err(|_| Failure::bad_request(format!("parsing time \"{time}\"")))?,
    };
    let whole = |number: Option<i64>| number.and_then(|number| usize::try_from(number).ok());
    Ok(Wanted {
        since,
        tail: whole(tail),
        bytes: whole(bytes),
        is_stamped: matches!(call.parameter("timestamps"), "1" | "true"),
    })
}

/// Refuses options that are too small, or that say the same twice (`ValidatePodLogOptions`).
fn check(numbers: [(&str, Option<i64>, i64); 3], call: &Call) -> Result<(), Failure> {
    let mut faults = Vec::new();
    for (name, number, least) in numbers {
        let Some(number) = number.filter(|number| *number < least) else { continue };
        let why = if least == 0 { "must be greater than or equal to 0" } else { "must be greater than 0" };
        faults.push(FieldFault::invalid(name, &json!(number), why));
    }
    if !call.parameter("sinceSeconds").is_empty() && !call.parameter("sinceTime").is_empty() {
        faults.push(FieldFault::forbidden("", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let mut refused = Failure::invalid(row("pods"), "", &faults);
    refused.message = refused.message.replacen("Pod ", "PodLogOptions ", 1);
    refused.details["kind"] = json!("PodLogOptions");
    Err(refused)
}
