//! What new pods begin with: images that are pulled anew, configuration that was edited since the others began, and what their
//! template names and may be gone. A dry run asks none of it. Values are not looked at, and secrets not at all.

use std::collections::BTreeSet;

use futures::future::join_all;
use jiff::Timestamp;
use k8s_openapi::api::core::v1 as core;
use serde_json::Value;

use super::{Subject, check, unknown};
use crate::adapters::kubernetes::call::{Client, Resource};
use crate::adapters::kubernetes::changes;
use crate::adapters::kubernetes::fault::{KubeError, Problem};
use crate::adapters::kubernetes::map::safe;
use crate::domain::count::counted;
use crate::domain::observation::workload::Workload;
use crate::domain::remediation::step::{Action, Check, CheckState};

/// The name of the check of what new pods take in that those which run did not.
const NEW_PODS: &str = "new pods";
/// The name of the check of what a template names.
const REFERENCES: &str = "references";
/// References that are asked for.
const MOST: usize = 20;
/// Letters of an image's digest that are told.
const OF_A_DIGEST: usize = 12;

/// Something that a template names.
struct Reference {
    what: String,
    answer: Result<Option<core::ConfigMap>, KubeError>,
}

/// Checks the template that new pods are made of.
pub(super) async fn of_new_pods(client: &Client, subject: &Subject<'_>) -> Vec<Check> {
    if !begins_pods(subject.action) {
        return Vec::new();
    }
    let template = subject.put_back.or_else(|| subject.before.pointer("/spec/template"));
    let Some(spec) = template.and_then(|template| template.get("spec")) else { return Vec::new() };
    let (pods, references) = tokio::join!(pods(client, subject.workload), references(client, subject, spec));
    let secrets = !named(spec, &SECRETS).is_empty();
    taken_in(spec, &pods, &references).into_iter().chain(there(&references, secrets)).collect()
}

/// What takes pods away, or leaves as many, begins none.
fn begins_pods(action: &Action) -> bool {
    match action {
        Action::Scale { replicas, was } => replicas > was,
        Action::RolloutRestart | Action::SetResources { .. } | Action::RolloutUndo { .. } => true,
    }
}

/// The pods that the selector asks for, where they may be listed.
async fn pods(client: &Client, workload: &Workload) -> Vec<core::Pod> {
    let labels: Vec<String> = workload.selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    if labels.is_empty() {
        return Vec::new();
    }
    let query = [("labelSelector", &*labels.join(","))];
    let listed = client.list::<core::Pod>(Resource::PODS, Some(&workload.target.namespace), &query).await;
    listed.map(|listing| listing.items).unwrap_or_default()
}

/// What the template cannot do without, asked all at once. What runs by a template has its account and its claims; one of the
/// past may name others.
async fn references(client: &Client, subject: &Subject<'_>, spec: &Value) -> Vec<Reference> {
    let place = &subject.workload.target.namespace;
    let map = async |name: String| {
        let answer = client.get::<core::ConfigMap>(Resource::CONFIG_MAPS, place, &name).await.map(Some);
        Reference { what: format!("config map {}", safe(&name)), answer }
    };
    let other = async |(words, resource, name): (&str, Resource, String)| {
        let answer = client.get::<Value>(resource, place, &name).await.map(|_| None);
        Reference { what: format!("{words} {}", safe(&name)), answer }
    };
    let maps: Vec<_> = named(spec, &CONFIG_MAPS).into_iter().take(MOST).map(map).collect();
    let others: Vec<_> = of_the_past(subject, spec).into_iter().map(other).collect();
    let (mut found, rest) = tokio::join!(join_all(maps), join_all(others));
    found.extend(rest);
    found
}

