//! The patterns met, and which of them are one template.

use std::collections::HashMap;

use super::BLANK;

/// Words compared at most; a longer line is told apart by its beginning.
const WORDS: usize = 48;
/// The share of words two patterns of one template have in common at least.
const ALIKE: f64 = 0.5;
/// Different words at one place from which the place is taken for one that varies.
const VARIED: usize = 4;
/// A word with a masked part stands for many: it counts as so many.
const BLANKED: usize = 2;
/// Joins of a new pattern: each makes it more general, so few are enough.
const ROUNDS: usize = 4;

/// Patterns by number, with the template each belongs to.
#[derive(Clone, Debug, Default)]
pub(super) struct Store {
    patterns: Vec<Pattern>,
    /// Templates by their number of words.
    by_length: HashMap<usize, Vec<usize>>,
}

#[derive(Clone, Debug)]
struct Pattern {
    words: Vec<Box<str>>,
    /// The template it was joined to.
    into: Option<usize>,
}

impl Store {
    /// The template a pattern belongs to.
    pub(super) fn settled(&self, mut at: usize) -> usize {
        while let Some(into) = self.patterns.get(at).and_then(|pattern| pattern.into) {
            at = into;
        }
        at
    }

    /// The templates, ascending.
    pub(super) fn live(&self) -> impl Iterator<Item = usize> + '_ {
        self.patterns.iter().enumerate().filter(|(_, pattern)| pattern.into.is_none()).map(|(at, _)| at)
    }

    /// The text of a template.
    pub(super) fn text(&self, at: usize) -> String {
        self.patterns.get(at).map(|pattern| pattern.words.join(" ")).unwrap_or_default()
    }

    /// The template that a text is a case of; of several the one that says most.
    pub(super) fn find(&self, text: &str) -> Option<usize> {
        let words: Vec<&str> = split(text);
        let fits = |at: &usize| Some((*at, fit(&self.patterns.get(*at)?.words, &words)?));
        self.by_length
            .get(&words.len())?
            .iter()
            .filter_map(fits)
            .max_by_key(|(at, same)| (*same, usize::MAX - at))
            .map(|(at, _)| at)
    }

    /// Adds a pattern that belongs to nothing and that nothing is joined to.
    pub(super) fn push_alone(&mut self, text: &str) -> usize {
        self.patterns.push(Pattern { words: vec![text.into()], into: None });
        self.patterns.len() - 1
    }

    /// Adds a pattern that no template fits, and joins what is one with it. Answers its template, and the templates that
    /// were joined to that.
    pub(super) fn push(&mut self, text: &str) -> (usize, Vec<usize>) {
        let words: Vec<Box<str>> = split(text).into_iter().map(Into::into).collect();
        let length = words.len();
        let mut at = self.patterns.len();
        self.patterns.push(Pattern { words, into: None });
        self.by_length.entry(length).or_default().push(at);
        let mut joined = Vec::new();
        for _ in 0..ROUNDS {
            let members = self.members(at, length);
            let Some(first) = members.iter().copied().min().filter(|_| members.len() > 1) else { break };
            let words = self.widest(at, &members);
            for member in members.iter().filter(|member| **member != first) {
                if let Some(pattern) = self.patterns.get_mut(*member) {
                    pattern.into = Some(first);
                }
                joined.push(*member);
            }
            if let Some(pattern) = self.patterns.get_mut(first) {
                pattern.words = words;
            }
            if let Some(group) = self.by_length.get_mut(&length) {
                group.retain(|one| *one == first || !members.contains(one));
            }
            at = first;
        }
        (at, joined)
    }

    /// The templates that are one with a pattern, itself among them: those that agree with it in every place but such as
    /// have held [`VARIED`] different words in patterns [`ALIKE`].
    fn members(&self, at: usize, length: usize) -> Vec<usize> {
        let Some(own) = self.patterns.get(at).map(|pattern| pattern.words.as_slice()) else { return Vec::new() };
        let group = self.by_length.get(&length).map(Vec::as_slice).unwrap_or_default();
        let words = |at: usize| self.patterns.get(at).map_or(&[][..], |pattern| pattern.words.as_slice());
        let near: Vec<usize> = group.iter().copied().filter(|one| alike(words(*one), own) >= ALIKE).collect();
        let varies: Vec<bool> = (0..length)
            .map(|place| {
                let mut held: Vec<&str> =
                    near.iter().filter_map(|one| words(*one).get(place)).map(AsRef::as_ref).collect();
                held.sort_unstable();
                held.dedup();
                let forms: usize = held.iter().map(|word| if word.contains(BLANK) { BLANKED } else { 1 }).sum();
                held.len() > 1 && (forms >= VARIED || held.contains(&BLANK))
            })
            .collect();
        let one_with = |one: &usize| {
            words(*one).iter().zip(own).zip(&varies).all(|((held, word), varies)| *varies || held == word)
        };
        near.into_iter().filter(one_with).collect()
    }

    /// The words that members have in common, and blanks.
    fn widest(&self, at: usize, members: &[usize]) -> Vec<Box<str>> {
        let mut words = self.patterns.get(at).map(|pattern| pattern.words.clone()).unwrap_or_default();
        for member in members.iter().filter_map(|member| self.patterns.get(*member)) {
            for (word, held) in words.iter_mut().zip(&member.words) {
                if word != held {
                    *word = BLANK.into();
                }
            }
        }
        words
    }
}

fn split(text: &str) -> Vec<&str> {
    text.split(' ').filter(|word| !word.is_empty()).take(WORDS).collect()
}

/// How many words a template and a line have in common, where the line is a case of the template.
fn fit(held: &[Box<str>], words: &[&str]) -> Option<usize> {
    let mut same = 0;
    for (held, word) in held.iter().zip(words) {
        if held.as_ref() == *word {
            same += 1;
        } else if held.as_ref() != BLANK {
            return None;
        }
    }
    // A template of blanks alone says nothing of a line; only what was masked to the same is a case of it.
    (same > 0).then_some(same)
}

/// The share of places where two patterns have the same word.
fn alike(held: &[Box<str>], words: &[Box<str>]) -> f64 {
    let same = held.iter().zip(words).filter(|(held, word)| held == word).count();
    same as f64 / words.len().max(1) as f64
}
