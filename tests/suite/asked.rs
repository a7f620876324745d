//! A model that was asked is never told as one that was not, whatever its feed said before.

use pagerdeck::domain::fault::{Fault, FaultKind};
use pagerdeck::session::Session;
use pagerdeck::session::feeds::{Feed, FeedHealth, FeedId};
use pagerdeck::ui::model::{Pane, Zoom};

use super::fixture;
use super::screens::{text, ui};

const SIZES: [(u16, u16); 4] = [(60, 16), (80, 24), (120, 40), (200, 60)];

/// How the feed stands until the model has answered once, and after it did not.
fn before(session: &mut Session, health: FeedHealth) {
    session.feeds.insert(FeedId::Model, Feed { health, answered_at: None, ..Feed::default() });
}

fn off() -> FeedHealth {
    FeedHealth::Off { why: "asked when an incident has its evidence".to_owned() }
}

fn lost() -> FeedHealth {
    FeedHealth::Lost { fault: Fault::new(FaultKind::Throttled, "Bedrock is busy.") }
}

#[test]
fn a_stream_that_is_under_way_says_how_far_it_is_at_every_size() {
    for (health, size) in SIZES.iter().flat_map(|size| [(off(), *size), (lost(), *size)]) {
        let mut session = fixture::streaming();
        before(&mut session, health);
        let shown = text(&ui(size, Pane::Rca, Zoom::Overview), &session);
        let title = shown.lines().find(|row| row.contains("[4] RCA")).unwrap();
        assert!(title.contains("streaming 6.0s"), "{size:?}: {title}");
        assert!(!shown.contains("off: ") && !title.contains("ERR "), "{size:?}\n{shown}");
    }
}

#[test]
fn a_question_that_waits_for_its_first_word_is_told_as_that() {
    for size in SIZES {
        let mut session = fixture::streaming();
        before(&mut session, off());
        let narrative = &mut fixture::incident(&mut session).narrative;
        (narrative.opened_at, narrative.first_text_at, narrative.last_text_at) = (None, None, None);
        (narrative.claims, narrative.text, narrative.claimed) = (Vec::new(), String::new(), 0);
        let shown = text(&ui(size, Pane::Rca, Zoom::Overview), &session);
        let title = shown.lines().find(|row| row.contains("[4] RCA")).unwrap();
        assert!(title.contains("queued 6.0s"), "{size:?}: {title}");
        assert!(!shown.contains("off: "), "{size:?}\n{shown}");
        let told = shown.contains("The model was asked: queued 6.0s.");
        assert!(told || size.0 < 200, "where there is room it is said in a sentence, {size:?}\n{shown}");
    }
}

#[test]
fn a_model_that_is_waited_for_after_a_fault_says_until_when() {
    let mut session = fixture::streaming();
    let fault = Fault::new(FaultKind::Throttled, "Bedrock is busy.");
    let until = fixture::now() + jiff::SignedDuration::from_secs(3);
    before(&mut session, FeedHealth::Retrying { attempt: 2, until, fault });
    let shown = text(&ui((120, 40), Pane::Rca, Zoom::Overview), &session);
    assert!(shown.contains("RETRY in 3.0s (2nd, Throttled)"), "{shown}");
}
