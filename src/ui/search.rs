//! Searching in a pane: what matches, and whether the rest is hidden.

use regex::{Regex, RegexBuilder};

/// The largest expression compiled, bytes: typing must not stall the screen.
const MOST_BYTES: usize = 1 << 20;

/// What a search shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Matching rows only: a filter.
    Matches,
    /// Every row; matches are marked, `n` and `N` go to them.
    Everything,
}

/// Which rows a search is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sense {
    Holds,
    Lacks,
}

/// A search, as typed: `text` as it stands, `~expression`, and a `!` before either for the rows that lack it (the signs
/// are those of `LogQL`'s line filters); `\` takes a first `!` or `~` as it stands. Case counts once there is a capital
/// letter.
#[derive(Clone, Debug)]
pub struct Search {
    text: String,
    finder: Option<Regex>,
    sense: Sense,
    fault: Option<String>,
    /// What it shows.
    pub shown: Shown,
}

impl Search {
    /// A filter for a text. An expression that is none finds every row, and `fault` says why.
    pub fn filter(text: impl Into<String>) -> Self {
        let text = text.into();
        let (sense, rest) = text.strip_prefix('!').map_or((Sense::Holds, text.as_str()), |rest| (Sense::Lacks, rest));
        let (pattern, any_case) = if let Some(expression) = rest.strip_prefix('~') {
            (expression.to_owned(), !asks_for_capitals(expression))
        } else {
            let plain = rest.strip_prefix('\\').filter(|rest| rest.starts_with(['!', '~'])).unwrap_or(rest);
            (regex::escape(plain), !plain.chars().any(char::is_uppercase))
        };
        let (finder, fault) = if pattern.is_empty() {
            (None, None)
        } else {
            match RegexBuilder::new(&pattern).case_insensitive(any_case).size_limit(MOST_BYTES).build() {
                Ok(finder) => (Some(finder), None),
                Err(error) => (None, Some(last_words(&error.to_string()))),
            }
        };
        Self { text, finder, sense, fault, shown: Shown::Matches }
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Why the text is no expression.
    pub fn fault(&self) -> Option<&str> {
        self.fault.as_deref()
    }

    /// Whether a row matches.
    pub fn matches(&self, row: &str) -> bool {
        self.finder.as_ref().is_none_or(|finder| finder.is_match(row) == (self.sense == Sense::Holds))
    }

    /// Where a row matches, as byte ranges, for marking.
    pub fn ranges(&self, row: &str) -> Vec<std::ops::Range<usize>> {
        if self.sense == Sense::Lacks {
            return Vec::new();
        }
        let found = self.finder.iter().flat_map(|finder| finder.find_iter(row)).map(|found| found.range());
        found.filter(|range| !range.is_empty()).collect()
    }

    /// Whether a row is on screen under this search.
    pub fn shows(&self, row: &str) -> bool {
        self.shown == Shown::Everything || self.matches(row)
    }
}

/// Whether an expression looks for a capital letter. Those that only spell it do not count: `\S`, `\P{L}`, `\x4F`, the
/// name of a group.
fn asks_for_capitals(expression: &str) -> bool {
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        rest = match first {
            '\\' => after_escape(&rest[1..]),
            '(' if rest.starts_with("(?P<") || rest.starts_with("(?<") => after(rest, '>'),
            _ if first.is_uppercase() => return true,
            _ => &rest[first.len_utf8()..],
        };
    }
    false
}

/// What follows an escape, whose backslash is taken off already.
fn after_escape(escaped: &str) -> &str {
    let Some(kind) = escaped.chars().next() else { return escaped };
    let rest = &escaped[kind.len_utf8()..];
    let letters = match kind {
        'p' | 'P' | 'x' | 'u' | 'U' if rest.starts_with('{') => return after(rest, '}'),
        'p' | 'P' => 1,
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    rest.char_indices().nth(letters).map_or("", |(at, _)| &rest[at..])
}

/// What follows a sign, if it is there at all.
fn after(text: &str, sign: char) -> &str {
    text.split_once(sign).map_or("", |(_, rest)| rest)
}

/// The last line of what the parser says: the lines before draw the place.
fn last_words(told: &str) -> String {
    let last = told.lines().last().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
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
    fn signs_before_the_text_ask_for_expressions_and_for_what_lacks_them() {
        assert!(Search::filter("~GET .* 5\\d\\d").matches("GET /v1/orders 503 2ms"));
        assert!(!Search::filter("!healthz").matches("GET /healthz"));
        assert!(Search::filter("!healthz").matches("GET /v1/orders"));
        assert!(Search::filter("!~/(healthz|ready)").matches("GET /v1/orders"));
        assert!(!Search::filter("!~/(healthz|ready)").matches("GET /ready"));
        assert!(Search::filter("\\!important").matches("an !important note"));
        assert!(Search::filter("!").matches("anything") && Search::filter("~").matches("anything"));
        assert!(Search::filter("!ab").ranges("ab").is_empty(), "nothing to mark where it is absent");
        assert!(Search::filter("~x*").ranges("ab").is_empty(), "an empty match marks nothing");
    }

    #[test]
    fn a_capital_that_only_spells_an_expression_makes_no_case_count() {
        for any_case in
            ["~\\S+ +timeout", "~\\W\\D\\B.*timeout", "~\\P{L}timeout", "~(?P<Name>time)out", "~\\x20timeout"]
        {
            let search = Search::filter(any_case);
            assert!(search.matches("1 -  TIMEOUT") && !search.matches("TIME"), "{any_case}: {:?}", search.fault());
        }
        assert!(Search::filter("~\\x{4F}om|\\u004Fom|\\U0000004Fom").matches("oom"), "a code is no capital");
        for (counts, found) in
            [("~\\S+ Timeout", "x Timeout"), ("~\\\\Srv", "\\Srv"), ("~\\p{L}Oom", "xOom"), ("~(?<n>Oom)", "Oom")]
        {
            let search = Search::filter(counts);
            assert!(search.matches(found) && !search.matches(&found.to_uppercase()), "{counts}");
        }
        assert!(
            !Search::filter("\\!Oom").matches("!oom") && !Search::filter("S\\S").matches("s\\s"),
            "plain text has no escapes"
        );
        assert!(Search::filter("~a\\").matches("anything"), "one that ends in the middle finds every row");
    }

    #[test]
    fn a_broken_expression_hides_nothing_and_says_why() {
        let search = Search::filter("~GET [a");
        assert!(search.matches("anything"));
        assert_eq!(search.fault(), Some("unclosed character class"));
        assert_eq!(Search::filter("GET [a").fault(), None);
        assert!(Search::filter("~(\\w{1000}){1000}").fault().is_some(), "too large an expression is refused");
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
