//! Searching in a pane: what matches, and whether the rest is hidden.

use regex::{Regex, RegexBuilder};

/// What a search shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Matching rows only: a filter.
    Matches,
    /// Every row; matches are marked, `n` and `N` go to them.
    Everything,
}

/// A search: the text as typed, found as it stands. Case counts once it holds a capital letter.
#[derive(Clone, Debug)]
pub struct Search {
    text: String,
    finder: Option<Regex>,
    /// What it shows.
    pub shown: Shown,
}

impl Search {
    /// A filter for a text.
    pub fn filter(text: impl Into<String>) -> Self {
        let text = text.into();
        let any_case = !text.chars().any(char::is_uppercase);
        // An escaped text is a valid expression; one too large to compile matches as if it were absent.
        let finder = RegexBuilder::new(&regex::escape(&text)).case_insensitive(any_case).build().ok();
        Self { text, finder, shown: Shown::Matches }
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a row matches.
    pub fn matches(&self, row: &str) -> bool {
        self.finder.as_ref().is_none_or(|finder| finder.is_match(row))
    }

    /// Where a row matches, as byte ranges, for marking.
    pub fn ranges(&self, row: &str) -> Vec<std::ops::Range<usize>> {
        if self.text.is_empty() {
            return Vec::new();
        }
        self.finder.iter().flat_map(|finder| finder.find_iter(row)).map(|found| found.range()).collect()
    }

    /// Whether a row is on screen under this search.
    pub fn shows(&self, row: &str) -> bool {
        self.shown == Shown::Everything || self.matches(row)
    }
}

/// Whether a row is on screen under a search that may be absent.
pub fn shows(search: Option<&Search>, row: &str) -> bool {
    search.is_none_or(|search| search.shows(row))
}

/// How well the letters of `query` are found in `text` in their order; `None` if they are not. Lower is better: letters
/// that follow each other and letters at the start of a word cost nothing.
pub fn fuzzy(query: &str, text: &str) -> Option<u32> {
    let text: Vec<char> = text.chars().flat_map(char::to_lowercase).collect();
    let mut cost = 0;
    let mut at = 0;
    for letter in query.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase) {
        let skipped = text.get(at..)?.iter().position(|other| *other == letter)?;
        let starts_word =
            at + skipped == 0 || text.get(at + skipped - 1).is_some_and(|before| !before.is_alphanumeric());
        if skipped > 0 {
            cost += if starts_word { 1 } else { 2 + skipped as u32 };
        }
        at += skipped + 1;
    }
    Some(cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_takes_the_text_as_it_stands() {
        assert!(Search::filter("oom").matches("OOMKilled"));
        assert!(!Search::filter("Oom").matches("OOMKilled"), "a capital makes case count");
        assert!(Search::filter("a.c[").matches("xa.c[y"));
        assert!(!Search::filter("a.c").matches("abc"), "no expression, no surprise");
        assert_eq!(Search::filter("ab").ranges("abcAB"), [0..2, 3..5]);
        assert!(Search::filter("").ranges("abc").is_empty());
    }

    #[test]
    fn the_rest_can_be_shown_again_with_matches_marked() {
        let mut search = Search::filter("kill");
        assert!(!search.shows("fine"));
        search.shown = Shown::Everything;
        assert!(search.shows("fine") && !search.matches("fine"));
    }

    #[test]
    fn letters_are_found_in_order_and_word_starts_win() {
        assert_eq!(fuzzy("xyz", "focus logs"), None);
        assert!(fuzzy("fl", "focus logs").is_some());
        assert!(fuzzy("nerr", "next error") < fuzzy("nerr", "pin evidence or error"));
        assert_eq!(fuzzy("", "anything"), Some(0));
    }
}
