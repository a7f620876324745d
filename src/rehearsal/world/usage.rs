//! What a metrics server would tell of a workload: the share of the processor from its service's series, and the memory of
//! each pod from its regime.

use super::{MINUTE, Sight, minute_of};
use crate::domain::observation::metric::{MetricRole, Unit};
use crate::rehearsal::cluster::autoscaler::gauge::Reading;
use crate::rehearsal::scenario::{MetricSpec, Scenario};

/// The series that tells how busy the pods of a workload are: the `cpu` of the service that names it, in percent.
pub fn cpu_series<'a>(scenario: &'a Scenario, namespace: &str, workload: &str) -> Option<&'a MetricSpec> {
    let mut services = scenario.services.iter().filter(|service| {
        service.workload.as_ref().is_some_and(|one| one.name == workload && one.namespace.as_str() == namespace)
    });
    let wanted = services.find_map(|service| service.metrics.get(&MetricRole::Cpu))?.named();
    scenario.metrics.iter().find(|metric| metric.unit == Unit::Percent && metric.named() == wanted)
}

impl Sight<'_> {
    /// What is measured of a workload now: the processor as of the last whole minute, memory as it is.
    pub fn usage(&self, namespace: &str, workload: &str) -> Reading {
        let series = cpu_series(self.scenario(), namespace, workload);
        let name = workload.to_owned();
        let lives = self.lives_of(Some(&name)).iter().filter(|life| life.runs_at(self.now));
        let behaviour = self.world.behaviour(workload);
        let memory = lives.filter_map(|life| Some((life.pod.clone(), behaviour?.memory_bytes(life, self.now))));
        Reading {
            cpu_percent: series.and_then(|series| self.value(&series.id, minute_of(self.now) - MINUTE)),
            memory: memory.filter(|pod| pod.1 > 0.0).collect(),
        }
    }
}
