//! The rehearsal: a simulated cloud on loopback that speaks the real wire protocols.
//!
//! Owns scenarios, the world they make, its clock, its servers and the ledger of what they received. Uses `domain`
//! alone and shares no wire code with `adapters`, so that both sides cannot share a bug.

pub mod behaviour;
pub mod clock;
pub mod cluster;
pub mod faults;
pub mod ledger;
pub mod names;
pub mod review;
pub mod scenario;
pub mod server;
pub mod wire;
pub mod world;

pub use server::{Endpoints, Rehearsal, StartOptions, start};
