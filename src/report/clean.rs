//! The last wash before text leaves: controls and secrets out, then the escapes of the place it goes to.

use crate::domain::observation::{redact, sanitise};

/// One line: no control characters, no secrets.
pub(super) fn line(text: &str) -> String {
    redact::redact_borrowed(&sanitise::line(text)).0.into_owned()
}

/// Several lines: the same, line ends kept.
pub(super) fn text(text: &str) -> String {
    redact::redact_borrowed(&sanitise::text(text)).0.into_owned()
}

/// A line as Markdown that shows every character as itself.
pub(super) fn markdown(raw: &str) -> String {
    // What stands between the two is not seen, and calls nobody.
    let clean = line(raw).replace('@', "@\u{200b}");
    let mut escaped = String::with_capacity(clean.len() + 8);
    for c in clean.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' | '!' => {
                escaped.push('\\');
                escaped.push(c);
            }
            c => escaped.push(c),
        }
    }
    escaped
}

/// A line inside a Markdown code span. A backtick would end the span, so it is shown as its look-alike.
pub(super) fn code(raw: &str) -> String {
    let clean = line(raw).replace('`', "'");
    // Two backticks with nothing between them would open a span instead.
    if clean.is_empty() { "` `".to_owned() } else { format!("`{clean}`") }
}

/// A line for Slack: `& < >` escaped, as its documentation asks, and the mention marks with them.
pub(super) fn slack(raw: &str) -> String {
    line(raw).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A line as the text of an HTML element or of an attribute in double quotes.
pub(super) fn html(raw: &str) -> String {
    escaped(&line(raw))
}

/// The same for several lines, line ends kept.
pub(super) fn html_text(raw: &str) -> String {
    escaped(&text(raw))
}

fn escaped(clean: &str) -> String {
    let mut escaped = String::with_capacity(clean.len() + 8);
    for c in clean.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The same in at most `most` characters, the cut marked and no escape cut apart.
pub(super) fn slack_within(raw: &str, most: usize) -> String {
    let mut kept = cut(&slack(raw), most);
    if let Some(cut_at) = kept.rfind('&').filter(|at| kept.ends_with('…') && !kept[*at..].contains(';')) {
        kept.truncate(cut_at);
        kept.push('…');
    }
    kept
}

/// At most `most` characters, the cut marked.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(most.saturating_sub(1)).collect();
    kept.push('…');
    kept
}

/// Every string inside a JSON value.
pub(super) fn json(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(string) => *string = text(string),
        serde_json::Value::Array(items) => items.iter_mut().for_each(json),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(json),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_shows_itself() {
        assert_eq!(markdown("# a *b* <c> | `d` [e](f)"), "\\# a \\*b\\* &lt;c&gt; \\| \\`d\\` \\[e\\](f)");
        assert_eq!(code("a `b` c"), "`a 'b' c`");
        assert_eq!(code(""), "` `");
        assert_eq!(markdown("@here"), "@\u{200b}here", "it calls nobody");
        assert!(!markdown("a\u{1b}[2Jb\nc").contains(['\u{1b}', '\n']));
    }

    #[test]
    fn slack_mentions_are_text() {
        assert_eq!(slack("<!channel> a & b"), "&lt;!channel&gt; a &amp; b");
    }

    #[test]
    fn an_escape_is_whole_or_left_out() {
        assert_eq!(slack_within("a & b", 9), "a &amp; b");
        assert_eq!(slack_within("a & b…", 9), "a &amp; …");
        for most in 4..7 {
            assert_eq!(slack_within("a & b", most), "a …", "{most}");
        }
    }

    #[test]
    fn cuts_count_characters() {
        assert_eq!(cut("äöü", 3), "äöü");
        assert_eq!(cut("äöüß", 3), "äö…");
    }
}
