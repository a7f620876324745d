//! The checks right before a request leaves: what has come since they were shown.

use std::sync::atomic::AtomicBool;

use pagerdeck::adapters::kubernetes::fails_by_now;

use super::*;

/// A step that was planned on what the server holds, as rehearsed.
fn scale(rehearsal: Rehearsal) -> Step {
    let (rehearsal, state) = (Some(rehearsal), StepState::Running);
    Step { rehearsal, state, ..Step::new(StepId(1), Action::Scale { replicas: 9, was: 6 }, target()) }
}

#[tokio::test]
async fn an_autoscaler_that_came_since_the_rehearsal_keeps_a_scaling_back() {
    let came = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&came);
    let script = move |seen: &Seen| match kind_of(&seen.path) {
        Some((kind @ "HorizontalPodAutoscaler", api)) if told.load(Ordering::SeqCst) => {
            let aim = json!({ "kind": "Deployment", "name": "my-api" });
            let spec = json!({ "maxReplicas": 10, "minReplicas": 4, "scaleTargetRef": aim });
            Reply::Json(200, list(kind, api, &json!([{ "metadata": { "name": "hpa" }, "spec": spec }])))
        }
        _ => calm(seen),
    };
    let server = Server::start(script).await;
    let client = client(&server).await;
    let action = Action::Scale { replicas: 9, was: 6 };
    let rehearsal = rehearse(&client, intent(&action, &target()), at()).await;
    assert_eq!((&rehearsal.outcome, rehearsal.failed_check()), (&RehearsalOutcome::Rehearsed, None));
    let step = scale(rehearsal);
    assert_eq!(fails_by_now(&client, &step, Purpose::Remedy).await, None);
    came.store(true, Ordering::SeqCst);
    let check = fails_by_now(&client, &step, Purpose::Remedy).await.unwrap();
    assert_eq!(check.name, "autoscaler");
    assert_eq!(server.seen_by("PATCH").len(), 1, "the rehearsal's, and no other");
}
