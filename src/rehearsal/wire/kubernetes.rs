//! The Kubernetes API over HTTP: paths, verbs and media types, over the pure cluster. Every request goes to the ledger.

mod answer;
mod caller;
mod discovery;
mod form;
mod logs;
mod objects;
mod openapi;
mod path;
mod protobuf;
mod read;
mod review;
mod table;
mod watch;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, Method, Uri, header};
use serde_json::Value;

use self::path::Route;
use super::broken;
use super::line::Line;
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::faults::Struck;
use crate::rehearsal::ledger::{Api, Arrival, DryRun, Mutates};
use crate::rehearsal::scenario::FaultEffect;
use crate::rehearsal::server::Cloud;

/// The largest body taken, as the API server limits it (3 MiB).
const BODY_LIMIT: usize = 3 << 20;

/// What the API is served from.
pub type KubernetesState = Arc<Cloud>;

/// A request as read from the wire.
struct Call {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    query: HashMap<String, String>,
    body: Bytes,
}

impl Call {
    fn parameter(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    fn says(&self, name: &str) -> bool {
        matches!(self.parameter(name), "1" | "true")
    }

    /// Makes the pages small of a client that pages.
    fn page_at_most(&mut self, size: usize) {
        if let Some(limit) = self.query.get_mut("limit") {
            let asked = limit.parse().ok().filter(|asked| *asked > 0).unwrap_or(size);
            *limit = asked.min(size).to_string();
        }
    }

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON, as the YAML that an apply may be written in, or as the protobuf of Go's typed clients.
    fn document(&self) -> Result<Value, Failure> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        if self.header(header::CONTENT_TYPE).starts_with(protobuf::MEDIA_TYPE) {
            let accepted = ["application/json", "application/yaml"];
            return protobuf::read(&self.body).ok_or_else(|| Failure::unsupported_media_type(&accepted));
        }
        let unreadable = |why: String| Failure::bad_request(format!("error decoding body: {why}"));
        match serde_json::from_slice(&self.body) {
            Ok(document) => return Ok(document),
            // YAML would tell of it too, but of another fault.
            Err(error) if self.body.trim_ascii_start().starts_with(b"{") => return Err(unreadable(error.to_string())),
            Err(_) => {}
        }
        let text = std::str::from_utf8(&self.body).map_err(|error| unreadable(error.to_string()))?;
        serde_saphyr::from_str(text).map_err(|error| unreadable(error.to_string()))
    }
}

/// The API as a router; it answers every path.
pub fn router(state: KubernetesState) -> Router {
    Router::new().fallback(serve).with_state(state)
}

async fn serve(State(state): State<KubernetesState>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let line = Line::of(&parts.extensions);
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        let message = "Request entity too large: limit is 3145728".to_owned();
        let failure = Failure { code: 413, reason: "RequestEntityTooLarge", message, details: Value::Null };
        return answer::failure(&failure);
    };
    let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri).map(|query| query.0).unwrap_or_default();
    let mut call = Call { method: parts.method, uri: parts.uri, headers: parts.headers, query, body };
    let route = path::parse(call.uri.path());
    let verb = verb(&call, &route);
    let seq = state.ledger.arrived(arrival(&state, &call, &route, verb));
    let response = match strike(&state, &route, verb, seq).await {
        Met::Nothing if verb == "watch" => broken::until_restart(&state, respond(&state, &call, &route, verb)),
        Met::Nothing => respond(&state, &call, &route, verb),
        Met::Answer(response) => response,
        Met::Cut(bytes) => broken::cut(respond(&state, &call, &route, verb), bytes),
        Met::Pages(size) => {
            call.page_at_most(size);
            respond(&state, &call, &route, verb)
        }
        Met::Reset => return line.reset(),
    };
    state.ledger.answered(seq, response.status().as_u16());
    response
}

/// The verb by which rules, faults and the ledger know a request.
fn verb(call: &Call, route: &Route) -> &'static str {
    let names_one = matches!(route, Route::Objects(objects) if !objects.name.is_empty());
    let watches = call.says("watch");
    let is_whole = matches!(route, Route::Objects(objects) if objects.subresource.is_none());
    match (call.method.as_str(), names_one) {
        ("GET" | "HEAD", true) if watches && is_whole => "watch",
        ("GET" | "HEAD", true) => "get",
        ("GET" | "HEAD", false) if !matches!(route, Route::Objects(_)) => "get",
        ("GET" | "HEAD", false) if watches => "watch",
        ("GET" | "HEAD", false) => "list",
        ("POST", _) => "create",
        ("PUT", _) => "update",
        ("PATCH", _) => "patch",
        ("DELETE", true) => "delete",
        ("DELETE", false) => "deletecollection",
        _ => "unknown",
    }
}

