//! What a scenario lacks that its types cannot say: who is paged, what the rules will miss, files that nothing names.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::Value;

use super::clock::Speed;
use super::cluster::spec::MetricsServer;
use super::scenario::{Cadence, HistorySpec, Scenario, ServiceSpec, WorkloadSpec};
use super::server::{Cloud, StartOptions};
use super::world::{Sight, cpu_series};
use crate::domain::fault::Fault;
use crate::domain::observation::alarm::AlarmState;
use crate::domain::observation::metric::MetricRole;

/// The window that the rules judge over.
const WINDOW: SignedDuration = SignedDuration::from_mins(30);
/// Points of the window below which a series decides nothing.
const FEW: usize = 20;
/// An alarm is expected to fire so soon after start.
const SOON: SignedDuration = SignedDuration::from_mins(1);

/// What each role is needed for.
const NEEDED: [(MetricRole, &str); 5] = [
    (MetricRole::Cpu, "whether the processor suffers stays open"),
    (MetricRole::Memory, "a leak, a low limit and a flood cannot be told apart"),
    (MetricRole::Requests, "a flood can be neither shown nor excluded"),
    (MetricRole::Errors, "a bad deploy and a failing dependency cannot be shown"),
    (MetricRole::Latency, "a slow dependency cannot be shown"),
];

/// Reads all files of a scenario and says what is missing, one sentence each; empty when nothing is.
///
/// # Errors
/// `Usage` or `Storage` for files that cannot be read or understood.
pub fn review(scenario: Scenario) -> Result<Vec<String>, Fault> {
    let cloud = Cloud::new(scenario, StartOptions { speed: Speed::Max, seed: None })?;
    let (_, lives) = cloud.lives();
    let sight = cloud.world.at(cloud.scenario.start + SOON, &lives);
    let scenario = &*cloud.scenario;
    let mut missing = Vec::new();
    if !sight.alarms().iter().any(|alarm| alarm.state() == AlarmState::Alarm) {
        missing.push("No alarm is in ALARM within a minute of start: nobody is paged.".to_owned());
    }
    if scenario.services.is_empty() {
        missing.push("There is no [[service]]: what an alarm is about is guessed from its dimensions.".to_owned());
    }
    for service in &scenario.services {
        of_service(scenario, service, &mut missing);
    }
    series(&sight, &mut missing);
    autoscalers(scenario, &mut missing);
    missing.extend(scenario.workloads.iter().filter_map(|workload| exported(scenario, workload)));
    let named = named_files(scenario);
    let stray = scenario.files().into_iter().filter(|file| !named.contains(file));
    missing.extend(stray.map(|file| format!("The file {file} lies in the folder and nothing names it.")));
    Ok(missing)
}

/// Exported pods stand in the place of those that a workload would live: what follows its lives has nothing to follow.
fn exported(scenario: &Scenario, workload: &WorkloadSpec) -> Option<String> {
    let name = &workload.name;
    let made = format!("{name}-");
    let is_its = |object: &Value| {
        let owner = object.pointer("/metadata/ownerReferences/0/name").and_then(Value::as_str).unwrap_or_default();
        object["kind"] == "Pod"
            && object["metadata"]["namespace"] == workload.namespace.as_str()
            && owner.starts_with(&made)
    };
    let follows = |history: &HistorySpec| {
        matches!(
            history,
            HistorySpec::Memory | HistorySpec::OomTerminations | HistorySpec::Restarts | HistorySpec::Running
        )
    };
    let metrics =
        scenario.metrics.iter().filter(|metric| metric.workload.as_ref() == Some(name) && follows(&metric.history));
    let logs = scenario.logs.iter().filter(|log| log.workload.as_ref() == Some(name)).map(|log| &log.group);
    let told: Vec<String> = metrics.map(|metric| metric.id.clone()).chain(logs.cloned()).collect();
    (!told.is_empty() && scenario.cluster.objects.iter().any(is_its)).then(|| {
        format!(
            "The pods of {name} are exported ones, which live no further: {} have nothing to follow. Give them as files too.",
            told.join(", ")
        )
    })
}

