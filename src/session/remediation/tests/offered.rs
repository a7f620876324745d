//! What the evidence of now suffices for, and what needs no such evidence: the way back.

use super::*;
use crate::domain::remediation::gate::{Refusal, RefusalReason};
use crate::domain::remediation::runbook;
use crate::domain::remediation::trace::Trace;

fn locked(reason: RefusalReason, second: i64) -> GateReport {
    let refusal = Refusal { reason, text: "No remedy of the catalogue fits.".to_owned(), unlock: "r".to_owned() };
    let oldest = Some(start() + SignedDuration::from_secs(second));
    GateReport { oldest, refusals: vec![refusal], ..gate() }
}

/// A step that is uncertain, is read about again, and turns out not to have run, under a verdict that wants another remedy.
fn left_over() -> Story {
    let restart = Action::RolloutRestart;
    let mut story = Story::new(vec![step(S1, restart.clone())]);
    story.rehearse(1, S1, &restart);
    story.approve(2, S1);
    let digest = story.step(S1).digest.clone().unwrap();
    story.tell(2, RemediationEvent::StepStarted { step: S1, digest });
    let fault = crate::domain::fault::Fault::new(crate::domain::fault::FaultKind::Timeout, "No answer.");
    story.tell(20, RemediationEvent::StepFinished { step: S1, execution: Execution::Unknown { fault } });
    story.ask_again(30);
    let incident = story.session.incidents.get_mut(&I1).unwrap();
    incident.awaited.clear();
    incident.offers = offers(&[RemedyKind::Scale]);
    story.tell(40, RemediationEvent::GateJudged { report: Box::new(gate()) });
    let (found, trace) = ("seen".to_owned(), Trace::HasNotRun);
    story.tell(50, RemediationEvent::UncertaintySettled { step: S1, found, trace });
    story
}

#[test]
fn a_step_of_an_earlier_verdict_is_neither_rehearsed_nor_run_once_its_remedy_is_refused() {
    let mut story = left_over();
    assert!(matches!(story.step(S1).state, StepState::StoodDown { .. }), "{:?}", story.step(S1).state);
    assert!(story.incident().gate_is_open_for(S1), "the gate is open, for another remedy");
    let at = start() + SignedDuration::from_secs(60);
    let ask = |story: &Story, press| admits(&story.session, at, (I1, S1), press).err();
    assert_eq!(ask(&story, Press::Rehearse), Some(Objection::NotOffered { step: S1 }));
    assert_eq!(ask(&story, Press::Refuse), None, "no is always possible");
    // Rehearsed all the same, as a journal or a late answer may have it.
    story.session.incidents.get_mut(&I1).unwrap().step_mut(S1).unwrap().state = StepState::Rehearsing;
    story.rehearse(61, S1, &Action::RolloutRestart);
    let digest = story.step(S1).digest.clone().unwrap();
    assert_eq!(ask(&story, Press::Approve(&digest)), Some(Objection::NotOffered { step: S1 }));
    assert!(!executes(&story.approve(62, S1)));
    story.session.incidents.get_mut(&I1).unwrap().offers = offers(&[RemedyKind::RolloutRestart]);
    assert_eq!(ask(&story, Press::Approve(&digest)), None);
}

