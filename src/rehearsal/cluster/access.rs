//! Who may do what: the roles and bindings in the store, asked by every request and by access reviews.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::kind::{Kind, row};
use super::shape;
use super::spec::AccessRule;
use super::store::{Key, Store};

/// A question to the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt<'a> {
    /// `get`, `list`, …
    pub verb: &'a str,
    /// API group.
    pub group: &'a str,
    /// Plural.
    pub resource: &'a str,
    /// Subresource, or empty.
    pub subresource: &'a str,
    /// Namespace, or empty for the cluster at large.
    pub namespace: &'a str,
    /// The name of the one object meant, or empty.
    pub name: &'a str,
}

/// A rule with where it holds and by which binding.
#[derive(Clone, Debug)]
struct Grant {
    /// The one namespace it is bound in; everywhere without.
    namespace: Option<String>,
    /// `PolicyRule` of the role.
    rule: Value,
    /// What a review gives as its reason.
    because: String,
}

/// Who asks: a name, and the groups it is in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// `userInfo.username`.
    pub user: String,
    /// `userInfo.groups`, beside those that every caller is in.
    pub groups: Vec<String>,
}

impl From<&str> for Caller {
    fn from(user: &str) -> Self {
        Self { user: user.to_owned(), groups: Vec::new() }
    }
}

/// The group of every caller that is known.
const EVERYBODY: &str = "system:authenticated";
/// The group that may do everything, whatever the bindings say.
const MASTERS: &str = "system:masters";

impl Caller {
    /// All groups.
    pub fn all_groups(&self) -> Vec<&str> {
        let account = self.user.strip_prefix("system:serviceaccount:").map(|_| "system:serviceaccounts");
        self.groups.iter().map(String::as_str).chain(account).chain([EVERYBODY]).collect()
    }

    /// Whether a subject of a binding is this caller.
    fn is(&self, subject: &Value) -> bool {
        let name = subject["name"].as_str().unwrap_or_default();
        match subject["kind"].as_str() {
            Some("User") => name == self.user,
            Some("Group") => self.all_groups().contains(&name),
            Some("ServiceAccount") => {
                let space = subject["namespace"].as_str().unwrap_or_default();
                self.user == format!("system:serviceaccount:{space}:{name}")
            }
            _ => false,
        }
    }
}

/// The rules in force for the caller.
#[derive(Clone, Debug, Default)]
pub struct Access {
    caller: Caller,
    grants: Vec<Grant>,
}

impl Access {
    /// What the role bindings in the store give to a caller, as RBAC reads them.
    pub fn of(store: &Store, caller: Caller) -> Self {
        let mut grants = Vec::new();
        if caller.groups.iter().any(|group| group == MASTERS) {
            let rule = json!({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]});
            grants.push(Grant { namespace: None, rule, because: format!("group {MASTERS}") });
        }
        for plural in ["clusterrolebindings", "rolebindings"] {
            for (_, binding) in store.list(row(plural), None) {
                let mut subjects = binding["subjects"].as_array().into_iter().flatten();
                if subjects.any(|subject| caller.is(subject)) {
                    grants.extend(granted(store, binding, &caller.user));
                }
            }
        }
        Self { caller, grants }
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whether an attempt is allowed.
    pub fn allows(&self, attempt: Attempt<'_>) -> bool {
        self.by(attempt).is_some()
    }

    fn by(&self, attempt: Attempt<'_>) -> Option<&Grant> {
        self.grants.iter().find(|grant| {
            let is_here = grant.namespace.as_ref().is_none_or(|namespace| namespace == attempt.namespace);
            is_here && rule_covers(&grant.rule, attempt)
        })
    }

    /// What a 403 says after `is forbidden: `.
    pub fn refusal(&self, attempt: Attempt<'_>) -> String {
        let Attempt { verb, group, resource, subresource, namespace, .. } = attempt;
        let named = if subresource.is_empty() { resource.to_owned() } else { format!("{resource}/{subresource}") };
        let place = if namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace \"{namespace}\"")
        };
        format!("User \"{}\" cannot {verb} resource \"{named}\" in API group \"{group}\" {place}", self.caller.user)
    }

    /// The status of a `SelfSubjectAccessReview` for an attempt.
    pub fn review(&self, attempt: Attempt<'_>) -> Value {
        self.by(attempt).map_or_else(
            || json!({"allowed": false}),
            |grant| json!({"allowed": true, "reason": format!("RBAC: allowed by {}", grant.because)}),
        )
    }

    /// The status of a `SelfSubjectRulesReview` in a namespace.
    pub fn rules(&self, namespace: &str) -> Value {
        let here = self.grants.iter().filter(|grant| grant.namespace.as_deref().is_none_or(|own| own == namespace));
        let (mut resources, mut others) = (Vec::new(), Vec::new());
        for rule in here.map(|grant| &grant.rule) {
            if rule.get("resources").is_some() {
                resources.push(rule.clone());
            } else {
                others.push(rule.clone());
            }
        }
        json!({"resourceRules": resources, "nonResourceRules": others, "incomplete": false})
    }
}

