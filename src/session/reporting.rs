//! The report of an incident: its headline, what it promises, and what became of the post.

use jiff::{SignedDuration, Timestamp};

use super::effect::Effect;
use super::event::{Event, ReportEvent, TimerPurpose};
use super::header::SlackUse;
use super::incident::{Change, ChangeOutcome, Incident, Post, ReportState};
use super::record::{IncidentId, Record};
use super::standing;
use super::state::Session;
use super::triage::conclude;
use crate::domain::diagnosis::sufficiency::RemedyKind;
use crate::domain::diagnosis::verdict::{Cause, Verdict};
use crate::domain::fault::{Fault, FaultKind};
use crate::domain::observation::alarm::bound;
use crate::domain::observation::metric::MetricRole;
use crate::domain::remediation::follow_up::{FollowUp, FollowUpTest, LATE, Standing};
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
            incident.report = Some(ReportState {
                headline: headline.clone(),
                drafted_at: record.at,
                follow_ups: follow_ups.clone(),
                post: Post::Off,
            });
            let mut effects = match slack {
                SlackUse::Off => Vec::new(),
                SlackUse::Post => vec![send(incident)],
            };
            effects.extend(watch(incident.id, follow_ups, record.at));
            effects
        }
        ReportEvent::FollowUpEnded { follow_up } => ended(incident, follow_up, slack),
        ReportEvent::Posted => {
            post_ended(incident, Post::Posted { at: record.at });
            Vec::new()
        }
        ReportEvent::PostFailed { fault } => {
            post_ended(incident, Post::Failed { fault: fault.clone() });
            Vec::new()
        }
        ReportEvent::PostLeft { fault } => {
            incident.posts_under_way = 0;
            set_post(incident, Post::Left { fault: fault.clone() });
            Vec::new()
        }
        // It has its line in the timeline.
        ReportEvent::Exported { .. } => Vec::new(),
    }
}

/// Sends the report as it stands.
fn send(incident: &mut Incident) -> Effect {
    incident.posts_under_way += 1;
    set_post(incident, Post::Sending);
    Effect::Notify { incident: incident.id }
}

/// A post has come to its end. Where a newer one is under way, its end is what counts.
fn post_ended(incident: &mut Incident, post: Post) {
    incident.posts_under_way = incident.posts_under_way.saturating_sub(1);
    if incident.posts_under_way == 0 {
        set_post(incident, post);
    }
}

/// What the process before could not post and certainly did not is posted now.
pub(super) fn post_again(incident: &mut Incident) -> Option<Effect> {
    let is_left = incident.report.as_ref().is_some_and(|report| matches!(report.post, Post::Left { .. }));
    is_left.then(|| send(incident))
}

/// The program ends, or ended, and nobody will hear what became of a post under way.
pub(super) fn lose_post(incident: &mut Incident) {
    incident.posts_under_way = 0;
    if incident.report.as_ref().is_some_and(|report| report.post == Post::Sending) {
        set_post(incident, Post::Failed { fault: cut() });
    }
}

/// What is said of a post whose end nobody heard.
pub fn cut() -> Fault {
    Fault::new(FaultKind::Cut, "The program ended while the report was being posted.")
        .hint("Look in the channel: it may be there.")
}

fn set_post(incident: &mut Incident, post: Post) {
    if let Some(report) = incident.report.as_mut() {
        report.post = post;
    }
}

/// Looks again when the time of each watch is over, and its last points should have come.
fn watch(id: IncidentId, follow_ups: &[FollowUp], now: Timestamp) -> Vec<Effect> {
    let watched = follow_ups.iter().filter(|follow_up| follow_up.watches().is_some());
    let wake = |follow_up: &FollowUp| Effect::Schedule {
        incident: id,
        purpose: TimerPurpose::FollowUp,
        after: (follow_up.due_at + LATE).duration_since(now),
    };
    watched.map(wake).collect()
}

/// Settles a promise. One of a report that was drafted anew meanwhile is no promise any more. What did not hold is posted.
fn ended(incident: &mut Incident, follow_up: &FollowUp, slack: SlackUse) -> Vec<Effect> {
    let Some(report) = incident.report.as_mut() else { return Vec::new() };
    let same = |one: &&mut FollowUp| {
        (&one.text, &one.test, one.due_at) == (&follow_up.text, &follow_up.test, follow_up.due_at)
            && one.watches().is_some()
    };
    let Some(found) = report.follow_ups.iter_mut().find(same) else { return Vec::new() };
    found.standing = follow_up.standing;
    match (follow_up.standing, slack) {
        (Standing::Failed { .. }, SlackUse::Post) => vec![send(incident)],
        (Standing::Failed { .. }, SlackUse::Off)
        | (
            Standing::Pending | Standing::Held { .. } | Standing::Unmeasured { .. } | Standing::NotWatched,
            SlackUse::Post | SlackUse::Off,
        ) => Vec::new(),
    }
}

