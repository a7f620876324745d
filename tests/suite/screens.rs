//! What a person sees: the founding story at its moments and what is missing, as text and as style, at four sizes.

use crossterm::event::KeyEvent;
use jiff::Timestamp;
use pagerdeck::domain::diagnosis::evidence;
use pagerdeck::domain::observation::metric::{MetricRole, Point};
use pagerdeck::domain::remediation::step::{Shortfall, StepState};
use pagerdeck::session::Session;
use pagerdeck::session::incident::Phase;
use pagerdeck::ui::input::Input;
use pagerdeck::ui::keymap::chord;
use pagerdeck::ui::model::{Colours, Glyphs, Instants, Pace, Pane, Size, Ui, UiOptions, Zoom};
use pagerdeck::ui::{update, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::fixture;

/// A screen of a size, with a pane focused.
pub fn ui((cols, rows): (u16, u16), focus: Pane, zoom: Zoom) -> Ui {
    let mut ui = Ui::new(UiOptions::default(), Size { cols, rows });
    ui.focus = focus;
    ui.zoom = zoom;
    ui
}

fn buffer(ui: &Ui, session: &Session, now: Timestamp) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(ui.size.cols, ui.size.rows)).unwrap();
    terminal.draw(|frame| view::draw(frame, ui, session, now)).unwrap();
    terminal.backend().buffer().clone()
}

fn text_of(buffer: &Buffer) -> String {
    let rows = (0..buffer.area.height).map(|y| {
        let row: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
        row.trim_end().to_owned() + "\n"
    });
    rows.collect()
}

pub fn text(ui: &Ui, session: &Session) -> String {
    text_of(&buffer(ui, session, fixture::now()))
}

/// One letter a cell: what colour and shape it has. `.` is plain.
fn style_of(buffer: &Buffer) -> String {
    let letter = |x: u16, y: u16| {
        let cell = &buffer[(x, y)];
        let reversed = cell.modifier.contains(Modifier::REVERSED);
        let letter = match cell.fg {
            Color::Red | Color::LightRed => 'r',
            Color::Green | Color::LightGreen => 'g',
            Color::Yellow | Color::LightYellow => 'y',
            Color::Blue | Color::LightBlue => 'b',
            Color::Magenta | Color::LightMagenta => 'm',
            Color::Cyan | Color::LightCyan => 'c',
            Color::DarkGray => 'd',
            _ if cell.modifier.contains(Modifier::BOLD) => 'w',
            _ => '.',
        };
        if reversed { letter.to_ascii_uppercase() } else { letter }
    };
    let rows = (0..buffer.area.height).map(|y| {
        let row: String = (0..buffer.area.width).map(|x| letter(x, y)).collect();
        row.trim_end_matches('.').to_owned() + "\n"
    });
    rows.collect()
}

macro_rules! screen {
    ($name:ident, $session:expr, $size:expr, $focus:expr, $zoom:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(text(&ui($size, $focus, $zoom), &$session));
        }
    };
}

