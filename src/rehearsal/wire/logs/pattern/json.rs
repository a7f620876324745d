//! Patterns over JSON: `{ $.selector operator value }`, `IS NULL|TRUE|FALSE`, `NOT EXISTS`, joined by `&&` and `||`.

use serde_json::Value;

use super::cursor::{Cursor, Rule};
use super::operand::Test;

/// Wildcard selectors in one pattern (guide, quotas).
const MOST_WILDCARDS: usize = 3;

/// Conditions on a document.
#[derive(Clone, Debug)]
pub(super) struct Json(Rule<Condition>);

#[derive(Clone, Debug)]
struct Condition {
    selector: Vec<Segment>,
    asks: Asks,
}

#[derive(Clone, Debug)]
enum Segment {
    Property(String),
    Element(usize),
    Every,
}

#[derive(Clone, Debug)]
enum Asks {
    Is(Value),
    NotExists,
    Passes(Test),
}

impl Json {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, String> {
        cursor.expects("{")?;
        let rule = Rule::parse(cursor, &condition)?;
        cursor.expects("}")?;
        if wildcards(&rule) > MOST_WILDCARDS {
            return Err(cursor.refused("it holds more than 3 wildcard selectors"));
        }
        Ok(Self(rule))
    }

    pub(super) fn matches(&self, message: &str) -> bool {
        let message = message.trim();
        if !message.starts_with('{') {
            return false;
        }
        let Ok(document) = serde_json::from_str::<Value>(message) else { return false };
        self.0.holds(&|condition| {
            let mut nodes = Vec::new();
            selected(&document, &condition.selector, &mut nodes);
            match &condition.asks {
                Asks::NotExists => nodes.is_empty(),
                Asks::Is(value) => nodes.contains(&value),
                Asks::Passes(test) => nodes.into_iter().any(|node| test.passes_value(node)),
            }
        })
    }
}

fn wildcards(rule: &Rule<Condition>) -> usize {
    match rule {
        Rule::One(condition) => usize::from(has_wildcard(&condition.selector)),
        Rule::All(rules) | Rule::Any(rules) => rules.iter().map(wildcards).sum(),
    }
}

fn has_wildcard(selector: &[Segment]) -> bool {
    selector.iter().any(|segment| matches!(segment, Segment::Every))
}

/// The nodes that a selector points to; none where it leads nowhere.
fn selected<'a>(node: &'a Value, selector: &[Segment], nodes: &mut Vec<&'a Value>) {
    let Some((first, rest)) = selector.split_first() else {
        nodes.push(node);
        return;
    };
    let next: Vec<&Value> = match (first, node) {
        (Segment::Property(name), Value::Object(members)) => members.get(name).into_iter().collect(),
        (Segment::Element(index), Value::Array(elements)) => elements.get(*index).into_iter().collect(),
        (Segment::Every, Value::Array(elements)) => elements.iter().collect(),
        (Segment::Every, Value::Object(members)) => members.values().collect(),
        _ => Vec::new(),
    };
    for node in next {
        selected(node, rest, nodes);
    }
}

fn condition(cursor: &mut Cursor<'_>) -> Result<Condition, String> {
    let selector = selector(cursor)?;
    let asks = if cursor.takes("IS ") {
        let values = [("NULL", Value::Null), ("TRUE", Value::Bool(true)), ("FALSE", Value::Bool(false))];
        let found = values.into_iter().find(|(word, _)| cursor.takes(word));
        Asks::Is(found.ok_or_else(|| cursor.refused("IS takes NULL, TRUE or FALSE"))?.1)
    } else if cursor.takes("NOT ") {
        cursor.expects("EXISTS")?;
        Asks::NotExists
    } else {
        Asks::Passes(Test::parse(cursor)?)
    };
    Ok(Condition { selector, asks })
}

fn selector(cursor: &mut Cursor<'_>) -> Result<Vec<Segment>, String> {
    cursor.expects("$")?;
    let mut segments = Vec::new();
    loop {
        if cursor.takes_here("[") || cursor.takes_here(".[") {
            segments.push(bracket(cursor)?);
        } else if cursor.takes_here(".*") {
            segments.push(Segment::Every);
        } else if cursor.takes_here(".") {
            let name = cursor.run(|character| character.is_alphanumeric() || "_-".contains(character));
            if name.is_empty() {
                return Err(cursor.refused("a property has no name"));
            }
            segments.push(Segment::Property(name.to_owned()));
        } else {
            break;
        }
    }
    if segments.is_empty() {
        return Err(cursor.refused("a selector begins with \"$.\""));
    }
    if segments.iter().filter(|segment| matches!(segment, Segment::Every)).count() > 1 {
        return Err(cursor.refused("a selector holds more than one wildcard"));
    }
    Ok(segments)
}

/// The inside of brackets: a number, an asterisk, or a name in single quotes.
fn bracket(cursor: &mut Cursor<'_>) -> Result<Segment, String> {
    let segment = if cursor.takes_here("*") {
        Segment::Every
    } else if cursor.takes_here("'") {
        let name = cursor.run(|character| character != '\'').to_owned();
        cursor.expects("'")?;
        Segment::Property(name)
    } else {
        let digits = cursor.run(|character| character.is_ascii_digit());
        Segment::Element(digits.parse().map_err(|_| cursor.refused("brackets take a number, * or a quoted name"))?)
    };
    cursor.expects("]")?;
    Ok(segment)
}
