//! What the API server refuses in an object: the rules a remedy can really run into, in its own words.

use serde_json::{Value, json};

use super::failure::{Failure, FieldFault};
use super::kind::Kind;
use super::{quantity, selector, shape};

/// The resource types a template may ask for and that are compared here.
const RESOURCES: [&str; 2] = ["cpu", "memory"];

const NAME_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', \
                         and must start and end with an alphanumeric character (e.g. 'example.com', regex used for \
                         validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/// Refuses an object that means something that may not be.
pub fn accepts(kind: &Kind, object: &Value, before: Option<&Value>) -> Result<(), Failure> {
    let mut faults = Vec::new();
    let name = shape::name(object);
    if before.is_none() && !is_subdomain(name) {
        faults.push(FieldFault::invalid("metadata.name", &json!(name), NAME_RULE));
    }
    match kind.plural {
        "deployments" | "replicasets" | "statefulsets" | "daemonsets" => workload(kind, object, before, &mut faults),
        "horizontalpodautoscalers" => bounds(object, &mut faults),
        "pods" => {
            containers(kind, object, &mut faults);
            if before.is_some_and(|before| frozen(before) != frozen(object)) {
                faults.push(FieldFault {
                    field: "spec".to_owned(),
                    reason: "FieldValueForbidden",
                    message: "Forbidden: pod updates may not change fields other than `spec.containers[*].image`,\
                              `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only \
                              additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be \
                              set to 1 if it was previously negative)"
                        .to_owned(),
                });
            }
        }
        _ => {}
    }
    if faults.is_empty() { Ok(()) } else { Err(Failure::invalid(kind, name, &faults)) }
}

fn workload(kind: &Kind, object: &Value, before: Option<&Value>, faults: &mut Vec<FieldFault>) {
    if let Some(replicas) = shape::number(object, "/spec/replicas").filter(|replicas| *replicas < 0) {
        faults.push(FieldFault::invalid("spec.replicas", &json!(replicas), "must be greater than or equal to 0"));
    }
    let chosen = &object["spec"]["selector"];
    if chosen.as_object().is_none_or(serde_json::Map::is_empty) {
        faults.push(FieldFault::required("spec.selector", ""));
    } else {
        let labels = &object["spec"]["template"]["metadata"]["labels"];
        if !selector::label_selector_matches(chosen, labels) {
            let why = "`selector` does not match template `labels`";
            faults.push(FieldFault::invalid("spec.template.metadata.labels", labels, why));
        }
        if before.is_some_and(|before| before["spec"]["selector"] != *chosen) {
            faults.push(FieldFault::invalid("spec.selector", chosen, "field is immutable"));
        }
    }
    if object.pointer("/spec/strategy/type") == Some(&json!("RollingUpdate")) {
        let part = |name: &str| object.pointer(&format!("/spec/strategy/rollingUpdate/{name}"));
        let is_zero = |value: Option<&Value>| value.is_some_and(|v| *v == json!(0) || *v == json!("0%"));
        if is_zero(part("maxSurge")) && is_zero(part("maxUnavailable")) {
            let why = "may not be 0 when `maxSurge` is 0";
            faults.push(FieldFault::invalid("spec.strategy.rollingUpdate.maxUnavailable", &json!(0), why));
        }
    }
    containers(kind, object, faults);
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

/// The containers of an object's template (or of the pod itself) with the path to them.
fn template_containers<'a>(kind: &Kind, object: &'a Value) -> (&'a [Value], &'static str) {
    if kind.plural == "pods" {
        (shape::containers(&object["spec"]), "spec.containers")
    } else {
        (
            shape::containers(object.pointer("/spec/template/spec").unwrap_or(&Value::Null)),
            "spec.template.spec.containers",
        )
    }
}

