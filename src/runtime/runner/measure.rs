//! Measures the result of a step: the rollout, memory and CPU since then, new kills, the alarm.

use jiff::Timestamp;

use super::Means;
use crate::adapters::aws::metrics::{Reading, fetch};
use crate::domain::observation::alarm::AlarmState;
use crate::domain::observation::metric::{MetricQuery, MetricRole};
use crate::domain::observation::scope::{Window, whole_minute};
use crate::domain::observation::workload::{Pod, WorkloadRef};
use crate::domain::remediation::step::StepId;
use crate::domain::remediation::verification::Measurement;
use crate::session::event::{Event, MetricEvent, VerificationEvent};
use crate::session::{IncidentId, Session};

/// What to measure.
#[derive(Debug)]
pub struct Order {
    incident: IncidentId,
    step: StepId,
    target: WorkloadRef,
    since: Timestamp,
    service: crate::domain::observation::service::ServiceName,
    queries: Vec<MetricQuery>,
    alarm_firing: Option<bool>,
}

impl Order {
    /// Takes what is needed from the session.
    pub fn of(session: &Session, incident: IncidentId, step: StepId) -> Option<Self> {
        let found = session.incidents.get(&incident)?;
        let roles = [MetricRole::Memory, MetricRole::Cpu];
        let states: Vec<AlarmState> =
            found.alarms.iter().filter_map(|name| session.alarms.get(name)).map(|alarm| alarm.state).collect();
        Some(Self {
            incident,
            step,
            target: found.step(step)?.target.clone(),
            since: found.verification.as_ref()?.since,
            service: found.service.name.clone(),
            queries: roles.iter().filter_map(|role| found.service.metrics.get(role)).cloned().collect(),
            alarm_firing: (!states.is_empty()).then(|| states.contains(&AlarmState::Alarm)),
        })
    }
}

/// Measures and tells. What could not be measured is told as not measured: its test waits, and fails with its budget.
pub async fn measure(means: Means, order: Order) {
    let (cluster, metrics) = tokio::join!(cluster(&means, &order), metrics(&means, &order));
    let (rollout, new_kills) = cluster;
    let measurement = Measurement {
        at: means.clock.now(),
        rollout,
        memory: value(&metrics, MetricRole::Memory),
        cpu: value(&metrics, MetricRole::Cpu),
        alarm_firing: order.alarm_firing,
        new_kills,
    };
    for series in metrics {
        let event = MetricEvent::Read { service: order.service.clone(), series };
        means.post.tell(None, Event::Metric(event)).await;
    }
    let event = VerificationEvent::Measured { step: order.step, measurement };
    means.post.tell(Some(order.incident), Event::Verification(event)).await;
}

type Series = crate::domain::observation::metric::Series;

fn value(metrics: &[Series], role: MetricRole) -> Option<f64> {
    metrics.iter().find(|series| series.query.role == role)?.latest().map(|point| point.value)
}

async fn metrics(means: &Means, order: &Order) -> Vec<Series> {
    let now = whole_minute(means.clock.now());
    // Only periods that began after the step tell of it.
    let window = Window { from: whole_minute(order.since) + jiff::SignedDuration::from_mins(1), to: now };
    if order.queries.is_empty() || window.seconds() <= 0 {
        return Vec::new();
    }
    let Ok(clients) = means.outside.aws().await else { return Vec::new() };
    let Ok(readings) = fetch(clients, &order.queries, window).await else { return Vec::new() };
    readings
        .into_iter()
        .filter_map(|reading| match reading {
            Reading::Complete(series) | Reading::Partial { series, .. } => Some(series),
            Reading::Empty(_) | Reading::Failed { .. } => None,
        })
        .collect()
}

type Rollout = crate::domain::remediation::verification::RolloutFacts;

async fn cluster(means: &Means, order: &Order) -> (Option<Rollout>, Option<u64>) {
    let Ok(client) = means.outside.cluster().await else { return (None, None) };
    let rollout = client.read_rollout(&order.target).await.ok();
    let Ok(workload) = client.read_workload(&order.target).await else { return (rollout, None) };
    let pods = client.read_pods(&workload).await.ok();
    (rollout, pods.map(|pods| kills_since(&pods, order.since)))
}

/// OOM kills of containers whose life began after the step.
fn kills_since(pods: &[Pod], since: Timestamp) -> u64 {
    let killed = pods.iter().filter(|pod| pod.created_at.is_some_and(|at| at >= since)).flat_map(|pod| &pod.containers);
    killed
        .filter_map(|container| container.last_end.as_ref())
        .filter(|end| end.reason == "OOMKilled" && end.finished_at.is_none_or(|at| at >= since))
        .count() as u64
}
