//! Conditions and values of a query: how they are read, and what they come to for a row.

use jiff::Timestamp;
use regex::Regex;

use super::cell::Cell;
use super::scanner::{Malformed, Scanner};

/// A condition or value.
#[derive(Clone, Debug)]
pub(super) enum Expression {
    Field(String),
    Constant(Cell),
    Not(Box<Self>),
    All(Vec<Self>),
    Any(Vec<Self>),
    Compare(Box<Self>, Sign, Box<Self>),
    Like(Box<Self>, Likeness),
    In(Box<Self>, Vec<Self>),
    Math(Box<Self>, char, Box<Self>),
    Call(Function, Vec<Self>),
    /// `@timestamp` rounded down to a period in milliseconds.
    Bin(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What `like` and `=~` take.
#[derive(Clone, Debug)]
pub(super) enum Likeness {
    Text(String),
    Regex(Regex),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Function {
    IsPresent,
    IsEmpty,
    IsBlank,
    Contains,
    Lower,
    Upper,
    Length,
    Concat,
    Coalesce,
    Abs,
    Floor,
    Ceil,
}

const FUNCTIONS: [(&str, Function); 12] = [
    ("ispresent", Function::IsPresent),
    ("isempty", Function::IsEmpty),
    ("isblank", Function::IsBlank),
    ("strcontains", Function::Contains),
    ("tolower", Function::Lower),
    ("toupper", Function::Upper),
    ("strlen", Function::Length),
    ("concat", Function::Concat),
    ("coalesce", Function::Coalesce),
    ("abs", Function::Abs),
    ("floor", Function::Floor),
    ("ceil", Function::Ceil),
];

const SIGNS: [(&str, Sign); 6] = [
    ("!=", Sign::NotEqual),
    ("<=", Sign::LessOrEqual),
    (">=", Sign::GreaterOrEqual),
    ("=", Sign::Equal),
    ("<", Sign::Less),
    (">", Sign::Greater),
];

/// Where an expression finds its fields.
pub(super) trait Fields {
    fn field(&self, name: &str) -> Cell;
}

/// Reads a condition: `not` before `and` before `or`.
pub(super) fn condition(scanner: &mut Scanner<'_>) -> Result<Expression, Malformed> {
    let mut any = vec![conjunction(scanner)?];
    while scanner.takes_word("or") {
        any.push(conjunction(scanner)?);
    }
    Ok(if any.len() == 1 { any.remove(0) } else { Expression::Any(any) })
}

fn conjunction(scanner: &mut Scanner<'_>) -> Result<Expression, Malformed> {
    let mut all = vec![negation(scanner)?];
    while scanner.takes_word("and") {
        all.push(negation(scanner)?);
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Expression::All(all) })
}

fn negation(scanner: &mut Scanner<'_>) -> Result<Expression, Malformed> {
    if scanner.takes_word("not") {
        return Ok(Expression::Not(Box::new(scanner.inside(negation)?)));
    }
    comparison(scanner)
}

fn comparison(scanner: &mut Scanner<'_>) -> Result<Expression, Malformed> {
    let left = sum(scanner)?;
    if scanner.takes_word("not") {
        let inner = word_comparison(scanner, left)?;
        return inner
            .map(|inner| Expression::Not(Box::new(inner)))
            .map_err(|_| scanner.wrong("like or in is expected"));
    }
    let left = match word_comparison(scanner, left)? {
        Ok(compared) => return Ok(compared),
        Err(left) => left,
    };
    match SIGNS.into_iter().find(|(sign, _)| scanner.takes(sign)) {
        Some((_, sign)) => Ok(Expression::Compare(Box::new(left), sign, Box::new(sum(scanner)?))),
        None => Ok(left),
    }
}

/// `like`, `=~` or `in` behind a value; the value back where none of them comes.
fn word_comparison(scanner: &mut Scanner<'_>, left: Expression) -> Result<Result<Expression, Expression>, Malformed> {
    if scanner.takes_word("like") || scanner.takes("=~") {
        let likeness = match scanner.regex()? {
            Some(regex) => Likeness::Regex(regex),
            None => Likeness::Text(
                scanner.quoted()?.ok_or_else(|| scanner.wrong("a text or a regular expression is expected"))?,
            ),
        };
        return Ok(Ok(Expression::Like(Box::new(left), likeness)));
    }
    if scanner.takes_word("in") {
        scanner.expects("[")?;
        let mut list = vec![sum(scanner)?];
        while scanner.takes(",") {
            list.push(sum(scanner)?);
        }
        scanner.expects("]")?;
        return Ok(Ok(Expression::In(Box::new(left), list)));
    }
    Ok(Err(left))
}

/// Sums and products of values.
pub(super) fn sum(scanner: &mut Scanner<'_>) -> Result<Expression, Malformed> {
    chain(scanner, &['+', '-'], |scanner| chain(scanner, &['*', '/', '%'], value))
}

fn chain(
    scanner: &mut Scanner<'_>,
    signs: &[char],
    one: impl Fn(&mut Scanner<'_>) -> Result<Expression, Malformed>,
) -> Result<Expression, Malformed> {
    let mut left = one(scanner)?;
    while let Some(sign) = signs.iter().find(|sign| scanner.takes(&sign.to_string())) {
        scanner.links()?;
        left = Expression::Math(Box::new(left), *sign, Box::new(one(scanner)?));
    }
    Ok(left)
}

/// One value, which may be a whole condition in parentheses.
pub(super) fn value(scanner: &mut Scanner<'_>) -> Result<Expression, Malformed> {
    scanner.inside(bare_value)
}

fn bare_value(scanner: &mut Scanner<'_>) -> Result<Expression, Malformed> {
    if scanner.takes("(") {
        let inner = condition(scanner)?;
        scanner.expects(")")?;
        return Ok(inner);
    }
    if scanner.takes("-") {
        let zero = Box::new(Expression::Constant(Cell::Number(0.0)));
        return Ok(Expression::Math(zero, '-', Box::new(value(scanner)?)));
    }
    if let Some(text) = scanner.quoted()? {
        return Ok(Expression::Constant(Cell::Text(text)));
    }
    if let Some(number) = scanner.number() {
        return Ok(Expression::Constant(Cell::Number(number)));
    }
    let name = scanner.name().ok_or_else(|| scanner.wrong("a field or value is expected"))?;
    if !scanner.takes("(") {
        return Ok(Expression::Field(name));
    }
    if name.eq_ignore_ascii_case("bin") {
        let period = scanner.period().ok_or_else(|| scanner.wrong("a period such as 5m is expected"))?;
        scanner.expects(")")?;
        return Ok(Expression::Bin(period));
    }
    let known = FUNCTIONS.into_iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
    let (_, function) = known.ok_or_else(|| scanner.wrong(&format!("the function {name} is not known")))?;
    let mut arguments = Vec::new();
    while !scanner.takes(")") {
        if !arguments.is_empty() {
            scanner.expects(",")?;
        }
        arguments.push(sum(scanner)?);
    }
    Ok(Expression::Call(function, arguments))
}

impl Expression {
    /// What it comes to for a row.
    pub(super) fn of(&self, row: &dyn Fields) -> Cell {
        match self {
            Self::Field(name) => row.field(name),
            Self::Constant(cell) => cell.clone(),
            Self::Not(inner) => Cell::Flag(!inner.of(row).is_true()),
            Self::All(all) => Cell::Flag(all.iter().all(|one| one.of(row).is_true())),
            Self::Any(any) => Cell::Flag(any.iter().any(|one| one.of(row).is_true())),
            Self::Compare(left, sign, right) => Cell::Flag(compared(&left.of(row), *sign, &right.of(row))),
            Self::Like(value, likeness) => {
                let text = value.of(row).shown();
                Cell::Flag(text.is_some_and(|text| match likeness {
                    Likeness::Text(part) => text.contains(part.as_str()),
                    Likeness::Regex(regex) => regex.is_match(&text),
                }))
            }
            Self::In(value, list) => {
                let value = value.of(row);
                Cell::Flag(list.iter().any(|one| compared(&value, Sign::Equal, &one.of(row))))
            }
            Self::Math(left, sign, right) => match (left.of(row).number(), right.of(row).number()) {
                (Some(left), Some(right)) => calculated(left, *sign, right),
                _ => Cell::Missing,
            },
            Self::Call(function, arguments) => {
                called(*function, &arguments.iter().map(|argument| argument.of(row)).collect::<Vec<_>>())
            }
            Self::Bin(period) => match row.field("@timestamp") {
                Cell::Time(at) => binned(at, *period),
                _ => Cell::Missing,
            },
        }
    }
}

fn binned(at: Timestamp, period: i64) -> Cell {
    let begin = at.as_millisecond().div_euclid(period) * period;
    Timestamp::from_millisecond(begin).map_or(Cell::Missing, Cell::Time)
}

/// A field that is missing is equal to nothing, and so differs from everything.
fn compared(left: &Cell, sign: Sign, right: &Cell) -> bool {
    if *left == Cell::Missing || *right == Cell::Missing {
        return sign == Sign::NotEqual && left != right;
    }
    let order = left.order(right);
    match sign {
        Sign::Equal => order.is_eq(),
        Sign::NotEqual => order.is_ne(),
        Sign::Less => order.is_lt(),
        Sign::LessOrEqual => order.is_le(),
        Sign::Greater => order.is_gt(),
        Sign::GreaterOrEqual => order.is_ge(),
    }
}

fn calculated(left: f64, sign: char, right: f64) -> Cell {
    let number = match sign {
        '+' => left + right,
        '-' => left - right,
        '*' => left * right,
        '/' => left / right,
        _ => left % right,
    };
    if number.is_finite() { Cell::Number(number) } else { Cell::Missing }
}

fn called(function: Function, arguments: &[Cell]) -> Cell {
    let text = |nth: usize| arguments.get(nth).and_then(Cell::shown);
    let of_text = |map: &dyn Fn(String) -> String| text(0).map_or(Cell::Missing, |text| Cell::Text(map(text)));
    let of_number = |map: &dyn Fn(f64) -> f64| {
        arguments.first().and_then(Cell::number).map_or(Cell::Missing, |number| Cell::Number(map(number)))
    };
    match function {
        Function::IsPresent => Cell::Flag(text(0).is_some()),
        Function::IsEmpty => Cell::Flag(text(0).unwrap_or_default().is_empty()),
        Function::IsBlank => Cell::Flag(text(0).unwrap_or_default().trim().is_empty()),
        Function::Contains => Cell::Flag(text(0).zip(text(1)).is_some_and(|(text, part)| text.contains(part.as_str()))),
        Function::Lower => of_text(&|text| text.to_lowercase()),
        Function::Upper => of_text(&|text| text.to_uppercase()),
        Function::Length => text(0).map_or(Cell::Missing, |text| Cell::Number(text.chars().count() as f64)),
        Function::Concat => Cell::Text((0..arguments.len()).filter_map(text).collect()),
        Function::Coalesce => arguments.iter().find(|cell| **cell != Cell::Missing).cloned().unwrap_or(Cell::Missing),
        Function::Abs => of_number(&f64::abs),
        Function::Floor => of_number(&f64::floor),
        Function::Ceil => of_number(&f64::ceil),
    }
}
