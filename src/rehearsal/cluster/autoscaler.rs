//! The horizontal autoscaler controller: every 15 s it holds what is measured of a workload against its goals and sets the
//! number of replicas, within its bounds and at its pace.

pub mod gauge;
mod measure;
mod pace;
mod replicas;
mod report;

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::event::{self, Occurrence, Tone};
use super::failure::Failure;
use super::kind::{KINDS, Subresource, row};
use super::managed::Force;
use super::patch::PatchKind;
use super::store::Key;
use super::write::{Strangers, Target, WriteOptions};
use super::{Cluster, deployment, shape};
use crate::rehearsal::ledger::DryRun;

use gauge::Gauge;
use pace::{Bounds, Pace, Past, paced};
use report::{Holds, Report};

#[cfg(test)]
mod tests;

/// How often each autoscaler is looked at (`--horizontal-pod-autoscaler-sync-period`).
const PERIOD: SignedDuration = SignedDuration::from_secs(15);

/// An autoscaler under control, by its uid.
#[derive(Clone, Debug)]
pub(super) struct Pilot {
    key: Key,
    due: Timestamp,
    past: Past,
}

/// Whether a pass may scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hands {
    Free,
    Tied,
}

/// What a pass comes to.
enum Course {
    /// So many, which may be as many as there are, with the reason for a change.
    To(i64, String),
    /// Nothing could be worked out.
    Blind,
}

impl Cluster {
    /// The cluster with a metrics server. Its autoscalers have looked a last time before the start: what they saw is in
    /// their status, and what they do about it comes after.
    #[must_use]
    pub fn measured_by(mut self, gauge: Gauge) -> Self {
        self.gauge = Some(gauge);
        self.look_before_start()
    }

    /// The cluster without one.
    #[must_use]
    pub fn unmeasured(self) -> Self {
        self.look_before_start()
    }

    fn look_before_start(mut self) -> Self {
        for uid in self.pilots.keys().cloned().collect::<Vec<_>>() {
            self.pass(&uid, Hands::Tied);
        }
        self.settled = self.store.revision();
        self.compact();
        self
    }

    /// Takes up autoscalers that are new, and forgets those that are no more.
    pub(super) fn note_autoscalers(&mut self) {
        let listed = self.store.list(row("horizontalpodautoscalers"), None);
        let present: Vec<(String, Key)> = listed.map(|(key, one)| (shape::uid(one).to_owned(), key.clone())).collect();
        self.pilots.retain(|uid, _| present.iter().any(|known| known.0 == *uid));
        for (uid, key) in present {
            let due = self.now + PERIOD;
            self.pilots.entry(uid).or_insert_with(|| Pilot { key, due, past: Past::default() });
        }
    }

    /// When the next autoscaler is looked at.
    pub(super) fn next_pass(&self) -> Option<Timestamp> {
        self.pilots.values().map(|pilot| pilot.due).min()
    }

    /// Looks at the autoscalers whose time has come.
    pub(super) fn run_autoscalers(&mut self) {
        let now = self.now;
        let due = self.pilots.iter().filter(|(_, pilot)| pilot.due <= now).map(|(uid, _)| uid.clone());
        for uid in due.collect::<Vec<_>>() {
            self.pass(&uid, Hands::Free);
            if let Some(pilot) = self.pilots.get_mut(&uid) {
                pilot.due = now + PERIOD;
            }
        }
    }

    fn pass(&mut self, uid: &str, hands: Hands) {
        let Some(mut pilot) = self.pilots.get(uid).cloned() else { return };
        let Some(scaler) = self.store.get(&pilot.key).cloned() else { return };
        let mut report = Report::of(&scaler, self.now);
        match self.target_of(&scaler) {
            Err(why) => {
                let message = format!("the HPA controller was unable to get the target's current scale: {why}");
                report.condition("AbleToScale", Holds::False, "FailedGetScale", &message);
                self.tell_scaler(&scaler, Tone::Warning, "FailedGetScale", why);
            }
            Ok((key, target)) => {
                let able = "the HPA controller was able to get the target's current scale";
                report.condition("AbleToScale", Holds::True, "SucceededGetScale", able);
                let current = deployment::replicas(&target);
                pilot.past.begin(self.now, current);
                match self.course(&scaler, &target, &mut pilot.past, &mut report) {
                    Course::Blind => report.only_current(current),
                    Course::To(wanted, reason) if wanted != current && hands == Hands::Free => {
                        self.rescale(&scaler, &key, (current, wanted, &reason), (&mut pilot.past, &mut report));
                    }
                    Course::To(..) => report.replicas(current, current),
                }
            }
        }
        // The pass may have had the object changed by nobody else: it holds the cluster.
        let key = pilot.key.clone();
        self.store.put(key, report.onto(&scaler));
        self.pilots.insert(uid.to_owned(), pilot);
    }

