//! Kubernetes at the wire: the exact requests of a rehearsal and of a write, races, refusals, lost answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use pagerdeck::adapters::install_tls_provider;
use pagerdeck::adapters::kubernetes::connect::{Source, connect};
use pagerdeck::adapters::kubernetes::{Access, Applied, Client, Go, Timeouts, Turn, apply, rehearse};
use pagerdeck::domain::diagnosis::sufficiency::{RemedyKind, RemedyOffer, Sufficiency};
use pagerdeck::domain::diagnosis::verdict::Confidence;
use pagerdeck::domain::fault::FaultKind;
use pagerdeck::domain::observation::scope::Scope;
use pagerdeck::domain::observation::workload::{WorkloadKind, WorkloadRef};
use pagerdeck::domain::remediation::approval::Approval;
use pagerdeck::domain::remediation::gate::{Admission, GateReport, Permit, Purpose, Share, StandsOn, admit};
use pagerdeck::domain::remediation::policy::{Confirm, LiveRule, Policy};
use pagerdeck::domain::remediation::request::{Bound, Mode};
use pagerdeck::domain::remediation::step::{Action, Rehearsal, RehearsalOutcome, Step, StepId, StepState};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::rehearsal_checks::intent;
use crate::wire_server::{Reply, Seen, Server};

mod changes;
mod racing;
mod rechecked;
mod watch;

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/payments/deployments/my-api";

fn at() -> Timestamp {
    "2026-05-01T09:32:50.5Z".parse().unwrap()
}

pub fn target() -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".into() }
}

async fn client(server: &Server) -> Client {
    connect_to(&server.url).await
}

pub async fn connect_to(url: &str) -> Client {
    install_tls_provider();
    let source =
        Source::Rehearsal { url: url.to_owned(), cluster: "eks-prod".into(), context: "eks-prod".into(), names: None };
    let timeouts = Timeouts {
        connect: Duration::from_secs(5),
        answer: Duration::from_millis(500),
        watch: Duration::from_secs(2),
        watch_grace: Duration::from_millis(500),
    };
    connect(source, timeouts).await.unwrap().client
}

fn deployment(version: u32, generation: i64) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "my-api", "namespace": "payments", "uid": "u-1", "generation": generation,
            "resourceVersion": version.to_string(), "annotations": { "deployment.kubernetes.io/revision": "41" },
        },
        "spec": {
            "replicas": 6, "selector": { "matchLabels": { "app": "my-api" } },
            "template": {
                "metadata": { "labels": { "app": "my-api" } },
                "spec": { "containers": [{ "name": "app", "image": "repo/my-api:1.4.2" }] },
            },
        },
        "status": { "observedGeneration": generation, "replicas": 6, "updatedReplicas": 6, "availableReplicas": 6 },
    })
}

fn restarted(version: u32) -> Value {
    let mut object = deployment(version, 42);
    object["spec"]["template"]["metadata"]["annotations"] =
        json!({ "kubectl.kubernetes.io/restartedAt": "2026-05-01T09:32:50Z" });
    object
}

fn status(code: u16, reason: &str, message: &str) -> Reply {
    let body = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message });
    Reply::Json(code, body)
}

fn list(kind: &str, api: &str, items: &Value) -> Value {
    json!({ "kind": format!("{kind}List"), "apiVersion": api, "metadata": { "resourceVersion": "100" }, "items": items })
}

fn kind_of(path: &str) -> Option<(&'static str, &'static str)> {
    let resource = path.rsplit('/').next()?;
    Some(match resource {
        "deployments" => ("Deployment", "apps/v1"),
        "statefulsets" => ("StatefulSet", "apps/v1"),
        "daemonsets" => ("DaemonSet", "apps/v1"),
        "replicasets" => ("ReplicaSet", "apps/v1"),
        "controllerrevisions" => ("ControllerRevision", "apps/v1"),
        "pods" => ("Pod", "v1"),
        "events" => ("Event", "v1"),
        "nodes" => ("Node", "v1"),
        "resourcequotas" => ("ResourceQuota", "v1"),
        "limitranges" => ("LimitRange", "v1"),
        "poddisruptionbudgets" => ("PodDisruptionBudget", "policy/v1"),
        "horizontalpodautoscalers" => ("HorizontalPodAutoscaler", "autoscaling/v2"),
        _ => return None,
    })
}

