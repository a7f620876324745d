//! What tells whether a step worked: tests with a budget of time, evaluated from measurements.

mod watch;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::count::counted;
use crate::domain::observation::alarm::AlarmState;

pub use watch::Watch;

/// Seconds after the rollout for which the pods are watched at the least before no kill counts as a result: what is too
/// small for its load fills up within minutes, and one look tells nothing.
const KILLS_WATCHED_S: u32 = 600;

/// One test of a result. Budgets are seconds from the moment the step ran for its rollout, and from the end of the rollout for
/// the others: see [`Watch::had`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "test", rename_all = "kebab-case")]
pub enum VerificationTest {
    /// Every replica is on the new template and available.
    RolloutComplete {
        /// Budget.
        within_s: u32,
    },
    /// Memory is below this many percent.
    MemoryBelow {
        /// The bound, percent.
        percent: f64,
        /// Budget.
        within_s: u32,
    },
    /// The alarm is back to OK.
    AlarmCleared {
        /// Which alarm.
        alarm: String,
        /// Budget.
        within_s: u32,
    },
    /// No OOM kill of a container that started after the step: for ten minutes at the least, and as long as other tests wait.
    NoNewKills {
        /// Budget.
        within_s: u32,
    },
}

impl VerificationTest {
    /// The test as a sentence.
    pub fn text(&self) -> String {
        match self {
            Self::RolloutComplete { within_s } => format!("the rollout completes within {within_s} s"),
            Self::MemoryBelow { percent, within_s } => {
                format!("memory falls below {percent:.0} % within {within_s} s of the rollout")
            }
            Self::AlarmCleared { alarm, within_s } => {
                format!("{alarm} returns to OK within {within_s} s of the rollout")
            }
            Self::NoNewKills { within_s } => {
                format!("no new container is OOM killed within {} s of the rollout", watched_s(*within_s))
            }
        }
    }

    /// For how long what must not happen was watched, as a clause; `None` of what has to be reached.
    pub fn watched(&self, had_s: i64) -> Option<String> {
        match self {
            Self::NoNewKills { .. } => Some(format!("watched {} s", had_s.max(0))),
            Self::RolloutComplete { .. } | Self::MemoryBelow { .. } | Self::AlarmCleared { .. } => None,
        }
    }

    /// What was measured in place of what it asks for, as a clause.
    pub fn failed(&self, last: Option<&Measurement>) -> String {
        match self {
            Self::RolloutComplete { .. } if last.is_some_and(|last| last.put_back.is_some()) => {
                let found = last.and_then(|last| last.put_back.as_deref()).unwrap_or_default();
                format!("somebody else has changed the workload since: {found}")
            }
            Self::RolloutComplete { within_s } => match last.and_then(|last| last.rollout) {
                Some(rollout) if rollout.observed && rollout.stuck => {
                    format!("{}: it made no progress within its deadline", rollout.text())
                }
                Some(rollout) if !rollout.is_complete() => format!("{} after {within_s} s", rollout.text()),
                Some(_) | None => format!("the rollout did not complete within {within_s} s"),
            },
            Self::MemoryBelow { percent, within_s } => {
                let was =
                    last.and_then(|last| last.memory).map_or_else(String::new, |value| format!(" at {value:.1} %,"));
                format!("memory{was} not below {percent:.0} % within {within_s} s of the rollout")
            }
            Self::AlarmCleared { alarm, within_s } => {
                format!("{alarm} did not return to OK within {within_s} s of the rollout")
            }
            Self::NoNewKills { .. } => match last.and_then(|last| last.new_kills) {
                Some(kills @ 1..) => {
                    format!("{} of containers that started after the step", counted(kills, "OOM kill"))
                }
                Some(0) | None => "a container that started after the step was OOM killed".to_owned(),
            },
        }
    }

