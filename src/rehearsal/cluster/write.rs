//! Writes: one path for create, replace, patch and delete, which a dry run walks to the last step but storing.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::Attempt;
use super::failure::{Failure, FieldFault};
use super::kind::{Kind, Reach, Subresource, row};
use super::patch::{PatchError, PatchKind, patched};
use super::shape::{self, set, stamp};
use super::store::Key;
use super::{Cluster, admission, defaults, validate};
use crate::rehearsal::ledger::DryRun;

/// What a write aims at.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The resource.
    pub kind: &'static Kind,
    /// Its namespace; empty in the cluster at large.
    pub namespace: &'a str,
    /// Its name; empty for a create.
    pub name: &'a str,
    /// The subresource, if one is written.
    pub subresource: Option<Subresource>,
}

impl Target<'_> {
    fn key(&self) -> Key {
        Key::new(self.kind, self.namespace, self.name)
    }

    /// The question to rules and webhooks that a verb on this target is.
    pub fn attempt<'a>(&'a self, verb: &'a str) -> Attempt<'a> {
        Attempt {
            verb,
            group: self.kind.group,
            resource: self.kind.plural,
            subresource: self.subresource.map_or("", Subresource::word),
            namespace: self.namespace,
        }
    }
}

impl Cluster {
    /// Creates an object.
    pub fn create(&mut self, target: Target<'_>, body: Value, dry_run: DryRun) -> Result<Arc<Value>, Failure> {
        let kind = target.kind;
        let object = self.newborn(target, body)?;
        if kind.reach == Reach::Namespaced {
            self.require(row("namespaces"), "", target.namespace)?;
        }
        let key = Key::of(kind, &object);
        if self.get(&key).is_some() {
            return Err(Failure::already_exists(kind, &key.name));
        }
        validate::decodes(kind, &object).map_err(Failure::bad_request)?;
        validate::accepts(kind, &object, None)?;
        admission::webhooks(&self.webhooks, target.attempt("create"), dry_run)?;
        if kind.plural == "pods" {
            admission::quota(&self.store, &object)?;
        }
        match dry_run {
            DryRun::All => Ok(Arc::new(object)),
            DryRun::No => Ok(self.commit(key, object)),
        }
    }

    /// A body as it would be stored: identity, birth and defaults written in.
    fn newborn(&self, target: Target<'_>, mut object: Value) -> Result<Value, Failure> {
        let kind = target.kind;
        expect_kind(kind, &object)?;
        let turn = self.store.revision().to_string();
        if let Some(stem) = shape::text(&object, "/metadata/generateName").map(str::to_owned)
            && shape::name(&object).is_empty()
        {
            let name = format!("{stem}{}", self.dice.suffix(5, &["name", &stem, &turn]));
            set(&mut object, &["metadata", "name"], json!(name));
        }
        let name = shape::name(&object).to_owned();
        if name.is_empty() {
            let fault = FieldFault::required("metadata.name", "name or generateName is required");
            return Err(Failure::invalid(kind, "", &[fault]));
        }
        let space = shape::namespace(&object);
        if kind.reach == Reach::Namespaced && !space.is_empty() && space != target.namespace {
            let why = "the namespace of the provided object does not match the namespace sent on the request";
            return Err(Failure::bad_request(why));
        }
        if shape::text(&object, "/metadata/resourceVersion").is_some_and(|text| !text.is_empty()) {
            return Err(Failure::bad_request("resourceVersion should not be set on objects to be created"));
        }
        if kind.reach == Reach::Namespaced {
            set(&mut object, &["metadata", "namespace"], json!(target.namespace));
        }
        set(
            &mut object,
            &["metadata", "uid"],
            json!(self.dice.uid(&["made", kind.plural, target.namespace, &name, &turn])),
        );
        set(&mut object, &["metadata", "creationTimestamp"], stamp(self.now));
        if object.get("spec").is_some() {
            set(&mut object, &["metadata", "generation"], json!(1));
        }
        if kind.subresources.contains(&Subresource::Status)
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        defaults::fill(kind, &mut object);
        if kind.plural == "pods" {
            admission::default_pod(&mut object);
        }
        Ok(object)
    }

    /// Replaces an object, or one of its subresources.
    pub fn replace(&mut self, target: Target<'_>, body: Value, dry_run: DryRun) -> Result<Arc<Value>, Failure> {
        let before = self.require(target.kind, target.namespace, target.name)?;
        let after = if target.subresource == Some(Subresource::Scale) {
            rescaled(&before, &body)
        } else {
            expect_kind(target.kind, &body)?;
            body
        };
        self.change(target, "update", (&before, after), dry_run)
    }