/// A calm cluster: the deployment is there, everything may be asked, all listings are empty.
fn calm(seen: &Seen) -> Reply {
    if seen.path.ends_with("selfsubjectaccessreviews") {
        return Reply::Json(201, json!({ "status": { "allowed": true } }));
    }
    if seen.path == DEPLOYMENT {
        return Reply::Json(200, if seen.method == "PATCH" { restarted(100) } else { deployment(100, 41) });
    }
    match kind_of(&seen.path) {
        Some((kind, api)) => Reply::Json(200, list(kind, api, &json!([]))),
        None => status(404, "NotFound", "no such path"),
    }
}

/// A permit for a rehearsed step, made by the gate as the outbox would.
fn permit(action: Action, rehearsal: Rehearsal) -> Permit {
    permit_of((action, target()), rehearsal)
}

/// The same for a step on any target.
pub fn permit_of((action, target): (Action, WorkloadRef), rehearsal: Rehearsal) -> Permit {
    let rule = LiveRule {
        account: "123456789012".into(),
        cluster: "eks-prod".into(),
        namespaces: vec!["payments".into()],
        actions: vec![RemedyKind::RolloutRestart],
        confirm: Confirm::Key,
    };
    let policy = Policy { live: vec![rule], ..Policy::default() };
    let scope = Scope { account: Some("123456789012".into()), cluster: Some("eks-prod".into()), ..Scope::default() };
    let gate = GateReport {
        stands_on: StandsOn::Rules,
        confidence: Confidence::new(0.9),
        needed: Confidence::new(0.75),
        evidence: Share::default(),
        claims: Share::default(),
        oldest: None,
        at: at(),
        refusals: Vec::new(),
    };
    let mut step = Step { state: StepState::Approved, ..Step::new(StepId(1), action, target) };
    let text = step.text();
    let (request, facts) = (rehearsal.request.clone().unwrap(), rehearsal.facts.clone().unwrap());
    let bound =
        Bound { text: &text, request: &request, facts: &facts, scope: &scope, mode: Mode::Live, policy: &policy };
    let digest = bound.digest();
    (step.rehearsal, step.digest) = (Some(rehearsal), Some(digest.clone()));
    let minute = jiff::SignedDuration::from_mins(1);
    let approval = Approval { step: step.id, digest, confirm: Confirm::Key, expires_at: at() + minute, seq: 1 };
    let offers =
        [RemedyOffer { remedy: step.action.kind(), sufficiency: Sufficiency::Sufficient { why: String::new() } }];
    let admission = Admission {
        mode: Mode::Live,
        scope: &scope,
        policy: &policy,
        gate: &gate,
        offers: &offers,
        purpose: Purpose::Remedy,
        step: &step,
        approval: &approval,
        durable_seq: 1,
        now: at(),
    };
    admit(admission).unwrap()
}

async fn rehearsed(server: &Server) -> (Client, Rehearsal) {
    let client = client(server).await;
    let rehearsal = rehearse(&client, intent(&Action::RolloutRestart, &target()), at()).await;
    (client, rehearsal)
}

