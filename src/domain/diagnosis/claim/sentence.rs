//! Streamed text into sentences, as they become complete.

use super::advice::command;

/// Words after whose period a sentence goes on.
const ABBREVIATIONS: [&str; 14] =
    ["e.g", "i.e", "vs", "approx", "ca", "min", "max", "etc", "no", "fig", "resp", "incl", "sec", "cf"];

/// Splits streamed text into sentences. A sentence ends at `.`, `!` or `?` before a blank, together with the citations
/// (`[E3]`) that follow, or at a line end. Periods in numbers, names and known abbreviations end nothing.
///
/// A row of a table is one sentence, and its header none; lines between fences of code are none either, but for those
/// that are commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentences {
    pending: String,
    /// Whether what is pending begins a line.
    place: Place,
    /// The fence that is open.
    fence: Option<Fence>,
}

/// Where in its line a text begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    WithinLine,
}

/// The mark that code is enclosed by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fence {
    Backticks,
    Tildes,
}

impl Fence {
    fn of(line: &str) -> Option<Self> {
        let line = line.trim_start();
        let tildes = || line.starts_with("~~~").then_some(Self::Tildes);
        line.starts_with("```").then_some(Self::Backticks).or_else(tildes)
    }
}

/// The fence that is open after a line.
fn after(open: Option<Fence>, line: &str) -> Option<Fence> {
    match (open, Fence::of(line)) {
        (None, found) => found,
        (Some(open), Some(found)) if open == found => None,
        (Some(open), Some(_) | None) => Some(open),
    }
}

impl Default for Sentences {
    fn default() -> Self {
        Self { pending: String::new(), place: Place::LineStart, fence: None }
    }
}

impl Sentences {
    /// Goes on behind a text whose sentences are known.
    pub fn behind(text: &str) -> Self {
        let place = if text.is_empty() || text.ends_with('\n') { Place::LineStart } else { Place::WithinLine };
        Self { pending: String::new(), place, fence: text.lines().fold(None, after) }
    }

    /// Takes what arrived and gives back the sentences it completed, trimmed, none empty.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        self.pending.push_str(text);
        let mut complete = Vec::new();
        while let Some((end, kind)) = self.next() {
            let rest = self.pending.split_off(end);
            let taken = std::mem::replace(&mut self.pending, rest);
            if taken.ends_with('\n') {
                self.place = Place::LineStart;
            } else if !taken.trim().is_empty() {
                self.place = Place::WithinLine;
            }
            match kind {
                Kind::Sentence => complete.extend(trimmed(&taken)),
                Kind::Fence => self.fence = after(self.fence, &taken),
                Kind::Code => complete.extend(trimmed(&taken).filter(|line| command(line).is_some())),
                Kind::Header => {}
            }
        }
        complete
    }

    /// The text that is no whole sentence yet.
    pub fn pending(&self) -> &str {
        &self.pending
    }

    /// What is left when the stream has ended: the last sentence may lack its period.
    pub fn finish(&mut self) -> Vec<String> {
        // An empty line ends rows and fences.
        let mut rest = self.push("\n\n");
        rest.extend(trimmed(&std::mem::take(&mut self.pending)));
        rest
    }

    /// Where the next piece ends, and what it is, once what follows is known well enough.
    fn next(&self) -> Option<(usize, Kind)> {
        let text = self.pending.as_str();
        let line_end = || text.find('\n').map(|at| at + 1);
        if self.place == Place::WithinLine {
            return boundary(text).map(|end| (end, Kind::Sentence));
        }
        if Fence::of(text).is_some() && !text.trim_start_matches([' ', '\t']).starts_with('\n') {
            return line_end().map(|end| (end, Kind::Fence));
        }
        if self.fence.is_some() {
            return line_end().map(|end| (end, Kind::Code));
        }
        if !text.trim_start_matches([' ', '\t']).starts_with('|') {
            return boundary(text).map(|end| (end, Kind::Sentence));
        }
        // Whether a row is a header, the line after it tells.
        let end = line_end()?;
        let (next, _) = text.get(end..)?.split_once('\n')?;
        Some((end, if is_delimiter(next) { Kind::Header } else { Kind::Sentence }))
    }
}

/// What a piece of a text is.
enum Kind {
    Sentence,
    /// A line that opens or closes code.
    Fence,
    /// A line of code.
    Code,
    /// The header of a table.
    Header,
}

