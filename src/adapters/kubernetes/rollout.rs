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
    fn a_settled_stateful_set_needs_no_updated_count() {
        let status = json!({ "observedGeneration": 1, "replicas": 3, "availableReplicas": 3, "updateRevision": "a", "currentRevision": "a" });
        let object = json!({ "metadata": { "generation": 1 }, "spec": { "replicas": 3 }, "status": status });
        assert!(facts(WorkloadKind::StatefulSet, &object).is_complete());
    }
}
