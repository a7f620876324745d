//! ratatui's backend over the writer: a frame is collected whole, and left out if it changes nothing.

use std::fmt;
use std::io;
use std::sync::Arc;

use ratatui::backend::{Backend, ClearType, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size as Cells};
use ratatui::{Frame, Terminal};

use super::encode::Pen;
use super::links::{Links, write_again};
use super::route::{Placed, cheapest};
use super::writer::Writer;
use crate::ui::model::Size;

/// Room for a frame at 200x60 with every cell changed, so that it grows but once.
const FRAME_BYTES: usize = 64 << 10;

/// Cells up to which the way through them is looked for: what a quiet screen changes. Of more, the search costs more than
/// the bytes.
const FEW_CELLS: usize = 64;

/// Bytes up to which a frame goes without brackets. It is one write, which a terminal has whole before it draws; on a
/// screen at rest the brackets would be an eighth of all that is sent.
const SHORT: usize = 128;

/// The brackets of a synchronized update: what lies between is shown at once, where the terminal knows them.
const BEGIN: &[u8] = b"\x1b[?2026h";
const END: &[u8] = b"\x1b[?2026l";

/// Where finished frames go.
pub(super) trait Sink {
    /// Takes one whole frame.
    fn take(&mut self, frame: Vec<u8>);
}

impl Sink for Arc<Writer> {
    fn take(&mut self, frame: Vec<u8>) {
        self.send(frame);
    }
}

/// Where the cursor is, as far as the terminal has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cursor {
    Hidden,
    At(Position),
    /// Shown, at a place that drawing has moved.
    Astray,
}

/// The backend.
pub(super) struct Wire<S> {
    frame: Vec<u8>,
    sink: S,
    size: Size,
    cursor: Cursor,
    pen: Pen,
    links: Links,
    frames: u64,
    bytes: u64,
}

impl<S> fmt::Debug for Wire<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("size", &self.size).field("frames", &self.frames).finish_non_exhaustive()
    }
}

impl<S: Sink> Wire<S> {
    /// A backend of a size. The cursor is hidden.
    pub(super) fn new(sink: S, size: Size) -> Self {
        let (frame, pen, links) = (Vec::with_capacity(FRAME_BYTES), Pen::default(), Links::default());
        Self { frame, sink, size, cursor: Cursor::Hidden, pen, links, frames: 0, bytes: 0 }
    }

    /// The size in cells.
    pub(super) fn cells(&self) -> Size {
        self.size
    }

    /// Notes another size.
    pub(super) fn resized(&mut self, size: Size) {
        self.size = size;
    }

    /// Frames handed over so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    /// Where frames go.
    pub(super) fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// Which cells lead where.
    pub(super) fn links(&mut self) -> &mut Links {
        &mut self.links
    }

