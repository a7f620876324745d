//! Folds what the watch tells into the cluster view.

use std::collections::BTreeSet;

use crate::domain::observation::scope::Namespace;
use crate::domain::observation::workload::{ClusterChange, ClusterView, Listed, ListedKind, WorkloadKind};

/// Events kept; the oldest go first.
const MOST_EVENTS: usize = 500;

/// Folds one change.
pub fn fold(view: &mut ClusterView, change: &ClusterChange) {
    match change {
        ClusterChange::Listed { view: listed, whole } => merge_listing(view, listed, whole),
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

/// A listing speaks for what it holds whole alone: what is known of others stays.
fn merge_listing(view: &mut ClusterView, listed: &ClusterView, whole: &[Listed]) {
    let told = if whole.is_empty() { by_contents(listed) } else { whole.to_vec() };
    let is_whole = |kind: ListedKind, namespace: &Namespace| {
        told.iter().any(|listed| listed.kind == kind && listed.namespace == *namespace)
    };
    view.workloads.retain(|_, one| !is_whole(ListedKind::Workloads(one.target.kind), &one.target.namespace));
    view.pods.retain(|_, pod| !is_whole(ListedKind::Pods, &pod.namespace));
    view.workloads.extend(listed.workloads.clone());
    view.pods.extend(listed.pods.clone());
    view.revisions.extend(listed.revisions.clone());
    view.events.extend(listed.events.clone());
    view.whole = told;
    forget_oldest(view);
}

/// What a listing of an earlier journal holds whole: everything of the namespaces that anything in it is of.
fn by_contents(listed: &ClusterView) -> Vec<Listed> {
    const KINDS: [ListedKind; 4] = [
        ListedKind::Workloads(WorkloadKind::Deployment),
        ListedKind::Workloads(WorkloadKind::StatefulSet),
        ListedKind::Workloads(WorkloadKind::DaemonSet),
        ListedKind::Pods,
    ];
    let workloads = listed.workloads.values().map(|workload| &workload.target.namespace);
    let namespaces: BTreeSet<&Namespace> = workloads.chain(listed.pods.values().map(|pod| &pod.namespace)).collect();
    let each = |namespace: &Namespace| KINDS.map(|kind| Listed { kind, namespace: namespace.clone() });
    namespaces.into_iter().flat_map(each).collect()
}

fn forget_oldest(view: &mut ClusterView) {
    while view.events.len() > MOST_EVENTS {
        let oldest = view.events.iter().min_by_key(|(_, event)| event.last_at).map(|(key, _)| key.clone());
        let Some(oldest) = oldest else { return };
        view.events.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::diagnosis::rules::tests::fixture::workload;
    use crate::domain::observation::workload::Pod;

    fn view(pods: &[&str]) -> ClusterView {
        let pod = |name: &&str| {
            let (namespace, name) = name.split_once('/').unwrap();
            let (namespace, name) = (Namespace::new(namespace), name.to_owned());
            let phase = "Running".to_owned();
            let (owner, node, containers, created_at) = (None, None, Vec::new(), None);
            Pod { name, namespace, owner, phase, node, containers, created_at }
        };
        let pods = pods.iter().map(|name| ((*name).to_owned(), pod(name))).collect();
        let workload = workload(6);
        ClusterView { workloads: [(workload.target.key(), workload)].into(), pods, ..ClusterView::default() }
    }

    #[test]
    fn a_listing_takes_away_what_it_would_hold_and_nothing_else() {
        let listed = |whole: Vec<Listed>| ClusterChange::Listed { view: Box::default(), whole };
        let of = |kind| Listed { kind, namespace: "payments".into() };
        let left = |change: &ClusterChange| {
            let mut known = view(&["payments/a", "shop/b"]);
            fold(&mut known, change);
            (known.workloads.len(), known.pods.into_keys().collect::<Vec<_>>())
        };
        let both = || vec!["payments/a".to_owned(), "shop/b".to_owned()];
        assert_eq!(left(&listed(vec![of(ListedKind::Pods)])), (1, vec!["shop/b".to_owned()]), "it came back empty");
        assert_eq!(left(&listed(vec![of(ListedKind::Workloads(WorkloadKind::Deployment))])), (0, both()));
        assert_eq!(left(&listed(vec![of(ListedKind::Workloads(WorkloadKind::DaemonSet))])), (1, both()));
        assert_eq!(left(&listed(Vec::new())), (1, both()), "an earlier journal, which does not say");
        let mut known = ClusterView::default();
        fold(&mut known, &listed(vec![of(ListedKind::Pods)]));
        assert_eq!(known.whole, [of(ListedKind::Pods)], "none is there, and nothing is known of the rest");
        let earlier = ClusterChange::Listed { view: Box::new(view(&["payments/c"])), whole: Vec::new() };
        assert_eq!(left(&earlier), (1, vec!["payments/c".to_owned(), "shop/b".to_owned()]));
    }
}
