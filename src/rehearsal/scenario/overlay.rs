//! A scenario file before it is whole: what it says itself, laid over the built-in one it is based on.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::{
    AlarmSpec, Expect, FaultSpec, LogSpec, MetricSpec, ModelSpec, NodeSpec, ScaleSpec, Scenario, ScopeSpec,
    ServiceSpec, WorkloadSpec, bounds,
};
use crate::rehearsal::cluster::spec::ClusterSpec;

/// A file's own words.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Overlay {
    /// The built-in scenario it changes.
    #[serde(default)]
    pub(super) based_on: Option<String>,
    name: String,
    title: String,
    teaches: String,
    start: Option<Timestamp>,
    history: Option<SignedDuration>,
    seed: Option<u64>,
    scope: Option<ScopeSpec>,
    #[serde(rename = "service")]
    services: Option<Vec<ServiceSpec>>,
    #[serde(default, rename = "workload")]
    workloads: Vec<WorkloadSpec>,
    #[serde(rename = "node")]
    nodes: Option<Vec<NodeSpec>>,
    cluster: Option<ClusterSpec>,
    #[serde(default, rename = "metric")]
    metrics: Vec<MetricSpec>,
    #[serde(default, rename = "alarm")]
    alarms: Vec<AlarmSpec>,
    #[serde(rename = "log")]
    logs: Option<Vec<LogSpec>>,
    model: Option<ModelSpec>,
    #[serde(rename = "fault")]
    faults: Option<Vec<FaultSpec>>,
    #[serde(default)]
    objects: Vec<String>,
    objects_end: Option<SignedDuration>,
    scale: Option<ScaleSpec>,
    expect: Expect,
}

impl Overlay {
    /// The whole scenario. Workloads and alarms by name and metrics by id replace those of the base or are added to
    /// them; the other lists replace the base's as a whole.
    pub(super) fn over(self, base: Option<&Scenario>) -> Result<Scenario, String> {
        let missing =
            |field: &str| format!("The field {field:?} is missing, and there is no based_on to take it from.");
        let repeats =
            self.metrics.iter().map(|metric| metric.repeat).chain(self.alarms.iter().map(|alarm| alarm.repeat));
        if let Some(count) = repeats.flatten().find(|count| *count > bounds::MANY) {
            return Err(format!("repeat = {count} is more than {}.", bounds::MANY));
        }
        let mut scenario = Scenario {
            name: self.name,
            title: self.title,
            teaches: self.teaches,
            start: self.start.or(base.map(|base| base.start)).ok_or_else(|| missing("start"))?,
            history: self.history.or(base.map(|base| base.history)).unwrap_or(SignedDuration::from_hours(3)),
            seed: self.seed.or(base.map(|base| base.seed)).unwrap_or(1),
            scope: self.scope.or_else(|| base.map(|base| base.scope.clone())).ok_or_else(|| missing("scope"))?,
            services: self.services.or_else(|| base.map(|base| base.services.clone())).unwrap_or_default(),
            workloads: laid(base.map(|base| &base.workloads), self.workloads, |workload| &workload.name),
            nodes: self.nodes.or_else(|| base.map(|base| base.nodes.clone())).unwrap_or_default(),
            cluster: self.cluster.or_else(|| base.map(|base| base.cluster.clone())).unwrap_or_default(),
            metrics: laid(
                base.map(|base| &base.metrics),
                self.metrics.into_iter().flat_map(MetricSpec::repeated).collect(),
                |metric| &metric.id,
            ),
            alarms: laid(
                base.map(|base| &base.alarms),
                self.alarms.into_iter().flat_map(AlarmSpec::repeated).collect(),
                |alarm| &alarm.name,
            ),
            logs: self.logs.or_else(|| base.map(|base| base.logs.clone())).unwrap_or_default(),
            model: self.model.or_else(|| base.map(|base| base.model.clone())).unwrap_or_default(),
            faults: self.faults.or_else(|| base.map(|base| base.faults.clone())).unwrap_or_default(),
            expect: self.expect,
            objects: self.objects,
            objects_end: self.objects_end.unwrap_or(SignedDuration::from_secs(-1)),
            folder: None,
        };
        if let Some(scale) = self.scale {
            scale.fill(&mut scenario)?;
        }
        Ok(scenario)
    }
}

/// The base's entries with those of the same key replaced, then the new ones.
fn laid<T: Clone>(base: Option<&Vec<T>>, own: Vec<T>, key: impl Fn(&T) -> &String) -> Vec<T> {
    let mut entries = base.cloned().unwrap_or_default();
    for entry in own {
        match entries.iter_mut().find(|present| key(present) == key(&entry)) {
            Some(present) => *present = entry,
            None => entries.push(entry),
        }
    }
    entries
}
