//! The seam to telemetry: what a metrics server would say of the pods of a workload.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::super::Cluster;

/// What is measured of a workload now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The processor time of each of its pods, percent of what they request; `None` where no series tells it.
    pub cpu_percent: Option<f64>,
    /// Memory in use, bytes, by pod.
    pub memory: BTreeMap<String, f64>,
}

type Measure = dyn Fn(&Cluster, &str, &str) -> Reading + Send + Sync;

/// A metrics server as the cluster asks it: how busy are the pods of this workload now?
#[derive(Clone)]
pub struct Gauge(Arc<Measure>);

impl Gauge {
    /// A gauge that reads by a function of the cluster as it stands, the workload's namespace and its name; it must be pure.
    pub fn new(measure: impl Fn(&Cluster, &str, &str) -> Reading + Send + Sync + 'static) -> Self {
        Self(Arc::new(measure))
    }

    /// What is measured of a workload.
    pub(super) fn read(&self, cluster: &Cluster, namespace: &str, workload: &str) -> Reading {
        (self.0)(cluster, namespace, workload)
    }
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gauge")
    }
}
