//! Kubernetes on the real API: connect, watch, read, and the one path by which a patch is rehearsed and applied.
//! Knows nothing of sessions; a write leaves only with a permit.

pub mod connect;
pub mod quantity;

mod access;
mod call;
mod changes;
mod checks;
mod fault;
mod field;
mod map;
mod objects;
mod patch;
mod read;
mod rehearse;
mod rollout;
mod watch;

pub use access::Access;
pub use call::{Client, Timeouts};
pub use fault::{Doing, KubeError, Problem};
pub use objects::told::tell_once;
pub use objects::{Objects, objects};
pub use patch::{Applied, FIELD_MANAGER, Go, Turn, apply};
pub use read::View;
pub use rehearse::{Intent, fails_by_now, rehearse};
pub use watch::{Refused, Unreadable, WatchError, WatchReport, watch_once};
