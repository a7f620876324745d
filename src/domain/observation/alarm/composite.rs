//! The rule of a composite alarm: which alarms it speaks of, and which of them make it fire.

use super::{AlarmName, AlarmState};

/// One term of a rule: `ALARM("my-api-cpu-high")`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// The state that makes it true.
    pub state: AlarmState,
    /// Whose state; a rule may name an alarm by its ARN, and this is the name in it.
    pub alarm: AlarmName,
}

/// The terms of a rule, in its order, each once. What is no term of an alarm (`AND`, `NOT`, `TRUE`) is left out: the rule
/// itself is shown beside.
pub fn terms(rule: &str) -> Vec<Term> {
    let mut found: Vec<Term> = Vec::new();
    let mut rest = rule;
    while let Some((before, after)) = rest.split_once('(') {
        let word = before.rsplit(|letter: char| !(letter.is_ascii_alphabetic() || letter == '_')).next();
        let state = match word.unwrap_or_default() {
            "ALARM" => Some(AlarmState::Alarm),
            "OK" => Some(AlarmState::Ok),
            "INSUFFICIENT_DATA" => Some(AlarmState::InsufficientData),
            _ => None,
        };
        // A parenthesis that opens no term may hold some.
        let Some((state, (name, behind))) = state.and_then(|state| Some((state, operand(after)?))) else {
            rest = after;
            continue;
        };
        let term = Term { state, alarm: name.rsplit_once(":alarm:").map_or(name, |(_, name)| name).into() };
        if !found.contains(&term) {
            found.push(term);
        }
        rest = behind;
    }
    found
}

/// The name between the parentheses, quoted or not, and what is behind them. A quoted name may hold parentheses.
fn operand(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix('"') {
        let (name, behind) = quoted.split_once('"')?;
        return Some((name, behind.split_once(')').map_or("", |(_, behind)| behind)));
    }
    let (name, behind) = text.split_once(')')?;
    let name = name.trim();
    (!name.is_empty()).then_some((name, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_its_children() {
        let cases: [(&str, &[(AlarmState, &str)]); 6] = [
            ("ALARM(a)", &[(AlarmState::Alarm, "a")]),
            (
                r#"ALARM("cpu high (prod)") AND (OK(b) OR NOT INSUFFICIENT_DATA( "c" )) AND ALARM("cpu high (prod)")"#,
                &[(AlarmState::Alarm, "cpu high (prod)"), (AlarmState::Ok, "b"), (AlarmState::InsufficientData, "c")],
            ),
            ("ALARM(arn:aws:cloudwatch:us-east-1:123456789012:alarm:db-down)", &[(AlarmState::Alarm, "db-down")]),
            ("TRUE AND NOT (FALSE)", &[]),
            ("ALARM(", &[]),
            ("", &[]),
        ];
        for (rule, expected) in cases {
            let terms: Vec<_> = terms(rule).into_iter().map(|term| (term.state, term.alarm)).collect();
            let expected: Vec<_> = expected.iter().map(|(state, name)| (*state, AlarmName::from(*name))).collect();
            assert_eq!(terms, expected, "{rule}");
        }
    }
}
