//! From an alarm to the service it is about, with the reasons in sentences. What the configuration says wins.

use std::collections::BTreeMap;

use super::dimension::{
    Named, conventional_log_groups, named, names, published_every, role, shared_log_group, stands_for, twins,
};
use super::{Certainty, Origin, Service, ServiceName};
use crate::domain::count::{counted, either};
use crate::domain::observation::alarm::{Alarm, AlarmRule, terms};
use crate::domain::observation::log::LogGroup;
use crate::domain::observation::metric::{MetricId, MetricQuery, MetricRole, Statistic};
use crate::domain::observation::scope::AccountId;
use crate::domain::observation::workload::WorkloadRef;

/// What is known around an alarm.
#[derive(Clone, Copy, Debug, Default)]
pub struct Surroundings<'a> {
    /// The services of the configuration.
    pub configured: &'a [Service],
    /// The workloads of the cluster.
    pub workloads: &'a [WorkloadRef],
    /// What labels call workloads by: `app`, `app.kubernetes.io/name` and the like.
    pub labelled: &'a [(String, WorkloadRef)],
    /// The log groups of the account that has the alarm's metrics; `None` when they were not listed.
    pub log_groups: Option<&'a [LogGroup]>,
    /// That account, where it is another than the one that is asked.
    pub elsewhere: Option<&'a AccountId>,
}

/// Words of an alarm's name that say what is wrong, not with whom.
const SYMPTOMS: [&str; 36] = [
    "alarm",
    "cpu",
    "memory",
    "mem",
    "high",
    "low",
    "too",
    "oom",
    "oomkilled",
    "oomkill",
    "5xx",
    "4xx",
    "errors",
    "error",
    "rate",
    "latency",
    "p50",
    "p90",
    "p95",
    "p99",
    "p1",
    "p2",
    "p3",
    "p4",
    "restarts",
    "restart",
    "unhealthy",
    "hosts",
    "utilization",
    "usage",
    "critical",
    "warning",
    "down",
    "requests",
    "no",
    "pods",
];

/// Infers the service of an alarm.
///
/// 1. A configured service that has one of the alarm's metrics, or a metric with the same dimensions, or that the
///    alarm's dimensions name, or whose name stands in the alarm's name (the longest wins), is taken as configured.
/// 2. Else the service is named by the alarm's dimensions, else by what is left of its name without symptoms. Metrics
///    beside the alarm's are those its namespace publishes under the same dimensions; the workload is the one of that
///    name; log groups are those of the conventions or whose last part is the name.
pub fn infer(alarm: &Alarm, around: &Surroundings<'_>) -> Service {
    configured(alarm, around.configured).cloned().unwrap_or_else(|| inferred(alarm, around))
}

fn configured<'a>(alarm: &Alarm, services: &'a [Service]) -> Option<&'a Service> {
    let metrics = alarm.metrics();
    let own =
        |service: &&Service| metrics.iter().any(|metric| service.metrics.values().any(|query| query.metric == *metric));
    let beside = |service: &&Service| {
        let same = |metric: &MetricId| {
            let shared = |query: &MetricQuery| {
                query.metric.namespace == metric.namespace && query.metric.dimensions == metric.dimensions
            };
            !metric.dimensions.is_empty() && service.metrics.values().any(shared)
        };
        metrics.iter().any(same)
    };
    let dimension = |service: &&Service| {
        let names = |metric: &MetricId| named(metric).is_some_and(|(_, name)| is_called(service, &name));
        metrics.iter().any(names)
    };
    services
        .iter()
        .find(own)
        .or_else(|| services.iter().find(beside))
        .or_else(|| services.iter().find(dimension))
        .or_else(|| by_name(alarm, services))
}

fn is_called(service: &Service, name: &str) -> bool {
    service.name.as_str() == name || service.workload.as_ref().is_some_and(|workload| workload.name == name)
}

/// The service with the longest name that stands in the alarm's name, or in a composite alarm's rule.
fn by_name<'a>(alarm: &Alarm, services: &'a [Service]) -> Option<&'a Service> {
    let in_text = |text: &str| {
        services
            .iter()
            .filter(|service| contains_name(text, service.name.as_str()))
            .max_by_key(|service| service.name.as_str().len())
    };
    in_text(alarm.name.as_str()).or_else(|| match &alarm.rule {
        AlarmRule::Composite { rule } => in_text(rule),
        AlarmRule::Metric { .. } | AlarmRule::Math { .. } => None,
    })
}

