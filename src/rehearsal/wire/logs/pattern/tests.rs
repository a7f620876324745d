//! The guide's own examples, as a table.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "case")]
    cases: Vec<Case>,
    #[serde(rename = "refused")]
    refused: Vec<Refused>,
}

/// Patterns with the lines they return and those they do not.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    patterns: Vec<String>,
    #[serde(default)]
    matches: Vec<String>,
    #[serde(default)]
    others: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    because: String,
    patterns: Vec<String>,
}

fn table() -> Table {
    toml::from_str(include_str!("cases.toml")).unwrap()
}

#[test]
fn patterns_match_as_the_guide_says() {
    let mut wrong = Vec::new();
    for case in table().cases {
        for text in &case.patterns {
            let pattern = Pattern::parse(text).unwrap();
            let missed = case.matches.iter().filter(|line| !pattern.matches(line));
            wrong.extend(missed.map(|line| format!("{text} should match {line}")));
            let caught = case.others.iter().filter(|line| pattern.matches(line));
            wrong.extend(caught.map(|line| format!("{text} should not match {line}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_the_service_refuses_is_refused() {
    for Refused { because, patterns } in table().refused {
        for pattern in patterns {
            assert!(Pattern::parse(&pattern).is_err(), "{pattern} should be refused: {because}");
        }
    }
    assert!(Pattern::parse(&"a".repeat(1_025)).is_err());
    assert!(Pattern::parse(&"a".repeat(1_024)).is_ok());
}
