//! Changes around a workload from the objects that remember them: Helm's release Secrets, config maps and autoscalers by
//! their managed fields, and the templates of replica sets against each other. Values of Secrets never leave this file:
//! of a release only what it was given by values is compared, and of values and templates nothing is told that
//! `redact::object` hides or that sounds private to `change::differences`.

use std::collections::BTreeMap;
use std::io::Read as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::autoscaling::v2::{HorizontalPodAutoscaler, HorizontalPodAutoscalerSpec};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::map::safe;
use crate::domain::count::counted;
use crate::domain::observation::change::{Change, ChangeKind, FieldChange, FieldValue, differences};
use crate::domain::observation::redact::object;
use crate::domain::observation::workload::WorkloadRef;

/// The type of the Secrets that Helm keeps a revision in.
const HELM: &str = "helm.sh/release.v1";
/// The most of a release that is unpacked: Helm itself keeps less than a mebibyte packed.
const MOST_BYTES: u64 = 32 << 20;
/// Revisions kept of a release.
const REVISIONS: usize = 10;

/// A revision of a release as its Secret holds it.
struct Release {
    version: i64,
    at: Option<Timestamp>,
    described: String,
    /// What it was given; `None` where the Secret does not open.
    fields: Option<BTreeMap<String, FieldValue>>,
}

/// The revisions of a release, each with what its values and chart changed against the one before. One that does not open is
/// told all the same: before a rollback it is the one that matters.
pub(super) fn helm(secrets: &[core::Secret], release: &str) -> Vec<Change> {
    let is_helm = |secret: &&core::Secret| secret.type_.as_deref() == Some(HELM);
    let mut revisions: Vec<Release> =
        secrets.iter().filter(is_helm).filter_map(|secret| revision(secret, release)).collect();
    revisions.sort_by_key(|revision| revision.version);
    let first = revisions.len().saturating_sub(REVISIONS + 1);
    revisions
        .iter()
        .enumerate()
        .skip(first)
        .map(|(nth, revision)| {
            let before = nth.checked_sub(1).and_then(|nth| revisions.get(nth));
            let both = before.and_then(|before| before.fields.as_ref()).zip(revision.fields.as_ref());
            Change {
                kind: ChangeKind::HelmRelease,
                name: safe(release),
                at: revision.at,
                what: format!("revision {}, {}", revision.version, revision.described),
                fields: both.map(|(before, after)| differences(before, after)).unwrap_or_default(),
            }
        })
        .collect()
}

/// A Secret's revision of the release; `None` where it is of another.
fn revision(secret: &core::Secret, wanted: &str) -> Option<Release> {
    let opened = opened(secret).and_then(|release| {
        if release["name"].is_string() && release["version"].is_i64() { Ok(release) } else { Err("no release in it") }
    });
    match opened {
        Ok(release) => (release["name"].as_str() == Some(wanted)).then(|| read(&release)),
        Err(why) => unopened(secret, wanted, why),
    }
}

/// What a Secret holds: base64 (undone by the API's own decoding), base64 again, gzip, JSON.
fn opened(secret: &core::Secret) -> Result<Value, &'static str> {
    let packed = secret.data.as_ref().and_then(|data| data.get("release")).ok_or("no release in it")?;
    let packed = STANDARD.decode(&packed.0).map_err(|_| "it is no base64")?;
    let mut text = String::new();
    let mut unpacked = GzDecoder::new(packed.as_slice()).take(MOST_BYTES);
    unpacked.read_to_string(&mut text).map_err(|_| "it does not unpack")?;
    if unpacked.limit() == 0 {
        return Err("it is too large");
    }
    serde_json::from_str(&text).map_err(|_| "it is no JSON")
}

fn read(release: &Value) -> Release {
    let mut fields = fields(&release["config"]);
    for (key, path) in [("chart", "/chart/metadata/version"), ("app version", "/chart/metadata/appVersion")] {
        let told = release.pointer(path).and_then(Value::as_str);
        fields.extend(told.map(|version| (key.to_owned(), value(version, version))));
    }
    Release {
        version: release["version"].as_i64().unwrap_or_default(),
        at: release.pointer("/info/last_deployed").and_then(Value::as_str).and_then(|at| at.parse().ok()),
        described: safe(release.pointer("/info/description").and_then(Value::as_str).unwrap_or_default()),
        fields: Some(fields),
    }
}

