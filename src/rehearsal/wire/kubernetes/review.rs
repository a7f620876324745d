//! Reviews of the caller's own rights: the rules of the scenario, and its faults where they deny.

use axum::response::Response;
use serde_json::{Value, json};

use super::path::Review;
use super::{Call, KubernetesState, answer, caller};
use crate::rehearsal::cluster::access::{Access, Attempt};
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::faults::Struck;
use crate::rehearsal::ledger::Api;

/// Answers a review: the object that was sent, with its status.
pub(super) fn answer(state: &KubernetesState, review: Review, call: &Call) -> Result<Response, Failure> {
    if call.method != http::Method::POST {
        return Err(Failure::method_not_allowed());
    }
    let mut object = call.document()?;
    if !object.is_object() {
        return Err(Failure::bad_request("a review is an object"));
    }
    let now = state.clock.now();
    let (group, version) = Review::ALL.iter().find(|row| row.0 == review).map_or(("", ""), |row| row.1);
    let rules = state.cluster.at(now, |cluster| caller::access(cluster, call))?;
    let status = match review {
        Review::Access => access(state, &rules, &object["spec"]),
        Review::Rules => {
            let namespace = object.pointer("/spec/namespace").and_then(Value::as_str).unwrap_or("default");
            rules.rules(namespace)
        }
        Review::Identity => {
            let caller = rules.caller();
            json!({"userInfo": {"username": caller.user, "groups": caller.all_groups()}})
        }
    };
    object["apiVersion"] = json!(format!("{group}/{version}"));
    object["kind"] = json!(review.words().1);
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    object["status"] = status;
    Ok(answer::json(201, &object))
}

fn access(state: &KubernetesState, rules: &Access, spec: &Value) -> Value {
    let Some(asked) = spec.get("resourceAttributes").filter(|asked| asked.is_object()) else {
        return json!({"allowed": true, "reason": "RBAC: allowed by ClusterRoleBinding \"system:discovery\""});
    };
    let word = |name: &str| asked.get(name).and_then(Value::as_str).unwrap_or_default();
    let (verb, resource) = (word("verb"), word("resource"));
    let now = state.clock.now();
    let struck = Struck { api: Api::Kubernetes, operation: verb, resource: Some(resource) };
    if state.faults.denies(struck, now) {
        return json!({"allowed": false});
    }
    let attempt = Attempt {
        verb,
        group: word("group"),
        resource,
        subresource: word("subresource"),
        namespace: word("namespace"),
        name: word("name"),
    };
    rules.review(attempt)
}
