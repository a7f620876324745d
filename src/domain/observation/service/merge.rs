//! What a further alarm tells of a service that was inferred from another.

use super::{Origin, Service};

/// Adds what a second alarm told of an inferred service; a configured one is complete.
pub fn merge(service: &mut Service, other: Service) {
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
    use super::super::{Surroundings, infer};
    use super::*;

    #[test]
    fn each_alarm_adds_what_it_knows_of_an_inferred_service_alone() {
        let ecs = [("ClusterName", "prod"), ("ServiceName", "my-api")];
        let target = [("LoadBalancer", "app/pay/1"), ("TargetGroup", "targetgroup/my-api/2")];
        let of = |name: &str, metric| infer(&alarm(name, metric), &Surroundings::default());
        let mut service = of("cpu", metric("AWS/ECS", "CPUUtilization", &ecs));
        let other = of("5xx", metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", &target));
        merge(&mut service, other.clone());
        assert_eq!((service.metrics.len(), service.log_groups.len()), (5, 1), "{service:#?}");
        let mut configured = Service::bare("my-api");
        merge(&mut configured, other);
        assert_eq!(configured, Service::bare("my-api"));
    }
}
