//! Patterns over lines whose fields are parted by blanks: `[ip, user, ..., status = 4*, bytes > 1000]`.

use super::cursor::{Cursor, Rule};
use super::operand::Test;

/// Columns.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    before: Vec<Column>,
    /// Those after an ellipsis; `None` where there is none.
    after: Option<Vec<Column>>,
}

/// Conditions of a column; `None` takes anything.
type Column = Option<Rule<Test>>;

impl Columns {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        cursor.expects("[")?;
        let (mut before, mut after) = (Vec::new(), None);
        loop {
            if cursor.takes("...") || cursor.takes("…") {
                if after.replace(Vec::new()).is_some() {
                    return Err(cursor.refused("it holds more than one ellipsis"));
                }
            } else {
                after.as_mut().unwrap_or(&mut before).push(column(cursor)?);
            }
            if cursor.takes("]") {
                return Ok(Self { before, after });
            }
            cursor.expects(",")?;
        }
    }

    /// Each column takes one field. An ellipsis takes any number; so does a last column without condition, as in
    /// `[w1=ERROR, w2]`, which the guide gives for lines of many words.
    pub(super) fn matches(&self, message: &str) -> bool {
        let fields = fields(message);
        let after = self.after.as_deref().unwrap_or_default();
        if fields.len() < self.before.len() + after.len() {
            return false;
        }
        let takes_rest = self.after.is_some() || matches!(self.before.last(), Some(None));
        if fields.len() > self.before.len() + after.len() && !takes_rest {
            return false;
        }
        let passes = |(column, field): (&Column, &&str)| {
            column.as_ref().is_none_or(|rule| rule.holds(&|test| test.passes_text(field)))
        };
        self.before.iter().zip(&fields).all(passes)
            && after.iter().zip(&fields[fields.len() - after.len()..]).all(passes)
    }
}

/// A name, which may be blank, and conditions on it.
fn column(cursor: &mut Cursor<'_>) -> Result<Column, String> {
    let name = name(cursor);
    if matches!(cursor.peek(), Some(',' | ']')) {
        return Ok(None);
    }
    let first = std::cell::Cell::new(true);
    let test = |cursor: &mut Cursor<'_>| {
        // The name stands before the first condition already, and again before each other one.
        if !first.replace(false) && self::name(cursor) != name {
            return Err(cursor.refused("the conditions of a column name another"));
        }
        Test::parse(cursor)
    };
    Rule::parse(cursor, &test).map(Some)
}

fn name(cursor: &mut Cursor<'_>) -> String {
    cursor.peek();
    cursor.run(|character| character.is_alphanumeric() || "_-".contains(character)).to_owned()
}

/// The fields of a line: what stands between blanks, in brackets or in double quotes, without those.
fn fields(line: &str) -> Vec<&str> {
    let mut fields = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '[' => Some(']'),
            '"' => Some('"'),
            _ => None,
        };
        let inside = close.and_then(|close| rest[1..].split_once(close));
        let (field, after) = match inside {
            Some((field, after)) => (field, after),
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        fields.push(field);
        rest = after.trim_start();
    }
    fields
}
