//! Finding and reading scenarios: built in, by file or by folder, with the line of whatever is wrong.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::overlay::Overlay;
use super::{AfterSpec, AlarmSpec, FaultSpec, HistorySpec, Scenario};
use super::{bounds, folder, objects};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::near::nearest;
use crate::domain::observation::workload::WorkloadKind;

/// A scenario in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScenarioSummary {
    /// Its name.
    pub name: String,
    /// One line.
    pub title: String,
    /// What a person learns from it.
    pub teaches: String,
}

/// The scenarios inside the program, the founding one first.
const BUILT_IN: [(&str, &str); 56] = [
    ("oom-leak", include_str!("../../../assets/scenarios/oom-leak.toml")),
    ("limit-too-low", include_str!("../../../assets/scenarios/limit-too-low.toml")),
    ("traffic-flood", include_str!("../../../assets/scenarios/traffic-flood.toml")),
    ("no-data", include_str!("../../../assets/scenarios/no-data.toml")),
    ("model-hallucinates", include_str!("../../../assets/scenarios/model-hallucinates.toml")),
    ("collector-thrash", include_str!("../../../assets/scenarios/collector-thrash.toml")),
    ("cpu-bound", include_str!("../../../assets/scenarios/cpu-bound.toml")),
    ("dependency-after-deploy", include_str!("../../../assets/scenarios/dependency-after-deploy.toml")),
    ("dependency-down", include_str!("../../../assets/scenarios/dependency-down.toml")),
    ("dependency-inferred", include_str!("../../../assets/scenarios/dependency-inferred.toml")),
    ("linked-account", include_str!("../../../assets/scenarios/linked-account.toml")),
    ("dependency-slow", include_str!("../../../assets/scenarios/dependency-slow.toml")),
    ("dependency-unread", include_str!("../../../assets/scenarios/dependency-unread.toml")),
    ("deploy-by-helm", include_str!("../../../assets/scenarios/deploy-by-helm.toml")),
    ("deploy-harmless", include_str!("../../../assets/scenarios/deploy-harmless.toml")),
    ("deploy-hot", include_str!("../../../assets/scenarios/deploy-hot.toml")),
    ("deploy-regression", include_str!("../../../assets/scenarios/deploy-regression.toml")),
    ("deploy-retries", include_str!("../../../assets/scenarios/deploy-retries.toml")),
    ("deploy-slow", include_str!("../../../assets/scenarios/deploy-slow.toml")),
    ("deploy-yesterday", include_str!("../../../assets/scenarios/deploy-yesterday.toml")),
    ("flapping-alarm", include_str!("../../../assets/scenarios/flapping-alarm.toml")),
    ("flood-turned-away", include_str!("../../../assets/scenarios/flood-turned-away.toml")),
    ("leak-and-flood", include_str!("../../../assets/scenarios/leak-and-flood.toml")),
    ("leak-by-deploy", include_str!("../../../assets/scenarios/leak-by-deploy.toml")),
    ("leak-cluster-denied", include_str!("../../../assets/scenarios/leak-cluster-denied.toml")),
    ("leak-logs-denied", include_str!("../../../assets/scenarios/leak-logs-denied.toml")),
    ("leak-no-collector", include_str!("../../../assets/scenarios/leak-no-collector.toml")),
    ("leak-restarted", include_str!("../../../assets/scenarios/leak-restarted.toml")),
    ("leak-throttled", include_str!("../../../assets/scenarios/leak-throttled.toml")),
    ("leak-traffic-unread", include_str!("../../../assets/scenarios/leak-traffic-unread.toml")),
    ("limit-no-collector", include_str!("../../../assets/scenarios/limit-no-collector.toml")),
    ("limit-traffic-unread", include_str!("../../../assets/scenarios/limit-traffic-unread.toml")),
    ("organic-growth", include_str!("../../../assets/scenarios/organic-growth.toml")),
    ("retry-storm", include_str!("../../../assets/scenarios/retry-storm.toml")),
    ("autoscaler-at-maximum", include_str!("../../../assets/scenarios/autoscaler-at-maximum.toml")),
    ("quiet-memory-unread", include_str!("../../../assets/scenarios/quiet-memory-unread.toml")),
    ("scale-in-alarm", include_str!("../../../assets/scenarios/scale-in-alarm.toml")),
    ("deploy-first-errors", include_str!("../../../assets/scenarios/deploy-first-errors.toml")),
    ("quiet", include_str!("../../../assets/scenarios/quiet.toml")),
    ("throttled", include_str!("../../../assets/scenarios/throttled.toml")),
    ("stream-cut", include_str!("../../../assets/scenarios/stream-cut.toml")),
    ("credentials-expire", include_str!("../../../assets/scenarios/credentials-expire.toml")),
    ("api-server-restarts", include_str!("../../../assets/scenarios/api-server-restarts.toml")),
    ("webhook-denies", include_str!("../../../assets/scenarios/webhook-denies.toml")),
    ("rollout-stuck", include_str!("../../../assets/scenarios/rollout-stuck.toml")),
    ("alarm-storm", include_str!("../../../assets/scenarios/alarm-storm.toml")),
    ("node-pressure", include_str!("../../../assets/scenarios/node-pressure.toml")),
    ("node-not-ready", include_str!("../../../assets/scenarios/node-not-ready.toml")),
    ("node-drained", include_str!("../../../assets/scenarios/node-drained.toml")),
    ("probe-kills-137", include_str!("../../../assets/scenarios/probe-kills-137.toml")),
    ("stuck-process", include_str!("../../../assets/scenarios/stuck-process.toml")),
    ("stuck-logs-denied", include_str!("../../../assets/scenarios/stuck-logs-denied.toml")),
    ("network-cut", include_str!("../../../assets/scenarios/network-cut.toml")),
    ("daily-peak", include_str!("../../../assets/scenarios/daily-peak.toml")),
    ("tail-breaks", include_str!("../../../assets/scenarios/tail-breaks.toml")),
    ("helm-repo-unreachable", include_str!("../../../assets/scenarios/helm-repo-unreachable.toml")),
];

