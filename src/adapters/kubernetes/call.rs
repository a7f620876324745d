//! The one door to the API server: every request of ours is built, bounded in time and classified here.
//! Nothing is retried: waits are arithmetic in the session, where a person can see them.

use std::fmt::Write as _;
use std::time::Duration;

use http::{Method, Request};
use k8s_openapi::{List, ListableResource};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::fault::{Doing, KubeError, Problem, problem_of};
use crate::domain::observation::scope::Namespace;

/// How long we wait, by the kind of waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// From nothing to a connection, TLS included.
    pub connect: Duration,
    /// From sending a request to the end of its answer.
    pub answer: Duration,
    /// The life we ask the server to give one watch. A quiet watch ends by itself after it and is opened again.
    pub watch: Duration,
    /// Silence on a watch beyond its life before the connection counts as dead.
    pub watch_grace: Duration,
}

impl Default for Timeouts {
    /// Short enough that a dead connection shows within about a minute, long enough for a slow bastion.
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(15),
            watch: Duration::from_mins(1),
            watch_grace: Duration::from_secs(10),
        }
    }
}

/// A connection to one cluster. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    pub(super) inner: kube::Client,
    pub(super) timeouts: Timeouts,
}

/// One API collection: where it lives and how it is called in RBAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Resource {
    /// `/api/v1` or `/apis/GROUP/VERSION`.
    pub(super) root: &'static str,
    /// The group, empty for core.
    pub(super) group: &'static str,
    /// Plural.
    pub(super) plural: &'static str,
}

impl Resource {
    pub(super) const PODS: Self = Self::core("pods");
    pub(super) const EVENTS: Self = Self::core("events");
    pub(super) const SECRETS: Self = Self::core("secrets");
    pub(super) const CONFIG_MAPS: Self = Self::core("configmaps");
    pub(super) const NODES: Self = Self::core("nodes");
    pub(super) const QUOTAS: Self = Self::core("resourcequotas");
    pub(super) const LIMIT_RANGES: Self = Self::core("limitranges");
    pub(super) const DEPLOYMENTS: Self = Self::apps("deployments");
    pub(super) const STATEFUL_SETS: Self = Self::apps("statefulsets");
    pub(super) const DAEMON_SETS: Self = Self::apps("daemonsets");
    pub(super) const REPLICA_SETS: Self = Self::apps("replicasets");
    pub(super) const CONTROLLER_REVISIONS: Self = Self::apps("controllerrevisions");
    pub(super) const SERVICE_ACCOUNTS: Self = Self::core("serviceaccounts");
    pub(super) const CLAIMS: Self = Self::core("persistentvolumeclaims");
    pub(super) const APPLICATIONS: Self =
        Self { root: "/apis/argoproj.io/v1alpha1", group: "argoproj.io", plural: "applications" };
    pub(super) const KUSTOMIZATIONS: Self = Self {
        root: "/apis/kustomize.toolkit.fluxcd.io/v1",
        group: "kustomize.toolkit.fluxcd.io",
        plural: "kustomizations",
    };
    pub(super) const HELM_RELEASES: Self =
        Self { root: "/apis/helm.toolkit.fluxcd.io/v2", group: "helm.toolkit.fluxcd.io", plural: "helmreleases" };
    pub(super) const BUDGETS: Self = Self { root: "/apis/policy/v1", group: "policy", plural: "poddisruptionbudgets" };
    pub(super) const AUTOSCALERS: Self =
        Self { root: "/apis/autoscaling/v2", group: "autoscaling", plural: "horizontalpodautoscalers" };

    const fn core(plural: &'static str) -> Self {
        Self { root: "/api/v1", group: "", plural }
    }

    const fn apps(plural: &'static str) -> Self {
        Self { root: "/apis/apps/v1", group: "apps", plural }
    }

    /// The path of the collection, in a namespace or in all.
    pub(super) fn path(self, namespace: Option<&Namespace>) -> String {
        match namespace {
            Some(namespace) => format!("{}/namespaces/{namespace}/{}", self.root, self.plural),
            None => format!("{}/{}", self.root, self.plural),
        }
    }

    /// The words for an error.
    pub(super) fn doing(self, verb: &'static str, namespace: Option<&Namespace>, name: Option<&str>) -> Doing {
        Doing {
            verb,
            group: self.group,
            resource: self.plural,
            namespace: namespace.cloned(),
            name: name.map(str::to_owned),
        }
    }
}

/// How many objects a page of a listing holds.
const PAGE: u32 = 500;

