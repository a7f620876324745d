//! The deployment controller: a changed template makes a new replica set, and pods move over within surge and
//! unavailability.

pub mod status;

use std::sync::Arc;

use serde_json::{Value, json};

use super::Cluster;
use super::dice::template_hash;
use super::event::{self, Occurrence, Tone};
use super::kind::row;
use super::shape::{self, set};
use super::store::Key;

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";

/// A deployment with its replica sets, as one pass of the controller sees them.
pub(super) struct Rollout {
    pub(super) deployment: Arc<Value>,
    /// The replica set of the present template.
    pub(super) newest: Option<Arc<Value>>,
    /// The others, oldest first.
    pub(super) old: Vec<Arc<Value>>,
}

impl Rollout {
    pub(super) fn wanted(&self) -> i64 {
        shape::number(&self.deployment, "/spec/replicas").unwrap_or(1)
    }

    pub(super) fn max_surge(&self) -> i64 {
        self.bounds().0
    }

    pub(super) fn max_unavailable(&self) -> i64 {
        self.bounds().1
    }

    /// Surge rounds up, unavailable rounds down, and they are never both nothing.
    fn bounds(&self) -> (i64, i64) {
        if shape::text(&self.deployment, "/spec/strategy/type") == Some("Recreate") {
            return (0, self.wanted());
        }
        let part = |name: &str, round: fn(f64) -> f64| {
            let value = self.deployment.pointer(&format!("/spec/strategy/rollingUpdate/{name}"));
            share(value.unwrap_or(&json!("25%")), self.wanted(), round)
        };
        let (surge, unavailable) = (part("maxSurge", f64::ceil), part("maxUnavailable", f64::floor));
        if surge == 0 && unavailable == 0 { (0, 1) } else { (surge, unavailable) }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.old.iter().chain(self.newest.as_ref())
    }
}

/// A number or a percentage of a whole.
pub(super) fn share(value: &Value, whole: i64, round: fn(f64) -> f64) -> i64 {
    match value {
        Value::String(text) => match text.strip_suffix('%') {
            Some(percent) => round(whole as f64 * percent.parse::<f64>().unwrap_or(0.0) / 100.0) as i64,
            None => text.parse().unwrap_or(0),
        },
        other => other.as_i64().unwrap_or(0),
    }
}

pub(super) fn replicas(set: &Value) -> i64 {
    shape::number(set, "/spec/replicas").unwrap_or(1)
}

pub(super) fn available(set: &Value) -> i64 {
    shape::number(set, "/status/availableReplicas").unwrap_or(0)
}

