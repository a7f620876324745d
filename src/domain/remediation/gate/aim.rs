//! Whether a remedy would go to what the alarm is about. Names are the same everywhere: a cluster, an account or a
//! namespace that a metric tells is held against the one that a step would go to.

use super::{Refusal, RefusalReason};
use crate::domain::observation::metric::MetricId;
use crate::domain::observation::scope::{ClusterName, Scope};
use crate::domain::observation::service::{Origin, Service};
use crate::domain::observation::workload::WorkloadRef;
use crate::domain::remediation::request::Mode;

/// What the incident is about, and where a step of it would go.
#[derive(Clone, Copy, Debug)]
pub struct Aim<'a> {
    /// The service, with its workload and metrics.
    pub service: &'a Service,
    /// What its alarms compare.
    pub alarmed: &'a [MetricId],
    /// The account and the cluster.
    pub scope: &'a Scope,
    /// Dry-run or live.
    pub mode: Mode,
}

/// The namespaces whose `ClusterName` is that of a Kubernetes cluster, and those where it is that of an ECS cluster. Others
/// call other things so (`MemoryDB` its own clusters).
const OF_KUBERNETES: [&str; 3] = ["ContainerInsights", "ContainerInsights/Prometheus", "AWS/EKS"];
const OF_ECS: [&str; 2] = ["AWS/ECS", "ECS/ContainerInsights"];

impl Aim<'_> {
    /// What keeps a remedy from its target.
    ///
    /// 1. No workload is known.
    /// 2. A metric of the alarm or of the service is of another cluster, account or namespace than the workload. A cluster
    ///    whose name or account at AWS is not known is no other one.
    /// 3. Nobody wrote down that this workload is meant. An ECS service that was not configured is no workload of the
    ///    cluster, and live, one whose namespace no dimension tells is known by its name alone.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        let Some(target) = &self.service.workload else {
            let text = "The workload behind the alarm is not known.";
            let unlock = "name it in the configuration under [[service]]";
            return Some(Refusal::new(RefusalReason::NoTarget, text, unlock));
        };
        self.elsewhere(target).or_else(|| self.unconfirmed(target))
    }

    fn metrics(&self) -> impl Iterator<Item = &MetricId> {
        self.alarmed.iter().chain(self.service.metrics.values().map(|query| &query.metric))
    }

    fn elsewhere(&self, target: &WorkloadRef) -> Option<Refusal> {
        let refused = |metric: &MetricId, (what, unlock): (String, String)| {
            let text = format!("{} is of {what}.", metric.name);
            Refusal::new(RefusalReason::OtherCluster, text, unlock)
        };
        let found = |metric| {
            let what = self.of_other_cluster(metric).or_else(|| self.of_other_account(metric));
            Some(refused(metric, what.or_else(|| of_other_namespace(metric, target))?))
        };
        self.metrics().find_map(found)
    }

    /// Whether a metric is of another cluster or account than a step would go to.
    pub fn is_elsewhere(&self, metric: &MetricId) -> bool {
        self.of_other_cluster(metric).is_some() || self.of_other_account(metric).is_some()
    }

    fn of_other_cluster(&self, metric: &MetricId) -> Option<(String, String)> {
        let told = metric.dimensions.get("ClusterName")?;
        let here = self.scope.cluster.as_ref().filter(|here| !is_called(here, told))?;
        if is_of_ecs(metric) {
            let what = format!("the ECS cluster {told}, and a step would go to the Kubernetes cluster {here}");
            let unlock = "name metrics of the workload, or the workload that is meant, under [[service]]";
            return (!self.is_written_down()).then(|| (what, unlock.to_owned()));
        }
        if self.scope.cluster_home.is_none() && !is_by_eksctl(here) {
            return None;
        }
        let unlock = format!("connect to {told} with --context, or call the cluster {told} in the kubeconfig if it is");
        let is_kubernetes = OF_KUBERNETES.contains(&metric.namespace.as_str());
        is_kubernetes.then(|| (format!("cluster {told}, and a step would go to {here}"), unlock))
    }

    fn of_other_account(&self, metric: &MetricId) -> Option<(String, String)> {
        let told = metric.account.as_ref()?;
        let home = self.scope.cluster_home.as_ref().map(|home| &home.account);
        let here = home.filter(|here| *here != told)?;
        let what = format!("account {told}, and a step would go to a cluster of account {here}");
        Some((what, format!("use the profile and the context of account {told}")))
    }

    /// Whether a person wrote down which workload is meant.
    fn is_written_down(&self) -> bool {
        match self.service.origin {
            Origin::Configured => true,
            Origin::Inferred { .. } => false,
        }
    }

    fn unconfirmed(&self, target: &WorkloadRef) -> Option<Refusal> {
        if self.is_written_down() {
            return None;
        }
        let name = &self.service.name;
        let text = if self.alarmed.iter().any(is_of_ecs) {
            format!("{target} only has the name of the ECS service {name}.")
        } else if self.mode == Mode::Live && !self.metrics().any(|metric| self.tells(metric, target)) {
            format!("{target} is known by its name alone.")
        } else {
            return None;
        };
        let WorkloadRef { kind, namespace, name: workload } = target;
        let unlock = format!(
            "if it is meant, write it down: [[service]] name = \"{name}\" workload = {{ kind = \"{}\", namespace = \
             \"{namespace}\", name = \"{workload}\" }}",
            kind.word()
        );
        Some(Refusal::new(RefusalReason::NameAlone, text, unlock))
    }

    /// Whether a metric tells of the very workload: its namespace and its name, or that of the service, and no cluster or
    /// account of which it is not known whether it is this one.
    fn tells(&self, metric: &MetricId, target: &WorkloadRef) -> bool {
        let names = |value: &String| *value == target.name || value == self.service.name.as_str();
        let cluster = metric.dimensions.get("ClusterName").zip(self.scope.cluster.as_ref());
        let is_known_here = self.scope.cluster_home.is_some() || metric.account.is_none();
        is_known_here
            && cluster.is_none_or(|(told, here)| is_called(here, told))
            && metric.dimensions.get("Namespace").is_some_and(|namespace| namespace == target.namespace.as_str())
            && metric.dimensions.iter().any(|(key, value)| key != "Namespace" && key != "ClusterName" && names(value))
    }
}

