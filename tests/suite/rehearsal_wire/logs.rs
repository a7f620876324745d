//! The simulated logs, through the real SDK: pages, patterns, refusals.

use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use pagerdeck::rehearsal::server::Rehearsal;

use super::{after, client, rehearse};

struct Read {
    events: Vec<FilteredLogEvent>,
    pages: Vec<usize>,
}

async fn read(rehearsal: &Rehearsal, pattern: Option<&str>, limit: i32) -> Read {
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let (mut events, mut pages, mut token) = (Vec::new(), Vec::new(), None);
    loop {
        let page = client
            .filter_log_events()
            .log_group_name("/ecs/my-api")
            .start_time(after(rehearsal, -30 * 60).as_millisecond())
            .end_time(after(rehearsal, 0).as_millisecond())
            .set_filter_pattern(pattern.map(str::to_owned))
            .limit(limit)
            .set_next_token(token)
            .send()
            .await
            .unwrap();
        events.extend_from_slice(page.events());
        pages.push(page.events().len());
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return Read { events, pages };
        }
    }
}

#[tokio::test]
async fn paged_to_the_end_every_event_comes_once_and_fourteen_tell_of_a_kill() {
    let rehearsal = rehearse("oom-leak").await;
    let by_hundreds = read(&rehearsal, None, 100).await;
    let whole = read(&rehearsal, None, 10_000).await;
    assert_eq!(by_hundreds.events, whole.events, "the page size does not change what is read");
    assert!(by_hundreds.pages.iter().all(|count| *count <= 100) && by_hundreds.pages.len() > 20);
    let mut ids: Vec<&str> = whole.events.iter().filter_map(FilteredLogEvent::event_id).collect();
    let count = ids.len();
    ids.dedup();
    assert_eq!((ids.len(), count), (whole.events.len(), whole.events.len()));
    let kills = whole.events.iter().filter(|event| event.message().unwrap().contains("OOMKilled")).count();
    assert_eq!(kills, 14);
    rehearsal.stop().await;
}

#[tokio::test]
async fn a_rare_pattern_has_pages_that_do_not_end_the_search() {
    let rehearsal = rehearse("oom-leak").await;
    let kills = read(&rehearsal, Some("?OOMKilled ?\"Memory cgroup out of memory\""), 10_000).await;
    assert_eq!(kills.events.len(), 14);
    assert!(kills.pages.len() > 1 && kills.pages[0] == 0, "an empty page with a next token: {:?}", kills.pages);
    let both = read(&rehearsal, Some("OOMKilled -ERROR"), 10_000).await;
    assert!(!both.events.is_empty() && both.events.len() < 14);
    rehearsal.stop().await;
}

#[tokio::test]
async fn groups_streams_and_refusals_have_the_real_shapes() {
    let rehearsal = rehearse("oom-leak").await;
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let groups = client.describe_log_groups().log_group_name_prefix("/ecs/").send().await.unwrap();
    let names: Vec<&str> = groups.log_groups().iter().filter_map(|group| group.log_group_name()).collect();
    assert_eq!(names, ["/ecs/my-api", "/ecs/orders"]);
    let streams = client.describe_log_streams().log_group_name("/ecs/my-api").send().await.unwrap();
    assert_eq!(streams.log_streams().len(), 6, "one a container");
    assert!(streams.log_streams()[0].log_stream_name().unwrap().ends_with("/app"));
    let missing = client.filter_log_events().log_group_name("/nope").send().await.unwrap_err();
    assert_eq!(missing.code(), Some("ResourceNotFoundException"));
    let greedy = client.filter_log_events().log_group_name("/ecs/my-api").limit(10_001).send().await.unwrap_err();
    assert_eq!(greedy.code(), Some("InvalidParameterException"));
    let unquoted = client.filter_log_events().log_group_name("/ecs/my-api").filter_pattern("a.b").send().await;
    assert_eq!(unquoted.unwrap_err().code(), Some("InvalidParameterException"));
    rehearsal.stop().await;
}

#[tokio::test]
async fn the_same_seed_gives_the_same_lines() {
    let (one, other) = (rehearse("oom-leak").await, rehearse("oom-leak").await);
    assert_eq!(read(&one, None, 10_000).await.events, read(&other, None, 10_000).await.events);
    one.stop().await;
    other.stop().await;
}