/// Whether a name stands in a text between signs, so that `api` is not found in `apigateway`.
pub fn contains_name(text: &str, name: &str) -> bool {
    let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    !name.is_empty()
        && text
            .match_indices(name)
            .any(|(at, _)| !joins(text[..at].chars().next_back()) && !joins(text[at + name.len()..].chars().next()))
}

fn inferred(alarm: &Alarm, around: &Surroundings<'_>) -> Service {
    let mut reasons = Vec::new();
    let (name, mut certainty) = name(alarm, around.workloads, &mut reasons);
    let by_dimension = alarm.metrics().iter().find_map(named).map_or(Named::Workload, |(key, _)| names(key));
    let called_so = workload(&name, alarm, around, &mut reasons);
    let workload = match (called_so, by_dimension) {
        (Some(workload), Named::Thing) => {
            reasons.push(format!(
                "{workload} is called like it, which a dimension of another kind of thing does not tell of."
            ));
            None
        }
        (workload, Named::Workload | Named::Front | Named::Thing) => workload,
    };
    if workload.is_some() && certainty == Certainty::Likely && by_dimension == Named::Workload {
        certainty = Certainty::Sure;
    }
    Service {
        metrics: metrics(alarm, &mut reasons),
        log_groups: log_groups(&name, alarm, around, &mut reasons),
        name: ServiceName::new(name),
        workload,
        helm_release: None,
        links: links(&alarm.description),
        origin: Origin::Inferred { reasons, certainty },
    }
}

fn name(alarm: &Alarm, workloads: &[WorkloadRef], reasons: &mut Vec<String>) -> (String, Certainty) {
    if let Some((key, name)) = alarm.metrics().iter().find_map(named) {
        reasons.push(format!("The alarm's dimension {key} names {name}."));
        return (name, Certainty::Likely);
    }
    let known =
        workloads.iter().map(|workload| workload.name.as_str()).filter(|name| contains_name(alarm.name.as_str(), name));
    if let Some(name) = known.max_by_key(|name| name.len()) {
        reasons.push(format!("The alarm's name contains the workload {name}."));
        return (name.to_owned(), Certainty::Likely);
    }
    let children = children(&alarm.rule);
    let of_children = |name: &str| children.iter().filter(|child| contains_name(child, name)).count();
    let most = workloads.iter().map(|workload| (of_children(&workload.name), workload.name.as_str())).max();
    if let Some((count, name)) = most.filter(|(count, _)| *count > 0) {
        reasons.push(format!(
            "{count} of its {} {} called after the workload {name}.",
            counted(children.len(), "alarm"),
            either(count, "is", "are")
        ));
        return (name.to_owned(), Certainty::Likely);
    }
    let mut stems: Vec<String> = children.iter().map(|child| stem(child)).collect();
    stems.dedup();
    if let [only] = stems.as_slice() {
        reasons.push(format!("All of its alarms are called after {only}."));
        return (only.clone(), Certainty::Likely);
    }
    let name = stem(alarm.name.as_str());
    reasons.push(format!("The alarm's name without its symptoms is {name}."));
    (name, Certainty::Guess)
}

/// A name without the words that say what is wrong.
fn stem(name: &str) -> String {
    let words = name.split(['-', '_', ' ', '/', '.', ':', '(', ')', '[', ']']).filter(|word| !word.is_empty());
    let kept: Vec<&str> = words.filter(|word| !SYMPTOMS.contains(&word.to_ascii_lowercase().as_str())).collect();
    if kept.is_empty() { name.to_owned() } else { kept.join("-") }
}

/// The alarms that a composite's rule names.
fn children(rule: &AlarmRule) -> Vec<String> {
    let AlarmRule::Composite { rule } = rule else { return Vec::new() };
    terms(rule).into_iter().map(|term| term.alarm.as_str().to_owned()).collect()
}

fn workload(name: &str, alarm: &Alarm, around: &Surroundings<'_>, reasons: &mut Vec<String>) -> Option<WorkloadRef> {
    let namespace = alarm.metrics().iter().find_map(|metric| metric.dimensions.get("Namespace"));
    let there = |workload: &&WorkloadRef| namespace.is_none_or(|namespace| workload.namespace.as_str() == namespace);
    let workloads = around.workloads.iter();
    let mut called: Vec<&WorkloadRef> = workloads.filter(there).filter(|workload| workload.name == name).collect();
    if called.is_empty() {
        let labelled = around.labelled.iter().filter(|(label, _)| label == name).map(|(_, workload)| workload);
        called = labelled.filter(there).collect();
        called.dedup();
    }
    match called.as_slice() {
        [only] => {
            reasons.push(format!("The cluster has {only}."));
            Some((*only).clone())
        }
        [] => None,
        several => {
            reasons.push(format!("{} workloads are called {name}; which one is meant is not known.", several.len()));
            None
        }
    }
}

