//! Checks before a step: what a dry run does not tell. Each says what it found with its numbers, or why it could not look.

mod admitted;
mod headroom;
mod healing;
mod owner;
mod range;
mod selector;
mod starts;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{LimitRange, Node, Pod, ResourceQuota};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use serde_json::Value;

use self::headroom::Need;
use super::access::Access;
use super::call::{Client, Resource};
use super::fault::{KubeError, Problem};
use super::rollout;
use crate::domain::count::counted;
use crate::domain::observation::workload::{Workload, WorkloadKind};
use crate::domain::remediation::gate::Purpose;
use crate::domain::remediation::step::{AS_PLANNED, AVAILABILITY, Action, Check, CheckState, PlannedOn, quantity};

/// The name of the check of the access review.
pub(super) const ACCESS: &str = "access";

/// What is checked.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) action: &'a Action,
    pub(super) purpose: Purpose,
    pub(super) workload: &'a Workload,
    pub(super) before: &'a Value,
    /// The template that a rollback puts back.
    pub(super) put_back: Option<&'a Value>,
}

fn check(name: &str, state: CheckState, text: impl Into<String>) -> Check {
    Check { name: name.to_owned(), state, text: text.into() }
}

/// The server would not say: `could not check: …`.
fn unknown(name: &str, error: &KubeError) -> Check {
    let why = match &error.problem {
        Problem::Denied(_) => {
            let doing = &error.doing;
            format!("this credential may not {} {}", doing.verb, doing.resource)
        }
        _ => error.fault().summary,
    };
    check(name, CheckState::Unknown, format!("could not check: {why}"))
}

/// The target could not be read at all.
pub(super) fn target_unread(error: &KubeError) -> Check {
    match &error.problem {
        Problem::NotFound(_) => check("target exists", CheckState::Failed, error.fault().summary),
        _ => unknown("target exists", error),
    }
}

/// What the target itself tells.
pub(super) fn of_target(
    (action, planned_on): (&Action, Option<&PlannedOn>),
    workload: &Workload,
    object: &Value,
) -> Vec<Check> {
    let mut checks =
        vec![exists(action, workload), owner::owner(action, workload, object), rolls(action, workload, object)];
    checks.extend(availability(action, workload, object));
    if let Action::SetResources { container, memory_limit, .. } = action {
        checks.extend(request_above_limit(workload, container, *memory_limit));
    }
    let moved = moved_since(action, workload).or_else(|| planned_on?.moved(workload));
    checks.extend(moved.map(|text| check(AS_PLANNED, CheckState::Failed, text)));
    checks
}

/// What a step says it starts from, where that is not so any more: its text, its undo and its size would all be wrong.
fn moved_since(action: &Action, workload: &Workload) -> Option<String> {
    let limit = |bytes: Option<u64>| bytes.map_or_else(|| "no limit".to_owned(), |b| format!("{} limit", quantity(b)));
    let (then, now) = match action {
        Action::Scale { was, .. } => (counted(*was, "replica"), counted(workload.replicas, "replica")),
        Action::SetResources { container, was, .. } => {
            let found = workload.containers.iter().find(|spec| spec.name == *container)?;
            (limit(*was), limit(found.memory_limit))
        }
        Action::RolloutRestart | Action::RolloutUndo { .. } => return None,
    };
    (then != now).then(|| format!("{then} when planned, {now} now: read the evidence again with r"))
}

/// The server took the request, and nothing would be different.
pub(super) fn changes_nothing() -> Check {
    check("changes something", CheckState::Failed, "the server would take it and change nothing")
}

fn exists(action: &Action, workload: &Workload) -> Check {
    let name = "target exists";
    if let Action::SetResources { container, .. } = action
        && !workload.containers.iter().any(|spec| spec.name == *container)
    {
        let names: Vec<&str> = workload.containers.iter().map(|spec| spec.name.as_str()).collect();
        // A strategic merge would add a container of that name instead of failing.
        let text = format!("no container {container}; there are {}", names.join(", "));
        return check(name, CheckState::Failed, text);
    }
    check(name, CheckState::Ok, format!("generation {}", workload.generation))
}

