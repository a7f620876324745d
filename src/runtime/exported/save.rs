//! Writes what was read as a scenario's folder, so that an incident from exports can be rehearsed.

mod objects;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::Exported;
use super::csv::role;
use crate::domain::diagnosis::evidence::{Payload, bytes};
use crate::domain::diagnosis::rules::judge;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::metric::Unit;
use crate::domain::observation::workload::{Workload, WorkloadKind};
use crate::runtime::private;

/// Pods and events as they were.
const OBJECTS: &str = "objects.json";

/// Writes `scenario.toml`, a CSV a metric, the log lines, and the pods and events of the workload into a folder, which is made
/// where it is missing. Only their owner may read them: they are of a real incident.
///
/// # Errors
/// `Storage` when a file cannot be written.
pub fn save(exported: &Exported, folder: &Path) -> Result<(), Fault> {
    let failed = |error: std::io::Error| {
        Fault::new(FaultKind::Storage, format!("The scenario cannot be written to {}.", folder.display()))
            .cause(format!("{error}."))
            .hint("Name another folder by `--save-scenario`.")
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    for (n, (_, series)) in exported.series.iter().enumerate() {
        let mut csv = String::from("timestamp,value\n");
        for point in &series.points {
            let _ = writeln!(csv, "{},{}", point.at, point.value);
        }
        private::write(&folder.join(format!("metric-{}.csv", n + 1)), &csv).map_err(failed)?;
    }
    if !exported.lines.is_empty() {
        let mut lines = String::new();
        for line in &exported.lines {
            let _ = writeln!(lines, "{} {}", line.at, line.text);
        }
        private::write(&folder.join("lines.log"), &lines).map_err(failed)?;
    }
    let told = objects::told(exported);
    if let Some(list) = &told {
        private::write(&folder.join(OBJECTS), &list.to_string()).map_err(failed)?;
    }
    let name = folder.file_name().map_or_else(|| "exported".to_owned(), |name| name.to_string_lossy().into_owned());
    private::write(&folder.join("scenario.toml"), &toml(exported, &name, told.as_ref())).map_err(failed)
}

fn text(value: &str) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "\"\"".to_owned())
}

/// The scenario. JSON's strings are TOML's basic strings, so that names of any kind are written safely.
fn toml(exported: &Exported, name: &str, told: Option<&Value>) -> String {
    let verdict = judge(&exported.evidence, exported.window.to);
    let mut out = String::new();
    let service = exported.workload.as_ref().map_or("exported", |workload| workload.target.name.as_str());
    let namespace = exported.workload.as_ref().map_or("default", |workload| workload.target.namespace.as_str());
    let _ = writeln!(
        out,
        "name = {}\ntitle = {}\nteaches = \"What was exported from a real incident.\"\nstart = \"{}\"\nhistory = \"3h\"\n",
        text(name),
        text(&format!("{service}: exported, judged {}", verdict.words())),
        exported.window.to,
    );
    if let Some(list) = told {
        let ends = ends(exported, crate::rehearsal::scenario::latest_instant(list));
        let _ = writeln!(out, "objects = [\"{OBJECTS}\"]\nobjects_end = \"{ends}s\"\n");
    }
    let _ = writeln!(
        out,
        "[scope]\naccount = \"123456789012\"\nregion = \"us-east-1\"\ncluster = \"exported\"\ncontext = \"exported\"\nnamespace = {}\nidentity = \"arn:aws:sts::123456789012:assumed-role/oncall/rehearsal\"\n",
        text(namespace),
    );
    let _ = writeln!(out, "[[service]]\nname = {}", text(service));
    if let Some(workload) = &exported.workload {
        let _ = writeln!(
            out,
            "workload = {{ kind = {}, namespace = {}, name = {} }}",
            kind(workload),
            text(namespace),
            text(&workload.target.name)
        );
    }
    if !exported.lines.is_empty() {
        let _ = writeln!(out, "log_groups = [{}]", text(&format!("/exported/{service}")));
    }
    metrics(exported, service, &mut out);
    if let Some(workload) = &exported.workload {
        declared(workload, &mut out);
        revisions(exported, workload, &mut out);
        nodes(workload, told, &mut out);
    }
    if !exported.lines.is_empty() {
        let group = text(&format!("/exported/{service}"));
        let _ = writeln!(
            out,
            "[[log]]\ngroup = {group}\nstream = \"main\"\ncadence = {{ kind = \"file\", file = \"lines.log\", ends = \"{}s\" }}\n",
            ends(exported, exported.lines.iter().map(|line| line.at).max())
        );
    }
    let _ = writeln!(out, "[expect]\ncause = \"{}\"\nconclusive = {}", verdict.cause().id(), verdict.conclusive);
    out
}