fn granted(store: &Store, binding: &Value, user: &str) -> Vec<Grant> {
    let (kind, name) = (shape::text(binding, "/roleRef/kind"), shape::text(binding, "/roleRef/name"));
    let (kind, name) = (kind.unwrap_or_default(), name.unwrap_or_default());
    let space = shape::namespace(binding);
    let key =
        if kind == "Role" { Key::new(row("roles"), space, name) } else { Key::new(row("clusterroles"), "", name) };
    let named = shape::name(binding);
    let bound = if space.is_empty() {
        format!("ClusterRoleBinding \"{named}\"")
    } else {
        format!("RoleBinding \"{named}/{space}\"")
    };
    let because = format!("{bound} of {kind} \"{name}\" to User \"{user}\"");
    let rules = store.get(&key).and_then(|role| role["rules"].as_array()).cloned().unwrap_or_default();
    let namespace = (!space.is_empty()).then(|| space.to_owned());
    let each = rules.into_iter();
    each.map(|rule| Grant { namespace: namespace.clone(), rule, because: because.clone() }).collect()
}

fn rule_covers(rule: &Value, attempt: Attempt<'_>) -> bool {
    let lists = |field: &str, word: &str| {
        rule[field].as_array().into_iter().flatten().any(|entry| entry == "*" || entry == word)
    };
    let names = rule["resourceNames"].as_array().filter(|names| !names.is_empty());
    lists("verbs", attempt.verb)
        && lists("apiGroups", attempt.group)
        && (lists("resources", &path(attempt)) || lists("resources", &format!("*/{}", attempt.subresource)))
        && names.is_none_or(|names| names.iter().any(|name| name == attempt.name))
}

