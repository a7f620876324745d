//! ratatui's backend over the writer: a frame is collected whole, and left out if it changes nothing.

use std::fmt;
use std::io;
use std::sync::Arc;

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size as Cells};

use super::writer::Writer;
use crate::ui::model::Size;

/// Room for a frame at 200x60 with every cell changed, so that it grows but once.
const FRAME_BYTES: usize = 64 << 10;

/// Where the cursor is, as far as the terminal has been told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cursor {
    Hidden,
    At(Position),
    /// Shown, at a place that drawing has moved.
    Astray,
}

/// The backend.
pub(super) struct Wire {
    frame: Vec<u8>,
    writer: Arc<Writer>,
    size: Size,
    cursor: Cursor,
    frames: u64,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("size", &self.size).field("frames", &self.frames).finish_non_exhaustive()
    }
}

impl Wire {
    /// A backend of a size. The cursor is hidden.
    pub(super) fn new(writer: Arc<Writer>, size: Size) -> Self {
        Self { frame: Vec::with_capacity(FRAME_BYTES), writer, size, cursor: Cursor::Hidden, frames: 0 }
    }

    /// The size in cells.
    pub(super) fn cells(&self) -> Size {
        self.size
    }

    /// Notes another size.
    pub(super) fn resized(&mut self, size: Size) {
        self.size = size;
    }

    /// Frames handed to the writer so far.
    pub(super) fn frames(&self) -> u64 {
        self.frames
    }

    fn inner(&mut self) -> CrosstermBackend<&mut Vec<u8>> {
        CrosstermBackend::new(&mut self.frame)
    }
}

impl Backend for Wire {
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
        self.inner().draw(content)
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        if self.cursor == Cursor::Hidden {
            return Ok(());
        }
        self.cursor = Cursor::Hidden;
        self.inner().hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        if self.cursor != Cursor::Hidden {
            return Ok(());
        }
        self.cursor = Cursor::Astray;
        self.inner().show_cursor()
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
                self.inner().set_cursor_position(position)
            }
        }
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner().clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.inner().clear_region(clear_type)
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
        let mut whole = Vec::with_capacity(self.frame.len() + 16);
        queue!(whole, BeginSynchronizedUpdate)?;
        whole.append(&mut self.frame);
        queue!(whole, EndSynchronizedUpdate)?;
        self.frames += 1;
        self.writer.send(whole);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use ratatui::Terminal;

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

    fn taped() -> (Tape, Terminal<Wire>, Arc<Writer>) {
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
    fn a_frame_is_one_write_in_brackets_and_an_unchanged_one_none() {
        let (tape, mut terminal, writer) = taped();
        terminal.draw(|frame| frame.render_widget("one", frame.area())).unwrap();
        let first = writes(&tape, &writer);
        assert_eq!(first.len(), 1);
        assert!(first[0].starts_with("\x1b[?2026h") && first[0].ends_with("\x1b[?2026l"), "{first:?}");
        assert!(first[0].contains("one"));
        terminal.draw(|frame| frame.render_widget("one", frame.area())).unwrap();
        assert_eq!(writes(&tape, &writer), Vec::<String>::new());
        terminal.draw(|frame| frame.render_widget("two", frame.area())).unwrap();
        assert_eq!(writes(&tape, &writer).len(), 1);
    }

    #[test]
    fn a_cursor_that_stays_writes_nothing_and_returns_after_drawing() {
        let (tape, mut terminal, writer) = taped();
        let draw = |terminal: &mut Terminal<Wire>, text: &'static str| {
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
