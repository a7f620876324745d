//! The cost of a frame at 200x60 and 80x24: the whole overview, the analysis beside its evidence, an armed step, and the
//! overview over a full log ring. Layout, text and styles, without the terminal.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run must stop loudly")]

#[path = "../tests/suite/fixture.rs"]
#[expect(dead_code, reason = "the suite draws more moments than are measured")]
mod fixture;
#[path = "../tests/suite/fixture_parts.rs"]
mod fixture_parts;

use divan::Bencher;
use pagerdeck::session::Session;
use pagerdeck::ui::model::{Pane, Size, Ui, UiOptions, Zoom};
use pagerdeck::ui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn main() {
    divan::main();
}

fn frame(bencher: Bencher, session: &Session, (size, focus, zoom): ((u16, u16), Pane, Zoom)) {
    let mut ui = Ui::new(UiOptions::default(), Size { cols: size.0, rows: size.1 });
    ui.focus = focus;
    ui.zoom = zoom;
    let mut terminal = Terminal::new(TestBackend::new(size.0, size.1)).expect("a test backend");
    bencher.bench_local(|| {
        terminal.draw(|frame| view::draw(frame, &ui, session, fixture::now())).map(|done| done.count).ok()
    });
}

#[divan::bench(sample_count = 1_000, sample_size = 1)]
fn overview_200x60(bencher: Bencher) {
    frame(bencher, &fixture::gate_open(), ((200, 60), Pane::Alarms, Zoom::Overview));
}

#[divan::bench(sample_count = 1_000, sample_size = 1)]
fn overview_200x60_with_a_full_ring(bencher: Bencher) {
    let mut session = fixture::gate_open();
    for _ in 0..800 {
        fixture_parts::fill_logs(&mut session, fixture::now());
    }
    frame(bencher, &session, ((200, 60), Pane::Logs, Zoom::Overview));
}

#[divan::bench(sample_count = 1_000, sample_size = 1)]
fn analysis_200x60(bencher: Bencher) {
    frame(bencher, &fixture::gate_open(), ((200, 60), Pane::Rca, Zoom::Zoomed));
}

#[divan::bench(sample_count = 1_000, sample_size = 1)]
fn armed_step_80x24(bencher: Bencher) {
    frame(bencher, &fixture::armed(), ((80, 24), Pane::Remediation, Zoom::Overview));
}
