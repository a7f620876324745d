//! Lists: selected, and in pages whose token carries the revision they began at.

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::ACCEPT;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::path::Objects;
use super::{Call, answer, table};
use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::cluster::selector::Selector;

/// A list of what a path leads to.
pub(super) fn list(cluster: &mut Cluster, objects: &Objects, call: &Call) -> Result<Response, Failure> {
    let kind = objects.kind;
    let selector = Selector::parse(kind, call.parameter("labelSelector"), call.parameter("fieldSelector"))?;
    let store = cluster.store();
    let (mut revision, mut after) = (store.revision(), None);
    check_revision(call, store.oldest(), revision)?;
    if let Some((began, last)) = continued(call)? {
        if began < store.oldest() {
            return Err(Failure::continue_expired());
        }
        (revision, after) = (began, Some(last));
    }
    let limit = call.parameter("limit").parse::<usize>().ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let mut rest = store
        .list(kind, objects.space())
        .filter(|entry| after.as_ref().is_none_or(|after| (&entry.0.namespace, &entry.0.name) > (&after.0, &after.1)))
        .filter(|entry| selector.matches(entry.1));
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let left = rest.count();
    let mut metadata = json!({"resourceVersion": revision.to_string()});
    if let Some((key, _)) = page.last().filter(|_| left > 0) {
        metadata["continue"] = json!(token(revision, &key.namespace, &key.name));
        // The API server does not count what a selector would still leave out.
        if selector.is_empty() {
            metadata["remainingItemCount"] = json!(left);
        }
    }
    if table::is_asked(call.header(ACCEPT)) {
        let rows: Vec<&Value> = page.iter().map(|entry| &**entry.1).collect();
        return Ok(answer::json(200, &table::of(kind, &metadata, &rows, table::Shown::of(call, cluster.now()))));
    }
    let items = page.iter().map(|entry| Bare(entry.1)).collect();
    let (word, api_version) = (format!("{}List", kind.kind), kind.api_version());
    Ok(answer::written(&List { kind: word, api_version, metadata, items }))
}

/// A list with nothing in it.
pub(super) fn empty(objects: &Objects) -> Response {
    let kind = objects.kind;
    let (word, api) = (format!("{}List", kind.kind), kind.api_version());
    answer::json(200, &json!({"kind": word, "apiVersion": api, "metadata": {"resourceVersion": "1"}, "items": []}))
}

/// A list as it goes out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List<'a> {
    kind: String,
    api_version: String,
    metadata: Value,
    items: Vec<Bare<'a>>,
}

/// An item of a list: it does not repeat what the list already says of it.
struct Bare<'a>(&'a Value);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.0.as_object().into_iter().flatten();
        serializer.collect_map(fields.filter(|(name, _)| !matches!(name.as_str(), "kind" | "apiVersion")))
    }
}

/// An exact revision can be listed only while it is the present one or at least still known.
fn check_revision(call: &Call, oldest: u64, now: u64) -> Result<(), Failure> {
    let asked = call.parameter("resourceVersion");
    if asked.is_empty() || asked == "0" {
        return Ok(());
    }
    let asked: u64 = asked.parse().map_err(|_| invalid_revision(asked))?;
    if asked > now {
        return Err(too_large(asked, now));
    }
    let is_exact = call.parameter("resourceVersionMatch") == "Exact";
    if is_exact && asked < oldest { Err(Failure::gone(asked, oldest)) } else { Ok(()) }
}

/// 400 for a revision that is no number.
pub(super) fn invalid_revision(asked: &str) -> Failure {
    Failure::bad_request(format!("Invalid value: \"{asked}\": strconv.ParseUint: parsing \"{asked}\": invalid syntax"))
}

/// 504: a revision that is yet to come.
pub(super) fn too_large(asked: u64, now: u64) -> Failure {
    let message = format!("Timeout: Too large resource version: {asked}, current: {now}");
    let causes = json!([{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]);
    Failure { code: 504, reason: "Timeout", message, details: json!({"causes": causes, "retryAfterSeconds": 1}) }
}

/// A continue token: the revision of the first page, and where the last one ended.
fn token(revision: u64, namespace: &str, name: &str) -> String {
    URL_SAFE_NO_PAD.encode(json!({"v": "meta.k8s.io/v1", "rv": revision, "start": [namespace, name]}).to_string())
}

type Continued = (u64, (String, String));

fn continued(call: &Call) -> Result<Option<Continued>, Failure> {
    let token = call.parameter("continue");
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let token: Value = serde_json::from_slice(&bytes).ok()?;
        let start = |index: usize| token["start"][index].as_str().map(str::to_owned);
        Some((token["rv"].as_u64()?, (start(0)?, start(1)?)))
    };
    read().map(Some).ok_or_else(|| Failure::bad_request("continue key is not valid: encoded continue token is invalid"))
}
