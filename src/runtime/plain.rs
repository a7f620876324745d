//! The cockpit as lines, for screen readers and dumb terminals: no alternate screen, nothing moves, one line an event, and
//! commands typed as words. A decision takes the whole typed confirmation, and passes the same desk, gate and journal.

mod ask;
mod command;
mod lines;
mod speech;

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;

use self::ask::{Asking, Verdict};
use self::command::{Command, HELP, Shown};
use self::lines::Typed;
use super::clock::wall_now;
use super::core::{Core, StoodDown};
use super::desk::{self, Hands, Wish};
use super::ending::Ending;
use super::export;
use super::headless::{Audience, write_line};
use super::inbox::{Inbox, Signal};
use super::launch::Run;
use super::options::options;
use super::signals::Signals;
use super::terminal::Screen;
use super::waits::Waits;
use crate::config::Config;
use crate::domain::fault::Fault;
use crate::report::narration::Narrator;
use crate::session::Session;
use crate::session::incident::Incident;
use crate::ui::intent::Intent;
use crate::ui::model::{Glyphs, Pane, Size, Ui};
use crate::ui::search::Search;
use crate::ui::view;

/// Lines of the logs and of the timeline that are told where nobody says how many.
const MOST: usize = 20;
/// The longest time without a look at what there is to say.
const TICK: Duration = Duration::from_millis(100);
/// A second Ctrl-C within this time leaves.
const TWICE_MS: u64 = 2_000;

/// How it was left.
enum Left {
    ByPerson,
    BySignal(Signal),
}

struct Plain {
    core: Core,
    inbox: mpsc::Receiver<Inbox>,
    ui: Ui,
    narrator: Narrator,
    waits: Waits,
    asking: Asking,
    cancelled_at: Option<u64>,
    exports: PathBuf,
    out: std::io::Stdout,
}

/// Runs until the person leaves, the input ends, or a signal comes.
pub async fn run(run: Run, config: &Config) -> Result<Ending, Fault> {
    let Run { core, inbox } = run;
    let signals = super::signals::listen(&core);
    let mut options = options(config)?;
    options.glyphs = Glyphs::Ascii;
    let mut plain = Plain {
        core,
        inbox,
        ui: Ui::new(options, Size::default()),
        narrator: Narrator::heard(),
        waits: Waits::default(),
        asking: Asking::default(),
        cancelled_at: None,
        exports: config.paths.state.join("exports"),
        out: std::io::stdout(),
    };
    let typed = lines::listen(plain.core.clock.clone())?;
    let left = plain.talk(typed).await;
    let again = Signals::listen();
    drop(signals);
    let (reason, ending) = match &left {
        Ok(Left::ByPerson) => ("the person left".to_owned(), Ending::Done),
        Ok(Left::BySignal(signal)) => {
            let ending = Ending::Signalled { number: signal.number(), why: String::new() };
            (format!("signal {}", signal.word()), ending)
        }
        Err(_) => ("the output could not be written".to_owned(), Ending::Done),
    };
    plain.core.hang_up(&mut plain.inbox);
    plain.core.stand_down(&reason);
    super::signals::end(&mut plain.core, &reason, again).await?;
    left?;
    for line in plain.core.kept().lines() {
        // Who does not read any more has left.
        let _ = plain.say(line);
    }
    match plain.core.session.read_only.take() {
        Some(fault) => Err(fault),
        None => Ok(ending),
    }
}

impl Plain {
    async fn talk(&mut self, mut typed: mpsc::Receiver<Typed>) -> Result<Left, Fault> {
        self.say(&format!("{} Type help and Enter for the commands.", opening(&self.core.session)))?;
        loop {
            let (message, line) = tokio::select! {
                biased;
                line = typed.recv() => (None, Some(line)),
                message = self.inbox.recv() => (message, None),
                () = tokio::time::sleep(TICK) => (None, None),
            };
            match line {
                Some(Some(line)) => {
                    if let Some(left) = self.hear(&line)? {
                        return Ok(left);
                    }
                }
                // The input has ended: nobody can answer any more.
                Some(None) => return Ok(Left::ByPerson),
                None => {}
            }
            let mut next = message;
            while let Some(message) = next.or_else(|| self.inbox.try_recv().ok()) {
                if let Some(left) = self.take(message)? {
                    return Ok(left);
                }
                next = None;
            }
            self.core.pump();
            if self.tell()? == Audience::Gone {
                return Ok(Left::BySignal(Signal::HangUp));
            }
        }
    }