    /// What was missing to tell how it stands, as a clause.
    pub fn unmeasured(&self, last: Option<&Measurement>) -> String {
        match self {
            Self::RolloutComplete { .. } => "the rollout could not be read".to_owned(),
            Self::MemoryBelow { .. } => "memory has no point since the step".to_owned(),
            Self::AlarmCleared { alarm, .. } if last.is_some_and(|last| last.early.contains(alarm)) => {
                format!("{alarm} was back at OK before the step could have done it")
            }
            Self::AlarmCleared { alarm, .. } => match last.and_then(|last| last.alarms.get(alarm)) {
                Some(AlarmState::InsufficientData) => {
                    format!("{alarm} stands in INSUFFICIENT_DATA, as its metric has no points")
                }
                Some(AlarmState::Ok | AlarmState::Alarm) | None => format!("{alarm} could not be read"),
            },
            Self::NoNewKills { .. } => "the pods could not be read for kills".to_owned(),
        }
    }

    /// Its budget in seconds.
    pub fn within_s(&self) -> u32 {
        match self {
            Self::RolloutComplete { within_s }
            | Self::MemoryBelow { within_s, .. }
            | Self::AlarmCleared { within_s, .. }
            | Self::NoNewKills { within_s } => *within_s,
        }
    }
}

fn watched_s(within_s: u32) -> u32 {
    KILLS_WATCHED_S.min(within_s)
}

/// What a rollout stands at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RolloutFacts {
    /// Wanted.
    pub replicas: u32,
    /// On the new template.
    pub updated: u32,
    /// Available.
    pub available: u32,
    /// Of the old template, still there.
    pub old: u32,
    /// The controller has seen the newest generation.
    pub observed: bool,
    /// The progress deadline passed.
    pub stuck: bool,
}

impl RolloutFacts {
    /// Whether every replica is on the new template and available.
    pub fn is_complete(&self) -> bool {
        self.observed
            && !self.stuck
            && self.old == 0
            && self.updated >= self.replicas
            && self.available >= self.replicas
    }

    /// Where it stands, as a clause. Before the controller has seen the newest generation, its counts are of the rollout before.
    pub fn text(&self) -> String {
        if !self.observed {
            return "rollout not begun: its controller has not seen the change yet".to_owned();
        }
        let Self { replicas, updated, available, old, .. } = self;
        format!("rollout {updated}/{replicas} updated, {available} available, {old} old")
    }

    /// Whether it has come on since another reading, as the deployment controller counts progress.
    fn has_moved_since(&self, before: Self) -> bool {
        self.updated > before.updated
            || self.available > before.available
            || self.old < before.old
            || (self.observed && !before.observed)
    }

    /// The same, with what an earlier reading had reached beyond it.
    fn at_its_best(&self, before: Self) -> Self {
        let (updated, available) = (self.updated.max(before.updated), self.available.max(before.available));
        Self { updated, available, old: self.old.min(before.old), ..*self }
    }
}

/// What was measured after a step; `None` is not measured, never zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// When.
    pub at: Timestamp,
    /// The rollout.
    pub rollout: Option<RolloutFacts>,
    /// Memory, percent, of the newest whole period after the step.
    pub memory: Option<f64>,
    /// CPU, percent, likewise.
    pub cpu: Option<f64>,
    /// What the workload shows in place of what the step set; `None` where it shows that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub put_back: Option<String>,
    /// Where each alarm stands, by name, as far as it was read since the step.
    #[serde(default)]
    pub alarms: BTreeMap<String, AlarmState>,
    /// Alarms that were back at OK before the step could have done it: their state tells nothing of it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub early: BTreeSet<String>,
    /// Whether any alarm stands in ALARM, as journals from before there was `alarms` have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm_firing: Option<bool>,
    /// OOM kills of containers that started after the step.
    pub new_kills: Option<u64>,
}

/// How a test stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TestState {
    /// Not yet settled.
    Waiting,
    /// It has to hold until the watch ends, and has held so far. Of a watch that is over none stands so.
    Holding,
    /// Passed.
    Passed,
    /// Failed, or was measured and not reached when its budget ended.
    Failed,
    /// Its budget ended, and nothing was measured.
    Unmeasured,
    /// What it asks for was so before the step, which others tell of: it is no test of it.
    Moot,
}

impl TestState {
    /// Whether there is nothing left to wait for but the other tests.
    pub fn is_reached(self) -> bool {
        match self {
            Self::Passed | Self::Holding | Self::Moot => true,
            Self::Waiting | Self::Failed | Self::Unmeasured => false,
        }
    }

