//! The kubelet: pods that are scheduled, start, become ready, are killed, wait, start again and leave.

mod fit;
mod lost;
mod schedule;
pub mod status;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::event::{self, Occurrence, Tone};
use super::kind::row;
use super::life::{Backoff, Doom};
use super::quantity;
use super::shape::{self, set, stamp};
use super::store::Key;
use super::{Cluster, Place};
use crate::rehearsal::behaviour::{Life, LifeEnd};

/// How long a killed container stays down when there is no back-off.
pub(super) const RESTART_DELAY: SignedDuration = SignedDuration::from_secs(1);

/// How long the work of a pod takes that ends by itself.
const WORK: SignedDuration = SignedDuration::from_secs(5);

/// A pod as the kubelet runs it.
#[derive(Clone, Debug)]
pub struct PodRun {
    pub(super) key: Key,
    pub(super) workload: Option<Place>,
    pub(super) born_at: Timestamp,
    pub(super) stay: Stay,
    /// The scheduler's words while it is on no node.
    pub(super) waits_for: String,
    /// When the agenda has it next.
    pub(super) due: Option<Timestamp>,
    pub(super) containers: Vec<ContainerRun>,
    /// Whether its containers do work that ends, and are not started again.
    pub(super) works: bool,
    /// From a container's start to its readiness.
    pub(super) warm_up: SignedDuration,
    pub(super) gone_after: SignedDuration,
}

/// Where a pod is on its way through the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stay {
    /// No node has room; tried again then.
    Unscheduled(Timestamp),
    /// On a node.
    Settled,
    /// As it was exported: nothing happens to it until it is told to go.
    Still,
    /// Told to go; gone then.
    Leaving(Timestamp),
    /// On a node that does not answer: given up then, and there until somebody takes it away by force.
    Lost(Option<Timestamp>),
}

/// A container as the kubelet runs it.
#[derive(Clone, Debug)]
pub(super) struct ContainerRun {
    pub(super) name: String,
    pub(super) image: String,
    pub(super) limit: Option<u64>,
    pub(super) restarts: u32,
    pub(super) backoff: Backoff,
    pub(super) state: Running,
    /// Start and end of the life before, and how it ended.
    pub(super) last: Option<(Timestamp, Timestamp, LifeEnd)>,
}

/// The present state of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Running {
    /// Image and sandbox are being made; starts then.
    Creating(Timestamp),
    /// Runs.
    Up { since: Timestamp, ready_at: Timestamp, doom: Option<Doom> },
    /// Was killed and starts again then, after a back-off of so long.
    Down { until: Timestamp, wait: SignedDuration },
    /// Does work that ends then.
    Working { since: Timestamp, until: Timestamp },
    /// Has done its work.
    Done { since: Timestamp, at: Timestamp },
}

impl PodRun {
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        match self.stay {
            Stay::Unscheduled(at) | Stay::Leaving(at) => Some(at),
            Stay::Lost(at) => at,
            Stay::Still => None,
            Stay::Settled => self.containers.iter().filter_map(|container| container.next(now)).min(),
        }
    }
}

impl ContainerRun {
    pub(super) fn is_ready(&self, now: Timestamp) -> bool {
        matches!(self.state, Running::Working { .. })
            || matches!(self.state, Running::Up { ready_at, .. } if ready_at <= now)
    }

    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        match self.state {
            Running::Creating(at) | Running::Down { until: at, .. } | Running::Working { until: at, .. } => Some(at),
            Running::Done { .. } => None,
            Running::Up { ready_at, doom, .. } if ready_at > now && ready_at < Timestamp::MAX => {
                Some(doom.map_or(ready_at, |doom| doom.0.min(ready_at)))
            }
            Running::Up { doom, .. } => doom.map(|doom| doom.0),
        }
    }
}

impl Cluster {
    /// Takes up pods that are new, and forgets those that are no more.
    pub(super) fn adopt_pods(&mut self) {
        let pods = self.store.list(row("pods"), None);
        let present: BTreeMap<&str, &Key> = pods.map(|(key, pod)| (shape::uid(pod), key)).collect();
        let gone: Vec<String> = self.runs.keys().filter(|uid| !present.contains_key(uid.as_str())).cloned().collect();
        let fresh: Vec<Key> =
            present.iter().filter(|(uid, _)| !self.runs.contains_key(**uid)).map(|(_, key)| (*key).clone()).collect();
        for uid in gone {
            self.forget_pod(&uid);
        }
        for key in fresh {
            self.adopt_pod(&key);
        }
    }

