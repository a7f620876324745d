//! What a judgement of the gate makes of an incident: its plan, the undos beside it, and when it is judged again.

use jiff::{SignedDuration, Timestamp};

use super::preview;
use crate::domain::diagnosis::storm::Storm;
use crate::domain::observation::alarm::{Alarm, AlarmName, AlarmRule, AlarmState, terms};
use crate::domain::observation::metric::MetricId;
use crate::domain::observation::service::Service;
use crate::domain::remediation::gate::{self, Aim, GateInput, GateReport, NarrativeStanding, Purpose, RefusalReason};
use crate::domain::remediation::runbook::{self, Clearing, PlanInput};
use crate::domain::remediation::step::{Plan, Step, StepId, StepState};
use crate::session::effect::Effect;
use crate::session::event::{Event, Occasion, RemediationEvent, TimerPurpose};
use crate::session::header::Header;
use crate::session::incident::{Incident, Phase};
use crate::session::record::IncidentId;
use crate::session::standing::standing;
use crate::session::state::Session;
use crate::session::triage::{self, conclude};

/// Concludes a fresh judgement of the gate.
pub fn judge(session: &Session, id: IncidentId, now: Timestamp) -> Vec<Effect> {
    let Some(report) = report(session, id, now) else { return Vec::new() };
    let event = RemediationEvent::GateJudged { report: Box::new(report) };
    vec![conclude(id, Event::Remediation(event))]
}

/// Judges again because time has passed; concludes only what changed.
pub fn judge_again(session: &Session, id: IncidentId, now: Timestamp) -> Vec<Effect> {
    let Some(incident) = session.incidents.get(&id) else { return Vec::new() };
    let opens = |report: &GateReport| {
        let undo = incident.has_open_undo() && report.is_open_for(Purpose::Undo);
        (report.is_open(), undo)
    };
    let before = incident.gate.as_ref().map_or((false, false), opens);
    match report(session, id, now) {
        Some(report) if opens(&report) != before => {
            let event = RemediationEvent::GateJudged { report: Box::new(report) };
            vec![conclude(id, Event::Remediation(event))]
        }
        Some(_) | None => Vec::new(),
    }
}

fn report(session: &Session, id: IncidentId, now: Timestamp) -> Option<GateReport> {
    // A round that is not answered yet is judged with its verdict.
    let incident = session.incidents.get(&id).filter(|incident| incident.awaited.is_empty())?;
    if session.elsewhere.is_some() {
        return None;
    }
    let alarms = own(session, incident).into_iter().filter_map(|name| session.alarms.get(name));
    let alarmed: Vec<MetricId> = alarms.flat_map(Alarm::metrics).cloned().collect();
    let mut report = gate::judge(GateInput {
        verdict: incident.verdict.as_ref()?,
        offers: &incident.offers,
        evidence: incident.round(),
        narrative: incident.narrative.standing,
        unreadable: incident.narrative.unreadable.as_deref(),
        claims: &incident.narrative.claims,
        diagnosis: incident.diagnosis.as_ref(),
        stands_on: incident.stands_on,
        aim: Aim {
            service: &incident.service,
            alarmed: &alarmed,
            scope: &session.header.scope,
            mode: session.header.mode,
        },
        policy: &session.header.policy,
        now,
    });
    if let Some(unlock) = begun_elsewhere(session, incident) {
        let no_remedy = report.refusals.iter_mut().filter(|refusal| refusal.reason == RefusalReason::NoRemedy);
        no_remedy.for_each(|refusal| refusal.unlock.clone_from(&unlock));
    }
    Some(report)
}

/// Where another incident of the storm probably moved first and has a plan, what helps is there.
fn begun_elsewhere(session: &Session, incident: &Incident) -> Option<String> {
    let mover = &incident.storm.as_ref()?.first_mover;
    let mut others = session.incidents.values().filter(|other| other.id != incident.id && other.phase != Phase::Closed);
    let first = others.find(|other| other.service.name == *mover && other.plan.is_some())?;
    Some(format!("{mover} probably began it: {} has a plan, [ and ] go there", first.id))
}

/// Judges again what of a storm no remedy fits, where the way out is told in other words by now.
pub fn judge_of_storm(session: &Session, storm: &Storm) -> Vec<Effect> {
    let of_it = session.incidents.values().filter(|incident| incident.storm.as_ref() == Some(storm));
    let is_news = |incident: &&Incident| {
        let unlock = begun_elsewhere(session, incident);
        let refusals = incident.gate.iter().flat_map(|gate| &gate.refusals);
        let mut no_remedy = refusals.filter(|refusal| refusal.reason == RefusalReason::NoRemedy);
        no_remedy.any(|refusal| unlock.as_ref().is_some_and(|unlock| *unlock != refusal.unlock))
    };
    of_it.filter(is_news).flat_map(|incident| judge(session, incident.id, session.now)).collect()
}

