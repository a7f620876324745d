//! Rollouts out of what controllers keep of them: a deployment's replica sets, and the controller revisions of stateful sets
//! and daemon sets, whose data is the patch that brings a template back.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::{ControllerRevision, ReplicaSet};
use k8s_openapi::api::core::v1 as core;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use super::super::changes;
use super::{at, controller_of, count, namespace_of, replica_set_owner, revision_of, safe};
use crate::domain::observation::change::FieldChange;
use crate::domain::observation::workload::{Revision, WorkloadKind, WorkloadRef};

/// The annotation that keeps the numbers a replica set had before, oldest first.
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";

/// A revision, from a replica set that a deployment controls.
pub fn revision(set: &ReplicaSet) -> Option<(WorkloadRef, Revision)> {
    let owner = replica_set_owner(set)?;
    let spec = set.spec.as_ref();
    let pod = spec.and_then(|spec| spec.template.as_ref()).and_then(|template| template.spec.as_ref());
    let replicas = count(spec.and_then(|spec| spec.replicas).unwrap_or_default());
    let kept = made(&set.metadata, revision_of(&set.metadata)?, pod);
    Some((owner, Revision { replicas: Some(replicas), earlier: earlier_revisions(&set.metadata), ..kept }))
}

/// The revisions of replica sets, ascending, each with what it changed against the one before of the same deployment.
pub(in super::super) fn revisions(sets: &[ReplicaSet]) -> Vec<(WorkloadRef, Revision)> {
    let read = sets.iter().filter_map(|set| revision(set).map(|(owner, revision)| (owner, revision, set)));
    compared(read.collect(), changes::of_templates)
}

/// The revisions that stateful sets and daemon sets control, in the same way. A rollback gives an old one a new number, and
/// nothing keeps the one it had.
pub(in super::super) fn controlled(objects: &[ControllerRevision]) -> Vec<(WorkloadRef, Revision)> {
    let read = objects.iter().filter_map(|object| {
        let spec = object.data.as_ref()?.0.pointer("/spec/template/spec")?;
        let pod: core::PodSpec = serde_json::from_value(spec.clone()).ok()?;
        Some((owner(&object.metadata)?, made(&object.metadata, object.revision, Some(&pod)), spec))
    });
    compared(read.collect(), |before: &Value, after: &Value| changes::of_pod_specs(before, after))
}

fn owner(meta: &ObjectMeta) -> Option<WorkloadRef> {
    let controller = controller_of(meta)?;
    let kind = match controller.kind.as_str() {
        "StatefulSet" => WorkloadKind::StatefulSet,
        "DaemonSet" => WorkloadKind::DaemonSet,
        _ => return None,
    };
    Some(WorkloadRef { kind, namespace: namespace_of(meta), name: controller.name.clone() })
}

fn made(meta: &ObjectMeta, number: i64, pod: Option<&core::PodSpec>) -> Revision {
    let containers = pod.map(|pod| pod.containers.as_slice()).unwrap_or_default();
    let image = |container: &core::Container| container.image.as_deref().map(safe).unwrap_or_default();
    Revision {
        number,
        created_at: at(meta.creation_timestamp.as_ref()),
        images: containers
            .iter()
            .map(|container| (container.name.clone(), image(container)))
            .collect::<BTreeMap<_, _>>(),
        replicas: None,
        replica_set: meta.name.clone().unwrap_or_default(),
        changed: Vec::new(),
        earlier: Vec::new(),
    }
}

/// Revisions in order, each with what changed against the one before of the same workload.
fn compared<T>(
    mut found: Vec<(WorkloadRef, Revision, &T)>,
    changed: impl Fn(&T, &T) -> Vec<FieldChange>,
) -> Vec<(WorkloadRef, Revision)> {
    found.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.number.cmp(&b.1.number)));
    for nth in 1..found.len() {
        let (before, after) = (&found[nth - 1], &found[nth]);
        if before.0 == after.0 {
            found[nth].1.changed = changed(before.2, after.2);
        }
    }
    found.into_iter().map(|(owner, revision, _)| (owner, revision)).collect()
}

/// The numbers that a rollback took from a replica set: `38,40`.
fn earlier_revisions(meta: &ObjectMeta) -> Vec<i64> {
    let noted = meta.annotations.as_ref().and_then(|notes| notes.get(REVISION_HISTORY));
    noted.into_iter().flat_map(|numbers| numbers.split(',')).filter_map(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn kept(kind: &str, owner: &str, number: i64, image: &str) -> ControllerRevision {
        serde_json::from_value(json!({
            "metadata": { "name": format!("{owner}-{image}"), "namespace": "payments", "creationTimestamp": "2026-05-01T09:02:00Z",
                "ownerReferences": [{ "apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": "u", "controller": true }] },
            "data": { "spec": { "template": { "$patch": "replace", "spec": {
                "containers": [{ "name": "app", "image": image }] } } } },
            "revision": number,
        }))
        .unwrap()
    }

    #[test]
    fn controller_revisions_are_rollouts_of_their_own_workload() {
        let found = controlled(&[
            kept("StatefulSet", "store", 2, "store:2"),
            kept("StatefulSet", "store", 1, "store:1"),
            kept("DaemonSet", "store", 7, "agent:7"),
            kept("Rollout", "other", 3, "other:3"),
        ]);
        let told: Vec<(String, i64, Vec<String>)> = found
            .iter()
            .map(|(owner, kept)| (owner.key(), kept.number, kept.changed.iter().map(FieldChange::words).collect()))
            .collect();
        let changed = "containers.app.image: store:1 -> store:2".to_owned();
        assert_eq!(
            told,
            [
                ("statefulset/payments/store".to_owned(), 1, Vec::new()),
                ("statefulset/payments/store".to_owned(), 2, vec![changed]),
                ("daemonset/payments/store".to_owned(), 7, Vec::new()),
            ]
        );
        let newest = &found[1].1;
        assert_eq!((newest.images["app"].as_str(), newest.replicas), ("store:2", None));
        assert_eq!(newest.created_at, "2026-05-01T09:02:00Z".parse().ok());
    }
}
