//! Sightings of kills, read from log lines, container statuses and cluster events.

use super::names::{Names, names};
use super::{KillSighting, KillSign, KillSource, sign};
use crate::domain::observation::log::LogLine;
use crate::domain::observation::scope::Window;
use crate::domain::observation::workload::{ClusterEvent, Pod};

/// Kills told by log lines inside the window. The place is the pod (and container) that the text or the stream names, where
/// it is a known one, else the stream, with the control group that the kernel names.
pub fn in_lines<'a>(lines: impl IntoIterator<Item = &'a LogLine>, pods: &[Pod], window: Window) -> Vec<KillSighting> {
    let known = Names::of(pods);
    let place = |line: &LogLine| match known.named(&line.text).or_else(|| known.named(line.stream.as_str())) {
        Some(pod) => (pod.name.clone(), container_of(pod, &line.text)),
        None => (line.stream.to_string(), control_group(&line.text).map(str::to_owned)),
    };
    lines
        .into_iter()
        .filter(|line| line.kill == Some(KillSign::OomKill) && window.contains(line.at))
        .map(|line| {
            let (pod, container) = place(line);
            KillSighting { source: KillSource::Logs, pod, container, at: line.at, count: 1, most: 1 }
        })
        .collect()
}

/// Kills told by container statuses: each of the ends they keep that is an OOM kill inside the window. What they do not keep
/// is told by [`super::deaths`].
pub fn in_pods(pods: &[Pod], window: Window) -> Vec<KillSighting> {
    let of_pod = |pod: &Pod| {
        let ends = pod.containers.iter().flat_map(|container| container.ends().map(move |end| (container, end)));
        ends.filter(|(_, end)| end.reason.eq_ignore_ascii_case("OOMKilled"))
            .map(|(container, end)| (container, end.finished_at.unwrap_or(window.from)))
            .filter(|(_, at)| window.contains(*at))
            .map(|(container, at)| KillSighting {
                source: KillSource::Status,
                pod: pod.name.clone(),
                container: Some(container.name.clone()),
                at,
                count: 1,
                most: 1,
            })
            .collect::<Vec<_>>()
    };
    pods.iter().flat_map(of_pod).collect()
}

/// Kills told by cluster events that were last seen inside the window, with their counts. Of an event that began before
/// the window one is sure. An event on a node counts only where it names a pod that is known: the node kills for everybody
/// on it, and for its own processes.
pub fn in_events<'a>(
    events: impl IntoIterator<Item = &'a ClusterEvent>,
    pods: &[Pod],
    window: Window,
) -> Vec<KillSighting> {
    let known = Names::of(pods);
    events
        .into_iter()
        .filter_map(|event| {
            let at = event.last_at.or(event.first_at)?;
            let told =
                sign(&event.reason) == Some(KillSign::OomKill) || sign(&event.message) == Some(KillSign::OomKill);
            if !told || !window.contains(at) {
                return None;
            }
            let (pod, container) = killed_object(event, pods, &known)?;
            let most = u64::from(event.count.max(1));
            let inside = event.first_at.is_none_or(|first| window.contains(first));
            let count = if inside { most } else { 1 };
            Some(KillSighting { source: KillSource::Events, pod, container, at, count, most })
        })
        .collect()
}

/// The pod and container an event is about; an event on a node names its victim in the text at best.
fn killed_object(event: &ClusterEvent, pods: &[Pod], known: &Names<'_>) -> Option<(String, Option<String>)> {
    let about = event.about.strip_prefix("Pod/").unwrap_or(&event.about);
    match pods.iter().find(|pod| pod.name == about).or_else(|| known.named(&event.message)) {
        Some(pod) => Some((pod.name.clone(), container_of(pod, &event.message))),
        None => (!event.about.starts_with("Node/")).then(|| (about.to_owned(), None)),
    }
}

/// The container that the text names, or the only one of the pod.
fn container_of(pod: &Pod, text: &str) -> Option<String> {
    let container = match pod.containers.as_slice() {
        [only] => Some(only),
        several => several.iter().find(|container| names(text, &container.name)),
    };
    container.map(|container| container.name.clone())
}

/// The last part of the control group that the kernel names as the victim's: `…,task_memcg=/kubepods/burstable/pod1/c2,…`.
fn control_group(text: &str) -> Option<&str> {
    let path = text.split_once("task_memcg=")?.1.split([',', ' ']).next()?;
    path.rsplit('/').find(|part| !part.is_empty())
}