/// The alarms that tell of what a step would go to: the one it was opened for, and of those that joined it, as a service of
/// that name is theirs too, the ones of the same cluster and account.
fn own<'a>(session: &Session, incident: &'a Incident) -> Vec<&'a AlarmName> {
    let is_here =
        |name: &AlarmName| session.alarms.get(name).is_none_or(|alarm| !is_elsewhere(session, alarm.metrics()));
    let alarms = incident.alarms.iter().enumerate();
    alarms.filter(|(at, name)| *at == 0 || is_here(name)).map(|(_, name)| name).collect()
}

/// Whether any of these metrics is of another cluster or account than a step would go to.
pub fn is_elsewhere<'a>(session: &Session, metrics: impl IntoIterator<Item = &'a MetricId>) -> bool {
    let bare = Service::bare("");
    let Header { scope, mode, .. } = &session.header;
    let aim = Aim { service: &bare, alarmed: &[], scope, mode: *mode };
    metrics.into_iter().any(|metric| aim.is_elsewhere(metric))
}

pub(super) fn gate_judged(session: &mut Session, id: IncidentId, report: &GateReport, now: Timestamp) -> Vec<Effect> {
    let max_age = i64::from(session.header.policy.evidence_max_age_s);
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.gate = Some(report.clone());
    if matches!(incident.phase, Phase::Triage | Phase::Diagnosing | Phase::Watching)
        && incident.awaited.is_empty()
        && incident.narrative.standing != NarrativeStanding::UnderWay
    {
        incident.phase = match (standing(incident, &session.alarms), incident.phase) {
            // A new round opens it again.
            (Phase::Closed, Phase::Triage | Phase::Diagnosing) => Phase::Planned,
            (standing, _) => standing,
        };
    }
    let waits_for_undo = incident.has_open_undo() && report.is_open_for(Purpose::Undo);
    if !report.is_open_for(Purpose::Undo) {
        undos_wait(session, id);
    }
    let mut effects = super::stand_down_where(session, id, "the gate is locked", |step| {
        session.incidents.get(&id).is_some_and(|incident| !report.is_open_for(incident.purpose(step.id)))
    });
    if !report.is_open() && !waits_for_undo {
        return effects;
    }
    let left = report.oldest.map_or(max_age, |oldest| max_age - now.duration_since(oldest).as_secs());
    effects.push(Effect::Schedule {
        incident: id,
        purpose: TimerPurpose::JudgeGate,
        after: SignedDuration::from_secs(left.max(0) + 1),
    });
    if report.is_open() {
        effects.extend(planned(session, id));
    }
    if waits_for_undo {
        effects.extend(rehearse_waiting_undos(session, id));
    }
    effects
}

fn planned(session: &Session, id: IncidentId) -> Option<Effect> {
    let incident = session.incidents.get(&id).filter(|incident| incident.plan.is_none())?;
    let alarms: Vec<Clearing> = telling(session, incident).into_iter().map(|alarm| clearing(session, alarm)).collect();
    let plan = runbook::plan(PlanInput {
        verdict: incident.verdict.as_ref()?,
        offers: &incident.offers,
        evidence: incident.round(),
        target: incident.service.workload.as_ref()?,
        alarms: &alarms,
        last_step: incident.last_step,
    })?;
    Some(conclude(id, Event::Remediation(RemediationEvent::PlanProposed { plan: Box::new(plan) })))
}

/// An alarm that fires for longer beside others that do not is about something else.
const LONG_FIRING: SignedDuration = SignedDuration::from_hours(24);

/// The alarms whose return to OK tells of a step: those that fire, and not for longer than a day beside one that does not.
/// Where none fires, all are asked, and that none of them can tell is told.
fn telling<'a>(session: &Session, incident: &'a Incident) -> Vec<&'a AlarmName> {
    let now = session.clock.at_aws(session.now);
    let firing = |name: &&AlarmName| session.alarms.get(*name).filter(|alarm| alarm.state == AlarmState::Alarm);
    let fires: Vec<&AlarmName> = own(session, incident).into_iter().filter(|name| firing(name).is_some()).collect();
    let is_new = |name: &&AlarmName| firing(name).is_some_and(|alarm| now.duration_since(alarm.since) < LONG_FIRING);
    let new: Vec<&AlarmName> = fires.iter().copied().filter(is_new).collect();
    match (new.is_empty(), fires.is_empty()) {
        (false, _) => new,
        (true, false) => fires,
        (true, true) => own(session, incident),
    }
}

