//! Live Tail wanted in a rehearsal: how it goes while the clock runs, what a clock that jumps makes of it, and that nothing
//! is counted otherwise.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use pagerdeck::session::event::{Event, FeedEvent, LogEvent};
use pagerdeck::session::feeds::Following;
use pagerdeck::session::record::Record;

use super::cli::Home;
use super::rehearsed::{fold, story};

fn ways(records: &[Record]) -> Vec<(String, Following)> {
    let told = records.iter().filter_map(|record| match &record.event {
        Event::Feed(FeedEvent::GroupFollowed { group, following }) => Some((group.to_string(), following.clone())),
        _ => None,
    });
    told.collect()
}

fn live_tail() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "[log]\ntail = \"live\"\n").unwrap();
    let path = config.to_str().unwrap().to_owned();
    (folder, path)
}

/// A session opens, samples a flood, is whole again, breaks, and is opened anew; the polls read every line.
#[test]
fn a_session_in_a_running_rehearsal_samples_breaks_and_comes_back() {
    let (_folder, config) = live_tail();
    let home = Home::new();
    let args = ["rehearse", "tail-breaks", "--headless", "--output", "jsonl", "--speed", "2", "--for", "600"];
    let mut command = home.command(&[&args[..], &["--config", &config]].concat());
    let mut run = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stages: [fn(&Following) -> bool; 5] = [
        |way| *way == Following::Tailed,
        |way| matches!(way, Following::Sampled { .. }),
        |way| *way == Following::Tailed,
        |way| matches!(way, Following::PolledInstead { why } if why == "live tail unavailable"),
        |way| *way == Following::Tailed,
    ];
    let (mut left, mut records) = (stages.iter().peekable(), Vec::new());
    for line in BufReader::new(run.stdout.take().unwrap()).lines() {
        let record: Record = serde_json::from_str(&line.unwrap()).unwrap();
        for (group, way) in ways(std::slice::from_ref(&record)) {
            left.next_if(|stage| group == "/ecs/my-api" && stage(&way));
        }
        records.push(record);
        if left.peek().is_none() {
            break;
        }
    }
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(left.peek().is_none(), "{:#?}", ways(&records));
    // 1,200 lines a second for twenty seconds, each counted though Live Tail showed less than half of them.
    let counted = fold(&records).logs.total.lines;
    assert!(counted > 24_000, "{counted} lines");
}

#[test]
fn a_clock_that_jumps_is_followed_by_polling_and_says_so() {
    let (_folder, config) = live_tail();
    let tailed = story(&["oom-leak", "--config", &config]);
    let polled = story(&["oom-leak"]);
    assert_eq!((tailed.code, polled.code), (Some(0), Some(0)));
    assert_eq!(tailed.object["oom_kills"], polled.object["oom_kills"]);
    let records = tailed.records();
    let ways = ways(&records);
    let why = "live tail needs a running clock".to_owned();
    assert!(
        ways.iter().any(|(group, way)| group == "/ecs/my-api" && *way == Following::PolledInstead { why: why.clone() })
    );
    assert!(records.iter().all(|record| !matches!(record.event, Event::Log(LogEvent::Early { .. }))));
    let (ours, theirs) = (fold(&records), fold(&polled.records()));
    assert_eq!(ours.logs.total.lines, theirs.logs.total.lines, "what is counted does not depend on how it is shown");
}
