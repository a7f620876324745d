//! Where something was seen or would be done: account, region, cluster, context. On every alarm, evidence, step and approval.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

crate::text_id!(
    /// A twelve-digit AWS account number.
    AccountId
);
crate::text_id!(
    /// An AWS region such as `us-east-1`.
    Region
);
crate::text_id!(
    /// A Kubernetes cluster by the name its kubeconfig gives it.
    ClusterName
);
crate::text_id!(
    /// A kubeconfig context.
    KubeContext
);
crate::text_id!(
    /// A Kubernetes namespace.
    Namespace
);

/// Whose a cluster is and where, as the kubeconfig's own name for it says. An EKS name is an ARN; others say nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ClusterHome {
    /// The account it belongs to.
    pub account: AccountId,
    /// The region it runs in.
    pub region: Region,
}

/// The place an observation or a step belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// The AWS account; `None` until it is known.
    pub account: Option<AccountId>,
    /// The AWS region.
    pub region: Region,
    /// The cluster, where there is one.
    pub cluster: Option<ClusterName>,
    /// Whose the cluster is, where its name in the kubeconfig says so: the credentials for AWS may be for another account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_home: Option<ClusterHome>,
    /// The address of its API server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// What tells it from every other, whatever either is called: the uid of its namespace `kube-system`, once read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_uid: Option<String>,
    /// The kubeconfig context, where there is one.
    pub context: Option<KubeContext>,
    /// Who we are to AWS (an ARN), once known.
    pub identity: Option<String>,
    /// Who the API server takes us for, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster_user: Option<String>,
}

impl Scope {
    /// Whether another is another place: an account, region or cluster that both know differs. What one of them does not know
    /// says nothing.
    pub fn is_apart_from(&self, other: &Self) -> bool {
        self.has_other_names_than(other) || self.is_other_cluster_than(other)
    }

    /// The same place, with what became known of it. What was known and is not by now stays known: it is what another is held
    /// against. Who we are there is told by the newer alone: another process may be another person's.
    pub fn completed_by(&self, newer: &Self) -> Self {
        let or = |newer: &Option<String>, known: &Option<String>| newer.clone().or_else(|| known.clone());
        let is_named = !newer.region.as_str().is_empty();
        Self {
            account: newer.account.clone().or_else(|| self.account.clone()),
            region: if is_named { newer.region.clone() } else { self.region.clone() },
            cluster: newer.cluster.clone().or_else(|| self.cluster.clone()),
            cluster_home: newer.cluster_home.clone().or_else(|| self.cluster_home.clone()),
            server: or(&newer.server, &self.server),
            cluster_uid: or(&newer.cluster_uid, &self.cluster_uid),
            context: newer.context.clone().or_else(|| self.context.clone()),
            identity: newer.identity.clone(),
            cluster_user: newer.cluster_user.clone(),
        }
    }

    /// The two places in words that differ; `None` where nothing tells them apart.
    pub fn told_apart(&self, other: &Self) -> Option<(String, String)> {
        let named = |scope: &Self| match (&scope.server, &scope.cluster_uid) {
            (Some(server), Some(uid)) => format!("{scope} at {server} (uid {uid})"),
            (Some(server), None) => format!("{scope} at {server}"),
            (None, Some(uid)) => format!("{scope} (uid {uid})"),
            (None, None) => scope.to_string(),
        };
        let by_name = self.has_other_names_than(other).then(|| (self.to_string(), other.to_string()));
        by_name.or_else(|| self.is_other_cluster_than(other).then(|| (named(self), named(other))))
    }

    fn has_other_names_than(&self, other: &Self) -> bool {
        let region = |scope: &Self| Some(scope.region.clone()).filter(|region| !region.as_str().is_empty());
        differ(self.account.as_ref(), other.account.as_ref())
            || differ(region(self).as_ref(), region(other).as_ref())
            || differ(self.cluster.as_ref(), other.cluster.as_ref())
    }

