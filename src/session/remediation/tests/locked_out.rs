//! What credentials that fail leave of steps, and what counts until they serve again.

use super::*;
use crate::domain::fault::{Fault, FaultKind};
use crate::session::event::FeedEvent;
use crate::session::feeds::{FeedHealth, FeedId};

fn told(story: &mut Story, second: i64, feed: FeedId, health: FeedHealth) {
    let effects = story.commit(second, Event::Feed(FeedEvent::Changed { feed, health }));
    settle(story, second, effects);
}

fn lost(kind: FaultKind) -> FeedHealth {
    FeedHealth::Lost { fault: Fault::new(kind, "No.").hint("Log in.") }
}

#[test]
fn credentials_that_fail_stand_down_what_waits_and_nothing_is_approved_until_they_serve() {
    let (aws, cluster) = (FeedId::Alarms, FeedId::Workloads);
    let rows = [
        (aws, FaultKind::Credentials, Some("the AWS credentials failed at 09:30:03Z")),
        (cluster, FaultKind::Credentials, Some("the Kubernetes credentials failed at 09:30:03Z")),
        (aws, FaultKind::Timeout, None),
        (cluster, FaultKind::Denied, None),
    ];
    for (feed, kind, expected) in rows {
        for waits in ["rehearsed", "armed", "approved"] {
            let mut story = Story::new(vec![step(S1, raise())]);
            story.rehearse(1, S1, &raise());
            let digest = story.step(S1).digest.clone().unwrap();
            let until = start() + SignedDuration::from_secs(62);
            match waits {
                "armed" => drop(story.tell(2, RemediationEvent::StepArmed { step: S1, digest, until })),
                "approved" => drop(story.approve(2, S1)),
                _ => {}
            }
            told(&mut story, 3, feed, lost(kind));
            let state = &story.step(S1).state;
            let why = match state {
                StepState::StoodDown { why } => Some(why.as_str()),
                _ => None,
            };
            assert_eq!(why, expected, "{waits} {feed:?} {kind:?}");
        }
    }
}

#[test]
fn a_step_that_is_rehearsed_without_credentials_waits_until_they_are_read_again() {
    let mut story = Story::new(vec![step(S1, raise())]);
    told(&mut story, 1, FeedId::Alarms, lost(FaultKind::Credentials));
    story.rehearse(2, S1, &raise());
    told(&mut story, 3, FeedId::Alarms, lost(FaultKind::Credentials));
    assert_eq!(story.step(S1).state, StepState::Rehearsed, "it is told once");
    let digest = story.step(S1).digest.clone().unwrap();
    let objection = admits(&story.session, start(), (I1, S1), Press::Approve(&digest)).unwrap_err();
    assert!(objection.text().contains("AWS") && objection.text().ends_with("Log in."), "{}", objection.text());
    assert_eq!(admits(&story.session, start(), (I1, S1), Press::Refuse), Ok(()), "no is always possible");
    told(&mut story, 5, FeedId::Alarms, FeedHealth::Live);
    assert_eq!(admits(&story.session, start(), (I1, S1), Press::Approve(&digest)), Ok(()));
    assert!(executes(&story.approve(6, S1)));
}

/// Written when nobody looked at that: its request may have left, whatever is asked of a press by now.
#[test]
fn a_decision_of_a_journal_counts_though_the_credentials_failed_then() {
    let mut story = Story::new(vec![step(S1, raise())]);
    told(&mut story, 1, FeedId::Alarms, lost(FaultKind::Credentials));
    story.rehearse(2, S1, &raise());
    assert!(executes(&story.approve(3, S1)));
    let digest = story.step(S1).digest.clone().unwrap();
    story.tell(4, RemediationEvent::StepStarted { step: S1, digest });
    story.commit(900, Event::Session(SessionEvent::Resumed { note: String::new() }));
    assert_eq!(story.step(S1).state, StepState::Uncertain);
}

#[test]
fn a_process_that_goes_on_was_refused_nothing_yet() {
    for feed in [FeedId::Alarms, FeedId::Workloads] {
        let mut story = Story::new(vec![step(S1, raise())]);
        told(&mut story, 1, feed, lost(FaultKind::Credentials));
        assert!(story.session.unusable_credentials().is_some());
        story.commit(900, Event::Session(SessionEvent::Resumed { note: String::new() }));
        assert_eq!(story.session.unusable_credentials(), None, "{feed:?}");
    }
}
