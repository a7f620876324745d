//! AWS through its own SDK, one file a topic. SDK retries are off: waiting belongs to the session.

pub mod alarms;
pub mod bedrock;
pub mod call;
pub mod clients;
pub mod clock;
pub mod insights;
pub mod live_tail;
pub mod logs;
pub mod metrics;
