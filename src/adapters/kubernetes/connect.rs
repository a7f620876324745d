//! Opens a connection to a cluster from values: a kubeconfig, the pod we run in, or a rehearsal on loopback.
//! Reads no flag and no variable of ours; the library itself honours `KUBECONFIG` where no path is given.

use std::net::IpAddr;
use std::path::PathBuf;

use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::config::{AuthInfo, ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::call::{Client, Timeouts};
use super::fault::problem_of;
use super::{Problem, fault};
use crate::adapters::names::Names;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::sanitise;
use crate::domain::observation::scope::{AccountId, ClusterHome, ClusterName, KubeContext, Namespace, Region};

mod no_proxy;

/// Where the cluster is to be found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A kubeconfig.
    Kubeconfig {
        /// The file; `None` for `KUBECONFIG` (a list is merged) or `~/.kube/config`.
        path: Option<PathBuf>,
        /// The context; `None` for the current one.
        context: Option<KubeContext>,
        /// What the environment says beside it.
        around: Around,
    },
    /// The service account of the pod we run in.
    InCluster,
    /// A simulated API server. Anything but a loopback address is refused.
    Rehearsal {
        /// `http://127.0.0.1:PORT`.
        url: String,
        /// The simulated cluster's name.
        cluster: ClusterName,
        /// The simulated context.
        context: KubeContext,
        /// Asks for the server by a name that these alone answer, in place of its address.
        names: Option<(&'static str, Names)>,
    },
}

/// What the environment says of kubeconfigs and proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// The files of `KUBECONFIG`; those that are missing are passed over, as kubectl does.
    pub kubeconfigs: Vec<PathBuf>,
    /// `NO_PROXY`.
    pub no_proxy: String,
}

/// What we are connected to, for the header and every approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The cluster: the last part where the kubeconfig names an EKS ARN.
    pub cluster: ClusterName,
    /// Whose it is and where, as that ARN says.
    pub home: Option<ClusterHome>,
    /// The server's address.
    pub server: String,
    /// The context.
    pub context: KubeContext,
    /// The user entry of the kubeconfig, with whom it impersonates; not yet what the server takes us for.
    pub user: String,
    /// The namespace of the context.
    pub namespace: Namespace,
}

/// A client and what it is connected to.
pub struct Connection {
    /// The client.
    pub client: Client,
    /// What it is connected to.
    pub identity: Identity,
}

/// Prepares a connection. No request is sent yet, but a credential program of the kubeconfig is run, with pipes and
/// never with the terminal, so this may take seconds; the caller's runtime is not blocked by it.
pub async fn connect(source: Source, timeouts: Timeouts) -> Result<Connection, Fault> {
    let mut named = None;
    let (mut config, identity) = match source {
        Source::Kubeconfig { path, context, around } => from_kubeconfig(path, context, around).await?,
        Source::InCluster => in_cluster()?,
        Source::Rehearsal { url, cluster, context, names } => {
            let (mut config, identity) = rehearsal(&url, cluster, context)?;
            if let Some((host, names)) = names {
                config.cluster_url = by_name(&config.cluster_url, host)?;
                named = Some(names);
            }
            (config, identity)
        }
    };
    config.connect_timeout = Some(timeouts.connect);
    config.write_timeout = Some(timeouts.answer);
    // A watch is quiet for long: reads are bounded around each call instead.
    config.read_timeout = None;
    // Every wait of ours is on screen.
    config.default_retry = false;
    never_interactive(&mut config.auth_info);
    if let Some(names) = named {
        return Ok(Connection { client: Client { inner: client_by(names, &config), timeouts }, identity });
    }
    let building = tokio::task::spawn_blocking(move || kube::Client::try_from(config));
    let built = tokio::time::timeout(timeouts.answer, building).await.map_err(|_| {
        Fault::new(
            FaultKind::Timeout,
            format!("The credential program of the kubeconfig gave no answer in {} s.", timeouts.answer.as_secs()),
        )
        .hint("Log in beside, such as by `aws sso login`, and try again.")
    })?;
    let inner = built
        .map_err(|error| {
            Fault::new(FaultKind::Internal, "The Kubernetes client could not be built.").cause(error.to_string())
        })?
        .map_err(client_fault)?;
    Ok(Connection { client: Client { inner, timeouts }, identity })
}

