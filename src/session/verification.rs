//! Watching the result of a step: measurements against the step's tests and their budgets.

use jiff::SignedDuration;

use super::effect::Effect;
use super::event::{Event, Occasion, RemediationEvent, TimerPurpose, VerificationEvent};
use super::feeds::{FeedHealth, FeedId};
use super::incident::{ChangeOutcome, Incident};
use super::record::{IncidentId, Record};
use super::state::Session;
use super::triage::conclude;
use super::{lasting, remediation, reporting, standing, triage};
use crate::domain::count::counted;
use crate::domain::remediation::runbook;
use crate::domain::remediation::step::{Shortfall, StepId, StepState};
use crate::domain::remediation::verification::{Measurement, TestState, VerificationTest, evaluate_all, have_passed};

/// Seconds between two measurements.
const EVERY_S: i64 = 5;

/// Asks for a measurement.
pub fn measure(incident: IncidentId, step: StepId) -> Effect {
    Effect::Measure { incident, step }
}

/// Asks again after a while.
pub fn later(incident: IncidentId, step: StepId) -> Effect {
    let after = SignedDuration::from_secs(EVERY_S);
    Effect::Schedule { incident, purpose: TimerPurpose::Measure { step }, after }
}

/// Asks again when the timer fires, if the step is still being watched. Before this process was told of the alarms, nothing is
/// measured: they may have cleared while none ran.
pub fn measure_again(session: &Session, id: IncidentId, step: StepId) -> Vec<Effect> {
    let watched = session.incidents.get(&id).and_then(|incident| incident.step(step));
    match watched {
        Some(step) if step.state == StepState::Verifying => {
            let is_told = session.feed(FeedId::Alarms).health != FeedHealth::Connecting;
            vec![if is_told { measure(id, step.id) } else { later(id, step.id) }]
        }
        Some(_) | None => Vec::new(),
    }
}

/// Folds an event about verification.
pub fn fold(session: &mut Session, record: &Record, event: &VerificationEvent) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    match event {
        VerificationEvent::Measured { step, measurement } => {
            // By the record's time, which nobody can set back: a clock that is set prolongs no budget.
            measured(session, id, *step, &Measurement { at: record.at, ..measurement.clone() })
        }
        VerificationEvent::Ended { step, tests } => ended(session, record, *step, tests),
        VerificationEvent::Lapsed { step, why } => lasting::fold(session, record, *step, why),
    }
}

fn measured(session: &mut Session, id: IncidentId, step: StepId, measurement: &Measurement) -> Vec<Effect> {
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let Some(tests) = incident.step(step).filter(|s| s.state == StepState::Verifying).map(|s| s.tests.clone()) else {
        return Vec::new();
    };
    let Some(verification) = incident.verification.as_mut().filter(|v| v.step == step) else { return Vec::new() };
    verification.watch.see(measurement);
    let watch = &verification.watch;
    let mut states = evaluate_all(&tests, measurement, |test| watch.had(test, measurement.at));
    for ((state, before), test) in states.iter_mut().zip(&verification.tests).zip(&tests) {
        // It fell below its bound in its time: what it fills up to while others are watched is told by those.
        if *before == TestState::Passed && matches!(test, VerificationTest::MemoryBelow { .. }) {
            *state = TestState::Passed;
        }
    }
    verification.tests.clone_from(&states);
    verification.last = Some(measurement.clone());
    let over = states.iter().any(|state| matches!(state, TestState::Failed | TestState::Unmeasured));
    let reached = states.iter().all(|state| state.is_reached());
    if over || reached {
        let tests = states.into_iter().map(TestState::at_the_end).collect();
        return vec![conclude(id, Event::Verification(VerificationEvent::Ended { step, tests }))];
    }
    vec![later(id, step)]
}

