//! The session: a fold of records, and nothing else. No I/O, no clock, no randomness; effects are returned, not done.

pub mod effect;
pub mod event;
pub mod feeds;
pub mod header;
pub mod incident;
pub mod logs;
pub mod record;
pub mod state;
pub mod timeline;
pub mod timers;

pub use record::{IncidentId, Record};
pub use state::Session;
