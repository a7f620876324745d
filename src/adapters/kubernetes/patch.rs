//! The one path by which a workload is patched: `rehearse` sends the request with `dryRun=All` and needs nothing,
//! `apply` sends the very same bytes and takes a permit by value. There is no third way.

use std::time::Duration;

use http::Method;
use serde_json::Value;
use tokio::time::Instant;

use super::call::{Client, Resource, build, check_name, with_query};
use super::fault::{Doing, KubeError, Problem};
use super::field;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::workload::{WorkloadKind, WorkloadRef};
use crate::domain::remediation::gate::{Permit, Permitted};
use crate::domain::remediation::request::{PatchType, RESTARTED_AT, Request};
use crate::domain::remediation::step::{Action, FieldChange, TargetFacts};

/// Who we are in `managedFields` and in the audit log.
pub const FIELD_MANAGER: &str = "pagerdeck";

/// A field that the kind does not have is refused; by default the server drops it, and takes a patch that does nothing.
const STRICT: (&str, &str) = ("fieldValidation", "Strict");

/// The end of a permit's time, in which no request is begun: as long as a connection may take, and at most so long, or a
/// patience of a minute would refuse every one. A connection that takes longer than that may let it leave later.
const MARGIN: Duration = Duration::from_secs(5);

/// How often a write is tried when others write in between.
pub const MOST_ATTEMPTS: u32 = 3;

/// What came of a write. "Nothing was changed" is said only where it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The server accepted it.
    Done {
        /// The object's generation after it.
        generation: i64,
        /// What changed.
        diff: Vec<FieldChange>,
        /// How many sends it took.
        attempts: u32,
    },
    /// The target is no longer what was approved, or others kept writing. Nothing was changed by us.
    Conflict {
        /// What moved: `generation 41 -> 42`.
        moved: Vec<String>,
    },
    /// The server refused, or could not be asked. Nothing was changed by us.
    Refused {
        /// Its answer.
        fault: Fault,
    },
    /// The request left and no answer came back: it may or may not have been done. Look before anything else.
    Unknown {
        /// How the answer was lost.
        fault: Fault,
    },
    /// It was called back before it left. Nothing was changed by us.
    CalledBack,
}

/// Where on its way whoever may call the request back is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The target is what was approved, and the request would leave now.
    Leaves,
    /// The server did not take it, as others wrote in between: the target is read again.
    CameBack,
}

/// What they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Go {
    /// It goes on.
    On,
    /// It is called back.
    Back,
}

impl Resource {
    /// The collection of a kind.
    pub(super) fn of(kind: WorkloadKind) -> Self {
        match kind {
            WorkloadKind::Deployment => Self::DEPLOYMENTS,
            WorkloadKind::StatefulSet => Self::STATEFUL_SETS,
            WorkloadKind::DaemonSet => Self::DAEMON_SETS,
        }
    }
}

impl Client {
    /// Reads the target as the API holds it.
    pub(super) async fn read_object(&self, target: &WorkloadRef) -> Result<Value, KubeError> {
        self.get(Resource::of(target.kind), &target.namespace, &target.name).await
    }

    /// Sends a request with `dryRun=All` and gives the object as it would be. Admission, quota and access are asked;
    /// nothing is stored.
    pub(super) async fn preview(&self, target: &WorkloadRef, request: &Request) -> Result<Value, KubeError> {
        let query = [("dryRun", "All"), ("fieldManager", FIELD_MANAGER), STRICT];
        self.send(target, request, (&query, request.exact().to_owned())).await
    }

    async fn send(
        &self,
        target: &WorkloadRef,
        request: &Request,
        (query, body): (&[(&str, &str)], String),
    ) -> Result<Value, KubeError> {
        let doing = patching(target);
        check_path(target, request, &doing)?;
        let path = with_query(&request.path, query);
        let sent = build(Method::PATCH, &path, Some(request.patch.content_type()), body.into_bytes(), &doing)?;
        self.json(sent, &doing).await
    }
}

