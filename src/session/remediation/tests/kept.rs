//! Rehearsals as the journal keeps them: without secrets, and with the digest of the very bytes.

use super::*;

#[test]
fn a_journal_without_the_secrets_of_a_template_folds_to_the_same_approved_step() {
    let template = serde_json::json!({ "spec": { "containers": [{
        "name": "app", "image": "my-api:41", "env": [{ "name": "DSN", "value": "postgres://u:p@h/db" }],
    }] } });
    let undo = Action::RolloutUndo { to_revision: 41 };
    let exact = Rehearsal { request: Some(request::undo(&target(), &template)), ..*rehearsal(&undo) };
    let mut live = Story::new(vec![step(S1, undo.clone())]);
    let mut read_back = Story::new(vec![step(S1, undo)]);
    let mut event =
        Event::Remediation(RemediationEvent::StepRehearsed { step: S1, rehearsal: Box::new(exact), digest: None });
    bind(&live.session, Some(I1), &mut event);
    let text = serde_json::to_string(&event).unwrap();
    assert!(!text.contains("postgres"), "{text}");
    live.commit(1, event);
    read_back.commit(1, serde_json::from_str(&text).unwrap());
    assert_eq!(live.step(S1).digest, read_back.step(S1).digest);
    for story in [&mut live, &mut read_back] {
        let digest = story.step(S1).digest.clone().unwrap();
        assert!(executes(&story.approve(2, S1)));
        story.tell(3, RemediationEvent::StepStarted { step: S1, digest });
        story.commit(900, Event::Session(SessionEvent::Resumed { note: String::new() }));
        assert_eq!(story.incident().phase, Phase::Uncertain(S1));
    }
    let sent = live.step(S1).rehearsal.as_ref().unwrap().request.as_ref().unwrap();
    assert!(sent.exact().contains("postgres://u:p@h/db"), "what would be sent is whole");
}

#[test]
fn a_journal_from_before_the_digest_was_in_it_still_arms_its_step() {
    let mut story = Story::new(vec![step(S1, raise())]);
    let event = RemediationEvent::StepRehearsed { step: S1, rehearsal: rehearsal(&raise()), digest: None };
    let text = serde_json::to_string(&Event::Remediation(event)).unwrap();
    assert!(!text.contains("digest"), "{text}");
    story.commit(1, serde_json::from_str(&text).unwrap());
    assert!(executes(&story.approve(2, S1)));
}
