//! The `OpenAPI` documents, written from the table of shapes: what clients ask before they validate, merge or explain.

pub(super) mod v2;

use std::collections::{BTreeSet, VecDeque};

use axum::response::Response;
use serde_json::{Map, Value, json};

use super::answer;
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::cluster::kind::{self, KINDS, Kind, Reach};
use crate::rehearsal::cluster::patch::PatchKind;
use crate::rehearsal::cluster::schema::{self, Items, Merge, Shape, Type};

/// The index of documents.
pub(super) fn index() -> Response {
    let versions = std::iter::once(("", "v1")).chain(kind::groups());
    let paths: Map<String, Value> = versions
        .map(|(group, version)| {
            let path = path_of(group, version);
            let url = format!("/openapi/v3/{path}?hash=rehearsal");
            (path, json!({"serverRelativeURL": url}))
        })
        .collect();
    answer::json(200, &json!({"paths": paths}))
}

/// The document of a group and version, by its path below `/openapi/v3`: `apis/apps/v1`.
pub(super) fn document(path: &str) -> Response {
    let mut versions = std::iter::once(("", "v1")).chain(kind::groups());
    let Some((group, version)) = versions.find(|(group, version)| path_of(group, version) == path) else {
        return answer::failure(&Failure::no_such_resource());
    };
    let kinds: Vec<&Kind> = KINDS.iter().filter(|kind| (kind.group, kind.version) == (group, version)).collect();
    let paths: Map<String, Value> = kinds.iter().flat_map(|kind| paths(kind)).collect();
    let page = json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.34.1"},
        "paths": paths, "components": {"schemas": schemas(&kinds)},
    });
    answer::json(200, &page)
}

fn path_of(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}

/// `io.k8s.api.apps.v1.Deployment` of `apps.v1.Deployment`.
fn published(name: &str) -> String {
    name.strip_prefix("meta.v1.")
        .map_or_else(|| format!("io.k8s.api.{name}"), |rest| format!("io.k8s.apimachinery.pkg.apis.meta.v1.{rest}"))
}

fn paths(kind: &Kind) -> [(String, Value); 2] {
    let place = if kind.reach == Reach::Namespaced { "namespaces/{namespace}/" } else { "" };
    let all = format!("/{}/{place}{}", path_of(kind.group, kind.version), kind.plural);
    let one = format!("{all}/{{name}}");
    let reference = json!({"$ref": format!("#/components/schemas/{}", published(&type_name(kind)))});
    let operation = |action: &str, body: &[&str]| {
        let names: &[&str] = match action {
            "get" | "list" => &["pretty"],
            "delete" => &["pretty", "dryRun", "gracePeriodSeconds", "propagationPolicy"],
            "patch" => &["pretty", "dryRun", "fieldManager", "fieldValidation", "force"],
            _ => &["pretty", "dryRun", "fieldManager", "fieldValidation"],
        };
        let parameters: Vec<Value> = names
            .iter()
            .map(|name| json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}}))
            .collect();
        let answers = json!({"200": {"description": "OK", "content": {"application/json": {"schema": reference}}}});
        let mut operation = json!({
            "parameters": parameters, "responses": answers, "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": gvk(kind),
        });
        if !body.is_empty() {
            let content: Map<String, Value> =
                body.iter().map(|media| ((*media).to_owned(), json!({"schema": reference}))).collect();
            operation["requestBody"] = json!({"content": content, "required": true});
        }
        operation
    };
    let every = ["*/*"];
    let many = json!({"get": operation("list", &[]), "post": operation("post", &every)});
    let single = json!({
        "get": operation("get", &[]), "put": operation("put", &every), "delete": operation("delete", &[]),
        "patch": operation("patch", &PatchKind::MEDIA_TYPES),
    });
    [(all, many), (one, single)]
}

fn gvk(kind: &Kind) -> Value {
    json!({"group": kind.group, "version": kind.version, "kind": kind.kind})
}

