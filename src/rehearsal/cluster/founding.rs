//! The founding of a cluster from a scenario: objects as old as they should be, and the kills that already happened.

mod deaf;
mod drained;
mod lost;
mod pressure;
mod replaced;
mod scaler;
mod still;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::access;
use super::deployment::REVISION;
use super::dice::Dice;
use super::event::{self, Occurrence};
use super::kind::{Kind, row};
use super::life::Fate;
use super::pod::{self, Running, Stay};
use super::shape::{self, set, stamp};
use super::store::{Key, Store};
use super::{Cluster, Place, Tempo, defaults, helm, history, template};
use crate::domain::observation::workload::WorkloadKind;
use crate::rehearsal::behaviour::{Behaviour, Life, LifeEnd, PastKill};
use crate::rehearsal::scenario::{RevisionSpec, Scenario, WorkloadSpec};

/// Where the revision counter of a new cluster stands: one that has seen some life.
const FIRST_REVISION: u64 = 184_000;
/// A workload is older than the first revision that a scenario knows of it.
const BEFORE_REVISIONS: SignedDuration = SignedDuration::from_hours(24);
/// Nodes are older than what runs on them, and namespaces older than those.
const NODES_BEFORE: SignedDuration = SignedDuration::from_hours(24);
const SPACES_BEFORE: SignedDuration = SignedDuration::from_hours(24 * 30);
/// How far apart the pods of a replica set were created.
const STAGGER: SignedDuration = SignedDuration::from_secs(7);

/// Pods that controllers make at most: twice what a scenario is measured with. One digit too many would fill the machine.
const MOST_PODS: usize = 10_000;

impl Cluster {
    /// The cluster of a scenario at its start.
    pub fn new(scenario: &Scenario, seed: u64) -> Self {
        let each = scenario.workloads.iter();
        let behaviours: BTreeMap<Place, Behaviour> =
            each.map(|one| (place(one), Behaviour::new(one, scenario.start, seed))).collect();
        let foreseen = behaviours.clone();
        let fate = Fate::new(move |namespace, workload, life| {
            let behaviour = foreseen.get(&(namespace.to_owned(), workload.to_owned()))?;
            Some((behaviour.next_kill(life)?, behaviour.kill_end()))
        });
        let mut cluster = Self::bare(scenario.dawn(), seed, fate);
        cluster.user.clone_from(&scenario.scope.identity);
        cluster.webhooks.clone_from(&scenario.cluster.webhooks);
        cluster.found_places(scenario);
        for spec in &scenario.workloads {
            let kills = behaviours.get(&place(spec)).map_or_else(Vec::new, |one| one.past_kills(spec.replicas));
            let end = behaviours.get(&place(spec)).map_or(LifeEnd::OomKilled, Behaviour::kill_end);
            let still = still::of(scenario, spec);
            cluster.found_workload(spec, (&kills, end), (scenario.start, &still));
        }
        cluster.found_furniture(scenario);
        cluster.found_pressure(scenario);
        cluster.found_lost(scenario);
        cluster.found_deaf(scenario);
        cluster.now = scenario.start;
        cluster.found_service(scenario);
        for uid in cluster.runs.keys().cloned().collect::<Vec<_>>() {
            cluster.show_pod(&uid);
        }
        // The replica sets are counted first: a deployment was available as long as its pods were.
        cluster.run_replica_sets();
        cluster.settle();
        // Nobody has seen a version of before: what led here need not be kept.
        cluster.compact();
        cluster
    }

    /// A cluster with nothing in it.
    pub(super) fn bare(now: Timestamp, seed: u64, fate: Fate) -> Self {
        Self {
            store: Store::new(FIRST_REVISION),
            now,
            dice: Dice::new(seed),
            fate,
            user: String::new(),
            webhooks: Vec::new(),
            tempo: BTreeMap::new(),
            runs: BTreeMap::new(),
            agenda: std::collections::BTreeSet::new(),
            lives: BTreeMap::new(),
            lives_turn: 0,
            still: BTreeMap::new(),
            most_pods: MOST_PODS,
            refused: (0, BTreeMap::new()),
            retries: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            pilots: BTreeMap::new(),
            gauge: None,
            leaving: std::collections::BTreeSet::new(),
            settled: 0,
            look_at: None,
        }
    }

