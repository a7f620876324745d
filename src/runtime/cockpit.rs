//! The cockpit: the loop with a screen. Awaits nothing but its inbox; draws when something changed, at most thirty
//! times a second, and on input at once.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;

use super::bell::Bell;
use super::core::Core;
use super::desk::{self, Hands, Wish};
use super::export;
use super::inbox::{Inbox, Signal};
use super::input::{Stamped, read};
use super::launch::{Ending, Run};
use super::terminal::{Drawn, Screen, ScreenOptions};
use super::virtual_screen::instants;
use crate::config::{self, Config};
use crate::domain::fault::{Fault, FaultKind};
use crate::session::event::{Event, ReportEvent};
use crate::session::remediation::stand_down_all;
use crate::ui::input::Input;
use crate::ui::keymap::Keymap;
use crate::ui::model::{Colours, Glyphs, Size, Tone, Ui, UiOptions};
use crate::ui::{update, view};

/// The shortest time between two frames that data alone asks for.
const FRAME_MS: u64 = 33;
/// The longest time without a look at the clock: ages and the clock in line 1 move once a second.
const TICK: Duration = Duration::from_secs(1);
/// Messages taken in between two frames at the most, so that a flood cannot keep the screen waiting.
const BATCH: usize = 512;
/// Inputs that may wait on their way to the inbox.
const INPUTS: usize = 64;
/// Under a standing clock nothing moves by itself: it is looked at this often whether it may jump.
const STANDING_TICK: Duration = Duration::from_millis(1);

