//! The incident clock of a rehearsal: runs at a multiple of the wall, or stands still and jumps. Owns the simulator's
//! only look at the wall clock; knows nothing of the world.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

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
    standing: Mutex<Standing>,
}

/// A clock that stands, and who waits for its jumps, in the order of time: a jump wakes those whose time has come, and
/// nobody else.
#[derive(Debug)]
struct Standing {
    now: Timestamp,
    next_id: u64,
    waiting: BTreeMap<(Timestamp, u64), Waiting>,
}

#[derive(Debug)]
struct Waiting {
    whom: Counts,
    waker: Option<Waker>,
}

/// Whether the clock jumps for somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Counts {
    AsSleeper,
    NotAtAll,
}

/// What the wall shows: answers and signatures are dated by it, whatever time it is in the scenario.
pub fn wall_now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "the rehearsal's clock is the one place that reads it")]
    Timestamp::now()
}

impl SimClock {
    /// A clock that shows `start` now.
    pub fn new(start: Timestamp, speed: Speed) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the rehearsal's clock is the one place that reads it")]
        let origin = Instant::now();
        let standing = Standing { now: start, next_id: 0, waiting: BTreeMap::new() };
        Self { start, origin, speed, standing: Mutex::new(standing) }
    }

    /// The incident time.
    pub fn now(&self) -> Timestamp {
        match self.speed {
            Speed::Times(factor) => {
                let passed = self.origin.elapsed().as_secs_f64() * factor.max(0.0);
                self.start + SignedDuration::from_millis((passed * 1_000.0) as i64)
            }
            Speed::Max => self.standing().now,
        }
    }

    /// How it passes.
    pub fn speed(&self) -> Speed {
        self.speed
    }

    /// Waits until the incident time has come. Under `Max` until somebody jumps there. The sleeper is on the list from
    /// this call on, not from its first poll, so that no jump passes it by.
    pub fn sleep_until(&self, at: Timestamp) -> impl Future<Output = ()> + Send + '_ {
        self.wait(at, Counts::AsSleeper)
    }

    /// Waits until the incident time has come, without anybody waiting for the waiter: under `Max` nobody jumps for it.
    pub fn reached(&self, at: Timestamp) -> impl Future<Output = ()> + Send + '_ {
        self.wait(at, Counts::NotAtAll)
    }

    fn wait(&self, at: Timestamp, whom: Counts) -> impl Future<Output = ()> + Send + '_ {
        let place = self.register(at, whom);
        async move {
            match self.speed {
                Speed::Times(factor) => {
                    while self.now() < at {
                        let left = at.duration_since(self.now()).as_secs_f64().max(0.001) / factor.max(1e-6);
                        tokio::time::sleep(Duration::from_secs_f64(left.clamp(0.001, 3_600.0))).await;
                    }
                }
                Speed::Max => std::future::poll_fn(|context| place.poll(context.waker())).await,
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
        let standing = self.standing();
        let mut sleepers = standing.waiting.iter().filter(|(_, waiting)| waiting.whom == Counts::AsSleeper);
        sleepers.next().map(|((at, _), _)| *at)
    }

    /// Moves a standing clock forward and wakes who waited for it. Never moves back; ignored unless `Max`.
    pub fn jump_to(&self, at: Timestamp) {
        if self.speed != Speed::Max {
            return;
        }
        let due: Vec<Waker> = {
            let mut standing = self.standing();
            standing.now = standing.now.max(at);
            let now = standing.now;
            let due = standing.waiting.range_mut(..=(now, u64::MAX));
            due.filter_map(|(_, waiting)| waiting.waker.take()).collect()
        };
        due.into_iter().for_each(Waker::wake);
    }

    fn register(&self, at: Timestamp, whom: Counts) -> Registration<'_> {
        let mut standing = self.standing();
        standing.next_id += 1;
        let key = (at, standing.next_id);
        standing.waiting.insert(key, Waiting { whom, waker: None });
        Registration { clock: self, key }
    }

    fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes somebody who waits off the list when its future ends or is dropped.
struct Registration<'a> {
    clock: &'a SimClock,
    key: (Timestamp, u64),
}

impl Registration<'_> {
    fn poll(&self, waker: &Waker) -> Poll<()> {
        let mut standing = self.clock.standing();
        if standing.now >= self.key.0 {
            return Poll::Ready(());
        }
        if let Some(waiting) = standing.waiting.get_mut(&self.key) {
            waiting.waker = Some(waker.clone());
        }
        Poll::Pending
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.clock.standing().waiting.remove(&self.key);
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
        let mut uncounted = Box::pin(clock.reached(later));
        assert!(futures::poll!(&mut uncounted).is_pending());
        assert_eq!(clock.next_deadline(), None, "nobody jumps for it");
        clock.jump_to(later);
        uncounted.await;
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