screen!(empty_80x24, fixture::empty(), (80, 24), Pane::Alarms, Zoom::Overview);
screen!(triage_80x24, fixture::triage(), (80, 24), Pane::Alarms, Zoom::Overview);
screen!(triage_120x40, fixture::triage(), (120, 40), Pane::Alarms, Zoom::Overview);
screen!(streaming_120x40, fixture::streaming(), (120, 40), Pane::Alarms, Zoom::Overview);
screen!(streaming_rca_80x24, fixture::streaming(), (80, 24), Pane::Rca, Zoom::Zoomed);
screen!(gate_open_200x60, fixture::gate_open(), (200, 60), Pane::Alarms, Zoom::Overview);
screen!(gate_open_rca_200x60, fixture::gate_open(), (200, 60), Pane::Rca, Zoom::Zoomed);
screen!(gate_open_step_80x24, fixture::gate_open(), (80, 24), Pane::Remediation, Zoom::Overview);
screen!(gate_open_60x16, fixture::gate_open(), (60, 16), Pane::Logs, Zoom::Overview);
screen!(gate_open_metrics_80x24, fixture::gate_open(), (80, 24), Pane::Metrics, Zoom::Overview);
screen!(armed_80x24, fixture::armed(), (80, 24), Pane::Remediation, Zoom::Overview);
screen!(armed_200x60, fixture::armed(), (200, 60), Pane::Remediation, Zoom::Overview);
screen!(armed_60x16, fixture::armed(), (60, 16), Pane::Remediation, Zoom::Overview);
screen!(armed_40x10, fixture::armed(), (40, 10), Pane::Remediation, Zoom::Overview);
screen!(locked_120x40, fixture::locked(), (120, 40), Pane::Rca, Zoom::Zoomed);
screen!(stale_120x40, fixture::stale(), (120, 40), Pane::Logs, Zoom::Overview);
screen!(denied_80x24, fixture::denied(), (80, 24), Pane::Alarms, Zoom::Overview);
screen!(no_data_120x40, fixture::no_data(), (120, 40), Pane::Alarms, Zoom::Overview);

screen!(gate_open_step_60x16, fixture::gate_open(), (60, 16), Pane::Remediation, Zoom::Overview);
screen!(gate_open_logs_200x60, fixture::gate_open(), (200, 60), Pane::Logs, Zoom::Zoomed);
screen!(gate_open_rca_60x16, fixture::gate_open(), (60, 16), Pane::Rca, Zoom::Overview);
screen!(gate_open_300x90, fixture::gate_open(), (300, 90), Pane::Rca, Zoom::Overview);

/// A screen after keys, each pressed two seconds after the one before.
pub fn after((size, session): ((u16, u16), &Session), keys: &str) -> Ui {
    let mut ui = ui(size, Pane::Alarms, Zoom::Overview);
    for (n, key) in keys.split_whitespace().enumerate() {
        let at = Instants { now: fixture::now(), mono_ms: n as u64 * 2_000 };
        update::prepare(&mut ui, session, at);
        update::drawn(&mut ui, session, at);
        for chord in chord::parse(key).unwrap() {
            let event = KeyEvent::new(chord.code, chord.modifiers);
            drop(update::update(&mut ui, Input::Key(event), session, at));
        }
        update::prepare(&mut ui, session, at);
    }
    ui
}

macro_rules! screen_after {
    ($name:ident, $session:expr, $size:expr, $keys:expr) => {
        #[test]
        fn $name() {
            let session = $session;
            insta::assert_snapshot!(text(&after(($size, &session), $keys), &session));
        }
    };
}

screen_after!(opened_alarm_120x40, fixture::gate_open(), (120, 40), "1 enter");
screen_after!(opened_evidence_60x16, fixture::gate_open(), (60, 16), "4 j j enter");
screen_after!(opened_metric_120x40, fixture::gate_open(), (120, 40), "2 enter");
screen_after!(opened_metric_with_days_120x40, fixture::by_the_hour(), (120, 40), "2 enter");
screen_after!(opened_line_80x24, fixture::gate_open(), (80, 24), "3 k k enter");
screen_after!(opened_evidence_80x24, fixture::gate_open(), (80, 24), "4 j enter");
screen_after!(opened_step_120x40, fixture::gate_open(), (120, 40), "5 z enter");
screen_after!(opened_workload_80x24, fixture::gate_open(), (80, 24), "K");
screen_after!(opened_raw_80x24, fixture::gate_open(), (80, 24), "1 v / s t a t e enter");
screen_after!(logs_by_template_120x40, fixture::gate_open(), (120, 40), "3 z T");
screen_after!(logs_pointed_at_120x40, fixture::gate_open(), (120, 40), "3 k k k b");
screen_after!(logs_wrapped_80x24, fixture::gate_open(), (80, 24), "3 z u");
screen_after!(logs_columns_80x24, fixture::gate_open(), (80, 24), "3 c");
screen_after!(citation_120x40, fixture::gate_open(), (120, 40), "4 z c c");
screen!(game_day_200x60, fixture::game_day(), (200, 60), Pane::Alarms, Zoom::Overview);
screen_after!(game_day_palette_80x24, fixture::game_day(), (80, 24), ": l o g s space d e n space 5 m");
screen_after!(palette_80x24, fixture::gate_open(), (80, 24), ": n e");
screen_after!(help_80x24, fixture::gate_open(), (80, 24), "? l o g");
screen_after!(closed_rca_120x40, fixture::closed(), (120, 40), "4 z");
screen_after!(markdown_120x40, fixture::markdown(), (120, 40), "4 z");

