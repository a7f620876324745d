//! How far a request has come, as it is told of a step that runs.

use super::*;
use crate::domain::fault::{Fault, FaultKind};
use crate::session::incident::Way;

/// After a 409 it is not told as if nothing had been sent; and what is told late of a request whose end is known moves nothing.
#[test]
fn a_request_that_the_server_did_not_take_is_looked_at_again_until_its_end() {
    let mut story = Story::new(vec![step(S1, Action::RolloutRestart)]);
    story.rehearse(1, S1, &Action::RolloutRestart);
    story.approve(2, S1);
    let digest = story.step(S1).digest.clone().unwrap();
    story.tell(3, RemediationEvent::StepStarted { step: S1, digest });
    let at = |second| start() + SignedDuration::from_secs(second);
    story.tell(4, RemediationEvent::LookBegan { step: S1 });
    assert_eq!(story.incident().way_of(S1), Way::Looking { since: at(4) });
    story.tell(5, RemediationEvent::RequestLeft { step: S1 });
    assert_eq!(story.incident().way_of(S1), Way::Sent { at: at(5) });
    story.tell(6, RemediationEvent::LookBegan { step: S1 });
    assert_eq!(story.incident().way_of(S1), Way::LookingAgain { since: at(6) });
    let fault = Fault::new(FaultKind::Rejected, "Called back.");
    story.tell(7, RemediationEvent::StepFinished { step: S1, execution: Execution::NotApplied { fault } });
    let before = story.incident().started;
    story.tell(8, RemediationEvent::RequestLeft { step: S1 });
    assert_eq!(story.incident().started, before);
}
