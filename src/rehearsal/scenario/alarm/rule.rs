//! Rules of composite alarms (`AlarmRule` of PutCompositeAlarm): states of other alarms, joined by AND, OR and NOT.

use crate::domain::observation::alarm::AlarmState;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CompositeRule {
    /// `TRUE` or `FALSE`.
    Constant(bool),
    /// Another alarm is in a state.
    Stands(AlarmState, String),
    /// The rule does not hold.
    Not(Box<Self>),
    /// All hold.
    All(Vec<Self>),
    /// Any holds.
    Any(Vec<Self>),
}

/// How deep parentheses and negations may stand in each other: they are read and asked one inside the other.
const DEEPEST: usize = 40;

impl CompositeRule {
    /// Reads a rule: `NOT` before `AND` before `OR`; names with quotes or without, or ARNs.
    ///
    /// # Errors
    /// What is wrong, without a period.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.trim();
        let rule = any(&mut rest, 0)?;
        if rest.is_empty() { Ok(rule) } else { Err(format!("{rest:?} follows its end")) }
    }

    /// Whether it holds where other alarms stand as `stands` says.
    pub fn holds(&self, stands: &dyn Fn(&str) -> Option<AlarmState>) -> bool {
        match self {
            Self::Constant(holds) => *holds,
            Self::Stands(state, name) => stands(name) == Some(*state),
            Self::Not(rule) => !rule.holds(stands),
            Self::All(rules) => rules.iter().all(|rule| rule.holds(stands)),
            Self::Any(rules) => rules.iter().any(|rule| rule.holds(stands)),
        }
    }

    /// The alarms it names.
    pub fn names(&self) -> Vec<&String> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Stands(_, name) => vec![name],
            Self::Not(rule) => rule.names(),
            Self::All(rules) | Self::Any(rules) => rules.iter().flat_map(Self::names).collect(),
        }
    }
}

fn any(rest: &mut &str, depth: usize) -> Result<CompositeRule, String> {
    let mut rules = vec![all(rest, depth)?];
    while takes(rest, "OR") {
        rules.push(all(rest, depth)?);
    }
    Ok(if rules.len() == 1 { rules.remove(0) } else { CompositeRule::Any(rules) })
}

fn all(rest: &mut &str, depth: usize) -> Result<CompositeRule, String> {
    let mut rules = vec![one(rest, depth)?];
    while takes(rest, "AND") {
        rules.push(one(rest, depth)?);
    }
    Ok(if rules.len() == 1 { rules.remove(0) } else { CompositeRule::All(rules) })
}

fn one(rest: &mut &str, depth: usize) -> Result<CompositeRule, String> {
    if depth == DEEPEST {
        return Err(format!("it is nested more than {DEEPEST} deep"));
    }
    if takes(rest, "NOT") {
        return Ok(CompositeRule::Not(Box::new(one(rest, depth + 1)?)));
    }
    if takes(rest, "(") {
        let rule = any(rest, depth + 1)?;
        return if takes(rest, ")") { Ok(rule) } else { Err("a parenthesis is not closed".to_owned()) };
    }
    if takes(rest, "TRUE") {
        return Ok(CompositeRule::Constant(true));
    }
    if takes(rest, "FALSE") {
        return Ok(CompositeRule::Constant(false));
    }
    let states =
        [("ALARM", AlarmState::Alarm), ("OK", AlarmState::Ok), ("INSUFFICIENT_DATA", AlarmState::InsufficientData)];
    for (word, state) in states {
        if takes(rest, word) {
            return name(rest).map(|name| CompositeRule::Stands(state, name));
        }
    }
    Err(format!("ALARM(…), OK(…) or INSUFFICIENT_DATA(…) is expected at {rest:?}"))
}

/// A name in parentheses, with quotes or without; of an ARN what follows `:alarm:`.
fn name(rest: &mut &str) -> Result<String, String> {
    let inside = rest.strip_prefix('(').ok_or("a state needs a name in parentheses")?.trim_start();
    let quote = inside.chars().next().filter(|sign| "\"'".contains(*sign));
    let (name, after) = match quote {
        Some(quote) => {
            let (name, after) = inside[1..].split_once(quote).ok_or("a quote is not closed")?;
            (name, after.trim_start().strip_prefix(')').ok_or("a parenthesis is not closed")?)
        }
        None => inside.split_once(')').ok_or("a parenthesis is not closed")?,
    };
    *rest = after.trim_start();
    let name = name.trim();
    let name = name.split_once(":alarm:").map_or(name, |(_, name)| name);
    if name.is_empty() { Err("a name is empty".to_owned()) } else { Ok(name.to_owned()) }
}

/// Takes a word or sign where it comes next.
fn takes(rest: &mut &str, word: &str) -> bool {
    let Some(after) = rest.strip_prefix(word) else { return false };
    let is_whole = !after.starts_with(|next: char| next.is_alphanumeric() || next == '_');
    if is_whole || !word.starts_with(char::is_alphabetic) {
        *rest = after.trim_start();
        return true;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_hold_by_the_states_of_the_alarms_they_name() {
        let stands = |name: &str| match name {
            "cpu high" => Some(AlarmState::Alarm),
            "disk" => Some(AlarmState::Ok),
            "net" => Some(AlarmState::InsufficientData),
            _ => None,
        };
        for (rule, holds) in [
            ("ALARM(\"cpu high\")", true),
            ("ALARM('cpu high') AND ALARM(disk)", false),
            ("ALARM(cpu high) OR ALARM(disk)", true),
            ("ALARM(disk) OR OK(disk) AND ALARM(disk)", false),
            ("(ALARM(disk) OR OK(disk)) AND ALARM(cpu high)", true),
            ("ALARM(\"cpu high\") AND NOT ALARM(disk)", true),
            ("NOT (ALARM(\"cpu high\") AND OK(disk))", false),
            ("NOT NOT INSUFFICIENT_DATA(net)", true),
            ("OK(arn:aws:cloudwatch:us-east-1:123456789012:alarm:disk)", true),
            ("TRUE AND NOT FALSE", true),
            ("ALARM(nobody)", false),
        ] {
            assert_eq!(CompositeRule::parse(rule).unwrap().holds(&stands), holds, "{rule}");
        }
        for rule in [
            "",
            "ALARM",
            "ALARM()",
            "ALARM(a",
            "ALARM(\"a)",
            "ALARM(a) ALARM(b)",
            "ALARM(a) and ALARM(b)",
            "(OK(a)",
            "FIRING(a)",
        ] {
            assert!(CompositeRule::parse(rule).is_err(), "{rule}");
        }
        // These overflowed the stack, which no caller can catch.
        for deep in ["NOT ", "("] {
            let told = CompositeRule::parse(&format!("{}TRUE", deep.repeat(50_000))).unwrap_err();
            assert_eq!(told, "it is nested more than 40 deep");
        }
    }
}