/// The screen once it has fallen quiet: its charts have room for what comes, and say where the present is.
fn quiet((size, glyphs): ((u16, u16), Glyphs)) -> String {
    let mut ui = ui(size, Pane::Metrics, Zoom::Overview);
    (ui.pace, ui.options.glyphs) = (Pace::Quiet, glyphs);
    text(&ui, &fixture::gate_open())
}

macro_rules! quiet_screen {
    ($name:ident, $size:expr, $glyphs:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(quiet(($size, $glyphs)));
        }
    };
}

quiet_screen!(quiet_80x24, (80, 24), Glyphs::Unicode);
quiet_screen!(quiet_120x40, (120, 40), Glyphs::Unicode);
quiet_screen!(quiet_200x60, (200, 60), Glyphs::Unicode);
quiet_screen!(quiet_ascii_120x40, (120, 40), Glyphs::Ascii);

/// What a replay has: the counts of lines, and not one of their texts.
#[test]
fn a_replay_says_that_no_line_is_kept_instead_of_counting_none() {
    let mut session = fixture::gate_open();
    session.logs = session.durable().logs;
    let shown = |keys: &str| text(&after(((120, 40), &session), keys), &session);
    for keys in ["3 z", "3 z T"] {
        let shown = shown(keys);
        assert!(shown.contains("A journal keeps counts, not the text of lines."), "{shown}");
        assert!(shown.contains("E8 has their templates") && !shown.contains("0 templates"), "{shown}");
    }
    let searched = shown("3 z / o r d e r enter");
    assert!(searched.contains("/order  no line is kept") && !searched.contains("0 of 0"), "{searched}");
    let sought = shown("3 z e");
    assert!(sought.contains("A journal keeps no lines to look through"), "{sought}");
}

#[test]
fn frozen_charts_stay_and_count_what_they_withhold() {
    let mut session = fixture::gate_open();
    let ui = after(((120, 40), &session), "2 p");
    let before = text(&ui, &session);
    assert!(before.contains("PAUSED +0"), "{before}");
    let series = session.metrics.values_mut().next().unwrap().get_mut(&MetricRole::Cpu).unwrap();
    series.points.push(Point { at: fixture::now() + jiff::SignedDuration::from_secs(53), value: 12.0 });
    // The alarm on it tells the newest point: pane 1 is not frozen.
    let expected = before.replace("PAUSED +0", "PAUSED +1").replace("97.8% >85% ", "12% >85%   ");
    assert_eq!(text(&ui, &session), expected);
}

#[test]
fn earlier_days_are_told_apart_without_colour_and_in_ascii() {
    let session = fixture::by_the_hour();
    let mut ui = after(((80, 24), &session), "2 enter");
    (ui.options.colours, ui.options.glyphs) = (Colours::Mono, Glyphs::Ascii);
    let shown = text(&ui, &session);
    assert!(shown.is_ascii(), "{shown}");
    let drawn: String = shown.lines().filter_map(|row| row.get(6..)?.strip_prefix('|')).collect();
    for sign in ['1', '2', '7', 'w', '*'] {
        assert!(drawn.contains(sign), "{sign} is not drawn:\n{shown}");
    }
    assert!(shown.contains("1 day  2 days  7 days  w 14 days before"), "{shown}");
    assert!(shown.contains("on the 4 days before: UNLIKE them"), "{shown}");
}

