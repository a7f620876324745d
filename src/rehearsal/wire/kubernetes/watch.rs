//! Watches: the changes after a revision as a stream of lines, with bookmarks, initial events and the 410 in the stream.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures::stream;
use http::{HeaderValue, header};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::path::Objects;
use super::{Call, KubernetesState, answer, form, read, table};
use crate::rehearsal::clock::SimClock;
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::cluster::selector::Selector;
use crate::rehearsal::cluster::shared::SharedCluster;
use crate::rehearsal::cluster::store::{Change, Store};

/// How often a quiet watch that allows bookmarks gets one, in wall time.
const BOOKMARK_EVERY: Duration = Duration::from_secs(15);
/// How long a watch lasts that names no time-out, in wall time.
const LONGEST: Duration = Duration::from_mins(30);

/// In which form a watch shows objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// Whole.
    Whole,
    /// The metadata alone.
    Metadata,
    /// As the row of a table.
    Row(table::Shown),
}

/// How a watch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Beginning {
    /// With the objects as they are, then what changes.
    Present,
    /// With the objects as they are and the bookmark that says that they were all.
    PresentMarked,
    /// With what changed after a revision.
    After(u64),
}

struct Watch {
    cluster: Arc<SharedCluster>,
    clock: Arc<SimClock>,
    moved: tokio::sync::watch::Receiver<u64>,
    objects: Objects,
    selector: Selector,
    form: Form,
    from: u64,
    lines: VecDeque<Bytes>,
    until: Instant,
    bookmark_at: Option<Instant>,
    is_over: bool,
}

/// Opens a watch on what a path leads to.
pub(super) fn open(state: &KubernetesState, objects: &Objects, call: &Call) -> Result<Response, Failure> {
    let mut fields = call.parameter("fieldSelector").to_owned();
    if !objects.name.is_empty() {
        // A watch of one object is one of all that bear its name.
        fields = format!("{fields},metadata.name={}", objects.name);
    }
    let selector = Selector::parse(objects.kind, call.parameter("labelSelector"), &fields)?;
    let beginning = beginning(call)?;
    let form = match form::Form::of(call)? {
        form::Form::Whole => Form::Whole,
        form::Form::Metadata => Form::Metadata,
        form::Form::Table => Form::Row(table::Shown::of(call, state.clock.now())),
    };
    let moved = state.cluster.revisions();
    let started =
        state.cluster.at(state.clock.now(), |cluster| begin(cluster.store(), (objects, form), &selector, beginning));
    let (from, lines, is_over) = match started {
        Ok((from, lines)) => (from, lines, false),
        Err(failure) if failure.code == 410 => (0, VecDeque::from([error_line(&failure)]), true),
        Err(failure) => return Err(failure),
    };
    let seconds = call.parameter("timeoutSeconds").parse().ok().filter(|seconds| *seconds > 0);
    let now = Instant::now();
    let bookmarks = call.says("allowWatchBookmarks");
    let watch = Watch {
        cluster: Arc::clone(&state.cluster),
        clock: Arc::clone(&state.clock),
        moved,
        objects: objects.clone(),
        selector,
        form,
        from,
        lines,
        until: now + seconds.map_or(LONGEST, Duration::from_secs),
        bookmark_at: bookmarks.then(|| now + BOOKMARK_EVERY),
        is_over,
    };
    Ok(streamed(Body::from_stream(stream::unfold(watch, |mut watch| async {
        let line = watch.next_line().await?;
        Some((Ok::<_, Infallible>(line), watch))
    }))))
}

/// A watch that is told at once that its revision is gone.
pub(super) fn gone(failure: &Failure) -> Response {
    streamed(Body::from(error_line(failure)))
}

