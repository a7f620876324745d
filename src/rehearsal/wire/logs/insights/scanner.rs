//! Reading a query from left to right: words, numbers, texts, regular expressions, signs.

/// A query that cannot be read, with the place of what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Malformed {
    pub(super) message: String,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A place in a query.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    links: usize,
}

/// How deep conditions and values may stand in each other: they are read and computed one inside the other.
const DEEPEST: usize = 40;
/// How many signs of sums and products a query may have: what each joins is computed inside the next.
const MOST_LINKS: usize = 300;

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0, links: 0 }
    }

    /// Reads what stands inside something of its kind.
    pub(super) fn inside<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Malformed>) -> Result<T, Malformed> {
        if self.depth == DEEPEST {
            return Err(self.wrong("the expression is nested too deeply"));
        }
        self.depth += 1;
        let inner = read(self);
        self.depth -= 1;
        inner
    }

    /// Counts a sign of a sum or product.
    pub(super) fn links(&mut self) -> Result<(), Malformed> {
        self.links += 1;
        if self.links > MOST_LINKS { Err(self.wrong("the expression has too many parts")) } else { Ok(()) }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Passes blanks and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start().len();
            if !self.rest().starts_with('#') {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    pub(super) fn place(&mut self) -> usize {
        self.skip();
        self.at
    }

    /// The text from a place to here, as a column is named by it.
    pub(super) fn since(&self, from: usize) -> &'a str {
        self.text[from..self.at].trim()
    }

    pub(super) fn wrong(&self, message: &str) -> Malformed {
        let from = self.at.min(self.text.len());
        let word = self.rest().find(char::is_whitespace).unwrap_or(self.rest().len()).max(1);
        Malformed { message: format!("{message} at offset {from}"), from, to: from + word }
    }

    pub(super) fn is_over(&mut self) -> bool {
        self.skip();
        self.rest().is_empty()
    }

    pub(super) fn peeks(&mut self, sign: &str) -> bool {
        self.skip();
        self.rest().starts_with(sign)
    }

    /// Takes a sign where it comes next.
    pub(super) fn takes(&mut self, sign: &str) -> bool {
        let is_next = self.peeks(sign);
        self.at += if is_next { sign.len() } else { 0 };
        is_next
    }

    pub(super) fn expects(&mut self, sign: &str) -> Result<(), Malformed> {
        if self.takes(sign) { Ok(()) } else { Err(self.wrong(&format!("{sign:?} is expected"))) }
    }

    /// Takes a keyword, in any case, where it comes next as a whole word.
    pub(super) fn takes_word(&mut self, word: &str) -> bool {
        self.skip();
        let Some(begin) = self.rest().get(..word.len()) else { return false };
        let is_whole = !self.rest()[word.len()..].starts_with(|sign: char| sign.is_alphanumeric() || sign == '_');
        let is_next = is_whole && begin.eq_ignore_ascii_case(word);
        self.at += if is_next { word.len() } else { 0 };
        is_next
    }

    /// A name: letters, digits, `@`, `.`, `_`, or anything in backticks.
    pub(super) fn name(&mut self) -> Option<String> {
        self.skip();
        if let Some(quoted) = self.rest().strip_prefix('`') {
            let (name, _) = quoted.split_once('`')?;
            self.at += name.len() + 2;
            return Some(name.to_owned());
        }
        let end = self.rest().find(|sign: char| !sign.is_alphanumeric() && !"@._".contains(sign));
        let name = &self.rest()[..end.unwrap_or(self.rest().len())];
        if name.is_empty() || name.starts_with(|sign: char| sign.is_ascii_digit()) {
            return None;
        }
        self.at += name.len();
        Some(name.to_owned())
    }

    pub(super) fn number(&mut self) -> Option<f64> {
        self.skip();
        let end = self.rest().find(|sign: char| !sign.is_ascii_digit() && sign != '.');
        let digits = &self.rest()[..end.unwrap_or(self.rest().len())];
        let number = digits.parse().ok()?;
        self.at += digits.len();
        Some(number)
    }

    /// A text in single or double quotes, where one comes next.
    pub(super) fn quoted(&mut self) -> Result<Option<String>, Malformed> {
        self.skip();
        let Some(quote) = self.rest().chars().next().filter(|sign| "'\"".contains(*sign)) else { return Ok(None) };
        let mut text = String::new();
        let mut signs = self.rest().char_indices().skip(1);
        while let Some((offset, sign)) = signs.next() {
            match sign {
                '\\' => text.extend(signs.next().map(|(_, sign)| sign)),
                sign if sign == quote => {
                    self.at += offset + 1;
                    return Ok(Some(text));
                }
                sign => text.push(sign),
            }
        }
        Err(self.wrong("a text is not closed"))
    }

    /// A regular expression between slashes, where one comes next; `\/` is a slash.
    pub(super) fn regex(&mut self) -> Result<Option<regex::Regex>, Malformed> {
        if !self.peeks("/") {
            return Ok(None);
        }
        let inside = &self.rest()[1..];
        let mut is_escaped = false;
        let end = inside.find(|sign| {
            let is_end = sign == '/' && !is_escaped;
            is_escaped = sign == '\\' && !is_escaped;
            is_end
        });
        let pattern = &inside[..end.ok_or_else(|| self.wrong("a regular expression is not closed"))?];
        let built = regex::Regex::new(pattern).map_err(|_| self.wrong("the regular expression cannot be read"))?;
        self.at += pattern.len() + 2;
        Ok(Some(built))
    }

    /// A period such as `1m`, in milliseconds.
    pub(super) fn period(&mut self) -> Option<i64> {
        let number = self.number()?;
        let units = [("ms", 1.0), ("s", 1e3), ("m", 6e4), ("h", 3.6e6), ("d", 8.64e7), ("w", 6.048e8)];
        let (_, unit) = units.into_iter().find(|(unit, _)| self.takes_word(unit))?;
        (number > 0.0).then_some((number * unit) as i64)
    }
}