#[test]
fn a_metric_says_what_is_not_known_of_the_days_before() {
    let with = |earlier: Result<&[Point], String>| {
        let mut session = fixture::gate_open();
        for piece in &mut fixture::incident(&mut session).evidence {
            piece.answer = evidence::with_same_hours(piece.answer.clone(), earlier.clone());
        }
        text(&after(((80, 24), &session), "2 enter"), &session)
    };
    let (few, unread) = (with(Ok(&[])), with(Err("GetMetricData was throttled.".to_owned())));
    assert!(few.contains("too few of the days before"), "{few}");
    assert!(unread.contains("could not be read: GetMetricData was throttled."), "{unread}");
}

#[test]
fn the_style_of_an_opened_metric() {
    let session = fixture::gate_open();
    let ui = after(((80, 24), &session), "2 enter");
    insta::assert_snapshot!(style_of(&buffer(&ui, &session, fixture::now())));
}

#[test]
fn the_style_of_the_logs_at_an_instant() {
    let session = fixture::gate_open();
    let ui = after(((120, 40), &session), "3 z k k k b");
    insta::assert_snapshot!(style_of(&buffer(&ui, &session, fixture::now())));
}

#[test]
fn the_style_of_an_armed_step() {
    let ui = ui((80, 24), Pane::Remediation, Zoom::Overview);
    insta::assert_snapshot!(style_of(&buffer(&ui, &fixture::armed(), fixture::now())));
}

#[test]
fn the_style_of_the_overview() {
    let ui = ui((120, 40), Pane::Alarms, Zoom::Overview);
    insta::assert_snapshot!(style_of(&buffer(&ui, &fixture::gate_open(), fixture::now())));
}

fn every_screen(check: impl Fn(&Ui, &Session)) {
    let sessions = [
        fixture::empty(),
        fixture::triage(),
        fixture::streaming(),
        fixture::gate_open(),
        fixture::armed(),
        fixture::locked(),
        fixture::stale(),
        fixture::denied(),
        fixture::no_data(),
        fixture::closed(),
        fixture::markdown(),
    ];
    for session in &sessions {
        for size in [(20, 3), (60, 16), (80, 24), (121, 33), (200, 60)] {
            for focus in Pane::ALL {
                for zoom in [Zoom::Overview, Zoom::Zoomed] {
                    check(&ui(size, focus, zoom), session);
                }
            }
        }
    }
}

#[test]
fn without_colour_nothing_has_a_colour_and_without_utf8_nothing_is_beyond_ascii() {
    every_screen(|ui, session| {
        let mut ui = ui.clone();
        ui.options.colours = Colours::Mono;
        ui.options.glyphs = Glyphs::Ascii;
        for cell in buffer(&ui, session, fixture::now()).content() {
            assert_eq!((cell.fg, cell.bg), (Color::Reset, Color::Reset));
            assert!(cell.symbol().is_ascii(), "{:?} at {:?} {:?}", cell.symbol(), ui.size, ui.focus);
        }
    });
}

#[test]
fn where_and_whether_it_may_move_the_world_is_on_every_screen() {
    every_screen(|ui, session| {
        let first = text(ui, session).lines().next().unwrap_or_default().to_owned();
        if ui.size.cols >= 60 {
            assert!(first.contains("PROD") && first.contains(session.header.mode.word()), "{first}");
        }
    });
}

