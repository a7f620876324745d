//! A screen whose bytes go elsewhere than to the terminal: a frame's whole way, for whoever reads it byte for byte.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ratatui::{Frame, Terminal};

use super::wire::{self, Wire};
use super::writer::Writer;
use crate::ui::model::Size;
use crate::ui::view::Link;

/// Who tapes is not a slow terminal: longer than this it is broken.
const PATIENCE: Duration = Duration::from_secs(30);

/// The screen.
#[derive(Debug)]
pub struct TapedScreen {
    terminal: Terminal<Wire<Arc<Writer>>>,
    writer: Arc<Writer>,
}

impl TapedScreen {
    /// A screen of a size that writes there.
    pub fn new(out: impl io::Write + Send + 'static, size: Size) -> io::Result<Self> {
        let writer = Writer::start(out)?;
        let terminal = Terminal::new(Wire::new(Arc::clone(&writer), size))?;
        Ok(Self { terminal, writer })
    }

    /// Notes another size: the next frame is whole.
    pub fn resized(&mut self, size: Size) {
        self.terminal.backend_mut().resized(size);
    }

    /// Lets these cells lead to their addresses from the next frame on.
    pub fn link(&mut self, links: Vec<Link>) {
        self.terminal.backend_mut().links().set(links);
    }

    /// Draws a frame, and returns when it is written.
    pub fn draw(&mut self, render: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        wire::draw(&mut self.terminal, render)?;
        if self.writer.settles(PATIENCE)? { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) }
    }
}

impl Drop for TapedScreen {
    fn drop(&mut self) {
        self.writer.stop();
    }
}
