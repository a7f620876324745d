//! The AWS adapters against servers that nobody here wrote: MiniStack and moto, on loopback.
//!
//! Needs `tests/peers/install.sh`. Where the peers are absent each test says `skipped`; with
//! `PAGERDECK_REQUIRE_PEERS=1` that is a failure.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on stops where it is")]

use std::io::{BufRead, BufReader};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use aws_config::{BehaviorVersion, SdkConfig};
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, MetricDatum, StateValue, Statistic as SdkStatistic};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_sts::config::{Credentials, SharedCredentialsProvider};
use jiff::{SignedDuration, Timestamp};
use pagerdeck::adapters::aws::alarms::describe_all;
use pagerdeck::adapters::aws::bedrock::{StreamEnd, StreamTimeouts, converse_stream};
use pagerdeck::adapters::aws::clients::Clients;
use pagerdeck::adapters::aws::logs::{GroupSearch, LogQuery, ReadLimits, ReadSummary, find_groups, read_window};
use pagerdeck::adapters::aws::metrics::{MetricSearch, Reading, fetch, find};
use pagerdeck::domain::diagnosis::conversation::{Message, ModelRequest, Reply, StopReason};
use pagerdeck::domain::observation::alarm::{AlarmRule, AlarmState};
use pagerdeck::domain::observation::log::Completeness;
use pagerdeck::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};
use pagerdeck::domain::observation::scope::{Region, Window};
use tokio::sync::mpsc;

use super::skipped;

/// A peer that runs until it is dropped.
pub(crate) struct Peer {
    child: Child,
    pub(crate) url: String,
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn program(name: &str) -> Option<PathBuf> {
    peer(&format!("venv/bin/{name}"))
}

/// A program or folder of the installed peers; where it is absent the test is skipped, or fails where it is required.
#[expect(clippy::disallowed_methods, reason = "the tests' own settings: where the peers lie")]
pub(crate) fn peer(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("PAGERDECK_PEERS").map(PathBuf::from);
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/pagerdeck-peers"));
    let program = folder.or_else(home)?.join(name);
    if program.exists() {
        return Some(program);
    }
    skipped::without(name);
    None
}

#[expect(clippy::disallowed_methods, reason = "a peer stamps its data by the wall, so the test must too")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// Starts a peer and waits for the line in which it tells its address.
fn start(mut command: Command) -> Peer {
    let spawned =
        command.env("PYTHONUNBUFFERED", "1").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = spawned.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut said = Vec::new();
    let url = lines.find_map(|line| {
        let address = line.split("Running on ").nth(1).and_then(|rest| rest.split_whitespace().next());
        said.push(line.clone());
        address.map(str::to_owned)
    });
    #[expect(clippy::disallowed_methods, reason = "a peer whose output nobody reads would stop")]
    std::thread::spawn(move || lines.for_each(drop));
    let mut peer = Peer { child, url: url.unwrap_or_default() };
    if peer.url.is_empty() {
        drop(peer.child.kill());
        panic!("the peer did not start:\n{}", said.join("\n"));
    }
    peer
}

pub(crate) fn ministack() -> Option<Peer> {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(program("ministack")?);
    // It binds every interface unless told otherwise.
    command.env("BIND_HOST", "127.0.0.1").env("GATEWAY_PORT", port.to_string()).env("IOT_MTLS_ENABLED", "0");
    Some(start(command))
}

fn moto() -> Option<Peer> {
    let mut command = Command::new(program("moto_server")?);
    command.args(["-H", "127.0.0.1", "-p", "0"]);
    Some(start(command))
}

fn clients(peer: &Peer) -> Clients {
    pagerdeck::adapters::install_tls_provider();
    Clients::rehearsal(&peer.url, &Region::new("us-east-1")).unwrap()
}

/// The SDK as a loader of the peer, beside the adapters under test.
pub(crate) fn sdk(peer: &Peer) -> SdkConfig {
    sdk_at(&peer.url)
}

/// The same for any loopback address.
pub(crate) fn sdk_at(url: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("REHEARSAL", "x", None, None, "test")))
        .region(aws_config::Region::new("us-east-1"))
        .endpoint_url(url)
        .build()
}

pub(crate) const GROUP: &str = "/ecs/my-api";

