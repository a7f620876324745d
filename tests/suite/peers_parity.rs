//! The same reads of the adapters against the rehearsal and against MiniStack, which nobody here wrote: both hold the
//! same alarms, points and lines, copied from one into the other by their own APIs. Each row of [`READS`] is the same on
//! both, or differs for a reason that stands beside it; a difference that goes away fails as well as a new one.
//!
//! Skipped, and said to be skipped, where MiniStack is not installed, as in `peers_aws`.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{
    ComparisonOperator, Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat, StateValue,
    Statistic as SdkStatistic,
};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use jiff::{SignedDuration, Timestamp};
use pagerdeck::adapters::aws::alarms::{describe_all, history};
use pagerdeck::adapters::aws::bedrock::{StreamEnd, StreamTimeouts, converse_stream};
use pagerdeck::adapters::aws::clients::Clients;
use pagerdeck::adapters::aws::insights::{InsightsQuery, Patience, counting, finding, run};
use pagerdeck::adapters::aws::live_tail::{TailTimeouts, TailUpdate, live_tail};
use pagerdeck::adapters::aws::logs::{LogQuery, ReadLimits, read_window};
use pagerdeck::adapters::aws::metrics::{Reading, fetch};
use pagerdeck::domain::diagnosis::conversation::{Message, ModelRequest, Reply};
use pagerdeck::domain::fault::FaultKind;
use pagerdeck::domain::observation::alarm::{Alarm, AlarmRule, AlarmState, Comparison};
use pagerdeck::domain::observation::log::{Completeness, LogGroup, RawLogEvent};
use pagerdeck::domain::observation::metric::{MetricQuery, MetricRole, Statistic};
use pagerdeck::domain::observation::scope::{Region, Window};
use pagerdeck::rehearsal::clock::Speed;
use pagerdeck::rehearsal::scenario;
use pagerdeck::rehearsal::server::{Rehearsal, StartOptions, start};
use tokio::sync::mpsc;

use crate::peers_aws::{Peer, ministack, now, sdk, sdk_at};

