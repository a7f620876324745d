//! One rate budget an API family, shared by every panel: a cockpit must not throttle the account it tries to save.
//!
//! The arithmetic is pure and takes its times. A wait of ours is short, and counts to the call that it holds back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Calls that AWS meters together, by account and region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// `DescribeAlarms`: 9 calls a second.
    Alarms,
    /// `DescribeAlarmHistory`: 3 calls a second.
    AlarmHistory,
    /// `GetMetricData`: 50 calls a second.
    MetricData,
    /// `ListMetrics`: 25 calls a second.
    ListMetrics,
    /// `FilterLogEvents`: 5 to 10 calls a second, by region.
    LogEvents,
    /// `DescribeLogGroups`: 10 calls a second.
    LogGroups,
    /// `StartLiveTail`: 15 sessions at once, each opened once in three hours.
    LiveTail,
    /// `StartQuery`, `GetQueryResults` and `StopQuery`: 10 calls a second each, 30 queries at once.
    Insights,
    /// `Converse` and `ConverseStream`: counted by tokens on the other side, so only a run-away is stopped here.
    Model,
    /// `GetCallerIdentity`.
    Identity,
}

impl Family {
    /// Our share: about half of the documented quota, since others in the account poll as well.
    pub fn rate(self) -> Rate {
        match self {
            Self::Alarms | Self::LogGroups | Self::Insights => Rate { per_second: 4.0, burst: 4.0 },
            Self::AlarmHistory => Rate { per_second: 1.5, burst: 2.0 },
            Self::MetricData | Self::ListMetrics => Rate { per_second: 10.0, burst: 10.0 },
            Self::LogEvents => Rate { per_second: 4.0, burst: 5.0 },
            Self::Model | Self::LiveTail => Rate { per_second: 0.5, burst: 4.0 },
            Self::Identity => Rate { per_second: 1.0, burst: 2.0 },
        }
    }
}

/// How fast tokens come back, and how many can be saved up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// Tokens a second.
    pub per_second: f64,
    /// Most tokens at rest.
    pub burst: f64,
}

/// A token bucket. Times are durations since any fixed start; time that goes backwards counts as standing still.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    rate: Rate,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    /// A full bucket.
    pub fn full(rate: Rate, at: Duration) -> Self {
        Self { rate, tokens: rate.burst, at }
    }

    /// Takes one token and says how long to wait before using it: zero when one is at hand. The debt is booked at
    /// once, so that callers who wait keep their order and together never exceed the rate.
    pub fn take(&mut self, at: Duration) -> Duration {
        let gained = at.saturating_sub(self.at).as_secs_f64() * self.rate.per_second;
        self.at = self.at.max(at);
        self.tokens = (self.tokens + gained).min(self.rate.burst) - 1.0;
        if self.tokens >= 0.0 {
            return Duration::ZERO;
        }
        let behind = self.at.saturating_sub(at);
        behind + Duration::from_secs_f64(-self.tokens / self.rate.per_second)
    }

    /// Gives a token back that was taken and not used.
    pub fn give_back(&mut self) {
        self.tokens = (self.tokens + 1.0).min(self.rate.burst);
    }
}

/// The budget of one account and region. Cheap to clone; every clone draws from the same buckets.
#[derive(Clone, Debug)]
pub struct Budget {
    start: Instant,
    limits: Limits,
    buckets: Arc<Mutex<BTreeMap<Family, Bucket>>>,
}

/// Whether a budget holds calls back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limits {
    Account,
    None,
}

impl Budget {
    /// The budget for a real account.
    pub fn for_account() -> Self {
        Self { start: Instant::now(), limits: Limits::Account, buckets: Arc::default() }
    }

    /// No limits: for loopback, where there is no account to protect and time may run faster than the wall.
    pub fn unlimited() -> Self {
        Self { start: Instant::now(), limits: Limits::None, buckets: Arc::default() }
    }

    /// Takes a turn; returns once the call may be sent. Dropping the future gives the turn back.
    pub async fn turn(&self, family: Family) {
        let wait = match self.limits {
            Limits::Account => self.book(family),
            Limits::None => Duration::ZERO,
        };
        if !wait.is_zero() {
            let mut place = Place { budget: self, family, turn: Turn::Waiting };
            tokio::time::sleep(wait).await;
            place.turn = Turn::Taken;
        }
    }

    fn book(&self, family: Family) -> Duration {
        let now = self.start.elapsed();
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.entry(family).or_insert_with(|| Bucket::full(family.rate(), now)).take(now)
    }
}

/// Whether the caller who stood in line got its turn, or went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Waiting,
    Taken,
}

/// A place in line, left on every way out.
struct Place<'a> {
    budget: &'a Budget,
    family: Family,
    turn: Turn,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut buckets = self.budget.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if self.turn == Turn::Waiting
            && let Some(bucket) = buckets.get_mut(&self.family)
        {
            bucket.give_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn bucket() -> Bucket {
        Bucket::full(Rate { per_second: 4.0, burst: 2.0 }, Duration::ZERO)
    }

    #[test]
    fn a_burst_is_free_and_then_calls_are_spaced_by_the_rate() {
        let mut bucket = bucket();
        let waits: Vec<Duration> = (0..5).map(|_| bucket.take(Duration::ZERO)).collect();
        assert_eq!(waits, [MS(0), MS(0), MS(250), MS(500), MS(750)]);
    }

    #[test]
    fn tokens_come_back_with_time_but_never_above_the_burst() {
        let mut bucket = bucket();
        bucket.take(MS(0));
        bucket.take(MS(0));
        assert_eq!(bucket.take(MS(250)), MS(0));
        assert_eq!(bucket.take(MS(3_600_000)), MS(0));
        assert_eq!(bucket.take(MS(3_600_000)), MS(0));
        assert_eq!(bucket.take(MS(3_600_000)), MS(250));
    }

    #[test]
    fn no_second_ever_sees_more_calls_than_burst_and_rate_allow() {
        let mut bucket = bucket();
        let mut sent: Vec<Duration> = (0..100).map(|n| MS(n * 37)).map(|at| at + bucket.take(at)).collect();
        sent.sort();
        for start in &sent {
            let in_second = sent.iter().filter(|at| *at >= start && **at < *start + MS(1_000)).count();
            assert!(in_second <= 6, "{in_second} calls in the second from {start:?}");
        }
    }

    #[test]
    fn time_that_goes_backwards_gains_nothing() {
        let mut bucket = bucket();
        bucket.take(MS(1_000));
        bucket.take(MS(1_000));
        assert_eq!(bucket.take(MS(0)), MS(1_250));
    }

    #[test]
    fn a_turn_given_back_can_be_taken_again() {
        let mut bucket = bucket();
        for _ in 0..3 {
            bucket.take(MS(0));
        }
        bucket.give_back();
        assert_eq!(bucket.take(MS(0)), MS(250));
    }

    #[tokio::test]
    async fn who_gives_up_a_wait_gives_back_the_turn() {
        let budget = Budget::for_account();
        for _ in 0..4 {
            budget.turn(Family::Model).await;
        }
        let mut given_up = Box::pin(budget.turn(Family::Model));
        assert!(futures::poll!(&mut given_up).is_pending());
        drop(given_up);
        let wait = budget.book(Family::Model);
        assert!(wait <= MS(2_000), "{wait:?}: and not four seconds, behind who is gone");
    }

    #[tokio::test]
    async fn an_unlimited_budget_never_waits() {
        let budget = Budget::unlimited();
        for _ in 0..1_000 {
            assert!(futures::poll!(std::pin::pin!(budget.turn(Family::Identity))).is_ready());
        }
    }
}
