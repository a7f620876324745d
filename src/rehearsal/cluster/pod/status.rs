//! The status of a pod as its run has it: phase, conditions and container states, in the words of the API.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::dice::Dice;
use super::super::shape::{self, stamp};
use super::{ContainerRun, PodRun, Running, Stay};
use crate::rehearsal::behaviour::LifeEnd;

/// The status object of a pod. Conditions keep their transition times while they do not change.
pub(in super::super) fn of(run: &PodRun, pod: &Value, now: Timestamp) -> Value {
    let leaving = matches!(run.stay, Stay::Leaving(_));
    let scheduled = !matches!(run.stay, Stay::Unscheduled(_));
    let has_started = run.containers.iter().any(|container| !matches!(container.state, Running::Creating(_)));
    let is_done = is_done(run);
    let contained = scheduled && !leaving && run.containers.iter().all(|container| container.is_ready(now));
    let mut status = json!({
        "phase": if is_done { "Succeeded" } else if has_started { "Running" } else { "Pending" },
        "qosClass": quality(pod),
        "conditions": conditions(run, pod, contained, now),
    });
    if !scheduled {
        return status;
    }
    let dice = Dice::new(2);
    let host = address_of(shape::text(pod, "/spec/nodeName").unwrap_or_default());
    status["hostIP"] = json!(host);
    status["hostIPs"] = json!([{"ip": host}]);
    status["startTime"] = stamp(run.born_at);
    if has_started {
        let ip = format!(
            "10.0.{}.{}",
            16 + dice.draw(&["net", shape::uid(pod)]) % 16,
            4 + dice.draw(&["pod", shape::uid(pod)]) % 250
        );
        status["podIP"] = json!(ip);
        status["podIPs"] = json!([{"ip": ip}]);
    }
    let each = run.containers.iter().map(|container| container_status(run, container, shape::uid(pod), now));
    status["containerStatuses"] = each.collect();
    status
}

/// The address of a node: as its name says where it is one of EC2, else one for its name.
pub(in super::super) fn address_of(node: &str) -> String {
    let named = node.strip_prefix("ip-").and_then(|rest| rest.split('.').next()).map(|dashed| dashed.replace('-', "."));
    let dice = Dice::new(2);
    named
        .filter(|address| address.parse::<std::net::Ipv4Addr>().is_ok())
        .unwrap_or_else(|| format!("10.0.{}.{}", dice.draw(&["host", node]) % 16, 4 + dice.draw(&["ip", node]) % 250))
}

fn conditions(run: &PodRun, pod: &Value, contained: bool, now: Timestamp) -> Value {
    let scheduled = !matches!(run.stay, Stay::Unscheduled(_));
    // The kubelet of a lost node said last that the containers are ready. The node controller takes the readiness of the pods
    // away and gives no reason.
    let is_ready = contained && !matches!(run.stay, Stay::Lost(_));
    let unready: Vec<&str> = run
        .containers
        .iter()
        .filter(|container| !container.is_ready(now))
        .map(|container| container.name.as_str())
        .collect();
    let unready_reason = if is_done(run) { "PodCompleted" } else { "ContainersNotReady" };
    let why = format!("containers with unready status: [{}]", unready.join(" "));
    let rows = [
        ("PodScheduled", scheduled, "Unschedulable", run.waits_for.as_str()),
        ("Initialized", scheduled, "", ""),
        ("ContainersReady", contained, unready_reason, why.as_str()),
        ("Ready", is_ready, if contained { "" } else { unready_reason }, why.as_str()),
    ];
    // Before there is a node there is no kubelet to say the rest.
    let told = if scheduled { rows.len() } else { 1 };
    rows[..told]
        .iter()
        .map(|(kind, holds, reason, message)| {
            let word = if *holds { "True" } else { "False" };
            let mut condition = json!({"type": kind, "status": word, "lastProbeTime": null});
            if !holds && !reason.is_empty() {
                condition["reason"] = json!(reason);
                condition["message"] = json!(message);
            }
            let known = pod.pointer("/status/conditions").and_then(Value::as_array);
            let same = known.and_then(|all| all.iter().find(|old| old["type"] == *kind && old["status"] == word));
            let is_first = known.is_none_or(|all| all.iter().all(|old| old["type"] != *kind));
            let since = if is_first { since(run, kind, *holds, now) } else { now };
            condition["lastTransitionTime"] =
                same.map_or_else(|| stamp(since), |old| old["lastTransitionTime"].clone());
            condition
        })
        .collect()
}

