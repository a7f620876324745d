//! Walks over objects by their shape: which fields they hold, which differ, how an intent merges, what is taken away.

use serde_json::{Map, Value};

use super::fields::Fields;
use crate::rehearsal::cluster::schema::{Items, Shape};

/// Whether a value of a shape is owned field by field, and if so how its parts are named.
enum Parts<'a> {
    /// Owned as a whole.
    Whole,
    /// By field; whether the fields are keys of a map rather than fields of a type.
    Fields { map: &'a Map<String, Value>, are_keys: bool },
    /// By item.
    Items { of: &'a Shape, items: &'a [Value], by: &'a Items },
}

fn parts<'a>(shape: &'a Shape, value: &'a Value) -> Parts<'a> {
    match (shape, value) {
        (Shape::Object(_), Value::Object(map)) if shape.object().is_some_and(|inner| !inner.is_atom) => {
            Parts::Fields { map, are_keys: false }
        }
        (Shape::Map { is_atom: false, .. }, Value::Object(map)) => Parts::Fields { map, are_keys: true },
        (Shape::List { of, items: by @ (Items::Set | Items::Keyed(_)), .. }, Value::Array(items)) => {
            Parts::Items { of, items, by }
        }
        _ => Parts::Whole,
    }
}

/// The name of an item: `k:{…}` by its keys, `v:…` by its value.
fn item_step(by: &Items, item: &Value) -> String {
    let Items::Keyed(keys) = by else { return format!("v:{item}") };
    let mut found = Map::new();
    for key in keys {
        // The one key that the published types default.
        let held = item.get(*key).cloned().or_else(|| (*key == "protocol").then(|| "TCP".into()));
        found.extend(held.map(|held| ((*key).to_owned(), held)));
    }
    format!("k:{}", Value::Object(found))
}

/// The fields that a value holds.
pub fn held(shape: &Shape, value: &Value) -> Fields {
    let mut all = Fields::default();
    match parts(shape, value) {
        Parts::Whole => return Fields::here(),
        Parts::Fields { map, are_keys } => {
            all.is_here = map.is_empty();
            for (name, inner) in map {
                let Some(of) = shape.inner(name) else { continue };
                let mut below = held(of, inner);
                below.is_here |= are_keys;
                all.put(format!("f:{name}"), below);
            }
        }
        Parts::Items { of, items, by } => {
            for item in items {
                let mut below = held(of, item);
                below.is_here = true;
                all.put(item_step(by, item), below);
            }
        }
    }
    all
}

/// The fields of `after` that are not as they are in `before`.
pub fn changed(shape: &Shape, before: &Value, after: &Value) -> Fields {
    if before == after {
        return Fields::default();
    }
    let mut all = Fields::default();
    match (parts(shape, before), parts(shape, after)) {
        (Parts::Fields { map: old, are_keys }, Parts::Fields { map: new, .. }) => {
            for (name, inner) in new {
                let Some(of) = shape.inner(name) else { continue };
                let mut below = held(of, inner);
                below.is_here |= are_keys;
                let below = old.get(name).map_or(below, |known| changed(of, known, inner));
                all.put(format!("f:{name}"), below);
            }
        }
        (Parts::Items { items: old, .. }, Parts::Items { of, items: new, by }) => {
            for item in new {
                let step = item_step(by, item);
                let mut below = held(of, item);
                below.is_here = true;
                let known = old.iter().find(|known| item_step(by, known) == step);
                all.put(step, known.map_or(below, |known| changed(of, known, item)));
            }
        }
        _ => return held(shape, after),
    }
    all
}

/// The value with an intent merged into it.
pub fn merged(shape: &Shape, live: &Value, intent: &Value) -> Value {
    match (parts(shape, live), parts(shape, intent)) {
        (Parts::Fields { map: old, .. }, Parts::Fields { map: new, .. }) => {
            let mut all = old.clone();
            for (name, inner) in new {
                let known = old.get(name);
                let joined = match (shape.inner(name), known) {
                    (Some(of), Some(known)) => merged(of, known, inner),
                    _ => inner.clone(),
                };
                all.insert(name.clone(), joined);
            }
            Value::Object(all)
        }
        (Parts::Items { items: old, .. }, Parts::Items { of, items: new, by }) => {
            let mut all = old.to_vec();
            for item in new {
                let step = item_step(by, item);
                match all.iter_mut().find(|known| item_step(by, known) == step) {
                    Some(known) => *known = merged(of, known, item),
                    None => all.push(item.clone()),
                }
            }
            Value::Array(all)
        }
        _ => intent.clone(),
    }
}

/// The value without the fields of a set. What only becomes empty by it goes too; items with fields of others stay.
pub fn without(shape: &Shape, value: &Value, gone: &Fields, others: &Fields) -> Option<Value> {
    let nothing = Fields::default();
    if gone.is_here && others.is_empty() {
        return None;
    }
    match parts(shape, value) {
        Parts::Whole => Some(value.clone()),
        Parts::Fields { map, .. } => {
            let mut kept = Map::new();
            for (name, inner) in map {
                let step = format!("f:{name}");
                let left = match (gone.below.get(&step), shape.inner(name)) {
                    (Some(gone), Some(of)) => without(of, inner, gone, others.below.get(&step).unwrap_or(&nothing)),
                    _ => Some(inner.clone()),
                };
                kept.extend(left.map(|left| (name.clone(), left)));
            }
            (!kept.is_empty() || map.is_empty()).then_some(Value::Object(kept))
        }
        Parts::Items { of, items, by } => {
            let each = items.iter().filter_map(|item| {
                let step = item_step(by, item);
                let Some(gone) = gone.below.get(&step) else { return Some(item.clone()) };
                without(of, item, gone, others.below.get(&step).unwrap_or(&nothing))
            });
            let kept: Vec<Value> = each.collect();
            (!kept.is_empty() || items.is_empty()).then_some(Value::Array(kept))
        }
    }
}