/// Concludes which watches have come to their end by what was read until now. Points have the time of AWS.
pub fn watched(session: &Session, now: Timestamp) -> Vec<Effect> {
    let mut effects = Vec::new();
    for incident in session.incidents.values() {
        for follow_up in incident.report.iter().flat_map(|report| &report.follow_ups) {
            let Some(role) = follow_up.watches() else { continue };
            let charts = session.metrics.get(&incident.service.name);
            let series = charts.and_then(|charts| charts.get(&role));
            let due_at = session.clock.at_aws(follow_up.due_at);
            let standing = FollowUp { due_at, ..follow_up.clone() }.judged(series, session.clock.at_aws(now));
            if standing != Standing::Pending {
                let follow_up = Box::new(FollowUp { standing, ..follow_up.clone() });
                effects.push(conclude(incident.id, Event::Report(ReportEvent::FollowUpEnded { follow_up })));
            }
        }
    }
    effects
}

/// The session ended: nobody watches any more.
pub fn left(session: &mut Session) {
    let reports = session.incidents.values_mut().filter_map(|incident| incident.report.as_mut());
    for follow_up in reports.flat_map(|report| &mut report.follow_ups) {
        follow_up.standing = follow_up.when_left();
    }
}

/// The session goes on: what may still be watched to its end is; what was due in between was not.
pub fn taken_up(incident: &mut Incident, now: Timestamp) -> Vec<Effect> {
    let id = incident.id;
    let Some(report) = incident.report.as_mut() else { return Vec::new() };
    for follow_up in &mut report.follow_ups {
        let goes_on = now < follow_up.due_at;
        follow_up.standing = match follow_up.standing {
            Standing::NotWatched if goes_on => Standing::Pending,
            Standing::Pending if !goes_on => follow_up.when_left(),
            settled @ (Standing::Pending
            | Standing::NotWatched
            | Standing::Held { .. }
            | Standing::Failed { .. }
            | Standing::Unmeasured { .. }) => settled,
        };
    }
    watch(id, &report.follow_ups, now)
}

/// Concludes the report as things stand now.
pub fn drafted(session: &Session, id: IncidentId) -> Effect {
    let (headline, follow_ups) = draft(session, id);
    conclude(id, Event::Report(ReportEvent::Drafted { headline, follow_ups }))
}

/// The headline and the follow-ups as they stand now.
pub fn draft(session: &Session, id: IncidentId) -> (String, Vec<FollowUp>) {
    let Some(incident) = session.incidents.get(&id) else { return (String::new(), Vec::new()) };
    let verdict = incident.verdict.as_ref();
    let cause = verdict.map_or(Cause::Inconclusive, Verdict::cause);
    let words = verdict.map_or(cause.words(), Verdict::words);
    let outcome = outcome(incident);
    let mut headline = format!("{} {}: {words}; {outcome}", incident.severity.word(), incident.service.name);
    if let Some(foreign) = standing::foreign(incident, &session.alarms) {
        headline.push_str("; ");
        headline.push_str(&foreign);
    }
    (headline, follow_ups(session, incident, cause))
}

fn outcome(incident: &Incident) -> String {
    let planned = incident.plan.iter().flat_map(|plan| &plan.steps).map(|step| step_outcome(incident, step));
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
        ChangeOutcome::Undone => format!("{words} ran and was put back"),
        ChangeOutcome::Unknown => format!("{words} may or may not have run"),
        ChangeOutcome::DidNotLast => format!("{words} ran, was verified, and did not last"),
    }
}

fn step_outcome(incident: &Incident, step: &Step) -> String {
    let words = incident.step_words(step);
    match &step.state {
        StepState::Verified => format!("{words} ran and was verified"),
        StepState::Failed { why, by: Shortfall::NotReached } => format!("{words} ran and failed verification ({why})"),
        StepState::Failed { why, by: Shortfall::NotMeasured } => format!("{words} ran and {why}"),
        StepState::Failed { why, by: Shortfall::DidNotLast } => {
            format!("{words} ran, was verified, and did not last ({why})")
        }
        StepState::Failed { why, by: Shortfall::NotKnown } => format!("{words} may or may not have run ({why})"),
        StepState::Undone { by } => format!("{words} ran and was put back by {by}"),
        StepState::Approved => format!("{words} would run (dry-run, nothing was changed)"),
        StepState::Denied { .. } => format!("{words} was denied"),
        StepState::Skipped { why: LeftOut::ByPerson } => format!("{words} was skipped"),
        StepState::Skipped { why } => format!("{words} was skipped ({})", why.text()),
        StepState::Uncertain => format!("{words} may or may not have run"),
        StepState::Running | StepState::Verifying => format!("{words} is under way"),
        StepState::Proposed
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
        standing: Standing::Pending,
    };
    let person = |text: &str| FollowUp {
        text: text.to_owned(),
        test: FollowUpTest::Person,
        due_at: now + SignedDuration::from_hours(24),
        standing: Standing::Pending,
    };
    let mut promised = vec![watch];
    match cause {
        Cause::MemoryLeak => promised.push(person("find the leak: take a heap dump before the memory fills again")),
        Cause::LimitTooLow if incident.was_put_back(RemedyKind::SetResources) => {
            promised.push(person("decide on the memory limit: the one that was set has been put back"));
        }
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

#[cfg(test)]
mod tests;
