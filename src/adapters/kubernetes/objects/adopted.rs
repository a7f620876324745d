//! Which workload a pod belongs to, and the workloads that an export leaves out: who exports pods rarely exports the
//! deployment beside them, and events outlive what they are about.

use k8s_openapi::api::core::v1 as core;

use super::super::map::{self, Owners};
use super::Objects;
use crate::domain::observation::cluster_sign::{is_here, tells_of_trouble};
use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::{ClusterEvent, Pod, Workload, WorkloadKind, WorkloadRef};

/// Gives each pod its workload: by owner reference, by selector, by name. One that was not exported with its pods is made up of
/// them. What is left over with a name in common makes a workload as well; what is left alone is one of its own.
pub(super) fn pods(pods: &[core::Pod], owners: &Owners, found: &mut Objects) {
    let (mut orphans, mut unclaimed) = (Vec::new(), Vec::new());
    for object in pods {
        let mut pod = map::pod(object, owners);
        let owner = pod.owner.take().or_else(|| selected(object, &found.workloads));
        pod.owner = owner.or_else(|| named((&pod.namespace, &pod.name), &found.workloads));
        match pod.owner.clone() {
            None => orphans.push((object, pod)),
            Some(owner) if is_known(&owner, found) => found.pods.push(pod),
            Some(owner) => unclaimed.push((object, pod, owner)),
        }
    }
    let kin = |pod: &Pod| {
        let stem = stem(&pod.name)?;
        let of_it = orphans.iter().filter(|(_, other)| other.namespace == pod.namespace);
        (of_it.filter(|(_, other)| self::stem(&other.name) == Some(stem)).count() > 1).then(|| stem.to_owned())
    };
    let names: Vec<String> = orphans.iter().map(|(_, pod)| kin(pod).unwrap_or_else(|| pod.name.clone())).collect();
    let made = orphans.into_iter().zip(names).map(|((object, pod), name)| {
        let owner = deployment(&pod.namespace, name);
        (object, pod, owner)
    });
    for (object, pod, owner) in unclaimed.into_iter().chain(made) {
        take_in(object, pod, owner, found);
    }
}

/// Adds a pod, and its share of the workload that is made up of it.
fn take_in(object: &core::Pod, mut pod: Pod, owner: WorkloadRef, found: &mut Objects) {
    let made = of_pod(object, &pod, owner);
    pod.owner = Some(made.target.clone());
    match found.workloads.iter_mut().find(|workload| workload.target == made.target) {
        Some(workload) => {
            workload.replicas += made.replicas;
            workload.updated += made.updated;
            workload.ready += made.ready;
            workload.available += made.available;
        }
        None => found.workloads.push(made),
    }
    found.pods.push(pod);
}

/// Makes up the workloads that only events tell of. How many pods they want is not known: none are.
pub(super) fn by_events(found: &mut Objects) {
    let told = |event: &&ClusterEvent| event.warning || tells_of_trouble(&event.reason);
    let events: Vec<ClusterEvent> = found.events.iter().filter(told).cloned().collect();
    for event in &events {
        let Some((kind, name)) = event.about.split_once('/') else { continue };
        let called = match kind {
            "Pod" => generated(name),
            "ReplicaSet" => name.rsplit_once('-').map(|(stem, _)| stem),
            "Deployment" => Some(name),
            _ => None,
        };
        let is_there = found.pods.iter().any(|pod| pod.namespace == event.namespace && pod.name == name)
            || found.workloads.iter().any(|one| one.target.namespace == event.namespace && one.target.name == name)
            || named((&event.namespace, name), &found.workloads).is_some();
        if let Some(called) = called.filter(|_| !is_there) {
            found.workloads.push(Workload::named(deployment(&event.namespace, called.to_owned())));
        }
    }
}

fn is_known(target: &WorkloadRef, found: &Objects) -> bool {
    found.workloads.iter().any(|workload| workload.target == *target)
}

fn deployment(namespace: &Namespace, name: String) -> WorkloadRef {
    WorkloadRef { kind: WorkloadKind::Deployment, namespace: namespace.clone(), name }
}

/// `cart-7d9f8c6b5-x2x4q` → `cart`: what a deployment calls its pods after.
fn stem(name: &str) -> Option<&str> {
    let (rest, _) = name.rsplit_once('-')?;
    rest.rsplit_once('-').map(|(stem, _)| stem)
}

/// The stem of a name that a deployment's pod may have: a template's hash and five letters of chance behind it.
fn generated(name: &str) -> Option<&str> {
    let (rest, chance) = name.rsplit_once('-')?;
    let (stem, hash) = rest.rsplit_once('-')?;
    let is_generated = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    (chance.len() == 5 && (4..=10).contains(&hash.len()) && is_generated(chance) && is_generated(hash)).then_some(stem)
}

/// The workload with the longest name that a pod's name begins with.
fn named((namespace, name): (&Namespace, &str), workloads: &[Workload]) -> Option<WorkloadRef> {
    let after = |workload: &&Workload| {
        workload.target.namespace == *namespace
            && name.strip_prefix(&workload.target.name).is_some_and(|rest| rest.starts_with('-'))
    };
    let found = workloads.iter().filter(after).max_by_key(|workload| workload.target.name.len());
    found.map(|workload| workload.target.clone())
}

/// The workload whose selector asks for a pod: exports often leave owner references out.
fn selected(object: &core::Pod, workloads: &[Workload]) -> Option<WorkloadRef> {
    let labels = object.metadata.labels.as_ref()?;
    let namespace = map::namespace_of(&object.metadata);
    let asks = |workload: &&Workload| {
        workload.target.namespace == namespace
            && !workload.selector.is_empty()
            && workload.selector.iter().all(|(key, value)| labels.get(key) == Some(value))
    };
    workloads.iter().find(asks).map(|workload| workload.target.clone())
}

/// A workload made up for a pod: one replica of it, or none for a pod on its way out.
fn of_pod(object: &core::Pod, pod: &Pod, target: WorkloadRef) -> Workload {
    let wanted = u32::from(is_here(pod));
    let ready =
        wanted * u32::from(!pod.containers.is_empty() && pod.containers.iter().all(|container| container.ready));
    let containers = object.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
    Workload {
        uid: object.metadata.uid.clone().unwrap_or_default(),
        replicas: wanted,
        ready,
        updated: wanted,
        available: ready,
        containers: containers.iter().map(map::container_spec).collect(),
        labels: object.metadata.labels.clone().unwrap_or_default(),
        created_at: pod.created_at,
        ..Workload::named(target)
    }
}
