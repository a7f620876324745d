//! What each metric of an autoscaler asks for: the pods of its target against what is measured of them, in the words of the
//! controller where that cannot be had.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::super::kind::row;
use super::super::replica_set::is_ready;
use super::super::{Cluster, quantity, selector, shape};
use super::gauge::Reading;
use super::pace::Pace;
use super::replicas::{Goal, PodUse, Stage, Wanted, wanted};

/// A metrics server knows a container after two scrapes, and its figure is of the time between them.
const SCRAPED: SignedDuration = SignedDuration::from_secs(30);
/// `--horizontal-pod-autoscaler-cpu-initialization-period`: a pod so young counts only once it is ready.
const INITIALIZATION: SignedDuration = SignedDuration::from_mins(5);
/// `--horizontal-pod-autoscaler-initial-readiness-delay`: not ready since its start means never ready.
const READINESS_DELAY: SignedDuration = SignedDuration::from_secs(30);

/// What all metrics come to.
pub(super) struct Measured {
    /// The largest number asked for, with the metric that asks; or why there is none.
    pub(super) asked: Result<(i64, String), Blind>,
    /// `status.currentMetrics`.
    pub(super) shown: Vec<Value>,
    /// A warning for each metric that could not be had.
    pub(super) warnings: Vec<Blind>,
}

/// Why a metric says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blind {
    /// `FailedGetResourceMetric`, …
    pub(super) reason: &'static str,
    pub(super) why: String,
    /// What it could not be had for: `cpu resource`.
    what: String,
}

/// A metric over the pods of a workload: the whole pod, or one container of it.
struct Resource<'a> {
    name: &'a str,
    container: Option<&'a str>,
    goal: Goal,
}

/// The pods of a workload and what is measured of them.
struct Subject<'a> {
    pods: Vec<Arc<Value>>,
    reading: Option<&'a Reading>,
    current: i64,
    now: Timestamp,
}

impl Cluster {
    /// What the metrics of an autoscaler ask for, given its target and how many there are.
    pub(super) fn measure(&self, scaler: &Value, target: &Value, current: i64) -> Measured {
        let namespace = shape::namespace(target);
        let chosen = &target["spec"]["selector"];
        let pods = self.store().list(row("pods"), Some(namespace)).map(|entry| entry.1);
        let pods = pods.filter(|pod| selector::label_selector_matches(chosen, &pod["metadata"]["labels"]));
        let pods = pods.filter(|pod| !shape::is_leaving(pod) && shape::text(pod, "/status/phase") != Some("Failed"));
        let reading = self.gauge.as_ref().map(|gauge| gauge.read(self, namespace, shape::name(target)));
        let subject =
            Subject { pods: pods.map(Arc::clone).collect(), reading: reading.as_ref(), current, now: self.now() };
        let tolerance = Pace::of(scaler).tolerance();
        let metrics = scaler.pointer("/spec/metrics").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let mut measured = Measured { asked: Ok((0, String::new())), shown: Vec::new(), warnings: Vec::new() };
        let mut best: Option<(i64, String)> = None;
        for metric in metrics {
            let found =
                understood(metric, namespace).and_then(|resource| Ok((subject.asks(&resource, tolerance)?, resource)));
            match found {
                Ok((asked, resource)) => {
                    measured.shown.push(shown(&resource, asked));
                    if best.as_ref().is_none_or(|best| asked.replicas > best.0) {
                        best = Some((asked.replicas, resource.words()));
                    }
                }
                Err(blind) => {
                    measured.shown.push(json!({"type": ""}));
                    measured.warnings.push(blind);
                }
            }
        }
        if let Some(first) = measured.warnings.first() {
            // What is known may ask for more; for fewer all must be known.
            let is_enough = best.as_ref().is_some_and(|best| best.0 >= current);
            if !is_enough {
                measured.asked = Err(first.clone());
                return measured;
            }
        }
        measured.asked = Ok(best.unwrap_or_default());
        measured
    }
}

impl Measured {
    /// The event that sums up why nothing could be worked out.
    pub(super) fn failure(&self, metrics: usize) -> Option<String> {
        let blind = self.asked.as_ref().err()?;
        let (count, what, why) = (self.warnings.len(), &blind.what, &blind.why);
        Some(format!(
            "invalid metrics ({count} invalid out of {metrics}), first error is: failed to get {what} metric value: {why}"
        ))
    }
}

impl Resource<'_> {
    fn words(&self) -> String {
        match self.goal {
            Goal::Utilization(_) => format!("{} resource utilization (percentage of request)", self.name),
            Goal::Average(_) => format!("{} resource", self.name),
        }
    }

    fn blind(&self, why: impl Into<String>) -> Blind {
        let (reason, part) = match self.container {
            None => ("FailedGetResourceMetric", "resource"),
            Some(_) => ("FailedGetContainerResourceMetric", "container"),
        };
        let name = self.name;
        Blind {
            reason,
            why: format!("failed to get {name} utilization: {}", why.into()),
            what: format!("{name} {part}"),
        }
    }
}

