//! Failed answers in the API server's own words: the `Status` object with its reason, message and details.

use serde_json::{Value, json};

use super::kind::Kind;

/// A refused request, as the `Status` object tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// HTTP status.
    pub code: u16,
    /// `NotFound`, `Conflict`, `Invalid`, …
    pub reason: &'static str,
    /// One sentence for a person.
    pub message: String,
    /// Name, group, kind and causes, where there are any.
    pub details: Value,
}

/// One wrong field of an invalid object.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldFault {
    /// Its path: `spec.replicas`.
    pub field: String,
    /// `FieldValueInvalid`, `FieldValueRequired`, …
    pub reason: &'static str,
    /// As printed after the path: `Invalid value: -1: must be …`.
    pub message: String,
}

impl FieldFault {
    /// A value that may not be what it is.
    pub fn invalid(field: impl Into<String>, value: &Value, why: &str) -> Self {
        Self { field: field.into(), reason: "FieldValueInvalid", message: format!("Invalid value: {value}: {why}") }
    }

    /// A value that is none of those that are known.
    pub fn unsupported(field: impl Into<String>, value: &Value, known: &[&str]) -> Self {
        let known: Vec<String> = known.iter().map(|word| format!("\"{word}\"")).collect();
        let message = format!("Unsupported value: {value}: supported values: {}", known.join(", "));
        Self { field: field.into(), reason: "FieldValueNotSupported", message }
    }

    /// A change or a field that may not be.
    pub fn forbidden(field: impl Into<String>, why: &str) -> Self {
        Self { field: field.into(), reason: "FieldValueForbidden", message: format!("Forbidden: {why}") }
    }

    /// A value that is missing.
    pub fn required(field: impl Into<String>, why: &str) -> Self {
        let message = if why.is_empty() { "Required value".to_owned() } else { format!("Required value: {why}") };
        Self { field: field.into(), reason: "FieldValueRequired", message }
    }
}

