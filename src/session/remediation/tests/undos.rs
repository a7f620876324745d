//! Undos that a person asks for: on what they are decided, and when they are rehearsed.

use super::*;
use crate::domain::remediation::gate::{Refusal, RefusalReason};
use crate::domain::remediation::runbook;

/// A step is watched for as long as evidence may be old: by its end there is nothing to decide its undo on.
#[test]
fn an_undo_after_a_step_that_was_verified_reads_the_evidence_and_is_rehearsed_then() {
    for (second, is_fresh) in [(600, true), (700, false)] {
        let mut story = Story::new(vec![step(S1, raise())]);
        story.rehearse(1, S1, &raise());
        story.run(2, S1);
        let tests = vec![TestState::Passed];
        let ended = story.commit(600, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
        settle(&mut story, 600, ended);
        let plan = Box::new(runbook::with_undo(story.incident().plan.as_ref().unwrap(), S1, 1).unwrap());
        let proposed = story.tell(second, RemediationEvent::UndoProposed { of: S1, plan });
        let left = settle(&mut story, second, proposed);
        let is_rehearsed = left.contains(&Effect::Preview { incident: I1, step: S2 });
        let is_read = left.iter().any(|effect| matches!(effect, Effect::Observe { .. }));
        assert_eq!((is_rehearsed, is_read), (is_fresh, !is_fresh), "{left:?}");
        if is_fresh {
            continue;
        }
        assert_eq!(story.step(S2).state, StepState::Proposed, "the plan is kept");
        story.session.incidents.get_mut(&I1).unwrap().awaited.clear();
        // Pane 4 may stay locked: no cause is left to find.
        let refusal = Refusal { reason: RefusalReason::NoRemedy, text: "No.".to_owned(), unlock: "r".to_owned() };
        let oldest = Some(start() + SignedDuration::from_secs(second + 5));
        let report = Box::new(GateReport { oldest, refusals: vec![refusal], ..gate() });
        let effects = story.tell(second + 10, RemediationEvent::GateJudged { report });
        assert!(effects.contains(&Effect::Preview { incident: I1, step: S2 }), "{effects:?}");
        let undo = story.step(S2).action.clone();
        story.rehearse(second + 12, S2, &undo);
        assert!(executes(&story.approve(second + 15, S2)));
    }
}

/// The process that had judged it has ended, and nothing is read of what was over until somebody asks.
#[test]
fn an_undo_of_what_was_over_reads_the_evidence_in_the_process_that_goes_on() {
    let mut story = Story::new(vec![step(S1, raise())]);
    story.rehearse(1, S1, &raise());
    story.run(2, S1);
    let tests = vec![TestState::Passed];
    let ended = story.commit(600, Event::Verification(VerificationEvent::Ended { step: S1, tests }));
    settle(&mut story, 600, ended);
    story.session.incidents.get_mut(&I1).unwrap().phase = Phase::Closed;
    story.commit(610, Event::Session(SessionEvent::Resumed { note: String::new() }));
    let plan = Box::new(runbook::with_undo(story.incident().plan.as_ref().unwrap(), S1, 1).unwrap());
    let proposed = story.tell(620, RemediationEvent::UndoProposed { of: S1, plan });
    let left = settle(&mut story, 620, proposed);
    assert!(left.iter().any(|effect| matches!(effect, Effect::Observe { .. })), "{left:?}");
    assert_eq!((story.step(S2).state.clone(), story.incident().phase), (StepState::Proposed, Phase::Triage));
    // Proposed while it is being read: one round is enough.
    let again = story.session.incidents.get_mut(&I1).unwrap();
    again.plan.as_mut().unwrap().steps.pop();
    again.undos.clear();
    let plan = Box::new(runbook::with_undo(story.incident().plan.as_ref().unwrap(), S1, 1).unwrap());
    assert_eq!(story.tell(621, RemediationEvent::UndoProposed { of: S1, plan }), []);
}

/// Whoever reads the evidence again, or waits too long, need not rehearse the undo by hand.
#[test]
fn an_undo_that_waits_is_rehearsed_again_with_the_evidence() {
    let waiting = || {
        let mut story = Story::new(vec![step(S1, raise())]);
        story.rehearse(1, S1, &raise());
        story.run(2, S1);
        let plan = Box::new(runbook::with_undo(story.incident().plan.as_ref().unwrap(), S1, 1).unwrap());
        story.tell(3, RemediationEvent::UndoProposed { of: S1, plan });
        let undo = story.step(S2).action.clone();
        story.rehearse(4, S2, &undo);
        assert_eq!(story.step(S2).state, StepState::Rehearsed);
        story
    };
    let mut read = waiting();
    read.ask_again(5);
    let mut old = waiting();
    let refusal = Refusal { reason: RefusalReason::Stale, text: "Old.".to_owned(), unlock: "r".to_owned() };
    let report = Box::new(GateReport { refusals: vec![refusal], ..gate() });
    assert_eq!(old.tell(700, RemediationEvent::GateJudged { report }), []);
    let digest = waiting().step(S2).digest.clone().unwrap();
    let objection = admits(&old.session, start(), (I1, S2), Press::Approve(&digest)).unwrap_err();
    assert_eq!(objection, Objection::Stale, "pane 4 has nothing to open for an undo");
    for story in [&mut read, &mut old] {
        assert_eq!(story.step(S2).state, StepState::Proposed);
        story.session.incidents.get_mut(&I1).unwrap().awaited.clear();
        let oldest = Some(start() + SignedDuration::from_secs(705));
        let report = Box::new(GateReport { oldest, ..gate() });
        let effects = story.tell(710, RemediationEvent::GateJudged { report });
        assert!(effects.contains(&Effect::Preview { incident: I1, step: S2 }), "{effects:?}");
    }
}
