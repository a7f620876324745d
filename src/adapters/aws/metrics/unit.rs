//! The unit of a metric. `GetMetricData` does not tell it, so the metric's name does.

use crate::domain::observation::metric::{MetricQuery, MetricRole, Statistic, Unit};

/// The unit of a query's values. A name that says nothing leaves it open; a wrong unit is worse than none.
///
/// Sources: the metric tables of Amazon ECS, Container Insights, Application Load Balancer (seconds), API Gateway and
/// Lambda (milliseconds) in the CloudWatch documentation.
pub fn unit_of(query: &MetricQuery) -> Unit {
    let name = query.metric.name.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if query.statistic == Statistic::SampleCount {
        return Unit::Count;
    }
    if says(&["utilization", "percent", "reserved_capacity"]) || name.ends_with("_over_pod_limit") {
        return Unit::Percent;
    }
    if says(&["bytes", "working_set", "memory_usage", "memory_limit", "memory_rss"]) {
        return Unit::Bytes;
    }
    if name == "targetresponsetime" || name.ends_with("seconds") && !says(&["milliseconds"]) {
        return Unit::Seconds;
    }
    if says(&["milliseconds"]) || name.ends_with("_ms") {
        return Unit::Milliseconds;
    }
    let by_namespace = match (query.metric.namespace.as_str(), name.as_str()) {
        ("AWS/ApiGateway", "latency" | "integrationlatency") | ("AWS/Lambda", "duration") => Some(Unit::Milliseconds),
        _ => None,
    };
    by_namespace.unwrap_or(match query.role {
        MetricRole::Requests | MetricRole::Errors | MetricRole::Restarts => Unit::Count,
        MetricRole::Cpu
        | MetricRole::Memory
        | MetricRole::MemoryLimit
        | MetricRole::Latency
        | MetricRole::CollectorTime
        | MetricRole::Alarm => Unit::None,
    })
}