    /// The workload whose scale an autoscaler sets, or why it cannot be had.
    fn target_of(&self, scaler: &Value) -> Result<(Key, Arc<Value>), String> {
        let at = |word: &str| shape::text(scaler, &format!("/spec/scaleTargetRef/{word}")).unwrap_or_default();
        let (group, kind, name) =
            (at("apiVersion").split_once('/').map_or("", |parts| parts.0), at("kind"), at("name"));
        let scalable = |one: &&super::Kind| one.subresources.contains(&Subresource::Scale);
        let found = KINDS.iter().filter(scalable).find(|one| one.kind == kind && one.group == group);
        let Some(kind) = found else { return Err(format!("no matches for kind \"{kind}\" in group \"{group}\"")) };
        let target = self.require(kind, shape::namespace(scaler), name).map_err(|gone| gone.message)?;
        Ok((Key::of(kind, &target), target))
    }

    /// How many there shall be.
    fn course(&mut self, scaler: &Arc<Value>, target: &Value, past: &mut Past, report: &mut Report) -> Course {
        let (current, bounds) = (deployment::replicas(target), Bounds::of(scaler));
        if current == 0 && bounds.least != 0 {
            let off = "scaling is disabled since the replica count of the target is zero";
            report.condition("ScalingActive", Holds::False, "ScalingDisabled", off);
            report.metrics(Vec::new());
            return Course::To(0, String::new());
        }
        if current > bounds.most {
            return Course::To(bounds.most, "Current number of replicas above Spec.MaxReplicas".to_owned());
        }
        if current < bounds.least {
            return Course::To(bounds.least, "Current number of replicas below Spec.MinReplicas".to_owned());
        }
        let measured = self.measure(scaler, target, current);
        for blind in &measured.warnings {
            self.tell_scaler(scaler, Tone::Warning, blind.reason, blind.why.clone());
        }
        let count = scaler.pointer("/spec/metrics").and_then(Value::as_array).map_or(0, Vec::len);
        let failure = measured.failure(count);
        let (wish, metric) = match measured.asked {
            Ok(asked) => asked,
            Err(blind) => {
                let message = format!("the HPA was unable to compute the replica count: {}", blind.why);
                report.condition("ScalingActive", Holds::False, blind.reason, &message);
                report.metrics(Vec::new());
                self.tell_scaler(scaler, Tone::Warning, "FailedComputeMetricsReplicas", failure.unwrap_or_default());
                return Course::Blind;
            }
        };
        let found = format!("the HPA was able to successfully calculate a replica count from {metric}");
        report.condition("ScalingActive", Holds::True, "ValidMetricFound", &found);
        report.metrics(measured.shown);
        let reason =
            if wish > current { format!("{metric} above target") } else { "All metrics below target".to_owned() };
        let paced = paced(&Pace::of(scaler), past, (self.now, current), (wish, bounds));
        report.paced(&paced);
        Course::To(paced.replicas, reason)
    }

    /// Writes another number of replicas into the scale of a workload.
    fn rescale(
        &mut self,
        scaler: &Value,
        key: &Key,
        (current, wanted, why): (i64, i64, &str),
        (past, report): (&mut Past, &mut Report),
    ) {
        let told = format!("New size: {wanted}; reason: {why}");
        match self.set_scale(key, wanted) {
            Ok(()) => {
                let message = format!("the HPA controller was able to update the target scale to {wanted}");
                report.condition("AbleToScale", Holds::True, "SucceededRescale", &message);
                report.replicas(current, wanted);
                report.scaled();
                past.stepped(self.now, wanted - current);
                self.tell_scaler(scaler, Tone::Normal, "SuccessfulRescale", told);
            }
            Err(refused) => {
                let message = format!("the HPA controller was unable to update the target scale: {}", refused.message);
                report.condition("AbleToScale", Holds::False, "FailedUpdateScale", &message);
                report.only_current(current);
                let told = format!("{told}; error: {}", refused.message);
                self.tell_scaler(scaler, Tone::Warning, "FailedRescale", told);
            }
        }
    }

    /// The write of a person's `kubectl scale`, by the controller: webhooks are asked, and its fields are noted as its own.
    fn set_scale(&mut self, key: &Key, wanted: i64) -> Result<(), Failure> {
        let target = Target {
            kind: row(key.plural),
            namespace: &key.namespace,
            name: &key.name,
            subresource: Some(Subresource::Scale),
        };
        let options = WriteOptions {
            dry_run: DryRun::No,
            manager: "kube-controller-manager",
            force: Force::No,
            strangers: Strangers::Ignore,
        };
        self.patch(target, (PatchKind::Merge, &json!({"spec": {"replicas": wanted}})), options).map(drop)
    }

    fn tell_scaler(&mut self, scaler: &Value, tone: Tone, reason: &str, message: String) {
        let told = Occurrence { about: scaler, tone, reason, message, source: "horizontal-pod-autoscaler" };
        event::record(&mut self.store, self.now, &told);
    }
}
