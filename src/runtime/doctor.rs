//! The examination behind `pagerdeck doctor`: asks each service once, cheaply, by the calls an incident will need, and
//! tells what is missing with its fix. Changes nothing anywhere.

mod cloud;
mod cluster;
mod local;

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::config::Config;
use crate::domain::fault::Fault;

/// How a check came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Fine {
        /// What was found.
        text: String,
    },
    /// It will be missed in an incident.
    Missing {
        /// Why, with the fix in its hints.
        fault: Fault,
    },
    /// Not asked, because something before it is missing or nothing is configured.
    NotAsked {
        /// Why.
        why: String,
    },
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked.
    pub name: String,
    /// How it came out.
    pub outcome: Outcome,
}

impl Check {
    fn fine(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::Fine { text: text.into() } }
    }

    fn missing(name: impl Into<String>, fault: Fault) -> Self {
        Self { name: name.into(), outcome: Outcome::Missing { fault } }
    }

    fn not_asked(name: impl Into<String>, why: impl Into<String>) -> Self {
        Self { name: name.into(), outcome: Outcome::NotAsked { why: why.into() } }
    }

    /// From an answer that is either a text or a fault.
    fn of(name: impl Into<String>, answer: Result<String, Fault>) -> Self {
        match answer {
            Ok(text) => Self::fine(name, text),
            Err(fault) => Self::missing(name, fault),
        }
    }
}

/// All checks in the order of the work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// Every check.
    pub checks: Vec<Check>,
}

impl Examination {
    /// How many found something missing.
    pub fn missing(&self) -> usize {
        self.checks.iter().filter(|check| matches!(check.outcome, Outcome::Missing { .. })).count()
    }

    /// A line a check, and under a missing one its causes and its fix.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for check in &self.checks {
            let (sign, told) = match &check.outcome {
                Outcome::Fine { text } => ("[ok]", text.as_str()),
                Outcome::Missing { fault } => ("[no]", fault.summary.as_str()),
                Outcome::NotAsked { why } => ("[--]", why.as_str()),
            };
            let _ = writeln!(text, "{sign} {:<22} {told}", check.name);
            if let Outcome::Missing { fault } = &check.outcome {
                let causes = fault.causes.iter().map(|cause| ("cause", cause));
                for (word, line) in causes.chain(fault.hints.iter().map(|hint| ("fix", hint))) {
                    let _ = writeln!(text, "     {word}: {line}");
                }
            }
        }
        text
    }
}

impl Examination {
    /// The same for a program: `state` is `ok`, `missing` or `not-asked`.
    pub fn object(&self) -> Value {
        let check = |check: &Check| match &check.outcome {
            Outcome::Fine { text } => json!({ "check": check.name, "state": "ok", "found": text }),
            Outcome::Missing { fault } => json!({ "check": check.name, "state": "missing", "fault": fault }),
            Outcome::NotAsked { why } => json!({ "check": check.name, "state": "not-asked", "why": why }),
        };
        let checks: Vec<Value> = self.checks.iter().map(check).collect();
        json!({ "schema": "pagerdeck/doctor/1", "missing": self.missing(), "checks": checks })
    }
}

/// Examines everything a configuration names.
pub async fn examine(config: &Config) -> Examination {
    crate::adapters::install_tls_provider();
    let mut checks = local::examine(config);
    let (cloud, cluster) = futures::join!(cloud::examine(config), cluster::examine(config));
    checks.extend(cloud);
    checks.extend(cluster);
    Examination { checks }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FaultKind;

    #[test]
    fn what_is_missing_is_told_with_its_fix() {
        let fault = Fault::new(FaultKind::Denied, "DescribeAlarms is denied.").hint("Allow cloudwatch:DescribeAlarms.");
        let examination = Examination {
            checks: vec![
                Check::fine("identity", "role"),
                Check::missing("alarms", fault),
                Check::not_asked("model", "it is off"),
            ],
        };
        assert_eq!(examination.missing(), 1);
        let text = examination.text();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("[ok] identity") && lines[1].starts_with("[no] alarms"));
        assert_eq!(lines[2].trim(), "fix: Allow cloudwatch:DescribeAlarms.");
        assert!(lines[3].starts_with("[--] model"));
        let object = examination.object();
        let states: Vec<&str> = (0..3).filter_map(|at| object["checks"][at]["state"].as_str()).collect();
        assert_eq!((states.as_slice(), &object["missing"]), (&["ok", "missing", "not-asked"][..], &1.into()));
    }
}