    /// Whether two clusters are not the same, whatever they are called. One may be reached by several addresses: they count
    /// where its uid could not be read.
    fn is_other_cluster_than(&self, other: &Self) -> bool {
        match (&self.cluster_uid, &other.cluster_uid) {
            (Some(one), Some(other)) => one != other,
            (Some(_) | None, None) | (None, Some(_)) => differ(self.server.as_ref(), other.server.as_ref()),
        }
    }

    /// Whose the cluster is, where that is another account or region than the one AWS is asked in.
    pub fn cluster_elsewhere(&self) -> Option<&ClusterHome> {
        let account = self.account.as_ref()?;
        self.cluster_home.as_ref().filter(|home| home.account != *account || home.region != self.region)
    }
}

fn differ<T: PartialEq>(one: Option<&T>, other: Option<&T>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.account.as_ref().map_or("account unknown", AccountId::as_str);
        write!(f, "{account} {}", self.region)?;
        if let Some(cluster) = &self.cluster {
            write!(f, " {cluster}")?;
        }
        Ok(())
    }
}

/// The start of an instant's minute: the minute under way has no whole point yet.
pub fn whole_minute(at: Timestamp) -> Timestamp {
    let second = at.as_second();
    Timestamp::from_second(second - second.rem_euclid(60)).unwrap_or(at)
}

/// A half-open time window `[from, to)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// Inclusive start.
    pub from: Timestamp,
    /// Exclusive end.
    pub to: Timestamp,
}

impl Window {
    /// The `minutes` before `to`.
    pub fn minutes_before(to: Timestamp, minutes: i64) -> Self {
        Self { from: to - jiff::SignedDuration::from_mins(minutes), to }
    }

    /// Whether an instant lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// The same, its ends moved back to whole minutes.
    pub fn whole_minutes(self) -> Self {
        Self { from: whole_minute(self.from), to: whole_minute(self.to) }
    }

    /// Its length in whole seconds.
    pub fn seconds(&self) -> i64 {
        self.to.duration_since(self.from).as_secs()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_places_differ_by_what_both_know() {
        let scope = |account: &str, region: &str, cluster: &str| Scope {
            account: Some(account).filter(|it| !it.is_empty()).map(AccountId::from),
            region: region.into(),
            cluster: Some(cluster).filter(|it| !it.is_empty()).map(ClusterName::from),
            ..Scope::default()
        };
        let here = scope("1", "us-east-1", "prod");
        for (other, is_apart) in [
            (scope("1", "us-east-1", "prod"), false),
            (scope("", "", ""), false),
            (scope("2", "us-east-1", "prod"), true),
            (scope("1", "eu-west-1", "prod"), true),
            (scope("1", "us-east-1", "staging"), true),
        ] {
            assert_eq!((here.is_apart_from(&other), other.is_apart_from(&here)), (is_apart, is_apart), "{other}");
        }
    }

    #[test]
    fn a_cluster_is_known_by_its_uid_and_else_by_its_address() {
        let scope = |server: &str, uid: &str| Scope {
            cluster: Some("prod".into()),
            server: Some(server).filter(|it| !it.is_empty()).map(str::to_owned),
            cluster_uid: Some(uid).filter(|it| !it.is_empty()).map(str::to_owned),
            ..Scope::default()
        };
        let here = scope("https://a", "u-1");
        for (other, is_apart) in [
            (scope("https://b", "u-1"), false),
            (scope("https://a", "u-2"), true),
            (scope("https://a", ""), false),
            (scope("https://b", ""), true),
            (scope("", ""), false),
        ] {
            assert_eq!((here.is_apart_from(&other), other.is_apart_from(&here)), (is_apart, is_apart), "{other:?}");
            assert_eq!(here.told_apart(&other).is_some_and(|(here, there)| here != there), is_apart, "{other:?}");
        }
    }
}
