//! The cockpit: the loop with a screen. Awaits nothing but its inbox; draws when something changed, as fast as the link
//! and its budget allow, and on input at once.

mod wishes;

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use self::wishes::Left;
use super::bell::Bell;
use super::clock::wall_now;
use super::core::Core;
use super::desk::{self, Hands, Wish};
use super::ending::Ending;
use super::inbox::{Inbox, Signal};
use super::input::{Stamped, read};
use super::launch::Run;
use super::options::options;
use super::quiet::Quiet;
use super::signals::Signals;
use super::terminal::{Drawn, Pacing, Recorder, Screen, Telling};
use super::virtual_screen::instants;
use crate::config::Config;
use crate::domain::fault::Fault;
use crate::ui::input::Input;
use crate::ui::model::{Instants, Pace, Size, Tone, Ui};
use crate::ui::prompt::{self, Stage};
use crate::ui::tour::Lesson;
use crate::ui::{update, view};

/// The longest time without a look at the clock: ages and the clock in line 1 move once a second.
const TICK: Duration = Duration::from_secs(1);
/// Messages taken in between two frames at the most, so that a flood cannot keep the screen waiting.
const BATCH: usize = 512;
/// Inputs that may wait on their way to the inbox.
const INPUTS: usize = 64;
/// Under a standing clock nothing moves by itself: it is looked at this often whether it may jump.
const STANDING_TICK: Duration = Duration::from_millis(1);

/// Runs the cockpit until the person leaves or a signal ends it.
pub async fn run(run: Run, config: &Config, tour: Option<Lesson>) -> Result<Ending, Fault> {
    let Run { core, inbox } = run;
    let options = options(config)?;
    let signals = super::signals::listen(&core);
    let recorder = config.record.as_deref().map(|path| record(path, &core)).transpose()?;
    let screen = Screen::enter(config.into())?;
    let ui = Ui { tour, ..Ui::new(options, screen.size()) };
    let mut cockpit = Cockpit {
        core,
        inbox,
        screen,
        ui,
        config: config.clone(),
        pacing: Pacing::of(config.screen.link),
        quiet: Quiet::default(),
        dirty: Dirty::Now,
        ticked_at: 0,
        gone: None,
        bell: Bell::of(config.notices),
        recorder,
    };
    listen(&cockpit.core);
    let left = cockpit.fly().await;
    let again = Signals::listen();
    drop(signals);
    cockpit.screen.restore();
    cockpit.recorder = None;
    let reason = left.reason();
    let was_told = cockpit.core.session.read_only.is_some();
    cockpit.core.hang_up(&mut cockpit.inbox);
    cockpit.core.stand_down(&reason);
    super::signals::end(&mut cockpit.core, &reason, again).await?;
    super::signals::tell_kept(&cockpit.core);
    match cockpit.core.session.read_only {
        Some(fault) if !was_told => {
            Err(fault.hint("The end of this session is not in its journal; what was decided before is."))
        }
        // The screen has said so all along, in line 1.
        Some(_) | None => Ok(left.ending()),
    }
}

fn record(path: &Path, core: &Core) -> Result<Recorder, Fault> {
    // A player that knows no changes of size has the header's alone.
    let size = Screen::measured().unwrap_or_default();
    Recorder::start(path, size, (wall_now(), core.clock.mono_ms()))
}

/// Brings the terminal's events into the inbox. When there are no more, the terminal is gone.
fn listen(core: &Core) {
    let post = core.runner.means().post.clone();
    let clock = core.clock.clone();
    core.runner.tasks().spawn("input", async move {
        let (sender, mut inputs) = mpsc::channel::<Stamped>(INPUTS);
        let forward = async {
            while let Some(Stamped { input, mono_ms }) = inputs.recv().await {
                post.send(Inbox::Input { input, mono_ms }).await;
            }
        };
        let (_, ()) = tokio::join!(read(move || clock.mono_ms(), sender), forward);
        post.send(Inbox::Signal(Signal::HangUp)).await;
    });
}

/// Whether a frame is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dirty {
    /// Nothing changed.
    No,
    /// Data changed: within a frame's time.
    Soon,
    /// The person did something: at once.
    Now,
}

