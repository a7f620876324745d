//! Controller revisions: the templates that a stateful set or daemon set has had, for `rollout history` and `undo`.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Cluster;
use super::dice::template_hash;
use super::kind::row;
use super::shape::{self, set, stamp};
use super::store::Key;

/// The label by which a pod tells the template it was made from.
pub(super) const HASH: &str = "controller-revision-hash";
/// How many old revisions are kept where the object does not say.
const KEPT: i64 = 10;

/// The templates of an owner.
pub(super) struct History {
    /// The value of [`HASH`] on pods of the present template.
    pub(super) hash: String,
    /// The name of the present revision.
    pub(super) name: String,
}

impl Cluster {
    /// Makes sure that the present template has a revision, the newest one, and forgets old ones beyond the limit.
    pub(super) fn history_of(&mut self, owner: &Arc<Value>) -> History {
        let mut known = self.owned("controllerrevisions", shape::namespace(owner), shape::uid(owner));
        known.sort_by_key(|revision| number(revision));
        let content = content(owner);
        let newest = known.last().map_or(0, |revision| number(revision));
        let hash = template_hash(&shape::canonical(&content));
        let name = format!("{}-{hash}", shape::name(owner));
        match known.iter().find(|revision| shape::name(revision) == name) {
            Some(current) if number(current) < newest => {
                let mut raised = (**current).clone();
                raised["revision"] = json!(newest + 1);
                self.store.put(Key::of(row("controllerrevisions"), current), raised);
            }
            Some(_) => {}
            None => drop(self.make_revision(owner, &content, newest + 1)),
        }
        let limit = shape::number(owner, "/spec/revisionHistoryLimit").unwrap_or(KEPT);
        let spare = known.len().saturating_sub(usize::try_from(limit).unwrap_or(0) + 1);
        for revision in known.iter().filter(|revision| shape::name(revision) != name).take(spare) {
            self.store.remove(&Key::of(row("controllerrevisions"), revision));
        }
        let label = if owner["kind"] == "StatefulSet" { name.clone() } else { hash };
        History { hash: label, name }
    }

    /// Stores a revision of an owner's template.
    pub(super) fn make_revision(&mut self, owner: &Value, content: &Value, number: i64) -> Arc<Value> {
        let hash = template_hash(&shape::canonical(content));
        let mut labels = owner.pointer("/spec/template/metadata/labels").cloned().unwrap_or_else(|| json!({}));
        labels["controller.kubernetes.io/hash"] = json!(hash);
        let name = format!("{}-{hash}", shape::name(owner));
        let mut revision = json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision",
            "metadata": {
                "name": name, "namespace": shape::namespace(owner), "labels": labels,
                "uid": self.dice.uid(&["revision", shape::uid(owner), &hash]), "creationTimestamp": stamp(self.now),
                "ownerReferences": shape::owned_by(owner),
            },
            "data": content, "revision": number,
        });
        if let Some(cause) = shape::annotation(owner, "kubernetes.io/change-cause") {
            shape::annotate(&mut revision, "kubernetes.io/change-cause", cause);
        }
        self.store.put(Key::of(row("controllerrevisions"), &revision), revision)
    }
}

/// What a revision holds: the patch that brings the template back.
pub(super) fn content(owner: &Value) -> Value {
    let mut content = json!({"spec": {"template": owner["spec"]["template"]}});
    set(&mut content, &["spec", "template", "$patch"], json!("replace"));
    content
}

fn number(revision: &Value) -> i64 {
    shape::number(revision, "/revision").unwrap_or(0)
}
