//! `policy.toml` into a [`Policy`]. A file that is not there is the default policy: live nowhere. One that a person named
//! has to be there: the default is not as strict as theirs may be.

use std::path::Path;

use super::lint::Read;
use super::paths::Named;
use super::places::Problem;
use super::{Paths, lint, sense};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::remediation::policy::{LiveRule, Policy};

/// Reads and checks the policy. `None` when nobody named one and there is none at its usual place.
pub fn read(paths: &Paths) -> Result<Option<Policy>, Fault> {
    match (read_file(&paths.policy)?, paths.policy_named) {
        (None, Named::ByPerson) => {
            Err(Fault::new(FaultKind::Usage, format!("There is no policy {}.", paths.policy.display()))
                .hint("Check PAGERDECK_POLICY; without it, the policy beside the configuration is used."))
        }
        (read, Named::ByPerson | Named::Usual) => Ok(read),
    }
}

fn read_file(path: &Path) -> Result<Option<Policy>, Fault> {
    let Some(Read { shape: policy, places }) = lint::read::<Policy>(path)? else { return Ok(None) };
    match places.fault(problems(&policy), "policy check") {
        Some(fault) => Err(fault),
        None => Ok(Some(policy)),
    }
}

/// What is wrong with a policy. A place is named exactly: a wildcard account or cluster would turn a copied file into leave
/// for every production there is.
fn problems(policy: &Policy) -> Vec<Problem> {
    let mut problems = Vec::new();
    if !(0.0..=1.0).contains(&policy.min_confidence.value()) {
        let what = format!("min_confidence is {}, not between 0 and 1.", policy.min_confidence.value());
        problems.push(Problem::new(["min_confidence"], what));
    }
    if !(30..=3_600).contains(&policy.evidence_max_age_s) {
        let what = format!("evidence_max_age_s is {}, not between 30 and 3600.", policy.evidence_max_age_s);
        problems.push(Problem::new(["evidence_max_age_s"], what));
    }
    if !(10..=600).contains(&policy.approval_ttl_s) {
        let what = format!("approval_ttl_s is {}, not between 10 and 600.", policy.approval_ttl_s);
        problems.push(Problem::new(["approval_ttl_s"], what));
    }
    for (number, rule) in policy.live.iter().enumerate() {
        problems.extend(rule_problems(rule).into_iter().map(|problem| problem.below(["live", &number.to_string()])));
    }
    problems
}

fn rule_problems(rule: &LiveRule) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Some(what) = sense::no_account(&rule.account) {
        problems.push(Problem::new(["account"], what));
    }
    if rule.cluster.is_empty() || rule.cluster.contains('*') {
        problems.push(Problem::new(["cluster"], format!("cluster {:?} must be one cluster's name.", rule.cluster)));
    }
    if rule.namespaces.is_empty() {
        problems.push(Problem::new(["namespaces"], "namespaces is empty, so the rule allows nothing."));
    }
    let patterned = |name: &str| name != "*" && name.contains('*');
    let patterned = rule.namespaces.iter().enumerate().filter(|(_, name)| patterned(name));
    problems.extend(patterned.map(|(number, name)| {
        let what = format!("namespace {name:?}: patterns are not read; name it, or use \"*\" alone.");
        Problem::new(["namespaces", &number.to_string()], what)
    }));
    if rule.actions.is_empty() {
        problems.push(Problem::new(["actions"], "actions is empty, so the rule allows nothing."));
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy_of(text: &str) -> Result<Option<Policy>, Fault> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        std::fs::write(&path, text).unwrap();
        read_file(&path)
    }

    #[test]
    fn a_rule_names_its_place() {
        let text = "[[live]]\naccount = \"123456789012\"\ncluster = \"eks-prod\"\nnamespaces = [\"payments\"]\n\
                    actions = [\"rollout-restart\"]\nconfirm = \"key\"\n";
        let policy = policy_of(text).unwrap().unwrap();
        assert_eq!(policy.live.len(), 1);
        assert_eq!(policy.approval_ttl_s, Policy::default().approval_ttl_s);
    }

    #[test]
    fn loose_rules_are_refused_with_every_reason() {
        let fault = policy_of(
            "approval_ttl_s = 0\n[[live]]\naccount = \"*\"\ncluster = \"*\"\nnamespaces = [\"pay*\"]\nactions = []\n",
        )
        .unwrap_err();
        assert_eq!(fault.causes.len(), 5, "{fault}");
        assert_eq!(fault.causes[1], "line 3: account \"*\" is not twelve digits.");
        assert!(policy_of("min_confidence = 1.5\n").is_err());
        assert!(policy_of("min_confidense = 0.5\n").unwrap_err().to_string().contains("`min_confidence`"));
        assert!(policy_of("[[live]]\nactions = [\"delete\"]\n").is_err());
    }

    #[test]
    fn no_file_is_no_policy_unless_it_was_named() {
        use crate::config::Environment;
        let usual = Paths::resolve(None, &Environment::of([("HOME", "/does-not-exist")])).unwrap();
        assert_eq!(read(&usual).unwrap(), None);
        let named = [("HOME", "/does-not-exist"), ("PAGERDECK_POLICY", "/does-not-exist/strict.toml")];
        let fault = read(&Paths::resolve(None, &Environment::of(named)).unwrap()).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Usage);
        assert!(fault.summary.contains("/does-not-exist/strict.toml"), "{fault}");
    }
}