struct Cockpit {
    core: Core,
    inbox: mpsc::Receiver<Inbox>,
    screen: Screen,
    ui: Ui,
    config: Config,
    pacing: Pacing,
    quiet: Quiet,
    dirty: Dirty,
    ticked_at: u64,
    gone: Option<Left>,
    bell: Bell,
    recorder: Option<Recorder>,
}

impl Cockpit {
    /// The loop. Returns how it was left.
    async fn fly(&mut self) -> Left {
        loop {
            self.draw();
            if let Some(left) = self.gone {
                return left;
            }
            let wait = self.wait();
            let first = tokio::select! {
                biased;
                message = self.inbox.recv() => message,
                () = tokio::time::sleep(wait) => None,
            };
            // Time passes in a flood as well: messages age, and the tour goes on.
            let now = self.core.clock.mono_ms();
            if first.is_none() || now.saturating_sub(self.ticked_at) >= 1_000 {
                self.ticked_at = now;
                self.tick();
            }
            let told = self.newest_told();
            if let Some(left) = self.take_in(first) {
                return left;
            }
            self.core.pump();
            // What may wait for the minute may be what something was concluded from.
            if self.newest_told() != told || self.is_due(self.core.now()) {
                self.soon();
            }
            self.call();
            if self.core.clock.stands_still() && self.core.is_idle() && self.inbox.is_empty() {
                self.core.clock.jump();
            }
        }
    }

    /// Calls the person once for all that is new.
    fn call(&mut self) {
        let news = self.bell.news(&self.core.session, self.core.clock.now());
        if !news.is_empty() {
            let texts: Vec<String> = news.into_iter().map(|news| news.text).collect();
            self.screen.notify(&texts.join("; "), self.config.notices.by);
        }
    }

    /// The record that the newest line of the timeline tells of.
    fn newest_told(&self) -> Option<u64> {
        self.core.session.timeline.entries().back().map(|entry| entry.seq)
    }

    fn take_in(&mut self, first: Option<Inbox>) -> Option<Left> {
        let mut next = first;
        for _ in 0..BATCH {
            let Some(message) = next.or_else(|| self.inbox.try_recv().ok()) else { break };
            if let Some(left) = self.take(message) {
                return Some(left);
            }
            next = None;
        }
        None
    }

    fn take(&mut self, message: Inbox) -> Option<Left> {
        self.quiet.note(&message, self.core.clock.mono_ms());
        let dirties = matches!(
            message,
            Inbox::Event { .. } | Inbox::Hidden { .. } | Inbox::JournalFailed(_) | Inbox::TaskPanicked { .. }
        );
        if dirties && !Quiet::holds_back(&message, self.ui.pace) {
            self.soon();
        }
        match self.core.receive(message)? {
            Inbox::Input { input, mono_ms } => self.input(input, mono_ms),
            Inbox::Signal(Signal::Continue) => {
                self.screen.resume();
                self.sized().or_else(|| self.input(Input::Resumed, self.core.clock.mono_ms()))
            }
            Inbox::Signal(signal) => Some(Left::BySignal(signal)),
            Inbox::Saved(saved) => {
                self.saved(saved);
                None
            }
            // `receive` has dealt with the rest.
            Inbox::Event { .. }
            | Inbox::Acknowledged { .. }
            | Inbox::Hidden { .. }
            | Inbox::JournalFailed(_)
            | Inbox::TaskPanicked { .. } => None,
        }
    }

    fn soon(&mut self) {
        if self.dirty == Dirty::No {
            self.dirty = Dirty::Soon;
        }
    }

    fn tick(&mut self) {
        let at = instants(&self.core);
        let intents = update::update(&mut self.ui, Input::Tick, &self.core.session, at);
        for intent in intents {
            // Time alone never makes a wish that concerns the terminal; it may call a step back.
            if let Wish::Tell(text) = desk::apply(&mut self.core, Hands::Person, intent) {
                self.tell(Tone::Warned, text);
            }
        }
        // On a quiet screen a frame would show what is held until the minute is over.
        if self.ui.pace == Pace::Lively || self.ui.message.is_some() || self.is_due(at.now) {
            self.soon();
        }
    }

