//! What a person sees: the founding story at its moments and what is missing, as text and as style, at four sizes.

use jiff::Timestamp;
use pagerdeck::domain::remediation::step::StepState;
use pagerdeck::session::Session;
use pagerdeck::ui::model::{Colours, Glyphs, Pane, Size, Ui, UiOptions, Zoom};
use pagerdeck::ui::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::fixture;

/// A screen of a size, with a pane focused.
fn ui((cols, rows): (u16, u16), focus: Pane, zoom: Zoom) -> Ui {
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

fn text(ui: &Ui, session: &Session) -> String {
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
    step.state = StepState::Failed { why: hostile.to_owned() };
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