    /// Patches an object, or one of its subresources. An apply of what is not there creates it.
    pub fn patch(
        &mut self,
        target: Target<'_>,
        patch: (PatchKind, &Value),
        dry_run: DryRun,
    ) -> Result<Arc<Value>, Failure> {
        let (language, document) = patch;
        let before = match self.require(target.kind, target.namespace, target.name) {
            Err(_) if language == PatchKind::Apply && target.subresource.is_none() => {
                return self.create(target, document.clone(), dry_run);
            }
            other => other?,
        };
        let is_scale = target.subresource == Some(Subresource::Scale);
        let shown = if is_scale { scale_of(&before) } else { (*before).clone() };
        let changed = patched(language, &shown, document).map_err(|error| told(target.kind, target.name, error))?;
        let after = if is_scale { rescaled(&before, &changed) } else { changed };
        // A patched object that cannot be read is told as a fault of the patch (apiserver, `patch.go`).
        validate::decodes(target.kind, &after).map_err(|why| unreadable(document, &why))?;
        self.change(target, "patch", (&before, after), dry_run)
    }

    fn change(
        &mut self,
        target: Target<'_>,
        verb: &str,
        change: (&Arc<Value>, Value),
        dry_run: DryRun,
    ) -> Result<Arc<Value>, Failure> {
        let (before, after) = change;
        let kind = target.kind;
        preconditions(target, before, &after)?;
        let mut object = kept_identity(before, after);
        match target.subresource {
            Some(Subresource::Status) => {
                let status = object.get("status").cloned().unwrap_or_else(|| json!({}));
                object = (**before).clone();
                object["status"] = status;
            }
            None | Some(Subresource::Scale) => {
                if kind.subresources.contains(&Subresource::Status) {
                    restore(&mut object, before, "status");
                }
                defaults::fill(kind, &mut object);
            }
        }
        validate::decodes(kind, &object).map_err(Failure::bad_request)?;
        validate::accepts(kind, &object, Some(before))?;
        admission::webhooks(&self.webhooks, target.attempt(verb), dry_run)?;
        if object.get("spec") != before.get("spec")
            && let Some(generation) = shape::number(before, "/metadata/generation")
        {
            set(&mut object, &["metadata", "generation"], json!(generation + 1));
        }
        let stored = match dry_run {
            DryRun::All => Arc::new(object),
            DryRun::No => self.commit(target.key(), object),
        };
        let is_scale = target.subresource == Some(Subresource::Scale);
        Ok(if is_scale { Arc::new(scale_of(&stored)) } else { stored })
    }

    /// Deletes an object. A pod leaves with its grace, everything else at once; what it owned follows.
    pub fn delete(&mut self, target: Target<'_>, options: &Value, dry_run: DryRun) -> Result<Arc<Value>, Failure> {
        let kind = target.kind;
        let before = self.require(kind, target.namespace, target.name)?;
        for (field, found) in [("uid", "/metadata/uid"), ("resourceVersion", "/metadata/resourceVersion")] {
            let wanted = shape::text(options, &format!("/preconditions/{field}"));
            let found = shape::text(&before, found).unwrap_or_default();
            if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
                let label = if field == "uid" { "UID" } else { "ResourceVersion" };
                let why =
                    format!("Precondition failed: {label} in precondition: {wanted}, {label} in object meta: {found}");
                return Err(Failure::conflict(kind, target.name, &why));
            }
        }
        admission::webhooks(&self.webhooks, target.attempt("delete"), dry_run)?;
        let key = target.key();
        if kind.plural == "pods" {
            if dry_run == DryRun::All {
                return Ok(before);
            }
            self.dismiss_pod(&key);
            return Ok(self.get(&key).cloned().unwrap_or(before));
        }
        if dry_run == DryRun::No {
            self.store.remove(&key);
            self.settle();
        }
        let mut details = json!({"name": target.name, "kind": kind.plural, "uid": shape::uid(&before)});
        if !kind.group.is_empty() {
            details["group"] = json!(kind.group);
        }
        let done =
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details});
        Ok(Arc::new(done))
    }

    /// Stores an object and lets the controllers see it; the answer is the object as it was stored.
    fn commit(&mut self, key: Key, object: Value) -> Arc<Value> {
        let stored = self.store.put(key, object);
        self.settle();
        stored
    }
}