/// One read, told as a text that both sides must come to.
#[derive(Clone, Copy, Debug)]
enum Read {
    Alarms,
    Composites,
    NewestTransition,
    Transitions,
    Points(Statistic),
    NoSuchMetric,
    DefaultOrder,
    Events(&'static str),
    PagesOfAHundred,
    TokenOfAShortPage,
    NoSuchGroup,
    TailOpens,
    InsightsFinds,
    InsightsCounts,
    Converse,
}

/// What is held against what.
#[derive(Clone, Copy, Debug)]
enum Held {
    Same,
    /// With the reason.
    Differs(&'static str),
}

use Held::{Differs, Same};

const READS: &[(Read, Held)] = &[
    (Read::Alarms, Same),
    (Read::Composites, Same),
    (Read::NewestTransition, Same),
    (Read::Transitions, Differs("MiniStack has seen one change, the rehearsal tells of those of its story")),
    (Read::Points(Statistic::Average), Same),
    (Read::Points(Statistic::Maximum), Same),
    (Read::Points(Statistic::Minimum), Same),
    (Read::NoSuchMetric, Same),
    (Read::DefaultOrder, Differs("newest first by the documentation; MiniStack answers oldest first")),
    (Read::Events(""), Same),
    (Read::Events("OOMKilled"), Same),
    (Read::Events("oomkilled"), Differs("terms are case-sensitive by the documentation; MiniStack folds case")),
    (Read::Events("OOMKilled exit"), Same),
    (Read::Events("-GET"), Same),
    (Read::Events("?OOMKilled ?OutOfMemoryError"), Differs("MiniStack takes `?A ?B` for terms that must all be there")),
    (Read::Events(r#"{ $.level = "ERROR" }"#), Differs("MiniStack takes every JSON pattern for all events")),
    (Read::PagesOfAHundred, Same),
    (Read::TokenOfAShortPage, Differs("MiniStack caps a page and gives no token")),
    (Read::NoSuchGroup, Same),
    (Read::TailOpens, Same),
    (Read::InsightsFinds, Same),
    (Read::InsightsCounts, Differs("MiniStack knows no `stats`: it answers the lines themselves")),
    (Read::Converse, Same),
];

/// Where and when is read.
struct Ground {
    group: LogGroup,
    metric: MetricQuery,
    alarm: String,
    window: Window,
}

fn clients(url: &str) -> Clients {
    pagerdeck::adapters::install_tls_provider();
    Clients::rehearsal(url, &Region::new("us-east-1")).unwrap()
}

/// The founding story, begun now: a peer may refuse what is older than its clock likes.
async fn rehearse() -> (Rehearsal, Window) {
    let minute = Timestamp::from_second(now().as_second() / 60 * 60).unwrap();
    let mut story = scenario::load("oom-leak").unwrap();
    story.start = minute;
    let rehearsal = start(story, StartOptions { speed: Speed::Times(1.0), seed: None }).await.unwrap();
    (rehearsal, Window { from: minute - SignedDuration::from_mins(20), to: minute - SignedDuration::from_mins(1) })
}

async fn events(clients: &Clients, query: &LogQuery) -> Result<(Vec<RawLogEvent>, bool), FaultKind> {
    let (sender, mut pages) = mpsc::channel(4);
    let (summary, events) = futures::join!(
        async {
            let summary = read_window(clients, query, &sender).await;
            drop(sender);
            summary.map_err(|error| error.kind())
        },
        async {
            let mut events = Vec::new();
            while let Some(page) = pages.recv().await {
                events.extend(page.events);
            }
            events
        }
    );
    Ok((events, summary?.completeness == Completeness::Exact))
}

/// Those lines and whether they are all, or why there are none.
async fn told_events(clients: &Clients, query: &LogQuery) -> String {
    match events(clients, query).await {
        Ok((events, exact)) => format!("exact {exact}, {}", told(&events)),
        Err(kind) => format!("{kind:?}"),
    }
}

/// Copies what the rehearsal holds into the peer, and says where to look.
async fn copied(from: &Clients, window: Window, peer: &Peer) -> Ground {
    let config = sdk(peer);
    let (logs, cloudwatch) = (aws_sdk_cloudwatchlogs::Client::new(&config), aws_sdk_cloudwatch::Client::new(&config));
    let alarms = describe_all(from).await.unwrap().alarms;
    let plain = |alarm: &&Alarm| {
        alarm.state == AlarmState::Alarm && matches!(&alarm.rule, AlarmRule::Metric { period_s: 60, .. })
    };
    let first = alarms.iter().find(plain).unwrap();
    let AlarmRule::Metric { metric, .. } = &first.rule else { unreachable!("it was chosen so") };
    let metric =
        MetricQuery { role: MetricRole::Alarm, metric: metric.clone(), statistic: Statistic::Average, period_s: 60 };
    let Reading::Complete(series) = fetch(from, std::slice::from_ref(&metric), window).await.unwrap().remove(0) else {
        panic!("the rehearsal has no points")
    };
    let data = series.points.iter().map(|point| {
        let datum = MetricDatum::builder().metric_name(&metric.metric.name).value(point.value);
        let datum = datum.set_dimensions(Some(dimensions(&metric)));
        datum.timestamp(DateTime::from_secs(point.at.as_second())).build()
    });
    let put = cloudwatch.put_metric_data().namespace(&metric.metric.namespace);
    put.set_metric_data(Some(data.collect())).send().await.unwrap();
    // A composite is taken only after the alarms it speaks of.
    let (composites, others): (Vec<&Alarm>, Vec<&Alarm>) =
        alarms.iter().partition(|alarm| matches!(alarm.rule, AlarmRule::Composite { .. }));
    for alarm in others.into_iter().chain(composites) {
        put_alarm(&cloudwatch, alarm).await;
    }
    let group = LogGroup::from("/ecs/my-api");
    let (lines, _) = events(from, &LogQuery::all(group.clone(), window)).await.unwrap();
    put_lines(&logs, &group, &lines).await;
    Ground { group, metric, alarm: first.name.as_str().to_owned(), window }
}

fn dimensions(query: &MetricQuery) -> Vec<Dimension> {
    let dimension = |(name, value): (&String, &String)| Dimension::builder().name(name).value(value).build();
    query.metric.dimensions.iter().map(dimension).collect()
}

/// Alarms on one metric, and composites; what a peer computes itself is left to it.
async fn put_alarm(cloudwatch: &aws_sdk_cloudwatch::Client, alarm: &Alarm) {
    match &alarm.rule {
        AlarmRule::Metric { metric, statistic, period_s, comparison, threshold } => {
            let operator = match comparison {
                Comparison::Greater | Comparison::OutsideBand => ComparisonOperator::GreaterThanThreshold,
                Comparison::GreaterOrEqual => ComparisonOperator::GreaterThanOrEqualToThreshold,
                Comparison::Less => ComparisonOperator::LessThanThreshold,
                Comparison::LessOrEqual => ComparisonOperator::LessThanOrEqualToThreshold,
            };
            let query = MetricQuery {
                role: MetricRole::Alarm,
                metric: metric.clone(),
                statistic: *statistic,
                period_s: *period_s,
            };
            let word = SdkStatistic::from(statistic.to_string().as_str());
            let put = cloudwatch.put_metric_alarm().alarm_name(alarm.name.as_str()).threshold(*threshold);
            let put = put.namespace(&metric.namespace).metric_name(&metric.name).statistic(word);
            let put = put.set_dimensions(Some(dimensions(&query))).period(i32::try_from(*period_s).unwrap());
            put.evaluation_periods(3).comparison_operator(operator).send().await.unwrap();
        }
        AlarmRule::Composite { rule } => {
            let put = cloudwatch.put_composite_alarm().alarm_name(alarm.name.as_str()).alarm_rule(rule);
            put.send().await.unwrap();
            return;
        }
        AlarmRule::Math { .. } => return,
    }
    let set = cloudwatch.set_alarm_state().alarm_name(alarm.name.as_str()).state_reason("copied");
    set.state_value(StateValue::from(alarm.state.word())).send().await.unwrap();
}

async fn put_lines(logs: &aws_sdk_cloudwatchlogs::Client, group: &LogGroup, lines: &[RawLogEvent]) {
    logs.create_log_group().log_group_name(group.as_str()).send().await.unwrap();
    let mut streams: BTreeMap<&str, Vec<InputLogEvent>> = BTreeMap::new();
    for line in lines {
        let event = InputLogEvent::builder().timestamp(line.at.as_millisecond()).message(&line.message);
        streams.entry(&line.stream).or_default().push(event.build().unwrap());
    }
    for (stream, events) in streams {
        let create = logs.create_log_stream().log_group_name(group.as_str()).log_stream_name(stream);
        create.send().await.unwrap();
        for batch in events.chunks(1_000) {
            let put = logs.put_log_events().log_group_name(group.as_str()).log_stream_name(stream);
            put.set_log_events(Some(batch.to_vec())).send().await.unwrap();
        }
    }
}

/// A set of lines as one number: the order of equal instants is nobody's promise.
fn told(events: &[RawLogEvent]) -> String {
    let mut keys: Vec<_> =
        events.iter().map(|event| (event.at.as_millisecond(), &event.stream, event.message.trim_end())).collect();
    keys.sort();
    let mut hasher = DefaultHasher::new();
    keys.hash(&mut hasher);
    format!("{} events, {:016x}", keys.len(), hasher.finish())
}

async fn read(read: Read, clients: &Clients, url: &str, ground: &Ground) -> String {
    let query = LogQuery::all(ground.group.clone(), ground.window);
    match read {
        Read::Alarms | Read::Composites => alarms(read, clients).await,
        Read::NewestTransition | Read::Transitions => transitions(read, clients, ground).await,
        Read::Points(statistic) => {
            let asked = MetricQuery { statistic, ..ground.metric.clone() };
            format!("{:?}", points(clients, asked, ground.window).await)
        }
        Read::NoSuchMetric => {
            let mut asked = ground.metric.clone();
            asked.metric.name = String::from("NoSuchMetric");
            format!("{:?}", points(clients, asked, ground.window).await)
        }
        Read::DefaultOrder => default_order(url, ground).await,
        Read::Events(pattern) => {
            let filter = (!pattern.is_empty()).then(|| pattern.to_owned());
            told_events(clients, &LogQuery { filter, ..query }).await
        }
        Read::PagesOfAHundred => {
            let page_size = std::num::NonZeroU32::new(100).unwrap();
            let limits = ReadLimits { page_size, ..ReadLimits::default() };
            told_events(clients, &LogQuery { limits, ..query }).await
        }
        Read::TokenOfAShortPage => token_of_a_short_page(url, ground).await,
        Read::NoSuchGroup => {
            let (sender, _held) = mpsc::channel(4);
            let nowhere = LogQuery::all("/no/such/group".into(), ground.window);
            format!("{:?}", read_window(clients, &nowhere, &sender).await.unwrap_err().fault().kind)
        }
        Read::TailOpens => tail_opens(clients, ground).await,
        Read::InsightsFinds | Read::InsightsCounts => insights(read, clients, ground).await,
        Read::Converse => converse(clients).await,
    }
}

async fn alarms(read: Read, clients: &Clients) -> String {
    let listing = describe_all(clients).await.unwrap();
    let shown = |alarm: &Alarm| match (&alarm.rule, read) {
        (AlarmRule::Metric { metric, statistic, period_s, comparison, threshold }, Read::Alarms) => {
            Some(format!("{} {:?} {statistic} {metric} {period_s} {comparison:?} {threshold}", alarm.name, alarm.state))
        }
        (AlarmRule::Composite { rule }, Read::Composites) => Some(format!("{} {rule}", alarm.name)),
        _ => None,
    };
    let mut lines: Vec<String> = listing.alarms.iter().filter_map(shown).collect();
    lines.sort();
    format!("{lines:?} unreadable {:?}", listing.unreadable)
}

async fn transitions(read: Read, clients: &Clients, ground: &Ground) -> String {
    match history::describe(clients, &ground.alarm.as_str().into(), 50).await {
        Ok(history) => match read {
            Read::Transitions => format!("{:?}", history.transitions),
            _ => format!("{:?}", history.transitions.first().map(|change| change.to)),
        },
        Err(error) => format!("{:?}", error.fault().kind),
    }
}

async fn points(clients: &Clients, asked: MetricQuery, window: Window) -> Vec<(Timestamp, f64)> {
    match fetch(clients, &[asked], window).await.unwrap().remove(0) {
        Reading::Complete(series) | Reading::Empty(series) | Reading::Partial { series, .. } => {
            series.points.iter().map(|point| (point.at, point.value)).collect()
        }
        Reading::Failed { source, .. } => panic!("{source}"),
    }
}

async fn default_order(url: &str, ground: &Ground) -> String {
    let metric = &ground.metric.metric;
    let metric = Metric::builder()
        .namespace(&metric.namespace)
        .metric_name(&metric.name)
        .set_dimensions(Some(dimensions(&ground.metric)));
    let stat = MetricStat::builder().metric(metric.build()).period(60).stat("Average").build();
    let asked = MetricDataQuery::builder().id("m1").metric_stat(stat).build();
    let time = |at: Timestamp| DateTime::from_secs(at.as_second());
    let client = aws_sdk_cloudwatch::Client::new(&sdk_at(url));
    let call = client.get_metric_data().metric_data_queries(asked);
    let answer = call.start_time(time(ground.window.from)).end_time(time(ground.window.to)).send().await.unwrap();
    let times: Vec<i64> = answer.metric_data_results()[0].timestamps().iter().map(DateTime::secs).collect();
    format!("{} points, descending {}", times.len(), times.windows(2).all(|pair| pair[0] > pair[1]))
}

async fn token_of_a_short_page(url: &str, ground: &Ground) -> String {
    let client = aws_sdk_cloudwatchlogs::Client::new(&sdk_at(url));
    let call = client.filter_log_events().log_group_name(ground.group.as_str()).limit(10);
    let answer = call.start_time(ground.window.from.as_millisecond()).send().await.unwrap();
    format!("{} events, token {}", answer.events().len(), answer.next_token().is_some())
}

async fn tail_opens(clients: &Clients, ground: &Ground) -> String {
    let (sender, mut updates) = mpsc::channel(4);
    let times = TailTimeouts { start: Duration::from_secs(30), idle: Duration::from_secs(30) };
    let session = live_tail(clients, &ground.group, times, &sender);
    let listening = async {
        let started = updates.recv().await == Some(TailUpdate::Started);
        let second = matches!(updates.recv().await, Some(TailUpdate::Lines { .. }));
        format!("started {started}, an update within seconds {second}")
    };
    tokio::select! {
        ended = session => format!("{:?}", ended.map_err(|error| error.kind())),
        told = listening => told,
    }
}

async fn insights(read: Read, clients: &Clients, ground: &Ground) -> String {
    let text = match read {
        Read::InsightsFinds => finding(&["oomkilled", "outofmemoryerror"]),
        _ => counting(&[]),
    };
    let query = InsightsQuery { groups: vec![ground.group.clone()], window: ground.window, text };
    let patience = Patience { pause: Duration::from_millis(50), looks: 600 };
    let finished = match run(clients, &query, patience, |wait| tokio::time::sleep(wait)).await {
        Ok(finished) => finished,
        Err(error) => return format!("{:?}", error.kind()),
    };
    if matches!(read, Read::InsightsFinds) {
        let found = finished.lines(&query.groups).map(|found| {
            let events: Vec<RawLogEvent> = found.events.into_iter().map(|(_, event)| event).collect();
            told(&events)
        });
        return format!("{:?}", found.map_err(|error| error.kind()));
    }
    format!("{:?}", finished.minutes().map(|minutes| minutes.total()).map_err(|error| error.kind()))
}

async fn converse(clients: &Clients) -> String {
    let request = ModelRequest {
        model: "us.anthropic.claude-sonnet-4-20250514-v1:0".into(),
        system: "Speak from evidence.".into(),
        messages: vec![Message::user("What is wrong?")],
        tools: Vec::new(),
        max_tokens: 200,
    };
    let (sender, mut chunks) = mpsc::channel(1_000);
    let end = converse_stream(clients, &request, StreamTimeouts::default(), &sender).await;
    drop(sender);
    let mut reply = Reply::default();
    while let Some(chunk) = chunks.recv().await {
        reply.absorb(&chunk);
    }
    let whole = matches!(end, Ok(StreamEnd::Complete { .. }));
    let used = reply.usage.is_some_and(|usage| usage.output > 0);
    format!("whole {whole}, text {}, usage {used}", !reply.text().is_empty())
}

#[tokio::test]
async fn the_rehearsal_and_ministack_answer_the_same_reads_alike() {
    let Some(peer) = ministack() else { return };
    let (rehearsal, window) = rehearse().await;
    let ours = (clients(&rehearsal.endpoints.aws), rehearsal.endpoints.aws.clone());
    let theirs = (clients(&peer.url), peer.url.clone());
    let ground = copied(&ours.0, window, &peer).await;
    let mut complaints = Vec::new();
    for (row, held) in READS {
        let here = read(*row, &ours.0, &ours.1, &ground).await;
        let there = read(*row, &theirs.0, &theirs.1, &ground).await;
        match held {
            Same if here != there => {
                complaints.push(format!("{row:?} differs:\n  rehearsal {here}\n  MiniStack {there}"));
            }
            Differs(reason) if here == there => {
                complaints.push(format!("{row:?} is the same now ({here}), and was not: {reason}"));
            }
            Same | Differs(_) => {}
        }
    }
    rehearsal.stop().await;
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}
