//! A number that evidence holds, with its name and unit: what a claim's numbers are compared with.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::observation::metric::Unit;

/// The unit of a fact, in the words of the evidence document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactUnit {
    /// 0–100.
    Percent,
    /// Points of percent a minute.
    PercentPerMinute,
    /// Bytes.
    Bytes,
    /// A count.
    Count,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Minutes.
    Minutes,
    /// A multiple: 8 times.
    Times,
    /// Not told.
    None,
}

impl From<Unit> for FactUnit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Percent => Self::Percent,
            Unit::Bytes => Self::Bytes,
            Unit::Count => Self::Count,
            Unit::Seconds => Self::Seconds,
            Unit::Milliseconds => Self::Milliseconds,
            Unit::None => Self::None,
        }
    }
}

/// A named number of a piece of evidence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Kebab-case, unique in its evidence: `peak`, `growth`.
    pub name: String,
    /// The value, finite.
    pub value: f64,
    /// Its unit.
    pub unit: FactUnit,
    /// When it was so, where it has a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

impl Fact {
    /// A fact without a time.
    pub fn new(name: impl Into<String>, value: f64, unit: FactUnit) -> Self {
        Self { name: name.into(), value, unit, at: None }
    }

    /// Adds the time.
    pub fn at(mut self, at: Timestamp) -> Self {
        self.at = Some(at);
        self
    }
}

/// Prints the value as sentences do: whole numbers whole, others with one digit, small ones with more.
impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&number(self.value))?;
        f.write_str(match self.unit {
            FactUnit::Percent => "%",
            FactUnit::PercentPerMinute => " %/min",
            FactUnit::Bytes => " B",
            FactUnit::Seconds => " s",
            FactUnit::Milliseconds => " ms",
            FactUnit::Minutes => " min",
            FactUnit::Times => "x",
            FactUnit::Count | FactUnit::None => "",
        })
    }
}

/// A number as printed in answers and findings: whole if whole or large, else one digit, three below one.
pub fn number(value: f64) -> String {
    let text = if value.fract() == 0.0 || value.abs() >= 1_000.0 {
        format!("{value:.0}")
    } else if value.abs() < 1.0 {
        format!("{value:.3}").trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:.1}")
    };
    if text == "-0" { "0".to_owned() } else { text }
}

/// Bytes as people write limits: `512Mi`.
pub fn bytes(value: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)];
    UNITS
        .iter()
        .find(|(_, size)| value >= *size)
        .map_or_else(|| value.to_string(), |(unit, size)| format!("{}{unit}", number(value as f64 / *size as f64)))
}
