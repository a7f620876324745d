//! pagerdeck: a terminal incident cockpit for the on-call engineer.

pub mod adapters;
pub mod config;
pub mod domain;
pub mod journal;
pub mod rehearsal;
pub mod report;
pub mod runtime;
pub mod session;
pub mod ui;
