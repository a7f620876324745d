//! Departures: what is deleted goes at once, or stays marked until nothing holds it any more; what it owned follows.

use serde_json::{Value, json};

use super::Cluster;
use super::kind::{KINDS, Kind, Reach, row};
use super::shape::{self, set, stamp};
use super::store::Key;

/// What goes when its controller goes, with the resources of the controller. These are looked after at every turn.
const OWNED: [(&str, &[&str]); 3] = [
    ("replicasets", &["deployments"]),
    ("controllerrevisions", &["statefulsets", "daemonsets"]),
    ("pods", &["replicasets", "statefulsets", "daemonsets"]),
];

/// The finalizer of an object that waits for what it owns.
const FOREGROUND: &str = "foregroundDeletion";

/// What becomes of what an object owned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Propagation {
    /// It goes after the object.
    Background,
    /// It goes before the object.
    Foreground,
    /// It stays.
    Orphan,
}

impl Propagation {
    /// As delete options say it.
    pub(super) fn of(options: &Value) -> Self {
        match shape::text(options, "/propagationPolicy") {
            Some("Foreground") => Self::Foreground,
            Some("Orphan") => Self::Orphan,
            _ => Self::Background,
        }
    }
}

impl Cluster {
    /// Lets an object go: at once where nothing holds it, else marked, to go when the last that holds it lets go.
    pub(super) fn let_go(&mut self, key: &Key, way: Propagation) {
        let Some(object) = self.store.get(key).cloned() else { return };
        if key.plural == "pods" {
            return self.dismiss_pod(key);
        }
        if way == Propagation::Orphan {
            self.disown(shape::uid(&object));
        }
        let mut held = finalizers(&object);
        if way == Propagation::Foreground && !held.iter().any(|one| one == FOREGROUND) {
            held.push(FOREGROUND.to_owned());
        }
        if held.is_empty() && key.plural != "namespaces" {
            return self.bury(key);
        }
        let mut leaving = (*object).clone();
        if !shape::is_leaving(&object) {
            set(&mut leaving, &["metadata", "deletionTimestamp"], stamp(self.now));
            set(&mut leaving, &["metadata", "deletionGracePeriodSeconds"], json!(0));
        }
        if !held.is_empty() {
            set(&mut leaving, &["metadata", "finalizers"], json!(held));
        }
        if key.plural == "namespaces" {
            set(&mut leaving, &["status", "phase"], json!("Terminating"));
        }
        self.leaving.insert(key.clone());
        self.store.put(key.clone(), leaving);
    }

    /// Removes an object, and lets go what only it owned.
    fn bury(&mut self, key: &Key) {
        let Some(last) = self.store.remove(key) else { return };
        let uid = shape::uid(&last);
        let mut owned = self.store.owned_keys(uid);
        for kind in KINDS.iter().filter(|kind| !matches!(kind.plural, "events" | "pods" | "replicasets")) {
            let orphans = self.store.list(kind, None).filter(|entry| is_owned_by_alone(entry.1, uid));
            owned.extend(orphans.map(|entry| entry.0.clone()));
        }
        if key.plural == "services" {
            // Of the older form nobody says that it is owned: it goes by its name.
            owned.push(Key::new(row("endpoints"), &key.namespace, &key.name));
        }
        for key in owned {
            self.let_go(&key, Propagation::Background);
        }
    }

    /// Takes away what is leaving and held by nothing any more.
    pub(super) fn run_departures(&mut self) {
        for key in self.leaving.iter().cloned().collect::<Vec<_>>() {
            let Some(object) = self.store.get(&key).cloned() else {
                self.leaving.remove(&key);
                continue;
            };
            if key.plural == "namespaces" && !self.empty_namespace(&key.name) {
                continue;
            }
            let mut held = finalizers(&object);
            if held.iter().any(|one| one == FOREGROUND) {
                let owned = self.store.owned_keys(shape::uid(&object));
                for key in &owned {
                    self.let_go(key, Propagation::Foreground);
                }
                if !self.store.owned_keys(shape::uid(&object)).is_empty() {
                    continue;
                }
                held.retain(|one| one != FOREGROUND);
                let mut freed = (*object).clone();
                set(&mut freed, &["metadata", "finalizers"], json!(held));
                self.store.put(key.clone(), freed);
            }
            if held.is_empty() {
                self.leaving.remove(&key);
                self.bury(&key);
            }
        }
    }

    /// Lets go what is in a namespace; true when nothing is left.
    fn empty_namespace(&mut self, name: &str) -> bool {
        let inside = KINDS.iter().filter(|kind| kind.reach == Reach::Namespaced);
        let keys: Vec<Key> =
            inside.flat_map(|kind| self.store.list(kind, Some(name)).map(|entry| entry.0.clone())).collect();
        for key in &keys {
            if self.store.get(key).is_some_and(|object| !shape::is_leaving(object)) {
                self.let_go(key, Propagation::Background);
            }
        }
        keys.is_empty()
    }

    /// Takes an owner's mark off all that it owns, so that it outlives the owner.
    fn disown(&mut self, uid: &str) {
        for key in self.store.owned_keys(uid) {
            let Some(mut freed) = self.store.get(&key).map(|object| (**object).clone()) else { continue };
            if let Some(metadata) = freed["metadata"].as_object_mut() {
                metadata.remove("ownerReferences");
            }
            self.store.put(key, freed);
        }
    }

    /// Lets go what lost its controller: replica sets at once, pods with their grace.
    pub(super) fn collect_orphans(&mut self) {
        for (plural, owners) in OWNED {
            let owners: Vec<&Kind> = owners.iter().map(|owner| row(owner)).collect();
            let listed = owners.iter().flat_map(|owner| self.store.list(owner, None));
            let alive: std::collections::HashSet<&str> = listed.map(|entry| shape::uid(entry.1)).collect();
            let is_of_these = |object: &Value| {
                let kind = shape::text(object, "/metadata/ownerReferences/0/kind");
                owners.iter().any(|owner| Some(owner.kind) == kind)
            };
            let orphans: Vec<Key> = self
                .store
                .list(row(plural), None)
                .filter(|entry| is_of_these(entry.1))
                .filter(|entry| shape::controller(entry.1).is_some_and(|uid| !alive.contains(uid)))
                .map(|entry| entry.0.clone())
                .collect();
            for key in orphans {
                self.let_go(&key, Propagation::Background);
            }
        }
    }

    /// Gives every namespace the account that its pods run as.
    pub(super) fn run_namespaces(&mut self) {
        for key in self.keys("namespaces") {
            let account = Key::new(row("serviceaccounts"), &key.name, "default");
            let Some(namespace) = self.store.get(&key).filter(|space| !shape::is_leaving(space)) else { continue };
            if self.store.get(&account).is_none() {
                let born = namespace["metadata"]["creationTimestamp"].clone();
                let metadata = json!({"name": "default", "namespace": key.name, "creationTimestamp": born});
                self.place(row("serviceaccounts"), json!({"metadata": metadata}));
            }
        }
    }
}

/// The finalizers of an object.
pub(super) fn finalizers(object: &Value) -> Vec<String> {
    let all = object.pointer("/metadata/finalizers").and_then(Value::as_array);
    all.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_owned_by_alone(object: &Value, uid: &str) -> bool {
    let owners = object.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    owners.is_some_and(|owners| !owners.is_empty() && owners.iter().all(|owner| owner["uid"] == uid))
}
