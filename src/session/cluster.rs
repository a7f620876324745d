//! Folds what the watch tells into the cluster view.

use crate::domain::observation::workload::{ClusterChange, ClusterView};

/// Events kept; the oldest go first.
const MOST_EVENTS: usize = 500;

/// Folds one change.
pub fn fold(view: &mut ClusterView, change: &ClusterChange) {
    match change {
        ClusterChange::Listed { view: listed } => merge_listing(view, listed),
        ClusterChange::Workload { workload } => {
            view.workloads.insert(workload.target.key(), (**workload).clone());
        }
        ClusterChange::WorkloadGone { target } => {
            view.workloads.remove(&target.key());
            view.revisions.remove(&target.key());
        }
        ClusterChange::Pod { pod } => {
            view.pods.insert(format!("{}/{}", pod.namespace, pod.name), (**pod).clone());
        }
        ClusterChange::PodGone { namespace, name } => {
            view.pods.remove(&format!("{namespace}/{name}"));
        }
        ClusterChange::Revisions { target, revisions } => {
            view.revisions.insert(target.key(), revisions.clone());
        }
        ClusterChange::Event { event } => {
            view.events.insert(format!("{}/{}", event.namespace, event.name), (**event).clone());
            forget_oldest(view);
        }
    }
}

fn merge_listing(view: &mut ClusterView, listed: &ClusterView) {
    // A listing speaks for its namespaces alone: what is known of others stays.
    let namespaces: std::collections::BTreeSet<&str> = listed
        .workloads
        .values()
        .map(|workload| workload.target.namespace.as_str())
        .chain(listed.pods.values().map(|pod| pod.namespace.as_str()))
        .collect();
    view.workloads.retain(|_, workload| !namespaces.contains(workload.target.namespace.as_str()));
    view.pods.retain(|_, pod| !namespaces.contains(pod.namespace.as_str()));
    view.workloads.extend(listed.workloads.clone());
    view.pods.extend(listed.pods.clone());
    view.revisions.extend(listed.revisions.clone());
    view.events.extend(listed.events.clone());
    forget_oldest(view);
}

fn forget_oldest(view: &mut ClusterView) {
    while view.events.len() > MOST_EVENTS {
        let oldest = view.events.iter().min_by_key(|(_, event)| event.last_at).map(|(key, _)| key.clone());
        let Some(oldest) = oldest else { return };
        view.events.remove(&oldest);
    }
}
