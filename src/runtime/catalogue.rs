//! What can be rehearsed and how: scenarios by name, and the options of a rehearsal read from what a person typed.

use std::path::{Path, PathBuf};

use super::RehearseOptions;
use super::operator::Operator;
use crate::domain::drill::ArrangedFault;
use crate::domain::fault::{Fault, FaultKind};
use crate::rehearsal::clock::Speed;
use crate::rehearsal::review::review;
use crate::rehearsal::scenario;
use crate::ui::tour::Lesson;

pub use crate::rehearsal::scenario::ScenarioSummary;

/// The fastest speed at which a person can still decide: the guard of an approval is wall time, its expiry is not.
const FASTEST_FOR_A_PERSON: f64 = 10.0;

/// A rehearsal as typed.
#[derive(Clone, Debug)]
pub struct Asked {
    /// A scenario's name or path.
    pub scenario: String,
    /// A number or `max`.
    pub speed: String,
    /// The seed.
    pub seed: Option<u64>,
    /// The operator's script.
    pub operator: Option<PathBuf>,
    /// Faults to let strike.
    pub faults: Vec<ArrangedFault>,
    /// Whether a tour leads through it.
    pub tour: bool,
    /// Where to lay what other programs need to reach it.
    pub attach: Option<PathBuf>,
}

/// The scenarios that ship with the program.
pub fn scenarios() -> Vec<ScenarioSummary> {
    scenario::list()
}

/// A scenario that can be rehearsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// What it lacks, one sentence each.
    pub missing: Vec<String>,
}

/// Reads a scenario with all its files and says what it lacks.
pub fn check(path: &Path) -> Result<Checked, Fault> {
    let path = path.to_str().ok_or_else(|| Fault::new(FaultKind::Usage, "The path is not UTF-8."))?;
    let scenario = scenario::load(path)?;
    Ok(Checked { name: scenario.name.clone(), missing: review(scenario)? })
}

/// Reads everything a rehearsal is made of.
pub fn options(asked: &Asked) -> Result<RehearseOptions, Fault> {
    let speed = speed(&asked.speed)?;
    let operator = asked.operator.as_deref().map(operator).transpose()?;
    let tour = asked.tour.then(Lesson::default);
    let scenario = scenario::load(&asked.scenario)?;
    let (faults, attach) = (asked.faults.clone(), asked.attach.clone());
    Ok(RehearseOptions { scenario, speed, seed: asked.seed, operator, faults, tour, attach })
}

/// Whether a person can decide at this speed.
pub fn leaves_time_to_read(speed: Speed) -> bool {
    match speed {
        Speed::Times(factor) => factor <= FASTEST_FOR_A_PERSON,
        Speed::Max => false,
    }
}

fn speed(word: &str) -> Result<Speed, Fault> {
    if word == "max" {
        return Ok(Speed::Max);
    }
    match word.parse::<f64>() {
        Ok(factor) if (0.1..=1_000.0).contains(&factor) => Ok(Speed::Times(factor)),
        Ok(_) | Err(_) => Err(Fault::new(FaultKind::Usage, format!("--speed {word:?} is not a speed."))
            .hint("Use a number from 0.1 to 1000, or max.")),
    }
}

fn operator(path: &Path) -> Result<Operator, Fault> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        Fault::new(FaultKind::Usage, format!("The operator script {} cannot be read.", path.display()))
            .cause(format!("{error}."))
            .hint("Check its name, and that you may read it.")
    })?;
    Operator::parse(&text, &path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_has_speeds_that_can_be_followed() {
        for (word, expected) in [("1", true), ("10", true), ("0.5", true), ("11", false), ("max", false)] {
            assert_eq!(leaves_time_to_read(speed(word).unwrap()), expected, "{word}");
        }
        for word in ["", "fast", "0", "-1", "NaN", "inf", "1001", "MAX"] {
            assert_eq!(speed(word).unwrap_err().kind, FaultKind::Usage, "{word}");
        }
    }
}
