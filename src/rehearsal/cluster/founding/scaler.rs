//! Autoscalers that were there before the rehearsal, with what they did last.

use jiff::SignedDuration;
use serde_json::json;

use super::super::event::{self, Occurrence, Tone};
use super::super::kind::row;
use super::super::shape::{self, stamp};
use super::super::spec::AutoscalerSpec;
use super::super::{Cluster, template};
use crate::domain::observation::workload::WorkloadKind;
use crate::rehearsal::scenario::Scenario;

impl Cluster {
    pub(super) fn found_autoscaler(&mut self, scenario: &Scenario, spec: &AutoscalerSpec) {
        let declared = scenario.workload(&spec.workload);
        let kind = declared.map_or(WorkloadKind::Deployment, |workload| workload.kind);
        let mut object = template::autoscaler(spec, row(kind.plural()));
        let replicas = declared.map_or(0, |workload| workload.replicas);
        let scaled_at = spec.last_scale.map(|ago| scenario.start + ago);
        if let Some(at) = scaled_at {
            object["status"] =
                json!({"currentReplicas": replicas, "desiredReplicas": replicas, "lastScaleTime": stamp(at)});
        }
        let before = self.now;
        self.now = scenario.dawn().min(scaled_at.unwrap_or(before)) - SignedDuration::from_hours(24);
        let scaler = self.place(row("horizontalpodautoscalers"), object);
        self.now = before;
        let Some(at) = scaled_at else { return };
        let metric = shape::text(&scaler, "/spec/metrics/0/resource/name").unwrap_or("cpu");
        let message =
            format!("New size: {replicas}; reason: {metric} resource utilization (percentage of request) above target");
        let source = "horizontal-pod-autoscaler";
        let told = Occurrence { about: &scaler, tone: Tone::Normal, reason: "SuccessfulRescale", message, source };
        event::record(&mut self.store, at, &told);
    }
}
