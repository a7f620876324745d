//! Metric math ("Using metric math" of the CloudWatch guide): how expressions are read. What they come to is in
//! `evaluate`, their functions are in `functions`.

mod evaluate;
mod functions;

pub use evaluate::{Line, Lines, Outcome, Scope};

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// A text, as in `METRICS("errors")`.
    Text(String),
    /// A metric or another expression of the request.
    Id(String),
    /// A word without parentheses, such as `REPEAT`.
    Word(String),
    /// `[m1, m2]`.
    List(Vec<Self>),
    /// `-m1`.
    Negative(Box<Self>),
    /// Two joined by an operator.
    Binary(Box<Self>, Operator, Box<Self>),
    /// A function.
    Call(String, Vec<Self>),
}

/// An operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names are what there is to say")]
pub enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    LessOrEqual,
    GreaterOrEqual,
    Less,
    Greater,
    Plus,
    Minus,
    Times,
    Over,
    Power,
}

/// Operators by how loosely they bind, longer signs first.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("||", Operator::Or), ("OR", Operator::Or)],
    &[("&&", Operator::And), ("AND", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Plus), ("-", Operator::Minus)],
    &[("*", Operator::Times), ("/", Operator::Over)],
    &[("^", Operator::Power)],
];

/// The most characters of an expression (`MetricDataQuery`).
const LONGEST: usize = 2_048;
/// How deep its parentheses, lists and signs may stand in each other: they are read and computed one inside the other.
const DEEPEST: usize = 40;
/// How many operators an expression may have: what each joins is computed inside the next.
const MOST_OPERATORS: usize = 300;

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong, without a period.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.chars().count() > LONGEST {
            return Err(format!("it is longer than {LONGEST} characters"));
        }
        let words = text.matches("AND").count() + text.matches("OR").count();
        if text.matches(|sign| "+-*/^<>=|&".contains(sign)).count() + words > MOST_OPERATORS {
            return Err(format!("it has more than {MOST_OPERATORS} operators"));
        }
        let mut rest = text.trim();
        let expression = level(&mut rest, 0, 0)?;
        if rest.is_empty() { Ok(expression) } else { Err(format!("{rest:?} follows the end of the expression")) }
    }

    /// The ids that it refers to.
    pub fn ids(&self) -> Vec<&str> {
        match self {
            Self::Number(_) | Self::Text(_) | Self::Word(_) => Vec::new(),
            Self::Id(id) => vec![id],
            Self::Negative(inner) => inner.ids(),
            Self::Binary(left, _, right) => [left.ids(), right.ids()].concat(),
            Self::List(all) | Self::Call(_, all) => all.iter().flat_map(Self::ids).collect(),
        }
    }
}

/// What binds as tightly as the nth level or tighter, inside so many others.
fn level(rest: &mut &str, nth: usize, depth: usize) -> Result<Expression, String> {
    let Some(operators) = LEVELS.get(nth) else { return unary(rest, depth + 1) };
    let mut left = level(rest, nth + 1, depth)?;
    while let Some((_, operator)) = operators.iter().find(|(sign, _)| takes(rest, sign)) {
        left = Expression::Binary(Box::new(left), *operator, Box::new(level(rest, nth + 1, depth)?));
    }
    Ok(left)
}

fn unary(rest: &mut &str, depth: usize) -> Result<Expression, String> {
    if depth > DEEPEST {
        return Err(format!("it is nested more than {DEEPEST} deep"));
    }
    if takes(rest, "-") {
        return Ok(Expression::Negative(Box::new(unary(rest, depth + 1)?)));
    }
    if takes(rest, "(") {
        let inner = level(rest, 0, depth)?;
        return if takes(rest, ")") { Ok(inner) } else { Err("a parenthesis is not closed".to_owned()) };
    }
    if takes(rest, "[") {
        return list(rest, "]", depth).map(Expression::List);
    }
    if let Some(inside) = rest.strip_prefix(['"', '\'']) {
        let (text, after) = inside.split_once(['"', '\'']).ok_or("a quote is not closed")?;
        *rest = after.trim_start();
        return Ok(Expression::Text(text.to_owned()));
    }
    let word = run(rest, |sign| sign.is_ascii_alphanumeric() || "_.".contains(sign));
    if word.is_empty() {
        return Err(format!("a metric, number or function is expected at {rest:?}"));
    }
    if let Ok(number) = word.parse::<f64>() {
        return Ok(Expression::Number(number));
    }
    if takes(rest, "(") {
        return list(rest, ")", depth).map(|arguments| Expression::Call(word.to_owned(), arguments));
    }
    let is_id = word.starts_with(|first: char| first.is_ascii_lowercase());
    Ok(if is_id { Expression::Id(word.to_owned()) } else { Expression::Word(word.to_owned()) })
}

fn list(rest: &mut &str, end: &str, depth: usize) -> Result<Vec<Expression>, String> {
    let mut all = Vec::new();
    if takes(rest, end) {
        return Ok(all);
    }
    loop {
        all.push(level(rest, 0, depth)?);
        if takes(rest, end) {
            return Ok(all);
        }
        if !takes(rest, ",") {
            return Err(format!("{end:?} is missing"));
        }
    }
}

/// The longest run of characters of a kind, and the blanks behind it.
fn run<'a>(rest: &mut &'a str, is_in: impl Fn(char) -> bool) -> &'a str {
    let end = rest.find(|sign| !is_in(sign)).unwrap_or(rest.len());
    let (run, after) = rest.split_at(end);
    *rest = after.trim_start();
    run
}

fn takes(rest: &mut &str, sign: &str) -> bool {
    let Some(after) = rest.strip_prefix(sign) else { return false };
    let is_word = sign.starts_with(char::is_alphabetic);
    if is_word && after.starts_with(|next: char| next.is_ascii_alphanumeric() || next == '_') {
        return false;
    }
    *rest = after.trim_start();
    true
}

#[cfg(test)]
mod tests;
