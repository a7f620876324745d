//! The `autoscaling/v1` Scale: a narrow view of a workload, read and written through `/scale`.

use serde_json::{Value, json};

use crate::rehearsal::cluster::shape;

/// The `autoscaling/v1` Scale of a workload.
pub fn scale_of(object: &Value) -> Value {
    let chosen = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let text: Vec<String> = chosen
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let meta = &object["metadata"];
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": {"replicas": object.pointer("/spec/replicas").cloned().unwrap_or_else(|| json!(0))},
        "status": {"replicas": shape::number(object, "/status/replicas").unwrap_or(0), "selector": text.join(",")},
    })
}

/// The workload with the replicas and the preconditions that a Scale asks for.
pub(super) fn rescaled(before: &Value, scale: &Value) -> Value {
    let mut after = before.clone();
    after["spec"]["replicas"] = scale.pointer("/spec/replicas").cloned().unwrap_or_else(|| json!(0));
    for field in ["resourceVersion", "uid"] {
        if let Some(wanted) = scale.pointer(&format!("/metadata/{field}")) {
            after["metadata"][field] = wanted.clone();
        }
    }
    after
}
