//! Patterns over plain text: terms that must all be there, `-excluded` ones, `?optional` ones, phrases in quotes.

use super::cursor::Cursor;

/// Terms.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    required: Vec<String>,
    optional: Vec<String>,
    excluded: Vec<String>,
}

impl Terms {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        let mut terms = Self::default();
        while cursor.peek().is_some() {
            let list = if cursor.takes("?") {
                &mut terms.optional
            } else if cursor.takes("-") {
                &mut terms.excluded
            } else {
                &mut terms.required
            };
            list.push(term(cursor)?);
        }
        Ok(terms)
    }

    /// A term is a substring. Optional ones count only where there is no other: combined with any, they are ignored.
    pub(super) fn matches(&self, message: &str) -> bool {
        let is_there = |term: &String| message.contains(term.as_str());
        if self.required.is_empty() && self.excluded.is_empty() {
            return self.optional.is_empty() || self.optional.iter().any(is_there);
        }
        self.required.iter().all(is_there) && !self.excluded.iter().any(is_there)
    }
}

/// A term: quoted, or of letters, digits and underscores. A quoted blank stands for everything.
fn term(cursor: &mut Cursor<'_>) -> Result<String, String> {
    if cursor.takes_here("\"") {
        let phrase = cursor.quoted()?;
        return Ok(if phrase.trim().is_empty() { String::new() } else { phrase });
    }
    let term = cursor.run(|character| !character.is_whitespace());
    if term.is_empty() || !term.chars().all(|character| character.is_alphanumeric() || character == '_') {
        return Err(cursor.refused(&format!("the term {term:?} must be in double quotes")));
    }
    Ok(term.to_owned())
}
