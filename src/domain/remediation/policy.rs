//! The policy: where live is allowed at all, what must be confirmed how, and what opens the gate. Denies by default.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use super::request::Mode;
use crate::domain::diagnosis::sufficiency::RemedyKind;
use crate::domain::diagnosis::verdict::Confidence;
use crate::domain::observation::scope::{Namespace, Scope};

/// What confirms a live step. Never less than one deliberate press.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confirm {
    /// `A`, then the target's name and the digest, then Enter.
    #[default]
    Typed,
    /// A single `A`.
    Key,
}

/// Whether a person may open the gate on the rules alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RulesAlone {
    /// With the journaled choice `R`.
    #[default]
    Allowed,
    /// Never.
    Forbidden,
}

/// One place where live steps are allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveRule {
    /// The account, exactly.
    pub account: String,
    /// The cluster, exactly.
    pub cluster: String,
    /// Namespaces, exactly; `*` is any.
    pub namespaces: Vec<String>,
    /// Actions allowed.
    pub actions: Vec<RemedyKind>,
    /// What confirms a step there.
    #[serde(default)]
    pub confirm: Confirm,
}

/// The policy in force for a session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policy {
    /// Where live is allowed; empty means nowhere.
    pub live: Vec<LiveRule>,
    /// Confidence below which the gate stays locked.
    pub min_confidence: Confidence,
    /// Evidence older than this keeps the gate locked, seconds.
    pub evidence_max_age_s: u32,
    /// An approval not used in this time falls, seconds of the wall: the person's, however fast a rehearsal runs.
    pub approval_ttl_s: u32,
    /// Whether the rules alone may be stood on.
    pub rules_alone: RulesAlone,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            live: Vec::new(),
            min_confidence: Confidence::new(0.75),
            evidence_max_age_s: 600,
            approval_ttl_s: 60,
            rules_alone: RulesAlone::Allowed,
        }
    }
}

/// Why the policy does not let a step run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRefusal(pub String);

impl Policy {
    /// The rule that lets an action run live in a place, or why none does.
    pub fn live_rule(
        &self,
        scope: &Scope,
        namespace: &Namespace,
        action: RemedyKind,
    ) -> Result<&LiveRule, PolicyRefusal> {
        let place = format!("{scope}, namespace {namespace}");
        // The rule names an account and a cluster: they must be of one another, not of two logins side by side.
        if let Some(home) = scope.cluster_elsewhere() {
            let (account, region) = (&home.account, &home.region);
            return Err(PolicyRefusal(format!("The cluster is of account {account} {region}, AWS is {scope}.")));
        }
        let account = scope.account.as_ref().map(super::super::observation::scope::AccountId::as_str);
        let cluster = scope.cluster.as_ref().map(super::super::observation::scope::ClusterName::as_str);
        let here: Vec<&LiveRule> = self
            .live
            .iter()
            .filter(|rule| Some(rule.account.as_str()) == account && Some(rule.cluster.as_str()) == cluster)
            .filter(|rule| rule.namespaces.iter().any(|name| name == "*" || name == namespace.as_str()))
            .collect();
        if here.is_empty() {
            return Err(PolicyRefusal(format!("The policy allows no live step in {place}.")));
        }
        here.into_iter()
            .find(|rule| rule.actions.contains(&action))
            .ok_or_else(|| PolicyRefusal(format!("The policy does not allow {action} in {place}.")))
    }

    /// What confirms a step: in dry-run a single key records the decision.
    pub fn confirm(&self, mode: Mode, scope: &Scope, namespace: &Namespace, action: RemedyKind) -> Confirm {
        match mode {
            Mode::DryRun => Confirm::Key,
            Mode::Live => self.live_rule(scope, namespace, action).map_or(Confirm::Typed, |rule| rule.confirm),
        }
    }

    /// How long an approval lives.
    pub fn approval_ttl(&self) -> SignedDuration {
        SignedDuration::from_secs(i64::from(self.approval_ttl_s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::scope::ClusterHome;

    #[test]
    fn no_live_step_runs_on_a_cluster_of_another_account_or_region() {
        let rule = LiveRule {
            account: "111111111111".to_owned(),
            cluster: "main".to_owned(),
            namespaces: vec!["*".to_owned()],
            actions: vec![RemedyKind::Scale],
            confirm: Confirm::Typed,
        };
        let policy = Policy { live: vec![rule], ..Policy::default() };
        let allowed = |home: Option<(&str, &str)>| {
            let scope = Scope {
                account: Some("111111111111".into()),
                region: "us-east-1".into(),
                cluster: Some("main".into()),
                cluster_home: home
                    .map(|(account, region)| ClusterHome { account: account.into(), region: region.into() }),
                ..Scope::default()
            };
            policy.live_rule(&scope, &"payments".into(), RemedyKind::Scale).map(|_| ())
        };
        assert_eq!(allowed(None), Ok(()), "a name that is no ARN says nothing");
        assert_eq!(allowed(Some(("111111111111", "us-east-1"))), Ok(()));
        let refusal = allowed(Some(("222222222222", "us-east-1"))).unwrap_err();
        assert!(refusal.0.contains("222222222222") && refusal.0.contains("111111111111"), "{}", refusal.0);
        assert!(allowed(Some(("111111111111", "eu-west-1"))).is_err());
    }
}
