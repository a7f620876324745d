//! Helm releases as Helm itself stores them: Secrets that hold, twice in base64 and in gzip, the chart, the values and
//! the manifest of each revision of the workloads that a release owns.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::shape;
use super::template;
use crate::domain::observation::workload::Ownership;
use crate::rehearsal::scenario::{RevisionSpec, Scenario, WorkloadSpec};

/// The Secrets of all releases of a scenario, each with the time it was written.
pub(super) fn releases(scenario: &Scenario) -> Vec<(Timestamp, Value)> {
    let mut owned: BTreeMap<(&str, &str), Vec<&WorkloadSpec>> = BTreeMap::new();
    for workload in &scenario.workloads {
        if let Ownership::Helm { release } = &workload.ownership {
            owned.entry((workload.namespace.as_str(), release)).or_default().push(workload);
        }
    }
    let each = owned.into_iter();
    each.flat_map(|((namespace, name), workloads)| history(scenario, (namespace, name), &workloads)).collect()
}

/// One Secret a revision; the last is the one that is deployed.
fn history(
    scenario: &Scenario,
    (namespace, name): (&str, &str),
    workloads: &[&WorkloadSpec],
) -> Vec<(Timestamp, Value)> {
    let count = workloads.iter().map(|one| one.revisions.len()).max().unwrap_or(0).max(1);
    let first = moment(scenario, workloads, count - 1);
    let each = (0..count).map(|index| {
        let (version, back) = (index + 1, count - 1 - index);
        let at = moment(scenario, workloads, back);
        let word = if back == 0 { "deployed" } else { "superseded" };
        let described = if index == 0 { "Install complete" } else { "Upgrade complete" };
        let release = json!({
            "name": name, "namespace": namespace, "version": version,
            "info": {
                "first_deployed": first.to_string(), "last_deployed": at.to_string(), "deleted": "",
                "description": described, "status": word,
            },
            "chart": chart(name, workloads), "config": values(workloads, back), "manifest": manifest(name, workloads, back),
            "hooks": [],
        });
        let packed = STANDARD.encode(stored_gzip(release.to_string().as_bytes()));
        let secret = json!({
            "metadata": {
                "name": format!("sh.helm.release.v1.{name}.v{version}"), "namespace": namespace,
                "creationTimestamp": shape::stamp(at),
                "labels": {
                    "owner": "helm", "name": name, "status": word, "version": version.to_string(),
                    "modifiedAt": at.as_second().to_string(),
                },
            },
            "type": "helm.sh/release.v1", "data": {"release": STANDARD.encode(packed)},
        });
        (at, secret)
    });
    each.collect()
}

/// The revision that a workload had so many releases ago.
fn revision(workload: &WorkloadSpec, back: usize) -> Option<&RevisionSpec> {
    let last = workload.revisions.len().checked_sub(1)?;
    workload.revisions.get(last.saturating_sub(back))
}

fn moment(scenario: &Scenario, workloads: &[&WorkloadSpec], back: usize) -> Timestamp {
    let times = workloads.iter().filter_map(|workload| revision(workload, back)).map(|revision| revision.at);
    times.max().unwrap_or_else(|| scenario.dawn())
}

/// What each workload's first container is given by values: `my-api.image`, `my-api.memoryLimit`.
fn values(workloads: &[&WorkloadSpec], back: usize) -> Value {
    let mut values = json!({});
    for workload in workloads {
        let object = template::workload(workload, revision(workload, back));
        let first = object.pointer("/spec/template/spec/containers/0").cloned().unwrap_or_default();
        let mut own = json!({"image": first["image"], "replicas": workload.replicas});
        if let Some(limit) = first.pointer("/resources/limits/memory") {
            own["memoryLimit"] = limit.clone();
        }
        values[key(workload)] = own;
    }
    values
}

/// The workload's name as a key of values that a template can write with dots.
fn key(workload: &WorkloadSpec) -> String {
    workload.name.replace('-', "_")
}

fn chart(name: &str, workloads: &[&WorkloadSpec]) -> Value {
    let templates: Vec<Value> = workloads
        .iter()
        .map(|workload| {
            let mut object = bare(workload, 0);
            let at = |field: &str| json!(format!("{{{{ .Values.{}.{field} }}}}", key(workload)));
            if let Some(first) = object.pointer_mut("/spec/template/spec/containers/0") {
                first["image"] = at("image");
                if first.pointer("/resources/limits/memory").is_some() {
                    shape::set(first, &["resources", "limits", "memory"], at("memoryLimit"));
                }
            }
            json!({"name": path(workload), "data": STANDARD.encode(yaml(&object))})
        })
        .collect();
    json!({
        "metadata": {"name": name, "version": "1.0.0", "apiVersion": "v2", "type": "application", "appVersion": "1.0"},
        "lock": null, "templates": templates, "values": values(workloads, 0), "schema": null, "files": null,
    })
}

fn path(workload: &WorkloadSpec) -> String {
    format!("templates/{}.yaml", workload.name)
}

fn manifest(name: &str, workloads: &[&WorkloadSpec], back: usize) -> String {
    let each = workloads.iter().map(|workload| {
        let object = bare(workload, back);
        format!("---\n# Source: {name}/{}\n{}", path(workload), yaml(&object))
    });
    each.collect()
}

/// A workload as a chart writes it: without what Helm adds when it installs.
fn bare(workload: &WorkloadSpec, back: usize) -> Value {
    let mut object = template::workload(workload, revision(workload, back));
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("annotations");
        metadata.remove("namespace");
    }
    object
}

fn yaml(object: &Value) -> String {
    // JSON is YAML too, should the writer ever refuse a value.
    serde_saphyr::to_string(object).unwrap_or_else(|_| object.to_string())
}

/// A gzip file (RFC 1952) of stored blocks (RFC 1951, 3.2.4): valid to every reader, and no compressor is needed.
fn stored_gzip(bytes: &[u8]) -> Vec<u8> {
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        file.push(u8::from(blocks.peek().is_none()));
        file.extend(length.to_le_bytes());
        file.extend((!length).to_le_bytes());
        file.extend(block);
    }
    file.extend(crc32(bytes).to_le_bytes());
    file.extend((bytes.len() as u32).to_le_bytes());
    file
}

/// The checksum of gzip: CRC-32 with the reflected polynomial 0xEDB88320 (RFC 1952, section 8).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::scenario::load;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(stored_gzip(b"a").len(), 10 + 5 + 1 + 8);
        assert_eq!(stored_gzip(&vec![0; 70_000]).len(), 10 + 2 * 5 + 70_000 + 8);
    }

    #[test]
    fn a_release_has_a_secret_for_each_revision_of_its_workload() {
        let mut scenario = load("oom-leak").unwrap();
        assert!(releases(&scenario).is_empty());
        let owned = scenario.workloads.iter_mut().find(|workload| workload.name == "my-api").unwrap();
        owned.ownership = Ownership::Helm { release: "payments".to_owned() };
        let secrets = releases(&scenario);
        let told: Vec<_> = secrets
            .iter()
            .map(|(_, secret)| (shape::name(secret), secret["metadata"]["labels"]["status"].as_str().unwrap()))
            .collect();
        assert_eq!(
            told,
            [
                ("sh.helm.release.v1.payments.v1", "superseded"),
                ("sh.helm.release.v1.payments.v2", "superseded"),
                ("sh.helm.release.v1.payments.v3", "deployed"),
            ]
        );
        assert_eq!(values(&[scenario.workload("my-api").unwrap()], 1)["my_api"]["image"], {
            "registry.example.com/payments/my-api:4.11.1"
        });
    }
}