/// What an alarm is decided over; of a composite, what those are that it speaks of.
fn clearing(session: &Session, name: &AlarmName) -> Clearing {
    let known = session.alarms.get(name);
    let parts = match known.map(|alarm| &alarm.rule) {
        Some(AlarmRule::Composite { rule }) => terms(rule),
        Some(AlarmRule::Metric { .. } | AlarmRule::Math { .. }) | None => Vec::new(),
    };
    let others = parts.iter().filter_map(|term| session.alarms.get(&term.alarm));
    let decided_over_s = known.into_iter().chain(others).map(Alarm::decided_over_s).max().unwrap_or_default();
    Clearing { alarm: name.clone(), decided_over_s }
}

pub(super) fn proposed(session: &mut Session, id: IncidentId, plan: &Plan) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    incident.plan = Some(plan.clone());
    incident.last_step = plan.steps.iter().map(|step| step.id.0).fold(incident.last_step, u32::max);
    incident.phase = standing(incident, &session.alarms);
    let storm = incident.storm.clone();
    let mut effects: Vec<Effect> =
        plan.steps.iter().filter(|step| step.rehearsal.is_none()).map(|step| preview(id, step.id)).collect();
    effects.extend(storm.iter().flat_map(|storm| judge_of_storm(session, storm)));
    effects
}

/// Adds the undo to the plan as it stands now; what the other steps have come to meanwhile is left alone. One undo of a
/// step is enough.
pub(super) fn undo_proposed(
    session: &mut Session,
    (id, at): (IncidentId, Timestamp),
    of: StepId,
    plan: &Plan,
) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let Some(undo) = plan.steps.last().filter(|undo| undo.id != of && incident.step(undo.id).is_none()) else {
        return Vec::new();
    };
    let has_run = incident.step(of).is_some_and(|step| step.state.may_have_run());
    let is_offered =
        |step: &Step| incident.undos.contains_key(&step.id) && step.action == undo.action && !step.state.is_decided();
    if !has_run || incident.plan.iter().flat_map(|plan| &plan.steps).any(is_offered) {
        return Vec::new();
    }
    incident.undos.insert(undo.id, of);
    incident.last_step = incident.last_step.max(undo.id.0);
    if let Some(plan) = incident.plan.as_mut() {
        plan.steps.push(undo.clone());
    }
    let is_judged_soon = !incident.awaited.is_empty() || incident.narrative.standing == NarrativeStanding::UnderWay;
    if incident.gate.is_none() && is_judged_soon {
        // Nothing could be decided on what is being read: it is rehearsed when the gate opens.
        return Vec::new();
    }
    if !incident.gate.as_ref().is_some_and(|gate| gate.holds(Purpose::Undo, &session.header.policy, at)) {
        // A step is watched for as long as evidence may be old: after it there is nothing to decide its undo on. Nor is there
        // where another process goes on with what was over.
        return triage::ask(session, id, at, Occasion::Undo { step: undo.id });
    }
    incident.phase = standing(incident, &session.alarms);
    // Where the incident was over nobody followed it any more.
    vec![Effect::Follow { incident: id }, preview(id, undo.id)]
}

/// Undos that only wait for the person have nothing to be decided on: they are rehearsed anew once there is.
pub fn undos_wait(session: &mut Session, id: IncidentId) {
    let Some(incident) = session.incidents.get_mut(&id) else { return };
    let undos = &incident.undos;
    let steps = incident.plan.iter_mut().flat_map(|plan| &mut plan.steps);
    for step in steps.filter(|step| undos.contains_key(&step.id) && step.state == StepState::Rehearsed) {
        (step.state, step.rehearsal, step.digest) = (StepState::Proposed, None, None);
    }
}

