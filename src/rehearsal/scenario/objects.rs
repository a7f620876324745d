//! Kubernetes objects from the files of a scenario's folder, as `kubectl get -o json` or `-o yaml` prints
//! them, re-stamped to its time.

use std::path::{Component, Path};

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::domain::fault::{Fault, FaultKind};

/// Reads the objects of all files; a list gives its items. All instants keep their distance to each other, and the latest
/// of them falls on `end`.
///
/// # Errors
/// `Storage` for a file that cannot be read, `Usage` for one that is no object or lies outside the folder.
pub(super) fn read(folder: &Path, files: &[String], end: Timestamp) -> Result<Vec<Value>, Fault> {
    let mut objects = Vec::new();
    for file in files {
        if Path::new(file).components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
            return Err(Fault::new(FaultKind::Usage, format!("The file {file} lies outside the scenario's folder.")));
        }
        let text = std::fs::read_to_string(folder.join(file)).map_err(|error| {
            Fault::new(FaultKind::Storage, format!("The file {file} of the scenario could not be read."))
                .cause(error.to_string())
        })?;
        objects.extend(items(file, &text)?);
    }
    let latest = objects.iter().filter_map(latest).max();
    if let Some(latest) = latest {
        let shift = end.duration_since(latest);
        for object in &mut objects {
            restamp(object, shift);
        }
    }
    Ok(objects)
}

fn items(file: &str, text: &str) -> Result<Vec<Value>, Fault> {
    let wrong = |why: String| {
        Fault::new(FaultKind::Usage, format!("The file {file} holds no Kubernetes objects."))
            .cause(why)
            .hint("Write it with `kubectl get KIND -n NAMESPACE -o json`.")
    };
    let mut document: Value = if text.trim_start().starts_with(['{', '[']) {
        serde_json::from_str(text).map_err(|error| wrong(format!("{error}.")))?
    } else {
        serde_saphyr::from_str(text).map_err(|error| wrong(error.to_string()))?
    };
    let objects = match document.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(_) | None => vec![document],
    };
    match objects.iter().find(|object| object["kind"].as_str().is_none() || object["metadata"]["name"].is_null()) {
        Some(_) => Err(wrong("An object needs a kind and a name.".to_owned())),
        None => Ok(objects),
    }
}

/// An instant as the API server writes it; other texts that begin with a date are none.
fn instant(text: &str) -> Option<Timestamp> {
    (text.len() >= 20 && text.as_bytes().get(10) == Some(&b'T')).then(|| text.parse().ok()).flatten()
}

/// The latest instant in an object, or in all of a list.
pub fn latest(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => instant(text),
        Value::Array(entries) => entries.iter().filter_map(latest).max(),
        Value::Object(fields) => fields.values().filter_map(latest).max(),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn restamp(value: &mut Value, shift: SignedDuration) {
    match value {
        Value::String(text) => {
            if let Some(at) = instant(text) {
                // Lease times have microseconds, all others none: each keeps its form.
                let at = at + shift;
                *text = if text.contains('.') {
                    at.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
                } else {
                    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
                };
            }
        }
        Value::Array(entries) => entries.iter_mut().for_each(|entry| restamp(entry, shift)),
        // A template keeps its times: with others it is another template, and its workload would begin a rollout.
        Value::Object(fields) => {
            let told = fields.iter_mut().filter(|(name, _)| *name != "template");
            told.for_each(|(_, field)| restamp(field, shift));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_restamped_as_a_whole() {
        let list = json!({"kind": "List", "items": [
            {"kind": "Event", "metadata": {"name": "a"}, "lastTimestamp": "2025-11-02T03:10:00Z", "note": "2025-11-02"},
            {"kind": "Event", "metadata": {"name": "b"}, "eventTime": "2025-11-02T03:05:00.250000Z"},
        ]});
        let restarted =
            json!({"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "2025-11-01T10:00:00Z"}}});
        let deployment = json!({"kind": "Deployment", "metadata": {"name": "c"}, "spec": {"template": &restarted}});
        let start: Timestamp = "2026-05-01T09:31:00Z".parse().unwrap();
        let mut objects = items("x", &list.to_string()).unwrap();
        objects.push(deployment);
        let shift =
            (start - SignedDuration::from_secs(1)).duration_since(objects.iter().filter_map(latest).max().unwrap());
        for object in &mut objects {
            restamp(object, shift);
        }
        assert_eq!(
            (&objects[0]["lastTimestamp"], &objects[0]["note"]),
            (&json!("2026-05-01T09:30:59Z"), &json!("2025-11-02"))
        );
        assert_eq!(objects[1]["eventTime"], "2026-05-01T09:25:59.250000Z");
        assert_eq!(objects[2]["spec"]["template"], restarted, "a template with another time would be another one");
    }

    #[test]
    fn what_is_no_object_is_told() {
        assert!(items("pods.json", "NAME READY\n").unwrap_err().hints[0].contains("kubectl get"));
        assert!(items("x.json", "{\"items\": [{\"kind\": \"Pod\"}]}").is_err());
        let yaml = "kind: List\nitems:\n- kind: Pod\n  metadata:\n    name: a\n    creationTimestamp: \"2025-11-02T03:10:00Z\"\n";
        let objects = items("pods.yaml", yaml).unwrap();
        assert_eq!(latest(&objects[0]), Some("2025-11-02T03:10:00Z".parse().unwrap()), "{objects:?}");
    }
}
