//! Autoscalers over a cluster that is measured by a plain function: what they do, and what they say of it.

use std::collections::BTreeMap;

use super::gauge::Reading;
use super::*;
use crate::rehearsal::cluster::replica_set::is_ready;
use crate::rehearsal::cluster::spec::{AccessRule, AutoscalerSpec, WebhookSpec};
use crate::rehearsal::scenario::{Scenario, load};
use crate::rehearsal::server::cluster_of;
use crate::rehearsal::world::World;

const SCALER: Target<'static> = Target { kind: &KINDS[20], namespace: "payments", name: "my-api", subresource: None };

/// Six pods that request half a processor each, under an autoscaler at 70 %.
fn scaled(min: u32, max: u32) -> Scenario {
    let mut scenario = load("organic-growth").unwrap();
    scenario.cluster.autoscalers = vec![AutoscalerSpec {
        namespace: "payments".to_owned(),
        workload: "my-api".to_owned(),
        min,
        max,
        cpu_percent: Some(70),
        ..AutoscalerSpec::default()
    }];
    scenario
}

/// A load that keeps six ready pods at so many percent, and fewer or more of them accordingly.
fn busy(scenario: &Scenario, percent: f64) -> Cluster {
    Cluster::new(scenario, 41).measured_by(Gauge::new(move |cluster, namespace, workload| {
        let pods = cluster.store().list(row("pods"), Some(namespace)).map(|entry| entry.1);
        let ready = pods.filter(|pod| shape::name(pod).starts_with(workload) && is_ready(pod)).count();
        Reading { cpu_percent: Some(percent * 6.0 / ready as f64), memory: BTreeMap::new() }
    }))
}

fn pass(cluster: &mut Cluster, seconds: i64) {
    cluster.advance(cluster.now() + SignedDuration::from_secs(seconds));
}

fn of(cluster: &Cluster, plural: &str) -> Value {
    (**cluster.get(&Key::new(row(plural), "payments", "my-api")).unwrap()).clone()
}

/// Current and wanted replicas of the autoscaler, and those of the deployment.
fn counts(cluster: &Cluster) -> (i64, i64, i64) {
    let (scaler, target) = (of(cluster, "horizontalpodautoscalers"), of(cluster, "deployments"));
    let number = |object: &Value, pointer: &str| shape::number(object, pointer).unwrap();
    (
        number(&scaler, "/status/currentReplicas"),
        number(&scaler, "/status/desiredReplicas"),
        number(&target, "/spec/replicas"),
    )
}

fn condition(cluster: &Cluster, kind: &str) -> (String, String) {
    let scaler = of(cluster, "horizontalpodautoscalers");
    let all = scaler["status"]["conditions"].as_array().unwrap();
    let one = all.iter().find(|one| one["type"] == kind).unwrap();
    (one["status"].as_str().unwrap().to_owned(), one["reason"].as_str().unwrap().to_owned())
}

fn is(word: &str, reason: &str) -> (String, String) {
    (word.to_owned(), reason.to_owned())
}

/// Reasons and messages of the events about the autoscaler.
fn told(cluster: &Cluster) -> Vec<(String, String)> {
    let events = cluster.store().list(row("events"), Some("payments")).map(|entry| entry.1);
    let own = events.filter(|one| one.pointer("/involvedObject/kind") == Some(&json!("HorizontalPodAutoscaler")));
    let text = |one: &Value, name: &str| one[name].as_str().unwrap().to_owned();
    own.map(|one| (text(one, "reason"), text(one, "message"))).collect()
}

#[test]
fn it_scales_out_to_its_goal_and_rests_there() {
    let mut cluster = busy(&scaled(2, 12), 97.0);
    assert_eq!(counts(&cluster), (6, 6, 6), "it looks before the start and does nothing yet");
    let generation = shape::number(&of(&cluster, "deployments"), "/metadata/generation").unwrap();
    pass(&mut cluster, 15);
    assert_eq!(counts(&cluster), (6, 9, 9));
    let scaler = of(&cluster, "horizontalpodautoscalers");
    assert_eq!(scaler["status"]["lastScaleTime"], shape::stamp(cluster.now()));
    assert_eq!(scaler["status"]["observedGeneration"], scaler["metadata"]["generation"]);
    assert_eq!(
        scaler["status"]["currentMetrics"],
        json!([{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 97, "averageValue": "485m"}}}])
    );
    assert_eq!(condition(&cluster, "AbleToScale"), is("True", "SucceededRescale"));
    assert_eq!(condition(&cluster, "ScalingActive"), is("True", "ValidMetricFound"));
    let why = "New size: 9; reason: cpu resource utilization (percentage of request) above target";
    assert_eq!(told(&cluster), [("SuccessfulRescale".to_owned(), why.to_owned())]);
    let target = of(&cluster, "deployments");
    assert_eq!(shape::number(&target, "/metadata/generation"), Some(generation + 1));
    pass(&mut cluster, 600);
    assert_eq!(counts(&cluster), (9, 9, 9), "64 % is near enough");
    assert_eq!(condition(&cluster, "AbleToScale"), is("True", "ReadyForNewScale"));
    assert_eq!(condition(&cluster, "ScalingLimited"), is("False", "DesiredWithinRange"));
    assert_eq!(told(&cluster).len(), 1);
}