    /// Whether a quiet screen is to be drawn although nothing has happened.
    fn is_due(&self, now: Timestamp) -> bool {
        self.ui.pace == Pace::Quiet && self.quiet.is_due(&self.core.session, now)
    }

    fn input(&mut self, input: Input, mono_ms: u64) -> Option<Left> {
        self.dirty = Dirty::Now;
        if let Input::Resize { cols, rows } = input {
            self.screen.resized(Size { cols, rows });
        }
        if let Input::Focus(focus) = input {
            self.bell.focus(focus);
        }
        // The stamp of the reading thread: time spent in the queue must not look like a pause of the person.
        let at = Instants { mono_ms, ..instants(&self.core) };
        for intent in update::update(&mut self.ui, input, &self.core.session, at) {
            let wish = desk::apply(&mut self.core, Hands::Person, intent);
            if let Some(left) = self.grant(wish) {
                return Some(left);
            }
        }
        None
    }

    /// Lays out for the size that the terminal has now: who is stopped hears of no other one.
    fn sized(&mut self) -> Option<Left> {
        let Size { cols, rows } = self.screen.size();
        self.input(Input::Resize { cols, rows }, self.core.clock.mono_ms())
    }

    fn wait(&self) -> Duration {
        if self.core.clock.stands_still() {
            return STANDING_TICK;
        }
        match (self.dirty, self.ui.pace) {
            (Dirty::No, Pace::Lively) => TICK,
            (Dirty::No, Pace::Quiet) => Quiet::tick(&self.core.clock),
            (Dirty::Soon | Dirty::Now, _) => {
                Duration::from_millis(self.pacing.due_at().saturating_sub(self.core.clock.mono_ms()))
            }
        }
    }

    fn draw(&mut self) {
        let at = instants(&self.core);
        let due = match self.dirty {
            Dirty::No => false,
            Dirty::Soon => at.mono_ms >= self.pacing.due_at(),
            Dirty::Now => true,
        };
        if !due {
            return;
        }
        self.ui.pace = self.quiet.pace((&self.ui, &self.core.session), at.mono_ms);
        update::prepare(&mut self.ui, &self.core.session, at);
        self.record(at);
        let (ui, session) = (&self.ui, &self.core.session);
        self.screen.link(|| view::links(ui, session, at.now));
        match self.screen.draw(|frame| view::draw(frame, ui, session, at.now)) {
            Ok(drawn) => {
                if let Drawn::Written { bytes, stall_ms } = drawn {
                    self.pacing.drawn(at.mono_ms, bytes, stall_ms);
                }
                let lesson = ui.tour;
                self.quiet.drawn(session, at.now);
                update::drawn(&mut self.ui, session, instants(&self.core));
                self.ask_keys();
                self.dirty = if self.ui.tour == lesson { Dirty::No } else { Dirty::Soon };
            }
            // A slow terminal has not taken the frame before: the newest one wins, as soon as there is room.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.pacing.drawn(at.mono_ms, 0, 0);
                self.dirty = Dirty::Soon;
            }
            Err(_) => self.gone = Some(Left::BySignal(Signal::HangUp)),
        }
    }

    /// Draws the frame for the recording, if there is one: without what a person types.
    fn record(&mut self, at: Instants) {
        let Some(recorder) = &mut self.recorder else { return };
        let (size, session) = (self.ui.size, &self.core.session);
        let taken = self
            .ui
            .while_recorded(|ui| recorder.frame((size, at.mono_ms), |frame| view::draw(frame, ui, session, at.now)));
        if !taken {
            self.recorder = None;
            self.tell(Tone::Refused, "The recording ended: its file takes no more.".to_owned());
        }
    }

    /// While a decision can be pressed, a held key has to be told from a fresh one, wherever the terminal can.
    fn ask_keys(&mut self) {
        let asked = prompt::shown(&self.ui, &self.core.session);
        let decides = asked.is_some_and(|prompt| prompt.stage == Stage::Decide);
        self.screen.ask_keys(if decides { Telling::Everything } else { Telling::Presses });
    }
}
