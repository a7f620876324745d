//! The body of a request as it may be shown and kept: a pod template that is put back holds the plain values of its
//! environment, and whatever else somebody wrote into it.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use serde_json::Value;

use super::Request;
use crate::domain::observation::redact::{MARK, object};

impl Request {
    /// How many values [`Request::shown`] hides.
    pub fn hidden(&self) -> usize {
        self.shown().matches(MARK).count()
    }

    /// The body without the values of environments and without what looks like a secret. It stays what it was as JSON, and
    /// names, images and annotations stay readable; a body that is none is not shown at all.
    pub fn shown(&self) -> String {
        let Ok(mut body) = serde_json::from_str::<Value>(&self.body) else { return String::new() };
        object::hide(&mut body);
        body.to_string()
    }
}

/// A request leaves the process as it is shown, whoever writes it. One that was shown before stays as it is.
impl Serialize for Request {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Request", 3)?;
        fields.serialize_field("path", &self.path)?;
        fields.serialize_field("patch", &self.patch)?;
        fields.serialize_field("body", &self.shown())?;
        fields.end()
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{template_put_back, undo};
    use super::*;
    use crate::domain::observation::redact::redact;
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
        let written = serde_json::to_string(&request).unwrap();
        for shown in [request.shown(), format!("{request:?}"), written.clone()] {
            for secret in ["hunter2", "t0psecretword", "app:pw", "4317"] {
                assert!(!shown.contains(secret), "{secret} in {shown}");
            }
            for fact in ["DB_PASSWORD", "secretKeyRef", "8080", "my-api@sha256:0123"] {
                assert!(shown.contains(fact), "{fact} not in {shown}");
            }
        }
        let kept: Request = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&kept).unwrap(), written, "written again, it is the same");
        let back = template_put_back(&kept).unwrap();
        for at in ["/spec/containers/0/image", "/metadata/annotations/kubectl.kubernetes.io~1restartedAt"] {
            assert_eq!(back.pointer(at), template.pointer(at), "{at}");
        }
        assert_eq!(redact(kept.exact()).count, 0, "the last check before writing finds nothing more");
    }
}
