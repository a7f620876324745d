//! A table of what clusters say, in the words they say it in.

use super::super::workload::{ContainerSpec, Termination, WorkloadKind, WorkloadRef};
use super::*;

fn now() -> Timestamp {
    Timestamp::from_second(1_777_600_000).unwrap()
}

fn workload(ready: u32, limit: u64) -> Workload {
    Workload {
        generation: 1,
        observed_generation: 1,
        replicas: 2,
        ready,
        updated: 2,
        available: ready,
        containers: vec![ContainerSpec {
            name: "app".to_owned(),
            image: "cart:1".to_owned(),
            memory_limit: Some(limit),
            memory_request: None,
            cpu_limit_milli: None,
        }],
        ..Workload::named(WorkloadRef {
            kind: WorkloadKind::Deployment,
            namespace: "shop".into(),
            name: "cart".to_owned(),
        })
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
            end_before: None,
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
        node: None,
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

/// A container that runs since so many minutes, started anew so often, the last time so many minutes ago.
fn running(ready: bool, since: i64, restarts: u32, ended: i64) -> Pod {
    let mut running = pod("Running", "running", (restarts > 0).then_some(("Error", 137)));
    let container = &mut running.containers[0];
    container.ready = ready;
    container.restarts = restarts;
    container.running_since = Some(now() - SignedDuration::from_mins(since));
    if let Some(end) = &mut container.last_end {
        end.finished_at = Some(now() - SignedDuration::from_mins(ended));
    }
    running
}

#[test]
fn a_probe_that_fails_is_one_that_kills_only_where_something_was_killed() {
    let startup = "Startup probe failed: dial tcp 10.0.0.1:8080: connect: connection refused";
    let liveness = "Liveness probe failed: context deadline exceeded (Client.Timeout exceeded while awaiting headers)";
    let unhealthy = |message: &str, count: u32| ClusterEvent { count, ..event("Pod/cart-1", "Unhealthy", message, 1) };
    let killing = || event("Pod/cart-1", "Killing", "Container app failed liveness probe, will be restarted", 2);
    let mut by_memory = running(true, 2, 1, 2);
    by_memory.containers[0].last_end.as_mut().unwrap().reason = "OOMKilled".to_owned();
    for (name, pod, events, kills) in [
        ("a process comes up", running(false, 1, 0, 0), vec![unhealthy(startup, 3)], false),
        ("a slow one comes up", running(false, 6, 0, 0), vec![unhealthy(startup, 30)], false),
        ("it never comes up", running(false, 11, 0, 0), vec![unhealthy(startup, 60)], true),
        ("it is started again and again", running(false, 1, 4, 1), vec![unhealthy(startup, 12)], true),
        (
            "an answer missed, a restart weeks ago",
            running(true, 30_000, 1, 30_000),
            vec![unhealthy(liveness, 1)],
            false,
        ),
        ("answers missed, a restart weeks ago", running(true, 30_000, 1, 30_000), vec![unhealthy(liveness, 4)], false),
        ("answers missed, never started anew", running(true, 90, 0, 0), vec![unhealthy(liveness, 2)], false),
        ("one answer missed before an end of late", running(true, 2, 1, 2), vec![unhealthy(liveness, 1)], false),
        ("answers missed before an end of late", running(true, 2, 1, 2), vec![unhealthy(liveness, 3)], true),
        ("the end was for its memory", by_memory, vec![unhealthy(liveness, 3)], false),
        ("the kubelet says so", running(true, 2, 1, 2), vec![unhealthy(liveness, 1), killing()], true),
    ] {
        let found = troubles(&workload(1, 1 << 28), &[pod], &events);
        assert_eq!(found.contains(&Trouble::Probe), kills, "{name}: {found:?}");
    }
}

#[test]
fn what_lies_outside_of_the_manifest_is_told_apart_from_it() {
    let runc = "Error: OCI runtime create failed: runc create failed: unable to start container process";
    let no_space = format!("{runc}: error during container init: write: no space left on device: unknown");
    let no_file = format!("{runc}: exec: \"/app\": stat /app: no such file or directory: unknown");
    let unset = "MountVolume.SetUp failed for volume";
    for (reason, message, expected) in [
        ("FailedAttachVolume", "Multi-Attach error for volume \"pvc-1\" Volume is already attached", Trouble::Storage),
        ("FailedMount", &format!("{unset} \"efs\" : context deadline exceeded"), Trouble::Storage),
        ("FailedMount", &format!("{unset} \"db\" : secret \"db\" not found"), Trouble::Reference),
        ("FailedMount", &format!("{unset} \"x\" : hostPath type check failed: /x is not a file"), Trouble::Reference),
        ("ProvisioningFailed", "storageclass.storage.k8s.io \"fast\" not found", Trouble::Reference),
        ("Failed", &no_space, Trouble::Node),
        ("Failed", &no_file, Trouble::Command),
        (
            "Failed",
            "Failed to pull image \"x:1\": failed to resolve reference: dial tcp: i/o timeout",
            Trouble::Registry,
        ),
        ("Failed", "Failed to pull image \"x:1\": toomanyrequests: You have reached your limit", Trouble::Registry),
        ("Failed", "Failed to pull image \"x:1\": failed to resolve reference: x:1: not found", Trouble::Image),
        ("Failed", "Failed to pull image \"x:1\": 403 Forbidden", Trouble::Image),
        ("Evicted", "Usage of EmptyDir volume \"tmp\" exceeds the limit \"1Gi\".", Trouble::DiskLimit),
        ("Evicted", "The node was low on resource: ephemeral-storage.", Trouble::Evicted),
        (
            "FailedCreatePodSandBox",
            "failed to setup network for sandbox: add cmd: failed to assign an IP address to container",
            Trouble::Network,
        ),
    ] {
        let waiting = pod("Pending", "waiting: ContainerCreating", None);
        let found = troubles(&workload(0, 1 << 28), &[waiting], &[event("Pod/cart-1", reason, message, 1)]);
        assert_eq!(found, [expected], "{message}");
    }
    let cancelled = event("Pod/cart-1", "TaintManagerEviction", "Cancelling deletion of Pod shop/cart-1", 1);
    let waiting = pod("Pending", "waiting: ContainerCreating", None);
    assert_eq!(troubles(&workload(0, 1 << 28), &[waiting], &[cancelled]), []);
}

#[test]
fn what_only_follows_from_another_trouble_is_not_told_beside_it() {
    let backed_off = || pod("Pending", "waiting: ImagePullBackOff", None);
    let failed = |message: &str| event("Pod/cart-1", "Failed", message, 1);
    let mount = |message: &str| event("Pod/cart-1", "FailedMount", message, 1);
    let echo = || event("Pod/cart-1", "BackOff", "Back-off pulling image \"x:1\"", 1);
    let timeout = || failed("Failed to pull image \"x:1\": dial tcp 10.0.0.2:443: i/o timeout");
    let unknown = || failed("Failed to pull image \"y:1\": manifest unknown");
    let waits = || mount("Unable to attach or mount volumes: unmounted volumes=[db]: timed out waiting");
    let mut evicted = pod("Evicted", "unknown", None);
    evicted.containers.clear();
    let disk =
        event("Pod/cart-1", "Evicted", "Pod ephemeral local storage usage exceeds the total limit of containers", 1);
    for (name, pod, events, expected) in [
        ("registry", backed_off(), vec![echo(), timeout()], vec![Trouble::Registry]),
        ("image", backed_off(), vec![echo()], vec![Trouble::Image]),
        ("both", backed_off(), vec![timeout(), unknown()], vec![Trouble::Image, Trouble::Registry]),
        (
            "secret",
            backed_off(),
            vec![waits(), mount("secret \"db\" not found")],
            vec![Trouble::Image, Trouble::Reference],
        ),
        ("own disk", evicted.clone(), vec![disk], vec![Trouble::DiskLimit]),
        ("evicted", evicted, vec![], vec![Trouble::Evicted]),
    ] {
        let mut found = troubles(&workload(0, 1 << 28), &[pod], &events);
        found.sort();
        assert_eq!(found, expected, "{name}");
    }
    let signs = signs(&workload(0, 1 << 28), &[backed_off()], &[echo(), timeout()], now());
    assert!(waits_for_what_is_outside(&backed_off().containers[0], &signs));
    assert!(!waits_for_what_is_outside(&backed_off().containers[0], &[]));
}
