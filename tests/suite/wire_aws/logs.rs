//! Log events: read to the end, counted once, and honest about what was not read.

use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};
use pagerdeck::adapters::aws::call::CallError;
use pagerdeck::adapters::aws::clients::Clients;
use pagerdeck::adapters::aws::logs::{
    GroupSearch, LogPage, LogQuery, LogsError, Progress, ReadLimits, ReadOrder, ReadSummary, Seen, Tail, WindowReading,
    find_groups, read_window,
};
use pagerdeck::adapters::aws::metrics::Rest;
use pagerdeck::domain::observation::log::Completeness;
use pagerdeck::domain::observation::scope::Window;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::server::{Asked, Server, json as answer, reply};

const NINE_MS: i64 = 1_777_626_000_000;

fn event(n: i64) -> Value {
    json!({"eventId": format!("e{n}"), "logStreamName": "task-1", "timestamp": NINE_MS + n, "message": format!("line {n}")})
}

fn events(range: std::ops::Range<i64>) -> Vec<Value> {
    range.map(event).collect()
}

fn query() -> LogQuery {
    let window = Window { from: "2026-05-01T09:00:00Z".parse().unwrap(), to: "2026-05-01T09:30:00Z".parse().unwrap() };
    LogQuery::all("/ecs/my-api".into(), window)
}

fn limits(events: u64, page_size: u32) -> ReadLimits {
    ReadLimits { events, page_size: NonZeroU32::new(page_size).unwrap(), ..ReadLimits::default() }
}

async fn read(clients: &Clients, query: &LogQuery) -> (Result<ReadSummary, LogsError>, Vec<LogPage>) {
    let (sender, mut receiver) = mpsc::channel(1_000);
    let summary = read_window(clients, query, &sender).await;
    drop(sender);
    let mut pages = Vec::new();
    while let Some(page) = receiver.recv().await {
        pages.push(page);
    }
    (summary, pages)
}

fn ids(pages: &[LogPage]) -> Vec<String> {
    pages.iter().flat_map(|page| &page.events).map(|event| event.id.to_string()).collect()
}

/// A group of events served in pages as the service does it: tokens count on, and the last page has none.
fn serve(all: Vec<Value>) -> impl Fn(usize, &Asked) -> axum::response::Response + Send + Sync + 'static {
    move |_, asked| {
        let asked = asked.json();
        let (from, to) = (asked["startTime"].as_i64().unwrap(), asked["endTime"].as_i64().unwrap());
        let inside: Vec<&Value> =
            all.iter().filter(|event| (from..=to).contains(&event["timestamp"].as_i64().unwrap())).collect();
        let start: usize = asked["nextToken"].as_str().map_or(0, |token| token.parse().unwrap());
        let end = (start + asked["limit"].as_u64().unwrap() as usize).min(inside.len());
        let next = (end < inside.len()).then(|| end.to_string());
        answer(&json!({"events": inside[start..end], "nextToken": next}))
    }
}

#[tokio::test]
async fn an_empty_page_with_a_token_is_not_the_end_and_duplicates_count_once() {
    let server = Server::start(|index, _| {
        answer(&match index {
            0 => json!({"events": events(0..3), "nextToken": "t1"}),
            1 => json!({"events": [], "nextToken": "t2"}),
            2 => json!({"nextToken": "t3"}),
            _ => json!({"events": events(2..5)}),
        })
    })
    .await;
    let (summary, pages) = read(&server.clients(), &query()).await;
    let summary = summary.unwrap();
    assert_eq!(summary.completeness, Completeness::Exact);
    assert_eq!((summary.events, summary.duplicates, summary.pages), (5, 1, 4));
    assert_eq!(ids(&pages), ["e0", "e1", "e2", "e3", "e4"]);
    assert_eq!(summary.last_at.unwrap().as_millisecond(), NINE_MS + 4);
    let first = server.asked()[0].json();
    assert_eq!((first["startTime"].as_i64(), first["endTime"].as_i64()), (Some(NINE_MS), Some(NINE_MS + 1_799_999)));
    assert_eq!(server.asked()[3].json()["nextToken"], "t3");
}