/// A revision as the labels of its Secret tell it, which Helm sets for itself to find it by.
fn unopened(secret: &core::Secret, wanted: &str, why: &str) -> Option<Release> {
    let label = |name: &str| secret.metadata.labels.as_ref()?.get(name).map(String::as_str);
    if label("name") != Some(wanted) {
        return None;
    }
    let modified = label("modifiedAt").and_then(|at| Timestamp::from_second(at.parse().ok()?).ok());
    Some(Release {
        version: label("version")?.parse().ok()?,
        at: modified.or_else(|| Some(secret.metadata.creation_timestamp.as_ref()?.0)),
        described: format!("which cannot be read: {why}"),
        fields: None,
    })
}

/// The last edit of a config map's data, with the keys that its editor holds.
pub(super) fn config_map(object: &core::ConfigMap) -> Option<Change> {
    let (at, manager, keys) = edited(&object.metadata, "f:data")?;
    let field = |key: String| FieldChange { field: key, before: None, after: None };
    Some(Change {
        kind: ChangeKind::ConfigMap,
        name: safe(object.metadata.name.as_deref().unwrap_or_default()),
        at: Some(at),
        what: format!("edited by {manager}"),
        fields: keys.into_iter().map(field).collect(),
    })
}

/// What an autoscaler of a workload did last, and when its bounds were edited; that it is there, where neither is known.
pub(super) fn autoscaler(object: &HorizontalPodAutoscaler, target: &WorkloadRef) -> Vec<Change> {
    let scales_it = |spec: &&HorizontalPodAutoscalerSpec| {
        let of = &spec.scale_target_ref;
        of.name == target.name && of.kind.eq_ignore_ascii_case(target.kind.word())
    };
    let Some(spec) = object.spec.as_ref().filter(scales_it) else { return Vec::new() };
    let name = safe(object.metadata.name.as_deref().unwrap_or_default());
    let bounds = format!("{} to {}", spec.min_replicas.unwrap_or(1), spec.max_replicas);
    let change =
        |at, what| Change { kind: ChangeKind::Autoscaler, name: name.clone(), at: Some(at), what, fields: Vec::new() };
    let status = object.status.as_ref();
    let scaled = status.and_then(|status| {
        let at = status.last_scale_time.as_ref()?.0;
        let most = if status.desired_replicas >= spec.max_replicas { ", the most it may" } else { "" };
        Some(change(at, format!("scaled to {}{most} (bounds {bounds})", counted(status.desired_replicas, "replica"))))
    });
    let edited = edited(&object.metadata, "f:spec")
        .map(|(at, manager, _)| change(at, format!("edited by {manager} (bounds {bounds})")));
    let known: Vec<Change> = edited.into_iter().chain(scaled).collect();
    if known.is_empty() {
        let what = format!("keeps {bounds} replicas");
        return vec![Change { kind: ChangeKind::Autoscaler, name, at: None, what, fields: Vec::new() }];
    }
    known
}

/// The last edit of a part of an object by its managed fields: when, by whom, and which keys they hold. Status is nobody's
/// edit.
fn edited(meta: &ObjectMeta, part: &str) -> Option<(Timestamp, String, Vec<String>)> {
    let entries = meta.managed_fields.as_deref().unwrap_or_default().iter();
    let of_part = entries.filter(|entry| entry.subresource.is_none()).filter_map(|entry| {
        let keys = entry.fields_v1.as_ref()?.0.get(part)?.as_object()?;
        let names = keys.keys().filter_map(|key| key.strip_prefix("f:")).map(safe).collect();
        Some((entry.time.as_ref()?.0, safe(entry.manager.as_deref().unwrap_or("somebody")), names))
    });
    of_part.max_by_key(|(at, _, _)| *at)
}

/// What a replica set's pod template changed against the one before.
pub(super) fn of_templates(before: &ReplicaSet, after: &ReplicaSet) -> Vec<FieldChange> {
    let of = |set: &ReplicaSet| {
        let spec =
            set.spec.as_ref().and_then(|spec| spec.template.as_ref()).and_then(|template| template.spec.as_ref());
        // A pod spec is plain data and always serializes.
        spec.map(|spec| serde_json::to_value(spec).unwrap_or_default()).unwrap_or_default()
    };
    of_pod_specs(&of(before), &of(after))
}

/// What a pod's specification changed against the one before.
pub(super) fn of_pod_specs(before: &Value, after: &Value) -> Vec<FieldChange> {
    differences(&fields(before), &fields(after))
}