    fn take(&mut self, message: Inbox) -> Result<Option<Left>, Fault> {
        match self.core.receive(message) {
            Some(Inbox::Signal(Signal::Interrupt)) => return self.cancel(),
            Some(Inbox::Signal(Signal::Continue)) => self.stand_down("the program was suspended")?,
            Some(Inbox::Signal(signal)) => return Ok(Some(Left::BySignal(signal))),
            Some(Inbox::Saved(saved)) => self.saved(saved)?,
            Some(_) | None => {}
        }
        Ok(None)
    }

    /// Tells what has happened since, and asks what has to be decided.
    fn tell(&mut self) -> Result<Audience, Fault> {
        let fresh = self.core.take_fresh();
        let silence = self.waits.line(&fresh, &self.core.session, self.core.clock.mono_ms());
        let told: Vec<String> =
            fresh.iter().flat_map(|record| self.narrator.lines(record, &self.core.session)).collect();
        for line in silence.iter().chain(&told) {
            if self.say(line)? == Audience::Gone {
                return Ok(Audience::Gone);
            }
        }
        let Some(question) = self.asking.question(&self.core.session, &self.ui) else { return Ok(Audience::There) };
        for line in self.pane(Pane::Remediation, MOST) {
            self.say(&line)?;
        }
        for line in question {
            self.say(&line)?;
        }
        self.asking.was_asked(self.core.clock.mono_ms());
        Ok(Audience::There)
    }

    /// Says a thing, in rows of the terminal's width: a terminal that breaks a line by itself breaks words.
    fn say(&mut self, line: &str) -> Result<Audience, Fault> {
        let columns = Screen::measured().map_or(usize::MAX, |size| usize::from(size.cols).max(1));
        for row in speech::rows(line, columns) {
            if write_line(&mut self.out, &row)? == Audience::Gone {
                return Ok(Audience::Gone);
            }
        }
        Ok(Audience::There)
    }

    /// A pane in words.
    fn pane(&self, pane: Pane, most: usize) -> Vec<String> {
        view::words(pane, (&self.ui, &self.core.session), (self.core.clock.now(), most))
    }

    /// What a person asks to hear.
    fn shown(&mut self, shown: Shown) -> Vec<String> {
        match shown {
            Shown::Pane { pane, most, only } => {
                *self.ui.search_of(pane) = only.map(Search::filter);
                let lines = self.pane(pane, most.unwrap_or(MOST));
                *self.ui.search_of(pane) = None;
                lines
            }
            Shown::Thing(name) => {
                let (ui, session) = (&self.ui, &self.core.session);
                let item = command::thing(&name, (session, ui));
                let words = item.and_then(|item| view::item_words(&item, (ui, session), self.core.clock.now()));
                words.unwrap_or_else(|| {
                    vec![format!(
                        "There is no {name} here. Name an alarm, a metric, E1, #1, workload, verdict or line WORDS."
                    )]
                })
            }
        }
    }

    fn hear(&mut self, line: &Typed) -> Result<Option<Left>, Fault> {
        let asked = command::parse(&line.text);
        if let Ok(Command::Decide(answer, token)) = &asked {
            let verdict = self.asking.judge((&self.core.session, &self.ui), (*answer, token), line);
            self.decide(verdict)?;
            return Ok(None);
        }
        self.asking.note_input(line.mono_ms);
        // From the first line on what is talked of is the person's: a worse incident does not take its place.
        self.ui.chosen = self.ui.incident(&self.core.session).map(|incident| incident.id);
        match asked {
            Ok(Command::Quit) => return Ok(Some(Left::ByPerson)),
            Ok(Command::Help) => {
                for line in HELP.lines() {
                    self.say(line)?;
                }
            }
            Ok(Command::Show(shown)) => {
                for line in self.shown(shown) {
                    self.say(&line)?;
                }
            }
            Ok(Command::Incident(id)) => {
                self.ui.chosen = Some(id);
                let known = self.core.session.incidents.get(&id).map(named);
                self.say(&known.unwrap_or_else(|| format!("There is no {id}.")))?;
            }
            Ok(Command::Wish(wish)) => self.wish(&wish)?,
            Ok(Command::Nothing | Command::Decide(..)) => {}
            Err(why) => {
                self.say(&why)?;
            }
        }
        Ok(None)
    }

