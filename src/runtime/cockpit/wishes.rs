//! What the cockpit does for the person beside the session: copies, files, another look, and the ways to leave.

use std::path::{Path, PathBuf};

use super::{Cockpit, Dirty};
use crate::config::Multiplexer;
use crate::domain::fault::Fault;
use crate::runtime::desk::Wish;
use crate::runtime::ending::Ending;
use crate::runtime::export;
use crate::runtime::inbox::Signal;
use crate::runtime::options::options;
use crate::runtime::terminal::Pacing;
use crate::runtime::virtual_screen::instants;
use crate::ui::model::Tone;

/// How the cockpit was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// By a key.
    ByPerson,
    /// By a key, for a rehearsal.
    ForRehearsal,
    /// By a signal; a terminal that is gone is one, too.
    BySignal(Signal),
}

impl Left {
    pub(super) fn reason(self) -> String {
        match self {
            Self::ByPerson => "the person left".to_owned(),
            Self::ForRehearsal => "the person left for a rehearsal".to_owned(),
            Self::BySignal(signal) => format!("signal {}", signal.word()),
        }
    }

    pub(super) fn ending(self) -> Ending {
        match self {
            Self::ByPerson => Ending::Done,
            Self::ForRehearsal => Ending::ForRehearsal,
            Self::BySignal(signal) => Ending::Signalled { number: signal.number(), why: String::new() },
        }
    }
}

impl Cockpit {
    pub(super) fn grant(&mut self, wish: Wish) -> Option<Left> {
        match wish {
            Wish::Done => {}
            Wish::Quit => return Some(Left::ByPerson),
            Wish::Tell(text) => self.tell(Tone::Warned, text),
            Wish::Repaint => self.screen.repaint(),
            Wish::Suspend => {
                self.screen.suspend();
                return self.sized();
            }
            Wish::Copy(text) => {
                self.screen.copy(&text);
                self.tell(Tone::Told, sent_to_clipboard(self.config.screen.multiplexer).to_owned());
            }
            Wish::Save { name, text } => self.save(name, text),
            Wish::Export => self.export(),
            Wish::Reload => self.reload(),
            Wish::TryRehearsal => return Some(Left::ForRehearsal),
        }
        None
    }

    /// Reads the configuration again and takes over what concerns the screen. A broken file changes nothing.
    fn reload(&mut self) {
        let read = self.config.read_again().and_then(|config| options(&config).map(|options| (config, options)));
        match read {
            Ok((config, options)) => {
                (self.pacing, self.ui.options) = (Pacing::of(config.screen.link), options);
                self.bell.rules(config.notices);
                self.config = config;
                self.screen.repaint();
                let text = "The configuration was read again: looks, keys, panes and notices. The rest holds from the next start.";
                self.tell(Tone::Told, text.to_owned());
            }
            Err(fault) => self.tell(Tone::Refused, format!("The configuration stays as it was: {fault}")),
        }
    }

    fn files(&self) -> PathBuf {
        self.config.paths.state.join("exports")
    }

    pub(super) fn tell(&mut self, tone: Tone, text: String) {
        let at = instants(&self.core);
        self.ui.tell(tone, text, at);
    }

    fn save(&mut self, name: String, text: String) {
        let folder = self.files();
        export::begin(&self.core, move || export::write_text(&folder, Path::new(&name), &text).map(|path| vec![path]));
    }

    fn export(&mut self) {
        let (journal, folder) = (self.core.journal_path(), self.files());
        export::begin(&self.core, move || export::write_transcript(&journal, &folder));
    }

    pub(super) fn saved(&mut self, saved: Result<Vec<PathBuf>, Fault>) {
        self.dirty = Dirty::Now;
        match saved {
            Ok(paths) => {
                self.tell(Tone::Told, export::told(&paths));
                export::note(&mut self.core, &paths);
            }
            Err(fault) => self.tell(Tone::Refused, fault.to_string()),
        }
    }
}

/// Whether it arrives cannot be known: who has to let it through is named.
fn sent_to_clipboard(multiplexer: Multiplexer) -> &'static str {
    match multiplexer {
        Multiplexer::None => "Sent to the terminal's clipboard (OSC 52). Y writes a file.",
        Multiplexer::Tmux => "Sent to tmux (OSC 52): it needs set-clipboard on, or allow-passthrough. Y writes a file.",
        Multiplexer::Screen => "Sent through screen (OSC 52), where the terminal takes it. Y writes a file.",
    }
}
