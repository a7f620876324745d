//! Where everything meets: the loop, the effects, the terminal, and the runs that the command line asks for.

pub mod archive;
mod bell;
pub mod catalogue;
pub mod clock;
pub mod doctor;
pub mod exported;
pub mod input;
pub mod logbook;
pub mod operator;
pub mod scorecard;
pub mod terminal;

mod cockpit;
mod core;
mod desk;
mod expectation;
mod export;
mod headless;
mod inbox;
mod launch;
mod outbox;
mod outside;
mod replay;
mod runner;
mod scribe;
mod signals;
mod tasks;
#[cfg(test)]
mod tests;
mod virtual_screen;

pub use cockpit::check_screen;
pub use launch::{Ending, RehearseOptions, cockpit, investigate, rehearse, resume};
pub use replay::replay;
