//! Tables for `kubectl get`: the columns a person expects, computed on the server as the API does it.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::rehearsal::cluster::kind::Kind;
use crate::rehearsal::cluster::shape;

/// Whether a request would rather have a table.
pub(super) fn is_asked(accept: &str) -> bool {
    accept.split(',').next().is_some_and(|first| first.contains("as=Table"))
}

/// A table of objects.
pub(super) fn of(kind: &Kind, metadata: &Value, objects: &[&Value], now: Timestamp) -> Value {
    let columns: Vec<Value> = columns(kind)
        .iter()
        .map(|name| {
            let format = if *name == "Name" { "name" } else { "" };
            json!({"name": name, "type": "string", "format": format, "description": "", "priority": 0})
        })
        .collect();
    let rows: Vec<Value> = objects
        .iter()
        .map(|object| {
            let part = json!({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"],
            });
            json!({"cells": cells(kind, object, now), "object": part})
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
        "columnDefinitions": columns, "rows": rows,
    })
}

fn columns(kind: &Kind) -> &'static [&'static str] {
    match kind.plural {
        "pods" => &["Name", "Ready", "Status", "Restarts", "Age"],
        "deployments" => &["Name", "Ready", "Up-to-date", "Available", "Age"],
        "replicasets" => &["Name", "Desired", "Current", "Ready", "Age"],
        "events" => &["Last Seen", "Type", "Reason", "Object", "Message"],
        "nodes" | "namespaces" => &["Name", "Status", "Age"],
        _ => &["Name", "Age"],
    }
}

fn cells(kind: &Kind, object: &Value, now: Timestamp) -> Vec<Value> {
    let name = json!(shape::name(object));
    let age = json!(since(shape::text(object, "/metadata/creationTimestamp"), now));
    let count = |pointer: &str| shape::number(object, pointer).unwrap_or(0);
    match kind.plural {
        "pods" => {
            let (ready, status, restarts) = pod(object);
            vec![name, json!(ready), json!(status), json!(restarts), age]
        }
        "deployments" => {
            let ready = format!("{}/{}", count("/status/readyReplicas"), count("/spec/replicas"));
            let (updated, available) = (count("/status/updatedReplicas"), count("/status/availableReplicas"));
            vec![name, json!(ready), json!(updated), json!(available), age]
        }
        "replicasets" => {
            let counts = ["/spec/replicas", "/status/replicas", "/status/readyReplicas"].map(|at| json!(count(at)));
            let [wanted, present, ready] = counts;
            vec![name, wanted, present, ready, age]
        }
        "events" => {
            let about = &object["involvedObject"];
            let word = about["kind"].as_str().unwrap_or_default().to_lowercase();
            let about = format!("{word}/{}", about["name"].as_str().unwrap_or_default());
            let last = since(shape::text(object, "/lastTimestamp"), now);
            vec![json!(last), object["type"].clone(), object["reason"].clone(), json!(about), object["message"].clone()]
        }
        "nodes" => vec![name, json!("Ready"), age],
        "namespaces" => vec![name, object["status"]["phase"].clone(), age],
        _ => vec![name, age],
    }
}

/// Ready of all, the status in a word, and restarts of a pod.
fn pod(object: &Value) -> (String, String, i64) {
    let containers = object.pointer("/status/containerStatuses").and_then(Value::as_array);
    let containers = containers.map_or(&[][..], Vec::as_slice);
    let ready = containers.iter().filter(|one| one["ready"] == true).count();
    let restarts = containers.iter().filter_map(|one| shape::number(one, "/restartCount")).sum();
    let reason = containers.iter().find_map(|one| {
        shape::text(one, "/state/waiting/reason").or_else(|| shape::text(one, "/state/terminated/reason"))
    });
    let phase = shape::text(object, "/status/phase").unwrap_or_default();
    let status = if shape::is_leaving(object) { "Terminating" } else { reason.unwrap_or(phase) };
    (format!("{ready}/{}", shape::containers(&object["spec"]).len()), status.to_owned(), restarts)
}

/// An age as kubectl writes it: `45s`, `12m`, `3h10m`, `20d`.
fn since(then: Option<&str>, now: Timestamp) -> String {
    let Some(then) = then.and_then(|text| text.parse::<Timestamp>().ok()) else { return "<unknown>".to_owned() };
    let seconds = now.duration_since(then).as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::cluster::kind::row;

    #[test]
    fn a_pod_is_told_in_the_words_of_kubectl() {
        let now: Timestamp = "2026-05-01T09:31:00Z".parse().unwrap();
        let pod = json!({
            "metadata": {"name": "x", "creationTimestamp": "2026-05-01T09:00:00Z"},
            "spec": {"containers": [{"name": "app"}]},
            "status": {"phase": "Running", "containerStatuses": [
                {"ready": false, "restartCount": 3, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]},
        });
        let table = of(row("pods"), &json!({}), &[&pod], now);
        assert_eq!(table["rows"][0]["cells"], json!(["x", "0/1", "CrashLoopBackOff", 3, "31m"]));
        assert!(is_asked("application/json;as=Table;v=v1;g=meta.k8s.io,application/json"));
        assert!(!is_asked("application/json"));
    }
}
