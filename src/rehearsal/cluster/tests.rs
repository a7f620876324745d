//! The world by itself: founding, rollouts, kills and refusals, step by step and without a wire.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Cluster;
use super::failure::Failure;
use super::kind::{Subresource, row};
use super::life::Fate;
use super::patch::PatchKind;
use super::shape;
use super::spec::{AccessRule, QuotaSpec, WebhookSays, WebhookSpec};
use super::store::Key;
use super::write::Target;
use crate::rehearsal::behaviour::LifeEnd;
use crate::rehearsal::ledger::DryRun;
use crate::rehearsal::scenario::{Quantity, Regime, Scenario, load};

mod keepers;

const MY_API: Target<'static> =
    Target { kind: &super::kind::KINDS[17], namespace: "payments", name: "my-api", subresource: None };

fn founding() -> Scenario {
    load("oom-leak").unwrap()
}

fn restart(at: &str) -> Value {
    json!({"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": at}}}}})
}

fn limit(memory: &str) -> Value {
    let resources = json!({"limits": {"memory": memory}, "requests": {"memory": memory}});
    json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "resources": resources}]}}}})
}

fn patch(cluster: &mut Cluster, target: Target<'_>, patch: &Value, dry_run: DryRun) -> Result<Value, Failure> {
    let written = cluster.patch(target, (PatchKind::Strategic, patch), dry_run.into())?;
    Ok((*written.object).clone())
}

fn all(cluster: &Cluster, plural: &str, name_starts: &str) -> Vec<Value> {
    let listed = cluster.store().list(row(plural), Some("payments"));
    listed.filter(|entry| entry.0.name.starts_with(name_starts)).map(|entry| (**entry.1).clone()).collect()
}

fn deployment(cluster: &Cluster) -> Value {
    (**cluster.get(&Key::new(row("deployments"), "payments", "my-api")).unwrap()).clone()
}

fn condition(object: &Value, kind: &str) -> (String, String) {
    let all = object["status"]["conditions"].as_array().unwrap();
    let one = all.iter().find(|one| one["type"] == kind).unwrap();
    (one["status"].as_str().unwrap().to_owned(), one["reason"].as_str().unwrap_or_default().to_owned())
}

fn sum(objects: &[Value], pointer: &str) -> i64 {
    objects.iter().map(|object| shape::number(object, pointer).unwrap_or(0)).sum()
}

/// Advances by single changes until nothing is due before the instant, looking at the world after each.
fn play(cluster: &mut Cluster, until: Timestamp, mut look: impl FnMut(&Cluster)) {
    while let Some(at) = cluster.next_change().filter(|at| *at <= until) {
        cluster.advance(at);
        look(cluster);
    }
    cluster.advance(until);
}

#[test]
fn the_target_of_these_tests_is_the_deployment() {
    assert_eq!(MY_API.kind, row("deployments"));
}