#[test]
fn at_its_maximum_it_says_so() {
    let mut cluster = busy(&scaled(2, 6), 97.0);
    pass(&mut cluster, 60);
    assert_eq!(counts(&cluster), (6, 6, 6));
    assert_eq!(condition(&cluster, "ScalingLimited"), is("True", "TooManyReplicas"));
    assert_eq!(told(&cluster), []);
}

#[test]
fn it_scales_in_after_five_minutes_of_quiet() {
    let mut cluster = busy(&scaled(2, 12), 30.0);
    pass(&mut cluster, 285);
    assert_eq!(counts(&cluster), (6, 6, 6));
    assert_eq!(condition(&cluster, "AbleToScale"), is("True", "ScaleDownStabilized"));
    pass(&mut cluster, 30);
    assert_eq!(counts(&cluster).2, 3);
    assert_eq!(told(&cluster)[0].1, "New size: 3; reason: All metrics below target");
}

#[test]
fn what_a_person_sets_is_set_again_within_seconds_unless_it_is_nothing() {
    let mut cluster = busy(&scaled(2, 12), 70.0);
    pass(&mut cluster, 400);
    let scale = |cluster: &mut Cluster, replicas: i64| {
        let key = Key::new(row("deployments"), "payments", "my-api");
        cluster.set_scale(&key, replicas).unwrap();
    };
    scale(&mut cluster, 3);
    pass(&mut cluster, 30);
    assert_eq!(counts(&cluster).2, 6, "three pods are twice as busy");
    scale(&mut cluster, 20);
    pass(&mut cluster, 15);
    assert_eq!(counts(&cluster).2, 12);
    assert!(
        told(&cluster)
            .iter()
            .any(|one| one.1 == "New size: 12; reason: Current number of replicas above Spec.MaxReplicas")
    );
    scale(&mut cluster, 0);
    pass(&mut cluster, 60);
    assert_eq!(counts(&cluster).2, 0);
    assert_eq!(condition(&cluster, "ScalingActive"), is("False", "ScalingDisabled"));
}

#[test]
fn nothing_measured_is_said_and_the_bounds_are_held() {
    let silent = |scenario: &Scenario| Cluster::new(scenario, 41).measured_by(Gauge::new(|_, _, _| Reading::default()));
    let no_server = "the server could not find the requested resource (get pods.metrics.k8s.io)";
    for (name, mut cluster, why) in [
        ("no server", Cluster::new(&scaled(2, 12), 41).unmeasured(), no_server),
        ("no series", silent(&scaled(2, 12)), "no metrics returned from resource metrics API"),
    ] {
        pass(&mut cluster, 60);
        assert_eq!(counts(&cluster), (6, 6, 6), "{name}");
        assert_eq!(condition(&cluster, "ScalingActive"), is("False", "FailedGetResourceMetric"), "{name}");
        let events = told(&cluster);
        assert!(events.iter().any(|one| one.0 == "FailedGetResourceMetric" && one.1.ends_with(why)), "{events:?}");
        let sum = "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ";
        let summed = events.iter().find(|one| one.0 == "FailedComputeMetricsReplicas").unwrap();
        assert!(summed.1.starts_with(sum), "{summed:?}");
        assert_eq!(of(&cluster, "horizontalpodautoscalers")["status"].get("currentMetrics"), None);
    }
    let mut cluster = Cluster::new(&scaled(8, 12), 41).unmeasured();
    pass(&mut cluster, 15);
    assert_eq!(counts(&cluster).2, 8);
}

