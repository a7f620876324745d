//! Which object a write means, and what of an object no client may change.

use serde_json::{Value, json};

use super::Target;
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::cluster::kind::Kind;
use crate::rehearsal::cluster::shape;

pub(super) fn expect_kind(kind: &Kind, object: &Value) -> Result<(), Failure> {
    let (api, word) = (shape::text(object, "/apiVersion"), shape::text(object, "/kind"));
    let is_right = api.is_none_or(|api| api == kind.api_version()) && word.is_none_or(|word| word == kind.kind);
    if is_right && object.is_object() {
        return Ok(());
    }
    let (api, word) = (api.unwrap_or_default(), word.unwrap_or_default());
    Err(Failure::bad_request(format!(
        "the API version in the data ({api}) does not match the expected API version ({}) of a {}, or its kind does not: \
         {word}",
        kind.api_version(),
        kind.kind
    )))
}

/// The resource version and uid that a body names must be those of the object.
pub(super) fn preconditions(target: Target<'_>, before: &Value, after: &Value) -> Result<(), Failure> {
    let name = shape::name(after);
    if !name.is_empty() && name != target.name {
        let why = format!("the name of the object ({name}) does not match the name on the URL ({})", target.name);
        return Err(Failure::bad_request(why));
    }
    let uid = shape::uid(after);
    if !uid.is_empty() && uid != shape::uid(before) {
        let found = shape::uid(before);
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {found}");
        return Err(Failure::conflict(target.kind, target.name, &why));
    }
    let version = shape::text(after, "/metadata/resourceVersion").unwrap_or_default();
    if !version.is_empty() && Some(version) != shape::text(before, "/metadata/resourceVersion") {
        return Err(Failure::stale(target.kind, target.name));
    }
    Ok(())
}

/// Fields of the metadata that no client may change: which object it is, and what the server says of it.
pub const KEPT: [&str; 8] = [
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
];

/// What a client may not change is as it was.
pub(super) fn kept_identity(before: &Value, mut after: Value) -> Value {
    if !after["metadata"].is_object() {
        after["metadata"] = json!({});
    }
    for field in KEPT {
        restore(&mut after["metadata"], &before["metadata"], field);
    }
    after
}

pub(super) fn restore(object: &mut Value, from: &Value, field: &str) {
    match (object.as_object_mut(), from.get(field)) {
        (Some(fields), Some(value)) => {
            fields.insert(field.to_owned(), value.clone());
        }
        (Some(fields), None) => {
            fields.remove(field);
        }
        (None, _) => {}
    }
}
