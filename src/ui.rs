//! The cockpit's screen: what the person sees and what a key press asks for.
//!
//! Reads the session and never changes it; asks for things by returning `Intent`s. No I/O, no clock: instants and
//! sizes arrive as arguments, so that every screen and every key is a table in a test.

pub mod chart;
pub mod console;
pub mod contact;
pub mod format;
pub mod help;
pub mod input;
pub mod intent;
pub mod keymap;
pub mod layout;
pub mod model;
pub mod narrative;
pub mod page;
pub mod palette;
pub mod prompt;
pub mod search;
pub mod theme;
pub mod tour;
pub mod update;
pub mod view;