async fn load_events(logs: &aws_sdk_cloudwatchlogs::Client, first: Timestamp, count: i64) {
    let lines: Vec<String> = (0..count).map(|n| format!("line {n}")).collect();
    load_lines(logs, first, &lines).await;
}

/// Puts lines as events of one millisecond distance, in batches as large as the API takes.
pub(crate) async fn load_lines(logs: &aws_sdk_cloudwatchlogs::Client, first: Timestamp, lines: &[String]) {
    logs.create_log_group().log_group_name(GROUP).send().await.unwrap();
    logs.create_log_stream().log_group_name(GROUP).log_stream_name("task-1").send().await.unwrap();
    let events: Vec<InputLogEvent> = (0..)
        .zip(lines)
        .map(|(n, line)| InputLogEvent::builder().timestamp(first.as_millisecond() + n).message(line))
        .map(|event| event.build().unwrap())
        .collect();
    for batch in events.chunks(5_000) {
        let put = logs.put_log_events().log_group_name(GROUP).log_stream_name("task-1");
        put.set_log_events(Some(batch.to_vec())).send().await.unwrap();
    }
}

async fn read(clients: &Clients, query: &LogQuery) -> (ReadSummary, u64) {
    let (sender, mut receiver) = mpsc::channel(4);
    let (summary, counted) = futures::join!(
        async {
            let summary = read_window(clients, query, &sender).await;
            drop(sender);
            summary.unwrap()
        },
        async {
            let mut counted = 0;
            while let Some(page) = receiver.recv().await {
                counted += page.events.len() as u64;
            }
            counted
        }
    );
    (summary, counted)
}

#[tokio::test]
async fn ministack_shows_alarms_series_and_a_stream() {
    let Some(peer) = ministack() else { return };
    let (clients, config) = (clients(&peer), sdk(&peer));
    let newest = Timestamp::from_second(now().as_second() / 60 * 60).unwrap();
    let values: Vec<f64> = (0..30).map(|n| 80.0 + f64::from(n) * 0.6).collect();
    load_metrics(&aws_sdk_cloudwatch::Client::new(&config), newest, &values).await;

    let listing = describe_all(&clients).await.unwrap();
    assert_eq!(listing.unreadable, Vec::<String>::new());
    let alarm = listing.alarms.iter().find(|alarm| alarm.name.as_str() == "my-api-cpu-high").unwrap();
    assert_eq!((alarm.state, alarm.threshold()), (AlarmState::Alarm, Some(85.0)));
    let composite = listing.alarms.iter().find(|alarm| alarm.name.as_str() == "checkout").unwrap();
    assert!(matches!(composite.rule, AlarmRule::Composite { .. }));

    let window = Window { from: newest - SignedDuration::from_mins(29), to: newest + SignedDuration::from_mins(1) };
    let absent = MetricQuery { metric: MetricId { name: "Absent".into(), ..metric() }, ..query() };
    let readings = fetch(&clients, &[query(), absent], window).await.unwrap();
    let Reading::Complete(series) = &readings[0] else { panic!("{:?}", readings[0]) };
    assert_eq!(series.points.iter().map(|point| point.value).collect::<Vec<_>>(), values);
    assert_eq!(series.points.last().unwrap().at, newest);
    assert!(matches!(&readings[1], Reading::Empty(_)), "{:?}", readings[1]);

    let search = MetricSearch { namespace: Some("AWS/ECS".into()), ..MetricSearch::default() };
    assert_eq!(find(&clients, &search, 10).await.unwrap().metrics, [metric()]);
    assert_eq!(clients.identity().await.unwrap().account.as_str().len(), 12);
    hear_a_reply(&clients).await;
}

fn metric() -> MetricId {
    MetricId {
        namespace: "AWS/ECS".into(),
        name: "CPUUtilization".into(),
        dimensions: [("ServiceName".to_owned(), "my-api".to_owned())].into(),
        account: None,
    }
}

fn query() -> MetricQuery {
    MetricQuery { role: MetricRole::Cpu, metric: metric(), statistic: Statistic::Average, period_s: 60 }
}

