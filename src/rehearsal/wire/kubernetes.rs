//! The Kubernetes API over HTTP: paths, verbs and media types, over the pure cluster. Every request goes to the ledger.

mod answer;
mod discovery;
mod path;
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

use self::path::{Objects, Route};
use crate::rehearsal::clock::SimClock;
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::cluster::kind::Subresource;
use crate::rehearsal::cluster::patch::PatchKind;
use crate::rehearsal::cluster::shared::SharedCluster;
use crate::rehearsal::cluster::write::scale_of;
use crate::rehearsal::faults::{FaultPlan, Struck};
use crate::rehearsal::ledger::{Api, Arrival, DryRun, Ledger, Mutates};
use crate::rehearsal::scenario::FaultEffect;

/// The largest body taken, as the API server limits it (3 MiB).
const BODY_LIMIT: usize = 3 << 20;

/// What the API is served from.
#[derive(Clone, Debug)]
pub struct KubernetesState {
    /// The cluster.
    pub cluster: Arc<SharedCluster>,
    /// Incident time.
    pub clock: Arc<SimClock>,
    /// Where requests are written down.
    pub ledger: Ledger,
    /// What goes wrong.
    pub faults: Arc<FaultPlan>,
}

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

    fn header(&self, name: header::HeaderName) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON, or as the YAML that an apply may be written in.
    fn document(&self) -> Result<Value, Failure> {
        if self.body.is_empty() {
            return Ok(Value::Null);
        }
        if let Ok(document) = serde_json::from_slice(&self.body) {
            return Ok(document);
        }
        let unreadable = |why: String| Failure::bad_request(format!("error decoding body: {why}"));
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
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        let message = "Request entity too large: limit is 3145728".to_owned();
        let failure = Failure { code: 413, reason: "RequestEntityTooLarge", message, details: Value::Null };
        return answer::failure(&failure);
    };
    let query = Query::<HashMap<String, String>>::try_from_uri(&parts.uri).map(|query| query.0).unwrap_or_default();
    let call = Call { method: parts.method, uri: parts.uri, headers: parts.headers, query, body };
    let route = path::parse(call.uri.path());
    let verb = verb(&call, &route);
    let seq = state.ledger.arrived(arrival(&state, &call, &route, verb));
    let response = match strike(&state, &route, verb, seq).await {
        Met::Nothing => respond(&state, &call, &route, verb),
        Met::Answer(response) => response,
        Met::Cut(bytes) => answer::cut(respond(&state, &call, &route, verb), bytes),
    };
    state.ledger.answered(seq, response.status().as_u16());
    response
}

/// The verb by which rules, faults and the ledger know a request.
fn verb(call: &Call, route: &Route) -> &'static str {
    let names_one = matches!(route, Route::Objects(objects) if !objects.name.is_empty());
    let watches = matches!(call.parameter("watch"), "1" | "true");
    match (call.method.as_str(), names_one) {
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

/// `dryRun` of the query, or of the delete options in the body.
fn dry_run(call: &Call) -> Result<DryRun, Failure> {
    let in_body = (call.method == Method::DELETE)
        .then(|| call.document().ok().and_then(|options| options.pointer("/dryRun/0")?.as_str().map(str::to_owned)))
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
}

/// Lets the scenario's faults strike.
async fn strike(state: &KubernetesState, route: &Route, verb: &str, seq: u64) -> Met {
    let Route::Objects(objects) = route else { return Met::Nothing };
    let struck = Struck { api: Api::Kubernetes, operation: verb, resource: Some(objects.kind.plural) };
    let Some(effect) = state.faults.strike(struck, state.clock.now()) else { return Met::Nothing };
    state.ledger.met(seq, effect.word());
    let failure = match effect {
        FaultEffect::Latency { delay } => {
            state.clock.pause(delay).await;
            return Met::Nothing;
        }
        FaultEffect::Silence => return std::future::pending().await,
        FaultEffect::Cut { after_bytes } => return Met::Cut(after_bytes),
        FaultEffect::Empty if verb == "list" => return Met::Answer(read::empty(objects)),
        FaultEffect::Empty => Failure::not_found(objects.kind, &objects.name),
        FaultEffect::Gone if verb == "watch" => return Met::Answer(watch::gone(&Failure::gone(0, 0))),
        FaultEffect::Gone => Failure::gone(0, 0),
        FaultEffect::Denied => state.cluster.at(state.clock.now(), |cluster| objects.refusal(cluster.access(), verb)),
        FaultEffect::Throttled => answer::throttled(),
        FaultEffect::Expired => answer::unauthorized(),
        FaultEffect::Unavailable => answer::unavailable(),
    };
    Met::Answer(answer::failure(&failure))
}

fn respond(state: &KubernetesState, call: &Call, route: &Route, verb: &str) -> Response {
    let answered = match route {
        Route::Discovery(page) => Ok(discovery::page(page, call.header(header::ACCEPT))),
        Route::Review(review) => review::answer(state, *review, call),
        Route::Objects(objects) => serve_objects(state, call, objects, verb),
        Route::Unknown => Err(Failure::no_such_resource()),
    };
    answered.unwrap_or_else(|failure| answer::failure(&failure))
}

fn serve_objects(state: &KubernetesState, call: &Call, objects: &Objects, verb: &str) -> Result<Response, Failure> {
    let now = state.clock.now();
    state.cluster.at(now, |cluster| objects.authorise(cluster.access(), verb))?;
    let target = objects.target();
    match verb {
        "list" => state.cluster.at(now, |cluster| read::list(cluster, objects, call)),
        "watch" => watch::open(state, objects, call),
        "get" => state.cluster.at(now, |cluster| {
            let object = cluster.require(target.kind, target.namespace, target.name)?;
            let is_scale = target.subresource == Some(Subresource::Scale);
            if !is_scale && table::is_asked(call.header(header::ACCEPT)) {
                return Ok(answer::json(200, &table::of(target.kind, &Value::Null, &[&object], now)));
            }
            Ok(answer::json(200, &if is_scale { scale_of(&object) } else { (*object).clone() }))
        }),
        "create" | "update" | "patch" | "delete" => {
            let dry_run = dry_run(call)?;
            let document = call.document()?;
            state.cluster.at(now, |cluster| {
                let is_new = cluster.require(target.kind, target.namespace, target.name).is_err();
                let written = match verb {
                    "create" => cluster.create(target, document, dry_run)?,
                    "update" => cluster.replace(target, document, dry_run)?,
                    "delete" => cluster.delete(target, &document, dry_run)?,
                    _ => cluster.patch(target, (language(call)?, &document), dry_run)?,
                };
                let code = if is_new { 201 } else { 200 };
                Ok(answer::json(code, &written))
            })
        }
        _ => Err(Failure::method_not_allowed()),
    }
}

fn language(call: &Call) -> Result<PatchKind, Failure> {
    let language = PatchKind::of_media_type(call.header(header::CONTENT_TYPE))
        .ok_or_else(|| Failure::unsupported_media_type(&PatchKind::MEDIA_TYPES))?;
    if language == PatchKind::Apply && call.parameter("fieldManager").is_empty() {
        return Err(answer::missing_option("fieldManager", "is required for apply patch"));
    }
    Ok(language)
}