#[tokio::test]
async fn our_own_limit_is_told_as_truncated() {
    let server = Server::start(serve(events(0..100))).await;
    let (summary, pages) = read(&server.clients(), &LogQuery { limits: limits(25, 10), ..query() }).await;
    assert_eq!(summary.unwrap().completeness, Completeness::Truncated { seen: 25, of: None });
    assert_eq!((ids(&pages).len(), server.asked().len()), (25, 3));
    let (summary, _) = read(&server.clients(), &LogQuery { limits: limits(100, 10), ..query() }).await;
    assert_eq!(summary.unwrap().completeness, Completeness::Exact, "a limit that is just met cuts nothing off");
}

#[tokio::test]
async fn a_window_that_seems_too_large_is_left_after_its_first_pages() {
    // A line a second over half an hour, ten a page: 180 pages.
    let server = Server::start(serve((0..1_800).map(|second| event(second * 1_000)).collect())).await;
    let clients = server.clients();
    let estimating = |most| ReadLimits { estimated: NonZeroU32::new(most), ..limits(100_000, 10) };
    let (summary, _) = read(&clients, &LogQuery { limits: estimating(60), ..query() }).await;
    let summary = summary.unwrap();
    assert_eq!(summary.completeness, Completeness::Truncated { seen: 30, of: None });
    assert_eq!((summary.pages, server.asked().len()), (3, 3));
    assert!(summary.estimated.is_some_and(|pages| (175..=190).contains(&pages)), "{summary:?}");
    let (summary, _) = read(&clients, &LogQuery { limits: estimating(200), ..query() }).await;
    let summary = summary.unwrap();
    assert_eq!((summary.completeness, summary.events, summary.estimated), (Completeness::Exact, 1_800, None));
}

#[tokio::test]
async fn the_newest_come_first_when_asked() {
    let server = Server::start(|_, _| answer(&json!({"events": events(0..1)}))).await;
    let (summary, _) = read(&server.clients(), &LogQuery { order: ReadOrder::NewestFirst, ..query() }).await;
    assert_eq!(summary.unwrap().events, 1);
    assert_eq!(server.asked()[0].json()["startFromHead"], false);
}

#[tokio::test]
async fn a_full_page_without_a_token_is_looked_behind() {
    // A server that caps its answer and forgets to say so.
    let all = events(0..25);
    let server = Server::start(move |_, asked| {
        let from = asked.json()["startTime"].as_i64().unwrap();
        let capped: Vec<&Value> = all.iter().filter(|e| e["timestamp"].as_i64().unwrap() >= from).take(10).collect();
        answer(&json!({"events": capped}))
    })
    .await;
    let (summary, pages) = read(&server.clients(), &LogQuery { limits: limits(1_000, 10), ..query() }).await;
    assert_eq!(summary.unwrap().completeness, Completeness::Exact);
    assert_eq!(ids(&pages).len(), 25);
}

#[tokio::test]
async fn a_full_page_of_one_instant_cannot_be_looked_behind() {
    let same = |n: i64| json!({"eventId": format!("e{n}"), "timestamp": NINE_MS, "message": "x"});
    let server = Server::start(move |_, _| answer(&json!({"events": (0..10).map(same).collect::<Vec<_>>()}))).await;
    let (summary, pages) = read(&server.clients(), &LogQuery { limits: limits(1_000, 10), ..query() }).await;
    assert_eq!(summary.unwrap().completeness, Completeness::Truncated { seen: 10, of: None });
    assert_eq!(ids(&pages).len(), 10);
}