/// How many pages we follow before we call a listing endless.
const MOST_PAGES: u32 = 200;

/// A whole collection and the version it was read at.
pub(super) struct Listing<K> {
    pub(super) items: Vec<K>,
    pub(super) version: String,
}

impl Client {
    /// Lists a collection to its end, following `continue`.
    pub(super) async fn list<K>(
        &self,
        resource: Resource,
        namespace: Option<&Namespace>,
        query: &[(&str, &str)],
    ) -> Result<Listing<K>, KubeError>
    where
        K: ListableResource + DeserializeOwned,
    {
        let doing = resource.doing("list", namespace, None);
        if let Some(namespace) = namespace {
            check_name(namespace.as_str(), &doing)?;
        }
        let mut items = Vec::new();
        let mut next = String::new();
        let limit = PAGE.to_string();
        for _ in 0..MOST_PAGES {
            let mut pairs = query.to_vec();
            pairs.push(("limit", &limit));
            if !next.is_empty() {
                pairs.push(("continue", &next));
            }
            let path = with_query(&resource.path(namespace), &pairs);
            let page: List<K> = self.get_json(&path, &doing).await?;
            items.extend(page.items);
            match page.metadata.continue_.filter(|token| !token.is_empty()) {
                Some(token) => next = token,
                None => return Ok(Listing { items, version: page.metadata.resource_version.unwrap_or_default() }),
            }
        }
        Err(KubeError::new(&doing, Problem::Malformed("the listing never ends".to_owned())))
    }

    /// Reads one object.
    pub(super) async fn get<K: DeserializeOwned>(
        &self,
        resource: Resource,
        namespace: &Namespace,
        name: &str,
    ) -> Result<K, KubeError> {
        let doing = resource.doing("get", Some(namespace), Some(name));
        check_name(namespace.as_str(), &doing)?;
        check_name(name, &doing)?;
        let path = format!("{}/{name}", resource.path(Some(namespace)));
        self.get_json(&path, &doing).await
    }

    pub(super) async fn get_json<T: DeserializeOwned>(&self, path: &str, doing: &Doing) -> Result<T, KubeError> {
        let request = build(Method::GET, path, None, Vec::new(), doing)?;
        self.json(request, doing).await
    }

    /// Creates a virtual object (a review) and reads the answer.
    pub(super) async fn post_json<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
        doing: &Doing,
    ) -> Result<T, KubeError> {
        let body =
            serde_json::to_vec(body).map_err(|error| KubeError::new(doing, Problem::Unbuildable(error.to_string())))?;
        let request = build(Method::POST, path, Some("application/json"), body, doing)?;
        self.json(request, doing).await
    }

    /// Sends a request as built and reads a JSON answer, within the time for an answer.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        request: Request<Vec<u8>>,
        doing: &Doing,
    ) -> Result<T, KubeError> {
        let fail = |problem| KubeError::new(doing, problem);
        let limit = self.timeouts.answer;
        let text = tokio::time::timeout(limit, self.inner.request_text(request))
            .await
            .map_err(|_| fail(Problem::TimedOut(limit)))?
            .map_err(|error| fail(problem_of(error)))?;
        serde_json::from_str(&text).map_err(|error| fail(Problem::Malformed(error.to_string())))
    }
}

/// Builds a request.
pub(super) fn build(
    method: Method,
    path: &str,
    content_type: Option<&str>,
    body: Vec<u8>,
    doing: &Doing,
) -> Result<Request<Vec<u8>>, KubeError> {
    let mut request = Request::builder().method(method).uri(path).header("Accept", "application/json");
    if let Some(content_type) = content_type {
        request = request.header("Content-Type", content_type);
    }
    request.body(body).map_err(|error| KubeError::new(doing, Problem::Unbuildable(error.to_string())))
}

/// A name becomes part of a path: only what the API itself accepts as a name (RFC 1123 subdomain) may.
pub(super) fn check_name(name: &str, doing: &Doing) -> Result<(), KubeError> {
    let fine = !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.')
        && !name.contains("..");
    if fine {
        Ok(())
    } else {
        let problem = Problem::Unbuildable("the name is not one that Kubernetes allows".to_owned());
        Err(KubeError::new(doing, problem))
    }
}

/// Appends a query, percent-encoded.
pub(super) fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut text = path.to_owned();
    for (position, (key, value)) in pairs.iter().enumerate() {
        text.push(if position == 0 { '?' } else { '&' });
        text.push_str(key);
        text.push('=');
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}