    fn adopt_pod(&mut self, key: &Key) {
        let Some(pod) = self.store.get(key).cloned() else { return };
        let uid = shape::uid(&pod).to_owned();
        if self.runs.contains_key(&uid) {
            return;
        }
        let workload = self.workload_of(&pod);
        let run = self.new_run(&pod, workload, self.now);
        self.runs.insert(uid.clone(), run);
        self.schedule_pod(&uid);
    }

    /// The run of a pod object born at an instant, not yet on a node.
    pub(super) fn new_run(&self, pod: &Value, workload: Option<Place>, born_at: Timestamp) -> PodRun {
        let tempo = workload.as_ref().and_then(|place| self.tempo.get(place)).copied().unwrap_or_default();
        // A fifth of the way to readiness is image and sandbox; the rest is the process warming up, give or take a tenth.
        let total = tempo.ready_after.as_millis() as i64;
        let jitter = self.dice.between(-total / 10, total / 10, &["ready", shape::name(pod)]);
        let start_at = born_at + SignedDuration::from_millis(total / 5);
        let containers = shape::containers(&pod["spec"]).iter().map(|spec| ContainerRun {
            name: shape::text(spec, "/name").unwrap_or_default().to_owned(),
            image: shape::text(spec, "/image").unwrap_or_default().to_owned(),
            limit: shape::text(spec, "/resources/limits/memory").and_then(quantity::bytes),
            restarts: 0,
            backoff: Backoff::default(),
            state: Running::Creating(start_at),
            last: None,
        });
        PodRun {
            key: Key::of(row("pods"), pod),
            workload,
            works: shape::text(pod, "/spec/restartPolicy").is_some_and(|policy| policy != "Always"),
            born_at,
            stay: Stay::Unscheduled(born_at),
            waits_for: String::new(),
            due: None,
            containers: containers.collect(),
            warm_up: SignedDuration::from_millis(total * 4 / 5 + jitter),
            gone_after: tempo.gone_after,
        }
    }

    /// The workload a pod belongs to: its controller, or the deployment behind its replica set.
    fn workload_of(&self, pod: &Value) -> Option<Place> {
        let namespace = shape::namespace(pod);
        let uid = shape::controller(pod)?;
        let owner = pod.pointer("/metadata/ownerReferences/0")?;
        if owner["kind"] == "StatefulSet" || owner["kind"] == "DaemonSet" {
            return Some((namespace.to_owned(), shape::text(owner, "/name")?.to_owned()));
        }
        let sets = self.store.list(row("replicasets"), Some(namespace));
        let set = sets.map(|entry| entry.1).find(|set| shape::uid(set) == uid)?;
        let owner = shape::text(set, "/metadata/ownerReferences/0/name").unwrap_or_else(|| shape::name(set));
        Some((namespace.to_owned(), owner.to_owned()))
    }

    /// Does what is due for a pod.
    pub(super) fn step_pod(&mut self, uid: &str) {
        let Some(run) = self.runs.get(uid) else { return };
        match run.stay {
            Stay::Unscheduled(_) => self.schedule_pod(uid),
            Stay::Leaving(_) => {
                let key = run.key.clone();
                self.store.remove(&key);
                self.forget_pod(uid);
            }
            Stay::Lost(_) => self.give_up_pod(uid),
            Stay::Still => {}
            Stay::Settled => {
                for index in 0..run.containers.len() {
                    self.step_container(uid, index);
                }
                self.show_pod(uid);
            }
        }
    }

    fn step_container(&mut self, uid: &str, index: usize) {
        let Some(container) = self.runs.get(uid).and_then(|run| run.containers.get(index)) else { return };
        match container.state {
            Running::Creating(at) if at <= self.now => self.start_container(uid, index),
            Running::Down { until, .. } if until <= self.now => self.start_container(uid, index),
            Running::Up { since, doom: Some((at, end)), .. } if at <= self.now => {
                self.kill_container(uid, index, (since, end));
            }
            Running::Working { since, until } if until <= self.now => {
                if let Some(run) = self.runs.get_mut(uid) {
                    run.containers[index].state = Running::Done { since, at: until };
                }
            }
            Running::Creating(_)
            | Running::Down { .. }
            | Running::Up { .. }
            | Running::Working { .. }
            | Running::Done { .. } => {}
        }
    }