impl Failure {
    /// The `Status` object.
    pub fn to_status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if !self.details.is_null() {
            status["details"] = self.details.clone();
        }
        status
    }

    /// 404 for an object.
    pub fn not_found(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" not found", kind.resource());
        Self { code: 404, reason: "NotFound", message, details: about(kind, name) }
    }

    /// 404 for a path that names no resource.
    pub fn no_such_resource() -> Self {
        let message = "the server could not find the requested resource".to_owned();
        Self { code: 404, reason: "NotFound", message, details: json!({}) }
    }

    /// 409: the object is there already.
    pub fn already_exists(kind: &Kind, name: &str) -> Self {
        let message = format!("{} \"{name}\" already exists", kind.resource());
        Self { code: 409, reason: "AlreadyExists", message, details: about(kind, name) }
    }

    /// 409: somebody else changed the object first.
    pub fn stale(kind: &Kind, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(kind, name, why)
    }

    /// 409 with a reason.
    pub fn conflict(kind: &Kind, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} \"{name}\": {why}", kind.resource());
        Self { code: 409, reason: "Conflict", message, details: about(kind, name) }
    }

    /// 403 by admission or authorisation; `what` is the part after `is forbidden: `.
    pub fn forbidden(kind: &Kind, name: &str, what: &str) -> Self {
        let subject = if name.is_empty() { kind.resource() } else { format!("{} \"{name}\"", kind.resource()) };
        let message = format!("{subject} is forbidden: {what}");
        Self { code: 403, reason: "Forbidden", message, details: about(kind, name) }
    }

    /// 403 for a new object in a namespace that is being deleted.
    pub fn terminating(kind: &Kind, name: &str, namespace: &str) -> Self {
        let why = format!("unable to create new content in namespace {namespace} because it is being terminated");
        let mut failure = Self::forbidden(kind, name, &why);
        failure.details["causes"] = json!([{
            "reason": "NamespaceTerminating", "message": format!("namespace {namespace} is being terminated"),
            "field": "metadata.namespace",
        }]);
        failure
    }

    /// The answer of a webhook that says no: the code and reason are the webhook's own.
    pub fn webhook(message: String) -> Self {
        Self { code: 403, reason: "Forbidden", message, details: Value::Null }
    }

    /// 422: the object is wrong in these fields.
    pub fn invalid(kind: &Kind, name: &str, faults: &[FieldFault]) -> Self {
        let told: Vec<String> = faults.iter().map(|fault| format!("{}: {}", fault.field, fault.message)).collect();
        let list = if let [only] = told.as_slice() { only.clone() } else { format!("[{}]", told.join(", ")) };
        let causes: Vec<Value> = faults
            .iter()
            .map(|fault| json!({"reason": fault.reason, "message": fault.message, "field": fault.field}))
            .collect();
        let mut details = json!({"name": name, "kind": kind.kind, "causes": causes});
        if !kind.group.is_empty() {
            details["group"] = json!(kind.group);
        }
        let message = format!("{} \"{name}\" is invalid: {list}", kind.qualified());
        Self { code: 422, reason: "Invalid", message, details }
    }

    /// 422 for a patch that cannot be applied to the object.
    pub fn unprocessable() -> Self {
        let message = "the server rejected our request due to an error in our request".to_owned();
        Self { code: 422, reason: "Invalid", message, details: json!({}) }
    }

    /// 400: the request itself cannot be understood.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self { code: 400, reason: "BadRequest", message: message.into(), details: Value::Null }
    }

    /// 405.
    pub fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource".to_owned();
        Self { code: 405, reason: "MethodNotAllowed", message, details: json!({}) }
    }

    /// 415.
    pub fn unsupported_media_type(accepted: &[&str]) -> Self {
        let list = accepted.join(", ");
        let message =
            format!("the body of the request was in an unknown format - accepted media types include: {list}");
        Self { code: 415, reason: "UnsupportedMediaType", message, details: Value::Null }
    }

    /// 500 for a stream to a process: what an API server says that cannot reach the kubelet.
    pub fn no_process() -> Self {
        let why = "error dialing backend: the containers of a rehearsal run no process";
        let causes = json!([{"message": why}]);
        let message = format!("Internal error occurred: {why}");
        Self { code: 500, reason: "InternalError", message, details: json!({"causes": causes}) }
    }

    /// 410: the revision asked for is no longer kept; a client lists again.
    pub fn gone(asked: u64, oldest: u64) -> Self {
        let message = format!("too old resource version: {asked} ({oldest})");
        Self { code: 410, reason: "Expired", message, details: Value::Null }
    }

    /// 410 for a continue token.
    pub fn continue_expired() -> Self {
        let message = "The provided continue parameter is too old to display a consistent list result. You can start a \
                       new list without the continue parameter, or use the continue token in this response to retrieve \
                       the remainder of the results. Continuing with the provided token results in an inconsistent list \
                       - objects that were created, modified, or deleted between the time the first chunk was returned \
                       and now may show up in the list."
            .to_owned();
        Self { code: 410, reason: "Expired", message, details: Value::Null }
    }
}

fn about(kind: &Kind, name: &str) -> Value {
    let mut details = json!({"kind": kind.plural});
    if !name.is_empty() {
        details["name"] = json!(name);
    }
    if !kind.group.is_empty() {
        details["group"] = json!(kind.group);
    }
    details
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::cluster::kind::row;

    #[test]
    fn messages_are_worded_as_the_api_server_words_them() {
        let kind = row("deployments");
        assert_eq!(Failure::not_found(kind, "x").message, "deployments.apps \"x\" not found");
        let fault = FieldFault::invalid("spec.replicas", &json!(-1), "must be greater than or equal to 0");
        let invalid = Failure::invalid(kind, "x", &[fault]);
        assert_eq!(
            invalid.message,
            "Deployment.apps \"x\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
        );
        assert_eq!(invalid.to_status()["details"]["causes"][0]["reason"], "FieldValueInvalid");
        assert_eq!(Failure::stale(kind, "x").to_status()["code"], 409);
    }
}
