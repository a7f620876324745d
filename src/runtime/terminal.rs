//! The terminal: taken, written a frame at a time, and given back on every way out.
//!
//! The loop is never kept waiting: a thread writes, and while it still writes a frame no further one is made.

mod crash;
mod encode;
mod links;
mod memory;
mod pacing;
mod recorder;
mod route;
mod tape;
mod wire;
mod writer;

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use crossterm::terminal;
use ratatui::{Frame, Terminal};

pub use self::memory::MemoryScreen;
pub use self::pacing::Pacing;
pub use self::recorder::{Film, Recorder};
pub use self::tape::TapedScreen;
use self::wire::Wire;
use self::writer::Writer;
use crate::config::{CallBy, Config, Hyperlinks, Keyboard, Multiplexer};
use crate::domain::fault::{Fault, FaultKind};
use crate::ui::model::Size;
use crate::ui::view::Link;

/// Alternate screen, no cursor, bracketed paste, focus reports.
const TAKE: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h\x1b[?1004h";
/// The same back, in the other order: an update that was begun is ended, and the ink is plain, before the screen goes.
const GIVE: &str = "\x1b[?2026l\x1b[?1004l\x1b[?2004l\x1b[m\x1b[?1049l\x1b[?25h";
/// The kitty keyboard protocol, whose modes are a stack for each screen: keys are told apart (1). A terminal without it
/// takes no notice; it is never asked, because its answer would arrive among the keys.
const PUSH_KEYS: &str = "\x1b[>1u";
const POP_KEYS: &str = "\x1b[<1u";
/// What a terminal that does not know its size is taken for.
const UNKNOWN: Size = Size { cols: 80, rows: 24 };
/// Whether the terminal is ours at this moment: in raw mode, on the alternate screen. There is one terminal a process.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// Whether its keyboard was asked to tell more.
static ASKED: AtomicBool = AtomicBool::new(false);
/// A frame that is not written by then is reported as not on screen yet. Short: the loop waits for it.
const SETTLE: Duration = Duration::from_millis(5);
/// How long the last frame may take when the terminal is given back.
const LAST_FRAME: Duration = Duration::from_millis(500);
/// A stop signal takes hold within this time after it was raised.
const STOP_TAKES: Duration = Duration::from_millis(50);

/// What a screen needs to know before it opens.
#[derive(Clone, Debug)]
pub struct ScreenOptions {
    /// What lies between us and the terminal: tmux and screen pass the clipboard on only when it is wrapped for them.
    pub multiplexer: Multiplexer,
    /// Whether the keyboard may be asked to tell more.
    pub keyboard: Keyboard,
    /// Whether addresses may be told as links.
    pub hyperlinks: Hyperlinks,
    /// Where reports of crashes go.
    pub crashes: PathBuf,
}

impl From<&Config> for ScreenOptions {
    fn from(config: &Config) -> Self {
        let screen = &config.screen;
        Self {
            multiplexer: screen.multiplexer,
            keyboard: screen.keyboard,
            hyperlinks: screen.hyperlinks,
            crashes: config.paths.state.clone(),
        }
    }
}

/// How much the keyboard is to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telling {
    /// Presses, as text where they are text.
    Presses,
    /// Each press, repeat and release by itself, letters too: a held key is told from a fresh one.
    Everything,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// It is on screen, and bytes were written for it.
    Written {
        /// How many.
        bytes: usize,
        /// For how long the terminal did not take them.
        stall_ms: u64,
    },
    /// It was on screen already: not a byte was written.
    Unchanged,
}

/// The terminal while it is ours.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<Wire<Arc<Writer>>>,
    writer: Arc<Writer>,
    options: ScreenOptions,
    telling: Telling,
}