/// `|---|:--:|`, which makes the row before it a header.
fn is_delimiter(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('|') && line.contains('-') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

/// All sentences of a whole text.
pub fn sentences(text: &str) -> Vec<String> {
    let mut splitter = Sentences::default();
    let mut all = splitter.push(text);
    all.extend(splitter.finish());
    all
}

fn trimmed(text: &str) -> Option<String> {
    let text = text.trim();
    text.chars().any(char::is_alphanumeric).then(|| text.to_owned())
}

/// Where the first sentence ends, once what follows is known well enough.
fn boundary(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text[from..].find(['.', '!', '?', '\n']) {
        let at = from + found;
        if text[at..].starts_with('\n') {
            return Some(at + 1);
        }
        let marks =
            text[at..].find(|c: char| !matches!(c, '.' | '!' | '?' | '"' | '\'' | ')' | '*' | '`')).map(|n| at + n)?;
        if text[marks..].starts_with(char::is_whitespace) && !is_abbreviation(&text[..at]) {
            match after_citations(text, marks) {
                Reach::End(end) => return Some(end),
                Reach::Unknown => return None,
            }
        }
        from = marks.max(at + 1);
    }
    None
}

enum Reach {
    End(usize),
    Unknown,
}

/// Passes over citations after a period: `It leaked. [E1] [E2, E3] Next`.
fn after_citations(text: &str, from: usize) -> Reach {
    let mut end = from;
    loop {
        let blank = text[end..].len() - text[end..].trim_start_matches([' ', '\t']).len();
        let next = &text[end + blank..];
        if next.is_empty() {
            return Reach::Unknown;
        }
        let cites = next.strip_prefix('[').is_some_and(|inner| inner.is_empty() || inner.starts_with('E'));
        if !cites {
            return Reach::End(end);
        }
        match next.find(']') {
            Some(close) => end += blank + close + 1,
            // A citation is short: an open bracket that stays open is text.
            None if next.len() > 64 => return Reach::End(end),
            None => return Reach::Unknown,
        }
    }
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || c == '(').next().unwrap_or_default();
    // A list number: `1. Memory grew`.
    let numbered =
        !word.is_empty() && word.len() <= 2 && word.bytes().all(|b| b.is_ascii_digit()) && before.trim() == word;
    // Units close sentences as often as not: `in 30 min.` ends one where a number stands before it.
    let unit = before.strip_suffix(word).is_some_and(|head| head.trim_end().ends_with(|c: char| c.is_ascii_digit()));
    numbered || (!unit && ABBREVIATIONS.iter().any(|known| known.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_end_where_people_end_them() {
        for (text, expected) in [
            ("CPU hit 97.8 %. It is secondary [E5]. Done", vec!["CPU hit 97.8 %.", "It is secondary [E5].", "Done"]),
            ("It leaked. [E1] [E2, E3] Then it died.", vec!["It leaked. [E1] [E2, E3]", "Then it died."]),
            ("Causes, e.g. a cache, vs. a leak. Next!", vec!["Causes, e.g. a cache, vs. a leak.", "Next!"]),
            ("It rose in 30 min. Then it fell.", vec!["It rose in 30 min.", "Then it fell."]),
            ("# Root cause\n- memory grew [E1]\n\n- kills", vec!["# Root cause", "- memory grew [E1]", "- kills"]),
            ("1. Memory grew. 2 kills", vec!["1. Memory grew.", "2 kills"]),
            ("Image my-api:4.11.2 is fine... Is it? Yes.", vec!["Image my-api:4.11.2 is fine...", "Is it?", "Yes."]),
            ("", vec![]),
            ("---\n", vec![]),
            (
                "| What | Now |\n|------|-----|\n| kills | 14 [E2] |\n| fell. Or not | 3 [E1] |\nIt leaks.",
                vec!["| kills | 14 [E2] |", "| fell. Or not | 3 [E1] |", "It leaks."],
            ),
            ("| no | header |\nIt leaks.", vec!["| no | header |", "It leaks."]),
            ("It says:\n```\njava.lang.OOM: 3. Heap\n```\nIt leaks.", vec!["It says:", "It leaks."]),
            ("~~~sh\nkubectl delete pod x\n```\ny. z\n~~~\nIt leaks", vec!["kubectl delete pod x", "It leaks"]),
            ("```\nnever closed. It is code", vec![]),
        ] {
            assert_eq!(sentences(text), expected, "{text}");
        }
    }

    #[test]
    fn a_splitter_goes_on_where_another_stopped() {
        let text = "It leaks.\n```\nheap: 3. x\n```\n| a |\n|---|\n| 14 [E2] |\nIt is so. Really";
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            let mut first = Sentences::default();
            let mut parts = first.push(&text[..at]);
            let claimed = at - first.pending().len();
            let mut second = Sentences::behind(&text[..claimed]);
            parts.extend(second.push(&text[claimed..]));
            parts.extend(second.finish());
            assert_eq!(parts, sentences(text), "cut at {at}");
        }
    }

    proptest! {
        #[test]
        fn tables_and_code_are_the_same_in_pieces(
            words in prop::collection::vec(prop::sample::select(vec!["|", "-", "\n", "```", "~~~", "`", "kubectl", " ", ". ", "x", "[E1]"]), 0..40),
            cut in 1usize..5,
        ) {
            let text = words.concat();
            let (mut splitter, mut parts) = (Sentences::default(), Vec::new());
            for piece in text.chars().collect::<Vec<_>>().chunks(cut) {
                parts.extend(splitter.push(&piece.iter().collect::<String>()));
            }
            parts.extend(splitter.finish());
            prop_assert_eq!(parts, sentences(&text));
        }

        #[test]
        fn pieces_do_not_matter_and_nothing_is_lost(
            words in prop::collection::vec(prop::sample::select(vec!["97.8", "leak", ".", " ", "[E1]", "\n", "e.g.", "?", "[", "é"]), 0..40),
            cut in 1usize..5,
        ) {
            let text = words.concat();
            let whole = sentences(&text);
            let mut splitter = Sentences::default();
            let characters: Vec<char> = text.chars().collect();
            let mut parts = Vec::new();
            for piece in characters.chunks(cut) {
                parts.extend(splitter.push(&piece.iter().collect::<String>()));
            }
            parts.extend(splitter.finish());
            prop_assert_eq!(&parts, &whole);
            let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
            prop_assert_eq!(letters(&whole.concat()), letters(&text));
        }
    }
}
