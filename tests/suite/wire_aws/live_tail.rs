//! Live Tail sessions: what they hand out, how they end, and each way in which one is not to be had.

use std::time::Duration;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message as Frame};
use axum::body::{Body, Bytes};
use axum::response::Response;
use futures::{StreamExt, stream};
use pagerdeck::adapters::aws::clients::Clients;
use pagerdeck::adapters::aws::live_tail::{
    Awaited, LiveTailError, Sampling, TailEnd, TailTimeouts, TailUpdate, live_tail,
};
use pagerdeck::adapters::aws::logs::{Early, LogPage, Seen, Sight, Tail};
use pagerdeck::domain::fault::FaultKind;
use pagerdeck::domain::observation::log::LogGroup;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::server::{Asked, Server, impatient_clients, json as answer, reply};

const GROUP: &str = "/ecs/my-api";
const ARN: &str = "arn:aws:logs:us-east-1:123456789012:log-group:/ecs/my-api";
const NINE_MS: i64 = 1_777_626_000_000;

fn frame(kind: &str, name: &str, payload: &Value) -> Vec<u8> {
    let type_header = if kind == "event" { ":event-type" } else { ":exception-type" };
    let header = |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let frame = Frame::new(payload.to_string())
        .add_header(header(":message-type", kind))
        .add_header(header(type_header, name))
        .add_header(header(":content-type", "application/json"));
    let mut bytes = Vec::new();
    write_message_to(&frame, &mut bytes).unwrap();
    bytes
}

fn start() -> Vec<u8> {
    let about = json!({"requestId": "r", "sessionId": "s1", "logGroupIdentifiers": [ARN]});
    [frame("event", "initial-response", &json!({})), frame("event", "sessionStart", &about)].concat()
}

fn line(n: i64) -> Value {
    json!({"logStreamName": "task-1", "logGroupIdentifier": ARN, "message": format!("line {n}"),
        "timestamp": NINE_MS + n, "ingestionTime": NINE_MS + n + 400})
}

fn update(lines: &[Value], sampled: bool) -> Vec<u8> {
    let payload = json!({"sessionMetadata": {"sampled": sampled}, "sessionResults": lines});
    frame("event", "sessionUpdate", &payload)
}

fn exception(name: &str) -> Vec<u8> {
    frame("exception", name, &json!({"message": "said so"}))
}

fn body(bytes: Vec<u8>) -> Response {
    reply(200, "application/vnd.amazon.eventstream", Body::from(bytes))
}

/// The bytes, and then silence with the connection open.
fn then_silent(bytes: Vec<u8>) -> Response {
    let head = stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
    reply(200, "application/vnd.amazon.eventstream", Body::from_stream(head.chain(stream::pending())))
}

fn groups() -> Response {
    answer(&json!({"logGroups": [
        {"logGroupName": GROUP, "logGroupArn": ARN, "arn": format!("{ARN}:*")},
        {"logGroupName": "/ecs/my-api-2", "logGroupArn": format!("{ARN}-2")}]}))
}

/// A service that lists the group and answers a session by this.
async fn serving(session: impl Fn() -> Response + Send + Sync + 'static) -> Server {
    Server::start(move |_, asked: &Asked| if asked.operation == "StartLiveTail" { session() } else { groups() }).await
}

fn times() -> TailTimeouts {
    TailTimeouts { start: Duration::from_millis(200), idle: Duration::from_millis(200) }
}

async fn listen(clients: &Clients) -> (Result<TailEnd, LiveTailError>, Vec<TailUpdate>) {
    let (sender, mut updates) = mpsc::channel(100);
    let group = LogGroup::from(GROUP);
    let (end, told) = futures::join!(async move { live_tail(clients, &group, times(), &sender).await }, async {
        let mut told = Vec::new();
        while let Some(update) = updates.recv().await {
            told.push(update);
        }
        told
    });
    (end, told)
}

fn texts(updates: &[TailUpdate]) -> Vec<String> {
    let lines = updates.iter().filter_map(|update| match update {
        TailUpdate::Lines { events, .. } => Some(events.iter().map(|event| event.message.clone())),
        TailUpdate::Started => None,
    });
    lines.flatten().collect()
}

