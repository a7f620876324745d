//! What an alarm is about, found in a cluster that only a kubeconfig tells of.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::adapters::aws::alarms::describe_all;
use crate::adapters::kubernetes::connect::{Around, Source};
use crate::adapters::names::Names;
use crate::domain::observation::alarm::{AlarmRule, AlarmState, Calls, Comparison, Severity, fixture};
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
    let names = rehearsal.names.clone();
    let aws = (rehearsal.endpoints.aws.as_str(), Names::new(move |name| names.look_up(name)));
    means_of(aws, &rehearsal.endpoints.kubernetes, folder)
}

fn means_of((endpoint, names): (&str, Names), kubernetes: &str, folder: &std::path::Path) -> Means {
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         clusters: [{{ name: eks, cluster: {{ server: \"{kubernetes}\" }} }}]\n\
         contexts: [{{ name: here, context: {{ cluster: eks, user: ana, namespace: payments }} }}]\n\
         users: [{{ name: ana, user: {{ token: t }} }}]\n"
    );
    let path = folder.join("kubeconfig");
    std::fs::write(&path, kubeconfig).unwrap();
    let aws = AwsAccess::Rehearsal { endpoint: endpoint.to_owned(), names };
    let cluster = ClusterAccess::By(Source::Kubeconfig { path: Some(path), context: None, around: Around::default() });
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
    let service = infer(&means, &[], alarm, &mut Looked::default()).await;
    let workload = service.workload.expect("the cluster of the context has it");
    assert_eq!((workload.namespace.as_str(), workload.name.as_str()), ("payments", "my-api"));
    assert_eq!(*means.outside.namespaces.borrow(), [Namespace::from("payments")], "and it is watched");
    rehearsal.stop().await;
}

/// The cluster accepts and stays silent, on the very night: patience ends once for a storm, not once an alarm.
#[tokio::test]
async fn a_storm_does_not_wait_for_a_silent_cluster_alarm_by_alarm() {
    crate::adapters::install_tls_provider();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let nowhere = ("http://127.0.0.1:9", Names::new(|_| Ok([127, 0, 0, 1].into())));
    let means = means_of(nowhere, &format!("http://{}", silent.local_addr().unwrap()), folder.path());
    let (alarms, queue) = mpsc::unbounded_channel();
    for n in 0..20 {
        let alarm = Alarm { name: format!("worker-{n}-backlog").as_str().into(), ..fixture::any("one") };
        alarms.send((alarm, means.clock.busy().flight())).unwrap();
    }
    drop(alarms);
    let asked = Arc::new(AtomicU32::new(0));
    let accepting = async {
        let mut held = Vec::new();
        loop {
            held.push(silent.accept().await.unwrap());
            asked.fetch_add(1, Ordering::SeqCst);
        }
    };
    tokio::select! {
        () = identify_all(means, Vec::new(), queue) => {}
        () = accepting => {}
    }
    // Once before the context's namespace is known and once after, each by one connection a kind of workload.
    assert!((1..20).contains(&asked.load(Ordering::SeqCst)), "{asked:?}");
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
