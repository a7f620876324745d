//! Measures the result of a step: the rollout, memory and CPU since then, new kills, the alarm.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::Means;
use crate::adapters::aws::metrics::{Reading, fetch};
use crate::domain::diagnosis::rules;
use crate::domain::observation::alarm::{Alarm, AlarmState};
use crate::domain::observation::metric::{MetricQuery, MetricRole, Series};
use crate::domain::observation::scope::{Window, whole_minute};
use crate::domain::observation::workload::{ContainerState, Pod, Workload};
use crate::domain::remediation::step::{Step, StepId};
use crate::domain::remediation::trace::put_back;
use crate::domain::remediation::verification::{Measurement, RolloutFacts};
use crate::session::event::{Event, MetricEvent, VerificationEvent};
use crate::session::feeds::{FeedHealth, FeedId};
use crate::session::{IncidentId, Session};

/// What to measure.
#[derive(Debug)]
pub struct Order {
    incident: IncidentId,
    step: Step,
    /// By the clock of AWS.
    started_at: Timestamp,
    service: crate::domain::observation::service::ServiceName,
    queries: Vec<MetricQuery>,
    alarms: BTreeMap<String, AlarmState>,
    early: BTreeSet<String>,
}

impl Order {
    /// Takes what is needed from the session.
    pub fn of(session: &Session, incident: IncidentId, step: StepId) -> Option<Self> {
        let found = session.incidents.get(&incident).filter(|_| session.elsewhere.is_none())?;
        let roles = [MetricRole::Memory, MetricRole::Cpu];
        let verification = found.verification.as_ref()?;
        let started_at = verification.started_at;
        let alarms = found.alarms.iter().filter_map(|name| session.alarms.get(name));
        // What was read before the step, or is read no more, is not how an alarm stands.
        let alarms = alarms.filter(|_| were_read_since(session, verification.watch.since));
        let now = session.clock.at_aws(session.now);
        let name = |alarm: &Alarm| alarm.name.as_str().to_owned();
        let (early, told): (Vec<&Alarm>, Vec<&Alarm>) = alarms.partition(|alarm| is_early(alarm, started_at, now));
        Some(Self {
            incident,
            step: found.step(step)?.clone(),
            started_at,
            service: found.service.name.clone(),
            queries: roles.iter().filter_map(|role| found.service.metrics.get(role)).cloned().collect(),
            alarms: told.into_iter().map(|alarm| (name(alarm), alarm.state)).collect(),
            early: early.into_iter().map(name).collect(),
        })
    }

    /// Only periods that began after the step tell of it.
    fn window(&self, now_at_aws: Timestamp) -> Window {
        let from = whole_minute(self.started_at) + jiff::SignedDuration::from_mins(1);
        Window { from, to: whole_minute(now_at_aws) }
    }
}

/// Whether the alarms are read, and were since an instant.
fn were_read_since(session: &Session, since: Timestamp) -> bool {
    let feed = session.feed(FeedId::Alarms);
    feed.health == FeedHealth::Live && feed.answered_at.is_some_and(|at| at >= since)
}