    /// What it comes to when the watch is over: what has held to the end has passed.
    pub fn at_the_end(self) -> Self {
        match self {
            Self::Holding => Self::Passed,
            Self::Waiting | Self::Passed | Self::Failed | Self::Unmeasured | Self::Moot => self,
        }
    }
}

/// Evaluates the tests of a step, which have had so many seconds of their budgets. An alarm that was back before the step is
/// no test of it beside one that it can have brought back.
pub fn evaluate_all(
    tests: &[VerificationTest],
    measured: &Measurement,
    had_s: impl Fn(&VerificationTest) -> i64,
) -> Vec<TestState> {
    let is_of = |test: &VerificationTest, those: &dyn Fn(&String) -> bool| match test {
        VerificationTest::AlarmCleared { alarm, .. } => those(alarm),
        VerificationTest::RolloutComplete { .. }
        | VerificationTest::MemoryBelow { .. }
        | VerificationTest::NoNewKills { .. } => false,
    };
    let tells = tests.iter().any(|test| is_of(test, &|alarm| measured.alarms.contains_key(alarm)));
    let state = |test| {
        let is_moot = tells && is_of(test, &|alarm| measured.early.contains(alarm));
        if is_moot { TestState::Moot } else { evaluate(test, measured, had_s(test)) }
    };
    tests.iter().map(state).collect()
}

/// Whether the tests of a watch that is over say that the step worked.
pub fn have_passed(states: &[TestState]) -> bool {
    let mut told = states.iter().filter(|state| **state != TestState::Moot);
    told.all(|state| *state == TestState::Passed)
}

