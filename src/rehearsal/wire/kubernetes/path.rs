//! Paths of the API, read against the table of resources.

use crate::rehearsal::cluster::access::{Access, Attempt};
use crate::rehearsal::cluster::failure::Failure;
use crate::rehearsal::cluster::kind::{self, Kind, Reach, Subresource};
use crate::rehearsal::cluster::write::Target;

/// What a path leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// A page that says what is served.
    Discovery(Page),
    /// A review.
    Review(Review),
    /// Objects, or one of them.
    Objects(Objects),
    /// Nothing.
    Unknown,
}

/// A page of discovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// `/version`.
    Version,
    /// `/healthz` and its kin.
    Health,
    /// `/api`.
    Core,
    /// `/apis`.
    Groups,
    /// `/apis/apps`.
    Group(String),
    /// `/api/v1`, `/apis/apps/v1`.
    Resources(String, String),
    /// `/openapi/v2`.
    OpenApiV2,
    /// `/openapi/v3`.
    OpenApi,
    /// `/openapi/v3/apis/apps/v1`.
    OpenApiOf(String),
}

/// A review of the caller's own rights, or of who the caller is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Review {
    /// `SelfSubjectAccessReview`.
    Access,
    /// `SelfSubjectRulesReview`.
    Rules,
    /// `SelfSubjectReview`.
    Identity,
}

impl Review {
    /// Every review, with its group and version, its plural and its kind.
    pub(super) const ALL: [(Self, (&'static str, &'static str), &'static str, &'static str); 3] = [
        (Self::Identity, ("authentication.k8s.io", "v1"), "selfsubjectreviews", "SelfSubjectReview"),
        (Self::Access, ("authorization.k8s.io", "v1"), "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
        (Self::Rules, ("authorization.k8s.io", "v1"), "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    ];

    /// The plural and the kind.
    pub(super) fn words(self) -> (&'static str, &'static str) {
        let found = Self::ALL.iter().find(|row| row.0 == self);
        found.map_or(("", ""), |row| (row.2, row.3))
    }

    fn find(group: &str, version: &str, plural: &str) -> Option<Self> {
        Self::ALL.iter().find(|row| row.1 == (group, version) && row.2 == plural).map(|row| row.0)
    }
}

/// Objects of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Objects {
    /// The resource.
    pub(super) kind: &'static Kind,
    /// The namespace; empty for all, or in the cluster at large.
    pub(super) namespace: String,
    /// The name; empty for all.
    pub(super) name: String,
    /// The subresource.
    pub(super) subresource: Option<Subresource>,
}

impl Route {
    /// What the ledger calls it: `deployments`, `deployments/scale`, `discovery`.
    pub(super) fn word(&self) -> String {
        match self {
            Self::Discovery(_) => "discovery".to_owned(),
            Self::Review(review) => review.words().0.to_owned(),
            Self::Objects(Objects { kind, subresource: Some(sub), .. }) => format!("{}/{}", kind.plural, sub.word()),
            Self::Objects(objects) => objects.kind.plural.to_owned(),
            Self::Unknown => "unknown".to_owned(),
        }
    }
}

impl Objects {
    /// As the target of a write or a read.
    pub(super) fn target(&self) -> Target<'_> {
        Target { kind: self.kind, namespace: &self.namespace, name: &self.name, subresource: self.subresource }
    }

    fn attempt<'a>(&'a self, verb: &'a str) -> Attempt<'a> {
        let subresource = self.subresource.map_or("", Subresource::word);
        // A namespace itself is asked about inside itself, as the API server does it.
        let namespace = if self.kind.plural == "namespaces" { &self.name } else { &self.namespace };
        Attempt { verb, group: self.kind.group, resource: self.kind.plural, subresource, namespace, name: &self.name }
    }

    /// The 403 for a verb.
    pub(super) fn refusal(&self, access: &Access, verb: &str) -> Failure {
        Failure::forbidden(self.kind, &self.name, &access.refusal(self.attempt(verb)))
    }

    /// Refuses what the rules do not allow.
    pub(super) fn authorise(&self, access: &Access, verb: &str) -> Result<(), Failure> {
        if access.allows(self.attempt(verb)) { Ok(()) } else { Err(self.refusal(access, verb)) }
    }

    /// Whether all namespaces are meant.
    pub(super) fn space(&self) -> Option<&str> {
        (self.kind.reach == Reach::Namespaced && !self.namespace.is_empty()).then_some(self.namespace.as_str())
    }
}

/// Reads a path.
pub(super) fn parse(path: &str) -> Route {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["version"] => Route::Discovery(Page::Version),
        ["healthz" | "livez" | "readyz", ..] => Route::Discovery(Page::Health),
        ["api"] => Route::Discovery(Page::Core),
        ["apis"] => Route::Discovery(Page::Groups),
        ["apis", group] => Route::Discovery(Page::Group((*group).to_owned())),
        ["api", version] => Route::Discovery(Page::Resources(String::new(), (*version).to_owned())),
        ["apis", group, version] => Route::Discovery(Page::Resources((*group).to_owned(), (*version).to_owned())),
        ["openapi", "v2"] => Route::Discovery(Page::OpenApiV2),
        ["openapi", "v3"] => Route::Discovery(Page::OpenApi),
        ["openapi", "v3", rest @ ..] => Route::Discovery(Page::OpenApiOf(rest.join("/"))),
        ["apis", group, version, plural] if Review::find(group, version, plural).is_some() => {
            Review::find(group, version, plural).map_or(Route::Unknown, Route::Review)
        }
        ["api", version, rest @ ..] => objects("", version, rest),
        ["apis", group, version, rest @ ..] => objects(group, version, rest),
        _ => Route::Unknown,
    }
}

