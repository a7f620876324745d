//! Fields of an object by path, and the difference between two objects. Pure.
//! Paths: `spec.replicas`, `metadata.annotations["example.com/key"]`, `spec.containers[name=app].resources`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::map::safe;
use crate::domain::count::counted;
use crate::domain::observation::redact::object;
use crate::domain::remediation::step::FieldChange;

/// Most changes told of one difference.
const MOST_CHANGES: usize = 40;

/// Longest value told, in characters.
const LONGEST_VALUE: usize = 200;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part<'a> {
    Key(&'a str),
    Named(&'a str),
}

/// The canonical JSON of a field; `null` where it is absent, as the API itself sees no difference.
pub(super) fn canonical(object: &Value, path: &str) -> String {
    at(object, path).map_or_else(|| "null".to_owned(), Value::to_string)
}

/// The field at a path, if the object has it.
pub(super) fn at<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut current = object;
    for part in parts(path)? {
        current = match part {
            Part::Key(key) => current.get(key)?,
            Part::Named(name) => current.as_array()?.iter().find(|item| name_of(item) == Some(name))?,
        };
    }
    Some(current)
}

/// Splits a path. `None` for one that is not written as above.
fn parts(path: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix("[\"") {
            let (key, after) = inner.split_once("\"]")?;
            parts.push(Part::Key(key));
            rest = after;
        } else if let Some(inner) = rest.strip_prefix("[name=") {
            let (name, after) = inner.split_once(']')?;
            parts.push(Part::Named(name));
            rest = after;
        } else {
            let rest_of_key = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest_of_key.find(['.', '[']).unwrap_or(rest_of_key.len());
            let (key, after) = rest_of_key.split_at(end);
            parts.push(Part::Key((!key.is_empty()).then_some(key)?));
            rest = after;
        }
    }
    Some(parts)
}

/// What differs between two versions of an object, leaving out what the server keeps for itself.
/// Bounded: beyond the first changes, one last entry says how many more there are.
pub(super) fn difference(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    walk("", Some(before), Some(after), &mut changes);
    let more = changes.len().saturating_sub(MOST_CHANGES);
    if more > 0 {
        changes.truncate(MOST_CHANGES);
        changes
            .push(FieldChange { path: format!("… and {}", counted(more, "more field")), before: None, after: None });
    }
    changes
}

/// Bookkeeping of the server, which says nothing about the step.
fn is_bookkeeping(path: &str) -> bool {
    matches!(path, "status" | "metadata.managedFields" | "metadata.resourceVersion" | "metadata.generation")
}

fn walk(path: &str, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<FieldChange>) {
    if before == after || is_bookkeeping(path) {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                walk(&join(path, key), old.get(key), new.get(key), changes);
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => match (by_name(old), by_name(new)) {
            (Some(old), Some(new)) => {
                let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
                for name in names {
                    let path = format!("{path}[name={name}]");
                    walk(&path, old.get(name).copied(), new.get(name).copied(), changes);
                }
            }
            _ => changes.push(change(path, before, after)),
        },
        // An object that comes or goes is told by its leaves, as long as it has any.
        (None, Some(Value::Object(new))) if !new.is_empty() => {
            for (key, value) in new {
                walk(&join(path, key), None, Some(value), changes);
            }
        }
        (Some(Value::Object(old)), None) if !old.is_empty() => {
            for (key, value) in old {
                walk(&join(path, key), Some(value), None, changes);
            }
        }
        _ => changes.push(change(path, before, after)),
    }
}

fn change(path: &str, before: Option<&Value>, after: Option<&Value>) -> FieldChange {
    let told = |value: &Value| told(&without_secrets(path, value));
    FieldChange { path: safe(path), before: before.map(told), after: after.map(told) }
}

/// A value as it may be told at its place: compared was the exact one.
fn without_secrets(path: &str, value: &Value) -> Value {
    let named = path.rsplit_once(".env[name=").and_then(|(_, rest)| rest.strip_suffix("].value"));
    if named.is_some() && value.is_string() {
        return Value::from(object::HIDDEN);
    }
    let name = path.rsplit(['.', '"']).find(|part| !part.is_empty() && *part != "]").unwrap_or(path);
    let mut value = value.clone();
    object::hide_field(name, &mut value);
    value
}

fn told(value: &Value) -> String {
    let text = safe(&value.to_string());
    if text.chars().nth(LONGEST_VALUE).is_none() {
        return text;
    }
    let mut cut: String = text.chars().take(LONGEST_VALUE).collect();
    cut.push('…');
    cut
}

fn join(path: &str, key: &str) -> String {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    match (plain, path.is_empty()) {
        (true, true) => key.to_owned(),
        (true, false) => format!("{path}.{key}"),
        (false, _) => format!("{path}[\"{key}\"]"),
    }
}

fn name_of(item: &Value) -> Option<&str> {
    item.get("name")?.as_str()
}

