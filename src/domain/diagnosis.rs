//! What the observations mean: evidence, statistics, rules, claims, verdict. Uses `observation` alone.

pub mod claim;
pub mod evidence;
pub mod sufficiency;
pub mod verdict;
