//! What statuses and events tell of kills, and of which pods.

use super::*;
use crate::domain::observation::log::{LogGroup, RawLogEvent, ingest};
use crate::domain::observation::scope::Window;
use crate::domain::observation::workload::{ClusterEvent, ContainerState, Pod, Termination};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_777_600_000 + minute * 60).unwrap()
}

fn window() -> Window {
    Window { from: at(0), to: at(30) }
}

fn end(reason: &str, minute: i64) -> Termination {
    Termination { reason: reason.to_owned(), exit_code: 137, started_at: None, finished_at: Some(at(minute)) }
}

fn pod(state: &str, restarts: u32, ends: &[Termination], born: i64) -> Pod {
    let container = ContainerState {
        name: "app".to_owned(),
        ready: false,
        restarts,
        state: state.to_owned(),
        running_since: None,
        last_end: ends.first().cloned(),
        end_before: ends.get(1).cloned(),
        message: None,
    };
    Pod {
        name: "my-api-7d9f-x2x4".to_owned(),
        namespace: "shop".into(),
        owner: None,
        phase: "Running".to_owned(),
        node: None,
        containers: vec![container],
        created_at: Some(at(born)),
    }
}

fn counted(pods: &[Pod], events: &[ClusterEvent]) -> (u64, Completeness) {
    let mut sightings = in_pods(pods, window());
    sightings.extend(in_events(events, pods, window()));
    let read = [KillSource::Status, KillSource::Events];
    let read = read.map(|source| SourceRead { source, completeness: Completeness::Exact });
    let count = count(&sightings, &read, &deaths(pods, window()), 0).unwrap();
    (count.total, count.completeness)
}

#[test]
fn a_status_tells_of_the_ends_it_keeps_and_leaves_the_others_open() {
    let open = |seen, of| Completeness::Truncated { seen, of: Some(of) };
    let oom = || end("OOMKilled", 24);
    let crash = "waiting: CrashLoopBackOff";
    for (what, pod, expected) in [
        ("five deaths, one of them known", pod("running", 5, &[oom()], 5), (1, open(1, 5))),
        ("the first start counts where none runs", pod(crash, 1, &[oom()], 5), (1, open(1, 2))),
        ("one death, and it is known", pod("running", 1, &[oom()], -600), (1, Completeness::Exact)),
        ("behind a later end", pod("terminated: Error", 1, &[end("Error", 28), oom()], 5), (1, Completeness::Exact)),
        ("both ends", pod("terminated: OOMKilled", 1, &[end("OOMKilled", 28), oom()], 5), (2, Completeness::Exact)),
        ("ends of another reason", pod("running", 7, &[end("Error", 24)], -600), (0, open(0, 6))),
        (
            "what is older than an end before the window",
            pod("running", 7, &[end("OOMKilled", -5)], -600),
            (0, Completeness::Exact),
        ),
        ("none", pod("running", 0, &[], -600), (0, Completeness::Exact)),
    ] {
        assert_eq!(counted(&[pod], &[]), expected, "{what}");
    }
}

#[test]
fn one_that_runs_since_before_the_window_has_not_died_in_it() {
    let mut pod = pod("running", 3, &[], -600);
    pod.containers[0].running_since = Some(at(-1));
    assert_eq!(deaths(&[pod], window())[0].most, 0);
}

#[test]
fn a_node_kills_for_everybody_on_it() {
    let event = |about: &str, message: &str| ClusterEvent {
        name: "e".to_owned(),
        namespace: "default".into(),
        warning: true,
        reason: "OOMKilling".to_owned(),
        message: message.to_owned(),
        about: about.to_owned(),
        node: None,
        count: 1,
        last_at: Some(at(24)),
        first_at: Some(at(24)),
    };
    let pods = [pod("running", 1, &[end("OOMKilled", 24)], -600)];
    let unnamed = event("Node/ip-10-0-0-1", "Memory cgroup out of memory: Killed process 4123 (java)");
    assert_eq!(counted(&pods, std::slice::from_ref(&unnamed)), (1, Completeness::Exact), "the same kill");
    let healthy = [pod("running", 0, &[], -600)];
    assert_eq!(counted(&healthy, &[unnamed]), (0, Completeness::Exact), "of somebody else");
    let named = event("Node/ip-10-0-0-1", "Killed process in my-api-7d9f-x2x4");
    assert_eq!(in_events([&named], &healthy, window())[0].pod, "my-api-7d9f-x2x4");
}

#[test]
fn two_control_groups_are_two_however_close_and_what_the_kernel_says_beside_is_one_of_them() {
    let line = |second: i64, message: &str| {
        let at = Timestamp::from_second(1_777_600_000 + second).unwrap();
        let raw =
            RawLogEvent { id: second.to_string().into(), at, stream: "node-1".to_owned(), message: message.to_owned() };
        ingest(raw, &LogGroup::from("/nodes"))
    };
    let of =
        |group: &str| format!("oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/kubepods/pod/{group},task=java,pid=1");
    let lines = [
        line(1, &of("c1")),
        line(2, "Memory cgroup out of memory: Killed process 1 (java) total-vm:1kB"),
        line(3, &of("c2")),
    ];
    let sightings = in_lines(&lines, &[], window());
    let read = [SourceRead { source: KillSource::Logs, completeness: Completeness::Exact }];
    let count = count(&sightings, &read, &[], 0).unwrap();
    let named: Vec<&str> = count.by_container.iter().map(|by| by.container.as_str()).collect();
    assert_eq!((count.total, named), (2, vec!["node-1/c1", "node-1/c2"]));
}

/// A node agent's stream tells of many pods within seconds, and none of them is known any more.
#[test]
fn kills_of_pods_that_are_gone_are_told_apart_by_what_the_lines_name() {
    let pod = |n: u32| format!("my-api-6d4f8c9b7d-abc{n:02}");
    let wordings: [fn(&str, u32) -> String; 6] = [
        |pod, _| format!("pod {pod}: container app terminated, reason: OOMKilled"),
        |pod, _| format!("kubelet: payments/{pod} OOMKilled"),
        |pod, _| format!(r#"{{"pod":"{pod}","reason":"OOMKilled"}}"#),
        |pod, _| format!("Container of {pod} was OOMKilled"),
        |_, n| format!("pod/ledger-{n} OOMKilled"),
        |_, n| format!("Memory cgroup out of memory: Killed process {} (java) total-vm:1kB", 4_000 + n),
    ];
    let counted = |wording: &dyn Fn(u32) -> String| {
        let line = |n: u32| {
            let at = at(0) + jiff::SignedDuration::from_secs(i64::from(n));
            let stream = "ip-10-0-11-23/kubelet".to_owned();
            let raw = RawLogEvent { id: n.to_string().into(), at, stream, message: wording(n) };
            ingest(raw, &LogGroup::from("/nodes"))
        };
        let lines: Vec<_> = (0..14).map(line).collect();
        let read = [SourceRead { source: KillSource::Logs, completeness: Completeness::Exact }];
        count(&in_lines(&lines, &[], window()), &read, &[], 0).unwrap()
    };
    for wording in wordings {
        let count = counted(&|n| wording(&pod(n), n));
        assert_eq!((count.total, count.completeness), (14, Completeness::Exact), "{}", wording(&pod(0), 0));
    }
    let unnamed = counted(&|n| format!("container app OOMKilled, {n} in all"));
    assert_eq!(unnamed.completeness, Completeness::Truncated { seen: 2, of: Some(14) }, "who it was is not told");
}
