//! A pod as admission would see it: with the defaults of the limit ranges of its namespace, and counted by the quotas whose
//! scopes it is in. After `podMatchesScopeFunc` of the quota controller (Kubernetes, "Quota scopes").

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    Container, LimitRange, LimitRangeItem, PodAffinityTerm, PodSpec, ResourceQuota, ScopedResourceSelectorRequirement,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// What makes a pod one that is not `BestEffort`, and what is defaulted.
const RESOURCES: [&str; 2] = ["cpu", "memory"];

/// Whether a quota counts a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counts {
    Yes,
    No,
    /// It has a scope that is not known here.
    Unknown,
}

/// Fills in what the limit ranges of the namespace give a container that does not say it itself.
pub(super) fn with_defaults(mut pod: PodSpec, ranges: &[LimitRange]) -> PodSpec {
    let items = || {
        let items = ranges.iter().filter_map(|range| range.spec.as_ref()).flat_map(|spec| &spec.limits);
        items.filter(|item| item.type_ == "Container")
    };
    let init = pod.init_containers.iter_mut().flatten();
    for container in pod.containers.iter_mut().chain(init) {
        for item in items() {
            fill(container, item);
        }
    }
    pod
}

/// A request that is not written is the limit where that is written: the API sets it before admission.
fn fill(container: &mut Container, item: &LimitRangeItem) {
    let given = |amounts: Option<&BTreeMap<String, Quantity>>, resource: &str| amounts?.get(resource).cloned();
    for resource in RESOURCES {
        let resources = container.resources.get_or_insert_default();
        let own = given(resources.limits.as_ref(), resource);
        let request = own.clone().or_else(|| given(item.default_request.as_ref(), resource));
        if let Some(request) = request {
            resources.requests.get_or_insert_default().entry(resource.to_owned()).or_insert(request);
        }
        if let Some(limit) = own.or_else(|| given(item.default.as_ref(), resource)) {
            resources.limits.get_or_insert_default().entry(resource.to_owned()).or_insert(limit);
        }
    }
}

/// Whether all scopes of a quota take the pod. One without scopes counts every pod.
pub(super) fn counts(quota: &ResourceQuota, pod: &PodSpec) -> Counts {
    let all: Vec<Counts> = required(quota).iter().map(|scope| is_in(scope, pod)).collect();
    if all.contains(&Counts::No) {
        return Counts::No;
    }
    if all.contains(&Counts::Unknown) { Counts::Unknown } else { Counts::Yes }
}

/// The scopes of a quota by name, for a person; empty where it counts every pod.
pub(super) fn words(quota: &ResourceQuota) -> String {
    let word = |scope: &ScopedResourceSelectorRequirement| match scope.values.as_deref() {
        Some(values) if !values.is_empty() => format!("{} {} {}", scope.scope_name, scope.operator, values.join("|")),
        Some(_) | None => scope.scope_name.clone(),
    };
    required(quota).iter().map(word).collect::<Vec<_>>().join(", ")
}

/// `scopes` and `scopeSelector` alike; a scope by its name alone is one that has to exist.
fn required(quota: &ResourceQuota) -> Vec<ScopedResourceSelectorRequirement> {
    let Some(spec) = &quota.spec else { return Vec::new() };
    let named = spec.scopes.iter().flatten().map(|name| ScopedResourceSelectorRequirement {
        scope_name: name.clone(),
        operator: "Exists".to_owned(),
        values: None,
    });
    let selected = spec.scope_selector.iter().flat_map(|selector| selector.match_expressions.iter().flatten());
    named.chain(selected.cloned()).collect()
}

fn is_in(scope: &ScopedResourceSelectorRequirement, pod: &PodSpec) -> Counts {
    let yes = match scope.scope_name.as_str() {
        "Terminating" => ends_by_itself(pod),
        "NotTerminating" => !ends_by_itself(pod),
        "BestEffort" => is_best_effort(pod),
        "NotBestEffort" => !is_best_effort(pod),
        "CrossNamespacePodAffinity" => crosses_namespaces(pod),
        "PriorityClass" => return of_class(scope, pod),
        _ => return Counts::Unknown,
    };
    if yes { Counts::Yes } else { Counts::No }
}

fn ends_by_itself(pod: &PodSpec) -> bool {
    pod.active_deadline_seconds.is_some_and(|seconds| seconds >= 0)
}

/// Neither the pod as a whole nor a container of it asks for or is limited to any memory or CPU.
fn is_best_effort(pod: &PodSpec) -> bool {
    let says = |amounts: Option<&BTreeMap<String, Quantity>>| {
        amounts.is_some_and(|amounts| RESOURCES.iter().any(|resource| amounts.contains_key(*resource)))
    };
    let containers = pod.containers.iter().chain(pod.init_containers.iter().flatten());
    let mut resources = containers.filter_map(|container| container.resources.as_ref()).chain(pod.resources.as_ref());
    !resources.any(|one| says(one.limits.as_ref()) || says(one.requests.as_ref()))
}

/// A template that names no class gets the cluster's default one, if there is any: which one that is was not asked.
fn of_class(scope: &ScopedResourceSelectorRequirement, pod: &PodSpec) -> Counts {
    let Some(class) = pod.priority_class_name.as_deref().filter(|class| !class.is_empty()) else {
        return Counts::Unknown;
    };
    let listed = scope.values.iter().flatten().any(|value| value == class);
    let yes = match scope.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => true,
        "DoesNotExist" => false,
        _ => return Counts::Unknown,
    };
    if yes { Counts::Yes } else { Counts::No }
}

fn crosses_namespaces(pod: &PodSpec) -> bool {
    let crosses = |term: &PodAffinityTerm| {
        term.namespaces.as_ref().is_some_and(|names| !names.is_empty()) || term.namespace_selector.is_some()
    };
    let Some(affinity) = &pod.affinity else { return false };
    let near = affinity.pod_affinity.iter().flat_map(|it| {
        let wished = it.preferred_during_scheduling_ignored_during_execution.iter().flatten();
        let must = it.required_during_scheduling_ignored_during_execution.iter().flatten();
        must.chain(wished.map(|one| &one.pod_affinity_term))
    });
    let apart = affinity.pod_anti_affinity.iter().flat_map(|it| {
        let wished = it.preferred_during_scheduling_ignored_during_execution.iter().flatten();
        let must = it.required_during_scheduling_ignored_during_execution.iter().flatten();
        must.chain(wished.map(|one| &one.pod_affinity_term))
    });
    near.chain(apart).any(crosses)
}
