//! The job controller: pods until enough of them have done their work. The pods of this world do theirs in a few seconds.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Cluster;
use super::collect::Propagation;
use super::event::{self, Occurrence, Tone};
use super::kind::row;
use super::shape::{self, stamp};
use super::store::Key;

impl Cluster {
    pub(super) fn run_jobs(&mut self) {
        for key in self.keys("jobs") {
            let Some(job) = self.store.get(&key).cloned() else { continue };
            if shape::is_leaving(&job) || job.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
                continue;
            }
            match shape::text(&job, "/status/completionTime").and_then(|text| text.parse().ok()) {
                Some(done) => self.clear_job(&key, &job, done),
                None => self.step_job(&key, &job),
            }
        }
    }

    fn step_job(&mut self, key: &Key, job: &Arc<Value>) {
        let of_phase = |pods: &[Arc<Value>], phase: &str| {
            pods.iter().filter(|pod| shape::text(pod, "/status/phase") == Some(phase)).count().cast_signed() as i64
        };
        let pods = self.owned("pods", &key.namespace, shape::uid(job));
        let number = |name: &str| shape::number(job, &format!("/spec/{name}"));
        let (done, failed) = (of_phase(&pods, "Succeeded"), of_phase(&pods, "Failed"));
        let active = pods.iter().filter(|pod| !shape::is_leaving(pod)).count().cast_signed() as i64 - done - failed;
        let wanted = number("completions").unwrap_or(1);
        let most = number("parallelism").unwrap_or(1).min(wanted - done);
        for _ in active..most {
            self.make_worker(job);
        }
        let pods = self.owned("pods", &key.namespace, shape::uid(job));
        let active = pods.iter().filter(|pod| !shape::is_leaving(pod)).count().cast_signed() as i64 - done - failed;
        let began = job.pointer("/status/startTime").cloned().unwrap_or_else(|| stamp(self.now));
        let mut status = json!({"startTime": began, "uncountedTerminatedPods": {}, "ready": 0});
        for (name, count) in [("active", active), ("succeeded", done), ("failed", failed)] {
            if count > 0 {
                status[name] = json!(count);
            }
        }
        if done >= wanted {
            let at = stamp(self.now);
            let condition = |kind: &str| {
                json!({
                    "type": kind, "status": "True", "reason": "CompletionsReached", "lastProbeTime": at,
                    "lastTransitionTime": at, "message": "Reached expected number of succeeded pods",
                })
            };
            status["completionTime"] = at.clone();
            status["conditions"] = json!([condition("SuccessCriteriaMet"), condition("Complete")]);
            self.tell_of_job(job, "Completed", "Job completed".to_owned());
        }
        let mut shown = (**job).clone();
        shown["status"] = status;
        self.store.put(key.clone(), shown);
    }

    fn make_worker(&mut self, job: &Arc<Value>) {
        let pod = self.pod_of(job);
        let name = shape::name(&pod).to_owned();
        self.store.put(Key::of(row("pods"), &pod), pod);
        self.tell_of_job(job, "SuccessfulCreate", format!("Created pod: {name}"));
        self.adopt_pods();
    }

    /// Takes a finished job away when its time is over.
    fn clear_job(&mut self, key: &Key, job: &Value, done: Timestamp) {
        let Some(seconds) = shape::number(job, "/spec/ttlSecondsAfterFinished") else { return };
        let due = done + SignedDuration::from_secs(seconds);
        if due <= self.now {
            self.let_go(key, Propagation::Background);
        } else {
            self.deadlines.insert(shape::uid(job).to_owned(), due);
        }
    }

    fn tell_of_job(&mut self, job: &Value, reason: &str, message: String) {
        let occurrence = Occurrence { about: job, tone: Tone::Normal, reason, message, source: "job-controller" };
        event::record(&mut self.store, self.now, &occurrence);
    }
}
