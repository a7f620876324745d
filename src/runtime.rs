//! Where everything meets: the loop, the effects, the terminal, and the runs that the command line asks for.

pub mod archive;
mod attach;
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

mod access;
mod cockpit;
mod core;
mod departure;
mod desk;
mod ending;
mod expectation;
mod export;
mod film;
mod headless;
mod inbox;
mod launch;
mod options;
mod outbox;
mod outside;
mod plain;
mod private;
mod quiet;
mod replay;
mod runner;
mod scribe;
mod signals;
mod tasks;
#[cfg(test)]
mod tests;
mod virtual_screen;
mod waits;

pub use ending::Ending;
pub use film::film;
pub use launch::{RehearseOptions, cockpit, investigate, rehearse, resume};
pub use options::check_screen;
pub use replay::replay;