#[tokio::test]
async fn a_session_hands_out_its_lines_and_says_when_they_are_a_sample() {
    let whole = [start(), update(&[line(1), line(2)], false), update(&[], false), update(&[line(9)], true)].concat();
    let ending = [whole, exception("SessionTimeoutException")].concat();
    let server = serving(move || body(ending.clone())).await;
    let (end, told) = listen(&server.clients()).await;
    assert_eq!(end.unwrap(), TailEnd::Expired, "three hours are over: no failure");
    assert_eq!(told[0], TailUpdate::Started);
    assert_eq!(texts(&told), ["line 1", "line 2", "line 9"]);
    let samples: Vec<Sampling> = told
        .iter()
        .filter_map(|update| match update {
            TailUpdate::Lines { sampling, .. } => Some(*sampling),
            TailUpdate::Started => None,
        })
        .collect();
    assert_eq!(samples, [Sampling::Whole, Sampling::Whole, Sampling::Sampled]);
    let TailUpdate::Lines { events, .. } = &told[1] else { unreachable!("{told:?}") };
    assert_eq!((events[0].stream.as_str(), events[0].at.as_millisecond()), ("task-1", NINE_MS + 1));
    assert_ne!(events[0].id, events[1].id, "they get ids of their own");
    let asked = server.asked();
    let session = asked.last().unwrap();
    assert_eq!(session.operation, "StartLiveTail", "asked at the very endpoint that was given");
    assert_eq!(session.json()["logGroupIdentifiers"], json!([ARN]), "an ARN without a star");
}

#[tokio::test]
async fn the_same_session_in_small_pieces_is_the_same() {
    let whole = [start(), update(&[line(1)], false), update(&[line(2)], false)].concat();
    let server = serving(move || {
        let pieces: Vec<_> =
            whole.chunks(7).map(|piece| Ok::<_, std::io::Error>(Bytes::copy_from_slice(piece))).collect();
        reply(200, "application/vnd.amazon.eventstream", Body::from_stream(stream::iter(pieces)))
    })
    .await;
    let (end, told) = listen(&server.clients()).await;
    assert_eq!((end.unwrap(), texts(&told)), (TailEnd::Closed, vec!["line 1".to_owned(), "line 2".to_owned()]));
}

#[tokio::test]
async fn a_refusal_names_the_step_and_what_it_needs() {
    let cases = [
        (400, "AccessDeniedException", FaultKind::Denied, "logs:StartLiveTail"),
        (400, "LimitExceededException", FaultKind::Throttled, "polling"),
        (400, "ThrottlingException", FaultKind::Throttled, "polling"),
        (400, "ExpiredTokenException", FaultKind::Credentials, "aws sso login"),
        (400, "InvalidOperationException", FaultKind::Rejected, "polling"),
        (400, "ResourceNotFoundException", FaultKind::NotFound, "polling"),
        (503, "ServiceUnavailableException", FaultKind::Unavailable, "polling"),
    ];
    for (status, code, kind, hint) in cases {
        let said = json!({"__type": code, "message": "said so"}).to_string();
        let server = serving(move || reply(status, "application/x-amz-json-1.1", said.clone())).await;
        let (end, told) = listen(&server.clients()).await;
        let error = end.unwrap_err();
        assert!(matches!(error, LiveTailError::StartSession { .. }) && told.is_empty(), "{code}: {error:?}");
        let fault = error.fault();
        assert_eq!(fault.kind, kind, "{code}");
        assert!(fault.hints.iter().any(|given| given.contains(hint)), "{code}: {fault}");
        assert_eq!(server.asked().len(), 2, "the SDK must not retry by itself");
    }
}

#[tokio::test]
async fn a_group_whose_arn_is_not_found_is_told_as_that() {
    let server = Server::start(|_, _| answer(&json!({"logGroups": [{"logGroupName": "/ecs/my-api-2"}]}))).await;
    let (end, _) = listen(&server.clients()).await;
    let error = end.unwrap_err();
    assert!(matches!(error, LiveTailError::FindGroup { .. }), "{error:?}");
    assert_eq!(error.kind(), FaultKind::NotFound);
    let denied = r#"{"__type":"AccessDeniedException","message":"no"}"#;
    let server = Server::start(move |_, _| reply(400, "application/x-amz-json-1.1", denied)).await;
    let fault = listen(&server.clients()).await.0.unwrap_err().fault();
    assert!(fault.summary.starts_with("Live Tail of /ecs/my-api was not opened"), "{fault}");
    assert_eq!(fault.hints, ["The identity lacks `logs:DescribeLogGroups`."]);
}

