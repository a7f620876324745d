//! An approval: one decision of a person, bound to one digest, used once. And the guard that no stray key passes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::policy::Confirm;
use super::request::Digest;
use super::step::StepId;

/// A prompt counts only after it has been on screen this long.
pub const GRACE_MS: u64 = 1_000;
/// A press counts only after this long without any input, which a held key or typing under way cannot meet.
pub const QUIET_MS: u64 = 250;
/// Nobody types letters this soon after one another, milliseconds on average; a paste comes so, brackets around it or not.
pub const TYPED_MS: u64 = 20;
/// Wrong tokens after which an armed step stands down.
pub const MAX_WRONG_TOKENS: u8 = 3;

/// What a person decided about a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum Decision {
    /// Approved; in dry-run this is "would run".
    Approved {
        /// The digest that was on screen.
        digest: Digest,
        /// How it was confirmed.
        confirm: Confirm,
        /// Who: the AWS identity, or the login name.
        by: String,
        /// Until when it may be used.
        expires_at: Timestamp,
    },
    /// Refused.
    Denied {
        /// Why, in the person's words.
        reason: String,
        /// Who.
        by: String,
    },
    /// Left out.
    Skipped {
        /// Who.
        by: String,
    },
}

/// An approval as the gate needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// The step.
    pub step: StepId,
    /// What it binds to.
    pub digest: Digest,
    /// How it was confirmed.
    pub confirm: Confirm,
    /// Until when it may be used.
    pub expires_at: Timestamp,
    /// The sequence number of the record that holds it.
    pub seq: u64,
}

/// Monotonic instants in milliseconds, as the program keeps them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Press {
    /// When the prompt was first drawn whole; `None` if it has not been.
    pub drawn_at: Option<u64>,
    /// When any input came before this press.
    pub input_before: Option<u64>,
    /// When this press came.
    pub at: u64,
}

/// Why a press does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooSoon {
    /// The prompt has not been drawn.
    NotDrawn,
    /// It was drawn less than the grace ago.
    Grace,
    /// There was input within the quiet time.
    TypingUnderWay,
}

impl TooSoon {
    /// What to tell the person.
    pub fn text(self) -> &'static str {
        match self {
            Self::NotDrawn => "Not counted: the step is not on screen yet.",
            Self::Grace => "Not counted: the step was shown less than a second ago. Press again.",
            Self::TypingUnderWay => "Not counted: other keys were being pressed. Pause, then press again.",
        }
    }
}

/// Whether a press may count as a deliberate one.
pub fn guard(press: Press) -> Result<(), TooSoon> {
    let drawn_at = press.drawn_at.ok_or(TooSoon::NotDrawn)?;
    if press.at.saturating_sub(drawn_at) < GRACE_MS {
        return Err(TooSoon::Grace);
    }
    match press.input_before {
        Some(before) if press.at.saturating_sub(before) < QUIET_MS => Err(TooSoon::TypingUnderWay),
        Some(_) | None => Ok(()),
    }
}

/// Whether letters that came at these moments can have been typed. A link that stalls hands over together what was typed
/// apart, so the time from the first to the last is looked at and no single pause: only where the stall swallowed the whole
/// text must it be typed again, and a pause halfway is enough then, however long the link stalls.
pub fn were_typed(came: &[u64]) -> bool {
    let pauses = came.len().saturating_sub(1) as u64;
    let took = came.last().zip(came.first()).map_or(0, |(last, first)| last.saturating_sub(*first));
    took >= pauses * TYPED_MS
}

/// The text a person types to confirm a live step: `my-api 7f3a`.
pub fn token(target_name: &str, digest: &Digest) -> String {
    format!("{target_name} {}", digest.short())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_counts_only_after_the_grace_and_a_pause() {
        let press = |drawn_at, input_before, at| guard(Press { drawn_at, input_before, at });
        assert_eq!(press(None, None, 9_000), Err(TooSoon::NotDrawn));
        assert_eq!(press(Some(0), None, 999), Err(TooSoon::Grace));
        assert_eq!(press(Some(0), None, 1_000), Ok(()));
        assert_eq!(press(Some(0), Some(1_800), 2_000), Err(TooSoon::TypingUnderWay));
        assert_eq!(press(Some(0), Some(1_750), 2_000), Ok(()));
        assert_eq!(press(Some(5_000), Some(0), 4_000), Err(TooSoon::Grace), "a clock that jumps back never helps");
    }

    #[test]
    fn letters_that_came_all_at_once_were_not_typed() {
        let every = |ms: u64, letters: u64| (0..letters).map(|letter| 5_000 + letter * ms).collect::<Vec<_>>();
        let in_pieces = |pieces: &[(u64, usize)]| {
            pieces.iter().flat_map(|(at, letters)| std::iter::repeat_n(*at, *letters)).collect::<Vec<_>>()
        };
        let cases = [
            ("nothing", Vec::new(), true),
            ("one letter", vec![7], true),
            ("one read of a paste", every(0, 11), false),
            ("a serial line of 9,600 baud", every(1, 11), false),
            ("a program that presses keys", every(12, 11), false),
            ("the fastest typist", every(57, 11), true),
            ("two fingers at once, now and then", in_pieces(&[(0, 2), (90, 1), (200, 2), (300, 1)]), true),
            ("a link that stalls for a second at a time", in_pieces(&[(0, 6), (1_000, 5)]), true),
            ("a link that swallowed it whole", in_pieces(&[(3_000, 11)]), false),
            ("a clock that goes back", vec![9_000, 9_100, 4_000], false),
        ];
        for (name, came, expected) in cases {
            assert_eq!(were_typed(&came), expected, "{name}: {came:?}");
        }
    }
}