/// The names of the config maps that a pod spec takes something from.
pub(super) fn config_maps_of(spec: &core::PodSpec) -> Vec<String> {
    let of_container = |container: &core::Container| {
        let all =
            container.env_from.iter().flatten().filter_map(|from| Some(from.config_map_ref.as_ref()?.name.clone()));
        let one = container
            .env
            .iter()
            .flatten()
            .filter_map(|env| Some(env.value_from.as_ref()?.config_map_key_ref.as_ref()?.name.clone()));
        all.chain(one).collect::<Vec<_>>()
    };
    let of_volume = |volume: &core::Volume| {
        let whole = volume.config_map.iter().map(|source| source.name.clone());
        let parts = volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten());
        whole.chain(parts.filter_map(|part| Some(part.config_map.as_ref()?.name.clone()))).collect::<Vec<_>>()
    };
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let mut names: Vec<String> =
        containers.flat_map(of_container).chain(spec.volumes.iter().flatten().flat_map(of_volume)).collect();
    names.sort();
    names.dedup();
    names
}

/// Every leaf by its path, beside itself as it may be told.
fn fields(exact: &Value) -> BTreeMap<String, FieldValue> {
    let (mut told, mut fields) = (exact.clone(), BTreeMap::new());
    object::hide(&mut told);
    leaves((exact, &told), "", &mut fields);
    fields
}

/// Things in a list are called by their name, else by their place. Hiding leaves the shape as it is, so that both are
/// walked together.
fn leaves((exact, told): (&Value, &Value), path: &str, into: &mut BTreeMap<String, FieldValue>) {
    let below = |key: &str| if path.is_empty() { safe(key) } else { format!("{path}.{}", safe(key)) };
    match exact {
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| leaves((value, &told[key]), &below(key), into));
        }
        Value::Array(items) => items.iter().enumerate().for_each(|(nth, item)| {
            let called = item["name"].as_str().map_or_else(|| nth.to_string(), str::to_owned);
            leaves((item, &told[nth]), &below(&called), into);
        }),
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) => {
            into.insert(path.to_owned(), value(&exact.to_string(), &told.to_string()));
        }
        Value::String(exact) => {
            into.insert(path.to_owned(), value(exact, told.as_str().unwrap_or(object::HIDDEN)));
        }
    }
}

