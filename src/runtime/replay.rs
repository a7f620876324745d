//! Replays a journal in the same screen, forwards and backwards. Effects are dropped, so nothing runs and nothing is asked.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use crossterm::event::{KeyCode, KeyEventKind};
use tokio::sync::mpsc;

use super::archive::Kept;
use super::clock::Clock;
use super::ending::Ending;
use super::headless::{Audience, signs, write_line};
use super::inbox::Signal;
use super::input::{Stamped, read};
use super::signals::Signals;
use super::terminal::Screen;
use crate::config::{Config, OutputForm, Surface};
use crate::domain::fault::{Fault, FaultKind};
use crate::report::narration::Narrator;
use crate::report::sparkline::Signs;
use crate::session::incident::Incident;
use crate::session::{IncidentId, Record, Session, timeline, update};
use crate::ui::input::Input;
use crate::ui::intent::Intent;
use crate::ui::model::{Instants, Showing, Size, Tone, Ui};
use crate::ui::{update as screen, view};

/// Entries that `<` and `>` move by.
const LEAP: usize = 10;
/// A frame that a slow terminal did not take is tried again after this.
const AGAIN: Duration = Duration::from_millis(50);

/// Replays a journal: on a screen step by step, without one as lines.
pub async fn replay(path: &Path, config: Config) -> Result<Ending, Fault> {
    let kept = Kept::read(path)?;
    if kept.records.is_empty() {
        return Err(Fault::new(FaultKind::NotFound, format!("The journal {} holds no record.", path.display()))
            .hint("The session ended while it was starting: there is nothing to be seen."));
    }
    let told = match config.surface {
        Surface::Headless(OutputForm::Json) => written(&kept.json()),
        Surface::Headless(form) => tell(&kept, form, signs(config.screen.glyphs)),
        Surface::Plain => tell(&kept, OutputForm::Text, signs(config.screen.glyphs)),
        Surface::Screen => Tape::new(kept.records, kept.flaw.as_ref()).show(&config).await,
    }?;
    // What was shown is not all there was.
    kept.flaw.map_or(Ok(told), Err)
}

fn written(text: &str) -> Result<Ending, Fault> {
    write_line(&mut std::io::stdout(), text).map(|_| Ending::Done)
}