#[tokio::test]
async fn a_write_sends_the_very_bytes_of_its_rehearsal() {
    let server = Server::start(calm).await;
    let (client, rehearsal) = rehearsed(&server).await;
    assert_eq!(rehearsal.outcome, RehearsalOutcome::Rehearsed);
    let body = rehearsal.request.clone().unwrap().exact().to_owned();
    let [dry] = server.seen_by("PATCH").try_into().unwrap();
    assert_eq!(dry.query, "dryRun=All&fieldManager=pagerdeck&fieldValidation=Strict");
    assert_eq!((dry.path.as_str(), dry.body.as_str()), (DEPLOYMENT, body.as_str()));
    assert_eq!(dry.content_type, "application/strategic-merge-patch+json");
    let told: Vec<_> = rehearsal.diff.iter().map(|change| (change.path.as_str(), change.after.as_deref())).collect();
    let path = "spec.template.metadata.annotations[\"kubectl.kubernetes.io/restartedAt\"]";
    assert_eq!(told, [(path, Some("\"2026-05-01T09:32:50Z\""))]);

    let applied = apply(&client, permit(Action::RolloutRestart, rehearsal), in_time(), on).await;
    assert!(matches!(applied, Applied::Done { generation: 42, attempts: 1, .. }), "{applied:?}");
    let real = server.seen_by("PATCH").remove(1);
    assert_eq!(real.query, "fieldManager=pagerdeck&fieldValidation=Strict", "and no dryRun");
    assert_eq!(real.body, format!("{{\"metadata\":{{\"resourceVersion\":\"100\"}},{}", &body[1..]));
    assert_eq!((real.path, real.content_type), (dry.path, dry.content_type));
}

#[tokio::test]
async fn a_rehearsal_changes_nothing_whatever_it_asks() {
    let server = Server::start(calm).await;
    let (_, rehearsal) = rehearsed(&server).await;
    let names: Vec<&str> = rehearsal.checks.iter().map(|check| check.name.as_str()).collect();
    let checks =
        ["target exists", "access", "disruption budget", "autoscaler", "quota", "limit range", "node headroom"];
    for name in checks.into_iter().chain(["ownership"]) {
        assert!(names.contains(&name), "{names:?}");
    }
    for seen in server.seen() {
        let reads = seen.method == "GET";
        let reviews = seen.method == "POST" && seen.path.ends_with("selfsubjectaccessreviews");
        let dry = seen.method == "PATCH" && seen.query.split('&').any(|pair| pair == "dryRun=All");
        assert!(reads || reviews || dry, "{seen:?}");
    }
}

#[tokio::test]
async fn a_request_that_changes_nothing_may_not_run() {
    let unmoved = |seen: &Seen| if seen.method == "PATCH" { Reply::Json(200, deployment(100, 41)) } else { calm(seen) };
    let (_, rehearsal) = rehearsed(&Server::start(unmoved).await).await;
    assert_eq!((rehearsal.outcome.word(), rehearsal.diff.len()), ("rehearsed", 0));
    assert_eq!(rehearsal.failed_check().map(|check| check.name.as_str()), Some("changes something"));
}

#[tokio::test]
async fn a_rehearsal_says_what_the_server_said() {
    type Case = (u16, &'static str, &'static str);
    let cases: [Case; 6] = [
        // The review allowed it: such a 403 is admission's word, not a want of access.
        (403, "Forbidden", "refused"),
        (404, "NotFound", "refused"),
        (422, "Invalid", "refused"),
        (400, "BadRequest", "not-rehearsable"),
        (503, "ServiceUnavailable", "not-rehearsable"),
        (401, "Unauthorized", "not-rehearsable"),
    ];
    for (code, reason, expected) in cases {
        let script =
            move |seen: &Seen| if seen.method == "PATCH" { status(code, reason, "said so") } else { calm(seen) };
        let server = Server::start(script).await;
        let (_, rehearsal) = rehearsed(&server).await;
        assert_eq!(rehearsal.outcome.word(), expected, "{code}");
        assert!(rehearsal.diff.is_empty());
    }
    let gone = Server::start(|_: &Seen| status(404, "NotFound", "gone")).await;
    let (_, rehearsal) = rehearsed(&gone).await;
    assert_eq!((rehearsal.outcome.word(), rehearsal.request), ("refused", None));
    assert!(gone.seen_by("PATCH").is_empty());
}

