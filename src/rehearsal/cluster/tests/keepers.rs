//! The keepers beside the controllers of workloads: taints, departures, jobs, endpoints, and what a pause says.

use super::*;
use crate::rehearsal::cluster::pod;

fn target(plural: &'static str, namespace: &'static str, name: &'static str) -> Target<'static> {
    Target { kind: row(plural), namespace, name, subresource: None }
}

fn create(
    cluster: &mut Cluster,
    plural: &'static str,
    namespace: &'static str,
    object: Value,
) -> Result<Value, Failure> {
    let written = cluster.create(target(plural, namespace, ""), object, DryRun::No.into())?;
    Ok((*written.object).clone())
}

fn get(cluster: &Cluster, plural: &'static str, namespace: &str, name: &str) -> Option<Value> {
    cluster.get(&Key::new(row(plural), namespace, name)).map(|object| (**object).clone())
}

fn plain_deployment(name: &str) -> Value {
    json!({"metadata": {"name": name}, "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "app", "image": "x:1",
            "ports": [{"name": "http", "containerPort": 8080}]}]}}}})
}

fn later(cluster: &mut Cluster, seconds: i64) {
    cluster.advance(cluster.now() + SignedDuration::from_secs(seconds));
}

#[test]
fn a_cordon_brings_its_taint_and_a_no_execute_throws_out_what_does_not_bear_it() {
    let mut cluster = Cluster::new(&founding(), 41);
    let nodes: Vec<String> = cluster.store().list(row("nodes"), None).map(|entry| entry.0.name.clone()).collect();
    let here = |cluster: &Cluster, node: &str| {
        let pods = all(cluster, "pods", "");
        pods.iter().filter(|pod| pod["spec"]["nodeName"] == node && !shape::is_leaving(pod)).count()
    };
    assert!(here(&cluster, &nodes[0]) > 0);
    let node = Target { kind: row("nodes"), namespace: "", name: &nodes[0], subresource: None };
    let taints = json!({"spec": {"taints": [{"key": "a", "value": "b", "effect": "NoExecute"}]}});
    patch(&mut cluster, node, &taints, DryRun::No).unwrap();
    assert_eq!(here(&cluster, &nodes[0]), 0);
    assert!(all(&cluster, "events", "").iter().any(|event| event["reason"] == "TaintManagerEviction"));
    for name in &nodes {
        let node = Target { name, ..node };
        patch(&mut cluster, node, &json!({"spec": {"unschedulable": true, "taints": null}}), DryRun::No).unwrap();
        let key = get(&cluster, "nodes", "", name).unwrap()["spec"]["taints"][0]["key"].clone();
        assert_eq!(key, "node.kubernetes.io/unschedulable");
    }
    create(&mut cluster, "deployments", "payments", plain_deployment("nowhere")).unwrap();
    later(&mut cluster, 30);
    let pods = all(&cluster, "pods", "nowhere-");
    let why = "0/3 nodes are available: 3 node(s) were unschedulable. preemption: 0/3 nodes are available: 3 Preemption is \
               not helpful for scheduling.";
    assert!(pods.iter().all(|pod| pod["status"]["conditions"][0]["message"] == why), "{}", pods[0]["status"]);
    for name in &nodes {
        patch(&mut cluster, Target { name, ..node }, &json!({"spec": {"unschedulable": null}}), DryRun::No).unwrap();
        assert_eq!(get(&cluster, "nodes", "", name).unwrap()["spec"].get("taints"), None);
    }
    later(&mut cluster, 60);
    assert_eq!(sum(&all(&cluster, "replicasets", "nowhere-"), "/status/readyReplicas"), 2);
}

#[test]
fn a_namespace_goes_after_all_that_is_in_it() {
    let mut cluster = Cluster::new(&founding(), 41);
    create(&mut cluster, "namespaces", "", json!({"metadata": {"name": "trial"}})).unwrap();
    assert!(get(&cluster, "serviceaccounts", "trial", "default").is_some());
    create(&mut cluster, "deployments", "trial", plain_deployment("web")).unwrap();
    later(&mut cluster, 60);
    cluster.delete(target("namespaces", "", "trial"), &Value::Null, DryRun::No).unwrap();
    assert_eq!(get(&cluster, "namespaces", "", "trial").unwrap()["status"]["phase"], "Terminating");
    let refused = create(&mut cluster, "configmaps", "trial", json!({"metadata": {"name": "x"}})).unwrap_err();
    let want =
        "configmaps \"x\" is forbidden: unable to create new content in namespace trial because it is being terminated";
    assert_eq!((refused.code, refused.message.as_str()), (403, want));
    later(&mut cluster, 60);
    let left = super::super::kind::KINDS.iter().flat_map(|kind| cluster.store().list(kind, Some("trial"))).count();
    assert_eq!((left, get(&cluster, "namespaces", "", "trial")), (0, None));
    let refused = cluster.delete(target("namespaces", "", "default"), &Value::Null, DryRun::No).unwrap_err();
    assert_eq!(refused.message, "namespaces \"default\" is forbidden: this namespace may not be deleted");
}

