//! An alarm for tests: firing, and plain in all that a test does not set.

use jiff::Timestamp;

use super::{Alarm, AlarmRule, AlarmState, Calls, Severity};

pub(crate) fn alarm(name: &str, rule: AlarmRule) -> Alarm {
    Alarm {
        name: name.into(),
        arn: String::new(),
        description: String::new(),
        state: AlarmState::Alarm,
        reason: String::new(),
        since: Timestamp::UNIX_EPOCH,
        severity: Severity::P2,
        rule,
        value: None,
        evaluation: None,
        calls: Calls::default(),
    }
}

/// One whose rule does not matter.
pub(crate) fn any(name: &str) -> Alarm {
    alarm(name, AlarmRule::Composite { rule: String::new() })
}
