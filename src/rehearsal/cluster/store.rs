//! Objects by key with one revision counter and a bounded log of changes: all that lists and watches are made of.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::kind::Kind;
use super::shape;

/// How many changes are kept for watches to catch up on, unless told otherwise.
const KEPT_CHANGES: usize = 4096;

/// Which object. Ordered as lists are: by resource, namespace, name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// The plural of the resource.
    pub plural: &'static str,
    /// Its namespace; empty in the cluster at large.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Key {
    /// The key of a name.
    pub fn new(kind: &Kind, namespace: &str, name: &str) -> Self {
        Self { plural: kind.plural, namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// The key of an object.
    pub fn of(kind: &Kind, object: &Value) -> Self {
        Self::new(kind, shape::namespace(object), shape::name(object))
    }
}

/// What happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The revision it made.
    pub revision: u64,
    /// Which object.
    pub key: Key,
    /// Before; `None` if it was created.
    pub before: Option<Arc<Value>>,
    /// After; `None` if it was deleted.
    pub after: Option<Arc<Value>>,
    /// The last state of a deleted object, carrying the revision of the deletion.
    pub last: Arc<Value>,
}

/// The changes asked for are no longer kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The oldest revision that can still be followed.
    pub oldest: u64,
}

/// The object store.
#[derive(Debug)]
pub struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    /// Which objects a controller has, by its uid: it asks for them at every turn, and they are few among many.
    owned: BTreeMap<String, BTreeSet<Key>>,
    changes: VecDeque<Change>,
    revision: u64,
    oldest: u64,
    kept: usize,
    /// Counts the changes to nodes and to pods that are on one.
    seating: u64,
}

impl Store {
    /// An empty store that counts on from a revision.
    pub fn new(revision: u64) -> Self {
        let (objects, owned, changes) = (BTreeMap::new(), BTreeMap::new(), VecDeque::new());
        Self { objects, owned, changes, revision, oldest: revision, kept: KEPT_CHANGES, seating: 0 }
    }

    /// The revision of the last change.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Another number than before wherever a pod may fit that did not: nodes changed, or pods that are on one.
    pub fn seating(&self) -> u64 {
        self.seating
    }

    /// The oldest revision a watch may start from.
    pub fn oldest(&self) -> u64 {
        self.oldest
    }

