//! What stands in a cell of a table, in the words of the API server's printers.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::rehearsal::cluster::replica_set::is_ready;
use crate::rehearsal::cluster::shape;

/// Metrics of an autoscaler that have a place in its cell.
const METRICS: usize = 2;

/// How a cell is computed from an object.
#[derive(Clone, Copy, Debug)]
pub(super) enum Cell {
    /// What stands at a pointer.
    Text(&'static str),
    /// A number at a pointer, 0 where there is none.
    Count(&'static str),
    /// `3/6` of two numbers.
    Of(&'static str, &'static str),
    /// How long ago.
    Age(&'static str),
    /// How many entries maps or lists have together.
    Sum(&'static [&'static str]),
    /// `key=value` pairs of a map.
    Keys(&'static str),
    /// Names of the template's containers.
    Names,
    /// Their images.
    Images,
    /// The selector of a workload.
    Selector,
    /// Ports of a service.
    Ports,
    /// The controller that owns the object.
    Owner,
    /// The object an event is about.
    About,
    /// The role of a binding.
    RoleRef,
    /// The workload an autoscaler scales.
    ScaleTarget,
    /// Its metrics, present and wanted.
    ScaleMetrics,
    /// Used of hard, of what is requested or of what is limited.
    Quota(&'static str),
    /// Ready, and whether pods may be scheduled there.
    NodeStatus,
    /// Roles of a node.
    Roles,
    /// Ready containers of all.
    PodReady,
    /// The state of a pod in a word.
    PodStatus,
    /// Restarts, and how long ago the last was.
    PodRestarts,
}

impl Cell {
    /// The type of the column.
    pub(super) fn type_word(self) -> &'static str {
        if matches!(self, Self::Count(_) | Self::Sum(_)) { "integer" } else { "string" }
    }

    /// The cell of an object.
    pub(super) fn value(self, object: &Value, now: Timestamp) -> Value {
        let count = |pointer: &str| shape::number(object, pointer).unwrap_or(0);
        let text = match self {
            Self::Count(pointer) => return json!(count(pointer)),
            Self::Sum(pointers) => {
                let sizes = pointers.iter().filter_map(|pointer| object.pointer(pointer)).map(size);
                return json!(sizes.sum::<usize>());
            }
            Self::Text(pointer) => shown(object.pointer(pointer)),
            Self::Of(part, whole) => format!("{}/{}", count(part), count(whole)),
            Self::Age(pointer) => since(shape::text(object, pointer), now),
            Self::Keys(pointer) => pairs(object.pointer(pointer)),
            Self::Names => from_containers(object, "/name"),
            Self::Images => from_containers(object, "/image"),
            Self::Selector => pairs(object.pointer("/spec/selector/matchLabels")),
            Self::Ports => ports(object),
            Self::Owner => owner(object),
            Self::About => about(object),
            Self::RoleRef => {
                ["/roleRef/kind", "/roleRef/name"].map(|at| shape::text(object, at).unwrap_or("")).join("/")
            }
            Self::ScaleTarget => {
                let at = |word: &str| shape::text(object, &format!("/spec/scaleTargetRef/{word}")).unwrap_or("");
                format!("{}/{}", at("kind"), at("name"))
            }
            Self::ScaleMetrics => scale_metrics(object),
            Self::Quota(side) => quota(object, side),
            Self::NodeStatus => {
                let ready = if is_ready(object) { "Ready" } else { "NotReady" };
                let shut = object.pointer("/spec/unschedulable") == Some(&Value::Bool(true));
                if shut { format!("{ready},SchedulingDisabled") } else { ready.to_owned() }
            }
            Self::Roles => roles(object),
            Self::PodReady => {
                let ready = statuses(object).iter().filter(|one| one["ready"] == true).count();
                format!("{ready}/{}", shape::containers(&object["spec"]).len())
            }
            Self::PodStatus => pod_status(object),
            Self::PodRestarts => pod_restarts(object, now),
        };
        json!(text)
    }
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "<none>".to_owned(),
        Some(Value::String(text)) if text.is_empty() => "<none>".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(truth)) => if *truth { "True" } else { "False" }.to_owned(),
        Some(other) => other.to_string(),
    }
}

fn size(value: &Value) -> usize {
    value.as_object().map_or_else(|| value.as_array().map_or(0, Vec::len), serde_json::Map::len)
}

fn joined(parts: &[String]) -> String {
    if parts.is_empty() { "<none>".to_owned() } else { parts.join(",") }
}

fn pairs(map: Option<&Value>) -> String {
    let each = map.and_then(Value::as_object).into_iter().flatten();
    joined(&each.map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect::<Vec<_>>())
}

fn from_containers(object: &Value, pointer: &str) -> String {
    let spec = object.pointer("/spec/template/spec").unwrap_or(&Value::Null);
    let each = shape::containers(spec).iter().filter_map(|one| shape::text(one, pointer));
    joined(&each.map(str::to_owned).collect::<Vec<_>>())
}

fn ports(object: &Value) -> String {
    let each = object.pointer("/spec/ports").and_then(Value::as_array).into_iter().flatten();
    let told = each.map(|port| {
        let number = shape::number(port, "/port").unwrap_or(0);
        let protocol = shape::text(port, "/protocol").unwrap_or("TCP");
        shape::number(port, "/nodePort")
            .map_or_else(|| format!("{number}/{protocol}"), |node| format!("{number}:{node}/{protocol}"))
    });
    joined(&told.collect::<Vec<_>>())
}

fn owner(object: &Value) -> String {
    let at = |word: &str| shape::text(object, &format!("/metadata/ownerReferences/0/{word}")).unwrap_or_default();
    let group = at("apiVersion").split('/').next().unwrap_or_default();
    format!("{}.{group}/{}", at("kind").to_lowercase(), at("name"))
}

fn about(object: &Value) -> String {
    let of = &object["involvedObject"];
    let word = of["kind"].as_str().unwrap_or_default().to_lowercase();
    format!("{word}/{}", of["name"].as_str().unwrap_or_default())
}

fn scale_metrics(object: &Value) -> String {
    let wanted = object.pointer("/spec/metrics").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let told = wanted.iter().take(METRICS).enumerate().map(|(index, metric)| {
        let place = match shape::text(metric, "/type") {
            Some("ContainerResource") => "containerResource",
            Some("Pods") => "pods",
            Some("Object") => "object",
            Some("External") => "external",
            _ => "resource",
        };
        let (source, now) = (&metric[place], &object["status"]["currentMetrics"][index][place]["current"]);
        let name = shape::text(source, "/name").map_or_else(String::new, |name| format!("{name}: "));
        let percent = |from: &Value| shape::number(from, "/averageUtilization").map(|percent| format!("{percent}%"));
        let amount = |from: &Value| {
            let amount = shape::text(from, "/averageValue").or_else(|| shape::text(from, "/value"));
            amount.map(str::to_owned)
        };
        let of = |from: &Value| if source["target"]["type"] == "Utilization" { percent(from) } else { amount(from) };
        let unknown = || "<unknown>".to_owned();
        format!("{name}{}/{}", of(now).unwrap_or_else(unknown), of(&source["target"]).unwrap_or_else(unknown))
    });
    let told = told.collect::<Vec<_>>().join(", ");
    match wanted.len() {
        0 => "<none>".to_owned(),
        count if count > METRICS => format!("{told} + {} more...", count - METRICS),
        _ => told,
    }
}

fn quota(object: &Value, side: &str) -> String {
    let hard = object.pointer("/status/hard").and_then(Value::as_object).into_iter().flatten();
    let own = hard.filter(|(name, _)| name.starts_with("limits") == (side == "limit"));
    let told = own.map(|(name, most)| {
        let used = object["status"]["used"][name.as_str()].as_str().unwrap_or("0");
        format!("{name}: {used}/{}", most.as_str().unwrap_or_default())
    });
    told.collect::<Vec<_>>().join(", ")
}

fn roles(object: &Value) -> String {
    let labels = object.pointer("/metadata/labels").and_then(Value::as_object).into_iter().flatten();
    let own = labels.filter_map(|label| label.0.strip_prefix("node-role.kubernetes.io/"));
    joined(&own.map(str::to_owned).collect::<Vec<_>>())
}

fn statuses(pod: &Value) -> &[Value] {
    pod.pointer("/status/containerStatuses").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn pod_status(pod: &Value) -> String {
    let reason = statuses(pod).iter().find_map(|one| {
        shape::text(one, "/state/waiting/reason").or_else(|| shape::text(one, "/state/terminated/reason"))
    });
    let own = shape::text(pod, "/status/reason").or_else(|| shape::text(pod, "/status/phase")).unwrap_or_default();
    if shape::is_leaving(pod) { "Terminating" } else { reason.unwrap_or(own) }.to_owned()
}

fn pod_restarts(pod: &Value, now: Timestamp) -> String {
    let count: i64 = statuses(pod).iter().filter_map(|one| shape::number(one, "/restartCount")).sum();
    let last = statuses(pod).iter().filter_map(|one| shape::text(one, "/lastState/terminated/finishedAt")).max();
    match last {
        Some(last) if count > 0 => format!("{count} ({} ago)", since(Some(last), now)),
        _ => count.to_string(),
    }
}

/// An age as kubectl writes it (`duration.HumanDuration`): `45s`, `3m7s`, `12m`, `3h10m`, `20d`, `2y3d`.
fn since(then: Option<&str>, now: Timestamp) -> String {
    let Some(then) = then.and_then(|text| text.parse::<Timestamp>().ok()) else { return "<unknown>".to_owned() };
    let seconds = now.duration_since(then).as_secs().max(0);
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let two = |whole: i64, unit: char, part: i64, small: char| {
        if part == 0 { format!("{whole}{unit}") } else { format!("{whole}{unit}{part}{small}") }
    };
    match (seconds, hours, days) {
        (..120, ..) => format!("{seconds}s"),
        (..600, ..) => two(minutes, 'm', seconds % 60, 's'),
        (..10_800, ..) => format!("{minutes}m"),
        (_, ..8, _) => two(hours, 'h', minutes % 60, 'm'),
        (_, ..48, _) => format!("{hours}h"),
        (_, ..192, _) => two(days, 'd', hours % 24, 'h'),
        (_, _, ..730) => format!("{days}d"),
        (_, _, ..2_920) => two(days / 365, 'y', days % 365, 'd'),
        _ => format!("{}y", days / 365),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_rounded_as_kubectl_rounds_them() {
        let then: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for (seconds, want) in [
            (45, "45s"),
            (119, "119s"),
            (187, "3m7s"),
            (180, "3m"),
            (720, "12m"),
            (11_400, "3h10m"),
            (36_000, "10h"),
            (200_000, "2d7h"),
            (20 * 86_400, "20d"),
            (800 * 86_400, "2y70d"),
        ] {
            let now = then + jiff::SignedDuration::from_secs(seconds);
            assert_eq!(since(Some("2026-01-01T00:00:00Z"), now), want);
        }
    }
}
