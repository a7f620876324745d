//! Server-side apply: which manager holds which fields, what an intent changes, and who stands against it.
//! Pure: the live object and a writing in, the object with its `managedFields` out.

pub mod fields;
mod walk;

use jiff::Timestamp;
use serde_json::{Value, json};

use self::fields::Fields;
use super::failure::Failure;
use super::kind::{Kind, Subresource};
use super::schema::{self, Shape};
use super::shape::stamp;
use super::write::KEPT;

#[cfg(test)]
mod tests;

/// Fields of the metadata that nobody manages, besides those that no client may change.
const UNMANAGED: [&str; 3] = ["selfLink", "generateName", "managedFields"];

/// The manager of everything in an object that was never tracked, once somebody applies to it.
const BEFORE_FIRST_APPLY: &str = "before-first-apply";

/// Who writes, when, and by which door.
#[derive(Clone, Copy, Debug)]
pub struct Writer<'a> {
    /// The resource written.
    pub kind: &'static Kind,
    /// `fieldManager`, or the first word of the user agent.
    pub manager: &'a str,
    /// The subresource written through.
    pub subresource: Option<Subresource>,
    /// When.
    pub at: Timestamp,
}

/// What an apply does about fields that others hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Force {
    /// It is refused.
    #[default]
    No,
    /// It takes them.
    Yes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Self::Apply => "Apply",
            Self::Update => "Update",
        }
    }
}

/// An entry of `managedFields`, with its set read.
struct Entry {
    written: Value,
    set: Fields,
}

impl Writer<'_> {
    fn shape(&self) -> Shape {
        Shape::Object(schema::name_of(self.kind.group, self.kind.version, self.kind.kind))
    }

    fn entry(&self, operation: Operation, set: Fields) -> Entry {
        let mut written = json!({
            "manager": self.manager, "operation": operation.word(), "apiVersion": self.kind.api_version(),
            "time": stamp(self.at), "fieldsType": "FieldsV1",
        });
        if let Some(sub) = self.subresource {
            written["subresource"] = json!(sub.word());
        }
        Entry { written, set }
    }

    fn is_own(&self, entry: &Entry, operation: Operation) -> bool {
        let word = |name: &str| entry.written[name].as_str().unwrap_or_default();
        word("manager") == self.manager
            && word("operation") == operation.word()
            && word("subresource") == self.subresource.map_or("", Subresource::word)
    }
}

/// Notes in an object who changed what by a write that is no apply. An object that was never tracked stays so.
pub fn note_update(writer: &Writer<'_>, before: Option<&Value>, after: &mut Value) {
    let shape = writer.shape();
    let (new, nothing) = (bare(writer.kind, after, writer.subresource), json!({}));
    let old = before.map(|before| bare(writer.kind, before, writer.subresource));
    let mut entries = before.map(entries).unwrap_or_default();
    if before.is_some() && entries.is_empty() {
        return;
    }
    let changed = walk::changed(&shape, old.as_ref().unwrap_or(&nothing), &new);
    let removed =
        old.as_ref().map_or_else(Fields::default, |old| walk::held(&shape, old).minus(&walk::held(&shape, &new)));
    if !changed.is_empty() || !removed.is_empty() {
        let mut own = changed.clone();
        entries.retain_mut(|entry| {
            let is_own = writer.is_own(entry, Operation::Update);
            if is_own {
                own = own.union(&entry.set).minus(&removed);
            }
            entry.set = entry.set.minus(&removed).minus(&changed);
            !is_own && !entry.set.is_empty()
        });
        if !own.is_empty() {
            entries.push(writer.entry(Operation::Update, own));
        }
    }
    store(after, entries);
}

