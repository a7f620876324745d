//! Which alarms belong to one incident: those of one service.

use std::collections::BTreeMap;

use super::{Origin, Service, ServiceName, Surroundings, infer};
use crate::domain::observation::alarm::{Alarm, AlarmName, Severity};

/// The alarms of one service.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmGroup {
    /// The service; metrics, log groups, links and reasons of all its alarms together.
    pub service: Service,
    /// Its alarms, the one that fired first leading.
    pub alarms: Vec<AlarmName>,
    /// The worst severity among them.
    pub severity: Severity,
}

/// Groups firing alarms by service, worst severity first, then by name.
pub fn group(alarms: &[Alarm], around: &Surroundings<'_>) -> Vec<AlarmGroup> {
    let mut sorted: Vec<&Alarm> = alarms.iter().collect();
    sorted.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.name.cmp(&b.name)));
    let mut groups: BTreeMap<ServiceName, AlarmGroup> = BTreeMap::new();
    for alarm in sorted {
        let service = infer(alarm, around);
        if let Some(group) = groups.get_mut(&service.name) {
            group.alarms.push(alarm.name.clone());
            group.severity = group.severity.min(alarm.severity);
            merge(&mut group.service, service);
        } else {
            let group = AlarmGroup { alarms: vec![alarm.name.clone()], severity: alarm.severity, service };
            groups.insert(group.service.name.clone(), group);
        }
    }
    let mut groups: Vec<AlarmGroup> = groups.into_values().collect();
    groups.sort_by(|a, b| a.severity.cmp(&b.severity).then_with(|| a.service.name.cmp(&b.service.name)));
    groups
}

/// Adds what a second alarm told of an inferred service; a configured one is complete.
fn merge(service: &mut Service, other: Service) {
    let (Origin::Inferred { reasons, certainty }, Origin::Inferred { reasons: more, certainty: other_certainty }) =
        (&mut service.origin, other.origin)
    else {
        return;
    };
    *certainty = other_certainty.max(*certainty);
    reasons.extend(more);
    reasons.dedup();
    service.workload = service.workload.take().or(other.workload);
    for (role, query) in other.metrics {
        service.metrics.entry(role).or_insert(query);
    }
    service.log_groups.extend(other.log_groups);
    service.log_groups.sort();
    service.log_groups.dedup();
    service.links.extend(other.links);
    service.links.sort();
    service.links.dedup();
}

#[cfg(test)]
mod tests {
    use super::super::infer::tests::{alarm, metric};
    use super::*;

    #[test]
    fn alarms_of_one_service_are_one_incident() {
        let ecs = [("ClusterName", "prod"), ("ServiceName", "my-api")];
        let lb = [("LoadBalancer", "app/pay/1"), ("TargetGroup", "targetgroup/my-api/2")];
        let mut worse = alarm("my-api-5xx", metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", &lb));
        worse.severity = Severity::P1;
        let alarms = [
            alarm(
                "orders-cpu",
                metric("AWS/ECS", "CPUUtilization", &[("ClusterName", "prod"), ("ServiceName", "orders")]),
            ),
            alarm("my-api-cpu", metric("AWS/ECS", "CPUUtilization", &ecs)),
            worse,
        ];
        let groups = group(&alarms, &Surroundings::default());
        assert_eq!(groups.len(), 2);
        assert_eq!((groups[0].service.name.as_str(), groups[0].severity), ("my-api", Severity::P1));
        assert_eq!(groups[0].alarms, ["my-api-5xx".into(), "my-api-cpu".into()]);
        assert_eq!(groups[0].service.metrics.len(), 5, "{:#?}", groups[0].service.metrics);
    }
}