impl Screen {
    /// Takes the terminal. From here on a panic of this thread gives it back before it is told.
    pub fn enter(options: ScreenOptions) -> Result<Self, Fault> {
        let fault = |error: io::Error| {
            let summary = "The terminal could not be taken.";
            let fault = Fault::new(FaultKind::Usage, summary).cause(error.to_string());
            fault.hint("Run it in a terminal, or with --headless.")
        };
        let size = measured().map_err(fault)?;
        crash::watch(&options.crashes);
        take(options.keyboard).map_err(fault)?;
        let begun = output().and_then(Writer::start).and_then(|writer| {
            let wire = Wire::new(Arc::clone(&writer), size);
            Ok((Terminal::new(wire)?, writer))
        });
        // The fault is told on the terminal as it was found.
        let (terminal, writer) = begun.inspect_err(|_| restore()).map_err(fault)?;
        Ok(Self { terminal, writer, options, telling: Telling::Presses })
    }

    /// The size that the terminal has before it is taken.
    pub fn measured() -> Option<Size> {
        measured().ok()
    }

    /// The size in cells.
    pub fn size(&self) -> Size {
        self.terminal.backend().cells()
    }

    /// Notes another size: the next frame is whole.
    pub fn resized(&mut self, size: Size) {
        self.terminal.backend_mut().resized(size);
    }

    /// Lets these cells lead to their addresses from the next frame on, where the terminal can be told so. They are asked
    /// for only then.
    pub fn link(&mut self, links: impl FnOnce() -> Vec<Link>) {
        match self.options.hyperlinks {
            Hyperlinks::On => self.terminal.backend_mut().links().set(links()),
            Hyperlinks::Off => {}
        }
    }

    /// Draws a frame, in one write, inside synchronized-output brackets where more than a little changes; nothing is written for an unchanged one.
    /// `WouldBlock` means that it is not on screen yet, because the terminal is slow: draw again.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<Drawn> {
        if !TAKEN.load(Ordering::SeqCst) {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "the terminal was given back"));
        }
        if !self.writer.settles(SETTLE)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let before = (self.terminal.backend().frames(), self.terminal.backend().bytes());
        wire::draw(&mut self.terminal, render)?;
        if self.terminal.backend().frames() == before.0 {
            return Ok(Drawn::Unchanged);
        }
        if !self.writer.settles(SETTLE)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let bytes = self.terminal.backend().bytes().saturating_sub(before.1) as usize;
        let stall_ms = u64::try_from(self.writer.took().as_millis()).unwrap_or(u64::MAX);
        Ok(Drawn::Written { bytes, stall_ms })
    }

    /// Asks the keyboard to tell more, or less again, where it can.
    pub fn ask_keys(&mut self, telling: Telling) {
        if self.telling == telling || !ASKED.load(Ordering::SeqCst) {
            return;
        }
        self.telling = telling;
        // All flags at once: 1 apart, 2 kinds of events, 4 what Shift makes of a key, 8 letters as well.
        let flags = match telling {
            Telling::Presses => 1,
            Telling::Everything => 15,
        };
        self.writer.send(format!("\x1b[={flags};1u").into_bytes());
    }

    /// Lets the next frame be written whole.
    pub fn repaint(&mut self) {
        // A failure here is a failure of the next frame, which tells it.
        let _ = self.terminal.clear();
    }

    /// Puts a text on the clipboard by OSC 52, wrapped for what lies between. Whether the terminal obeys cannot be known.
    pub fn copy(&mut self, text: &str) {
        self.writer.send(clipboard(text, self.options.multiplexer));
    }

    /// Rings the bell, shows a notification by OSC 9, or both.
    pub fn notify(&mut self, text: &str, by: CallBy) {
        let plain: String = text.chars().filter(|letter| !letter.is_control()).collect();
        let shown = wrap(format!("\x1b]9;{plain}\x07"), self.options.multiplexer);
        let sequence = match by {
            CallBy::Both => format!("\x07{shown}"),
            CallBy::Bell => "\x07".to_owned(),
            CallBy::Notification => shown,
        };
        self.writer.send(sequence.into_bytes());
    }

    /// Gives the terminal back, stops the process as the shell's job control expects, and takes it again afterwards.
    pub fn suspend(&mut self) {
        self.restore();
        raise_stop();
        self.resume();
    }

    /// Takes the terminal again after a stop; the next frame is whole. Whoever had it meanwhile may have changed its
    /// modes, so it is given back first where the stop came from outside.
    pub fn resume(&mut self) {
        restore();
        self.telling = Telling::Presses;
        if take(self.options.keyboard).is_err() {
            return;
        }
        if let Ok(size) = measured() {
            self.resized(size);
        }
        self.repaint();
    }

    /// Gives the terminal back, after what is being written. Can be called again and again.
    pub fn restore(&mut self) {
        // A terminal that does not take its last frame in time gets its modes back in the middle of it.
        let _ = self.writer.settles(LAST_FRAME);
        restore();
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.restore();
        self.writer.stop();
        crash::tell();
    }
}