#[tokio::test]
async fn a_patch_that_the_review_denies_is_forbidden() {
    let script = |seen: &Seen| match seen {
        seen if seen.method == "PATCH" => status(403, "Forbidden", "said so"),
        seen if seen.path.ends_with("selfsubjectaccessreviews") => {
            Reply::Json(201, json!({ "status": { "allowed": false } }))
        }
        seen => calm(seen),
    };
    let server = Server::start(script).await;
    let (_, rehearsal) = rehearsed(&server).await;
    assert_eq!(rehearsal.outcome.word(), "forbidden");
}

#[tokio::test]
async fn what_may_not_be_looked_at_is_unknown_and_never_ok() {
    let script = |seen: &Seen| match kind_of(&seen.path) {
        Some(_) => status(403, "Forbidden", "cannot list"),
        None => calm(seen),
    };
    let server = Server::start(script).await;
    let (_, rehearsal) = rehearsed(&server).await;
    for name in ["disruption budget", "autoscaler", "quota", "limit range", "node headroom"] {
        let check = rehearsal.checks.iter().find(|check| check.name == name).unwrap();
        assert!(check.text.starts_with("could not check: this credential may not list"), "{check:?}");
    }
    assert!(rehearsal.undo.contains("could not check"), "{}", rehearsal.undo);
}

fn in_time() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

/// Nobody calls it back.
fn on(_: Turn) -> std::future::Ready<Go> {
    std::future::ready(Go::On)
}

#[tokio::test]
async fn an_undo_puts_back_the_template_of_the_revision() {
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": "my-api-6c5d", "namespace": "payments", "annotations": { "deployment.kubernetes.io/revision": "40" },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "my-api", "uid": "u-1", "controller": true }],
        },
        "spec": { "selector": {}, "template": {
            "metadata": { "labels": { "app": "my-api", "pod-template-hash": "6c5d" } },
            "spec": { "containers": [{ "name": "app", "image": "repo/my-api:1.4.1", "fieldOfALaterApi": 1 }] },
        } },
    });
    let script = move |seen: &Seen| match seen.path.rsplit('/').next() {
        Some("replicasets") => Reply::Json(200, list("ReplicaSet", "apps/v1", &json!([set]))),
        Some("my-api-6c5d") => Reply::Json(200, set.clone()),
        _ => calm(seen),
    };
    let server = Server::start(script).await;
    let client = client(&server).await;
    let rehearsal = rehearse(&client, intent(&Action::RolloutUndo { to_revision: 40 }, &target()), at()).await;
    assert_eq!(rehearsal.outcome, RehearsalOutcome::Rehearsed);
    let [dry] = server.seen_by("PATCH").try_into().unwrap();
    assert_eq!(dry.content_type, "application/json-patch+json");
    let body: Value = serde_json::from_str(&dry.body).unwrap();
    assert_eq!(body[0]["path"], "/spec/template");
    assert_eq!(body[0]["value"]["metadata"]["labels"], json!({ "app": "my-api" }), "the hash is not ours to set");
    assert_eq!(body[0]["value"]["spec"]["containers"][0]["fieldOfALaterApi"], 1, "nothing is lost on the way");
    let lost = rehearse(&client, intent(&Action::RolloutUndo { to_revision: 12 }, &target()), at()).await;
    let RehearsalOutcome::NotRehearsable { fault } = lost.outcome else { panic!("{:?}", lost.outcome) };
    assert_eq!(fault.hints, ["Revisions there are: 40."]);
}

