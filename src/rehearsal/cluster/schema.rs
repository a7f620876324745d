//! The shapes of what is stored: fields, required ones, and how lists merge, read from one table (`schema/fields.txt`).
//! Decoding, strategic merge, server-side apply and the `OpenAPI` document are all driven by it.

pub mod decode;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::kind::Kind;

static TYPES: LazyLock<BTreeMap<&'static str, Type>> = LazyLock::new(|| {
    let lines = include_str!("schema/fields.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(read_type).map(|read| (read.name, read)).collect()
});

/// A type with its fields.
#[derive(Debug)]
pub struct Type {
    /// Its short name: `apps.v1.Deployment`, `meta.v1.ObjectMeta`.
    pub name: &'static str,
    /// Whether a server-side apply owns it as a whole.
    pub is_atom: bool,
    /// Its fields by name.
    pub fields: BTreeMap<&'static str, Field>,
}

/// A field of a type.
#[derive(Debug)]
pub struct Field {
    /// Whether an object without it is invalid.
    pub is_required: bool,
    /// What it holds.
    pub shape: Shape,
}

/// What a field or an item holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// A whole number.
    Whole,
    /// Any number.
    Number,
    /// True or false.
    Truth,
    /// A time, RFC 3339.
    Time,
    /// Bytes in base64.
    Bytes,
    /// An amount such as `512Mi`.
    Quantity,
    /// A number, or text such as `25%`.
    WholeOrText,
    /// Anything at all.
    Any,
    /// Another type, by its short name.
    Object(String),
    /// A map from text; `is_atom` as of [`Type`].
    Map {
        /// What the values are.
        of: Box<Shape>,
        /// Whether a server-side apply owns it as a whole.
        is_atom: bool,
    },
    /// A list.
    List {
        /// What the items are.
        of: Box<Shape>,
        /// What tells them apart.
        items: Items,
        /// How a strategic merge goes.
        merge: Merge,
    },
}

/// What tells the items of a list apart, to a server-side apply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Items {
    /// Nothing: the list is owned as a whole.
    Atom,
    /// Their values.
    Set,
    /// These of their fields.
    Keyed(Vec<&'static str>),
}

/// What a strategic merge does with a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Replaces it.
    Replace,
    /// Adds the values that are not there.
    Values,
    /// Merges items by this field.
    Key(&'static str),
}

/// The type of a resource.
pub fn of(kind: &Kind) -> Option<&'static Type> {
    named(&name_of(kind.group, kind.version, kind.kind))
}

/// The short name of a group's type.
pub fn name_of(group: &str, version: &str, kind: &str) -> String {
    let group = if group.is_empty() { "core" } else { group.split('.').next().unwrap_or_default() };
    format!("{group}.{version}.{kind}")
}

/// The type of a short name.
pub fn named(name: &str) -> Option<&'static Type> {
    TYPES.get(name)
}

impl Type {
    /// The shape of a field.
    pub fn shape(&self, field: &str) -> Option<&Shape> {
        self.fields.get(field).map(|field| &field.shape)
    }
}

impl Shape {
    /// The type it leads to, if it is one.
    pub fn object(&self) -> Option<&'static Type> {
        match self {
            Self::Object(name) => named(name),
            _ => None,
        }
    }

    /// The shape of a field or of a map's value by name; nothing for what has none.
    pub fn inner(&self, field: &str) -> Option<&Shape> {
        match self {
            Self::Map { of, .. } => Some(of),
            Self::Object(_) => self.object()?.shape(field),
            _ => None,
        }
    }
}

fn read_type(line: &'static str) -> Type {
    let mut words = line.split(' ');
    let head = words.next().unwrap_or_default();
    let name = head.trim_end_matches('@');
    let home = name.rsplit_once('.').map_or("", |split| split.0);
    let fields = words.filter_map(|word| {
        let (field, shape) = word.split_once(':')?;
        let (name, is_required) = field.strip_suffix('!').map_or((field, false), |name| (name, true));
        Some((name, Field { is_required, shape: read_shape(shape, home) }))
    });
    Type { name, is_atom: head.ends_with('@'), fields: fields.collect() }
}

fn read_shape(text: &'static str, home: &str) -> Shape {
    if let Some(rest) = text.strip_prefix('[') {
        let (inner, marks) = rest.rsplit_once(']').unwrap_or((rest, ""));
        let (items, merge) = read_marks(marks.trim_end_matches('~'));
        return Shape::List { of: Box::new(read_shape(inner, home)), items, merge };
    }
    if let Some(rest) = text.strip_prefix('{') {
        let (inner, mark) = rest.rsplit_once('}').unwrap_or((rest, ""));
        return Shape::Map { of: Box::new(read_shape(inner, home)), is_atom: mark == "@" };
    }
    match text.trim_end_matches('~') {
        "s" => Shape::Text,
        "i" => Shape::Whole,
        "n" => Shape::Number,
        "b" => Shape::Truth,
        "t" => Shape::Time,
        "y" => Shape::Bytes,
        "q" => Shape::Quantity,
        "x" => Shape::WholeOrText,
        "*" => Shape::Any,
        near if !near.contains('.') => Shape::Object(format!("{home}.{near}")),
        far => Shape::Object(far.to_owned()),
    }
}

fn read_marks(marks: &'static str) -> (Items, Merge) {
    let (items, merge) = marks.split_once('+').map_or((marks, None), |(items, merge)| (items, Some(merge)));
    let items = match items.strip_prefix('=') {
        None => Items::Atom,
        Some(".") => Items::Set,
        Some(keys) => Items::Keyed(keys.split(',').collect()),
    };
    let merge = match (merge, &items) {
        (None, _) => Merge::Replace,
        (Some(""), Items::Keyed(keys)) => keys.first().map_or(Merge::Replace, |first| Merge::Key(first)),
        (Some(""), _) => Merge::Values,
        (Some(key), _) => Merge::Key(key),
    };
    (items, merge)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::cluster::kind::KINDS;

    fn leads_somewhere(shape: &Shape) -> bool {
        match shape {
            Shape::Object(_) => shape.object().is_some(),
            Shape::Map { of, .. } | Shape::List { of, .. } => leads_somewhere(of),
            _ => true,
        }
    }

    #[test]
    fn every_kind_has_its_type_and_every_field_leads_somewhere() {
        for kind in KINDS {
            assert!(of(kind).is_some_and(|found| found.shape("metadata").is_some()), "{}", kind.plural);
        }
        for (name, found) in TYPES.iter() {
            for (field, held) in &found.fields {
                assert!(leads_somewhere(&held.shape), "{name}.{field}");
            }
        }
    }

    #[test]
    fn lists_know_how_they_merge() {
        let list = |name: &str, field: &str| match named(name).unwrap().shape(field).unwrap() {
            Shape::List { items, merge, .. } => (items.clone(), *merge),
            other => panic!("{other:?}"),
        };
        assert_eq!(list("core.v1.PodSpec", "containers"), (Items::Keyed(vec!["name"]), Merge::Key("name")));
        let ports = (Items::Keyed(vec!["containerPort", "protocol"]), Merge::Key("containerPort"));
        assert_eq!(list("core.v1.Container", "ports"), ports);
        assert_eq!(list("core.v1.Container", "args"), (Items::Atom, Merge::Replace));
        assert_eq!(list("meta.v1.ObjectMeta", "finalizers"), (Items::Set, Merge::Values));
        assert!(named("meta.v1.LabelSelector").unwrap().is_atom);
        assert!(named("apps.v1.DeploymentSpec").unwrap().fields["selector"].is_required);
    }
}
