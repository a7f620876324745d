//! `[[service]]` of a scenario: the same fields as in the configuration, so that one can be copied into the other.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::observation::log::LogGroup;
use crate::domain::observation::metric::{MetricId, MetricRole, Statistic};
use crate::domain::observation::scope::AccountId;
use crate::domain::observation::service::ServiceName;
use crate::domain::observation::workload::WorkloadRef;

/// A service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSpec {
    /// Its name.
    pub name: ServiceName,
    /// Its workload.
    #[serde(default)]
    pub workload: Option<WorkloadRef>,
    /// Its log groups.
    #[serde(default)]
    pub log_groups: Vec<LogGroup>,
    /// Its metrics by role.
    #[serde(default)]
    pub metrics: BTreeMap<MetricRole, ServiceMetric>,
    /// Its Helm release.
    #[serde(default)]
    pub helm_release: Option<String>,
    /// Runbook and dashboard links.
    #[serde(default)]
    pub links: Vec<String>,
}

/// A metric of a service.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceMetric {
    /// Such as `AWS/ECS`.
    pub namespace: String,
    /// Such as `CPUUtilization`.
    pub name: String,
    /// Its dimensions.
    #[serde(default)]
    pub dimensions: BTreeMap<String, String>,
    /// The account that has it, where that is another than the one that is asked.
    #[serde(default)]
    pub account: Option<AccountId>,
    /// How to combine.
    #[serde(default = "average")]
    pub statistic: Statistic,
    /// Seconds a point covers.
    #[serde(default = "minute")]
    pub period_s: u32,
}

impl ServiceMetric {
    /// What names it.
    pub fn named(&self) -> MetricId {
        let (namespace, name, account) = (self.namespace.clone(), self.name.clone(), self.account.clone());
        MetricId { namespace, name, dimensions: self.dimensions.clone(), account }
    }
}

fn average() -> Statistic {
    Statistic::Average
}

fn minute() -> u32 {
    60
}
