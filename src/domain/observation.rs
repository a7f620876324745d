//! What was seen: alarms, metrics, log lines, workloads, kills. Uses nothing of the other rooms.

pub mod alarm;
pub mod change;
pub mod cluster_sign;
pub mod collector_log;
pub mod log;
pub mod log_sign;
pub mod log_template;
pub mod metric;
pub mod oom_kill;
pub mod redact;
pub mod sanitise;
pub mod scope;
pub mod service;
pub mod skew;
mod wording;
pub mod workload;
