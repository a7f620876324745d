//! Lists: selected, and in pages whose token carries the revision they began at.

use std::sync::Arc;

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::form::Form;
use super::path::Objects;
use super::{Call, answer, table};
use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::cluster::selector::Selector;
use crate::rehearsal::cluster::store::Key;

/// A list of what a path leads to.
pub(super) fn list(cluster: &mut Cluster, objects: &Objects, call: &Call) -> Result<Response, Failure> {
    let kind = objects.kind;
    let selector = Selector::parse(kind, call.parameter("labelSelector"), call.parameter("fieldSelector"))?;
    let form = Form::of(call)?;
    check_options(call)?;
    let limit = limit(call)?;
    let store = cluster.store();
    let mut after = None;
    let mut revision = revision(call, store.oldest(), store.revision())?;
    if let Some((began, last)) = continued(call)? {
        if began.is_some_and(|began| began < store.oldest()) {
            return Ok(expired(&last));
        }
        (revision, after) = (began.unwrap_or(store.revision()), Some(last));
    }
    let past = (revision < store.revision()).then(|| store.list_at(kind, objects.space(), revision));
    let listed: Box<dyn Iterator<Item = (&Key, &Arc<Value>)>> = match &past {
        Some(past) => Box::new(past.iter()),
        None => Box::new(store.list(kind, objects.space())),
    };
    let mut rest = listed
        .filter(|entry| after.as_ref().is_none_or(|after| (&entry.0.namespace, &entry.0.name) > (&after.0, &after.1)))
        .filter(|entry| selector.matches(entry.1));
    let page: Vec<_> = rest.by_ref().take(limit).collect();
    let left = rest.count();
    let mut metadata = json!({"resourceVersion": revision.to_string()});
    if let Some((key, _)) = page.last().filter(|_| left > 0) {
        metadata["continue"] = json!(token(Some(revision), &key.namespace, &key.name));
        // The API server does not count what a selector would still leave out.
        if selector.is_empty() {
            metadata["remainingItemCount"] = json!(left);
        }
    }
    if form == Form::Metadata {
        let items: Vec<Value> = page.iter().map(|entry| Form::metadata_of(entry.1)).collect();
        let (word, api) = ("PartialObjectMetadataList", "meta.k8s.io/v1");
        return Ok(answer::json(200, &json!({"kind": word, "apiVersion": api, "metadata": metadata, "items": items})));
    }
    if form == Form::Table {
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

/// The options that the API server forbids beside each other (apimachinery, `ValidateListOptions`).
fn check_options(call: &Call) -> Result<(), Failure> {
    let (version, matching) = (call.parameter("resourceVersion"), call.parameter("resourceVersionMatch"));
    let forbidden = |why: &str| Err(answer::forbidden_option("resourceVersionMatch", why));
    match (matching, version) {
        ("", _) => {}
        (_, "") => return forbidden("resourceVersionMatch is forbidden unless resourceVersion is provided"),
        _ if !call.parameter("continue").is_empty() => {
            return forbidden("resourceVersionMatch is forbidden when continue is provided");
        }
        ("Exact", "0") => return forbidden("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""),
        ("Exact" | "NotOlderThan", _) => {}
        (other, _) => return Err(answer::bad_option("resourceVersionMatch", other, "Exact\", \"NotOlderThan\", \"")),
    }
    if call.query.contains_key("sendInitialEvents") {
        return Err(answer::forbidden_option("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    if !call.parameter("continue").is_empty() && !matches!(version, "" | "0") {
        return Err(Failure::bad_request("specifying resource version is not allowed when using continue"));
    }
    Ok(())
}

/// How many are wanted at most; none and zero mean all.
fn limit(call: &Call) -> Result<usize, Failure> {
    let text = call.parameter("limit");
    if text.is_empty() {
        return Ok(usize::MAX);
    }
    let unread = |_| Failure::bad_request(format!("strconv.ParseInt: parsing \"{text}\": invalid syntax"));
    let limit = text.parse::<i64>().map_err(unread)?;
    Ok(usize::try_from(limit).ok().filter(|limit| *limit > 0).unwrap_or(usize::MAX))
}

/// The revision to list at: the present one, or an exact one that is still known.
fn revision(call: &Call, oldest: u64, now: u64) -> Result<u64, Failure> {
    let asked = call.parameter("resourceVersion");
    if asked.is_empty() || asked == "0" {
        return Ok(now);
    }
    let asked: u64 = asked.parse().map_err(|_| invalid_revision(asked))?;
    match call.parameter("resourceVersionMatch") {
        _ if asked > now => Err(too_large(asked, now)),
        "Exact" if asked < oldest => Err(Failure::gone(asked, oldest)),
        "Exact" => Ok(asked),
        _ => Ok(now),
    }
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

/// 410 for a token whose revision is no longer known, with one that goes on in the present (`etcd3`,
/// `handleCompactedErrorForPaging`).
fn expired(last: &(String, String)) -> Response {
    let mut status = Failure::continue_expired().to_status();
    status["metadata"] = json!({"continue": token(None, &last.0, &last.1)});
    answer::json(410, &status)
}

/// A continue token: the revision of the first page, or the present, and where the last one ended.
fn token(revision: Option<u64>, namespace: &str, name: &str) -> String {
    let revision = revision.map_or(json!(-1), |revision| json!(revision));
    URL_SAFE_NO_PAD.encode(json!({"v": "meta.k8s.io/v1", "rv": revision, "start": [namespace, name]}).to_string())
}

type Continued = (Option<u64>, (String, String));

fn continued(call: &Call) -> Result<Option<Continued>, Failure> {
    let token = call.parameter("continue");
    if token.is_empty() {
        return Ok(None);
    }
    let read = || {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        let token: Value = serde_json::from_slice(&bytes).ok()?;
        let start = |index: usize| token["start"][index].as_str().map(str::to_owned);
        let revision = if token["rv"] == -1 { None } else { Some(token["rv"].as_u64()?) };
        Some((revision, (start(0)?, start(1)?)))
    };
    read().map(Some).ok_or_else(|| Failure::bad_request("continue key is not valid: encoded continue token is invalid"))
}
