//! Control, escape and bidi characters out of text that others wrote, so that no byte of it can drive a terminal.
//!
//! Callers decode broken UTF-8 lossily first. What is removed is invisible; what could have moved a cursor stays readable
//! as an escape, so that a poisoned line is seen for what it is.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_width::UnicodeWidthChar;

/// The longest line kept, in bytes of output. CloudWatch takes events up to 256 KiB; no screen shows that.
pub const LINE_LIMIT: usize = 8 * 1024;
/// The longest text of several lines kept, in bytes of output.
pub const TEXT_LIMIT: usize = 256 * 1024;
/// Columns between tab stops.
const TAB: usize = 4;
/// Combining marks kept on one base character: enough for every living script, too few to draw over a neighbour row.
const MARKS: usize = 2;
/// How far a cut looks back for a blank, so that half a token (half a key, too) is not left at the end.
const LOOK_BACK: usize = 256;

/// Whether line feeds are part of the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Breaks {
    Escaped,
    Kept,
}

/// What one character turns into.
enum Fate {
    Keep,
    Drop,
    Mark,
    Tab,
    Break,
    Escape,
}

/// Makes a text of one line safe to draw: controls escaped, bidi overrides marked, invisible characters removed, tabs
/// expanded, at most [`LINE_LIMIT`] bytes with the rest counted. Line ends at the end are dropped, others escaped.
pub fn line(text: &str) -> Cow<'_, str> {
    let text = text.trim_end_matches(['\n', '\r']);
    clean(text, Breaks::Escaped, LINE_LIMIT)
}

/// The same for a text of several lines: line feeds stay, `\r\n` becomes `\n`, at most [`TEXT_LIMIT`] bytes.
pub fn text(text: &str) -> Cow<'_, str> {
    clean(text, Breaks::Kept, TEXT_LIMIT)
}

/// An output of any length without a character that a terminal obeys or that turns text about: each becomes `\\uXXXX`,
/// which JSON reads back as it was. Line feeds and tabs stay.
pub fn output(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| !matches!(c, '\n' | '\t') && matches!(fate(c, Breaks::Escaped), Fate::Escape | Fate::Drop);
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 32);
    for c in text.chars() {
        if !obeyed(c) {
            out.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{unit:04x}");
        }
    }
    Cow::Owned(out)
}

/// Whether a text is printable ASCII: nothing of it is touched. Looks at every byte without a branch, many at a time.
fn is_plain(text: &str) -> bool {
    text.bytes().fold(true, |plain, byte| plain & (0x20..0x7f).contains(&byte))
}

/// Whether [`line`] would give this text back as it is, told fast; `false` says nothing.
pub(super) fn is_plain_line(text: &str) -> bool {
    text.len() <= LINE_LIMIT && is_plain(text)
}

fn clean(text: &str, breaks: Breaks, limit: usize) -> Cow<'_, str> {
    if is_plain(text) && text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let mut writer =
        Writer { out: String::with_capacity(text.len().min(limit) + 32), column: 0, marks: 0, base: false };
    for (at, c) in text.char_indices() {
        if writer.out.len() >= limit {
            writer.cut(text, at);
            break;
        }
        writer.put(c, breaks);
    }
    if writer.out == text { Cow::Borrowed(text) } else { Cow::Owned(writer.out) }
}

struct Writer {
    out: String,
    column: usize,
    marks: usize,
    /// Whether there is a character for a mark to sit on.
    base: bool,
}

impl Writer {
    fn put(&mut self, c: char, breaks: Breaks) {
        match fate(c, breaks) {
            Fate::Keep => {
                self.out.push(c);
                self.column += c.width().unwrap_or(1);
                self.marks = 0;
                self.base = true;
            }
            Fate::Mark if self.base && self.marks < MARKS => {
                self.out.push(c);
                self.marks += 1;
            }
            Fate::Mark | Fate::Drop => {}
            Fate::Tab => {
                let blanks = TAB - self.column % TAB;
                self.out.extend(std::iter::repeat_n(' ', blanks));
                self.column += blanks;
                self.marks = 0;
            }
            Fate::Break => {
                self.out.push('\n');
                (self.column, self.marks, self.base) = (0, 0, false);
            }
            Fate::Escape => self.escape(c),
        }
    }

    fn escape(&mut self, c: char) {
        let before = self.out.len();
        match c {
            '\n' => self.out.push_str("\\n"),
            '\r' => self.out.push_str("\\r"),
            c => {
                let code = u32::from(c);
                let written =
                    if code < 0x100 { write!(self.out, "\\x{code:02x}") } else { write!(self.out, "\\u{{{code:x}}}") };
                // Writing to a string cannot fail.
                let _ = written;
            }
        }
        self.column += self.out.len() - before;
        self.marks = 0;
        self.base = true;
    }

