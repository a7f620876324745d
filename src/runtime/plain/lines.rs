//! Lines from standard input, stamped when they are read. A thread reads: there is no other way to wait for a line.

use std::io::{BufRead, Read as _, Write as _};

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
/// The longest line that is taken, in bytes: what follows counts as the next one.
const LONGEST: u64 = 64 << 10;

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

/// Whether the next line begins in the middle of a paste: the terminal marks its first line and its last one alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Paste {
    /// It does not.
    #[default]
    Over,
    /// It does.
    UnderWay,
}

impl Paste {
    /// Takes a line as read.
    pub(super) fn line(&mut self, raw: &str, mono_ms: u64) -> Typed {
        let (begin, end) = (raw.rfind(PASTED), raw.rfind(PASTE_END));
        let marked = begin.is_some() || end.is_some();
        let origin = if marked || *self == Self::UnderWay { Origin::Pasted } else { Origin::Typed };
        if marked {
            *self = if begin > end { Self::UnderWay } else { Self::Over };
        }
        let text = raw.replace(PASTED, "").replace(PASTE_END, "");
        Typed { text: text.trim().to_owned(), mono_ms, origin }
    }
}

/// Listens until the input ends; then the channel closes.
pub(super) fn listen(clock: Clock) -> Result<mpsc::Receiver<Typed>, Fault> {
    let (sender, lines) = mpsc::channel(LINES);
    let mut out = std::io::stdout();
    // A terminal that is gone is met by the next line.
    let _ = out.write_all(PASTE_ON.as_bytes()).and_then(|()| out.flush());
    let reading = std::thread::Builder::new().name("lines".to_owned()).spawn(move || {
        let mut paste = Paste::default();
        let mut input = std::io::stdin().lock();
        while let Some(line) = next(&mut input) {
            if sender.blocking_send(paste.line(&line, clock.mono_ms())).is_err() {
                return;
            }
        }
    });
    reading
        .map_err(|error| Fault::new(FaultKind::Internal, "Standard input cannot be read.").cause(error.to_string()))?;
    Ok(lines)
}

/// The next line; `None` at the end of the input. A terminal may speak another encoding than ours: what is not UTF-8 is
/// replaced, and ends nothing.
fn next(input: &mut impl BufRead) -> Option<String> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(LONGEST).read_until(b'\n', &mut bytes);
    let is_over = matches!(read, Ok(0) | Err(_)) && bytes.is_empty();
    (!is_over).then(|| String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_end_nothing() {
        let mut input = std::io::Cursor::new(b"note caf\xe9\r\nhelp\n\nlast");
        let lines: Vec<String> = std::iter::from_fn(|| next(&mut input)).collect();
        assert_eq!(lines, ["note caf\u{fffd}", "help", "", "last"]);
        let long = [vec![b'a'; LONGEST as usize + 3], vec![b'\n']].concat();
        let mut input = std::io::Cursor::new(long);
        let lengths: Vec<usize> = std::iter::from_fn(|| next(&mut input)).map(|line| line.len()).collect();
        assert_eq!(lengths, [LONGEST as usize, 3]);
    }

    #[test]
    fn a_paste_is_told_from_typing() {
        let mut paste = Paste::default();
        assert_eq!(paste.line("approve my-api 7f3a\r", 1).origin, Origin::Typed);
        let pasted = paste.line("\u{1b}[200~approve my-api 7f3a\u{1b}[201~", 1);
        assert_eq!((pasted.origin, pasted.text.as_str()), (Origin::Pasted, "approve my-api 7f3a"));
        assert_eq!(paste.line("approve my-api 7f3a", 1).origin, Origin::Typed);
    }

    #[test]
    fn every_line_of_a_paste_is_pasted() {
        let mut paste = Paste::default();
        let lines = ["help\u{1b}[200~", "approve my-api 7f3a", "\u{1b}[201~approve my-api", "approve my-api 7f3a"];
        let origins = lines.map(|raw| paste.line(raw, 1).origin);
        assert_eq!(origins, [Origin::Pasted, Origin::Pasted, Origin::Pasted, Origin::Typed]);
        let twice = ["\u{1b}[200~a\u{1b}[201~\u{1b}[200~b", "approve", "\u{1b}[201~", "approve"];
        let origins = twice.map(|raw| paste.line(raw, 1).origin);
        assert_eq!(origins, [Origin::Pasted, Origin::Pasted, Origin::Pasted, Origin::Typed]);
    }
}
