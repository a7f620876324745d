//! Strategic merge patch: as a merge patch, but lists of named things merge by the key that their type declares, and `$`
//! directives steer it.

use serde_json::{Map, Value};

use super::PatchError;
use crate::rehearsal::cluster::schema::{Merge, Shape};

/// What is not in the table of shapes merges as plain objects do.
const UNKNOWN: Shape = Shape::Any;

/// Merges the patch into the target.
pub fn apply(shape: &Shape, target: &mut Value, patch: &Value) -> Result<(), PatchError> {
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
        merge_field(shape, fields, (name, change))?;
    }
    retain(fields, changes);
    order(shape, fields, changes);
    Ok(())
}

fn merge_field(
    shape: &Shape,
    fields: &mut Map<String, Value>,
    (name, change): (&str, &Value),
) -> Result<(), PatchError> {
    let inner = shape.inner(name).unwrap_or(&UNKNOWN);
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
            merge_list(inner, list, items)?;
        }
        Value::Object(_) => apply(inner, fields.entry(name.to_owned()).or_insert(Value::Null), change)?,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            fields.insert(name.to_owned(), change.clone());
        }
    }
    Ok(())
}

fn merge_list(shape: &Shape, list: &mut Value, items: &[Value]) -> Result<(), PatchError> {
    let replaces = items.iter().any(|item| item.get("$patch").and_then(Value::as_str) == Some("replace"));
    let (of, merge) = list_of(shape);
    if replaces || merge == Merge::Replace {
        *list = Value::Array(items.iter().filter(|item| item.get("$patch").is_none()).cloned().collect());
        return Ok(());
    }
    if !list.is_array() {
        *list = Value::Array(Vec::new());
    }
    let Value::Array(present) = list else { return Ok(()) };
    for item in items {
        match merge {
            Merge::Key(key) => merge_item(of, present, (key, item))?,
            Merge::Values | Merge::Replace if present.contains(item) => {}
            Merge::Values | Merge::Replace => present.push(item.clone()),
        }
    }
    Ok(())
}

fn merge_item(of: &Shape, present: &mut Vec<Value>, (key, item): (&str, &Value)) -> Result<(), PatchError> {
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
        return apply(of, &mut present[at], item);
    }
    let mut fresh = Value::Object(Map::new());
    apply(of, &mut fresh, item)?;
    present.push(fresh);
    Ok(())
}

/// What a list holds and how it merges; a list of unknown shape is replaced.
fn list_of(shape: &Shape) -> (&Shape, Merge) {
    match shape {
        Shape::List { of, merge, .. } => (of, *merge),
        _ => (&UNKNOWN, Merge::Replace),
    }
}

/// `$retainKeys`: of this object only the listed fields stay.
fn retain(fields: &mut Map<String, Value>, changes: &Map<String, Value>) {
    if let Some(Value::Array(keys)) = changes.get("$retainKeys") {
        fields.retain(|name, _| keys.iter().any(|key| key.as_str() == Some(name)));
    }
}

/// `$setElementOrder/x`: the listed items in the listed order, after the ones the patch does not know.
fn order(shape: &Shape, fields: &mut Map<String, Value>, changes: &Map<String, Value>) {
    for (directive, wanted) in changes {
        let (Some(name), Some(wanted)) = (directive.strip_prefix("$setElementOrder/"), wanted.as_array()) else {
            continue;
        };
        let merge = list_of(shape.inner(name).unwrap_or(&UNKNOWN)).1;
        let Some(Value::Array(items)) = fields.get_mut(name) else { continue };
        items.sort_by_key(|item| {
            let rank = wanted.iter().position(|row| match merge {
                Merge::Key(key) => row.get(key) == item.get(key),
                Merge::Values | Merge::Replace => row == item,
            });
            rank.map_or(0, |rank| rank + 1)
        });
    }
}
