//! What may be done: steps, runbooks, policy, approval, the gate, verification. Uses the other two rooms.

pub mod approval;
pub mod follow_up;
pub mod gate;
pub mod policy;
pub mod request;
pub mod runbook;
pub mod step;
pub mod trace;
pub mod verification;