/// Undos that were proposed, or waited, while there was no judgement to decide them on.
fn rehearse_waiting_undos(session: &mut Session, id: IncidentId) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let undos = &incident.undos;
    let mut effects = Vec::new();
    for step in incident.plan.iter_mut().flat_map(|plan| &mut plan.steps) {
        if undos.contains_key(&step.id) && step.state == StepState::Proposed && step.rehearsal.is_none() {
            step.state = StepState::Rehearsing;
            effects.push(preview(id, step.id));
        }
    }
    effects
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::observation::alarm::{Comparison, Evaluation, MissingData, Severity, fixture};
    use crate::domain::observation::metric::Statistic;

    fn alarm(name: &str, rule: AlarmRule, periods: Option<u32>) -> Alarm {
        let evaluation = periods.map(|periods| Evaluation { periods, to_alarm: 1, missing: MissingData::Missing });
        Alarm { evaluation, ..fixture::alarm(name, rule) }
    }

    #[test]
    fn a_step_is_tested_by_the_alarms_that_fire_with_the_incident() {
        let mut session = Session { now: Timestamp::UNIX_EPOCH + SignedDuration::from_hours(72), ..Session::default() };
        let mut incident = Incident::new(IncidentId(1), Service::bare("my-api"), Severity::P2, Timestamp::UNIX_EPOCH);
        let mut told = |list: &[(&str, AlarmState, i64)]| {
            incident.alarms = list.iter().map(|(name, ..)| (*name).into()).collect();
            for (name, state, hour) in list {
                let since = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(*hour);
                let alarm = Alarm { state: *state, since, ..fixture::any(name) };
                session.alarms.insert(alarm.name.clone(), alarm);
            }
            telling(&session, &incident).into_iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let (fires, ok) = (AlarmState::Alarm, AlarmState::Ok);
        assert_eq!(told(&[("certificate", fires, 0), ("cpu", fires, 71), ("5xx", ok, 71)]), ["cpu"]);
        assert_eq!(told(&[("cpu", fires, 0), ("5xx", ok, 71)]), ["cpu"], "the only one");
        assert_eq!(told(&[("cpu", ok, 71)]), ["cpu"], "and it will say that it cannot tell");
    }

    #[test]
    fn an_alarm_of_another_cluster_that_joined_by_name_is_none_of_the_gate_or_of_the_tests() {
        let mut session = Session::default();
        session.header.scope.cluster = Some("eks-prod.us-east-1.eksctl.io".into());
        let mut incident = Incident::new(IncidentId(1), Service::bare("my-api"), Severity::P2, Timestamp::UNIX_EPOCH);
        for (name, cluster) in [("prod", "eks-prod"), ("prod-too", "eks-prod"), ("staging", "eks-staging")] {
            let dimensions = [("ClusterName".to_owned(), cluster.to_owned())].into();
            let namespace = "ContainerInsights".to_owned();
            let metric = MetricId { namespace, dimensions, ..MetricId::default() };
            let (statistic, comparison) = (Statistic::Average, Comparison::Greater);
            let alarm =
                alarm(name, AlarmRule::Metric { metric, statistic, period_s: 60, comparison, threshold: 1.0 }, None);
            incident.alarms.push(alarm.name.clone());
            session.alarms.insert(alarm.name.clone(), alarm);
        }
        let names =
            |incident: &Incident| own(&session, incident).into_iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&incident), ["prod", "prod-too"]);
        assert_eq!(telling(&session, &incident), [&AlarmName::from("prod"), &"prod-too".into()]);
        incident.alarms.reverse();
        assert_eq!(names(&incident), ["staging", "prod-too", "prod"], "what it was opened for is never left out");
    }

    #[test]
    fn what_another_incident_began_is_sent_there_once_that_has_a_plan() {
        use crate::domain::diagnosis::storm::Certainty;
        use crate::domain::remediation::step::Plan;
        let mut session = Session::default();
        let (storm, of) = (
            |mover: &str| Storm {
                members: vec!["my-api".into(), "orders".into()],
                first_mover: mover.into(),
                certainty: Certainty::Likely,
                reasons: Vec::new(),
            },
            |id, name| Incident::new(IncidentId(id), Service::bare(name), Severity::P2, Timestamp::UNIX_EPOCH),
        );
        let mut orders = of(2, "orders");
        orders.storm = Some(storm("my-api"));
        session.incidents.insert(IncidentId(1), of(1, "my-api"));
        assert_eq!(begun_elsewhere(&session, &orders), None, "it has no plan");
        let plan = Plan { runbook: "memory-leak/default".to_owned(), steps: Vec::new() };
        session.incidents.get_mut(&IncidentId(1)).unwrap().plan = Some(plan);
        let told = "my-api probably began it: I1 has a plan, [ and ] go there";
        assert_eq!(begun_elsewhere(&session, &orders).as_deref(), Some(told));
        orders.storm = Some(storm("orders"));
        assert_eq!(begun_elsewhere(&session, &orders), None, "it began here");
    }

    #[test]
    fn an_alarm_clears_by_all_of_its_periods_and_a_composite_by_those_of_its_parts() {
        let (metric, statistic) = (MetricId::default(), Statistic::Average);
        let (comparison, threshold) = (Comparison::Greater, 1.0);
        let slow = AlarmRule::Metric { metric, statistic, period_s: 300, comparison, threshold };
        let either = AlarmRule::Composite { rule: "ALARM(\"slow\") OR ALARM(\"gone\")".to_owned() };
        let mut session = Session::default();
        for alarm in [alarm("slow", slow, Some(3)), alarm("either", either, None)] {
            session.alarms.insert(alarm.name.clone(), alarm);
        }
        let seconds = ["slow", "either", "unread"].map(|name| clearing(&session, &name.into()).decided_over_s);
        assert_eq!(seconds, [900, 900, 0]);
    }
}
