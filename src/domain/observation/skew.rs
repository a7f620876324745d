//! How far apart the clock of this machine and that of AWS are, as far as it matters: what AWS keeps is asked for and told
//! by its clock.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Clocks that are nearer are taken for one: a poll looks back further than that anyway.
const MATTERS: SignedDuration = SignedDuration::from_secs(30);
/// A measure that is as near to the last one is no news.
const SAME: SignedDuration = SignedDuration::from_secs(10);
/// Measures are told in steps of so many seconds: an answer dates itself by whole ones, and takes a moment.
const STEP_S: i64 = 5;

/// How far the clock of this machine is ahead of that of AWS; behind it where negative. Zero where that does not matter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClockSkew(SignedDuration);

impl ClockSkew {
    /// The clocks agree.
    pub const NONE: Self = Self(SignedDuration::ZERO);

    /// How a person sets the clock.
    pub const REMEDY: &str = "`chronyc makestep`, or `timedatectl set-ntp true`";

    /// What a measure comes to after what was known: small changes change nothing.
    #[must_use]
    pub fn remeasured(self, ahead: SignedDuration) -> Self {
        let news = if self == Self::NONE { MATTERS } else { SAME };
        if (ahead - self.0).abs() < news {
            return self;
        }
        let steps = (ahead.as_secs_f64() / STEP_S as f64).round() as i64;
        let rounded = SignedDuration::from_secs(steps.saturating_mul(STEP_S));
        if rounded.abs() < MATTERS { Self::NONE } else { Self(rounded) }
    }

    /// The same for times that are ahead of this machine's by so much.
    #[must_use]
    pub fn led_by(self, lead: SignedDuration) -> Self {
        let whole = Self(self.0.saturating_add(lead));
        if whole.0.abs() < MATTERS { Self::NONE } else { whole }
    }

    /// What the clock of AWS shows when that of this machine shows this.
    pub fn at_aws(self, at: Timestamp) -> Timestamp {
        at.checked_sub(self.0).unwrap_or(at)
    }

    /// How far apart the clocks are, whichever is ahead.
    pub fn apart(self) -> SignedDuration {
        self.0.abs()
    }

    /// `+4m10s` ahead of AWS, `-4m10s` behind it: for where there is little room.
    pub fn short(self) -> String {
        let sign = if self.0.is_negative() { '-' } else { '+' };
        let (minutes, seconds) = parts(self.0);
        match (minutes, seconds) {
            (0, seconds) => format!("{sign}{seconds}s"),
            (minutes @ 60.., _) => format!("{sign}{}h{}m", minutes / 60, minutes % 60),
            (minutes, 0) => format!("{sign}{minutes}m"),
            (minutes, seconds) => format!("{sign}{minutes}m{seconds}s"),
        }
    }
}

impl fmt::Display for ClockSkew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::NONE {
            return f.write_str("with AWS");
        }
        let side = if self.0.is_negative() { "behind" } else { "ahead of" };
        match parts(self.0) {
            (0, seconds) => write!(f, "{seconds} s {side} AWS"),
            (minutes @ 60.., _) => write!(f, "{} h {} min {side} AWS", minutes / 60, minutes % 60),
            (minutes, 0) => write!(f, "{minutes} min {side} AWS"),
            (minutes, seconds) => write!(f, "{minutes} min {seconds} s {side} AWS"),
        }
    }
}

fn parts(apart: SignedDuration) -> (i64, i64) {
    let seconds = apart.abs().as_secs();
    (seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> SignedDuration {
        SignedDuration::from_millis((seconds * 1_000.0) as i64)
    }

    #[test]
    fn what_round_trips_and_whole_seconds_explain_is_no_skew_and_no_news() {
        let mut known = ClockSkew::NONE;
        for measured in [0.4, -1.2, 29.9, -29.0] {
            known = known.remeasured(seconds(measured));
            assert_eq!(known, ClockSkew::NONE, "{measured}");
        }
        known = known.remeasured(seconds(250.4));
        assert_eq!((known.to_string(), known.short()), ("4 min 10 s ahead of AWS".to_owned(), "+4m10s".to_owned()));
        for measured in [249.0, 251.9, 257.0] {
            assert_eq!(known.remeasured(seconds(measured)), known, "{measured}");
        }
        assert_eq!(known.remeasured(seconds(22.0)), ClockSkew::NONE);
        let slow = known.remeasured(seconds(-44.0));
        assert_eq!((slow.to_string(), slow.short()), ("45 s behind AWS".to_owned(), "-45s".to_owned()));
        assert_eq!(slow.remeasured(seconds(-36.0)), slow, "once told it takes ten seconds to be another");
        assert_eq!(slow.remeasured(seconds(-20.0)), ClockSkew::NONE);
        assert_eq!(slow.remeasured(seconds(-7_380.0)).to_string(), "2 h 3 min behind AWS");
    }

    #[test]
    fn the_clock_of_aws_is_behind_that_of_a_machine_that_is_ahead() {
        let at: Timestamp = "2026-05-01T09:31:00Z".parse().unwrap();
        let ahead = ClockSkew::NONE.remeasured(seconds(180.0));
        assert_eq!(ahead.at_aws(at).to_string(), "2026-05-01T09:28:00Z");
        assert_eq!(ClockSkew::NONE.at_aws(at), at);
        assert_eq!(ClockSkew::NONE.led_by(seconds(180.0)).at_aws(at), ahead.at_aws(at));
        assert_eq!(
            (ahead.led_by(seconds(-170.0)), ahead.led_by(seconds(0.2)).short()),
            (ClockSkew::NONE, "+3m".to_owned())
        );
        let json = serde_json::to_string(&ahead).unwrap();
        assert_eq!(serde_json::from_str::<ClockSkew>(&json).unwrap(), ahead, "{json}");
    }
}