/// What only a template of the past has to be asked for.
fn of_the_past(subject: &Subject<'_>, spec: &Value) -> Vec<(&'static str, Resource, String)> {
    if subject.put_back.is_none() {
        return Vec::new();
    }
    let claims = named(spec, &[&["volumes", "persistentVolumeClaim", "claimName"]]);
    let accounts = account(spec).into_iter().map(|name| ("service account", Resource::SERVICE_ACCOUNTS, name));
    accounts.chain(claims.into_iter().take(MOST).map(|name| ("claim", Resource::CLAIMS, name))).collect()
}

fn account(spec: &Value) -> Option<String> {
    spec.get("serviceAccountName").and_then(Value::as_str).map(str::to_owned)
}

/// Where a pod's specification names config maps, and where secrets; a list is walked whole.
const CONFIG_MAPS: [&[&str]; 4] = [
    &["containers", "envFrom", "configMapRef", "name"],
    &["containers", "env", "valueFrom", "configMapKeyRef", "name"],
    &["volumes", "configMap", "name"],
    &["volumes", "projected", "sources", "configMap", "name"],
];
const SECRETS: [&[&str]; 4] = [
    &["containers", "envFrom", "secretRef", "name"],
    &["containers", "env", "valueFrom", "secretKeyRef", "name"],
    &["volumes", "secret", "secretName"],
    &["volumes", "projected", "sources", "secret", "name"],
];

/// The names at some paths that a pod does not start without.
fn named(spec: &Value, paths: &[&[&str]]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in paths {
        walk(spec, path, &mut names);
        if let Some((&"containers", rest)) = path.split_first() {
            walk(&spec["initContainers"], rest, &mut names);
        }
    }
    names
}

fn walk(at: &Value, path: &[&str], names: &mut BTreeSet<String>) {
    match (at, path) {
        (Value::Array(all), _) => all.iter().for_each(|one| walk(one, path, names)),
        (Value::String(name), []) => {
            names.insert(name.clone());
        }
        (Value::Object(fields), [key, rest @ ..]) if fields.get("optional") != Some(&Value::Bool(true)) => {
            fields.get(*key).into_iter().for_each(|next| walk(next, rest, names));
        }
        _ => {}
    }
}

/// Whether what the template names is there.
fn there(references: &[Reference], secrets: bool) -> Option<Check> {
    let gone = |one: &&Reference| matches!(&one.answer, Err(error) if matches!(error.problem, Problem::NotFound(_)));
    let names: Vec<&str> = references.iter().filter(gone).map(|one| one.what.as_str()).collect();
    if !names.is_empty() {
        let text = format!("{} cannot be found: new pods would not start", names.join(", "));
        return Some(check(REFERENCES, CheckState::Failed, text));
    }
    if let Some(error) = references.iter().find_map(|one| one.answer.as_ref().err()) {
        return Some(unknown(REFERENCES, error));
    }
    let secrets = if secrets { "; secrets are not looked at" } else { "" };
    let text = format!("{} that it names can be found{secrets}", counted(references.len(), "thing"));
    (!references.is_empty()).then(|| check(REFERENCES, CheckState::Ok, text))
}

/// What new pods take in that those which run did not.
fn taken_in(spec: &Value, pods: &[core::Pod], references: &[Reference]) -> Option<Check> {
    let containers = spec.get("containers").and_then(Value::as_array);
    let images = containers.into_iter().flatten().filter_map(|container| image(container, pods));
    let maps = references.iter().filter_map(|one| edited(one.answer.as_ref().ok()?.as_ref()?, pods));
    let texts: Vec<String> = images.chain(maps).collect();
    (!texts.is_empty()).then(|| check(NEW_PODS, CheckState::Warning, texts.join("; ")))
}

