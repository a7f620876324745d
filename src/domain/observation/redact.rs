//! Secrets out of text, before an event is stamped: keys, tokens, webhook addresses, passwords in assignments.
//!
//! One pass of an automaton over a few literals decides whether any pattern need run at all; most lines stop there.
//! Rather one word too many hidden than one secret shown; the table of things left alone is in the tests.

mod expressions;
mod issued;
mod look;
pub mod object;
mod patterns;
mod prose;
mod replace;

use std::borrow::Cow;

use super::sanitise;
use patterns::{KEY_MATERIAL_LENGTHS, Pattern};

/// Text with its secrets replaced by `[redacted:KIND]`, and how many there were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    /// The text without secrets.
    pub text: String,
    /// Replacements made.
    pub count: u32,
}

/// How every replacement begins; a line with it was redacted.
pub const MARK: &str = "[redacted:";

/// Bounds the work on a text made to be redacted for ever.
const PASSES: usize = 16;

/// Replaces what looks like a secret. Running it again changes nothing.
pub fn redact(text: &str) -> Redacted {
    let (text, count) = redact_borrowed(text);
    Redacted { text: text.into_owned(), count }
}

/// [`redact`] without a copy where there is nothing to hide.
pub fn redact_borrowed(text: &str) -> (Cow<'_, str>, u32) {
    if is_key_material(text) {
        return (Cow::Owned(format!("{MARK}key-material]")), 1);
    }
    let mut hidden = Cow::Borrowed(text);
    let mut count = 0;
    // One secret gone may give the next its word boundary: again until nothing more is found.
    for _ in 0..PASSES {
        let replaced = pass(&mut hidden);
        if replaced == 0 {
            break;
        }
        count += replaced;
    }
    (hidden, count)
}

/// Free text of others, made fit to be kept and shown: controls out, then secrets, then cut to so many characters. In this
/// order: a character that is not drawn must not hide a word from the redaction, nor the cut the end of a secret.
pub fn clean(text: &str, longest: usize) -> String {
    let line = sanitise::line(text.trim());
    let (hidden, _) = redact_borrowed(&line);
    match hidden.char_indices().nth(longest) {
        Some((at, _)) => format!("{}…", &hidden[..at]),
        None => hidden.into_owned(),
    }
}

/// The words without one of which, in any case, [`redact`] finds nothing, unless the text is the inside of a key.
pub(super) fn calls() -> impl Iterator<Item = &'static str> {
    patterns::literals().map(|(literal, _)| literal)
}

fn pass(text: &mut Cow<'_, str>) -> u32 {
    let candidates = patterns::candidates(text);
    let mut count = 0;
    for pattern in Pattern::ALL.into_iter().filter(|pattern| candidates.contains(*pattern)) {
        if let Some((hidden, replaced)) = replace::replace(pattern, text) {
            *text = Cow::Owned(hidden);
            count += replaced;
        }
    }
    count
}

/// A line that is nothing but so many base64 characters is the inside of a PEM block whose first line was another event. A
/// hex digest of the same length is not, nor is a name such as streams of logs have
/// (`OrdersStackTaskDefWebContainer/web/0123456789abcdef..`): of letters and digits by chance, as many are capitals as not
/// (26 of 64, and 10 or fewer once in 20,000 lines), and no part between slashes is a long number in hex.
pub(super) fn is_key_material(text: &str) -> bool {
    let text = text.trim();
    KEY_MATERIAL_LENGTHS.contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
        && text.bytes().filter(u8::is_ascii_uppercase).count() * CAPITALS >= text.len()
        && text.bytes().any(|b| b.is_ascii_lowercase())
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| !b.is_ascii_hexdigit())
        && !text.split('/').any(is_number_in_hex)
}

/// Of the inside of a key at least one character in so many is a capital.
const CAPITALS: usize = 6;

fn is_number_in_hex(part: &str) -> bool {
    part.len() >= 16 && part.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