pub(crate) async fn load_metrics(cloudwatch: &aws_sdk_cloudwatch::Client, newest: Timestamp, values: &[f64]) {
    let dimension = Dimension::builder().name("ServiceName").value("my-api").build();
    let oldest = newest.as_second() - 60 * (i64::try_from(values.len()).unwrap() - 1);
    let data = values.iter().zip(0_i64..).map(|(value, n)| {
        let datum = MetricDatum::builder().metric_name("CPUUtilization").dimensions(dimension.clone()).value(*value);
        datum.timestamp(DateTime::from_secs(oldest + 60 * n)).build()
    });
    let put = cloudwatch.put_metric_data().namespace("AWS/ECS").set_metric_data(Some(data.collect()));
    put.send().await.unwrap();
    let alarm = cloudwatch.put_metric_alarm().alarm_name("my-api-cpu-high").alarm_description("P2");
    let alarm = alarm.namespace("AWS/ECS").metric_name("CPUUtilization").dimensions(dimension);
    let alarm = alarm.statistic(SdkStatistic::Average).period(60).evaluation_periods(3).threshold(85.0);
    alarm.comparison_operator(ComparisonOperator::GreaterThanThreshold).send().await.unwrap();
    let state = cloudwatch.set_alarm_state().alarm_name("my-api-cpu-high").state_value(StateValue::Alarm);
    state.state_reason("Threshold Crossed").send().await.unwrap();
    let composite = cloudwatch.put_composite_alarm().alarm_name("checkout").alarm_rule("ALARM(\"my-api-cpu-high\")");
    composite.send().await.unwrap();
}

async fn hear_a_reply(clients: &Clients) {
    let request = ModelRequest {
        model: "us.anthropic.claude-sonnet-4-20250514-v1:0".into(),
        system: "Speak from evidence.".into(),
        messages: vec![Message::user("What is wrong?")],
        tools: Vec::new(),
        max_tokens: 200,
    };
    let (sender, mut receiver) = mpsc::channel(100);
    let end = converse_stream(clients, &request, StreamTimeouts::default(), &sender).await.unwrap();
    drop(sender);
    let mut reply = Reply::default();
    while let Some(chunk) = receiver.recv().await {
        reply.absorb(&chunk);
    }
    assert!(reply.text().contains("claude-sonnet-4"), "{:?}", reply.text());
    let chars = reply.text().chars().count() as u64;
    assert_eq!(end, StreamEnd::Complete { reason: StopReason::EndTurn, chars });
    assert!(reply.usage.unwrap().output > 0);
}

#[tokio::test]
async fn ministack_log_events_are_counted_exactly() {
    let Some(peer) = ministack() else { return };
    let (clients, config) = (clients(&peer), sdk(&peer));
    let first = now() - SignedDuration::from_mins(20);
    load_events(&aws_sdk_cloudwatchlogs::Client::new(&config), first, 2_500).await;
    let window = Window { from: first - SignedDuration::from_mins(1), to: first + SignedDuration::from_mins(10) };
    let (summary, counted) = read(&clients, &LogQuery::all(GROUP.into(), window)).await;
    assert_eq!((summary.completeness, summary.events, counted), (Completeness::Exact, 2_500, 2_500));
    // It caps a page and never gives a token; what is behind a full page must still be found.
    let limits = ReadLimits { page_size: NonZeroU32::new(1_000).unwrap(), ..ReadLimits::default() };
    let (summary, counted) = read(&clients, &LogQuery { limits, ..LogQuery::all(GROUP.into(), window) }).await;
    assert_eq!((summary.completeness, summary.events, counted), (Completeness::Exact, 2_500, 2_500));
    let found = find_groups(&clients, &GroupSearch::Prefix("/ecs/".into()), 10).await.unwrap();
    assert_eq!(found.groups, [GROUP.into()]);
}

#[tokio::test]
async fn moto_pages_of_ten_are_followed_to_the_end() {
    let Some(peer) = moto() else { return };
    let (clients, config) = (clients(&peer), sdk(&peer));
    let first = now() - SignedDuration::from_mins(20);
    load_events(&aws_sdk_cloudwatchlogs::Client::new(&config), first, 237).await;
    let window = Window { from: first - SignedDuration::from_mins(1), to: first + SignedDuration::from_mins(10) };
    let limits = ReadLimits { page_size: NonZeroU32::new(10).unwrap(), ..ReadLimits::default() };
    let (summary, counted) = read(&clients, &LogQuery { limits, ..LogQuery::all(GROUP.into(), window) }).await;
    assert_eq!((summary.completeness, summary.events, counted), (Completeness::Exact, 237, 237));
    assert!(summary.pages >= 24, "{summary:?}");
}
