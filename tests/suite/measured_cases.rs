//! Incidents and faults that were made elsewhere, given to the program as exported files: run with `PAGERDECK_DATA` naming
//! their folder, skipped without it. Prints what came out; asserts only what must never happen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use pagerdeck::runtime::exported::{self, Files};
use serde_json::{Value, json};

use super::measured::tell;
use super::skipped::data;

/// What the program made of an incident's files.
struct Found {
    cause: String,
    conclusive: bool,
    fix: String,
    offered: Vec<String>,
    why: String,
}

fn judged(files: &Files) -> Found {
    let read = exported::read(files).unwrap();
    let object: Value = serde_json::from_str(&exported::json(&read)).unwrap();
    let first = &object["verdict"]["ranked"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let offers = object["offers"].as_array().unwrap().iter();
    Found {
        cause: text(&first["cause"]),
        conclusive: object["verdict"]["conclusive"] == true,
        fix: text(&object["fix"]),
        offered: offers
            .filter(|offer| offer["sufficiency"]["is"] == "sufficient")
            .map(|offer| text(&offer["remedy"]))
            .collect(),
        why: text(&first["findings"][0]["text"]),
    }
}

fn value(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

fn names(folder: &Path) -> Vec<PathBuf> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    names
}

/// The files of an incident, those of its base where it has none of its own.
fn layered(case: &Path) -> BTreeMap<String, PathBuf> {
    let scenario = yaml(&case.join("scenario.yml"));
    let base = scenario["base"].as_str().map(|base| case.parent().unwrap().join(base));
    let own = names(case);
    let replaces = |name: &str| {
        let all = name.starts_with("aws_cloudwatch_metrics");
        all && own.iter().any(|path| path.file_name().is_some_and(|own| own == "aws_cloudwatch_metrics.json"))
    };
    let inherited = base.map(|base| names(&base)).unwrap_or_default().into_iter();
    let mut files: BTreeMap<String, PathBuf> = inherited.map(|path| (name(&path), path)).collect();
    files.retain(|name, _| !replaces(name));
    files.extend(own.iter().map(|path| (name(path), path.clone())));
    files
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn yaml(path: &Path) -> Value {
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap_or_default()).unwrap_or(Value::Null)
}

/// Pods, deployments and events in the words of the API.
fn objects(files: &BTreeMap<String, PathBuf>) -> Vec<Value> {
    let read = |name: &str| files.get(name).map_or(Value::Null, |path| value(path));
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut objects = Vec::new();
    for one in list(&read("eks_deployments.json")["deployments"]) {
        objects.push(json!({ "kind": "Deployment", "metadata": { "name": one["name"], "namespace": one["namespace"] },
            "spec": { "replicas": one["desired"], "selector": {}, "template": {} },
            "status": { "readyReplicas": one["ready"], "availableReplicas": one["available"] } }));
    }
    for one in list(&read("eks_pods.json")["pods"]) {
        let statuses: Vec<Value> = list(&one["containers"]).iter().map(container).collect();
        objects.push(json!({ "kind": "Pod",
            "metadata": { "name": one["name"], "namespace": one["namespace"], "creationTimestamp": one["start_time"],
                          "deletionTimestamp": one["deletion_timestamp"] },
            "spec": { "nodeName": one["node_name"], "containers": [] },
            "status": { "phase": one["phase"], "containerStatuses": statuses } }));
    }
    for (nth, one) in list(&read("eks_events.json")["warning_events"]).iter().enumerate() {
        let (kind, about) = one["involved_object"].as_str().unwrap_or_default().split_once('/').unwrap_or_default();
        objects.push(
            json!({ "kind": "Event", "metadata": { "name": format!("e{nth}"), "namespace": one["namespace"] },
            "involvedObject": { "kind": kind, "name": about }, "type": one["type"], "reason": one["reason"],
            "message": one["message"], "count": one["count"],
            "firstTimestamp": one["first_time"], "lastTimestamp": one["last_time"] }),
        );
    }
    objects
}

fn container(one: &Value) -> Value {
    let state = |state: &Value| {
        if state["running"] == true {
            json!({ "running": { "startedAt": state["started_at"] } })
        } else if state["terminated"] == true {
            json!({ "terminated": { "reason": state["reason"], "exitCode": state["exit_code"].as_i64().unwrap_or(0),
                "startedAt": state["started_at"], "finishedAt": state["finished_at"], "message": state["message"] } })
        } else if state["waiting"] == true {
            json!({ "waiting": { "reason": state["reason"], "message": state["message"] } })
        } else {
            json!({})
        }
    };
    json!({ "name": one["name"], "ready": one["ready"], "restartCount": one["restart_count"], "image": "", "imageID": "",
        "state": state(&one["state"]), "lastState": state(&one["last_state"]) })
}

/// Writes an incident's exports as files, in the forms that the program reads.
fn exports(files: &BTreeMap<String, PathBuf>, into: &Path) -> Files {
    let mut given = Files { minutes: 30, ..Files::default() };
    let all = objects(files);
    if !all.is_empty() {
        let path = into.join("objects.json");
        std::fs::write(&path, json!({ "kind": "List", "items": all }).to_string()).unwrap();
        given.objects.push(path);
    }
    for name in ["datadog_logs.json", "aws_rds_events.json"] {
        given.logs.extend(files.get(name).cloned());
    }
    if let Some(path) = files.get("eks_pod_logs.json") {
        let log = into.join("pod.log");
        std::fs::write(&log, value(path)["logs"].as_str().unwrap_or_default()).unwrap();
        given.logs.push(log);
    }
    for (name, path) in files.iter().filter(|(name, _)| name.starts_with("aws_cloudwatch_metrics")) {
        let whole = value(path);
        let series = whole["metric_data_results"].as_array().cloned().unwrap_or_else(|| vec![whole]);
        for (nth, one) in series.iter().enumerate() {
            let (Some(times), Some(values)) = (one["timestamps"].as_array(), one["values"].as_array()) else {
                continue;
            };
            let mut csv = String::from("timestamp,value\n");
            for (at, value) in times.iter().zip(values) {
                writeln!(csv, "{},{value}", at.as_str().unwrap_or_default()).unwrap();
            }
            let file = into.join(format!("{name}.{nth}.csv"));
            std::fs::write(&file, csv).unwrap();
            given.metrics.push((one["metric_name"].as_str().unwrap_or_default().to_owned(), file));
        }
    }
    given
}

/// The categories of the other project that a cause of ours may be called.
fn categories(found: &Found) -> &'static [&'static str] {
    match (found.cause.as_str(), found.fix.as_str()) {
        ("nothing-wrong", _) => &["healthy"],
        ("crash-loop" | "bad-deploy", _) | ("node-pressure", "configuration") => {
            &["configuration_error", "code_defect"]
        }
        ("dependency-failing", _) => &["dependency_failure", "configuration_error"],
        ("stuck-process", _) => &["code_defect"],
        ("memory-leak", _) => &["resource_exhaustion", "code_defect"],
        ("limit-too-low", _) => &["resource_exhaustion", "configuration_error"],
        ("node-pressure", _) => &["resource_exhaustion", "infrastructure"],
        ("traffic-surge" | "cpu-bound" | "collector-thrash", _) => &["resource_exhaustion"],
        _ => &[],
    }
}

