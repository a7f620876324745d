//! Helm releases as Helm itself stores them: Secrets that hold, twice in base64 and in gzip, the chart, the values and
//! the manifest of each revision of the workloads that a release owns. And the charts as a repository offers them.

mod archive;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::shape;
use super::template;
use crate::domain::observation::workload::Ownership;
use crate::rehearsal::scenario::{RevisionSpec, Scenario, WorkloadSpec};

/// The version of every chart.
const VERSION: &str = "1.0.0";

/// A chart as a repository offers it.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Its name: that of the release.
    pub name: String,
    /// When it was put there.
    pub created: Timestamp,
    /// The packed archive.
    pub archive: Bytes,
}

impl Chart {
    /// The name of its archive.
    pub fn file(&self) -> String {
        format!("{}-{VERSION}.tgz", self.name)
    }
}

/// The charts of all releases of a scenario, by name.
pub fn charts(scenario: &Scenario) -> Vec<Chart> {
    let owned = owned(scenario).into_iter();
    let each = owned.map(|((_, name), workloads)| {
        let metadata = json!({
            "apiVersion": "v2", "name": name, "version": VERSION, "appVersion": "1.0", "type": "application",
        });
        let mut files = vec![
            (format!("{name}/Chart.yaml"), yaml(&metadata)),
            (format!("{name}/values.yaml"), yaml(&values(&workloads, 0))),
        ];
        let templates = workloads.iter().map(|workload| (format!("{name}/{}", path(workload)), templated(workload)));
        files.extend(templates);
        let created = moment(scenario, &workloads, 0);
        Chart { name: name.to_owned(), created, archive: Bytes::from(archive::gzip(&archive::tar(&files))) }
    });
    let mut charts: Vec<Chart> = each.collect();
    // Releases of one name in two namespaces share a chart.
    charts.sort_by(|one, other| one.name.cmp(&other.name));
    charts.dedup_by(|one, other| one.name == other.name);
    charts
}

/// The index of a repository of charts.
pub fn index(charts: &[Chart]) -> String {
    let mut entries = json!({});
    for chart in charts {
        let digest = Sha256::digest(&chart.archive).iter().fold(String::new(), |mut text, byte| {
            // A String takes every write.
            let _ = write!(text, "{byte:02x}");
            text
        });
        entries[&chart.name] = json!([{
            "apiVersion": "v2", "name": chart.name, "version": VERSION, "appVersion": "1.0", "type": "application",
            "created": chart.created.to_string(), "digest": digest, "urls": [chart.file()],
        }]);
    }
    yaml(&json!({"apiVersion": "v1", "entries": entries}))
}

/// The workloads of each release, by its namespace and name.
fn owned(scenario: &Scenario) -> BTreeMap<(&str, &str), Vec<&WorkloadSpec>> {
    let mut owned: BTreeMap<(&str, &str), Vec<&WorkloadSpec>> = BTreeMap::new();
    for workload in &scenario.workloads {
        if let Ownership::Helm { release } = &workload.ownership {
            owned.entry((workload.namespace.as_str(), release)).or_default().push(workload);
        }
    }
    owned
}

/// The Secrets of all releases of a scenario, each with the time it was written.
pub(super) fn releases(scenario: &Scenario) -> Vec<(Timestamp, Value)> {
    let each = owned(scenario).into_iter();
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
        let packed = STANDARD.encode(archive::gzip(release.to_string().as_bytes()));
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
    let template =
        |workload: &&WorkloadSpec| json!({"name": path(workload), "data": STANDARD.encode(templated(workload))});
    let templates: Vec<Value> = workloads.iter().map(template).collect();
    json!({
        "metadata": {"name": name, "version": VERSION, "apiVersion": "v2", "type": "application", "appVersion": "1.0"},
        "lock": null, "templates": templates, "values": values(workloads, 0), "schema": null, "files": null,
    })
}

/// The template of a workload: its object, with what the values say in their place.
fn templated(workload: &WorkloadSpec) -> String {
    let mut object = bare(workload, 0);
    let at = |field: &str| json!(format!("{{{{ .Values.{}.{field} }}}}", key(workload)));
    if let Some(first) = object.pointer_mut("/spec/template/spec/containers/0") {
        first["image"] = at("image");
        if first.pointer("/resources/limits/memory").is_some() {
            shape::set(first, &["resources", "limits", "memory"], at("memoryLimit"));
        }
    }
    yaml(&object)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rehearsal::scenario::load;

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

    #[test]
    fn a_repository_offers_the_chart_of_each_release() {
        let scenario = load("oom-leak").unwrap();
        let none = charts(&scenario);
        assert!(none.is_empty() && index(&none).contains("entries: {}"), "{}", index(&none));
        let mut scenario = scenario;
        for workload in &mut scenario.workloads {
            workload.ownership = Ownership::Helm { release: "payments".to_owned() };
        }
        let charts = charts(&scenario);
        assert_eq!((charts.len(), charts[0].file().as_str()), (1, "payments-1.0.0.tgz"));
        assert!(index(&charts).contains("digest"), "{}", index(&charts));
    }
}