/// An image by a tag may be another than the one that runs. Without a policy the API pulls `latest` alone each time.
fn image(container: &Value, pods: &[core::Pod]) -> Option<String> {
    let text = |key: &str| container.get(key).and_then(Value::as_str);
    let (name, image) = (text("name")?, text("image")?);
    if image.contains('@') {
        return None;
    }
    let running = running(name, image, pods);
    let told = safe(image);
    if running.len() > 1 {
        return Some(format!("pods run {} different images under {told}", running.len()));
    }
    let tag = image.rsplit('/').next().and_then(|last| last.split_once(':')).map_or("latest", |(_, tag)| tag);
    let pulls = text("imagePullPolicy").map_or(tag == "latest", |policy| policy == "Always");
    let digest = running.first().map(|id| id.rsplit("sha256:").next().unwrap_or(id).chars().take(OF_A_DIGEST));
    let runs = digest.map_or_else(String::new, |digest| format!(" ({})", safe(&digest.collect::<String>())));
    pulls.then(|| format!("{told} is pulled anew, and may not be what runs{runs}"))
}

/// The images that run under a name, by their digests.
fn running(container: &str, image: &str, pods: &[core::Pod]) -> BTreeSet<String> {
    let has = |pod: &&core::Pod| {
        let all = pod.spec.iter().flat_map(|spec| &spec.containers);
        all.into_iter().any(|one| one.name == container && one.image.as_deref() == Some(image))
    };
    let statuses = pods.iter().filter(has).filter_map(|pod| pod.status.as_ref()?.container_statuses.as_ref());
    let of_it = statuses.flatten().filter(|status| status.name == container);
    of_it.map(|status| status.image_id.clone()).filter(|id| !id.is_empty()).collect()
}

