//! A value of a row: what it is compared as, and how it is shown.

use std::cmp::Ordering;

use jiff::Timestamp;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Missing,
    Text(String),
    Number(f64),
    Flag(bool),
    Time(Timestamp),
}

impl Cell {
    /// As a number, where it is one or reads as one; times are milliseconds.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
            Self::Time(at) => Some(at.as_millisecond() as f64),
            Self::Missing | Self::Flag(_) => None,
        }
    }

    /// Whether a condition that comes to it holds.
    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Flag(flag) => *flag,
            Self::Number(number) => *number != 0.0,
            Self::Missing | Self::Text(_) | Self::Time(_) => false,
        }
    }

    /// As the answer shows it; nothing where it is missing.
    pub(super) fn shown(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Text(text) => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            Self::Flag(flag) => Some(u8::from(*flag).to_string()),
            Self::Time(at) => Some(at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()),
        }
    }

    /// As numbers where both are, else as text; what is missing comes last.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Missing, Self::Missing) => Ordering::Equal,
            (Self::Missing, _) => Ordering::Greater,
            (_, Self::Missing) => Ordering::Less,
            _ => match (self.number(), other.number()) {
                (Some(left), Some(right)) => left.total_cmp(&right),
                _ => self.shown().cmp(&other.shown()),
            },
        }
    }
}
