//! Names of pods found in text, all of them in one look: a storm of lines over thousands of pods must not multiply.

use aho_corasick::AhoCorasick;

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

/// Whether a name stands in the text as a word of its own.
pub(super) fn names(text: &str, name: &str) -> bool {
    !name.is_empty() && text.match_indices(name).any(|(at, _)| stands_alone(text, at, at + name.len()))
}

fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let joins = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-');
    let before = start.checked_sub(1).and_then(|at| text.as_bytes().get(at));
    !joins(before) && !joins(text.as_bytes().get(end))
}
