//! Automata over constant wordings: how lists of literals become one look at a line.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

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
