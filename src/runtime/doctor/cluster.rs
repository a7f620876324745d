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
const READS: [Right; 9] = [
    ("", "pods", "watch"),
    ("", "events", "list"),
    ("apps", "deployments", "watch"),
    ("apps", "replicasets", "list"),
    ("apps", "controllerrevisions", "list"),
    ("policy", "poddisruptionbudgets", "list"),
    ("autoscaling", "horizontalpodautoscalers", "list"),
    ("", "resourcequotas", "list"),
    ("", "limitranges", "list"),
];

/// What the checks before a step read of the cluster at large, where it may.
const OF_NODES: [Right; 2] = [("", "nodes", "list"), ("", "pods", "list")];

/// API group, resource, verb.
type Right = (&'static str, &'static str, &'static str);

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
    checks.extend(of_nodes(&connection.client).await);
    checks
}

/// The room on nodes is known by what all pods ask for. A role of one namespace does not give that, and nothing else needs it.
async fn of_nodes(client: &Client) -> Vec<Check> {
    let mut checks = Vec::new();
    for right in OF_NODES {
        let (_, resource, verb) = right;
        let named = format!("{verb} all {resource}");
        checks.push(match review(client, None, right).await {
            Err(fault) if fault.kind == FaultKind::Denied => Check::not_asked(
                named,
                "not allowed in the whole cluster: node headroom cannot be checked, see pagerdeck-nodes in `pagerdeck rbac`",
            ),
            answer => Check::of(named, answer),
        });
    }
    checks
}

async fn reviews(client: &Client, namespace: &Namespace) -> Vec<Check> {
    let mut checks = Vec::new();
    for (group, resource, verb) in READS {
        checks.push(Check::of(
            format!("{verb} {resource}"),
            review(client, Some(namespace), (group, resource, verb)).await,
        ));
    }
    let patch = review(client, Some(namespace), ("apps", "deployments", "patch")).await;
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
    namespace: Option<&Namespace>,
    (group, resource, verb): Right,
) -> Result<String, Fault> {
    let doing = Doing { verb, group, resource, namespace: namespace.cloned(), name: None };
    let place = namespace.map_or_else(|| "the whole cluster".to_owned(), ToString::to_string);
    match client.may(&doing).await.map_err(|error| error.fault())? {
        Access::Allowed => Ok(format!("allowed in {place}")),
        Access::Denied { reason } => {
            let fault = Fault::new(FaultKind::Denied, format!("{verb} {resource} is not allowed in {place}."));
            let fault = if reason.is_empty() { fault } else { fault.cause(format!("{reason}.")) };
            Err(fault.hint("Bind the role that `pagerdeck rbac` prints."))
        }
    }
}