fn of_other_namespace(metric: &MetricId, target: &WorkloadRef) -> Option<(String, String)> {
    let is_kubernetes = OF_KUBERNETES.contains(&metric.namespace.as_str());
    let told = metric.dimensions.get("Namespace").filter(|told| *told != target.namespace.as_str() && is_kubernetes)?;
    let what = format!("namespace {told}, and a step would go to {target}");
    Some((what, "name the workload that is meant under [[service]]".to_owned()))
}

fn is_of_ecs(metric: &MetricId) -> bool {
    OF_ECS.contains(&metric.namespace.as_str())
}

/// Whether a cluster of the kubeconfig is the one that AWS calls so: `eksctl` writes `NAME.REGION.eksctl.io`.
fn is_called(cluster: &ClusterName, told: &str) -> bool {
    let rest = cluster.as_str().strip_prefix(told);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.') && is_by_eksctl(cluster))
}

/// Whether `eksctl` named it, so that its name at AWS is known, as it is from an ARN. Any other name in a kubeconfig is a
/// person's own.
fn is_by_eksctl(cluster: &ClusterName) -> bool {
    cluster.as_str().ends_with(".eksctl.io")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::metric::{MetricQuery, MetricRole, Statistic};
    use crate::domain::observation::scope::ClusterHome;
    use crate::domain::observation::service::Certainty;
    use crate::domain::observation::workload::WorkloadKind;

    fn metric(namespace: &str, dimensions: &[(&str, &str)]) -> MetricId {
        let dimensions = dimensions.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        MetricId { namespace: namespace.to_owned(), name: "m".to_owned(), dimensions, account: None }
    }

    fn pods(cluster: &str, namespace: &str) -> MetricId {
        metric("ContainerInsights", &[("ClusterName", cluster), ("Namespace", namespace), ("PodName", "my-api")])
    }

    fn ecs(cluster: &str) -> MetricId {
        metric("AWS/ECS", &[("ClusterName", cluster), ("ServiceName", "my-api")])
    }

    fn front() -> MetricId {
        metric("AWS/ApplicationELB", &[("LoadBalancer", "app/payments/1"), ("TargetGroup", "targetgroup/my-api/2")])
    }

    fn service(origin: Origin) -> Service {
        let name = "my-api".to_owned();
        let target = WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name };
        Service { workload: Some(target), origin, ..Service::bare("my-api") }
    }

    fn inferred() -> Origin {
        // Even what calls itself sure is: the only one of its name in the namespaces that are watched.
        Origin::Inferred { reasons: Vec::new(), certainty: Certainty::Sure }
    }

    fn scope() -> Scope {
        let home = ClusterHome { account: "111111111111".into(), region: "us-east-1".into() };
        Scope { cluster_home: Some(home), ..named("eks-prod") }
    }

    /// A cluster of which the kubeconfig tells no ARN.
    fn named(cluster: &str) -> Scope {
        Scope { account: Some("111111111111".into()), cluster: Some(cluster.into()), ..Scope::default() }
    }

    fn reason((service, mode): (&Service, Mode), alarmed: &[MetricId]) -> Option<RefusalReason> {
        Aim { service, alarmed, scope: &scope(), mode }.refusal().map(|refusal| refusal.reason)
    }

    #[test]
    fn what_the_alarm_or_the_service_measures_must_be_of_the_cluster_that_a_step_goes_to() {
        let other = Some(RefusalReason::OtherCluster);
        let elsewhere = MetricId { account: Some("222222222222".into()), ..front() };
        let here = MetricId { account: Some("111111111111".into()), ..front() };
        for (metric, expected) in [
            (pods("eks-prod", "payments"), None),
            (pods("eks-staging", "payments"), other),
            (pods("eks-prod", "shop"), other),
            (ecs("eks-prod"), None),
            (ecs("legacy-ecs"), None),
            (metric("AWS/MemoryDB", &[("ClusterName", "sessions")]), None),
            (front(), None),
            (here, None),
            (elsewhere, other),
        ] {
            for mode in [Mode::DryRun, Mode::Live] {
                let configured = service(Origin::Configured);
                assert_eq!(reason((&configured, mode), &[front(), metric.clone()]), expected, "{metric:?}");
                let (role, statistic) = (MetricRole::Cpu, Statistic::Average);
                let query = MetricQuery { role, metric: metric.clone(), statistic, period_s: 60 };
                let reads = Service { metrics: [(role, query)].into(), ..configured };
                assert_eq!(reason((&reads, mode), &[front()]), expected, "{metric:?}");
            }
        }
    }

    #[test]
    fn a_cluster_is_the_one_that_the_kubeconfig_names_and_its_account_the_one_of_its_arn() {
        let refused = |scope: &Scope, metric: MetricId| {
            let service = service(Origin::Configured);
            Aim { service: &service, alarmed: &[metric], scope, mode: Mode::Live }.refusal().map(|refusal| refusal.text)
        };
        let by_eksctl = named("eks-prod.us-east-1.eksctl.io");
        assert_eq!(refused(&by_eksctl, pods("eks-prod", "payments")), None);
        assert!(refused(&by_eksctl, pods("eks-staging", "payments")).is_some());
        let text = "m is of cluster eks, and a step would go to eks-prod.";
        assert_eq!(refused(&scope(), pods("eks", "payments")).as_deref(), Some(text));
        let home = ClusterHome { account: "222222222222".into(), region: "us-east-1".into() };
        let scope = Scope { cluster_home: Some(home), ..scope() };
        let of = |account: &str| MetricId { account: Some(account.into()), ..front() };
        assert_eq!(refused(&scope, of("222222222222")), None);
        let text = "m is of account 111111111111, and a step would go to a cluster of account 222222222222.";
        assert_eq!(refused(&scope, of("111111111111")).as_deref(), Some(text));
    }

    #[test]
    fn a_cluster_whose_name_at_aws_is_not_known_is_no_other_one_and_is_not_known_to_be_the_same() {
        for name in ["in-cluster", "production", "kubernetes"] {
            for (origin, mode, expected) in [
                (Origin::Configured, Mode::DryRun, None),
                (Origin::Configured, Mode::Live, None),
                (inferred(), Mode::DryRun, None),
                (inferred(), Mode::Live, Some(RefusalReason::NameAlone)),
            ] {
                let (service, alarmed, scope) = (service(origin), [pods("eks-prod", "payments")], named(name));
                let aim = Aim { service: &service, alarmed: &alarmed, scope: &scope, mode };
                assert_eq!(aim.refusal().map(|refusal| refusal.reason), expected, "{name} {mode:?} {service:?}");
            }
        }
    }

    /// A monitoring account has metrics of many, and a kubeconfig that was written by hand does not tell whose its cluster is.
    #[test]
    fn a_cluster_of_unknown_account_is_none_of_another_and_not_known_to_be_of_the_metrics() {
        let own = metric("Payments", &[("Namespace", "payments"), ("Service", "my-api")]);
        let elsewhere = MetricId { account: Some("222222222222".into()), ..own.clone() };
        let alone = Some(RefusalReason::NameAlone);
        for (origin, metric, expected) in
            [(Origin::Configured, elsewhere.clone(), None), (inferred(), elsewhere, alone), (inferred(), own, None)]
        {
            let (service, scope) = (service(origin), named("production"));
            let aim = Aim { service: &service, alarmed: &[metric], scope: &scope, mode: Mode::Live };
            assert_eq!(aim.refusal().map(|refusal| refusal.reason), expected, "{:?}", aim.alarmed);
        }
    }

    #[test]
    fn a_step_of_ours_is_undone_wherever_the_alarm_is_from() {
        use crate::domain::remediation::gate::Purpose;
        for (reason, remedy, undo) in [
            (RefusalReason::OtherCluster, true, false),
            (RefusalReason::NameAlone, true, false),
            (RefusalReason::Stale, true, true),
        ] {
            assert_eq!((reason.keeps(Purpose::Remedy), reason.keeps(Purpose::Undo)), (remedy, undo), "{reason:?}");
        }
    }

    #[test]
    fn an_ecs_cluster_is_another_one_where_nobody_wrote_down_the_workload() {
        for (origin, expected) in [(inferred(), Some(RefusalReason::OtherCluster)), (Origin::Configured, None)] {
            assert_eq!(reason((&service(origin), Mode::DryRun), &[ecs("legacy-ecs")]), expected);
        }
    }

    #[test]
    fn live_nothing_goes_to_what_only_has_the_name() {
        let alone = Some(RefusalReason::NameAlone);
        let other = metric("Payments", &[("Namespace", "payments"), ("Service", "other")]);
        let own = metric("Payments", &[("Namespace", "payments"), ("Service", "my-api")]);
        for (alarmed, dry, live) in [
            (front(), None, alone),
            (other, None, alone),
            (own, None, None),
            (pods("eks-prod", "payments"), None, None),
            // An ECS service is no deployment, wherever its cluster is.
            (ecs("eks-prod"), alone, alone),
        ] {
            let alarmed = [alarmed];
            assert_eq!(reason((&service(inferred()), Mode::DryRun), &alarmed), dry, "{alarmed:?}");
            assert_eq!(reason((&service(inferred()), Mode::Live), &alarmed), live, "{alarmed:?}");
            assert_eq!(reason((&service(Origin::Configured), Mode::Live), &alarmed), None, "{alarmed:?}");
        }
        let (service, scope) = (service(inferred()), scope());
        let aim = Aim { service: &service, alarmed: &[front()], scope: &scope, mode: Mode::Live };
        let refusal = aim.refusal().unwrap();
        assert_eq!(refusal.text, "deployment/my-api -n payments is known by its name alone.");
        let lines = "[[service]] name = \"my-api\" workload = { kind = \"deployment\", namespace = \"payments\", name = \"my-api\" }";
        assert!(refusal.unlock.ends_with(lines), "{}", refusal.unlock);
    }
}