#[test]
fn a_missing_request_a_missing_target_and_a_refusal_are_told_in_its_words() {
    let mut scenario = scaled(2, 12);
    for container in scenario.workloads.iter_mut().flat_map(|workload| &mut workload.containers) {
        (container.cpu_limit, container.cpu_request) = (None, None);
    }
    let mut cluster = busy(&scenario, 97.0);
    pass(&mut cluster, 15);
    let message = told(&cluster).into_iter().find(|one| one.0 == "FailedGetResourceMetric").unwrap().1;
    assert!(
        message.starts_with("failed to get cpu utilization: missing request for cpu in container app of Pod my-api-")
    );

    let mut scenario = scaled(2, 12);
    let rule = AccessRule {
        verbs: vec!["patch".to_owned()],
        resources: vec!["deployments/scale".to_owned()],
        ..AccessRule::default()
    };
    let webhook = WebhookSpec { name: "freeze.example.com".to_owned(), rule, ..WebhookSpec::default() };
    scenario.cluster.webhooks.push(webhook);
    let mut cluster = busy(&scenario, 97.0);
    pass(&mut cluster, 15);
    assert_eq!(counts(&cluster), (6, 6, 6));
    assert_eq!(condition(&cluster, "AbleToScale"), is("False", "FailedUpdateScale"));
    assert!(told(&cluster)[0].1.contains("; error: admission webhook \"freeze.example.com\" denied the request"));

    let mut cluster = busy(&scaled(2, 12), 97.0);
    let target = Target { kind: row("deployments"), namespace: "payments", name: "my-api", subresource: None };
    cluster.delete(target, &Value::Null, DryRun::No).unwrap();
    pass(&mut cluster, 15);
    assert_eq!(condition(&cluster, "AbleToScale"), is("False", "FailedGetScale"));
    assert_eq!(told(&cluster), [("FailedGetScale".to_owned(), "deployments.apps \"my-api\" not found".to_owned())]);
    cluster.delete(SCALER, &Value::Null, DryRun::No).unwrap();
    assert!(cluster.pilots.is_empty(), "{:?}", cluster.pilots);
}

#[test]
fn a_raised_maximum_is_used_and_a_custom_metric_says_nothing() {
    let mut cluster = busy(&scaled(2, 6), 97.0);
    pass(&mut cluster, 60);
    let raise = json!({"spec": {"maxReplicas": 12}});
    cluster.patch(SCALER, (PatchKind::Merge, &raise), DryRun::No.into()).unwrap();
    pass(&mut cluster, 15);
    assert_eq!(counts(&cluster).2, 9);
    assert_eq!(of(&cluster, "horizontalpodautoscalers")["status"]["observedGeneration"], 2);
    let queue = json!({"type": "External", "external": {
        "metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "30"},
    }});
    let metrics = json!({"spec": {"metrics": [queue]}});
    cluster.patch(SCALER, (PatchKind::Merge, &metrics), DryRun::No.into()).unwrap();
    pass(&mut cluster, 15);
    assert_eq!(condition(&cluster, "ScalingActive"), is("False", "FailedGetExternalMetric"));
}

#[test]
fn the_series_of_a_scenario_moves_it_and_more_pods_share_the_load() {
    assert_eq!(SCALER.kind, row("horizontalpodautoscalers"));
    let scenario = Arc::new(load("autoscaler-at-maximum").unwrap());
    let mut cluster = cluster_of(&Arc::new(World::new(scenario, 113).unwrap()), 113);
    let percent = |cluster: &Cluster| {
        let scaler = of(cluster, "horizontalpodautoscalers");
        shape::number(&scaler, "/status/currentMetrics/0/resource/current/averageUtilization").unwrap()
    };
    assert_eq!(told(&cluster).len(), 1, "it came to its maximum before the start");
    assert_eq!(condition(&cluster, "ScalingLimited"), is("True", "TooManyReplicas"));
    pass(&mut cluster, 60);
    assert_eq!((counts(&cluster), (92..=94).contains(&percent(&cluster))), ((6, 6, 6), true));
    cluster.patch(SCALER, (PatchKind::Merge, &json!({"spec": {"maxReplicas": 12}})), DryRun::No.into()).unwrap();
    pass(&mut cluster, 15);
    assert_eq!(counts(&cluster).2, 10);
    pass(&mut cluster, 300);
    assert_eq!((counts(&cluster), (54..=57).contains(&percent(&cluster))), ((10, 10, 10), true));
}