fn expect_kind(kind: &Kind, object: &Value) -> Result<(), Failure> {
    let (api, word) = (shape::text(object, "/apiVersion"), shape::text(object, "/kind"));
    let is_right = api.is_none_or(|api| api == kind.api_version()) && word.is_none_or(|word| word == kind.kind);
    if is_right && object.is_object() {
        return Ok(());
    }
    let (api, word) = (api.unwrap_or_default(), word.unwrap_or_default());
    Err(Failure::bad_request(format!(
        "the API version in the data ({api}) does not match the expected API version ({}) of a {}, or its kind does not: \
         {word}",
        kind.api_version(),
        kind.kind
    )))
}

/// The resource version and uid that a body names must be those of the object.
fn preconditions(target: Target<'_>, before: &Value, after: &Value) -> Result<(), Failure> {
    let name = shape::name(after);
    if !name.is_empty() && name != target.name {
        let why = format!("the name of the object ({name}) does not match the name on the URL ({})", target.name);
        return Err(Failure::bad_request(why));
    }
    let uid = shape::uid(after);
    if !uid.is_empty() && uid != shape::uid(before) {
        let found = shape::uid(before);
        let why = format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {found}");
        return Err(Failure::conflict(target.kind, target.name, &why));
    }
    let version = shape::text(after, "/metadata/resourceVersion").unwrap_or_default();
    if !version.is_empty() && Some(version) != shape::text(before, "/metadata/resourceVersion") {
        return Err(Failure::stale(target.kind, target.name));
    }
    Ok(())
}

/// What a client may not change is as it was.
fn kept_identity(before: &Value, mut after: Value) -> Value {
    const KEPT: [&str; 8] = [
        "name",
        "namespace",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ];
    if !after["metadata"].is_object() {
        after["metadata"] = json!({});
    }
    for field in KEPT {
        restore(&mut after["metadata"], &before["metadata"], field);
    }
    after
}

fn restore(object: &mut Value, from: &Value, field: &str) {
    match (object.as_object_mut(), from.get(field)) {
        (Some(fields), Some(value)) => {
            fields.insert(field.to_owned(), value.clone());
        }
        (Some(fields), None) => {
            fields.remove(field);
        }
        (None, _) => {}
    }
}

fn told(kind: &Kind, name: &str, error: PatchError) -> Failure {
    match error {
        PatchError::Malformed(why) => Failure::bad_request(format!("error decoding patch: {why}")),
        PatchError::Inapplicable(_) => Failure::unprocessable(),
        PatchError::Unmergeable(why) => Failure::invalid(kind, name, &[FieldFault::invalid("patch", &json!(""), &why)]),
    }
}

fn unreadable(patch: &Value, why: &str) -> Failure {
    let fault = FieldFault::invalid("patch", &json!(patch.to_string()), why);
    let message = format!(" \"\" is invalid: patch: {}", fault.message);
    let causes = json!([{"reason": fault.reason, "message": fault.message, "field": "patch"}]);
    Failure { code: 422, reason: "Invalid", message, details: json!({"causes": causes}) }
}

/// The `autoscaling/v1` Scale of a workload.
pub fn scale_of(object: &Value) -> Value {
    let chosen = object.pointer("/spec/selector/matchLabels").and_then(Value::as_object);
    let text: Vec<String> = chosen
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let meta = &object["metadata"];
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"],
            "resourceVersion": meta["resourceVersion"], "creationTimestamp": meta["creationTimestamp"],
        },
        "spec": {"replicas": object.pointer("/spec/replicas").cloned().unwrap_or_else(|| json!(0))},
        "status": {"replicas": shape::number(object, "/status/replicas").unwrap_or(0), "selector": text.join(",")},
    })
}

/// The workload with the replicas and the preconditions that a Scale asks for.
fn rescaled(before: &Value, scale: &Value) -> Value {
    let mut after = before.clone();
    after["spec"]["replicas"] = scale.pointer("/spec/replicas").cloned().unwrap_or_else(|| json!(0));
    for field in ["resourceVersion", "uid"] {
        if let Some(wanted) = scale.pointer(&format!("/metadata/{field}")) {
            after["metadata"][field] = wanted.clone();
        }
    }
    after
}

/// A time as an instant, for what reads objects back.
pub fn instant(object: &Value, pointer: &str) -> Option<Timestamp> {
    shape::text(object, pointer)?.parse().ok()
}
