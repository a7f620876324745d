//! One pass over a text that tells whether cleaning and reading signs would change or find anything at all.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::domain::observation::{oom_kill, redact, sanitise};

/// Every word that calls for a closer look: those of secrets and those of kills, in one automaton.
#[expect(clippy::expect_used, reason = "constant literals, built in every test")]
static CALLS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .kind(Some(AhoCorasickKind::DFA))
        .build(redact::calls().chain(oom_kill::wordings()))
        .expect("the literals are constant")
});

/// Whether a text without line ends is kept as it is and carries no sign. `false` says nothing:
/// 1. it is printable ASCII within the limit of a line;
/// 2. it is not the inside of a key;
/// 3. no word of the patterns and wordings stands in it, in any case.
pub(super) fn is_harmless(text: &str) -> bool {
    sanitise::is_plain_line(text) && !redact::is_key_material(text) && !CALLS.is_match(text)
}
