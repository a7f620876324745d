//! Where a rollout stands, as facts. A settled rollout is one the controller has seen, complete and with no old pod left.

use serde_json::Value;

use super::call::Client;
use super::fault::KubeError;
use crate::domain::observation::workload::{WorkloadKind, WorkloadRef};
use crate::domain::remediation::verification::RolloutFacts;

impl Client {
    /// Reads where the rollout of a workload stands.
    pub async fn read_rollout(&self, target: &WorkloadRef) -> Result<RolloutFacts, KubeError> {
        let object = self.read_object(target).await?;
        Ok(facts(target.kind, &object))
    }
}

/// The facts of an object. Names differ by kind; what they mean does not.
pub(super) fn facts(kind: WorkloadKind, object: &Value) -> RolloutFacts {
    let number = |path: &str| object.pointer(path).and_then(Value::as_i64);
    let count = |path: &str| number(path).and_then(|value| u32::try_from(value).ok()).unwrap_or_default();
    let (replicas, total, updated, available) = match kind {
        WorkloadKind::Deployment => (
            number("/spec/replicas").and_then(|value| u32::try_from(value).ok()).unwrap_or(1),
            count("/status/replicas"),
            count("/status/updatedReplicas"),
            count("/status/availableReplicas"),
        ),
        WorkloadKind::StatefulSet => {
            let total = count("/status/replicas");
            // A settled set leaves `updatedReplicas` out; its two revisions are then the same.
            let settled = object.pointer("/status/updateRevision").is_some()
                && object.pointer("/status/updateRevision") == object.pointer("/status/currentRevision");
            let updated = number("/status/updatedReplicas").and_then(|value| u32::try_from(value).ok());
            (
                number("/spec/replicas").and_then(|value| u32::try_from(value).ok()).unwrap_or(1),
                total,
                updated.unwrap_or(if settled { total } else { 0 }),
                count("/status/availableReplicas"),
            )
        }
        WorkloadKind::DaemonSet => (
            count("/status/desiredNumberScheduled"),
            count("/status/currentNumberScheduled"),
            count("/status/updatedNumberScheduled"),
            count("/status/numberAvailable"),
        ),
    };
    RolloutFacts {
        replicas,
        updated,
        available,
        old: total.saturating_sub(updated),
        observed: number("/status/observedGeneration").unwrap_or_default()
            >= number("/metadata/generation").unwrap_or_default(),
        stuck: is_stuck(object),
    }
}

/// What is not as after a rollout that has settled. Where every pod is of the newest template already, none may be under way:
/// they are not available, whatever the reason, and those of the next template may not become so either.
pub(super) fn unsettled(state: &RolloutFacts) -> Option<String> {
    let RolloutFacts { replicas, updated, available, old, observed, stuck } = *state;
    let counts = format!("{updated} of {replicas} updated, {available} available");
    match (state.is_complete(), stuck) {
        (true, _) => None,
        (false, true) => Some(format!("the last one made no progress within its deadline: {counts}")),
        (false, false) if observed && old == 0 && updated >= replicas => {
            Some(format!("{counts}: pods of the next template may not become so either"))
        }
        (false, false) => Some(format!("one is under way: {counts}")),
    }
}

/// `Progressing=False` with `ProgressDeadlineExceeded`: the controller itself gave up waiting.
fn is_stuck(object: &Value) -> bool {
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        condition["type"] == "Progressing"
            && condition["status"] == "False"
            && condition["reason"] == "ProgressDeadlineExceeded"
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn deployment(status: &Value) -> RolloutFacts {
        let object = json!({ "metadata": { "generation": 8 }, "spec": { "replicas": 6 }, "status": status });
        facts(WorkloadKind::Deployment, &object)
    }

    #[test]
    fn a_deployment_is_complete_only_when_all_of_it_is_new_and_there() {
        let done = json!({ "observedGeneration": 8, "replicas": 6, "updatedReplicas": 6, "availableReplicas": 6 });
        assert!(deployment(&done).is_complete());
        for (path, value) in [
            ("observedGeneration", json!(7)),
            ("replicas", json!(7)),
            ("updatedReplicas", json!(5)),
            ("availableReplicas", json!(5)),
        ] {
            let mut status = done.clone();
            status[path] = value;
            assert!(!deployment(&status).is_complete(), "{path}");
        }
        assert_eq!(deployment(&json!({ "replicas": 7, "updatedReplicas": 3 })).old, 4);
        let mut stuck = done;
        stuck["conditions"] =
            json!([{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" }]);
        assert!(deployment(&stuck).stuck);
    }

    #[test]
    fn pods_that_are_down_are_no_rollout() {
        let told = |status: Value| unsettled(&deployment(&status));
        let status = |updated: u32, total: u32, available: u32| json!({ "observedGeneration": 8, "replicas": total, "updatedReplicas": updated, "availableReplicas": available });
        assert_eq!(told(status(6, 6, 6)), None);
        let down = "6 of 6 updated, 0 available: pods of the next template may not become so either";
        assert_eq!(told(status(6, 6, 0)).as_deref(), Some(down));
        assert_eq!(told(status(2, 7, 5)).as_deref(), Some("one is under way: 2 of 6 updated, 5 available"));
        assert_eq!(told(status(6, 7, 6)).as_deref(), Some("one is under way: 6 of 6 updated, 6 available"));
        let mut stuck = status(2, 7, 5);
        stuck["conditions"] =
            json!([{ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded" }]);
        let text = "the last one made no progress within its deadline: 2 of 6 updated, 5 available";
        assert_eq!(told(stuck).as_deref(), Some(text));
    }

    #[test]
    fn a_settled_stateful_set_needs_no_updated_count() {
        let status = json!({ "observedGeneration": 1, "replicas": 3, "availableReplicas": 3, "updateRevision": "a", "currentRevision": "a" });
        let object = json!({ "metadata": { "generation": 1 }, "spec": { "replicas": 3 }, "status": status });
        assert!(facts(WorkloadKind::StatefulSet, &object).is_complete());
    }
}