    fn start_container(&mut self, uid: &str, index: usize) {
        let now = self.now;
        let Some(run) = self.runs.get_mut(uid) else { return };
        let container = &mut run.containers[index];
        if matches!(container.state, Running::Down { .. }) {
            container.restarts += 1;
        }
        let (name, image) = (container.name.clone(), container.image.clone());
        self.begin_life(uid, index, now);
        for (tone, reason, message) in told_of_start(&name, &image) {
            self.say(uid, tone, reason, &message);
        }
    }

    /// Opens a life and asks when it will end.
    pub(super) fn begin_life(&mut self, uid: &str, index: usize, since: Timestamp) {
        let Some(run) = self.runs.get_mut(uid) else { return };
        let container = &mut run.containers[index];
        if run.works {
            container.state = Running::Working { since, until: since + WORK };
            return;
        }
        let life = Life {
            pod: run.key.name.clone(),
            container: container.name.clone(),
            image: container.image.clone(),
            pod_created_at: run.born_at,
            started_at: since,
            ended_at: None,
            end: None,
            limit: container.limit,
        };
        let mut doom = None;
        if let Some(place) = &run.workload {
            doom = self.fate.of(&place.0, &place.1, &life);
            self.lives_turn += 1;
            self.lives.entry(place.clone()).or_default().push(life);
        }
        container.state = Running::Up { since, ready_at: since + run.warm_up, doom };
    }

    fn kill_container(&mut self, uid: &str, index: usize, (since, end): (Timestamp, LifeEnd)) {
        let now = self.now;
        self.end_lives(uid, Some(index), end);
        let Some(run) = self.runs.get_mut(uid) else { return };
        let key = run.key.clone();
        let container = &mut run.containers[index];
        let wait = container.backoff.crashed(now.duration_since(since));
        container.last = Some((since, now, end));
        container.state = Running::Down { until: now + wait.max(RESTART_DELAY), wait };
        let name = container.name.clone();
        for (tone, reason, message, _) in told_of_kill(end, &name) {
            self.say(uid, tone, reason, &message);
        }
        if wait.is_positive() {
            let Some(pod) = self.store.get(&key).cloned() else { return };
            let (tone, reason, message) = told_of_back_off(&pod, &name);
            self.say(uid, tone, reason, &message);
        }
    }

    /// Closes the open lives of a pod: of one container, or of all.
    pub(super) fn end_lives(&mut self, uid: &str, index: Option<usize>, end: LifeEnd) {
        let now = self.now;
        let Some(run) = self.runs.get(uid) else { return };
        let Some(lives) = run.workload.as_ref().and_then(|place| self.lives.get_mut(place)) else { return };
        self.lives_turn += 1;
        let container = index.and_then(|index| run.containers.get(index)).map(|container| container.name.as_str());
        for life in lives.iter_mut().rev() {
            let is_meant = container.is_none_or(|name| name == life.container);
            if life.ended_at.is_none() && life.pod == run.key.name && is_meant {
                life.ended_at = Some(now);
                life.end = Some(end);
            }
        }
    }

    /// Tells a pod to go: it stays for its grace, not ready, and is then gone. One that nobody can tell stays.
    pub(super) fn dismiss_pod(&mut self, key: &Key) {
        let Some(pod) = self.store.get(key).cloned() else { return };
        if shape::is_leaving(&pod) {
            return;
        }
        let uid = shape::uid(&pod).to_owned();
        self.mark_leaving(key, &pod);
        let Some(run) = self.runs.get_mut(&uid) else { return };
        if matches!(run.stay, Stay::Lost(_)) {
            run.stay = Stay::Lost(None);
            self.show_pod(&uid);
            return;
        }
        run.stay = Stay::Leaving(self.now + run.gone_after);
        let names: Vec<String> = run.containers.iter().map(|container| container.name.clone()).collect();
        for name in names {
            self.say(&uid, Tone::Normal, "Killing", &format!("Stopping container {name}"));
        }
        self.show_pod(&uid);
    }

