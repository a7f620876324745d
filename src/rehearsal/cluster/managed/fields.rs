//! Sets of fields in the form of `managedFields` (`FieldsV1`): a tree of `f:name`, `k:{"key":…}` and `v:value`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

/// A set of fields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// Whether the place itself is in the set, beside what is below it.
    pub is_here: bool,
    /// What is below it.
    pub below: BTreeMap<String, Fields>,
}

impl Fields {
    /// The set of one place.
    pub fn here() -> Self {
        Self { is_here: true, below: BTreeMap::new() }
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        !self.is_here && self.below.values().all(Self::is_empty)
    }

    /// Adds a place below, if there is anything in it.
    pub fn put(&mut self, step: String, inner: Self) {
        if !inner.is_empty() {
            self.below.insert(step, inner);
        }
    }

    /// What is in either.
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        all.is_here |= other.is_here;
        for (step, inner) in &other.below {
            let joined = all.below.get(step).map_or_else(|| inner.clone(), |known| known.union(inner));
            all.below.insert(step.clone(), joined);
        }
        all
    }

    /// What is in this and not in the other.
    pub fn minus(&self, other: &Self) -> Self {
        self.kept(other, |mine, theirs| mine && !theirs)
    }

    /// What is in both.
    pub fn common(&self, other: &Self) -> Self {
        self.kept(other, |mine, theirs| mine && theirs)
    }

    fn kept(&self, other: &Self, keep: fn(bool, bool) -> bool) -> Self {
        let nothing = Self::default();
        let mut kept = Self { is_here: keep(self.is_here, other.is_here), below: BTreeMap::new() };
        for (step, inner) in &self.below {
            kept.put(step.clone(), inner.kept(other.below.get(step).unwrap_or(&nothing), keep));
        }
        kept
    }

    /// As `FieldsV1`.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        if self.is_here && !self.below.is_empty() {
            map.insert(".".to_owned(), json!({}));
        }
        map.extend(self.below.iter().map(|(step, inner)| (step.clone(), inner.to_value())));
        Value::Object(map)
    }

    /// From `FieldsV1`.
    pub fn of_value(value: &Value) -> Self {
        let Some(map) = value.as_object() else { return Self::default() };
        let below = map.iter().filter(|entry| entry.0 != ".");
        let below: BTreeMap<String, Self> = below.map(|(step, inner)| (step.clone(), Self::of_value(inner))).collect();
        Self { is_here: below.is_empty() || map.contains_key("."), below }
    }

    /// Every place as a person reads it: `.spec.template.spec.containers[name="app"].image`.
    pub fn paths(&self) -> Vec<String> {
        let mut all = Vec::new();
        self.collect("", &mut all);
        all
    }

    fn collect(&self, at: &str, all: &mut Vec<String>) {
        if self.is_here && !at.is_empty() {
            all.push(at.to_owned());
        }
        for (step, inner) in &self.below {
            inner.collect(&format!("{at}{}", shown(step)), all);
        }
    }
}

fn shown(step: &str) -> String {
    match step.split_at_checked(2) {
        Some(("f:", name)) => format!(".{name}"),
        Some(("k:", keys)) => {
            let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
            let each: Vec<String> = keys.iter().map(|(name, value)| format!("{name}={value}")).collect();
            format!("[{}]", each.join(","))
        }
        Some(("v:", value)) => format!("[={value}]"),
        _ => step.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_survives_its_written_form_and_its_algebra_holds() {
        let written = json!({"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec": {"f:containers": {
            "k:{\"name\":\"app\"}": {".": {}, "f:image": {}}}, "f:replicas": {}}});
        let set = Fields::of_value(&written);
        assert_eq!(set.to_value(), written);
        let replicas = Fields::of_value(&json!({"f:spec": {"f:replicas": {}}}));
        assert_eq!(set.common(&replicas), replicas);
        assert_eq!(set.minus(&replicas).union(&replicas), set);
        assert!(replicas.minus(&set).is_empty());
        assert_eq!(
            set.paths(),
            [
                ".metadata.labels",
                ".metadata.labels.app",
                ".spec.containers[name=\"app\"]",
                ".spec.containers[name=\"app\"].image",
                ".spec.replicas"
            ]
        );
    }
}
