//! Writes: one path for create, replace, patch and delete, which a dry run walks to the last step but storing.

mod identity;
mod scale;

use std::sync::Arc;

use serde_json::{Value, json};

use super::access::Attempt;
use super::collect::Propagation;
use super::failure::{Failure, FieldFault};
use super::kind::{Kind, Reach, Subresource, row};
use super::managed::{self, Force, Writer};
use super::patch::{PatchError, PatchKind, patched};
use super::schema::decode;
use super::schema::{self, Shape};
use super::shape::{self, set, stamp};
use super::store::Key;
use super::{Cluster, LAG, admission, defaults, validate};
use crate::rehearsal::ledger::DryRun;

pub use identity::KEPT;
pub use scale::scale_of;

use identity::{expect_kind, kept_identity, preconditions, restore};
use scale::rescaled;

/// Namespaces that nobody may delete.
const PERMANENT: [&str; 3] = ["default", "kube-public", "kube-system"];

/// What is done about fields that a type does not have: `fieldValidation`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strangers {
    /// They are dropped.
    Ignore,
    /// They are dropped, and a warning says so.
    #[default]
    Warn,
    /// The write is refused.
    Refuse,
}

/// How a write is meant.
#[derive(Clone, Copy, Debug)]
pub struct WriteOptions<'a> {
    /// Whether it is a rehearsal of itself.
    pub dry_run: DryRun,
    /// Who writes.
    pub manager: &'a str,
    /// What an apply does about fields of others.
    pub force: Force,
    /// What is done about unknown fields.
    pub strangers: Strangers,
}

impl From<DryRun> for WriteOptions<'_> {
    fn from(dry_run: DryRun) -> Self {
        Self { dry_run, manager: "rehearsal", force: Force::No, strangers: Strangers::default() }
    }
}

/// A write that was taken.
#[derive(Clone, Debug)]
pub struct Written {
    /// The object as it is now, or in a dry run as it would be.
    pub object: Arc<Value>,
    /// What the client should be told.
    pub warnings: Vec<String>,
}

/// Who makes a change, by which verb, to what.
#[derive(Clone, Copy)]
struct Change<'a> {
    target: Target<'a>,
    verb: &'static str,
    before: &'a Arc<Value>,
    options: WriteOptions<'a>,
}

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
            name: self.name,
        }
    }
}

impl Cluster {
    /// Creates an object.
    pub fn create(&mut self, target: Target<'_>, body: Value, options: WriteOptions<'_>) -> Result<Written, Failure> {
        expect_kind(target.kind, &body)?;
        let (body, warnings) = read(target.kind, body, options.strangers)?;
        let mut object = self.newborn(target, body)?;
        managed::note_update(&self.writer(target, options), None, &mut object);
        self.admit_new(target, object, options).map(|object| Written { object, warnings })
    }

    /// Creates an object from a manager's whole intent.
    fn create_applied(
        &mut self,
        target: Target<'_>,
        intent: Value,
        options: WriteOptions<'_>,
    ) -> Result<Written, Failure> {
        let (intent, warnings) = read(target.kind, intent, options.strangers)?;
        let mut object = self.newborn(target, intent.clone())?;
        managed::note_first_apply(&self.writer(target, options), &intent, &mut object);
        self.admit_new(target, object, options).map(|object| Written { object, warnings })
    }

    fn admit_new(
        &mut self,
        target: Target<'_>,
        object: Value,
        options: WriteOptions<'_>,
    ) -> Result<Arc<Value>, Failure> {
        let kind = target.kind;
        if kind.reach == Reach::Namespaced {
            let home = self.require(row("namespaces"), "", target.namespace)?;
            if shape::is_leaving(&home) {
                return Err(Failure::terminating(kind, shape::name(&object), target.namespace));
            }
        }
        let key = Key::of(kind, &object);
        if self.get(&key).is_some() {
            return Err(Failure::already_exists(kind, &key.name));
        }
        validate::accepts(kind, &object, None)?;
        admission::webhooks(&self.webhooks, target.attempt("create"), options.dry_run)?;
        if kind.reach == Reach::Namespaced {
            admission::quota(&self.store, kind, &object)?;
        }
        match options.dry_run {
            DryRun::All => Ok(Arc::new(object)),
            DryRun::No => Ok(self.commit(key, object)),
        }
    }

