//! How a rule stands to an incident, and tables of it.

use super::super::SETTLED;
use super::super::case::Case;
use super::super::reading::Reading;
use super::fixture::{Incident, now};
use crate::domain::diagnosis::evidence::Question;

/// How a cause stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in super::super) enum Stand {
    /// Every essential test supports it, and it is sure enough to be settled.
    Holds,
    /// An essential or excluding test speaks against it.
    RuledOut,
    /// An essential test waits for an answer.
    Waits(Question),
    /// Nothing rules it out, and it is not sure enough.
    Weak,
}

/// Weighs each incident of a table by one rule.
pub(in super::super) fn table(weigh: fn(&Reading) -> Case, rows: &[(&str, Incident, Stand)]) {
    for (name, incident, expected) in rows {
        let case = weigh(&Reading::of(&incident.evidence(), now()));
        let waits = Question::ALL.into_iter().find(|question| case.waits_for(*question));
        let stand = match waits {
            _ if case.is_ruled_out() => Stand::RuledOut,
            Some(question) => Stand::Waits(question),
            None if case.confidence().value() >= SETTLED => Stand::Holds,
            None => Stand::Weak,
        };
        assert_eq!(stand, *expected, "{name}: {case:#?}");
    }
}