/// The built-in scenarios, the founding one first. One that does not parse is left out; a test keeps that from happening.
pub fn list() -> Vec<ScenarioSummary> {
    BUILT_IN
        .iter()
        .filter_map(|(name, text)| parse(text, name).ok())
        .map(|scenario| ScenarioSummary { name: scenario.name, title: scenario.title, teaches: scenario.teaches })
        .collect()
}

/// Loads a built-in scenario by name, else a TOML file, else `scenario.toml` of a folder.
///
/// # Errors
/// `Usage` when nothing of that name exists or the text is not a scenario; `Storage` when a file cannot be read.
pub fn load(name_or_path: &str) -> Result<Scenario, Fault> {
    if let Some((name, text)) = BUILT_IN.iter().find(|(name, _)| *name == name_or_path) {
        return parse(text, name);
    }
    let given = Path::new(name_or_path);
    if given.is_dir() && !given.join("scenario.toml").is_file() {
        return Err(folder::unfinished(given));
    }
    let file = if given.is_dir() { given.join("scenario.toml") } else { given.to_path_buf() };
    if !file.is_file() {
        let names: Vec<&str> = BUILT_IN.iter().map(|(name, _)| *name).collect();
        let near = nearest(name_or_path, &names).map(|near| format!("Did you mean `{near}`? ")).unwrap_or_default();
        return Err(Fault::new(FaultKind::Usage, format!("There is no scenario {name_or_path:?}.")).hint(format!(
            "{near}`pagerdeck rehearse --list` names those that ship; the path of a TOML file, or of a folder with \
             scenario.toml, names another."
        )));
    }
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Fault::new(FaultKind::Storage, format!("The scenario {} could not be read.", file.display()))
            .cause(error.to_string())
    })?;
    let mut scenario = parse(&text, &file.display().to_string())?;
    let folder = file.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let latest = scenario.start.checked_add(scenario.objects_end).unwrap_or(scenario.start);
    scenario.cluster.objects.extend(objects::read(&folder, &scenario.objects, latest)?);
    scenario.folder = Some(folder);
    Ok(scenario)
}

/// Reads a scenario from its text; `origin` names it in the fault.
///
/// # Errors
/// `Usage`, with line and column where the text is not TOML or a field is wrong or unknown.
pub fn parse(text: &str, origin: &str) -> Result<Scenario, Fault> {
    let contradiction =
        |cause: String| Fault::new(FaultKind::Usage, format!("The scenario {origin} contradicts itself.")).cause(cause);
    let overlay = read(text, origin)?;
    let base = match &overlay.based_on {
        None => None,
        Some(name) => Some(base(name).map_err(&contradiction)?),
    };
    let scenario = overlay.over(base.as_ref()).map_err(contradiction)?;
    check(&scenario).map_err(contradiction)?;
    Ok(scenario)
}