async fn from_kubeconfig(
    path: Option<PathBuf>,
    context: Option<KubeContext>,
    Around { kubeconfigs, no_proxy }: Around,
) -> Result<(kube::Config, Identity), Fault> {
    let reading = tokio::task::spawn_blocking(move || match path {
        Some(path) => Kubeconfig::read_from(path),
        None => merged(&kubeconfigs),
    });
    let file = reading
        .await
        .map_err(|error| Fault::new(FaultKind::Internal, "The kubeconfig could not be read.").cause(error.to_string()))?
        .map_err(|error| kubeconfig_fault(&error, &[]))?;
    let names: Vec<String> = file.contexts.iter().map(|context| context.name.clone()).collect();
    let options =
        KubeConfigOptions { context: context.map(|context| context.as_str().to_owned()), cluster: None, user: None };
    let chosen = options.context.clone().or_else(|| file.current_context.clone()).unwrap_or_default();
    let entry = file.contexts.iter().find(|entry| entry.name == chosen).and_then(|entry| entry.context.clone());
    let asked_for = entry.as_ref().and_then(|entry| file.clusters.iter().find(|cluster| cluster.name == entry.cluster));
    let own_proxy = asked_for.and_then(|found| found.cluster.as_ref()?.proxy_url.clone()).filter(|url| !url.is_empty());
    let mut config =
        kube::Config::from_custom_kubeconfig(file, &options).await.map_err(|error| kubeconfig_fault(&error, &names))?;
    // The library holds NO_PROXY against the proxy; it is about the server.
    if own_proxy.is_none() && no_proxy::is_direct(&no_proxy, &config.cluster_url) {
        config.proxy_url = None;
    }
    let (cluster, user) = entry.map(|entry| (entry.cluster, entry.user.unwrap_or_default())).unwrap_or_default();
    let identity = Identity {
        cluster: short_cluster(&cluster),
        home: home_of(&cluster),
        server: config.cluster_url.to_string(),
        context: KubeContext::new(sanitise::line(&chosen)),
        user: match &config.auth_info.impersonate {
            Some(other) => sanitise::line(&format!("{user} as {other}")).into_owned(),
            None => sanitise::line(&user).into_owned(),
        },
        namespace: Namespace::new(config.default_namespace.clone()),
    };
    Ok((config, identity))
}

/// The kubeconfigs of a list that are there, as one; without any the usual one.
fn merged(paths: &[PathBuf]) -> Result<Kubeconfig, KubeconfigError> {
    let mut there = paths.iter().filter(|path| path.exists()).map(Kubeconfig::read_from);
    match there.next() {
        Some(first) => there.try_fold(first?, |all, next| all.merge(next?)),
        None => Kubeconfig::read(),
    }
}

fn in_cluster() -> Result<(kube::Config, Identity), Fault> {
    let config = kube::Config::incluster().map_err(|error| {
        Fault::new(FaultKind::Usage, "This is not a pod with a service account.")
            .cause(error.to_string())
            .hint("Outside a cluster give a kubeconfig by `--context`, or `KUBECONFIG`.")
    })?;
    let identity = Identity {
        cluster: ClusterName::new("in-cluster"),
        home: None,
        server: config.cluster_url.to_string(),
        context: KubeContext::new("in-cluster"),
        user: "service account of this pod".to_owned(),
        namespace: Namespace::new(config.default_namespace.clone()),
    };
    Ok((config, identity))
}

