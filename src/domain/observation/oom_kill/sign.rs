//! The wordings of a kill and of a heap error in text, and the traps among them.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::super::wording::automaton;
use super::KillSign;

/// Wordings, compared without case. `invoked oom-killer` is left out: the kernel prints it beside the kill itself.
const WORDINGS: &[(&str, KillSign)] = &[
    ("oomkilled", KillSign::OomKill),
    ("oom killed", KillSign::OomKill),
    ("oom-killed", KillSign::OomKill),
    ("oom_killed", KillSign::OomKill),
    ("oomkilling", KillSign::OomKill),
    ("memory cgroup out of memory: kill", KillSign::OomKill),
    ("out of memory: kill", KillSign::OomKill),
    ("oom-kill:constraint=", KillSign::OomKill),
    ("container killed due to memory usage", KillSign::OomKill),
    ("system oom encountered", KillSign::OomKill),
    ("outofmemoryerror", KillSign::HeapError),
    ("outofmemoryexception", KillSign::HeapError),
    ("javascript heap out of memory", KillSign::HeapError),
    ("gc overhead limit exceeded", KillSign::HeapError),
    ("runtime: out of memory", KillSign::HeapError),
    ("memoryerror", KillSign::HeapError),
    ("std::bad_alloc", KillSign::HeapError),
];

static AUTOMATON: LazyLock<AhoCorasick> = LazyLock::new(|| automaton(WORDINGS.iter().map(|(wording, _)| *wording)));

/// The words without one of which, in any case, [`sign`] finds nothing.
pub fn wordings() -> impl Iterator<Item = &'static str> {
    WORDINGS.iter().map(|(wording, _)| *wording)
}

/// What a text says about memory running out; a kill outweighs a heap error told in the same breath.
///
/// Traps: exit code 137 alone is no sign; a name that merely contains the word (`alarm my-api-oomkilled`,
/// `-XX:+ExitOnOutOfMemoryError`) is none; a denial (`OOMKilled=false`, `not OOMKilled`, `OOMKilled: 0`) is none.
pub fn sign(text: &str) -> Option<KillSign> {
    let mut heap = None;
    for found in AUTOMATON.find_iter(text) {
        let Some((_, sign)) = WORDINGS.get(found.pattern().as_usize()) else { continue };
        if !stands_alone(text, found.start(), found.end()) || is_denied(text, found.start(), found.end()) {
            continue;
        }
        match sign {
            KillSign::OomKill => return Some(KillSign::OomKill),
            KillSign::HeapError if text[found.end()..].starts_with(": unable to create") => {}
            KillSign::HeapError => heap = Some(KillSign::HeapError),
        }
    }
    heap
}

/// Whether the wording is a word of its own and no part of a name.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].bytes().next_back();
    let after = text[end..].bytes().next();
    let joins = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/');
    let opens_word = match before {
        // The end of a colour sequence, as the sanitiser leaves it: `\x1b[31m`.
        Some(b'm') => {
            text[..start].trim_end_matches(|c: char| c == 'm' || c == ';' || c.is_ascii_digit()).ends_with("\\x1b[")
        }
        Some(byte) => !joins(byte),
        None => true,
    };
    let open_ended = text[..end].ends_with(['=', 'l', 'L']) && after.is_some_and(|byte| byte.is_ascii_alphabetic());
    opens_word && (open_ended || text[..end].ends_with('=') || !after.is_some_and(joins))
}

/// Whether the words around it say that it did not happen.
fn is_denied(text: &str, start: usize, end: usize) -> bool {
    let after = text[end..].trim_start_matches(['"', '\'', '\\', ' ']);
    if let Some(value) = after.strip_prefix([':', '=']) {
        let value = value.trim_start_matches(['"', '\'', '\\', ' ', ':', '=']).to_ascii_lowercase();
        let word: String = value.chars().take_while(char::is_ascii_alphanumeric).collect();
        if matches!(word.as_str(), "false" | "no" | "none" | "null" | "nil" | "0" | "never") {
            return true;
        }
    }
    let before = text[..start].trim_end_matches(['"', '\'', '\\', ' ', '(', '[']).to_ascii_lowercase();
    before.ends_with("!=") || {
        let word = before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '\'')).next().unwrap_or_default();
        matches!(word, "not" | "no" | "never" | "without" | "0" | "isn't" | "wasn't" | "unless" | "if")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wordings_and_traps() {
        use KillSign::{HeapError, OomKill};
        for (text, expected) in [
            ("OOMKilled pod=my-api-7d9f-x2x4 exit=137", Some(OomKill)),
            ("container app terminated: reason=OOMKilled exitCode=137", Some(OomKill)),
            (r#"{"reason":"OOMKilled","exitCode":137}"#, Some(OomKill)),
            ("container init was OOM-killed (memory limit too low?)", Some(OomKill)),
            ("Memory cgroup out of memory: Killed process 4123 (java) total-vm:1kB", Some(OomKill)),
            ("Out of memory: Kill process 12 (node) score 900", Some(OomKill)),
            ("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)", Some(OomKill)),
            ("OutOfMemoryError: Container killed due to memory usage", Some(OomKill)),
            ("\\x1b[31mOOMKilled\\x1b[0m app", Some(OomKill)),
            ("java.lang.OutOfMemoryError: Java heap space", Some(HeapError)),
            ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", Some(HeapError)),
            ("System.OutOfMemoryException was thrown", Some(HeapError)),
            ("MemoryError", Some(HeapError)),
            ("fatal error: runtime: out of memory", Some(HeapError)),
            ("Liveness probe failed, container exited with 137", None),
            ("exit code 137", None),
            ("oomKilled=false", None),
            (r#""OOMKilled": false, "ExitCode": 137"#, None),
            ("OOMKilled: 0", None),
            ("container was not OOMKilled", None),
            ("no OOMKilled containers", None),
            ("alarm my-api-oomkilled is OK", None),
            ("java -XX:+ExitOnOutOfMemoryError -XX:+HeapDumpOnOutOfMemoryError", None),
            ("java.lang.OutOfMemoryError: unable to create native thread", None),
            ("java invoked oom-killer: gfp_mask=0xcc0", None),
            ("out of memory budget for cache", None),
        ] {
            assert_eq!(sign(text), expected, "{text}");
        }
    }
}