#[test]
fn a_founded_cluster_tells_the_same_kills_by_status_and_by_events() {
    let cluster = Cluster::new(&founding(), 41);
    let pods = all(&cluster, "pods", "my-api-");
    assert_eq!(pods.len(), 6);
    let down = pods
        .iter()
        .filter(|pod| pod.pointer("/status/containerStatuses/0/state/running").is_none())
        .map(|_| 1)
        .sum::<i64>();
    assert_eq!(sum(&pods, "/status/containerStatuses/0/restartCount") + down, 14);
    for pod in pods.iter().filter(|pod| pod["status"]["containerStatuses"][0]["restartCount"] != 0) {
        assert_eq!(pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["reason"], "OOMKilled");
        assert_eq!(pod["status"]["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 137);
    }
    let events = all(&cluster, "events", "my-api-");
    let kills: Vec<Value> = events.into_iter().filter(|event| event["reason"] == "OOMKilling").collect();
    assert_eq!(sum(&kills, "/count"), 14);
    let shown = deployment(&cluster);
    assert_eq!(shape::annotation(&shown, "deployment.kubernetes.io/revision"), Some("41"));
    assert_eq!(condition(&shown, "Progressing"), ("True".to_owned(), "NewReplicaSetAvailable".to_owned()));
    assert_eq!(shown["status"]["observedGeneration"], shown["metadata"]["generation"]);
    assert!(all(&cluster, "replicasets", "my-api-").len() >= 2, "there is a revision to go back to");
}

#[test]
fn a_restart_rolls_within_surge_and_ends_with_fresh_lives() {
    let mut cluster = Cluster::new(&founding(), 41);
    let began = cluster.now();
    let before = deployment(&cluster);
    let answer = patch(&mut cluster, MY_API, &restart("2026-05-01T09:31:00Z"), DryRun::No).unwrap();
    assert_eq!(answer["metadata"]["generation"], before["metadata"]["generation"].as_i64().unwrap() + 1);
    cluster.advance(began);
    assert_eq!(deployment(&cluster)["status"], before["status"], "the controller has not looked yet");
    let (mut most, mut done_at) = (0, None);
    play(&mut cluster, began + SignedDuration::from_mins(5), |world| {
        let staying = all(world, "pods", "my-api-").iter().filter(|pod| !shape::is_leaving(pod)).count();
        most = most.max(staying);
        if done_at.is_none() && condition(&deployment(world), "Progressing").1 == "NewReplicaSetAvailable" {
            done_at = Some(world.now());
        }
    });
    assert_eq!(most, 8, "25 % of 6 rounds up to a surge of 2");
    let took = done_at.unwrap().duration_since(began).as_secs();
    assert!((15..120).contains(&took), "{took} s");
    let shown = deployment(&cluster);
    assert_eq!(shape::annotation(&shown, "deployment.kubernetes.io/revision"), Some("42"));
    assert_eq!((&shown["status"]["replicas"], &shown["status"]["availableReplicas"]), (&json!(6), &json!(6)));
    let target = founding().workload("my-api").unwrap().target();
    let lives = cluster.lives(&target);
    assert_eq!(lives.iter().filter(|life| life.end == Some(LifeEnd::OomKilled)).count(), 14);
    let open: Vec<_> = lives.iter().filter(|life| life.ended_at.is_none()).collect();
    assert_eq!(open.len(), 6);
    assert!(open.iter().all(|life| life.pod_created_at >= began));
    let reasons: Vec<Value> = all(&cluster, "events", "my-api").iter().map(|event| event["reason"].clone()).collect();
    for reason in ["ScalingReplicaSet", "SuccessfulCreate", "Scheduled", "Started", "Killing"] {
        assert!(reasons.contains(&json!(reason)), "{reason}");
    }
}

#[test]
fn going_back_takes_up_the_old_replica_set_under_a_new_revision() {
    let mut cluster = Cluster::new(&founding(), 41);
    let target = founding().workload("my-api").unwrap().target();
    let before = deployment(&cluster);
    patch(&mut cluster, MY_API, &limit("768Mi"), DryRun::No).unwrap();
    cluster.advance(cluster.now() + SignedDuration::from_mins(3));
    assert_eq!(cluster.memory_limit(&target, "app"), Some(768 << 20));
    let count = all(&cluster, "replicasets", "my-api-").len();
    let back = json!([{"op": "replace", "path": "/spec/template", "value": before["spec"]["template"]}]);
    cluster.patch(MY_API, (PatchKind::Json, &back), DryRun::No.into()).unwrap();
    cluster.advance(cluster.now() + SignedDuration::from_mins(3));
    let sets = all(&cluster, "replicasets", "my-api-");
    assert_eq!(sets.len(), count, "no new replica set");
    let serving = sets.iter().find(|set| set["spec"]["replicas"] == 6).unwrap();
    assert_eq!(shape::annotation(serving, "deployment.kubernetes.io/revision"), Some("43"));
    assert_eq!(shape::annotation(serving, "deployment.kubernetes.io/revision-history"), Some("41"));
    assert_eq!(cluster.memory_limit(&target, "app"), Some(512 << 20));
}

#[test]
fn a_dry_run_answers_as_the_write_would_and_leaves_no_trace() {
    let mut cluster = Cluster::new(&founding(), 41);
    let (revision, next, before) = (cluster.store().revision(), cluster.next_change(), deployment(&cluster));
    let rehearsed = patch(&mut cluster, MY_API, &limit("1Gi"), DryRun::All).unwrap();
    assert_eq!(rehearsed["metadata"]["generation"], before["metadata"]["generation"].as_i64().unwrap() + 1);
    assert_eq!(rehearsed["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
    let scale = Target { subresource: Some(Subresource::Scale), ..MY_API };
    assert_eq!(
        patch(&mut cluster, scale, &json!({"spec": {"replicas": 9}}), DryRun::All).unwrap()["spec"]["replicas"],
        9
    );
    let pods = row("pods");
    let name = shape::name(&all(&cluster, "pods", "my-api-")[0]).to_owned();
    let pod = Target { kind: pods, namespace: "payments", name: &name, subresource: None };
    cluster.delete(pod, &Value::Null, DryRun::All).unwrap();
    let map = Target { kind: row("configmaps"), namespace: "payments", name: "", subresource: None };
    cluster.create(map, json!({"metadata": {"name": "x"}}), DryRun::All.into()).unwrap();
    assert_eq!((cluster.store().revision(), cluster.next_change()), (revision, next));
    assert_eq!(deployment(&cluster), before);
    let real = patch(&mut cluster, MY_API, &limit("1Gi"), DryRun::No).unwrap();
    assert_eq!(real["spec"], rehearsed["spec"], "the rehearsal was true");
}

#[test]
fn refusals_carry_the_code_and_reason_of_the_api_server() {
    let mut cluster = Cluster::new(&founding(), 41);
    let mut stale = restart("x");
    stale["metadata"] = json!({"resourceVersion": "7"});
    let mut stranger = restart("x");
    stranger["metadata"] = json!({"uid": "someone-else"});
    let lost = Target { name: "nobody", ..MY_API };
    let malformed = json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "resources": {"limits": {"memory": "much"}}}]}}}});
    for (target, body, want) in [
        (MY_API, &stale, (409, "Conflict")),
        (MY_API, &stranger, (409, "Conflict")),
        (lost, &restart("x"), (404, "NotFound")),
        (MY_API, &json!({"spec": {"replicas": -1}}), (422, "Invalid")),
        (MY_API, &malformed, (422, "Invalid")),
    ] {
        for dry_run in [DryRun::All, DryRun::No] {
            let refused = patch(&mut cluster, target, body, dry_run).unwrap_err();
            assert_eq!((refused.code, refused.reason), want, "{}", refused.message);
        }
    }
    let taken = Target { kind: row("namespaces"), namespace: "", name: "", subresource: None };
    let refused = cluster.create(taken, json!({"metadata": {"name": "payments"}}), DryRun::No.into()).unwrap_err();
    assert_eq!((refused.code, refused.reason), (409, "AlreadyExists"));
}