/// A metric over pods; any other needs an API that is not there.
fn understood<'a>(metric: &'a Value, namespace: &str) -> Result<Resource<'a>, Blind> {
    let kind = shape::text(metric, "/type").unwrap_or_default();
    let (place, custom) = match kind {
        "Resource" => ("resource", None),
        "ContainerResource" => ("containerResource", None),
        "Pods" => ("pods", Some(("FailedGetPodsMetric", "pods"))),
        "Object" => ("object", Some(("FailedGetObjectMetric", "object"))),
        _ => ("external", Some(("FailedGetExternalMetric", "external"))),
    };
    let source = &metric[place];
    if let Some((reason, what)) = custom {
        let name = shape::text(source, "/metric/name").unwrap_or_default();
        let why = if place == "external" {
            format!(
                "unable to get external metric {namespace}/{name}/nil: unable to fetch metrics from external metrics API: \
                 the server could not find the requested resource (get {name}.external.metrics.k8s.io)"
            )
        } else {
            format!(
                "unable to get metric {name}: unable to fetch metrics from custom metrics API: no custom metrics API \
                 (custom.metrics.k8s.io) registered"
            )
        };
        return Err(Blind { reason, why, what: what.to_owned() });
    }
    let percent = shape::number(source, "/target/averageUtilization").map(Goal::Utilization);
    let amount = shape::text(source, "/target/averageValue").and_then(quantity::milli).map(Goal::Average);
    Ok(Resource {
        name: shape::text(source, "/name").unwrap_or_default(),
        container: shape::text(source, "/container"),
        goal: amount.or(percent).unwrap_or(Goal::Utilization(80)),
    })
}

impl Subject<'_> {
    fn asks(&self, resource: &Resource<'_>, tolerance: super::replicas::Tolerance) -> Result<Wanted, Blind> {
        let unable = |why: &str| resource.blind(format!("unable to get metrics for resource {}: {why}", resource.name));
        let Some(reading) = self.reading else {
            return Err(unable(
                "unable to fetch metrics from resource metrics API: the server could not find the requested resource \
                 (get pods.metrics.k8s.io)",
            ));
        };
        let is_known = match resource.name {
            "cpu" => reading.cpu_percent.is_some(),
            _ => !reading.memory.is_empty(),
        };
        if !is_known {
            return Err(unable("no metrics returned from resource metrics API"));
        }
        if self.pods.is_empty() {
            return Err(resource.blind("no pods returned by selector while calculating replica count"));
        }
        let pods: Vec<PodUse> =
            self.pods.iter().map(|pod| self.pod(pod, resource, reading)).collect::<Result<_, _>>()?;
        wanted(&pods, self.current, resource.goal, tolerance)
            .ok_or_else(|| resource.blind("did not receive metrics for targeted pods (pods might be unready)"))
    }

    fn pod(&self, pod: &Value, resource: &Resource<'_>, reading: &Reading) -> Result<PodUse, Blind> {
        let containers = shape::containers(&pod["spec"]);
        let meant = containers
            .iter()
            .filter(|one| resource.container.is_none_or(|name| shape::text(one, "/name") == Some(name)));
        let mut request = 0.0;
        for container in meant {
            let pointer = format!("/resources/requests/{}", resource.name);
            match (shape::text(container, &pointer).and_then(quantity::milli), resource.goal) {
                (Some(amount), _) => request += amount,
                (None, Goal::Average(_)) => {}
                (None, Goal::Utilization(_)) => {
                    let name = shape::text(container, "/name").unwrap_or_default();
                    return Err(resource.blind(format!(
                        "missing request for {} in container {name} of Pod {}",
                        resource.name,
                        shape::name(pod)
                    )));
                }
            }
        }
        let used = if resource.name == "cpu" {
            reading.cpu_percent.map(|percent| request * percent / 100.0)
        } else {
            // The first container is the one that has a memory regime; the others use next to nothing.
            let first = containers.first().and_then(|one| shape::text(one, "/name"));
            let is_first = resource.container.is_none_or(|name| Some(name) == first);
            reading.memory.get(shape::name(pod)).filter(|_| is_first).map(|bytes| bytes * 1e3)
        };
        Ok(PodUse { stage: self.stage(pod, resource, used), request })
    }

    /// Whether a pod counts, as the controller groups them.
    fn stage(&self, pod: &Value, resource: &Resource<'_>, used: Option<f64>) -> Stage {
        if shape::text(pod, "/status/phase") == Some("Pending") {
            return Stage::Unready;
        }
        let runs = shape::text(pod, "/status/containerStatuses/0/state/running/startedAt").and_then(instant);
        let Some(used) = used.filter(|_| runs.is_some_and(|since| since + SCRAPED <= self.now)) else {
            return Stage::Missing;
        };
        if resource.name != "cpu" {
            return Stage::Counted(used);
        }
        let (Some(started), Some(turned)) =
            (shape::text(pod, "/status/startTime").and_then(instant), turned_ready(pod))
        else {
            return Stage::Unready;
        };
        let is_unready = if started + INITIALIZATION > self.now {
            !is_ready(pod) || self.now < turned + SCRAPED
        } else {
            !is_ready(pod) && started + READINESS_DELAY > turned
        };
        if is_unready { Stage::Unready } else { Stage::Counted(used) }
    }
}

/// When the Ready condition turned last.
fn turned_ready(pod: &Value) -> Option<Timestamp> {
    let conditions = pod.pointer("/status/conditions")?.as_array()?;
    let ready = conditions.iter().find(|one| one["type"] == "Ready")?;
    instant(ready["lastTransitionTime"].as_str()?)
}

fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

/// A metric's present value, as `status.currentMetrics` has it.
fn shown(resource: &Resource<'_>, asked: Wanted) -> Value {
    let thousandths = asked.average as u64;
    let amount = quantity::canonical(&format!("{thousandths}m")).unwrap_or_default();
    let mut current = json!({"averageValue": amount});
    if let Some(percent) = asked.utilization {
        current["averageUtilization"] = json!(percent);
    }
    match resource.container {
        None => json!({"type": "Resource", "resource": {"name": resource.name, "current": current}}),
        Some(container) => json!({"type": "ContainerResource", "containerResource": {
            "name": resource.name, "container": container, "current": current,
        }}),
    }
}