fn containers(kind: &Kind, object: &Value, faults: &mut Vec<FieldFault>) {
    let (all, path) = template_containers(kind, object);
    if all.is_empty() {
        faults.push(FieldFault::required(path, ""));
    }
    for (index, container) in all.iter().enumerate() {
        let at = format!("{path}[{index}]");
        let name = shape::text(container, "/name").unwrap_or_default();
        if name.is_empty() {
            faults.push(FieldFault::required(format!("{at}.name"), ""));
        } else if all[..index].iter().any(|other| shape::text(other, "/name") == Some(name)) {
            let message = format!("Duplicate value: \"{name}\"");
            faults.push(FieldFault { field: format!("{at}.name"), reason: "FieldValueDuplicate", message });
        }
        if shape::text(container, "/image").is_none_or(str::is_empty) {
            faults.push(FieldFault::required(format!("{at}.image"), ""));
        }
        for resource in RESOURCES {
            let amount = |side: &str| shape::text(container, &format!("/resources/{side}/{resource}"));
            let (Some(request), Some(limit)) = (amount("requests"), amount("limits")) else { continue };
            if quantity::milli(request) > quantity::milli(limit) {
                let why = format!("must be less than or equal to {resource} limit of {limit}");
                faults.push(FieldFault::invalid(format!("{at}.resources.requests"), &json!(request), &why));
            }
        }
    }
}

/// What of a pod's spec may not change once it is made.
fn frozen(pod: &Value) -> Value {
    let mut spec = pod["spec"].clone();
    for free in ["activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName"] {
        if let Some(fields) = spec.as_object_mut() {
            fields.remove(free);
        }
    }
    if let Some(Value::Array(all)) = spec.get_mut("containers") {
        all.iter_mut().filter_map(Value::as_object_mut).for_each(|container| {
            container.remove("image");
        });
    }
    spec
}

fn is_subdomain(name: &str) -> bool {
    let is_edge = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    name.len() <= 253
        && name.split('.').all(|label| {
            let bytes = label.as_bytes();
            bytes.first().copied().is_some_and(is_edge)
                && bytes.last().copied().is_some_and(is_edge)
                && bytes.iter().all(|letter| is_edge(*letter) || *letter == b'-')
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::cluster::kind::row;

    fn sound() -> Value {
        json!({"metadata": {"name": "x"}, "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "x"}},
            "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "app", "image": "i:1",
                "resources": {"limits": {"memory": "512Mi"}, "requests": {"memory": "256Mi"}}}]}}}})
    }

    #[test]
    fn each_wrong_field_is_told_by_its_path() {
        let kind = row("deployments");
        assert_eq!(accepts(kind, &sound(), Some(&sound())), Ok(()));
        for (pointer, value, want) in [
            ("/spec/replicas", json!(-1), "spec.replicas: Invalid value: -1: must be greater than or equal to 0"),
            (
                "/spec/selector/matchLabels/app",
                json!("y"),
                "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"y\"}}: field is immutable",
            ),
            (
                "/spec/template/spec/containers/0/image",
                json!(""),
                "spec.template.spec.containers[0].image: Required value",
            ),
            ("/spec/template/spec/containers", json!([]), "spec.template.spec.containers: Required value"),
            (
                "/spec/template/spec/containers/0/resources/limits/memory",
                json!("128Mi"),
                "spec.template.spec.containers[0].resources.requests: Invalid value: \"256Mi\": must be less than or equal to memory limit of 128Mi",
            ),
        ] {
            let mut wrong = sound();
            *wrong.pointer_mut(pointer).unwrap() = value;
            let refused = accepts(kind, &wrong, Some(&sound())).unwrap_err();
            assert_eq!(refused.code, 422);
            assert!(refused.message.contains(want), "{}", refused.message);
        }
        let bounded = |least: i64, most: i64| {
            let scaler = json!({"metadata": {"name": "x"}, "spec": {"minReplicas": least, "maxReplicas": most}});
            accepts(row("horizontalpodautoscalers"), &scaler, Some(&scaler)).map_err(|refused| refused.message)
        };
        assert_eq!(bounded(2, 2), Ok(()));
        let refused = bounded(3, 2).unwrap_err();
        let want = "spec.maxReplicas: Invalid value: 2: must be greater than or equal to `minReplicas`";
        assert!(refused.contains(want), "{refused}");
        let mut named = sound();
        named["metadata"]["name"] = json!("Not_A_Name");
        assert_eq!(accepts(kind, &named, None).unwrap_err().details["causes"][0]["field"], "metadata.name");
    }
}
