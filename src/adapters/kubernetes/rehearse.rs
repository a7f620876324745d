//! Rehearses a step: reads the target, fixes the exact request, sends it with `dryRun=All`, tells the difference, and
//! checks what a dry run does not. Changes nothing and needs no permit.

use jiff::Timestamp;
use serde_json::Value;

use super::call::{Client, Resource};
use super::checks;
use super::fault::{KubeError, Problem};
use super::field;
use super::map;
use super::patch;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::workload::{Revision, Workload, WorkloadKind, WorkloadRef};
use crate::domain::remediation::gate::Purpose;
use crate::domain::remediation::request::{self, Request};
use crate::domain::remediation::step::{Action, Check, CheckState, PlannedOn, Rehearsal, RehearsalOutcome, Step};

/// What is rehearsed.
#[derive(Clone, Copy, Debug)]
pub struct Intent<'a> {
    /// The action.
    pub action: &'a Action,
    /// On what.
    pub target: &'a WorkloadRef,
    /// What it is for.
    pub purpose: Purpose,
    /// The object of the evidence that it was planned on.
    pub planned_on: Option<&'a PlannedOn>,
}

impl<'a> Intent<'a> {
    /// The intent of a step.
    pub fn of(step: &'a Step, purpose: Purpose) -> Self {
        Self { action: &step.action, target: &step.target, purpose, planned_on: step.planned_on.as_ref() }
    }
}

/// Rehearses an action on a target. `at` is incident time: it stamps the rehearsal and a restart's annotation.
pub async fn rehearse(client: &Client, intent: Intent<'_>, at: Timestamp) -> Rehearsal {
    let Intent { action, target, purpose, planned_on } = intent;
    let mut rehearsal = Rehearsal {
        outcome: RehearsalOutcome::LocalOnly { why: "the server was not asked".to_owned() },
        at,
        request: None,
        facts: None,
        diff: Vec::new(),
        checks: Vec::new(),
        blast: String::new(),
        undo: String::new(),
    };
    let before = match client.read_object(target).await {
        Ok(object) => object,
        Err(error) => {
            rehearsal.checks.push(checks::target_unread(&error));
            rehearsal.outcome = refused(&error);
            return rehearsal;
        }
    };
    let workload = match workload(target.kind, &before) {
        Ok(workload) => workload,
        Err(fault) => return Rehearsal { outcome: RehearsalOutcome::NotRehearsable { fault }, ..rehearsal },
    };
    let revisions = client.read_revisions(&workload).await;
    rehearsal.facts = Some(patch::facts(action, &before));
    rehearsal.blast = checks::blast(action, &workload);
    rehearsal.undo = undo_text(action, &workload, &revisions);
    let request = match fix_request(client, action, &workload, (&revisions, at)).await {
        Ok(request) => request,
        Err(fault) => return Rehearsal { outcome: RehearsalOutcome::NotRehearsable { fault }, ..rehearsal },
    };
    let put_back = request::template_put_back(&request);
    let subject =
        checks::Subject { action, purpose, workload: &workload, before: &before, put_back: put_back.as_ref() };
    let (previewed, mut found) = tokio::join!(client.preview(target, &request), checks::of_cluster(client, subject));
    rehearsal.checks = checks::of_target((action, planned_on), &workload, &before);
    rehearsal.checks.append(&mut found);
    rehearsal.request = Some(request);
    match previewed {
        Ok(after) => {
            rehearsal.diff = field::difference(&before, &after);
            if rehearsal.diff.is_empty() {
                rehearsal.checks.push(checks::changes_nothing());
            }
            rehearsal.outcome = RehearsalOutcome::Rehearsed;
        }
        Err(error) if is_allowed(&rehearsal.checks) => rehearsal.outcome = refused_though_allowed(&error),
        Err(error) => rehearsal.outcome = refused(&error),
    }
    rehearsal
}

/// Looks at the checks once more, right before the request of a step leaves: a quota or an autoscaler may have come since
/// they were shown, and the server would take the request all the same. Gives the check that fails by now; what cannot be
/// read forbids nothing here, as it did not on the card.
pub async fn fails_by_now(client: &Client, step: &Step, purpose: Purpose) -> Option<Check> {
    let Step { action, target, planned_on, rehearsal, .. } = step;
    let before = client.read_object(target).await.ok()?;
    let workload = workload(target.kind, &before).ok()?;
    let request = rehearsal.as_ref().and_then(|rehearsal| rehearsal.request.as_ref());
    let put_back = request.and_then(request::template_put_back);
    let subject =
        checks::Subject { action, purpose, workload: &workload, before: &before, put_back: put_back.as_ref() };
    let mut found = checks::of_target((action, planned_on.as_ref()), &workload, &before);
    found.extend(checks::of_cluster(client, subject).await);
    found.into_iter().find(|check| check.state == CheckState::Failed)
}

