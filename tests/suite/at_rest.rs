//! What a screen at rest writes: nothing but its clock, coarse ages, and what is new.

use jiff::{SignedDuration, Timestamp};
use pagerdeck::domain::fault::{Fault, FaultKind};
use pagerdeck::domain::observation::metric::{Point, Series};
use pagerdeck::runtime::terminal::TapedScreen;
use pagerdeck::session::Session;
use pagerdeck::session::feeds::{FeedHealth, FeedId};
use pagerdeck::session::state::Credentials;
use pagerdeck::ui::model::{Instants, Pace, Size, Ui, UiOptions};
use pagerdeck::ui::{format, update, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;

use super::fixture;
use super::hostile::Tape;

const MINUTES: i64 = 30;

/// The frames of half an hour in which nobody presses a key and every feed answers every few seconds; `happens` is what
/// else there is at each of these looks.
fn frames(session: Session, happens: impl FnMut(&mut Session, Timestamp)) -> Vec<Vec<u8>> {
    looks(session, MINUTES, happens).into_iter().filter(|frame| !frame.is_empty()).collect()
}

/// What each of these looks wrote, but for the first one, which is the whole screen.
fn looks(mut session: Session, minutes: i64, mut happens: impl FnMut(&mut Session, Timestamp)) -> Vec<Vec<u8>> {
    let size = Size { cols: 120, rows: 40 };
    let (tape, mut ui) = (Tape::default(), Ui::new(UiOptions::default(), size));
    ui.pace = Pace::Quiet;
    let mut screen = TapedScreen::new(tape.clone(), size).unwrap();
    let mut written = Vec::new();
    for look in 0..minutes * 12 {
        let now = fixture::now() + SignedDuration::from_secs(look * 5);
        session.now = now;
        for feed in session.feeds.values_mut() {
            feed.answered_at = Some(now);
        }
        happens(&mut session, now);
        update::prepare(&mut ui, &session, Instants { now, mono_ms: look as u64 * 5_000 });
        screen.draw(|frame| view::draw(frame, &ui, &session, now)).unwrap();
        written.push(tape.writes().concat());
    }
    written.remove(0);
    written
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

/// Gives each series its next point with the minute, as much off the one before as a service under steady load is: the
/// cockpit holds them until then.
fn goes_on(session: &mut Session, now: Timestamp) {
    for series in session.metrics.values_mut().flat_map(|by_role| by_role.values_mut()) {
        let Some(last) = series.latest() else { continue };
        let at = last.at + SignedDuration::from_mins(1);
        if at + SignedDuration::from_mins(1) <= now {
            let off = [-0.003, 0.002, 0.001, -0.001][(at.as_second() / 60).rem_euclid(4) as usize];
            series.points.push(Point { at, value: last.value * (1.0 + off) });
        }
    }
}

/// The goal is two bytes a second. Every half hour the charts move on and are drawn anew; the minutes in which an age reaches
/// its next step, or a count grows old, cost a little more.
#[test]
fn an_hour_with_an_open_incident_and_series_that_go_on_costs_two_bytes_a_second() {
    let mut session = fixture::gate_open();
    // Its credentials last: a time that runs down is told as well.
    session.credentials = Credentials::Lasting;
    let mut minutes = vec![Minute::default(); 60];
    for ((look, seconds), frame) in (5_i64..).step_by(5).enumerate().zip(looks(session, 60, goes_on)) {
        let at = fixture::now() + SignedDuration::from_secs(seconds);
        let minute = &mut minutes[look / 12];
        minute.shifts |= at.as_second() / 1_800 != (at.as_second() - 5) / 1_800;
        minute.bytes += frame.len();
        minute.frames += usize::from(!frame.is_empty());
    }
    let whole: usize = minutes.iter().map(|minute| minute.bytes).sum();
    assert!(whole <= 6_600, "{whole} bytes: {minutes:?}");
    let shifts: Vec<usize> = minutes.iter().filter(|minute| minute.shifts).map(|minute| minute.bytes).collect();
    assert!(shifts.len() == 2 && shifts.iter().all(|bytes| *bytes <= 600), "{shifts:?}");
    let still = minutes.windows(2).filter(|two| two.iter().all(|minute| !minute.shifts));
    let mut pairs: Vec<usize> = still.map(|two| two[0].bytes + two[1].bytes).collect();
    pairs.sort_unstable();
    let over = pairs.iter().filter(|bytes| **bytes > 240).count();
    assert!(over <= 4 && pairs.last().is_some_and(|most| *most <= 320), "{pairs:?}");
    let frames: usize = minutes.iter().map(|minute| minute.frames).sum();
    assert!(frames <= minutes.len() + 4, "one frame a minute, and what must not wait: {minutes:?}");
}

/// What one minute wrote.
#[derive(Clone, Copy, Debug, Default)]
struct Minute {
    bytes: usize,
    frames: usize,
    shifts: bool,
}

#[test]
fn a_feed_that_dies_is_told_with_the_next_look() {
    let fault = || Fault::new(FaultKind::Denied, "No.");
    let mut session = fixture::gate_open();
    session.metrics.clear();
    let written = looks(session, MINUTES, |session, now| {
        if now >= fixture::now() + SignedDuration::from_secs(20) {
            session.feeds.entry(FeedId::Metrics).or_default().health = FeedHealth::Lost { fault: fault() };
        }
    });
    assert!(String::from_utf8_lossy(&written[3]).contains("ERR"), "{:?}", written[3]);
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
    for age in ["live <1m", "live <3m", "POLL <1m", "09:00–10:00  ◂ now"] {
        assert!(before.contains(age), "{age}:\n{before}");
    }
    let later = fixture::now() + SignedDuration::from_mins(2);
    moves(&mut session, later);
    let newest: Vec<f64> =
        session.metrics.values().flat_map(|by_role| by_role.values()).map(|s| s.latest().unwrap().value).collect();
    let after = text(&session, later);
    assert!(after.contains(&format::figure(newest[0])), "{newest:?}\n{after}");
}
