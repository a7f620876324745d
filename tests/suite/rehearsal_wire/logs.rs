//! The simulated logs, through the real SDK: pages, patterns, refusals; queries and live sessions in their own files.

mod insights;
mod live;
mod ours;

use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use pagerdeck::rehearsal::server::Rehearsal;

use super::{after, client, play_with, rehearse};

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

/// Two generators of a group: one floods for four seconds, the other says two things in the same millisecond.
const FLOOD: &str = "[[log]]\ngroup = \"/flood\"\nworkload = \"my-api\"\nfrom = \"-4s\"\nuntil = \"0s\"\n\
    cadence = { kind = \"steady\", per_minute = 300000 }\n\
    templates = ['{\"level\":\"{level}\",\"took\":{ms},\"pod\":\"{pod}\"}']\n\
    fields = { level = { kind = \"pick\", of = [\"INFO\", \"WARN\"] }, ms = { kind = \"int\", min = 1, max = 900 } }\n\
    [[log]]\ngroup = \"/flood\"\nstream = \"left\"\ncadence = { kind = \"once\", at = [\"-3s\", \"-2s\"] }\ntemplates = [\"left\"]\n\
    [[log]]\ngroup = \"/flood\"\nstream = \"right\"\ncadence = { kind = \"once\", at = [\"-3s\", \"-2s\"] }\ntemplates = [\"right\"]\n";

/// Pages of a group from a minute before start, in an order, until there is no token.
async fn pages(
    rehearsal: &Rehearsal,
    group: &str,
    from_head: bool,
    limit: i32,
    pattern: &str,
) -> Vec<Vec<FilteredLogEvent>> {
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let (mut pages, mut token) = (Vec::new(), None);
    loop {
        let ask = client.filter_log_events().log_group_name(group).filter_pattern(pattern).limit(limit);
        let ask = ask.start_time(after(rehearsal, -60).as_millisecond()).start_from_head(from_head);
        let page = ask.set_next_token(token).send().await.unwrap();
        pages.push(page.events().to_vec());
        token = page.next_token().map(str::to_owned);
        if token.is_none() {
            return pages;
        }
    }
}

fn distinct(events: &[FilteredLogEvent]) -> usize {
    events.iter().filter_map(FilteredLogEvent::event_id).collect::<std::collections::BTreeSet<_>>().len()
}

#[tokio::test]
async fn a_flood_is_read_to_the_end_in_full_pages_each_event_once() {
    let rehearsal = play_with(FLOOD).await;
    rehearsal.clock.jump_to(after(&rehearsal, 1));
    let pages = pages(&rehearsal, "/flood", true, 10_000, "").await;
    let events: Vec<FilteredLogEvent> = pages.concat();
    assert_eq!((events.len(), distinct(&events)), (20_004, 20_004), "5,000 a second and four more");
    assert!(pages[..pages.len() - 1].iter().all(|page| page.len() > 5_000), "by a megabyte or 10,000 each");
    assert!(events.windows(2).all(|pair| pair[0].timestamp() <= pair[1].timestamp()));
    let streams: std::collections::BTreeSet<&str> = events.iter().filter_map(|event| event.log_stream_name()).collect();
    assert_eq!(streams.len(), 8, "six containers and two more");
    rehearsal.stop().await;
}

#[tokio::test]
async fn backward_is_forward_turned_round_and_a_millisecond_is_not_lost_between_pages() {
    let rehearsal = play_with(FLOOD).await;
    rehearsal.clock.jump_to(after(&rehearsal, 1));
    let ids = |pages: Vec<Vec<FilteredLogEvent>>| {
        pages.concat().iter().map(|event| event.event_id().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let few = "{ $.took > 895 && $.level = WARN }";
    let forward = ids(pages(&rehearsal, "/flood", true, 10_000, few).await);
    let mut backward = ids(pages(&rehearsal, "/flood", false, 7, few).await);
    backward.reverse();
    assert!(forward.len() > 20 && forward == backward, "{} and {}", forward.len(), backward.len());
    let same = pages(&rehearsal, "/flood", true, 1, "?left ?right").await;
    let told: Vec<(i64, &str)> =
        same.iter().flatten().map(|event| (event.timestamp().unwrap(), event.message().unwrap())).collect();
    assert_eq!(told.iter().map(|(_, message)| *message).collect::<Vec<_>>(), ["left", "right", "left", "right"]);
    assert_eq!((told[0].0, told[2].0), (told[1].0, told[3].0));
    rehearsal.stop().await;
}

#[tokio::test]
async fn late_events_come_behind_what_was_read_and_a_window_has_both_its_ends() {
    let late = "[[log]]\ngroup = \"/late\"\nstream = \"s\"\nlate = { share = 0.5, by = \"60s\" }\n\
        cadence = { kind = \"steady\", per_minute = 600 }\ntemplates = [\"n\"]\n";
    let rehearsal = play_with(late).await;
    let window = async |from: i64, to: i64| {
        let ask = client!(aws_sdk_cloudwatchlogs, rehearsal).filter_log_events().log_group_name("/late");
        ask.start_time(from).end_time(to).send().await.unwrap().events().to_vec()
    };
    let (from, to) = (after(&rehearsal, -60).as_millisecond(), after(&rehearsal, -1).as_millisecond());
    let early = window(from, to).await;
    rehearsal.clock.jump_to(after(&rehearsal, 120));
    let later = window(from, to).await;
    assert!((300..500).contains(&early.len()), "half are on their way: {}", early.len());
    assert!((550..650).contains(&later.len()), "{}", later.len());
    let newest = early.last().unwrap().timestamp();
    let behind = later.iter().filter(|event| !early.contains(event) && event.timestamp() < newest);
    assert!(behind.count() > 100, "older than what was read already");
    assert!(later.iter().any(|event| event.ingestion_time().unwrap() - event.timestamp().unwrap() > 30_000));
    let at = later[7].timestamp().unwrap();
    assert_eq!(window(at, at).await[0].timestamp(), Some(at), "both ends are in the window");
    rehearsal.stop().await;
}

#[tokio::test]
async fn one_stream_is_read_in_both_directions_to_a_token_that_stays() {
    let rehearsal = rehearse("oom-leak").await;
    let client = client!(aws_sdk_cloudwatchlogs, rehearsal);
    let streams = client.describe_log_streams().log_group_name("/ecs/my-api").send().await.unwrap();
    let stream = streams.log_streams()[0].log_stream_name().unwrap();
    let ask = || client.get_log_events().log_group_name("/ecs/my-api").log_stream_name(stream).limit(100);
    let (mut forward, mut token) = (Vec::new(), None);
    loop {
        let page = ask().start_from_head(true).set_next_token(token.clone()).send().await.unwrap();
        forward.extend_from_slice(page.events());
        if page.next_forward_token() == token.as_deref() {
            break;
        }
        token = page.next_forward_token().map(str::to_owned);
    }
    let latest = ask().send().await.unwrap();
    assert!(forward.len() > 300 && forward.ends_with(latest.events()), "the latest hundred by default");
    let before = ask().next_token(latest.next_backward_token().unwrap()).send().await.unwrap();
    assert_eq!(before.events(), &forward[forward.len() - 200..forward.len() - 100]);
    rehearsal.stop().await;
}
