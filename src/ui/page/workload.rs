//! A workload opened: what is wanted and what is there, its containers with their limits, each pod with restarts and how
//! it last ended, rollouts and warnings.

use super::{Desk, Page, console_note};
use crate::domain::count::counted;
use crate::domain::diagnosis::evidence::{Payload, Question};
use crate::domain::observation::workload::{
    ClusterEvent, ContainerState, Listed, ListedKind, Ownership, Pod, Revision, Termination, Workload, WorkloadRef,
};
use crate::domain::remediation::step::quantity;
use crate::session::feeds::{Feed, FeedHealth, FeedId};
use crate::ui::console;
use crate::ui::format;
use crate::ui::theme::Role;
use crate::ui::view::look::Look;

/// Pods told one by one at most.
const PODS: usize = 60;
/// Events told at most.
const EVENTS: usize = 20;

/// The page, from the cluster as it is watched, else from the evidence.
pub(super) fn page(target: &WorkloadRef, desk: Desk<'_>) -> Option<Page> {
    let cluster = &desk.session.cluster;
    let told = desk.ui.incident(desk.session).and_then(|incident| incident.answer_to(Question::Workload));
    let told = told.and_then(|evidence| match evidence.answer.payload() {
        Some(Payload::Workload { workload, pods, events, .. }) if workload.target == *target => {
            Some((workload.as_ref(), pods, events, evidence))
        }
        _ => None,
    });
    let mut page = Page::default();
    let (workload, pods, events): (&Workload, Vec<&Pod>, Vec<&ClusterEvent>);
    if let Some(watched) = cluster.workloads.get(&target.key()) {
        let (role, told) = watched_words(&desk.session.feed(FeedId::Workloads), desk.look);
        page.toned("read", role, told);
        workload = watched;
        pods = cluster.pods.values().filter(|pod| pod.owner.as_ref() == Some(target)).collect();
        events = about(cluster.events.values(), &pods, target);
    } else {
        let (found, its_pods, its_events, evidence) = told?;
        let at = desk.look.moment(evidence.answered_at);
        page.toned("read", Role::Warning, format!("{} of {at}: the watch tells nothing of it", evidence.id));
        workload = found;
        pods = its_pods.iter().collect();
        events = its_events.iter().collect();
    }
    state(&mut page, workload, desk);
    containers(&mut page, workload);
    pod_rows(&mut page, &pods, target, desk);
    rollouts(&mut page, cluster.revisions.get(&target.key()).map_or(&[][..], |found| found), desk);
    event_rows(&mut page, &events, desk);
    page.head("LINKS (Tab chooses, y copies)");
    if let Some(url) = console::workload(&desk.session.header.scope, target) {
        page.link("console", url);
    }
    page.link("kubectl", format!("kubectl get {}/{} -n {} -o yaml", target.kind.word(), target.name, target.namespace));
    console_note(&mut page, desk);
    Some(page)
}

/// Whether the watch still tells it. A quiet cluster tells nothing for hours: live is what is watched, however old.
fn watched_words(feed: &Feed, look: &Look) -> (Role, String) {
    let last = feed.answered_at.map_or_else(String::new, |at| format!(", {}", look.instant(at)));
    let last = format!("as the watch last told it{last}");
    match &feed.health {
        FeedHealth::Live if !feed.unreadable.is_empty() => {
            (Role::Warning, format!("as the cluster's watch tells it now, but {} kinds refused", feed.unreadable.len()))
        }
        FeedHealth::Live => (Role::Good, "as the cluster's watch tells it now".to_owned()),
        FeedHealth::Retrying { fault, .. } => (Role::Warning, format!("RETRY {}: {last}", fault.kind.word())),
        FeedHealth::Lost { fault } => (Role::Danger, format!("ERR {}: {last}", fault.kind.word())),
        FeedHealth::Off { .. } | FeedHealth::Connecting => (Role::Warning, last),
    }
}

