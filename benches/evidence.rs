//! The evidence of one incident, from what was read to the verdict: 20 metrics over 30 minutes, log lines, 200 pods. Goal: under
//! 300 ms of one core with 100,000 lines, and a cost that is linear in the lines.

use divan::counter::ItemsCount;
use jiff::{SignedDuration, Timestamp};
use pagerdeck::domain::diagnosis::evidence::{
    self, Answer, Evidence, EvidenceId, EvidenceSource, LogDigest, Question, answer_text, facts,
};
use pagerdeck::domain::diagnosis::rules::judge;
use pagerdeck::domain::observation::log::{Completeness, Ingest, LogGroup, RawLogEvent};
use pagerdeck::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Point, Series, Statistic, Unit};
use pagerdeck::domain::observation::scope::Window;
use pagerdeck::domain::observation::workload::{ContainerState, Pod, Workload, WorkloadKind, WorkloadRef};

fn main() {
    divan::main();
}

const MINUTES: i64 = 30;
const METRICS: usize = 20;
const PODS: usize = 200;

fn start() -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(490_000)
}

fn window() -> Window {
    Window { from: start(), to: start() + SignedDuration::from_mins(MINUTES) }
}

/// Lines of an API under memory pressure, spread over the window.
fn lines(n: usize) -> Vec<RawLogEvent> {
    let message = |k: usize| match k % 50 {
        7 => format!("ERROR [http-{}] c.e.Orders - order {k} failed: connection refused by 10.0.3.{}", k % 16, k % 200),
        m if m % 10 == 3 => {
            format!("[info ][gc] GC({k}) Pause Full (G1 Compaction Pause) 380M->{}M(384M) 812.3ms", k % 384)
        }
        m if m % 10 == 5 => {
            format!(r#"{{"time":"2026-05-01T09:30:51Z","level":"info","msg":"order {k} stored","trace":"{k:032x}"}}"#)
        }
        _ => format!(
            "2026-05-01T09:30:51.204Z INFO [http-{}] c.e.AccessLog - GET /v1/orders/{k} 200 {}ms",
            k % 16,
            k % 97
        ),
    };
    (0..n)
        .map(|k| RawLogEvent {
            id: k.to_string().into(),
            at: start() + SignedDuration::from_secs_f64(k as f64 * MINUTES as f64 * 60.0 / n as f64),
            stream: format!("my-api-7d9f-{:03}", k % PODS),
            message: message(k),
        })
        .collect()
}

/// A series that rises in the middle of the window, with noise that is the same each time.
fn series(role: MetricRole, seed: usize, from: Timestamp) -> Series {
    let metric = MetricId { namespace: "AWS/ECS".to_owned(), name: format!("Metric{seed}"), ..MetricId::default() };
    let query = MetricQuery { role, metric, statistic: Statistic::Average, period_s: 60 };
    let value = |n: i64| {
        let noise = ((n as usize * 7919 + seed * 104_729) % 101) as f64 / 25.0;
        (40.0 + noise + if n > 12 { n as f64 * 1.8 } else { 0.0 }).min(99.5)
    };
    let points = (0..MINUTES).map(|n| Point { at: from + SignedDuration::from_mins(n), value: value(n) });
    Series::new(query, Unit::Percent, points)
}

fn pods() -> (Workload, Vec<Pod>) {
    let target =
        WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() };
    let pod = |n: usize| Pod {
        name: format!("my-api-7d9f-{n:03}"),
        namespace: "payments".into(),
        owner: Some(target.clone()),
        phase: "Running".to_owned(),
        node: Some(format!("node-{}", n % 20)),
        containers: vec![ContainerState {
            name: "app".to_owned(),
            ready: true,
            restarts: (n % 4) as u32,
            state: "running".to_owned(),
            running_since: Some(start()),
            last_end: None,
            end_before: None,
            message: None,
        }],
        created_at: Some(start()),
    };
    let workload = Workload {
        uid: "u".to_owned(),
        generation: 1,
        observed_generation: 1,
        replicas: PODS as u32,
        ready: PODS as u32,
        updated: PODS as u32,
        available: PODS as u32,
        max_unavailable: "25%".to_owned(),
        max_surge: "25%".to_owned(),
        revision: Some(7),
        ..Workload::named(target.clone())
    };
    (workload, (0..PODS).map(pod).collect())
}

/// What is asked of every incident, answered; the metrics beyond the five roles are read as the alarm's own.
fn answered(digest: &LogDigest, workload: Workload, pods: &[Pod]) -> Vec<Evidence> {
    let before = start() - SignedDuration::from_mins(MINUTES);
    let metric =
        |role, seed| evidence::series(series(role, seed, start()), Some(series(role, seed, before)), Some(85.0.into()));
    let read = Some((digest, Completeness::Exact));
    let mut answers: Vec<(Question, Answer)> = vec![
        (Question::Memory, metric(MetricRole::Memory, 1)),
        (Question::OomKills, evidence::oom_kills(read, Some(pods), Some(&[]), window())),
        (Question::Collector, evidence::collector(Some(series(MetricRole::CollectorTime, 2, start())), None, read)),
        (Question::Traffic, metric(MetricRole::Requests, 3)),
        (Question::Cpu, metric(MetricRole::Cpu, 4)),
        (Question::Workload, evidence::workload(workload, pods, &[])),
        (Question::LogPatterns, evidence::log_patterns(digest, Completeness::Exact)),
        (Question::Errors, metric(MetricRole::Errors, 5)),
        (Question::Latency, metric(MetricRole::Latency, 6)),
    ];
    answers.extend((7..=METRICS).map(|seed| (Question::AlarmMetric, metric(MetricRole::Alarm, seed))));
    let piece = |(n, (question, answer)): (usize, (Question, Answer))| Evidence {
        id: EvidenceId(n as u32 + 1),
        question,
        source: EvidenceSource::Combined,
        query: String::new(),
        window: window(),
        asked_at: window().to,
        answered_at: window().to,
        answer,
    };
    answers.into_iter().enumerate().map(piece).collect()
}

/// The whole pass: lines cleaned, classified and mined; kills counted; every answer, its facts and its text; the verdict.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 3, sample_size = 1)]
fn pass(bencher: divan::Bencher, n: usize) {
    let group = LogGroup::from("/ecs/my-api");
    bencher.counter(ItemsCount::new(n)).with_inputs(|| (lines(n), pods())).bench_values(
        |(events, (workload, pods))| {
            let mut digest = LogDigest::new(window());
            let mut ingest = Ingest::of(&group);
            for event in events {
                digest.add(&ingest.line(event));
            }
            let evidence = answered(&digest, workload, &pods);
            let told: usize = evidence.iter().map(|piece| answer_text(piece).len() + facts(piece).len()).sum();
            (told, judge(&evidence, window().to))
        },
    );
}