/// A config map that was edited after a pod began which still runs.
fn edited(map: &core::ConfigMap, pods: &[core::Pod]) -> Option<String> {
    let oldest = pods.iter().filter_map(|pod| Some(pod.metadata.creation_timestamp.as_ref()?.0)).min()?;
    let change = changes::config_map(map)?;
    let at = change.at.filter(|at| *at > oldest)?;
    let stamp = |at: Timestamp| at.strftime("%Y-%m-%d %H:%MZ");
    Some(format!("config map {} was {} {}, after a pod of {}", change.name, change.what, stamp(at), stamp(oldest)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::adapters::kubernetes::fault::Doing;

    fn pod(image: &str, id: &str) -> core::Pod {
        serde_json::from_value(json!({
            "metadata": { "name": "my-api-1", "creationTimestamp": "2026-04-11T22:10:00Z" },
            "spec": { "containers": [{ "name": "app", "image": image }] },
            "status": { "containerStatuses": [{ "name": "app", "image": image, "imageID": id, "ready": true,
                "restartCount": 0 }] },
        }))
        .unwrap()
    }

    fn told(container: &Value, pods: &[core::Pod]) -> Option<String> {
        taken_in(&json!({ "containers": [container] }), pods, &[]).map(|check| check.text)
    }

    #[test]
    fn an_image_that_is_pulled_anew_may_be_another() {
        let id = "registry.example.com/my-api@sha256:0123456789abcdef0123";
        let anew = |image: &str| Some(format!("{image} is pulled anew, and may not be what runs (0123456789ab)"));
        for (image, policy, expected) in [
            ("my-api:latest", None, true),
            ("registry.example.com:5000/my-api", None, true),
            ("my-api:main", Some("Always"), true),
            ("my-api:4.11.2", None, false),
            ("my-api:latest", Some("IfNotPresent"), false),
            ("my-api:main@sha256:0123", Some("Always"), false),
        ] {
            let mut container = json!({ "name": "app", "image": image });
            if let Some(policy) = policy {
                container["imagePullPolicy"] = json!(policy);
            }
            let expected = anew(image).filter(|_| expected);
            assert_eq!(told(&container, &[pod(image, id)]), expected, "{image} {policy:?}");
        }
        let one = json!({ "name": "app", "image": "my-api:4" });
        let two = [pod("my-api:4", id), pod("my-api:4", "my-api@sha256:ffff"), pod("my-api:3", "my-api@sha256:eeee")];
        assert_eq!(told(&one, &two).as_deref(), Some("pods run 2 different images under my-api:4"));
    }

    fn map(edited: &str) -> core::ConfigMap {
        serde_json::from_value(json!({ "metadata": { "name": "settings", "managedFields": [{ "manager": "kubectl-edit",
            "operation": "Update", "time": edited, "fieldsV1": { "f:data": { "f:pool": {} } } }] } }))
        .unwrap()
    }

    #[test]
    fn configuration_that_was_edited_since_is_told() {
        for (edited, expected) in [
            (
                "2026-04-30T17:02:00Z",
                Some(
                    "config map settings was edited by kubectl-edit 2026-04-30 17:02Z, after a pod of 2026-04-11 22:10Z",
                ),
            ),
            ("2026-04-11T22:09:00Z", None),
        ] {
            let reference = Reference { what: "config map settings".to_owned(), answer: Ok(Some(map(edited))) };
            let found = taken_in(&json!({}), &[pod("i", "")], &[reference]);
            assert_eq!(found.map(|check| check.text).as_deref(), expected);
        }
    }

    #[test]
    fn what_a_template_cannot_do_without_is_named_wherever_it_stands() {
        let spec = json!({
            "containers": [{ "envFrom": [{ "configMapRef": { "name": "all" } }, { "secretRef": { "name": "keys" } }],
                "env": [{ "valueFrom": { "configMapKeyRef": { "name": "one", "key": "k" } } },
                    { "valueFrom": { "configMapKeyRef": { "name": "maybe", "key": "k", "optional": true } } }] }],
            "initContainers": [{ "envFrom": [{ "configMapRef": { "name": "schema" } }] }],
            "volumes": [{ "configMap": { "name": "files" } }, { "secret": { "secretName": "certs" } },
                { "projected": { "sources": [{ "configMap": { "name": "part" } }] } },
                { "persistentVolumeClaim": { "claimName": "data" } }],
        });
        let names = |paths: &[&[&str]]| named(&spec, paths).into_iter().collect::<Vec<_>>().join(" ");
        assert_eq!(names(&CONFIG_MAPS), "all files one part schema");
        assert_eq!(names(&SECRETS), "certs keys");
        assert_eq!(names(&[&["volumes", "persistentVolumeClaim", "claimName"]]), "data");
    }

    /// The undo of more replicas must not wait for a config map.
    #[test]
    fn what_takes_pods_away_begins_none() {
        for (replicas, was, expected) in [(9, 6, true), (6, 9, false), (6, 6, false)] {
            assert_eq!(begins_pods(&Action::Scale { replicas, was }), expected, "{was} -> {replicas}");
        }
        assert!(begins_pods(&Action::RolloutRestart) && begins_pods(&Action::RolloutUndo { to_revision: 40 }));
    }

    #[test]
    fn what_is_gone_keeps_new_pods_from_starting() {
        let doing = || Doing {
            verb: "get",
            group: "",
            resource: "configmaps",
            namespace: None,
            name: Some("settings".to_owned()),
        };
        let answer = |problem| Reference {
            what: "config map settings".to_owned(),
            answer: Err(KubeError::new(&doing(), problem)),
        };
        let fine = || Reference { what: "claim data".to_owned(), answer: Ok(None) };
        let state = |references: &[Reference]| there(references, false).map(|check| (check.state, check.text));
        assert_eq!(state(&[]), None);
        assert_eq!(state(&[fine()]).unwrap().0, CheckState::Ok);
        let text = "config map settings cannot be found: new pods would not start".to_owned();
        assert_eq!(state(&[fine(), answer(Problem::NotFound("gone".to_owned()))]), Some((CheckState::Failed, text)));
        let denied = state(&[answer(Problem::Denied("no".to_owned())), fine()]).unwrap();
        assert_eq!(denied, (CheckState::Unknown, "could not check: this credential may not get configmaps".to_owned()));
    }
}
