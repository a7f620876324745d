//! A screen that nobody sees: the cockpit's own drawing and key handling for a scripted operator.

use super::core::Core;
use super::terminal::MemoryScreen;
use crate::ui::input::Input;
use crate::ui::intent::Intent;
use crate::ui::model::{Instants, Size, Tone, Ui, UiOptions};
use crate::ui::{update, view};

/// Its size: a common wide terminal.
const COLS: u16 = 120;
const ROWS: u16 = 40;

/// The screen with the cockpit's state.
pub struct VirtualScreen {
    ui: Ui,
    screen: MemoryScreen,
}

impl VirtualScreen {
    /// A screen with nothing on it.
    pub fn new(options: UiOptions) -> Self {
        let size = Size { cols: COLS, rows: ROWS };
        Self { ui: Ui::new(options, size), screen: MemoryScreen::new(size) }
    }

    /// Draws a frame, as the cockpit does after every change.
    pub fn draw(&mut self, core: &Core) {
        let at = instants(core);
        update::prepare(&mut self.ui, &core.session, at);
        let (ui, session) = (&self.ui, &core.session);
        self.screen.draw(|frame| view::draw(frame, ui, session, at.now));
        update::drawn(&mut self.ui, session, at);
    }

    /// Handles an input.
    pub fn input(&mut self, core: &Core, input: Input) -> Vec<Intent> {
        update::update(&mut self.ui, input, &core.session, instants(core))
    }

    /// Tells the operator something.
    pub fn tell(&mut self, core: &Core, text: &str) {
        self.ui.tell(Tone::Warned, text, instants(core));
    }
}

/// Both clocks now.
pub fn instants(core: &Core) -> Instants {
    Instants { now: core.now(), mono_ms: core.clock.mono_ms() }
}
