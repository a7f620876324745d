//! Scenarios as written: TOML with unknown fields denied. What each field means to an author is in
//! `assets/scenarios/README.md`; what it does to the world is in `world`, `behaviour` and `wire`.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::domain::observation::scope::{AccountId, ClusterName, KubeContext, Namespace, Region, Scope};
use crate::rehearsal::cluster::spec::ClusterSpec;

mod alarm;
mod bounds;
mod exception;
mod fault;
mod folder;
mod load;
mod log;
mod metric;
mod model;
mod objects;
mod overlay;
mod scale;
mod service;
mod workload;

pub use alarm::{AlarmSpec, BandSide, CompositeRule, ConditionSpec, MathSpec, MissingWord};
pub use exception::ModelException;
pub use fault::{FaultEffect, FaultSpec, SlackWord};
pub use load::{ScenarioSummary, list, load, parse};
pub use log::{Cadence, FieldSpec, LateSpec, LogSpec};
pub use metric::{AfterSpec, Column, HistorySpec, Knot, MetricSpec, Normalise, ZeroSpec};
pub use model::{ChunkSpec, ModelMode, ModelSpec, TurnSpec};
pub use objects::latest as latest_instant;
pub use scale::ScaleSpec;
pub use service::{ServiceMetric, ServiceSpec};
pub use workload::{
    ContainerShape, DisruptionBudgetSpec, KillSpec, NodeSpec, Probe, Quantity, Regime, Retained, RevisionSpec,
    WorkloadSpec,
};

/// A whole scenario, with what it is based on already in it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name: the file's stem.
    pub name: String,
    /// One line for a list.
    pub title: String,
    /// What a person learns from it, one sentence.
    pub teaches: String,
    /// The incident time at which the rehearsal begins: the moment of the page.
    pub start: Timestamp,
    /// How far back metrics and logs reach before `start`.
    pub history: SignedDuration,
    /// The seed of every jitter, unless the command line gives another.
    pub seed: u64,
    /// Where it plays.
    pub scope: ScopeSpec,
    /// The services, with the fields of `[[service]]` in the configuration.
    pub services: Vec<ServiceSpec>,
    /// What runs in the cluster.
    pub workloads: Vec<WorkloadSpec>,
    /// The nodes it runs on.
    pub nodes: Vec<NodeSpec>,
    /// The rest of the cluster: roles, quotas, autoscalers, webhooks, other objects.
    pub cluster: ClusterSpec,
    /// The metric series CloudWatch holds.
    pub metrics: Vec<MetricSpec>,
    /// The alarms.
    pub alarms: Vec<AlarmSpec>,
    /// The log lines, by generator or file.
    pub logs: Vec<LogSpec>,
    /// What the simulated model says.
    pub model: ModelSpec,
    /// What goes wrong on the wire.
    pub faults: Vec<FaultSpec>,
    /// What a rehearsal of it should come to.
    pub expect: Expect,
    /// Files of Kubernetes objects, whose content is in `cluster` already.
    pub objects: Vec<String>,
    /// Where the latest instant of all of them falls, from start (negative).
    pub objects_end: SignedDuration,
    /// The folder that files are read from; `None` for a built-in scenario.
    pub folder: Option<std::path::PathBuf>,
}

impl Scenario {
    /// The scope as the cockpit shows it.
    pub fn scope(&self) -> Scope {
        Scope {
            account: Some(self.scope.account.clone()),
            region: self.scope.region.clone(),
            cluster: Some(self.scope.cluster.clone()),
            context: Some(self.scope.context.clone()),
            identity: Some(self.scope.identity.clone()),
            ..Scope::default()
        }
    }

    /// The earliest instant of the world: nothing was recorded before it.
    pub fn dawn(&self) -> Timestamp {
        self.start - self.history
    }

    /// The files of its folder by name; none for a single file or a built-in scenario.
    pub fn files(&self) -> Vec<String> {
        let folder = self.folder.as_ref().filter(|folder| folder.join("scenario.toml").is_file());
        folder.map_or_else(Vec::new, |folder| folder::names(folder))
    }

    /// The workload of a name, whatever its kind and namespace.
    pub fn workload(&self, name: &str) -> Option<&WorkloadSpec> {
        self.workloads.iter().find(|workload| workload.name == name)
    }
}

/// Where a scenario plays.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScopeSpec {
    /// Twelve digits.
    pub account: AccountId,
    /// Such as `us-east-1`.
    pub region: Region,
    /// The cluster's name.
    pub cluster: ClusterName,
    /// The kubeconfig context.
    pub context: KubeContext,
    /// The namespace the cockpit watches.
    pub namespace: Namespace,
    /// The caller's ARN.
    pub identity: String,
}

/// What a rehearsal of the scenario should come to; `eval` and the tests compare with it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The cause the rules should rank first, as its id.
    pub cause: String,
    /// Whether the verdict should be conclusive.
    pub conclusive: bool,
    /// The exact OOM count, where one can be had.
    #[serde(default)]
    pub oom_kills: Option<u64>,
    /// Action ids that should be offered.
    #[serde(default)]
    pub offered: Vec<String>,
    /// Action ids that should be refused.
    #[serde(default)]
    pub refused: Vec<String>,
    /// How the gate should stand.
    #[serde(default)]
    pub gate: Option<GateWord>,
}

/// How the gate stands at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GateWord {
    /// A step may be asked for.
    Open,
    /// No step may.
    Locked,
}
