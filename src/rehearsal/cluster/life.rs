//! The seam to the model of behaviour, which says when and how a life is killed, and the kubelet's patience.

use std::fmt;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::rehearsal::behaviour::{Life, LifeEnd};

/// When a life ends, and how.
pub type Doom = (Timestamp, LifeEnd);

type Foresight = dyn Fn(&str, &str, &Life) -> Option<Doom> + Send + Sync;

/// The model of behaviour as the cluster asks it: when, if ever, and how does this life end by a kill?
#[derive(Clone)]
pub struct Fate(Arc<Foresight>);

impl Fate {
    /// A fate told by a function of the workload's namespace and name and of the life; it must be pure.
    pub fn new(foresight: impl Fn(&str, &str, &Life) -> Option<Doom> + Send + Sync + 'static) -> Self {
        Self(Arc::new(foresight))
    }

    /// When and how this life ends.
    pub fn of(&self, namespace: &str, workload: &str, life: &Life) -> Option<Doom> {
        (self.0)(namespace, workload, life)
    }
}

impl fmt::Debug for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fate")
    }
}

/// The kubelet's wait before a restart: none the first time, then 10 s doubling to 5 min, forgotten after 10 quiet
/// minutes (Kubernetes documentation, "Pod lifecycle", container restart policy).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    crashes: u32,
}

impl Backoff {
    const RESET: SignedDuration = SignedDuration::from_mins(10);

    /// Counts a crash after a life of some length and says how long to wait.
    pub fn crashed(&mut self, lived: SignedDuration) -> SignedDuration {
        if lived >= Self::RESET {
            self.crashes = 0;
        }
        let wait = match self.crashes {
            0 => 0,
            crashes => 300.min(10_i64 << (crashes - 1).min(5)),
        };
        self.crashes += 1;
        SignedDuration::from_secs(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_to_five_minutes_and_is_forgotten() {
        let mut backoff = Backoff::default();
        let minute = SignedDuration::from_mins(1);
        let waits: Vec<i64> = (0..10).map(|_| backoff.crashed(minute).as_secs()).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300, 300, 300]);
        assert_eq!(backoff.crashed(SignedDuration::from_mins(10)).as_secs(), 0);
    }
}
