//! Reading and writing the few fields of an object that the world itself must understand.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// A text by JSON pointer.
pub fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

/// A whole number by JSON pointer.
pub fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// `metadata.name`, or nothing.
pub fn name(object: &Value) -> &str {
    text(object, "/metadata/name").unwrap_or_default()
}

/// `metadata.namespace`, or nothing.
pub fn namespace(object: &Value) -> &str {
    text(object, "/metadata/namespace").unwrap_or_default()
}

/// `metadata.uid`, or nothing.
pub fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid").unwrap_or_default()
}

/// The uid of the owner that controls the object.
pub fn controller(object: &Value) -> Option<&str> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners.iter().find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    owner.get("uid")?.as_str()
}

/// Whether the object is on its way out.
pub fn is_leaving(object: &Value) -> bool {
    object.pointer("/metadata/deletionTimestamp").is_some()
}

/// Sets a value, making the objects on the way.
pub fn set(object: &mut Value, path: &[&str], value: Value) {
    let mut place = object;
    for step in path {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[*step];
    }
    *place = value;
}

/// Sets an annotation.
pub fn annotate(object: &mut Value, key: &str, value: impl Into<String>) {
    set(object, &["metadata", "annotations", key], Value::String(value.into()));
}

/// An annotation.
pub fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    object.get("metadata")?.get("annotations")?.get(key)?.as_str()
}

/// The owner reference by which a controller holds an object.
pub fn owned_by(owner: &Value) -> Value {
    json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": name(owner), "uid": uid(owner),
        "controller": true, "blockOwnerDeletion": true,
    }])
}

/// A time as the API writes it: whole seconds, UTC.
pub fn stamp(at: Timestamp) -> Value {
    Value::String(at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The containers of a pod or of a template, given its `spec`.
pub fn containers(pod_spec: &Value) -> &[Value] {
    pod_spec.get("containers").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The JSON with object keys in order, so that equal templates have equal text whatever map they came from.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<_> = fields.iter().collect();
            names.sort_by_key(|field| field.0);
            let inner: Vec<String> =
                names.into_iter().map(|(name, field)| format!("{name:?}:{}", canonical(field))).collect();
            format!("{{{}}}", inner.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}