    fn writer<'a>(&self, target: Target<'_>, options: WriteOptions<'a>) -> Writer<'a> {
        Writer { kind: target.kind, manager: options.manager, subresource: target.subresource, at: self.now }
    }

    /// A body as it would be stored: identity, birth and defaults written in.
    fn newborn(&self, target: Target<'_>, mut object: Value) -> Result<Value, Failure> {
        let kind = target.kind;
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
            admission::limit_ranges(&self.store, &mut object)?;
        }
        Ok(object)
    }

    /// Replaces an object, or one of its subresources.
    pub fn replace(&mut self, target: Target<'_>, body: Value, options: WriteOptions<'_>) -> Result<Written, Failure> {
        let before = self.require(target.kind, target.namespace, target.name)?;
        let change = Change { target, verb: "update", before: &before, options };
        if target.subresource == Some(Subresource::Scale) {
            return self
                .change(change, rescaled(&before, &body))
                .map(|object| Written { object, warnings: Vec::new() });
        }
        expect_kind(target.kind, &body)?;
        let (body, warnings) = read(target.kind, body, options.strangers)?;
        self.change(change, body).map(|object| Written { object, warnings })
    }

    /// Patches an object, or one of its subresources. An apply of what is not there creates it.
    pub fn patch(
        &mut self,
        target: Target<'_>,
        patch: (PatchKind, &Value),
        options: WriteOptions<'_>,
    ) -> Result<Written, Failure> {
        let (language, document) = patch;
        let is_apply = language == PatchKind::Apply;
        let before = match self.require(target.kind, target.namespace, target.name) {
            Err(_) if is_apply && target.subresource.is_none() => {
                expect_kind(target.kind, document)?;
                let mut intent = document.clone();
                set(&mut intent, &["metadata", "name"], json!(target.name));
                return self.create_applied(target, intent, options);
            }
            other => other?,
        };
        let change = Change { target, verb: "patch", before: &before, options };
        if target.subresource == Some(Subresource::Scale) {
            let scale = Shape::Object("autoscaling.v1.Scale".to_owned());
            let changed = patched(language, &scale, &scale_of(&before), document);
            let changed = changed.map_err(|error| told(target.kind, target.name, error))?;
            let object = self.change(change, rescaled(&before, &changed))?;
            return Ok(Written { object, warnings: Vec::new() });
        }
        if is_apply {
            expect_kind(target.kind, document)?;
            let (intent, warnings) = read(target.kind, document.clone(), options.strangers)?;
            preconditions(target, &before, &intent)?;
            let after = managed::applied(&self.writer(target, options), &before, &intent, options.force)?;
            return self.change(change, after).map(|object| Written { object, warnings });
        }
        let kind = target.kind;
        let shape = Shape::Object(schema::name_of(kind.group, kind.version, kind.kind));
        let changed = patched(language, &shape, &before, document).map_err(|error| told(kind, target.name, error))?;
        expect_kind(kind, &changed)?;
        // A patched object that cannot be read is told as a fault of the patch (apiserver, `patch.go`).
        let read = read(kind, changed, options.strangers);
        let (after, warnings) = read.map_err(|refused| unreadable(document, &refused))?;
        self.change(change, after).map(|object| Written { object, warnings })
    }

    fn change(&mut self, change: Change<'_>, after: Value) -> Result<Arc<Value>, Failure> {
        let Change { target, verb, before, options } = change;
        let kind = target.kind;
        preconditions(target, before, &after)?;
        let is_tracked = after.pointer("/metadata/managedFields") != before.pointer("/metadata/managedFields");
        let mut object = kept_identity(before, after);
        if target.subresource == Some(Subresource::Status) {
            let status = object.get("status").cloned().unwrap_or_else(|| json!({}));
            object = (**before).clone();
            object["status"] = status;
        } else {
            if kind.subresources.contains(&Subresource::Status) {
                restore(&mut object, before, "status");
            }
            defaults::fill(kind, &mut object);
        }
        validate::accepts(kind, &object, Some(before))?;
        admission::webhooks(&self.webhooks, target.attempt(verb), options.dry_run)?;
        // An apply has written its managers already.
        if !is_tracked {
            managed::note_update(&self.writer(target, options), Some(before), &mut object);
        }
        if object.get("spec") != before.get("spec")
            && let Some(generation) = shape::number(before, "/metadata/generation")
        {
            set(&mut object, &["metadata", "generation"], json!(generation + 1));
        }
        let stored = match options.dry_run {
            DryRun::All => Arc::new(object),
            DryRun::No if kind.group == "apps" && target.subresource != Some(Subresource::Status) => {
                self.look_at = Some(self.now + LAG);
                self.store.put(target.key(), object)
            }
            DryRun::No => self.commit(target.key(), object),
        };
        let is_scale = target.subresource == Some(Subresource::Scale);
        Ok(if is_scale { Arc::new(scale_of(&stored)) } else { stored })
    }

    /// Deletes an object. A pod leaves with its grace, or at once where it is given none; everything else when nothing holds it
    /// any more; what it owned follows.
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
                return Ok(Arc::new(self.as_leaving(&before)));
            }
            if shape::number(options, "/gracePeriodSeconds") == Some(0) {
                self.forget_pod(shape::uid(&before));
                self.store.remove(&key);
                self.settle();
                return Ok(before);
            }
            self.dismiss_pod(&key);
            return Ok(self.get(&key).cloned().unwrap_or(before));
        }
        if kind.plural == "namespaces" && PERMANENT.contains(&target.name) {
            return Err(Failure::forbidden(kind, target.name, "this namespace may not be deleted"));
        }
        if dry_run == DryRun::No {
            self.let_go(&key, Propagation::of(options));
            self.settle();
            if let Some(held) = self.get(&key) {
                return Ok(Arc::clone(held));
            }
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

/// Reads a body, dropping the fields that its type does not have.
fn read(kind: &Kind, mut object: Value, strangers: Strangers) -> Result<(Value, Vec<String>), Failure> {
    let unknown = decode::decode(kind, &mut object).map_err(Failure::bad_request)?;
    let told: Vec<String> = unknown.iter().map(|field| format!("unknown field \"{field}\"")).collect();
    match strangers {
        Strangers::Refuse if !told.is_empty() => {
            let why = decode::cannot(kind, &format!("strict decoding error: {}", told.join(", ")));
            Err(Failure::bad_request(why))
        }
        Strangers::Ignore => Ok((object, Vec::new())),
        Strangers::Warn | Strangers::Refuse => Ok((object, told)),
    }
}

fn told(kind: &Kind, name: &str, error: PatchError) -> Failure {
    match error {
        PatchError::Malformed(why) => Failure::bad_request(format!("error decoding patch: {why}")),
        PatchError::Inapplicable(_) => Failure::unprocessable(),
        PatchError::Unmergeable(why) => Failure::invalid(kind, name, &[FieldFault::invalid("patch", &json!(""), &why)]),
    }
}

fn unreadable(patch: &Value, refused: &Failure) -> Failure {
    let fault = FieldFault::invalid("patch", &json!(patch.to_string()), &refused.message);
    let message = format!(" \"\" is invalid: patch: {}", fault.message);
    let causes = json!([{"reason": fault.reason, "message": fault.message, "field": "patch"}]);
    Failure { code: 422, reason: "Invalid", message, details: json!({"causes": causes}) }
}
