//! What reaches the screen from outside: keys, pastes, sizes, focus, and the passing of time.

use crossterm::event::KeyEvent;

/// Whether the terminal window has the keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// It came back.
    Gained,
    /// It went elsewhere: nothing armed may stay so.
    Lost,
}

/// One input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(KeyEvent),
    /// The keys that come next were there at once: a paste without brackets, or a link that stalled. None of them is a
    /// press of its own.
    Burst,
    /// A bracketed paste. It is text, never keys.
    Paste(String),
    /// The terminal has this size now.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// The window gained or lost the keyboard.
    Focus(Focus),
    /// The program runs again after it was stopped: nothing armed may have outlived that.
    Resumed,
    /// Time passed: messages age, sequences of keys lapse.
    Tick,
}
