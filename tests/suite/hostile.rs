//! Invariant 10, byte for byte: hostile text in every place where others' text is shown, drawn through the writer that the
//! terminal has, read by a strict reader of what we may write, and by a terminal whose cells are compared with what was meant.

use std::io;
use std::num::NonZero;
use std::sync::{Arc, Mutex};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use jiff::{SignedDuration, Timestamp};
use pagerdeck::domain::fault::{Fault, FaultKind};
use pagerdeck::domain::observation::log::{BatchSummary, LogGroup, LogLine, RawLogEvent, ingest};
use pagerdeck::domain::remediation::step::{Shortfall, StepState};
use pagerdeck::runtime::terminal::TapedScreen;
use pagerdeck::session::event::{Event, SessionEvent};
use pagerdeck::session::feeds::{Feed, FeedHealth, FeedId};
use pagerdeck::session::logs::LogBoard;
use pagerdeck::session::{Record, Session};
use pagerdeck::ui::input::Input;
use pagerdeck::ui::model::{Instants, Pane, Size, Ui, UiOptions, Zoom};
use pagerdeck::ui::{update, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr as _;

use super::grammar::{self, Stretch};
use super::{fixture, hostile_lines};

/// Bytes up to which a frame may go without brackets.
const SHORT: usize = 128;

const SIZES: [(u16, u16); 5] = [(80, 24), (120, 40), (60, 16), (200, 60), (300, 90)];

/// The terminal of these tests takes U+FFFD for a broken byte and prints nothing; every other one prints it, one cell wide.
const REPLACED: &str = "□";

/// A terminal that is written to, and what it was sent.
#[derive(Clone, Default)]
pub struct Tape(Arc<Mutex<Vec<Vec<u8>>>>);

impl io::Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Tape {
    /// What was written since the last time, write by write.
    pub fn writes(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

fn parser((cols, rows): (u16, u16)) -> vt100::Parser {
    vt100::Parser::new(NonZero::new(rows).unwrap(), NonZero::new(cols).unwrap(), 0)
}

/// A screen of ours before a terminal, frame by frame.
struct Bench {
    tape: Tape,
    screen: TapedScreen,
    seen: vt100::Parser,
    size: (u16, u16),
}

impl Bench {
    fn new(size: (u16, u16)) -> Self {
        let tape = Tape::default();
        let screen = TapedScreen::new(tape.clone(), Size { cols: size.0, rows: size.1 }).unwrap();
        Self { tape, screen, seen: parser(size), size }
    }

    /// Draws, reads every byte strictly, and lets the terminal have them.
    fn draws(&mut self, ui: &Ui, session: &Session) {
        self.screen.link(view::links(ui, session, fixture::now()));
        self.screen.draw(|frame| view::draw(frame, ui, session, fixture::now())).unwrap();
        let writes = self.tape.writes();
        assert!(writes.len() <= 1, "a frame is one write");
        for write in writes {
            let frames = grammar::read(&write, Stretch::Frames).unwrap_or_else(|wrong| panic!("{wrong}"));
            assert!(frames == 1 || frames == 0 && write.len() <= SHORT, "{frames} frames in {} bytes", write.len());
            self.seen
                .process(String::from_utf8(write).unwrap().replace(char::REPLACEMENT_CHARACTER, REPLACED).as_bytes());
        }
    }

    fn shows_what_was_meant(&self, ui: &Ui, session: &Session, told: &str) {
        let meant = meant(ui, session);
        if let Some(wrong) = differs(&meant, self.seen.screen()) {
            panic!("{told}, {:?} {:?} {:?}: {wrong}", self.size, ui.focus, ui.zoom);
        }
    }
}

fn meant(ui: &Ui, session: &Session) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(ui.size.cols, ui.size.rows)).unwrap();
    terminal.draw(|frame| view::draw(frame, ui, session, fixture::now())).unwrap();
    terminal.backend().buffer().clone()
}

/// The first cell that a terminal shows otherwise than it was meant: its text, where it begins and ends, and its style.
fn differs(meant: &Buffer, screen: &vt100::Screen) -> Option<String> {
    for y in 0..meant.area.height {
        let mut x = 0;
        while x < meant.area.width {
            let cell = &meant[(x, y)];
            let width = (cell.symbol().width() as u16).max(1);
            let shown: String = (x..(x + width).min(meant.area.width))
                .map(|x| screen.cell(y, x).map_or("", vt100::Cell::contents))
                .collect();
            let shown = if shown.is_empty() { " ".to_owned() } else { shown };
            let text = cell.symbol().replace(char::REPLACEMENT_CHARACTER, REPLACED);
            let style = screen.cell(y, x).map(|cell| seen_of(style_of(cell), &shown));
            if shown != text || style != Some(seen_of(style_meant(cell), &shown)) {
                return Some(format!(
                    "at column {x}, row {y} {:?} was meant ({:?}), {shown:?} is shown ({style:?}): {:?}",
                    cell.symbol(),
                    style_meant(cell),
                    row(screen, y),
                ));
            }
            x += width;
        }
    }
    None
}

fn row(screen: &vt100::Screen, y: u16) -> String {
    screen.rows(0, screen.size().1.into()).nth(y.into()).unwrap_or_default()
}

type Style = (vt100::Color, vt100::Color, [bool; 3]);

fn style_of(cell: &vt100::Cell) -> Style {
    (cell.fgcolor(), cell.bgcolor(), [cell.bold(), cell.underline(), cell.inverse()])
}

/// Nobody sees what colour a blank is written in.
fn seen_of((fg, bg, [bold, underlined, reversed]): Style, text: &str) -> Style {
    match text {
        " " if !reversed && !underlined => (vt100::Color::Default, bg, [false; 3]),
        _ => (fg, bg, [bold, underlined, reversed]),
    }
}

fn style_meant(cell: &Cell) -> Style {
    let has = |modifier| cell.modifier.contains(modifier);
    (colour(cell.fg), colour(cell.bg), [has(Modifier::BOLD), has(Modifier::UNDERLINED), has(Modifier::REVERSED)])
}

fn colour(colour: Color) -> vt100::Color {
    let names = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    match colour {
        Color::Reset => vt100::Color::Default,
        Color::Indexed(index) => vt100::Color::Idx(index),
        other => names
            .iter()
            .position(|name| *name == other)
            .map_or(vt100::Color::Rgb(0, 0, 0), |index| vt100::Color::Idx(index as u8)),
    }
}

/// A session in which every text that others write is one of these.
fn poisoned(texts: &[String]) -> Session {
    let mut turn = texts.iter().cycle();
    let mut next = || turn.next().unwrap().clone();
    let mut session = fixture::gate_open();
    let mut alarm = session.alarms.values().next().unwrap().clone();
    for _ in 0..6 {
        alarm.name = next().into();
        alarm.description = next();
        alarm.reason = next();
        session.alarms.insert(alarm.name.clone(), alarm.clone());
    }
    session.logs = LogBoard::default();
    fold_lines(&mut session, texts);
    session.timeline.fold(&Record {
        seq: 900,
        at: fixture::now(),
        incident: None,
        event: Event::Session(SessionEvent::Noted { text: next() }),
    });
    let fault = Fault::new(FaultKind::Denied, next()).cause(next()).hint(next());
    let lost = Feed { health: FeedHealth::Lost { fault: fault.clone() }, ..Feed::default() };
    session.feeds.insert(FeedId::Metrics, lost);
    session.header.environment = format!("PROD{}", next().chars().take(12).collect::<String>());
    let incident = fixture::incident(&mut session);
    incident.service.name = next().into();
    incident.alarms.push(next().into());
    for claim in &mut incident.narrative.claims {
        claim.text = next().chars().take(4_000).collect();
    }
    // The model's text has a bound of its own, far below a flood's.
    incident.narrative.text = texts.iter().flat_map(|text| text.chars().take(2_000).chain(['\n'])).collect();
    incident.narrative.claimed = 0;
    incident.narrative.fault = Some(fault);
    for evidence in &mut incident.evidence {
        evidence.query = next();
    }
    let step = &mut incident.plan.as_mut().unwrap().steps[0];
    let rehearsal = step.rehearsal.as_mut().unwrap();
    (rehearsal.diff[0].path, rehearsal.diff[0].after) = (next(), Some(next()));
    (rehearsal.checks[0].name, rehearsal.checks[0].text) = (next(), next());
    (rehearsal.undo, rehearsal.blast) = (next(), next());
    step.state = StepState::Failed { why: next(), by: Shortfall::NotReached };
    session
}

/// The way of a log line: cleaned, classified, counted, kept.
fn fold_lines(session: &mut Session, texts: &[String]) {
    let group = LogGroup::from("/ecs/my-api");
    let line = |(n, text): (usize, &String)| {
        let at = fixture::now() - SignedDuration::from_secs(60 - i64::try_from(n % 60).unwrap());
        let raw = RawLogEvent {
            id: format!("e{n}").into(),
            at,
            stream: text.chars().take(40).collect(),
            message: text.clone(),
        };
        ingest(raw, &group)
    };
    let mut lines: Vec<LogLine> = texts.iter().enumerate().map(line).collect();
    lines.sort_by_key(|line| line.at);
    let mut summary = BatchSummary::default();
    for line in &lines {
        summary.add(line);
    }
    session.logs.fold_batch(&group, &summary, &lines);
}

fn at(now: Timestamp) -> Instants {
    Instants { now, mono_ms: 1_000_000 }
}

fn press(ui: &mut Ui, session: &Session, code: KeyCode) {
    update::update(ui, Input::Key(KeyEvent::new(code, KeyModifiers::NONE)), session, at(fixture::now()));
}

/// The panes, whole and zoomed, and what can be opened or written in them.
fn views(ui: &mut Ui, session: &Session, text: &str, mut each: impl FnMut(&Ui)) {
    for focus in Pane::ALL {
        for zoom in [Zoom::Overview, Zoom::Zoomed] {
            (ui.focus, ui.zoom) = (focus, zoom);
            each(ui);
        }
        for key in [KeyCode::Enter, KeyCode::Char('v'), KeyCode::Esc] {
            press(ui, session, key);
            each(ui);
        }
        ui.overlay = None;
    }
    for (pane, key) in [(Pane::Logs, '/'), (Pane::Alarms, 'm'), (Pane::Alarms, ':'), (Pane::Alarms, '?')] {
        ui.focus = pane;
        press(ui, session, KeyCode::Char(key));
        update::update(ui, Input::Paste(text.to_owned()), session, at(fixture::now()));
        for letter in text.chars().filter(|letter| !letter.is_control()).take(20) {
            press(ui, session, KeyCode::Char(letter));
        }
        each(ui);
        ui.overlay = None;
        (ui.logs.search, ui.alarms.search) = (None, None);
    }
}

#[test]
fn five_hundred_hostile_lines_drive_nothing_and_misplace_nothing() {
    let texts = hostile_lines::texts();
    assert!(texts.len() >= 500, "{}", texts.len());
    let mut frames = 0;
    for (batch, texts) in texts.chunks(60).enumerate() {
        let session = poisoned(texts);
        let size = SIZES[batch % SIZES.len()];
        let mut bench = Bench::new(size);
        let mut ui = Ui::new(UiOptions::default(), Size { cols: size.0, rows: size.1 });
        let text = texts[batch % texts.len()].chars().take(200).collect::<String>();
        let mut turn = 0;
        views(&mut ui, &session, &text, |ui| {
            turn += 1;
            // A large screen has the same panes at more cells: every third of its frames is enough.
            if size.0 >= 200 && turn % 3 != 0 {
                return;
            }
            bench.draws(ui, &session);
            bench.shows_what_was_meant(ui, &session, &format!("lines {}..", batch * 60));
            frames += 1;
        });
        // What frames upon frames have come to is what one that knows of none before it draws.
        let mut fresh = Bench::new(size);
        fresh.draws(&ui, &session);
        fresh.shows_what_was_meant(&ui, &session, "afresh");
        bench.draws(&ui, &session);
        bench.shows_what_was_meant(&ui, &session, "in the end");
    }
    assert!(frames > 200, "{frames}");
}

/// Sizes come faster than frames: the terminal has the next one before the frame of the last is written. Once the last size
/// is known, what is shown is what a fresh screen of that size shows.
#[test]
fn a_storm_of_sizes_leaves_no_wrong_cell() {
    let sessions = [fixture::gate_open(), fixture::stale(), fixture::armed(), poisoned(&hostile_lines::texts()[..40])];
    let mut bench = Bench::new((80, 24));
    let mut ui = Ui::new(UiOptions::default(), Size::default());
    let mut state = 7_u32;
    let mut next = |bound: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % bound
    };
    for storm in 0..150 {
        let session = &sessions[storm % sessions.len()];
        ui.focus = Pane::ALL[storm % 6];
        let size = (20 + next(220) as u16, 3 + next(70) as u16);
        // The terminal is of that size already; we are not.
        bench.seen.screen_mut().set_size(NonZero::new(size.1).unwrap(), NonZero::new(size.0).unwrap());
        bench.draws(&ui, session);
        if next(3) == 0 {
            continue;
        }
        ui.size = Size { cols: size.0, rows: size.1 };
        (bench.size, ui.zoom) = (size, if next(4) == 0 { Zoom::Zoomed } else { Zoom::Overview });
        bench.screen.resized(ui.size);
        bench.draws(&ui, session);
        bench.shows_what_was_meant(&ui, session, "after a size");
    }
}
