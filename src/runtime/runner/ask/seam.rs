//! The seams between two pieces of streamed text. Each piece is cleaned when it is told, so a secret that comes in two must
//! not pass because neither half is one.

use crate::domain::observation::{redact, sanitise};

/// The longest word that is held back until it is whole, in bytes: no token is longer.
const MOST_HELD: usize = 2 << 10;
/// So much of what was told last is looked at together with what comes next, in bytes: the name of a key may be in one
/// piece and its value in the next.
const MOST_BEFORE: usize = 256;

/// Text on its way to be told.
#[derive(Debug, Default)]
pub(super) struct Seam {
    before: String,
    held: String,
}

impl Seam {
    /// Takes what has come.
    pub(super) fn push(&mut self, delta: &str) {
        self.held.push_str(delta);
    }

    /// What may be told by now, cleaned: everything, but for a word under way that looks like no word of a language and may
    /// be the beginning of a token. Tokens are made of ASCII, so that every other letter ends a word, too.
    pub(super) fn words(&mut self) -> Option<String> {
        let word = under_way(&self.held);
        let told = if word == 0 { under_way(&self.before) } else { self.before.len() };
        let letters = || self.before[told..].chars().chain(self.held[word..].chars());
        let waits = !is_plain(letters()) && letters().count() <= MOST_HELD;
        self.tell(if waits { word } else { self.held.len() })
    }

    /// Everything: nothing follows that it could belong to.
    pub(super) fn rest(&mut self) -> Option<String> {
        self.tell(self.held.len())
    }

    fn tell(&mut self, end: usize) -> Option<String> {
        let piece: String = self.held.drain(..end).collect();
        let known = clean(&self.before);
        self.before.push_str(&piece);
        let told = clean(&self.before);
        self.forget();
        // Where only the two together are a secret, they part at what stands for it.
        let same = known.chars().zip(told.chars()).take_while(|(known, told)| known == told);
        let from: usize = same.map(|(letter, _)| letter.len_utf8()).sum();
        told.get(from..).filter(|text| !text.is_empty()).map(str::to_owned)
    }

    /// Forgets what was told long ago, up to the beginning of a word where there is one.
    fn forget(&mut self) {
        let Some(surplus) = self.before.len().checked_sub(MOST_BEFORE) else { return };
        let mut kept = self.before.char_indices().skip_while(|(at, _)| *at < surplus);
        let word = kept.clone().find(|(_, letter)| letter.is_whitespace());
        let from = word.or_else(|| kept.next()).map_or(self.before.len(), |(at, _)| at);
        self.before.drain(..from);
    }
}

/// Where the word begins that a text ends in the middle of; its end where it does not.
fn under_way(text: &str) -> usize {
    let last = text.char_indices().rev().find(|(_, letter)| !letter.is_ascii_graphic());
    last.map_or(0, |(at, letter)| at + letter.len_utf8())
}

/// Whether this may be a word of a language: letters, of which one may be a capital, and what a sentence needs.
fn is_plain(mut letters: impl Iterator<Item = char> + Clone) -> bool {
    let capitals = letters.clone().filter(char::is_ascii_uppercase).count();
    capitals <= 1 && letters.all(|letter| letter.is_ascii_alphabetic() || ".,;:!?'\"()".contains(letter))
}

fn clean(text: &str) -> String {
    redact::redact(&sanitise::text(text)).text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Told piece by piece, as a stream that pauses after each delta.
    fn told<'d>(deltas: impl IntoIterator<Item = &'d str>) -> String {
        let mut seam = Seam::default();
        let mut text = String::new();
        for delta in deltas {
            seam.push(delta);
            text.extend(seam.words());
        }
        text.extend(seam.rest());
        text
    }

    fn in_two(text: &str) -> impl Iterator<Item = (&str, &str)> {
        text.char_indices().map(|(at, _)| text.split_at(at))
    }

    #[test]
    fn no_secret_passes_between_two_pieces() {
        let secrets = [
            ("the key AKIAIOSFODNN7EXAMPLE leaked", "IOSFODNN7"),
            ("it said password: hunter2hunter2 once", "hunter2hunter2"),
            ("Authorization: Bearer abcdef1234567890abcdef1234567890 was sent", "1234567890abcdef"),
        ];
        for (text, secret) in secrets {
            assert!(!clean(text).contains(secret), "{text} is none at all");
            for (first, second) in in_two(text) {
                let told = told([first, second]);
                assert!(!told.contains(secret), "{first:?} {second:?}: {told}");
                assert!(told.contains(redact::MARK), "{told}");
            }
            let told = told(text.split_inclusive(|_: char| true));
            assert!(!told.contains(secret), "letter by letter: {told}");
        }
    }

    #[test]
    fn what_is_no_secret_comes_through_every_seam_as_it_is() {
        let text = "Der Heap wächst; cafe\u{301}s. メモリが増え続ける [E7].\nLimit 512Mi, 97.8 %.";
        for (first, second) in in_two(text) {
            assert_eq!(told([first, second]), clean(text), "{first:?}");
        }
        assert_eq!(told(text.split_inclusive(|_: char| true)), clean(text), "letter by letter");
        let long = "word ".repeat(400);
        assert_eq!(told(long.split_inclusive(' ')), long, "beyond what is remembered");
    }

    #[test]
    fn a_word_is_told_at_once_and_what_may_be_a_token_waits_for_its_end() {
        let mut seam = Seam::default();
        seam.push("The heap gro");
        assert_eq!(seam.words().as_deref(), Some("The heap gro"));
        seam.push("ws, AKI");
        assert_eq!(seam.words().as_deref(), Some("ws, "));
        seam.push("A1");
        assert_eq!(seam.words(), None, "it has not come to its end");
        seam.push(" gh");
        assert_eq!(seam.words().as_deref(), Some("AKIA1 gh"));
        seam.push("p=");
        assert_eq!(seam.words(), None, "what was told of it counts as well");
        seam.push(&"x".repeat(MOST_HELD));
        assert_eq!(seam.words().map(|text| text.len()), Some(MOST_HELD + 2), "that is no token");
        assert_eq!(seam.rest(), None);
    }
}