#[test]
fn the_undo_of_our_own_change_is_offered_where_no_remedy_fits_any_more() {
    for reason in [RefusalReason::NoRemedy, RefusalReason::Inconclusive, RefusalReason::NarrativeUnderWay] {
        let mut story = Story::new(vec![step(S1, raise())]);
        story.rehearse(1, S1, &raise());
        story.run(2, S1);
        let tests = vec![TestState::Failed];
        let ended = story.commit(902, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
        settle(&mut story, 902, ended);
        let incident = story.session.incidents.get_mut(&I1).unwrap();
        incident.awaited.clear();
        incident.offers = offers(&[]);
        let effects = story.tell(910, RemediationEvent::GateJudged { report: Box::new(locked(reason, 905)) });
        assert!(effects.contains(&Effect::Preview { incident: I1, step: S2 }), "{reason:?}: {effects:?}");
        assert!(effects.iter().any(|effect| matches!(effect, Effect::Schedule { .. })), "its evidence grows old, too");
        let undo = story.step(S2).action.clone();
        story.rehearse(912, S2, &undo);
        assert!(executes(&story.approve(915, S2)), "{reason:?}");
    }
}

#[test]
fn an_undo_on_old_evidence_goes_back_and_stands_down_where_it_is_armed() {
    let mut story = Story::new(vec![step(S1, raise())]);
    story.rehearse(1, S1, &raise());
    story.run(2, S1);
    let plan = runbook::with_undo(story.incident().plan.as_ref().unwrap(), S1, 1).unwrap();
    story.tell(3, RemediationEvent::UndoProposed { of: S1, plan: Box::new(plan) });
    let undo = story.step(S2).action.clone();
    story.rehearse(4, S2, &undo);
    let keeps = story.tell(5, RemediationEvent::GateJudged { report: Box::new(locked(RefusalReason::NoRemedy, 0)) });
    settle(&mut story, 5, keeps);
    assert_eq!(story.step(S2).state, StepState::Rehearsed);
    let digest = story.step(S2).digest.clone().unwrap();
    let mut armed = Story { session: story.session.clone(), seq: story.seq };
    armed.tell(5, RemediationEvent::StepArmed { step: S2, digest, until: start() + SignedDuration::from_secs(65) });
    for story in [&mut story, &mut armed] {
        let falls = story.tell(6, RemediationEvent::GateJudged { report: Box::new(locked(RefusalReason::Stale, 0)) });
        settle(story, 6, falls);
    }
    assert_eq!(story.step(S2).state, StepState::Proposed);
    assert!(matches!(armed.step(S2).state, StepState::StoodDown { .. }));
}

/// The plan is kept for the undo, and what the others were planned on with it: to read the evidence again is not enough.
#[test]
fn what_was_planned_before_an_undo_says_that_the_undo_goes_first() {
    use crate::domain::remediation::step::{AS_PLANNED, Check, CheckState};
    let mut story = Story::new(vec![step(S1, raise()), step(S2, Action::RolloutRestart)]);
    story.rehearse(1, S1, &raise());
    story.run(2, S1);
    let (text, state) =
        ("revision 42 in the evidence, 43 now: read the evidence again with r".to_owned(), CheckState::Failed);
    let check = Check { name: AS_PLANNED.to_owned(), state, text: text.clone() };
    let objection = |story: &mut Story| {
        let other = Rehearsal { checks: vec![check.clone()], ..*rehearsal(&Action::RolloutRestart) };
        story.session.incidents.get_mut(&I1).unwrap().step_mut(S1).unwrap().state = StepState::Verified;
        story.session.incidents.get_mut(&I1).unwrap().step_mut(S2).unwrap().state = StepState::Rehearsing;
        story.tell(5, RemediationEvent::StepRehearsed { step: S2, rehearsal: Box::new(other), digest: None });
        let digest = story.step(S2).digest.clone().unwrap();
        let at = start() + SignedDuration::from_secs(6);
        admits(&story.session, at, (I1, S2), Press::Approve(&digest)).unwrap_err()
    };
    assert_eq!(objection(&mut story), Objection::NotAsPlanned { step: S2, text: text.clone() });
    let plan = runbook::with_undo(story.incident().plan.as_ref().unwrap(), S1, 2).unwrap();
    story.tell(3, RemediationEvent::UndoProposed { of: S1, plan: Box::new(plan) });
    assert_eq!(
        objection(&mut story),
        Objection::NotAsPlanned { step: S2, text: format!("{text}, once #3 is decided") }
    );
}

#[test]
fn what_a_check_forbids_is_not_approved_in_any_mode() {
    use crate::domain::remediation::step::{Check, CheckState};
    for mode in [Mode::DryRun, Mode::Live] {
        let mut story = Story::new(vec![step(S1, raise())]);
        story.session.header.mode = mode;
        let check = |state| Check { name: "rollouts".to_owned(), state, text: "paused".to_owned() };
        let forbidden =
            Rehearsal { checks: vec![check(CheckState::Ok), check(CheckState::Failed)], ..*rehearsal(&raise()) };
        story.tell(1, RemediationEvent::StepRehearsed { step: S1, rehearsal: Box::new(forbidden), digest: None });
        let digest = story.step(S1).digest.clone().unwrap();
        let at = start() + SignedDuration::from_secs(2);
        let objection = admits(&story.session, at, (I1, S1), Press::Approve(&digest)).unwrap_err();
        assert_eq!(objection, Objection::CheckFailed { step: S1, text: "rollouts: paused".to_owned() });
        story.approve(2, S1);
        assert_eq!(story.step(S1).state, StepState::Rehearsed, "{mode:?}: it would not run");
    }
}
