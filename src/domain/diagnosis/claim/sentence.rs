//! Streamed text into sentences, as they become complete.

/// Words after whose period a sentence goes on.
const ABBREVIATIONS: [&str; 14] =
    ["e.g", "i.e", "vs", "approx", "ca", "min", "max", "etc", "no", "fig", "resp", "incl", "sec", "cf"];

/// Splits streamed text into sentences. A sentence ends at `.`, `!` or `?` before a blank, together with the citations
/// (`[E3]`) that follow, or at a line end. Periods in numbers, names and known abbreviations end nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentences {
    pending: String,
}

impl Sentences {
    /// Takes what arrived and gives back the sentences it completed, trimmed, none empty.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        self.pending.push_str(text);
        let mut complete = Vec::new();
        while let Some(end) = boundary(&self.pending) {
            let rest = self.pending.split_off(end);
            let sentence = std::mem::replace(&mut self.pending, rest);
            complete.extend(trimmed(&sentence));
        }
        complete
    }

    /// The text that is no whole sentence yet.
    pub fn pending(&self) -> &str {
        &self.pending
    }

    /// The last sentence, when the stream has ended; it may lack its period.
    pub fn finish(&mut self) -> Option<String> {
        trimmed(&std::mem::take(&mut self.pending))
    }
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
        ] {
            assert_eq!(sentences(text), expected, "{text}");
        }
    }

    proptest! {
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
