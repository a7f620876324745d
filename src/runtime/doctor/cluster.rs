//! Kubernetes: who the server takes us for, and an access review for each verb. Reviews store nothing.

use super::Check;

use crate::adapters::kubernetes::connect::{Source, connect};

use crate::adapters::kubernetes::{Access, Client, Doing, Timeouts};
use crate::config::{ClusterSource, Config};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::scope::Namespace;

/// What reading an incident needs: group, resource, verb.
const READS: [(&str, &str, &str); 5] = [
    ("", "pods", "watch"),
    ("", "events", "list"),
    ("apps", "deployments", "watch"),
    ("apps", "replicasets", "list"),
    ("policy", "poddisruptionbudgets", "list"),
];

pub(super) async fn examine(config: &Config) -> Vec<Check> {
    let source = match &config.cluster.source {
        ClusterSource::Off { why } => return vec![Check::not_asked("cluster", why.clone())],
        ClusterSource::InCluster => Source::InCluster,
        ClusterSource::Kubeconfig { path, context } => {
            Source::Kubeconfig { path: path.clone(), context: context.clone() }
        }
    };
    let times = config.cluster.timeouts;
    let timeouts = Timeouts { connect: times.connect, answer: times.answer, ..Timeouts::default() };
    let connection = match connect(source, timeouts).await {
        Ok(connection) => connection,
        Err(fault) => return vec![Check::missing("cluster", fault)],
    };
    let identity = &connection.identity;
    let place = format!("{} by context {}", identity.cluster, identity.context);
    let who = match connection.client.whoami().await {
        Ok(who) => who,
        Err(error) => return vec![Check::missing("cluster", error.fault())],
    };
    let mut checks = vec![Check::fine("cluster", format!("{place}, as {who}"))];
    let namespaces = match config.cluster.namespaces.as_slice() {
        [] => std::slice::from_ref(&identity.namespace),
        named => named,
    };
    for namespace in namespaces {
        checks.extend(reviews(&connection.client, namespace).await);
    }
    checks
}

async fn reviews(client: &Client, namespace: &Namespace) -> Vec<Check> {
    let mut checks = Vec::new();
    for (group, resource, verb) in READS {
        checks.push(Check::of(format!("{verb} {resource}"), review(client, namespace, (group, resource, verb)).await));
    }
    let patch = review(client, namespace, ("apps", "deployments", "patch")).await;
    let named = "patch deployments";
    checks.push(match patch {
        // Reading needs no leave to write: without it rehearsals say "forbidden", and everything else works.
        Err(fault) if fault.kind == FaultKind::Denied => Check::not_asked(
            named,
            format!("not allowed in {namespace}: steps cannot be rehearsed, see `pagerdeck rbac`"),
        ),
        answer => Check::of(named, answer),
    });
    checks
}

async fn review(
    client: &Client,
    namespace: &Namespace,
    (group, resource, verb): (&'static str, &'static str, &'static str),
) -> Result<String, Fault> {
    let doing = Doing { verb, group, resource, namespace: Some(namespace.clone()), name: None };
    match client.may(&doing).await.map_err(|error| error.fault())? {
        Access::Allowed => Ok(format!("allowed in {namespace}")),
        Access::Denied { reason } => {
            let fault = Fault::new(FaultKind::Denied, format!("{verb} {resource} is not allowed in {namespace}."));
            let fault = if reason.is_empty() { fault } else { fault.cause(format!("{reason}.")) };
            Err(fault.hint("Bind the role that `pagerdeck rbac` prints."))
        }
    }
}