/// Runs the cockpit until the person leaves or a signal ends it.
pub async fn run(run: Run, config: &Config) -> Result<Ending, Fault> {
    let Run { core, inbox } = run;
    let options = options(config)?;
    let signals = super::signals::listen(&core);
    let screen = Screen::enter(ScreenOptions { multiplexer: config.screen.multiplexer })?;
    let size = screen.size();
    let ui = Ui::new(options, size);
    let files = config.paths.state.join("exports");
    let mut cockpit =
        Cockpit { core, inbox, screen, ui, files, drawn_at: 0, dirty: Dirty::Now, gone: None, bell: Bell::default() };
    listen(&cockpit.core);
    let reason = cockpit.fly().await;
    drop(signals);
    cockpit.screen.restore();
    let effects = stand_down_all(&cockpit.core.session, &reason);
    cockpit.core.conclude(effects);
    // Nobody reads it any more: who still has something to tell must not wait.
    cockpit.inbox.close();
    let was_told = cockpit.core.session.read_only.is_some();
    cockpit.core.end(&reason).await;
    match cockpit.core.session.read_only {
        // The screen has said so all along, in line 1.
        Some(_) if was_told => Ok(Ending::Done),
        Some(fault) => Err(fault.hint("The end of this session is not in its journal; what was decided before is.")),
        None => Ok(Ending::Done),
    }
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

/// Whether the cockpit could open with this configuration.
pub fn check_screen(config: &Config) -> Result<(), Fault> {
    options(config).map(drop)
}

/// What configuration settles about the screen. A key that cannot be moved is a fault before the terminal is taken.
fn options(config: &Config) -> Result<UiOptions, Fault> {
    let changes = config.keys.iter().map(|(id, keys)| (id.as_str(), keys.clone()));
    let keymap = Keymap::with(changes)
        .map_err(|fault| Fault::new(FaultKind::Usage, format!("{}: keys: {fault}", config.paths.config.display())))?;
    Ok(UiOptions {
        colours: match config.screen.colours {
            config::Colours::Full => Colours::Full,
            config::Colours::Mono => Colours::Mono,
        },
        glyphs: match config.screen.glyphs {
            config::Glyphs::Unicode => Glyphs::Unicode,
            config::Glyphs::Ascii => Glyphs::Ascii,
        },
        zone: config.zone.clone(),
        keymap,
        ..UiOptions::default()
    })
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
    files: PathBuf,
    drawn_at: u64,
    dirty: Dirty,
    gone: Option<&'static str>,
    bell: Bell,
}

impl Cockpit {
    /// The loop. Returns why it ended.
    async fn fly(&mut self) -> String {
        loop {
            self.draw();
            if let Some(reason) = self.gone {
                return reason.to_owned();
            }
            let wait = self.wait();
            let first = tokio::select! {
                biased;
                message = self.inbox.recv() => message,
                () = tokio::time::sleep(wait) => None,
            };
            if first.is_none() {
                self.tick();
            }
            if let Some(reason) = self.take_in(first) {
                return reason;
            }
            self.core.pump();
            if let Some(text) = self.bell.news(&self.core.session, self.core.clock.now()) {
                self.screen.notify(&text);
            }
            if self.core.clock.stands_still() && self.core.is_idle() && self.inbox.is_empty() {
                self.core.clock.jump();
            }
        }
    }

    fn take_in(&mut self, first: Option<Inbox>) -> Option<String> {
        let mut next = first;
        for _ in 0..BATCH {
            let Some(message) = next.or_else(|| self.inbox.try_recv().ok()) else { break };
            if let Some(reason) = self.take(message) {
                return Some(reason);
            }
            next = None;
        }
        None
    }

    fn take(&mut self, message: Inbox) -> Option<String> {
        let dirties = matches!(
            message,
            Inbox::Event { .. } | Inbox::Hidden { .. } | Inbox::JournalFailed(_) | Inbox::TaskPanicked { .. }
        );
        if dirties {
            self.soon();
        }
        match self.core.receive(message)? {
            Inbox::Input { input, mono_ms } => self.input(input, mono_ms),
            Inbox::Signal(Signal::Continue) => {
                self.screen.resume();
                self.dirty = Dirty::Now;
                None
            }
            Inbox::Signal(signal) => Some(format!("signal {signal:?}").to_lowercase()),
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
            // Time alone never makes a wish that concerns the terminal.
            desk::apply(&mut self.core, Hands::Person, intent);
        }
        self.soon();
    }

    fn input(&mut self, input: Input, mono_ms: u64) -> Option<String> {
        self.dirty = Dirty::Now;
        if let Input::Resize { cols, rows } = input {
            self.screen.resized(Size { cols, rows });
        }
        if let Input::Focus(focus) = input {
            self.bell.focus(focus);
        }
        // The stamp of the reading thread: time spent in the queue must not look like a pause of the person.
        let at = crate::ui::model::Instants { mono_ms, ..instants(&self.core) };
        for intent in update::update(&mut self.ui, input, &self.core.session, at) {
            let wish = desk::apply(&mut self.core, Hands::Person, intent);
            if let Some(reason) = self.grant(wish) {
                return Some(reason);
            }
        }
        None
    }

    fn grant(&mut self, wish: Wish) -> Option<String> {
        match wish {
            Wish::Done => {}
            Wish::Quit => return Some("the person left".to_owned()),
            Wish::Tell(text) => self.tell(Tone::Warned, text),
            Wish::Repaint => self.screen.repaint(),
            Wish::Suspend => {
                self.screen.suspend();
                self.dirty = Dirty::Now;
            }
            Wish::Copy(text) => match self.screen.copy(&text) {
                Ok(()) => self.tell(Tone::Told, "Copied through the terminal (OSC 52).".to_owned()),
                Err(error) => self.tell(Tone::Refused, format!("Not copied: {error}.")),
            },
            Wish::Save { name, text } => self.save(name, text),
            Wish::Export => self.export(),
        }
        None
    }

    fn tell(&mut self, tone: Tone, text: String) {
        let at = instants(&self.core);
        self.ui.tell(tone, text, at);
    }

    fn save(&mut self, name: String, text: String) {
        let folder = self.files.clone();
        self.write(move || export::write_text(&folder, Path::new(&name), &text));
    }

    fn export(&mut self) {
        let (journal, folder) = (self.core.journal_path(), self.files.clone());
        self.write(move || export::write_transcript(&journal, &folder));
    }

    /// The disk is never waited for.
    fn write(&mut self, work: impl FnOnce() -> Result<PathBuf, Fault> + Send + 'static) {
        let post = self.core.runner.means().post.clone();
        self.core.runner.tasks().spawn("export", async move {
            let written = tokio::task::spawn_blocking(work).await;
            if let Ok(written) = written {
                post.send(Inbox::Saved(written.map(|path| path.display().to_string()))).await;
            }
        });
    }

    fn saved(&mut self, saved: Result<String, Fault>) {
        self.dirty = Dirty::Now;
        match saved {
            Ok(path) => {
                self.tell(Tone::Told, format!("Written to {path}"));
                self.core.commit(None, Event::Report(ReportEvent::Exported { path }));
            }
            Err(fault) => self.tell(Tone::Refused, fault.to_string()),
        }
    }

    fn wait(&self) -> Duration {
        if self.core.clock.stands_still() {
            return STANDING_TICK;
        }
        match self.dirty {
            Dirty::No => TICK,
            Dirty::Soon | Dirty::Now => {
                let since = self.core.clock.mono_ms().saturating_sub(self.drawn_at);
                Duration::from_millis(FRAME_MS.saturating_sub(since))
            }
        }
    }

    fn draw(&mut self) {
        let at = instants(&self.core);
        let due = match self.dirty {
            Dirty::No => false,
            Dirty::Soon => at.mono_ms.saturating_sub(self.drawn_at) >= FRAME_MS,
            Dirty::Now => true,
        };
        if !due {
            return;
        }
        let (ui, session) = (&self.ui, &self.core.session);
        match self.screen.draw(|frame| view::draw(frame, ui, session, at.now)) {
            Ok(Drawn::Written | Drawn::Unchanged) => {
                update::drawn(&mut self.ui, session, instants(&self.core));
                self.dirty = Dirty::No;
            }
            // A slow terminal has not taken the frame before: the newest one wins, as soon as there is room.
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.dirty = Dirty::Soon,
            Err(_) => self.gone = Some("the terminal is gone"),
        }
        self.drawn_at = at.mono_ms;
    }
}