/// Uses a permit up: reads the object again, compares it with what was approved, and sends the approved bytes with the
/// fresh `resourceVersion` as their only addition, so that a write in between still answers 409. After a 409 it reads
/// and compares again; what was approved is never widened. Reads may be slow, and a request may have to wait for a new
/// connection: none is begun within five seconds of the end of the permit's time. `turn` is asked right before it, and as that
/// may take its time too, the clock is looked at once more behind it.
pub async fn apply<F>(client: &Client, permit: Permit, until: Instant, turn: impl Fn(Turn) -> F) -> Applied
where
    F: Future<Output = Go>,
{
    let permitted = permit.consume();
    let target = &permitted.target;
    for attempt in 1..=MOST_ATTEMPTS {
        let object = match client.read_object(target).await {
            Ok(object) => object,
            Err(error) => return Applied::Refused { fault: error.fault() },
        };
        let moved = moved(&permitted.facts, &object);
        if !moved.is_empty() {
            return Applied::Conflict { moved };
        }
        let is_late = || is_late(until.saturating_duration_since(Instant::now()), client.timeouts.connect);
        if is_late() {
            return Applied::Refused { fault: too_late() };
        }
        if turn(Turn::Leaves).await == Go::Back {
            return Applied::CalledBack;
        }
        if is_late() {
            return Applied::Refused { fault: too_late() };
        }
        match send_once(client, &permitted, &object).await {
            Ok(after) => {
                let generation = generation(&after);
                return Applied::Done { generation, diff: field::difference(&object, &after), attempts: attempt };
            }
            Err(error) if matches!(error.problem, Problem::Conflict(_)) => {
                if turn(Turn::CameBack).await == Go::Back {
                    return Applied::CalledBack;
                }
            }
            Err(error) => return lost_or_refused(&error),
        }
    }
    Applied::Conflict { moved: vec![format!("others wrote in between {MOST_ATTEMPTS} times")] }
}

/// Whether too little of a permit's time is left for a request to begin.
fn is_late(left: Duration, connect: Duration) -> bool {
    left <= connect.min(MARGIN)
}

fn too_late() -> Fault {
    Fault::new(FaultKind::Rejected, "The approval was at its end before the request could leave; nothing was changed.")
        .cause("Within its last seconds no request is begun: one may have to wait for a connection.")
        .hint("Rehearse the step again with d and approve it again.")
}

async fn send_once(client: &Client, permitted: &Permitted, object: &Value) -> Result<Value, KubeError> {
    let Permitted { target, request, .. } = permitted;
    let unbuildable =
        || KubeError::new(&patching(target), Problem::Unbuildable("no place for a precondition".to_owned()));
    let version = object.pointer("/metadata/resourceVersion").and_then(Value::as_str).ok_or_else(unbuildable)?;
    let body = with_precondition(request, version).ok_or_else(unbuildable)?;
    client.send(target, request, (&[("fieldManager", FIELD_MANAGER), STRICT], body)).await
}

/// A refusal leaves the world as it was; a lost answer leaves it unknown.
fn lost_or_refused(error: &KubeError) -> Applied {
    let fault = error.fault();
    match &error.problem {
        Problem::Unauthorized(_)
        | Problem::CredentialProgram(_)
        | Problem::Denied(_)
        | Problem::NotFound(_)
        | Problem::Conflict(_)
        | Problem::Gone(_)
        | Problem::Throttled(_)
        | Problem::Rejected { .. }
        | Problem::Unbuildable(_) => Applied::Refused { fault },
        // A connection that broke may have broken after the server had read the request.
        Problem::Unavailable { .. }
        | Problem::TimedOut(_)
        | Problem::Unreachable(_)
        | Problem::Cut(_)
        | Problem::Malformed(_) => Applied::Unknown { fault },
    }
}

/// The approved bytes, unchanged, with `metadata.resourceVersion` spliced in at the front.
/// `None` for a body that has a `metadata` of its own, or is not what its patch type asks for.
fn with_precondition(request: &Request, version: &str) -> Option<String> {
    let version = Value::from(version);
    let body = request.exact();
    match (request.patch, serde_json::from_str::<Value>(body).ok()?) {
        (PatchType::StrategicMerge | PatchType::Merge, Value::Object(fields)) => {
            let rest = body.strip_prefix('{')?;
            let comma = if fields.is_empty() { "" } else { "," };
            (!fields.contains_key("metadata"))
                .then(|| format!("{{\"metadata\":{{\"resourceVersion\":{version}}}{comma}{rest}"))
        }
        // `replace`, not `test`: a stale version then answers 409, while a failed test answers 422.
        (PatchType::Json, Value::Array(operations)) => {
            let rest = body.strip_prefix('[')?;
            let comma = if operations.is_empty() { "" } else { "," };
            Some(format!(
                "[{{\"op\":\"replace\",\"path\":\"/metadata/resourceVersion\",\"value\":{version}}}{comma}{rest}"
            ))
        }
        _ => None,
    }
}

/// What of the target no longer is as it was approved.
fn moved(facts: &TargetFacts, object: &Value) -> Vec<String> {
    let mut moved = Vec::new();
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    if uid != facts.uid {
        moved.push("the object was deleted and made anew (uid)".to_owned());
    }
    let now = generation(object);
    if now != facts.generation {
        moved.push(format!("generation {} -> {now}", facts.generation));
    }
    for (path, before) in &facts.fields {
        let after = field::canonical(object, path);
        if after != *before {
            moved.push(format!("{path} {before} -> {after}"));
        }
    }
    moved
}

