//! Admission: what a namespace still has room for, and the webhooks that have a say.

use serde_json::{Value, json};

use super::access::{self, Attempt};
use super::failure::Failure;
use super::kind::{KINDS, Kind, row};
use super::quantity;
use super::shape;
use super::spec::{WebhookSays, WebhookSpec};
use super::store::Store;
use crate::rehearsal::ledger::DryRun;

/// Writes into a pod what the API server and its admission do when one is made: the account it runs as, what it tolerates for
/// a while, and requests that default to limits.
pub fn default_pod(pod: &mut Value) {
    if let Some(spec) = pod["spec"].as_object_mut() {
        let account = spec.get("serviceAccountName").cloned().unwrap_or_else(|| json!("default"));
        let tolerated = ["not-ready", "unreachable"].map(|trouble| {
            json!({
                "key": format!("node.kubernetes.io/{trouble}"), "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": 300,
            })
        });
        for (name, value) in [
            ("serviceAccountName", account.clone()),
            ("serviceAccount", account),
            ("enableServiceLinks", json!(true)),
            ("preemptionPolicy", json!("PreemptLowerPriority")),
            ("priority", json!(0)),
            ("tolerations", json!(tolerated)),
        ] {
            spec.entry(name).or_insert(value);
        }
    }
    let Some(containers) = pod.pointer_mut("/spec/containers").and_then(Value::as_array_mut) else { return };
    for container in containers {
        for resource in ["cpu", "memory"] {
            let limit = container.pointer(&format!("/resources/limits/{resource}")).cloned();
            let is_asked = container.pointer(&format!("/resources/requests/{resource}")).is_some();
            if let Some(limit) = limit.filter(|_| !is_asked) {
                shape::set(container, &["resources", "requests", resource], limit);
            }
        }
    }
}

/// Gives a pod the defaults of its namespace's limit ranges and refuses what is outside them.
pub fn limit_ranges(store: &Store, pod: &mut Value) -> Result<(), Failure> {
    let namespace = shape::namespace(pod).to_owned();
    let mut faults = Vec::new();
    for (_, range) in store.list(row("limitranges"), Some(&namespace)) {
        let rules = range.pointer("/spec/limits").and_then(Value::as_array);
        for rule in rules.into_iter().flatten().filter(|rule| rule["type"] == "Container") {
            let Some(containers) = pod.pointer_mut("/spec/containers").and_then(Value::as_array_mut) else { continue };
            for container in containers {
                for (side, defaults) in [("limits", "default"), ("requests", "defaultRequest")] {
                    for (resource, amount) in rule[defaults].as_object().into_iter().flatten() {
                        if container.pointer(&format!("/resources/{side}/{resource}")).is_none() {
                            shape::set(container, &["resources", side, resource], amount.clone());
                        }
                    }
                }
                outside(rule, container, &mut faults);
            }
        }
    }
    match faults.as_slice() {
        [] => Ok(()),
        [only] => Err(Failure::forbidden(row("pods"), shape::name(pod), only)),
        all => Err(Failure::forbidden(row("pods"), shape::name(pod), &format!("[{}]", all.join(", ")))),
    }
}

/// What of a container is below the least or above the most of a limit range.
fn outside(rule: &Value, container: &Value, faults: &mut Vec<String>) {
    for (word, bound, side, noun) in [("maximum", "max", "limits", "limit"), ("minimum", "min", "requests", "request")]
    {
        for (resource, edge) in rule[bound].as_object().into_iter().flatten() {
            let asked = container.pointer(&format!("/resources/{side}/{resource}"));
            let shown = edge.as_str().unwrap_or_default();
            let Some(asked) = asked.and_then(Value::as_str) else {
                faults.push(format!("{word} {resource} usage per Container is {shown}.  No {noun} is specified"));
                continue;
            };
            let (asked_for, allowed) = (quantity::milli(asked), quantity::milli(shown));
            if (bound == "max" && asked_for > allowed) || (bound == "min" && asked_for < allowed) {
                faults.push(format!("{word} {resource} usage per Container is {shown}, but {noun} is {asked}"));
            }
        }
    }
}

