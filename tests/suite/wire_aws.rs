//! The AWS adapters against servers that say exactly what a case needs, over a real connection.
//!
//! The servers are written from the protocols' documents and share no code with the adapters or the simulator.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on stops where it is")]

#[path = "wire_aws/alarms.rs"]
mod alarms;
#[path = "wire_aws/bedrock.rs"]
pub(crate) mod bedrock;
#[path = "wire_aws/faults.rs"]
mod faults;
#[path = "wire_aws/insights.rs"]
mod insights;
#[path = "wire_aws/live_tail.rs"]
mod live_tail;
#[path = "wire_aws/logs.rs"]
mod logs;
#[path = "wire_aws/metrics.rs"]
mod metrics;
#[path = "wire_aws/recorded.rs"]
mod recorded;
#[path = "wire_aws/server.rs"]
pub(crate) mod server;