    /// Writes when a pod should be gone, its grace over.
    pub(super) fn mark_leaving(&mut self, key: &Key, pod: &Value) {
        let leaving = self.as_leaving(pod);
        self.store.put(key.clone(), leaving);
    }

    /// A pod with the time by which it should be gone.
    pub(super) fn as_leaving(&self, pod: &Value) -> Value {
        let grace = shape::number(pod, "/spec/terminationGracePeriodSeconds").unwrap_or(30);
        let mut leaving = pod.clone();
        set(&mut leaving, &["metadata", "deletionTimestamp"], stamp(self.now + SignedDuration::from_secs(grace)));
        set(&mut leaving, &["metadata", "deletionGracePeriodSeconds"], json!(grace));
        leaving
    }

    pub(super) fn forget_pod(&mut self, uid: &str) {
        self.end_lives(uid, None, LifeEnd::Replaced);
        if let Some(run) = self.runs.remove(uid)
            && let Some(due) = run.due
        {
            self.agenda.remove(&(due, uid.to_owned()));
        }
    }

    /// Writes a pod's status as its run has it, and notes when to look again.
    pub(super) fn show_pod(&mut self, uid: &str) {
        let Some(run) = self.runs.get(uid).filter(|run| run.stay != Stay::Still) else { return };
        if let Some(pod) = self.store.get(&run.key) {
            let mut shown = (**pod).clone();
            shown["status"] = status::of(run, &shown, self.now);
            let key = run.key.clone();
            self.store.put(key, shown);
        }
        let now = self.now;
        let Some(run) = self.runs.get_mut(uid) else { return };
        let due = run.next(now);
        let before = std::mem::replace(&mut run.due, due);
        if let Some(at) = before {
            self.agenda.remove(&(at, uid.to_owned()));
        }
        if let Some(at) = due {
            self.agenda.insert((at, uid.to_owned()));
        }
    }

    pub(super) fn say(&mut self, uid: &str, tone: Tone, reason: &str, message: &str) {
        let Some(pod) = self.runs.get(uid).and_then(|run| self.store.get(&run.key)).cloned() else { return };
        let source = match reason {
            "Scheduled" | "FailedScheduling" => "default-scheduler",
            "OOMKilling" => "kernel-monitor",
            _ => "kubelet",
        };
        let occurrence = Occurrence { about: &pod, tone, reason, message: message.to_owned(), source };
        event::record(&mut self.store, self.now, &occurrence);
    }
}

/// An event of the kubelet: tone, reason and message.
type Told = (Tone, &'static str, String);

/// The events of a start.
pub(super) fn told_of_start(container: &str, image: &str) -> [Told; 3] {
    [
        (Tone::Normal, "Pulled", format!("Container image \"{image}\" already present on machine")),
        (Tone::Normal, "Created", format!("Created container: {container}")),
        (Tone::Normal, "Started", format!("Started container {container}")),
    ]
}

/// The event of a wait before a restart.
pub(super) fn told_of_back_off(pod: &Value, container: &str) -> Told {
    let named = format!("{}_{}({})", shape::name(pod), shape::namespace(pod), shape::uid(pod));
    (Tone::Warning, "BackOff", format!("Back-off restarting failed container {container} in pod {named}"))
}

/// The events of a kill: tone, reason, message and source. The words are the same each time, so that events count.
pub(super) fn told_of_kill(end: LifeEnd, container: &str) -> Vec<(Tone, &'static str, String, &'static str)> {
    match end {
        LifeEnd::OomKilled => {
            let message = format!(
                "Memory cgroup out of memory: Killed process in container {container} (OOMKilled, exit code 137)"
            );
            vec![(Tone::Warning, "OOMKilling", message, "kernel-monitor")]
        }
        LifeEnd::ProbeKilled => {
            let failed = "Liveness probe failed: Get \"http://:8080/healthz\": context deadline exceeded (Client.Timeout \
                          exceeded while awaiting headers)";
            let killing = format!("Container {container} failed liveness probe, will be restarted");
            vec![
                (Tone::Warning, "Unhealthy", failed.to_owned(), "kubelet"),
                (Tone::Normal, "Killing", killing, "kubelet"),
            ]
        }
        LifeEnd::Replaced => Vec::new(),
    }
}
