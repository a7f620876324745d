//! A table of what clusters say, in the words they say it in.

use std::collections::BTreeMap;

use super::super::workload::{ContainerSpec, Ownership, Termination, WorkloadKind, WorkloadRef};
use super::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_777_600_000).unwrap()
}

fn workload(ready: u32, limit: u64) -> Workload {
    Workload {
        target: WorkloadRef { kind: WorkloadKind::Deployment, namespace: "shop".into(), name: "cart".to_owned() },
        uid: String::new(),
        generation: 1,
        observed_generation: 1,
        replicas: 2,
        ready,
        updated: 2,
        available: ready,
        max_unavailable: String::new(),
        max_surge: String::new(),
        revision: None,
        containers: vec![ContainerSpec {
            name: "app".to_owned(),
            image: "cart:1".to_owned(),
            memory_limit: Some(limit),
            memory_request: None,
            cpu_limit_milli: None,
        }],
        template_annotations: BTreeMap::new(),
        selector: BTreeMap::new(),
        labels: BTreeMap::new(),
        ownership: Ownership::Direct,
        paused: false,
        created_at: None,
    }
}

fn pod(phase: &str, state: &str, end: Option<(&str, i32)>) -> Pod {
    let ended = |(reason, exit_code): (&str, i32)| Termination {
        reason: reason.to_owned(),
        exit_code,
        started_at: None,
        finished_at: None,
    };
    Pod {
        name: "cart-1".to_owned(),
        namespace: "shop".into(),
        owner: None,
        phase: phase.to_owned(),
        node: None,
        containers: vec![ContainerState {
            name: "app".to_owned(),
            ready: state == "running",
            restarts: u32::from(end.is_some()) * 5,
            state: state.to_owned(),
            running_since: None,
            last_end: end.map(ended),
            message: None,
        }],
        created_at: None,
    }
}

fn event(about: &str, reason: &str, message: &str, minutes_ago: i64) -> ClusterEvent {
    let at = Some(now() - SignedDuration::from_mins(minutes_ago));
    ClusterEvent {
        name: "e".to_owned(),
        namespace: "shop".into(),
        warning: true,
        reason: reason.to_owned(),
        message: message.to_owned(),
        about: about.to_owned(),
        count: 3,
        last_at: at,
        first_at: at,
    }
}

fn troubles(workload: &Workload, pods: &[Pod], events: &[ClusterEvent]) -> Vec<Trouble> {
    signs(workload, pods, events, now()).into_iter().map(|sign| sign.trouble).collect()
}

#[test]
fn states_tell_what_is_wrong() {
    for (state, end, expected) in [
        ("waiting: ImagePullBackOff", None, vec![Trouble::Image]),
        ("waiting: ErrImagePull", None, vec![Trouble::Image]),
        ("waiting: CreateContainerConfigError", None, vec![Trouble::Reference]),
        ("waiting: CrashLoopBackOff", Some(("Error", 127)), vec![Trouble::Command]),
        ("waiting: CrashLoopBackOff", Some(("StartError", 128)), vec![Trouble::Command]),
        ("waiting: CrashLoopBackOff", Some(("Error", 137)), vec![]),
        ("waiting: CrashLoopBackOff", Some(("OOMKilled", 137)), vec![]),
        ("running", None, vec![]),
    ] {
        assert_eq!(troubles(&workload(0, 1 << 28), &[pod("Running", state, end)], &[]), expected, "{state} {end:?}");
    }
}

#[test]
fn events_tell_what_is_wrong_while_it_is() {
    let waiting = || pod("Pending", "waiting: ContainerCreating", None);
    let restarted = || pod("Running", "waiting: CrashLoopBackOff", Some(("Error", 137)));
    let up = || pod("Running", "running", None);
    let gone = || pod("Terminating", "waiting: CrashLoopBackOff", None);
    let scheduling = "0/3 nodes are available: 3 Insufficient memory.";
    let quota = "pods \"cart-2\" is forbidden: exceeded quota: compute, requested: limits.memory=1Gi";
    for (name, pod, event, expected) in [
        (
            "unschedulable",
            waiting(),
            event("Pod/cart-1", "FailedScheduling", scheduling, 90),
            vec![Trouble::Unschedulable],
        ),
        ("scheduled since", up(), event("Pod/cart-1", "FailedScheduling", scheduling, 20), vec![]),
        ("on its way out", gone(), event("Pod/cart-1", "BackOff", "Back-off restarting failed container", 1), vec![]),
        ("probe", restarted(), event("Pod/cart-1", "Unhealthy", "Liveness probe failed: 500", 1), vec![Trouble::Probe]),
        ("probe long ago", restarted(), event("Pod/cart-1", "Unhealthy", "Liveness probe failed: 500", 40), vec![]),
        ("readiness", restarted(), event("Pod/cart-1", "Unhealthy", "Readiness probe failed: 500", 1), vec![]),
        (
            "secret",
            waiting(),
            event("Pod/cart-1", "Failed", "Error: secret \"db\" not found", 1),
            vec![Trouble::Reference],
        ),
        ("quota", up(), event("ReplicaSet/cart-7d9f", "FailedCreate", quota, 1), vec![Trouble::Quota]),
        (
            "evicted",
            up(),
            event("Pod/cart-0", "Evicted", "The node was low on resource: memory.", 4),
            vec![Trouble::Evicted],
        ),
        (
            "its node is gone",
            pod("Unknown", "running", None),
            event("Pod/cart-1", "NodeNotReady", "Node is not ready", 4),
            vec![Trouble::NodeLost],
        ),
        (
            "given up with its node",
            pod("Terminating", "running", None),
            event("Pod/cart-1", "TaintManagerEviction", "Marking for deletion Pod shop/cart-1", 4),
            vec![Trouble::Evicted],
        ),
        (
            "given up long ago",
            pod("Terminating", "running", None),
            event("Pod/cart-1", "TaintManagerEviction", "Marking for deletion Pod shop/cart-1", 40),
            vec![],
        ),
        (
            "init",
            waiting(),
            event("Pod/cart-1", "FailedCreatePodSandBox", "container init was OOM-killed (memory limit too low?)", 1),
            vec![Trouble::LimitTooSmall],
        ),
    ] {
        assert_eq!(troubles(&workload(1, 1 << 28), &[pod], &[event]), expected, "{name}");
    }
}

#[test]
fn a_limit_no_runtime_accepts_is_seen_in_the_manifest() {
    assert_eq!(troubles(&workload(0, 5 << 20), &[], &[]), [Trouble::LimitTooSmall]);
    assert_eq!(troubles(&workload(0, 6 << 20), &[], &[]), []);
    assert_eq!(troubles(&workload(2, 5 << 20), &[], &[]), []);
}
