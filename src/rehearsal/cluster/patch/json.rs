//! JSON patch (RFC 6902) over JSON pointers (RFC 6901).

use serde_json::Value;

use super::PatchError;

/// Applies every operation in order; the target is half changed when one fails, so give it a copy.
pub fn apply(target: &mut Value, patch: &Value) -> Result<(), PatchError> {
    let Value::Array(operations) = patch else {
        return Err(PatchError::Malformed("a JSON patch is an array of operations".to_owned()));
    };
    operations.iter().try_for_each(|operation| step(target, operation))
}

fn step(target: &mut Value, operation: &Value) -> Result<(), PatchError> {
    let path = member(operation, "path")?;
    match member(operation, "op")? {
        "add" => add(target, path, value(operation)?),
        "remove" => remove(target, path).map(drop),
        "replace" => {
            let place = target.pointer_mut(path).ok_or_else(|| missing("replace", path))?;
            *place = value(operation)?;
            Ok(())
        }
        "move" => {
            let moved = remove(target, member(operation, "from")?)?;
            add(target, path, moved)
        }
        "copy" => {
            let from = member(operation, "from")?;
            let copied = target.pointer(from).cloned().ok_or_else(|| missing("copy", from))?;
            add(target, path, copied)
        }
        "test" => {
            let wanted = value(operation)?;
            if target.pointer(path) == Some(&wanted) {
                return Ok(());
            }
            Err(PatchError::Inapplicable(format!("testing path {path} failed")))
        }
        other => Err(PatchError::Malformed(format!("unexpected kind: {other}"))),
    }
}

fn member<'a>(operation: &'a Value, name: &str) -> Result<&'a str, PatchError> {
    let found = operation.get(name).and_then(Value::as_str);
    found.ok_or_else(|| PatchError::Malformed(format!("operation without \"{name}\"")))
}

fn value(operation: &Value) -> Result<Value, PatchError> {
    let found = operation.get("value").cloned();
    found.ok_or_else(|| PatchError::Malformed("operation without \"value\"".to_owned()))
}

fn missing(operation: &str, path: &str) -> PatchError {
    PatchError::Inapplicable(format!("{operation} operation does not apply: doc is missing path: {path}"))
}

/// Splits a pointer into its parent and its last, unescaped, segment.
fn split(path: &str) -> Option<(&str, String)> {
    let (parent, last) = path.rsplit_once('/')?;
    Some((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), PatchError> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    let (parent, last) = split(path).ok_or_else(|| missing("add", path))?;
    match target.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.insert(last, value);
            Ok(())
        }
        Some(Value::Array(items)) if last == "-" => {
            items.push(value);
            Ok(())
        }
        Some(Value::Array(items)) => match last.parse::<usize>() {
            Ok(index) if index <= items.len() => {
                items.insert(index, value);
                Ok(())
            }
            _ => Err(missing("add", path)),
        },
        _ => Err(missing("add", path)),
    }
}

fn remove(target: &mut Value, path: &str) -> Result<Value, PatchError> {
    let (parent, last) = split(path).ok_or_else(|| missing("remove", path))?;
    let removed = match target.pointer_mut(parent) {
        Some(Value::Object(fields)) => fields.remove(&last),
        Some(Value::Array(items)) => match last.parse::<usize>() {
            Ok(index) if index < items.len() => Some(items.remove(index)),
            _ => None,
        },
        _ => None,
    };
    removed.ok_or_else(|| missing("remove", path))
}
