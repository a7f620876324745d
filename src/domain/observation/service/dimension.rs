//! What a metric's namespace and dimensions tell of the thing it measures, and which metrics stand beside it.

use std::collections::BTreeMap;

use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};

/// Seconds of a point: CloudWatch's minute, and the five of EC2's basic monitoring.
const MINUTE_S: u32 = 60;
const BASIC_S: u32 = 300;

/// The dimensions that name a thing, most telling first.
const NAMING: [&str; 22] = [
    "ServiceName",
    "Service",
    "service.name",
    "Deployment",
    "kube_deployment",
    "Workload",
    "Application",
    "App",
    "PodName",
    "TargetGroup",
    "FunctionName",
    "TaskDefinitionFamily",
    "ApiName",
    "ApiId",
    "LoadBalancer",
    "AutoScalingGroupName",
    "DBInstanceIdentifier",
    "DBClusterIdentifier",
    "CacheClusterId",
    "QueueName",
    "TableName",
    "InstanceId",
];

/// What a dimension gives the name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Of what a team calls its service or its workload.
    Workload,
    /// Of what stands before one, and often has its name: a load balancer, an API.
    Front,
    /// Of a thing that is no workload of the cluster, whatever it is called: a database, a queue, a machine.
    Thing,
}

/// What a naming dimension names.
pub(super) fn names(key: &str) -> Named {
    match key {
        "LoadBalancer" | "ApiName" | "ApiId" => Named::Front,
        "FunctionName"
        | "AutoScalingGroupName"
        | "DBInstanceIdentifier"
        | "DBClusterIdentifier"
        | "CacheClusterId"
        | "QueueName"
        | "TableName"
        | "InstanceId" => Named::Thing,
        _ => Named::Workload,
    }
}

/// The name that a metric's dimensions give the thing, with the dimension.
pub(super) fn named(metric: &MetricId) -> Option<(&'static str, String)> {
    // Teams write the keys of their own namespaces as they like.
    let value = |key: &str| metric.dimensions.iter().find(|(name, _)| name.eq_ignore_ascii_case(key));
    NAMING.into_iter().find_map(|key| value(key).map(|(_, value)| (key, short(value).to_owned())))
}

/// `targetgroup/my-api/73e2d6bc24d8a067` → `my-api`, `app/payments/50dc6c495c0c9188` → `payments`.
fn short(value: &str) -> &str {
    let parts: Vec<&str> = value.rsplit(':').next().unwrap_or(value).split('/').collect();
    match parts.as_slice() {
        ["targetgroup" | "app" | "net", name, ..] => name,
        _ => value,
    }
}

/// The queries that stand beside a metric: its twins by role, with the sentence that says why.
pub(super) fn twins(metric: &MetricId) -> Option<(String, Vec<MetricQuery>)> {
    let (keys, twins): (&[&str], &[Twin]) = match metric.namespace.as_str() {
        "AWS/ECS" | "ECS/ContainerInsights" => (&["ClusterName", "ServiceName"], &ECS),
        "AWS/ApiGateway" => (&["ApiName", "ApiId", "Stage"], &API_GATEWAY),
        "AWS/RDS" => (&["DBInstanceIdentifier"], &DATABASE),
        "ContainerInsights" => (&["ClusterName", "Namespace", "PodName", "Service"], &CONTAINER_INSIGHTS),
        "AWS/ApplicationELB" => (&["LoadBalancer", "TargetGroup"], &LOAD_BALANCER),
        "AWS/EC2" => (&["InstanceId", "AutoScalingGroupName"], &EC2),
        "AWS/Lambda" => (&["FunctionName"], &LAMBDA),
        _ => return None,
    };
    let dimensions: BTreeMap<String, String> = metric
        .dimensions
        .iter()
        .filter(|(key, _)| keys.contains(&key.as_str()))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    if dimensions.is_empty() {
        return None;
    }
    // Container Insights counts in units and MiB; the percentages are with the service.
    let namespace = if metric.namespace == "ECS/ContainerInsights" { "AWS/ECS" } else { metric.namespace.as_str() };
    let query = |twin: &Twin| MetricQuery {
        role: twin.0,
        metric: MetricId {
            namespace: namespace.to_owned(),
            name: twin.1.to_owned(),
            dimensions: dimensions.clone(),
            account: metric.account.clone(),
        },
        statistic: twin.2,
        period_s: published_every(metric).unwrap_or(MINUTE_S),
    };
    let told: Vec<String> = dimensions.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let why = format!("{namespace} publishes its metrics under {}.", told.join(", "));
    Some((why, twins.iter().map(query).collect()))
}