    /// Ends the text at a blank where there is one near, and says how much of the original is not shown.
    fn cut(&mut self, text: &str, at: usize) {
        let from = self.out.len().saturating_sub(LOOK_BACK);
        let from = (from..self.out.len()).find(|at| self.out.is_char_boundary(*at)).unwrap_or(self.out.len());
        if let Some(blank) = self.out[from..].rfind(' ') {
            self.out.truncate(from + blank);
        }
        let _ = write!(self.out, " [+{} bytes]", text.len() - at);
    }
}

fn fate(c: char, breaks: Breaks) -> Fate {
    match c {
        ' '..='~' => Fate::Keep,
        '\t' => Fate::Tab,
        '\n' if breaks == Breaks::Kept => Fate::Break,
        '\r' if breaks == Breaks::Kept => Fate::Drop,
        // Controls; bidi marks, overrides and isolates, and the two separators that some terminals take for line ends.
        '\0'..='\u{1f}'
        | '\u{7f}'..='\u{9f}'
        | '\u{61c}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}' => Fate::Escape,
        c if invisible(c) => Fate::Drop,
        c if c.width() == Some(0) => Fate::Mark,
        _ => Fate::Keep,
    }
}

/// Characters that draw nothing: joiners, fillers, variation selectors (U+FE0F leaves residue in cells), tags. And skin
/// tones: beside their base or on it, two cells or four, each terminal has its own answer, and cells after it go astray.
fn invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_characters_become_visible_or_vanish() {
        for (given, expected) in [
            ("plain", "plain"),
            ("straße 日本 ✓", "straße 日本 ✓"),
            ("a\u{1b}[2Jb", "a\\x1b[2Jb"),
            ("\u{1b}]0;title\u{7}", "\\x1b]0;title\\x07"),
            ("c1 \u{9b}31m", "c1 \\x9b31m"),
            ("del\u{7f}", "del\\x7f"),
            ("one\ntwo\r\n", "one\\ntwo"),
            ("back\u{8}\u{8}", "back\\x08\\x08"),
            ("evil\u{202e}gpj.exe", "evil\\u{202e}gpj.exe"),
            ("iso\u{2066}late\u{2069}", "iso\\u{2066}late\\u{2069}"),
            ("zero\u{200b}width\u{feff}", "zerowidth"),
            ("warn\u{26a0}\u{fe0f}!", "warn\u{26a0}!"),
            ("tone\u{1f44d}\u{1f3fd}!", "tone\u{1f44d}!"),
            ("a\tb", "a   b"),
            ("e\u{301}\u{302}\u{303}\u{304}x", "e\u{301}\u{302}x"),
            ("\u{301}lead", "lead"),
        ] {
            assert_eq!(line(given), expected, "{given:?}");
        }
    }

    #[test]
    fn json_that_is_printed_means_what_it_meant() {
        let hostile = "a\u{9b}31m \u{202e}b\u{e0041} \u{1b}[2J größe\tx";
        let json = serde_json::to_string(hostile).unwrap();
        let printed = output(&json);
        assert!(!printed.contains(|c: char| c.is_control() || ('\u{2028}'..='\u{202e}').contains(&c)), "{printed}");
        assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), hostile);
        assert_eq!(output("one\n\u{1b}[2Jtwo"), "one\n\\u001b[2Jtwo");
        assert!(matches!(output("one\n\ttwo größe"), Cow::Borrowed(_)));
    }

    #[test]
    fn clean_text_is_borrowed() {
        assert!(matches!(line("GET /v1/orders 200"), Cow::Borrowed(_)));
        assert!(matches!(line("GET /größe 200"), Cow::Borrowed(_)));
        assert!(matches!(text("one\ntwo"), Cow::Borrowed(_)));
    }

    #[test]
    fn several_lines_keep_their_ends() {
        assert_eq!(text("one\r\n\ttwo\u{1b}[0m"), "one\n    two\\x1b[0m");
    }

    #[test]
    fn a_long_line_is_cut_at_a_blank_and_the_rest_counted() {
        let long = format!("{} AKIA{}", "x".repeat(LINE_LIMIT - 8), "Q".repeat(300_000));
        let cut = line(&long);
        assert!(cut.len() < LINE_LIMIT + 32);
        assert!(!cut.contains("AKIA"), "half a key is left");
        assert!(cut.ends_with("bytes]"));
    }

    proptest! {
        #[test]
        fn nothing_that_drives_a_terminal_is_left(given in any::<String>()) {
            let cleaned = line(&given);
            let bad = |c: char| c.is_control() || invisible(c) || ('\u{2028}'..='\u{202e}').contains(&c);
            prop_assert!(!cleaned.contains(bad));
            prop_assert_eq!(line(&cleaned).into_owned(), cleaned.into_owned());
        }

        #[test]
        fn bounds_hold_for_any_length(c in any::<char>(), n in 0usize..20_000) {
            prop_assert!(line(&c.to_string().repeat(n)).len() <= LINE_LIMIT + 64);
        }
    }
}
