//! Regular expressions between percent signs: the restricted syntax of the guide, over bytes and ASCII classes.

use regex::bytes::{Regex, RegexBuilder};

use super::cursor::Cursor;

/// Signs that stand for themselves ("supported symbol characters"), and the blank of the guide's own examples.
const SYMBOLS: &str = ":_#=@/;,- ";
/// Signs with a meaning ("supported operators"); the backslash is read before.
const OPERATORS: &str = "^$?[]{}|*+.";

/// A regular expression.
#[derive(Clone, Debug)]
pub(super) struct Expression(Regex);

impl Expression {
    /// Reads one, from its first percent sign to its last.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        cursor.expects("%")?;
        cursor.expressions += 1;
        let mut pattern = String::new();
        let mut is_in_class = false;
        loop {
            match cursor.next() {
                Some('%') => break,
                Some('\\') => pattern.push_str(&escaped(cursor)?),
                // The engine knows nested classes, which the guide does not.
                Some('[') if is_in_class => pattern.push_str("\\["),
                Some(sign) if sign.is_ascii_alphanumeric() || SYMBOLS.contains(sign) || OPERATORS.contains(sign) => {
                    is_in_class = sign == '[' || (is_in_class && sign != ']');
                    pattern.push(sign);
                }
                Some(other) => {
                    return Err(cursor.refused(&format!("{other:?} is not supported in a regular expression")));
                }
                None => return Err(cursor.refused("a regular expression is not closed by %")),
            }
        }
        // Either number of {m, n} may be left out; the engine wants the first.
        let pattern = pattern.replace("{,", "{0,").replace(", ", ",");
        let built = RegexBuilder::new(&pattern).unicode(false).size_limit(1 << 18).build();
        built.map(Self).map_err(|_| cursor.refused(&format!("%{pattern}% is no regular expression")))
    }

    /// Whether it is found anywhere in a text.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text.as_bytes())
    }
}

/// What may follow a backslash: a class, two hexadecimal digits of an ASCII character, or a sign taken as it is.
fn escaped(cursor: &mut Cursor<'_>) -> Result<String, String> {
    match cursor.next() {
        Some(class @ ('d' | 'D' | 's' | 'S' | 'w' | 'W')) => Ok(format!("\\{class}")),
        Some('x') => {
            let digits: String = [cursor.next(), cursor.next()].into_iter().flatten().collect();
            match u8::from_str_radix(&digits, 16) {
                Ok(byte) if digits.len() == 2 && byte.is_ascii() => Ok(format!("\\x{digits}")),
                _ => Err(cursor.refused("\\x needs two hexadecimal digits of an ASCII character")),
            }
        }
        Some(sign) if sign == '\\' || OPERATORS.contains(sign) || SYMBOLS.contains(sign) => {
            Ok(regex::escape(&sign.to_string()))
        }
        other => Err(cursor.refused(&format!("\\{} is not supported", other.map_or_else(String::new, String::from)))),
    }
}