/// Seconds between two points of a namespace of AWS; what a team publishes, it publishes as often as it likes.
pub(super) fn published_every(metric: &MetricId) -> Option<u32> {
    match metric.namespace.as_str() {
        "AWS/ECS"
        | "ECS/ContainerInsights"
        | "ContainerInsights"
        | "AWS/ApiGateway"
        | "AWS/RDS"
        | "AWS/ApplicationELB"
        | "AWS/NetworkELB"
        | "AWS/Lambda" => Some(MINUTE_S),
        "AWS/EC2" => Some(BASIC_S),
        _ => None,
    }
}

type Twin = (MetricRole, &'static str, Statistic);

/// `AWS/ECS`, by `ClusterName` and `ServiceName`, in percent of the reservation.
const ECS: [Twin; 2] = [
    (MetricRole::Cpu, "CPUUtilization", Statistic::Average),
    (MetricRole::Memory, "MemoryUtilization", Statistic::Average),
];
/// `ContainerInsights` of EKS, by `ClusterName`, `Namespace` and `PodName` or `Service`.
const CONTAINER_INSIGHTS: [Twin; 3] = [
    (MetricRole::Cpu, "pod_cpu_utilization", Statistic::Average),
    (MetricRole::Memory, "pod_memory_utilization_over_pod_limit", Statistic::Average),
    (MetricRole::Restarts, "pod_number_of_container_restarts", Statistic::Maximum),
];
/// `AWS/ApplicationELB`, by `LoadBalancer` and `TargetGroup`.
const LOAD_BALANCER: [Twin; 3] = [
    (MetricRole::Requests, "RequestCount", Statistic::Sum),
    (MetricRole::Errors, "HTTPCode_Target_5XX_Count", Statistic::Sum),
    (MetricRole::Latency, "TargetResponseTime", Statistic::Average),
];
/// `AWS/ApiGateway`, by `ApiName` and `Stage`.
const API_GATEWAY: [Twin; 3] = [
    (MetricRole::Requests, "Count", Statistic::Sum),
    (MetricRole::Errors, "5XXError", Statistic::Sum),
    (MetricRole::Latency, "Latency", Statistic::Average),
];
/// `AWS/RDS`, by `DBInstanceIdentifier`. What is free of its memory is no use of it.
const DATABASE: [Twin; 1] = [(MetricRole::Cpu, "CPUUtilization", Statistic::Average)];
/// `AWS/EC2`: the hypervisor sees no memory.
const EC2: [Twin; 1] = [(MetricRole::Cpu, "CPUUtilization", Statistic::Average)];
/// `AWS/Lambda`, by `FunctionName`.
const LAMBDA: [Twin; 3] = [
    (MetricRole::Requests, "Invocations", Statistic::Sum),
    (MetricRole::Errors, "Errors", Statistic::Sum),
    (MetricRole::Latency, "Duration", Statistic::Average),
];

/// The log groups a thing writes to by convention.
pub(super) fn conventional_log_groups(metric: &MetricId, name: &str) -> Vec<String> {
    match metric.namespace.as_str() {
        "AWS/ECS" | "ECS/ContainerInsights" => vec![format!("/ecs/{name}")],
        "AWS/Lambda" => vec![format!("/aws/lambda/{name}")],
        _ => Vec::new(),
    }
}

/// The log group in which Container Insights keeps what every workload of a cluster writes. It is not taken for a service's:
/// the kills and errors of its neighbours would be counted as its own.
pub(super) fn shared_log_group(metric: &MetricId) -> Option<String> {
    let cluster = metric.dimensions.get("ClusterName").filter(|_| metric.namespace == "ContainerInsights")?;
    Some(format!("/aws/containerinsights/{cluster}/application"))
}

/// What an alarm's own metric means, by its name.
pub(super) fn role(metric: &MetricId) -> Option<MetricRole> {
    role_of(&metric.name)
}

/// What a metric of this name measures, in the words of CloudWatch, Container Insights and the usual agents. What is free
/// or credited is no use.
pub fn role_of(name: &str) -> Option<MetricRole> {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    Some(match () {
        () if has(&["free", "credit", "available", "reserved"]) => return None,
        // Callers' faults, and what is kept from being served, are neither the service's errors nor its requests.
        () if has(&["4xx", "throttl", "reject", "pending", "queued"]) => return None,
        () if has(&["cpu"]) => MetricRole::Cpu,
        () if has(&["memory", "mem_used"]) && has(&["limit_bytes", "memory_limit"]) => MetricRole::MemoryLimit,
        () if has(&["memory", "mem_used"]) => MetricRole::Memory,
        () if has(&["gctime", "gc_time", "gcpercent"]) => MetricRole::CollectorTime,
        // How long a collection took is no share of the time.
        () if has(&["gc_duration", "gc.duration", "gcduration", "gc_pause", "gc.pause", "gcpause"]) => return None,
        () if has(&["restart"]) => MetricRole::Restarts,
        () if has(&["5xx", "errors", "error_count", "errorcount", "error_rate", "errorrate"]) => MetricRole::Errors,
        () if has(&["latency", "responsetime", "response_time", "duration"]) => MetricRole::Latency,
        () if has(&["requestcount", "request_count", "requests", "invocations"]) => MetricRole::Requests,
        () => return None,
    })
}

/// Whether a metric of this name tells how a workload does: it has a role, or it counts kills, or pods that are well.
pub fn tells_of_workload(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let words =
        ["oom", "kill", "terminat", "crash", "backoff", "healthy", "available", "ready", "pods", "4xx", "throttl"];
    role_of(name).is_some() || words.iter().any(|word| lower.contains(word))
}

/// What a metric of processor or memory is told in, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Percent of what it may have.
    Share,
    /// Percent of what its node has.
    ShareOfNode,
    /// Bytes.
    Bytes,
    /// Units of its own: MiB, CPU units, millicores.
    Units,
    /// The name does not tell.
    Untold,
}