/// Warnings about the workload or one of its pods, newest first.
fn about<'a>(
    events: impl Iterator<Item = &'a ClusterEvent>,
    pods: &[&Pod],
    target: &WorkloadRef,
) -> Vec<&'a ClusterEvent> {
    let named = |event: &&ClusterEvent| {
        let name = event.about.rsplit('/').next().unwrap_or_default();
        let ours = name == target.name || name.starts_with(&format!("{}-", target.name));
        event.warning && event.namespace == target.namespace && (ours || pods.iter().any(|pod| pod.name == name))
    };
    let mut found: Vec<&ClusterEvent> = events.filter(named).collect();
    found.sort_by_key(|event| std::cmp::Reverse(event.last_at));
    found
}

fn state(page: &mut Page, workload: &Workload, desk: Desk<'_>) {
    let whole = workload.ready >= workload.replicas;
    let ready = format!(
        "{} of {} ready, {} available, {} on the newest template",
        workload.ready, workload.replicas, workload.available, workload.updated
    );
    page.toned("pods", if whole { Role::Good } else { Role::Danger }, ready);
    let behind = workload.observed_generation < workload.generation;
    let observed = if behind { "  the controller has NOT seen it yet" } else { "  seen by the controller" };
    page.toned(
        "generation",
        if behind { Role::Warning } else { Role::Text },
        format!("{}{observed}", workload.generation),
    );
    page.field("revision", workload.revision.map_or_else(String::new, |number| number.to_string()));
    page.field("rollout", format!("maxUnavailable {}  maxSurge {}", workload.max_unavailable, workload.max_surge));
    if workload.paused {
        page.toned("paused", Role::Warning, "rollouts are PAUSED");
    }
    match &workload.ownership {
        Ownership::Direct => {}
        Ownership::Helm { release } => page.toned("owned by", Role::Warning, format!("Helm release {release}")),
        Ownership::ArgoCd { application } => {
            page.toned("owned by", Role::Warning, format!("Argo CD {application}: a direct change is reverted"));
        }
        Ownership::Flux { name } => {
            page.toned("owned by", Role::Warning, format!("Flux {name}: a direct change is reverted"));
        }
        Ownership::Controller { kind, name } => {
            page.toned("owned by", Role::Warning, format!("{kind}/{name}: a direct change is reverted"));
        }
    }
    page.field("created", workload.created_at.map_or_else(String::new, |at| desk.look.moment(at)));
}

fn containers(page: &mut Page, workload: &Workload) {
    page.head("CONTAINERS (as the template declares them)");
    for container in &workload.containers {
        page.parts([(Role::Strong, container.name.clone()), (Role::Text, format!("  {}", container.image))]);
        let bytes = |bytes: Option<u64>| bytes.map_or_else(|| "none".to_owned(), quantity);
        let cpu = container.cpu_limit_milli.map_or_else(|| "none".to_owned(), |milli| format!("{milli}m"));
        let role = if container.memory_limit.is_none() { Role::Warning } else { Role::Text };
        let text = format!(
            "memory limit {}  request {}  cpu limit {cpu}",
            bytes(container.memory_limit),
            bytes(container.memory_request)
        );
        page.toned("", role, text);
    }
    if workload.containers.is_empty() {
        page.text(Role::Faint, "The template was read without containers.");
    }
}

