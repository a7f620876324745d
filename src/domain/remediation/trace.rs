//! What the cluster shows of a step whose end is unknown: whether its request has reached it. Judged from one reading.

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::request::{RESTARTED_AT, Request, restarted_at, template_put_back};
use super::step::{Action, Step, quantity};
use crate::domain::count::{counted, either};
use crate::domain::observation::workload::Workload;

/// A request that gave us no answer may still be with the API server: it gives a request up after a minute, webhooks and all.
const MOST_UNDER_WAY: SignedDuration = SignedDuration::from_mins(1);

/// Whether a request may still reach the object, so long after it left, though it has not been seen there.
pub fn may_still_arrive(trace: Trace, since_it_left: SignedDuration) -> bool {
    match trace {
        Trace::HasRun => false,
        Trace::HasNotRun | Trace::Unclear => since_it_left < MOST_UNDER_WAY,
    }
}

/// Whether a step has run, as far as the workload shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trace {
    /// What the request sets is there.
    HasRun,
    /// It is not there.
    HasNotRun,
    /// It cannot be told from what was read.
    #[default]
    Unclear,
}

/// What a workload shows of a step, and that as a sentence.
///
/// 1. Another uid: the request was for the object before this one.
/// 2. A generation that is still the one of the rehearsal: no request has changed the object since.
/// 3. Otherwise what the request sets is looked for: the very `restartedAt` that was sent, the limit, the replicas, or
///    the restart stamp and images of the template that was put back.
/// 4. It is not there, and more than one change has been made: somebody may have put it back, and nobody can tell.
pub fn trace(step: &Step, workload: &Workload) -> (Trace, String) {
    let generation = workload.generation;
    let rehearsal = step.rehearsal.as_ref();
    let (Some(facts), Some(request)) =
        (rehearsal.and_then(|it| it.facts.as_ref()), rehearsal.and_then(|it| it.request.as_ref()))
    else {
        return (Trace::Unclear, format!("generation is {generation}: the step has no rehearsal to compare it with"));
    };
    if facts.uid != workload.uid {
        return (Trace::HasNotRun, "the object is another one by now: it has not had the step".to_owned());
    }
    if facts.generation == generation {
        return (Trace::HasNotRun, format!("generation is still {generation}: the step has not run"));
    }
    let (is_there, what) = shown(&step.action, request, workload);
    let (found, words) = match (is_there, generation - facts.generation) {
        (true, _) => (Trace::HasRun, "the step has run"),
        (false, 1) => (Trace::HasNotRun, "the step has not run"),
        (false, _) => (Trace::Unclear, "others have changed it since, and whether the step has run cannot be told"),
    };
    (found, format!("{what}: {words} (generation {generation})"))
}

/// What a workload shows in place of what a step that has run set there; `None` where it shows that, or nobody can tell.
pub fn put_back(step: &Step, workload: &Workload) -> Option<String> {
    let rehearsal = step.rehearsal.as_ref()?;
    let (facts, request) = rehearsal.facts.as_ref().zip(rehearsal.request.as_ref())?;
    if facts.uid != workload.uid {
        return Some("the object is another one by now".to_owned());
    }
    let (is_there, what) = shown(&step.action, request, workload);
    (!is_there).then(|| format!("{what} (generation {})", workload.generation))
}

/// Whether what a request sets is there, and what is there in words.
fn shown(action: &Action, request: &Request, workload: &Workload) -> (bool, String) {
    match action {
        Action::RolloutRestart => {
            let found = workload.template_annotations.get(RESTARTED_AT);
            let words = found.map_or_else(|| "never restarted".to_owned(), |at| format!("restarted at {at}"));
            let sent = restarted_at(request);
            (sent.is_some() && sent.as_ref() == found, words)
        }
        Action::SetResources { container, memory_limit, .. } => {
            let found = workload.containers.iter().find(|found| found.name == *container);
            let limit = found.and_then(|found| found.memory_limit);
            let words =
                limit.map_or_else(|| "there is no limit".to_owned(), |it| format!("the limit is {}", quantity(it)));
            (limit == Some(*memory_limit), words)
        }
        Action::Scale { replicas, .. } => (workload.replicas == *replicas, {
            let are = either(workload.replicas, "is", "are");
            format!("{} {are} asked for", counted(workload.replicas, "replica"))
        }),
        Action::RolloutUndo { to_revision } => {
            let is_back = template_put_back(request).is_some_and(|template| is_template(workload, &template));
            let is = if is_back { "is" } else { "is not" };
            (is_back, format!("the template {is} that of revision {to_revision}"))
        }
    }
}

/// Whether a workload has the restart stamp, and the containers by name and image, of a template.
fn is_template(workload: &Workload, template: &Value) -> bool {
    let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let containers = template.pointer("/spec/containers").and_then(Value::as_array);
    let wanted: Vec<_> = containers.into_iter().flatten().map(|it| (text(it, "name"), text(it, "image"))).collect();
    let found = workload.containers.iter().map(|it| (Some(it.name.clone()), Some(it.image.clone())));
    let annotations = template.pointer("/metadata/annotations").and_then(Value::as_object);
    let stamp = annotations.and_then(|all| all.get(RESTARTED_AT)?.as_str());
    !wanted.is_empty()
        && found.eq(wanted)
        && workload.template_annotations.get(RESTARTED_AT).map(String::as_str) == stamp
}

#[cfg(test)]
mod tests;
