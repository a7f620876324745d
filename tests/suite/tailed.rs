//! Live Tail wanted in a rehearsal: what a clock that jumps makes of it, and that nothing is counted otherwise.

use pagerdeck::session::event::{Event, FeedEvent, LogEvent};
use pagerdeck::session::feeds::Following;
use pagerdeck::session::record::Record;

use super::rehearsed::{fold, story};

fn ways(records: &[Record]) -> Vec<(String, Following)> {
    let told = records.iter().filter_map(|record| match &record.event {
        Event::Feed(FeedEvent::GroupFollowed { group, following }) => Some((group.to_string(), following.clone())),
        _ => None,
    });
    told.collect()
}

#[test]
fn a_clock_that_jumps_is_followed_by_polling_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    std::fs::write(&config, "[log]\ntail = \"live\"\n").unwrap();
    let tailed = story(&["oom-leak", "--config", config.to_str().unwrap()]);
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