fn rehearsal(url: &str, cluster: ClusterName, context: KubeContext) -> Result<(kube::Config, Identity), Fault> {
    let uri: http::Uri = url.parse().map_err(|error: http::uri::InvalidUri| {
        Fault::new(FaultKind::Internal, "The rehearsal's Kubernetes address is not a URL.").cause(error.to_string())
    })?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    if !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) {
        return Err(Fault::new(FaultKind::Internal, "A rehearsal may only talk to this machine.")
            .cause(format!("The address given is {}.", sanitise::line(&host))));
    }
    let config = kube::Config::new(uri);
    let identity = Identity {
        cluster,
        home: None,
        server: config.cluster_url.to_string(),
        context,
        user: "rehearsal".to_owned(),
        namespace: Namespace::new(config.default_namespace.clone()),
    };
    Ok((config, identity))
}

fn by_name(address: &http::Uri, host: &str) -> Result<http::Uri, Fault> {
    let port = address.port_u16().unwrap_or(80);
    format!("http://{host}:{port}").parse().map_err(|error: http::uri::InvalidUri| {
        Fault::new(FaultKind::Internal, "The rehearsal's Kubernetes name is not a host.").cause(error.to_string())
    })
}

/// A client like the library's own, over a connector that asks these names. A rehearsal has no credentials and no TLS, so
/// nothing of the library's stack is missing but its resolver.
fn client_by(names: Names, config: &kube::Config) -> kube::Client {
    let mut connector = HttpConnector::new_with_resolver(names);
    connector.set_connect_timeout(config.connect_timeout);
    let transport = hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build::<_, Body>(connector);
    ClientBuilder::new(transport, config.default_namespace.clone()).with_layer(&config.base_uri_layer()).build()
}

/// A credential program gets pipes: the screen owns the terminal.
fn never_interactive(auth: &mut AuthInfo) {
    if let Some(exec) = &mut auth.exec {
        exec.interactive_mode = Some(ExecInteractiveMode::Never);
    }
}

/// `arn:aws:eks:us-east-1:123456789012:cluster/eks-prod` is `eks-prod` to people and to Container Insights.
fn short_cluster(entry: &str) -> ClusterName {
    let short = match entry.split_once(":cluster/") {
        Some((arn, name)) if arn.starts_with("arn:") => name,
        _ => entry,
    };
    ClusterName::new(sanitise::line(short))
}

/// The account and region of the ARN that `aws eks update-kubeconfig` names a cluster by.
fn home_of(entry: &str) -> Option<ClusterHome> {
    let mut parts = entry.strip_suffix(entry.split_once(":cluster/")?.1)?.split(':');
    let (Some("arn"), Some(_), Some("eks"), Some(region), Some(account)) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    is_account.then(|| ClusterHome { account: AccountId::new(account), region: Region::new(sanitise::line(region)) })
}

fn client_fault(error: kube::Error) -> Fault {
    let problem = problem_of(error);
    let summary = match &problem {
        Problem::CredentialProgram(_) => "The credential program of the kubeconfig failed.",
        _ => "The Kubernetes client could not be built from the kubeconfig.",
    };
    fault::unplaced(summary, problem)
}

fn kubeconfig_fault(error: &KubeconfigError, contexts: &[String]) -> Fault {
    let text = sanitise::line(&error.to_string()).into_owned();
    let (kind, summary) = match error {
        KubeconfigError::FindPath | KubeconfigError::ReadConfig(..) => {
            (FaultKind::NotConfigured, "There is no kubeconfig that can be read.")
        }
        KubeconfigError::CurrentContextNotSet | KubeconfigError::LoadContext(_) => {
            (FaultKind::Usage, "The kubeconfig has no such context.")
        }
        _ => (FaultKind::Usage, "The kubeconfig is not usable."),
    };
    let fault = Fault::new(kind, summary)
        .cause(text)
        .hint("`aws eks update-kubeconfig --name CLUSTER --region REGION` writes one for an EKS cluster.");
    if contexts.is_empty() {
        return fault;
    }
    let known: Vec<String> = contexts.iter().take(8).map(|name| sanitise::line(name).into_owned()).collect();
    fault.hint(format!("Contexts it has: {}.", known.join(", ")))
}

#[cfg(test)]
mod tests;
