//! Secrets out of an object of Kubernetes or the values of a release: there the place of a value tells that it is one. The
//! one rule for requests, differences and changes.

use serde_json::Value;

use super::redact;

/// What stands for a value hidden by its place: the mark of the redaction, which leaves it alone.
pub const HIDDEN: &str = "[redacted:hidden]";

/// Hides what a value holds of secrets, whatever they look like: each value of an environment, the word after a flag that
/// says so, the field whose name says so, and what [`redact`] finds. Names, images and the shape stay as they are.
pub fn hide(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact(text).text,
        Value::Array(items) => {
            hide_words_after_flags(items);
            items.iter_mut().for_each(hide);
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                hide_field(name, value);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// [`hide`] for a value that is known to be the field of a name.
pub fn hide_field(name: &str, value: &mut Value) {
    match (name, value) {
        ("env", Value::Array(items)) => items.iter_mut().for_each(hide_variable),
        (name, Value::String(text)) if is_secret(name, text) => HIDDEN.clone_into(text),
        (_, value) => hide(value),
    }
}

/// Kubernetes writes `{"name": "DB_PASSWORD", "value": "hunter2"}`: no pattern finds that, and any value may be one.
fn hide_variable(variable: &mut Value) {
    match variable.get_mut("value") {
        Some(Value::String(text)) => HIDDEN.clone_into(text),
        Some(_) | None => hide(variable),
    }
}

/// `["--password", "hunter2"]`: the two words of a flag are two items.
fn hide_words_after_flags(items: &mut [Value]) {
    for at in 1..items.len() {
        let (before, rest) = items.split_at_mut(at);
        if let (Some(Value::String(flag)), Some(Value::String(word))) = (before.last(), rest.first_mut())
            && flag.starts_with('-')
            && redact(&format!("{flag} {word}")).count > redact(flag).count + redact(word).count
        {
            HIDDEN.clone_into(word);
        }
    }
}

/// Whether a field's name makes a secret of its value.
fn is_secret(name: &str, value: &str) -> bool {
    redact(value).count == 0 && redact(&format!("{name}={value}")).count > 0
}