/// The facts that an approval of this action binds to.
pub(super) fn facts(action: &Action, object: &Value) -> TargetFacts {
    let mut paths = vec!["spec.replicas".to_owned(), "spec.paused".to_owned()];
    match action {
        Action::RolloutRestart => {
            paths.push(format!("spec.template.metadata.annotations[\"{RESTARTED_AT}\"]"));
        }
        Action::SetResources { container, .. } => {
            paths.push(format!("spec.template.spec.containers[name={container}].resources"));
        }
        Action::RolloutUndo { .. } => {
            paths.push(format!("metadata.annotations[\"{}\"]", super::map::REVISION));
        }
        Action::Scale { .. } => {}
    }
    let fields = paths.into_iter().map(|path| (path.clone(), field::canonical(object, &path))).collect();
    let uid = object.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default().to_owned();
    TargetFacts { uid, generation: generation(object), fields }
}

fn generation(object: &Value) -> i64 {
    object.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default()
}

fn patching(target: &WorkloadRef) -> Doing {
    Resource::of(target.kind).doing("patch", Some(&target.namespace), Some(&target.name))
}

/// The path of a request must be that of its target: a permit for one object can never reach another.
fn check_path(target: &WorkloadRef, request: &Request, doing: &Doing) -> Result<(), KubeError> {
    check_name(&target.name, doing)?;
    check_name(target.namespace.as_str(), doing)?;
    let expected = format!("{}/{}", Resource::of(target.kind).path(Some(&target.namespace)), target.name);
    if request.path == expected {
        Ok(())
    } else {
        let problem = Problem::Unbuildable("the request aims at another object than the step".to_owned());
        Err(KubeError::new(doing, problem))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(patch: PatchType, body: &str) -> Request {
        Request::new(String::new(), patch, body.to_owned())
    }

    #[test]
    fn the_precondition_leaves_the_approved_bytes_as_they_are() {
        let merge = request(PatchType::StrategicMerge, r#"{"spec":{"replicas":3}}"#);
        let sent = with_precondition(&merge, "812").unwrap();
        assert_eq!(sent, r#"{"metadata":{"resourceVersion":"812"},"spec":{"replicas":3}}"#);
        let json = request(PatchType::Json, r#"[{"op":"remove","path":"/x"}]"#);
        let sent = with_precondition(&json, "812").unwrap();
        assert!(sent.ends_with(r#",{"op":"remove","path":"/x"}]"#), "{sent}");
        for request in [merge, json, request(PatchType::Merge, "{}"), request(PatchType::Json, "[]")] {
            let sent = with_precondition(&request, "a\"b").unwrap();
            serde_json::from_str::<Value>(&sent).unwrap();
        }
        assert_eq!(with_precondition(&request(PatchType::Merge, r#"{"metadata":{}}"#), "1"), None);
        assert_eq!(with_precondition(&request(PatchType::Merge, "[]"), "1"), None);
        assert_eq!(with_precondition(&request(PatchType::Json, "{}"), "1"), None);
    }

    /// A time-out that is longer than a permit lasts must not refuse every request.
    #[test]
    fn a_request_is_late_near_the_end_of_its_permit_however_long_a_connection_may_take() {
        for (left, connect, expected) in
            [(10, 60, false), (6, 600, false), (5, 60, true), (4, 5, true), (4, 2, false), (2, 2, true), (0, 1, true)]
        {
            let [given, allowed] = [left, connect].map(Duration::from_secs);
            assert_eq!(is_late(given, allowed), expected, "{left} s left, {connect} s to connect");
        }
    }

    #[test]
    fn facts_move_with_what_the_step_depends_on_and_nothing_else() {
        let object = json!({
            "metadata": { "uid": "u", "generation": 41, "resourceVersion": "1" },
            "spec": { "replicas": 6, "template": { "spec": { "containers": [
                { "name": "app", "resources": { "limits": { "memory": "512Mi" } } }, { "name": "other" },
            ] } } },
            "status": { "readyReplicas": 6 },
        });
        let action = Action::SetResources { container: "app".into(), memory_limit: 1 << 30, was: None };
        let facts = facts(&action, &object);
        let check = |change: fn(&mut Value)| {
            let mut other = object.clone();
            change(&mut other);
            moved(&facts, &other)
        };
        assert_eq!(check(|_| ()), [""; 0]);
        assert_eq!(check(|o| o["status"]["readyReplicas"] = json!(1)), [""; 0]);
        assert_eq!(check(|o| o["metadata"]["resourceVersion"] = json!("9")), [""; 0]);
        assert_eq!(check(|o| o["metadata"]["generation"] = json!(42)), ["generation 41 -> 42"]);
        assert_eq!(check(|o| o["spec"]["replicas"] = json!(5)), ["spec.replicas 6 -> 5"]);
        assert_eq!(check(|o| o["metadata"]["uid"] = json!("v")).len(), 1);
        let limit = "/spec/template/spec/containers/0/resources/limits/memory";
        let mut other = object.clone();
        *other.pointer_mut(limit).unwrap() = json!("1Gi");
        assert_eq!(moved(&facts, &other).len(), 1);
    }
}