#[test]
fn a_finalizer_holds_and_an_owner_takes_its_own_with_it() {
    let mut cluster = Cluster::new(&founding(), 41);
    let held = json!({"metadata": {"name": "held", "finalizers": ["example.com/hold"]}});
    create(&mut cluster, "configmaps", "payments", held).unwrap();
    let map = target("configmaps", "payments", "held");
    cluster.delete(map, &Value::Null, DryRun::No).unwrap();
    assert!(shape::is_leaving(&get(&cluster, "configmaps", "payments", "held").unwrap()));
    patch(&mut cluster, map, &json!({"metadata": {"finalizers": null}}), DryRun::No).unwrap();
    assert_eq!(get(&cluster, "configmaps", "payments", "held"), None);

    let owner = create(&mut cluster, "deployments", "payments", plain_deployment("owner")).unwrap();
    let mark =
        json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "owner", "uid": owner["metadata"]["uid"]}]);
    let own = json!({"metadata": {"name": "own", "ownerReferences": mark}});
    create(&mut cluster, "configmaps", "payments", own).unwrap();
    later(&mut cluster, 60);
    let foreground = json!({"propagationPolicy": "Foreground"});
    cluster.delete(target("deployments", "payments", "owner"), &foreground, DryRun::No).unwrap();
    let waiting = get(&cluster, "deployments", "payments", "owner").unwrap();
    assert_eq!(waiting["metadata"]["finalizers"], json!(["foregroundDeletion"]));
    assert_eq!(all(&cluster, "pods", "owner-").len(), 2, "with their grace");
    later(&mut cluster, 60);
    assert_eq!(get(&cluster, "deployments", "payments", "owner"), None);
    assert!(all(&cluster, "pods", "owner-").is_empty() && all(&cluster, "replicasets", "owner-").is_empty());
    assert_eq!(get(&cluster, "configmaps", "payments", "own"), None);
}

#[test]
fn a_job_runs_its_pod_and_is_done() {
    let mut cluster = Cluster::new(&founding(), 41);
    let container = json!({"name": "work", "image": "x:1"});
    let template = json!({"spec": {"restartPolicy": "Never", "containers": [container]}});
    let job =
        create(&mut cluster, "jobs", "payments", json!({"metadata": {"name": "j"}, "spec": {"template": template}}));
    let job = job.unwrap();
    assert_eq!((&job["spec"]["completions"], &job["spec"]["backoffLimit"]), (&json!(1), &json!(6)));
    later(&mut cluster, 3);
    let job = get(&cluster, "jobs", "payments", "j").unwrap();
    assert_eq!((&job["status"]["active"], job["status"].get("conditions")), (&json!(1), None));
    later(&mut cluster, 30);
    let job = get(&cluster, "jobs", "payments", "j").unwrap();
    assert_eq!(condition(&job, "Complete"), ("True".to_owned(), "CompletionsReached".to_owned()));
    let pods = all(&cluster, "pods", "j-");
    assert_eq!((pods.len(), &pods[0]["status"]["phase"]), (1, &json!("Succeeded")));
    assert_eq!(pods[0]["status"]["containerStatuses"][0]["state"]["terminated"]["reason"], "Completed");
    cluster.delete(target("jobs", "payments", "j"), &Value::Null, DryRun::No).unwrap();
    later(&mut cluster, 30);
    assert!(all(&cluster, "pods", "j-").is_empty());
}

#[test]
fn a_service_has_the_endpoints_of_its_ready_pods() {
    let mut cluster = Cluster::new(&founding(), 41);
    create(&mut cluster, "deployments", "payments", plain_deployment("web")).unwrap();
    let service = json!({"metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": "http"}]}});
    create(&mut cluster, "services", "payments", service).unwrap();
    assert_eq!(get(&cluster, "endpoints", "payments", "web").unwrap().get("subsets"), None, "none has started");
    later(&mut cluster, 60);
    let older = get(&cluster, "endpoints", "payments", "web").unwrap();
    assert_eq!(older["subsets"][0]["addresses"].as_array().map(Vec::len), Some(2));
    assert_eq!(older["subsets"][0]["ports"], json!([{"port": 8080, "protocol": "TCP"}]));
    let slice = all(&cluster, "endpointslices", "web-").remove(0);
    let ready = |slice: &Value| {
        let all = slice["endpoints"].as_array().unwrap();
        all.iter().filter(|one| one["conditions"]["ready"] == true).count()
    };
    assert_eq!((ready(&slice), &slice["kind"]), (2, &json!("EndpointSlice")));
    cluster.delete(target("services", "payments", "web"), &Value::Null, DryRun::No).unwrap();
    assert!(all(&cluster, "endpointslices", "web-").is_empty());
    assert_eq!(get(&cluster, "endpoints", "payments", "web"), None);
}