fn take(keyboard: Keyboard) -> io::Result<()> {
    terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let asked = keyboard == Keyboard::Kitty;
    ASKED.store(asked, Ordering::SeqCst);
    let text = format!("{TAKE}{}", if asked { PUSH_KEYS } else { "" });
    let entered = output().and_then(|mut out| out.write_all(text.as_bytes()));
    if entered.is_err() {
        restore();
    }
    entered
}

/// How large the terminal is. A serial line does not know, and says nothing by nothing.
fn measured() -> io::Result<Size> {
    Ok(match terminal::size()? {
        (0, _) | (_, 0) => UNKNOWN,
        (cols, rows) => Size { cols, rows },
    })
}

/// The terminal itself, without the buffer and the lock of standard output: who writes there may be stuck.
fn output() -> io::Result<File> {
    Ok(File::from(io::stdout().as_fd().try_clone_to_owned()?))
}

fn is_taken() -> bool {
    TAKEN.load(Ordering::SeqCst)
}

/// Gives the terminal back if it is ours: for signals and panics, from any thread. A failure leaves nothing to be done,
/// and a terminal that takes nothing any more is not waited for.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let text = format!("{}{GIVE}", if ASKED.load(Ordering::SeqCst) { POP_KEYS } else { "" });
    let (done, written) = channel();
    let writing = std::thread::Builder::new().name("restore".to_owned()).spawn(move || {
        let _ = output().and_then(|mut out| out.write_all(text.as_bytes()));
        let _ = done.send(());
    });
    if writing.is_ok() {
        let _ = written.recv_timeout(LAST_FRAME);
    }
    let _ = terminal::disable_raw_mode();
}

/// Raises the stop signal for the whole job, as Ctrl-Z would: a script that waits for us has to stop as well, or its shell
/// would never come back. By `kill`, because a call of our own would be unsafe.
fn raise_stop() {
    let mut kill = Command::new("kill");
    kill.args(["-TSTP", "0"]);
    kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    if kill.status().is_ok_and(|status| status.success()) {
        // The signal is delivered to whichever thread runs next: this one must not take the terminal before that.
        std::thread::sleep(STOP_TAKES);
    }
}

fn clipboard(text: &str, multiplexer: Multiplexer) -> Vec<u8> {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(text);
    let raw = format!("\x1b]52;c;{encoded}\x07");
    match multiplexer {
        Multiplexer::None => raw.into_bytes(),
        // tmux may take the sequence itself or pass it on, by its settings: it gets both.
        Multiplexer::Tmux | Multiplexer::Screen => format!("{raw}{}", wrap(raw.clone(), multiplexer)).into_bytes(),
    }
}

fn wrap(sequence: String, multiplexer: Multiplexer) -> String {
    match multiplexer {
        Multiplexer::None => sequence,
        Multiplexer::Tmux => format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")),
        Multiplexer::Screen => format!("\x1bP{sequence}\x1b\\"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clipboard_is_wrapped_for_what_lies_between() {
        let text = |multiplexer| String::from_utf8(clipboard("hi", multiplexer)).unwrap();
        assert_eq!(text(Multiplexer::None), "\x1b]52;c;aGk=\x07");
        assert_eq!(text(Multiplexer::Tmux), "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\");
        assert!(text(Multiplexer::Screen).ends_with("\x1bP\x1b]52;c;aGk=\x07\x1b\\"));
    }
}
