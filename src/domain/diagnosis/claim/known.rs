//! The names that exist, and those a text speaks of that do not.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use crate::domain::observation::service::Service;
use crate::domain::observation::workload::{ClusterView, WorkloadRef};

/// What exists: workloads, and the names of workloads, pods, containers, replica sets, nodes and services.
#[derive(Clone, Debug, Default)]
pub struct Known {
    workloads: BTreeSet<WorkloadRef>,
    names: BTreeSet<String>,
    links: BTreeSet<String>,
}

impl Known {
    /// Everything a cluster view and the services name.
    pub fn of<'a>(view: &ClusterView, services: impl IntoIterator<Item = &'a Service>) -> Self {
        let mut known = Self::default();
        for workload in view.workloads.values() {
            known.add(&workload.target);
            known.names.extend(workload.containers.iter().map(|container| container.name.clone()));
        }
        for pod in view.pods.values() {
            known.names.insert(pod.name.clone());
            known.names.extend(pod.node.clone());
            known.names.extend(pod.containers.iter().map(|container| container.name.clone()));
            pod.owner.iter().for_each(|owner| known.add(owner));
        }
        known.names.extend(view.revisions.values().flatten().map(|revision| revision.replica_set.clone()));
        for service in services {
            known.names.insert(service.name.to_string());
            known.links.extend(service.links.iter().cloned());
            service.workload.iter().for_each(|workload| known.add(workload));
        }
        known
    }

    /// Adds a workload.
    pub fn add(&mut self, workload: &WorkloadRef) {
        self.names.insert(workload.name.clone());
        self.names.insert(workload.namespace.to_string());
        self.workloads.insert(workload.clone());
    }

    /// Whether something of this name exists.
    pub(super) fn names(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether a link is one of the services', or leads on from one.
    pub(super) fn links_to(&self, url: &str) -> bool {
        self.links.iter().any(|link| url.starts_with(link.as_str()))
    }

    /// Whether a workload exists.
    pub fn has(&self, workload: &WorkloadRef) -> bool {
        self.workloads.contains(workload)
    }

    /// Whether a bare word with a hyphen may be meant for a name: it has a digit, or begins like one. `container
    /// out-of-memory kills` and `pod re-scheduling` are English.
    fn may_be_a_name(&self, word: &str) -> bool {
        let first = |name: &str| name.split('-').next().map(str::to_owned);
        word.contains(|c: char| c.is_ascii_digit()) || self.names.iter().any(|name| first(name) == first(word))
    }

    /// Names that a text uses as those of workloads, pods, containers or services, and that do not exist.
    pub(super) fn strangers(&self, text: &str) -> Vec<String> {
        let mut strangers: Vec<String> = NAMED
            .captures_iter(text)
            .filter_map(|found| {
                let marked = found.name("slash").or_else(|| found.name("quoted")).or_else(|| found.name("before"));
                marked.or_else(|| found.name("plain").filter(|name| self.may_be_a_name(name.as_str())))
            })
            .map(|name| name.as_str().trim_end_matches('-').to_owned())
            .filter(|name| !self.names.contains(name))
            .collect();
        strangers.dedup();
        strangers
    }
}

/// `deployment/NAME`; a kind before a quoted name, or before a bare one with a hyphen; a quoted name before a kind.
#[expect(clippy::expect_used, reason = "a constant expression, built in every test")]
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    const KIND: &str = r"(?:deployments?|deploy|statefulsets?|daemonsets?|pods?|containers?|workloads?|services?)";
    const NAME: &str = r"[a-z0-9][a-z0-9.-]*[a-z0-9]";
    Regex::new(&format!(
        "\\b(?i:{KIND})(?:/(?P<slash>{NAME})|\\s+[`'\"*]+(?P<quoted>{NAME})[`'\"*]|\\s+(?P<plain>[a-z0-9]+-{NAME}))|`(?P<before>{NAME})`\\s+(?i:{KIND})\\b"
    ))
    .expect("the expression is constant")
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_are_named() {
        let mut known = Known::default();
        known.add(&crate::domain::diagnosis::rules::tests::fixture::target());
        for (text, expected) in [
            ("deployment/payments-cache leaks", vec!["payments-cache"]),
            ("the deployment `payments-cache` leaks", vec!["payments-cache"]),
            ("restart deployment payments-cache now", vec!["payments-cache"]),
            ("the `payments-cache` deployment leaks", vec!["payments-cache"]),
            ("deployment/my-api in payments; the deployment is fine", vec![]),
            ("pods are killed one after another", vec![]),
            ("14 container out-of-memory kills; each container start-up and pod re-scheduling", vec![]),
            ("the pod my-api-7d9f-x2 restarts", vec!["my-api-7d9f-x2"]),
        ] {
            assert_eq!(known.strangers(text), expected, "{text}");
        }
    }
}