fn streamed(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// How the parameters say it begins, with the combinations that the API server forbids.
fn beginning(call: &Call) -> Result<Beginning, Failure> {
    let asked = call.parameter("resourceVersion");
    let initial = call.query.get("sendInitialEvents").map(String::as_str);
    let matching = call.parameter("resourceVersionMatch");
    match (initial, matching) {
        (None, "") | (Some(_), "NotOlderThan") => {}
        (None, _) => {
            let why = "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided";
            return Err(answer::forbidden_option("resourceVersionMatch", why));
        }
        (Some(_), _) => {
            let why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan";
            return Err(answer::forbidden_option("resourceVersionMatch", why));
        }
    }
    let revision = match asked {
        "" | "0" => None,
        number => Some(number.parse::<u64>().map_err(|_| read::invalid_revision(number))?),
    };
    let wants_present = matches!(initial, Some("true" | "1"));
    Ok(match (wants_present, revision) {
        (true, _) if call.says("allowWatchBookmarks") => Beginning::PresentMarked,
        (false, Some(revision)) => Beginning::After(revision),
        (true, _) | (false, None) => Beginning::Present,
    })
}

fn begin(
    store: &Store,
    (objects, form): (&Objects, Form),
    selector: &Selector,
    beginning: Beginning,
) -> Result<(u64, VecDeque<Bytes>), Failure> {
    let now = store.revision();
    if let Beginning::After(revision) = beginning {
        if revision > now {
            return Err(read::too_large(revision, now));
        }
        let expired = store.changes_after(revision).err();
        return match expired {
            Some(expired) => Err(Failure::gone(revision, expired.oldest)),
            None => Ok((revision, VecDeque::new())),
        };
    }
    let present = store.list(objects.kind, objects.space()).filter(|entry| selector.matches(entry.1));
    let mut lines: VecDeque<Bytes> = present.map(|entry| line("ADDED", &form.shown(objects, entry.1))).collect();
    if beginning == Beginning::PresentMarked {
        lines.push_back(bookmark((objects, form), now, Some("k8s.io/initial-events-end")));
    }
    Ok((now, lines))
}

impl Form {
    /// The same, with ages as of an instant.
    fn at(self, now: Timestamp) -> Self {
        match self {
            Self::Whole | Self::Metadata => self,
            Self::Row(shown) => Self::Row(table::Shown { now, ..shown }),
        }
    }

    fn shown(self, objects: &Objects, object: &Value) -> Value {
        match self {
            Self::Whole => object.clone(),
            Self::Metadata => form::Form::metadata_of(object),
            Self::Row(shown) => {
                let metadata = json!({"resourceVersion": object["metadata"]["resourceVersion"]});
                table::of(objects.kind, &metadata, &[object], shown)
            }
        }
    }
}

impl Watch {
    async fn next_line(&mut self) -> Option<Bytes> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Some(line);
            }
            if self.is_over {
                return None;
            }
            self.moved.mark_unchanged();
            self.catch_up();
            if !self.lines.is_empty() {
                continue;
            }
            let bookmark_at = self.bookmark_at.unwrap_or(self.until);
            tokio::select! {
                changed = self.moved.changed() => self.is_over = changed.is_err(),
                () = tokio::time::sleep_until(self.until) => self.is_over = true,
                () = tokio::time::sleep_until(bookmark_at), if self.bookmark_at.is_some() => {
                    self.lines.push_back(bookmark((&self.objects, self.form), self.from, None));
                    self.bookmark_at = Some(Instant::now() + BOOKMARK_EVERY);
                }
            }
        }
    }

    /// Turns the changes since the last look into lines; a watch that fell behind what is kept ends with the 410.
    fn catch_up(&mut self) {
        let (objects, selector, from) = (&self.objects, &self.selector, self.from);
        let form = self.form.at(self.clock.now());
        let seen = self.cluster.at(self.clock.now(), |cluster| {
            let store = cluster.store();
            let changes = store.changes_after(from).map_err(|expired| Failure::gone(from, expired.oldest))?;
            let lines: Vec<Bytes> = changes.filter_map(|change| told((objects, form), selector, change)).collect();
            Ok::<_, Failure>((store.revision(), lines))
        });
        match seen {
            Ok((revision, lines)) => {
                self.from = revision;
                self.lines.extend(lines);
            }
            Err(failure) => {
                self.lines.push_back(error_line(&failure));
                self.is_over = true;
            }
        }
    }
}

/// The line for a change; an object that comes into or leaves the selection is added or deleted to this watch.
fn told((objects, form): (&Objects, Form), selector: &Selector, change: &Change) -> Option<Bytes> {
    let is_meant = change.key.plural == objects.kind.plural
        && objects.space().is_none_or(|namespace| namespace == change.key.namespace);
    if !is_meant {
        return None;
    }
    let matched = |object: &Option<Arc<Value>>| object.as_ref().is_some_and(|object| selector.matches(object));
    match (matched(&change.before), matched(&change.after)) {
        (false, true) => Some(line("ADDED", &form.shown(objects, &change.last))),
        (true, true) => Some(line("MODIFIED", &form.shown(objects, &change.last))),
        (true, false) => Some(line("DELETED", &form.shown(objects, &change.last))),
        (false, false) => None,
    }
}

fn line(kind: &str, object: &Value) -> Bytes {
    Bytes::from(format!("{}\n", json!({"type": kind, "object": object})))
}

fn error_line(failure: &Failure) -> Bytes {
    line("ERROR", &failure.to_status())
}

fn bookmark((objects, form): (&Objects, Form), revision: u64, annotation: Option<&str>) -> Bytes {
    let mut metadata = json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
    if let Some(annotation) = annotation {
        metadata["annotations"] = json!({annotation: "true"});
    }
    let kind = objects.kind;
    let object = json!({"kind": kind.kind, "apiVersion": kind.api_version(), "metadata": metadata});
    // A table's bookmark has no columns: its one row is all it carries.
    let object = match form {
        Form::Whole => object,
        Form::Metadata => form::Form::metadata_of(&object),
        Form::Row(shown) => table::of(kind, &json!({"resourceVersion": revision.to_string()}), &[&object], shown),
    };
    line("BOOKMARK", &object)
}