fn metrics(alarm: &Alarm, reasons: &mut Vec<String>) -> BTreeMap<MetricRole, MetricQuery> {
    let mut found: BTreeMap<MetricRole, MetricQuery> = BTreeMap::new();
    for metric in alarm.metrics() {
        if let Some((why, queries)) = twins(metric) {
            reasons.push(why);
            for query in queries {
                found.entry(query.role).or_insert(query);
            }
        }
        let Some(role) = role(metric) else { continue };
        match found.get(&role).filter(|_| !stands_for(role, metric)) {
            // The alarm's own series is asked all the same, beside its threshold.
            Some(beside) => reasons.push(format!(
                "{} is read beside the alarm's {}, which is no percent of what it may have.",
                beside.metric.name, metric.name
            )),
            None => {
                found.insert(role, own(alarm, metric, role));
            }
        }
    }
    found
}

/// The alarm's own metric in its role: by the alarm's statistic, and as finely as it is published, so that half an hour of
/// it can be told from the half hour before. The alarm's own series is asked beside it.
fn own(alarm: &Alarm, metric: &MetricId, role: MetricRole) -> MetricQuery {
    let (statistic, period_s) = match &alarm.rule {
        AlarmRule::Metric { statistic, period_s, .. } => {
            let every = published_every(metric).filter(|every| period_s.is_multiple_of(*every));
            (*statistic, every.unwrap_or(*period_s))
        }
        AlarmRule::Math { .. } | AlarmRule::Composite { .. } => {
            let statistic = match role {
                MetricRole::Requests | MetricRole::Errors => Statistic::Sum,
                MetricRole::Restarts => Statistic::Maximum,
                MetricRole::Cpu
                | MetricRole::Memory
                | MetricRole::MemoryLimit
                | MetricRole::Latency
                | MetricRole::CollectorTime
                | MetricRole::Alarm => Statistic::Average,
            };
            (statistic, published_every(metric).unwrap_or(60))
        }
    };
    MetricQuery { role, metric: metric.clone(), statistic, period_s: period_s.max(1) }
}

fn log_groups(name: &str, alarm: &Alarm, around: &Surroundings<'_>, reasons: &mut Vec<String>) -> Vec<LogGroup> {
    let known = around.log_groups.unwrap_or_default();
    let mut conventional: Vec<String> =
        alarm.metrics().iter().flat_map(|metric| conventional_log_groups(metric, name)).collect();
    conventional.dedup();
    let shared = alarm.metrics().iter().find_map(shared_log_group);
    reasons.extend(shared.map(|group| {
        format!("{group} holds the lines of every workload of the cluster, so it is not read: name it under [[service]] if it may be.")
    }));
    if let (true, Some(account)) = (known.is_empty(), around.elsewhere) {
        reasons.push(format!(
            "Its metrics are of account {account}, and from here no log group of that name was found there: name it by its \
             ARN under [[service]]."
        ));
        return Vec::new();
    }
    if around.log_groups.is_none() {
        reasons.extend(
            conventional.iter().map(|group| format!("By convention it logs to {group}; that is not verified.")),
        );
        return conventional.into_iter().map(LogGroup::new).collect();
    }
    let last = |group: &LogGroup| group.name().rsplit('/').next() == Some(name);
    let mut found: Vec<LogGroup> =
        known.iter().filter(|group| conventional.iter().any(|c| c == group.name()) || last(group)).cloned().collect();
    found.sort();
    if found.is_empty() {
        reasons.extend(
            conventional
                .iter()
                .map(|group| format!("By convention it would log to {group}, and there is no such log group.")),
        );
    }
    reasons.extend(found.iter().map(|group| format!("The account has the log group {group}.")));
    found
}

/// The links a team wrote into the description.
fn links(description: &str) -> Vec<String> {
    let trimmed = |word: &str| {
        word.trim_matches(|c| matches!(c, '(' | ')' | '<' | '>' | ',' | '.' | ';' | '"' | '\'')).to_owned()
    };
    description
        .split_whitespace()
        .map(trimmed)
        .filter(|word| word.starts_with("https://") || word.starts_with("http://"))
        .collect()
}

#[cfg(test)]
pub(super) mod tests;