fn arrival(state: &KubernetesState, call: &Call, route: &Route, verb: &str) -> Arrival {
    let mutating = match (route, call.method.as_str()) {
        (_, "GET" | "HEAD") => Mutates::Reads,
        (Route::Review(_), _) => Mutates::AccessReview,
        _ => Mutates::Writes,
    };
    let path = call.uri.path_and_query().map_or_else(String::new, ToString::to_string);
    Arrival {
        at: state.clock.now(),
        api: Api::Kubernetes,
        operation: format!("{verb} {}", route.word()),
        verb: call.method.to_string(),
        path,
        // A value that is not understood is refused, and until then it counts as meant.
        dry_run: if dry_run(call) == Ok(DryRun::All) { DryRun::All } else { DryRun::No },
        mutating,
        body: call.body.clone(),
    }
}

/// `dryRun` of the query, or of the delete options in the body of a delete or an eviction.
fn dry_run(call: &Call) -> Result<DryRun, Failure> {
    let place = match call.method {
        Method::DELETE => "/dryRun/0",
        _ => "/deleteOptions/dryRun/0",
    };
    let is_asked = call.method == Method::DELETE || call.uri.path().ends_with("/eviction");
    let in_body = is_asked
        .then(|| call.document().ok().and_then(|options| options.pointer(place)?.as_str().map(str::to_owned)))
        .flatten();
    let asked = call.query.get("dryRun").cloned().or(in_body).unwrap_or_default();
    match asked.as_str() {
        "" => Ok(DryRun::No),
        "All" => Ok(DryRun::All),
        other => Err(answer::bad_option("dryRun", other, "All")),
    }
}

/// What a request met on the wire.
enum Met {
    Nothing,
    Answer(Response),
    Cut(usize),
    Pages(usize),
    Reset,
}

/// Lets faults strike. Those that name no resource strike discovery and reviews too.
async fn strike(state: &KubernetesState, route: &Route, verb: &str, seq: u64) -> Met {
    let resource = if let Route::Objects(objects) = route { Some(objects.kind.plural) } else { None };
    let struck = Struck { api: Api::Kubernetes, operation: verb, resource };
    let Some(effect) = state.faults.strike(struck, state.clock.now()) else { return Met::Nothing };
    state.ledger.met(seq, effect.word());
    match effect {
        FaultEffect::Latency { delay } => {
            state.clock.pause(delay).await;
            Met::Nothing
        }
        FaultEffect::Silence => std::future::pending().await,
        FaultEffect::Cut { after_bytes } => Met::Cut(after_bytes),
        FaultEffect::Reset | FaultEffect::Unresolved => Met::Reset,
        FaultEffect::Pages { size } => Met::Pages(size.max(1)),
        FaultEffect::Restart => {
            // An API server that comes back knows the objects and no version of the past.
            state.cluster.at(state.clock.now(), super::super::cluster::Cluster::compact);
            Met::Reset
        }
        FaultEffect::Malformed => Met::Answer(broken::garbage("application/json")),
        effect => refusal(state, route, verb, &effect),
    }
}

/// The answers of the server itself under a fault.
fn refusal(state: &KubernetesState, route: &Route, verb: &str, effect: &FaultEffect) -> Met {
    let failure = match (effect, route) {
        (FaultEffect::Throttled, _) => answer::throttled(),
        (FaultEffect::Expired, _) => answer::unauthorized(),
        (FaultEffect::Unavailable, _) => answer::unavailable(),
        (FaultEffect::Empty, Route::Objects(objects)) if verb == "list" => return Met::Answer(read::empty(objects)),
        (FaultEffect::Empty, Route::Objects(objects)) => Failure::not_found(objects.kind, &objects.name),
        (FaultEffect::Gone, Route::Objects(_)) if verb == "watch" => {
            return Met::Answer(watch::gone(&Failure::gone(0, 0)));
        }
        (FaultEffect::Gone, Route::Objects(_)) => Failure::gone(0, 0),
        (FaultEffect::Denied, Route::Objects(objects)) => {
            state.cluster.at(state.clock.now(), |cluster| objects.refusal(&cluster.access(), verb))
        }
        _ => return Met::Nothing,
    };
    Met::Answer(answer::failure(&failure))
}

fn respond(state: &KubernetesState, call: &Call, route: &Route, verb: &str) -> Response {
    let answered = match route {
        Route::Discovery(page) => Ok(discovery::page(page, call.header(header::ACCEPT))),
        Route::Review(review) => review::answer(state, *review, call),
        Route::Objects(objects) => objects::serve(state, call, objects, verb),
        Route::Unknown => Err(Failure::no_such_resource()),
    };
    answered.unwrap_or_else(|failure| answer::failure(&failure))
}