fn value(exact: &str, told: &str) -> FieldValue {
    FieldValue { exact: exact.to_owned(), told: safe(told) }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use serde_json::json;

    use super::*;

    fn secret(version: i64, image: &str, password: &str) -> core::Secret {
        let release = json!({ "name": "shop", "version": version, "info": { "last_deployed": "2026-05-01T09:00:00Z",
            "description": "Upgrade complete" }, "chart": { "metadata": { "version": "1.0.0" } },
            "config": { "cart": { "image": image }, "db": { "password": password } } });
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(release.to_string().as_bytes()).unwrap();
        let text = STANDARD.encode(packed.finish().unwrap());
        serde_json::from_value(json!({ "type": HELM, "data": { "release": STANDARD.encode(text) } })).unwrap()
    }

    #[test]
    fn a_release_tells_what_its_values_changed_and_no_secret() {
        let secrets = [secret(2, "cart:2", "hunter3"), secret(1, "cart:1", "hunter2")];
        let told: Vec<String> = helm(&secrets, "shop").iter().map(Change::words).collect();
        let second = "Helm release shop revision 2, Upgrade complete (cart.image: cart:1 -> cart:2, db.password)";
        assert_eq!(told, ["Helm release shop revision 1, Upgrade complete", second]);
        assert!(helm(&secrets, "other").is_empty());
        assert!(!format!("{:?}", helm(&secrets, "shop")).contains("hunter"));
        let broken: core::Secret =
            serde_json::from_value(json!({ "type": HELM, "data": { "release": "AAAA" } })).unwrap();
        assert!(helm(&[broken], "shop").is_empty(), "whose it is, nobody knows");
    }

    #[test]
    fn a_revision_that_does_not_open_is_told_and_compared_with_nothing() {
        let broken = |text: &[u8]| -> core::Secret {
            let labels = json!({ "owner": "helm", "name": "shop", "version": "2", "modifiedAt": "1777626000" });
            let release = STANDARD.encode(STANDARD.encode(text));
            let object = json!({ "type": HELM, "metadata": { "labels": labels }, "data": { "release": release } });
            serde_json::from_value(object).unwrap()
        };
        let packed = |text: &str| {
            let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
            packed.write_all(text.as_bytes()).unwrap();
            packed.finish().unwrap()
        };
        for (bytes, why) in [
            (b"cut".to_vec(), "it does not unpack"),
            (packed("{\"name\":"), "it is no JSON"),
            (packed("{}"), "no release in it"),
        ] {
            let secrets = [secret(3, "cart:3", "c"), broken(&bytes), secret(1, "cart:1", "a")];
            let told: Vec<String> = helm(&secrets, "shop").iter().map(Change::told).collect();
            let second = format!("2026-05-01 09:00Z  Helm release shop revision 2, which cannot be read: {why}");
            assert_eq!(told[1], second);
            assert_eq!(told[2], "2026-05-01 09:00Z  Helm release shop revision 3, Upgrade complete");
            assert!(helm(&[broken(&bytes)], "other").is_empty());
        }
    }

    #[test]
    fn a_template_tells_its_new_arguments_and_no_secret() {
        let set = |heap: &str, password: &str| -> ReplicaSet {
            let container = json!({ "name": "app", "args": ["--password", password, heap], "env": [
                { "name": "DSN", "value": format!("postgres://app:{password}@db") },
            ], "command": ["run", format!("--db-pass={password}")] });
            let spec = json!({ "containers": [container] });
            serde_json::from_value(json!({ "spec": { "selector": {}, "template": { "spec": spec } } })).unwrap()
        };
        let fields = of_templates(&set("-Xmx512m", "hunter2"), &set("-Xmx768m", "hunter3"));
        let told: Vec<String> = fields.iter().map(FieldChange::words).collect();
        assert_eq!(
            told,
            [
                "containers.app.args.1: [redacted:hidden] -> [redacted:hidden]",
                "containers.app.args.2: -Xmx512m -> -Xmx768m",
                "containers.app.command.1: --db-pass=[redacted:secret] -> --db-pass=[redacted:secret]",
                "containers.app.env.DSN.value",
            ]
        );
    }

    #[test]
    fn managed_fields_tell_who_edited_what_and_when() {
        let map: core::ConfigMap = serde_json::from_value(json!({ "metadata": { "name": "settings", "managedFields": [
            { "manager": "helm", "operation": "Update", "time": "2026-05-01T08:00:00Z", "fieldsV1": { "f:data": { "f:a": {} } } },
            { "manager": "kubectl-edit", "operation": "Update", "time": "2026-05-01T09:10:00Z", "fieldsV1": { "f:data": { "f:pool": {} } } } ] } })).unwrap();
        let change = config_map(&map).unwrap();
        assert_eq!(
            (change.words().as_str(), change.at.unwrap().to_string().as_str()),
            ("config map settings edited by kubectl-edit (pool)", "2026-05-01T09:10:00Z")
        );
        let scaler: HorizontalPodAutoscaler = serde_json::from_value(json!({ "metadata": { "name": "cart" },
            "spec": { "maxReplicas": 6, "minReplicas": 2, "scaleTargetRef": { "kind": "Deployment", "name": "cart" } },
            "status": { "desiredReplicas": 6, "currentReplicas": 4, "lastScaleTime": "2026-05-01T09:12:00Z" } }))
        .unwrap();
        let target = |name: &str| WorkloadRef {
            kind: crate::domain::observation::workload::WorkloadKind::Deployment,
            namespace: "shop".into(),
            name: name.to_owned(),
        };
        let told: Vec<String> = autoscaler(&scaler, &target("cart")).iter().map(Change::words).collect();
        assert_eq!(told, ["autoscaler cart scaled to 6 replicas, the most it may (bounds 2 to 6)"]);
        assert!(autoscaler(&scaler, &target("other")).is_empty());
        // As `kubectl get -o json` prints one that never scaled: without managed fields.
        let mut fresh = scaler.clone();
        (fresh.status, fresh.metadata.managed_fields) = (None, None);
        let told: Vec<String> = autoscaler(&fresh, &target("cart")).iter().map(Change::words).collect();
        assert_eq!(told, ["autoscaler cart keeps 2 to 6 replicas"]);
        let kind = crate::domain::observation::workload::WorkloadKind::StatefulSet;
        assert!(autoscaler(&scaler, &WorkloadRef { kind, ..target("cart") }).is_empty());
    }

    #[test]
    fn config_maps_are_named_by_every_container_and_by_projected_volumes() {
        let spec: core::PodSpec = serde_json::from_value(json!({
            "containers": [{ "name": "app", "envFrom": [{ "configMapRef": { "name": "settings" } }] }],
            "initContainers": [{ "name": "migrate", "env": [
                { "name": "X", "valueFrom": { "configMapKeyRef": { "name": "schema", "key": "k" } } }] }],
            "volumes": [{ "name": "v", "projected": { "sources": [{ "configMap": { "name": "certs" } }, { "secret": { "name": "s" } }] } },
                        { "name": "w", "configMap": { "name": "settings" } }] }))
        .unwrap();
        assert_eq!(config_maps_of(&spec), ["certs", "schema", "settings"]);
    }
}
