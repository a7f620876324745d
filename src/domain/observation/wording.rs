//! Automata over constant wordings: how lists of literals become one look at a line.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// Whether a text ends with an escape, as the sanitiser leaves it (`\n`) or as it came: what follows opens a word, though the
/// last letter of the escape would join it. Line ends, tabs and colours (`\x1b[31m`) are such.
pub(super) fn ends_with_escape(text: &str) -> bool {
    match text.as_bytes() {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'm'] => {
            let head = text.trim_end_matches(|c: char| c == 'm' || c == ';' || c.is_ascii_digit());
            head.ends_with("\\x1b[") || head.ends_with("\u{1b}[")
        }
        _ => false,
    }
}

/// Finds the longest of the wordings at the leftmost place, in any ASCII case. As a DFA: built once, run for each line.
///
/// The wordings must be constant: a list too large to build would panic at its first use, which every test makes.
#[expect(clippy::expect_used, reason = "constant literals, built in every test")]
pub(super) fn automaton(wordings: impl IntoIterator<Item = &'static str>) -> AhoCorasick {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::LeftmostLongest)
        .kind(Some(AhoCorasickKind::DFA))
        .build(wordings)
        .expect("the literals are constant")
}
