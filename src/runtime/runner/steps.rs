//! Steps against the cluster: rehearse, execute, look again.

use jiff::Timestamp;
use tokio::time::Instant;

use super::Means;
use crate::adapters::kubernetes::{self, Applied, apply};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::remediation::gate::Permit;
use crate::domain::remediation::step::{Check, Rehearsal, RehearsalOutcome, Step};
use crate::domain::remediation::trace::{may_still_arrive, trace};
use crate::session::IncidentId;
use crate::session::event::{Event, Execution, RemediationEvent, SessionEvent};

async fn tell(means: &Means, incident: IncidentId, event: RemediationEvent) {
    means.post.tell(Some(incident), Event::Remediation(event)).await;
}

/// Rehearses a step: the same request with `dryRun=All`, and the checks around it.
pub async fn rehearse(means: Means, incident: IncidentId, step: Step) {
    let at = means.clock.now();
    let rehearsal = match means.outside.cluster().await {
        Ok(client) => kubernetes::rehearse(client, (&step).into(), at).await,
        Err(fault) => Rehearsal {
            outcome: RehearsalOutcome::NotRehearsable { fault },
            at,
            request: None,
            facts: None,
            diff: Vec::new(),
            checks: Vec::new(),
            blast: "unknown: the cluster could not be asked".to_owned(),
            undo: step.action.undo(None),
        },
    };
    let event = RemediationEvent::StepRehearsed { step: step.id, rehearsal: Box::new(rehearsal), digest: None };
    tell(&means, incident, event).await;
}

/// Sends the approved request, until then, unless a check says by now that it must not run. The permit is used up whatever
/// happens.
pub async fn execute(means: Means, (incident, step): (IncidentId, Step), (permit, until): (Permit, Instant)) {
    let execution = match means.outside.cluster().await {
        Err(fault) => Execution::NotApplied { fault },
        Ok(client) => match kubernetes::fails_by_now(client, &step).await {
            Some(check) => Execution::NotApplied { fault: forbidden_by(&check) },
            None => executed(apply(client, permit, until).await),
        },
    };
    tell(&means, incident, RemediationEvent::StepFinished { step: step.id, execution }).await;
}

fn forbidden_by(check: &Check) -> Fault {
    let Check { name, text, .. } = check;
    Fault::new(FaultKind::Conflict, format!("The check \"{name}\" fails by now; nothing was sent."))
        .cause(text.clone())
        .hint("Rehearse the step again with d: what stands in its way is shown there.")
}

fn executed(applied: Applied) -> Execution {
    match applied {
        Applied::Done { generation, .. } => Execution::Applied { generation },
        Applied::Refused { fault } => Execution::NotApplied { fault },
        Applied::Unknown { fault } => Execution::Unknown { fault },
        Applied::Conflict { moved } => Execution::NotApplied {
            fault: Fault::new(FaultKind::Conflict, "The target is no longer what was approved; nothing was sent.")
                .cause(moved.join("; "))
                .hint("Rehearse the step again with d: the new facts need a new approval."),
        },
    }
}

/// Looks whether a step whose end is unknown has run, whose request left then by the clock of AWS. Reads only. What may still
/// be under way is not settled.
pub async fn look(means: Means, incident: IncidentId, (step, left_at): (Step, Option<Timestamp>)) {
    let read = match means.outside.cluster().await {
        Ok(client) => client.read_workload(&step.target).await.map_err(|error| error.fault()),
        Err(fault) => Err(fault),
    };
    match read {
        Ok(workload) => {
            let (trace, found) = trace(&step, &workload);
            let since = left_at.map(|at| means.now_at_aws().duration_since(at));
            if since.is_some_and(|since| may_still_arrive(trace, since)) {
                let fault = Fault::new(FaultKind::Timeout, format!("{} is not settled: {found}, so far.", step.id))
                    .cause("Its request left less than a minute ago and may still be on its way.")
                    .hint("Look again with d in a minute.");
                means.post.tell(Some(incident), Event::Session(SessionEvent::Faulted { fault })).await;
                return;
            }
            tell(&means, incident, RemediationEvent::UncertaintySettled { step: step.id, found, trace }).await;
        }
        // Nothing seen settles nothing: the step stays uncertain.
        Err(fault) => means.post.tell(Some(incident), Event::Session(SessionEvent::Faulted { fault })).await,
    }
}
