//! The commands of a query ("CloudWatch Logs Insights language query syntax"), as far as a rehearsal answers them:
//! fields, display, filter, stats, sort, limit, dedup, parse.

use regex::Regex;

use super::expression::{Expression, condition, sum, value};
use super::scanner::{Malformed, Scanner};

/// A query that was understood.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) commands: Vec<Command>,
    /// Rows at most, whatever the commands say.
    pub(super) limit: usize,
}

/// A value with the name of its column.
pub(super) type Named<T> = (T, String);

#[derive(Clone, Debug)]
pub(super) enum Command {
    Fields(Vec<Named<Expression>>),
    Display(Vec<Named<Expression>>),
    Filter(Expression),
    Stats { of: Vec<Named<Aggregate>>, by: Vec<Named<Expression>> },
    Sort(Vec<(Expression, Direction)>),
    Limit(usize),
    Dedup(Vec<String>),
    Parse { from: Expression, regex: Regex, names: Vec<String> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// A figure over the rows of a group.
#[derive(Clone, Debug)]
pub(super) enum Aggregate {
    /// Of all rows, or of those that have the value.
    Count(Option<Expression>),
    CountDistinct(Expression),
    Sum(Expression),
    Average(Expression),
    Minimum(Expression),
    Maximum(Expression),
    Percentile(Expression, f64),
}

/// Reads a query.
pub(super) fn parse(text: &str, limit: usize) -> Result<Plan, Malformed> {
    let mut scanner = Scanner::new(text);
    let mut commands = vec![command(&mut scanner)?];
    while scanner.takes("|") {
        commands.push(command(&mut scanner)?);
    }
    if !scanner.is_over() {
        return Err(scanner.wrong("unexpected text"));
    }
    Ok(Plan { commands, limit })
}

fn command(scanner: &mut Scanner<'_>) -> Result<Command, Malformed> {
    if scanner.takes_word("fields") {
        return Ok(Command::Fields(list(scanner, named)?));
    }
    if scanner.takes_word("display") {
        return Ok(Command::Display(list(scanner, named)?));
    }
    if scanner.takes_word("filter") {
        return Ok(Command::Filter(condition(scanner)?));
    }
    if scanner.takes_word("stats") {
        let of = list(scanner, aggregate)?;
        let by = if scanner.takes_word("by") { list(scanner, named)? } else { Vec::new() };
        return Ok(Command::Stats { of, by });
    }
    if scanner.takes_word("sort") {
        return Ok(Command::Sort(list(scanner, sorted)?));
    }
    if scanner.takes_word("limit") || scanner.takes_word("head") {
        let count = scanner.number().filter(|count| *count >= 1.0 && count.fract() == 0.0);
        return count.map(|count| Command::Limit(count as usize)).ok_or_else(|| scanner.wrong("a number is expected"));
    }
    if scanner.takes_word("dedup") {
        let names = list(scanner, |scanner| scanner.name().ok_or_else(|| scanner.wrong("a field is expected")))?;
        return Ok(Command::Dedup(names));
    }
    if scanner.takes_word("parse") {
        return parsed(scanner);
    }
    Err(scanner.wrong("a command such as fields, filter or stats is expected"))
}

fn list<T>(
    scanner: &mut Scanner<'_>,
    one: impl Fn(&mut Scanner<'_>) -> Result<T, Malformed>,
) -> Result<Vec<T>, Malformed> {
    let mut list = vec![one(scanner)?];
    while scanner.takes(",") {
        list.push(one(scanner)?);
    }
    Ok(list)
}

/// A value, and its name: the one after `as`, else as it is written.
fn named(scanner: &mut Scanner<'_>) -> Result<Named<Expression>, Malformed> {
    let from = scanner.place();
    let expression = sum(scanner)?;
    let name = name_since(scanner, from)?;
    Ok((expression, name))
}

fn name_since(scanner: &mut Scanner<'_>, from: usize) -> Result<String, Malformed> {
    let written = scanner.since(from).trim_matches('`').to_owned();
    if !scanner.takes_word("as") {
        return Ok(written);
    }
    scanner.name().ok_or_else(|| scanner.wrong("a name is expected"))
}

fn sorted(scanner: &mut Scanner<'_>) -> Result<(Expression, Direction), Malformed> {
    let from = scanner.place();
    let expression = sum(scanner)?;
    // Behind stats a column such as count(*) or bin(1m) goes by its name.
    let expression = match expression {
        Expression::Bin(_) => Expression::Field(scanner.since(from).to_owned()),
        other => other,
    };
    if scanner.takes_word("desc") {
        return Ok((expression, Direction::Descending));
    }
    scanner.takes_word("asc");
    Ok((expression, Direction::Ascending))
}

fn aggregate(scanner: &mut Scanner<'_>) -> Result<Named<Aggregate>, Malformed> {
    let from = scanner.place();
    let name = scanner.name().ok_or_else(|| scanner.wrong("a function such as count(*) is expected"))?;
    scanner.expects("(")?;
    let aggregate = match name.to_ascii_lowercase().as_str() {
        "count" if scanner.takes("*") || scanner.peeks(")") => Aggregate::Count(None),
        "count" => Aggregate::Count(Some(sum(scanner)?)),
        "count_distinct" => Aggregate::CountDistinct(sum(scanner)?),
        "sum" => Aggregate::Sum(sum(scanner)?),
        "avg" => Aggregate::Average(sum(scanner)?),
        "min" => Aggregate::Minimum(sum(scanner)?),
        "max" => Aggregate::Maximum(sum(scanner)?),
        "pct" => {
            let value = sum(scanner)?;
            scanner.expects(",")?;
            let percent = scanner.number().filter(|percent| (0.0..=100.0).contains(percent));
            Aggregate::Percentile(value, percent.ok_or_else(|| scanner.wrong("a percentage is expected"))?)
        }
        _ => return Err(scanner.wrong(&format!("the function {name} is not known"))),
    };
    scanner.expects(")")?;
    let name = name_since(scanner, from)?;
    Ok((aggregate, name))
}

/// `parse FIELD "glob * with * asterisks" as a, b` or `parse FIELD /regex with (?<names>…)/`.
fn parsed(scanner: &mut Scanner<'_>) -> Result<Command, Malformed> {
    // No quotient may begin here: a slash opens the expression.
    let from = value(scanner)?;
    if let Some(regex) = scanner.regex()? {
        let names = regex.capture_names().flatten().map(str::to_owned).collect();
        return Ok(Command::Parse { from, regex, names });
    }
    let glob = scanner.quoted()?.ok_or_else(|| scanner.wrong("a pattern is expected"))?;
    if !scanner.takes_word("as") {
        return Err(scanner.wrong("\"as\" is expected"));
    }
    let names = list(scanner, |scanner| scanner.name().ok_or_else(|| scanner.wrong("a name is expected")))?;
    let parts: Vec<String> = glob.split('*').map(regex::escape).collect();
    if parts.len() != names.len() + 1 {
        return Err(scanner.wrong("a pattern needs as many asterisks as names"));
    }
    let last = if glob.ends_with('*') { "$" } else { "" };
    let regex = Regex::new(&format!("(?s){}{last}", parts.join("(.*?)")));
    Ok(Command::Parse { from, regex: regex.map_err(|_| scanner.wrong("the pattern cannot be read"))?, names })
}