    /// An object.
    pub fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    /// The objects of a resource, in one namespace or in all.
    pub fn list(&self, kind: &Kind, namespace: Option<&str>) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        let plural = kind.plural;
        let wanted = namespace.map(str::to_owned);
        let first = Key { plural, namespace: wanted.clone().unwrap_or_default(), name: String::new() };
        self.objects.range(first..).take_while(move |(key, _)| {
            key.plural == plural && wanted.as_ref().is_none_or(|space| *space == key.namespace)
        })
    }

    /// The same as of a revision that is still known: what changed since is taken back.
    pub fn list_at(&self, kind: &Kind, namespace: Option<&str>, revision: u64) -> BTreeMap<Key, Arc<Value>> {
        let mut then: BTreeMap<Key, Arc<Value>> =
            self.list(kind, namespace).map(|(key, object)| (key.clone(), Arc::clone(object))).collect();
        let since = self.changes.iter().rev().take_while(|change| change.revision > revision);
        for change in since.filter(|change| change.key.plural == kind.plural) {
            if namespace.is_some_and(|namespace| namespace != change.key.namespace) {
                continue;
            }
            match &change.before {
                Some(before) => drop(then.insert(change.key.clone(), Arc::clone(before))),
                None => drop(then.remove(&change.key)),
            }
        }
        then
    }

    /// The objects of a resource in a namespace that a controller's uid owns, in the order of lists.
    pub fn owned(&self, kind: &Kind, namespace: &str, uid: &str) -> impl Iterator<Item = &Arc<Value>> {
        let first = Key::new(kind, namespace, "");
        let here = |key: &&Key| (key.plural, key.namespace.as_str()) == (kind.plural, namespace);
        let keys = self.owned.get(uid).into_iter().flat_map(move |keys| keys.range(first.clone()..).take_while(here));
        keys.filter_map(|key| self.objects.get(key))
    }

    /// Everything that a controller's uid owns.
    pub fn owned_keys(&self, uid: &str) -> Vec<Key> {
        self.owned.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Stores an object under a new revision and returns it as stored. What changes nothing burns no revision.
    pub fn put(&mut self, key: Key, mut object: Value) -> Arc<Value> {
        let before = self.objects.get(&key).cloned();
        if let Some(before) = &before {
            shape::set(&mut object, &["metadata", "resourceVersion"], before["metadata"]["resourceVersion"].clone());
            if **before == object {
                return Arc::clone(before);
            }
        }
        self.revision += 1;
        shape::set(&mut object, &["metadata", "resourceVersion"], json!(self.revision.to_string()));
        let object = Arc::new(object);
        self.objects.insert(key.clone(), Arc::clone(&object));
        self.note_owner(&key, before.as_deref(), Some(&object));
        let (after, last) = (Some(Arc::clone(&object)), Arc::clone(&object));
        self.record(Change { revision: self.revision, key, before, after, last });
        object
    }

    /// Removes an object and returns its last state, which carries the revision of the deletion.
    pub fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        self.revision += 1;
        let mut last = (*before).clone();
        shape::set(&mut last, &["metadata", "resourceVersion"], json!(self.revision.to_string()));
        let last = Arc::new(last);
        self.note_owner(key, Some(&before), None);
        let change = Change {
            revision: self.revision,
            key: key.clone(),
            before: Some(before),
            after: None,
            last: Arc::clone(&last),
        };
        self.record(change);
        Some(last)
    }

    /// The changes after a revision, ascending.
    pub fn changes_after(&self, revision: u64) -> Result<impl Iterator<Item = &Change>, Expired> {
        if revision < self.oldest {
            return Err(Expired { oldest: self.oldest });
        }
        let from = self.changes.partition_point(|change| change.revision <= revision);
        Ok(self.changes.range(from..))
    }

    /// Forgets every change so far, as a compaction does: watches behind it are gone.
    pub fn compact(&mut self) {
        self.changes.clear();
        self.oldest = self.revision;
    }

    /// Keeps the owners in step with an object that was made, changed or removed.
    fn note_owner(&mut self, key: &Key, before: Option<&Value>, after: Option<&Value>) {
        let (was, is) = (before.and_then(shape::controller), after.and_then(shape::controller));
        if was == is {
            return;
        }
        if let Some(uid) = was
            && let Some(keys) = self.owned.get_mut(uid)
        {
            keys.remove(key);
            if keys.is_empty() {
                self.owned.remove(uid);
            }
        }
        if let Some(uid) = is {
            self.owned.entry(uid.to_owned()).or_default().insert(key.clone());
        }
    }

    fn record(&mut self, change: Change) {
        let is_seated = change.last.pointer("/spec/nodeName").is_some();
        if change.key.plural == "nodes" || change.key.plural == "pods" && is_seated {
            self.seating += 1;
        }
        self.changes.push_back(change);
        while self.changes.len() > self.kept {
            if let Some(dropped) = self.changes.pop_front() {
                self.oldest = dropped.revision;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::cluster::kind::row;

    fn object(namespace: &str, name: &str, note: i64) -> Value {
        json!({"metadata": {"namespace": namespace, "name": name}, "note": note})
    }

    #[test]
    fn every_real_change_makes_one_revision_and_a_repeat_makes_none() {
        let pods = row("pods");
        let mut store = Store::new(100);
        let first = store.put(Key::new(pods, "a", "x"), object("a", "x", 1));
        assert_eq!(first["metadata"]["resourceVersion"], "101");
        store.put(Key::new(pods, "a", "x"), object("a", "x", 1));
        assert_eq!(store.revision(), 101);
        store.put(Key::new(pods, "a", "x"), object("a", "x", 2));
        assert_eq!(store.remove(&Key::new(pods, "a", "x")).unwrap()["metadata"]["resourceVersion"], "103");
        assert_eq!(store.remove(&Key::new(pods, "a", "x")), None);
        let told: Vec<_> =
            store.changes_after(100).unwrap().map(|c| (c.revision, c.before.is_some(), c.after.is_some())).collect();
        assert_eq!(told, [(101, false, true), (102, true, true), (103, true, false)]);
    }

    #[test]
    fn a_list_holds_one_resource_and_one_namespace() {
        let mut store = Store::new(0);
        for (plural, space, name) in
            [("pods", "a", "x"), ("pods", "b", "y"), ("pods", "ab", "z"), ("services", "a", "s")]
        {
            store.put(Key::new(row(plural), space, name), object(space, name, 0));
        }
        let names = |space| store.list(row("pods"), space).map(|(key, _)| key.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(Some("a")), ["x"]);
        assert_eq!(names(None), ["x", "z", "y"]);
    }

    #[test]
    fn a_list_of_a_past_revision_is_as_it_was() {
        let pods = row("pods");
        let mut store = Store::new(0);
        for (name, note) in [("x", 1), ("y", 1), ("x", 2)] {
            store.put(Key::new(pods, "a", name), object("a", name, note));
        }
        store.put(Key::new(row("services"), "a", "s"), object("a", "s", 0));
        store.remove(&Key::new(pods, "a", "y"));
        let at = |revision| {
            let then = store.list_at(pods, Some("a"), revision);
            then.iter().map(|(key, one)| (key.name.clone(), one["note"].as_i64())).collect::<Vec<_>>()
        };
        let (x, y) = (|note| ("x".to_owned(), Some(note)), ("y".to_owned(), Some(1)));
        assert_eq!([at(0), at(1), at(2)], [vec![], vec![x(1)], vec![x(1), y.clone()]]);
        assert_eq!([at(4), at(5)], [vec![x(2), y], vec![x(2)]]);
    }

    #[test]
    fn what_a_controller_owns_follows_the_objects() {
        let pods = row("pods");
        let owned = |name: &str, uid: &str| {
            let mut object = object("a", name, 0);
            object["metadata"]["ownerReferences"] = json!([{"uid": uid, "controller": true}]);
            object
        };
        let mut store = Store::new(0);
        for (name, uid) in [("x", "one"), ("y", "two"), ("w", "one")] {
            store.put(Key::new(pods, "a", name), owned(name, uid));
        }
        store.put(Key::new(row("services"), "a", "s"), owned("s", "one"));
        let names = |store: &Store, uid: &str| {
            store.owned(pods, "a", uid).map(|one| shape::name(one).to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            (names(&store, "one"), names(&store, "two")),
            (vec!["w".to_owned(), "x".to_owned()], vec!["y".to_owned()])
        );
        assert_eq!(store.owned(pods, "b", "one").count(), 0);
        store.put(Key::new(pods, "a", "x"), owned("x", "two"));
        store.put(Key::new(pods, "a", "w"), object("a", "w", 1));
        assert_eq!((names(&store, "one").len(), names(&store, "two").len()), (0, 2));
        store.remove(&Key::new(pods, "a", "x"));
        store.remove(&Key::new(pods, "a", "y"));
        store.remove(&Key::new(row("services"), "a", "s"));
        assert!(store.owned.is_empty(), "{:?}", store.owned);
    }

    #[test]
    fn changes_before_the_horizon_are_expired() {
        let pods = row("pods");
        let mut store = Store::new(0);
        store.kept = 2;
        for note in 1..=4 {
            store.put(Key::new(pods, "a", "x"), object("a", "x", note));
        }
        assert_eq!(store.changes_after(1).err(), Some(Expired { oldest: 2 }));
        assert_eq!(store.changes_after(2).unwrap().count(), 2);
        store.compact();
        assert_eq!(store.changes_after(3).err(), Some(Expired { oldest: 4 }));
        assert_eq!(store.changes_after(4).unwrap().count(), 0);
    }
}