/// Evaluates one test that has had `elapsed_s` of its budget. A budget that ends without the measurement is never a pass, and is
/// told apart from one that ends with it.
pub fn evaluate(test: &VerificationTest, measured: &Measurement, elapsed_s: i64) -> TestState {
    let over = elapsed_s >= i64::from(test.within_s());
    let reached = match test {
        VerificationTest::RolloutComplete { .. } => {
            // A rollout to something else is none of the step's.
            if measured.put_back.is_some() {
                return TestState::Failed;
            }
            // Before the controller has seen the newest generation, what it says is of the rollout before.
            if measured.rollout.is_some_and(|rollout| rollout.observed && rollout.stuck) {
                return TestState::Failed;
            }
            measured.rollout.map(|rollout| rollout.is_complete())
        }
        VerificationTest::MemoryBelow { percent, .. } => measured.memory.map(|value| value < *percent),
        VerificationTest::AlarmCleared { alarm, .. } => match measured.alarms.get(alarm) {
            Some(AlarmState::Ok) => Some(true),
            Some(AlarmState::Alarm) => Some(false),
            // An alarm that lost its metric has not returned to OK: nothing is known of what it watches.
            Some(AlarmState::InsufficientData) => None,
            None => measured.alarm_firing.filter(|_| measured.alarms.is_empty()).map(|firing| !firing),
        },
        VerificationTest::NoNewKills { within_s } => match measured.new_kills {
            Some(0) if elapsed_s < i64::from(watched_s(*within_s)) => return TestState::Waiting,
            // None so far: what has not happened yet is counted when nothing more is watched.
            Some(0) => return TestState::Holding,
            Some(_) => return TestState::Failed,
            None => None,
        },
    };
    match (reached, over) {
        (Some(true), _) => TestState::Passed,
        (Some(false), true) => TestState::Failed,
        (None, true) => TestState::Unmeasured,
        (Some(false) | None, false) => TestState::Waiting,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(alarms: &[(&str, AlarmState)], alarm_firing: Option<bool>) -> Measurement {
        let alarms = alarms.iter().map(|(name, state)| ((*name).to_owned(), *state)).collect();
        let at = Timestamp::UNIX_EPOCH;
        Measurement { at, alarms, alarm_firing, ..Measurement::default() }
    }

    /// Argo CD has put the image back that the step had replaced.
    #[test]
    fn a_rollout_to_something_else_is_none_of_the_step() {
        let test = VerificationTest::RolloutComplete { within_s: 600 };
        let rollout = RolloutFacts { replicas: 6, updated: 6, available: 6, observed: true, ..RolloutFacts::default() };
        let kept = Measurement { rollout: Some(rollout), ..measured(&[], None) };
        assert_eq!(evaluate(&test, &kept, 60), TestState::Passed);
        let found = "the template is not that of revision 41 (generation 44)";
        let put_back = Measurement { put_back: Some(found.to_owned()), ..kept };
        assert_eq!(evaluate(&test, &put_back, 60), TestState::Failed);
        assert_eq!(test.failed(Some(&put_back)), format!("somebody else has changed the workload since: {found}"));
    }

    #[test]
    fn an_alarm_that_was_back_before_the_step_says_so() {
        let test = VerificationTest::AlarmCleared { alarm: "a".to_owned(), within_s: 900 };
        let early = Measurement { early: ["a".to_owned()].into(), ..measured(&[], None) };
        assert_eq!(
            [evaluate(&test, &early, 899), evaluate(&test, &early, 900)],
            [TestState::Waiting, TestState::Unmeasured]
        );
        assert_eq!(test.unmeasured(Some(&early)), "a was back at OK before the step could have done it");
    }

    #[test]
    fn an_alarm_that_was_back_before_the_step_is_no_test_beside_one_that_fired() {
        let test = |alarm: &str| VerificationTest::AlarmCleared { alarm: alarm.to_owned(), within_s: 900 };
        let tests = [test("a"), test("b")];
        let told = |told: &[(&str, AlarmState)]| {
            let measured = Measurement { early: ["a".to_owned()].into(), ..measured(told, None) };
            evaluate_all(&tests, &measured, |_| 900)
        };
        let passed = told(&[("b", AlarmState::Ok)]);
        assert_eq!(passed, [TestState::Moot, TestState::Passed]);
        assert!(have_passed(&passed) && passed.iter().all(|state| state.is_reached()));
        let failed = told(&[("b", AlarmState::Alarm)]);
        assert_eq!(failed, [TestState::Moot, TestState::Failed]);
        assert!(!have_passed(&failed));
        assert_eq!(told(&[("c", AlarmState::Ok)]), [TestState::Unmeasured; 2], "no test of it tells");
    }

    #[test]
    fn each_alarm_is_cleared_by_its_own_ok_and_by_nothing_else() {
        let test = |alarm: &str| VerificationTest::AlarmCleared { alarm: alarm.to_owned(), within_s: 900 };
        let (ok, firing, lost) = (AlarmState::Ok, AlarmState::Alarm, AlarmState::InsufficientData);
        let two = measured(&[("a", ok), ("b", firing)], None);
        assert_eq!(evaluate(&test("a"), &two, 10), TestState::Passed);
        assert_eq!(evaluate(&test("b"), &two, 10), TestState::Waiting);
        assert_eq!(evaluate(&test("b"), &two, 900), TestState::Failed);
        assert_eq!(evaluate(&test("c"), &two, 10), TestState::Waiting, "what was not read is not cleared");
        assert_eq!(evaluate(&test("a"), &measured(&[("a", lost)], None), 10), TestState::Waiting);
    }

    #[test]
    fn a_rollout_is_not_stuck_by_what_was_said_of_the_one_before() {
        let test = VerificationTest::RolloutComplete { within_s: 600 };
        let state = |observed, stuck| {
            let rollout = RolloutFacts { replicas: 6, updated: 1, available: 5, old: 5, observed, stuck };
            evaluate(&test, &Measurement { rollout: Some(rollout), ..measured(&[], None) }, 1)
        };
        assert_eq!(state(false, true), TestState::Waiting, "its controller has not looked yet");
        assert_eq!(state(true, true), TestState::Failed);
        assert_eq!(state(true, false), TestState::Waiting);
    }

    #[test]
    fn what_has_to_hold_has_passed_when_the_watch_is_over_and_never_before() {
        let test = VerificationTest::NoNewKills { within_s: 900 };
        let state = |new_kills, elapsed_s| {
            evaluate(&test, &Measurement { new_kills: Some(new_kills), ..measured(&[], None) }, elapsed_s)
        };
        assert_eq!([state(0, 0), state(0, 599)], [TestState::Waiting; 2], "a look of seconds is no watch");
        assert_eq!([state(0, 600), state(0, 900)], [TestState::Holding; 2]);
        assert_eq!(test.text(), "no new container is OOM killed within 600 s of the rollout");
        assert_eq!([state(1, 0), state(1, 900)], [TestState::Failed; 2]);
        assert!(TestState::Holding.is_reached() && !TestState::Waiting.is_reached());
        assert_eq!(TestState::Holding.at_the_end(), TestState::Passed);
    }

    #[test]
    fn the_counts_of_the_rollout_before_are_not_told_as_this_ones() {
        let before = RolloutFacts { replicas: 6, updated: 6, available: 6, ..RolloutFacts::default() };
        assert_eq!(before.text(), "rollout not begun: its controller has not seen the change yet");
        let seen = RolloutFacts { updated: 1, old: 5, observed: true, ..before };
        assert_eq!(seen.text(), "rollout 1/6 updated, 6 available, 5 old");
    }

    #[test]
    fn a_budget_that_ends_without_a_measurement_is_no_pass_and_no_failure_seen() {
        let lost = measured(&[("a", AlarmState::InsufficientData)], None);
        let alarm = VerificationTest::AlarmCleared { alarm: "a".to_owned(), within_s: 900 };
        let memory = VerificationTest::MemoryBelow { percent: 80.0, within_s: 900 };
        for (test, missing) in [
            (VerificationTest::RolloutComplete { within_s: 900 }, "the rollout could not be read"),
            (memory.clone(), "memory has no point since the step"),
            (alarm.clone(), "a stands in INSUFFICIENT_DATA, as its metric has no points"),
            (VerificationTest::NoNewKills { within_s: 900 }, "the pods could not be read for kills"),
        ] {
            assert_eq!(evaluate(&test, &lost, 899), TestState::Waiting);
            assert_eq!(evaluate(&test, &lost, 900), TestState::Unmeasured, "{test:?}");
            assert_eq!(test.unmeasured(Some(&lost)), missing);
        }
        assert_eq!(alarm.unmeasured(None), "a could not be read");
        assert_eq!(evaluate(&memory, &Measurement { memory: Some(91.0), ..lost }, 900), TestState::Failed);
    }

    #[test]
    fn a_failure_tells_what_was_measured() {
        let memory = VerificationTest::MemoryBelow { percent: 80.0, within_s: 900 };
        let rollout = VerificationTest::RolloutComplete { within_s: 600 };
        let at = |stuck| RolloutFacts { replicas: 6, updated: 3, available: 5, old: 3, observed: true, stuck };
        let last = |stuck, new_kills| Measurement {
            memory: Some(91.34),
            rollout: Some(at(stuck)),
            new_kills: Some(new_kills),
            ..measured(&[], None)
        };
        let kills = VerificationTest::NoNewKills { within_s: 900 };
        for (test, last, said) in [
            (&memory, Some(last(false, 0)), "memory at 91.3 %, not below 80 % within 900 s of the rollout"),
            (&memory, None, "memory not below 80 % within 900 s of the rollout"),
            (&rollout, Some(last(false, 0)), "rollout 3/6 updated, 5 available, 3 old after 600 s"),
            (
                &rollout,
                Some(last(true, 0)),
                "rollout 3/6 updated, 5 available, 3 old: it made no progress within its deadline",
            ),
            (&kills, Some(last(false, 1)), "1 OOM kill of containers that started after the step"),
            (&kills, None, "a container that started after the step was OOM killed"),
        ] {
            assert_eq!(test.failed(last.as_ref()), said);
        }
    }

    #[test]
    fn a_measurement_of_an_earlier_journal_still_counts() {
        let test = VerificationTest::AlarmCleared { alarm: "a".to_owned(), within_s: 900 };
        let line = r#"{"at":"2026-05-01T09:30:00Z","rollout":null,"memory":null,"cpu":null,"alarm_firing":false,"new_kills":0}"#;
        assert_eq!(evaluate(&test, &serde_json::from_str(line).unwrap(), 10), TestState::Passed);
    }
}