#[test]
fn a_pause_and_its_end_are_told_by_the_progress() {
    let mut cluster = Cluster::new(&founding(), 41);
    for (paused, want) in [(true, ("Unknown", "DeploymentPaused")), (false, ("True", "NewReplicaSetAvailable"))] {
        patch(&mut cluster, MY_API, &json!({"spec": {"paused": paused}}), DryRun::No).unwrap();
        later(&mut cluster, 300);
        let said = condition(&deployment(&cluster), "Progressing");
        assert_eq!((said.0.as_str(), said.1.as_str()), want);
        if paused {
            patch(&mut cluster, MY_API, &limit("768Mi"), DryRun::No).unwrap();
        }
    }
}

/// What was there before the rehearsal says so: nothing of it became so at the page.
#[test]
fn the_past_of_a_founded_cluster_agrees_with_itself() {
    let scenario = founding();
    let cluster = Cluster::new(&scenario, 41);
    let start = shape::stamp(scenario.start);
    let pods = all(&cluster, "pods", "my-api-");
    for object in pods.iter().chain([&deployment(&cluster)]) {
        for condition in object["status"]["conditions"].as_array().unwrap() {
            assert_ne!(condition["lastTransitionTime"], start, "{condition}");
        }
    }
    let since = |pod: &Value| {
        let all = pod["status"]["conditions"].as_array().unwrap();
        let ready = all.iter().find(|one| one["type"] == "Ready" && one["status"] == "True");
        ready.map(|ready| ready["lastTransitionTime"].as_str().unwrap().to_owned())
    };
    for pod in &pods {
        let started = shape::text(pod, "/status/containerStatuses/0/state/running/startedAt");
        assert!(since(pod).is_none_or(|since| Some(since.as_str()) > started), "{}", pod["status"]);
    }
    let born = |object: &Value| object["metadata"]["creationTimestamp"].as_str().unwrap().to_owned();
    let youngest_node = cluster.store().list(row("nodes"), None).map(|entry| born(entry.1)).max().unwrap();
    let oldest_pod = all(&cluster, "pods", "").iter().map(born).min().unwrap();
    let space = born(&get(&cluster, "namespaces", "", "payments").unwrap());
    assert!(space < youngest_node && youngest_node < oldest_pod, "{space} {youngest_node} {oldest_pod}");
}

#[test]
fn a_kill_before_the_start_leaves_the_words_of_the_kubelet() {
    let cluster = Cluster::new(&founding(), 41);
    let counted = |reason: &str| {
        let events = all(&cluster, "events", "my-api-");
        sum(&events.into_iter().filter(|event| event["reason"] == reason).collect::<Vec<_>>(), "/count")
    };
    assert_eq!((counted("OOMKilling"), counted("Pulled"), counted("Started")), (14, 14, 14));
    // Six pods are killed for the first time, and restarted at once.
    assert_eq!(counted("BackOff"), 8);
    let pod = json!({"metadata": {"name": "p", "namespace": "n", "uid": "u"}});
    assert_eq!(pod::told_of_back_off(&pod, "app").2, "Back-off restarting failed container app in pod p_n(u)");
}

#[test]
fn a_number_typed_too_long_fills_the_store_and_no_machine() {
    let mut cluster = Cluster::new(&founding(), 41);
    cluster.most_pods = 300;
    let mut crowd = plain_deployment("crowd");
    crowd["spec"]["replicas"] = json!(1_000_000);
    create(&mut cluster, "deployments", "payments", crowd).unwrap();
    later(&mut cluster, 30);
    assert_eq!(all(&cluster, "pods", "").len(), 300);
    let set = &all(&cluster, "replicasets", "crowd-")[0];
    assert_eq!(set["status"]["conditions"][0]["message"], "etcdserver: mvcc: database space exceeded");
    let waiting = all(&cluster, "pods", "crowd-").into_iter().filter(|pod| pod["spec"].get("nodeName").is_none());
    let told = waiting.map(|pod| pod["status"]["conditions"][0]["message"].to_string());
    let told: std::collections::BTreeSet<String> = told.collect();
    assert_eq!(told.len(), 1, "all of them wait for the same: {told:?}");
    assert!(told.first().unwrap().contains("Too many pods"), "{told:?}");
}