/// Whether a changed template would roll at all, and whether something rolls already.
fn rolls(action: &Action, workload: &Workload, object: &Value) -> Check {
    let name = "rollout";
    let state = rollout::facts(workload.target.kind, object);
    if matches!(action, Action::Scale { .. }) {
        return check(name, CheckState::Ok, "no rollout is needed");
    }
    if workload.paused {
        return check(name, CheckState::Failed, "rollouts of it are paused: nothing would roll");
    }
    let on_delete = object.pointer("/spec/updateStrategy/type").and_then(Value::as_str) == Some("OnDelete");
    if on_delete && workload.target.kind != WorkloadKind::Deployment {
        return check(name, CheckState::Failed, "its update strategy is OnDelete: no pod would be replaced by itself");
    }
    if let Some(text) = rollout::unsettled(&state) {
        return check(name, CheckState::Warning, text);
    }
    check(name, CheckState::Ok, format!("settled: {} of {} available", state.available, state.replicas))
}

/// What a rollout leaves of the service while it is under way, where that is nothing.
fn availability(action: &Action, workload: &Workload, object: &Value) -> Option<Check> {
    let name = AVAILABILITY;
    match action {
        Action::Scale { .. } => return None,
        Action::RolloutRestart | Action::SetResources { .. } | Action::RolloutUndo { .. } => {}
    }
    if workload.replicas == 0 {
        return Some(check(name, CheckState::Failed, "it is scaled to 0 replicas: there is no pod to replace"));
    }
    let (down, _) = workload.in_motion();
    (down >= workload.replicas).then(|| {
        let recreates = object.pointer("/spec/strategy/type").and_then(Value::as_str) == Some("Recreate");
        let how = if recreates { "Recreate".to_owned() } else { written_motion(workload) };
        let text = format!("every pod is down at once ({how}): the service is away until new ones are ready");
        check(name, CheckState::Warning, text)
    })
}

fn written_motion(workload: &Workload) -> String {
    let (unavailable, surge) = (&workload.max_unavailable, &workload.max_surge);
    format!("{}, maxUnavailable {unavailable}, maxSurge {surge}", counted(workload.replicas, "pod"))
}

/// The API refuses a request above its limit; the rehearsal shows it, this says it in words.
fn request_above_limit(workload: &Workload, container: &str, limit: u64) -> Option<Check> {
    let request = workload.containers.iter().find(|spec| spec.name == container)?.memory_request?;
    (request > limit).then(|| {
        let text = format!("its memory request of {request} bytes lies above the new limit of {limit}");
        check("request fits limit", CheckState::Failed, text)
    })
}

/// What the rest of the cluster tells, asked all at once.
pub(super) async fn of_cluster(client: &Client, subject: Subject<'_>) -> Vec<Check> {
    let target = &subject.workload.target;
    let place = Some(&target.namespace);
    let (access, budgets, scalers, quotas, ranges, nodes, pods, begun, heals) = tokio::join!(
        client.may_patch(target),
        client.list::<PodDisruptionBudget>(Resource::BUDGETS, place, &[]),
        client.list::<HorizontalPodAutoscaler>(Resource::AUTOSCALERS, place, &[]),
        client.list::<ResourceQuota>(Resource::QUOTAS, place, &[]),
        client.list::<LimitRange>(Resource::LIMIT_RANGES, place, &[]),
        client.list::<Node>(Resource::NODES, None, &[]),
        client.list::<Pod>(Resource::PODS, None, &[("fieldSelector", "status.phase!=Succeeded,status.phase!=Failed")]),
        Box::pin(starts::of_new_pods(client, &subject)),
        Box::pin(healing::heals(client, &subject)),
    );
    let listed = ranges.as_ref().map_or(&[][..], |list| list.items.as_slice());
    let need = Need::of(&subject, listed);
    let room = match (nodes, pods) {
        (Ok(nodes), Ok(pods)) => headroom::on_nodes(&need, &nodes.items, &pods.items),
        (Err(error), _) | (_, Err(error)) => unknown("node headroom", &error),
    };
    let quota = quotas.map_or_else(|e| unknown("quota", &e), |list| headroom::in_quota(&need, &list.items));
    let mut checks = vec![
        access_check(access),
        budgets.map_or_else(|e| unknown("disruption budget", &e), |list| budget(&subject, &list.items)),
        scalers.map_or_else(|e| unknown("autoscaler", &e), |list| autoscaler(&subject, &list.items)),
        quota,
        ranges.map_or_else(|e| unknown("limit range", &e), |list| range::in_ranges(&subject, &list.items)),
        room,
    ];
    checks.extend(begun.into_iter().chain(heals));
    checks
}

