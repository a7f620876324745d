//! The report of an incident: its headline, what it promises, and what became of the post.

use jiff::SignedDuration;

use super::effect::Effect;
use super::event::ReportEvent;
use super::header::SlackUse;
use super::incident::{Change, ChangeOutcome, Incident, Post, ReportState};
use super::record::{IncidentId, Record};
use super::state::Session;
use crate::domain::diagnosis::verdict::Cause;
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::bound;
use crate::domain::observation::metric::MetricRole;
use crate::domain::remediation::follow_up::{FollowUp, FollowUpTest};
use crate::domain::remediation::step::{LeftOut, Shortfall, Step, StepState};

/// Minutes a report promises to watch CPU.
const WATCH_MINUTES: u32 = 30;
/// The bound when no alarm of the service gives one, percent.
const CPU_BOUND: f64 = 85.0;

/// Folds an event about the report.
pub fn fold(session: &mut Session, record: &Record, event: &ReportEvent) -> Vec<Effect> {
    let slack = session.header.slack;
    let Some(incident) = record.incident.and_then(|id| session.incidents.get_mut(&id)) else { return Vec::new() };
    match event {
        ReportEvent::Drafted { headline, follow_ups } => {
            let (post, effects) = match slack {
                SlackUse::Off => (Post::Off, Vec::new()),
                SlackUse::Post => (Post::Sending, vec![Effect::Notify { incident: incident.id }]),
            };
            incident.report = Some(ReportState {
                headline: headline.clone(),
                drafted_at: record.at,
                follow_ups: follow_ups.clone(),
                post,
            });
            effects
        }
        ReportEvent::Posted => {
            set_post(incident, Post::Posted { at: record.at });
            Vec::new()
        }
        ReportEvent::PostFailed { fault } => {
            set_post(incident, Post::Failed { fault: fault.clone() });
            Vec::new()
        }
        // It has its line in the timeline.
        ReportEvent::Exported { .. } => Vec::new(),
    }
}

/// The program ends, or ended, and nobody will hear what became of a post under way.
pub(super) fn lose_post(incident: &mut Incident) {
    if incident.report.as_ref().is_some_and(|report| report.post == Post::Sending) {
        let fault = Fault::new(FaultKind::Cut, "The program ended while the report was being posted.")
            .hint("Look in the channel: it may be there.");
        set_post(incident, Post::Failed { fault });
    }
}

fn set_post(incident: &mut Incident, post: Post) {
    if let Some(report) = incident.report.as_mut() {
        report.post = post;
    }
}

/// The headline and the follow-ups as they stand now.
pub fn draft(session: &Session, id: IncidentId) -> (String, Vec<FollowUp>) {
    let Some(incident) = session.incidents.get(&id) else { return (String::new(), Vec::new()) };
    let cause =
        incident.verdict.as_ref().map_or(Cause::Inconclusive, super::super::domain::diagnosis::verdict::Verdict::cause);
    let outcome = outcome(incident);
    let headline = format!("{} {}: {}; {outcome}", incident.severity.word(), incident.service.name, cause.words());
    (headline, follow_ups(session, incident, cause))
}

fn outcome(incident: &Incident) -> String {
    let planned = incident.plan.iter().flat_map(|plan| &plan.steps).map(step_outcome);
    // What ran under a plan that is no more is told first: it is what the cluster stands on.
    let steps: Vec<String> = incident.earlier_changes().map(change_outcome).chain(planned).collect();
    if steps.is_empty() { "nothing was changed".to_owned() } else { steps.join(", ") }
}

fn change_outcome(change: &Change) -> String {
    let words = change.remedy.words();
    match change.outcome {
        ChangeOutcome::Watched => format!("{words} ran and was not verified"),
        ChangeOutcome::Verified => format!("{words} ran and was verified"),
        ChangeOutcome::Failed => format!("{words} ran and failed verification"),
        ChangeOutcome::Unverified => format!("{words} ran and could not be verified"),
    }
}

fn step_outcome(step: &Step) -> String {
    let words = step.action.kind().words();
    match &step.state {
        StepState::Verified => format!("{words} ran and was verified"),
        StepState::Failed { why, by: Shortfall::NotReached } => format!("{words} ran and failed verification ({why})"),
        StepState::Failed { why, by: Shortfall::NotMeasured } => format!("{words} ran and {why}"),
        StepState::Approved => format!("{words} would run (dry-run, nothing was changed)"),
        StepState::Denied { .. } => format!("{words} was denied"),
        StepState::Skipped { why: LeftOut::ByPerson } => format!("{words} was skipped"),
        StepState::Skipped { why } => format!("{words} was skipped ({})", why.text()),
        StepState::Uncertain => format!("{words} may or may not have run"),
        StepState::Running | StepState::Verifying => format!("{words} is under way"),
        StepState::Locked { .. }
        | StepState::Proposed
        | StepState::Rehearsing
        | StepState::Rehearsed
        | StepState::Armed { .. }
        | StepState::Expired
        | StepState::StoodDown { .. } => format!("{words} is proposed, nothing was changed"),
    }
}

fn follow_ups(session: &Session, incident: &Incident, cause: Cause) -> Vec<FollowUp> {
    let now = session.now;
    let alarms = incident.alarms.iter().filter_map(|name| session.alarms.get(name));
    let cpu = incident.service.metrics.get(&MetricRole::Cpu).and_then(|query| bound(alarms, query));
    let watch = FollowUp {
        text: format!("watch CPU for {WATCH_MINUTES} minutes"),
        test: FollowUpTest::MetricBelow {
            role: MetricRole::Cpu,
            bound: cpu.filter(|cpu| cpu.is_ceiling()).map_or(CPU_BOUND, |cpu| cpu.value),
            minutes: WATCH_MINUTES,
        },
        due_at: now + SignedDuration::from_mins(i64::from(WATCH_MINUTES)),
    };
    let person = |text: &str| FollowUp {
        text: text.to_owned(),
        test: FollowUpTest::Person,
        due_at: now + SignedDuration::from_hours(24),
    };
    let mut promised = vec![watch];
    match cause {
        Cause::MemoryLeak => promised.push(person("find the leak: take a heap dump before the memory fills again")),
        Cause::LimitTooLow => promised.push(person("write the new memory limit into the chart or manifest")),
        Cause::TrafficSurge => promised.push(person("find the source of the traffic and decide on limits or scale")),
        Cause::StuckProcess => promised.push(person("find what it waits for: take a thread dump when it stops again")),
        Cause::BadDeploy => promised.push(person("find what the rollout changed before it is rolled out again")),
        Cause::Inconclusive => promised.push(person("close the gaps in the evidence that kept this inconclusive")),
        Cause::CollectorThrash
        | Cause::CpuBound
        | Cause::CrashLoop
        | Cause::DependencyFailing
        | Cause::NodePressure
        | Cause::FlappingAlarm
        | Cause::NothingWrong => {}
    }
    promised
}