fn revision(object: &Value) -> i64 {
    shape::annotation(object, REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The template without the label that the controller itself adds.
fn bare_template(object: &Value) -> Value {
    let mut template = object.pointer("/spec/template").cloned().unwrap_or_default();
    if let Some(labels) = template.pointer_mut("/metadata/labels").and_then(Value::as_object_mut) {
        labels.remove("pod-template-hash");
    }
    template
}

impl Cluster {
    pub(super) fn run_deployments(&mut self) {
        for key in self.keys("deployments") {
            let Some(deployment) = self.store.get(&key).cloned() else { continue };
            if shape::is_leaving(&deployment) {
                continue;
            }
            let rollout = self.rollout_of(deployment);
            self.roll(&key, rollout);
        }
    }

    fn rollout_of(&self, deployment: Arc<Value>) -> Rollout {
        let mut sets = self.owned("replicasets", shape::namespace(&deployment), shape::uid(&deployment));
        sets.sort_by_key(|set| revision(set));
        let wanted = shape::canonical(&bare_template(&deployment));
        let newest = sets.iter().position(|set| shape::canonical(&bare_template(set)) == wanted);
        let newest = newest.map(|index| sets.remove(index));
        Rollout { deployment, newest, old: sets }
    }

    fn roll(&mut self, key: &Key, mut rollout: Rollout) {
        let is_paused = rollout.deployment.pointer("/spec/paused") == Some(&Value::Bool(true));
        if is_paused {
            if let Some(newest) = rollout.newest.clone().filter(|_| rollout.old.iter().all(|set| replicas(set) == 0)) {
                self.scale(&rollout, &newest, rollout.wanted());
            }
        } else {
            let newest = self.newest_set(key, &rollout);
            rollout.newest = Some(newest);
            self.move_pods(&rollout);
            self.prune_history(&rollout);
        }
        let Some(deployment) = self.store.get(key).cloned() else { return };
        let fresh = self.rollout_of(deployment);
        self.show_deployment(key, &fresh);
    }

    /// The replica set of the present template: made if there is none, and carrying the highest revision.
    fn newest_set(&mut self, key: &Key, rollout: &Rollout) -> Arc<Value> {
        let highest = rollout.old.iter().map(|set| revision(set)).max().unwrap_or(0);
        let newest = match &rollout.newest {
            Some(known) if revision(known) > highest => Arc::clone(known),
            Some(known) => {
                let mut raised = (**known).clone();
                let past =
                    [shape::annotation(known, HISTORY).unwrap_or_default(), &revision(known).to_string()].join(",");
                shape::annotate(&mut raised, HISTORY, past.trim_start_matches(','));
                shape::annotate(&mut raised, REVISION, (highest + 1).to_string());
                self.store.put(Key::of(row("replicasets"), known), raised)
            }
            None => {
                let fresh = self.fresh_set(&rollout.deployment, highest + 1);
                self.store.put(Key::of(row("replicasets"), &fresh), fresh)
            }
        };
        let number = revision(&newest);
        if revision(&rollout.deployment) != number {
            let mut noted = (*rollout.deployment).clone();
            shape::annotate(&mut noted, REVISION, number.to_string());
            self.store.put(key.clone(), noted);
        }
        newest
    }

    /// A replica set of a deployment's template, with no pods yet.
    pub(super) fn fresh_set(&self, deployment: &Value, number: i64) -> Value {
        let mut template = bare_template(deployment);
        let hash = template_hash(&shape::canonical(&template));
        set(&mut template, &["metadata", "labels", "pod-template-hash"], json!(hash));
        let mut selector = deployment["spec"]["selector"].clone();
        set(&mut selector, &["matchLabels", "pod-template-hash"], json!(hash));
        let name = format!("{}-{hash}", shape::name(deployment));
        let mut fresh = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": name, "namespace": shape::namespace(deployment), "generation": 1,
                "creationTimestamp": shape::stamp(self.now),
                "uid": self.dice.uid(&["replicaset", shape::uid(deployment), &hash, &number.to_string()]),
                "labels": template["metadata"]["labels"], "ownerReferences": shape::owned_by(deployment),
            },
            "spec": {"replicas": 0, "selector": selector, "template": template},
            "status": {"replicas": 0, "observedGeneration": 1},
        });
        if let Some(Value::Object(notes)) = deployment.pointer("/metadata/annotations") {
            let copied = notes.iter().filter(|note| note.0 != "kubectl.kubernetes.io/last-applied-configuration");
            let copied: serde_json::Map<_, _> = copied.map(|(name, note)| (name.clone(), note.clone())).collect();
            set(&mut fresh, &["metadata", "annotations"], Value::Object(copied));
        }
        shape::annotate(&mut fresh, REVISION, number.to_string());
        fresh
    }

    /// One move of a rollout: up within the surge, else down within what may be unavailable.
    fn move_pods(&mut self, rollout: &Rollout) {
        let Some(newest) = &rollout.newest else { return };
        let (wanted, now) = (rollout.wanted(), replicas(newest));
        let total: i64 = rollout.all().map(|set| replicas(set)).sum();
        let recreates = shape::text(&rollout.deployment, "/spec/strategy/type") == Some("Recreate");
        let old_pods: i64 = rollout.old.iter().map(|set| shape::number(set, "/status/replicas").unwrap_or(0)).sum();
        if now > wanted {
            self.scale(rollout, newest, wanted);
        } else if now < wanted && !(recreates && old_pods > 0) {
            let room = wanted + rollout.max_surge() - total;
            if room > 0 {
                self.scale(rollout, newest, now + room.min(wanted - now));
                return;
            }
        }
        self.shrink_old(rollout, total);
    }

    /// Takes old pods away: first those that are not available anyway, then as many as availability allows.
    fn shrink_old(&mut self, rollout: &Rollout, total: i64) {
        let Some(newest) = &rollout.newest else { return };
        let least = rollout.wanted() - rollout.max_unavailable();
        let newest_unavailable = replicas(newest) - available(newest);
        let mut budget = total - least - newest_unavailable;
        let mut left: Vec<(Arc<Value>, i64)> = rollout.old.iter().map(|set| (Arc::clone(set), replicas(set))).collect();
        for (set, count) in &mut left {
            let unhealthy = (*count - available(set)).clamp(0, budget.max(0));
            *count -= unhealthy;
            budget -= unhealthy;
        }
        let mut spare = (rollout.all().map(|set| available(set)).sum::<i64>() - least).min(budget);
        for (_, count) in &mut left {
            let taken = (*count).min(spare.max(0));
            *count -= taken;
            spare -= taken;
        }
        for (set, count) in left {
            self.scale(rollout, &set, count);
        }
    }

    fn scale(&mut self, rollout: &Rollout, set: &Arc<Value>, to: i64) {
        let from = replicas(set);
        if from == to {
            return;
        }
        let key = Key::of(row("replicasets"), set);
        let Some(current) = self.store.get(&key) else { return };
        let mut scaled = (**current).clone();
        scaled["spec"]["replicas"] = json!(to);
        let generation = shape::number(&scaled, "/metadata/generation").unwrap_or(1) + 1;
        scaled["metadata"]["generation"] = json!(generation);
        self.store.put(key, scaled);
        let way = if to > from { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {} from {from} to {to}", shape::name(set));
        let occurrence = Occurrence {
            about: &rollout.deployment,
            tone: Tone::Normal,
            reason: "ScalingReplicaSet",
            message,
            source: "deployment-controller",
        };
        event::record(&mut self.store, self.now, &occurrence);
    }

    /// Removes empty old replica sets beyond the history limit.
    fn prune_history(&mut self, rollout: &Rollout) {
        let limit = shape::number(&rollout.deployment, "/spec/revisionHistoryLimit").unwrap_or(10);
        let empty = |set: &&Arc<Value>| replicas(set) == 0 && shape::number(set, "/status/replicas").unwrap_or(0) == 0;
        let spare: Vec<_> = rollout.old.iter().filter(empty).collect();
        let excess = spare.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        for set in &spare[..excess] {
            self.store.remove(&Key::of(row("replicasets"), set));
        }
    }
}
