//! What a screen at rest writes: nothing but its clock, coarse ages, and what is new.

use jiff::{SignedDuration, Timestamp};
use pagerdeck::domain::observation::metric::{Point, Series};
use pagerdeck::runtime::terminal::TapedScreen;
use pagerdeck::session::Session;
use pagerdeck::ui::model::{Instants, Pace, Size, Ui, UiOptions};
use pagerdeck::ui::{format, update, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::fixture;
use super::hostile::Tape;

const MINUTES: i64 = 30;

/// The frames of half an hour in which nobody presses a key and every feed answers every few seconds; `happens` is what
/// else there is at each of these looks.
fn frames(mut session: Session, mut happens: impl FnMut(&mut Session, Timestamp)) -> Vec<Vec<u8>> {
    let size = Size { cols: 120, rows: 40 };
    let (tape, mut ui) = (Tape::default(), Ui::new(UiOptions::default(), size));
    ui.pace = Pace::Quiet;
    let mut screen = TapedScreen::new(tape.clone(), size).unwrap();
    for look in 0..MINUTES * 12 {
        let now = fixture::now() + SignedDuration::from_secs(look * 5);
        session.now = now;
        for feed in session.feeds.values_mut() {
            feed.answered_at = Some(now);
        }
        happens(&mut session, now);
        update::prepare(&mut ui, &session, Instants { now, mono_ms: look as u64 * 5_000 });
        screen.draw(|frame| view::draw(frame, &ui, &session, now)).unwrap();
    }
    let mut frames = tape.writes();
    // The first one is the whole screen.
    frames.remove(0);
    frames
}

/// Bytes a second over the half hour.
fn rate(frames: &[Vec<u8>]) -> f64 {
    frames.iter().map(Vec::len).sum::<usize>() as f64 / (MINUTES * 60) as f64
}

/// Gives each series its next point as each minute is over.
fn moves(session: &mut Session, now: Timestamp) {
    for series in session.metrics.values_mut().flat_map(|by_role| by_role.values_mut()) {
        let Some(last) = series.latest() else { continue };
        let at = last.at + SignedDuration::from_mins(1);
        if at + SignedDuration::from_secs(65) <= now {
            let value = (last.value + 3.7) % 60.0 + 20.0;
            let points: Vec<Point> = series.points.iter().copied().chain([Point { at, value }]).collect();
            *series = Series::new(series.query.clone(), series.unit, points);
        }
    }
}

/// The goal is two bytes a second over two minutes in which no age reaches its next step.
#[test]
fn a_screen_on_which_nothing_happens_writes_its_clock_and_its_ages_alone() {
    for mut session in [fixture::gate_open(), fixture::locked(), fixture::no_data(), fixture::empty()] {
        session.metrics.clear();
        let written = frames(session, |_, _| ());
        assert!(rate(&written) < 3.0, "{}", rate(&written));
        assert!(!written.is_empty(), "its clock goes on, and its ages do");
    }
}

/// Four series with a new value each minute, and every figure that is computed over them: all of it is painted.
#[test]
fn a_screen_whose_series_move_writes_what_is_new() {
    let written = frames(fixture::gate_open(), moves);
    assert!(rate(&written) < 9.0, "{}", rate(&written));
    let minutes = usize::try_from(MINUTES).unwrap();
    assert!((minutes..4 * minutes).contains(&written.len()), "{} frames: a clock and a poll a minute", written.len());
}

#[test]
fn ages_and_new_values_are_on_a_screen_at_rest() {
    let (size, mut ui) = (Size { cols: 120, rows: 40 }, Ui::default());
    (ui.size, ui.pace) = (size, Pace::Quiet);
    let mut session = fixture::gate_open();
    let text = |session: &Session, now| {
        let mut terminal = Terminal::new(TestBackend::new(size.cols, size.rows)).unwrap();
        terminal.draw(|frame| view::draw(frame, &ui, session, now)).unwrap();
        terminal.backend().to_string()
    };
    let before = text(&session, fixture::now());
    for age in ["live <1m", "live <3m", "POLL <1m", "09:00–09:40"] {
        assert!(before.contains(age), "{age}:\n{before}");
    }
    let later = fixture::now() + SignedDuration::from_mins(2);
    moves(&mut session, later);
    let newest: Vec<f64> =
        session.metrics.values().flat_map(|by_role| by_role.values()).map(|s| s.latest().unwrap().value).collect();
    let after = text(&session, later);
    assert!(after.contains(&format::figure(newest[0])), "{newest:?}\n{after}");
}
