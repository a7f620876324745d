//! Lines from standard input, stamped when they are read. A thread reads: there is no other way to wait for a line.

use std::io::{BufRead as _, Write as _};

use tokio::sync::mpsc;

use crate::domain::fault::{Fault, FaultKind};
use crate::runtime::clock::Clock;

/// Bracketed paste, so that a paste is told from typing. The terminal shows nothing of it.
const PASTE_ON: &str = "\x1b[?2004h";
/// And back.
pub(super) const PASTE_OFF: &str = "\x1b[?2004l";
/// How a terminal marks a paste.
const PASTED: &str = "\x1b[200~";
const PASTE_END: &str = "\x1b[201~";
/// Lines that may wait.
const LINES: usize = 16;

/// How a line came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Letter by letter, as far as the terminal tells.
    Typed,
    /// At least in part from a clipboard.
    Pasted,
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Typed {
    /// Its text, without marks.
    pub(super) text: String,
    /// When it was read, on the monotonic clock.
    pub(super) mono_ms: u64,
    /// How it came.
    pub(super) origin: Origin,
}

impl Typed {
    /// A line as read.
    pub(super) fn of(raw: &str, mono_ms: u64) -> Self {
        let origin = if raw.contains(PASTED) { Origin::Pasted } else { Origin::Typed };
        let text = raw.replace(PASTED, "").replace(PASTE_END, "");
        Self { text: text.trim().to_owned(), mono_ms, origin }
    }
}

/// Listens until the input ends; then the channel closes.
pub(super) fn listen(clock: Clock) -> Result<mpsc::Receiver<Typed>, Fault> {
    let (sender, lines) = mpsc::channel(LINES);
    let mut out = std::io::stdout();
    // A terminal that is gone is met by the next line.
    let _ = out.write_all(PASTE_ON.as_bytes()).and_then(|()| out.flush());
    let reading = std::thread::Builder::new().name("lines".to_owned()).spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { return };
            if sender.blocking_send(Typed::of(&line, clock.mono_ms())).is_err() {
                return;
            }
        }
    });
    reading
        .map_err(|error| Fault::new(FaultKind::Internal, "Standard input cannot be read.").cause(error.to_string()))?;
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_is_told_from_typing() {
        assert_eq!(Typed::of("approve my-api 7f3a\r", 1).origin, Origin::Typed);
        let pasted = Typed::of("\u{1b}[200~approve my-api 7f3a\u{1b}[201~", 1);
        assert_eq!((pasted.origin, pasted.text.as_str()), (Origin::Pasted, "approve my-api 7f3a"));
    }
}
