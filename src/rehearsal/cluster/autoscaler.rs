//! Horizontal autoscalers as far as they can be true without a metrics server: they hold a deployment within its bounds.

use serde_json::{Value, json};

use super::event::{self, Occurrence, Tone};
use super::kind::row;
use super::shape::{self, set, stamp};
use super::store::Key;
use super::{Cluster, deployment};

impl Cluster {
    pub(super) fn run_autoscalers(&mut self) {
        for key in self.keys("horizontalpodautoscalers") {
            let Some(scaler) = self.store.get(&key).cloned() else { continue };
            let target = shape::text(&scaler, "/spec/scaleTargetRef/name").unwrap_or_default();
            let target = Key::new(row("deployments"), &key.namespace, target);
            let now = self.store.get(&target).map_or(0, |workload| deployment::replicas(workload));
            let wanted = self.hold(&scaler, &target, now);
            let mut status = json!({"currentReplicas": now, "desiredReplicas": wanted});
            status["conditions"] = conditions(&scaler, wanted);
            let last = scaler.pointer("/status/lastScaleTime").cloned();
            let moved = (wanted != now).then(|| stamp(self.now));
            if let Some(at) = moved.or(last) {
                status["lastScaleTime"] = at;
            }
            let mut shown = (*scaler).clone();
            shown["status"] = status;
            self.store.put(key, shown);
        }
    }

    /// Brings a deployment within the bounds; one that was scaled to nothing is left alone, as by the real one.
    fn hold(&mut self, scaler: &Value, target: &Key, now: i64) -> i64 {
        let least = shape::number(scaler, "/spec/minReplicas").unwrap_or(1);
        let most = shape::number(scaler, "/spec/maxReplicas").unwrap_or(i64::MAX).max(least);
        let wanted = if now == 0 { 0 } else { now.clamp(least, most) };
        let Some(workload) = self.store.get(target).filter(|_| wanted != now) else { return wanted };
        let mut resized = (**workload).clone();
        let generation = shape::number(&resized, "/metadata/generation").unwrap_or(1) + 1;
        set(&mut resized, &["spec", "replicas"], json!(wanted));
        set(&mut resized, &["metadata", "generation"], json!(generation));
        self.store.put(target.clone(), resized);
        let bound = if wanted < now { "above Spec.MaxReplicas" } else { "below Spec.MinReplicas" };
        let message = format!("New size: {wanted}; reason: Current number of replicas {bound}");
        let source = "horizontal-pod-autoscaler";
        let told = Occurrence { about: scaler, tone: Tone::Normal, reason: "SuccessfulRescale", message, source };
        event::record(&mut self.store, self.now, &told);
        wanted
    }
}

/// Without a metrics server it can scale, but knows nothing to scale by.
fn conditions(scaler: &Value, wanted: i64) -> Value {
    let since = &scaler["metadata"]["creationTimestamp"];
    let condition = |kind: &str, word: &str, reason: &str, message: &str| json!({"type": kind, "status": word, "reason": reason, "message": message, "lastTransitionTime": since});
    let able = "the HPA controller was able to get the target's current scale";
    let blind = "the HPA was unable to compute the replica count: failed to get cpu utilization: unable to get metrics \
                 for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the \
                 requested resource (get pods.metrics.k8s.io)";
    if wanted == 0 {
        let off = "scaling is disabled since the replica count of the target is zero";
        return json!([
            condition("AbleToScale", "True", "SucceededGetScale", able),
            condition("ScalingActive", "False", "ScalingDisabled", off),
        ]);
    }
    json!([
        condition("AbleToScale", "True", "SucceededGetScale", able),
        condition("ScalingActive", "False", "FailedGetResourceMetric", blind),
    ])
}