#[test]
fn webhooks_deny_and_those_with_side_effects_refuse_a_dry_run() {
    let rule =
        AccessRule { verbs: vec!["*".to_owned()], resources: vec!["deployments".to_owned()], ..AccessRule::default() };
    for (says, dry_run, want) in [
        (WebhookSays::Denies, DryRun::No, Some((403, "denied the request: freeze"))),
        (WebhookSays::Denies, DryRun::All, Some((403, "denied the request: freeze"))),
        (WebhookSays::AllowsWithSideEffects, DryRun::All, Some((400, "does not support dry run"))),
        (WebhookSays::AllowsWithSideEffects, DryRun::No, None),
    ] {
        let mut scenario = founding();
        let (name, message) = ("policy.example.com".to_owned(), "freeze".to_owned());
        scenario.cluster.webhooks = vec![WebhookSpec { name, rule: rule.clone(), says, message }];
        let mut cluster = Cluster::new(&scenario, 1);
        let answer = patch(&mut cluster, MY_API, &restart("x"), dry_run).err();
        assert_eq!(answer.as_ref().map(|refused| refused.code), want.map(|want| want.0));
        assert!(answer.is_none_or(|refused| refused.message.ends_with(want.unwrap().1)));
    }
}

#[test]
fn a_quota_lets_the_patch_through_and_stops_the_pods() {
    let mut scenario = founding();
    let (namespace, name) = ("payments".to_owned(), "memory".to_owned());
    scenario.cluster.quotas = vec![QuotaSpec { namespace, name, memory_limits: Some(Quantity(1 << 30)), pods: None }];
    let mut cluster = Cluster::new(&scenario, 1);
    patch(&mut cluster, MY_API, &restart("x"), DryRun::No).unwrap();
    cluster.advance(cluster.now() + SignedDuration::from_secs(30));
    assert_eq!(condition(&deployment(&cluster), "ReplicaFailure").1, "FailedCreate");
    let events = all(&cluster, "events", "my-api-");
    let refused = events.iter().find(|event| event["reason"] == "FailedCreate").unwrap();
    assert!(refused["message"].as_str().unwrap().contains("exceeded quota: memory"), "{refused}");
}

