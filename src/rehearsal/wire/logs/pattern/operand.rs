//! What a field is compared with: text with an asterisk at an end, a number, a regular expression.

use serde_json::Value;

use super::cursor::Cursor;
use super::expression::Expression;

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The operators, those of two signs first.
    const SIGNS: [(&str, Self); 6] = [
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Option<Self> {
        Self::SIGNS.into_iter().find(|(sign, _)| cursor.takes(sign)).map(|(_, comparison)| comparison)
    }

    fn of_numbers(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left.total_cmp(&right).is_eq(),
            Self::NotEqual => left.total_cmp(&right).is_ne(),
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

/// The right side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Operand {
    Text(String),
    Number(f64, String),
    Expression(Expression),
}

/// A comparison with its right side.
#[derive(Clone, Debug)]
pub(super) struct Test {
    comparison: Comparison,
    operand: Operand,
}

impl Test {
    /// Reads an operator and what follows it.
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        let comparison = Comparison::parse(cursor).ok_or_else(|| cursor.refused("an operator is missing"))?;
        let operand = match cursor.peek() {
            Some('%') => Operand::Expression(Expression::parse(cursor)?),
            Some('"') => {
                cursor.takes("\"");
                Operand::Text(cursor.quoted()?)
            }
            _ => bare(cursor)?,
        };
        let is_equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
        if !is_equality && !matches!(operand, Operand::Number(..)) {
            return Err(cursor.refused("only numbers can be compared by size"));
        }
        Ok(Self { comparison, operand })
    }

    /// Whether a field of a line of text passes.
    pub(super) fn passes_text(&self, field: &str) -> bool {
        match &self.operand {
            Operand::Number(number, _) if field.parse::<f64>().is_ok_and(f64::is_finite) => {
                field.parse().is_ok_and(|field| self.comparison.of_numbers(field, *number))
            }
            Operand::Number(_, text) | Operand::Text(text) => self.equality(is_like(text, field)),
            Operand::Expression(expression) => self.equality(expression.matches(field)),
        }
    }

    /// Whether a value of a JSON document passes: texts and numbers alone, an array or object never does.
    pub(super) fn passes_value(&self, value: &Value) -> bool {
        match (value, &self.operand) {
            (Value::Number(field), Operand::Number(number, _)) => {
                field.as_f64().is_some_and(|field| self.comparison.of_numbers(field, *number))
            }
            (Value::String(field), Operand::Number(_, text) | Operand::Text(text)) => {
                self.equality(is_like(text, field))
            }
            (Value::Number(field), Operand::Text(text)) => {
                text.contains('*') && self.equality(is_like(text, &field.to_string()))
            }
            (Value::String(field), Operand::Expression(expression)) => self.equality(expression.matches(field)),
            (Value::Number(field), Operand::Expression(expression)) => {
                self.equality(expression.matches(&field.to_string()))
            }
            (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_), _) => false,
        }
    }

    fn equality(&self, is_equal: bool) -> bool {
        match self.comparison {
            Comparison::Equal => is_equal,
            Comparison::NotEqual => !is_equal,
            Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => false,
        }
    }
}

/// A word without quotes: a number, or text with asterisks. The guide writes addresses and file names so, too.
fn bare(cursor: &mut Cursor<'_>) -> Result<Operand, String> {
    cursor.peek();
    let word = cursor.run(|character| character.is_alphanumeric() || "_*.+-:/".contains(character));
    if word.is_empty() {
        return Err(cursor.refused("a value is missing or must be in double quotes"));
    }
    let is_number = word.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    Ok(match word.parse::<f64>() {
        Ok(number) if is_number && number.is_finite() => Operand::Number(number, word.to_owned()),
        _ => Operand::Text(word.to_owned()),
    })
}

/// Text against a text whose asterisk stands for anything, where it is the first or the last character.
fn is_like(pattern: &str, text: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(inner), Some(_)) => inner.strip_suffix('*').is_some_and(|inner| text.contains(inner)),
        (Some(end), None) => text.ends_with(end),
        (None, Some(begin)) => text.starts_with(begin),
        (None, None) => text == pattern,
    }
}
