//! What an alarm is about: a service with its workload, log groups and metrics by role, configured or inferred with reasons.

mod dimension;
mod infer;
mod merge;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::log::LogGroup;
use super::metric::{MetricQuery, MetricRole};
use super::workload::WorkloadRef;

pub use dimension::{Measure, measure_of, role_of, tells_of_workload};
pub use infer::{Surroundings, contains_name, infer};
pub use merge::merge;

crate::text_id!(
    /// A service by the team's name.
    ServiceName
);

/// How sure it is that an alarm is about a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// By what is left of the alarm's name.
    #[default]
    Guess,
    /// A dimension names it, or a workload's name stands in the alarm's.
    Likely,
    /// A dimension names it, and the cluster has a workload of that name or label.
    Sure,
}

impl Certainty {
    /// The word on screen.
    pub fn word(self) -> &'static str {
        match self {
            Self::Guess => "a guess",
            Self::Likely => "likely",
            Self::Sure => "sure",
        }
    }
}

/// How a service came to be known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Origin {
    /// Written in the configuration.
    Configured,
    /// Concluded from dimensions, names and labels.
    Inferred {
        /// One sentence a conclusion, shown to the person.
        reasons: Vec<String>,
        /// How sure the name is.
        #[serde(default)]
        certainty: Certainty,
    },
}

/// A service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its name.
    pub name: ServiceName,
    /// Its workload, where one is known.
    pub workload: Option<WorkloadRef>,
    /// Its log groups.
    pub log_groups: Vec<LogGroup>,
    /// Its metrics by role.
    pub metrics: BTreeMap<MetricRole, MetricQuery>,
    /// Its Helm release, where one is known.
    pub helm_release: Option<String>,
    /// Links worth opening: runbook, dashboard.
    pub links: Vec<String>,
    /// How it came to be known.
    pub origin: Origin,
}

impl Service {
    /// A configured service of which nothing but its name is known.
    pub fn bare(name: &str) -> Self {
        Self {
            name: name.into(),
            workload: None,
            log_groups: Vec::new(),
            metrics: BTreeMap::new(),
            helm_release: None,
            links: Vec::new(),
            origin: Origin::Configured,
        }
    }
}
