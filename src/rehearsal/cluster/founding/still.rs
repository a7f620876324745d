//! Pods of a declared deployment that come from a file: they stay as they were exported, since nobody knows how they would
//! have lived on, until they are told to go.

use serde_json::{Value, json};

use crate::domain::observation::workload::WorkloadKind;
use crate::rehearsal::cluster::Cluster;
use crate::rehearsal::cluster::kind::row;
use crate::rehearsal::cluster::pod::Stay;
use crate::rehearsal::cluster::shape::{self, set};
use crate::rehearsal::scenario::{Scenario, WorkloadSpec};

/// The exported pods of a workload.
pub(super) fn of<'a>(scenario: &'a Scenario, spec: &WorkloadSpec) -> Vec<&'a Value> {
    let mine = |object: &&Value| owner(scenario, object).is_some_and(|owner| std::ptr::eq(owner, spec));
    scenario.cluster.objects.iter().filter(mine).collect()
}

/// Whether an object is a pod of a declared deployment.
pub(super) fn is_of_a_workload(scenario: &Scenario, object: &Value) -> bool {
    owner(scenario, object).is_some()
}

/// The deployment with the longest name that a pod's name begins with, as `kubectl` names them.
fn owner<'a>(scenario: &'a Scenario, object: &Value) -> Option<&'a WorkloadSpec> {
    if shape::text(object, "/kind") != Some("Pod") {
        return None;
    }
    let (namespace, name) = (shape::namespace(object), shape::name(object));
    let called = |spec: &&WorkloadSpec| {
        let rest = name.strip_prefix(spec.name.as_str());
        spec.kind == WorkloadKind::Deployment
            && spec.namespace.as_str() == namespace
            && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    scenario.workloads.iter().filter(called).max_by_key(|spec| spec.name.len())
}

impl Cluster {
    pub(super) fn found_still(&mut self, spec: &WorkloadSpec, owner: &Value, still: &[&Value]) {
        for exported in still {
            let template = &owner["spec"]["template"];
            let mut pod = (*exported).clone();
            let labels = template.pointer("/metadata/labels").cloned().unwrap_or_default();
            set(&mut pod, &["metadata", "labels"], labels);
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
}