fn ended(session: &mut Session, record: &Record, step: StepId, tests: &[TestState]) -> Vec<Effect> {
    let Some(id) = record.incident else { return Vec::new() };
    let Some(incident) = session.incidents.get_mut(&id) else { return Vec::new() };
    let passed = have_passed(tests);
    let watched = incident.verification.as_mut().filter(|watched| watched.step == step);
    let last = watched.and_then(|watched| {
        tests.clone_into(&mut watched.tests);
        watched.ended_at = Some(record.at);
        watched.last.clone()
    });
    let Some(found) = incident.step_mut(step).filter(|step| step.state == StepState::Verifying) else {
        return Vec::new();
    };
    let mut effects = Vec::new();
    if passed {
        found.state = StepState::Verified;
        incident.note_outcome(step, ChangeOutcome::Verified);
        remediation::leave_out_alternatives(incident);
        incident.phase = standing::standing(incident, &session.alarms);
    } else {
        let (state, outcome) = fell_short((&found.tests, tests), last.as_ref());
        found.state = state;
        incident.note_outcome(step, outcome);
        incident.phase = standing::standing(incident, &session.alarms);
        let undo = undo(incident, step).filter(|_| got_worse(incident, step, (tests, last.as_ref())));
        // The evidence is as old as the plan, and the step has changed what it told of. It is read before the undo is
        // proposed, so that the gate for it is judged on what is so now.
        effects.extend(triage::ask(session, id, record.at, Occasion::Failed { step }));
        effects.extend(undo);
    }
    effects.push(reporting::drafted(session, id));
    effects
}

/// What a step that is not verified comes to: a failure that was seen, or nothing that was.
fn fell_short(
    (tests, states): (&[VerificationTest], &[TestState]),
    last: Option<&Measurement>,
) -> (StepState, ChangeOutcome) {
    let told = |which: TestState, words: &dyn Fn(&VerificationTest) -> String| {
        let those = tests.iter().zip(states).filter(|(_, state)| **state == which);
        those.map(|(test, _)| words(test)).collect::<Vec<String>>()
    };
    let failed = told(TestState::Failed, &|test| test.failed(last));
    let missing = told(TestState::Unmeasured, &|test| test.unmeasured(last));
    let (by, outcome, lead) = match (failed.is_empty(), missing.is_empty()) {
        (true, false) => (Shortfall::NotMeasured, ChangeOutcome::Unverified, "could not be verified: "),
        (_, _) => (Shortfall::NotReached, ChangeOutcome::Failed, ""),
    };
    // What was still waited for when another test ended the watch has neither passed nor failed.
    let open = told(TestState::Waiting, &VerificationTest::text).len();
    let open = (open > 0).then(|| format!("{} not settled by then", counted(open, "other test")));
    let clauses: Vec<String> = failed.into_iter().chain(missing).chain(open).collect();
    (StepState::Failed { why: format!("{lead}{}", clauses.join("; ")), by }, outcome)
}

/// Whether a step that fell short made anything worse than it was. That it did not help, or that nobody could tell, is for the
/// person to weigh, and what somebody else has put back needs no undo.
fn got_worse(incident: &Incident, step: StepId, (states, last): (&[TestState], Option<&Measurement>)) -> bool {
    let tests = incident.step(step).map_or(&[][..], |step| &step.tests);
    let broke = |test: &VerificationTest| match test {
        VerificationTest::RolloutComplete { .. } | VerificationTest::NoNewKills { .. } => true,
        VerificationTest::MemoryBelow { .. } | VerificationTest::AlarmCleared { .. } => false,
    };
    let failed = tests.iter().zip(states).filter(|(_, state)| **state == TestState::Failed);
    failed.into_iter().any(|(test, _)| broke(test)) && last.is_none_or(|last| last.put_back.is_none())
}

/// Worse than before: the prepared undo is offered at once, as a further step of the plan.
fn undo(incident: &Incident, step: StepId) -> Option<Effect> {
    let plan = runbook::with_undo(incident.plan.as_ref()?, step, incident.last_step)?;
    let event = RemediationEvent::UndoProposed { of: step, plan: Box::new(plan) };
    Some(conclude(incident.id, Event::Remediation(event)))
}
