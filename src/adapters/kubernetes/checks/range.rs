//! The limit ranges of a namespace against the pods a step would start. A dry run of a workload does not ask them: they
//! refuse pods, one after another, when the workload has been changed. Pure arithmetic over listings.

use k8s_openapi::api::core::v1::{Container, LimitRange, LimitRangeItem, PodSpec};

use super::headroom::{amount, limit, pod_after, request, shown, taken};
use super::{Subject, check};
use crate::domain::remediation::step::{Check, CheckState};

/// What a limit range bounds that is looked at.
const RESOURCES: [&str; 2] = ["memory", "cpu"];

/// Whether the limit ranges would take the pods of the step.
pub(super) fn in_ranges(subject: &Subject<'_>, ranges: &[LimitRange]) -> Check {
    let name = "limit range";
    let pod = pod_after(subject);
    let items = ranges.iter().flat_map(|range| {
        let of = range.metadata.name.as_deref().unwrap_or("unnamed");
        range.spec.iter().flat_map(|spec| &spec.limits).map(move |item| (of, item))
    });
    let bounding: Vec<(&str, &LimitRangeItem)> =
        items.filter(|(_, item)| matches!(item.type_.as_str(), "Container" | "Pod")).collect();
    let Some((first, _)) = bounding.first() else {
        return check(name, CheckState::Ok, "none on pods in this namespace");
    };
    let broken = bounding.iter().find_map(|(of, item)| Some((of, outside(item, &pod)?)));
    match broken {
        Some((of, why)) => check(name, CheckState::Failed, format!("{of} would refuse every new pod: {why}")),
        None => check(name, CheckState::Ok, format!("{first} takes pods of this size")),
    }
}

fn outside(item: &LimitRangeItem, pod: &PodSpec) -> Option<String> {
    let containers = || pod.containers.iter().chain(pod.init_containers.iter().flatten());
    if item.type_ == "Container" {
        return containers().find_map(|one| of_container(item, one));
    }
    RESOURCES.iter().find_map(|resource| {
        let total = taken(pod, resource, limit);
        let most = amount(item.max.as_ref(), resource)?;
        (total > most).then(|| {
            format!(
                "its pods are limited to {} of {resource}, the most is {}",
                shown(total, resource),
                shown(most, resource)
            )
        })
    })
}

/// What is not written is given by the range's own defaults, which it takes itself.
fn of_container(item: &LimitRangeItem, one: &Container) -> Option<String> {
    RESOURCES.iter().find_map(|resource| {
        let (limit, request) = (limit(one, resource), request(one, resource));
        let told = |word: &str, found: u64, edge: &str, bound: u64| {
            format!(
                "{} has a {resource} {word} of {}, the {edge} is {}",
                one.name,
                shown(found, resource),
                shown(bound, resource)
            )
        };
        let over = limit.zip(amount(item.max.as_ref(), resource)).filter(|(limit, most)| limit > most);
        let under = request.zip(amount(item.min.as_ref(), resource)).filter(|(request, least)| request < least);
        let apart = item.max_limit_request_ratio.as_ref().and_then(|ratios| {
            // Thousandths of a ratio, for memory as well.
            let most = super::super::quantity::milli(&ratios.get(*resource)?.0)?;
            let (limit, request) = limit.zip(request.filter(|request| *request > 0))?;
            (u128::from(limit) * 1_000 > u128::from(request) * u128::from(most)).then_some((limit, request))
        });
        over.map(|(limit, most)| told("limit", limit, "most", most))
            .or_else(|| under.map(|(request, least)| told("request", request, "least", least)))
            .or_else(|| {
                let (limit, request) = apart?;
                let (limit, request) = (shown(limit, resource), shown(request, resource));
                Some(format!("{} asks for {request} of {resource} and is limited to {limit}: too far apart", one.name))
            })
    })
}
