//! What the API says of itself: versions, groups and resources, in the old form and the aggregated one.

use axum::response::Response;
use serde_json::{Value, json};

use super::path::{Page, Review};
use super::{answer, openapi};
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::cluster::kind::{self, KINDS, Kind, Reach};

const VERBS: [&str; 7] = ["create", "delete", "get", "list", "patch", "update", "watch"];
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A page of discovery.
pub(super) fn page(page: &Page, accept: &str) -> Response {
    // Clients list what they take in the order they like it; an aggregated answer must say that it is one.
    let is_aggregated = accept.contains("as=APIGroupDiscoveryList") && accept.contains("v=v2;")
        || accept.contains("v=v2,")
        || accept.ends_with("v=v2;as=APIGroupDiscoveryList");
    match page {
        Page::Version => answer::json(200, &version()),
        Page::Health => answer::text("ok"),
        Page::Core if is_aggregated => aggregated(&[("", "v1")]),
        Page::Core => {
            answer::json(200, &json!({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}))
        }
        Page::Groups if is_aggregated => aggregated(&kind::groups()),
        Page::Groups => {
            let groups: Vec<Value> = kind::groups().into_iter().map(group).collect();
            answer::json(200, &json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
        }
        Page::Group(name) => match kind::groups().into_iter().find(|row| row.0 == name) {
            Some(found) => {
                let mut page = group(found);
                page["kind"] = json!("APIGroup");
                page["apiVersion"] = json!("v1");
                answer::json(200, &page)
            }
            None => answer::failure(&Failure::no_such_resource()),
        },
        Page::Resources(group, version) => resources(group, version),
        Page::OpenApiV2 => openapi::v2::document(accept),
        Page::OpenApi => openapi::index(),
        Page::OpenApiOf(path) => openapi::document(path),
    }
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "gitVersion": "v1.34.1-rehearsal", "gitCommit": "rehearsal", "gitTreeState": "clean",
        "buildDate": "2026-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc", "platform": "linux/amd64",
    })
}

fn group((name, version): (&str, &str)) -> Value {
    let entry = json!({"groupVersion": format!("{name}/{version}"), "version": version});
    json!({"name": name, "versions": [entry], "preferredVersion": entry})
}

fn rows<'a>(group: &'a str, version: &'a str) -> impl Iterator<Item = &'static Kind> + 'a {
    KINDS.iter().filter(move |kind| kind.group == group && kind.version == version)
}

fn resources(group: &str, version: &str) -> Response {
    let mut list = Vec::new();
    for kind in rows(group, version) {
        let is_namespaced = kind.reach == Reach::Namespaced;
        list.push(json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": is_namespaced, "kind": kind.kind,
            "verbs": VERBS, "shortNames": kind.short, "categories": categories(kind),
        }));
        for sub in kind.subresources {
            let (shown_group, shown_version, shown) = sub.other_kind().unwrap_or(("", "", kind.kind));
            let mut entry = json!({
                "name": format!("{}/{}", kind.plural, sub.word()), "singularName": "", "namespaced": is_namespaced,
                "kind": shown, "verbs": sub.verbs(),
            });
            if !shown_group.is_empty() {
                entry["group"] = json!(shown_group);
                entry["version"] = json!(shown_version);
            }
            list.push(entry);
        }
    }
    list.extend(reviews(group, version).map(|(plural, kind)| {
        json!({
            "name": plural, "singularName": kind.to_lowercase(), "namespaced": false, "kind": kind, "verbs": ["create"],
        })
    }));
    if list.is_empty() {
        return answer::failure(&Failure::no_such_resource());
    }
    let named = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let page = json!({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": named, "resources": list});
    answer::json(200, &page)
}

fn categories(kind: &Kind) -> &'static [&'static str] {
    if kind.is_in_all() { &["all"] } else { &[] }
}

fn reviews<'a>(group: &'a str, version: &'a str) -> impl Iterator<Item = (&'static str, &'static str)> + 'a {
    Review::ALL.into_iter().filter(move |row| row.1 == (group, version)).map(|row| (row.2, row.3))
}

fn aggregated(groups: &[(&str, &str)]) -> Response {
    let items: Vec<Value> = groups
        .iter()
        .map(|(name, version)| {
            let mut list: Vec<Value> = rows(name, version).map(discovered).collect();
            list.extend(reviews(name, version).map(|(plural, kind)| {
                json!({
                    "resource": plural, "responseKind": {"group": name, "version": version, "kind": kind},
                    "scope": "Cluster", "singularResource": kind.to_lowercase(), "verbs": ["create"],
                })
            }));
            json!({
                "metadata": {"name": name, "creationTimestamp": null},
                "versions": [{"version": version, "resources": list, "freshness": "Current"}],
            })
        })
        .collect();
    let page = json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    });
    answer::typed(200, &page, AGGREGATED)
}

fn discovered(kind: &Kind) -> Value {
    let subresources: Vec<Value> = kind
        .subresources
        .iter()
        .map(|sub| {
            let (group, version, shown) = sub.other_kind().unwrap_or((kind.group, kind.version, kind.kind));
            let response = json!({"group": group, "version": version, "kind": shown});
            json!({"subresource": sub.word(), "responseKind": response, "verbs": sub.verbs()})
        })
        .collect();
    json!({
        "resource": kind.plural, "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": if kind.reach == Reach::Namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular, "verbs": VERBS, "shortNames": kind.short, "subresources": subresources,
        "categories": categories(kind),
    })
}
