//! The world as telemetry: series, alarm states and log lines, computed from the scenario's shapes and the lives that
//! the cluster kept, so that a restart or a raised limit really shows. Pure but for reading the scenario's files once.

mod alarms;
mod band;
mod files;
mod lines;
pub mod math;
mod samples;
mod series;
mod usage;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};

pub use alarms::{AlarmNow, Transition};
pub use band::Band;
pub use lines::{LogEvent, Order, Place, StreamNow, Tape};
pub use samples::{Bound, PartOf, Reckoning};
pub use usage::cpu_series;

use super::behaviour::{Behaviour, Life};
use super::scenario::{Cadence, HistorySpec, MetricSpec, Scenario};
use crate::domain::fault::Fault;

/// Every life of each workload's first container, by the workload's name, in order of start.
pub type Lives = BTreeMap<String, Vec<Life>>;

/// One minute: the resolution of every series.
pub const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// What does not change while a rehearsal runs, and a memory of what is past and so cannot change any more.
#[derive(Debug)]
pub struct World {
    scenario: Arc<Scenario>,
    seed: u64,
    behaviours: BTreeMap<String, Behaviour>,
    /// Points before start by metric id, for shapes that follow no lives; by minute.
    curves: BTreeMap<String, BTreeMap<Timestamp, f64>>,
    /// Lines of files by the index of their `[[log]]`.
    filed: BTreeMap<usize, Vec<(Timestamp, String)>>,
    /// The place of each metric in the scenario, by its id.
    places: HashMap<String, usize>,
    settled_points: Mutex<series::Settled>,
    settled_lines: Mutex<lines::Settled>,
    evaluated: Mutex<alarms::Evaluated>,
}

impl World {
    /// Reads the scenario's files and draws its curves.
    ///
    /// # Errors
    /// `Storage` or `Usage` when a file of the scenario cannot be read or understood.
    pub fn new(scenario: Arc<Scenario>, seed: u64) -> Result<Self, Fault> {
        let behaviours = scenario
            .workloads
            .iter()
            .map(|workload| (workload.name.clone(), Behaviour::new(workload, scenario.start, seed)))
            .collect();
        let mut curves = BTreeMap::new();
        for metric in &scenario.metrics {
            let points = match &metric.history {
                HistorySpec::Csv { file, columns, ends } => files::csv(&scenario, file, columns, *ends)?,
                _ => series::curve(&scenario, metric, seed),
            };
            curves.insert(metric.id.clone(), points);
        }
        let mut filed = BTreeMap::new();
        for (index, log) in scenario.logs.iter().enumerate() {
            if let Cadence::File { file, ends } = &log.cadence {
                filed.insert(index, files::lines(&scenario, file, *ends)?);
            }
        }
        let places = scenario.metrics.iter().enumerate().map(|(index, metric)| (metric.id.clone(), index)).collect();
        Ok(Self {
            scenario,
            seed,
            places,
            behaviours,
            curves,
            filed,
            settled_points: Mutex::default(),
            settled_lines: Mutex::default(),
            evaluated: Mutex::default(),
        })
    }

    /// The scenario it plays.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The behaviour of a workload, by its name.
    pub fn behaviour(&self, workload: &str) -> Option<&Behaviour> {
        self.behaviours.get(workload)
    }

    /// The world as seen at an instant over the lives up to it.
    pub fn at<'a>(&'a self, now: Timestamp, lives: &'a Lives) -> Sight<'a> {
        Sight { world: self, lives, now }
    }
}

/// The world at an instant.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    world: &'a World,
    lives: &'a Lives,
    now: Timestamp,
}

impl<'a> Sight<'a> {
    /// The instant.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The same world as it was at an earlier instant.
    pub fn before(&self, at: Timestamp) -> Self {
        Self { now: self.now.min(at), ..*self }
    }

    /// The scenario.
    pub fn scenario(&self) -> &'a Scenario {
        &self.world.scenario
    }

    fn lives_of(&self, workload: Option<&String>) -> &'a [Life] {
        workload.and_then(|name| self.lives.get(name)).map_or(&[], Vec::as_slice)
    }

    fn metric(&self, id: &str) -> Option<(usize, &'a MetricSpec)> {
        let index = *self.world.places.get(id)?;
        Some((index, self.world.scenario.metrics.get(index)?))
    }
}

/// The minute an instant lies in.
pub fn minute_of(at: Timestamp) -> Timestamp {
    let second = at.as_second().div_euclid(60) * 60;
    Timestamp::from_second(second).unwrap_or(at)
}

#[cfg(test)]
mod tests;
