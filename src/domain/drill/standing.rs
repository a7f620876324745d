//! The faults of a game day that stand: what was let loose, since when, until when, and how they take each other's place.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::injection::reach_word;
use super::word::{Api, FaultWord};

/// A fault that a person let loose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingFault {
    /// On which APIs.
    pub services: Vec<Api>,
    /// Of which kind.
    pub kind: FaultWord,
    /// Since when, in incident time.
    pub from: Timestamp,
    /// Until when; `None` until it is cleared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl StandingFault {
    /// Whether it strikes at an instant.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.from <= now && self.until.is_none_or(|until| now < until)
    }

    /// It in two words: `slack unavailable`.
    pub fn word(&self) -> String {
        format!("{} {}", reach_word(&self.services), self.kind.word())
    }

    /// Whether another is of the same kind on an API of this one.
    pub fn meets(&self, other: &Self) -> bool {
        self.kind == other.kind && self.services.iter().any(|api| other.services.contains(api))
    }
}

/// What was done to the faults of a game day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum DrillChange {
    /// A fault was let loose. It takes the place of what stood of its kind on its APIs.
    Injected {
        /// Which.
        fault: StandingFault,
    },
    /// One was cleared before its time.
    Cleared {
        /// Which.
        fault: StandingFault,
    },
    /// All were cleared.
    AllCleared,
}

/// What stands after a change, without what had ended by then.
pub fn after(standing: &mut Vec<StandingFault>, change: &DrillChange, now: Timestamp) {
    standing.retain(|fault| fault.until.is_none_or(|until| now < until));
    match change {
        DrillChange::Injected { fault } => {
            take_away(standing, fault);
            standing.push(fault.clone());
        }
        DrillChange::Cleared { fault } => take_away(standing, fault),
        DrillChange::AllCleared => standing.clear(),
    }
}

fn take_away(standing: &mut Vec<StandingFault>, other: &StandingFault) {
    for fault in standing.iter_mut().filter(|fault| fault.kind == other.kind) {
        fault.services.retain(|api| !other.services.contains(api));
    }
    standing.retain(|fault| !fault.services.is_empty());
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::injection::{Injection, Lasts};
    use super::*;

    fn injected(apis: &'static [Api], kind: FaultWord, lasts: Lasts, now: Timestamp) -> DrillChange {
        DrillChange::Injected { fault: Injection { apis, kind, lasts }.at(now) }
    }

    #[test]
    fn a_later_fault_takes_the_place_of_an_earlier_one_of_its_kind() {
        let start = Timestamp::UNIX_EPOCH;
        let mut standing = Vec::new();
        let words = |standing: &[StandingFault]| standing.iter().map(StandingFault::word).collect::<Vec<_>>();
        after(&mut standing, &injected(&Api::AWS, FaultWord::Expired, Lasts::UntilCleared, start), start);
        after(&mut standing, &injected(&[Api::Slack], FaultWord::Denied, Lasts::USUAL, start), start);
        let sts = injected(&[Api::Sts], FaultWord::Expired, Lasts::Seconds(90), start);
        after(&mut standing, &sts, start);
        assert_eq!(words(&standing), ["cloudwatch+logs+bedrock expired", "slack denied", "sts expired"]);
        let later = start + SignedDuration::from_secs(60);
        let DrillChange::Injected { fault } = sts else { panic!("{sts:?}") };
        assert!(fault.holds_at(later) && !fault.holds_at(later + SignedDuration::from_secs(30)));
        after(&mut standing, &DrillChange::Cleared { fault }, later);
        assert_eq!(words(&standing), ["cloudwatch+logs+bedrock expired"], "one was cleared, one had ended");
        after(&mut standing, &DrillChange::AllCleared, later);
        assert_eq!(standing, []);
    }
}