#[test]
fn a_limit_that_fits_no_node_leaves_pods_pending_until_the_deadline() {
    let mut scenario = founding();
    // A killed pod that comes back counts as progress, as it does in a real controller: here none is killed.
    for workload in &mut scenario.workloads {
        workload.memory = Regime::Flat { level: 40.0, noise: 0.0 };
    }
    let mut cluster = Cluster::new(&scenario, 41);
    patch(&mut cluster, MY_API, &limit("64Gi"), DryRun::No).unwrap();
    cluster.advance(cluster.now() + SignedDuration::from_mins(1));
    let pending: Vec<Value> =
        all(&cluster, "pods", "my-api-").into_iter().filter(|pod| pod["status"]["phase"] == "Pending").collect();
    assert!(!pending.is_empty());
    assert_eq!(condition(&pending[0], "PodScheduled"), ("False".to_owned(), "Unschedulable".to_owned()));
    assert!(all(&cluster, "events", "my-api-").iter().any(|event| event["reason"] == "FailedScheduling"));
    cluster.advance(cluster.now() + SignedDuration::from_mins(30));
    assert_eq!(condition(&deployment(&cluster), "Progressing").1, "ProgressDeadlineExceeded");
}

#[test]
fn a_killed_container_waits_longer_each_time_and_is_counted() {
    let mut scenario = founding();
    scenario.workloads.retain(|workload| workload.name == "my-api");
    let mut cluster = Cluster::new(&scenario, 41);
    cluster.fate = Fate::new(|_, _, life| Some((life.started_at + SignedDuration::from_secs(20), LifeEnd::OomKilled)));
    patch(&mut cluster, MY_API, &json!({"spec": {"replicas": 1}}), DryRun::No).unwrap();
    patch(&mut cluster, MY_API, &restart("x"), DryRun::No).unwrap();
    let mut waits = Vec::new();
    play(&mut cluster, scenario.start + SignedDuration::from_mins(6), |world| {
        for pod in all(world, "pods", "my-api-")
            .iter()
            .filter(|pod| shape::text(pod, "/metadata/creationTimestamp") >= Some("2026-05-01T09:31"))
        {
            let said = shape::text(pod, "/status/containerStatuses/0/state/waiting/message").unwrap_or_default();
            let wait = said.split_whitespace().nth(1).filter(|_| said.starts_with("back-off")).map(str::to_owned);
            waits.extend(wait);
        }
    });
    waits.dedup();
    assert!(waits.starts_with(&["10s".to_owned(), "20s".to_owned(), "40s".to_owned()]), "{waits:?}");
}

