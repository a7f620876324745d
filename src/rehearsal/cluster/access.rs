//! Who may do what: the scenario's rules, asked by every request and by access reviews.

use serde_json::{Value, json};

use super::spec::AccessRule;

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
}

/// The rules in force.
#[derive(Clone, Debug, Default)]
pub struct Access {
    user: String,
    allowed: Vec<AccessRule>,
}

impl Access {
    /// The rules for a caller; none at all allow everything.
    pub fn new(user: &str, rules: &[AccessRule]) -> Self {
        Self { user: user.to_owned(), allowed: rules.to_vec() }
    }

    /// Who asks.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Whether an attempt is allowed.
    pub fn allows(&self, attempt: Attempt<'_>) -> bool {
        self.allowed.is_empty() || self.allowed.iter().any(|rule| covers(rule, attempt))
    }

    /// What a 403 says after `is forbidden: `.
    pub fn refusal(&self, attempt: Attempt<'_>) -> String {
        let Attempt { verb, group, resource, subresource, namespace } = attempt;
        let named = if subresource.is_empty() { resource.to_owned() } else { format!("{resource}/{subresource}") };
        let place = if namespace.is_empty() {
            "at the cluster scope".to_owned()
        } else {
            format!("in the namespace \"{namespace}\"")
        };
        format!("User \"{}\" cannot {verb} resource \"{named}\" in API group \"{group}\" {place}", self.user)
    }

    /// The status of a `SelfSubjectAccessReview` for an attempt.
    pub fn review(&self, attempt: Attempt<'_>) -> Value {
        if !self.allows(attempt) {
            return json!({"allowed": false});
        }
        let binding = if attempt.namespace.is_empty() {
            "ClusterRoleBinding \"on-call\" of ClusterRole".to_owned()
        } else {
            format!("RoleBinding \"on-call/{}\" of Role", attempt.namespace)
        };
        json!({"allowed": true, "reason": format!("RBAC: allowed by {binding} \"on-call\" to User \"{}\"", self.user)})
    }

    /// The status of a `SelfSubjectRulesReview` in a namespace.
    pub fn rules(&self, namespace: &str) -> Value {
        let everything = [AccessRule { verbs: star(), groups: star(), resources: star(), namespaces: Vec::new() }];
        let source = if self.allowed.is_empty() { everything.as_slice() } else { self.allowed.as_slice() };
        let rules: Vec<Value> = source
            .iter()
            .filter(|rule| listed(&rule.namespaces, namespace))
            .map(|rule| {
                let groups = if rule.groups.is_empty() { star() } else { rule.groups.clone() };
                json!({"verbs": rule.verbs, "apiGroups": groups, "resources": rule.resources})
            })
            .collect();
        json!({"resourceRules": rules, "nonResourceRules": [], "incomplete": false})
    }
}

/// Whether a rule speaks of an attempt.
pub fn covers(rule: &AccessRule, attempt: Attempt<'_>) -> bool {
    let resource = if attempt.subresource.is_empty() {
        attempt.resource.to_owned()
    } else {
        format!("{}/{}", attempt.resource, attempt.subresource)
    };
    named(&rule.verbs, attempt.verb)
        && listed(&rule.groups, attempt.group)
        && named(&rule.resources, &resource)
        && listed(&rule.namespaces, attempt.namespace)
}

fn star() -> Vec<String> {
    vec!["*".to_owned()]
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
        Attempt { verb, group: "apps", resource, subresource, namespace: "payments" }
    }

    #[test]
    fn a_rule_grants_what_it_names_and_no_rules_grant_all() {
        let access = Access::new("me", &[rule(&["get", "list"], &["deployments"])]);
        assert!(access.allows(attempt("get", "deployments", "")));
        assert!(!access.allows(attempt("patch", "deployments", "")));
        assert!(!access.allows(attempt("get", "deployments", "scale")));
        assert_eq!(access.review(attempt("patch", "deployments", "")), json!({"allowed": false}));
        assert_eq!(access.rules("payments")["resourceRules"][0]["verbs"], json!(["get", "list"]));
        assert!(Access::new("me", &[]).allows(attempt("patch", "deployments", "scale")));
    }

    #[test]
    fn a_refusal_reads_as_the_api_server_writes_it() {
        assert_eq!(
            Access::new("arn:x", &[]).refusal(attempt("patch", "deployments", "")),
            "User \"arn:x\" cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"payments\""
        );
    }
}
