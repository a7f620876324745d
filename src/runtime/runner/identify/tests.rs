//! What an alarm is about, found in a cluster that only a kubeconfig tells of.

use std::sync::Arc;

use super::*;
use crate::adapters::aws::alarms::describe_all;
use crate::adapters::kubernetes::connect::Source;
use crate::adapters::names::Names;
use crate::domain::observation::alarm::{AlarmRule, AlarmState, Calls, Comparison, Severity};
use crate::domain::observation::metric::MetricId;
use crate::domain::observation::scope::Scope;
use crate::rehearsal::clock::Speed;
use crate::rehearsal::scenario::load;
use crate::rehearsal::{Rehearsal, StartOptions};
use crate::runtime::clock::Clock;
use crate::runtime::inbox::Postbox;
use crate::runtime::outside::{AwsAccess, ClusterAccess, Outside};

/// Nothing is configured but a kubeconfig, whose context names a namespace.
fn unconfigured(rehearsal: &Rehearsal, folder: &std::path::Path) -> Means {
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         clusters: [{{ name: eks, cluster: {{ server: \"{}\" }} }}]\n\
         contexts: [{{ name: here, context: {{ cluster: eks, user: ana, namespace: payments }} }}]\n\
         users: [{{ name: ana, user: {{ token: t }} }}]\n",
        rehearsal.endpoints.kubernetes
    );
    let path = folder.join("kubeconfig");
    std::fs::write(&path, kubeconfig).unwrap();
    let names = rehearsal.names.clone();
    let names = Names::new(move |name| names.look_up(name));
    let aws = AwsAccess::Rehearsal { endpoint: rehearsal.endpoints.aws.clone(), names };
    let cluster = ClusterAccess::By(Source::Kubeconfig { path: Some(path), context: None });
    let scope = Scope { region: "us-east-1".into(), ..Scope::default() };
    Means {
        outside: Arc::new(Outside::new(aws, cluster, scope)),
        post: Postbox::new(mpsc::channel(100).0),
        clock: Clock::wall(),
        nudge: Arc::default(),
        failing: Arc::default(),
    }
}

#[tokio::test]
async fn a_workload_is_found_in_the_namespace_of_the_context() {
    crate::adapters::install_tls_provider();
    let options = StartOptions { speed: Speed::Max, seed: None };
    let rehearsal = crate::rehearsal::start(load("oom-leak").unwrap(), options).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let means = unconfigured(&rehearsal, folder.path());
    let alarms = describe_all(means.outside.aws().await.unwrap()).await.unwrap().alarms;
    let alarm = alarms.iter().find(|alarm| alarm.name.as_str().starts_with("my-api")).unwrap();
    let service = infer(&means, &[], alarm).await;
    let workload = service.workload.expect("the cluster of the context has it");
    assert_eq!((workload.namespace.as_str(), workload.name.as_str()), ("payments", "my-api"));
    assert_eq!(*means.outside.namespaces.borrow(), [Namespace::from("payments")], "and it is watched");
    rehearsal.stop().await;
}

#[test]
fn the_namespace_that_a_metric_names_is_looked_into_as_well() {
    let dimensions = [("Namespace".to_owned(), "payments".to_owned())].into();
    let metric = MetricId { name: "pod_cpu_utilization".to_owned(), dimensions, ..MetricId::default() };
    let mut alarm = Alarm {
        name: "cpu".into(),
        arn: String::new(),
        description: String::new(),
        state: AlarmState::Alarm,
        reason: String::new(),
        since: jiff::Timestamp::UNIX_EPOCH,
        severity: Severity::P2,
        rule: AlarmRule::Math {
            expression: "m1".to_owned(),
            comparison: Comparison::Greater,
            threshold: None,
            metrics: vec![metric],
            queries: Vec::new(),
        },
        value: None,
        evaluation: None,
        calls: Calls::default(),
    };
    let (shop, payments) = (Namespace::from("shop"), Namespace::from("payments"));
    assert_eq!(places(std::slice::from_ref(&shop), &alarm), [shop.clone(), payments.clone()]);
    assert_eq!(places(std::slice::from_ref(&payments), &alarm), [payments], "once");
    alarm.rule = AlarmRule::Composite { rule: String::new() };
    assert_eq!(places(std::slice::from_ref(&shop), &alarm), [shop]);
}
