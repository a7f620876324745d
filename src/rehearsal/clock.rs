//! The incident clock of a rehearsal: runs at a multiple of the wall, or stands still and jumps. Owns the simulator's
//! only look at the wall clock; knows nothing of the world.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;

/// How incident time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many incident seconds a wall second.
    Times(f64),
    /// Stands still but for jumps, which the cockpit makes when it has nothing in flight.
    Max,
}

/// The clock. Share it in an `Arc`.
#[derive(Debug)]
pub struct SimClock {
    start: Timestamp,
    origin: Instant,
    speed: Speed,
    jumped: watch::Sender<Timestamp>,
    sleepers: Mutex<Sleepers>,
}

#[derive(Debug, Default)]
struct Sleepers {
    next_id: u64,
    deadlines: BTreeSet<(Timestamp, u64)>,
}

impl SimClock {
    /// A clock that shows `start` now.
    pub fn new(start: Timestamp, speed: Speed) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the rehearsal's clock is the one place that reads it")]
        let origin = Instant::now();
        Self { start, origin, speed, jumped: watch::Sender::new(start), sleepers: Mutex::default() }
    }

    /// The incident time.
    pub fn now(&self) -> Timestamp {
        match self.speed {
            Speed::Times(factor) => {
                let passed = self.origin.elapsed().as_secs_f64() * factor.max(0.0);
                self.start + SignedDuration::from_millis((passed * 1_000.0) as i64)
            }
            Speed::Max => *self.jumped.borrow(),
        }
    }

    /// How it passes.
    pub fn speed(&self) -> Speed {
        self.speed
    }

    /// Waits until the incident time has come. Under `Max` until somebody jumps there. The sleeper is on the list from
    /// this call on, not from its first poll, so that no jump passes it by.
    pub fn sleep_until(&self, at: Timestamp) -> impl Future<Output = ()> + Send + '_ {
        let registered = self.register(at);
        async move {
            let _registered = registered;
            self.reached(at).await;
        }
    }

    /// Waits until the incident time has come, without anybody waiting for the waiter: under `Max` nobody jumps for it.
    pub async fn reached(&self, at: Timestamp) {
        match self.speed {
            Speed::Times(factor) => {
                while self.now() < at {
                    let left = at.duration_since(self.now()).as_secs_f64().max(0.001) / factor.max(1e-6);
                    tokio::time::sleep(Duration::from_secs_f64(left.clamp(0.001, 3_600.0))).await;
                }
            }
            Speed::Max => {
                let mut jumps = self.jumped.subscribe();
                // An error means that the clock is gone, and with it everybody who could be waited for.
                let _ = jumps.wait_for(|now| *now >= at).await;
            }
        }
    }

    /// Passes a pause of incident time on the wall: shortened by the speed, none under `Max`. For token pacing and
    /// latency, which the cockpit waits for with a request in flight: under `Max` nobody would jump meanwhile.
    pub async fn pause(&self, length: SignedDuration) {
        if let (Speed::Times(factor), Ok(length)) = (self.speed, Duration::try_from(length)) {
            tokio::time::sleep(length.div_f64(factor.max(1e-6)).min(Duration::from_hours(1))).await;
        }
    }

    /// The earliest instant somebody sleeps until.
    pub fn next_deadline(&self) -> Option<Timestamp> {
        let sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.deadlines.first().map(|(at, _)| *at)
    }

    /// Moves a standing clock forward and wakes who waited for it. Never moves back; ignored unless `Max`.
    pub fn jump_to(&self, at: Timestamp) {
        if self.speed == Speed::Max {
            self.jumped.send_if_modified(|now| {
                let forward = at > *now;
                *now = (*now).max(at);
                forward
            });
        }
    }

    fn register(&self, at: Timestamp) -> Registration<'_> {
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.next_id += 1;
        let key = (at, sleepers.next_id);
        sleepers.deadlines.insert(key);
        Registration { clock: self, key }
    }
}

/// Takes a sleeper off the list when its future ends or is dropped.
struct Registration<'a> {
    clock: &'a SimClock,
    key: (Timestamp, u64),
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let mut sleepers = self.clock.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.deadlines.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_standing_clock_moves_by_jumps_alone_and_forgets_who_left() {
        let start: Timestamp = "2026-05-01T09:31:00Z".parse().unwrap();
        let clock = Arc::new(SimClock::new(start, Speed::Max));
        let soon = start + SignedDuration::from_secs(3);
        let later = start + SignedDuration::from_secs(60);
        let mut first = Box::pin(clock.sleep_until(soon));
        let mut second = Box::pin(clock.sleep_until(later));
        assert_eq!(clock.next_deadline(), Some(soon), "known before the first poll");
        assert!(futures::poll!(&mut first).is_pending() && futures::poll!(&mut second).is_pending());
        clock.jump_to(soon);
        first.await;
        assert_eq!((clock.now(), clock.next_deadline()), (soon, Some(later)));
        drop(second);
        assert_eq!(clock.next_deadline(), None);
        clock.jump_to(start);
        assert_eq!(clock.now(), soon, "it never moves back");
    }

    #[tokio::test]
    async fn a_running_clock_ignores_jumps() {
        let start: Timestamp = "2026-05-01T09:31:00Z".parse().unwrap();
        let clock = SimClock::new(start, Speed::Times(1.0));
        clock.jump_to(start + SignedDuration::from_hours(5));
        assert!(clock.now() < start + SignedDuration::from_hours(1));
        SimClock::new(start, Speed::Times(1_000.0)).sleep_until(start + SignedDuration::from_secs(1)).await;
    }
}
