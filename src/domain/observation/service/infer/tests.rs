//! A table of alarms as teams write them.

use jiff::Timestamp;

use super::*;
use crate::domain::observation::alarm::{AlarmState, Comparison, Severity};
use crate::domain::observation::workload::WorkloadKind;

pub(crate) fn metric(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> MetricId {
    MetricId {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: dimensions.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
    }
}

pub(crate) fn alarm(name: &str, metric: MetricId) -> Alarm {
    let rule = AlarmRule::Metric {
        metric,
        statistic: Statistic::Average,
        period_s: 60,
        comparison: Comparison::Greater,
        threshold: 85.0,
    };
    with_rule(name, rule)
}

fn with_rule(name: &str, rule: AlarmRule) -> Alarm {
    Alarm {
        name: name.into(),
        arn: String::new(),
        description: "See https://runbooks.example.com/x.".to_owned(),
        state: AlarmState::Alarm,
        reason: String::new(),
        since: Timestamp::UNIX_EPOCH,
        severity: Severity::P2,
        rule,
        value: None,
        evaluation: None,
    }
}

fn workload(namespace: &str, name: &str) -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: namespace.into(), name: name.to_owned() }
}

fn service(name: &str, metrics: &[(MetricRole, MetricId)]) -> Service {
    let query = |(role, metric): &(MetricRole, MetricId)| {
        (*role, MetricQuery { role: *role, metric: metric.clone(), statistic: Statistic::Average, period_s: 60 })
    };
    Service {
        name: name.into(),
        workload: Some(workload("payments", name)),
        log_groups: vec![format!("/team/{name}").into()],
        metrics: metrics.iter().map(query).collect(),
        helm_release: None,
        links: Vec::new(),
        origin: Origin::Configured,
    }
}

#[test]
fn dimensions_and_names_lead_to_the_service() {
    use MetricRole::{Cpu, Errors, Latency, Memory, Requests, Restarts};
    let workloads = [workload("payments", "my-api"), workload("shop", "cart"), workload("blue", "cart")];
    let groups: Vec<LogGroup> =
        ["/ecs/my-api", "/aws/lambda/resize", "/aws/containerinsights/prod/application", "/team/cart"]
            .map(LogGroup::from)
            .into();
    let around = Surroundings { configured: &[], workloads: &workloads, log_groups: &groups };
    let pod = [("ClusterName", "prod"), ("Namespace", "shop"), ("PodName", "cart")];
    for (name, metric, (service, placed, roles, logs)) in [
        (
            "my-api-cpu-high",
            metric("AWS/ECS", "CPUUtilization", &[("ClusterName", "prod"), ("ServiceName", "my-api")]),
            ("my-api", true, vec![Cpu, Memory], vec!["/ecs/my-api"]),
        ),
        (
            "cart restarts",
            metric("ContainerInsights", "pod_number_of_container_restarts", &pod),
            ("cart", true, vec![Cpu, Memory, Restarts], vec!["/aws/containerinsights/prod/application", "/team/cart"]),
        ),
        (
            "5xx",
            metric(
                "AWS/ApplicationELB",
                "HTTPCode_Target_5XX_Count",
                &[("LoadBalancer", "app/pay/1"), ("TargetGroup", "targetgroup/cart/2")],
            ),
            ("cart", false, vec![Requests, Errors, Latency], vec!["/team/cart"]),
        ),
        ("box", metric("AWS/EC2", "CPUUtilization", &[("InstanceId", "i-0123")]), ("i-0123", false, vec![Cpu], vec![])),
        (
            "resize-errors",
            metric("AWS/Lambda", "Errors", &[("FunctionName", "resize")]),
            ("resize", false, vec![Requests, Errors, Latency], vec!["/aws/lambda/resize"]),
        ),
        ("P2-my-api-memory", metric("Team", "HeapUsed", &[]), ("my-api", true, vec![], vec!["/ecs/my-api"])),
        ("prod-billing-latency-p99", metric("Team", "Seconds", &[]), ("prod-billing", false, vec![], vec![])),
    ] {
        let found = infer(&alarm(name, metric), &around);
        assert_eq!(found.name.as_str(), service, "{name}");
        assert_eq!(found.workload.is_some(), placed, "{name}: {found:#?}");
        assert_eq!(found.metrics.keys().copied().collect::<Vec<_>>(), roles, "{name}");
        assert_eq!(found.log_groups.iter().map(LogGroup::as_str).collect::<Vec<_>>(), logs, "{name}");
        assert!(matches!(&found.origin, Origin::Inferred { reasons } if !reasons.is_empty()), "{name}");
        assert_eq!(found.links, ["https://runbooks.example.com/x"]);
    }
}

#[test]
fn without_a_listing_the_convention_is_taken_and_said_to_be_unverified() {
    let ecs = metric("AWS/ECS", "CPUUtilization", &[("ClusterName", "prod"), ("ServiceName", "my-api")]);
    let found = infer(&alarm("a", ecs), &Surroundings::default());
    assert_eq!(found.log_groups, ["/ecs/my-api".into()]);
    let Origin::Inferred { reasons } = found.origin else { panic!("configured") };
    assert!(reasons.iter().any(|reason| reason.contains("not verified")), "{reasons:?}");
}

#[test]
fn what_is_configured_wins() {
    let pod = [("ClusterName", "prod"), ("Namespace", "payments"), ("PodName", "my-api")];
    let services = [
        service("api", &[]),
        service(
            "my-api",
            &[(MetricRole::Restarts, metric("ContainerInsights", "pod_number_of_container_restarts", &pod))],
        ),
    ];
    let around = Surroundings { configured: &services, ..Surroundings::default() };
    let composite = AlarmRule::Composite { rule: r#"ALARM("my-api-no-pods") AND ALARM("db")"#.to_owned() };
    for alarm in [
        alarm("odd", metric("ContainerInsights", "pod_number_of_container_restarts", &pod)),
        alarm("odd", metric("ContainerInsights", "pod_container_status_terminated_reason_oom_killed", &pod)),
        alarm("odd", metric("AWS/ECS", "CPUUtilization", &[("ServiceName", "my-api")])),
        alarm("my-api-cpu", metric("Team", "X", &[])),
        with_rule("payments-unavailable", composite),
    ] {
        let found = infer(&alarm, &around);
        assert_eq!((found.name.as_str(), &found.origin), ("my-api", &Origin::Configured), "{}", alarm.name);
    }
}