/// Roles and bindings that say what the rules of a scenario say: for a caller with neither rules nor bindings of its own,
/// the whole cluster.
pub fn objects(user: &str, rules: &[AccessRule]) -> Vec<(&'static Kind, Value)> {
    let policy = |rule: &AccessRule| {
        let groups = if rule.groups.is_empty() { vec!["*".to_owned()] } else { rule.groups.clone() };
        json!({"verbs": rule.verbs, "apiGroups": groups, "resources": rule.resources})
    };
    let subjects = json!([{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": user}]);
    let reference =
        |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    let everything = json!([
        {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, {"verbs": ["*"], "nonResourceURLs": ["*"]},
    ]);
    let mut all = vec![(row("clusterroles"), json!({"metadata": {"name": "cluster-admin"}, "rules": everything}))];
    let wide: Vec<Value> = rules.iter().filter(|rule| rule.namespaces.is_empty()).map(policy).collect();
    let role = if rules.is_empty() { "cluster-admin" } else { "on-call" };
    if !wide.is_empty() {
        all.push((row("clusterroles"), json!({"metadata": {"name": "on-call"}, "rules": wide})));
    }
    if rules.is_empty() || !wide.is_empty() {
        let binding = json!({
            "metadata": {"name": "on-call"}, "subjects": subjects, "roleRef": reference("ClusterRole", role),
        });
        all.push((row("clusterrolebindings"), binding));
    }
    let spaces: BTreeSet<&String> = rules.iter().flat_map(|rule| &rule.namespaces).collect();
    for space in spaces {
        let own: Vec<Value> = rules.iter().filter(|rule| rule.namespaces.contains(space)).map(policy).collect();
        let metadata = json!({"name": "on-call", "namespace": space});
        all.push((row("roles"), json!({"metadata": metadata, "rules": own})));
        let binding = json!({"metadata": metadata, "subjects": subjects, "roleRef": reference("Role", "on-call")});
        all.push((row("rolebindings"), binding));
    }
    all
}

fn path(attempt: Attempt<'_>) -> String {
    if attempt.subresource.is_empty() {
        attempt.resource.to_owned()
    } else {
        format!("{}/{}", attempt.resource, attempt.subresource)
    }
}

/// Whether a rule speaks of an attempt.
pub fn covers(rule: &AccessRule, attempt: Attempt<'_>) -> bool {
    named(&rule.verbs, attempt.verb)
        && listed(&rule.groups, attempt.group)
        && named(&rule.resources, &path(attempt))
        && listed(&rule.namespaces, attempt.namespace)
}

fn named(list: &[String], word: &str) -> bool {
    list.iter().any(|entry| entry == "*" || entry == word)
}

/// As [`named`], but an empty list means all.
fn listed(list: &[String], word: &str) -> bool {
    list.is_empty() || named(list, word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(verbs: &[&str], resources: &[&str]) -> AccessRule {
        let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        AccessRule { verbs: own(verbs), resources: own(resources), ..AccessRule::default() }
    }

    fn attempt<'a>(verb: &'a str, resource: &'a str, subresource: &'a str) -> Attempt<'a> {
        Attempt { verb, group: "apps", resource, subresource, namespace: "payments", name: "" }
    }

    fn access(rules: &[AccessRule]) -> Access {
        let mut store = Store::new(0);
        for (kind, object) in objects("me", rules) {
            store.put(Key::of(kind, &object), object);
        }
        Access::of(&store, "me".into())
    }

    #[test]
    fn a_rule_grants_what_it_names_and_no_rules_grant_all() {
        let mut narrow = rule(&["get", "list"], &["deployments"]);
        let wide = access(std::slice::from_ref(&narrow));
        assert!(wide.allows(attempt("get", "deployments", "")));
        assert!(!wide.allows(attempt("patch", "deployments", "")));
        assert!(!wide.allows(attempt("get", "deployments", "scale")));
        assert_eq!(wide.review(attempt("patch", "deployments", "")), json!({"allowed": false}));
        assert_eq!(wide.rules("payments")["resourceRules"][0]["verbs"], json!(["get", "list"]));
        assert!(access(&[]).allows(attempt("patch", "deployments", "scale")));
        narrow.namespaces = vec!["payments".to_owned()];
        let bound = access(&[narrow]);
        assert_eq!(
            bound.review(attempt("get", "deployments", ""))["reason"],
            "RBAC: allowed by RoleBinding \"on-call/payments\" of Role \"on-call\" to User \"me\""
        );
        assert!(!bound.allows(Attempt { namespace: "other", ..attempt("get", "deployments", "") }));
    }

    #[test]
    fn a_rule_for_named_objects_grants_no_other() {
        let mut store = Store::new(0);
        let role = json!({"metadata": {"name": "r"}, "rules": [
            {"verbs": ["patch"], "apiGroups": ["apps"], "resources": ["deployments"], "resourceNames": ["my-api"]}]});
        store.put(Key::of(row("clusterroles"), &role), role);
        let binding = json!({"metadata": {"name": "b", "namespace": "payments"}, "roleRef": {"kind": "ClusterRole",
            "name": "r"}, "subjects": [{"kind": "Group", "name": "system:authenticated"}]});
        store.put(Key::of(row("rolebindings"), &binding), binding);
        let access = Access::of(&store, "me".into());
        assert!(access.allows(Attempt { name: "my-api", ..attempt("patch", "deployments", "") }));
        assert!(!access.allows(Attempt { name: "orders", ..attempt("patch", "deployments", "") }));
    }

    #[test]
    fn a_binding_names_users_groups_and_accounts() {
        let mut store = Store::new(0);
        let role = json!({"metadata": {"name": "r"}, "rules": [
            {"verbs": ["get"], "apiGroups": ["apps"], "resources": ["deployments"]}]});
        store.put(Key::of(row("clusterroles"), &role), role);
        let binding = json!({"metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": [
            {"kind": "Group", "name": "readers"}, {"kind": "ServiceAccount", "name": "robot", "namespace": "ci"}]});
        store.put(Key::of(row("clusterrolebindings"), &binding), binding);
        let may = |user: &str, groups: &[&str], verb: &str| {
            let groups = groups.iter().map(|group| (*group).to_owned()).collect();
            Access::of(&store, Caller { user: user.to_owned(), groups }).allows(attempt(verb, "deployments", ""))
        };
        assert!(!may("bob", &[], "get"));
        assert!(may("bob", &["readers"], "get") && may("system:serviceaccount:ci:robot", &[], "get"));
        assert!(!may("system:serviceaccount:other:robot", &[], "get"));
        assert!(!may("bob", &["readers"], "patch") && may("bob", &[MASTERS], "patch"));
    }

    #[test]
    fn a_refusal_reads_as_the_api_server_writes_it() {
        let access = Access { caller: "arn:x".into(), grants: Vec::new() };
        assert_eq!(
            access.refusal(attempt("patch", "deployments", "")),
            "User \"arn:x\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"payments\""
        );
    }
}
