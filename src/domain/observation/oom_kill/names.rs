//! Names of pods found in text, all of them in one look: a storm of lines over thousands of pods must not multiply.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::Regex;

use crate::domain::observation::workload::Pod;

/// Pods to be found by name.
pub(super) struct Names<'a> {
    pods: Vec<&'a Pod>,
    /// `None` without pods, or where their names are too many to be looked for.
    automaton: Option<AhoCorasick>,
}

impl<'a> Names<'a> {
    pub(super) fn of(pods: &'a [Pod]) -> Self {
        let pods: Vec<&Pod> = pods.iter().filter(|pod| !pod.name.is_empty()).collect();
        let automaton = (!pods.is_empty()).then(|| AhoCorasick::new(pods.iter().map(|pod| &pod.name)).ok()).flatten();
        Self { pods, automaton }
    }

    /// The longest name that stands in the text as a word of its own.
    pub(super) fn named(&self, text: &str) -> Option<&'a Pod> {
        let hits = self.automaton.as_ref()?.find_overlapping_iter(text);
        let alone = hits.filter(|hit| stands_alone(text, hit.start(), hit.end()));
        let pods = alone.filter_map(|hit| self.pods.get(hit.pattern().as_usize()).copied());
        pods.max_by_key(|pod| pod.name.len())
    }
}

/// A name as a replica set gives it, or as one that is said to be a pod's.
#[expect(clippy::expect_used, reason = "a constant expression, built in every test")]
static WRITTEN: LazyLock<Regex> = LazyLock::new(|| {
    let label = "[a-z0-9](?:[a-z0-9.-]{0,240}[a-z0-9])?";
    let said = format!(r#"\bpods?(?:[_-]?name)?\\*["']?\s*[:=/ ]\s*\\*["']?(?:[a-z0-9-]{{1,63}}/)?(?P<said>{label})"#);
    let in_namespace = r"(?:^|[\s(\[])[a-z0-9-]{1,63}/(?P<placed>[a-z0-9][a-z0-9.-]{0,240}-(?:[0-9]{1,4}|[a-z0-9]{5}))";
    let of_a_set = r"\b(?P<set>[a-z0-9][a-z0-9-]{0,200}-[a-f0-9bcdfghjklmnpqrstvwxz2456789]{8,10}-[a-z0-9]{5})\b";
    Regex::new(&format!("(?:{of_a_set}|{said}|{in_namespace})")).expect("the expression is constant")
});

/// The name of a pod that is written in the text, known or not: one has a digit and a dash, which words of prose behind `pod`
/// have not.
pub(super) fn written(text: &str) -> Option<&str> {
    let mut named = WRITTEN.captures_iter(text).filter_map(|found| {
        ["set", "said", "placed"].into_iter().find_map(|group| found.name(group)).map(|name| name.as_str())
    });
    let is_pod = |name: &&str| name.contains('-') && name.bytes().any(|b| b.is_ascii_digit());
    named.find(is_pod)
}

/// The process that the kernel names as killed.
pub(super) fn process(text: &str) -> Option<&str> {
    let behind = ["killed process ", "kill process ", ",pid=", "pid: ", "pid="];
    let lower = text.to_ascii_lowercase();
    let at = behind.iter().find_map(|lead| lower.find(lead).map(|at| at + lead.len()))?;
    let rest = text.get(at..)?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    rest.get(..end).filter(|digits| !digits.is_empty())
}

/// Whether a name stands in the text as a word of its own.
pub(super) fn names(text: &str, name: &str) -> bool {
    !name.is_empty() && text.match_indices(name).any(|(at, _)| stands_alone(text, at, at + name.len()))
}

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joins = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-');
    let before = start.checked_sub(1).and_then(|at| text.as_bytes().get(at));
    !joins(before) && !joins(text.as_bytes().get(end))
}
