//! Addresses as links of the terminal: each cell that shows a part of one leads there, and no other cell leads anywhere,
//! whatever was shown before.

use std::collections::BTreeMap;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use pagerdeck::runtime::terminal::TapedScreen;
use pagerdeck::session::Session;
use pagerdeck::ui::input::Input;
use pagerdeck::ui::model::{Instants, Size, Ui, UiOptions};
use pagerdeck::ui::{update, view};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use unicode_width::UnicodeWidthChar as _;

use super::fixture;
use super::grammar::{self, Stretch};
use super::hostile::Tape;

/// Where the cells of a terminal lead, by the little that a frame may say.
#[derive(Default)]
struct Leads(BTreeMap<(u16, u16), String>);

impl Leads {
    fn takes(&mut self, frames: &str) {
        let (mut rest, mut at, mut open) = (frames, (0_u16, 0_u16), String::new());
        while let Some(first) = rest.chars().next() {
            if let Some(link) = rest.strip_prefix("\x1b]8;") {
                let end = link.find("\x1b\\").unwrap();
                link[..end].split_once(';').unwrap().1.clone_into(&mut open);
                rest = &link[end + 2..];
            } else if let Some(sequence) = rest.strip_prefix("\x1b[") {
                let end = sequence.find(|sign: char| sign.is_ascii_alphabetic()).unwrap();
                let numbers: Vec<u16> = sequence[..end].split(';').map(|number| number.parse().unwrap_or(1)).collect();
                match &sequence[end..=end] {
                    "H" => at = (numbers[1] - 1, numbers[0] - 1),
                    "C" => at.0 += numbers[0],
                    "J" => self.0.clear(),
                    _ => {}
                }
                rest = &sequence[end + 1..];
            } else {
                if open.is_empty() {
                    self.0.remove(&at);
                } else {
                    self.0.insert(at, open.clone());
                }
                at.0 += first.width().unwrap_or(0) as u16;
                rest = &rest[first.len_utf8()..];
            }
        }
    }
}

/// A person whose terminal takes links.
struct Seat {
    ui: Ui,
    session: Session,
    tape: Tape,
    screen: TapedScreen,
    terminal: Leads,
}

impl Seat {
    fn new((cols, rows): (u16, u16)) -> Self {
        let (size, tape) = (Size { cols, rows }, Tape::default());
        let screen = TapedScreen::new(tape.clone(), size).unwrap();
        let ui = Ui::new(UiOptions::default(), size);
        Self { ui, session: fixture::gate_open(), tape, screen, terminal: Leads::default() }
    }

    fn presses(&mut self, code: KeyCode) {
        let at = Instants { now: fixture::now(), mono_ms: 1_000_000 };
        update::update(&mut self.ui, Input::Key(KeyEvent::new(code, KeyModifiers::NONE)), &self.session, at);
    }

    /// Draws, and gives the text that leads to each address.
    fn draws(&mut self) -> BTreeMap<String, String> {
        let links = view::links(&self.ui, &self.session, fixture::now());
        self.screen.link(links.clone());
        let (ui, session) = (&self.ui, &self.session);
        self.screen.draw(|frame| view::draw(frame, ui, session, fixture::now())).unwrap();
        let bytes = self.tape.writes().concat();
        grammar::read(&bytes, Stretch::Frames).unwrap_or_else(|wrong| panic!("{wrong}"));
        self.terminal.takes(&String::from_utf8(bytes).unwrap());
        let meant: BTreeMap<(u16, u16), String> =
            links.iter().flat_map(|link| link.area.positions().map(|at| ((at.x, at.y), link.url.clone()))).collect();
        assert_eq!(self.terminal.0, meant);
        let mut terminal = Terminal::new(TestBackend::new(ui.size.cols, ui.size.rows)).unwrap();
        terminal.draw(|frame| view::draw(frame, ui, session, fixture::now())).unwrap();
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        for link in links {
            let text: String = link.area.positions().map(|at| terminal.backend().buffer()[at].symbol()).collect();
            texts.entry(link.url).or_default().push_str(&text);
        }
        texts
    }
}

#[test]
fn what_shows_an_address_leads_there_and_nothing_else_does() {
    for size in [(60, 16), (80, 24), (200, 60)] {
        let mut seat = Seat::new(size);
        seat.session.alarms.values_mut().for_each(|alarm| {
            alarm.description = format!("{} Runbook: https://wiki.example/{}", alarm.description, alarm.name);
        });
        assert!(seat.draws().is_empty(), "panes lead nowhere");
        let mut led = 0;
        for _ in 0..seat.session.alarms.len() {
            seat.presses(KeyCode::Enter);
            seat.draws();
            // To the end, a row at a time: the cells of one address become those of another.
            for _ in 0..60 {
                seat.presses(KeyCode::Char('j'));
                led += seat.draws().len();
            }
            // All of it fits at the end of the page, so that it is read whole.
            for (url, text) in seat.draws() {
                assert!(url.ends_with(&text) || url == text, "{url} {text}");
            }
            seat.presses(KeyCode::Char('v'));
            assert!(seat.draws().is_empty(), "JSON leads nowhere");
            seat.presses(KeyCode::Esc);
            assert!(seat.draws().is_empty());
            seat.presses(KeyCode::Char('j'));
        }
        assert!(led > 20, "{size:?}: {led}");
    }
}