    fn found_places(&mut self, scenario: &Scenario) {
        let mut names = vec!["default", "kube-system", scenario.scope.namespace.as_str()];
        names.extend(scenario.workloads.iter().map(|workload| workload.namespace.as_str()));
        names.extend(scenario.cluster.quotas.iter().map(|quota| quota.namespace.as_str()));
        let nodes_since = eldest(scenario) - NODES_BEFORE;
        self.now = nodes_since - SPACES_BEFORE;
        for name in names {
            self.place(
                row("namespaces"),
                json!({
                    "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
                    "spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"},
                }),
            );
        }
        self.now = nodes_since;
        for node in &scenario.nodes {
            self.found_node(&node.name, &node.memory.to_string(), &node.cpu);
            if let Some(since) = node.drained {
                self.found_drained(&node.name, scenario.start + since);
            }
        }
        if scenario.nodes.is_empty() {
            for index in 1..=3 {
                self.found_node(&format!("ip-10-0-{index}-{}.ec2.internal", 17 * index), "16Gi", "4");
            }
        }
        self.now = scenario.dawn();
    }

    /// The service by which pods reach the API itself.
    fn found_service(&mut self, scenario: &Scenario) {
        let born = stamp(eldest(scenario) - NODES_BEFORE - SPACES_BEFORE);
        self.place(
            row("services"),
            json!({
                "metadata": {
                    "name": "kubernetes", "namespace": "default", "creationTimestamp": born,
                    "labels": {"component": "apiserver", "provider": "kubernetes"},
                },
                "spec": {
                    "clusterIP": "172.20.0.1",
                    "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": 443}],
                },
            }),
        );
    }

    fn found_node(&mut self, name: &str, memory: &str, cpu: &str) {
        let amounts = json!({"memory": memory, "cpu": cpu, "pods": "58", "ephemeral-storage": "18242267924"});
        let address = pod::status::address_of(name);
        let uid = self.dice.uid(&["machine", name]);
        self.place(row("nodes"), json!({
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}},
            "spec": {"providerID": format!("aws:///us-east-1a/{name}")},
            "status": {
                "capacity": amounts, "allocatable": amounts,
                "conditions": [{
                    "type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status",
                    "lastTransitionTime": stamp(self.now), "lastHeartbeatTime": stamp(self.now),
                }],
                "addresses": [
                    {"type": "InternalIP", "address": address}, {"type": "Hostname", "address": name},
                ],
                "nodeInfo": {
                    "kubeletVersion": "v1.34.1", "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
                    "osImage": "Amazon Linux 2023", "kernelVersion": "6.1.141", "containerRuntimeVersion": "containerd://2.0.5",
                    "machineID": uid, "systemUUID": uid, "bootID": uid,
                },
            },
        }));
    }

    fn found_workload(
        &mut self,
        spec: &WorkloadSpec,
        (kills, end): (&[PastKill], LifeEnd),
        (start, still): (Timestamp, &[&Value]),
    ) {
        let tempo = Tempo { ready_after: spec.ready_after, gone_after: spec.gone_after };
        self.tempo.insert(place(spec), tempo);
        let kind = row(spec.kind.plural());
        let present = spec.revisions.last();
        self.now = spec.revisions.first().map_or(start, |first| first.at) - BEFORE_REVISIONS;
        let mut object = template::workload(spec, present);
        set(&mut object, &["metadata", "generation"], json!(present.map_or(1, |last| last.number).max(1)));
        let stored = self.place(kind, object);
        let rolled_out = present.map_or(self.now, |last| last.at);
        let owner = if spec.kind == WorkloadKind::Deployment {
            let set = self.found_revisions(spec, &stored);
            self.found_progress(&stored, shape::name(&set), rolled_out);
            set
        } else {
            self.found_history(spec, &stored);
            stored
        };
        if !still.is_empty() {
            self.found_still(spec, &owner, still);
            return;
        }
        let nodes = self.store.list(row("nodes"), None).count();
        let pods = if spec.kind == WorkloadKind::DaemonSet { nodes } else { spec.replicas as usize };
        for (index, stagger) in (0..pods).zip(0_i32..) {
            let mine: Vec<Timestamp> = kills.iter().filter(|kill| kill.pod == index).map(|kill| kill.at).collect();
            let planned = rolled_out + STAGGER * stagger;
            // A pod is older than its first kill, whatever the scenario says of the rollout.
            let latest = mine.first().map_or(planned, |first| *first - spec.ready_after * 2);
            self.now = planned.min(latest);
            let home = self.home(spec.kind, index);
            if let Some(moved) = home.moved.filter(|_| mine.is_empty()) {
                self.stop_drained(&owner, (&home.from, moved));
                self.now = moved;
            }
            self.found_pod(spec, (&owner, index), (&mine, end), start);
        }
    }

    /// The replica sets of all revisions; the answer is the present one.
    fn found_revisions(&mut self, spec: &WorkloadSpec, deployment: &Value) -> Value {
        let last = spec.revisions.last().map_or(1, |last| last.number);
        for revision in spec.revisions.iter().filter(|revision| revision.number != last) {
            let mut past = template::workload(spec, Some(revision));
            template::make_past(&mut past, revision);
            past["metadata"]["uid"] = deployment["metadata"]["uid"].clone();
            self.found_set(&past, revision, 0);
        }
        let only = RevisionSpec { number: last, at: self.now, image: None, memory_limit: None, change_cause: None };
        let present = spec.revisions.last().unwrap_or(&only);
        self.found_set(deployment, present, spec.replicas)
    }

    /// The controller revisions of a stateful set or daemon set.
    fn found_history(&mut self, spec: &WorkloadSpec, owner: &Value) {
        let last = spec.revisions.last().map(|last| last.number);
        for revision in &spec.revisions {
            let mut then = template::workload(spec, Some(revision));
            if Some(revision.number) != last {
                template::make_past(&mut then, revision);
            }
            then["metadata"]["uid"] = owner["metadata"]["uid"].clone();
            if let Some(cause) = &revision.change_cause {
                shape::annotate(&mut then, "kubernetes.io/change-cause", cause.as_str());
            }
            self.now = revision.at;
            self.make_revision(&then, &history::content(&then), revision.number);
        }
    }

    fn found_set(&mut self, deployment: &Value, revision: &RevisionSpec, replicas: u32) -> Value {
        self.now = revision.at;
        let mut set = self.fresh_set(deployment, revision.number);
        set["spec"]["replicas"] = json!(replicas);
        if let Some(cause) = &revision.change_cause {
            shape::annotate(&mut set, "kubernetes.io/change-cause", cause.as_str());
        }
        self.store.put(Key::of(row("replicasets"), &set), set.clone());
        set
    }

    /// The deployment as it stood since its last rollout was done.
    fn found_progress(&mut self, deployment: &Value, newest: &str, at: Timestamp) {
        let mut done = deployment.clone();
        if let Some(revision) = self
            .store
            .get(&Key::new(row("replicasets"), shape::namespace(deployment), newest))
            .and_then(|set| shape::annotation(set, REVISION))
        {
            shape::annotate(&mut done, REVISION, revision);
        }
        let since = stamp(at + SignedDuration::from_secs(90));
        done["status"] = json!({"conditions": [
            {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable",
             "message": "Deployment has minimum availability.", "lastUpdateTime": since, "lastTransitionTime": since},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable",
             "message": format!("ReplicaSet \"{newest}\" has successfully progressed."),
             "lastUpdateTime": since, "lastTransitionTime": since},
        ]});
        self.store.put(Key::of(row("deployments"), &done), done);
    }

    fn found_pod(
        &mut self,
        spec: &WorkloadSpec,
        (owner, index): (&Value, usize),
        (kills, end): (&[Timestamp], LifeEnd),
        start: Timestamp,
    ) {
        let mut pod = self.pod_of(owner);
        let revision = format!("{}-", spec.name);
        let hash = self.store.list(row("controllerrevisions"), Some(spec.namespace.as_str())).map(|entry| entry.1);
        let hash = hash
            .filter(|known| shape::controller(known) == Some(shape::uid(owner)))
            .max_by_key(|known| shape::number(known, "/revision"))
            .map(|known| shape::name(known).to_owned());
        match (spec.kind, hash) {
            (WorkloadKind::StatefulSet, Some(hash)) => {
                let name = format!("{}-{index}", spec.name);
                pod = self.numbered_pod(owner, (&name, i64::try_from(index).unwrap_or(0)), &hash);
            }
            (WorkloadKind::DaemonSet, Some(hash)) => {
                let hash = hash.trim_start_matches(revision.as_str());
                set(&mut pod, &["metadata", "labels", history::HASH], json!(hash));
            }
            _ => {}
        }
        set(&mut pod, &["spec", "nodeName"], json!(self.home(spec.kind, index).node));
        let stored = self.store.put(Key::of(row("pods"), &pod), pod);
        let uid = shape::uid(&stored).to_owned();
        let mut run = self.new_run(&stored, Some(place(spec)), self.now);
        run.stay = Stay::Settled;
        let first = self.now + spec.ready_after / 5;
        self.runs.insert(uid.clone(), run);
        for container in 0..spec.containers.len() {
            let kills = if container == 0 { kills } else { &[] };
            self.live_until(&uid, container, (first, kills, end), start);
        }
    }

    /// Plays the past of a container: its kills before start, and the life or the wait it is in at start.
    fn live_until(&mut self, uid: &str, container: usize, past: (Timestamp, &[Timestamp], LifeEnd), start: Timestamp) {
        let (mut since, kills, end) = past;
        for killed_at in kills {
            let Some(run) = self.runs.get_mut(uid) else { return };
            let one = &mut run.containers[container];
            let wait = one.backoff.crashed(killed_at.duration_since(since));
            let until = *killed_at + wait.max(pod::RESTART_DELAY);
            one.last = Some((since, *killed_at, end));
            one.state = Running::Down { until, wait };
            if until <= start {
                one.restarts += 1;
            }
            let life = Life {
                pod: run.key.name.clone(),
                container: one.name.clone(),
                image: one.image.clone(),
                pod_created_at: run.born_at,
                started_at: since,
                ended_at: Some(*killed_at),
                end: Some(end),
                limit: one.limit,
            };
            let (key, name) = (run.key.clone(), one.name.clone());
            if let Some(place) = run.workload.clone() {
                self.lives_turn += 1;
                self.lives.entry(place).or_default().push(life);
            }
            if let Some(about) = self.store.get(&key).cloned() {
                for (tone, reason, message, source) in pod::told_of_kill(end, &name) {
                    let told = Occurrence { about: &about, tone, reason, message, source };
                    event::record(&mut self.store, *killed_at, &told);
                }
                self.tell_of_restart(&about, (*killed_at, until, wait), (&name, start));
            }
            since = until;
        }
        if since <= start {
            self.begin_life(uid, container, since);
        }
    }

    /// What the kubelet said of a restart before start: of the wait before it, and of what it did once that was over.
    fn tell_of_restart(
        &mut self,
        pod: &Value,
        (killed_at, until, wait): (Timestamp, Timestamp, SignedDuration),
        (container, start): (&str, Timestamp),
    ) {
        let containers = shape::containers(&pod["spec"]).iter();
        let image =
            containers.filter(|one| shape::text(one, "/name") == Some(container)).find_map(|one| one["image"].as_str());
        let mut told = Vec::new();
        if wait.is_positive() {
            told.push((killed_at, pod::told_of_back_off(pod, container)));
        }
        if until <= start {
            told.extend(pod::told_of_start(container, image.unwrap_or_default()).map(|event| (until, event)));
        }
        for (at, (tone, reason, message)) in told {
            let occurrence = Occurrence { about: pod, tone, reason, message, source: "kubelet" };
            event::record(&mut self.store, at, &occurrence);
        }
    }

    fn found_furniture(&mut self, scenario: &Scenario) {
        self.now = scenario.dawn();
        for spec in &scenario.workloads {
            if let Some(budget) = &spec.disruption_budget {
                self.place(row("poddisruptionbudgets"), template::budget(spec, budget.min_available));
            }
        }
        for (at, secret) in helm::releases(scenario) {
            self.now = at;
            self.place(row("secrets"), secret);
        }
        self.now = scenario.dawn();
        for quota in &scenario.cluster.quotas {
            self.place(row("resourcequotas"), template::quota(quota));
        }
        for spec in &scenario.cluster.autoscalers {
            self.found_autoscaler(scenario, spec);
        }
        for webhook in &scenario.cluster.webhooks {
            self.place(row("validatingwebhookconfigurations"), template::webhook(webhook));
        }
        let binds = |object: &Value| shape::text(object, "/kind").is_some_and(|kind| kind.ends_with("RoleBinding"));
        if !scenario.cluster.access.is_empty() || !scenario.cluster.objects.iter().any(binds) {
            self.now = eldest(scenario) - NODES_BEFORE - SPACES_BEFORE;
            for (kind, object) in access::objects(&self.user, &scenario.cluster.access) {
                self.place(kind, object);
            }
            self.now = scenario.dawn();
        }
        for object in &scenario.cluster.objects {
            let word = shape::text(object, "/kind").unwrap_or_default();
            // The loader refuses a kind that is not served; here it would only be passed over.
            let kind = super::kind::KINDS.iter().find(|kind| kind.kind == word);
            if let Some(kind) = kind.filter(|_| !still::is_of_a_workload(scenario, object)) {
                self.place(kind, object.clone());
            }
        }
    }

    /// Stores an object that was there before the rehearsal, with identity and defaults.
    pub(super) fn place(&mut self, kind: &Kind, mut object: Value) -> Value {
        let name = [kind.plural, shape::namespace(&object), shape::name(&object)];
        let uid = self.dice.uid(&name);
        for (field, value) in [("uid", json!(uid)), ("creationTimestamp", stamp(self.now)), ("generation", json!(1))] {
            let is_there = object["metadata"].get(field).is_some();
            if !is_there && (field != "generation" || object.get("spec").is_some()) {
                set(&mut object, &["metadata", field], value);
            }
        }
        defaults::fill(kind, &mut object);
        (*self.store.put(Key::of(kind, &object), object)).clone()
    }
}

/// When the oldest of a scenario's workloads was made.
fn eldest(scenario: &Scenario) -> Timestamp {
    let each = scenario.workloads.iter().filter_map(|spec| spec.revisions.first()).map(|first| first.at);
    each.min().map_or(scenario.dawn(), |first| first.min(scenario.dawn())) - BEFORE_REVISIONS
}

fn place(spec: &WorkloadSpec) -> Place {
    (spec.namespace.as_str().to_owned(), spec.name.clone())
}