fn is_done(run: &PodRun) -> bool {
    let mut all = run.containers.iter();
    !run.containers.is_empty() && all.all(|container| matches!(container.state, Running::Done { .. }))
}

/// Since when a condition is as it is of a pod that has told of none so far: of one that is older than the rehearsal.
fn since(run: &PodRun, kind: &str, holds: bool, now: Timestamp) -> Timestamp {
    let is_lost = matches!(run.stay, Stay::Lost(_));
    let changed = |container: &ContainerRun| match container.state {
        Running::Up { ready_at, .. } if holds => ready_at,
        Running::Done { at, .. } => at,
        Running::Up { .. } | Running::Down { .. } | Running::Creating(_) | Running::Working { .. } => {
            container.last.map_or(run.born_at, |last| last.1)
        }
    };
    match kind {
        "Ready" if is_lost => now,
        "ContainersReady" | "Ready" => run.containers.iter().map(changed).max().unwrap_or(run.born_at),
        _ => run.born_at,
    }
}

fn container_status(run: &PodRun, container: &ContainerRun, uid: &str, now: Timestamp) -> Value {
    let leaving = matches!(run.stay, Stay::Leaving(_));
    let ready = !leaving && container.is_ready(now);
    let lives = container.restarts.to_string();
    let identity = format!("containerd://{:016x}", Dice::new(3).draw(&[uid, &container.name, &lives]));
    let mut state = json!({});
    let mut last = container.last.map(|life| ended(life, uid, &container.name));
    match container.state {
        Running::Creating(_) => state["waiting"] = json!({"reason": "ContainerCreating"}),
        Running::Up { since, .. } | Running::Working { since, .. } => {
            state["running"] = json!({"startedAt": stamp(since)});
        }
        Running::Done { since, at } => {
            state["terminated"] = json!({
                "exitCode": 0, "reason": "Completed", "startedAt": stamp(since), "finishedAt": stamp(at),
                "containerID": identity,
            });
        }
        Running::Down { wait, .. } if wait.is_zero() => {
            // Restarted at once: for this moment the kill is the present state and not yet the last one.
            if let Some(kill) = last.take() {
                state["terminated"] = kill;
            }
        }
        Running::Down { wait, .. } => {
            let place = format!("{}_{}({uid})", run.key.name, run.key.namespace);
            let message =
                format!("back-off {}s restarting failed container={} pod={place}", wait.as_secs(), container.name);
            state["waiting"] = json!({"reason": "CrashLoopBackOff", "message": message});
        }
    }
    json!({
        "name": container.name, "image": container.image, "imageID": format!("{}@sha256:{:016x}", container.image, Dice::new(4).draw(&[&container.image])),
        "containerID": identity, "ready": ready, "started": matches!(container.state, Running::Up { .. } | Running::Working { .. }),
        "restartCount": container.restarts, "state": state,
        "lastState": last.map_or_else(|| json!({}), |kill| json!({"terminated": kill})),
    })
}

/// A life that was ended: by the kernel for its memory, or by the kubelet for its probe.
fn ended((from, to, end): (Timestamp, Timestamp, LifeEnd), uid: &str, name: &str) -> Value {
    let identity = format!("containerd://{:016x}", Dice::new(3).draw(&[uid, name, &to.to_string()]));
    let reason = if end == LifeEnd::OomKilled { "OOMKilled" } else { "Error" };
    json!({"exitCode": 137, "reason": reason, "startedAt": stamp(from), "finishedAt": stamp(to), "containerID": identity})
}

/// Quality of service: guaranteed when every container's requests equal its limits, best effort when it has neither.
fn quality(pod: &Value) -> &'static str {
    let containers = shape::containers(&pod["spec"]);
    let part =
        |container: &Value, side: &str| container.pointer(&format!("/resources/{side}")).cloned().unwrap_or_default();
    let is_empty = |value: &Value| value.as_object().is_none_or(serde_json::Map::is_empty);
    if containers.iter().all(|one| is_empty(&part(one, "limits")) && is_empty(&part(one, "requests"))) {
        return "BestEffort";
    }
    let full = |one: &Value| {
        let limits = part(one, "limits");
        limits.get("memory").is_some() && limits.get("cpu").is_some() && limits == part(one, "requests")
    };
    if containers.iter().all(full) { "Guaranteed" } else { "Burstable" }
}