#[test]
fn a_hostile_text_never_reaches_the_terminal() {
    let hostile = "\u{1b}[2J\u{202e}x\u{7}\r\n\u{9b}31m\u{200b}";
    let mut session = fixture::gate_open();
    session.header.environment = format!("PROD{hostile}");
    let mut alarm = session.alarms.values().next().unwrap().clone();
    alarm.name = hostile.into();
    alarm.reason = hostile.to_owned();
    session.alarms.insert(alarm.name.clone(), alarm);
    let incident = fixture::incident(&mut session);
    incident.service.name = hostile.into();
    incident.narrative.claims[0].text = hostile.repeat(3);
    incident.narrative.text.push_str(hostile);
    incident.evidence[0].query = hostile.to_owned();
    let step = &mut incident.plan.as_mut().unwrap().steps[0];
    let rehearsal = step.rehearsal.as_mut().unwrap();
    rehearsal.diff[0].after = Some(hostile.to_owned());
    rehearsal.checks[0].name = hostile.to_owned();
    rehearsal.undo = hostile.to_owned();
    step.state = StepState::Failed { why: hostile.to_owned(), by: Shortfall::NotReached };
    for focus in Pane::ALL {
        for zoom in [Zoom::Overview, Zoom::Zoomed] {
            for cell in buffer(&ui((200, 60), focus, zoom), &session, fixture::now()).content() {
                let bad = |c: char| {
                    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200b}')
                };
                assert!(!cell.symbol().chars().any(bad), "{:?}", cell.symbol());
            }
        }
    }
}

#[test]
fn a_lost_feed_keeps_its_last_data_on_screen() {
    let shown = text(&ui((120, 40), Pane::Metrics, Zoom::Overview), &fixture::stale());
    assert!(shown.contains("STALE 3m12s ERR Credentials"), "{shown}");
    assert!(shown.contains("97.8%") && shown.contains("creds EXPIRED"), "{shown}");
    let wide = text(&ui((200, 60), Pane::Metrics, Zoom::Overview), &fixture::stale());
    assert!(wide.contains("RETRY in 3.2s (2nd, Throttled)"), "{wide}");
}

#[test]
fn every_fact_of_a_decision_is_on_screen_at_the_least_size() {
    let shown = text(&ui((60, 16), Pane::Remediation, Zoom::Overview), &fixture::armed());
    let facts = [
        "*** LIVE ***",
        "OPTION 1 of 2",
        "ARMED",
        "expires in 47s",
        "WHAT",
        "PATCH deployments/my-api",
        "WHERE",
        "eks-prod",
        "WHO",
        "WHY",
        "E1 E2 E3",
        "UNDO",
        "revision 41",
        "REHEARSED",
        "restartedAt",
        "[!!] freeze: from 10:00Z",
        "[--]",
        "This WILL restart 6 pods",
        "confirm type my-api",
        "Enter>",
        "stand down",
    ];
    for fact in facts {
        assert!(shown.contains(fact), "{fact}\n{shown}");
    }
}

#[test]
fn a_path_gives_way_to_the_values_that_would_change() {
    let mut session = fixture::gate_open();
    fixture::set_step(&mut session, StepState::Approved);
    fixture::incident(&mut session).phase = Phase::Closed;
    let shown = text(&ui((60, 16), Pane::Remediation, Zoom::Overview), &session);
    for side in ["restartedAt", "2026-04-11T22:10:03Z", "2026-05-01T09:30:49Z", "x transcript"] {
        assert!(shown.contains(side), "{side}\n{shown}");
    }
}

#[test]
fn every_fact_of_a_decision_is_on_screen_at_80x24() {
    let shown = text(&ui((80, 24), Pane::Remediation, Zoom::Overview), &fixture::armed());
    let facts = ["WHAT", "PATCH deployments/my-api", "WHERE", "eks-prod", "123456789012", "WHO", "oncall-ro", "WHY"];
    let more =
        ["6 pods", "UNDO", "revision 41", "REHEARSED", "restartedAt", "[!!] freeze: from 10:00Z", "[--]", "[ok]"];
    let end = ["This WILL restart 6 pods of deployment/my-api in PROD.", "confirm>", "stands down", "expires in 47s"];
    for fact in facts.into_iter().chain(more).chain(end) {
        assert!(shown.contains(fact), "{fact}\n{shown}");
    }
}
