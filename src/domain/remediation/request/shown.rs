//! The body of a request as it may be shown and kept: a pod template that is put back holds the plain values of its
//! environment, and whatever else somebody wrote into it.

use std::fmt;

use serde_json::Value;

use super::Request;
use crate::domain::observation::redact::redact;

/// What stands for a value of the environment: the mark of the redaction, which leaves it alone. Its name is told.
const HIDDEN: &str = "[redacted:hidden]";

impl Request {
    /// The body without the values of environments and without what looks like a secret. It stays what it was as JSON, and
    /// names, images and annotations stay readable; a body that is none is not shown at all.
    pub fn shown(&self) -> String {
        let Ok(mut body) = serde_json::from_str::<Value>(&self.body) else { return String::new() };
        hide(&mut body);
        body.to_string()
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("path", &self.path)
            .field("patch", &self.patch)
            .field("body", &self.shown())
            .finish()
    }
}

fn hide(value: &mut Value) {
    match value {
        Value::String(text) => *text = redact(text).text,
        Value::Array(items) => {
            hide_words_after_flags(items);
            items.iter_mut().for_each(hide);
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("env", Value::Array(items)) => items.iter_mut().for_each(hide_variable),
                    (key, Value::String(text)) if is_secret(key, text) => HIDDEN.clone_into(text),
                    (_, value) => hide(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Kubernetes writes `{"name": "DB_PASSWORD", "value": "hunter2"}`: no pattern finds that, and any value may be one.
fn hide_variable(variable: &mut Value) {
    match variable.get_mut("value") {
        Some(Value::String(text)) => HIDDEN.clone_into(text),
        Some(_) | None => hide(variable),
    }
}

/// `["--password", "hunter2"]`: the two words of a flag are two items.
fn hide_words_after_flags(items: &mut [Value]) {
    for at in 1..items.len() {
        let (before, rest) = items.split_at_mut(at);
        if let (Some(Value::String(flag)), Some(Value::String(word))) = (before.last(), rest.first_mut())
            && flag.starts_with('-')
            && redact(&format!("{flag} {word}")).count > redact(flag).count + redact(word).count
        {
            HIDDEN.clone_into(word);
        }
    }
}

/// Whether a field's name makes a secret of its value.
fn is_secret(name: &str, value: &str) -> bool {
    redact(value).count == 0 && redact(&format!("{name}={value}")).count > 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{template_put_back, undo};
    use super::*;
    use crate::domain::observation::workload::{WorkloadKind, WorkloadRef};

    #[test]
    fn a_template_is_shown_without_its_secrets_and_stays_readable() {
        let target =
            WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() };
        let hash = "0123456789abcdef".repeat(4);
        let template = json!({
            "metadata": { "annotations": {
                "kubectl.kubernetes.io/restartedAt": "2026-05-01T09:30:00Z", "api-token": "t0psecretword"
            } },
            "spec": { "containers": [{
                "name": "app",
                "image": format!("registry.example.com/my-api@sha256:{hash}"),
                "args": ["--password", "hunter2", "--port", "8080", "--dsn=postgres://app:pw@db/x", "http://otel:9999"],
                "env": [
                    { "name": "DB_PASSWORD", "value": "hunter2" },
                    { "name": "OTEL", "value": "http://otel:4317" },
                    { "name": "FROM", "valueFrom": { "secretKeyRef": { "name": "db", "key": "pw" } } },
                ],
            }] },
        });
        let request = undo(&target, &template);
        for shown in [request.shown(), format!("{request:?}")] {
            for secret in ["hunter2", "t0psecretword", "app:pw", "4317"] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
            for fact in ["DB_PASSWORD", "secretKeyRef", "8080", "my-api@sha256:0123"] {
                assert!(shown.contains(fact), "{fact} not in {shown}");
            }
        }
        let kept = Request { body: request.shown(), ..request.clone() };
        let back = template_put_back(&kept).unwrap();
        for at in ["/spec/containers/0/image", "/metadata/annotations/kubectl.kubernetes.io~1restartedAt"] {
            assert_eq!(back.pointer(at), template.pointer(at), "{at}");
        }
        assert_eq!(redact(&kept.body).count, 0, "the last check before writing finds nothing more");
    }
}