#[tokio::test]
async fn what_breaks_off_keeps_what_it_told() {
    let told = || [start(), update(&[line(1)], false)].concat();
    let streaming = [told(), exception("SessionStreamingException")].concat();
    let half = [told(), update(&[line(2)], false)[..30].to_vec()].concat();
    let garbage = [told(), b"<html>a login page</html> and more of it".to_vec()].concat();
    for (what, bytes, kinds) in [
        ("exception", streaming, &[FaultKind::Cut][..]),
        ("half a frame", half, &[FaultKind::Cut, FaultKind::Malformed][..]),
        ("no frame", garbage, &[FaultKind::Cut, FaultKind::Malformed][..]),
    ] {
        let server = serving(move || body(bytes.clone())).await;
        let (end, told) = listen(&server.clients()).await;
        let error = end.unwrap_err();
        assert!(matches!(error, LiveTailError::ReadUpdate { updates: 1, .. }), "{what}: {error:?}");
        assert!(kinds.contains(&error.kind()), "{what}: {error:?}");
        assert_eq!(texts(&told), ["line 1"], "{what}");
    }
}

#[tokio::test]
async fn silence_is_a_fault_wherever_it_begins() {
    // The client reads the protocol's opening with the headers.
    let opening = frame("event", "initial-response", &json!({}));
    for (bytes, awaited) in [
        (Vec::new(), Awaited::Headers),
        (opening, Awaited::Start),
        (start(), Awaited::Update),
        ([start(), update(&[], false)].concat(), Awaited::Update),
    ] {
        let server = serving(move || then_silent(bytes.clone())).await;
        let error = listen(&server.clients()).await.0.unwrap_err();
        assert!(matches!(&error, LiveTailError::Silent { awaited: met, .. } if *met == awaited), "{error:?}");
        assert!(error.fault().kind.is_transient() && error.kind() == FaultKind::Timeout);
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    let error = listen(&impatient_clients(&nobody)).await.0.unwrap_err();
    assert!(matches!(error, LiveTailError::FindGroup { .. }) && error.kind() == FaultKind::Timeout, "{error:?}");
}

/// The protocol's own opening may be missing, and what is new in it must not end a session.
#[tokio::test]
async fn an_opening_of_another_kind_is_taken_as_well() {
    let bare = frame("event", "sessionStart", &json!({"sessionId": "s1"}));
    let new = frame("event", "sessionSomethingNew", &json!({"a": 1}));
    let bytes = [bare, new, update(&[line(3)], false)].concat();
    let server = serving(move || body(bytes.clone())).await;
    let (end, told) = listen(&server.clients()).await;
    assert_eq!((end.unwrap(), texts(&told)), (TailEnd::Closed, vec!["line 3".to_owned()]));
}

/// The two ways to the same lines, over the wire: a sample by Live Tail, everything by polling.
#[tokio::test]
async fn a_sample_made_up_for_by_a_poll_shows_and_counts_each_event_once() {
    let sample = [start(), update(&[line(2), line(4), line(4)], true)].concat();
    let stored = |n: i64, id: i64| json!({"eventId": format!("e{id}"), "logStreamName": "task-1", "timestamp": NINE_MS + n, "message": format!("line {n}")});
    // Two events of one text, stream and millisecond are two.
    let all: Vec<Value> = [1, 2, 3, 4, 4, 5].into_iter().zip(0..).map(|(n, id)| stored(n, id)).collect();
    let server = Server::start(move |_, asked: &Asked| match asked.operation.as_str() {
        "StartLiveTail" => body(sample.clone()),
        "FilterLogEvents" => answer(&json!({"events": all})),
        _ => groups(),
    })
    .await;
    let clients = server.clients();
    let (seen, early) = (Seen::default(), Early::default());
    early.open();
    let mut shown = Vec::new();
    for update in listen(&clients).await.1 {
        let TailUpdate::Lines { events, .. } = update else { continue };
        shown.extend(events.into_iter().filter(|event| early.tailed(event) == Sight::First).map(|event| event.message));
    }
    assert_eq!(shown, ["line 2", "line 4", "line 4"]);
    let mut tail = Tail::new(GROUP.into(), jiff::Timestamp::from_millisecond(NINE_MS).unwrap()).sharing(seen);
    let (sender, mut pages) = mpsc::channel::<LogPage>(10);
    let now = jiff::Timestamp::from_millisecond(NINE_MS + 60_000).unwrap();
    let mut counted = 0;
    for _ in 0..2 {
        counted += tail.poll(&clients, now, &sender).await.unwrap().summary.events;
    }
    drop(sender);
    while let Some(page) = pages.recv().await {
        let fresh = page.events.iter().filter(|event| early.accounted(early.print(event)) == Sight::First);
        shown.extend(fresh.map(|event| event.message.clone()));
    }
    shown.sort();
    assert_eq!(
        (counted, shown),
        (6, ["line 1", "line 2", "line 3", "line 4", "line 4", "line 5"].map(str::to_owned).to_vec())
    );
}
