//! A screen in memory: for runs without a terminal and for tests.

use ratatui::backend::TestBackend;
use ratatui::buffer::Cell;
use ratatui::{Frame, Terminal};

use crate::ui::model::Size;

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
        let line = |row: &[Cell]| row.iter().map(Cell::symbol).collect::<String>();
        rows.map(|row| line(row).trim_end().to_owned()).collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_in_memory_shows_what_was_drawn() {
        let mut screen = MemoryScreen::new(Size { cols: 8, rows: 2 });
        screen.draw(|frame| frame.render_widget("ready", frame.area()));
        assert_eq!(screen.text(), "ready\n");
    }
}
