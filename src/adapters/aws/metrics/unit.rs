//! The unit of a metric. `GetMetricData` does not tell it, so the metric's name does.

use crate::domain::observation::metric::{MetricQuery, MetricRole, Statistic, Unit};
use crate::domain::observation::service::{Measure, measure_of};

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
    match measure_of(&name) {
        Measure::Share | Measure::ShareOfNode => return Unit::Percent,
        Measure::Bytes => return Unit::Bytes,
        Measure::Units | Measure::Untold => {}
    }
    if says(&["reserved_capacity"]) || name.ends_with("errorrate") {
        return Unit::Percent;
    }
    if says(&["memory_limit"]) {
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
