//! The status of a deployment: counts, the Available and Progressing conditions, and the progress deadline.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::Cluster;
use super::super::shape::{self, stamp};
use super::super::store::Key;
use super::{Rollout, available, replicas};

/// What the controller counts over the replica sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    total: i64,
    updated: i64,
    ready: i64,
    available: i64,
}

impl Counts {
    fn of(rollout: &Rollout) -> Self {
        let sum = |field: &str| rollout.all().map(|set| shape::number(set, field).unwrap_or(0)).sum();
        let updated = rollout.newest.as_ref().and_then(|set| shape::number(set, "/status/replicas")).unwrap_or(0);
        Self {
            total: sum("/status/replicas"),
            updated,
            ready: sum("/status/readyReplicas"),
            available: rollout.all().map(|set| available(set)).sum(),
        }
    }

    fn shown(deployment: &Value) -> Self {
        let count = |field: &str| shape::number(deployment, &format!("/status/{field}")).unwrap_or(0);
        Self {
            total: count("replicas"),
            updated: count("updatedReplicas"),
            ready: count("readyReplicas"),
            available: count("availableReplicas"),
        }
    }

    fn is_progress_since(self, before: Self) -> bool {
        self.updated > before.updated
            || self.total - self.updated < before.total - before.updated
            || self.ready > before.ready
            || self.available > before.available
    }
}

/// A condition as the controller would have it.
struct Condition {
    kind: &'static str,
    status: &'static str,
    reason: &'static str,
    message: String,
}

impl Cluster {
    pub(in super::super) fn show_deployment(&mut self, key: &Key, rollout: &Rollout) {
        let (deployment, now) = (&rollout.deployment, self.now);
        let counts = Counts::of(rollout);
        let mut status = json!({"observedGeneration": deployment["metadata"]["generation"]});
        let unavailable = (rollout.wanted() - counts.available).max(0);
        let shown = [
            ("replicas", counts.total),
            ("updatedReplicas", counts.updated),
            ("readyReplicas", counts.ready),
            ("availableReplicas", counts.available),
            ("unavailableReplicas", unavailable),
        ];
        // The API leaves a zero count out.
        for (name, count) in shown.into_iter().filter(|row| row.1 > 0) {
            status[name] = json!(count);
        }
        let uid = shape::uid(deployment).to_owned();
        self.deadlines.remove(&uid);
        let (progressing, updated_at) = self.progressing(rollout, counts);
        if progressing.status == "True" && progressing.reason != "NewReplicaSetAvailable" {
            self.deadlines.insert(uid, updated_at + patience(deployment));
        }
        let enough = counts.available >= rollout.wanted() - rollout.max_unavailable();
        let availability = if enough {
            ("MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        let available = Condition {
            kind: "Available",
            status: if enough { "True" } else { "False" },
            reason: availability.0,
            message: availability.1.to_owned(),
        };
        let mut conditions = vec![shown_condition(&available, deployment, None, now)];
        conditions.push(shown_condition(&progressing, deployment, Some(updated_at), now));
        if let Some(failure) = rollout.newest.as_ref().and_then(|set| set.pointer("/status/conditions/0")) {
            conditions.push(failure.clone());
        }
        status["conditions"] = json!(conditions);
        let mut told = (**deployment).clone();
        told["status"] = status;
        self.store.put(key.clone(), told);
    }

    /// The Progressing condition and when it last made progress.
    fn progressing(&self, rollout: &Rollout, counts: Counts) -> (Condition, Timestamp) {
        let deployment = &rollout.deployment;
        let known = known_condition(deployment, "Progressing");
        let known_reason = known.and_then(|one| shape::text(one, "/reason")).unwrap_or_default();
        let known_at = known.and_then(|one| shape::text(one, "/lastUpdateTime")).and_then(|text| text.parse().ok());
        let name = rollout.newest.as_ref().map_or("", |set| shape::name(set));
        let condition = |status, reason, message: String| Condition { kind: "Progressing", status, reason, message };
        if let Some((reason, message)) = pause(deployment, known_reason) {
            let since = known_at.filter(|_| known_reason == reason).unwrap_or(self.now);
            return (condition("Unknown", reason, message.to_owned()), since);
        }
        let done =
            condition("True", "NewReplicaSetAvailable", format!("ReplicaSet \"{name}\" has successfully progressed."));
        let said_of = known.and_then(|one| shape::text(one, "/message")).unwrap_or_default();
        let is_same_set = said_of.contains(&format!("\"{name}\""));
        // A finished rollout stays finished while its pods come and go: only a new template reopens it.
        if known_reason == "NewReplicaSetAvailable" && is_same_set && counts.total == counts.updated {
            return (done, known_at.unwrap_or(self.now));
        }
        let is_complete = counts.updated == rollout.wanted()
            && counts.total == counts.updated
            && counts.available == rollout.wanted()
            && rollout.old.iter().all(|set| replicas(set) == 0);
        if is_complete {
            return (done, self.now);
        }
        let going = condition("True", "ReplicaSetUpdated", format!("ReplicaSet \"{name}\" is progressing."));
        let is_new = !is_same_set || known_at.is_none();
        if is_new {
            let created = format!("Created new replica set \"{name}\"");
            return (condition("True", "NewReplicaSetCreated", created), self.now);
        }
        if counts.is_progress_since(Counts::shown(deployment)) {
            return (going, self.now);
        }
        let since = known_at.unwrap_or(self.now);
        if known_reason == "ProgressDeadlineExceeded" || self.now >= since + patience(deployment) {
            let message = format!("ReplicaSet \"{name}\" has timed out progressing.");
            return (condition("False", "ProgressDeadlineExceeded", message), since);
        }
        (going, since)
    }
}

/// The reason and the words of a rollout that is paused, or was just resumed. One that was given up before says so still.
fn pause(deployment: &Value, known_reason: &str) -> Option<(&'static str, &'static str)> {
    let is_paused = deployment.pointer("/spec/paused") == Some(&Value::Bool(true));
    match (is_paused, known_reason) {
        (true, "ProgressDeadlineExceeded") => None,
        (true, _) => Some(("DeploymentPaused", "Deployment is paused")),
        (false, "DeploymentPaused") => Some(("DeploymentResumed", "Deployment is resumed")),
        (false, _) => None,
    }
}

/// `progressDeadlineSeconds`, 600 by default.
fn patience(deployment: &Value) -> SignedDuration {
    SignedDuration::from_secs(shape::number(deployment, "/spec/progressDeadlineSeconds").unwrap_or(600))
}

fn known_condition<'a>(deployment: &'a Value, kind: &str) -> Option<&'a Value> {
    let all = deployment.pointer("/status/conditions")?.as_array()?;
    all.iter().find(|condition| condition["type"] == kind)
}

fn shown_condition(condition: &Condition, deployment: &Value, updated: Option<Timestamp>, now: Timestamp) -> Value {
    let word = condition.status;
    let known = known_condition(deployment, condition.kind);
    let same_status = known.filter(|old| old["status"] == word);
    let same_reason = same_status.filter(|old| old["reason"] == condition.reason);
    let kept = |from: Option<&Value>, field: &str| from.map_or_else(|| stamp(now), |old| old[field].clone());
    json!({
        "type": condition.kind, "status": word, "reason": condition.reason, "message": condition.message,
        "lastUpdateTime": updated.map_or_else(|| kept(same_reason, "lastUpdateTime"), stamp),
        "lastTransitionTime": kept(same_status, "lastTransitionTime"),
    })
}
