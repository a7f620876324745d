//! What the API server refuses in an object: the rules a remedy can really run into, in its own words.

mod names;
mod pod;
mod rules;

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use super::failure::{Failure, FieldFault};
use super::kind::Kind;
use super::{selector, shape};

pub(crate) use names::{wrong_key, wrong_value};

/// What of a stateful set may be changed.
const FREE_OF_A_SET: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

/// Refuses an object that means something that may not be.
pub fn accepts(kind: &Kind, object: &Value, before: Option<&Value>) -> Result<(), Failure> {
    let mut faults = Vec::new();
    let name = shape::name(object);
    if before.is_none() {
        let wrong = match kind.plural {
            "namespaces" => (!names::is_label(name)).then_some(names::LABEL_RULE),
            _ if kind.group == "rbac.authorization.k8s.io" => None,
            _ => (!names::is_subdomain(name)).then_some(names::SUBDOMAIN_RULE),
        };
        faults.extend(wrong.map(|rule| FieldFault::invalid("metadata.name", &json!(name), rule)));
    }
    names::metadata(&object["metadata"], "metadata.", &mut faults);
    let own = rules::OBJECTS.iter().filter(|rule| rule.0 == kind.plural);
    own.for_each(|rule| rules::hold(object, "", (rule.1, rule.2), &mut faults));
    match kind.plural {
        "deployments" | "replicasets" | "statefulsets" | "daemonsets" => {
            workload(kind, object, before, &mut faults);
        }
        "horizontalpodautoscalers" => bounds(object, &mut faults),
        "jobs" => pod::spec(&object["spec"]["template"]["spec"], "spec.template.spec", &mut faults),
        "configmaps" | "secrets" => names::data_keys(object, &mut faults),
        "pods" => pod_itself(object, before, &mut faults),
        "poddisruptionbudgets" => {
            let spec = &object["spec"];
            if spec.get("minAvailable").is_some() && spec.get("maxUnavailable").is_some() {
                let why = "minAvailable and maxUnavailable cannot be both set";
                faults.push(FieldFault::invalid("spec", spec, why));
            }
        }
        _ => {}
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::invalid(kind, name, &faults)) }
}

fn pod_itself(object: &Value, before: Option<&Value>, faults: &mut Vec<FieldFault>) {
    pod::spec(&object["spec"], "spec", faults);
    if before.is_some_and(|before| pod::is_frozen_part_changed(before, object)) {
        let why = "pod updates may not change fields other than `spec.containers[*].image`,\
                   `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                   existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
                   previously negative)";
        faults.push(FieldFault::forbidden("spec", why));
    }
}

fn workload(kind: &Kind, object: &Value, before: Option<&Value>, faults: &mut Vec<FieldFault>) {
    let (spec, template) = (&object["spec"], &object["spec"]["template"]);
    let chosen = &spec["selector"];
    if chosen.as_object().is_none_or(serde_json::Map::is_empty) {
        faults.push(FieldFault::required("spec.selector", ""));
    } else {
        let labels = &template["metadata"]["labels"];
        if !selector::label_selector_matches(chosen, labels) {
            let why = "`selector` does not match template `labels`";
            faults.push(FieldFault::invalid("spec.template.metadata.labels", labels, why));
        }
        if before.is_some_and(|before| before["spec"]["selector"] != *chosen) {
            faults.push(FieldFault::invalid("spec.selector", chosen, "field is immutable"));
        }
    }
    match kind.plural {
        "deployments" => rollout(spec, faults),
        "statefulsets" if before.is_some_and(|before| fixed(before) != fixed(object)) => {
            let free = FREE_OF_A_SET.map(|name| format!("'{name}'"));
            let (last, others) = free.split_last().map_or(("", &free[..]), |(last, others)| (last.as_str(), others));
            let why = format!(
                "updates to statefulset spec for fields other than {} and {last} are forbidden",
                others.join(", ")
            );
            faults.push(FieldFault::forbidden("spec", &why));
        }
        _ => {}
    }
    names::metadata(&template["metadata"], "spec.template.", faults);
    pod::spec(&template["spec"], "spec.template.spec", faults);
    let policy = &template["spec"]["restartPolicy"];
    if policy.as_str().is_some_and(|policy| policy == "OnFailure" || policy == "Never") {
        faults.push(FieldFault::unsupported("spec.template.spec.restartPolicy", policy, &["Always"]));
    }
}

/// The bounds of an autoscaler.
fn bounds(object: &Value, faults: &mut Vec<FieldFault>) {
    let least = shape::number(object, "/spec/minReplicas").unwrap_or(1);
    let most = shape::number(object, "/spec/maxReplicas").unwrap_or(0);
    if least < 1 {
        faults.push(FieldFault::invalid("spec.minReplicas", &json!(least), "must be greater than or equal to 1"));
    }
    if most < 1 {
        faults.push(FieldFault::invalid("spec.maxReplicas", &json!(most), "must be greater than 0"));
    }
    if most < least {
        let why = "must be greater than or equal to `minReplicas`";
        faults.push(FieldFault::invalid("spec.maxReplicas", &json!(most), why));
    }
}

/// The rules that weigh two fields of a deployment against each other.
fn rollout(spec: &Value, faults: &mut Vec<FieldFault>) {
    let strategy = &spec["strategy"];
    if strategy["type"] == "Recreate" && strategy.get("rollingUpdate").is_some_and(|part| !part.is_null()) {
        let why = "may not be specified when strategy `type` is 'Recreate'";
        faults.push(FieldFault::forbidden("spec.strategy.rollingUpdate", why));
    }
    if strategy["type"] == "RollingUpdate" {
        let is_zero =
            |name: &str| strategy["rollingUpdate"].get(name).is_some_and(|v| *v == json!(0) || *v == json!("0%"));
        if is_zero("maxSurge") && is_zero("maxUnavailable") {
            let why = "may not be 0 when `maxSurge` is 0";
            faults.push(FieldFault::invalid("spec.strategy.rollingUpdate.maxUnavailable", &json!(0), why));
        }
    }
    let patience = &spec["progressDeadlineSeconds"];
    let least = shape::number(spec, "/minReadySeconds").unwrap_or(0);
    if patience.as_i64().is_some_and(|patience| patience >= 0 && patience <= least) {
        faults.push(FieldFault::invalid(
            "spec.progressDeadlineSeconds",
            patience,
            "must be greater than minReadySeconds",
        ));
    }
}

/// What of a stateful set's spec may not be changed.
fn fixed(set: &Value) -> Value {
    let mut spec = set["spec"].clone();
    if let Some(fields) = spec.as_object_mut() {
        for free in FREE_OF_A_SET {
            fields.remove(free);
        }
    }
    spec
}
