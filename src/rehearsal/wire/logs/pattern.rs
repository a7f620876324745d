//! Filter patterns as the CloudWatch Logs guide documents them ("Filter pattern syntax for metric filters, subscription
//! filters, filter log events, and Live Tail"): terms, JSON selectors, space-delimited columns, regular expressions.
//! What the service refuses is refused, not misread.

mod columns;
mod cursor;
mod expression;
mod json;
mod operand;
mod terms;

use columns::Columns;
use cursor::Cursor;
use expression::Expression;
use json::Json;
use terms::Terms;

/// The longest pattern (API reference).
const LONGEST: usize = 1_024;
/// Regular expressions in one JSON or space-delimited pattern (guide, quotas).
const MOST_EXPRESSIONS: usize = 2;

/// A pattern.
#[derive(Clone, Debug)]
pub struct Pattern(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Terms(Terms),
    Whole(Expression),
    Json(Json),
    Columns(Columns),
}

impl Pattern {
    /// Reads a pattern; an empty one matches everything.
    ///
    /// # Errors
    /// The service's message, for syntax it refuses.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > LONGEST {
            return Err(format!(
                "1 validation error detected: Value at 'filterPattern' failed to satisfy constraint: Member must have \
                 length less than or equal to {LONGEST}"
            ));
        }
        let mut cursor = Cursor::new(text);
        let kind = match cursor.peek() {
            Some('{') => Kind::Json(Json::parse(&mut cursor)?),
            Some('[') => Kind::Columns(Columns::parse(&mut cursor)?),
            Some('%') => Kind::Whole(Expression::parse(&mut cursor)?),
            _ => Kind::Terms(Terms::parse(&mut cursor)?),
        };
        if cursor.peek().is_some() {
            return Err(cursor.refused("nothing may follow the end of the pattern"));
        }
        if cursor.expressions > MOST_EXPRESSIONS {
            return Err(cursor.refused("it holds more than 2 regular expressions"));
        }
        Ok(Self(kind))
    }

    /// Whether a message matches. Case counts.
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Kind::Terms(terms) => terms.matches(message),
            Kind::Whole(expression) => expression.matches(message),
            Kind::Json(json) => json.matches(message),
            Kind::Columns(columns) => columns.matches(message),
        }
    }
}

#[cfg(test)]
mod tests;