/// The measure of a metric of processor or memory of this name.
///
/// Sources: the tables of metrics of Container Insights for Amazon EKS (`pod_memory_utilization` is of the node,
/// `pod_memory_utilization_over_pod_limit` of the limit, `pod_cpu_usage_total` in millicores) and for Amazon ECS
/// (`MemoryUtilized` in MiB, `CpuUtilized` in CPU units) in the CloudWatch documentation.
pub fn measure_of(name: &str) -> Measure {
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match () {
        () if matches!(name.as_str(), "pod_memory_utilization" | "container_memory_utilization") => {
            Measure::ShareOfNode
        }
        () if has(&["utilization", "percent"]) || name.ends_with("_over_pod_limit") => Measure::Share,
        () if has(&["utilized", "usage_total", "millicore"]) => Measure::Units,
        () if has(&["bytes", "working_set", "memory_usage", "memory_rss"]) => Measure::Bytes,
        () => Measure::Untold,
    }
}

/// Whether an alarm's own metric may stand for its role where a metric of known percent stands beside it.
pub(super) fn stands_for(role: MetricRole, metric: &MetricId) -> bool {
    let measure = measure_of(&metric.name);
    match role {
        MetricRole::Cpu => measure == Measure::Share,
        MetricRole::Memory => matches!(measure, Measure::Share | Measure::Bytes),
        MetricRole::MemoryLimit
        | MetricRole::Requests
        | MetricRole::Errors
        | MetricRole::Latency
        | MetricRole::Restarts
        | MetricRole::CollectorTime
        | MetricRole::Alarm => true,
    }
}