    /// Bytes handed over so far.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

/// Draws a frame: what changed, and what leads elsewhere now.
pub(super) fn draw<S: Sink>(terminal: &mut Terminal<Wire<S>>, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
    let moved = terminal.backend_mut().links.moved();
    let drawn = terminal.draw(|frame| {
        render(frame);
        write_again(frame, &moved);
    });
    drawn.map(drop)
}

impl<S: Sink> Backend for Wire<S> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut content = content.peekable();
        if content.peek().is_none() {
            return Ok(());
        }
        if self.cursor != Cursor::Hidden {
            self.cursor = Cursor::Astray;
        }
        let mut cells: Vec<Placed<'a>> = content.by_ref().take(FEW_CELLS + 1).collect();
        if cells.len() <= FEW_CELLS {
            cells = cheapest(cells, (self.pen, self.size.cols));
        }
        for (x, y, cell) in cells.into_iter().chain(content) {
            self.links.come_to(&mut self.frame, Position { x, y });
            self.pen.draw(&mut self.frame, cell, (Position { x, y }, self.size.cols));
        }
        self.links.leave(&mut self.frame);
        Ok(())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor == Cursor::Hidden {
            return Ok(());
        }
        self.cursor = Cursor::Hidden;
        self.frame.extend(b"\x1b[?25l");
        Ok(())
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.cursor != Cursor::Hidden {
            return Ok(());
        }
        self.cursor = Cursor::Astray;
        self.frame.extend(b"\x1b[?25h");
        Ok(())
    }

    /// As far as it is known here. The terminal is never asked: its answer would arrive among the keys.
    fn get_cursor_position(&mut self) -> io::Result<Position> {
        match self.cursor {
            Cursor::At(position) => Ok(position),
            Cursor::Hidden | Cursor::Astray => Ok(Position::ORIGIN),
        }
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        let position = position.into();
        match self.cursor {
            Cursor::Hidden => Ok(()),
            Cursor::At(known) if known == position => Ok(()),
            Cursor::At(_) | Cursor::Astray => {
                self.cursor = Cursor::At(position);
                self.pen.lose_place();
                self.frame.extend(format!("\x1b[{};{}H", position.y + 1, position.x + 1).bytes());
                Ok(())
            }
        }
    }

    fn clear(&mut self) -> io::Result<()> {
        self.clear_region(ClearType::All)
    }

    /// In plain ink: terminals fill with the colour of the pen.
    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.pen.wipe(&mut self.frame);
        let region: &[u8] = match clear_type {
            ClearType::All => b"\x1b[2J",
            ClearType::AfterCursor => b"\x1b[J",
            ClearType::BeforeCursor => b"\x1b[1J",
            ClearType::CurrentLine => b"\x1b[2K",
            ClearType::UntilNewLine => b"\x1b[K",
        };
        self.frame.extend(region);
        Ok(())
    }

    fn size(&self) -> io::Result<Cells> {
        Ok(Cells::new(self.size.cols, self.size.rows))
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        Ok(WindowSize { columns_rows: self.size()?, pixels: Cells::ZERO })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.frame.is_empty() {
            return Ok(());
        }
        let mut whole = Vec::with_capacity(self.frame.len() + BEGIN.len() + END.len());
        // What goes on where the last frame ended is bracketed too: no text stands outside of what is ours.
        let is_bare = self.frame.len() <= SHORT && self.frame.starts_with(b"\x1b");
        let [begin, end]: [&[u8]; 2] = if is_bare { [b"", b""] } else { [BEGIN, END] };
        whole.extend(begin);
        whole.append(&mut self.frame);
        whole.extend(end);
        self.frames += 1;
        self.bytes += whole.len() as u64;
        self.sink.take(whole);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use super::*;

    #[derive(Clone, Default)]
    struct Tape(Arc<Mutex<Vec<Vec<u8>>>>);

    impl io::Write for Tape {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn taped() -> (Tape, Terminal<Wire<Arc<Writer>>>, Arc<Writer>) {
        let tape = Tape::default();
        let writer = Writer::start(tape.clone()).unwrap();
        let wire = Wire::new(Arc::clone(&writer), Size { cols: 20, rows: 3 });
        (tape, Terminal::new(wire).unwrap(), writer)
    }

    fn writes(tape: &Tape, writer: &Writer) -> Vec<String> {
        assert!(writer.settles(Duration::from_secs(30)).unwrap());
        std::mem::take(&mut *tape.0.lock().unwrap())
            .into_iter()
            .map(|bytes| String::from_utf8(bytes).unwrap())
            .collect()
    }

    #[test]
    fn a_frame_is_one_write_and_an_unchanged_one_none() {
        let (tape, mut terminal, writer) = taped();
        terminal.draw(|frame| frame.render_widget("one", frame.area())).unwrap();
        let first = writes(&tape, &writer);
        assert_eq!(first.len(), 1);
        assert!(first[0].contains("one"));
        terminal.draw(|frame| frame.render_widget("one", frame.area())).unwrap();
        assert_eq!(writes(&tape, &writer), Vec::<String>::new());
        terminal.draw(|frame| frame.render_widget("two", frame.area())).unwrap();
        assert_eq!(writes(&tape, &writer).len(), 1);
    }

    #[test]
    fn what_a_terminal_may_not_read_at_once_is_bracketed() {
        // The first move and the letters.
        for (letters, brackets) in [(SHORT - 6, false), (SHORT - 5, true)] {
            let tape = Tape::default();
            let writer = Writer::start(tape.clone()).unwrap();
            let size = Size { cols: 200, rows: 3 };
            let mut terminal = Terminal::new(Wire::new(Arc::clone(&writer), size)).unwrap();
            terminal.draw(|frame| frame.render_widget("x".repeat(letters), frame.area())).unwrap();
            let frame = writes(&tape, &writer).concat();
            let [begins, ends] = [frame.starts_with("\x1b[?2026h"), frame.ends_with("\x1b[?2026l")];
            assert_eq!([begins, ends], [brackets; 2], "{letters}: {frame:?}");
        }
    }

    #[test]
    fn a_cursor_that_stays_writes_nothing_and_returns_after_drawing() {
        let (tape, mut terminal, writer) = taped();
        let draw = |terminal: &mut Terminal<Wire<Arc<Writer>>>, text: &'static str| {
            terminal
                .draw(|frame| {
                    frame.render_widget(text, frame.area());
                    frame.set_cursor_position((4, 1));
                })
                .unwrap();
        };
        draw(&mut terminal, "a");
        assert!(writes(&tape, &writer)[0].contains("\x1b[2;5H"));
        draw(&mut terminal, "a");
        assert_eq!(writes(&tape, &writer), Vec::<String>::new());
        draw(&mut terminal, "b");
        assert!(writes(&tape, &writer)[0].contains("\x1b[2;5H"), "drawing moved it");
    }

    #[test]
    fn another_size_makes_the_next_frame_whole() {
        let (tape, mut terminal, writer) = taped();
        terminal.draw(|frame| frame.render_widget("same", frame.area())).unwrap();
        writes(&tape, &writer);
        terminal.backend_mut().resized(Size { cols: 30, rows: 4 });
        terminal.draw(|frame| frame.render_widget("same", frame.area())).unwrap();
        assert!(writes(&tape, &writer).concat().contains("same"));
    }
}