fn metrics(exported: &Exported, service: &str, out: &mut String) {
    let mut seen = Vec::new();
    for (name, _) in &exported.series {
        let Some(role) = role(name).filter(|role| !seen.contains(role)) else { continue };
        if seen.is_empty() {
            out.push_str("\n[service.metrics]\n");
        }
        seen.push(role);
        let _ = writeln!(out, "{} = {{ namespace = \"Files\", name = {} }}", role.word(), text(name));
    }
    out.push('\n');
    for (n, (name, series)) in exported.series.iter().enumerate() {
        let unit = match series.unit {
            Unit::Percent => "percent",
            Unit::Bytes => "bytes",
            Unit::Count => "count",
            Unit::Seconds => "seconds",
            Unit::Milliseconds => "milliseconds",
            Unit::None => "none",
        };
        let _ = writeln!(
            out,
            "[[metric]]\nid = {id}\nnamespace = \"Files\"\nname = {id}\nunit = \"{unit}\"\ndecimals = 4\nhistory = {{ shape = \"csv\", file = \"metric-{}.csv\", ends = \"{}s\" }}\n",
            n + 1,
            ends(exported, series.latest().map(|point| point.at)),
            id = text(name),
        );
    }
    let named = exported.series.first();
    if named.is_none() {
        // What was exported without a metric is paged by one that nobody has a point of.
        let _ = writeln!(
            out,
            "[[metric]]\nid = \"page\"\nnamespace = \"Files\"\nname = \"page\"\nunit = \"none\"\nhistory = {{ shape = \"empty\" }}\n\n[[alarm]]\nname = {}\ncondition = {{ kind = \"fixed\", state = \"alarm\", since = \"-1m\", metric = \"page\", statistic = \"average\", comparison = \"greater\", threshold = 0.0 }}\n",
            text(&format!("{service}-exported")),
        );
    }
    if let Some((name, series)) = named {
        let threshold = exported.thresholds.get(name).copied().or_else(|| series.mean()).unwrap_or_default();
        let _ = writeln!(
            out,
            "[[alarm]]\nname = {}\ncondition = {{ kind = \"fixed\", state = \"alarm\", since = \"-1m\", metric = {}, statistic = \"average\", comparison = \"greater\", threshold = {threshold:?} }}\n",
            text(&format!("{service}-{name}")),
            text(name),
        );
    }
}

fn declared(workload: &Workload, out: &mut String) {
    let target = &workload.target;
    let _ = writeln!(
        out,
        "[[workload]]\nkind = {}\nnamespace = {}\nname = {}\nreplicas = {}\n",
        kind(workload),
        text(target.namespace.as_str()),
        text(&target.name),
        workload.replicas
    );
    for container in &workload.containers {
        let _ = writeln!(
            out,
            "[[workload.container]]\nname = {}\nimage = {}",
            text(&container.name),
            text(&container.image)
        );
        for (key, amount) in [("memory_limit", container.memory_limit), ("memory_request", container.memory_request)] {
            if let Some(amount) = amount {
                let whole = if amount % (1 << 20) == 0 { format!("{}Mi", amount >> 20) } else { amount.to_string() };
                let _ = writeln!(out, "{key} = \"{whole}\" # {}", bytes(amount));
            }
        }
        out.push('\n');
    }
}

/// Its kind as scenarios write it.
fn kind(workload: &Workload) -> &'static str {
    match workload.target.kind {
        WorkloadKind::Deployment => "\"deployment\"",
        WorkloadKind::StatefulSet => "\"stateful-set\"",
        WorkloadKind::DaemonSet => "\"daemon-set\"",
    }
}

/// A daemon set has a pod a node: those that its pods were on, and as many more as it should be on. Their sizes are not in
/// what was exported; they are those of a scenario that names no node.
fn nodes(workload: &Workload, told: Option<&Value>, out: &mut String) {
    match workload.target.kind {
        WorkloadKind::DaemonSet => {}
        WorkloadKind::Deployment | WorkloadKind::StatefulSet => return,
    }
    let items = told.and_then(|list| list["items"].as_array()).into_iter().flatten();
    let mut names: BTreeSet<String> =
        items.filter_map(|item| Some(item.pointer("/spec/nodeName")?.as_str()?.to_owned())).collect();
    let more = (1..).map(|n| format!("node-{n}")).take(workload.replicas as usize);
    for name in more {
        if names.len() >= workload.replicas as usize {
            break;
        }
        names.insert(name);
    }
    for name in &names {
        let _ = writeln!(out, "[[node]]\nname = {}\nmemory = \"16Gi\"\ncpu = \"4\"\n", text(name));
    }
}

/// The rollouts that were read; else one that is long over, so that none is invented near the onset.
fn revisions(exported: &Exported, workload: &Workload, out: &mut String) {
    let read = exported.evidence.iter().find_map(|piece| match piece.answer.payload()? {
        Payload::Changes { revisions, .. } => Some(revisions.as_slice()),
        Payload::Series { .. }
        | Payload::OomKills(_)
        | Payload::Collector { .. }
        | Payload::LogPatterns { .. }
        | Payload::Workload { .. } => None,
    });
    let dated = read.unwrap_or_default().iter().filter_map(|one| Some((one, one.created_at?)));
    let mut any = false;
    for (revision, at) in dated {
        any = true;
        let first = workload.containers.first().and_then(|container| revision.images.get(&container.name));
        let image = first.map_or_else(String::new, |image| format!("image = {}\n", text(image)));
        let _ = writeln!(out, "[[workload.revision]]\nnumber = {}\nat = \"{at}\"\n{image}", revision.number);
    }
    if !any {
        let long_ago = exported.window.from.checked_sub(SignedDuration::from_hours(24 * 30));
        let at = long_ago.unwrap_or(exported.window.from);
        let number = workload.revision.unwrap_or(1);
        let _ = writeln!(out, "[[workload.revision]]\nnumber = {number}\nat = \"{at}\"\n");
    }
}

/// Seconds from the end of the window to an instant: 0 or less.
fn ends(exported: &Exported, at: Option<Timestamp>) -> i64 {
    at.map_or(0, |at| at.duration_since(exported.window.to).as_secs()).min(0)
}