/// The live object with a manager's whole intent applied.
///
/// # Errors
/// The 409 that names every field another manager holds with another value, unless forced.
pub fn applied(writer: &Writer<'_>, live: &Value, intent: &Value, force: Force) -> Result<Value, Failure> {
    let shape = writer.shape();
    let (bare_live, bare_intent) = (bare(writer.kind, live, None), bare(writer.kind, intent, None));
    let set = walk::held(&shape, &bare_intent);
    let mut entries = entries(live);
    if entries.is_empty() {
        let first = Writer { manager: BEFORE_FIRST_APPLY, subresource: None, ..*writer };
        entries.push(first.entry(Operation::Update, walk::held(&shape, &bare_live)));
    }
    let merged = walk::merged(&shape, &bare_live, &bare_intent);
    let changed = walk::changed(&shape, &bare_live, &merged);
    let mut last = Fields::default();
    entries.retain(|entry| {
        let is_own = writer.is_own(entry, Operation::Apply);
        if is_own {
            last = entry.set.clone();
        }
        !is_own
    });
    let conflicts: Vec<(usize, Fields)> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| (index, entry.set.common(&changed)))
        .filter(|conflict| !conflict.1.is_empty())
        .collect();
    if force == Force::No && !conflicts.is_empty() {
        return Err(refusal(&entries, &conflicts));
    }
    for (index, lost) in conflicts {
        entries[index].set = entries[index].set.minus(&lost);
    }
    let others = entries.iter().fold(Fields::default(), |all, entry| all.union(&entry.set));
    let kept = others.union(&set);
    let gone = last.minus(&kept);
    let mut object = walk::without(&shape, &merged, &gone, &kept).unwrap_or_else(|| json!({}));
    entries.retain(|entry| !entry.set.is_empty());
    entries.insert(0, writer.entry(Operation::Apply, set));
    keep_unmanaged(writer.kind, live, &mut object);
    store(&mut object, entries);
    Ok(object)
}

/// A new object made by an apply: everything in the intent is its manager's.
pub fn note_first_apply(writer: &Writer<'_>, intent: &Value, object: &mut Value) {
    let set = walk::held(&writer.shape(), &bare(writer.kind, intent, None));
    store(object, vec![writer.entry(Operation::Apply, set)]);
}

fn unmanaged() -> impl Iterator<Item = &'static str> {
    KEPT.into_iter().chain(UNMANAGED)
}

/// The object without what nobody manages; the status only where it is what is written.
fn bare(kind: &Kind, object: &Value, through: Option<Subresource>) -> Value {
    let mut bare = object.clone();
    let Some(fields) = bare.as_object_mut() else { return json!({}) };
    fields.retain(|name, _| name != "apiVersion" && name != "kind");
    if kind.subresources.contains(&Subresource::Status) && through != Some(Subresource::Status) {
        fields.remove("status");
    }
    if let Some(Value::Object(metadata)) = fields.get_mut("metadata") {
        metadata.retain(|name, _| !unmanaged().any(|known| known == name));
    }
    bare
}

/// Puts back what [`bare`] left out.
fn keep_unmanaged(kind: &Kind, live: &Value, object: &mut Value) {
    for name in ["apiVersion", "kind", "status"] {
        let is_out = name != "status" || kind.subresources.contains(&Subresource::Status);
        if let Some(value) = live.get(name).filter(|_| is_out) {
            object[name] = value.clone();
        }
    }
    if !object["metadata"].is_object() {
        object["metadata"] = json!({});
    }
    for name in unmanaged() {
        if let Some(value) = live["metadata"].get(name) {
            object["metadata"][name] = value.clone();
        }
    }
}

fn entries(object: &Value) -> Vec<Entry> {
    let listed = object.pointer("/metadata/managedFields").and_then(Value::as_array);
    let each = listed.into_iter().flatten();
    each.map(|written| Entry { written: written.clone(), set: Fields::of_value(&written["fieldsV1"]) }).collect()
}

fn store(object: &mut Value, entries: Vec<Entry>) {
    let each = entries.into_iter().map(|mut entry| {
        entry.written["fieldsV1"] = entry.set.to_value();
        entry.written
    });
    object["metadata"]["managedFields"] = each.collect();
}

fn refusal(entries: &[Entry], conflicts: &[(usize, Fields)]) -> Failure {
    let named = |entry: &Entry| {
        let word = |name: &str| entry.written[name].as_str().unwrap_or_default();
        let mut text = format!("{:?}", word("manager"));
        if !word("subresource").is_empty() {
            text = format!("{text} with subresource {:?}", word("subresource"));
        }
        if word("operation") == "Apply" { text } else { format!("{text} using {}", word("apiVersion")) }
    };
    let mut causes = Vec::new();
    let mut lines = Vec::new();
    for (index, fields) in conflicts {
        let who = named(&entries[*index]);
        lines.push(format!("conflicts with {who}:"));
        for path in fields.paths() {
            causes.push(json!({
                "reason": "FieldManagerConflict", "message": format!("conflict with {who}"), "field": path,
            }));
            lines.push(format!("- {path}"));
        }
    }
    let message = match causes.as_slice() {
        [only] => format!(
            "Apply failed with 1 conflict: {}: {}",
            only["message"].as_str().unwrap_or_default(),
            only["field"].as_str().unwrap_or_default()
        ),
        all => format!("Apply failed with {} conflicts: {}", all.len(), lines.join("\n")),
    };
    Failure { code: 409, reason: "Conflict", message, details: json!({"causes": causes}) }
}
