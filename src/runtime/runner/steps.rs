//! Steps against the cluster: rehearse, execute, look again.

use jiff::Timestamp;
use tokio::time::Instant;

use super::Means;
use crate::adapters::kubernetes::{self, Applied, Go, Intent, Turn, apply};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::remediation::gate::{Permit, Purpose};
use crate::domain::remediation::step::{Check, Rehearsal, RehearsalOutcome, Step, StepId};
use crate::domain::remediation::trace::{may_still_arrive, trace};
use crate::runtime::departure::Departure;
use crate::session::IncidentId;
use crate::session::event::{Event, Execution, RemediationEvent, SessionEvent};

async fn tell(means: &Means, incident: IncidentId, event: RemediationEvent) {
    means.post.tell(Some(incident), Event::Remediation(event)).await;
}

/// Rehearses a step: the same request with `dryRun=All`, and the checks around it.
pub async fn rehearse(means: Means, (incident, step, purpose): (IncidentId, Step, Purpose)) {
    let at = means.clock.now();
    let rehearsal = match means.outside.cluster().await {
        Ok(client) => kubernetes::rehearse(client, Intent::of(&step, purpose), at).await,
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

/// Sends the approved request, until then, unless a check says by now that it must not run, or it is called back before it
/// leaves. The permit is used up whatever happens.
pub async fn execute(
    means: Means,
    (incident, step, purpose): (IncidentId, Step, Purpose),
    (permit, until): (Permit, Instant),
    departure: Departure,
) {
    let way = (incident, step.id, &departure);
    let execution = match means.outside.cluster().await {
        Err(fault) => Some(Execution::NotApplied { fault }),
        Ok(client) => match kubernetes::fails_by_now(client, &step, purpose).await {
            Some(check) => Some(Execution::NotApplied { fault: forbidden_by(&check) }),
            None => executed(apply(client, permit, until, |turn| takes(&means, way, turn)).await, &departure),
        },
    };
    // Whoever calls it back tells so at once: nobody waits for an answer of the cluster to be told.
    if let Some(execution) = execution.filter(|_| departure.ends()) {
        tell(&means, incident, RemediationEvent::StepFinished { step: step.id, execution }).await;
    }
}

/// Takes a turn on the way of the request: whether it goes on is decided by its departure alone, and told before it does. What
/// nobody writes down any more is not sent.
async fn takes(means: &Means, (incident, step, departure): (IncidentId, StepId, &Departure), turn: Turn) -> Go {
    let event = match turn {
        Turn::Leaves if departure.leaves() => RemediationEvent::RequestLeft { step },
        Turn::CameBack if departure.came_back() => RemediationEvent::LookBegan { step },
        Turn::Leaves | Turn::CameBack => return Go::Back,
    };
    match (means.post.deliver(Some(incident), Event::Remediation(event)).await, turn) {
        (Ok(()), Turn::Leaves | Turn::CameBack) => Go::On,
        (Err(_), Turn::Leaves) => {
            // It is still here, and whoever ends the session says so.
            let _ = departure.came_back();
            Go::Back
        }
        (Err(_), Turn::CameBack) => Go::Back,
    }
}

fn forbidden_by(check: &Check) -> Fault {
    let Check { name, text, .. } = check;
    Fault::new(FaultKind::Conflict, format!("The check \"{name}\" fails by now; nothing was sent."))
        .cause(text.clone())
        .hint("Rehearse the step again with d: what stands in its way is shown there.")
}

/// The end of what was called back on its way: the server did not take it.
fn recalled() -> Fault {
    let text = "Called back on its way: the server did not take it, and it is not sent again. Nothing was changed.";
    Fault::new(FaultKind::Rejected, text)
        .cause("Others wrote in between.")
        .hint("d rehearses it again; then it takes a fresh decision.")
}

/// How it ended; `None` of what was called back before it left, whose end is told by who did it.
fn executed(applied: Applied, departure: &Departure) -> Option<Execution> {
    let execution = match applied {
        Applied::CalledBack if departure.is_recalled() => Execution::NotApplied { fault: recalled() },
        Applied::CalledBack => return None,
        Applied::Done { generation, .. } => Execution::Applied { generation },
        Applied::Refused { fault } => Execution::NotApplied { fault },
        Applied::Unknown { fault } => Execution::Unknown { fault },
        Applied::Conflict { moved } => Execution::NotApplied {
            fault: Fault::new(FaultKind::Conflict, "The target is no longer what was approved; nothing was changed.")
                .cause(moved.join("; "))
                .hint("Rehearse the step again with d: the new facts need a new approval."),
        },
    };
    Some(execution)
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

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc;

    use super::super::follow::tests::outside_at;
    use super::*;
    use crate::runtime::inbox::Inbox;
    use crate::runtime::outside::ClusterAccess;

    const STEP: StepId = StepId(1);

    fn told(inbox: &mut mpsc::Receiver<Inbox>) -> Option<RemediationEvent> {
        let Ok(Inbox::Event { event, .. }) = inbox.try_recv() else { return None };
        let Event::Remediation(event) = *event else { return None };
        Some(event)
    }

    /// The journal has it before the request can have been taken, and nothing of what was called back.
    #[tokio::test]
    async fn a_request_goes_on_as_its_departure_says_and_tells_so() {
        let off = ClusterAccess::Off { why: "a test".to_owned() };
        let (means, _tasks, mut inbox) = outside_at("http://127.0.0.1:9", off);
        let departure = Departure::default();
        let way = (IncidentId(1), STEP, &departure);
        assert_eq!(takes(&means, way, Turn::Leaves).await, Go::On);
        assert_eq!(told(&mut inbox), Some(RemediationEvent::RequestLeft { step: STEP }));
        assert_eq!(takes(&means, way, Turn::CameBack).await, Go::On);
        assert_eq!(told(&mut inbox), Some(RemediationEvent::LookBegan { step: STEP }));
        assert!(departure.call_back());
        assert_eq!(takes(&means, way, Turn::Leaves).await, Go::Back);
        assert_eq!(told(&mut inbox), None);
        assert_eq!(executed(Applied::CalledBack, &departure), None);
    }

    /// Called back while it was away: a 409 does not send it again, and who sent it tells the end.
    #[tokio::test]
    async fn a_request_that_is_called_back_on_its_way_does_not_leave_again() {
        let off = ClusterAccess::Off { why: "a test".to_owned() };
        let (means, _tasks, mut inbox) = outside_at("http://127.0.0.1:9", off);
        let departure = Departure::default();
        let way = (IncidentId(1), STEP, &departure);
        assert_eq!(takes(&means, way, Turn::Leaves).await, Go::On);
        assert_eq!(told(&mut inbox), Some(RemediationEvent::RequestLeft { step: STEP }));
        assert!(!departure.call_back(), "it is on its way");
        assert_eq!(takes(&means, way, Turn::CameBack).await, Go::Back);
        assert_eq!(told(&mut inbox), None);
        assert!(matches!(executed(Applied::CalledBack, &departure), Some(Execution::NotApplied { .. })));
        assert!(departure.ends(), "and it is told");
    }

    /// The journal is closed: a request that nobody writes down is not sent.
    #[tokio::test]
    async fn a_request_that_nobody_writes_down_does_not_leave() {
        let off = ClusterAccess::Off { why: "a test".to_owned() };
        let (means, _tasks, inbox) = outside_at("http://127.0.0.1:9", off);
        drop(inbox);
        let departure = Departure::default();
        assert_eq!(takes(&means, (IncidentId(1), STEP, &departure), Turn::Leaves).await, Go::Back);
        assert_eq!(executed(Applied::CalledBack, &departure), None);
        assert!(departure.call_back(), "it is still here");
    }
}
