//! A table of alarms as teams write them.

use super::*;
use crate::domain::observation::alarm::{Comparison, fixture};
use crate::domain::observation::workload::WorkloadKind;

pub(crate) fn metric(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> MetricId {
    MetricId {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        dimensions: dimensions.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
        account: None,
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
    Alarm { description: "See https://runbooks.example.com/x.".to_owned(), ..fixture::alarm(name, rule) }
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
    let around = Surroundings { workloads: &workloads, log_groups: Some(&groups), ..Surroundings::default() };
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
            ("cart", true, vec![Cpu, Memory, Restarts], vec!["/team/cart"]),
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
        assert!(matches!(&found.origin, Origin::Inferred { reasons, .. } if !reasons.is_empty()), "{name}");
        assert_eq!(found.links, ["https://runbooks.example.com/x"]);
    }
}

#[test]
fn a_metric_in_units_of_its_own_does_not_displace_the_percent_beside_it() {
    use MetricRole::{Cpu, Memory};
    let ecs: &[(&str, &str)] = &[("ClusterName", "prod"), ("ServiceName", "my-api")];
    let pod: &[(&str, &str)] = &[("ClusterName", "prod"), ("Namespace", "shop"), ("PodName", "cart")];
    for (namespace, own, dimensions, role, read) in [
        ("ECS/ContainerInsights", "MemoryUtilized", ecs, Memory, "MemoryUtilization"),
        ("ECS/ContainerInsights", "CpuUtilized", ecs, Cpu, "CPUUtilization"),
        ("ContainerInsights", "pod_cpu_usage_total", pod, Cpu, "pod_cpu_utilization"),
        ("ContainerInsights", "pod_memory_utilization", pod, Memory, "pod_memory_utilization_over_pod_limit"),
        ("ContainerInsights", "pod_memory_failures_total", pod, Memory, "pod_memory_utilization_over_pod_limit"),
        ("ContainerInsights", "pod_memory_working_set", pod, Memory, "pod_memory_working_set"),
        ("AWS/ECS", "MemoryUtilization", ecs, Memory, "MemoryUtilization"),
        ("Team", "memory_mib", ecs, Memory, "memory_mib"),
    ] {
        let found = infer(&alarm("a", metric(namespace, own, dimensions)), &Surroundings::default());
        assert_eq!(found.metrics[&role].metric.name, read, "{own}");
    }
}

fn composite(rule: &str) -> Alarm {
    with_rule("shop-down", AlarmRule::Composite { rule: rule.to_owned() })
}

fn ratio(metrics: Vec<MetricId>) -> Alarm {
    let rule = AlarmRule::Math {
        expression: "100*errors/requests".to_owned(),
        comparison: Comparison::Greater,
        threshold: Some(5.0),
        metrics,
        queries: Vec::new(),
    };
    with_rule("ratio", rule)
}

type Shape = (&'static str, Alarm, (&'static str, Certainty, Option<&'static str>));

fn shapes() -> Vec<Shape> {
    use Certainty::{Guess, Likely, Sure};
    let target = [("LoadBalancer", "app/shop/1"), ("TargetGroup", "targetgroup/cart/2")];
    vec![
        (
            "ECS Container Insights",
            alarm(
                "a",
                metric("ECS/ContainerInsights", "MemoryUtilized", &[("ClusterName", "p"), ("ServiceName", "cart")]),
            ),
            ("cart", Sure, Some("cart")),
        ),
        (
            "API Gateway",
            alarm("a", metric("AWS/ApiGateway", "5XXError", &[("ApiName", "orders"), ("Stage", "prod")])),
            ("orders", Likely, None),
        ),
        (
            "a team's own namespace",
            alarm("a", metric("Shop", "Lag", &[("service", "cart")])),
            ("cart", Sure, Some("cart")),
        ),
        (
            "a label",
            alarm("a", metric("Shop", "Lag", &[("application", "basket")])),
            ("basket", Sure, Some("basket-v2")),
        ),
        (
            "math over a target group",
            ratio(vec![metric("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", &target)]),
            ("cart", Sure, Some("cart")),
        ),
        (
            "a composite",
            composite(r#"ALARM("cart-5xx") AND (ALARM("cart-cpu") OR ALARM(db-lag))"#),
            ("cart", Sure, Some("cart")),
        ),
        (
            "a composite of others",
            composite(r#"ALARM("mail-5xx") OR ALARM("mail-latency-p99")"#),
            ("mail", Likely, None),
        ),
        (
            "a composite by ARN",
            composite(r#"ALARM("arn:aws:cloudwatch:eu-west-1:123456789012:alarm:mail-5xx")"#),
            ("mail", Likely, None),
        ),
        ("a name alone", alarm("P2-billing-latency-p99", metric("Shop", "Seconds", &[])), ("billing", Guess, None)),
        (
            "a database",
            alarm("a", metric("AWS/RDS", "FreeStorageSpace", &[("DBInstanceIdentifier", "ledger-db")])),
            ("ledger-db", Likely, None),
        ),
    ]
}

fn shapes_called_like_a_workload() -> Vec<Shape> {
    use Certainty::Likely;
    vec![
        (
            "a database called like a workload",
            alarm("a", metric("AWS/RDS", "CPUUtilization", &[("DBInstanceIdentifier", "cart")])),
            ("cart", Likely, None),
        ),
        (
            "a queue called like a workload",
            alarm("a", metric("AWS/SQS", "ApproximateAgeOfOldestMessage", &[("QueueName", "cart")])),
            ("cart", Likely, None),
        ),
        (
            "an API called like a workload",
            alarm("a", metric("AWS/ApiGateway", "5XXError", &[("ApiName", "cart"), ("Stage", "prod")])),
            ("cart", Likely, Some("cart")),
        ),
        (
            "children with parentheses in their names",
            composite(r#"ALARM("mail cpu high (prod)") OR ALARM("mail cpu high (prod)")"#),
            ("mail-prod", Likely, None),
        ),
    ]
}

#[test]
fn real_shapes_are_named_with_their_certainty() {
    let workloads = [workload("shop", "cart"), workload("shop", "basket-v2")];
    let labelled = [("basket".to_owned(), workload("shop", "basket-v2"))];
    let around = Surroundings { workloads: &workloads, labelled: &labelled, ..Surroundings::default() };
    for (case, found, (name, certainty, placed)) in shapes().into_iter().chain(shapes_called_like_a_workload()) {
        let service = infer(&found, &around);
        let Origin::Inferred { certainty: told, .. } = service.origin else { panic!("{case}") };
        let workload = service.workload.as_ref().map(|workload| workload.name.as_str());
        assert_eq!((service.name.as_str(), told, workload), (name, certainty, placed), "{case}");
    }
}

#[test]
fn a_role_is_read_as_finely_as_its_metric_is_published() {
    let of = |namespace: &str, dimension: &str, period: u32| {
        let mut found = alarm("a", metric(namespace, "CPUUtilization", &[(dimension, "my-api")]));
        let AlarmRule::Metric { period_s, statistic, .. } = &mut found.rule else { panic!() };
        (*period_s, *statistic) = (period, Statistic::Maximum);
        let query = infer(&found, &Surroundings::default()).metrics[&MetricRole::Cpu].clone();
        (query.statistic, query.period_s)
    };
    assert_eq!(of("AWS/ECS", "ServiceName", 300), (Statistic::Maximum, 60));
    assert_eq!(of("AWS/ECS", "ServiceName", 10), (Statistic::Maximum, 10));
    assert_eq!(of("AWS/EC2", "InstanceId", 900), (Statistic::Maximum, 300));
    assert_eq!(of("Team", "Service", 300), (Statistic::Maximum, 300), "nobody knows how often a team publishes");
}

#[test]
fn without_a_listing_the_convention_is_taken_and_said_to_be_unverified() {
    let ecs = metric("AWS/ECS", "CPUUtilization", &[("ClusterName", "prod"), ("ServiceName", "my-api")]);
    let found = infer(&alarm("a", ecs), &Surroundings::default());
    assert_eq!(found.log_groups, ["/ecs/my-api".into()]);
    let Origin::Inferred { reasons, .. } = found.origin else { panic!("configured") };
    assert!(reasons.iter().any(|reason| reason.contains("not verified")), "{reasons:?}");
}

#[test]
fn a_convention_that_a_listing_denies_is_not_followed() {
    let ecs = metric("AWS/ECS", "CPUUtilization", &[("ClusterName", "prod"), ("ServiceName", "my-api")]);
    let around = Surroundings { log_groups: Some(&[]), ..Surroundings::default() };
    let found = infer(&alarm("a", ecs), &around);
    assert_eq!(found.log_groups, []);
    let Origin::Inferred { reasons, .. } = found.origin else { panic!("configured") };
    assert!(reasons.iter().any(|reason| reason.contains("no such log group")), "{reasons:?}");
}

#[test]
fn a_name_says_what_a_metric_measures() {
    use MetricRole::{CollectorTime, Errors, Latency, Requests};
    for (name, expected) in [
        ("jvm_gc_duration", None),
        ("jvm.gc.pause", None),
        ("jvm_gc_time_percent", Some(CollectorTime)),
        ("request_duration", Some(Latency)),
        ("ThrottledRequests", None),
        ("RejectedRequests", None),
        ("pending_requests", None),
        ("http_requests", Some(Requests)),
        ("4xxErrorRate", None),
        ("5xxErrorRate", Some(Errors)),
        ("ErrorCount", Some(Errors)),
    ] {
        assert_eq!(crate::domain::observation::service::role_of(name), expected, "{name}");
    }
}

#[test]
fn the_logs_of_another_account_are_those_it_shares_and_no_others() {
    let account = AccountId::from("111122223333");
    let ecs = metric("AWS/ECS", "CPUUtilization", &[("ClusterName", "prod"), ("ServiceName", "my-api")]);
    let of = |log_groups: &[LogGroup]| {
        let around =
            Surroundings { log_groups: Some(log_groups), elsewhere: Some(&account), ..Surroundings::default() };
        let found = infer(&alarm("a", ecs.clone()), &around);
        let Origin::Inferred { reasons, .. } = found.origin else { panic!("configured") };
        (found.log_groups, reasons)
    };
    let (groups, reasons) = of(&[]);
    assert!(groups.is_empty(), "what this account calls so is another group: {groups:?}");
    assert!(
        reasons.iter().any(|reason| reason.contains("account 111122223333, and from here no log group")),
        "{reasons:?}"
    );
    let arn = |name: &str| LogGroup::from(format!("arn:aws:logs:us-east-1:111122223333:log-group:{name}"));
    let shared = [arn("/ecs/my-api"), arn("/ecs/orders"), arn("my-api")];
    assert_eq!(of(&shared).0, [arn("/ecs/my-api"), arn("my-api")]);
}

#[test]
fn the_log_of_a_whole_cluster_is_no_service_s() {
    let pod = [("ClusterName", "prod"), ("Namespace", "shop"), ("PodName", "cart")];
    let shared = ["/aws/containerinsights/prod/application".into()];
    for log_groups in [None, Some(&[][..]), Some(&shared[..])] {
        let around = Surroundings { log_groups, ..Surroundings::default() };
        let found = infer(&alarm("a", metric("ContainerInsights", "pod_cpu_utilization", &pod)), &around);
        assert!(found.log_groups.is_empty(), "{:?}", found.log_groups);
        let Origin::Inferred { reasons, .. } = found.origin else { panic!("configured") };
        assert!(reasons.iter().any(|reason| reason.contains("every workload of the cluster")), "{reasons:?}");
    }
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
