//! A group followed with Live Tail wanted, against a service on loopback whose sessions end as each case says. The clock
//! runs a hundred times as fast as the wall.

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use axum::response::Response;
use futures::StreamExt;
use serde_json::{Value, json};

use super::tests::within;
use super::*;
use crate::adapters::names::Names;
use crate::config::LogReading;
use crate::domain::observation::scope::Scope;
use crate::rehearsal::clock::{SimClock, Speed};
use crate::runtime::clock::Clock;
use crate::runtime::inbox::{Inbox, Postbox};
use crate::runtime::outside::{AwsAccess, ClusterAccess, Outside};
use crate::session::event::LogEvent;

const GROUP: &str = "/ecs/my-api";
const NINE_MS: i64 = 1_777_626_000_000;

/// What a session that is asked for comes to.
#[derive(Clone, Debug)]
enum Opened {
    /// These frames, and then silence with the connection open.
    AndStays(Vec<u8>),
    /// These frames, and the end.
    AndEnds(Vec<u8>),
    /// A refusal by this name.
    Not(&'static str),
}

fn frame(kind: &'static str, name: &'static str, payload: &Value) -> Vec<u8> {
    let text = |text: &'static str| HeaderValue::String(text.into());
    let named = if kind == "event" { ":event-type" } else { ":exception-type" };
    let message = Message::new(payload.to_string())
        .add_header(Header::new(":message-type", text(kind)))
        .add_header(Header::new(named, text(name)))
        .add_header(Header::new(":content-type", text("application/json")));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

fn started() -> Vec<u8> {
    [frame("event", "initial-response", &json!({})), frame("event", "sessionStart", &json!({"sessionId": "s"}))]
        .concat()
}

fn update(lines: &[i64], sampled: bool) -> Vec<u8> {
    let line = |n: &i64| json!({"logStreamName": "task-1", "timestamp": NINE_MS + n, "message": format!("line {n}")});
    let results: Vec<Value> = lines.iter().map(line).collect();
    frame("event", "sessionUpdate", &json!({"sessionMetadata": {"sampled": sampled}, "sessionResults": results}))
}

fn answer(status: u16, kind: &str, body: impl Into<Body>) -> Response {
    Response::builder().status(status).header("content-type", kind).body(body.into()).unwrap()
}

fn session(opened: Opened) -> Response {
    let stream = "application/vnd.amazon.eventstream";
    match opened {
        Opened::AndEnds(bytes) => answer(200, stream, bytes),
        Opened::AndStays(bytes) => {
            let head = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
            answer(200, stream, Body::from_stream(head.chain(futures::stream::pending())))
        }
        Opened::Not(code) => {
            answer(400, "application/x-amz-json-1.1", json!({"__type": code, "message": "said so"}).to_string())
        }
    }
}

/// Serves a group of four events; the n-th session comes to the n-th of these, later ones to the last.
async fn serve(sessions: Vec<Opened>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let stored = |n: i64| json!({"eventId": format!("e{n}"), "logStreamName": "task-1", "timestamp": NINE_MS + n, "message": format!("line {n}")});
    let events = json!({"events": (1..=4).map(stored).collect::<Vec<_>>()}).to_string();
    let groups = json!({"logGroups": [{"logGroupName": GROUP, "logGroupArn": format!("arn:{GROUP}")}]}).to_string();
    let reply = move |headers: HeaderMap| {
        let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
        let json = "application/x-amz-json-1.1";
        let response = match target.rsplit('.').next() {
            Some("StartLiveTail") => {
                let n = asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                session(sessions[n.min(sessions.len() - 1)].clone())
            }
            Some("FilterLogEvents") => answer(200, json, events.clone()),
            _ => answer(200, json, groups.clone()),
        };
        std::future::ready(response)
    };
    let reply = Arc::new(reply);
    let app = Router::new().fallback(move |headers: HeaderMap| reply(headers));
    #[expect(clippy::disallowed_methods, reason = "the test owns its server, which ends with its runtime")]
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

/// What was told until `enough` of the ways in which the lines came.
struct Heard {
    ways: Vec<Way>,
    counted: u64,
    shown: Vec<String>,
    early: usize,
}

async fn follow(sessions: Vec<Opened>, enough: impl Fn(&Heard) -> bool) -> Heard {
    crate::adapters::install_tls_provider();
    let names = Names::new(|_| Ok([127, 0, 0, 1].into()));
    let access = AwsAccess::Rehearsal { endpoint: serve(sessions).await, names };
    let scope = Scope { region: "us-east-1".into(), ..Scope::default() };
    let mut outside = Outside::new(access, ClusterAccess::Off { why: "a test".to_owned() }, scope);
    outside.logs = LogReading { tail: LogTail::Live, ..LogReading::default() };
    let (sender, mut inbox) = mpsc::channel(1_000);
    let start = Timestamp::from_millisecond(NINE_MS).unwrap();
    let clock = SimClock::new(start + SignedDuration::from_secs(1), Speed::Times(100.0));
    let means = Means {
        outside: Arc::new(outside),
        post: Postbox::new(sender.clone()),
        clock: Clock::simulated(Arc::new(clock)),
        nudge: Arc::default(),
        failing: Arc::default(),
    };
    let tasks = Tasks::new(sender);
    let shown = ShownGroup { group: GROUP.into(), told: crate::adapters::aws::logs::Told::default() };
    let followed = Followed::begin(shown, start, (&means, &tasks));
    let mut told = Heard { ways: Vec::new(), counted: 0, shown: Vec::new(), early: 0 };
    while !enough(&told) {
        let Some(message) = within("what is enough", inbox.recv()).await else { break };
        let Inbox::Event { event, .. } = message else { continue };
        match *event {
            Event::Feed(FeedEvent::GroupFollowed { following, .. }) => told.ways.push(following),
            Event::Log(LogEvent::Batch { summary, lines, .. }) => {
                told.counted += summary.lines;
                told.shown.extend(lines.iter().map(|line| line.text.to_string()));
            }
            Event::Log(LogEvent::Early { lines, .. }) => {
                told.early += lines.len();
                told.shown.extend(lines.iter().map(|line| line.text.to_string()));
            }
            _ => {}
        }
    }
    followed.stop.stop();
    tasks.end().await;
    told.shown.sort();
    told
}

fn instead(why: &str) -> Way {
    Way::PolledInstead { why: why.to_owned() }
}

fn once_each() -> Vec<String> {
    (1..=4).map(|n| format!("line {n}")).collect()
}

#[tokio::test]
async fn a_sample_is_told_made_up_for_and_counted_once() {
    let bytes = [started(), update(&[2, 4], true)].concat();
    let sampled = |told: &Heard| told.ways.iter().position(|way| matches!(way, Way::Sampled { .. }));
    let made_up = |told: &Heard| sampled(told).is_some_and(|at| told.ways[at..].contains(&Way::Tailed));
    let told = follow(vec![Opened::AndStays(bytes)], made_up).await;
    assert_eq!((told.counted, told.shown), (4, once_each()));
}

#[tokio::test]
async fn a_session_that_is_refused_leaves_the_polling_and_says_why() {
    for (code, why) in [
        ("AccessDeniedException", "live tail denied"),
        ("LimitExceededException", "live tail throttled"),
        ("ThrottlingException", "live tail throttled"),
        ("InvalidOperationException", "live tail not supported"),
        ("ExpiredTokenException", "live tail without credentials"),
    ] {
        let enough = |told: &Heard| told.ways.contains(&instead(why)) && told.counted == 4;
        let told = follow(vec![Opened::Not(code)], enough).await;
        assert_eq!((told.shown, told.early), (once_each(), 0), "{code}");
    }
}

#[tokio::test]
async fn a_session_that_ends_or_breaks_is_opened_anew() {
    let expired = [started(), frame("exception", "SessionTimeoutException", &json!({}))].concat();
    let broken = [started(), frame("exception", "SessionStreamingException", &json!({}))].concat();
    let stays = Opened::AndStays([started(), update(&[1], false)].concat());
    let sessions = vec![Opened::AndEnds(expired), Opened::AndEnds(broken), Opened::AndEnds(started()), stays];
    let enough = |told: &Heard| told.ways.last() == Some(&Way::Tailed) && told.counted == 4 && told.shown.len() >= 4;
    let told = follow(sessions, enough).await;
    assert_eq!((told.counted, told.shown), (4, once_each()));
}
