//! The session: a fold of records, and nothing else. No I/O, no clock, no randomness; effects are returned, not done.

pub mod cluster;
pub mod effect;
pub mod event;
pub mod feeds;
pub mod header;
pub mod incident;
pub mod judgement;
mod lasting;
pub mod logs;
pub mod narrative;
mod place;
pub mod record;
pub mod remediation;
pub mod reporting;
mod resumption;
mod standing;
pub mod state;
mod storm;
pub mod timeline;
pub mod timers;
pub mod triage;
pub mod update;
pub mod verification;

pub use record::{IncidentId, Record};
pub use state::Session;
pub use update::update;