fn tell(kept: &Kept, form: OutputForm, signs: Signs) -> Result<Ending, Fault> {
    let mut session = Session::default();
    let mut narrator = Narrator::new(signs);
    let mut out = std::io::stdout();
    if let (OutputForm::Text, Some(flaw)) = (form, &kept.flaw)
        && write_line(&mut out, &format!("NOT WHOLE: {}", flaw.summary))? == Audience::Gone
    {
        return Ok(Ending::Done);
    }
    for record in &kept.records {
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
    /// How many records are folded into it.
    folded: usize,
    /// ` (NOT WHOLE)`, where the journal has more than could be read.
    mark: &'static str,
}

impl Tape {
    fn new(records: Vec<Record>, flaw: Option<&Fault>) -> Self {
        let mark = flaw.map_or("", |_| " (NOT WHOLE)");
        let told = |(index, record): (usize, &Record)| timeline::tell(&record.event).map(|_| index);
        let stops: Vec<usize> = records.iter().enumerate().filter_map(told).collect();
        let mut tape =
            Self { at: stops.len().saturating_sub(1), records, stops, session: Session::default(), folded: 0, mark };
        tape.fold();
        tape
    }

    /// Folds up to the present stop, at the last one to the end. Backwards it begins anew: the fold has no way back.
    fn fold(&mut self) {
        let end = match self.stops.get(self.at) {
            Some(stop) if self.at + 1 < self.stops.len() => stop + 1,
            Some(_) | None => self.records.len(),
        };
        if end < self.folded {
            (self.session, self.folded) = (Session::default(), 0);
        }
        for record in &self.records[self.folded..end] {
            update(&mut self.session, record);
        }
        self.folded = end;
    }

    /// The incident that the last change belongs to, where there was one: that is what a review asks about.
    fn opens_on(&self) -> Option<IncidentId> {
        let moved = |incident: &&Incident| {
            let mut steps = incident.plan.iter().flat_map(|plan| &plan.steps);
            !incident.changes.is_empty() || steps.any(|step| step.state.is_in_flight())
        };
        let moved = self.session.incidents.values().filter(moved);
        moved.max_by_key(|incident| incident.started.map(|started| started.at_aws)).map(|incident| incident.id)
    }

    fn place(&self) -> String {
        let stop = self.stops.get(self.at).and_then(|stop| self.records.get(*stop));
        let told = stop.and_then(|record| timeline::tell(&record.event)).map_or_else(String::new, |(_, text)| text);
        format!("REPLAY {} of {}{}: {told}  (, . step  < > ten  q leaves)", self.at + 1, self.stops.len(), self.mark)
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

    async fn show(self, config: &Config) -> Result<Ending, Fault> {
        let options = super::options::options(config)?;
        // Before the terminal is taken: from here on no signal ends the process without giving it back.
        let mut signals = Signals::listen();
        let display = Screen::enter(config.into())?;
        let chosen = self.opens_on();
        let ui = Ui { showing: Showing::Journal, chosen, ..Ui::new(options, display.size()) };
        let clock = Clock::wall();
        let mut player = Player { tape: self, ui, display, clock: clock.clone() };
        let (sender, mut inputs) = mpsc::channel::<Stamped>(LEAP);
        let mut reading = std::pin::pin!(read(move || clock.mono_ms(), sender));
        let left = loop {
            let shown = player.draw();
            let left = tokio::select! {
                biased;
                signal = signals.next() => player.signalled(signal),
                Some(stamped) = inputs.recv() => player.takes(stamped),
                // No more keys: the terminal is gone.
                _ = &mut reading => Some(Left::BySignal(Signal::HangUp)),
                () = tokio::time::sleep(AGAIN), if shown == Shown::Late => None,
            };
            if let Some(left) = left {
                break left;
            }
        };
        player.display.restore();
        Ok(left.ending())
    }
}

/// How the replay was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    ByPerson,
    BySignal(Signal),
}

impl Left {
    fn ending(self) -> Ending {
        match self {
            Self::ByPerson => Ending::Done,
            Self::BySignal(signal) => Ending::Signalled { number: signal.number(), why: String::new() },
        }
    }
}

/// Whether a frame is on screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Yes,
    /// The terminal still has the one before to take.
    Late,
}

/// The tape before a person.
struct Player {
    tape: Tape,
    ui: Ui,
    display: Screen,
    clock: Clock,
}

impl Player {
    fn at(&self) -> Instants {
        Instants { now: self.tape.session.now, mono_ms: self.clock.mono_ms() }
    }

    fn draw(&mut self) -> Shown {
        let at = self.at();
        if self.ui.message.is_none() {
            self.ui.tell(Tone::Told, self.tape.place(), at);
        }
        screen::prepare(&mut self.ui, &self.tape.session, at);
        let (ui, session) = (&self.ui, &self.tape.session);
        self.display.link(|| view::links(ui, session, at.now));
        match self.display.draw(|frame| view::draw(frame, ui, session, at.now)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => Shown::Late,
            // A terminal that is gone is met by who reads it.
            Ok(_) | Err(_) => Shown::Yes,
        }
    }

    fn signalled(&mut self, signal: Signal) -> Option<Left> {
        if signal != Signal::Continue {
            return Some(Left::BySignal(signal));
        }
        self.display.resume();
        self.sized();
        None
    }

    /// Lays out for the size that the terminal has now: who is stopped hears of no other one.
    fn sized(&mut self) {
        let (Size { cols, rows }, at) = (self.display.size(), self.at());
        // A tape asks for nothing.
        drop(screen::update(&mut self.ui, Input::Resize { cols, rows }, &self.tape.session, at));
    }