fn of_service(scenario: &Scenario, service: &ServiceSpec, missing: &mut Vec<String>) {
    let name = &service.name;
    match &service.workload {
        None => missing.push(format!("{name} names no workload: no pod is counted and no step can be offered.")),
        Some(target) if scenario.workload(&target.name).is_none() => {
            missing.push(format!("{name} names {target}, which is no [[workload]]: reading it finds nothing."));
        }
        Some(_) => {}
    }
    for (role, why) in NEEDED {
        match service.metrics.get(&role) {
            None => missing.push(format!("{name} has no metric for {}: {why}.", role.word())),
            Some(wanted) => {
                let is_there = scenario.metrics.iter().any(|metric| metric.named() == wanted.named());
                if !is_there {
                    let metric = format!("{} {}", wanted.namespace, wanted.name);
                    missing.push(format!(
                        "The {} of {name} is {metric}, which no [[metric]] writes with these dimensions: {why}.",
                        role.word()
                    ));
                }
            }
        }
    }
    if service.log_groups.is_empty() {
        missing.push(format!("{name} has no log group: kills and errors are counted without its lines."));
    }
    for group in &service.log_groups {
        if !scenario.logs.iter().any(|log| log.group == group.as_str()) {
            missing.push(format!("The log group {group} of {name} has no [[log]]: reading it finds no such group."));
        }
    }
}

/// Autoscalers that nothing tells how busy their pods are.
fn autoscalers(scenario: &Scenario, missing: &mut Vec<String>) {
    if scenario.cluster.metrics_server == MetricsServer::Absent {
        return;
    }
    for scaler in &scenario.cluster.autoscalers {
        let name = &scaler.workload;
        let goes_by_cpu = scaler.cpu_percent.is_some() || scaler.memory_percent.is_none();
        if goes_by_cpu && cpu_series(scenario, &scaler.namespace, name).is_none() {
            missing.push(format!(
                "The autoscaler of {name} goes by the processor, and no service with that workload has a cpu metric in \
                 percent: it only holds its bounds."
            ));
        }
        let containers = scenario.workload(name).map_or(&[][..], |workload| &workload.containers);
        // A request that is not written is that of the limit.
        let asks_cpu = containers.iter().all(|one| one.cpu_request.is_some() || one.cpu_limit.is_some());
        let asks_memory = containers.iter().all(|one| one.memory_request.is_some() || one.memory_limit.is_some());
        let goes_by_memory = scaler.memory_percent.is_some();
        for (goes, asks, what) in [(goes_by_cpu, asks_cpu, "processor"), (goes_by_memory, asks_memory, "memory")] {
            if goes && !asks {
                missing.push(format!(
                    "The autoscaler of {name} goes by a share of the {what} that its pods request, and a container of \
                     theirs requests none: it only holds its bounds."
                ));
            }
        }
    }
}

/// Series with too few points in the window before start.
fn series(sight: &Sight<'_>, missing: &mut Vec<String>) {
    let start = sight.scenario().start;
    for metric in &sight.scenario().metrics {
        let points = sight.points(metric, start - WINDOW, start).len();
        if points < FEW && !matches!(metric.history, HistorySpec::Empty) {
            missing.push(format!(
                "The metric {:?} has {points} points in the half hour before start; fewer than {FEW} decide nothing.",
                metric.id
            ));
        }
    }
}

fn named_files(scenario: &Scenario) -> BTreeSet<String> {
    let series = scenario.metrics.iter().filter_map(|metric| match &metric.history {
        HistorySpec::Csv { file, .. } => Some(file),
        _ => None,
    });
    let lines = scenario.logs.iter().filter_map(|log| match &log.cadence {
        Cadence::File { file, .. } => Some(file),
        _ => None,
    });
    let recorded = scenario.model.turns.iter().filter_map(|turn| turn.recorded.as_ref());
    let own = ["scenario.toml".to_owned(), "README.md".to_owned()];
    series
        .chain(lines)
        .chain(recorded)
        .chain(&scenario.objects)
        .map(|file| file.trim_start_matches("./").to_owned())
        .chain(own)
        .collect()
}
