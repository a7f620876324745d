//! The core: what is observed, what it means, and what may be done about it.
//!
//! Pure. No I/O, no clock, no randomness, no async: everything arrives in arguments. The three rooms are
//! used in one direction only: `observation` ← `diagnosis` ← `remediation`.

#[macro_use]
mod text_id;

pub mod count;
pub mod diagnosis;
pub mod drill;
pub mod fault;
pub mod near;
pub mod observation;
pub mod remediation;
