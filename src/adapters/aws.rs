//! AWS through its own SDK, one file a topic. SDK retries are off: waiting belongs to the session.
