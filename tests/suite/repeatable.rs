//! Two runs of a scenario with one seed write one journal, but for what is of the wall: when and by which process it was
//! written, and when the health of a feed was learned, which tells how fast the machine was and nothing of the incident.

use serde_json::Value;

use super::rehearsed::{Story, story};

/// The journal's records in order, without the names of the session, the health of feeds, and the numbers and the chain
/// that follow from both.
fn told(story: &Story) -> Vec<String> {
    let text = String::from_utf8(story.journal.clone()).unwrap();
    let lines = text.lines().filter_map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let mut record = line.get_mut("record")?.take();
        if record.pointer("/event/topic").is_some_and(|topic| topic == "feed") {
            return None;
        }
        record.as_object_mut()?.remove("seq");
        if let Some(header) = record.pointer_mut("/event/event/header").and_then(Value::as_object_mut) {
            header.retain(|name, _| !["id", "wall_started_at"].contains(&name.as_str()));
        }
        Some(record.to_string())
    });
    lines.collect()
}

fn differences(args: &[&str]) -> Vec<String> {
    let (one, other) = (told(&story(args)), told(&story(args)));
    let pairs = one.iter().zip(&other).enumerate();
    let mut found: Vec<String> = pairs
        .filter(|(_, (one, other))| one != other)
        .map(|(at, (one, other))| format!("{args:?}, record {at}:\n  {one:.400}\n  {other:.400}"))
        .take(2)
        .collect();
    if one.len() != other.len() {
        found.push(format!("{args:?}: {} and {} records", one.len(), other.len()));
    }
    found
}

/// Left out are faults that strike so many times: which of two requests under way meets them is the machine's choice.
#[test]
fn two_runs_of_one_seed_write_one_journal() {
    let scenarios = ["oom-leak", "traffic-flood", "no-data", "stream-cut", "alarm-storm", "webhook-denies"];
    let found: Vec<String> = scenarios.iter().flat_map(|scenario| differences(&[scenario])).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn another_seed_writes_another_journal() {
    let run = |seed: &str| told(&story(&["oom-leak", "--seed", seed]));
    assert_ne!(run("7"), run("8"));
}