#[test]
fn incidents_of_another_project() {
    let Some(root) = data("opensre") else { return };
    let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
    for engine in names(&root).iter().filter(|path| path.is_dir()) {
        for case in names(engine).iter().filter(|path| path.join("answer.yml").is_file()) {
            let (answer, into) = (yaml(&case.join("answer.yml")), tempfile::tempdir().unwrap());
            let found = judged(&exports(&layered(case), into.path()));
            let expected = answer["root_cause_category"].as_str().unwrap().to_owned();
            let ours = categories(&found);
            let word = match (ours.contains(&expected.as_str()), found.conclusive) {
                (true, _) => "right",
                (false, false) => "inconclusive",
                (false, true) => "WRONG",
            };
            *sums.entry(word).or_default() += 1;
            tell(&format!(
                "{word:12} {}: {expected}, found {} (fix {}; offered {:?}): {}",
                name(case),
                found.cause,
                found.fix,
                found.offered,
                found.why
            ));
            let forbidden: Vec<&str> =
                answer["forbidden_categories"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            assert!(ours.is_empty() || !ours.iter().all(|word| forbidden.contains(word)), "{}", name(case));
            assert!(!found.offered.iter().any(|remedy| remedy == "rollout-restart"), "{}", name(case));
        }
    }
    tell(&format!("opensre: {sums:?}"));
}

/// Every leaf of an object, by its path.
fn leaves(value: &Value, path: &str, into: &mut BTreeSet<(String, String)>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| leaves(value, &format!("{path}/{key}"), into)),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, path, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            into.insert((path.to_owned(), value.to_string()));
        }
    }
}

fn documents(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.split("\n---").filter_map(|document| serde_saphyr::from_str(document.trim_start_matches("---")).ok()).collect()
}

