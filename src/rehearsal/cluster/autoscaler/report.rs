//! The status of an autoscaler as one pass writes it: conditions keep the time of their last turn while they do not turn.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::shape::{self, stamp};
use super::pace::{Limit, Paced};

/// A condition of an autoscaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    True,
    False,
}

/// A status on its way.
#[derive(Clone, Debug)]
pub(super) struct Report {
    now: Timestamp,
    status: Value,
}

impl Report {
    /// Goes on from the status that an autoscaler has.
    pub(super) fn of(scaler: &Value, now: Timestamp) -> Self {
        let mut status = scaler.get("status").filter(|status| status.is_object()).cloned().unwrap_or_else(|| json!({}));
        status["observedGeneration"] = scaler["metadata"]["generation"].clone();
        if status["observedGeneration"].is_null() {
            status["observedGeneration"] = json!(1);
        }
        Self { now, status }
    }

    /// Writes a condition.
    pub(super) fn condition(&mut self, kind: &str, holds: Holds, reason: &str, message: &str) {
        let word = if holds == Holds::True { "True" } else { "False" };
        let now = stamp(self.now);
        let known = self.status.get("conditions").and_then(Value::as_array).cloned();
        let mut all = known.unwrap_or_default();
        let since = |old: &Value| if old["status"] == word { old["lastTransitionTime"].clone() } else { now.clone() };
        let place = all.iter().position(|one| one["type"] == kind);
        let since = place.and_then(|index| all.get(index)).map_or_else(|| now.clone(), since);
        let fresh =
            json!({"type": kind, "status": word, "reason": reason, "message": message, "lastTransitionTime": since});
        match place.and_then(|index| all.get_mut(index)) {
            Some(old) => *old = fresh,
            None => all.push(fresh),
        }
        self.status["conditions"] = Value::Array(all);
    }

    /// Writes what became of a wish.
    pub(super) fn paced(&mut self, paced: &Paced) {
        self.condition("AbleToScale", Holds::True, paced.able.0, paced.able.1);
        let (limit, (reason, message)) = paced.limited;
        let holds = if limit == Limit::Reached { Holds::True } else { Holds::False };
        self.condition("ScalingLimited", holds, reason, message);
    }

    /// Writes what the metrics stand at.
    pub(super) fn metrics(&mut self, shown: Vec<Value>) {
        self.status["currentMetrics"] = if shown.is_empty() { Value::Null } else { Value::Array(shown) };
    }

    /// The numbers where nothing was worked out: what is wanted stays what it was.
    pub(super) fn only_current(&mut self, current: i64) {
        self.status["currentReplicas"] = json!(current);
        if shape::number(&self.status, "/desiredReplicas").is_none() {
            self.status["desiredReplicas"] = json!(current);
        }
    }

    /// The numbers.
    pub(super) fn replicas(&mut self, current: i64, desired: i64) {
        self.status["currentReplicas"] = json!(current);
        self.status["desiredReplicas"] = json!(desired);
    }

    /// Notes that it scaled.
    pub(super) fn scaled(&mut self) {
        self.status["lastScaleTime"] = stamp(self.now);
    }

    /// The object with this status.
    pub(super) fn onto(mut self, scaler: &Value) -> Value {
        if shape::number(&self.status, "/desiredReplicas").is_none() {
            self.status["desiredReplicas"] = json!(0);
        }
        let mut shown = scaler.clone();
        if let Some(fields) = self.status.as_object_mut() {
            fields.retain(|_, value| !value.is_null());
        }
        shown["status"] = self.status;
        shown
    }
}
