//! What is measured inside: a frame's cost (G7), and the way of log lines into the ring with its count (G4, G5).

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pagerdeck::cli::memory;
use pagerdeck::domain::observation::log::{BatchSummary, Ingest, LogGroup, LogLine, RawLogEvent};
use pagerdeck::runtime::terminal::TapedScreen;
use pagerdeck::session::Session;
use pagerdeck::session::logs::LogBoard;
use pagerdeck::ui::model::log_look::Rows;
use pagerdeck::ui::model::{Instants, Pane, Size, Ui, UiOptions, Zoom};
use pagerdeck::ui::search::Search;
use pagerdeck::ui::{update, view};

use super::figures::{Effort, quantile};
use super::seat::resident_mib;
use super::table::Table;
use super::{fixture, fixture_parts};

/// Lines that come together.
const PAGE: usize = 10_000;

/// G7: what is reckoned before a frame, layout, text, styles, differences and bytes, at 200x60. The time is the wall's: processor time is less.
pub fn frames(table: &mut Table) {
    let mut full = fixture::gate_open();
    for _ in 0..800 {
        fixture_parts::fill_logs(&mut full, fixture::now());
    }
    let as_it_is: fn(&mut Ui) = |_| ();
    let rare: fn(&mut Ui) = |ui| ui.logs.search = Some(Search::filter("no line has this"));
    let moments = [
        ("overview", fixture::gate_open(), Pane::Alarms, Zoom::Overview, as_it_is),
        ("full ring", full.clone(), Pane::Logs, Zoom::Overview, as_it_is),
        ("full ring by template", full.clone(), Pane::Logs, Zoom::Zoomed, |ui| ui.log.rows = Rows::Templates),
        ("full ring, one template", full.clone(), Pane::Logs, Zoom::Zoomed, |ui| ui.log.rows = Rows::Of(0)),
        ("full ring, filter that finds nothing", full, Pane::Logs, Zoom::Zoomed, rare),
        ("analysis", fixture::gate_open(), Pane::Rca, Zoom::Zoomed, as_it_is),
        ("armed step", fixture::armed(), Pane::Remediation, Zoom::Overview, as_it_is),
    ];
    for (word, session, focus, zoom, looks) in moments {
        let mut times = drawn(&session, (focus, zoom), looks);
        let busy = times.pop().unwrap_or_default();
        let (half, most) = (quantile(&mut times, 0.5), quantile(&mut times, 0.99));
        let told =
            format!("p50 {half:.2} ms, p99 {most:.2} ms; processor {:.2} ms a frame", busy.as_secs_f64() * 1_000.0);
        table.row(format!("G7 frame at 200x60, {word}"), "p99 <= 2 ms", told);
    }
}

/// A thousand frames' times, every second one with another pane in focus so that cells change; last the mean of the
/// thread's processor time.
fn drawn(session: &Session, (focus, zoom): (Pane, Zoom), looks: fn(&mut Ui)) -> Vec<Duration> {
    const FRAMES: u32 = 1_000;
    let size = Size { cols: 200, rows: 60 };
    let mut ui = Ui::new(UiOptions::default(), size);
    ui.zoom = zoom;
    looks(&mut ui);
    // What was held before is met a few lines with each frame; the figure is of the time after.
    let at = |mono_ms| Instants { now: fixture::now(), mono_ms };
    (0..100).for_each(|n| update::prepare(&mut ui, session, at(n)));
    let mut screen = TapedScreen::new(std::io::sink(), size).unwrap();
    let before = on_processor();
    let mut times = Vec::new();
    for n in 0..FRAMES {
        ui.focus = if n % 2 == 0 { focus } else { Pane::Timeline };
        let began = Instant::now();
        update::prepare(&mut ui, session, at(1_000 + u64::from(n) * 33));
        screen.draw(|frame| view::draw(frame, &ui, session, fixture::now())).unwrap();
        if n % 2 == 0 {
            times.push(began.elapsed());
        }
    }
    times.push(on_processor().saturating_sub(before) / FRAMES);
    times
}

/// Processor time of this thread. The kernel brings it up to date a few hundred times a second: good for a mean.
fn on_processor() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    Duration::from_nanos(told.split_whitespace().next().and_then(|ns| ns.parse().ok()).unwrap_or(0))
}

/// G4 and G5: the same program once more, so that what it holds is only the ring.
pub fn lines(table: &mut Table, effort: &Effort) {
    for count in effort.lines {
        let own = std::env::current_exe().unwrap();
        let mut again = std::process::Command::new(own);
        // As the program sets them for itself.
        again.args(["--ring", &count.to_string()]).env(memory::TUNABLES, memory::BOUNDS);
        let told = again.output().unwrap();
        let told = String::from_utf8_lossy(&told.stdout).trim().to_owned();
        table.row(format!("G4 and G5, {} M lines through one core", count / 1_000_000), ">= 1 M/s, <= 64 MiB", told);
    }
}

/// Sends so many lines on their way and tells how fast, whether all are accounted for, and what is held.
pub fn ring(count: u64) {
    let group = LogGroup::from("/ecs/my-api");
    let mut board = LogBoard::default();
    let mut busy = Duration::ZERO;
    let mut sent = 0;
    while sent < count {
        let raw: Vec<RawLogEvent> = (sent..(sent + PAGE as u64).min(count)).map(line).collect();
        sent += raw.len() as u64;
        let began = Instant::now();
        let mut ingest = Ingest::of(&group);
        let page: Vec<Arc<LogLine>> = raw.into_iter().map(|raw| Arc::new(ingest.line(raw))).collect();
        let mut summary = BatchSummary::default();
        for line in &page {
            summary.add(line);
        }
        board.fold_batch(&group, &summary, &page);
        busy += began.elapsed();
    }
    let held = board.lines().len() as u64;
    let whole = board.received() == sent && held + board.evicted() == sent;
    let rate = sent as f64 / busy.as_secs_f64() / 1e6;
    let told = if whole { "received = held + fallen out" } else { "LINES ARE MISSING" };
    println!("{rate:.2} M lines/s, {:.1} MiB, {told} ({held} held)", resident_mib("self"));
    black_box(board);
}

fn line(n: u64) -> RawLogEvent {
    let message = match n % 500 {
        7 => format!(
            "ERROR node-agent: pod my-api-7d9f-x2x{}: container app terminated, reason: OOMKilled, exit code 137",
            n % 6
        ),
        m if m % 100 == 31 => format!("INFO  [main] connecting to postgres://app:s3cr3t{n}@db:5432/payments"),
        m if m % 10 == 3 => format!("[info ][gc] GC({n}) Pause Young (Normal) 380M->{}M(384M) 81.3ms", n % 384),
        m if m % 10 == 5 => {
            format!(r#"{{"time":"2026-05-01T09:30:51Z","level":"info","msg":"order stored","id":{n}}}"#)
        }
        _ => format!("INFO  [http-nio-3] c.e.p.AccessLog - GET /v1/orders/{n} 200 {}ms trace=9f8e7d6c5b4a", n % 97),
    };
    let at = Timestamp::from_millisecond(1_777_627_860_000 + i64::try_from(n / 5).unwrap_or(0)).unwrap_or_default();
    RawLogEvent { id: format!("{n:056}").into(), at, stream: "my-api-7d9f-x2x4".to_owned(), message }
}