fn pod_rows(page: &mut Page, pods: &[&Pod], target: &WorkloadRef, desk: Desk<'_>) {
    let listed = Listed { kind: ListedKind::Pods, namespace: target.namespace.clone() };
    if pods.is_empty() && !desk.session.cluster.whole.contains(&listed) {
        page.head("PODS (not read)");
        let refused = desk.session.feed(FeedId::Workloads).unreadable;
        for why in &refused {
            page.text(Role::Warning, why.clone());
        }
        if refused.is_empty() {
            page.text(Role::Faint, format!("The pods of {} have not been listed.", target.namespace));
        }
        return;
    }
    page.head(format!("PODS ({})", pods.len()));
    if pods.is_empty() {
        page.text(Role::Faint, "No pod of it is there.");
    }
    for pod in pods.iter().take(PODS) {
        let node = pod.node.as_deref().unwrap_or("no node");
        let age = pod.created_at.map_or_else(String::new, |at| format!("  {} old", desk.look.age(at)));
        page.parts([(Role::Strong, pod.name.clone()), (Role::Faint, format!("  {}  {node}{age}", pod.phase))]);
        for container in &pod.containers {
            container_rows(page, container, desk);
        }
    }
    if pods.len() > PODS {
        page.text(Role::Warning, format!("and {}: v shows them all", counted(pods.len() - PODS, "more pod")));
    }
}

fn container_rows(page: &mut Page, container: &ContainerState, desk: Desk<'_>) {
    let since = container.running_since.map_or_else(String::new, |at| format!(" for {}", desk.look.age(at)));
    let role = if container.ready { Role::Good } else { Role::Danger };
    let ready = if container.ready { "ready" } else { "NOT READY" };
    page.parts([
        (Role::Text, format!("  {}  ", container.name)),
        (role, format!("{ready}  {}{since}", container.state)),
        (
            if container.restarts > 0 { Role::Warning } else { Role::Faint },
            format!("  restarts {}", container.restarts),
        ),
    ]);
    if let Some(end) = &container.last_end {
        let role = if end.reason == "OOMKilled" { Role::Kill } else { Role::Warning };
        page.parts([(Role::Faint, "    last ended  ".to_owned()), (role, ending(end, desk))]);
    }
}

/// `OOMKilled exit 137 after 6m12s, 09:30:52Z`; 137 without the word is said not to be a kill for memory.
fn ending(end: &Termination, desk: Desk<'_>) -> String {
    let lived = end
        .started_at
        .zip(end.finished_at)
        .map_or_else(String::new, |(from, to)| format!(" after {}", format::span(to.duration_since(from).as_secs())));
    let at = end.finished_at.map_or_else(String::new, |at| format!(", {}", desk.look.clock(at)));
    let hint = if end.exit_code == 137 && end.reason != "OOMKilled" {
        "  (137 is a kill by signal; nothing says it was for memory)"
    } else {
        ""
    };
    format!("{} exit {}{lived}{at}{hint}", end.reason, end.exit_code)
}

fn rollouts(page: &mut Page, revisions: &[Revision], desk: Desk<'_>) {
    if revisions.is_empty() {
        return;
    }
    page.head("ROLLOUTS");
    for revision in revisions.iter().rev() {
        let at = revision.created_at.map_or_else(|| "at an unknown time".to_owned(), |at| desk.look.moment(at));
        // A rollback takes the older template again, and the cluster tells since when there is that.
        let is_back =
            revisions.iter().any(|other| other.number < revision.number && other.created_at > revision.created_at);
        let at = if is_back { format!("a rollback, to what there is since {at}") } else { at };
        let images: Vec<&str> = revision.images.values().map(String::as_str).collect();
        let pods = revision.replicas.map_or_else(String::new, |replicas| counted(replicas, "pod") + "  ");
        page.field("revision", format!("{}  {at}  {pods}{}", revision.number, images.join(" ")));
    }
}

fn event_rows(page: &mut Page, events: &[&ClusterEvent], desk: Desk<'_>) {
    page.head("WARNINGS");
    if events.is_empty() {
        page.text(Role::Faint, "The cluster tells no warning about it.");
    }
    for event in events.iter().take(EVENTS) {
        let at = event.last_at.map_or_else(String::new, |at| desk.look.clock(at));
        let text = format!("{at} {} x{} {}: {}", event.reason, event.count, event.about, event.message);
        page.text(Role::Warning, text);
    }
}
