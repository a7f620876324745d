//! Kubernetes on the real API: connect, watch, read, and the one path by which a patch is rehearsed and applied.
//! Knows nothing of sessions; a write leaves only with a permit.

pub mod connect;
pub mod quantity;

mod call;
mod fault;
mod map;
mod read;
mod watch;

pub use call::{Client, Timeouts};
pub use fault::{Doing, KubeError, Problem};
pub use read::View;
pub use watch::{Unreadable, WatchError, WatchReport, watch_once};
