//! Replays a journal in the same screen, forwards and backwards. Effects are dropped, so nothing runs and nothing is asked.

use std::path::Path;

use crossterm::event::{KeyCode, KeyEventKind};
use tokio::sync::mpsc;

use super::ending::Ending;
use super::headless::{Audience, signs, write_line};
use super::input::{Stamped, read};
use super::terminal::Screen;
use crate::config::{Config, OutputForm, Surface};
use crate::domain::fault::{Fault, FaultKind};
use crate::journal::Reader;
use crate::report::narration::Narrator;
use crate::report::sparkline::Signs;
use crate::session::{Record, Session, timeline, update};
use crate::ui::input::Input;
use crate::ui::intent::Intent;
use crate::ui::model::{Instants, Size, Tone, Ui};
use crate::ui::{update as screen, view};

/// Entries that `<` and `>` move by.
const LEAP: usize = 10;

/// Replays a journal: on a screen step by step, without one as lines.
pub async fn replay(path: &Path, config: Config) -> Result<Ending, Fault> {
    let records = load(path)?;
    match config.surface {
        Surface::Headless(form) => tell(&records, form, signs(config.screen.glyphs)),
        Surface::Plain => tell(&records, OutputForm::Text, signs(config.screen.glyphs)),
        Surface::Screen => Tape::new(records).show(&config).await,
    }
}

/// All whole records of a journal. A torn end was told by `verify` and is left out here.
fn load(path: &Path) -> Result<Vec<Record>, Fault> {
    let mut reader = Reader::open(path).map_err(|error| error.fault())?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().map_err(|error| error.fault())? {
        records.push(record);
    }
    if records.is_empty() {
        return Err(Fault::new(FaultKind::NotFound, format!("The journal {} holds no record.", path.display())));
    }
    Ok(records)
}

fn tell(records: &[Record], form: OutputForm, signs: Signs) -> Result<Ending, Fault> {
    let mut session = Session::default();
    let mut narrator = Narrator::new(signs);
    let mut out = std::io::stdout();
    for record in records {
        update(&mut session, record);
        let lines = match form {
            OutputForm::Text => narrator.lines(record, &session),
            OutputForm::Jsonl | OutputForm::Json => serde_json::to_string(record).into_iter().collect(),
        };
        for line in lines {
            if write_line(&mut out, &line)? == Audience::Gone {
                return Ok(Ending::Done);
            }
        }
    }
    Ok(Ending::Done)
}

/// The records with a place among them. Stops are records that the timeline tells of.
struct Tape {
    records: Vec<Record>,
    stops: Vec<usize>,
    at: usize,
    session: Session,
}

impl Tape {
    fn new(records: Vec<Record>) -> Self {
        let told = |(index, record): (usize, &Record)| timeline::tell(&record.event).map(|_| index);
        let stops: Vec<usize> = records.iter().enumerate().filter_map(told).collect();
        let mut tape = Self { at: stops.len().saturating_sub(1), records, stops, session: Session::default() };
        tape.fold();
        tape
    }

    /// Folds anew up to the present stop: the fold has no way back.
    fn fold(&mut self) {
        let last = self.stops.get(self.at).copied().unwrap_or_default();
        self.session = Session::default();
        for record in self.records.iter().take(last + 1) {
            update(&mut self.session, record);
        }
    }

    fn place(&self) -> String {
        let told = self.session.timeline.entries().back().map_or("", |entry| entry.text.as_str());
        format!("REPLAY {} of {}: {told}  (, . step  < > ten  q leaves)", self.at + 1, self.stops.len())
    }

    /// Moves by a key of the tape; `false` for any other.
    fn moves(&mut self, code: KeyCode) -> bool {
        let last = self.stops.len().saturating_sub(1);
        self.at = match code {
            KeyCode::Char('.') => (self.at + 1).min(last),
            KeyCode::Char(',') => self.at.saturating_sub(1),
            KeyCode::Char('>') => (self.at + LEAP).min(last),
            KeyCode::Char('<') => self.at.saturating_sub(LEAP),
            _ => return false,
        };
        self.fold();
        true
    }

    async fn show(mut self, config: &Config) -> Result<Ending, Fault> {
        let mut display = Screen::enter(config.into())?;
        let mut ui = Ui::new(super::options::options(config)?, display.size());
        let (sender, mut inputs) = mpsc::channel::<Stamped>(LEAP);
        let reading = read(|| 0, sender);
        let playing = async {
            loop {
                let at = Instants { now: self.session.now, mono_ms: 0 };
                ui.tell(Tone::Told, self.place(), at);
                // A frame that a slow terminal has not taken is drawn again after the next key.
                let _ = display.draw(|frame| view::draw(frame, &ui, &self.session, at.now));
                let Some(Stamped { input, .. }) = inputs.recv().await else { return };
                if self.takes(&mut ui, &mut display, input) {
                    return;
                }
            }
        };
        tokio::select! {
            _ = reading => {}
            () = playing => {}
        }
        display.restore();
        Ok(Ending::Done)
    }

    /// Takes an input in; `true` when the person leaves.
    fn takes(&mut self, ui: &mut Ui, display: &mut Screen, input: Input) -> bool {
        let at = Instants { now: self.session.now, mono_ms: 0 };
        if let Input::Resize { cols, rows } = input {
            display.resized(Size { cols, rows });
        }
        if let Input::Key(key) = &input
            && key.kind == KeyEventKind::Press
            && ui.overlay.is_none()
        {
            if key.code == KeyCode::Char('q') {
                return true;
            }
            if self.moves(key.code) {
                return false;
            }
        }
        // Whatever else is wished for has no effect on what has been.
        screen::update(ui, input, &self.session, at).contains(&Intent::Quit)
    }
}