/// Whether that an alarm is back at OK tells nothing of a step: it was before the start, or came back by points that are not
/// all of after it. One that came back with the first of them counts when it has stayed there for all that it is decided over.
fn is_early(alarm: &Alarm, started_at: Timestamp, now: Timestamp) -> bool {
    let after = |seconds: u32| started_at + jiff::SignedDuration::from_secs(i64::from(seconds));
    let has_stayed = now >= after(alarm.decided_over_s().max(alarm.period_s()));
    let is_by_earlier_points = alarm.since < after(alarm.period_s()) && !has_stayed;
    alarm.state == AlarmState::Ok && (alarm.since < started_at || is_by_earlier_points)
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
        put_back: cluster.workload.as_ref().and_then(|workload| put_back(&order.step, workload)),
        alarms: order.alarms,
        early: order.early,
        alarm_firing: None,
        new_kills: cluster.new_kills,
    };
    for series in metrics {
        let event = MetricEvent::Read { service: order.service.clone(), series };
        means.post.tell(None, Event::Metric(event)).await;
    }
    let event = VerificationEvent::Measured { step: order.step.id, measurement };
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
    let target = &order.step.target;
    let rollout = client.read_rollout(target).await.ok();
    // A rollout to what nobody could read may be one to something else.
    let Ok(workload) = client.read_workload(target).await else { return Seen::default() };
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
    use crate::domain::observation::alarm::{Severity, fixture};
    use crate::domain::observation::service::Service;
    use crate::domain::observation::skew::ClockSkew;
    use crate::domain::observation::workload::{Termination, WorkloadKind, WorkloadRef};
    use crate::domain::remediation::request::{self, Bound, Digest, Mode};
    use crate::domain::remediation::step::{Action, Plan, StepState, TargetFacts};
    use crate::session::event::{AlarmEvent, Execution, FeedEvent, RemediationEvent, SessionEvent};
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

    /// Its alarms as far as they were read since the step, and which of them the step cannot have brought back.
    #[test]
    fn an_alarm_tells_of_a_step_what_was_read_after_it() {
        let mut session = Session::default();
        let mut seq = 0;
        let mut tell = |session: &mut Session, time: &str, event: Event| {
            seq += 1;
            drop(update(session, &Record { seq, at: at(time), incident: Some(IncidentId(1)), event }));
        };
        let mut incident = approved();
        incident.alarms = vec!["cpu".into()];
        session.incidents.insert(IncidentId(1), incident);
        let alarms = FeedId::Alarms;
        let live = || Event::Feed(FeedEvent::Changed { feed: alarms, health: FeedHealth::Live });
        tell(&mut session, "09:29:50", live());
        let alarm = |state, since: &str| {
            let alarm = Box::new(Alarm { state, since: at(since), ..fixture::any("cpu") });
            Event::Alarm(AlarmEvent::Updated { alarm })
        };
        tell(&mut session, "09:29:50", alarm(AlarmState::Alarm, "09:20:00"));
        let step = StepId(1);
        tell(&mut session, "09:30:00", Event::Remediation(RemediationEvent::StepStarted { step, digest: bound() }));
        let execution = Execution::Applied { generation: 42 };
        tell(&mut session, "09:30:01", Event::Remediation(RemediationEvent::StepFinished { step, execution }));
        let told = |session: &Session| {
            let order = Order::of(session, IncidentId(1), step).unwrap();
            (order.alarms.values().copied().next(), order.early.len())
        };
        assert_eq!(told(&session), (None, 0), "read before the step");
        tell(&mut session, "09:30:10", Event::Feed(FeedEvent::Answered { feed: alarms }));
        assert_eq!(told(&session), (Some(AlarmState::Alarm), 0));
        tell(&mut session, "09:30:40", alarm(AlarmState::Ok, "09:30:35"));
        assert_eq!(told(&session), (None, 1), "by a point that began before the step");
        tell(&mut session, "09:31:10", Event::Feed(FeedEvent::Answered { feed: alarms }));
        assert_eq!(told(&session), (Some(AlarmState::Ok), 0), "it has stayed so by points of after it");
        tell(&mut session, "09:31:15", alarm(AlarmState::Ok, "09:29:55"));
        assert_eq!(told(&session), (None, 1), "back before the step, however long it stays");
        tell(&mut session, "09:31:20", alarm(AlarmState::Ok, "09:31:05"));
        assert_eq!(told(&session), (Some(AlarmState::Ok), 0));
        let fault = crate::domain::fault::Fault::new(crate::domain::fault::FaultKind::Denied, "No.");
        tell(
            &mut session,
            "09:31:30",
            Event::Feed(FeedEvent::Changed { feed: alarms, health: FeedHealth::Lost { fault } }),
        );
        assert_eq!(told(&session), (None, 0), "a state that nobody reads any more is none");
    }

    fn approved() -> Incident {
        let service = Service::bare("my-api");
        let mut incident = Incident::new(IncidentId(1), service, Severity::P2, at("09:20:00"));
        let target =
            WorkloadRef { kind: WorkloadKind::Deployment, namespace: "payments".into(), name: "my-api".to_owned() };
        let step = Step { state: StepState::Approved, ..Step::new(StepId(1), Action::RolloutRestart, target) };
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