fn access_check(access: Result<Access, KubeError>) -> Check {
    let name = ACCESS;
    match access {
        Ok(Access::Allowed) => check(name, CheckState::Ok, "may patch it"),
        Ok(Access::Denied { reason }) if reason.is_empty() => check(name, CheckState::Failed, "may not patch it"),
        Ok(Access::Denied { reason }) => check(name, CheckState::Failed, format!("may not patch it: {reason}")),
        Err(error) => unknown(name, &error),
    }
}

/// A rollout does not ask the budget (only evictions do), so a budget without room is a warning, not a refusal.
fn budget(subject: &Subject<'_>, budgets: &[PodDisruptionBudget]) -> Check {
    let name = "disruption budget";
    let labels = selector::labels_at(subject.before, "/spec/template/metadata/labels");
    let covering: Vec<(&str, i32)> = budgets
        .iter()
        .filter(|budget| {
            let spec = budget.spec.as_ref();
            spec.and_then(|spec| spec.selector.as_ref()).is_some_and(|wanted| selector::matches(wanted, &labels))
        })
        .map(|budget| {
            let allowed = budget.status.as_ref().map_or(0, |status| status.disruptions_allowed);
            (budget.metadata.name.as_deref().unwrap_or("unnamed"), allowed)
        })
        .collect();
    let (down, _) = subject.workload.in_motion();
    let down = if matches!(subject.action, Action::Scale { .. }) { 0 } else { down };
    match covering.iter().min_by_key(|(_, allowed)| *allowed) {
        None => check(name, CheckState::Ok, "none covers these pods"),
        Some((budget, allowed)) if *allowed > 0 && i64::from(down) > i64::from(*allowed) => {
            let text = format!("{budget} allows {allowed}, the rollout takes {down} and does not ask it");
            check(name, CheckState::Warning, text)
        }
        Some((budget, allowed)) if *allowed > 0 => check(name, CheckState::Ok, format!("{budget} allows {allowed}")),
        Some((budget, _)) => {
            check(name, CheckState::Warning, format!("{budget} allows 0 now; a rollout does not ask it"))
        }
    }
}

/// The kind as objects name it.
fn kind_of(kind: WorkloadKind) -> &'static str {
    match kind {
        WorkloadKind::Deployment => "Deployment",
        WorkloadKind::StatefulSet => "StatefulSet",
        WorkloadKind::DaemonSet => "DaemonSet",
    }
}

fn autoscaler(subject: &Subject<'_>, scalers: &[HorizontalPodAutoscaler]) -> Check {
    let name = "autoscaler";
    let target = &subject.workload.target;
    let kind = kind_of(target.kind);
    let aimed = scalers.iter().find_map(|scaler| {
        let spec = scaler.spec.as_ref()?;
        let aims = spec.scale_target_ref.kind == kind && spec.scale_target_ref.name == target.name;
        aims.then(|| {
            (scaler.metadata.name.as_deref().unwrap_or("unnamed"), spec.min_replicas.unwrap_or(1), spec.max_replicas)
        })
    });
    let Some((scaler, least, most)) = aimed else { return check(name, CheckState::Ok, "none aims at it") };
    let most = counted(most, "replica");
    match subject.action {
        Action::Scale { .. } => {
            let text = format!("{scaler} keeps {least} to {most} and sets its own number again: change its bounds");
            check(name, CheckState::Failed, text)
        }
        Action::RolloutRestart | Action::SetResources { .. } | Action::RolloutUndo { .. } => {
            check(name, CheckState::Ok, format!("{scaler} keeps {least} to {most}"))
        }
    }
}

/// How many pods a step touches, and how, in one line.
pub(super) fn blast(action: &Action, workload: &Workload) -> String {
    let replicas = workload.replicas;
    if let Action::Scale { replicas: wanted, .. } = action {
        return match wanted.cmp(&replicas) {
            std::cmp::Ordering::Greater => format!("{} added to {replicas}", counted(wanted - replicas, "pod")),
            std::cmp::Ordering::Less => format!("{} of {} removed", replicas - wanted, counted(replicas, "pod")),
            std::cmp::Ordering::Equal => format!("no change: {} already", counted(replicas, "pod")),
        };
    }
    let (down, extra) = workload.in_motion();
    format!(
        "{} replaced, at most {down} down and {extra} extra at a time (maxUnavailable {}, maxSurge {})",
        counted(replicas, "pod"),
        workload.max_unavailable,
        workload.max_surge
    )
}

#[cfg(test)]
mod tests;