/// A built-in scenario that stands by itself.
fn base(name: &str) -> Result<Scenario, String> {
    let (_, text) = BUILT_IN
        .iter()
        .find(|(built_in, _)| *built_in == name)
        .ok_or_else(|| format!("It is based on {name:?}, which is not a built-in scenario."))?;
    let overlay = read(text, name).map_err(|fault| fault.to_string())?;
    if overlay.based_on.is_some() {
        return Err(format!("It is based on {name:?}, which is itself based on another."));
    }
    overlay.over(None)
}

fn read(text: &str, origin: &str) -> Result<Overlay, Fault> {
    toml::from_str(text).map_err(|error| {
        let place = error.span().map_or_else(String::new, |span| {
            let (line, column) = position(text, span.start);
            format!(" at line {line}, column {column}")
        });
        Fault::new(FaultKind::Usage, format!("The scenario {origin} is not valid{place}."))
            .cause(error.message().trim_end().to_owned())
            .hint("Every field is described in assets/scenarios/README.md.")
    })
}

/// Line and column, from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    (line, column)
}

/// What the types cannot say: names that must exist, windows that must be in order.
fn check(scenario: &Scenario) -> Result<(), String> {
    for metric in &scenario.metrics {
        if let Some(workload) = &metric.workload
            && scenario.workload(workload).is_none()
        {
            return Err(format!("The metric {:?} follows the workload {workload:?}, which is not here.", metric.id));
        }
        let needs_workload = matches!(
            metric.history,
            HistorySpec::Memory | HistorySpec::OomTerminations | HistorySpec::Restarts | HistorySpec::Running
        );
        let shares = matches!(metric.after, AfterSpec::Load | AfterSpec::Pressure { .. } | AfterSpec::Release { .. });
        if (needs_workload || shares) && metric.workload.is_none() {
            return Err(format!("The metric {:?} follows lives but names no workload.", metric.id));
        }
    }
    check_alarms(scenario)?;
    check_autoscalers(scenario)?;
    if let Some(why) = scenario.faults.iter().find_map(FaultSpec::contradiction).or(scenario.model.contradiction()) {
        return Err(why);
    }
    for log in &scenario.logs {
        if log.workload.as_ref().is_some_and(|workload| scenario.workload(workload).is_none()) {
            return Err(format!("A log of {} names the workload {:?}, which is not here.", log.group, log.workload));
        }
    }
    for workload in &scenario.workloads {
        if workload.containers.is_empty() || workload.revisions.is_empty() {
            return Err(format!("The workload {:?} needs a container and a revision.", workload.name));
        }
        if let Some(kills) = workload.memory.kills()
            && (kills.from >= kills.to || kills.gap_min > kills.gap_max || kills.to.is_positive())
        {
            return Err(format!("The kills of {:?} need from < to <= 0 and gap_min <= gap_max.", workload.name));
        }
    }
    bounds::contradiction(scenario).map_or(Ok(()), Err)
}

fn check_autoscalers(scenario: &Scenario) -> Result<(), String> {
    for scaler in &scenario.cluster.autoscalers {
        let name = &scaler.workload;
        let Some(workload) = scenario.workload(name) else {
            return Err(format!("An autoscaler scales the workload {name:?}, which is not here."));
        };
        if workload.namespace.as_str() != scaler.namespace {
            return Err(format!("The autoscaler of {name:?} is in {:?} and its workload is not.", scaler.namespace));
        }
        if scaler.min < 1 || scaler.max < scaler.min {
            return Err(format!("The autoscaler of {name:?} needs 1 <= min <= max."));
        }
        if workload.kind == WorkloadKind::DaemonSet {
            return Err(format!("The autoscaler of {name:?} cannot scale a daemon set."));
        }
    }
    Ok(())
}

fn check_alarms(scenario: &Scenario) -> Result<(), String> {
    let ids: HashSet<&str> = scenario.metrics.iter().map(|metric| metric.id.as_str()).collect();
    let names: HashSet<&str> = scenario.alarms.iter().map(|alarm| alarm.name.as_str()).collect();
    let wrong = |alarm: &AlarmSpec| alarm.contradiction(&|id| ids.contains(id), &|name| names.contains(name));
    scenario.alarms.iter().find_map(wrong).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests;
