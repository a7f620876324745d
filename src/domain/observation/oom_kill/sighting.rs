//! Sightings of kills, read from log lines, container statuses and cluster events.

use std::collections::{BTreeMap, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::names::{Names, names, process, written};
use super::{KillSighting, KillSign, KillSource, sign};
use crate::domain::observation::log::LogLine;
use crate::domain::observation::scope::Window;
use crate::domain::observation::workload::{ClusterEvent, Pod};

/// Kills told by log lines inside the window. The place is the pod (and container) that the text or the stream names, where
/// it is a known one; else the pod that the text names, as one that is gone leaves no other trace; else the stream, with the
/// control group or the process that the kernel names.
///
/// Lines of a stream that name neither and differ in nothing but numbers may tell of one kill or of several: they count as
/// one, and leave open how many it was.
pub fn in_lines<'a>(lines: impl IntoIterator<Item = &'a LogLine>, pods: &[Pod], window: Window) -> Vec<KillSighting> {
    let known = Names::of(pods);
    let kills = lines.into_iter().filter(|line| line.kill == Some(KillSign::OomKill) && window.contains(line.at));
    let kills: Vec<&LogLine> = kills.collect();
    // One line names the group of a process, another one the process alone.
    let groups: HashMap<(&str, &str), &str> = kills
        .iter()
        .filter_map(|line| Some(((line.stream.as_str(), process(&line.text)?), control_group(&line.text)?)))
        .collect();
    let on_node = |line: &LogLine| {
        let group = || groups.get(&(line.stream.as_str(), process(&line.text)?)).copied().map(str::to_owned);
        let own = control_group(&line.text).map(str::to_owned);
        own.or_else(group).or_else(|| process(&line.text).map(|process| format!("process {process}")))
    };
    let place = |line: &LogLine| match known.named(&line.text) {
        Some(pod) => (pod.name.clone(), container_of(pod, &line.text)),
        None => match (written(&line.text), known.named(line.stream.as_str())) {
            (_, Some(pod)) => (pod.name.clone(), container_of(pod, &line.text)),
            (Some(name), None) => (name.to_owned(), None),
            (None, None) => (line.stream.to_string(), on_node(line)),
        },
    };
    let mut repeats = Repeats::default();
    let sighting = |line: &LogLine| {
        let (pod, container) = place(line);
        let is_unnamed = container.is_none() && pod == line.stream.as_str();
        let most = if is_unnamed { repeats.nth(line) } else { 1 };
        KillSighting { source: KillSource::Logs, pod, container, at: line.at, count: 1, most }
    };
    kills.into_iter().map(sighting).collect()
}

/// Lines of one stream within this of each other that are alike.
const ALIKE: SignedDuration = SignedDuration::from_secs(10);

/// Lines that name nobody, by their stream and their text without its numbers: when the first of those alike came, and how
/// many there were.
#[derive(Default)]
struct Repeats(BTreeMap<(String, String), (Timestamp, u64)>);

impl Repeats {
    /// The how manyth a line is of those alike.
    fn nth(&mut self, line: &LogLine) -> u64 {
        let shape: String = line.text.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        let (first, count) = self.0.entry((line.stream.to_string(), shape)).or_insert((line.at, 0));
        if line.at.duration_since(*first).abs() >= ALIKE {
            (*first, *count) = (line.at, 0);
        }
        *count += 1;
        *count
    }
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