    fn takes(&mut self, Stamped { input, mono_ms }: Stamped) -> Option<Left> {
        if let Input::Resize { cols, rows } = input {
            self.display.resized(Size { cols, rows });
        }
        // What is said in answer to a key gives way to where the tape stands with the next one.
        self.ui.message = None;
        if let Input::Key(key) = &input
            && key.kind == KeyEventKind::Press
            && self.ui.overlay.is_none()
        {
            if key.code == KeyCode::Char('q') {
                return Some(Left::ByPerson);
            }
            if self.tape.moves(key.code) {
                // What was counted and laid out was another fold's.
                self.ui.forget_computed();
                return None;
            }
        }
        let at = Instants { mono_ms, ..self.at() };
        let intents = screen::update(&mut self.ui, input, &self.tape.session, at);
        intents.into_iter().find_map(|intent| self.grants(&intent))
    }

    /// What concerns the terminal is done; whatever else is wished for has no effect on what has been, and that is said.
    fn grants(&mut self, intent: &Intent) -> Option<Left> {
        match intent {
            Intent::Quit => return Some(Left::ByPerson),
            Intent::Suspend => {
                self.display.suspend();
                self.sized();
            }
            Intent::Repaint => self.display.repaint(),
            Intent::Copy { text } => {
                // A failure is a failure of the next frame.
                self.display.copy(text);
            }
            // Not wished for by a key of its own: a window that lost the keyboard, a page that was opened.
            Intent::StandDown { .. } | Intent::CallBack { .. } | Intent::Inspect { .. } => {}
            _ => {
                let at = self.at();
                self.ui.tell(Tone::Refused, screen::IN_A_REPLAY, at);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnosis::sufficiency::RemedyKind;
    use crate::domain::observation::alarm::Severity;
    use crate::domain::observation::service::Service;
    use crate::domain::remediation::step::StepId;
    use crate::session::event::{Event, SessionEvent};
    use crate::session::incident::{Change, ChangeOutcome};

    fn tape(notes: u32) -> Tape {
        let note = |n: u32| Record {
            seq: u64::from(n) + 1,
            at: jiff::Timestamp::from_second(n.into()).unwrap(),
            incident: None,
            event: Event::Session(SessionEvent::Noted { text: format!("note {n}") }),
        };
        Tape::new((0..notes).map(note).collect(), None)
    }

    #[test]
    fn a_replay_opens_on_the_incident_that_something_was_changed_in() {
        let mut tape = tape(1);
        assert_eq!(tape.opens_on(), None);
        let at = jiff::Timestamp::UNIX_EPOCH;
        for id in [1, 2, 3].map(IncidentId) {
            let mut incident = Incident::new(id, Service::bare("my-api"), Severity::P2, at);
            if id == IncidentId(2) {
                let (remedy, outcome) = (RemedyKind::Scale, ChangeOutcome::Verified);
                incident.changes.push(Change { step: StepId(1), remedy, outcome });
            }
            tape.session.incidents.insert(id, incident);
        }
        assert_eq!(tape.opens_on(), Some(IncidentId(2)));
    }

    #[test]
    fn the_tape_moves_by_entries_and_stops_at_its_ends() {
        let mut tape = tape(25);
        assert!(tape.place().starts_with("REPLAY 25 of 25: "), "{}", tape.place());
        for (key, place) in [('.', 25), (',', 24), ('<', 14), ('<', 4), ('<', 1), (',', 1), ('>', 11), ('.', 12)] {
            assert!(tape.moves(KeyCode::Char(key)));
            assert!(tape.place().starts_with(&format!("REPLAY {place} of 25: ")), "{key}: {}", tape.place());
            assert!(tape.place().contains(&format!("note {}", place - 1)), "{key}: {}", tape.place());
        }
        assert!(!tape.moves(KeyCode::Char('x')));
    }

    #[test]
    fn the_fold_at_a_place_is_the_same_whichever_way_one_came() {
        let mut tape = tape(25);
        let mut backwards = Vec::new();
        for _ in 0..24 {
            backwards.push(tape.session.clone());
            assert!(tape.moves(KeyCode::Char(',')));
        }
        for before in backwards.iter().rev() {
            assert!(tape.moves(KeyCode::Char('.')));
            assert_eq!(tape.session, *before);
        }
    }
}
