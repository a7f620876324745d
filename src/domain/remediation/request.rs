//! The exact request of a step and its digest. What is hashed here is what is sent: one function makes both.

mod shown;

use std::fmt;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::policy::Policy;
use super::step::{Action, TargetFacts, quantity};
use crate::domain::observation::scope::Scope;
use crate::domain::observation::workload::WorkloadRef;

/// The annotation whose change makes a workload roll, as `kubectl rollout restart` sets it.
pub const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// Whether a session may move the world.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Rehearse only. The default.
    #[default]
    DryRun,
    /// Steps run after their approval.
    Live,
}

impl Mode {
    /// The word in line 1.
    pub fn word(self) -> &'static str {
        match self {
            Self::DryRun => "DRY-RUN",
            Self::Live => "*** LIVE ***",
        }
    }
}

/// The patch types the Kubernetes API takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PatchType {
    /// `application/strategic-merge-patch+json`
    StrategicMerge,
    /// `application/merge-patch+json`
    Merge,
    /// `application/json-patch+json`
    Json,
}

impl PatchType {
    /// The content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::StrategicMerge => "application/strategic-merge-patch+json",
            Self::Merge => "application/merge-patch+json",
            Self::Json => "application/json-patch+json",
        }
    }
}

/// A patch, fixed to the byte. The live send adds nothing but a fresh `metadata.resourceVersion` as a precondition,
/// so that a race still answers 409. A body may hold secrets: whatever writes a request down (`Serialize`, `Debug`) writes
/// it as it is [shown](Request::shown); the bytes themselves are given to who asks for them by [`Request::exact`].
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Request {
    /// Path without a query: `/apis/apps/v1/namespaces/payments/deployments/my-api`.
    pub path: String,
    /// How the body is read.
    pub patch: PatchType,
    body: String,
}

impl Request {
    /// A request with a body of canonical JSON.
    pub fn new(address: String, patch: PatchType, body: String) -> Self {
        Self { path: address, patch, body }
    }

    /// The very bytes that are sent. For the wire and the digest alone.
    pub fn exact(&self) -> &str {
        &self.body
    }

    /// A patch of a workload.
    pub fn patch(target: &WorkloadRef, patch: PatchType, body: &serde_json::Value) -> Self {
        let address = format!("/apis/apps/v1/namespaces/{}/{}/{}", target.namespace, target.kind.plural(), target.name);
        Self::new(address, patch, body.to_string())
    }
}

/// The request of an action whose body needs nothing but the action. A rollout undo needs the old template: see [`undo`].
pub fn of_action(action: &Action, target: &WorkloadRef, at: Timestamp) -> Option<Request> {
    match action {
        Action::RolloutRestart => Some(restart(target, at)),
        Action::SetResources { container, memory_limit, .. } => {
            let containers =
                json!([{ "name": container, "resources": { "limits": { "memory": quantity(*memory_limit) } } }]);
            let body = json!({ "spec": { "template": { "spec": { "containers": containers } } } });
            Some(Request::patch(target, PatchType::StrategicMerge, &body))
        }
        Action::Scale { replicas, .. } => {
            Some(Request::patch(target, PatchType::Merge, &json!({ "spec": { "replicas": replicas } })))
        }
        Action::RolloutUndo { .. } => None,
    }
}

fn restart(target: &WorkloadRef, at: Timestamp) -> Request {
    // Whole seconds, as kubectl writes it.
    let second = Timestamp::from_second(at.as_second()).unwrap_or(at).to_string();
    let body = json!({ "spec": { "template": { "metadata": { "annotations": { RESTARTED_AT: second } } } } });
    Request::patch(target, PatchType::StrategicMerge, &body)
}

/// The exact `restartedAt` that a restart's request sets; `None` for any other request.
pub fn restarted_at(request: &Request) -> Option<String> {
    let body: serde_json::Value = serde_json::from_str(&request.body).ok()?;
    let stamp = body.pointer("/spec/template/metadata/annotations")?.get(RESTARTED_AT)?;
    stamp.as_str().filter(|stamp| !stamp.is_empty()).map(str::to_owned)
}

/// The request that puts an older revision's pod template back (its `pod-template-hash` label already removed).
pub fn undo(target: &WorkloadRef, template: &serde_json::Value) -> Request {
    let body = json!([{ "op": "replace", "path": "/spec/template", "value": template }]);
    Request::patch(target, PatchType::Json, &body)
}

/// The pod template that [`undo`] puts back; `None` for any other request.
pub fn template_put_back(request: &Request) -> Option<serde_json::Value> {
    let mut body: serde_json::Value = serde_json::from_str(&request.body).ok()?;
    body.pointer_mut("/0/value").map(serde_json::Value::take)
}

/// SHA-256 of everything an approval binds to, in lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(String);

impl Digest {
    /// The first four digits, as they are shown and typed.
    pub fn short(&self) -> &str {
        self.0.get(..4).unwrap_or(&self.0)
    }

    /// All 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.short())
    }
}

/// What a digest is made of.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// The one text form of the step.
    pub text: &'a str,
    /// The request, whose exact bytes are bound.
    pub request: &'a Request,
    /// The target as it was.
    pub facts: &'a TargetFacts,
    /// Account, region, cluster.
    pub scope: &'a Scope,
    /// Dry-run or live.
    pub mode: Mode,
    /// The policy in force.
    pub policy: &'a Policy,
}

impl Bound<'_> {
    /// SHA-256 over the JSON of all of it. Field order is that of the structs, and maps are sorted, so equal facts hash equal.
    pub fn digest(&self) -> Digest {
        let Self { text, request: Request { path, patch, body }, facts, scope, mode, policy } = self;
        let request = Exact { path, patch: *patch, body };
        let hashed = Hashed { text, request, facts, scope, mode: *mode, policy };
        // Serializing these plain structs cannot fail; should it ever, the empty text matches no digest of anything real.
        let text = serde_json::to_string(&hashed).unwrap_or_default();
        sha256_hex(text.as_bytes())
    }
}

/// The form that is hashed, and goes nowhere else.
#[derive(Serialize)]
struct Hashed<'a> {
    text: &'a str,
    request: Exact<'a>,
    facts: &'a TargetFacts,
    scope: &'a Scope,
    mode: Mode,
    policy: &'a Policy,
}

/// A request with the body that is sent.
#[derive(Serialize)]
struct Exact<'a> {
    path: &'a str,
    patch: PatchType,
    body: &'a str,
}

fn sha256_hex(bytes: &[u8]) -> Digest {
    let mut hex = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        let _ = write!(hex, "{byte:02x}");
    }
    Digest(hex)
}