fn objects(group: &str, version: &str, rest: &[&str]) -> Route {
    let (namespace, rest) = match rest {
        // `namespaces/x` and `namespaces/x/status` are the namespace itself.
        ["namespaces", _] | ["namespaces", _, "status"] => ("", rest),
        ["namespaces", namespace, inner @ ..] if !inner.is_empty() => (*namespace, inner),
        _ => ("", rest),
    };
    let (plural, name, sub) = match rest {
        [plural] => (*plural, "", None),
        [plural, name] => (*plural, *name, None),
        [plural, name, sub] => (*plural, *name, Some(*sub)),
        _ => return Route::Unknown,
    };
    let Some(kind) = kind::find(group, version, plural) else { return Route::Unknown };
    let is_placed = match kind.reach {
        Reach::Cluster => namespace.is_empty(),
        Reach::Namespaced => !namespace.is_empty() || name.is_empty(),
    };
    let subresource = sub.map(|word| kind.subresources.iter().copied().find(|known| known.word() == word));
    match (is_placed, subresource) {
        (false, _) | (_, Some(None)) => Route::Unknown,
        (true, found) => Route::Objects(Objects {
            kind,
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            subresource: found.flatten(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_where_they_should() {
        for (path, want) in [
            ("/api/v1/pods", "pods||"),
            ("/api/v1/namespaces/a/pods/x", "pods|a|x"),
            ("/apis/apps/v1/namespaces/a/deployments/x/scale", "deployments/scale|a|x"),
            ("/api/v1/namespaces", "namespaces||"),
            ("/api/v1/namespaces/a", "namespaces||a"),
            ("/api/v1/nodes/n", "nodes||n"),
        ] {
            let Route::Objects(found) = parse(path) else { panic!("{path}") };
            let word = Route::Objects(found.clone()).word();
            assert_eq!(format!("{word}|{}|{}", found.namespace, found.name), want, "{path}");
        }
        for path in ["/api/v1/pods/x", "/apis/apps/v1/namespaces/a/deployments/x/log", "/apis/x/v1/things", "/"] {
            assert_eq!(parse(path), Route::Unknown, "{path}");
        }
        assert_eq!(parse("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"), Route::Review(Review::Access));
        assert_eq!(parse("/apis/apps/v1"), Route::Discovery(Page::Resources("apps".to_owned(), "v1".to_owned())));
    }
}
