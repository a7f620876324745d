//! Pods of a declared workload that come from a file: they stay as they were exported, since nobody knows how they would
//! have lived on, until they are told to go.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::domain::observation::workload::WorkloadKind;
use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::history::HASH;
use crate::rehearsal::cluster::kind::row;
use crate::rehearsal::cluster::pod::Stay;
use crate::rehearsal::cluster::shape::{self, set};
use crate::rehearsal::cluster::stateful_set::hash_of;
use crate::rehearsal::scenario::{Scenario, WorkloadSpec};

/// The exported pods of a workload.
pub(super) fn of<'a>(scenario: &'a Scenario, spec: &WorkloadSpec) -> Vec<&'a Value> {
    let mine = |object: &&Value| owner(scenario, object).is_some_and(|owner| std::ptr::eq(owner, spec));
    scenario.cluster.objects.iter().filter(mine).collect()
}

/// Whether an object is a pod of a declared workload.
pub(super) fn is_of_a_workload(scenario: &Scenario, object: &Value) -> bool {
    owner(scenario, object).is_some()
}

/// The workload with the longest name that a pod's name begins with, as `kubectl` names them.
fn owner<'a>(scenario: &'a Scenario, object: &Value) -> Option<&'a WorkloadSpec> {
    if shape::text(object, "/kind") != Some("Pod") {
        return None;
    }
    let (namespace, name) = (shape::namespace(object), shape::name(object));
    let called = |spec: &&WorkloadSpec| {
        let rest = name.strip_prefix(spec.name.as_str());
        spec.namespace.as_str() == namespace && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    scenario.workloads.iter().filter(called).max_by_key(|spec| spec.name.len())
}

impl Cluster {
    pub(super) fn found_still(&mut self, spec: &WorkloadSpec, owner: &Value, still: &[&Value]) {
        let hash = match spec.kind {
            WorkloadKind::Deployment => None,
            WorkloadKind::StatefulSet | WorkloadKind::DaemonSet => Some(self.history_of(&Arc::new(owner.clone())).hash),
        };
        for exported in still {
            let template = &owner["spec"]["template"];
            let mut pod = (*exported).clone();
            let labels = template.pointer("/metadata/labels").cloned().unwrap_or_default();
            set(&mut pod, &["metadata", "labels"], labels);
            if let Some(hash) = &hash {
                set(&mut pod, &["metadata", "labels", HASH], json!(hash));
            }
            set(&mut pod, &["metadata", "ownerReferences"], shape::owned_by(owner));
            if shape::containers(&pod["spec"]).is_empty() {
                set(&mut pod, &["spec", "containers"], json!(shape::containers(&template["spec"])));
            }
            let stored = self.place(row("pods"), pod);
            let mut run = self.new_run(&stored, Some(super::place(spec)), self.now);
            run.stay = Stay::Still;
            self.runs.insert(shape::uid(&stored).to_owned(), run);
        }
        self.still.insert(shape::uid(owner).to_owned(), spec.replicas as usize);
    }
    /// Whether a stateful set or daemon set is left with the pods it was exported with: until its template is another.
    pub(in crate::rehearsal::cluster) fn stands_still(&mut self, owner: &Value, hash: &str) -> bool {
        let uid = shape::uid(owner);
        let Some(exported) = self.still.get(uid) else { return false };
        let wanted =
            shape::number(owner, "/spec/replicas").is_none_or(|wanted| usize::try_from(wanted) == Ok(*exported));
        let pods = self.owned("pods", shape::namespace(owner), uid);
        let same = wanted && pods.iter().all(|pod| hash_of(pod) == hash);
        if !same {
            self.still.remove(uid);
        }
        same
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::rehearsal::cluster::patch::PatchKind;
    use crate::rehearsal::cluster::write::Target;
    use crate::rehearsal::ledger::DryRun;
    use crate::rehearsal::scenario::{NodeSpec, load};

    fn exported(kind: WorkloadKind, ready: bool) -> Scenario {
        let mut scenario = load("oom-leak").unwrap();
        let spec = scenario.workloads.iter_mut().find(|spec| spec.name == "my-api").unwrap();
        (spec.kind, spec.replicas) = (kind, 2);
        let (template, names) = (scenario.nodes.first().cloned().unwrap(), ["node-a", "node-b"]);
        scenario.nodes = names.iter().map(|name| NodeSpec { name: (*name).to_owned(), ..template.clone() }).collect();
        let status = if ready { "True" } else { "False" };
        for (n, node) in names.into_iter().enumerate() {
            scenario.cluster.objects.push(json!({
                "apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("my-api-{n}"), "namespace": "payments"},
                "spec": {"nodeName": node},
                "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": status}], "containerStatuses": [
                    {"name": "app", "ready": ready, "restartCount": 6, "image": "", "imageID": "",
                     "state": {"running": {"startedAt": "2026-05-01T08:00:00Z"}}, "lastState": {}},
                ]},
            }));
        }
        scenario
    }

    fn restarts(cluster: &Cluster) -> Vec<i64> {
        let pods =
            cluster.store().list(row("pods"), Some("payments")).filter(|entry| entry.0.name.starts_with("my-api-"));
        pods.filter_map(|entry| shape::number(entry.1, "/status/containerStatuses/0/restartCount")).collect()
    }

    /// Restarts it after a while in which nothing happened; gives the restarts of its pods before and after.
    fn restarted(scenario: &Scenario, kind: WorkloadKind) -> (Vec<i64>, Vec<i64>) {
        let mut cluster = Cluster::new(scenario, 41);
        cluster.advance(scenario.start + SignedDuration::from_mins(20));
        let before = restarts(&cluster);
        let annotations = json!({"kubectl.kubernetes.io/restartedAt": "x"});
        let patch = json!({"spec": {"template": {"metadata": {"annotations": annotations}}}});
        let target = Target { kind: row(kind.plural()), namespace: "payments", name: "my-api", subresource: None };
        cluster.patch(target, (PatchKind::Strategic, &patch), DryRun::No.into()).unwrap();
        cluster.advance(cluster.now() + SignedDuration::from_mins(5));
        (before, restarts(&cluster))
    }

    #[test]
    fn pods_of_every_kind_stay_as_they_were_exported_until_a_rollout_replaces_them() {
        for kind in [WorkloadKind::Deployment, WorkloadKind::StatefulSet, WorkloadKind::DaemonSet] {
            let (before, after) = restarted(&exported(kind, true), kind);
            assert_eq!((before, after), (vec![6, 6], vec![0, 0]), "{kind:?}");
        }
    }

    /// "If you update a Pod template to a configuration that never becomes Running and Ready, `StatefulSet` will stop the
    /// rollout and wait" (`StatefulSet`, "Forced rollback"): so does one whose pods are not ready as it begins.
    #[test]
    fn a_stateful_set_whose_pods_are_not_ready_replaces_none() {
        let kind = WorkloadKind::StatefulSet;
        assert_eq!(restarted(&exported(kind, false), kind), (vec![6, 6], vec![6, 6]));
        let kind = WorkloadKind::DaemonSet;
        assert_eq!(restarted(&exported(kind, false), kind), (vec![6, 6], vec![0, 0]), "what is not up may go at once");
    }
}