/// Refuses an object that would go over a quota of its namespace.
pub fn quota(store: &Store, kind: &Kind, object: &Value) -> Result<(), Failure> {
    let namespace = shape::namespace(object);
    for (_, quota) in store.list(row("resourcequotas"), Some(namespace)) {
        let used = quota_status(store, quota)["used"].clone();
        let Some(Value::Object(hard)) = quota.pointer("/spec/hard") else { continue };
        let mut over: [Vec<String>; 3] = Default::default();
        for (resource, limit) in hard {
            let (Some(limit), Some(used)) = (amount(limit), amount(&used[resource.as_str()])) else { continue };
            let Some(wanted) = demand(kind, object, resource) else {
                let (quota, silent) = (shape::name(quota), unlimited(object, resource));
                let missing = format!("failed quota: {quota}: must specify {resource} for: {silent}");
                return Err(Failure::forbidden(kind, shape::name(object), &missing));
            };
            if used + wanted > limit {
                for (list, amount) in over.iter_mut().zip([wanted, used, limit]) {
                    list.push(format!("{resource}={}", shown(resource, amount)));
                }
            }
        }
        if !over[0].is_empty() {
            let [wanted, used, limit] = over.map(|list| list.join(","));
            let name = shape::name(quota);
            let what = format!("exceeded quota: {name}, requested: {wanted}, used: {used}, limited: {limit}");
            return Err(Failure::forbidden(kind, shape::name(object), &what));
        }
    }
    Ok(())
}

/// What is used of a quota, as its status tells.
pub fn quota_status(store: &Store, quota: &Value) -> Value {
    let hard = quota.pointer("/spec/hard").cloned().unwrap_or_else(|| json!({}));
    let mut used = json!({});
    for resource in hard.as_object().into_iter().flat_map(|fields| fields.keys()) {
        let kind = KINDS.iter().find(|kind| counts(kind, resource)).unwrap_or(row("pods"));
        let taken = store.list(kind, Some(shape::namespace(quota))).map(|entry| entry.1);
        let taken = taken.filter(|object| resource.starts_with("count/") || !is_over(kind, object));
        let sum: f64 = taken.filter_map(|object| demand(kind, object, resource)).sum();
        used[resource.as_str()] = json!(shown(resource, sum));
    }
    json!({"hard": hard, "used": used})
}

/// Core resources that a quota counts by their plain name.
const COUNTED: [&str; 7] =
    ["configmaps", "persistentvolumeclaims", "pods", "replicationcontrollers", "resourcequotas", "secrets", "services"];

/// Whether a quota's resource is the number of objects of a kind.
fn counts(kind: &Kind, resource: &str) -> bool {
    let plain = kind.group.is_empty() && COUNTED.contains(&resource) && resource == kind.plural;
    plain || resource.strip_prefix("count/").is_some_and(|counted| counted == kind.resource())
}

/// Whether it is a pod that has ended and takes nothing any more.
fn is_over(kind: &Kind, object: &Value) -> bool {
    kind.plural == "pods" && matches!(shape::text(object, "/status/phase"), Some("Succeeded" | "Failed"))
}

/// What an object takes of a quota's resource, in thousandths; `None` if it is a pod one of whose containers does not say.
fn demand(kind: &Kind, object: &Value, resource: &str) -> Option<f64> {
    if counts(kind, resource) {
        return Some(1e3);
    }
    let pointer = match resource {
        _ if kind.plural != "pods" => return Some(0.0),
        "requests.memory" | "memory" => "/resources/requests/memory",
        "requests.cpu" | "cpu" => "/resources/requests/cpu",
        "limits.memory" => "/resources/limits/memory",
        "limits.cpu" => "/resources/limits/cpu",
        _ => return Some(0.0),
    };
    let containers = shape::containers(&object["spec"]).iter();
    containers.map(|container| shape::text(container, pointer).and_then(quantity::milli)).sum()
}

fn unlimited(pod: &Value, resource: &str) -> String {
    let pointer = format!("/resources/{}", resource.replace('.', "/"));
    let containers = shape::containers(&pod["spec"]).iter().filter(|one| one.pointer(&pointer).is_none());
    containers.filter_map(|one| shape::text(one, "/name")).collect::<Vec<_>>().join(",")
}

fn amount(value: &Value) -> Option<f64> {
    value.as_str().and_then(quantity::milli)
}

fn shown(resource: &str, thousandths: f64) -> String {
    if resource.ends_with("cpu") && thousandths % 1e3 != 0.0 {
        return format!("{}m", thousandths as u64);
    }
    let whole = (thousandths / 1e3) as u64;
    if resource.ends_with("memory") { quantity::show(whole) } else { whole.to_string() }
}

