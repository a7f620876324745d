//! What was changed around a workload, beside its rollouts: Helm releases, config maps, autoscalers, nodes, each with its
//! time and the fields that differ. Values are shown as far as they are nobody's secret.

mod node;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use node::of_nodes;

/// What kind of thing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// A revision of a Helm release.
    HelmRelease,
    /// A config map that the pods name.
    ConfigMap,
    /// A horizontal autoscaler of the workload: its bounds, or what it did.
    Autoscaler,
    /// A node that its pods are or were on.
    Node,
}

impl ChangeKind {
    /// The words on screen.
    pub fn words(self) -> &'static str {
        match self {
            Self::HelmRelease => "Helm release",
            Self::ConfigMap => "config map",
            Self::Autoscaler => "autoscaler",
            Self::Node => "node",
        }
    }
}

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Its path, such as `app.image`.
    pub field: String,
    /// Its value before; `None` where it was not there, or may not be shown.
    pub before: Option<String>,
    /// Its value after; `None` where it is gone, or may not be shown.
    pub after: Option<String>,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Of what kind of thing.
    pub kind: ChangeKind,
    /// Its name.
    pub name: String,
    /// When.
    pub at: Option<Timestamp>,
    /// What happened, in a few words: `revision 4, Upgrade complete`.
    pub what: String,
    /// What differs.
    pub fields: Vec<FieldChange>,
}

/// Fields named in a sentence.
const NAMED: usize = 3;
/// Fields kept of a change.
const KEPT: usize = 20;
/// Longest value shown, in characters.
const LONGEST: usize = 60;

impl FieldChange {
    /// `app.image: api:1 -> api:2`; the path alone where no value is shown.
    pub fn words(&self) -> String {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{}: {before} -> {after}", self.field),
            (None, Some(after)) => format!("{}: {after}", self.field),
            (Some(before), None) => format!("{}: {before} -> gone", self.field),
            (None, None) => self.field.clone(),
        }
    }
}

/// The first fields in words, and how many more there are.
pub fn fields_in_words(fields: &[FieldChange]) -> String {
    let mut words: Vec<String> = fields.iter().take(NAMED).map(FieldChange::words).collect();
    if fields.len() > NAMED {
        words.push(format!("{} more", fields.len() - NAMED));
    }
    words.join(", ")
}

impl Change {
    /// `Helm release payments revision 4 (app.image: api:1 -> api:2)`.
    pub fn words(&self) -> String {
        let (kind, name, what) = (self.kind.words(), &self.name, &self.what);
        if self.fields.is_empty() {
            return format!("{kind} {name} {what}");
        }
        format!("{kind} {name} {what} ({})", fields_in_words(&self.fields))
    }
}

impl Change {
    /// The same with its time in UTC before it.
    pub fn told(&self) -> String {
        let at = self.at.map_or_else(|| "?".to_owned(), |at| at.strftime("%Y-%m-%d %H:%MZ").to_string());
        format!("{at}  {}", self.words())
    }
}

/// A value of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldValue {
    /// As it is, to be compared. It may be a secret.
    pub exact: String,
    /// As it may be told.
    pub told: String,
}

/// What differs between two sets of fields, by path. A value is not told where its path sounds like a secret or like what
/// an environment is given, whatever may be told of it by itself.
pub fn differences(before: &BTreeMap<String, FieldValue>, after: &BTreeMap<String, FieldValue>) -> Vec<FieldChange> {
    let mut paths: Vec<&String> = before.keys().chain(after.keys()).collect();
    paths.sort();
    paths.dedup();
    let differs = paths.into_iter().filter(|path| before.get(*path) != after.get(*path));
    let shown = |path: &String, value: Option<&FieldValue>| {
        value.filter(|_| !is_private(path)).map(|value| value.told.chars().take(LONGEST).collect::<String>())
    };
    differs
        .map(|path| FieldChange {
            field: path.clone(),
            before: shown(path, before.get(path)),
            after: shown(path, after.get(path)),
        })
        .take(KEPT)
        .collect()
}

/// Whether a path sounds like one of a secret.
fn is_private(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let secret =
        ["pass", "pwd", "secret", "token", "credential", "apikey", "api_key", "private", "cert", "auth", "dsn"];
    path.contains("env.") || path.ends_with("key") || secret.iter().any(|word| path.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_told_and_no_secret_is() {
        let value = |text: &str| FieldValue { exact: text.to_owned(), told: text.replace("hunter3", "***") };
        let set = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), value(v))).collect();
        let before = set(&[
            ("app.image", "api:1"),
            ("app.env.URL", "a"),
            ("db.password", "x"),
            ("same", "1"),
            ("old", "1"),
            ("args.1", "x"),
        ]);
        let after = set(&[
            ("app.image", "api:2"),
            ("app.env.URL", "b"),
            ("db.password", "y"),
            ("same", "1"),
            ("new", "2"),
            ("args.1", "hunter3"),
        ]);
        let fields = differences(&before, &after);
        let words: Vec<String> = fields.iter().map(FieldChange::words).collect();
        assert_eq!(
            words,
            ["app.env.URL", "app.image: api:1 -> api:2", "args.1: x -> ***", "db.password", "new: 2", "old: 1 -> gone"]
        );
        assert_eq!(fields_in_words(&fields), "app.env.URL, app.image: api:1 -> api:2, args.1: x -> ***, 3 more");
    }
}
