//! Where everything meets: the loop, the effects, the terminal.

pub mod input;
pub mod terminal;
