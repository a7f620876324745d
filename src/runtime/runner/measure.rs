//! Measures the result of a step: the rollout, memory and CPU since then, new kills, the alarm.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Means;
use crate::adapters::aws::metrics::{Reading, fetch};
use crate::domain::diagnosis::rules;
use crate::domain::observation::alarm::AlarmState;
use crate::domain::observation::metric::{MetricQuery, MetricRole, Series};
use crate::domain::observation::scope::{Window, whole_minute};
use crate::domain::observation::workload::{ContainerState, Pod, Workload, WorkloadRef};
use crate::domain::remediation::step::StepId;
use crate::domain::remediation::verification::{Measurement, RolloutFacts};
use crate::session::event::{Event, MetricEvent, VerificationEvent};
use crate::session::{IncidentId, Session};

/// What to measure.
#[derive(Debug)]
pub struct Order {
    incident: IncidentId,
    step: StepId,
    target: WorkloadRef,
    /// By the clock of AWS.
    started_at: Timestamp,
    service: crate::domain::observation::service::ServiceName,
    queries: Vec<MetricQuery>,
    alarms: BTreeMap<String, AlarmState>,
}

impl Order {
    /// Takes what is needed from the session.
    pub fn of(session: &Session, incident: IncidentId, step: StepId) -> Option<Self> {
        let found = session.incidents.get(&incident)?;
        let roles = [MetricRole::Memory, MetricRole::Cpu];
        let alarms = found.alarms.iter().filter_map(|name| session.alarms.get(name));
        let verification = found.verification.as_ref()?;
        Some(Self {
            incident,
            step,
            target: found.step(step)?.target.clone(),
            started_at: verification.started_at,
            service: found.service.name.clone(),
            queries: roles.iter().filter_map(|role| found.service.metrics.get(role)).cloned().collect(),
            alarms: alarms.map(|alarm| (alarm.name.as_str().to_owned(), alarm.state)).collect(),
        })
    }

    /// Only periods that began after the step tell of it.
    fn window(&self, now_at_aws: Timestamp) -> Window {
        let from = whole_minute(self.started_at) + jiff::SignedDuration::from_mins(1);
        Window { from, to: whole_minute(now_at_aws) }
    }
}

/// Measures and tells. What could not be measured is told as not measured: its test waits, and
/// when its budget ends nobody can tell.
pub async fn measure(means: Means, order: Order) {
    let (cluster, metrics) = tokio::join!(cluster(&means, &order), metrics(&means, &order));
    let measurement = Measurement {
        at: means.clock.now(),
        rollout: cluster.rollout,
        memory: of(&metrics, MetricRole::Memory)
            .and_then(|series| rules::memory_now(series, cluster.workload.as_ref())),
        cpu: of(&metrics, MetricRole::Cpu).and_then(Series::latest).map(|point| point.value),
        alarms: order.alarms,
        alarm_firing: None,
        new_kills: cluster.new_kills,
    };
    for series in metrics {
        let event = MetricEvent::Read { service: order.service.clone(), series };
        means.post.tell(None, Event::Metric(event)).await;
    }
    let event = VerificationEvent::Measured { step: order.step, measurement };
    means.post.tell(Some(order.incident), Event::Verification(event)).await;
}

fn of(metrics: &[Series], role: MetricRole) -> Option<&Series> {
    metrics.iter().find(|series| series.query.role == role)
}

async fn metrics(means: &Means, order: &Order) -> Vec<Series> {
    let window = order.window(means.now_at_aws());
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
        .map(|series| begun_since(series, window.from))
        .collect()
}

/// A series without the periods that began before an instant: a longer period than the window's minutes is asked for from
/// its own beginning, which may lie before the step.
fn begun_since(mut series: Series, from: Timestamp) -> Series {
    series.points.retain(|point| point.at >= from);
    series
}

/// What the cluster tells after a step.
#[derive(Default)]
struct Seen {
    rollout: Option<RolloutFacts>,
    /// With the limits that the step may have set.
    workload: Option<Workload>,
    new_kills: Option<u64>,
}

async fn cluster(means: &Means, order: &Order) -> Seen {
    let Ok(client) = means.outside.cluster().await else { return Seen::default() };
    let rollout = client.read_rollout(&order.target).await.ok();
    let Ok(workload) = client.read_workload(&order.target).await else { return Seen { rollout, ..Seen::default() } };
    let pods = client.read_pods(&workload).await.ok();
    // A cluster has the time of AWS: pods are dated by it, as the step is.
    let new_kills = pods.map(|pods| kills_since(&pods, order.started_at));
    Seen { rollout, workload: Some(workload), new_kills }
}