/// Whether the access review said that this credential may do it.
fn is_allowed(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.name == checks::ACCESS && check.state == CheckState::Ok)
}

/// A 403 that is not for want of access: admission says no in the same status (webhooks, quota).
fn refused_though_allowed(error: &KubeError) -> RehearsalOutcome {
    let Problem::Denied(message) = &error.problem else { return refused(error) };
    let rejected = Problem::Rejected { code: 403, message: message.clone() };
    RehearsalOutcome::Refused { fault: KubeError { doing: error.doing.clone(), problem: rejected }.fault() }
}

/// What a failed call makes of a rehearsal: the server's own no is an answer, a lost answer is none.
fn refused(error: &KubeError) -> RehearsalOutcome {
    let fault = error.fault();
    match &error.problem {
        Problem::Denied(_) => RehearsalOutcome::Forbidden { fault },
        // 400 is also how the server says that a webhook does not declare its side effects and so cannot be rehearsed.
        Problem::Rejected { code: 400, .. } => {
            let hint = "An admission webhook that does not declare `sideEffects: None` cannot take part in a dry run.";
            RehearsalOutcome::NotRehearsable { fault: fault.hint(hint) }
        }
        Problem::NotFound(_) | Problem::Conflict(_) | Problem::Rejected { .. } => RehearsalOutcome::Refused { fault },
        Problem::Unauthorized(_)
        | Problem::CredentialProgram(_)
        | Problem::Gone(_)
        | Problem::Throttled(_)
        | Problem::Unavailable { .. }
        | Problem::TimedOut(_)
        | Problem::Unreachable(_)
        | Problem::Cut(_)
        | Problem::Malformed(_)
        | Problem::Unbuildable(_) => RehearsalOutcome::NotRehearsable { fault },
    }
}

fn workload(kind: WorkloadKind, object: &Value) -> Result<Workload, Fault> {
    let read = match kind {
        WorkloadKind::Deployment => serde_json::from_value(object.clone()).map(|object| map::deployment(&object)),
        WorkloadKind::StatefulSet => serde_json::from_value(object.clone()).map(|object| map::stateful_set(&object)),
        WorkloadKind::DaemonSet => serde_json::from_value(object.clone()).map(|object| map::daemon_set(&object)),
    };
    read.map_err(|error| Fault::new(FaultKind::Malformed, "The target could not be read.").cause(error.to_string()))
}

async fn fix_request(
    client: &Client,
    action: &Action,
    workload: &Workload,
    (revisions, at): (&Result<Vec<Revision>, KubeError>, Timestamp),
) -> Result<Request, Fault> {
    let target = &workload.target;
    if let Some(request) = request::of_action(action, target, at) {
        return Ok(request);
    }
    let Action::RolloutUndo { to_revision } = action else {
        return Err(Fault::new(FaultKind::Internal, "There is no request for this action."));
    };
    if target.kind != WorkloadKind::Deployment {
        let why = format!("No rollback of a {} is made here.", target.kind.word());
        return Err(Fault::new(FaultKind::Usage, why).hint("`kubectl rollout undo` makes one."));
    }
    let revisions = revisions.as_ref().map_err(KubeError::fault)?;
    let revision = revisions.iter().find(|revision| revision.number == *to_revision).ok_or_else(|| {
        let kept: Vec<String> = revisions.iter().map(|revision| revision.number.to_string()).collect();
        Fault::new(FaultKind::NotFound, format!("Revision {to_revision} of {target} is not kept any more."))
            .hint(format!("Revisions there are: {}.", kept.join(", ")))
    })?;
    let set: Value = client
        .get(Resource::REPLICA_SETS, &target.namespace, &revision.replica_set)
        .await
        .map_err(|error| error.fault())?;
    let mut template = set.pointer("/spec/template").cloned().ok_or_else(|| {
        Fault::new(FaultKind::Malformed, format!("Revision {to_revision} of {target} has no pod template."))
    })?;
    // The hash names the replica set; the deployment's own template never has it.
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    Ok(request::undo(target, &template))
}

/// How the step is undone, and whether what that needs is there.
fn undo_text(action: &Action, workload: &Workload, revisions: &Result<Vec<Revision>, KubeError>) -> String {
    let text = action.undo(workload.revision);
    let needs_revision = match action {
        Action::RolloutRestart | Action::RolloutUndo { .. } => true,
        Action::SetResources { .. } | Action::Scale { .. } => false,
    };
    let (true, Some(number)) = (needs_revision, workload.revision) else { return text };
    match revisions {
        Ok(revisions) if revisions.iter().any(|revision| revision.number == number) => {
            format!("{text} (revision {number} exists)")
        }
        Ok(_) => format!("{text} (revision {number} was not found)"),
        Err(_) => format!("{text} (could not check whether revision {number} exists)"),
    }
}