fn type_name(kind: &Kind) -> String {
    schema::name_of(kind.group, kind.version, kind.kind)
}

/// The schemas of kinds and of all that they lead to.
fn schemas(kinds: &[&Kind]) -> Map<String, Value> {
    let written = led_to(kinds).into_iter().map(|(name, found, gvk)| {
        let mut written = object(found);
        if let Some(gvk) = gvk {
            written["x-kubernetes-group-version-kind"] = json!([gvk]);
        }
        (published(&name), written)
    });
    written.collect()
}

/// All types there are, each with what it is the type of.
fn types() -> Vec<(String, &'static Type, Option<Value>)> {
    led_to(&KINDS.iter().collect::<Vec<_>>())
}

fn led_to(kinds: &[&Kind]) -> Vec<(String, &'static Type, Option<Value>)> {
    let mut wanted: VecDeque<String> = kinds.iter().map(|kind| type_name(kind)).collect();
    let mut seen: BTreeSet<String> = wanted.iter().cloned().collect();
    let mut all = Vec::new();
    while let Some(name) = wanted.pop_front() {
        let Some(found) = schema::named(&name) else { continue };
        let led = found.fields.values().filter_map(|field| leads_to(&field.shape));
        wanted.extend(led.filter(|name| seen.insert(name.clone())));
        let own = kinds.iter().find(|kind| type_name(kind) == name).map(|kind| gvk(kind));
        all.push((name, found, own));
    }
    all
}

fn leads_to(shape: &Shape) -> Option<String> {
    match shape {
        Shape::Object(name) => Some(name.clone()),
        Shape::Map { of, .. } | Shape::List { of, .. } => leads_to(of),
        _ => None,
    }
}

fn object(found: &Type) -> Value {
    let properties: Map<String, Value> =
        found.fields.iter().map(|(name, field)| ((*name).to_owned(), property(&field.shape))).collect();
    let mut written = json!({"type": "object", "properties": properties});
    let required: Vec<&str> = found.fields.iter().filter(|field| field.1.is_required).map(|field| *field.0).collect();
    if !required.is_empty() {
        written["required"] = json!(required);
    }
    if found.is_atom {
        written["x-kubernetes-map-type"] = json!("atomic");
    }
    written
}

fn property(shape: &Shape) -> Value {
    match shape {
        Shape::Text => json!({"type": "string"}),
        Shape::Whole => json!({"type": "integer"}),
        Shape::Number => json!({"type": "number"}),
        Shape::Truth => json!({"type": "boolean"}),
        Shape::Time => json!({"type": "string", "format": "date-time"}),
        Shape::Bytes => json!({"type": "string", "format": "byte"}),
        Shape::Quantity => json!({"oneOf": [{"type": "string"}, {"type": "number"}]}),
        Shape::WholeOrText => {
            json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
        }
        Shape::Any => json!({"type": "object"}),
        Shape::Object(name) => {
            json!({"allOf": [{"$ref": format!("#/components/schemas/{}", published(name))}], "default": {}})
        }
        Shape::Map { of, is_atom } => {
            let mut map = json!({"type": "object", "additionalProperties": property(of)});
            if *is_atom {
                map["x-kubernetes-map-type"] = json!("atomic");
            }
            map
        }
        Shape::List { of, items, merge } => {
            let mut list = json!({"type": "array", "items": property(of)});
            list["x-kubernetes-list-type"] = match items {
                Items::Atom => json!("atomic"),
                Items::Set => json!("set"),
                Items::Keyed(keys) => {
                    list["x-kubernetes-list-map-keys"] = json!(keys);
                    json!("map")
                }
            };
            if *merge != Merge::Replace {
                list["x-kubernetes-patch-strategy"] = json!("merge");
            }
            if let Merge::Key(key) = merge {
                list["x-kubernetes-patch-merge-key"] = json!(key);
            }
            list
        }
    }
}