#[tokio::test]
async fn a_failure_tells_how_far_it_came_and_keeps_what_it_had() {
    let server = Server::start(|index, _| match index {
        0 => answer(&json!({"events": events(0..3), "nextToken": "t1"})),
        1 => answer(&json!({"events": events(3..5), "nextToken": "t2"})),
        _ => reply(400, "application/x-amz-json-1.1", r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#),
    })
    .await;
    let (summary, pages) = read(&server.clients(), &query()).await;
    let error = summary.unwrap_err();
    assert!(matches!(&error, LogsError::FilterEvents { page: 3, events: 5, source: CallError::Throttled(_), .. }));
    assert!(error.fault().kind.is_transient());
    assert!(error.fault().summary.contains("page 3, after 5 events"), "{}", error.fault());
    assert_eq!(ids(&pages).len(), 5);
}

#[tokio::test]
async fn an_unknown_group_points_at_the_configuration() {
    let body = r#"{"__type":"ResourceNotFoundException","message":"The specified log group does not exist."}"#;
    let server = Server::start(move |_, _| reply(400, "application/x-amz-json-1.1", body)).await;
    let (summary, _) = read(&server.clients(), &query()).await;
    let fault = summary.unwrap_err().fault();
    assert!(fault.hints.iter().any(|hint| hint.contains("log_groups")), "{fault}");
}

#[tokio::test]
async fn groups_are_found_by_prefix_and_by_part() {
    let server = Server::start(|index, _| {
        answer(&match index {
            0 => json!({"logGroups": [{"logGroupName": "/ecs/a"}, {"logGroupName": "/ecs/b"}], "nextToken": "t"}),
            _ => json!({"logGroups": [{"logGroupName": "/ecs/c"}]}),
        })
    })
    .await;
    let found = find_groups(&server.clients(), &GroupSearch::Prefix("/ecs/".into()), 10).await.unwrap();
    assert_eq!((found.groups.len(), found.rest), (3, Rest::None));
    let found = find_groups(&server.clients(), &GroupSearch::Containing("my-api".into()), 10).await.unwrap();
    assert_eq!(found.groups.len(), 1);
    let asked = server.asked();
    assert_eq!(asked[0].json()["logGroupNamePrefix"], "/ecs/");
    assert_eq!(asked[2].json()["logGroupNamePattern"], "my-api");
}

#[tokio::test]
async fn groups_of_another_account_are_found_by_their_arn() {
    let arn = "arn:aws:logs:us-east-1:111122223333:log-group:/ecs/my-api";
    let listed = [
        json!({"logGroupName": "/ecs/my-api", "logGroupArn": arn, "arn": format!("{arn}:*")}),
        json!({"logGroupName": "/ecs/my-api", "arn": format!("{arn}:*")}),
    ];
    let server = Server::start(move |_, _| answer(&json!({"logGroups": listed}))).await;
    let search = GroupSearch::ContainingIn { account: "111122223333".into(), part: "my-api".into() };
    let found = find_groups(&server.clients(), &search, 10).await.unwrap();
    assert_eq!(found.groups, [arn.into(), arn.into()]);
    let asked = server.asked()[0].json();
    assert_eq!(asked["accountIdentifiers"], json!(["111122223333"]));
    assert_eq!((&asked["includeLinkedAccounts"], &asked["logGroupNamePattern"]), (&json!(true), &json!("my-api")));
}

async fn poll(tail: &mut Tail, clients: &Clients, second: i64) -> (Result<u64, LogsError>, Vec<String>) {
    let (sender, mut receiver) = mpsc::channel(1_000);
    let now = Timestamp::from_millisecond(NINE_MS).unwrap() + SignedDuration::from_secs(second);
    let polled = tail.poll(clients, now, &sender).await.map(|poll| poll.summary.events);
    drop(sender);
    let mut pages = Vec::new();
    while let Some(page) = receiver.recv().await {
        pages.push(page);
    }
    (polled, ids(&pages))
}

fn start() -> Timestamp {
    Timestamp::from_millisecond(NINE_MS).unwrap()
}

#[tokio::test]
async fn a_tail_hands_out_late_events_and_none_twice_even_after_a_failure() {
    let late = event(1_500);
    let server = Server::start(move |index, asked| {
        let on_time = vec![event(1_000), event(2_000)];
        match index {
            0 => serve(on_time)(0, asked),
            1 => reply(500, "application/x-amz-json-1.1", "{}"),
            _ => serve([on_time, vec![late.clone(), event(61_000)]].concat())(0, asked),
        }
    })
    .await;
    let clients = server.clients();
    let mut tail = Tail::new("/ecs/my-api".into(), start());
    assert_eq!(poll(&mut tail, &clients, 10).await.1, ["e1000", "e2000"]);
    assert!(poll(&mut tail, &clients, 60).await.0.is_err());
    assert_eq!(tail.covered_to(), start() + SignedDuration::from_secs(10), "a failed poll covers nothing");
    assert_eq!(poll(&mut tail, &clients, 70).await.1, ["e1500", "e61000"]);
    assert_eq!(poll(&mut tail, &clients, 80).await.1, Vec::<String>::new());
}

#[tokio::test]
async fn a_tail_that_meets_its_limit_goes_on_where_it_stopped() {
    let server = Server::start(serve(events(0..100))).await;
    let clients = server.clients();
    let mut tail = Tail::new("/ecs/my-api".into(), start()).limited(limits(35, 10));
    let mut handed_out = Vec::new();
    for second in 60..64 {
        handed_out.extend(poll(&mut tail, &clients, second).await.1);
    }
    let expected: Vec<String> = (0..100).map(|n| format!("e{n}")).collect();
    assert_eq!(handed_out, expected);
    assert!(tail.covered_to() >= start() + SignedDuration::from_secs(60));
}

/// A history read beside a tail that begins before its end: between them each event is handed out once.
#[tokio::test]
async fn a_history_and_a_tail_that_share_their_memory_hand_out_each_event_once() {
    let server = Server::start(serve(events(0..40))).await;
    let clients = server.clients();
    let told = Seen::default();
    let mut tail = Tail::new("/ecs/my-api".into(), start()).sharing(told.clone());
    let (summary, pages) = read(&clients, &query()).await;
    assert_eq!(summary.unwrap().events, 40, "the history itself is counted whole");
    let events = || pages.iter().flat_map(|page| &page.events);
    let mut handed_out: Vec<String> =
        events().take(25).filter(|event| told.note(&event.id.text(), event.at)).map(|e| e.id.to_string()).collect();
    handed_out.extend(poll(&mut tail, &clients, 60).await.1);
    handed_out.extend(events().filter(|event| told.note(&event.id.text(), event.at)).map(|e| e.id.to_string()));
    let expected: Vec<String> = (0..40).map(|n| format!("e{n}")).collect();
    assert_eq!(handed_out, expected);
}

#[tokio::test]
async fn a_group_of_another_account_is_read_by_its_arn() {
    let server = Server::start(serve(events(0..3))).await;
    let arn = "arn:aws:logs:us-east-1:111122223333:log-group:/ecs/my-api";
    for (group, names) in [("/ecs/my-api", [json!("/ecs/my-api"), Value::Null]), (arn, [Value::Null, json!(arn)])] {
        let (summary, _) = read(&server.clients(), &LogQuery { group: group.into(), ..query() }).await;
        assert_eq!(summary.unwrap().events, 3);
        let asked = server.asked().pop().unwrap().json();
        assert_eq!([asked["logGroupName"].clone(), asked["logGroupIdentifier"].clone()], names, "{group}");
    }
    let refused = r#"{"__type": "InvalidParameterException", "message": "1 validation error detected"}"#;
    let server = Server::start(move |_, _| reply(400, "application/x-amz-json-1.1", refused)).await;
    let (summary, _) = read(&server.clients(), &LogQuery { group: "arn:aws:logs".into(), ..query() }).await;
    let fault = summary.unwrap_err().fault();
    assert!(fault.hints[0].contains("`log_groups`"), "{fault}");
}

#[tokio::test]
async fn a_refused_page_is_asked_for_again_and_none_before_it() {
    let inner = serve(events(0..25));
    let server = Server::start(move |index, asked: &Asked| match index {
        1 | 2 => reply(400, "application/x-amz-json-1.1", r#"{"__type": "ThrottlingException", "message": "slower"}"#),
        _ => inner(index, asked),
    })
    .await;
    let (clients, query) = (server.clients(), LogQuery { limits: limits(1_000, 10), ..query() });
    let (sender, mut pages) = mpsc::channel(100);
    let mut reading = WindowReading::new(&clients, &query, &sender);
    let (mut refusals, mut summary) = (0, None);
    while summary.is_none() {
        match reading.step().await {
            Ok(Progress::Going) => {}
            Ok(Progress::Done(done)) => summary = Some(done),
            Err(error) => {
                assert!(matches!(error, LogsError::FilterEvents { page: 2, events: 10, .. }), "{error:?}");
                refusals += 1;
            }
        }
    }
    drop(sender);
    let mut read = Vec::new();
    while let Some(page) = pages.recv().await {
        read.push(page);
    }
    let summary = summary.unwrap();
    assert_eq!((refusals, summary.events, summary.duplicates, ids(&read).len()), (2, 25, 0, 25));
    let tokens: Vec<Value> = server.asked().iter().map(|asked| asked.json()["nextToken"].clone()).collect();
    assert_eq!(tokens[..4], [Value::Null, tokens[1].clone(), tokens[1].clone(), tokens[1].clone()]);
    assert!(tokens[1].is_string());
}
