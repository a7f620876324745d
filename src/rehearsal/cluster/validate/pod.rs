//! What the API server refuses in a pod's spec, or in the template of one.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::failure::FieldFault;
use super::super::{quantity, shape};
use super::rules::{self, CONTAINER, POD, PROBE};

/// Resources of a container that need no prefix; the hugepages are told apart by theirs.
const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// Holds a pod's spec against the rules; `at` is the path to it.
pub(super) fn spec(spec: &Value, at: &str, faults: &mut Vec<FieldFault>) {
    for rule in POD {
        rules::hold(spec, at, *rule, faults);
    }
    let volumes = named(spec, "volumes");
    if shape::containers(spec).is_empty() {
        faults.push(FieldFault::required(format!("{at}.containers"), ""));
    }
    let mut seen = BTreeSet::new();
    for list in ["initContainers", "containers"] {
        for (index, one) in spec[list].as_array().into_iter().flatten().enumerate() {
            let place = format!("{at}.{list}[{index}]");
            let name = shape::text(one, "/name").unwrap_or_default();
            if name.is_empty() {
                faults.push(FieldFault::required(format!("{place}.name"), ""));
            } else if !seen.insert(name) {
                faults.push(duplicate(format!("{place}.name"), name));
            }
            container(one, &place, &volumes, faults);
        }
    }
}

fn container(one: &Value, at: &str, volumes: &BTreeSet<&str>, faults: &mut Vec<FieldFault>) {
    if shape::text(one, "/image").is_none_or(str::is_empty) {
        faults.push(FieldFault::required(format!("{at}.image"), ""));
    }
    for rule in CONTAINER {
        rules::hold(one, at, *rule, faults);
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probed) = one.get(probe) else { continue };
        let place = format!("{at}.{probe}");
        for rule in PROBE {
            rules::hold(probed, &place, *rule, faults);
        }
        let handlers =
            ["exec", "grpc", "httpGet", "tcpSocket"].iter().filter(|kind| probed.get(**kind).is_some()).count();
        if handlers == 0 {
            faults.push(FieldFault::required(place.clone(), "must specify a handler type"));
        }
        if probe != "readinessProbe" && shape::number(probed, "/successThreshold").is_some_and(|times| times > 1) {
            let times = &probed["successThreshold"];
            faults.push(FieldFault::invalid(format!("{place}.successThreshold"), times, "must be 1"));
        }
    }
    let mut paths = BTreeSet::new();
    for (index, mount) in one["volumeMounts"].as_array().into_iter().flatten().enumerate() {
        let name = shape::text(mount, "/name").unwrap_or_default();
        let place = format!("{at}.volumeMounts[{index}]");
        if !volumes.contains(name) {
            let message = format!("Not found: {}", json!(name));
            faults.push(FieldFault { field: format!("{place}.name"), reason: "FieldValueNotFound", message });
        }
        let path = shape::text(mount, "/mountPath").unwrap_or_default();
        if !path.is_empty() && !paths.insert(path) {
            faults.push(FieldFault::invalid(format!("{place}.mountPath"), &json!(path), "must be unique"));
        }
    }
    resources(&one["resources"], &format!("{at}.resources"), faults);
}

fn resources(asked: &Value, at: &str, faults: &mut Vec<FieldFault>) {
    for side in ["limits", "requests"] {
        for (name, amount) in asked[side].as_object().into_iter().flatten() {
            let place = format!("{at}.{side}[{name}]");
            if !name.contains('/') && !STANDARD.contains(&name.as_str()) && !name.starts_with("hugepages-") {
                for why in [
                    "must be a standard resource type or fully qualified",
                    "must be a standard resource for containers",
                ] {
                    faults.push(FieldFault::invalid(place.clone(), &json!(name), why));
                }
            }
            let thousandths = amount.as_str().and_then(quantity::milli).unwrap_or(0.0);
            if thousandths < 0.0 {
                faults.push(FieldFault::invalid(place, amount, "must be greater than or equal to 0"));
            } else if name.contains('/') && thousandths % 1e3 != 0.0 {
                faults.push(FieldFault::invalid(place, amount, "must be an integer"));
            }
        }
    }
    for (name, request) in asked["requests"].as_object().into_iter().flatten() {
        let place = format!("{at}.requests");
        let amounts = |limit: &Value| Some((quantity::milli(request.as_str()?)?, quantity::milli(limit.as_str()?)?));
        match asked["limits"].get(name) {
            Some(limit) if amounts(limit).is_some_and(|(request, limit)| limit >= 0.0 && request > limit) => {
                let shown = limit.as_str().unwrap_or_default();
                let why = format!("must be less than or equal to {name} limit of {shown}");
                faults.push(FieldFault::invalid(place, request, &why));
            }
            None if name.contains('/') => {
                let why = "Limit must be set for non overcommitable resources";
                faults.push(FieldFault::required(format!("{at}.limits"), why));
            }
            _ => {}
        }
    }
}

fn named<'a>(spec: &'a Value, list: &str) -> BTreeSet<&'a str> {
    spec[list].as_array().into_iter().flatten().filter_map(|one| shape::text(one, "/name")).collect()
}

fn duplicate(field: String, name: &str) -> FieldFault {
    FieldFault { field, reason: "FieldValueDuplicate", message: format!("Duplicate value: {}", json!(name)) }
}

/// Whether a pod was changed where a pod may not be changed once it is made.
pub(super) fn is_frozen_part_changed(before: &Value, after: &Value) -> bool {
    frozen(before) != frozen(after)
}

fn frozen(pod: &Value) -> Value {
    let mut spec = pod["spec"].clone();
    for free in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName"] {
        if let Some(fields) = spec.as_object_mut() {
            fields.remove(free);
        }
    }
    for list in ["containers", "initContainers"] {
        if let Some(Value::Array(all)) = spec.get_mut(list) {
            all.iter_mut().filter_map(Value::as_object_mut).for_each(|container| {
                container.remove("image");
            });
        }
    }
    spec
}
