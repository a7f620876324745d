//! Whom an alarm calls. One whose actions are switched off fires on the screen and nowhere else.

use serde::{Deserialize, Serialize};

/// Whom an alarm calls when it fires, by its own actions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Calls {
    /// Not told: a journal of before it was read.
    #[default]
    Unknown,
    /// It has an action, and actions are on.
    Somebody,
    /// It has no action for ALARM.
    Nobody,
    /// `ActionsEnabled` is false: whatever actions it has do not run.
    SwitchedOff,
    /// All that its actions do is scale.
    Scaling,
    /// It is a composite whose actions another alarm holds back for now (`ActionsSuppressedBy`).
    Suppressed,
}

impl Calls {
    /// Whether a page comes, for the alarm's detail; `None` where that is not known.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::Somebody => Some("its actions are on"),
            Self::Nobody => Some("NONE WOULD COME: it has no action for ALARM"),
            Self::SwitchedOff => Some("NONE WOULD COME: its actions are switched off (ActionsEnabled=false)"),
            Self::Scaling => Some("none: all that it does is scale"),
            Self::Suppressed => Some("NONE COMES for now: its actions are suppressed (ActionsSuppressor)"),
        }
    }
}
