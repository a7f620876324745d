//! Strategic merge patch: as a merge patch, but lists of named things merge by their key, and `$` directives steer it.

use serde_json::{Map, Value};

use super::PatchError;

/// Lists that merge, with the key that tells their items apart. From the `patchMergeKey` tags of the published API types.
/// `ports` of a container merge by `containerPort`, those of a Service by `port`: see [`merge_key`].
const KEYED: [(&str, &str); 11] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("ephemeralContainers", "name"),
    ("env", "name"),
    ("volumes", "name"),
    ("imagePullSecrets", "name"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
    ("hostAliases", "ip"),
    ("conditions", "type"),
    ("ownerReferences", "uid"),
];

/// Lists of plain values that merge as sets.
const SETS: [&str; 1] = ["finalizers"];

/// Merges the patch into the target.
pub fn apply(target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let Value::Object(changes) = patch else {
        *target = patch.clone();
        return Ok(());
    };
    match changes.get("$patch").and_then(Value::as_str) {
        Some("replace") => {
            let mut fields = changes.clone();
            fields.remove("$patch");
            *target = Value::Object(fields);
            return Ok(());
        }
        Some("delete") => {
            *target = Value::Object(Map::new());
            return Ok(());
        }
        None | Some("merge") => {}
        Some(other) => return Err(PatchError::Malformed(format!("Unknown patch type found in {other}"))),
    }
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else { return Ok(()) };
    for (name, change) in changes {
        merge_field(fields, name, change)?;
    }
    retain(fields, changes);
    order(fields, changes);
    Ok(())
}

fn merge_field(fields: &mut Map<String, Value>, name: &str, change: &Value) -> Result<(), PatchError> {
    if let Some(list) = name.strip_prefix("$deleteFromPrimitiveList/") {
        if let (Some(Value::Array(kept)), Some(gone)) = (fields.get_mut(list), change.as_array()) {
            kept.retain(|item| !gone.contains(item));
        }
        return Ok(());
    }
    if name.starts_with('$') {
        return Ok(());
    }
    match change {
        Value::Null => {
            fields.remove(name);
        }
        Value::Array(items) => {
            let list = fields.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
            merge_list(list, name, items)?;
        }
        Value::Object(_) => apply(fields.entry(name.to_owned()).or_insert(Value::Null), change)?,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            fields.insert(name.to_owned(), change.clone());
        }
    }
    Ok(())
}

fn merge_list(list: &mut Value, name: &str, items: &[Value]) -> Result<(), PatchError> {
    let replaces = items.iter().any(|item| item.get("$patch").and_then(Value::as_str) == Some("replace"));
    let key = merge_key(name, items);
    if replaces || (key.is_none() && !SETS.contains(&name)) {
        *list = Value::Array(items.iter().filter(|item| item.get("$patch").is_none()).cloned().collect());
        return Ok(());
    }
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    let Value::Array(present) = list else { return Ok(()) };
    for item in items {
        match key {
            Some(key) => merge_item(present, key, item)?,
            None if present.contains(item) => {}
            None => present.push(item.clone()),
        }
    }
    Ok(())
}

fn merge_item(present: &mut Vec<Value>, key: &str, item: &Value) -> Result<(), PatchError> {
    let Some(identity) = item.get(key) else {
        return Err(PatchError::Unmergeable(format!("map: {item} does not contain declared merge key: {key}")));
    };
    let at = present.iter().position(|known| known.get(key) == Some(identity));
    if item.get("$patch").and_then(Value::as_str) == Some("delete") {
        if let Some(at) = at {
            present.remove(at);
        }
        return Ok(());
    }
    if let Some(at) = at {
        return apply(&mut present[at], item);
    }
    let mut fresh = Value::Object(Map::new());
    apply(&mut fresh, item)?;
    present.push(fresh);
    Ok(())
}

/// The key of a list by its field name and, for `ports`, by what the items carry.
fn merge_key(name: &str, items: &[Value]) -> Option<&'static str> {
    if name == "ports" {
        let in_container = items.iter().any(|item| item.get("containerPort").is_some());
        return Some(if in_container { "containerPort" } else { "port" });
    }
    KEYED.iter().find(|row| row.0 == name).map(|row| row.1)
}

/// `$retainKeys`: of this object only the listed fields stay.
fn retain(fields: &mut Map<String, Value>, changes: &Map<String, Value>) {
    if let Some(Value::Array(keys)) = changes.get("$retainKeys") {
        fields.retain(|name, _| keys.iter().any(|key| key.as_str() == Some(name)));
    }
}

/// `$setElementOrder/x`: the listed items in the listed order, after the ones the patch does not know.
fn order(fields: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (directive, wanted) in changes {
        let (Some(name), Some(wanted)) = (directive.strip_prefix("$setElementOrder/"), wanted.as_array()) else {
            continue;
        };
        let key = merge_key(name, wanted);
        let Some(Value::Array(items)) = fields.get_mut(name) else { continue };
        items.sort_by_key(|item| {
            let rank = wanted.iter().position(|row| match key {
                Some(key) => row.get(key) == item.get(key),
                None => row == item,
            });
            rank.map_or(0, |rank| rank + 1)
        });
    }
}