    fn decide(&mut self, verdict: Verdict) -> Result<(), Fault> {
        match verdict {
            Verdict::Take(intent) => self.apply(*intent),
            Verdict::Refuse(why) => self.say(&why).map(drop),
            Verdict::StandDown(why) => self.stand_down(&why),
        }
    }

    fn wish(&mut self, wish: &command::Wish) -> Result<(), Fault> {
        match command::intent(wish, (&self.core.session, &self.ui)) {
            Ok(intent) => self.apply(intent),
            Err(why) => self.say(&why).map(drop),
        }
    }

    fn apply(&mut self, intent: Intent) -> Result<(), Fault> {
        match desk::apply(&mut self.core, Hands::Person, intent) {
            Wish::Tell(text) => self.say(&text).map(drop),
            Wish::Export => {
                let (journal, folder) = (self.core.journal_path(), self.exports.clone());
                export::begin(&self.core, move || export::write_transcript(&journal, &folder));
                Ok(())
            }
            Wish::Done
            | Wish::Quit
            | Wish::Suspend
            | Wish::Repaint
            | Wish::Copy(_)
            | Wish::Save { .. }
            | Wish::Reload
            | Wish::TryRehearsal => Ok(()),
        }
    }

    fn saved(&mut self, saved: Result<Vec<PathBuf>, Fault>) -> Result<(), Fault> {
        let told = saved.map_or_else(
            |fault| fault.to_string(),
            |paths| {
                export::note(&mut self.core, &paths);
                export::told(&paths) + "."
            },
        );
        self.say(&told).map(drop)
    }

    /// Ctrl-C: stands down; twice: leaves.
    fn cancel(&mut self) -> Result<Option<Left>, Fault> {
        let now = self.core.clock.mono_ms();
        let before = self.cancelled_at.replace(now);
        if before.is_some_and(|before| now.saturating_sub(before) <= TWICE_MS) {
            return Ok(Some(Left::ByPerson));
        }
        self.stand_down("Ctrl-C")?;
        self.say("Nothing that was sent is stopped by it. Ctrl-C again leaves.")?;
        Ok(None)
    }

    fn stand_down(&mut self, why: &str) -> Result<(), Fault> {
        let stood_down = self.core.stand_down(why);
        self.asking.forget();
        match stood_down {
            StoodDown::Some => self.say("Stood down: nothing was sent.").map(drop),
            StoodDown::None => Ok(()),
        }
    }
}

/// Where this is and what it may do, before anything else is said.
fn opening(session: &Session) -> String {
    let header = &session.header;
    let rehearsal = match &header.origin {
        crate::session::header::Origin::Rehearsal { scenario, .. } => format!("REHEARSAL of {scenario}. "),
        crate::session::header::Origin::Real => String::new(),
    };
    let (word, environment) = (header.mode.word(), &header.environment);
    let day = wall_now().strftime("%Y-%m-%d %H:%MZ");
    // Where nobody named the environment it is called by its account, which the scope says as well.
    let is_named = header.scope.account.as_ref().is_none_or(|account| account.as_str() != environment);
    let environment = if is_named && !environment.is_empty() { format!("{environment}, ") } else { String::new() };
    format!("pagerdeck, {day}. {rehearsal}{environment}{}. Mode {word}.", header.scope)
}

fn named(incident: &Incident) -> String {
    let (id, severity, name) = (incident.id, incident.severity.word(), &incident.service.name);
    format!("{id} {severity} {name}: {}", incident.phase_words())
}

impl Drop for Plain {
    fn drop(&mut self) {
        // The shell gets its terminal without the one mode that was asked for.
        let _ = self.out.write_all(lines::PASTE_OFF.as_bytes()).and_then(|()| self.out.flush());
    }
}