/// OOM kills of containers whose life began with the step or after it. The API cuts times to whole seconds: what is made
/// in the second of the start belongs to the step.
fn kills_since(pods: &[Pod], started_at: Timestamp) -> u64 {
    let since = Timestamp::from_second(started_at.as_second()).unwrap_or(started_at);
    let killed = pods.iter().filter(|pod| pod.created_at.is_some_and(|at| at >= since)).flat_map(|pod| &pod.containers);
    killed
        .flat_map(ContainerState::ends)
        .filter(|end| end.reason == "OOMKilled" && end.finished_at.is_none_or(|at| at >= since))
        .count() as u64
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::domain::observation::alarm::Severity;
    use crate::domain::observation::service::Service;
    use crate::domain::observation::skew::ClockSkew;
    use crate::domain::observation::workload::{Termination, WorkloadKind};
    use crate::domain::remediation::request::{self, Bound, Digest, Mode};
    use crate::domain::remediation::step::{Action, Plan, Step, StepState, TargetFacts};
    use crate::session::event::{Execution, RemediationEvent, SessionEvent};
    use crate::session::incident::Incident;
    use crate::session::{Record, update};

    fn at(time: &str) -> Timestamp {
        format!("2026-05-01T{time}Z").parse().unwrap()
    }

    fn pod(created: &str, killed: Option<&str>) -> Pod {
        let end = |time| Termination {
            reason: "OOMKilled".to_owned(),
            exit_code: 137,
            started_at: None,
            finished_at: Some(at(time)),
        };
        let container = ContainerState {
            name: "app".to_owned(),
            ready: false,
            restarts: 1,
            state: "running".to_owned(),
            running_since: None,
            last_end: killed.map(end),
            end_before: None,
            message: None,
        };
        Pod {
            name: "my-api-1".to_owned(),
            namespace: "payments".into(),
            owner: None,
            phase: "Running".to_owned(),
            node: None,
            containers: vec![container],
            created_at: Some(at(created)),
        }
    }

    /// The clock of this machine is three minutes ahead when the request leaves, and set right while its result is watched.
    #[test]
    fn a_clock_that_is_set_moves_no_start() {
        let mut session = Session::default();
        let skew = ClockSkew::NONE.remeasured(SignedDuration::from_mins(3));
        let mut seq = 0;
        let mut tell = |session: &mut Session, time: &str, event: Event| {
            seq += 1;
            drop(update(session, &Record { seq, at: at(time), incident: Some(IncidentId(1)), event }));
        };
        let compared = |skew| Event::Session(SessionEvent::ClockCompared { skew, lead: SignedDuration::ZERO });
        tell(&mut session, "09:32:00", compared(skew));
        session.incidents.insert(IncidentId(1), approved());
        let step = StepId(1);
        let started = RemediationEvent::StepStarted { step, digest: bound() };
        tell(&mut session, "09:33:00", Event::Remediation(started));
        let execution = Execution::Applied { generation: 42 };
        tell(&mut session, "09:33:01", Event::Remediation(RemediationEvent::StepFinished { step, execution }));
        tell(&mut session, "09:33:30", compared(ClockSkew::NONE));
        let order = Order::of(&session, IncidentId(1), step).unwrap();
        assert_eq!(order.started_at, at("09:30:00"));
        assert_eq!(order.window(at("09:34:10")), Window { from: at("09:31:00"), to: at("09:34:00") });
        assert_eq!(kills_since(&[pod("09:30:02", Some("09:31:00"))], order.started_at), 1, "right after the step");
    }

    fn approved() -> Incident {
        let service = Service::bare("my-api");
        let mut incident = Incident::new(IncidentId(1), service, Severity::P2, at("09:20:00"));
        let target =
            WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() };
        let step = Step {
            id: StepId(1),
            action: Action::RolloutRestart,
            target,
            why: Vec::new(),
            planned_on: None,
            needs: Vec::new(),
            tests: Vec::new(),
            rehearsal: None,
            digest: None,
            state: StepState::Approved,
        };
        incident.plan = Some(Plan { runbook: "leak/default".to_owned(), steps: vec![step] });
        incident
    }

    fn bound() -> Digest {
        let request =
            request::of_action(&Action::RolloutRestart, &approved().step(StepId(1)).unwrap().target, at("09:30:00"));
        let facts = TargetFacts { uid: "u".to_owned(), generation: 41, fields: [].into() };
        let session = Session::default();
        let (scope, policy) = (&session.header.scope, &session.header.policy);
        Bound { text: "", request: &request.unwrap(), facts: &facts, scope, mode: Mode::Live, policy }.digest()
    }

    #[test]
    fn the_pods_of_the_step_are_those_from_its_second_on() {
        let started = at("09:30:00.3");
        assert_eq!(kills_since(&[pod("09:30:00", Some("09:31:00"))], started), 1, "a surge pod of the same second");
        assert_eq!(kills_since(&[pod("09:30:02", Some("09:31:00"))], started), 1);
        assert_eq!(kills_since(&[pod("09:29:59", Some("09:31:00"))], started), 0, "one of before, on its way out");
        assert_eq!(kills_since(&[pod("09:30:02", None)], started), 0);
    }
}