/// The class of the right fix: what differs between a manifest and its restored form.
fn class(fault: &Path, file: &str) -> &'static str {
    let all = |side: &str| {
        let mut found = BTreeSet::new();
        let of_workload = documents(&fault.join(side).join(file)).into_iter().filter(|one| one["kind"] != "Node");
        of_workload.for_each(|one| leaves(&one, "", &mut found));
        found
    };
    let (inject, restore) = (all("inject"), all("restore"));
    let paths: Vec<&str> = inject.symmetric_difference(&restore).map(|(path, _)| path.as_str()).collect();
    match () {
        () if paths.is_empty() => "none",
        () if paths.iter().all(|path| path.contains("/resources/")) => "limit",
        () => "configuration",
    }
}

/// What the cluster says of a fault, in the words of its components, by what the fault's own page says of it.
fn told(page: &str) -> (&'static str, &'static str, &'static str) {
    let has = |words: &[&str]| words.iter().all(|word| page.contains(word));
    let scheduling = |message| ("FailedScheduling", message, "");
    match () {
        () if has(&["CreateContainerError"]) => {
            ("Failed", "Error: Error response from daemon: Minimum memory limit allowed is 6MB", "CreateContainerError")
        }
        () if has(&["OOMKilled"]) => ("BackOff", "Back-off restarting failed container", "CrashLoopBackOff"),
        () if has(&["FailedCreate"]) => (
            "FailedCreate",
            "is forbidden: exceeded quota: compute, requested: requests.cpu=500m, used: requests.cpu=0, limited: requests.cpu=400m",
            "",
        ),
        () if has(&["taint"]) => scheduling("0/1 nodes are available: 1 node(s) had untolerated taint {a: b}."),
        () if has(&["more cpu"]) => scheduling(
            "0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.",
        ),
        () if has(&["more memory"]) => scheduling("0/1 nodes are available: 1 Insufficient memory."),
        () if has(&["Node affinity"]) => {
            scheduling("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")
        }
        () => scheduling("0/1 nodes are available: 1 node(s) didn't match pod affinity rules."),
    }
}

#[test]
fn faults_as_manifests() {
    let Some(root) = data("k8s-faults") else { return };
    let mut right = (0, 0);
    for fault in names(&root).iter().filter(|path| path.is_dir()) {
        let (page, file) = (std::fs::read_to_string(fault.join("README.md")).unwrap(), format!("{}.yaml", name(fault)));
        let expected = class(fault, &file);
        let (reason, message, waits) = told(&page);
        let mut items = documents(&fault.join("inject").join(&file));
        let deployment = items.iter().find(|one| one["kind"] == "Deployment").unwrap();
        let (called, namespace) = (deployment["metadata"]["name"].clone(), deployment["metadata"]["namespace"].clone());
        let pod = format!("{}-5d4f8c9b7-q2w3e", called.as_str().unwrap());
        let labels = deployment["spec"]["template"]["metadata"]["labels"].clone();
        let killed = page.contains("OOMKilled").then(|| json!({ "reason": "OOMKilled", "exitCode": 137 }));
        let container = json!({ "name": "c", "ready": false, "restartCount": if killed.is_some() { 5 } else { 0 }, "image": "", "imageID": "",
            "state": { "waiting": { "reason": waits } }, "lastState": { "terminated": killed } });
        let statuses = if waits.is_empty() { json!([]) } else { json!([container]) };
        let of_set = reason == "FailedCreate";
        if !of_set {
            items.push(json!({ "kind": "Pod", "metadata": { "name": pod, "namespace": namespace, "labels": labels },
                "status": { "phase": "Pending", "containerStatuses": statuses } }));
        }
        let about = if of_set {
            json!({ "kind": "ReplicaSet", "name": format!("{}-5d4f8c9b7", called.as_str().unwrap()) })
        } else {
            json!({ "kind": "Pod", "name": pod })
        };
        items.push(
            json!({ "kind": "Event", "metadata": { "name": "e", "namespace": namespace }, "involvedObject": about,
            "type": "Warning", "reason": reason, "message": message, "count": 4 }),
        );
        let into = tempfile::tempdir().unwrap();
        let path = into.path().join("objects.json");
        std::fs::write(&path, json!({ "kind": "List", "items": items }).to_string()).unwrap();
        let found = judged(&Files { objects: vec![path], minutes: 30, ..Files::default() });
        right = (right.0 + usize::from(found.fix == expected), right.1 + 1);
        tell(&format!(
            "{} {}: fix {expected}, found {} by {} (offered {:?}): {}",
            if found.fix == expected { "right" } else { "WRONG" },
            name(fault),
            found.fix,
            found.cause,
            found.offered,
            found.why
        ));
        assert!(!found.offered.iter().any(|remedy| remedy == "rollout-restart"), "{}", name(fault));
    }
    tell(&format!("k8s-faults: {} of {} classes right", right.0, right.1));
}