#[test]
fn a_probe_that_fails_kills_with_137_and_is_no_want_of_memory() {
    let mut scenario = founding();
    let my_api = &mut scenario.workloads[0];
    let Regime::Leak { kills, .. } = my_api.memory.clone() else { panic!("the founding workload leaks") };
    my_api.memory = Regime::Hangs { level: 50.0, noise: 0.0, kills };
    let cluster = Cluster::new(&scenario, 41);
    let pods = all(&cluster, "pods", "my-api-");
    let last = "/status/containerStatuses/0/lastState/terminated";
    assert_eq!(sum(&pods, &format!("{last}/exitCode")), 6 * 137);
    assert!(pods.iter().all(|pod| shape::text(pod, &format!("{last}/reason")) == Some("Error")));
    assert!(deployment(&cluster).pointer("/spec/template/spec/containers/0/livenessProbe/httpGet").is_some());
    let events = all(&cluster, "events", "my-api-");
    let counted = |reason: &str| {
        let own: Vec<Value> = events.iter().filter(|event| event["reason"] == reason).cloned().collect();
        sum(&own, "/count")
    };
    assert_eq!((counted("Unhealthy"), counted("Killing"), counted("OOMKilling")), (14, 14, 0));
}

#[test]
fn exported_pods_stay_as_they_were_until_a_rollout_replaces_them() {
    let mut scenario = founding();
    let waiting = json!({"name": "app", "ready": false, "restartCount": 6, "image": "", "imageID": "",
        "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {}});
    for name in ["my-api-5d9f8-aaaaa", "my-api-5d9f8-bbbbb"] {
        scenario.cluster.objects.push(json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "payments"},
            "status": {"phase": "Running", "containerStatuses": [waiting]},
        }));
    }
    let mut cluster = Cluster::new(&scenario, 41);
    for minutes in [0, 20] {
        cluster.advance(scenario.start + SignedDuration::from_mins(minutes));
        let pods = all(&cluster, "pods", "my-api-");
        assert_eq!(sum(&pods, "/status/containerStatuses/0/restartCount"), 12);
        assert_eq!((pods.len(), deployment(&cluster)["status"]["readyReplicas"].as_i64()), (2, None), "of 6 wanted");
    }
    patch(&mut cluster, MY_API, &restart("x"), DryRun::No).unwrap();
    cluster.advance(cluster.now() + SignedDuration::from_mins(5));
    assert_eq!(deployment(&cluster)["status"]["readyReplicas"], 6);
    assert_eq!(all(&cluster, "pods", "my-api-5d9f8").len(), 0);
}

/// A world whose third node is not ready since so long before the start.
fn with_a_lost_node(ago: SignedDuration) -> Scenario {
    let mut scenario = load("node-not-ready").unwrap();
    scenario.nodes[2].not_ready = Some(-ago);
    scenario
}

fn on_the_lost_node(cluster: &Cluster) -> Vec<Value> {
    let lost = "ip-10-0-13-140.ec2.internal";
    let pods = all(cluster, "pods", "my-api-");
    pods.into_iter().filter(|pod| shape::text(pod, "/spec/nodeName") == Some(lost)).collect()
}

#[test]
fn a_lost_node_keeps_its_pods_and_others_are_made_where_there_is_room() {
    let mut cluster = Cluster::new(&with_a_lost_node(SignedDuration::from_mins(9)), 1);
    let lost = on_the_lost_node(&cluster);
    assert_eq!(lost.len(), 2);
    for pod in &lost {
        assert!(shape::is_leaving(pod), "{pod}");
        assert_eq!((condition(pod, "Ready").0, condition(pod, "ContainersReady").0), ("False".into(), "True".into()));
    }
    assert_eq!(deployment(&cluster)["status"]["readyReplicas"], 5, "one found a place before the start");
    cluster.advance(cluster.now() + SignedDuration::from_mins(30));
    assert_eq!(on_the_lost_node(&cluster).len(), 2, "nobody hears of their end");
    assert_eq!(deployment(&cluster)["status"]["readyReplicas"], 5);
    let name = shape::name(&lost[0]).to_owned();
    let pod = Target { kind: row("pods"), name: &name, ..MY_API };
    cluster.delete(pod, &json!({"gracePeriodSeconds": 0}), DryRun::No).unwrap();
    assert_eq!(on_the_lost_node(&cluster).len(), 1, "by force it goes");
}