/// The items by name, if each has one and no two have the same.
fn by_name(items: &[Value]) -> Option<BTreeMap<&str, &Value>> {
    let named: BTreeMap<&str, &Value> =
        items.iter().map(|item| name_of(item).map(|name| (name, item))).collect::<Option<_>>()?;
    (named.len() == items.len()).then_some(named)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_lead_into_an_object() {
        let object = json!({
            "spec": { "replicas": 6, "containers": [{ "name": "a" }, { "name": "app", "resources": { "x": 1 } }] },
            "metadata": { "annotations": { "example.com/a.b": "v" } },
        });
        for (path, expected) in [
            ("spec.replicas", "6"),
            ("spec.containers[name=app].resources", r#"{"x":1}"#),
            ("spec.containers[name=app].resources.x", "1"),
            ("spec.containers[name=none]", "null"),
            (r#"metadata.annotations["example.com/a.b"]"#, r#""v""#),
            ("spec.absent.deep", "null"),
            ("spec..replicas", "null"),
            ("spec.containers[0]", "null"),
        ] {
            assert_eq!(canonical(&object, path), expected, "{path}");
        }
    }

    #[test]
    fn a_difference_names_each_leaf_and_no_bookkeeping() {
        let before = json!({
            "metadata": { "generation": 1, "resourceVersion": "5", "managedFields": [1] },
            "spec": { "a": 1, "list": [{ "name": "x", "v": 1 }, { "name": "y" }], "args": ["1"], "same": [1, 2] },
            "status": { "ready": 1 },
        });
        let after = json!({
            "metadata": { "generation": 2, "resourceVersion": "6", "annotations": { "k/é": "new" } },
            "spec": { "list": [{ "name": "x", "v": 2 }, { "name": "z", "w": true }], "args": ["2"], "same": [1, 2] },
            "status": { "ready": 2 },
        });
        let told: Vec<String> = difference(&before, &after)
            .into_iter()
            .map(|change| format!("{} {:?} {:?}", change.path, change.before, change.after))
            .collect();
        assert_eq!(
            told,
            [
                r#"metadata.annotations["k/é"] None Some("\"new\"")"#,
                r#"spec.a Some("1") None"#,
                r#"spec.args Some("[\"1\"]") Some("[\"2\"]")"#,
                r#"spec.list[name=x].v Some("1") Some("2")"#,
                r#"spec.list[name=y].name Some("\"y\"") None"#,
                r#"spec.list[name=z].name None Some("\"z\"")"#,
                r#"spec.list[name=z].w None Some("true")"#,
            ]
        );
    }

    #[test]
    fn every_told_path_leads_to_the_value_it_tells() {
        let before = json!({ "spec": { "t": { "annotations": { "kubectl.kubernetes.io/restartedAt": "a" } } } });
        let after = json!({ "spec": { "t": { "annotations": { "kubectl.kubernetes.io/restartedAt": "b" } } } });
        let change = difference(&before, &after).remove(0);
        assert_eq!(change.path, r#"spec.t.annotations["kubectl.kubernetes.io/restartedAt"]"#);
        assert_eq!(canonical(&after, &change.path), change.after.unwrap());
    }

    #[test]
    fn no_difference_tells_a_secret() {
        let pod = |version: &str, image: &str| {
            json!({ "spec": { "containers": [{
                "name": "app", "image": image, "args": ["--password", format!("hunter{version}"), "--port", "8080"],
                "command": ["run", format!("--dsn=postgres://app:pw{version}@db/x")],
                "env": [{ "name": "DB_PASSWORD", "value": format!("hunter{version}") }, { "name": "GREETING", "value": version }],
            }] }, "metadata": { "annotations": { "example.com/api-token": format!("abcdefgh{version}") } } })
        };
        let told: Vec<String> = difference(&pod("2", "api:1"), &pod("3", "api:2"))
            .into_iter()
            .map(|change| format!("{} {} {}", change.path, change.before.unwrap(), change.after.unwrap()))
            .collect();
        let hidden = r#""[redacted:hidden]""#;
        let args = r#"["--password","[redacted:hidden]","--port","8080"]"#;
        let command = r#"["run","--dsn=postgres://app:[redacted:password]@db/x"]"#;
        assert_eq!(
            told,
            [
                format!(r#"metadata.annotations["example.com/api-token"] {hidden} {hidden}"#),
                format!("spec.containers[name=app].args {args} {args}"),
                format!("spec.containers[name=app].command {command} {command}"),
                format!("spec.containers[name=app].env[name=DB_PASSWORD].value {hidden} {hidden}"),
                format!("spec.containers[name=app].env[name=GREETING].value {hidden} {hidden}"),
                r#"spec.containers[name=app].image "api:1" "api:2""#.to_owned(),
            ]
        );
    }

    #[test]
    fn a_long_difference_is_cut_and_says_so() {
        let many = |value: u32| (0..60).map(|n| (format!("k{n:02}"), json!(value))).collect::<Value>();
        let changes = difference(&many(1), &many(2));
        assert_eq!(changes.len(), MOST_CHANGES + 1);
        assert_eq!(changes.last().unwrap().path, "… and 20 more fields");
        let long = difference(&json!({ "a": "x".repeat(900) }), &json!({ "a": "" }));
        assert!(long[0].before.as_ref().unwrap().chars().count() <= LONGEST_VALUE + 1);
    }
}
