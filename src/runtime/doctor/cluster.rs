//! Kubernetes: who the server takes us for, and an access review for each verb. Reviews store nothing.

use super::Check;
use crate::adapters::kubernetes::connect::connect;
use crate::adapters::kubernetes::{Access, Client, Doing};
use crate::config::Config;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::scope::Namespace;
use crate::runtime::access;
use crate::runtime::outside::ClusterAccess;

/// What reading an incident needs: group, resource, verb.
const READS: [(&str, &str, &str); 5] = [
    ("", "pods", "watch"),
    ("", "events", "list"),
    ("apps", "deployments", "watch"),
    ("apps", "replicasets", "list"),
    ("policy", "poddisruptionbudgets", "list"),
];

pub(super) async fn examine(config: &Config) -> Vec<Check> {
    let source = match access::cluster(config) {
        ClusterAccess::Off { why } => return vec![Check::not_asked("cluster", why)],
        ClusterAccess::By(source) => source,
    };
    let connection = match connect(source, access::cluster_times(config)).await {
        Ok(connection) => connection,
        Err(fault) => return vec![Check::missing("cluster", fault)],
    };
    let identity = &connection.identity;
    let home = identity.home.as_ref().map_or_else(
        || "its account is unverified: the kubeconfig names no EKS cluster by its ARN".to_owned(),
        |home| format!("of account {} {}", home.account, home.region),
    );
    let place = format!("{} by context {} ({home})", identity.cluster, identity.context);
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
