//! How long each test of a step has had, from what was measured so far: a rollout has its time as long as it moves, and
//! everything else begins when it is complete.

use jiff::Timestamp;
use serde::Serialize;

use super::{Measurement, RolloutFacts, VerificationTest};

/// Seconds without progress after which a rollout has had its time: as long as Kubernetes itself waits by default
/// (`progressDeadlineSeconds`), which it does for deployments alone.
const NO_PROGRESS_S: i64 = 600;

/// The watch over a step that has run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Watch {
    /// When its budgets began: the answer to its request, or the look that found it.
    pub since: Timestamp,
    /// When its rollout was seen to move last.
    moved_at: Timestamp,
    /// The best that the rollout has come to: pods that come and go again are no progress.
    rollout: Option<RolloutFacts>,
    /// When the rollout was first seen complete.
    complete_at: Option<Timestamp>,
}

impl Watch {
    /// Begins a watch.
    pub fn from(since: Timestamp) -> Self {
        Self { since, moved_at: since, rollout: None, complete_at: None }
    }

    /// Takes a measurement in.
    pub fn see(&mut self, measured: &Measurement) {
        let Some(now) = measured.rollout else { return };
        if self.rollout.is_none_or(|before| now.has_moved_since(before)) {
            self.moved_at = measured.at;
        }
        let of_this = self.rollout.filter(|best| best.observed == now.observed);
        self.rollout = Some(of_this.map_or(now, |best| now.at_its_best(best)));
        if now.is_complete() {
            self.complete_at = self.complete_at.or(Some(measured.at));
        }
    }

    /// Seconds that a test has had of its budget at an instant; all of it for a rollout that stands still.
    pub fn had(&self, test: &VerificationTest, at: Timestamp) -> i64 {
        let passed = |since: Timestamp| at.duration_since(since).as_secs();
        match test {
            VerificationTest::RolloutComplete { within_s } => {
                let has_stood_still = self.complete_at.is_none() && passed(self.moved_at) >= NO_PROGRESS_S;
                if has_stood_still { passed(self.since).max(i64::from(*within_s)) } else { passed(self.since) }
            }
            VerificationTest::MemoryBelow { .. }
            | VerificationTest::AlarmCleared { .. }
            | VerificationTest::NoNewKills { .. } => self.complete_at.map_or(0, passed),
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::{TestState, evaluate};
    use super::*;

    const SINCE: Timestamp = Timestamp::UNIX_EPOCH;

    /// The set of eight, one pod after another: so many on the new template.
    fn measured(minute: i64, updated: Option<u32>) -> Measurement {
        let rollout = updated.map(|updated| RolloutFacts {
            replicas: 8,
            updated,
            available: if updated < 8 { 7 } else { 8 },
            old: 8 - updated,
            observed: true,
            stuck: false,
        });
        let at = SINCE + SignedDuration::from_mins(minute);
        let alarm_firing = Some(true);
        Measurement { at, rollout, alarm_firing, ..Measurement::default() }
    }

    fn ends(within_s: u32, told: impl Fn(i64) -> Option<u32>) -> Option<(i64, TestState)> {
        let mut watch = Watch::from(SINCE);
        let test = VerificationTest::RolloutComplete { within_s };
        (1..60).find_map(|minute| {
            let measured = measured(minute, told(minute));
            watch.see(&measured);
            let state = evaluate(&test, &measured, watch.had(&test, measured.at));
            (state != TestState::Waiting).then_some((minute, state))
        })
    }

    #[test]
    fn a_rollout_has_its_time_as_long_as_it_moves() {
        let by_two_minutes = |minute: i64| Some(u32::try_from(minute / 2).unwrap().min(8));
        assert_eq!(ends(2_400, by_two_minutes), Some((16, TestState::Passed)));
        assert_eq!(ends(600, by_two_minutes), Some((10, TestState::Failed)), "and no longer than its budget");
        let hangs = |minute: i64| by_two_minutes(minute.min(6));
        assert_eq!(ends(2_400, hangs), Some((16, TestState::Failed)), "ten minutes after it moved last");
        let flaps = |minute: i64| Some(if minute % 2 == 0 { 4 } else { 3 });
        assert_eq!(ends(2_400, flaps), Some((12, TestState::Failed)), "what comes and goes is no progress");
        let unread = ends(2_400, |_| None).map(|(minute, _)| minute);
        assert_eq!(unread, Some(10), "what cannot be read is not seen to move");
    }

    #[test]
    fn what_follows_a_rollout_begins_when_it_is_complete() {
        let mut watch = Watch::from(SINCE);
        let test = VerificationTest::AlarmCleared { alarm: "a".to_owned(), within_s: 900 };
        let had = |watch: &Watch, minute: i64| watch.had(&test, SINCE + SignedDuration::from_mins(minute));
        watch.see(&measured(16, Some(7)));
        assert_eq!(had(&watch, 16), 0);
        watch.see(&measured(18, Some(8)));
        watch.see(&measured(19, Some(8)));
        assert_eq!(had(&watch, 20), 120, "from when it was first seen so");
    }
}
