//! Sightings of kills, read from log lines, container statuses and cluster events.

use super::{Certainty, KillSighting, KillSign, KillSource, sign};
use crate::domain::observation::log::LogLine;
use crate::domain::observation::scope::Window;
use crate::domain::observation::workload::{ClusterEvent, Pod, WorkloadRef};

/// Kills told by log lines inside the window. The container is the pod (and container) that the text or the stream
/// names, where it is a known one, else the stream.
pub fn in_lines<'a>(lines: impl IntoIterator<Item = &'a LogLine>, pods: &[Pod], window: Window) -> Vec<KillSighting> {
    lines
        .into_iter()
        .filter(|line| line.kill == Some(KillSign::OomKill) && window.contains(line.at))
        .map(|line| KillSighting {
            source: KillSource::Logs,
            container: named_pod(&line.text, pods)
                .or_else(|| named_pod(line.stream.as_str(), pods))
                .map_or_else(|| line.stream.to_string(), |pod| container_of(pod, &line.text)),
            at: line.at,
            count: 1,
            certainty: Certainty::Told,
        })
        .collect()
}

/// Kills told by container statuses: the last end is an OOM kill inside the window. A status keeps only the last end, so
/// its `restartCount` is told where the pod was born inside the window, and an upper bound otherwise.
pub fn in_pods(pods: &[Pod], window: Window) -> Vec<KillSighting> {
    let of_pod = |pod: &Pod| {
        let born_inside = pod.created_at.is_some_and(|at| window.contains(at));
        pod.containers
            .iter()
            .filter_map(|container| {
                let end = container.last_end.as_ref()?;
                let at = end.finished_at.unwrap_or(window.from);
                let killed = end.reason.eq_ignore_ascii_case("OOMKilled");
                (killed && window.contains(at)).then(|| KillSighting {
                    source: KillSource::Status,
                    container: format!("{}/{}", pod.name, container.name),
                    at,
                    count: u64::from(container.restarts.max(1)),
                    certainty: if born_inside || container.restarts <= 1 { Certainty::Told } else { Certainty::AtMost },
                })
            })
            .collect::<Vec<_>>()
    };
    pods.iter().flat_map(of_pod).collect()
}

/// Kills told by cluster events that were last seen inside the window, with their counts. An event that began before
/// the window is an upper bound.
pub fn in_events<'a>(
    events: impl IntoIterator<Item = &'a ClusterEvent>,
    pods: &[Pod],
    window: Window,
) -> Vec<KillSighting> {
    events
        .into_iter()
        .filter_map(|event| {
            let at = event.last_at.or(event.first_at)?;
            let told =
                sign(&event.reason) == Some(KillSign::OomKill) || sign(&event.message) == Some(KillSign::OomKill);
            if !told || !window.contains(at) {
                return None;
            }
            let count = u64::from(event.count.max(1));
            let inside = event.first_at.is_none_or(|first| window.contains(first)) || count == 1;
            Some(KillSighting {
                source: KillSource::Events,
                container: killed_object(event, pods),
                at,
                count,
                certainty: if inside { Certainty::Told } else { Certainty::AtMost },
            })
        })
        .collect()
}

/// The events about a workload itself, its replica sets and pods, and those about nodes that name one of its pods.
pub fn own_events(events: &[ClusterEvent], target: &WorkloadRef, pods: &[Pod]) -> Vec<ClusterEvent> {
    let made_by_it = format!("{}-", target.name);
    let is_own = |event: &&ClusterEvent| {
        let (kind, name) = event.about.split_once('/').unwrap_or(("", &event.about));
        let own = name == target.name || name.starts_with(&made_by_it) || pods.iter().any(|pod| pod.name == name);
        own || kind == "Node" && named_pod(&event.message, pods).is_some()
    };
    events.iter().filter(is_own).cloned().collect()
}

/// The pod an event is about; an event on a node names its victim in the text at best.
fn killed_object(event: &ClusterEvent, pods: &[Pod]) -> String {
    let about = event.about.strip_prefix("Pod/").unwrap_or(&event.about);
    if let Some(pod) = pods.iter().find(|pod| pod.name == about).or_else(|| named_pod(&event.message, pods)) {
        return container_of(pod, &event.message);
    }
    about.to_owned()
}

/// The longest known pod name that stands in the text as a word of its own.
fn named_pod<'a>(text: &str, pods: &'a [Pod]) -> Option<&'a Pod> {
    pods.iter().filter(|pod| !pod.name.is_empty() && names(text, &pod.name)).max_by_key(|pod| pod.name.len())
}

fn names(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let joins = |b: Option<u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'-');
        !joins(text[..at].bytes().next_back()) && !joins(text[at + name.len()..].bytes().next())
    })
}

/// `pod/container` where the text names a container or the pod has but one, else `pod`.
fn container_of(pod: &Pod, text: &str) -> String {
    let container = match pod.containers.as_slice() {
        [only] => Some(only),
        several => several.iter().find(|container| names(text, &container.name)),
    };
    container.map_or_else(|| pod.name.clone(), |container| format!("{}/{}", pod.name, container.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::workload::WorkloadKind;

    #[test]
    fn events_of_others_are_not_ours() {
        let event = |about: &str, message: &str| ClusterEvent {
            name: "e".to_owned(),
            namespace: "payments".into(),
            warning: true,
            reason: "OOMKilling".to_owned(),
            message: message.to_owned(),
            about: about.to_owned(),
            count: 1,
            last_at: None,
            first_at: None,
        };
        let pod = Pod {
            name: "my-api-41-x".to_owned(),
            namespace: "payments".into(),
            owner: None,
            phase: "Running".to_owned(),
            node: None,
            containers: Vec::new(),
            created_at: None,
        };
        let target =
            WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() };
        let all = [
            event("Pod/my-api-41-x", "killed"),
            event("ReplicaSet/my-api-41", "killed"),
            event("Pod/billing-7-1", "killed"),
            event("Node/ip-10-0-11-1", "killed pod my-api-41-x"),
            event("Node/ip-10-0-11-1", "killed pod billing-7-1"),
        ];
        let own: Vec<String> = own_events(&all, &target, &[pod]).into_iter().map(|event| event.about).collect();
        assert_eq!(own, ["Pod/my-api-41-x", "ReplicaSet/my-api-41", "Node/ip-10-0-11-1"]);
    }
}
