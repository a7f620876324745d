//! The terminal: taken, written a frame at a time, and given back on every way out.
//!
//! The loop is never kept waiting: a thread writes, and while it still writes a frame no further one is made.

mod tape;
mod wire;
mod writer;

use std::io::{self, Write as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossterm::event::{DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange};
use crossterm::style::{ResetColor, force_color_output};
use crossterm::terminal::{EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen};
use crossterm::{cursor, queue, terminal};
use ratatui::backend::TestBackend;
use ratatui::{Frame, Terminal};

use self::wire::Wire;
use self::writer::Writer;
use crate::config::Multiplexer;
use crate::domain::fault::{Fault, FaultKind};
use crate::ui::model::Size;

pub use self::tape::TapedScreen;

/// Whether the terminal is ours at this moment: in raw mode, on the alternate screen. There is one terminal a process.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// A frame that is not written by then is reported as not on screen yet. Short: the loop waits for it.
const SETTLE: Duration = Duration::from_millis(5);
/// How long the last frame may take when the terminal is given back.
const LAST_FRAME: Duration = Duration::from_millis(500);
/// A stop signal takes hold within this time after it was raised.
const STOP_TAKES: Duration = Duration::from_millis(50);

/// What a screen needs to know before it opens.
#[derive(Clone, Copy, Debug)]
pub struct ScreenOptions {
    /// What lies between us and the terminal: tmux and screen pass the clipboard on only when it is wrapped for them.
    pub multiplexer: Multiplexer,
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drawn {
    /// It is on screen, and bytes were written for it.
    Written,
    /// It was on screen already: not a byte was written.
    Unchanged,
}

/// The terminal while it is ours.
#[derive(Debug)]
pub struct Screen {
    terminal: Terminal<Wire>,
    writer: Arc<Writer>,
    options: ScreenOptions,
}

impl Screen {
    /// Takes the terminal. From here on a panic anywhere gives it back before it is told.
    pub fn enter(options: ScreenOptions) -> Result<Self, Fault> {
        let fault = |error: io::Error| {
            let summary = "The terminal could not be taken.";
            let fault = Fault::new(FaultKind::Usage, summary).cause(error.to_string());
            fault.hint("Run it in a terminal, or with --headless.")
        };
        let (cols, rows) = terminal::size().map_err(fault)?;
        // Colours are mapped by the theme; crossterm's own NO_COLOR would erase bold and reverse with them.
        force_color_output(true);
        install_panic_hook();
        take().map_err(fault)?;
        let writer = Writer::start(io::stdout()).map_err(fault)?;
        let wire = Wire::new(Arc::clone(&writer), Size { cols, rows });
        let terminal = Terminal::new(wire).map_err(fault)?;
        Ok(Self { terminal, writer, options })
    }

    /// The size in cells.
    pub fn size(&self) -> Size {
        self.terminal.backend().cells()
    }

    /// Notes another size: the next frame is whole.
    pub fn resized(&mut self, size: Size) {
        self.terminal.backend_mut().resized(size);
    }

    /// Draws a frame, in one write, inside synchronized-output brackets; nothing is written for an unchanged one.
    /// `WouldBlock` means that it is not on screen yet, because the terminal is slow: draw again.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<Drawn> {
        if !TAKEN.load(Ordering::SeqCst) {
            return Err(io::Error::new(io::ErrorKind::NotConnected, "the terminal was given back"));
        }
        if !self.writer.settles(SETTLE)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let before = self.terminal.backend().frames();
        self.terminal.draw(render)?;
        if self.terminal.backend().frames() == before {
            return Ok(Drawn::Unchanged);
        }
        if self.writer.settles(SETTLE)? { Ok(Drawn::Written) } else { Err(io::ErrorKind::WouldBlock.into()) }
    }

    /// Lets the next frame be written whole.
    pub fn repaint(&mut self) {
        // A failure here is a failure of the next frame, which tells it.
        let _ = self.terminal.clear();
    }

    /// Puts a text on the clipboard by OSC 52, wrapped for what lies between. Whether the terminal obeys cannot be known.
    pub fn copy(&mut self, text: &str) -> io::Result<()> {
        self.writer.send(clipboard(text, self.options.multiplexer));
        Ok(())
    }

    /// Rings the bell and shows a notification by OSC 9.
    pub fn notify(&mut self, text: &str) {
        let plain: String = text.chars().filter(|letter| !letter.is_control()).collect();
        let sequence = wrap(format!("\x1b]9;{plain}\x07"), self.options.multiplexer);
        self.writer.send(format!("\x07{sequence}").into_bytes());
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
        if take().is_err() {
            return;
        }
        if let Ok((cols, rows)) = terminal::size() {
            self.resized(Size { cols, rows });
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
    }
}

fn take() -> io::Result<()> {
    terminal::enable_raw_mode()?;
    TAKEN.store(true, Ordering::SeqCst);
    let mut out = io::stdout();
    let entered = queue!(out, EnterAlternateScreen, cursor::Hide, EnableBracketedPaste, EnableFocusChange);
    let entered = entered.and_then(|()| out.flush());
    if entered.is_err() {
        restore();
    }
    entered
}

/// Gives the terminal back if it is ours: for signals and panics, from any thread. A failure leaves nothing to be done.
pub fn restore() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = queue!(
        out,
        EndSynchronizedUpdate,
        DisableFocusChange,
        DisableBracketedPaste,
        ResetColor,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = out.flush();
    let _ = terminal::disable_raw_mode();
}

/// The terminal is given back first, then the panic is told: in a task as anywhere.
fn install_panic_hook() {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    if INSTALLED.swap(true, Ordering::SeqCst) {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        restore();
        before(panic);
    }));
}

/// Raises the stop signal for this process alone, as Ctrl-Z would. By `kill`, because a call of our own would be unsafe.
fn raise_stop() {
    let mut kill = Command::new("kill");
    kill.args(["-TSTP", &std::process::id().to_string()]);
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

/// A screen in memory: for runs without a terminal and for tests.
#[derive(Debug)]
pub struct MemoryScreen {
    terminal: Terminal<TestBackend>,
}

impl MemoryScreen {
    /// A screen of a size.
    pub fn new(size: Size) -> Self {
        let backend = TestBackend::new(size.cols, size.rows);
        match Terminal::new(backend) {
            Ok(terminal) => Self { terminal },
            Err(never) => match never {},
        }
    }

    /// Draws a frame.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) {
        match self.terminal.draw(render) {
            Ok(_) => {}
            Err(never) => match never {},
        }
    }

    /// The text on screen, a line each, without trailing blanks.
    pub fn text(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let rows = buffer.content().chunks(usize::from(buffer.area.width).max(1));
        let line = |row: &[ratatui::buffer::Cell]| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
        rows.map(|row| line(row).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
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

    #[test]
    fn a_screen_in_memory_shows_what_was_drawn() {
        let mut screen = MemoryScreen::new(Size { cols: 8, rows: 2 });
        screen.draw(|frame| frame.render_widget("ready", frame.area()));
        assert_eq!(screen.text(), "ready\n");
    }
}