/// Asks the webhooks about a write.
pub fn webhooks(webhooks: &[WebhookSpec], attempt: Attempt<'_>, dry_run: DryRun) -> Result<(), Failure> {
    for webhook in webhooks.iter().filter(|webhook| access::covers(&webhook.rule, attempt)) {
        let name = &webhook.name;
        match (webhook.says, dry_run) {
            (WebhookSays::Denies, _) => {
                let message = format!("admission webhook \"{name}\" denied the request: {}", webhook.message);
                return Err(Failure::webhook(message));
            }
            (WebhookSays::AllowsWithSideEffects, DryRun::All) => {
                return Err(Failure::bad_request(format!("admission webhook \"{name}\" does not support dry run")));
            }
            (WebhookSays::AllowsWithSideEffects, DryRun::No) => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::cluster::store::Key;

    fn pod(name: &str, limit: Option<&str>) -> Value {
        let mut container = json!({"name": "app"});
        if let Some(limit) = limit {
            shape::set(&mut container, &["resources", "limits", "memory"], json!(limit));
        }
        json!({"metadata": {"name": name, "namespace": "a"}, "spec": {"containers": [container]}})
    }

    #[test]
    fn a_limit_range_gives_defaults_and_refuses_what_is_outside() {
        let mut store = Store::new(0);
        let rule = json!({"type": "Container", "default": {"memory": "256Mi"}, "max": {"memory": "1Gi"}});
        let range = json!({"metadata": {"name": "r", "namespace": "a"}, "spec": {"limits": [rule]}});
        store.put(Key::of(row("limitranges"), &range), range);
        let mut silent = pod("x", None);
        assert_eq!(limit_ranges(&store, &mut silent), Ok(()));
        assert_eq!(silent["spec"]["containers"][0]["resources"]["limits"]["memory"], "256Mi");
        let refused = limit_ranges(&store, &mut pod("y", Some("2Gi"))).unwrap_err();
        assert_eq!(
            refused.message,
            "pods \"y\" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi"
        );
    }

    #[test]
    fn a_quota_refuses_what_goes_over_it_in_the_words_of_the_api_server() {
        let mut store = Store::new(0);
        let quota_object =
            json!({"metadata": {"name": "mem", "namespace": "a"}, "spec": {"hard": {"limits.memory": "1Gi"}}});
        store.put(Key::of(row("resourcequotas"), &quota_object), quota_object);
        assert_eq!(quota(&store, row("pods"), &pod("x", Some("1Gi"))), Ok(()));
        store.put(Key::new(row("pods"), "a", "x"), pod("x", Some("512Mi")));
        let refused = quota(&store, row("pods"), &pod("y", Some("768Mi"))).unwrap_err();
        assert_eq!(
            refused.message,
            "pods \"y\" is forbidden: exceeded quota: mem, requested: limits.memory=768Mi, used: limits.memory=512Mi, \
             limited: limits.memory=1Gi"
        );
        let silent = quota(&store, row("pods"), &pod("z", None)).unwrap_err();
        assert_eq!(silent.message, "pods \"z\" is forbidden: failed quota: mem: must specify limits.memory for: app");
    }

    #[test]
    fn a_quota_counts_objects_of_every_kind() {
        let mut store = Store::new(0);
        let hard = json!({"configmaps": "1", "count/deployments.apps": "1", "services": "0"});
        let object = |name: &str| json!({"metadata": {"name": name, "namespace": "a"}});
        let mut limited = object("q2");
        limited["spec"] = json!({"hard": hard});
        store.put(Key::of(row("resourcequotas"), &limited), limited.clone());
        assert_eq!(quota(&store, row("configmaps"), &object("x")), Ok(()));
        for plural in ["configmaps", "deployments", "secrets"] {
            store.put(Key::new(row(plural), "a", "x"), object("x"));
        }
        let used = json!({"configmaps": "1", "count/deployments.apps": "1", "services": "0"});
        assert_eq!(quota_status(&store, &limited)["used"], used);
        for (plural, want) in [
            (
                "configmaps",
                "configmaps \"y\" is forbidden: exceeded quota: q2, requested: configmaps=1, used: configmaps=1, limited: \
                 configmaps=1",
            ),
            (
                "deployments",
                "deployments.apps \"y\" is forbidden: exceeded quota: q2, requested: count/deployments.apps=1, used: \
                 count/deployments.apps=1, limited: count/deployments.apps=1",
            ),
            (
                "services",
                "services \"y\" is forbidden: exceeded quota: q2, requested: services=1, used: services=0, limited: \
                 services=0",
            ),
        ] {
            assert_eq!(quota(&store, row(plural), &object("y")).unwrap_err().message, want);
        }
        assert_eq!(quota(&store, row("secrets"), &object("y")), Ok(()));
    }
}
