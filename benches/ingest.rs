//! Log ingestion on one core: cleaning, redaction, classification and templates, over a mix of ordinary lines.

use std::hint::black_box;
use std::sync::Arc;

use divan::counter::{BytesCount, ItemsCount};
use jiff::Timestamp;
use pagerdeck::domain::diagnosis::evidence::LogDigest;
use pagerdeck::domain::observation::log::{BatchSummary, Ingest, LogGroup, LogLine, RawLogEvent};
use pagerdeck::domain::observation::scope::Window;
use pagerdeck::session::logs::LogBoard;

fn main() {
    divan::main();
}

/// Lines as an API, its collector and its node write them; one in a hundred holds a secret, one in five hundred a kill.
fn events(n: usize) -> Vec<RawLogEvent> {
    let message = |n: usize| match n % 500 {
        7 => format!(
            "ERROR node-agent: pod my-api-7d9f-x2x{}: container app terminated, reason: OOMKilled, exit code 137",
            n % 6
        ),
        m if m % 100 == 31 => format!("INFO  [main] connecting to postgres://app:s3cr3t{n}@db:5432/payments"),
        m if m % 10 == 3 => {
            format!("[info ][gc] GC({n}) Pause Young (Normal) (G1 Evacuation Pause) 380M->{}M(384M) 81.3ms", n % 384)
        }
        m if m % 10 == 5 => {
            format!(r#"{{"time":"2026-05-01T09:30:51Z","level":"info","msg":"order stored","id":{n}}}"#)
        }
        _ => format!("INFO  [http-nio-3] c.e.p.AccessLog - GET /v1/orders/{n} 200 {}ms trace=9f8e7d6c5b4a", n % 97),
    };
    (0..n)
        .map(|n| RawLogEvent {
            id: n.to_string().into(),
            at: Timestamp::UNIX_EPOCH,
            stream: "my-api-7d9f-x2x4".to_owned(),
            message: message(n),
        })
        .collect()
}

fn bytes(events: &[RawLogEvent]) -> BytesCount {
    BytesCount::new(events.iter().map(|event| event.message.len()).sum::<usize>())
}

/// Sanitise, redact, classify. Goal: a million lines a second.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 5)]
fn ingest_lines(bencher: divan::Bencher, n: usize) {
    let group = LogGroup::from("/ecs/my-api");
    let size = bytes(&events(n));
    bencher.counter(ItemsCount::new(n)).counter(size).with_inputs(|| events(n)).bench_values(|events| {
        let mut ingest = Ingest::of(&group);
        for event in events {
            black_box(ingest.line(event));
        }
    });
}

/// The same with templates, kills and collections counted. Goal: 300,000 lines a second.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 5)]
fn ingest_and_digest(bencher: divan::Bencher, n: usize) {
    let group = LogGroup::from("/ecs/my-api");
    let window = Window { from: Timestamp::UNIX_EPOCH, to: Timestamp::MAX };
    bencher.counter(ItemsCount::new(n)).with_inputs(|| events(n)).bench_values(|events| {
        let mut digest = LogDigest::new(window);
        let mut ingest = Ingest::of(&group);
        for event in events {
            digest.add(&ingest.line(event));
        }
        digest
    });
}

/// The whole way of a line to the pane: sanitise, redact, classify, count and fold into the ring, in pages of 10,000. Goal:
/// a million lines a second.
#[divan::bench(args = [10_000, 100_000, 1_000_000], sample_count = 5)]
fn ingest_into_the_ring(bencher: divan::Bencher, n: usize) {
    let group = LogGroup::from("/ecs/my-api");
    let size = bytes(&events(n));
    bencher.counter(ItemsCount::new(n)).counter(size).with_inputs(|| events(n)).bench_values(|events| {
        let mut board = LogBoard::default();
        let mut rest = events.into_iter().peekable();
        while rest.peek().is_some() {
            let mut summary = BatchSummary::default();
            let mut ingest = Ingest::of(&group);
            let line = |raw| Arc::new(ingest.line(raw));
            let page: Vec<Arc<LogLine>> = rest.by_ref().take(10_000).map(line).collect();
            for line in &page {
                summary.add(line);
            }
            board.fold_batch(&group, &summary, &page);
        }
        board
    });
}
