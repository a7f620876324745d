//! What the observations mean: evidence, statistics, rules, claims, verdict. Uses `observation` alone.

pub mod claim;
pub mod conversation;
pub mod evidence;
pub mod inference_profile;
pub mod rules;
pub mod statistics;
pub mod storm;
pub mod submission;
pub mod sufficiency;
pub mod verdict;
