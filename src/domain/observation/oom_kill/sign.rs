//! The wordings of a kill and of a heap error in text, and the traps among them.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::super::wording::{automaton, ends_with_escape};
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
    ("arraymemoryerror", KillSign::HeapError),
    ("nomemoryerror", KillSign::HeapError),
    ("allowed memory size of", KillSign::HeapError),
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
/// `-XX:+ExitOnOutOfMemoryError`) is none; a denial (`OOMKilled=false`, `not OOMKilled`, `OOMKilled containers: 0`) is none; a
/// process of the node that its kernel killed is no container.
pub fn sign(text: &str) -> Option<KillSign> {
    let mut heap = None;
    for found in AUTOMATON.find_iter(text) {
        let Some((_, sign)) = WORDINGS.get(found.pattern().as_usize()) else { continue };
        if !stands_alone(text, found.start(), found.end()) || is_denied(text, found.start(), found.end()) {
            continue;
        }
        match sign {
            KillSign::OomKill if is_of_the_node(text, found.start(), found.end()) => {}
            KillSign::OomKill => return Some(KillSign::OomKill),
            KillSign::HeapError if is_elsewhere(text, found.start(), found.end()) => {}
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
    // numpy's own error is `_ArrayMemoryError`.
    let is_private = before == Some(b'_') && text[start..end].eq_ignore_ascii_case("arraymemoryerror");
    let opens_word = is_private || ends_with_escape(&text[..start]) || !before.is_some_and(joins);
    let open_ended = text[..end].ends_with(['=', 'l', 'L']) && after.is_some_and(|byte| byte.is_ascii_alphabetic());
    opens_word && (open_ended || text[..end].ends_with('=') || !after.is_some_and(joins))
}

/// Whether a kill hit no container: the node as a whole had run out, and the victim lies in no control group of one. The
/// lines that the kernel writes after that one do not name a memory control group.
fn is_of_the_node(text: &str, start: usize, end: usize) -> bool {
    let rest = &text[end..];
    let wording = &text[start..end];
    let global = wording.ends_with('=') && (rest.starts_with("CONSTRAINT_NONE") || rest.contains("global_oom"))
        || wording.len() == "out of memory: kill".len() && wording[..3].eq_ignore_ascii_case("out");
    let group = rest.split_once("task_memcg=").map_or("", |(_, group)| group);
    global && !["kubepods", "/ecs", "docker-", "/docker/", "cri-containerd"].iter().any(|place| group.contains(place))
}

/// A heap error of another memory than the container's: that of a graphics card, or room for one more thread.
fn is_elsewhere(text: &str, start: usize, end: usize) -> bool {
    let (before, after) = (&text[..start], &text[end..]);
    let card = before.get(before.len().saturating_sub(5)..).is_some_and(|word| word.eq_ignore_ascii_case("cuda."))
        || [": CUDA ", ": HIP ", ": XPU "].iter().any(|card| after.starts_with(card));
    card || after.starts_with(": unable to create")
}

/// Whether the words around it say that it did not happen, or not now.
fn is_denied(text: &str, start: usize, end: usize) -> bool {
    is_denied_behind(&text[end..]) || is_denied_before(&text[..start], &text[end..])
}

/// Characters before a word that are looked at for a denial.
const LOOK_BACK: usize = 80;
const BLANKS: [char; 4] = ['"', '\'', '\\', ' '];

/// `OOMKilled: 0`, `OOMKilled containers: none`, `OOMKilled count=0`.
fn is_denied_behind(after: &str) -> bool {
    const COUNTED: [&str; 18] = [
        "container",
        "containers",
        "pod",
        "pods",
        "process",
        "processes",
        "task",
        "tasks",
        "kill",
        "kills",
        "event",
        "events",
        "count",
        "counter",
        "total",
        "times",
        "number",
        "so far",
    ];
    let mut rest = after.trim_start_matches(BLANKS);
    for _ in 0..2 {
        let Some(noun) = COUNTED.iter().rev().find(|noun| starts_with_word(rest, noun)) else { break };
        rest = rest[noun.len()..].trim_start_matches(BLANKS);
    }
    let Some(value) = rest.strip_prefix([':', '=']) else { return false };
    let value = value.trim_start_matches([':', '=', '"', '\'', '\\', ' ']);
    let word: String = value.chars().take_while(char::is_ascii_alphanumeric).collect();
    matches!(word.to_ascii_lowercase().as_str(), "false" | "no" | "none" | "null" | "nil" | "0" | "never" | "zero")
        || value.starts_with("[]")
}

fn starts_with_word(text: &str, word: &str) -> bool {
    let is_it = text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    is_it && !text[word.len()..].starts_with(|c: char| c.is_ascii_alphanumeric())
}

/// `not OOMKilled`, `0 containers OOMKilled`, `last OOMKilled: 2026-03-01`, `reasons watched: OOMKilled`.
fn is_denied_before(before: &str, after: &str) -> bool {
    // Of what stands far before nothing is read, however long an event is.
    let near = before.char_indices().rev().take(LOOK_BACK).last().map_or(before, |(at, _)| &before[at..]);
    let before = near.trim_end_matches(['"', '\'', '\\', ' ', '(', '[']).to_ascii_lowercase();
    if before.ends_with("!=") {
        return true;
    }
    let of_list = before.trim_end_matches([':', '=', ' ', '[', '"', '\'']);
    let watched = ["watched", "watching", "monitored", "monitoring", "ignored", "filtered", "handled"];
    let last = of_list.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    if of_list.len() < before.len() && watched.contains(&last) {
        return true;
    }
    let mut words = before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '\''));
    let word = words.next().unwrap_or_default();
    let noun = matches!(word, "container" | "containers" | "pod" | "pods" | "process" | "processes" | "task" | "tasks");
    let counted = words.next().filter(|_| noun);
    let denies = |word: &str| {
        matches!(
            word,
            "not" | "no" | "never" | "without" | "0" | "zero" | "isn't" | "wasn't" | "unless" | "if" | "none"
        )
    };
    let dated = matches!(word, "last" | "previous" | "previously") && after.trim_start_matches(BLANKS).starts_with(':');
    // `ledger-0 OOMKilled` names the first pod of a set.
    let is_name = before.strip_suffix(word).is_some_and(|rest| rest.ends_with(['-', '_', '.']));
    !is_name && denies(word) || counted.is_some_and(|word| matches!(word, "no" | "0" | "zero")) || dated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wordings_and_traps() {
        use KillSign::{HeapError, OomKill};
        for (text, expected) in [
            ("OOMKilled pod=my-api-7d9f-x2x4 exit=137", Some(OomKill)),
            ("pod payments/ledger-0 OOMKilled", Some(OomKill)),
            ("container app terminated: reason=OOMKilled exitCode=137", Some(OomKill)),
            (r#"{"reason":"OOMKilled","exitCode":137}"#, Some(OomKill)),
            ("container init was OOM-killed (memory limit too low?)", Some(OomKill)),
            ("Memory cgroup out of memory: Killed process 4123 (java) total-vm:1kB", Some(OomKill)),
            ("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null)", Some(OomKill)),
            (
                "oom-kill:constraint=CONSTRAINT_NONE,global_oom,task_memcg=/kubepods/burstable/pod1,task=java",
                Some(OomKill),
            ),
            (
                "oom-kill:constraint=CONSTRAINT_NONE,global_oom,task_memcg=/system.slice/docker.service,task=dockerd",
                None,
            ),
            ("Out of memory: Killed process 700 (dockerd) total-vm:1kB", None),
            ("container status:\\nOOMKilled\\nexit 137", Some(OomKill)),
            ("container status:\nOOMKilled", Some(OomKill)),
            ("numpy.core._exceptions._ArrayMemoryError: Unable to allocate 7.45 GiB", Some(HeapError)),
            ("Allowed memory size of 134217728 bytes exhausted (tried to allocate 20480 bytes)", Some(HeapError)),
            ("failed to allocate memory (NoMemoryError)", Some(HeapError)),
            ("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB", None),
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
            ("INFO reporter OOMKilled containers: 0", None),
            ("OOMKilled count: 0", None),
            ("OOMKilled pods: none", None),
            ("OOMKilled containers count=0", None),
            ("0 containers OOMKilled", None),
            ("reasons watched: OOMKilled, Error", None),
            ("last OOMKilled: 2026-03-01", None),
            ("last=OOMKilled", Some(OomKill)),
            ("OOMKilled containers: 3", Some(OomKill)),
            ("OOMKilled restarts=0 exit=137", Some(OomKill)),
            ("reason: OOMKilled", Some(OomKill)),
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