#[test]
fn pods_of_a_lost_node_are_given_up_after_five_minutes() {
    let mut cluster = Cluster::new(&with_a_lost_node(SignedDuration::from_mins(2)), 1);
    let told = |cluster: &Cluster, reason: &str| {
        all(cluster, "events", "my-api-").iter().filter(|event| event["reason"] == reason).count()
    };
    assert!(on_the_lost_node(&cluster).iter().all(|pod| !shape::is_leaving(pod)));
    assert_eq!(deployment(&cluster)["status"]["readyReplicas"], 4);
    assert_eq!((told(&cluster, "NodeNotReady"), told(&cluster, "TaintManagerEviction")), (2, 0));
    cluster.advance(cluster.now() + SignedDuration::from_secs(181));
    assert!(on_the_lost_node(&cluster).iter().all(shape::is_leaving));
    assert_eq!(told(&cluster, "TaintManagerEviction"), 2);
    cluster.advance(cluster.now() + SignedDuration::from_mins(1));
    assert_eq!(deployment(&cluster)["status"]["readyReplicas"], 5, "a third node has room for one");
}

#[test]
fn a_drained_node_has_none_of_the_pods_and_is_closed() {
    let cluster = Cluster::new(&load("node-drained").unwrap(), 1);
    assert!(on_the_lost_node(&cluster).is_empty());
    assert_eq!(deployment(&cluster)["status"]["readyReplicas"], 6);
    let node = cluster.get(&Key::new(row("nodes"), "", "ip-10-0-13-140.ec2.internal")).unwrap();
    assert_eq!(node["spec"]["unschedulable"], true);
    let moved = all(&cluster, "pods", "my-api-");
    let young = moved.iter().filter(|pod| shape::text(pod, "/metadata/creationTimestamp") >= Some("2026-05-01T09:12"));
    assert_eq!(young.count(), 2);
}

#[test]
fn scaling_and_deleting_take_pods_away() {
    let mut cluster = Cluster::new(&founding(), 41);
    let scale = Target { subresource: Some(Subresource::Scale), ..MY_API };
    patch(&mut cluster, scale, &json!({"spec": {"replicas": 2}}), DryRun::No).unwrap();
    cluster.advance(cluster.now() + SignedDuration::from_mins(1));
    assert_eq!(all(&cluster, "pods", "my-api-").len(), 2);
    assert_eq!(shape::annotation(&deployment(&cluster), "deployment.kubernetes.io/revision"), Some("41"));
    cluster.delete(MY_API, &Value::Null, DryRun::No).unwrap();
    cluster.advance(cluster.now() + SignedDuration::from_mins(1));
    assert!(all(&cluster, "pods", "my-api-").is_empty() && all(&cluster, "replicasets", "my-api-").is_empty());
}

#[test]
fn the_same_seed_and_calls_make_the_same_world() {
    let world = |seed| {
        let mut cluster = Cluster::new(&founding(), seed);
        patch(&mut cluster, MY_API, &restart("x"), DryRun::No).unwrap();
        cluster.advance(cluster.now() + SignedDuration::from_mins(20));
        let objects = super::kind::KINDS.iter().flat_map(|kind| cluster.store().list(kind, None));
        objects.map(|entry| entry.1.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(world(3), world(3));
    assert_ne!(world(3), world(4));
}
