//! Two runs of a scenario with one seed write one journal, record for record and number for number, but for what is of the
//! wall: when and by which process it was written, and the chain that follows from both.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use pagerdeck::rehearsal::scenario::list;
use serde_json::Value;

use super::rehearsed::{Story, approving, live, operator, story};

/// Scenarios compared side by side.
const LANES: usize = 4;

/// The journal's records in order, without the name of the session.
fn told(story: &Story) -> Vec<String> {
    let text = String::from_utf8(story.journal.clone()).unwrap();
    let lines = text.lines().filter_map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let mut record = line.get_mut("record")?.take();
        if let Some(header) = record.pointer_mut("/event/event/header").and_then(Value::as_object_mut) {
            header.retain(|name, _| !["id", "wall_started_at"].contains(&name.as_str()));
        }
        Some(record.to_string())
    });
    lines.collect()
}

fn differences(what: &[&str], one: &Story, other: &Story) -> Vec<String> {
    let (one, other) = (told(one), told(other));
    assert!(one.len() > 20, "{what:?}: {} records", one.len());
    let pairs = one.iter().zip(&other).enumerate();
    let mut found: Vec<String> = pairs
        .filter(|(_, (one, other))| one != other)
        .map(|(at, (one, other))| format!("{what:?}, record {at}:\n  {one:.400}\n  {other:.400}"))
        .take(2)
        .collect();
    if one.len() != other.len() {
        found.push(format!("{what:?}: {} and {} records", one.len(), other.len()));
    }
    found
}

fn twice(args: &[&str]) -> Vec<String> {
    differences(args, &story(args), &story(args))
}

/// Every scenario there is: those with faults that strike so many times, or for so long, show that what meets them, and when
/// it is asked again, is the seed's affair as well.
#[test]
fn two_runs_of_one_seed_write_one_journal() {
    let names: Vec<String> = list().into_iter().map(|scenario| scenario.name).collect();
    assert!(names.len() > 40, "{names:?}");
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let compare = || {
        while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
            let differences = twice(&[name]);
            found.lock().unwrap().extend(differences);
        }
    };
    std::thread::scope(|scope| (0..LANES).for_each(|_| drop(scope.spawn(compare))));
    let found = found.into_inner().unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A script decides by what is on screen, whenever the machine has brought it there.
#[test]
fn two_runs_of_one_script_write_one_journal() {
    let live_again = ["oom-leak", "--live", "--operator", &approving()];
    let mut found = differences(&live_again, live(), &story(&live_again));
    found.extend(twice(&["oom-leak", "--operator", &operator("drill")]));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn another_seed_writes_another_journal() {
    let run = |seed: &str| told(&story(&["oom-leak", "--seed", seed]));
    assert_ne!(run("7"), run("8"));
}
