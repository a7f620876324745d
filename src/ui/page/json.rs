//! JSON inside of a log line, made readable.

use serde_json::Value;

use super::Page;
use crate::ui::theme::Role;

/// The object or list that a text is or ends with, and what stands before it.
fn found(text: &str) -> Option<(&str, Value)> {
    let starts = text.match_indices(['{', '[']).map(|(at, _)| at).take(8);
    for at in starts {
        if let Ok(value @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str(text[at..].trim_end()) {
            return Some((text[..at].trim(), value));
        }
    }
    None
}

/// Adds the fields of a line that is written as JSON.
pub(super) fn rows(page: &mut Page, text: &str) {
    let Some((before, value)) = found(text) else { return };
    page.head("AS JSON");
    if !before.is_empty() {
        page.text(Role::Faint, format!("after: {before}"));
    }
    // A value that was parsed serializes.
    let pretty = serde_json::to_string_pretty(&value).unwrap_or_default();
    for line in pretty.lines() {
        page.text(Role::Text, line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_found_alone_and_behind_a_prefix() {
        assert_eq!(found("{\"level\":\"error\"}").map(|(before, _)| before), Some(""));
        assert_eq!(found("09:30 app[1]: {\"a\":[1,2]}").map(|(before, _)| before), Some("09:30 app[1]:"));
        assert_eq!(found("GET /orders {id} 200"), None);
        assert_eq!(found("plain"), None);
    }
}
