//! Reading a pattern from left to right, and the rules of `&&`, `||` and parentheses that two kinds of pattern share.

/// A place in a pattern.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    whole: &'a str,
    rest: &'a str,
    /// Regular expressions read so far.
    pub(super) expressions: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { whole: text, rest: text.trim(), expressions: 0 }
    }

    /// The service's words for a pattern that it does not take.
    pub(super) fn refused(&self, why: &str) -> String {
        format!("Invalid filter pattern: {why}, in {:?}.", self.whole)
    }

    /// The next character that is no blank.
    pub(super) fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    /// The next character, blank or not.
    pub(super) fn next(&mut self) -> Option<char> {
        let character = self.rest.chars().next()?;
        self.rest = &self.rest[character.len_utf8()..];
        Some(character)
    }

    /// Takes a sign where it comes next.
    pub(super) fn takes(&mut self, sign: &str) -> bool {
        self.rest = self.rest.trim_start();
        self.takes_here(sign)
    }

    /// Takes a sign where it comes next, without a blank before it.
    pub(super) fn takes_here(&mut self, sign: &str) -> bool {
        self.rest.strip_prefix(sign).map(|rest| self.rest = rest).is_some()
    }

    /// Takes a sign or refuses.
    pub(super) fn expects(&mut self, sign: &str) -> Result<(), String> {
        if self.takes(sign) { Ok(()) } else { Err(self.refused(&format!("{sign:?} is missing"))) }
    }

    /// The longest run of characters of a kind, without a blank before it.
    pub(super) fn run(&mut self, is_in: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|character| !is_in(character)).unwrap_or(self.rest.len());
        let (run, rest) = self.rest.split_at(end);
        self.rest = rest;
        run
    }

    /// The inside of double quotes whose first has been taken; a backslash takes the next character as it is.
    pub(super) fn quoted(&mut self) -> Result<String, String> {
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => text.extend(self.next()),
                Some(other) => text.push(other),
                None => return Err(self.refused("a quote is not closed")),
            }
        }
    }
}

/// Conditions joined by `&&` and `||`.
#[derive(Clone, Debug)]
pub(super) enum Rule<T> {
    One(T),
    All(Vec<Self>),
    Any(Vec<Self>),
}

impl<T> Rule<T> {
    /// Reads conditions with the order `()` before `&&` before `||`; `one` reads a single condition.
    pub(super) fn parse<'a>(
        cursor: &mut Cursor<'a>,
        one: &dyn Fn(&mut Cursor<'a>) -> Result<T, String>,
    ) -> Result<Self, String> {
        let mut any = Vec::new();
        loop {
            let mut all = Vec::new();
            loop {
                all.push(if cursor.takes("(") {
                    let inner = Self::parse(cursor, one)?;
                    cursor.expects(")")?;
                    inner
                } else {
                    Self::One(one(cursor)?)
                });
                if !cursor.takes("&&") {
                    break;
                }
            }
            any.push(Self::All(all));
            if !cursor.takes("||") {
                return Ok(Self::Any(any));
            }
        }
    }

    /// Whether it holds where a condition holds as `one` says.
    pub(super) fn holds(&self, one: &dyn Fn(&T) -> bool) -> bool {
        match self {
            Self::One(condition) => one(condition),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(one)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(one)),
        }
    }
}
