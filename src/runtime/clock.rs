//! The two clocks: incident time (the wall's, or the rehearsal's) and the monotonic wall. The only reader of either.

mod flight;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

pub use self::flight::{Busy, Flight, Parts};
use crate::rehearsal::clock::{SimClock, Speed};

/// The clock of a session. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clock {
    kind: Kind,
    origin: Instant,
    sleepers: Arc<Mutex<Sleepers>>,
    busy: Busy,
}

#[derive(Clone, Debug)]
enum Kind {
    Wall,
    Simulated(Arc<SimClock>),
}

#[derive(Debug, Default)]
struct Sleepers {
    next: u64,
    deadlines: BTreeSet<(Timestamp, u64)>,
}

impl Clock {
    /// The wall's.
    pub fn wall() -> Self {
        Self::of(Kind::Wall)
    }

    /// A rehearsal's.
    pub fn simulated(clock: Arc<SimClock>) -> Self {
        Self::of(Kind::Simulated(clock))
    }

    fn of(kind: Kind) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this module is the owner of the monotonic clock")]
        let origin = Instant::now();
        Self { kind, origin, sleepers: Arc::default(), busy: Busy::default() }
    }

    /// Incident time.
    pub fn now(&self) -> Timestamp {
        match &self.kind {
            Kind::Wall => wall_now(),
            Kind::Simulated(clock) => clock.now(),
        }
    }

    /// Milliseconds since the session's start on the monotonic wall clock.
    pub fn mono_ms(&self) -> u64 {
        u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Incident time on from an instant that was read when the monotonic clock stood elsewhere: at least as much later as has
    /// passed on it since. A wall clock that is set back so prolongs nothing that runs out. A rehearsal's is nobody's to set.
    pub fn on_from(&self, base: (Timestamp, u64), mono_ms: u64) -> Timestamp {
        match &self.kind {
            Kind::Wall => on_from(wall_now(), base, mono_ms),
            Kind::Simulated(clock) => clock.now().max(base.0),
        }
    }

    /// What is in flight.
    pub fn busy(&self) -> &Busy {
        &self.busy
    }

    /// Whether time only moves by jumps.
    pub fn stands_still(&self) -> bool {
        match &self.kind {
            Kind::Wall => false,
            Kind::Simulated(clock) => clock.speed() == Speed::Max,
        }
    }

    /// Whether incident time runs at all speeds a person can follow.
    pub fn speed(&self) -> Option<Speed> {
        match &self.kind {
            Kind::Wall => None,
            Kind::Simulated(clock) => Some(clock.speed()),
        }
    }

    /// How much incident time passes while a person has this long. Fingers are as fast in a rehearsal at ten times the
    /// speed as they are at night: what a person must do in time runs by the wall. A clock that stands still has no
    /// person before it.
    pub fn while_a_person_has(&self, wait: SignedDuration) -> SignedDuration {
        match self.speed() {
            Some(Speed::Times(factor)) => scaled(wait, factor),
            Some(Speed::Max) | None => wait,
        }
    }

    /// Waits until the incident time has come, and takes off in the same instant, so that a standing clock does not
    /// jump past whoever has just been woken. The sleeper is known from this call on, not from its first poll: make it
    /// before you land or are spawned, or a jump in between passes you by.
    pub fn sleep_until(&self, at: Timestamp) -> impl Future<Output = Flight> + Send + use<> {
        let registered = self.register(at);
        let (kind, busy) = (self.kind.clone(), self.busy.clone());
        async move {
            match kind {
                Kind::Wall => {
                    let left = Duration::try_from(at.duration_since(wall_now())).unwrap_or_default();
                    tokio::time::sleep(left).await;
                }
                Kind::Simulated(clock) => clock.sleep_until(at).await,
            }
            let flight = busy.flight();
            drop(registered);
            flight
        }
    }

    /// Waits in flight until the incident time has come. The flight rests meanwhile: a standing clock does not wait for
    /// whoever waits for it, and passes everybody else who is waiting in the order of time.
    pub async fn rest_until(&self, at: Timestamp) {
        let sleep = self.sleep_until(at);
        let rest = self.busy.rest();
        let woken = sleep.await;
        // In this order the flight is never seen on the ground in between.
        drop(rest);
        drop(woken);
    }

    /// Jumps a standing clock to the next instant somebody waits for. `false` when somebody is still waking up, or
    /// nobody waits.
    pub fn jump(&self) -> bool {
        let Kind::Simulated(clock) = &self.kind else { return false };
        match self.next_deadline() {
            Some(next) if next > clock.now() => {
                clock.jump_to(next);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Whether the instant has come that somebody sleeps until, who has not taken off yet. Ask this before asking whether
    /// nothing is in flight: a sleeper takes off before it leaves the list.
    pub fn is_waking(&self) -> bool {
        self.next_deadline().is_some_and(|next| next <= self.now())
    }

    fn next_deadline(&self) -> Option<Timestamp> {
        let ours = {
            let sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
            sleepers.deadlines.first().map(|(at, _)| *at)
        };
        let theirs = match &self.kind {
            Kind::Wall => None,
            Kind::Simulated(clock) => clock.next_deadline(),
        };
        ours.into_iter().chain(theirs).min()
    }

    /// Moves a standing clock to an instant, past whoever sleeps until before it.
    #[cfg(test)]
    pub fn jump_to(&self, at: Timestamp) {
        if let Kind::Simulated(clock) = &self.kind {
            clock.jump_to(at);
        }
    }

    fn register(&self, at: Timestamp) -> Registration {
        let mut sleepers = self.sleepers.lock().unwrap_or_else(PoisonError::into_inner);
        sleepers.next += 1;
        let key = (at, sleepers.next);
        sleepers.deadlines.insert(key);
        Registration { sleepers: Arc::clone(&self.sleepers), key }
    }
}

struct Registration {
    sleepers: Arc<Mutex<Sleepers>>,
    key: (Timestamp, u64),
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner).deadlines.remove(&self.key);
    }
}

fn on_from(wall: Timestamp, (at, read_ms): (Timestamp, u64), mono_ms: u64) -> Timestamp {
    let passed = SignedDuration::from_millis(i64::try_from(mono_ms.saturating_sub(read_ms)).unwrap_or(i64::MAX));
    at.checked_add(passed).unwrap_or(at).max(wall)
}

fn scaled(wait: SignedDuration, factor: f64) -> SignedDuration {
    SignedDuration::from_millis((wait.as_millis() as f64 * factor.max(0.0)) as i64)
}

/// The wall clock.
pub fn wall_now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this module is the owner of the wall clock")]
    Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        "2026-05-01T09:31:00Z".parse().unwrap()
    }

    fn clock(speed: Speed) -> Clock {
        Clock::simulated(Arc::new(SimClock::new(start(), speed)))
    }

    #[tokio::test]
    async fn a_standing_clock_jumps_past_nobody_who_has_not_been_polled_yet() {
        let clock = clock(Speed::Max);
        let later = clock.sleep_until(start() + SignedDuration::from_secs(60));
        let soon = clock.sleep_until(start() + SignedDuration::from_secs(3));
        assert!(clock.jump());
        assert_eq!(clock.now(), start() + SignedDuration::from_secs(3));
        assert!(!clock.jump(), "whoever is due has not woken yet");
        let flight = soon.await;
        assert!(!clock.busy().is_idle(), "woken and in flight in the same instant");
        drop(flight);
        assert!(clock.jump());
        assert_eq!(clock.now(), start() + SignedDuration::from_secs(60));
        drop(later);
        assert!(!clock.jump(), "nobody waits any more");
    }

    #[tokio::test]
    async fn who_has_not_taken_off_after_a_jump_is_waking() {
        let clock = clock(Speed::Max);
        let soon = start() + SignedDuration::from_secs(2);
        let sleeper = clock.sleep_until(soon);
        assert!(!clock.is_waking());
        assert!(clock.jump());
        assert!(clock.is_waking() && clock.busy().is_idle(), "woken and not yet under way");
        let flight = sleeper.await;
        assert!(!clock.is_waking() && !clock.busy().is_idle());
        drop(flight);
        assert!(!clock.is_waking() && clock.busy().is_idle());
    }

    #[tokio::test]
    async fn a_clock_passes_those_who_wait_in_flight_in_the_order_of_time() {
        let clock = clock(Speed::Max);
        let flights = [clock.busy().flight(), clock.busy().flight()];
        let at = |seconds| start() + SignedDuration::from_secs(seconds);
        let mut late = Box::pin(clock.rest_until(at(9)));
        assert!(futures::poll!(&mut late).is_pending());
        assert!(!clock.busy().is_idle(), "the other one flies on");
        let mut soon = Box::pin(clock.rest_until(at(2)));
        assert!(futures::poll!(&mut soon).is_pending());
        assert!(clock.busy().is_idle() && clock.jump());
        soon.await;
        assert_eq!(clock.now(), at(2));
        assert!(!clock.busy().is_idle() && futures::poll!(&mut late).is_pending());
        let [first, second] = flights;
        drop(first);
        assert!(clock.busy().is_idle() && clock.jump());
        late.await;
        assert_eq!(clock.now(), at(9));
        drop(second);
        assert!(clock.busy().is_idle());
    }

    #[test]
    fn a_wall_clock_that_is_set_back_prolongs_nothing() {
        let minute = SignedDuration::from_secs(60);
        let (given, falls) = ((start(), 1_000), start() + minute);
        assert_eq!(on_from(start() + minute / 2, given, 31_000), start() + minute / 2, "both clocks agree");
        let set_back = start() - minute * 60;
        assert_eq!(on_from(set_back, given, 31_000), start() + minute / 2);
        assert_eq!(on_from(set_back, given, 61_000), falls, "to the second, whatever the wall shows");
        assert_eq!(on_from(start() + minute * 9, given, 2_000), start() + minute * 9, "the machine slept");
        // Read again and again it gains no time over the wall.
        let mut last = given;
        for mono_ms in 1_001..2_000 {
            last = (on_from(set_back, last, mono_ms), mono_ms);
        }
        assert_eq!(last.0, start() + SignedDuration::from_millis(999));
    }

    #[test]
    fn a_person_has_the_same_minute_at_every_speed() {
        let minute = SignedDuration::from_secs(60);
        for (speed, expected) in [(Speed::Times(1.0), 60), (Speed::Times(10.0), 600), (Speed::Max, 60)] {
            assert_eq!(clock(speed).while_a_person_has(minute).as_secs(), expected, "{speed:?}");
        }
        assert_eq!(Clock::wall().while_a_person_has(minute), minute);
    }
}