#[tokio::test]
async fn each_answer_has_its_class() {
    let cases: [(fn() -> Reply, FaultKind); 10] = [
        (|| status(401, "Unauthorized", "token expired"), FaultKind::Credentials),
        (|| status(403, "Forbidden", "cannot get"), FaultKind::Denied),
        (|| status(404, "NotFound", "not found"), FaultKind::NotFound),
        (|| status(410, "Expired", "too old"), FaultKind::Cut),
        (|| status(429, "TooManyRequests", "slow"), FaultKind::Throttled),
        (|| status(500, "InternalError", "etcd"), FaultKind::Unavailable),
        (|| Reply::Text(503, "upstream connect error"), FaultKind::Unavailable),
        (|| Reply::Text(403, "<html>proxy</html>"), FaultKind::Denied),
        (|| Reply::Text(200, "<html>captive portal</html>"), FaultKind::Malformed),
        (|| Reply::Silence, FaultKind::Timeout),
    ];
    for (reply, kind) in cases {
        let server = Server::start(move |_| reply()).await;
        let error = client(&server).await.read_workload(&target()).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.fault().summary.contains("get deployments/my-api in payments"), "{error}");
        assert_eq!(server.seen().len(), 1, "nothing is retried: {error}");
    }
    let nobody = connect_to("http://127.0.0.1:1").await.read_workload(&target()).await.unwrap_err();
    assert_eq!(nobody.kind(), FaultKind::Unreachable);
    let denied = Server::start(|_: &Seen| status(403, "Forbidden", "no")).await;
    let error = client(&denied).await.read_workload(&target()).await.unwrap_err();
    let hint = "Needs verb `get` on `deployments` (apiGroup apps) in a Role in namespace payments.";
    assert!(error.fault().hints.iter().any(|text| text == hint), "{error}");
}

#[tokio::test]
async fn a_name_that_is_none_never_reaches_the_wire() {
    let server = Server::start(calm).await;
    let client = client(&server).await;
    for name in ["../secrets/token", "a/b", "a?x=1", "", "UPPER", "a%2fb", "a..b"] {
        let odd = WorkloadRef { name: name.into(), ..target() };
        assert_eq!(client.read_workload(&odd).await.unwrap_err().kind(), FaultKind::Internal, "{name}");
    }
    let odd = WorkloadRef { namespace: "payments/../kube-system".into(), ..target() };
    assert_eq!(client.read_workload(&odd).await.unwrap_err().kind(), FaultKind::Internal);
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_review_asks_for_the_very_step() {
    let server = Server::start(|_: &Seen| {
        Reply::Json(201, json!({ "status": { "allowed": false, "reason": "RBAC: \u{1b}[31mno" } }))
    })
    .await;
    let access = client(&server).await.may_patch(&target()).await.unwrap();
    let Access::Denied { reason } = access else { panic!("{access:?}") };
    assert!(!reason.contains('\u{1b}'), "{reason}");
    let body: Value = serde_json::from_str(&server.seen()[0].body).unwrap();
    let asked = json!({ "verb": "patch", "group": "apps", "resource": "deployments", "namespace": "payments", "name": "my-api" });
    assert_eq!(body["spec"]["resourceAttributes"], asked);
}

fn pod(name: &str, version: u32) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "name": name, "namespace": "payments", "resourceVersion": version.to_string(),
            "labels": { "app": "my-api", "pod-template-hash": "7d9f" },
            "ownerReferences": [{ "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "my-api-7d9f", "uid": "u", "controller": true }],
        },
        "spec": { "containers": [] }, "status": { "phase": "Running" },
    })
}

#[tokio::test]
async fn a_listing_is_followed_to_its_last_page() {
    let script = |seen: &Seen| {
        if !seen.path.ends_with("/pods") {
            return calm(seen);
        }
        let (name, token) = if seen.query.contains("continue=a%2Fb%3D") { ("p2", "") } else { ("p1", "a/b=") };
        let mut page = list("Pod", "v1", &json!([pod(name, 1)]));
        page["metadata"]["continue"] = json!(token);
        Reply::Json(200, page)
    };
    let server = Server::start(script).await;
    let client = client(&server).await;
    let workload = client.read_workload(&target()).await.unwrap();
    let names: Vec<String> = client.read_pods(&workload).await.unwrap().into_iter().map(|pod| pod.name).collect();
    assert_eq!(names, ["p1", "p2"]);
    let query = server.seen().last().unwrap().query.clone();
    assert!(query.starts_with("labelSelector=app%3Dmy-api&limit="), "{query}");
}
